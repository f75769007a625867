"""The history of a name as its registry tells it: every event, in the log, one leading to the next.

`verify_history` is pure. It holds each event to its receipt, the events to the table of
`lifecycle`, and every signature whose key it can know: of a DID that is its own key, of an agent
whose key the log holds, of organisations in the trust folder. A transfer counts only when the
agent before it and the one after it signed it; no registry can make one up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from delegant.credentials import PublicKey, did, shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import Error, error

from .events import read_event
from .leaf import NameLeaf
from .lifecycle import Standing, step
from .name import AnsName
from .receipt import Logged, check_receipt
from .signing import check, digest_of
from .trusted import RegistryTrust

__all__ = ["MAX_HISTORY", "Past", "check_logged", "check_signers", "verify_history"]

MAX_HISTORY: Final = 1000
TRANSFER_PROOFS: Final = 3
Keys = Mapping[str, Sequence[PublicKey]]


@dataclass(frozen=True, slots=True)
class Past:
    """One event of a name. ``standing`` is what the name was after it.

    ``signed`` is false where a signer's key is not known here: then the registry's word, in its
    log, stands for it.
    """

    event: JsonObject
    leaf: NameLeaf
    logged: Logged
    standing: Standing
    signed: bool


def verify_history(items: Json, trust: RegistryTrust, name: str) -> tuple[Past, ...]:
    """Believe a history, from the first registration on, or say why not.

    Args:
        items: parsed, ``[{event, receipt}]``, the oldest first.

    Raises:
        Rejected: ``ans-signature``, ``ans-consent``, ``log-entry`` where an event does not
        follow from those before it, and what a receipt is refused with.
    """
    asked = AnsName.parse(name).key
    if type(items) is not list or not items:
        raise error("ans-signature", "a history is a list with at least one event")
    if len(items) > MAX_HISTORY:
        raise error("limit-items", f"a history of more than {MAX_HISTORY} events")
    out: list[Past] = []
    standing: Standing | None = None
    keys: dict[str, Sequence[PublicKey]] = {**trust.organizations, trust.id: trust.keys}
    for item in items:
        shape.closed(item, "history", frozenset({"event", "receipt"}))
        logged = check_receipt(item["receipt"], trust.id, trust.log, trust.witnesses, trust.quorum)
        if "opening" in item["receipt"]:
            raise error("ans-signature", "an opening is for the submitter alone")
        leaf = check_logged(item["event"], logged, asked)
        if out and (logged.index <= out[-1].logged.index or leaf.time < out[-1].leaf.time):
            raise error("log-entry", "the log holds the events in another order")
        try:
            standing = step(standing, leaf.move, expired=None)
        except Error as exc:
            raise error("log-entry", f"event {leaf.seq} does not follow: {exc}") from None
        if standing.epoch != leaf.epoch:
            raise error("log-entry", f"event {leaf.seq} miscounts the transfers")
        if leaf.key is not None:
            keys[leaf.agent] = (leaf.key,)
        signed = check_signers(item["event"], keys)
        out.append(Past(item["event"], leaf, logged, standing, signed))
    return tuple(out)


def check_logged(event: Json, logged: Logged, name: str) -> NameLeaf:
    """The leaf of an event, which says of it what it is.

    Args:
        event: parsed.
        logged: from its receipt.
        name: `AnsName.key`.

    Raises:
        Malformed: ``shape``. Rejected: ``ans-signature``.
    """
    own = read_event(event)
    leaf = logged.leaf
    record = digest_of(event["record"]) if "record" in event else None
    if (
        not isinstance(leaf, NameLeaf)
        or own.key != name
        or leaf.name.key != name
        or leaf.event != digest_of(event)
        or leaf.record != record
        or leaf.registry != event["registry"]
        or leaf.previous != event.get("previous")
        or leaf.origin != event.get("from")
        or (leaf.type, leaf.seq, leaf.agent) != (event["type"], event["seq"], event["agent"])
        or (leaf.by == "agent") != (event["by"] == (leaf.origin or leaf.agent))
        or (leaf.by == "registry") != (event["by"] == leaf.registry)
    ):
        raise error("ans-signature", "an event that is not the one in the log")
    return leaf


def check_signers(event: JsonObject, keys: Keys) -> bool:
    """Whether all signers of an event are known and have signed it; a bad signature is refused.

    Args:
        event: shape checked.
        keys: of those whose DID is not its own key.

    Raises:
        Rejected: ``ans-signature``; ``ans-consent`` where the two agents of a transfer, which
        must always be known, did not sign it.
    """
    if event["type"] != "transfer":
        return _signed(event, event["by"], keys)
    unsigned = {member: value for member, value in event.items() if member != "proof"}
    proofs = event["proof"]
    if type(proofs) is not list or len(proofs) != TRANSFER_PROOFS:
        raise error("ans-consent", "a transfer has exactly three proofs, in a list")
    for signer, one in zip((event["from"], event["agent"]), proofs[:2], strict=True):
        try:
            good = _signed(unsigned | {"proof": one}, signer, keys)
        except Error:
            good = False
        if not good:
            raise error("ans-consent", f"{signer} did not sign the transfer")
    method = proofs[2].get("verificationMethod") if type(proofs[2]) is dict else None
    organization = str(method).partition("#")[0]
    try:
        return _signed(unsigned | {"proof": proofs[2]}, organization, keys)
    except Error:
        raise error("ans-consent", f"{organization[:80]} did not sign the transfer") from None


def _signed(document: JsonObject, signer: str, keys: Keys) -> bool:
    if not did.embeds_key(did.check(signer)) and signer not in keys:
        return False
    check(document, signer, keys.get(signer))
    return True

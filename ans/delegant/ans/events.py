"""The event: one step in the life of a name, signed by whoever takes it.

    {version, registry, name, type, seq, previous?, record?, reason?, agent, by, from?, at, proof}

``by`` is the signer: the agent; for suspend, resume and revoke also its sponsor, the provider's
organisation, or (suspend, resume) the registry. ``seq`` counts from 0, ``previous`` is the digest
of the event before. A transfer names the old agent in ``from`` and ``by`` and the new one in
``agent``, carries a record of the new one, and has exactly three proofs over the event without
them, in this order: the old agent's, the new one's, and that of the provider's organisation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from delegant.credentials import PublicKey, did, shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import Error, error

from .lifecycle import EVENTS, WITH_RECORD
from .name import AnsName
from .record import check_record, record_key
from .signing import check, version

__all__ = ["check_consent", "check_event", "check_signers", "read_event"]

Keys = Mapping[str, Sequence[PublicKey]]
"""By DID, the keys of those whose DID is not its own key."""

_EVENT: Final = frozenset(
    {"version", "registry", "name", "type", "seq", "agent", "by", "at", "proof"}
)
_OPTIONAL: Final = frozenset({"previous", "record", "reason", "from"})
TRANSFER_PROOFS: Final = 3


def read_event(value: Json) -> AnsName:
    """Shape of an event, and shape and signature of the record in it; its name.

    Whose signature the event itself needs is `check_event`'s.

    Raises:
        Malformed: ``shape``, ``ans-name``. Rejected: ``ans-signature`` of the record.
    """
    version(value, "event")
    shape.closed(value, "event", _EVENT, _OPTIONAL)
    kind = shape.one_of(value["type"], "event.type", EVENTS)
    seq = shape.integer(value["seq"], "event.seq")
    shape.time(value["at"], "event.at")
    did.check(value["registry"])
    if (kind == "register") != (seq == 0) or ("previous" in value) == (kind == "register"):
        raise error("shape", "register comes first and alone names no previous event")
    if kind in WITH_RECORD and "record" not in value:
        raise error("shape", f"{kind} carries a record")
    if kind in ("suspend", "revoke") and "record" in value:
        raise error("shape", f"{kind} carries no record")
    if "previous" in value:
        shape.digest_text(value["previous"], "event.previous")
    if "reason" in value:
        shape.text(value["reason"], "event.reason")
    name = AnsName.parse(value["name"])
    agent, signer = did.check(value["agent"]), did.check(value["by"])
    if (kind == "transfer") != ("from" in value):
        raise error("shape", "a transfer, and nothing else, names the agent before it")
    if "from" in value and (did.check(value["from"]) != signer or signer == agent):
        raise error("shape", "a transfer is by the old agent, to another one")
    if kind in ("register", "renew", "update") and signer != agent:
        raise error("shape", f"{kind} is by the agent")
    if "record" in value:
        own = check_record(value["record"])
        if own.key != name.key or value["record"]["agent"] != agent:
            raise error("shape", "the record is of another name or agent than the event")
    return name


def check_event(value: Json, keys: Keys | None = None, organization: str | None = None) -> AnsName:
    """Shape and every signature of an event; its name.

    Args:
        value: parsed.
        keys: of those whose DID is not its own key. An agent's is also taken from the record
            the event carries.
        organization: of a transfer, whose consent besides the two agents' it needs.

    Raises:
        Malformed: ``shape``, ``ans-name``. Rejected: ``ans-signature``; for a transfer
        ``ans-consent``.
    """
    name = read_event(value)
    check_signers(value, keys, organization)
    return name


def check_signers(
    value: JsonObject, keys: Keys | None = None, organization: str | None = None
) -> None:
    """The signatures of an event that `read_event` has read; the rest as `check_event`.

    Raises:
        Rejected: ``ans-signature``; for a transfer ``ans-consent``.
    """
    known = dict(keys or {})
    own = record_key(value["record"]) if "record" in value else None
    if own is not None:
        known[value["agent"]] = (own,)
    if value["type"] != "transfer":
        check(value, value["by"], known.get(value["by"]))
        return
    if organization is None:
        raise error("ans-consent", "nobody said whose label the name stands under")
    check_consent(value, organization, known)


def check_consent(event: JsonObject, organization: str, keys: Keys) -> None:
    """The old agent, the new one and the provider's organisation each signed a transfer.

    Raises:
        Rejected: ``ans-consent``.
    """
    proofs = event["proof"]
    if type(proofs) is not list or len(proofs) != TRANSFER_PROOFS:
        raise error("ans-consent", "a transfer has exactly three proofs, in a list")
    unsigned = {name: value for name, value in event.items() if name != "proof"}
    signers = (event["from"], event["agent"], organization)
    for signer, one in zip(signers, proofs, strict=True):
        try:
            check({**unsigned, "proof": one}, signer, keys.get(signer))
        except Error:
            raise error("ans-consent", f"{signer} did not sign the transfer") from None

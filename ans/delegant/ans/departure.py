"""Of a name that is gone or suspended: its newest event, in the log, which says so.

Part of `answer`. What no proof can hold is that a name is not there, or that the time of a record
that the answer does not show is over: for these the registry signs, and its log keeps it honest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from delegant.credentials import did, shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error

from .fresh import Entry, Freshness
from .history import check_logged, check_signers
from .leaf import NameLeaf
from .receipt import Logged, check_receipt
from .trusted import RegistryTrust

__all__ = ["AWAY", "SKEW_SECONDS", "Departure", "check_departure", "logged_for"]

SKEW_SECONDS: Final = 30
"""By so much clocks may differ."""
AWAY: Final = ("gone", "suspended")
"""Where ``resolutionStatus`` is one of these, the answer holds the newest event."""


@dataclass(frozen=True, slots=True)
class Departure:
    """The newest event of a name that is gone or suspended, proven to be in the log.

    ``signed`` is false where its signer's key is known neither by its DID nor from the log or
    the trust folder: then the registry's word stands for it.
    """

    event: JsonObject
    logged: Logged
    signed: bool


def logged_for(value: Json, entry: Entry, token: Freshness, trust: RegistryTrust) -> Logged:
    """A receipt of an event of this name, no newer than the state the token speaks of.

    Raises:
        Rejected: ``ans-signature``, ``log-split``; and what `receipt.check_receipt` raises.
    """
    logged = check_receipt(value, trust.id, trust.log, trust.witnesses, trust.quorum)
    if "opening" in value:
        raise error("ans-signature", "an opening is for the submitter alone")
    leaf = logged.leaf
    if not isinstance(leaf, NameLeaf) or leaf.name.key != entry.name.key:
        raise error("ans-signature", "the receipt is of another name")
    if logged.size > token.head.size or leaf.time > token.time + SKEW_SECONDS:
        raise error("ans-signature", "the receipt is newer than the answer")
    if logged.size == token.head.size and logged.root != token.head.root:
        raise error("log-split", "receipt and answer speak of two logs of one size")
    return logged


def check_departure(
    value: JsonObject, token: Freshness, trust: RegistryTrust, name: str | None
) -> Departure | None:
    """The newest event of a name that is gone or suspended; None for any other.

    Args:
        value: the answer, whose other parts were checked.
        name: the key of the name that was asked for.

    Raises:
        Rejected: ``ans-signature``, ``log-split``; and what a receipt is refused with.
    """
    away = value["resolutionStatus"] in AWAY
    if away != ("last" in value):
        raise error("ans-signature", "the newest event comes exactly with a name that is away")
    if not away:
        return None
    (entry,) = token.entries
    if entry.name.key != name:
        raise error("ans-signature", "the name that is away is not the one that was asked for")
    last = shape.closed(value["last"], "last", frozenset({"event", "receipt"}))
    event = last["event"]
    logged = logged_for(last["receipt"], entry, token, trust)
    leaf = check_logged(event, logged, entry.name.key)
    same = (leaf.event, leaf.seq, leaf.epoch, leaf.agent) == (
        entry.event, entry.seq, entry.epoch, entry.agent,
    )  # fmt: skip
    if not same or not _carried(leaf, logged, entry) or not _explains(event, leaf, token):
        raise error("ans-signature", "the newest event is not the one that was signed")
    return Departure(event, logged, _signed(event, leaf, trust))


def _carried(leaf: NameLeaf, logged: Logged, entry: Entry) -> bool:
    """The record came with the newest event, or with an earlier one."""
    if leaf.record is None:
        return entry.index < logged.index
    return (leaf.record, logged.index) == (entry.record, entry.index)


def _explains(event: JsonObject, leaf: NameLeaf, token: Freshness) -> bool:
    """The event can have led to the status, and gives the reason and time the token repeats."""
    kind, status = event["type"], token.status
    if kind in ("suspend", "revoke"):
        said = (event.get("reason"), leaf.time)
        fits = (kind == "revoke") == (status == "revoked")
        return fits and said == (token.reason, token.since)
    if status == "revoked" or token.reason is not None:
        return False
    if status == "suspended":  # it was, before it expired, and renewing does not change that
        return kind == "renew" and token.since is None
    if token.since is None or token.since > token.time:
        return False
    return "record" not in event or token.since == shape.time(
        event["record"]["expires"], "record.expires"
    )


def _signed(event: JsonObject, leaf: NameLeaf, trust: RegistryTrust) -> bool:
    known = {**trust.organizations, trust.id: trust.keys}
    if leaf.key is not None:
        known[leaf.agent] = (leaf.key,)
    if event["type"] == "transfer" and not did.embeds_key(did.check(event["from"])):
        return False  # the log knows the old agent's key from an earlier event
    return check_signers(event, known)

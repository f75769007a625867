"""The life of a name as a table: which event leads from which state to which, and by whom.

    (none)     register → active
    active     renew, update, transfer → active; suspend → suspended; revoke → revoked
    suspended  resume → active; suspend → suspended (by a higher rank); revoke → revoked
    expired    renew → active (a suspended name stays suspended); revoke → revoked
    revoked    nothing, for good

A name expires by time alone, from active or suspended, with its record. Whoever suspends has a
rank, agent < sponsor < organization < registry, and resuming needs at least that rank. Pure: the
registry decides with this table, and a monitor holds the log to the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from delegant.credentials.errors import error

__all__ = ["BY", "EVENTS", "NEXT", "RANKS", "STATES", "WITH_RECORD", "Move", "Standing", "step"]

EVENTS: Final = ("register", "renew", "update", "transfer", "suspend", "resume", "revoke")
STATES: Final = ("active", "suspended", "expired", "revoked")
RANKS: Final = ("agent", "sponsor", "organization", "registry")
"""Who may sign an event, the lowest first."""
WITH_RECORD: Final = frozenset({"register", "renew", "update", "transfer"})
"""Events that must carry a record; ``resume`` may, the others never do."""

NEXT: Final[Mapping[tuple[str | None, str], str]] = {
    (None, "register"): "active",
    ("active", "renew"): "active",
    ("active", "update"): "active",
    ("active", "transfer"): "active",
    ("active", "suspend"): "suspended",
    ("active", "revoke"): "revoked",
    ("suspended", "resume"): "active",
    ("suspended", "suspend"): "suspended",
    ("suspended", "revoke"): "revoked",
    ("expired", "renew"): "active",
    ("expired", "revoke"): "revoked",
}
BY: Final[Mapping[str, tuple[str, ...]]] = {
    "register": ("agent",),
    "renew": ("agent",),
    "update": ("agent",),
    "transfer": ("agent",),
    "suspend": RANKS,
    "resume": RANKS,
    "revoke": RANKS[:3],
}


class Move(NamedTuple):
    """What of an event the table asks for.

    ``agent`` is whom the name belongs to after it; ``origin`` before it, where that differs (a
    transfer); ``by`` is the signer's rank; ``event`` the digest of the event.
    """

    type: str
    agent: str
    by: str
    seq: int
    event: str
    previous: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What its events have made of a name.

    Attributes:
        agent: its controller.
        epoch: how often it was transferred.
        seq, last: number and digest of its newest event.
        suspended: the rank of who suspended it, an index of `RANKS`; or None.
        revoked: for good.
    """

    agent: str
    epoch: int
    seq: int
    last: str
    suspended: int | None = None
    revoked: bool = False

    def state(self, expired: bool) -> str:
        """One of `STATES`; ``expired``: whether the time of its record is over."""
        if self.revoked:
            return "revoked"
        if expired:
            return "expired"
        return "active" if self.suspended is None else "suspended"


def step(before: Standing | None, move: Move, *, expired: bool | None) -> Standing:
    """What a name is after an event.

    Args:
        before: what it was; None for a name never registered.
        expired: whether the time of its record is over; None where that is not known, as to
            whoever reads the log alone: then what either would allow is allowed.

    Raises:
        NotFound: ``ans-not-found``. Gone: ``ans-gone`` for a revoked or expired name.
        Conflict: ``name-taken``, ``stale-version``, ``ans-transition``.
        Rejected: ``ans-suspended`` where a higher rank suspended it.
    """
    rank = RANKS.index(move.by)
    if before is None:
        return _first(move)
    sure = before.state(bool(expired))
    if before.agent != (move.origin or move.agent):
        if sure in ("revoked", "expired"):
            raise error("ans-gone", f"the name is {sure} and never given to another agent")
        raise error("name-taken", "the name is another agent's")
    if before.revoked:
        raise error("ans-gone", "the name was revoked, for good")
    if move.type == "register":
        raise error("name-taken", "the name is registered; renew it instead")
    if move.previous != before.last or move.seq != before.seq + 1:
        raise error("stale-version", f"the name has changed: its last event is {before.last}")
    states = [before.state(flag) for flag in ((False, True) if expired is None else (expired,))]
    allowed = [state for state in states if (state, move.type) in NEXT]
    if not allowed and sure == "expired":
        raise error("ans-gone", f"the name has expired: only renew or revoke it, not {move.type}")
    if not allowed or move.by not in BY[move.type]:
        raise error("ans-transition", f"no {move.type} by the {move.by} of a name that is {sure}")
    return _after(replace(before, seq=move.seq, last=move.event), move, rank)


def _first(move: Move) -> Standing:
    if move.type != "register":
        raise error("ans-not-found", "the name is not registered here")
    if move.seq != 0 or move.previous is not None:
        raise error("stale-version", "a registration is the first event of its name")
    if move.by not in BY["register"]:
        raise error("ans-transition", f"no registration by the {move.by}")
    return Standing(move.agent, 0, 0, move.event)


def _after(name: Standing, move: Move, rank: int) -> Standing:
    match move.type:
        case "transfer":
            return replace(name, agent=move.agent, epoch=name.epoch + 1)
        case "revoke":
            return replace(name, revoked=True)
        case "suspend":
            if name.suspended is not None and rank <= name.suspended:
                raise error(
                    "ans-transition", f"the {RANKS[name.suspended]} has suspended it already"
                )
            return replace(name, suspended=rank)
        case "resume":
            if name.suspended is not None and rank < name.suspended:
                raise error("ans-suspended", f"the {RANKS[name.suspended]} suspended it")
            return replace(name, suspended=None)
    return name  # renew and update change the record alone

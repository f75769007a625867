"""What a verification returns: a verified chain, an authorization, or a verdict to show.

`VerifiedChain` and `Authorization` can be made only by the verifier, so holding one proves
that every phase ran.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NoReturn

from . import capability, shape
from .approval import Approval
from .capability import Authority
from .codec import JsonObject, canonical, digest
from .credential import HumanSponsor, Link
from .did import Did
from .errors import Error
from .feed import RevocationFeed
from .identity import AgentIdentity
from .path import Human
from .policy import Anchor, Seen

__all__ = [
    "Authorization",
    "Debit",
    "Explanation",
    "Limit",
    "Obligation",
    "Once",
    "Rate",
    "Step",
    "Verdict",
    "VerifiedChain",
]

SEAL: Final = object()
_COUNTED: Final = frozenset({"approval", "budget", "rate"})
"""Limits that are met one by one, each for itself."""


@dataclass(frozen=True, slots=True)
class Once:
    """Accept this key once, and remember it until then (seconds since 1970)."""

    key: str
    until: int

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        return {"type": "once", "key": self.key, "until": shape.format_time(self.until)}


@dataclass(frozen=True, slots=True)
class Debit:
    """Take ``amount`` from what the ledger keeps under ``key``, never beyond ``limit``."""

    ledger: str
    key: str
    unit: str
    amount: int
    limit: int

    @property
    def json(self) -> JsonObject:
        """The wire form; money as decimal strings."""
        return {
            "type": "debit",
            "ledger": self.ledger,
            "key": self.key,
            "unit": self.unit,
            "amount": str(self.amount),
            "limit": str(self.limit),
        }


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``count`` acts under ``key`` in any ``period`` seconds."""

    ledger: str
    key: str
    count: int
    period: int

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        return {
            "type": "rate",
            "ledger": self.ledger,
            "key": self.key,
            "count": self.count,
            "periodSeconds": self.period,
        }


@dataclass(frozen=True, slots=True)
class Limit:
    """What the *result* may hold at most; None where nothing limits it."""

    rows: int | None
    bytes: int | None
    columns: frozenset[str] | None

    @property
    def json(self) -> JsonObject:
        """The wire form; members without a limit are absent."""
        out: JsonObject = {"type": "limit"}
        if self.rows is not None:
            out["rows"] = self.rows
        if self.bytes is not None:
            out["bytes"] = self.bytes
        if self.columns is not None:
            out["columns"] = sorted(self.columns)
        return out

    def meet(self, other: Limit | None) -> Limit:
        """What both allow."""
        if other is None:
            return self
        columns = self.columns
        if other.columns is not None:
            columns = other.columns if columns is None else columns & other.columns
        return Limit(_least(self.rows, other.rows), _least(self.bytes, other.bytes), columns)


def _least(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)


Obligation = Once | Debit | Rate | Limit


@dataclass(frozen=True, slots=True)
class Step:
    """One check that was made and held."""

    phase: int
    link: int | None
    text: str


class VerifiedChain:
    """A chain that holds from an accountable human to its last subject (phases 1 to 9).

    It says nothing about any act: for that, `verify` an invocation of it.
    """

    links: tuple[Link, ...]
    anchor: Anchor
    sponsor_credential: HumanSponsor | None
    identities: tuple[AgentIdentity, ...]
    status_as_of: Mapping[str, int]
    feeds: Mapping[str, RevocationFeed]
    _humans: Mapping[str, Human]
    _inputs: Callable[[], JsonObject]

    def __init__(
        self,
        seal: object,
        links: tuple[Link, ...],
        anchor: Anchor,
        credential: HumanSponsor | None,
        identities: tuple[AgentIdentity, ...],
        humans: Mapping[str, Human],
        status_as_of: dict[str, int],
        feeds: dict[str, RevocationFeed],
        inputs: Callable[[], JsonObject],
    ) -> None:
        if seal is not SEAL:
            raise TypeError("only the verifier makes one of these")
        self.__dict__.update(
            links=links,
            anchor=anchor,
            sponsor_credential=credential,
            identities=identities,
            status_as_of=status_as_of,
            feeds=feeds,
            _humans=humans,
            _inputs=inputs,
        )

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("what the verifier found is not to be changed")

    __delattr__ = __setattr__  # type: ignore[assignment]

    @property
    def sponsor(self) -> Did:
        """The accountable human."""
        return self.links[0].issuer

    @property
    def organization(self) -> Did:
        """Who answers for the human."""
        return self.links[0].organization

    @property
    def actor(self) -> Did:
        """The agent that holds the chain."""
        return self.links[-1].subject

    @property
    def path(self) -> tuple[Did, ...]:
        """The human, then every agent, down to the actor."""
        return (self.links[0].issuer, *(link.subject for link in self.links))

    @cached_property
    def effective(self) -> Authority:
        """What the actor may do: every link, the human's entitlements, the anchor's ceiling.

        Where two limits of one kind both hold and cannot be said as one (budgets in two ledgers,
        two groups of approvers), the last link's is shown; `explain` tells of both.
        """
        own = self.links[-1].authority  # every link above allows at least this (phase 5)
        if self.sponsor_credential is not None:
            own = capability.meet(own, self.sponsor_credential.entitlements, apart=_COUNTED)
        return capability.meet(own, self.anchor.ceiling)

    @property
    def sponsors(self) -> tuple[HumanSponsor, ...]:
        """The sponsor credential of every human relied on; those of approvers too."""
        found = (human.credential for human in self._humans.values())
        return tuple([one for one in found if one is not None])

    @property
    def revisions(self) -> dict[str, int]:
        """The revision of every sponsor credential relied on."""
        return {one.subject: one.revision for one in self.sponsors}

    @property
    def seen(self) -> Seen:
        """What the edge should remember, against rollback."""
        return Seen(
            self.revisions, self.status_as_of, {name: feed.seq for name, feed in self.feeds.items()}
        )

    @cached_property
    def inputs_digest(self) -> str:
        """Binds this answer to everything that went into it."""
        return digest(canonical(self._inputs()))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' -> '.join(self.path)}>"


class Authorization(VerifiedChain):
    """Yes: this agent may do this thing now, once the obligations are discharged.

    The core has consumed nothing. The enforcement point discharges ``obligations`` in one
    transaction with its own record, and only then acts. ``approvals`` are those it rests on:
    none where nobody had to approve.
    """

    obligations: tuple[Obligation, ...]
    approvals: tuple[Approval, ...]

    def __init__(
        self, seal: object, chain: VerifiedChain, obligations: tuple[Obligation, ...],
        approvals: tuple[Approval, ...], inputs: Callable[[], JsonObject],
    ) -> None:  # fmt: skip
        if seal is not SEAL:
            raise TypeError("only the verifier makes one of these")
        self.__dict__.update(
            chain.__dict__, _inputs=inputs, obligations=obligations, approvals=approvals
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verification's outcome in the form that is shown, stored and sent."""

    state: str
    code: str | None = None
    phase: int | None = None
    link: int | None = None
    dimension: str | None = None
    detail: str = ""
    authorization: Authorization | None = None

    @classmethod
    def of(cls, outcome: Authorization | Error) -> Verdict:
        """From what `verify` returned or raised."""
        if isinstance(outcome, Error):
            return cls(
                outcome.state,
                outcome.code,
                outcome.phase,
                outcome.link,
                outcome.dimension,
                outcome.detail,
            )
        return cls("accepted", authorization=outcome)

    @property
    def json(self) -> JsonObject:
        """The wire form. Parties and authority only where the answer is yes."""
        yes = self.authorization
        return {
            "state": self.state,
            "code": self.code,
            "phase": self.phase,
            "link": self.link,
            "dimension": self.dimension,
            "detail": self.detail,
            "sponsor": yes and yes.sponsor,
            "actor": yes and yes.actor,
            "path": list(yes.path) if yes else [],
            "effective": yes and yes.effective.json,
            "obligations": [one.json for one in yes.obligations] if yes else [],
            "statusAsOf": [
                {"list": url, "validFrom": shape.format_time(when)}
                for url, when in sorted(yes.status_as_of.items())
            ]
            + [
                {
                    "feed": feed.issuer,
                    "seq": feed.seq,
                    "validFrom": shape.format_time(feed.valid_from),
                }
                for _, feed in sorted(yes.feeds.items())
            ]
            if yes
            else [],
            "inputsDigest": yes and yes.inputs_digest,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict with the steps that led to it and the account of who limited what.

    ``account`` maps a dimension (``grants``, ``rows``, …) to a list of
    ``{"by": "link 0" | "sponsor" | "anchor", "value": …}`` from the top down. It is drawn from
    what the chain says; only with an accepted verdict is it also true.
    """

    verdict: Verdict
    steps: tuple[Step, ...]
    account: dict[str, list[dict[str, Any]]]

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        return {
            "verdict": self.verdict.json,
            "steps": [{"phase": s.phase, "link": s.link, "text": s.text} for s in self.steps],
            "account": self.account,
        }

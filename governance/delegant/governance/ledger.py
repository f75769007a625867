"""The ledger: an `Authorization` is turned into a `Permit` once, or not at all.

What a verdict obliges to (use the invocation once, debit budgets, count rates, for every link and
for the sponsor) is discharged in one transaction with the intent record. Only then is there a
permit, and only a permit acts. Whatever is in the way refuses the whole: nothing is spent, and
the refusal is recorded in the same transaction.

A budget's amount is reserved. `Ledger.settle` gives back what the act did not cost,
`Ledger.release` all of it where nothing was done. Without either, after a crash say, it stays
spent, and the intent is reported as one without outcome. A rate counts attempts: nothing gives
one back. An invocation is used up, whatever comes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Final, NamedTuple

from delegant.credentials import Authorization, Evidence, Presentation, Request, VerifiedChain
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error
from delegant.credentials.verdict import Debit, Limit

from . import acts
from .auditlog import AuditLog
from .batch import DAY
from .discharging import Append, Close, Reserve
from .entry import Entry
from .exhibit import Exhibits, relied_on
from .noise import noise
from .permit import Permit
from .receipt import resource_receipt
from .record import NOISE_BYTES, SALT_BYTES, new_event, new_opening, opening_bytes

__all__ = ["Ledger", "Permit", "Recorded"]


class Recorded(NamedTuple):
    """A refusal on record: its event, its number, and whether its parties were verified."""

    event: str
    number: int
    verified: bool
    code: str
    decision: str


class Ledger:
    """Budgets, rates and used keys, with the log that every use of them is in.

    Args:
        log: whose DID is the ledger's, as ``verifier.ledgers`` of the trust names it.

    Raises:
        Unavailable: ``unavailable`` from every method when the record cannot be written. Then
            nothing was spent that anybody was told of, and nothing may be done. So it is with
            ``log-rollback``, when the store is not the one that was signed for.
    """

    def __init__(self, log: AuditLog) -> None:
        self.log = log

    def permit(self, auth: Authorization, request: Request, **more: Any) -> Permit:
        """See `permitting`; it waits for the disk."""
        return self.permitting(auth, request, **more).result()

    def permitting(
        self,
        auth: Authorization,
        request: Request,
        *,
        presentation: Presentation | str,
        evidence: Evidence,
        at: datetime | int,
        given: Any = None,
        name: str | None = None,
        policy: tuple[str, str] = acts.CHAIN_ALONE,
        decision: str = "allow",
        limits: Limit | None = None,
    ) -> Future[Permit]:
        """Discharge what a verdict obliges to, and record the intent, in one transaction.

        Args:
            auth, request: the verdict, and what it was about.
            presentation: that was verified, or the invocation alone. evidence: with which.
            limits: narrower ones on the result, by whatever else decided.
            at: now, of a time zone or seconds since 1970.
            given: whatever else the act is given, JSON; only its salted hash is in the record.
            name: the agent's name in the naming service, if it is known.
            policy: id and version of what decided. decision: ``allow`` or ``modify``.

        Returns:
            A future of the permit. It raises ``replay``; ``constraint`` with the dimension
            ``budget`` or ``rate``; ``unavailable``.

        Raises:
            Rejected: ``audit-no-sponsor``, ``audit-entry``. LimitExceeded: ``limit-*`` for more
            than can be kept beside the record. Nothing is on record then.
        """
        token = presentation if isinstance(presentation, str) else presentation.invocation
        if token is None:
            raise error("audit-entry", "nothing invoked this")
        at_ms = _milliseconds(at)
        now = at_ms // 1000
        random = noise(NOISE_BYTES + SALT_BYTES)
        event = new_event(at_ms, random)
        opening = new_opening(request.json, token, given, random[NOISE_BYTES:])
        if auth.approvals:
            opening["approvals"] = [one.token for one in auth.approvals]
        manifest, exhibits = relied_on(auth, evidence, self._known(now))
        record = acts.intent(
            self.log.id, event, auth, request, token, opening, manifest,
            name=name, policy=policy, decision=decision, at=now,
        )  # fmt: skip
        refusal = {k: v for k, v in record.items() if k != "spent"}
        refusal |= {"type": "refusal", "decision": "deny", "verified": True}
        for one in auth.obligations:
            if isinstance(one, Limit):
                limits = one.meet(limits)
        members = {
            "event": event,
            "authorization": auth,
            "decision": decision,
            "sponsor": auth.sponsor,
            "agent": auth.actor,
            "action": request.action,
            "target": request.resource,
            "invocation": token,
            "limits": limits,
            "debits": tuple([one for one in auth.obligations if isinstance(one, Debit)]),
        }
        change = Reserve(
            self.log.id, auth, opening_bytes(opening), exhibits,
            Entry.of(record, made=True), members, at_ms, refusal, event,
        )  # fmt: skip
        return self.log.write(change, now)

    def settle(
        self,
        permit: Permit,
        *,
        at: datetime | int,
        rows: int | None = None,
        bytes: int | None = None,  # noqa: A002 - the constraint's name
        columns: frozenset[str] | set[str] | None = None,
        result: str | None = None,
        amount: int | None = None,
    ) -> int:
        """Record that an act was done, held to the permit's limits; the number of the outcome.

        Args:
            rows, bytes, columns: of the result, where they are limited.
            result: a digest of it, for the record.
            amount: what it cost, at most what was reserved; the rest is given back.

        Raises:
            Rejected: ``constraint`` for a result beyond the limits: recorded as a failure;
            ``audit-entry`` for counts or a digest that are none: the act has no outcome yet.
            Conflict: ``audit-outcome``.
        """
        return self.settling(
            permit, at=at, rows=rows, bytes=bytes, columns=columns, result=result, amount=amount
        ).result()

    def settling(
        self,
        permit: Permit,
        *,
        at: datetime | int,
        rows: int | None = None,
        bytes: int | None = None,  # noqa: A002
        columns: frozenset[str] | set[str] | None = None,
        result: str | None = None,
        amount: int | None = None,
    ) -> Future[int]:
        """`settle`, without waiting."""
        try:
            permit.check(rows, bytes, columns)
            if amount is not None:
                _cost(permit, amount)
        except Error as exc:
            self.failing(permit, exc.code, at=at, rows=rows, bytes=bytes).result()
            raise
        what = _counted("success", rows, bytes)
        if result is not None:
            what["resultHash"] = result
        return self._close(permit, what, at, amount)

    def fail(self, permit: Permit, code: str, *, at: datetime | int) -> int:
        """Record that an act failed; what it may have cost stays spent."""
        return self.failing(permit, code, at=at).result()

    def failing(
        self,
        permit: Permit,
        code: str,
        *,
        at: datetime | int,
        rows: int | None = None,
        bytes: int | None = None,  # noqa: A002
    ) -> Future[int]:
        """`fail`, without waiting."""
        return self._close(permit, _counted("failure", rows, bytes) | {"code": code}, at, None)

    def release(self, permit: Permit, *, at: datetime | int) -> int:
        """Record that an act was not done; its budgets have their amounts again."""
        return self._close(permit, {"status": "released"}, at, 0).result()

    def refuse(
        self,
        refused: Error,
        *,
        at: datetime | int,
        presentation: Presentation | None = None,
        request: Request | None = None,
        chain: VerifiedChain | None = None,
        evidence: Evidence | None = None,
        name: str | None = None,
        policy: tuple[str, str] = acts.CHAIN_ALONE,
        decision: str = "deny",
    ) -> Recorded:
        """Record that something was refused.

        Args:
            presentation, request: as far as they could be read.
            chain, evidence: the chain, where it was verified; without it the parties in the
                record are those that were claimed.
            decision: ``deny``, ``defer`` or ``step_up``.

        Returns:
            Where it is on record.
        """
        at_ms = _milliseconds(at)
        now = at_ms // 1000
        event = new_event(at_ms)
        token = presentation.invocation if presentation else None
        known = (
            chain is not None
            and refused.phase >= INVOKED
            and token is not None
            and request is not None
        )
        manifest: str | None = None
        exhibits: Exhibits = []
        if chain is not None and evidence is not None:
            manifest, exhibits = relied_on(chain, evidence, self._known(now))
        said = acts.claimed(presentation) if chain is None else acts.verified(chain)
        opening = None if request is None else new_opening(request.json, token)
        record = acts.refusal(
            self.log.id, event, refused, said, request, token, opening, manifest,
            known=known, name=name, policy=policy,
            decision=decision, at=now,
        )  # fmt: skip
        body = None if opening is None else opening_bytes(opening)
        change = Append(Entry.of(record), event, body, exhibits)
        return Recorded(event, self.log.write(change, now).result(), known, refused.code, decision)

    def receipt(
        self, permit: Permit, outcome: str | None, *, at: datetime | int, code: str | None = None
    ) -> str:
        """What the agent is handed with the answer, once the outcome is on record (`receipt`).

        Args:
            outcome: success, failure or released; None while it is not known.
            code: why it failed.
        """
        return resource_receipt(
            self.log.receipts, permit.invocation, _milliseconds(at) // 1000, log=self.log.id,
            event=permit.event, decision=permit.decision, outcome=outcome, code=code,
        )  # fmt: skip

    def refusal_receipt(
        self, recorded: Recorded, presentation: Presentation, *, at: datetime | int
    ) -> str | None:
        """The same of a refusal; None where nothing was verified: nobody signs for rubbish."""
        if not recorded.verified or presentation.invocation is None:
            return None
        return resource_receipt(
            self.log.receipts, presentation.invocation, _milliseconds(at) // 1000,
            log=self.log.id, event=recorded.event, decision=recorded.decision, outcome=None,
            code=recorded.code,
        )  # fmt: skip

    def _close(
        self, permit: Permit, what: JsonObject, at: datetime | int, amount: int | None
    ) -> Future[int]:
        now = _milliseconds(at) // 1000
        back: list[tuple[str, str, int]] = []
        if amount is not None:
            back = [(one.key, one.unit, one.amount - amount) for one in permit.debits]
        settled = [
            acts.debited(one.key, one.unit, one.amount if amount is None else amount)
            for one in permit.debits
        ]
        record = acts.outcome(
            self.log.id, permit.event, permit.sponsor, permit.agent, what, settled, now
        )
        return self.log.write(Close(Entry.of(record, made=True), permit.event, tuple(back)), now)

    def _known(self, at: int) -> Callable[[str], bool]:
        """Whether an exhibit is known to be kept for this day."""
        day = at // DAY * DAY
        return lambda name: self.log.knows(name, day)


INVOKED: Final = 11
"""From this phase on chain and invocation have been verified."""


def _counted(status: str, rows: int | None, size: int | None) -> JsonObject:
    out: JsonObject = {"status": status}
    if rows is not None:
        out["rows"] = rows
    if size is not None:
        out["bytes"] = size
    return out


def _cost(permit: Permit, amount: int) -> None:
    if not permit.debits:
        raise error("constraint", "nothing was reserved", dimension="budget")
    if type(amount) is not int:  # half a cent would be in the budget for good
        raise error("constraint", "what it cost is no whole number", dimension="budget")
    if not all(0 <= amount <= one.amount for one in permit.debits):
        raise error("constraint", "it cost more than was reserved", dimension="budget")


def _milliseconds(at: datetime | int) -> int:
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise TypeError("at= needs a time zone")
        return int(at.timestamp() * 1000)
    if type(at) is not int:
        raise TypeError("at= is an aware datetime or whole seconds since 1970")
    return at * 1000

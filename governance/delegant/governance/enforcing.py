"""The enforcement point: verify, decide, permit, act, record; one call, or none of it.

    point = EnforcementPoint(ledger, trust)
    with point.acting(presented, evidence, Request("db.read", "urn:acme:papers:17", rows=5)) as act:
        rows = database.read(limit=act.limits.rows)
        act.result(rows=len(rows))      # held to the permit before anything is handed out

The request is built by whoever acts, from what it is about to do; nothing of it is taken from
what was presented. What is inside the ``with`` runs only under a `Permit`, so after the intent is
durable. It ends with an outcome on record: success, or failure where it raised. Every refusal is
on record, too; where it cannot be, the answer is ``unavailable`` and not the refusal.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from delegant.credentials import (
    Authority,
    Authorization,
    ChainCache,
    Evidence,
    Link,
    Presentation,
    Request,
    Seen,
    Trust,
    VerifiedChain,
    verify,
    verify_chain,
)
from delegant.credentials.codec import parse
from delegant.credentials.errors import Error, error
from delegant.credentials.presentation import split
from delegant.credentials.verdict import Limit

from .deciding import (
    ALLOW,
    Decision,
    Entitlements,
    Policy,
    answering,
    facts_of,
    held_to_entitlements,
)
from .evidence import EvidenceMemory
from .ledger import INVOKED, Ledger
from .permit import Permit

__all__ = ["Act", "EnforcementPoint", "Weighed"]

Presented = bytes | Presentation | tuple[bytes, str]


class Act:
    """One act under its permit.

    Attributes:
        permit: what it is done under.
        receipt: the resource's receipt, once the act is on record with its outcome.
    """

    __slots__ = ("_counts", "permit", "receipt")

    def __init__(self, permit: Permit) -> None:
        self.permit = permit
        self.receipt: str | None = None
        self._counts: dict[str, Any] = {}

    @property
    def authority(self) -> Authority:
        """What the actor may do at all: every link, the human, the anchor."""
        return self.permit.authorization.effective

    @property
    def limits(self) -> Limit | None:
        """What the result may hold at most."""
        return self.permit.limits

    def result(
        self,
        *,
        rows: int | None = None,
        bytes: int | None = None,  # noqa: A002 - the constraint's name
        columns: frozenset[str] | set[str] | None = None,
        amount: int | None = None,
        digest: str | None = None,
    ) -> None:
        """Say what the result holds and what it cost, before it is handed out.

        Raises:
            Rejected: ``constraint``, with the dimension.
        """
        self.permit.check(rows, bytes, columns)
        self._counts = {
            "rows": rows, "bytes": bytes, "columns": columns, "amount": amount, "result": digest,
        }  # fmt: skip


@dataclass(slots=True)
class Weighed:
    """What verification and decision came to, as far as they went.

    Attributes:
        limits: what the result may hold at most, by entitlements and policy.
        refused: why not, where the answer is no.
    """

    authorization: Authorization | None = None
    decision: Decision = ALLOW
    limits: Limit | None = None
    evidence: Evidence | None = None
    refused: Error | None = None


class _Ending(NamedTuple):
    """An outcome that is being written: when it was, and why the act failed, if it did."""

    written: Future[int]
    at: int
    code: str | None


class EnforcementPoint:
    """What stands before a resource.

    Args:
        ledger: of the resource.
        trust: its trust, or what reads it (`TrustFolder.read`).
        gathered: evidence that the resource gathers itself; the same object while it says the
            same.
        remember: is told what a verdict has seen that is newer, against rollback.
        policy: what decides beside the chain.
        entitlements: what a human may do now, from a live source; both this and the sponsor
            credential must allow an act.
        context: further facts for the policy, that the resource vouches for.
        closed: whether one of these links was closed here, ahead of every status list.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        ledger: Ledger,
        trust: Trust | Callable[[], Trust],
        *,
        gathered: Callable[[], Evidence | None] = lambda: None,
        remember: Callable[[Seen], None] | None = None,
        policy: Policy | None = None,
        entitlements: Entitlements | None = None,
        context: Callable[[Authorization], dict[str, Any]] | None = None,
        closed: Callable[[Sequence[Link]], bool] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.ledger = ledger
        self._trust = trust if callable(trust) else lambda: trust
        self._gathered = gathered
        self._remember = remember
        self._policy = policy
        self._entitlements = entitlements
        self._context = context
        self._closed = closed
        self._clock = clock
        self._evidence = EvidenceMemory()
        self._chains = ChainCache()
        own = self._trust()
        if own.verifier is None:
            raise error("audience", "the trust names no verifier: nobody could be addressed")

    @contextmanager
    def acting(
        self,
        presented: Presented,
        evidence: bytes | Evidence,
        request: Request,
        *,
        given: Any = None,
        name: str | None = None,
        nonce: str | None = None,
    ) -> Iterator[Act]:
        """Do what is inside under a permit.

        Args:
            presented, evidence: as received.
            request: what is about to be done.
            given: whatever else the act is given; only its salted hash is on record.
            name: the agent's name in the naming service, if it is known.
            nonce: that this resource asked for, if it did.

        Raises:
            Error: what `verify` raises, ``policy``, ``policy-deferred``, ``replay``,
            ``constraint``; ``unavailable`` when it cannot be put on record. Nothing was done.
        """
        act = Act(self.permitting(presented, evidence, request, given, name, nonce).result())
        try:
            yield act
        except BaseException as exc:
            ending = self._ending(act, exc)
            ending.written.result()
            self._sign(act, ending)
            raise
        ending = self._ending(act)
        ending.written.result()
        self._sign(act, ending)

    @asynccontextmanager
    async def acting_async(
        self,
        presented: Presented,
        evidence: bytes | Evidence,
        request: Request,
        *,
        given: Any = None,
        name: str | None = None,
        nonce: str | None = None,
    ) -> AsyncIterator[Act]:
        """The same; the loop goes on while the record is written."""
        future = self.permitting(presented, evidence, request, given, name, nonce)
        act = Act(await asyncio.wrap_future(future))
        try:
            yield act
        except BaseException as exc:
            await self.concluded(act, exc)
            raise
        await self.concluded(act)

    async def concluded(self, act: Act, failed: BaseException | str | None = None) -> None:
        """Put the outcome of an act on record, and sign its receipt.

        Args:
            failed: why, or None for a success.

        Raises:
            Rejected: ``constraint`` where the result was not counted, or is too much.
            Unavailable: ``unavailable``.
        """
        ending = self._ending(act, failed)
        await asyncio.shield(asyncio.wrap_future(ending.written))
        self._sign(act, ending)

    def holds(self, chain: bytes, evidence: bytes) -> None:
        """See that a chain holds now, whatever it may be used for; nothing is recorded.

        Raises:
            Error: what `verify_chain` raises.
        """
        gathered = self._gathered()
        found = self._evidence.read(evidence, gathered)
        shown = Presentation.from_json({"links": parse(chain, size=len(chain))})
        verify_chain(shown, found, self._trust(), at=self._now())
        self._evidence.keep(evidence, gathered, found)

    def refused(self, exc: Error, request: Request | None = None) -> None:
        """Put on record what was refused before anything could be verified."""
        self.ledger.refuse(exc, at=self._now(), request=request)

    def permitting(
        self,
        presented: Presented,
        evidence: bytes | Evidence,
        request: Request,
        given: Any = None,
        name: str | None = None,
        nonce: str | None = None,
    ) -> Future[Permit]:
        """Verify and decide here and now; the permit comes once the intent is durable.

        Raises:
            As `acting`, for what is refused before the ledger is asked.
        """
        now, trust, one = self._now(), self._trust(), Weighed()
        try:
            auth, found, shown, gathered = self._weigh(
                one, presented, evidence, trust, request, now, nonce
            )
        except Error as exc:
            self._refused(
                exc, presented, one.evidence, trust, request, one.authorization, one.decision,
                name, now,
            )  # fmt: skip
            raise
        if isinstance(evidence, bytes):
            self._evidence.keep(evidence, gathered, found)
        if self._remember is not None and not trust.seen.covers(auth.seen):
            self._remember(auth.seen)
        decision = one.decision
        try:
            return self.ledger.permitting(
                auth, request, presentation=shown[1] if isinstance(shown, tuple) else shown,
                evidence=found, at=now, given=given, name=name, policy=decision.policy,
                decision="modify" if decision.effect == "modify" else "allow", limits=one.limits,
            )  # fmt: skip
        except Error as exc:  # what is given cannot be kept; the rest is refused by the future
            self._refused(exc, presented, found, trust, request, auth, decision, name, now)
            raise

    def weighing(
        self,
        presented: Presented,
        evidence: bytes | Evidence,
        request: Request,
        nonce: str | None = None,
    ) -> Weighed:
        """Verify and decide, and do no more: nothing is permitted, spent or put on record.

        What an act would still be held to (that the invocation is new, budgets, rates) is in
        ``authorization.obligations``; nobody has asked the ledger.

        Returns:
            What was found; ``refused`` says why, where the answer is no.
        """
        one = Weighed()
        try:
            self._weigh(one, presented, evidence, self._trust(), request, self._now(), nonce)
        except Error as exc:
            one.refused = exc
        return one

    # --- inside ---------------------------------------------------------------------------------

    def _ending(self, act: Act, failed: BaseException | str | None = None) -> _Ending:
        """Ask for the outcome of an act; as `concluded`, without waiting for it."""
        now = self._now()
        if failed is None:
            return _Ending(self.ledger.settling(act.permit, at=now, **act._counts), now, None)
        code = failed if isinstance(failed, str) else _code(failed)
        return _Ending(self.ledger.failing(act.permit, code, at=now), now, code)

    def _sign(self, act: Act, ending: _Ending) -> None:
        """Sign the receipt of an act whose outcome is on record."""
        told = "success" if ending.code is None else "failure"
        act.receipt = self.ledger.receipt(act.permit, told, at=ending.at, code=ending.code)

    def _weigh(
        self,
        one: Weighed,
        presented: Presented,
        evidence: bytes | Evidence,
        trust: Trust,
        request: Request,
        now: int,
        nonce: str | None,
    ) -> tuple[Authorization, Evidence, Presentation | tuple[bytes, str], Evidence | None]:
        """Verify and decide; ``one`` holds what was found as far as it went."""
        with answering("what gathers evidence"):
            gathered = self._gathered()
        found = one.evidence = (
            self._evidence.read(evidence, gathered)
            if isinstance(evidence, bytes)
            else evidence
            if gathered is None
            else evidence.merged(gathered)
        )
        shown = _apart(presented)
        auth = verify(shown, found, trust, request, at=now, nonce=nonce, cache=self._chains)
        one.authorization = auth
        self._decided(one, auth, request, now)
        refused = one.decision.refusal()
        if refused is not None:
            raise refused
        if one.decision.effect == "step_up":
            wanted = {"threshold": 1, "by": list(one.decision.approvers or (auth.sponsor,))}
            auth = verify(shown, found, trust, request, at=now, nonce=nonce, approval=wanted)
            one.authorization = auth
        return auth, found, shown, gathered

    def _decided(self, one: Weighed, auth: Authorization, request: Request, now: int) -> None:
        if self._closed is not None and self._closed(auth.links):
            raise error("revoked", "the task of this grant is closed")
        if self._entitlements is not None:
            with answering("the source of entitlements"):
                own = self._entitlements(auth.sponsor, request)
            one.limits = held_to_entitlements(own, auth.sponsor, request, now)
        if self._policy is None:
            return
        with answering("the policy"):
            more = {} if self._context is None else self._context(auth)
            one.decision = self._policy.decide(facts_of(auth, request, now, **more))
        if one.decision.limits is not None:  # of a step_up as well: it is approved no wider
            one.limits = one.decision.limits.meet(one.limits)
        elif one.decision.effect == "modify":
            raise error("unavailable", "the policy narrows, and does not say to what")

    def _now(self) -> int:
        return int(self._clock())

    def _refused(
        self,
        refused: Error,
        presented: Presented,
        evidence: Evidence | None,
        trust: Trust,
        request: Request,
        auth: Authorization | None,
        decision: Decision,
        name: str | None,
        now: int,
    ) -> None:
        """Put a refusal on record; it raises where it cannot be."""
        shown: Presentation | None = None
        chain: VerifiedChain | None = auth
        try:
            shown = _whole(presented)
            if chain is None and refused.phase >= INVOKED and evidence is not None:
                chain = verify_chain(shown, evidence, trust, at=now, cache=self._chains)
        except Error:
            chain = None
        kind = {"approval-missing": "step_up", "policy-deferred": "defer"}.get(refused.code, "deny")
        self.ledger.refuse(
            refused, at=now, presentation=shown, request=request, chain=chain, evidence=evidence,
            name=name, policy=decision.policy, decision=kind,
        )  # fmt: skip


def _apart(presented: Presented) -> Presentation | tuple[bytes, str]:
    """Chain and invocation where they stand apart in their bytes: then the chain may be known."""
    if not isinstance(presented, bytes):
        return presented
    parts = split(presented)
    return Presentation.parse(presented) if parts is None else (parts[0], parts[1].decode("ascii"))


def _whole(presented: Presented) -> Presentation:
    if isinstance(presented, bytes):
        return Presentation.parse(presented)
    return Presentation.of(*presented) if isinstance(presented, tuple) else presented


def _code(exc: BaseException) -> str:
    """What an outcome says of an exception: our code, or its kind and none of its text."""
    return exc.code if isinstance(exc, Error) else type(exc).__name__[:64]

"""Resolving: what the registry's store says in answer to a question, verified and then signed.

Nothing leaves unverified: every name in an answer or a trace was read from its signed events and
its leaves in the log (`stored`), and judged by `matching`, which the reader's client does again.

An answer is kept, and given again as the same bytes, while its token is young and nothing it
speaks of has changed. To an exact name only that name's own change matters; to a search, any
growth of the log. Whoever asks for a million names that are not there is told so from what is
kept, or at the rate at which the registry signs for nobody.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from sqlalchemy import Connection

from delegant.credentials import PrivateKey, Trust, did, jose, shape
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error

from . import listing
from .answer import JWS_TYPE
from .answering import HTTP_STATUS, instant, new_answer, new_entry, new_token, resolved
from .attested import Lists, Verdict, judge_attestations
from .bucket import Bucket
from .headfile import opened
from .listing import LOOK, Found, Look, said_terms, terms_for
from .log.checkpoint import Checkpoint
from .matching import Candidate, judge, order
from .namelog import NameSequencer
from .query import Query
from .store import Store
from .stored import ASK, Glance, Named, Shelf, glance

__all__ = ["REUSE_SECONDS", "Resolver"]

REUSE_SECONDS: Final = 30
KEPT: Final = 4096
"""Answers and agents in them that are kept, together."""
TOKENS: Final = 512
"""Answers as JWS that are kept."""
TRACE: Final = 50
TRACE_LOOK: Final = 100
WHOLE: Final = 100
"""With a trace, so many names are judged whatever is found, to say how many fit in all."""
NEGATIVES: Final = (200, 100)
"""How many refusals are signed at once, and then in a second."""


_NONE: Final = Verdict()
DEEP: Final = 200
DEEPLY: Final = (10, 1)
"""How many searches at once, and then in a second, may verify more than `DEEP` names."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A name as it was read and judged."""

    named: Named
    candidate: Candidate
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: JsonObject
    at: int
    until: int
    size: int
    mark: object


class Resolver:
    """Answers questions from a store.

    Args:
        store, shelf: the rows, and what is believed of them.
        sequencer: who publishes the log's checkpoints.
        registry: the DID in whose name is answered.
        key: signs freshness tokens, and answers as JWS.
        trust: called for each answer: whose attestations count.
        lists: fresh status lists.
        clock: in seconds, for the rate alone.
    """

    def __init__(
        self,
        store: Store,
        shelf: Shelf,
        sequencer: NameSequencer,
        registry: str,
        key: PrivateKey,
        trust: Callable[[], Trust],
        lists: Lists | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._shelf = shelf
        self._sequencer = sequencer
        self._registry = registry
        self._key = key
        self._trust = trust
        self._lists = lists or Lists()
        self._published = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._weight = 0
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._negatives = Bucket(*NEGATIVES, "too many questions that have no answer", clock)
        self._deep = Bucket(*DEEPLY, "too many questions that many names nearly answer", clock)

    def resolve(self, query: Query, at: int, *, anew: bool = False) -> tuple[int, JsonObject]:
        """The signed answer to a question, and its HTTP status: 200, 403, 404 or 410.

        The answer may be one given before, unless it is asked for ``anew``; it is not to be
        changed.

        Raises:
            Rejected: ``log-rollback``. Unavailable: ``unavailable``; also where the log is
                smaller than was asked for; ``too-many`` where too many questions had no answer.
            LimitExceeded: ``limit-items`` where too many names had to be looked at to say that
                there is none.
        """
        least = self._published  # what is read from here on is no older
        with self._store.transaction(reading=True) as db:
            head = self._head(db, least)
            if query.min_log_size is not None and head.size < query.min_log_size:
                raise error(
                    "unavailable", f"the log has {head.size} entries, not {query.min_log_size}"
                )
            row = None if query.name is None else self._store.name(db, query.name)
            answer = self._answered(db, query, head, row, at, anew=anew)
        self._told(head.size)
        return HTTP_STATUS[answer["resolutionStatus"]], answer

    def glance(self, query: Query, at: int, published: int) -> tuple[int, JsonObject] | None:
        """The same about one name, where it can be told without waiting for anybody.

        Args:
            query: of one name, with no size of the log.
            published: the size of a log that was published.

        Returns:
            None where it must be waited for: for the store, for what is not published yet, or
            for status lists and the trust that attestations are judged by.

        Raises:
            Unavailable: ``unavailable``, and what else `resolve` raises: it may not, asked again.
        """
        least = self._published

        def read(db: Connection) -> JsonObject | None:
            found = glance(db, query.name or "")
            if found is None or found.row.with_record != found.row.last or _attests(found.row):
                return None
            head = self._head(db, least, found)
            if head.size > published:
                return None
            return self._answered(db, query, head, found.row, at, found=found)

        answer = self._store.engine.glance(read)
        return None if answer is None else (HTTP_STATUS[answer["resolutionStatus"]], answer)

    def jws(self, answer: JsonObject) -> str:
        """The answer as one compact JWS, signed as a whole; once for the same token."""
        mark = str(answer["freshness"]["proof"]["proofValue"])
        with self._lock:
            made = self._tokens.get(mark)
        if made is None:
            name = did.check(self._registry)
            made = jose.sign(answer, self._key, JWS_TYPE, did.vm_of(name))
            with self._lock:
                self._tokens[mark] = made
                if len(self._tokens) > TOKENS:
                    self._tokens.popitem(last=False)
        return made

    # --- what was answered before -----------------------------------------------------------

    def _mark(self, row: Any) -> object:
        """What the answer about one name hangs on."""
        if row is None:
            return None
        return (
            (row.seq, row.last, row.with_record, row.agent, row.expires),
            (row.beat_agent, row.beat_status, row.beat_at),
        )

    def _again(self, query: Query, head: Checkpoint, mark: object, at: int) -> JsonObject | None:
        with self._lock:
            kept = self._kept.get(query.digest)
        if kept is None or not kept.at <= at < min(kept.until, kept.at + REUSE_SECONDS):
            return None
        enough = kept.size if query.name is not None else head.size
        if kept.size < max(enough, query.min_log_size or 0) or kept.mark != mark:
            return None
        return kept.answer

    def _keep(
        self, query: Query, answer: JsonObject, head: Checkpoint, mark: object, at: int
    ) -> None:
        if query.available is not None:
            return  # heartbeats come faster than answers age
        until = instant(answer["freshness"]["validUntil"])
        kept = _Kept(answer, at, until, head.size, mark)
        with self._lock:
            before = self._kept.pop(query.digest, None)
            self._weight += _weight(kept) - (0 if before is None else _weight(before))
            self._kept[query.digest] = kept
            while self._weight > KEPT:
                self._weight -= _weight(self._kept.popitem(last=False)[1])

    # --- reading ----------------------------------------------------------------------------

    def _answered(
        self, db: Connection, query: Query, head: Checkpoint, row: Any, at: int, *,
        anew: bool = False, found: Glance | None = None,
    ) -> JsonObject:  # fmt: skip
        mark = self._mark(row)
        answer = None if anew else self._again(query, head, mark, at)
        if answer is None:
            asked = _Asked(self, db, query, head, at, found)
            answer = asked.exact(row) if query.name is not None else asked.search()
            self._keep(query, answer, head, mark, at)
        return answer

    def _head(self, db: Connection, least: int, found: Glance | None = None) -> Checkpoint:
        """The state of the log that this transaction reads."""
        note = self._store.checkpoint(db) if found is None else found.note
        if note is None:
            raise error("log-rollback", "the log is gone")
        try:
            head = opened(note, self._sequencer.key)
        except Error as exc:
            raise error("unavailable", f"a stored checkpoint is damaged: {exc.code}") from None
        if head.size < least:
            raise error("log-rollback", f"{head.size} entries, and {least} were read")
        return head

    def _told(self, size: int) -> None:
        """What was read is published before anybody is told of it; with no transaction open."""
        if size > self._published:
            self._sequencer.acknowledge(size - 1)
            with self._lock:
                self._published = max(self._published, size)

    def _seen(
        self,
        db: Connection,
        key: str,
        trust: Callable[[], Trust],
        at: int,
        row: Any = ASK,
        last: Any = ASK,
    ) -> _Seen | None:
        """A name, believed and judged; None for one that never was."""
        named = self._shelf.named(db, key, at, row, last)
        if named is None:
            return None
        record, agent, row = named.record, named.standing.agent, named.row
        verdict = _NONE
        if _attests(row):
            stored = listing.attestations_of(row)
            verdict = judge_attestations(stored, agent, self._lists, trust(), at)
        told = listing.beat_of(row) if row.beat_agent == agent else None
        candidate = Candidate(
            named.name,
            named.status,
            tuple(record.get("capabilities", ())),
            record.get("successor"),
            verdict.counted,
            verdict.discounted,
            told,
        )
        return _Seen(named, candidate, verdict)


class _Asked:
    """One question, in one transaction."""

    def __init__(
        self,
        resolver: Resolver,
        db: Connection,
        query: Query,
        head: Checkpoint,
        at: int,
        found: Glance | None = None,
    ) -> None:
        self._of = resolver
        self._db = db
        self._query = query
        self._head = head
        self._at = at
        self._found = found
        self._read_trust: Trust | None = None
        self._verified = 0

    def _trust(self) -> Trust:
        """Whose attestations count; the same throughout, and not read where there are none."""
        if self._read_trust is None:
            self._read_trust = self._of._trust()
        return self._read_trust

    def exact(self, row: Any) -> JsonObject:
        """The answer about one name, whatever has become of it."""
        key, found = self._query.name or "", self._found
        last = ASK if found is None else found.last
        seen = self._of._seen(self._db, key, self._trust, self._at, row, last)
        if seen is None:
            return self._answer("not-found", [])
        if seen.candidate.status == "active":
            return self._answer("active", [seen])
        return self._away(seen)

    def search(self) -> JsonObject:
        """The answer to a question by what agents are."""
        found, whole = self._search()
        shown = found[: self._query.limit]
        total = len(found) if whole else None
        if not shown and not whole:
            self._of._negatives.take()
            raise error("limit-items", f"{LOOK} names come near it and none of them fits: ask more")
        status = "found" if shown else "not-found"
        return self._answer(status, shown, found[self._query.limit :], total)

    # --- parts ------------------------------------------------------------------------------

    def _search(self) -> tuple[list[_Seen], bool]:
        """Those that fit, in their order, and whether these are all; of more, at least one."""
        prefer, found, whole = self._query.prefer, list[_Seen](), True
        if prefer is not None and self._query.provider is None:
            only = replace(self._query, provider=prefer, prefer=None)
            found, whole = self._fitting(only, [])
        if len(found) <= self._query.limit:
            rest, complete = self._fitting(self._query, found)
            found, whole = found + rest, whole and complete
        else:
            whole = False  # others may fit too
        ranked = {seen.candidate.name.key: seen for seen in found}
        ordered = order([seen.candidate for seen in found], self._query)
        return [ranked[one.name.key] for one in ordered], whole

    def _fitting(self, query: Query, before: list[_Seen]) -> tuple[list[_Seen], bool]:
        """Those that fit a question and are not known yet, in the order of the index."""
        known = {seen.candidate.name.key for seen in before}
        out: list[_Seen] = []
        look = Look(self._db, terms_for(query), query)
        for one in self._plausible(look, query):
            enough = look.seen > WHOLE or not query.trace
            if enough and len(out) + len(before) > query.limit:
                return out, False
            self._verified += 1
            if self._verified == DEEP:
                self._of._deep.take()
            seen = None if one.name.key in known else self._read(one.name.key)
            if seen is not None and judge(seen.candidate, query, self._at) is None:
                out.append(seen)
        return out, look.whole

    def _plausible(self, look: Look, query: Query) -> Iterator[Found]:
        """Those of a list that fit by what the index says, before anything is verified."""
        bare = replace(query, attestations=(), available=None)
        for one in look:
            if one.expires <= self._at:
                continue
            if judge(Candidate(one.name, "active", one.capabilities), bare, self._at) is None:
                yield one

    def _read(self, key: str) -> _Seen | None:
        return self._of._seen(self._db, key, self._trust, self._at)

    def _answer(
        self,
        status: str,
        shown: list[_Seen],
        more: Iterable[_Seen] = (),
        total: int | None = None,
    ) -> JsonObject:
        agents, entries = [], []
        for seen in shown:
            entry = self._entry(seen)
            receipt = self._receipt(seen.named.record_row)
            entries.append(entry)
            agents.append(resolved(seen.named.record, receipt, entry, self._query))
        trace = self._trace(shown, more)
        if status == "not-found":
            self._of._negatives.take()
        ends = [one.valid_until for seen in shown for one in seen.verdict.counted]
        until = min((*ends, *(seen.named.expires for seen in shown)), default=None)
        token = self._token(status, entries, until=until, total=total, trace=trace)
        return new_answer(self._query, token, agents, trace=trace)

    def _away(self, seen: _Seen) -> JsonObject:
        """The answer about a name that is gone or suspended: its newest event says why."""
        named = seen.named
        receipt = self._receipt(named.last_row)
        said = named.last["type"] in ("suspend", "revoke")
        since = named.expires if named.status == "expired" else None
        if said:
            since = shape.time(receipt["leaf"]["time"], "leaf.time")
        trace = self._trace([], [seen])
        token = self._token(
            named.status,
            [self._entry(seen)],
            until=named.expires if named.status == "suspended" else None,
            trace=trace,
            reason=named.last.get("reason") if said else None,
            since=since,
        )
        last = {"event": named.last, "receipt": receipt}
        return new_answer(self._query, token, last=last, trace=trace)

    def _receipt(self, row: Any) -> JsonObject:
        most = None if self._found is None else self._found.most
        return self._of._shelf.proven(self._db, row, most)

    def _entry(self, seen: _Seen) -> JsonObject:
        named = seen.named
        return new_entry(
            seen.candidate,
            named.record,
            seen.verdict,
            epoch=named.standing.epoch,
            seq=named.standing.seq,
            event=named.standing.last,
            digest=named.record_row.record,
            index=named.record_row.leaf,
            at=self._at,
        )

    def _token(self, status: str, entries: list[JsonObject], **more: Any) -> JsonObject:
        return new_token(
            self._of._key, self._of._registry, self._query, status, entries, self._head,
            at=self._at, **more,
        )  # fmt: skip

    def _trace(self, shown: Iterable[_Seen], more: Iterable[_Seen]) -> list[JsonObject] | None:
        """Who was left out, and why; None where nobody asked.

        ``more`` come first, then what stands under what was asked for above all, from the
        highest version down: those that could answer, then those that are gone.
        """
        if not self._query.trace:
            return None
        out: dict[str, JsonObject] = {}
        told = {seen.candidate.name.key for seen in shown}
        for seen in self._considered(more):
            key = seen.candidate.name.key
            if len(out) == TRACE:
                break
            if key not in told:
                told.add(key)
                reason = judge(seen.candidate, self._query, self._at) or "limit"
                out[key] = {"name": seen.named.record["name"], "reason": reason}
        return list(out.values())

    def _considered(self, more: Iterable[_Seen]) -> Iterator[_Seen]:
        yield from more
        if self._query.name is not None:
            return
        lists = [terms_for(self._query)[:1]]
        if lists[0] and lists[0][0].startswith("claim:"):
            lists += [[term] for term in said_terms(self._query)]
        for terms, live in product(lists, (True, False)):
            for one in Look(self._db, terms, live=live, most=TRACE_LOOK):
                seen = self._read(one.name.key)
                if seen is not None:
                    yield seen


def _attests(row: Any) -> bool:
    """Whether anything is kept of what others say of the agent of a name."""
    return row.attestations not in (None, b"[]")


def _weight(kept: _Kept) -> int:
    return 1 + len(kept.answer["resolvedAgents"])

"""What a client of one registry does, one generator an operation; `asking` says how to drive it.

An answer counts once it is verified (`answer`) and agrees with what was met before (`memory`):

  the log only grows: a state the registry speaks of that is smaller than one met before, and not
    an older word of the same growing log, is ``log-rollback``;
  the log is one: of two states neither of which grew into the other, or two of one size, one was
    made for somebody else: ``log-split``;
  a name stays its agent's: another DID is ``ans-rebound`` unless the history shows transfers, each
    signed by the agent before it;
  what was met is the newest: an answer from before it is ``ans-stale``, and asked for again past
    all caches once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from delegant.credentials import Evidence, PrivateKey, canonical
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import Error, error

from .answer import Answer, verify_answer
from .asking import MAX_REPLY, Ask, Caller, Reply, Steps, check_reply, object_of
from .fresh import Entry, Freshness, Head, read_hash
from .history import MAX_HISTORY, Past, verify_history
from .holder import evidence_request
from .leaf import NameLeaf, ProviderLeaf
from .log.merkle import EMPTY_ROOT, check_consistency
from .memory import Memory, Pin, Remembered
from .name import AnsName
from .query import Query
from .receipt import Logged, check_receipt
from .record import record_key
from .signing import digest_of
from .trusted import RegistryTrust

__all__ = ["Core"]

CACHED: Final = 1024
AGREED: Final = 4096
RACES: Final = 5
PAGE: Final = 100
MAX_PATH: Final = 64
LATE_SECONDS: Final = 5
"""A registry reads its log after it takes the time: two words of it may cross by so much."""


class Core:
    """One registry, asked; see `client.Client` for what each operation is for.

    Args:
        trust: whom to believe.
        memory: what was met before.
        caller: how long and how often to ask.
        now: seconds since 1970.
    """

    def __init__(
        self, trust: RegistryTrust, memory: Memory, caller: Caller, now: Callable[[], float]
    ) -> None:
        self._trust = trust
        self._memory = memory
        self._caller = caller
        self._now = now
        self._cache: OrderedDict[str, tuple[Answer, str | None]] = OrderedDict()
        self._agreed: OrderedDict[tuple[int, bytes], None] = OrderedDict()

    # --- resolving ------------------------------------------------------------------------------

    def ask(self, query: Query, at: int | None, *, fresh: bool = False) -> Steps[Answer]:
        """An answer, verified; from the cache while it is good."""
        when = int(self._now()) if at is None else at
        key = digest_key(query)
        held = self._cache.get(key)
        if held is not None and not fresh and _good(held[0], when):
            self._cache.move_to_end(key)
            return held[0]
        end = self._caller.end()
        try:
            return (yield from self._asked(query, when, end, fresh=fresh))
        except Error as exc:
            if exc.code != "ans-stale" or fresh:
                raise
        return (yield from self._asked(query, when, end, fresh=True))

    def _asked(self, query: Query, at: int, end: float, *, fresh: bool) -> Steps[Answer]:
        key = digest_key(query)
        held = self._cache.get(key)
        headers = {"Accept": "application/json"}
        if fresh:
            headers["Cache-Control"] = "no-cache"
        etag = held[1] if held is not None and _good(held[0], at) else None
        if etag is not None:
            headers["If-None-Match"] = etag
        pairs = query.pairs
        known = self._memory.load().head
        if fresh and known is not None and query.min_log_size is None:
            pairs = [*pairs, ("min_log_size", str(known.size))]
        ask = Ask("GET", f"/v1/resolve?{urlencode(pairs, quote_via=quote)}", headers)
        reply = yield from self._caller.ask(lambda: ask, end)
        if reply.status == 304 and held is not None and etag is not None:
            return held[0]
        answer = verify_answer(_signed(reply), self._trust, query, at=at)
        if query.min_log_size is not None and answer.freshness.head.size < query.min_log_size:
            raise error("ans-stale", f"an answer from before entry {query.min_log_size} of the log")
        yield from self._agree(answer, end)
        self._cache[key] = (answer, reply.headers.get("etag"))
        self._cache.move_to_end(key)
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return answer

    # --- agreeing with what was met before --------------------------------------------------------

    def _agree(self, answer: Answer, end: float) -> Steps[None]:
        token = answer.freshness
        heads = [_head(token.head.origin, one.logged) for one in answer.agents]
        if answer.last is not None:
            heads.append(_head(token.head.origin, answer.last.logged))
        for _ in range(RACES):
            before = self._memory.load()
            after = yield from self._grown(before, token.head, token.time, heads, end)
            names = dict(before.names)
            for entry, key in _held(answer):
                yield from self._pinned(names, entry, key, answer, end)
            if self._memory.save(before, replace(after, names=names)):
                return
        raise error("unavailable", "the memory is written by too many at once")

    def _grown(
        self, before: Remembered, head: Head, time: int, heads: Iterable[Head], end: float
    ) -> Steps[Remembered]:
        """What is remembered of the log with this state of it; each of ``heads`` is of that log."""
        known, after = before.head, before
        if known is None or head.size > known.size:
            after = replace(before, head=head, time=time)
        top = after.head or head
        if known is not None and head.size < known.size and time > before.time + LATE_SECONDS:
            raise error("log-rollback", f"the log had {known.size} entries, and now {head.size}")
        if known is not None:
            small, large = sorted((known, head), key=lambda one: one.size)
            code = "log-split" if small is known else "log-rollback"
            yield from self._consistent(small, large, end, code)
        for one in heads:
            yield from self._consistent(one, top, end, "log-split")
        return after

    def _consistent(self, old: Head, new: Head, end: float, code: str) -> Steps[None]:
        """One state of the log has grown into the other."""
        if old.size == new.size:
            if old.root != new.root:
                raise error("log-split", f"two logs of {old.size} entries: {_told(old, new)}")
            return
        if old.size == 0:
            if old.root != EMPTY_ROOT:
                raise error("log-split", "an empty log whose root is none")
            return
        mark = (old.size, old.root)
        if mark in self._agreed:
            self._agreed.move_to_end(mark)
            return
        path = f"/v1/log/consistency?old={old.size}&new={new.size}"
        reply = yield from self._caller.ask(lambda: Ask("GET", path), end)
        if reply.status >= 500 or reply.status == 429:
            check_reply(reply, signed=True)
        try:
            value = object_of(reply) if reply.status == 200 else {}
            proof = [read_hash(one, "proof") for one in _list(value.get("proof"))]
            check_consistency(old.size, new.size, proof, old.root, new.root)
        except Error as exc:
            raise error(
                code, f"no proof that one log grew into the other ({exc.code}): {_told(old, new)}"
            ) from None
        self._agreed[mark] = None
        while len(self._agreed) > AGREED:
            self._agreed.popitem(last=False)

    def _pinned(
        self, names: dict[str, Pin], entry: Entry, key: Any, answer: Answer, end: float
    ) -> Steps[None]:
        """The name is still whose it was, or was handed over by them."""
        name = entry.name.key
        pin = names.get(name)
        if pin is not None:
            if entry.epoch < pin.epoch or entry.seq < pin.seq:
                raise error("ans-stale", f"{entry.name} has changed since: event {pin.seq} was met")
            if entry.agent != pin.agent and entry.epoch == pin.epoch:
                raise error("ans-rebound", f"{entry.name} was {pin.agent}'s, now {entry.agent}'s")
            if entry.epoch > pin.epoch:
                yield from self._handed_over(pin, entry, answer.freshness, end)
        if pin is None and entry.status != "active":
            return  # nobody acts on it
        key = pin.key if pin is not None and key is None and pin.agent == entry.agent else key
        names[name] = Pin(entry.agent, entry.epoch, entry.seq, key)

    def _handed_over(self, pin: Pin, entry: Entry, token: Freshness, end: float) -> Steps[None]:
        """Transfers lead from the agent that was met to the one that is told."""
        try:
            past = yield from self._past(entry.name.key, end)
        except Error as exc:
            if exc.code == "unavailable":
                raise
            raise error(
                "ans-rebound", f"{entry.name} was {pin.agent}'s, and no history says more: {exc}"
            ) from None
        then = next((one for one in past if one.leaf.seq == pin.seq), None)
        now = next((one for one in past if one.leaf.event == entry.event), None)
        if then is None or (then.standing.agent, then.standing.epoch) != (pin.agent, pin.epoch):
            raise error("ans-rebound", f"{entry.name} was {pin.agent}'s, which its history denies")
        if now is None or (now.standing.agent, now.standing.epoch) != (entry.agent, entry.epoch):
            raise error("ans-rebound", f"no history leads {entry.name} to {entry.agent}")
        for one in past:
            yield from self._logged_in(one.logged, token.head, end)

    def _logged_in(self, logged: Logged, head: Head, end: float) -> Steps[None]:
        own = _head(head.origin, logged)
        small, large = sorted((own, head), key=lambda one: one.size)
        yield from self._consistent(small, large, end, "log-split")

    # --- the other operations -------------------------------------------------------------------

    def history(self, name: str) -> Steps[tuple[Past, ...]]:
        """Every event of a name, verified, and its log the one that was met."""
        end = self._caller.end()
        past = yield from self._past(AnsName.parse(name).key, end)
        for one in past:
            yield from self._met(one.logged, end)
        return past

    def _past(self, name: str, end: float) -> Steps[tuple[Past, ...]]:
        items: list[Any] = []
        while True:
            path = f"/v1/names/{quote(name, safe='')}/history?start={len(items)}&limit={PAGE}"
            reply = yield from self._caller.ask(lambda path=path: Ask("GET", path), end)  # type: ignore[misc]
            found = _list(check_reply(reply).get("events"))
            items += found
            if len(found) < PAGE:
                return verify_history(items, self._trust, name)
            if len(items) > MAX_HISTORY:
                raise error("limit-items", f"{name} has more than {MAX_HISTORY} events")

    def _met(self, logged: Logged, end: float) -> Steps[None]:
        """A state of the log signed by its key, against what was met before."""
        for _ in range(RACES):
            before = self._memory.load()
            head = _head(self._trust.log.name, logged)
            after = before
            if before.head is None:
                after = replace(before, head=head, time=logged.leaf.time)
            elif head.size > before.head.size:
                yield from self._consistent(before.head, head, end, "log-split")
                after = replace(before, head=head, time=max(before.time, logged.leaf.time))
            else:
                yield from self._consistent(head, before.head, end, "log-split")
            if self._memory.save(before, after):
                return
        raise error("unavailable", "the memory is written by too many at once")

    def submit(self, body: bytes, invocation: str | None, agent: str | None) -> Steps[JsonObject]:
        """Send an event, again until there is an answer; its receipt, verified."""
        end = self._caller.end()
        event = parse_object(body, size=MAX_REPLY).get("event")
        path = "/v1/agents" if agent is None else f"/v1/agents/{quote(agent, safe='')}/events"
        headers = {"Content-Type": "application/json"}
        if invocation is not None:
            headers["Agent-Invocation"] = invocation
        receipt, logged = yield from self._receipt(Ask("POST", path, headers, body), end)
        leaf = logged.leaf
        if not isinstance(event, dict) or not isinstance(leaf, NameLeaf):
            raise error("ans-signature", "a receipt of something else")
        if leaf.event != digest_of(event):
            raise error("ans-signature", "a receipt of another event")
        yield from self._met(logged, end)
        return receipt

    def claim(self, claim: JsonObject) -> Steps[JsonObject]:
        """Send the claim of a provider label; its receipt, verified."""
        end = self._caller.end()
        headers = {"Content-Type": "application/json"}
        ask = Ask("POST", "/v1/providers", headers, canonical(claim))
        receipt, logged = yield from self._receipt(ask, end)
        leaf = logged.leaf
        if not isinstance(leaf, ProviderLeaf) or (leaf.provider, leaf.organization) != (
            str(claim["label"]).lower(), claim["organization"]
        ):  # fmt: skip
            raise error("ans-signature", "a receipt of something else")
        yield from self._met(logged, end)
        return receipt

    def _receipt(self, ask: Ask, end: float) -> Steps[tuple[JsonObject, Logged]]:
        reply = yield from self._caller.ask(lambda: ask, end)
        receipt = check_reply(reply)
        trust = self._trust
        return receipt, check_receipt(receipt, trust.id, trust.log, trust.witnesses, trust.quorum)

    def evidence(self, key: PrivateKey, caller: str, about: str) -> Steps[Evidence]:
        """Fresh evidence about a DID; each attempt is a new invocation."""
        end = self._caller.end()
        path = f"/v1/evidence/{quote(about, safe='')}"

        def make() -> Ask:
            token = evidence_request(key, caller, about, self._trust.id, at=int(self._now()))
            return Ask("GET", path, {"Agent-Invocation": token})

        reply = yield from self._caller.ask(make, end)
        return Evidence.from_json(check_reply(reply))


def digest_key(query: Query) -> str:
    """What tells two questions apart, the wish for a trace and a size included."""
    return f"{query.digest} {query.min_log_size}"


def _good(answer: Answer, at: int) -> bool:
    ends = [answer.freshness.valid_until, *(one.valid_until for one in answer.agents)]
    return answer.freshness.time <= at < min(ends)


def _signed(reply: Reply) -> Any:
    """The signed answer in a reply, which a problem holds in ``answer``."""
    value = object_of(reply)
    if type(value.get("answer")) is dict:
        return value["answer"]
    return check_reply(reply, signed=True)


def _head(origin: str, logged: Logged) -> Head:
    return Head(origin, logged.size, logged.root)


def _held(answer: Answer) -> list[tuple[Entry, Any]]:
    """The names an answer is about, each with the key its record states."""
    keys: Mapping[str, Any] = {one.entry.name.key: record_key(one.record) for one in answer.agents}
    return [(one, keys.get(one.name.key)) for one in answer.freshness.entries]


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []


def _told(old: Head, new: Head) -> str:
    """Both states, for whoever must tell the world of them."""
    return canonical([{"size": one.size, "root": one.root.hex()} for one in (old, new)]).decode()

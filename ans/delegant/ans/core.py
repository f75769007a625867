"""What a client of one registry does, one generator an operation; `asking` says how to drive it.

An answer counts once it is verified (`answer`) and agrees with what was met before (`agreeing`).
One that is older than what was met is asked for again, once, past all caches. A verified answer is
kept, and given again as long as it is good and no name in it is known to have changed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urlencode

from delegant.credentials import Evidence, PrivateKey, canonical
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import Error, error

from .agreeing import Agreement
from .answer import Answer, verify_answer
from .asking import MAX_REPLY, Ask, Caller, Reply, Steps, check_reply, object_of
from .events import read_event
from .history import Past, check_logged
from .holder import evidence_request
from .leaf import ProviderLeaf
from .memory import Memory
from .name import AnsName
from .query import Query
from .receipt import Logged, check_receipt
from .trusted import RegistryTrust

__all__ = ["Core"]

CACHED: Final = 1024
MAX_ETAG: Final = 256
SKEW_SECONDS: Final = 30
"""How far the registry's clock may be ahead, as `answer` has it."""


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
        self._caller = caller
        self._now = now
        self._agreement = Agreement(trust, memory, caller)
        self._cache: OrderedDict[str, tuple[Answer, str | None]] = OrderedDict()

    def ask(self, query: Query, at: int | None, *, fresh: bool = False) -> Steps[Answer]:
        """An answer, verified; from the cache while it is good."""
        return (yield from self._ask(query, at, self._caller.end(), fresh=fresh))

    def _ask(self, query: Query, at: int | None, end: float, *, fresh: bool) -> Steps[Answer]:
        key = _key(query)
        held = self._cache.get(key)
        kept = held is not None and not fresh and _good(held[0], self._time(at))
        if held is not None and kept and not self._agreement.outdated(held[0]):
            self._cache.move_to_end(key)
            return held[0]
        try:
            return (yield from self._asked(query, at, end, fresh=fresh))
        except Error as exc:
            if exc.code != "ans-stale" or fresh:
                raise
        return (yield from self._asked(query, at, end, fresh=True))

    def _asked(self, query: Query, at: int | None, end: float, *, fresh: bool) -> Steps[Answer]:
        key, least = _key(query), query.min_log_size or 0
        if fresh:
            least = max(least, self._agreement.size)
        pairs = [pair for pair in query.pairs if pair[0] != "min_log_size"]
        if least:
            pairs.append(("min_log_size", str(least)))
        path = f"/v1/resolve?{urlencode(pairs, quote_via=quote)}"
        held = self._cache.get(key)
        if held is not None and (held[1] is None or not self._does(held[0], least, at)):
            held = None
        reply = yield from self._caller.ask(lambda: _resolve(path, held, fresh=fresh), end)
        if reply.status == 304 and held is not None and not self._does(held[0], least, at):
            held = None  # it was good when it was asked about
            reply = yield from self._caller.ask(lambda: _resolve(path, None, fresh=fresh), end)
        if reply.status == 304 and held is not None:
            answer, etag = held
        else:
            answer = verify_answer(_signed(reply), self._trust, query, at=self._time(at))
            etag = _etag(reply)
        if answer.freshness.head.size < least:
            raise error("ans-stale", f"an answer from before entry {least} of the log")
        yield from self._agreement.agree(answer, end)
        if not _good(answer, self._time(at)) and at is None:
            raise error("ans-stale", "the answer was good no longer when all of it was proven")
        self._cache[key] = (answer, etag)
        self._cache.move_to_end(key)
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return answer

    def _does(self, answer: Answer, least: int, at: int | None) -> bool:
        """A kept answer would do, if the registry says that it has no other."""
        return _good(answer, self._time(at)) and answer.freshness.head.size >= least

    def _time(self, at: int | None) -> int:
        return int(self._now()) if at is None else at

    def history(self, name: str) -> Steps[tuple[Past, ...]]:
        """Every event of a name up to the one that is its newest by the registry's signed word."""
        end = self._caller.end()
        asked = AnsName.parse(name).key
        answer = yield from self._ask(Query.exact(asked), None, end, fresh=True)
        if answer.status == "not-found":
            answer.check_success()
        past = yield from self._agreement.past(asked, end)
        (entry,) = answer.freshness.entries
        if entry.event not in (one.leaf.event for one in past):
            raise error("ans-stale", f"a history of {entry.name} without its event {entry.seq}")
        yield from self._agreement.met([one.logged for one in past], end)
        return past

    def submit(self, body: bytes, invocation: str | None, agent: str | None) -> Steps[JsonObject]:
        """Send an event, again until there is an answer; its receipt, verified."""
        end = self._caller.end()
        event = parse_object(body, size=MAX_REPLY).get("event")
        name = read_event(event).key
        path = "/v1/agents" if agent is None else f"/v1/agents/{quote(agent, safe='')}/events"
        headers = {"Content-Type": "application/json"}
        if invocation is not None:
            headers["Agent-Invocation"] = invocation
        receipt, logged = yield from self._receipt(Ask("POST", path, headers, body), end)
        leaf = check_logged(event, logged, name)
        yield from self._agreement.met([logged], end, leaf)
        self._cache.clear()
        return receipt

    def claim(self, claim: JsonObject) -> Steps[JsonObject]:
        """Send the claim of a provider label; its receipt, verified."""
        end = self._caller.end()
        headers = {"Content-Type": "application/json"}
        ask = Ask("POST", "/v1/providers", headers, canonical(claim))
        receipt, logged = yield from self._receipt(ask, end)
        leaf = logged.leaf
        told = (str(claim["label"]).lower(), claim["organization"], "bind")
        if not isinstance(leaf, ProviderLeaf) or (
            leaf.provider, leaf.organization, leaf.type
        ) != told:  # fmt: skip
            raise error("ans-signature", "a receipt of something else")
        yield from self._agreement.met([logged], end)
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


def _resolve(path: str, held: tuple[Answer, str | None] | None, *, fresh: bool) -> Ask:
    headers = {"Accept": "application/json"}
    if fresh:
        headers["Cache-Control"] = "no-cache"
    if held is not None and held[1] is not None:
        headers["If-None-Match"] = held[1]
    return Ask("GET", path, headers)


def _etag(reply: Reply) -> str | None:
    """A tag that can be sent back; any other is none."""
    tag = reply.headers.get("etag", "")
    fits = 0 < len(tag) <= MAX_ETAG and tag.isascii() and tag.isprintable()
    return tag if fits else None


def _key(query: Query) -> str:
    """What tells two questions apart, the wish for a size of the log included."""
    return f"{query.digest} {query.min_log_size}"


def _good(answer: Answer, at: int) -> bool:
    ends = [answer.freshness.valid_until, *(one.valid_until for one in answer.agents)]
    return answer.freshness.time <= at + SKEW_SECONDS and at < min(ends)


def _signed(reply: Reply) -> Any:
    """The signed answer in a reply, which a problem holds in ``answer``."""
    value = object_of(reply)
    if type(value.get("answer")) is dict:
        return value["answer"]
    return check_reply(reply, signed=True)

"""What a client holds an answer to: everything it met before (`memory`).

  The log only grows. A state of it smaller than one met before must have grown into that one, and
    the registry may speak of it only in words from before; else ``log-rollback``.
  The log is one. Of two states neither of which grew into the other, or two of one size, one was
    made for somebody else: ``log-split``.
  A name stays its agent's. Another DID, or another key of a DID that is not its own key, is
    ``ans-rebound``, unless the history shows transfers, the first of them signed by the very agent
    that was met, and each by the agent before it.
  What was met is the newest. A word from before it is ``ans-stale``.

A proof that one state grew into another is asked for once. ``_inside`` are states that grew into
the one that is remembered: they need no new proof when that one is proven to have grown. Nothing
goes in there before the memory is written.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from delegant.credentials import PublicKey, Undecided, canonical
from delegant.credentials.errors import Error, error

from .answer import Answer
from .asking import Ask, Caller, Steps, check_reply, object_of
from .fresh import Entry, Head, read_hash
from .history import MAX_HISTORY, Past, check_signers, verify_history
from .leaf import NameLeaf
from .log.checkpoint import open_checkpoint
from .log.merkle import EMPTY_ROOT, check_consistency
from .memory import Memory, Pin, Remembered
from .receipt import Logged
from .record import record_key
from .trusted import RegistryTrust

__all__ = ["Agreement"]

KEPT: Final = 4096
RACES: Final = 16
PAGE: Final = 100
LATE_SECONDS: Final = 30
"""A registry takes the time, may wait its turn, and then reads its log: its words cross by that."""


class _Seen(NamedTuple):
    """A state of the log, and by when it was that."""

    head: Head
    time: int


class _Told(NamedTuple):
    """What an answer says of a name, and what of it is proven.

    Attributes:
        logged: where the log has the event that proves it.
        key: the agent's, where its record is shown and the DID is not its own key.
        chosen: whoever asks is likely to act on it: it was asked for by name, or is the first.
        found: by which search, seconds since 1970; None where it was asked for by name.
    """

    entry: Entry
    logged: Logged
    key: PublicKey | None
    chosen: bool
    found: int | None

    @property
    def seq(self) -> int:
        """The newest event that the log proves; of a later one the registry alone speaks."""
        leaf = self.logged.leaf
        return leaf.seq if isinstance(leaf, NameLeaf) else 0


class Agreement:
    """One registry's words against what was met of it before.

    Args:
        trust: whom to believe.
        memory: what was met.
        caller: how proofs and histories are asked for.
    """

    def __init__(self, trust: RegistryTrust, memory: Memory, caller: Caller) -> None:
        self._trust = trust
        self._memory = memory
        self._caller = caller
        self._proven: OrderedDict[tuple[Head, Head], None] = OrderedDict()
        self._inside: OrderedDict[Head, None] = OrderedDict()
        self._top: Head | None = None

    @property
    def size(self) -> int:
        """How many entries the log is known to have."""
        head = self._memory.load().head
        return 0 if head is None else head.size

    def outdated(self, answer: Answer) -> bool:
        """Whether a name in a verified answer is known to have changed since."""
        names = self._memory.load().names
        return any(
            entry.name.key in names and _older(entry, names[entry.name.key])
            for entry in answer.freshness.entries
        )

    def agree(self, answer: Answer, end: float) -> Steps[None]:
        """A verified answer agrees with what was met, and is remembered."""
        token, told = answer.freshness, _words(answer)
        seen = [self._seen(one.logged) for one in told]
        if token.head.size > max([self.size, *(one.head.size for one in seen)]):
            seen += yield from self._signed(token.valid_until, end)
        for _ in range(RACES):
            before = self._memory.load()
            known = before.head
            after = yield from self._grown(before, seen, end, token.head)
            late = token.time > before.time + LATE_SECONDS
            if known is not None and token.head.size < known.size and late:
                sizes = f"the log had {known.size} entries, and now {token.head.size}"
                raise error("log-rollback", sizes)
            names, more = dict(before.names), list(seen)
            for one in told:
                more += yield from self._pinned(names, one, end)
            if len(more) > len(seen):
                after = yield from self._grown(before, more, end, token.head)
            if self._saved(before, replace(after, names=names), more):
                return
        raise error("unavailable", "the memory is written by too many at once")

    def met(self, logged: Iterable[Logged], end: float, own: NameLeaf | None = None) -> Steps[None]:
        """Entries of the log agree with what was met, and their states of it are remembered.

        ``own`` is the entry of an event that this client sent: the name is no older than that.
        """
        seen = [self._seen(one) for one in logged]
        for _ in range(RACES):
            before = self._memory.load()
            after = yield from self._grown(before, seen, end)
            names = dict(before.names)
            if own is not None:
                _sent(names, own)
            if self._saved(before, replace(after, names=names), seen):
                return
        raise error("unavailable", "the memory is written by too many at once")

    def past(self, name: str, end: float) -> Steps[tuple[Past, ...]]:
        """The history of a name, verified by itself; `met` holds it to what was met.

        Raises:
            Error: what the registry answered, which nobody signed.
        """
        items: list[Any] = []
        path = f"/v1/names/{quote(name, safe='')}/history"
        while True:
            ask = Ask("GET", f"{path}?start={len(items)}&limit={PAGE}")
            reply = yield from self._caller.ask(lambda ask=ask: ask, end)  # type: ignore[misc]
            found = _list(check_reply(reply).get("events"))
            items += found
            if len(items) > MAX_HISTORY:
                raise error("limit-items", f"{name} has more than {MAX_HISTORY} events")
            if len(found) < PAGE:
                return verify_history(items, self._trust, name)

    # --- the log -----------------------------------------------------------------------------

    def _seen(self, logged: Logged) -> _Seen:
        return _Seen(Head(self._trust.log.name, logged.size, logged.root), logged.leaf.time)

    def _signed(self, until: int, end: float) -> Steps[list[_Seen]]:
        """The log's own word of how far it has come; none while too few witnesses cosigned it.

        A registry answers with its answers' key, and only the log's key moves the memory on.
        Witnesses cosign a moment later: until then there is nothing to remember.

        Args:
            until: when the answer is over that led here. A checkpoint has no time; an answer that
                was kept is older than it, and no other that is kept is to be called late for it.
        """
        ask = Ask("GET", "/checkpoint")
        reply = yield from self._caller.ask(lambda: ask, end)
        if reply.status != 200:
            raise error("unavailable", f"no checkpoint of the log: {reply.status}")
        trust = self._trust
        try:
            head = open_checkpoint(reply.body, trust.log, trust.witnesses, trust.quorum)
        except Error as exc:
            if exc.code != "log-witness":
                raise
            return []
        return [_Seen(Head(trust.log.name, head.size, head.root), until)]

    def _grown(
        self, before: Remembered, seen: Sequence[_Seen], end: float, word: Head | None = None
    ) -> Steps[Remembered]:
        """What is remembered of the log with these states of it: all are states of one log.

        ``word`` is one that the log's key did not sign: it must agree, and is not remembered.
        """
        known = before.head
        if known != self._top:  # another process went on, and what it proved is its own
            self._inside.clear()
            self._top = known
        top, after = known, before
        for one in seen:
            if top is None or one.head.size > top.size:
                top, after = one.head, replace(before, head=one.head, time=one.time)
        if top is None:
            return before
        if known is not None:
            yield from self._consistent(known, top, end, "log-split")
        larger = word is not None and known is not None and word.size > known.size
        code = "log-rollback" if top == known and not larger else "log-split"
        for head in (*((word,) if word else ()), *(one.head for one in seen)):
            if head not in self._inside:
                old, new = (head, top) if head.size <= top.size else (top, head)
                yield from self._consistent(old, new, end, code)
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
        if (old, new) in self._proven:
            return
        ask = Ask("GET", f"/v1/log/consistency?old={old.size}&new={new.size}")
        reply = yield from self._caller.ask(lambda: ask, end)
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
        _keep(self._proven, (old, new))

    def _saved(self, before: Remembered, after: Remembered, seen: Iterable[_Seen]) -> bool:
        if not self._memory.save(before, after):
            return False
        self._top = after.head
        for one in (before.head, *(head for head, _ in seen)):
            if one is not None:
                _keep(self._inside, one)
        return True

    # --- the names ---------------------------------------------------------------------------

    def _pinned(self, names: dict[str, Pin], told: _Told, end: float) -> Steps[list[_Seen]]:
        """The name is still whose it was, or was handed over by them.

        Returns:
            The states of the log that its history, if it had to be asked for, speaks of.
        """
        entry, key, seq, found, more = told.entry, told.key, told.seq, told.found, list[_Seen]()
        name = entry.name.key
        pin = names.get(name)
        if pin is None and not told.chosen:
            return []
        if pin is not None:
            if _older(entry, pin):
                raise error("ans-stale", f"{entry.name} has changed since: event {pin.seq} was met")
            if entry.epoch > pin.epoch:
                past = yield from self._handed_over(pin, entry, end)
                more = [self._seen(one.logged) for one in past]
                key = next(one.leaf.key for one in past if one.leaf.event == entry.event)
                seq = entry.seq
            elif entry.agent != pin.agent:
                raise error("ans-rebound", f"{entry.name} was {pin.agent}'s, now {entry.agent}'s")
            elif key is not None and key != pin.key:
                raise error("ans-rebound", f"{entry.name} has another key, and nobody handed over")
            else:
                key = pin.key
            seq, found = max(seq, pin.seq), None if found is None else pin.found
        names[name] = Pin(entry.agent, entry.epoch, seq, key, found)
        return more

    def _handed_over(self, pin: Pin, entry: Entry, end: float) -> Steps[tuple[Past, ...]]:
        """Transfers lead from the agent that was met to the one that is told."""
        try:
            past = yield from self.past(entry.name.key, end)
        except Undecided:
            raise
        except Error as exc:
            raise error(
                "ans-rebound", f"{entry.name} was {pin.agent}'s, and no history says more: {exc}"
            ) from None
        then = next((one for one in past if one.leaf.seq == pin.seq), None)
        now = next((one for one in past if one.leaf.event == entry.event), None)
        if then is None or (then.standing.agent, then.standing.epoch) != (pin.agent, pin.epoch):
            raise error("ans-rebound", f"{entry.name} was {pin.agent}'s, which its history denies")
        told = (entry.agent, entry.epoch, entry.seq)
        if now is None or (now.standing.agent, now.standing.epoch, now.leaf.seq) != told:
            raise error("ans-rebound", f"no history leads {entry.name} to {entry.agent}")
        first = next(one for one in past if one.leaf.epoch > pin.epoch)
        keys = {first.leaf.agent: first.leaf.key, pin.agent: pin.key}
        try:  # by the key that was met, whatever key the log gives to that agent
            check_signers(first.event, {who: (key,) for who, key in keys.items() if key})
        except Error:
            raise error("ans-rebound", f"{pin.agent} did not hand over {entry.name}") from None
        return past


def _words(answer: Answer) -> list[_Told]:
    """What is told of each name, in the answer's order."""
    token = answer.freshness
    proofs = [(one.logged, record_key(one.record)) for one in answer.agents]
    if answer.last is not None:
        proofs = [(answer.last.logged, None)]
    by_name = answer.query.name is not None
    return [
        _Told(
            entry, logged, key,
            chosen=entry.status == "active" and (by_name or not place),
            found=None if by_name else token.time,
        )
        for place, (entry, (logged, key)) in enumerate(zip(token.entries, proofs, strict=True))
    ]  # fmt: skip


def _older(entry: Entry, pin: Pin) -> bool:
    return entry.epoch < pin.epoch or entry.seq < pin.seq


def _sent(names: dict[str, Pin], own: NameLeaf) -> None:
    """An event of ours moves its name on; a transfer is left to whoever resolves it next."""
    pin = names.get(own.name.key)
    if pin is None or (
        (pin.agent, pin.epoch, pin.key) == (own.agent, own.epoch, own.key) and own.seq > pin.seq
    ):
        names[own.name.key] = Pin(own.agent, own.epoch, own.seq, own.key)


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []


def _keep(kept: OrderedDict[Any, None], one: object) -> None:
    kept[one] = None
    kept.move_to_end(one)
    while len(kept) > KEPT:
        kept.popitem(last=False)


def _told(old: Head, new: Head) -> str:
    """Both states, for whoever must tell the world of them."""
    return canonical([{"size": one.size, "root": one.root.hex()} for one in (old, new)]).decode()

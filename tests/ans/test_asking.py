"""The core without a socket: how often a question is asked, and how long between."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from delegant.ans.asking import Ask, Broken, Caller, Reply, Wait, check_reply
from refusal import refusal

GET = Ask("GET", "/x")
BUSY = Reply(503, {}, b'{"code":"unavailable"}')
DONE = Reply(200, {}, b"{}")


@dataclass
class Line:
    """Time that passes by waiting alone, and by ``took`` seconds a question."""

    now: float = 1000.0
    took: float = 0.0
    waits: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)

    def ask(self, *said: Reply | Broken | None, seconds: float = 20, again: bool = True) -> Reply:
        caller = Caller(seconds, lambda: self.now, lambda: 1_790_000_000 + self.now)
        steps = caller.ask(lambda: GET, caller.end(), again=again)
        rest = list(said)
        answer: Reply | Broken | None = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            if isinstance(step, Wait):
                self.waits.append(step.seconds)
                self.now += step.seconds
                answer = None
            else:
                self.left.append(step.seconds)
                self.now += self.took
                answer = rest.pop(0)


def test_an_answer_ends_the_asking() -> None:
    line = Line()
    assert line.ask(DONE) == DONE
    assert line.ask(refused := Reply(403, {}, b"{}")) == refused
    assert line.waits == []


def test_pauses_grow_and_end() -> None:
    line = Line()
    assert refusal(lambda: line.ask(*[Broken("no")] * 9)) == "unavailable"
    assert len(line.left) == 4
    assert all(0.05 * 2**n <= wait <= 0.1 * 2**n for n, wait in enumerate(line.waits))
    assert Line().ask(BUSY, BUSY, BUSY, BUSY) == BUSY
    assert Line().ask(BUSY, Broken("no"), None, DONE) == DONE


def test_what_must_not_be_repeated_is_not() -> None:
    line = Line()
    assert refusal(lambda: line.ask(Broken("no"), DONE, again=False)) == "unavailable"
    assert line.ask(BUSY, DONE, again=False) == BUSY


@pytest.mark.parametrize(("told", "least", "most"), [
    ("3", 3, 3), ("0", 0.05, 0.1), ("-5", 0.05, 0.1), ("", 0.05, 0.1), ("soon", 0.05, 0.1),
    ("\u0663", 0.05, 0.1), ("1e3", 0.05, 0.1), ("Thu, 99 Foo 2026 99:99:99 GMT", 0.05, 0.1),
])  # fmt: skip
def test_a_pause_that_is_asked_for(told: str, least: float, most: float) -> None:
    line = Line()
    assert line.ask(Reply(503, {"retry-after": told}, b""), DONE) == DONE
    assert least <= line.waits[0] <= most


def test_a_pause_may_be_told_as_a_date() -> None:
    line = Line()
    date = format_datetime(datetime.fromtimestamp(1_790_000_000 + 1000 + 7, UTC), usegmt=True)
    assert line.ask(Reply(429, {"retry-after": date}, b""), DONE) == DONE
    assert line.waits == [7]


@pytest.mark.parametrize("told", ["21", "86400", "999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_pause_is_longer_than_the_time_there_is(told: str) -> None:
    line, busy = Line(), Reply(503, {"retry-after": told}, b"")
    assert line.ask(busy, DONE) == busy
    assert line.waits == []


def test_the_time_is_for_all_attempts_together() -> None:
    line = Line(took=6)
    assert refusal(lambda: line.ask(*[Broken("no")] * 9)) == "unavailable"
    assert line.left[0] == 20
    assert sum(line.waits) + 6 * len(line.left) < 27
    assert all(left <= 20 for left in line.left)
    over = Line(took=21)
    assert over.ask(DONE) == DONE  # the one who waits ends it


@pytest.mark.parametrize(("reply", "signed", "code"), [
    (Reply(404, {}, b'{"code":"ans-not-found"}'), True, "ans-signature"),
    (Reply(404, {}, b'{"code":"ans-not-found"}'), False, "ans-not-found"),
    (Reply(400, {}, b'{"code":"ans-query"}'), True, "ans-query"),
    (Reply(413, {}, b'{"code":"limit-items"}'), True, "limit-items"),
    (Reply(403, {}, b'{"code":"namespace"}'), True, "unavailable"),
    (Reply(403, {}, b'{"code":["namespace"]}'), False, "unavailable"),
    (Reply(200, {}, b'{"code":"namespace"}'), False, ""),
    (Reply(200, {}, b"[]"), False, "unavailable"),
])  # fmt: skip
def test_what_an_unsigned_refusal_counts_for(reply: Reply, signed: bool, code: str) -> None:
    assert refusal(lambda: check_reply(reply, signed=signed)) == code

"""What a client keeps of answers: while they are good, and not once they are known to be old."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ans.fronted import Asked, Driver, Front, Said
from ans.naming import NAME
from delegant.ans import Query
from delegant.ans.answer import Answer
from delegant.ans.asking import Ask, Caller, Reply
from delegant.ans.core import Core
from delegant.ans.memory import Memory
from refusal import refusal

Asking = Callable[..., Driver]


def resolves(front: Front) -> int:
    return front.paths.count("/v1/resolve")


def test_an_answer_is_kept_for_its_minute_and_no_longer(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    naming.register()
    first = one.resolve(NAME, at=naming.now)
    assert one.resolve(NAME, at=first.valid_until - 1) == first
    assert resolves(front) == 1
    naming.world.now = first.valid_until
    again = one.resolve(NAME, at=first.valid_until)
    assert resolves(front) == 2
    assert again.valid_until > first.valid_until


def test_a_word_beyond_its_minute_is_stale(front: Front, asking: Asking) -> None:
    naming = front.naming
    naming.register()
    naming.world.now -= 61
    assert refusal(lambda: asking().resolve(NAME)) == "ans-stale"
    naming.world.now += 61 + 40
    assert refusal(lambda: asking().resolve(NAME)) == "ans-stale"  # from the time to come
    naming.world.now -= 40
    assert asking().resolve(NAME).did == naming.bot.did


def test_signed_negatives_are_kept_too(front: Front, asking: Asking) -> None:
    one = asking()
    for _ in range(2):
        assert refusal(lambda: one.resolve(NAME)) == "ans-not-found"
        assert one.search(capability="paperquery").agents == ()
    assert resolves(front) == 2


def test_a_fresh_answer_is_past_every_cache(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    receipt = naming.register()
    one.resolve(NAME)
    naming.send(naming.event("renew", receipt=receipt))
    assert one.resolve(NAME).seq == 0
    assert one.resolve(NAME, fresh=True).seq == 1
    assert one.resolve(NAME).seq == 1
    assert front.asked[-1].headers.get("cache-control", "no-cache") == "no-cache"


def test_what_one_has_sent_oneself_is_seen_at_once(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    receipt = one.submit(*naming.body(naming.event()))
    assert one.resolve(NAME).seq == 0
    old = front.honest(next(a for a in front.asked if a.path.startswith("/v1/resolve")))
    one.submit(*naming.body(naming.event("renew", receipt=receipt)), agent=naming.bot.did)

    def cached(asked: Asked) -> Said:  # a cache in between that has not heard of it
        plain = asked.path.startswith("/v1/resolve") and "cache-control" not in asked.headers
        return old if plain else front.honest(asked)

    front.play = cached
    assert one.resolve(NAME).seq == 1
    assert front.asked[-1].headers["cache-control"] == "no-cache"
    assert f"min_log_size={naming.registry.log.checkpoint().splitlines()[1]}" in (
        next(a.path for a in reversed(front.asked) if a.path.startswith("/v1/resolve"))
    )


def test_an_answer_known_to_be_old_is_not_given_again(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    receipt = naming.register()
    one.resolve(NAME)
    naming.send(naming.event("renew", receipt=receipt))
    assert one.search(capability="paperquery").agents[0].seq == 1
    assert one.resolve(NAME).seq == 1  # the search told that the name has changed


def test_a_size_of_the_log_is_held_to(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    naming.register()
    size = int(naming.registry.log.checkpoint().splitlines()[1])
    assert one.ask(Query.exact(NAME, min_log_size=size)).status == "success"
    assert refusal(lambda: one.ask(Query.exact(NAME, min_log_size=size + 1))) == "unavailable"
    plain = front.honest

    def deaf(asked: Asked) -> Said:
        path = asked.path.partition("&min_log_size")[0]
        return plain(Asked(asked.method, path, asked.headers, asked.body))

    front.play = deaf
    assert refusal(lambda: one.ask(Query.exact(NAME, min_log_size=size + 1))) == "ans-stale"
    front.play = plain
    naming.register(name=NAME.replace("v1.0", "v2.0"))
    assert one.ask(Query.exact(NAME, min_log_size=size + 1)).freshness.head.size == size + 1


def test_what_one_has_sent_oneself_is_found_at_once(front: Front, asking: Asking) -> None:
    one = asking()
    assert one.search(capability="paperquery").agents == ()
    one.submit(*front.naming.body(front.naming.event()))
    assert [each.name for each in one.search(capability="paperquery").agents] == [NAME]


# --- what has not changed -------------------------------------------------------------------------


def test_the_same_answer_needs_no_second_body(front: Front, asking: Asking) -> None:
    front.naming.register()
    one = asking()
    first = one.resolve(NAME)
    seen: list[int] = []

    def play(asked: Asked) -> Said:
        said = front.honest(asked)
        seen.append(said.status)
        return said

    front.play = play
    assert one.resolve(NAME, fresh=True) == first
    assert seen == [304]


def test_unchanged_makes_nothing_good_for_longer(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    naming.register()
    first = one.resolve(NAME, at=naming.now)
    front.play = lambda _: Said(304, b"", {"etag": "x"})
    assert one.resolve(NAME, at=naming.now + 1, fresh=True) == first
    before = len(front.asked)
    late = first.valid_until
    assert refusal(lambda: one.resolve(NAME, at=late)) == "unavailable"  # nothing was offered
    assert not any("if-none-match" in asked.headers for asked in front.asked[before:])
    assert refusal(lambda: one.resolve(NAME.replace("v1", "v3"))) == "unavailable"


def test_unchanged_says_nothing_of_a_log_that_went_on(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    naming.register()
    one.resolve(NAME)
    naming.register(name=NAME.replace("v1.0", "v2.0"))
    one.resolve(NAME.replace("v1.0", "v2.0"))
    front.play = lambda asked: (
        Said(304, b"") if "if-none-match" in asked.headers else front.honest(asked)
    )
    size = int(naming.registry.log.checkpoint().splitlines()[1])
    assert one.resolve(NAME, fresh=True).entry.seq == 0
    assert one.ask(Query.exact(NAME)).freshness.head.size == size


@pytest.mark.parametrize("etag", ['"x"', "", "\u00e9", "a" * 4000])
def test_any_etag_does(front: Front, asking: Asking, etag: str) -> None:
    front.naming.register()
    front.play = lambda asked: Said(200, front.honest(asked).body, {"etag": etag})
    one = asking()
    first = one.resolve(NAME)
    assert one.resolve(NAME, fresh=True) == first


def test_an_answer_that_ends_while_it_is_asked_about_is_asked_for_anew(front: Front) -> None:
    """Without a socket: the clock turns between the question and the word that nothing changed."""
    naming, clock = front.naming, [float(front.naming.now)]
    naming.register()
    core = Core(
        naming.trusted, Memory(naming.did), Caller(20, lambda: 0, lambda: clock[0]),
        lambda: clock[0],
    )  # fmt: skip
    sent: list[Ask] = []

    def run(late: float, said: Reply | None = None) -> Answer:
        steps, answer = core.ask(Query.exact(NAME), None, fresh=bool(sent)), None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            assert isinstance(step, Ask)
            sent.append(step)
            clock[0] += late
            naming.world.now = int(clock[0])
            asked = Asked(step.method, step.path, dict(step.headers), step.content)
            whole = front.honest(asked)
            answer = said or Reply(whole.status, whole.headers, whole.body)
            late, said = 0, None

    first = run(0)
    again = run(61, Reply(304, {}, b""))
    assert ["If-None-Match" in ask.headers for ask in sent if "resolve" in ask.path] == [
        False, True, False,
    ]  # fmt: skip
    assert again.freshness.valid_until > first.freshness.valid_until

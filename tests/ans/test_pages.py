"""Kept answers: given again exactly while nothing they speak of has changed."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.ans.pages import LOOKED_SECONDS, OVERHEAD, Page, Pages


class Log:
    """A log that several processes write, as pages see it."""

    def __init__(self) -> None:
        self.about: list[str] = []
        self.mark = 0

    def append(self, *names: str) -> None:
        self.about += names
        self.mark += 1

    def names(self, start: int, end: int) -> Collection[str] | None:
        return None if end - start > 3 else set(self.about[start:end])

    def pages(self, most: int = 1 << 20) -> Pages:
        return Pages(lambda: self.mark, lambda: len(self.about), self.names, most)


def page(name: str | None, log: Log, at: int = 100, body: bytes = b"x") -> Page:
    return Page(body, "application/json", '"e"', 200, name, at, at + 45, at + 60, len(log.about))


def test_a_page_is_given_while_it_is_young() -> None:
    log = Log()
    pages = log.pages()
    pages.follow()
    pages.put("a", page("a", log))
    assert [pages.get("a", at) is not None for at in (99, 100, 144.9, 145)] == [0, 1, 1, 0]
    assert pages.get("b", 100) is None


def test_a_change_drops_what_it_is_about_and_every_search() -> None:
    log = Log()
    pages = log.pages()
    pages.follow()
    for name in ("a", "b"):
        pages.put(name, page(name, log))
    pages.put("search", page(None, log))
    log.append("a")  # by another process
    assert pages.get("b", 100) is None  # not before it is known what changed
    pages.follow()
    kept = [pages.get(key, 100) is not None for key in ("a", "b", "search")]
    assert kept == [False, True, False]


def test_what_this_process_published_needs_no_look() -> None:
    log = Log()
    pages = log.pages()
    pages.follow()
    pages.put("a", page("a", log))
    pages.put("b", page("b", log))
    log.append("a")
    pages.published({"a"}, 0, 1)
    assert pages.get("a", 100) is None
    assert pages.get("b", 100) is not None


def test_another_who_published_in_between_is_not_missed() -> None:
    log = Log()
    pages = log.pages()
    pages.follow()
    pages.put("a", page("a", log))
    log.append("a")  # by another
    log.append("c")  # by this process, which read the other's
    pages.published({"c"}, 1, 2)
    assert pages.get("a", 100) is None
    pages.follow()
    assert pages.get("a", 100) is None
    pages.put("b", page("b", log))
    log.append("c")
    log.append("b")  # by another, right after
    pages.published({"c"}, 2, 3)
    assert pages.get("b", 100) is None


def test_an_answer_older_than_the_log_is_not_kept() -> None:
    log = Log()
    pages = log.pages()
    pages.follow()
    late = page("a", log)
    log.append("a")
    pages.follow()
    pages.put("a", late)
    assert pages.get("a", 100) is None
    pages.put("a", page("a", log))
    assert pages.get("a", 100) is not None


def test_too_many_changes_drop_everything() -> None:
    log = Log()
    pages = log.pages()
    pages.follow()
    pages.put("a", page("a", log))
    log.append("b", "c", "d", "e")
    pages.follow()
    assert len(pages) == pages.held == 0


def test_the_bytes_kept_are_bounded_and_the_longest_unasked_go_first() -> None:
    log = Log()
    pages = log.pages(10 * (OVERHEAD + 100))
    pages.follow()
    for number in range(10):
        pages.put(number, page(str(number), log, body=bytes(100)))
    assert pages.get(0, 100) is not None
    pages.put(10, page("10", log, body=bytes(100)))
    assert pages.get(1, 100) is None
    assert pages.get(0, 100) is not None
    assert pages.held == 10 * (OVERHEAD + 100)
    pages.put(11, page("11", log, body=bytes(10_000)))  # would push out too many others
    assert pages.get(11, 100) is None


def test_where_others_write_elsewhere_nothing_is_given_that_nobody_looked_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, now = Log(), [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    pages = Pages(lambda: log.mark, lambda: len(log.about), log.names, 1 << 20, shared=True)
    pages.follow()
    pages.put("a", page("a", log))
    assert pages.get("a", 100) is None
    pages.confirm(0.0)
    assert pages.get("a", 100) is not None
    now[0] = LOOKED_SECONDS
    assert pages.get("a", 100) is None


def test_a_name_is_dropped_on_demand() -> None:
    log = Log()
    pages = log.pages()
    pages.follow()
    for key in ("json", "jws"):
        pages.put(key, page("a", log))
    pages.drop("a")
    pages.drop("a")
    assert len(pages) == 0


_STEP = st.one_of(
    st.tuples(st.just("own"), st.sampled_from("abc")),
    st.tuples(st.just("other"), st.sampled_from("abc")),
    st.tuples(st.just("ask"), st.sampled_from(["a", "b", "c", None])),
)


@given(st.lists(_STEP, max_size=60))
def test_no_page_is_given_after_a_change_it_should_know(steps: list[tuple[str, str]]) -> None:
    log = Log()
    pages = log.pages()
    for what, name in steps:
        if what == "ask":
            found = pages.get(name, 100)
            if found is not None:
                since = log.about[found.size :]
                assert name not in since
                assert name is not None or not since
            else:
                pages.follow()
                pages.put(name, page(name, log))
                assert pages.get(name, 100) is not None
        else:
            before = len(log.about)
            log.append(name)
            if what == "own":
                pages.published({name}, before, before + 1)

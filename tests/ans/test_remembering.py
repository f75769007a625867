"""What came with events before is known again, and nothing is believed for it that was not so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ans.naming import NAME, Naming
from delegant.ans import judging
from delegant.ans.remembering import Memory
from delegant.ans.submitting import Submission
from delegant.credentials import Error, canonical
from delegant.credentials.codec import MAX_MEMBERS, JsonObject
from refusal import refusal


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    return Naming(tmp_path / "registry.db")


@pytest.fixture
def known(naming: Naming) -> tuple[Naming, bytes]:
    """A registry that has taken a body; and the next one by the same agent, not sent yet."""
    links = naming.grant(naming.bot)
    naming.send(naming.event(), links=links)
    event = naming.event(name=NAME.replace("v1", "v2"))
    return naming, naming.body(event, links=links)[0]


def memory_of(naming: Naming) -> Memory:
    return naming.registry._memory


def outcome(data: bytes, memory: Memory) -> tuple[JsonObject, bool] | str:
    try:
        sent = Submission.read(data, memory)
    except Error as exc:
        return exc.code
    return sent.event, sent.linked


def test_a_body_that_ends_as_one_before_is_read_alike(known: tuple[Naming, bytes]) -> None:
    naming, body = known
    again, whole = naming.registry.read(body), Submission.read(body)
    assert again.known is not None
    assert whole.known is None
    assert (again.event, again.data, again.digest) == (whole.event, whole.data, whole.digest)
    assert again.evidence is not None
    assert whole.evidence is not None
    assert again.evidence.json == whole.evidence.json
    assert again.known.links == canonical(json.loads(body)["links"])


def test_what_was_refused_is_not_known(naming: Naming) -> None:
    links, event = naming.grant(naming.bot, "ans.resolve"), naming.event()
    assert refusal(lambda: naming.send(event, links=links)) == "no-grant"
    body, _ = naming.body(event, links=links)
    assert naming.registry.read(body).known is None


CUT: list[Callable[[bytes], bytes]] = [
    lambda b: b.replace(b'{"event":', b'{"event":{},"event":', 1),
    lambda b: b.replace(b'{"event":', b'{"events":', 1),
    lambda b: b.replace(b'{"event":', b'{"event":[', 1),
    lambda b: b.replace(b'{"event":', b'{"event":null,"more":', 1),
    lambda b: b.replace(b',"evidence":', b',"more":1,"evidence":', 1),
    lambda b: b.replace(b',"evidence":', b',"evidence":{},"evidence":', 1),
    lambda b: b.replace(b',"evidence":', b'},"evidence":', 1),
    lambda b: b.replace(b'},"evidence":', b',"evidence":', 1),
    lambda b: b.replace(b'"agent":', b'"agent":"did:key:z6Mk","agent":', 1),
    lambda b: b.replace(b'"agent":', b'"x":{"a":1,"evidence":{}},"agent":', 1),
    lambda b: b.replace(b'"agent":', b'"agent":NaN,"x":', 1),
    lambda b: b.replace(b'"version":1', b'"version":1.0', 1),
    lambda b: b.replace(b'"seq":0', b'"seq":00', 1),
    lambda b: b.replace(b'"registry":"', b'"registry":"\xff', 1),
    lambda b: b.replace(b'"agent":', b'"x":' + b"[" * 40 + b"]" * 40 + b',"agent":', 1),
    lambda b: b.replace(b'"agent":', b'"x":[' + b"1," * MAX_MEMBERS + b'1],"agent":', 1),
    lambda b: b.replace(b'"agent":', b'"x":"' + b"a" * 2_200_000 + b'","agent":', 1),
    lambda b: b[:-1],
    lambda b: b + b"}",
    lambda b: b + b"\n",
    lambda b: b"\n" + b,
    lambda b: b.replace(b'","', b'" ,"', 3),
]


@pytest.mark.parametrize("cut", range(len(CUT)))
def test_a_body_is_what_it_is_whatever_is_known(known: tuple[Naming, bytes], cut: int) -> None:
    naming, body = known
    changed = CUT[cut](body)
    assert changed != body
    assert outcome(changed, memory_of(naming)) == outcome(changed, Memory())


def test_a_body_with_the_mark_inside_its_event_is_read(naming: Naming) -> None:
    links = naming.grant(naming.bot)

    def event(name: str) -> JsonObject:
        own = naming.record(name=name, extensions={"mcp": {"a": 1, "evidence": {}}})
        return naming.event(name=name, record=own)

    naming.send(event(NAME), links=links)
    naming.send(event(NAME.replace("v1", "v2")), links=links)


def test_another_spelling_of_what_is_known_is_read_whole(known: tuple[Naming, bytes]) -> None:
    naming, body = known
    spaced = json.dumps(json.loads(body)).encode()
    sent = naming.registry.read(spaced)
    assert sent.known is None
    came = memory_of(naming).came(sent.body["links"], sent.body["evidence"])
    assert came is naming.registry.read(body).known


def test_who_answers_is_asked_once_in_a_second_and_again_in_the_next(
    known: tuple[Naming, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    naming, body = known
    asked: list[int] = []
    real = judging.sponsorship

    def counted(*given: object) -> object:
        asked.append(1)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "sponsorship", counted)
    came, trust, at = naming.registry.read(body).known, naming.trust(), naming.now
    assert came is not None
    first = came.sponsorship(naming.bot.did, trust, at)
    assert came.sponsorship(naming.bot.did, trust, at) is first
    assert len(asked) == 1
    came.sponsorship(naming.bot.did, trust, at + 1)
    came.sponsorship(naming.bot.did, naming.trust(), at + 1)
    assert len(asked) == 3
    assert refusal(lambda: came.sponsorship(naming.ana.did, trust, at)) == "id-shared"


def test_what_is_known_ends_with_its_time(known: tuple[Naming, bytes]) -> None:
    """The status list that came along grows stale, whatever was judged of it before."""
    naming, _ = known
    links, evidence = naming.grant(naming.bot), naming.world.evidence()
    naming.send(naming.event(name=NAME.replace("v1", "v3")), links=links, evidence=evidence)
    naming.world.now += 86_400
    late = naming.event(name=NAME.replace("v1", "v4"))
    assert refusal(lambda: naming.send(late, evidence=evidence)) == "orphan-agent"


def test_the_oldest_is_forgotten(known: tuple[Naming, bytes]) -> None:
    naming, body = known
    came = naming.registry.read(body).known
    assert came is not None
    small, none = Memory(most=1), Memory(size=100)
    for memory in (small, none):
        memory.keep(came)
    assert small.read(body) is not None
    assert none.read(body) is None
    other = small.came(json.loads(came.links), {})
    small.keep(other)
    assert small.read(body) is None
    assert small.came(json.loads(came.links), {}) is other


def test_what_has_too_many_members_is_not_kept(naming: Naming) -> None:
    memory = Memory()
    large = memory.came([{"x": [1] * MAX_MEMBERS}], {})
    memory.keep(large)
    assert memory.came([{"x": [1] * MAX_MEMBERS}], {}) is not large
    small = memory.came([{"x": [1] * 9}], {})
    memory.keep(small)
    assert memory.came([{"x": [1] * 9}], {}) is small

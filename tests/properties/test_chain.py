"""A chain is all or nothing: whoever drops, swaps, alters or withholds gets no yes.

The story is Ana's research chain of `world`; each property damages it at random. And whatever
bytes arrive, the answer is a verdict or an `Error` with a code of the table, never a crash.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import (
    CODES,
    Bundle,
    Error,
    Evidence,
    Presentation,
    Request,
    Trust,
    decide,
    did,
    explain,
    verify,
)
from properties.story import (
    ASKED,
    FORMS,
    JSON,
    Story,
    as_bytes,
    copy_of,
    damaged,
    only_our_errors,
    paths_of,
    shuffled,
    story,
)
from world import LIST, World, research_chain

# --- every link, once, in order ---------------------------------------------------------------


@FORMS
def test_the_story_itself_is_accepted(form: str) -> None:
    s = story(form)
    assert s.state(s.presentation) == "accepted"


@FORMS
@given(data=st.data())
def test_chain_with_links_dropped_repeated_or_moved_is_refused(form: str, data: Any) -> None:
    s = story(form)
    links = s.presentation["links"]
    order = data.draw(st.lists(st.integers(0, len(links) - 1), min_size=1, max_size=6))
    said = s.state({**s.presentation, "links": [links[i] for i in order]})
    assert said == ("accepted" if order == [0, 1, 2, 3] else "rejected")


@FORMS
@pytest.mark.parametrize("index", range(4))
def test_chain_without_one_of_its_links_is_refused(form: str, index: int) -> None:
    s = story(form)
    links = list(s.presentation["links"])
    del links[index]
    assert s.state({**s.presentation, "links": links}) == "rejected"


@FORMS
def test_link_of_another_chain_does_not_fit(form: str) -> None:
    s = story(form)
    other = World(label="other", form=form)  # type: ignore[arg-type]
    theirs, _ = research_chain(other)
    for index, link in enumerate(theirs):
        links = list(s.presentation["links"])
        links[index] = link.secured.raw
        assert s.state({**s.presentation, "links": links}) == "rejected"


# --- one byte ---------------------------------------------------------------------------------


@FORMS
def test_presentation_with_one_byte_changed_is_never_accepted(form: str) -> None:
    s = story(form)
    data = json.dumps(s.presentation, separators=(",", ":"), sort_keys=True).encode()
    assert s.state(data) == "accepted"
    dice = random.Random(8785)
    accepted = []
    for _ in range(1500):
        at, bit = dice.randrange(len(data)), 1 << dice.randrange(8)
        changed = bytearray(data)
        changed[at] ^= bit
        if s.state(bytes(changed)) == "accepted":
            accepted.append((at, bytes(changed[max(0, at - 20) : at + 20])))
    assert accepted == []


@FORMS
def test_evidence_with_one_byte_changed_is_never_accepted(form: str) -> None:
    s = story(form)
    data = json.dumps(s.evidence, separators=(",", ":"), sort_keys=True).encode()
    assert s.state(s.presentation, data) == "accepted"
    dice = random.Random(8785)
    accepted = []
    for _ in range(1000):
        at, bit = dice.randrange(len(data)), 1 << dice.randrange(8)
        changed = bytearray(data)
        changed[at] ^= bit
        if s.state(s.presentation, bytes(changed)) == "accepted":
            accepted.append((at, bytes(changed[max(0, at - 20) : at + 20])))
    assert accepted == []


def nudged(value: Any, dice: random.Random) -> Any:
    """Another value of the same type, as near as can be."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + dice.choice((-1, 1))
    at = dice.randrange(len(value))
    other = {"a": "b", "A": "B", "1": "2", "0": "1"}.get(
        value[at], "a" if value[at] != "a" else "b"
    )
    return value[:at] + other + value[at + 1 :]


@FORMS
@pytest.mark.parametrize("part", ["presentation", "evidence"])
def test_every_value_in_signed_content_matters(form: str, part: str) -> None:
    """One after the other, every string, number and bool of every document is nudged."""
    s = story(form)
    honest = {"presentation": s.presentation, "evidence": s.evidence}
    dice = random.Random(1)
    tried = 0
    for *way, last in filter(None, paths_of(honest[part])):
        changed = copy_of(honest)
        node = changed[part]
        for step in way:
            node = node[step]
        if isinstance(node[last], dict | list):
            continue
        for _ in range(1 if form == "di" else 20):
            node[last], before = nudged(node[last], dice), node[last]
            tried += 1
            assert s.state(changed["presentation"], changed["evidence"]) != "accepted", (way, last)
            node[last] = before
    assert tried >= (100 if part == "presentation" or form == "jwt" else 150)


@FORMS
@given(data=st.data())
def test_presentation_cut_short_or_lengthened_is_never_accepted(form: str, data: Any) -> None:
    s = story(form)
    whole = json.dumps(s.presentation).encode()
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert s.state(whole[:cut]) != "accepted"
    more = data.draw(st.binary(min_size=1, max_size=4).filter(lambda b: b.strip(b" \t\r\n") != b""))
    assert s.state(whole + more) != "accepted"


# --- spelling that means nothing --------------------------------------------------------------


@FORMS
@given(seed=st.integers(0, 2**32), indent=st.sampled_from([None, 0, 1, 7, "\t"]))
def test_order_of_members_and_white_space_never_matter(
    form: str, seed: int, indent: int | str | None
) -> None:
    s = story(form)
    mixed = shuffled(s.presentation, random.Random(seed))
    assert s.state(json.dumps(mixed, indent=indent).encode()) == "accepted"
    evidence = shuffled(s.evidence, random.Random(seed + 1))
    assert s.state(mixed, evidence) == "accepted"
    one = verify(
        json.dumps(mixed, indent=indent).encode(),
        json.dumps(evidence).encode(),
        s.trust,
        s.asked,
        at=s.now,
    )
    two = verify(
        json.dumps(s.presentation).encode(),
        json.dumps(s.evidence).encode(),
        s.trust,
        s.asked,
        at=s.now,
    )
    assert one.inputs_digest == two.inputs_digest


# --- less evidence, never more authority ------------------------------------------------------


@given(seed=st.integers(0, 2**32))
def test_evidence_withheld_never_turns_no_into_yes(seed: int) -> None:
    """From any damaged state, removing any one item of evidence gives no new yes.

    Lists and revisions are the exception that `seen` exists for: a holder who withholds the
    newest is caught by what the verifier has seen, so the verifier here has seen it.
    """
    dice = random.Random(seed)
    world = World()
    links, parties = research_chain(world)
    now = world.now
    old = world.status_list().secured.raw
    victim = dice.choice(links)
    assert victim.status is not None
    world.revoked.add(victim.status.index + dice.randrange(2))
    world.now = now + 1
    new = world.status_list().secured.raw
    lists = [old, new]
    dice.shuffle(lists)
    world.now = now
    evidence = world.evidence(status_lists=lists).json
    trust = world.trust(seen={"lists": {LIST: "2026-09-21T14:13:21Z"}})
    asked = ASKED
    shown = world.present(links, asked).to_bytes()

    def state(groups: dict[str, Any]) -> str:
        return decide(shown, Evidence.from_json(groups), trust, asked, at=now + 1).state

    assert state(evidence) == "rejected"
    for group, items in evidence.items():
        for index in range(len(items)):
            fewer = copy_of(evidence)
            del fewer[group][index]
            if not fewer[group]:
                del fewer[group]
            assert state(fewer) != "accepted", (group, index)
    assert parties


# --- whatever arrives -------------------------------------------------------------------------


READERS: dict[str, Callable[[Story], dict[str, Any]]] = {
    "presentation": lambda s: s.presentation,
    "evidence": lambda s: s.evidence,
    "trust": lambda s: s.trust_json,
    "request": lambda s: REQUEST,
    "bundle": lambda s: {
        "presentation": s.presentation,
        "evidence": s.evidence,
        "request": s.asked.json,
    },
}
REQUEST: dict[str, Any] = {
    "action": "db.read",
    "resource": "urn:acme:papers:17",
    "purpose": "audit",
    "task": {"id": "t", "initiation": "schedule"},
    "arguments": {"n": 1, "s": "x", "b": True},
    "amount": {"unit": "EUR:2", "value": "10"},
    "rows": 1,
    "bytes": 1,
    "columns": ["a"],
    "dataClass": "public",
    "network": "10.0.0.1",
    "method": "GET",
    "uri": "https://a.example/x",
    "bodyDigest": ASKED.digest,
}
WHAT = pytest.mark.parametrize("what", sorted(READERS))


def use(what: str, data: bytes) -> None:
    """Read the bytes as what they are said to be, and go on as far as they reach."""
    s = story()
    shown, stapled = as_bytes(s.presentation), as_bytes(s.evidence)
    if what == "presentation":
        verify(data, stapled, s.trust, s.asked, at=s.now)
    elif what == "evidence":
        verify(shown, data, s.trust, s.asked, at=s.now)
    elif what == "trust":
        verify(shown, stapled, Trust.parse(data), s.asked, at=s.now)
    elif what == "request":
        asked = Request.parse(data)
        assert Request.from_json(asked.json) == asked
        verify(shown, stapled, s.trust, asked, at=s.now)
    else:
        bundle = Bundle.parse(data)
        explain(bundle.presentation, bundle.evidence, s.trust, bundle.request, at=s.now)
        verify(bundle.presentation, bundle.evidence, s.trust, bundle.request, at=s.now)


@WHAT
@given(data=st.binary(max_size=200))
def test_any_bytes_get_an_answer(what: str, data: bytes) -> None:
    only_our_errors(lambda: use(what, data))


@WHAT
@given(value=JSON)
def test_any_json_gets_an_answer(what: str, value: Any) -> None:
    only_our_errors(lambda: use(what, as_bytes(value)))


@WHAT
@settings(max_examples=300)
@given(data=st.data())
def test_honest_document_damaged_anyhow_gets_an_answer(what: str, data: Any) -> None:
    value = data.draw(damaged(READERS[what](story())))
    only_our_errors(lambda: use(what, as_bytes(value)))


@FORMS
@settings(max_examples=300)
@given(data=st.data())
def test_resigned_link_damaged_anyhow_gets_an_answer(form: str, data: Any) -> None:
    """A dishonest issuer signs anything: the damage lies under a good signature."""
    from delegant.credentials.envelope import secure
    from delegant.credentials.keys import PrivateKey

    s = story()
    key = PrivateKey(b"\x05" * 32)
    name = did.from_key(key.public)
    document = {k: v for k, v in s.presentation["links"][0].items() if k != "proof"}
    document["issuer"] = name
    altered = data.draw(damaged(document))

    def run() -> None:
        if not isinstance(altered, dict):
            return
        link = secure(altered, key, did.vm_of(name), s.now, form)  # type: ignore[arg-type]
        shown = Presentation((link,), s.presentation["invocation"])
        verify(shown.to_bytes(), as_bytes(s.evidence), s.trust, s.asked, at=s.now)

    only_our_errors(run)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"links":' * 20_000,
        b'{"links":[' + b"[" * 2000 + b"]" * 2000 + b"]}",
        b'{"links":[' + b"0," * 50_000 + b"0]}",
        b'{"links":["' + b"." * 100_000 + b'"]}',
        b'{"links":["e30.e30.' + b"A" * 70_000 + b'"]}',
        b'{"links":[{"a":' + b"9" * 5000 + b"}]}",
        b'{"links":[{"a":1e999999}]}',
        b'{"links":["\\ud800"]}',
        b'{"links":["\xff"]}',
        b"\xef\xbb\xbf{}",
        b"",
        b"null",
    ],
    ids=lambda data: repr(data[:24]),
)
@WHAT
def test_hostile_bytes_get_an_answer(what: str, data: bytes) -> None:
    with pytest.raises(Error) as refused:
        use(what, data)
    assert refused.value.code in CODES

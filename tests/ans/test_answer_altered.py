"""Answers of the real registry, of every kind, altered in every place: none is ever believed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ans.market import SOX, Market
from ans.naming import NAME
from ans.test_events import web_agent
from ans.test_health import beat
from delegant.ans.answer import verify_answer
from delegant.ans.log.checkpoint import add_signatures, cosign, parse_checkpoint
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.ans.query import Query
from delegant.ans.trusted import RegistryTrust
from delegant.credentials import CODES, Error, Malformed, PrivateKey, did
from delegant.credentials.codec import JsonObject, b64u_encode, canonical, parse

OTHER = "mcp://PaperQuery.Research.AcmeLabs.v2.0"
MISSING = "mcp://PaperQuery.Research.Nobody.v1.0"
WITNESS = NoteSigner("w.example/one", PrivateKey(b"\x07" * 32), COSIGNATURE)
SEARCH = {"capability": "PaperQuery", "attestations": [SOX], "prefer": "AcmeLabs", "trace": True}
AWAY = {"suspended": "suspend", "revoked": "revoke"}
KINDS = (
    "exact", "did:web", "traced", "search", "available", "missing", "none", "suspended",
    "revoked", "expired",
)  # fmt: skip


@dataclass(frozen=True)
class Given:
    """A true answer, who believes it, and when."""

    answer: JsonObject
    query: Query
    trust: RegistryTrust
    at: int
    jws: str

    def code(self, answer: Any) -> str:
        """What it is refused with; empty where it is believed. No other exception gets out."""
        try:
            verify_answer(answer, self.trust, self.query, at=self.at)
        except Error as exc:
            return exc.code
        return ""


@cache
def given_answer(kind: str) -> Given:
    """Ask the real registry. A witness cosigned its checkpoints, and has to have."""
    with TemporaryDirectory() as folder:
        market = Market(Path(folder) / "registry.db")
        query = _happened(market, kind)
        _, answer = market.registry.resolve(query, market.now)
        answer = json.loads(canonical(answer))
        for one in [*answer["resolvedAgents"], *([answer["last"]] if "last" in answer else [])]:
            _cosign(one["receipt"], market.now)
        jws = market.registry.token(answer)
        market.registry.store.close()
        trust = RegistryTrust(
            did.check(market.did), (market.keeper.key.public,), market.log, (WITNESS.key,), 1
        )
        return Given(answer, query, trust, market.now, jws)


def _happened(market: Market, kind: str) -> Query:
    """Let it come to pass what a kind of answer tells; the question to ask."""
    part: dict[str, Any] = {} if kind == "search" else {"capabilities": ["cite"]}
    claim = market.claim(market.bot, index=1, **part)
    said: dict[str, Any] = {
        "capabilities": ["cite", "search"],
        "successor": OTHER,
        "extensions": {"mcp": {"a": 1}},
    }
    if kind == "did:web":
        bot = web_agent(market)
        links = market.grant(bot, subject_key=bot.key.public)
        market.send(market.event(bot=bot), bot, links=links)
        return Query.exact(NAME)
    if kind == "expired":
        said["seconds"] = 30
    receipt = market.offer(NAME, None, claim, **said)
    if kind in AWAY:
        event = market.event(AWAY[kind], receipt=receipt, reason="key theft")
        market.send(event)
    if kind == "expired":
        market.world.now += 30
    if kind == "available":
        beat(market)
        return Query.from_json({"pattern": "*.*.AcmeLabs.*", "available": 60})
    if kind == "search":
        second, bare = market.agent("second"), market.agent("bare")
        market.offer(OTHER, second, market.claim(second, index=2))
        market.offer(OTHER.replace("v2", "v3"), bare)
        return Query.from_json(SEARCH)
    if kind == "none":
        return Query.from_json({"capability": "Payroll"})
    return Query.exact(MISSING if kind == "missing" else NAME, trace=kind == "traced")


def _cosign(receipt: JsonObject, at: int) -> None:
    note = receipt["checkpoint"]
    checkpoint, _ = parse_checkpoint(note)
    receipt["checkpoint"] = add_signatures(note, [cosign(checkpoint, WITNESS, at)])


def refused(code: str) -> bool:
    """The codes that an altered answer is refused with."""
    own = code.startswith(("ans-", "log-")) or code == "unknown-version"
    return own or (code in CODES and issubclass(CODES[code].cls, Malformed))


@pytest.mark.parametrize("kind", KINDS)
def test_a_true_answer_is_believed_whole_and_as_jws(kind: str) -> None:
    true = given_answer(kind)
    assert true.code(true.answer) == ""
    assert true.code(true.jws) == ""
    status = {"missing": "not-found", "none": "not-found", "suspended": "suspended",
              "revoked": "gone", "expired": "gone"}.get(kind, "success")  # fmt: skip
    assert true.answer["resolutionStatus"] == status
    assert ("trace" in true.answer) == (kind in ("traced", "search"))
    assert len(true.answer["resolvedAgents"]) == (2 if kind == "search" else status == "success")


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_answers_no_question_of_another_kind(kind: str) -> None:
    true = given_answer(kind)
    for other in KINDS:
        foreign = given_answer(other).query
        if foreign != true.query:
            assert Given(true.answer, foreign, true.trust, true.at, "").code(true.answer) == (
                "ans-signature"
            )


# --- members ------------------------------------------------------------------------------------


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value below a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in items:
        yield (*at, name)
        if isinstance(member, dict | list):
            yield from places(member, (*at, name))


def parent(value: Any, at: tuple[Any, ...]) -> Any:
    """What holds the value at a path."""
    for name in at[:-1]:
        value = value[name]
    return value


def dropped(holder: Any, name: Any) -> None:
    del holder[name]


def changed(holder: Any, name: Any) -> None:
    holder[name] = 2 if holder[name] != 2 else 3


def emptied(holder: Any, name: Any) -> None:
    holder[name] = type(holder[name])() if holder[name] else [0]


def added(holder: Any, name: Any) -> None:
    if isinstance(holder, list):
        holder.insert(name, holder[name])
    else:
        holder[f"{name}2"] = holder[name]


def swapped(holder: Any, name: Any) -> None:
    names = list(holder) if isinstance(holder, dict) else range(len(holder))
    other = next((one for one in names if holder[one] != holder[name]), None)
    if other is None:
        del holder[name]
    else:
        holder[name], holder[other] = holder[other], holder[name]


def nulled(holder: Any, name: Any) -> None:
    holder[name] = None


def respelled(holder: Any, name: Any) -> None:
    """The same value to Python, or to a careless reader, and other bytes."""
    value = holder[name]
    if isinstance(value, bool):
        holder[name] = int(value)
    elif isinstance(value, int):
        holder[name] = bool(value) if value in (0, 1) else float(value)
    elif isinstance(value, str):
        holder[name] = value.swapcase() if value.swapcase() != value else value + " "
    elif isinstance(value, list):
        holder[name] = dict(enumerate(map(str, value))) if value else {}
    else:
        holder[name] = [value]


CHANGES = [dropped, changed, emptied, added, swapped, nulled, respelled]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_member_may_change_come_go_or_move(
    kind: str, change: Callable[[Any, Any], None]
) -> None:
    true = given_answer(kind)
    for at in places(true.answer):
        altered = copy.deepcopy(true.answer)
        change(parent(altered, at), at[-1])
        if _bytes(altered) == canonical(true.answer):
            assert change is respelled  # 60.0 is written 60
            continue
        code = true.code(altered)
        assert refused(code), (at, code)


def _bytes(value: Any) -> bytes | None:
    try:
        return canonical(value)
    except Error:
        return None


# --- bytes --------------------------------------------------------------------------------------


def _classes(text: bytes) -> Iterator[int]:
    """Of each run of word characters the first, middle and last byte, and each byte between."""
    start = 0
    for at in range(len(text) + 1):
        if at == len(text) or not (text[at : at + 1].isalnum() or text[at] in b"_-+/="):
            yield from {start, (start + at) // 2, at - 1} if at > start else ()
            if at < len(text):
                yield at
            start = at + 1


@pytest.mark.parametrize("kind", KINDS)
def test_no_flipped_byte_is_believed(kind: str) -> None:
    true = given_answer(kind)
    good = canonical(true.answer)
    for at in _classes(good):
        for mask in (1, 32):
            value = bytearray(good)
            value[at] ^= mask
            try:
                altered = parse(bytes(value), size=1 << 20)
            except Error as exc:
                assert refused(exc.code), (at, exc.code)
                continue
            if canonical(altered) != good:  # else white space, or an escape of the same text
                assert refused(true.code(altered)), (at, mask, good[at - 20 : at + 20])


@pytest.mark.parametrize("kind", ["exact", "search", "suspended", "missing"])
def test_no_flipped_byte_of_the_jws_is_believed(kind: str) -> None:
    true = given_answer(kind)
    dots = [at for at, one in enumerate(true.jws) if one == "."]
    ends = {0, 1, *(d + k for d in dots for k in (-1, 0, 1)), len(true.jws) - 1}
    for at in ends | set(range(0, len(true.jws), 37)):
        for other in "A_.= \x00é":
            if true.jws[at] != other:
                code = true.code(true.jws[:at] + other + true.jws[at + 1 :])
                assert refused(code) or code == "suite", (at, other, code)


def test_a_jws_is_the_registrys_own_and_of_its_kind() -> None:
    true = given_answer("exact")
    head, payload, signature = true.jws.split(".")
    mine = PrivateKey(b"\x09" * 32)
    for header in (
        {"alg": "EdDSA", "kid": did.vm_of(did.check(true.trust.id)), "typ": "ans-answer+jwt"},
        {"alg": "none", "kid": did.vm_of(did.check(true.trust.id)), "typ": "ans-answer+jwt"},
        {"alg": "EdDSA", "kid": did.vm_of(did.from_key(mine.public)), "typ": "ans-answer+jwt"},
        {"alg": "EdDSA", "kid": did.vm_of(did.check(true.trust.id)), "typ": "vc+jwt"},
    ):
        message = f"{b64u_encode(canonical(header))}.{payload}"
        for sealed in (b64u_encode(mine.sign(message.encode())), signature, ""):
            code = true.code(f"{message}.{sealed}")
            honest = f"{message}.{sealed}" == true.jws
            assert (code == "") if honest else (refused(code) or code == "suite"), header
    assert true.code(f"{head}.{payload}.{signature}") == ""
    assert refused(true.code(canonical(true.answer).decode()))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(KINDS), st.data())
def test_no_altered_byte_is_ever_believed(kind: str, data: st.DataObject) -> None:
    true = given_answer(kind)
    good = canonical(true.answer)
    value = bytearray(good)
    value[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        altered = parse(bytes(value), size=1 << 20)
    except Error:
        return
    if canonical(altered) != good:
        assert refused(true.code(altered))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
)


@settings(max_examples=400, deadline=None)
@given(JUNK, st.sampled_from(KINDS), st.data())
def test_any_value_in_any_place_is_refused_with_a_code(
    junk: Any, kind: str, data: st.DataObject
) -> None:
    true = given_answer(kind)
    altered = copy.deepcopy(true.answer)
    at = data.draw(st.sampled_from([(), *places(altered)]))
    if at:
        parent(altered, at)[at[-1]] = junk
    value = altered if at else junk
    if _bytes(value) != canonical(true.answer):
        assert true.code(value) != ""


def test_a_line_by_a_stranger_below_a_checkpoint_changes_nothing() -> None:
    """As C2SP signed-note demands; what it says is part of no proof."""
    true = given_answer("exact")
    answer = copy.deepcopy(true.answer)
    receipt = answer["resolvedAgents"][0]["receipt"]
    checkpoint, _ = parse_checkpoint(receipt["checkpoint"])
    stranger = NoteSigner("x.example/two", PrivateKey(b"\x08" * 32), COSIGNATURE)
    receipt["checkpoint"] = add_signatures(
        receipt["checkpoint"], [cosign(checkpoint, stranger, true.at)]
    )
    assert true.code(answer) == ""
    without = receipt["checkpoint"].splitlines(keepends=True)
    receipt["checkpoint"] = "".join(one for one in without if "w.example" not in one)
    assert true.code(answer) == "log-witness"

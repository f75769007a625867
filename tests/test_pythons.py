"""Every Python gives the same answers, to the byte: 3.11, 3.12 and 3.13 are asked (`make pythons`).

Where the standard library itself differs and the core still leans on it, the test is marked: it
fails, and says so when it no longer does.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

import pythons
from corpus import built, corpus
from delegant.credentials import canonical, digest
from draft import Draft
from pythons import Python

pytestmark = pytest.mark.pythons

ANSWERS = Path(__file__).parent / "answers.py"
NEW_IN_UNICODE_15 = "\U0001fae8"
NEW_IN_UNICODE_15_1 = "\u2ffc"
PERCENT = {"a letter with a plain form": "%F0%9E%80%B0", "a control nobody sees": "%F0%93%90%B9"}
"""Encoded characters that Unicode 15.0 added; before, they were nobody's."""
NOT_JSON = ['{"a":1,}', "[1,]", '{"a" 1}', '{"a":}', "{,}", '{"a":1', '"abc', '{"a":"\n"}', "nul",
            '{"a":"\\x"}', '{"a":"\\u12"}', "[1 2]", "-", "01", '{"a":1}}', "{1:2}", "1.", "1e",
            "{'a':1}", '{"a":-}', "[,1]", "\x00", "Infinity", "1_0", '"\\ud800"']  # fmt: skip


@pytest.fixture(scope="module")
def all_pythons() -> list[Python]:
    """Every interpreter that can be asked; at least two versions, or there is nothing to say."""
    found: list[Python] = []
    missing: list[str] = []
    for name in pythons.names():
        try:
            found.append(pythons.python(name))
        except pythons.Missing as exc:
            missing.append(str(exc))
    if len({one.version[:2] for one in found}) < 2:
        pytest.skip("; ".join(missing) or "one version of Python is no comparison")
    try:
        for one in found:
            one.make()
    except pythons.Missing as exc:
        pytest.skip(str(exc))
    return found


@pytest.mark.parametrize("name", pythons.names())
def test_interpreter_is_there_and_new_enough(name: str) -> None:
    try:
        found = pythons.python(name)
    except pythons.Missing as exc:
        pytest.skip(str(exc))
    assert found.version >= (3, 11)


def need_both_sides_of(version: tuple[int, int], each: list[Python]) -> None:
    """Skip unless some are older than this version and some are not."""
    if len({one.version >= version for one in each}) < 2:
        pytest.skip(f"needs a Python before {version[0]}.{version[1]}, and one not before it")


def said(each: list[Python], inputs: list[tuple[bytes, bytes, int]], folder: Path) -> list[str]:
    """What each of them says of all inputs, as text."""
    rows = [[base64.b64encode(b).decode(), base64.b64encode(t).decode(), at]
            for b, t, at in inputs]  # fmt: skip
    path = folder / "inputs.json"
    path.write_text(json.dumps(rows), "ascii")
    return [one.run(ANSWERS, path, seed=str(7 * n)) for n, one in enumerate(each)]


def request(**facts: Any) -> tuple[bytes, bytes, int]:
    """An honest bundle whose request has some more facts."""

    def alter(d: Draft) -> None:
        d.request |= facts
        d.claims["request"] = digest(canonical(d.request))  # whatever this Python thinks of it

    item = built("request", alter, 3, "accepted", None)
    return item.bundle, item.trust, item.at


def resource(segment: str) -> tuple[bytes, bytes, int]:
    """An honest bundle that grants one more resource all the way down."""

    def alter(d: Draft) -> None:
        d.grant_all("db.read", f"https://papers.example/{segment}")

    item = built("resource", alter, 3, "accepted", None)
    return item.bundle, item.trust, item.at


def test_every_bundle_gets_the_same_answer(all_pythons: list[Python], tmp_path: Path) -> None:
    inputs = [(item.bundle, item.trust, item.at) for item in corpus()]
    first, *others = said(all_pythons, inputs, tmp_path)
    answers = json.loads(first)
    assert [(one["state"], one["code"]) for one in answers] == [
        (item.state, item.code) for item in corpus()
    ]
    assert others == [first] * len(others)


def test_what_is_no_json_is_so_everywhere(all_pythons: list[Python], tmp_path: Path) -> None:
    inputs = [(text.encode(), b"{}", 0) for text in NOT_JSON]
    answers = [json.loads(text) for text in said(all_pythons, inputs, tmp_path)]
    codes = [[(one["state"], one["code"]) for one in each] for each in answers]
    assert codes == [codes[0]] * len(codes)
    assert {state for state, _ in codes[0]} == {"malformed"}


def test_what_is_no_json_is_told_in_the_same_words(
    all_pythons: list[Python], tmp_path: Path
) -> None:
    need_both_sides_of((3, 13), all_pythons)
    inputs = [(text.encode(), b"{}", 0) for text in NOT_JSON]
    first, *others = said(all_pythons, inputs, tmp_path)
    assert others == [first] * len(others)


def test_text_of_old_is_judged_alike(all_pythons: list[Python], tmp_path: Path) -> None:
    texts = ["Größe", "研究", "🔬", "\u200b", "\u00a0", "a\u0301", "\ufdd0", "\ue000", "\u2028"]
    paths = ["%C3%A9", "e%CC%81", "%E2%80%8B", "%EF%BC%8E", "%E7%A0%94", "%F0%9F%94%AC"]
    inputs = [request(purpose=text) for text in texts] + [resource(path) for path in paths]
    first, *others = said(all_pythons, inputs, tmp_path)
    assert {one["state"] for one in json.loads(first)} == {"accepted", "malformed"}
    assert others == [first] * len(others)


def states(each: list[Python], one: tuple[bytes, bytes, int], folder: Path) -> list[str]:
    return [json.loads(text)[0]["state"] for text in said(each, [one], folder)]


@pytest.mark.parametrize(
    ("text", "since"), [(NEW_IN_UNICODE_15, (3, 12)), (NEW_IN_UNICODE_15_1, (3, 13))], ids=ascii
)
def test_text_of_today_is_judged_alike(
    all_pythons: list[Python], text: str, since: tuple[int, int], tmp_path: Path
) -> None:
    need_both_sides_of(since, all_pythons)
    assert len(set(states(all_pythons, request(purpose=text), tmp_path))) == 1


@pytest.mark.parametrize("what", sorted(PERCENT))
def test_resource_of_today_is_judged_alike(
    all_pythons: list[Python], what: str, tmp_path: Path
) -> None:
    need_both_sides_of((3, 12), all_pythons)
    assert len(set(states(all_pythons, resource(PERCENT[what]), tmp_path))) == 1


# --- limbo ------------------------------------------------------------------------------------

WRONG = """
import sys
from pathlib import Path
from delegant.cli.limbo import client
from delegant.cli.limbo.cases import load
cases = load(Path(sys.argv[1]))
said = [(case, client.answer(case.question)) for case in cases]
right = [(one.state, one.code, one.link) == (case.state, case.code, case.link)
         for case, one in said]
print(len(cases), [case.id for case, good in zip(cases, right) if not good])
"""


def test_every_case_of_limbo_gets_its_answer(all_pythons: list[Python]) -> None:
    cases = Path(__file__).parent / "limbo" / "cases"
    for one in all_pythons:
        number, wrong = one.run("-c", WRONG, cases).split(maxsplit=1)
        assert int(number) > 3000
        assert wrong.strip() == "[]", one.version


# --- issuing ---------------------------------------------------------------------------------

ISSUED = """
from world import World, research_chain
world = World()
links, parties = research_chain(world)
print(*[link.digest for link in links], parties["ana"].credential.secured.digest,
      *[p.identity.secured.digest for p in parties.values() if p.identity])
print(world.status_list().secured.digest)
"""


def test_what_is_issued_from_the_same_inputs_has_the_same_bytes(all_pythons: list[Python]) -> None:
    chains = {one.run("-c", ISSUED).splitlines()[0] for one in all_pythons}
    assert len(chains) == 1


def test_status_list_has_the_same_bytes(all_pythons: list[Python]) -> None:
    need_both_sides_of((3, 13), all_pythons)
    lists = {one.run("-c", ISSUED).splitlines()[1] for one in all_pythons}
    assert len(lists) == 1

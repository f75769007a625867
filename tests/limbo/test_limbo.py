"""Every case gets its one right answer, for its own reason, beside a twin that passes."""

from __future__ import annotations

import json
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from delegant import schemas
from delegant.cli.limbo import client
from delegant.cli.limbo.cases import Case, load, read, xfails
from delegant.cli.limbo.targets import Library
from delegant.credentials import CODES, Error, Request, Trust, explain
from delegant.credentials.shape import time
from limbo.build import CASES, collect, faults, written
from limbo.shared import Blobs

FILES = sorted(CASES.glob("*.json"))
NAMES = [path.stem for path in FILES]
KNOWN = xfails(CASES.parent / "delegant.xfails")
OF_OTHERS = {"replay", "issuer-not-accredited", "policy", "policy-deferred"}
"""Codes of the verifier's phases that no chain is ever refused with."""


@cache
def every() -> dict[str, Case]:
    """All cases by id."""
    return {case.id: case for case in load(CASES)}


def of(namespace: str) -> list[Case]:
    """The cases of one namespace."""
    return [case for case in every().values() if case.namespace == namespace]


@cache
def answered(id_: str) -> tuple[str, str | None, int | None]:
    """The library's word on one case."""
    said = client.answer(every()[id_].question)
    return said.state, said.code, said.link


def test_there_are_enough_of_them_and_of_every_kind() -> None:
    states = Counter(case.state for case in every().values())
    assert len(every()) >= 600
    assert set(states) == {"accepted", "rejected", "undecided", "malformed"}
    assert min(states.values()) >= 40
    assert set(NAMES) == {case.namespace for case in every().values()}
    assert min(len(of(name)) for name in NAMES) >= 30


def test_every_code_of_the_verifier_has_a_case() -> None:
    known = {code.name for code in CODES.values() if code.phase} - OF_OTHERS
    met = {case.code for case in every().values() if case.code is not None}
    assert known - met == set()
    assert met - known == set()


def test_the_rows_are_sound() -> None:
    assert faults(collect()) == []


@pytest.mark.parametrize("namespace", NAMES)
def test_the_data_are_what_the_rows_give(namespace: str) -> None:
    assert written(namespace, collect()[namespace]) == (CASES / f"{namespace}.json").read_text()


@pytest.mark.parametrize("namespace", NAMES)
def test_the_data_fit_their_schema(namespace: str) -> None:
    document = json.loads((CASES / f"{namespace}.json").read_bytes())
    assert schemas.validate("limbo", document) == []
    assert document["namespace"] == namespace


@pytest.mark.parametrize("namespace", NAMES)
def test_every_case_gets_its_answer(namespace: str) -> None:
    wrong = {
        case.id: (answered(case.id), (case.state, case.code, case.link))
        for case in of(namespace)
        if answered(case.id) != (case.state, case.code, case.link)
    }
    assert wrong == {}


@pytest.mark.parametrize("namespace", NAMES)
def test_no_refusal_is_for_nothing(namespace: str) -> None:
    for case in of(namespace):
        if case.state != "accepted":
            assert case.twin is not None, case.id
            assert answered(case.twin) == ("accepted", None, None), (case.id, case.twin)


@pytest.mark.parametrize("namespace", NAMES)
def test_explain_and_verify_agree(namespace: str) -> None:
    for case in of(namespace):
        asked = case.question
        try:
            trust, request = (
                Trust.from_json(client.trust_of(asked)),
                Request.from_json(asked.request),
            )
        except Error:
            continue
        told = explain(
            asked.presentation,
            asked.evidence,
            trust,
            request,
            at=time(asked.at, "at"),
            nonce=asked.nonce,
        ).verdict
        assert (told.state, told.code, told.link) == answered(case.id), case.id


def test_no_two_refusals_ask_the_same() -> None:
    """Each namespace has honest chains of its own, and an incident may be another case's story."""
    asked: dict[str, list[str]] = {}
    for case in every().values():
        if case.state != "accepted" and case.namespace != "incident":
            asked.setdefault(case.question.line, []).append(case.id)
    assert [ids for ids in asked.values() if len(ids) > 1] == []


@pytest.mark.parametrize("case", of("dos"), ids=lambda case: case.id)
def test_costs_keep_their_ceilings(case: Case) -> None:
    said = Library().answer(case)
    assert said.ms is not None
    assert said.chain is not None
    assert said.evidence is not None
    assert said.chain <= 48
    assert said.evidence <= 48
    if case.most_signatures is not None:
        assert said.chain + said.evidence <= case.most_signatures
    if case.id not in KNOWN and sys.gettrace() is None:  # a tracer slows what it looks at
        assert case.most_ms == 50
        assert said.ms <= case.most_ms


def test_the_counting_of_signatures_counts() -> None:
    said = Library().answer(every()["happy::honest::three-links"])
    assert (said.chain, said.evidence) == (4, 5)
    said = Library().answer(every()["happy::form::all-jwt"])
    assert (said.chain, said.evidence) == (3, 4)


def test_what_is_known_to_fail_exists_and_is_little() -> None:
    assert every().keys() >= KNOWN
    assert len(KNOWN) <= 1


def test_shared_bytes_are_read_as_they_were_written(tmp_path: Path) -> None:
    texts = [
        b"",
        bytes(range(256)) * 2,
        bytes(range(256)) + b"new" + bytes(range(256)),
        b"x" * 40_000,
        b"head" + b"ab" * 40_000 + b"tail",
        bytes(range(200)) * 300,
    ]
    blobs = Blobs()
    names = [blobs.put(text) for text in texts]
    case = next(iter(of("happy")))
    document = json.loads((CASES / "happy.json").read_bytes())
    (row,) = [row for row in document["cases"] if row["id"] == case.id]
    rows = [row | {"presentation": name, "evidence": name} for name in names]
    document |= {"blobs": blobs.written, "cases": rows}
    assert schemas.validate("limbo", document) == []
    (tmp_path / "happy.json").write_text(json.dumps(document))
    assert [one.question.presentation for one in read(tmp_path / "happy.json")] == texts
    assert sum(len(json.dumps(one)) for one in blobs.written.values()) < 15_000

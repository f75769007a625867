"""Every check of the verifier is needed by a case, and every refusal of the core is met by one."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from pathlib import Path

from delegant.cli.limbo.cases import Case, load
from delegant.credentials import CODES
from limbo.necessity import Check, answer, checks, core, matrix, refused_by, without
from limbo.switches import BESIDES, ELSEWHERE, INSTEAD, SHARPER

HERE = Path(__file__).resolve().parent
NOT_HERE = {"replay", "issuer-not-accredited", "policy", "policy-deferred"}
"""Codes of the phases that no presentation is refused with: the enforcement point's own
transaction raises one, and whoever judges an attestation the other."""
LEAST = 3
FEW = {"limit-depth", "limit-links", "limit-members", "empty-array", "root-untrusted"}
"""Needed by two cases: what else is so large, empty or foreign is wrong in another way as well."""


@cache
def every() -> list[Case]:
    return load(HERE / "cases")


@cache
def needed() -> dict[str, list[str]]:
    return matrix(every())


@cache
def met() -> dict[Check, list[Case]]:
    return refused_by(every())


def test_every_check_of_the_design_is_switched_off_once() -> None:
    design = (HERE.parent.parent / "DESIGN.md").read_text("utf-8")
    section = design.split("## The checks")[1].split("\n## ")[0]
    listed = {
        f"{phase} {code}"
        for phase, line in re.findall(r"^([0-9]+)\. (.*)$", section, re.MULTILINE)
        for code in re.findall(r"`([a-z0-9-]+)`", line)
        if code not in NOT_HERE
    }
    assert set(needed()) == listed
    assert len(listed) > 60
    assert {name.split()[1] for name in needed()} <= set(CODES)


def test_every_check_has_cases_that_need_it() -> None:
    few = {name: ids for name, ids in needed().items() if len(ids) < LEAST}
    assert {name.split()[1] for name in few} <= FEW, few
    assert all(few.values()), few


def test_every_refusal_of_the_core_is_met_by_a_case() -> None:
    unmet = {check.name for check, cases in met().items() if not cases}
    assert unmet == set(ELSEWHERE)


def test_every_refused_case_is_refused_by_a_check() -> None:
    refused = {case.id for case in every() if case.state != "accepted"}
    by_a_check = {case.id for cases in met().values() for case in cases}
    assert refused == by_a_check
    wrong = {
        case.id: check.name
        for check, cases in met().items()
        for case in cases
        if check.code != case.code
    }
    assert wrong == {}


def test_switches_are_of_checks_that_exist() -> None:
    names = {check.name for check in checks().values()}
    assert set(INSTEAD) <= names
    assert set(ELSEWHERE) <= names
    codes = {check.code for check in checks().values()}
    assert set(SHARPER) | set(BESIDES) <= codes
    for others in SHARPER.values():
        assert set(others) <= codes


def test_core_with_nothing_switched_off_answers_as_ever() -> None:
    with core() as package:
        for case in every()[::29]:
            state, refusal = answer(package, case)
            assert (state, getattr(refusal, "code", None)) == (case.state, case.code)


def test_core_comes_back_whole() -> None:
    import delegant.credentials as before

    one = next(check for check in checks().values() if check.code == "proof")
    with suppress(ZeroDivisionError), core(without([one])) as package:
        assert package is not before
        raise ZeroDivisionError
    import delegant.credentials as after

    assert after is before

"""Attestations at the edges of what they may be: one step on, and they do not count."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from delegant.credentials import (
    Evidence,
    PrivateKey,
    Trust,
    check_attestation,
    issue_status_list,
    parse_agent_attestation,
)
from delegant.credentials.attestation import ATTESTATION_HARD_SECONDS
from delegant.credentials.did import from_key
from delegant.credentials.envelope import unpack
from refusal import refusal
from world import LIST, T0, Party, World

SOX = "SOXComplianceCertified"
YEAR = 366 * 86_400


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def bot(world: World) -> Party:
    return world.agent("bot", world.human("ana"))


def judged(world: World, made: Any, **more: Any) -> str:
    value = world.trust_json
    value["anchors"][0]["accredits"] = [SOX]
    evidence = more.pop("evidence", None) or world.evidence()
    given = {"at": T0} | more
    return refusal(lambda: check_attestation(made, evidence, Trust.from_json(value), **given))


def read(world: World, bot: Party, change: Callable[[Any], object]) -> str:
    """The code the parser refuses a changed block with."""
    raw: Any = copy.deepcopy(world.attestation(bot, scope="s").secured.raw)
    change(raw["credentialSubject"]["attestation"])
    return refusal(lambda: parse_agent_attestation(unpack(raw)))


@pytest.mark.parametrize("other", ["A", "SOX", f"{SOX}2", "Z"])
def test_another_claim_or_subject_is_not_the_one_asked_for(
    world: World, bot: Party, other: str
) -> None:
    made = world.attestation(bot)
    assert judged(world, made, wanted=SOX, subject=bot.did) == ""
    assert judged(world, made, wanted=other) == "not-attested"
    assert judged(world, made, subject=f"did:key:{other}") == "not-attested"
    assert judged(world, made, subject=f"did:key:z{other}") == "not-attested"


def test_its_year_and_its_end_are_judged_whatever_its_parser_let_pass(
    world: World, bot: Party
) -> None:
    made = world.attestation(bot)
    assert ATTESTATION_HARD_SECONDS == YEAR
    for seconds, code in ((YEAR, ""), (YEAR + 1, "ttl-too-long"), (3 * YEAR, "ttl-too-long")):
        assert judged(world, replace(made, valid_until=made.valid_from + seconds)) == code
    over = replace(made, valid_until=T0 - 1)
    assert judged(world, over) == "expired"
    assert judged(world, replace(made, status=None)) == "status-missing"


def test_a_list_counts_only_under_its_authority_s_name_and_key(world: World, bot: Party) -> None:
    made = world.attestation(bot)
    before, after = _around(made.authority)
    for key in (before, after):
        foreign = issue_status_list(
            key, url=LIST, authority=from_key(key.public), bits=bytes(16 * 1024),
            valid_from=T0, valid_until=T0 + 60,
        )  # fmt: skip
        evidence = Evidence(status_lists=[foreign.secured.raw])
        assert judged(world, made, evidence=evidence) == "status-unknown"
    listed: Any = copy.deepcopy(world.evidence().json["statusLists"][0])
    assert judged(world, made, evidence=Evidence(status_lists=[listed])) == ""
    value = listed["proof"]["proofValue"]
    listed["proof"]["proofValue"] = value[:-1] + ("2" if value[-1] != "2" else "3")
    assert judged(world, made, evidence=Evidence(status_lists=[listed])) == "proof"


def _around(name: str) -> tuple[PrivateKey, PrivateKey]:
    """Two keys whose DIDs sort before and after a name."""
    found: dict[bool, PrivateKey] = {}
    for _ in range(1000):
        key = PrivateKey.generate()
        found.setdefault(from_key(key.public) > name, key)
        if len(found) == 2:
            break
    return found[False], found[True]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda block: block.update(scope="s" * 1024), ""),
        (lambda block: block.update(scope="s" * 1025), "shape"),
        (lambda block: block.update(type="a" * 128), ""),
        (lambda block: block.update(type="a" * 129), "shape"),
        (lambda block: block.update(type="1SOX"), "shape"),
        (lambda block: block.update(type=None), "shape"),
        (lambda block: block.update(more=1), "unknown-member"),
        (lambda block: block.pop("version"), "shape"),
        (lambda block: block.update(version=2), "unknown-version"),
        (lambda block: block["status"].update(key="k" * 128), ""),
        (lambda block: block["status"].update(key="k" * 129), "shape"),
        (lambda block: block["status"].update(more=1), "unknown-member"),
    ],
)
def test_each_member_is_held_to_its_form(
    world: World, bot: Party, change: Callable[[Any], object], code: str
) -> None:
    assert read(world, bot, change) == code

"""The schemas and the parser accept the same documents.

Thousands of documents, each one change away from an honest one, are given to both. They may
differ only by the rules in `schemas.rules`.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from delegant import schemas
from delegant.credentials import Error
from delegant.credentials.attestation import parse_agent_attestation
from delegant.credentials.credential import parse_human_sponsor, parse_link
from delegant.credentials.envelope import unpack
from delegant.credentials.identity import parse_agent_identity
from delegant.credentials.shape import visible
from schemas.full import FULL, Document, as_jwt, constrained
from schemas.mutate import Mutant, mutants
from schemas.rules import RULES, Rule, excuses

PARSERS = {
    "agent-delegation": parse_link,
    "human-sponsor": parse_human_sponsor,
    "agent-identity": parse_agent_identity,
    "agent-attestation": parse_agent_attestation,
}
FORMS = ("di", "jwt")
CASES = [(kind, form) for kind in FULL for form in FORMS]
EVERY = {"di": 1, "jwt": 17}
"""One in so many of the changes is tried, and every removal. The second form wraps the same."""
CONSTRAINTS = ("credentialSubject", "delegation", "constraints")


def parser_accepts(kind: str, form: str, document: Document) -> bool:
    """Phases 2 and 3 of the verifier, for one credential."""
    try:
        PARSERS[kind](unpack(document if form == "di" else as_jwt(document)))
    except Error:
        return False
    return True


def schema_accepts(kind: str, document: Document) -> bool:
    """The schema's word."""
    return schemas.accepts(kind, document)


def changed(kind: str, form: str) -> Iterator[Mutant]:
    """Everything to compare for one credential in one form."""
    met: set[str] = set()
    every = mutants(FULL[kind](), met)
    if kind == "agent-delegation":
        walks = (mutants(one, met, below=CONSTRAINTS) for one in constrained())
        every = itertools.chain(every, *walks)
    for turn, (label, document) in enumerate(every):
        if turn % EVERY[form] and not label.endswith("removed"):
            continue
        if form == "jwt":
            document.pop("proof", None)
        yield label, document


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_one_change_is_judged_alike(kind: str, form: str) -> None:
    count = {"both": 0, "neither": 0, "excused": 0}
    unexplained: list[str] = []
    for label, document in changed(kind, form):
        schema, parser = schema_accepts(kind, document), parser_accepts(kind, form, document)
        if schema == parser:
            count["both" if schema else "neither"] += 1
        elif schema and excuses(kind, form, document):
            count["excused"] += 1
        else:
            unexplained.append(f"only the {'schema' if schema else 'parser'} accepts: {label}")
    assert unexplained == []
    assert min(count["both"], count["neither"]) > 50, count
    assert sum(count.values()) > 200, count


# Of each rule one document that is wrong by it alone: kind, place, value.
ALONE: dict[str, tuple[str, str, Any]] = {
    "one-proof": ("agent-delegation", "proof", None),
    "whole-number": ("agent-delegation", "credentialSubject.delegation.depth", 1.0),
    "validity": ("human-sponsor", "validUntil", "FROM"),
    "created": ("human-sponsor", "proof.created", "2001-01-01T00:00:00Z"),
    "status-pair": ("human-sponsor", "credentialStatus.1.statusListIndex", "1"),
    "signature-length": ("agent-identity", "proof.proofValue", "z" + "2" * 70),
    "unseen-character": ("human-sponsor", "credentialSubject.humanSponsor.key", "a\U000e0041"),
    "approval-threshold": (
        "agent-delegation", "credentialSubject.delegation.constraints",
        {"approval": {"threshold": 2, "by": ["did:web:a"]}},
    ),
    "range-order": (
        "agent-delegation", "credentialSubject.delegation.constraints",
        {"arguments": {"a": {"range": {"min": 2, "max": 1}}}},
    ),
    "hours-order": (
        "agent-delegation", "credentialSubject.delegation.constraints",
        {"hours": [["08:00", "12:00"], ["12:00", "13:00"]]},
    ),
    "network-spelling": (
        "agent-delegation", "credentialSubject.delegation.constraints", {"network": ["10.0.0.1/8"]},
    ),
    "resource-normal-form": (
        "agent-delegation", "credentialSubject.delegation.grants.0.resources.0", "https://h/e%CC%81",
    ),
    "identity-shared": ("agent-identity", "credentialSubject.agentIdentity.parent", "SUBJECT"),
    "identity-expires": (
        "agent-identity", "credentialSubject.agentIdentity.expires", "2026-09-30T00:00:00Z",
    ),
    "attestation-own": ("agent-attestation", "issuer", "SUBJECT"),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_is_still_one_no_schema_states(rule: Rule) -> None:
    kind, place, value = ALONE[rule.name]
    document = FULL[kind]()
    words = {"FROM": document["validFrom"], "SUBJECT": document["credentialSubject"]["id"]}
    assert parser_accepts(kind, "di", document)
    *way, last = (int(step) if step.isdigit() else step for step in place.split("."))
    holder: Any = document
    for step in way:
        holder = holder[step]
    if value is None:
        del holder[last]
    else:
        holder[last] = words.get(value, value) if isinstance(value, str) else value

    assert schemas.validate(kind, document) == []
    assert not parser_accepts(kind, "di", document)
    if rule.name != "validity":  # a proof cannot be inside a validity that is none
        assert excuses(kind, "di", document) == [rule.name]


def test_the_pattern_of_text_and_the_parser_hide_the_same() -> None:
    pattern = re.compile(schemas.load("common")["$defs"]["printable"]["pattern"])
    refused = {n for n in range(0x10000) if not pattern.search(chr(n))}
    assert refused == {n for n in range(0x10000) if not visible(chr(n))}


def test_what_is_hidden_is_what_nobody_should_see() -> None:
    """Of what every Python's Unicode knows: controls, format, private and odd spaces, no more."""
    kinds = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"}
    for number in range(0x110000):
        letter = chr(number)
        old, new = unicodedata.ucd_3_2_0.category(letter), unicodedata.category(letter)
        if old == "Cn":
            continue  # it may be assigned in this Python, or not yet
        assert visible(letter) == (new not in kinds or letter == " "), hex(number)


@pytest.mark.parametrize("kind", FULL)
def test_a_proof_stands_inside_or_around_and_never_both(kind: str) -> None:
    document = FULL[kind]()
    assert schema_accepts(kind, document)
    assert not parser_accepts(kind, "jwt", document)
    assert excuses(kind, "jwt", document) == ["one-proof"]


def test_every_rule_has_its_document() -> None:
    assert list(ALONE) == [rule.name for rule in RULES]

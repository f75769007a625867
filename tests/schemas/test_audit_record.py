"""The schema of audit records and their parser accept the same documents."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from delegant import schemas
from delegant.credentials import CODES, Error, canonical
from delegant.credentials.codec import JsonObject
from delegant.credentials.shape import time
from delegant.governance.record import parse_record
from governance.samples import (
    BEN,
    intent,
    notice,
    outcome,
    prune,
    refusal,
    told,
    unproven,
)
from governance.samples import (
    event as an_event,
)
from schemas.mutate import mutants, places

KIND = "audit-record"
KEPT = 184 * 86_400
EVERY = 7
"""One in so many of the changes is tried, and every removal."""
ABSENT = object()

FULL: dict[str, Callable[[], JsonObject]] = {
    "intent": intent,
    "outcome": outcome,
    "refusal": refusal,
    "unproven": unproven,
    "prune": lambda: notice(what=prune([0, 3], [5, 6])),
    "hold": notice,
    "lift": lambda: notice(what={"kind": "lift", "hold": an_event(7)}),
}

RIGHT: tuple[tuple[str, str, Any], ...] = (
    ("intent", "previous", None),
    ("intent", "agentAnsName", None),
    ("intent", "evidence", None),
    ("intent", "initiation", None),
    ("intent", "collaborationContext", None),
    ("intent", "decision", "modify"),
    ("intent", "spent", []),
    ("intent", "policyId", None),
    ("outcome", "settled", []),
    ("outcome", "outcome", {"status": "released"}),
    ("outcome", "outcome", {"status": "failure", "code": "unavailable"}),
    ("outcome", "outcome.rows", 0),
    ("refusal", "link", None),
    ("refusal", "dimension", None),
    ("refusal", "decision", "step_up"),
    ("unproven", "sponsorDid", None),
    ("unproven", "agentDid", None),
    ("unproven", "action", None),
    ("unproven", "phase", 0),
    ("prune", "notice.before", "2026-03-21T14:13:20Z"),
    ("prune", "notice.entries", [[0, 1]]),
    ("prune", "notice.entries", [[2**53 - 2, 2**53 - 1]]),
)

WRONG: tuple[tuple[str, str, Any], ...] = (
    # nobody answers for it
    ("intent", "sponsorDid", None),
    ("outcome", "sponsorDid", None),
    ("refusal", "sponsorDid", None),
    ("hold", "sponsorDid", None),
    ("intent", "sponsorDid", ABSENT),
    ("unproven", "sponsorDid", ABSENT),
    # nothing leads from the human to the act
    ("intent", "chain", []),
    ("intent", "grantId", None),
    ("intent", "agentDid", None),
    ("outcome", "agentDid", None),
    ("refusal", "chain", []),
    ("refusal", "invocation", None),
    ("refusal", "action", None),
    # what belongs beside the log
    ("intent", "salt", "AAAAAAAAAAAAAAAAAAAAAA"),
    ("intent", "request", {"action": "db.read"}),
    ("outcome", "chain", []),
    ("outcome", "outcome.result", "42"),
    ("refusal", "spent", []),
    ("unproven", "spent", []),
    ("hold", "notice.reason", "the case"),
    ("lift", "notice.reason", "settled"),
    # a decision of another type
    ("intent", "decision", "deny"),
    ("refusal", "decision", "allow"),
    ("unproven", "decision", "modify"),
    ("outcome", "decision", "allow"),
    # another spelling, or none
    ("intent", "version", 2),
    ("intent", "event", "evt_8" + "0" * 25),
    ("intent", "event", "evt_" + "0" * 25 + "U"),
    ("intent", "time", "2026-09-21T14:13:20.000Z"),
    ("outcome", "outcome.status", "ok"),
    ("outcome", "outcome.rows", -1),
    ("outcome", "event", "01J00000000000000000000000"),
    ("refusal", "phase", 13),
    ("refusal", "verified", "yes"),
    ("refusal", "link", 65),
    ("unproven", "verified", None),
    ("unproven", "chain.0", {"id": "urn:uuid:1"}),
    # a notice of something else
    ("hold", "notice.kind", "delete"),
    ("hold", "notice.terms", "for the court"),
    ("hold", "by", ABSENT),
    ("hold", "agentDid", BEN),
    ("lift", "notice.hold", None),
    ("lift", "notice.hold", ABSENT),
    ("prune", "notice.entries", []),
    ("prune", "notice.entries", [[1]]),
    ("prune", "notice.entries", [[0, 0]]),
    ("prune", "notice.entries", [[n, n + 1] for n in range(0, 2 * 2049, 2)]),
    ("prune", "notice.before", 0),
    ("prune", "notice.before", ABSENT),
)


def changed(kind: str, place: str, value: Any) -> Any:
    """A full record with one member set, or taken away."""
    document = copy.deepcopy(FULL[kind]())
    *way, last = place.split(".")
    holder: Any = document
    for step in way:
        holder = holder[step]
    if value is ABSENT:
        del holder[last]
    elif isinstance(holder, list):
        holder.insert(int(last), value)
    else:
        holder[last] = value
    return document


def parser_accepts(document: JsonObject) -> bool:
    """Whether the program reads it."""
    try:
        parse_record(canonical(document))
    except Error:
        return False
    return True


def excuses(document: JsonObject) -> list[str]:
    """The rules that no schema can state, which a document that fits the schema breaks."""
    broken = []
    said = document.get("notice", {})
    if document["type"] == "notice" and document["by"] != document["sponsorDid"]:
        broken.append("by")  # two members
    if said.get("kind") == "prune" and time(said["before"], "") > time(document["time"], "") - KEPT:
        broken.append("retention")  # two members
    edges = [-1]
    for one in said.get("entries", ()):
        if not edges[-1] < one[0] < one[1]:
            broken.append("ranges")  # neighbouring items
        edges += one
    if document.get("code", "shape") not in [*CODES]:
        broken.append("code")  # a table that grows
    broken += ["unseen" for _, text in places(document) if "\U000e0041" in str(text)][:1]
    return broken


def test_an_intent_fits() -> None:
    assert schemas.validate(KIND, intent()) == []


@pytest.mark.parametrize("kind", FULL)
def test_every_type_fits(kind: str) -> None:
    assert schemas.validate(KIND, FULL[kind]()) == []
    assert parser_accepts(FULL[kind]())


@pytest.mark.parametrize(("kind", "place", "value"), RIGHT)
def test_this_is_right(kind: str, place: str, value: Any) -> None:
    document = changed(kind, place, value)
    assert schemas.validate(KIND, document) == []
    assert parser_accepts(document)


@pytest.mark.parametrize(("kind", "place", "value"), WRONG)
def test_this_is_wrong(kind: str, place: str, value: Any) -> None:
    document = changed(kind, place, value)
    assert schemas.validate(KIND, document) != []
    assert not parser_accepts(document)


def test_of_every_type_five_are_wrong() -> None:
    many = {kind: sum(1 for one, _, _ in WRONG if one == kind) for kind in FULL}
    notices = many.pop("prune") + many.pop("hold") + many.pop("lift")
    assert min(notices, *many.values()) >= 5


@pytest.mark.parametrize("kind", FULL)
def test_one_change_is_judged_alike(kind: str) -> None:
    unexplained, count = [], {True: 0, False: 0, None: 0}
    for turn, (label, document) in enumerate(mutants(FULL[kind]())):
        if turn % EVERY and not label.endswith("removed"):
            continue
        schema, parser = schemas.accepts(KIND, document), parser_accepts(document)
        if schema == parser:
            count[schema] += 1
        elif schema and excuses(document):
            count[None] += 1
        else:
            unexplained.append(f"only the {'schema' if schema else 'parser'} accepts: {label}")
    assert unexplained == []
    assert count[True] > 2, count
    assert count[False] > 50, count


@pytest.mark.parametrize(
    ("kind", "place", "value", "rule"),
    [
        ("hold", "by", "did:web:other.example", "by"),
        ("prune", "notice.entries", [[3, 3]], "ranges"),
        ("prune", "notice.entries", [[0, 3], [3, 5]], "ranges"),
        ("prune", "notice.entries", [[5, 6], [0, 3]], "ranges"),
        ("prune", "notice.before", "2026-03-21T14:13:21Z", "retention"),
        ("refusal", "code", "no-such-code", "code"),
        ("intent", "target", "urn:acme:a\U000e0041", "unseen"),
    ],
)
def test_each_rule_is_one_no_schema_states(kind: str, place: str, value: Any, rule: str) -> None:
    document = changed(kind, place, value)
    assert schemas.validate(KIND, document) == []
    assert not parser_accepts(document)
    assert excuses(document) == [rule]


def test_the_digest_of_a_hold_is_no_text_that_a_person_could_read() -> None:
    assert parser_accepts(notice(what={"kind": "hold", "terms": told("x")}))
    assert not parser_accepts(notice(what={"kind": "hold", "terms": "x"}))

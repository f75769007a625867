"""The schemas and the parser accept the same documents.

Thousands of documents, each one change away from an honest one, are given to both. They may
differ only by the rules in `schemas.rules`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from delegant import schemas
from delegant.credentials import Error
from delegant.credentials.credential import parse_human_sponsor, parse_link
from delegant.credentials.envelope import unpack
from delegant.credentials.identity import parse_agent_identity
from schemas.full import FULL, Document, as_jwt, constrained
from schemas.mutate import Mutant, mutants
from schemas.rules import RULES, Rule, excuses

PARSERS = {
    "agent-delegation": parse_link,
    "human-sponsor": parse_human_sponsor,
    "agent-identity": parse_agent_identity,
}
FORMS = ("di", "jwt")
CASES = [(kind, form) for kind in FULL for form in FORMS]
EVERY = {"di": 1, "jwt": 11}
"""In the second form the same document is inside, so a part of the changes will do."""
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
    every = mutants(FULL[kind]())
    if kind == "agent-delegation":
        walks = (mutants(one, below=CONSTRAINTS) for one in constrained())
        every = itertools.chain(every, *walks)
    for label, document in itertools.islice(every, 0, None, EVERY[form]):
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
    assert min(count.values()) > 1, count  # the walk met all three
    assert sum(count.values()) > 400, count

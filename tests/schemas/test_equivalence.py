"""The schemas and the parser accept the same documents.

Thousands of documents, each one change away from an honest one, are given to both. They may
differ only by the rules in `schemas.rules`.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

import pytest

from delegant import schemas
from delegant.credentials import Error
from delegant.credentials.credential import parse_human_sponsor, parse_link
from delegant.credentials.envelope import unpack
from delegant.credentials.identity import parse_agent_identity
from schemas.full import FULL, as_jwt
from schemas.mutate import mutants
from schemas.rules import RULES, excuses

PARSERS = {
    "agent-delegation": parse_link,
    "human-sponsor": parse_human_sponsor,
    "agent-identity": parse_agent_identity,
}
FORMS = ("di", "jwt")
CASES = [(kind, form) for kind in FULL for form in FORMS]


def parser_accepts(kind: str, form: str, document: dict[str, Any]) -> bool:
    """Phases 2 and 3 of the verifier, for one credential."""
    try:
        PARSERS[kind](unpack(document if form == "di" else as_jwt(document)))
    except Error:
        return False
    return True


def schema_accepts(kind: str, document: dict[str, Any]) -> bool:
    """The schema's word."""
    return schemas.accepts(kind, document)


class Comparison:
    """What came of all mutants of one credential in one form."""

    def __init__(self, kind: str, form: str) -> None:
        self.both = self.neither = 0
        self.excused: set[str] = set()
        self.unexplained: list[str] = []
        document = FULL[kind]()
        if form == "jwt":
            del document["proof"]
        for label, mutant in mutants(document):
            schema, parser = schema_accepts(kind, mutant), parser_accepts(kind, form, mutant)
            if schema and parser:
                self.both += 1
            elif not schema and not parser:
                self.neither += 1
            elif schema and (names := excuses(kind, form, mutant)):
                self.excused.update(names)
            else:
                word = "schema" if schema else "parser"
                self.unexplained.append(f"only the {word} accepts: {label}")


compare = cache(Comparison)

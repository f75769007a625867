"""The schema of an approval's claims: right, wrong, and every change, as the parser has it."""

from __future__ import annotations

from typing import Any

import pytest

from delegant import schemas
from delegant.credentials import Approval, Error, PrivateKey, digest, jose
from delegant.credentials.approval import APPROVAL_TYPE
from schemas.mutate import mutants, places

ABSENT = object()
KEY = PrivateKey(bytes(32))
FULL: dict[str, Any] = {
    "iss": "did:web:acme.example:people:mia",
    "aud": "did:web:db.acme.example",
    "iat": 1_790_000_000,
    "exp": 1_790_000_900,
    "jti": "a-1",
    "chain": digest(b"chain"),
    "request": digest(b"request"),
}
RIGHT: tuple[dict[str, Any], ...] = ({}, {"jti": "j" * 128}, {"iat": 0}, {"exp": 2**53 - 1})
WRONG: tuple[dict[str, Any], ...] = (
    *({name: ABSENT} for name in FULL),
    *({name: None} for name in FULL),
    {"nonce": "n-1"},
    {"sub": "did:web:bot.example"},
    {"iss": "mia"},
    {"iss": "did:web:acme.example#key"},
    {"aud": ["did:web:db.acme.example"]},
    {"iat": -1},
    {"exp": "1790000900"},
    {"exp": True},
    {"exp": 2**53},
    {"jti": ""},
    {"jti": "j" * 129},
    {"chain": "sha256:abc"},
    {"request": "uEi" + "A" * 43 + "B"},
)


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The claims with some set, or taken away."""
    return {name: one for name, one in (FULL | changes).items() if one is not ABSENT}


def parser_accepts(value: Any) -> bool:
    """Whether a token with these claims is read."""
    try:
        Approval.parse(jose.sign(value, KEY, APPROVAL_TYPE, "did:web:x.example#k"))
    except Error:
        return False
    return True


@pytest.mark.parametrize("changes", RIGHT)
def test_this_is_right(changes: dict[str, Any]) -> None:
    assert schemas.validate("approval", changed(changes)) == []
    assert parser_accepts(changed(changes))


@pytest.mark.parametrize("changes", WRONG)
def test_this_is_wrong(changes: dict[str, Any]) -> None:
    assert schemas.validate("approval", changed(changes)) != []
    assert not parser_accepts(changed(changes))


def excused(value: Any) -> bool:
    """Where the schema may say yes alone: a whole float, a character beyond the first plane."""
    found = [member for _, member in places(value)]
    return any(type(one) is float or (type(one) is str and max(one, default="") > "\uffff")
               for one in found)  # fmt: skip


def test_one_change_is_judged_alike() -> None:
    both = neither = 0
    for label, value in mutants(FULL):
        schema, parser = schemas.accepts("approval", value), parser_accepts(value)
        if schema == parser:
            both, neither = both + schema, neither + (not schema)
        else:
            assert schema, label
            assert excused(value), label
    assert both > 5
    assert neither > 100

"""Tokens of the VC-API: shown once, kept as digests, refused in one way."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from delegant.wallet import Home, tokens
from refusal import refusal

from .conftest import T0


def made(home: Home, **changes: Any) -> str:
    given: dict[str, Any] = {"scopes": ["issue"], "now": T0, "seconds": 60} | changes
    return tokens.make(home, given.pop("name", "ci"), given.pop("scopes"), **given)


def test_a_token_opens_until_its_time_is_over(home: Home) -> None:
    token = made(home, scopes=["verify", "issue"])
    found = tokens.check(home, token, now=T0 + 59)
    assert (found.name, found.scopes, found.until) == ("ci", ("issue", "verify"), T0 + 60)
    assert refusal(lambda: tokens.check(home, token, now=T0 + 60)) == "api-auth"


def test_the_secret_is_nowhere_on_the_disk(home: Home) -> None:
    secret = made(home).split("_", 2)[2]
    path = home.path / "api-tokens.json"
    assert secret not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"),
        lambda t: t[:-1],
        lambda t: t + "A",
        lambda t: t + "\n",
        lambda t: t.replace("delegant_", "delegant-"),
        lambda t: "delegant_" + "0" * 16 + "_" + t.split("_", 2)[2],
        lambda t: t.upper(),
        lambda _: "",
        lambda _: "é" * 68,
    ],
)
def test_an_altered_token_opens_nothing(home: Home, spoil: Any) -> None:
    token = made(home)
    assert refusal(lambda: tokens.check(home, token, now=T0)) == ""
    assert refusal(lambda: tokens.check(home, spoil(token), now=T0)) == "api-auth"


def test_a_home_without_tokens_lets_nobody_in(home: Home) -> None:
    token = f"delegant_{'0' * 16}_{'A' * 43}"
    assert refusal(lambda: tokens.check(home, token, now=T0)) == "api-auth"


def test_a_revoked_token_is_refused_from_then_on(home: Home) -> None:
    first, second = made(home), made(home, name="other")
    (one,) = [t for t in tokens.all_tokens(home) if t.name == "ci"]
    tokens.revoke(home, one.id)
    assert refusal(lambda: tokens.check(home, first, now=T0)) == "api-auth"
    assert tokens.check(home, second, now=T0).name == "other"
    assert refusal(lambda: tokens.revoke(home, one.id)) == "not-found"


@pytest.mark.parametrize(
    "changes",
    [
        {"scopes": []},
        {"scopes": ["all"]},
        {"scopes": ["issue", "root"]},
        {"seconds": 0},
        {"seconds": 10**12},
        {"name": ""},
        {"name": "a\nb"},
    ],
)
def test_a_token_that_would_say_nothing_clear_is_not_made(home: Home, changes: Any) -> None:
    assert refusal(partial(made, home, **changes)) == "shape"


def test_there_is_an_end_to_tokens(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 2)
    made(home), made(home)
    assert refusal(lambda: made(home)) == "limit-items"


def test_as_many_tokens_as_are_allowed_can_be_read(home: Home) -> None:
    for number in range(tokens.MAX_TOKENS):
        if number in (0, 1):
            made(home, scopes=list(tokens.SCOPES))
    held = json.loads((home.path / "api-tokens.json").read_text())
    row = next(iter(held["tokens"].values()))
    held["tokens"] |= {f"{n:016x}": row for n in range(tokens.MAX_TOKENS - 2)}
    (home.path / "api-tokens.json").write_text(json.dumps(held))
    assert len(tokens.all_tokens(home)) == tokens.MAX_TOKENS


@pytest.mark.parametrize(
    "content",
    ['{"version":1}', '{"version":2,"tokens":{}}', '{"version":1,"tokens":[]}', "", "[]",
     '{"version":1,"tokens":{"a":{}}}', '{"version":1,"tokens":{"a":7}}'],
)  # fmt: skip
def test_a_damaged_file_is_our_fault_and_lets_nobody_in(home: Home, content: str) -> None:
    token = made(home)
    (home.path / "api-tokens.json").write_text(content)
    assert refusal(lambda: tokens.check(home, token, now=T0)) == "unavailable"


def test_a_file_others_can_read_lets_nobody_in(home: Home) -> None:
    token = made(home)
    (home.path / "api-tokens.json").chmod(0o644)
    assert refusal(lambda: tokens.check(home, token, now=T0)) == "unavailable"

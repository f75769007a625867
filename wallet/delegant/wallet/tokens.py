"""Bearer tokens of the VC-API: made once, shown once, kept as digests.

    api-tokens.json  {"version": 1, "tokens": {ID: {"name", "digest", "scopes", "made", "until"}}}

A token is ``delegant_ID_SECRET``; the secret has 256 bits of the system's randomness, so its
SHA-256 is as good as the dearest of password hashes and costs nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import closed, integer, text

from . import files
from .home import Home

__all__ = ["SCOPES", "Token", "all_tokens", "check", "make", "revoke"]

SCOPES: Final = ("issue", "status", "verify", "present")
MAX_TOKENS: Final = 200
MAX_SECONDS: Final = 10 * 365 * 86_400
_FILE: Final = "api-tokens.json"
_MAX_FILE: Final = 1 << 20
_TOKEN: Final = re.compile(r"delegant_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_MEMBERS: Final = frozenset({"name", "digest", "scopes", "made", "until"})


@dataclass(frozen=True, slots=True)
class Token:
    """Who may do what, without the secret.

    Attributes:
        id: 16 hexadecimal digits.
        name: for people.
        scopes: of `SCOPES`.
        made, until: seconds since 1970.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    made: int
    until: int


def make(home: Home, name: str, scopes: Collection[str], *, now: int, seconds: int) -> str:
    """A new token; this is the only time it is seen.

    Raises:
        Malformed: ``shape``. LimitExceeded: ``limit-items``.
    """
    text(name, "name", 64)
    integer(seconds, "the life of a token", 1, MAX_SECONDS)
    if not scopes or not set(scopes) <= set(SCOPES):
        raise error("shape", f"scopes are of {', '.join(SCOPES)}")
    id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    with files.lock(home.path):
        held = _read(home)
        if len(held) >= MAX_TOKENS:
            raise error("limit-items", f"{MAX_TOKENS} tokens are enough: revoke some")
        held[id_] = {
            "name": name,
            "digest": _digest(secret),
            "scopes": [one for one in SCOPES if one in scopes],
            "made": now,
            "until": now + seconds,
        }
        _write(home, held)
    return f"delegant_{id_}_{secret}"


def all_tokens(home: Home) -> list[Token]:
    """Every token there is, oldest first."""
    return sorted((_token(id_, row) for id_, row in _read(home).items()), key=lambda t: t.made)


def revoke(home: Home, id_: str) -> None:
    """Forget a token.

    Raises:
        NotFound: ``not-found``.
    """
    with files.lock(home.path):
        held = _read(home)
        if held.pop(id_, None) is None:
            raise error("not-found", f"no token {id_[:32]!r}")
        _write(home, held)


def check(home: Home, presented: str, *, now: int) -> Token:
    """The token somebody presents.

    Raises:
        Rejected: ``api-auth``, whatever the reason. Unavailable: ``unavailable``.
    """
    match = _TOKEN.fullmatch(presented)
    try:
        held = _read(home)
    except Error as exc:  # our fault, not the caller's
        raise error("unavailable", f"the tokens cannot be read: {exc.code}") from None
    row = held.get(match[1]) if match is not None else None
    # Compared for unknown ids too, so that the time taken names none.
    known = row["digest"] if row is not None else _digest("")
    fits = hmac.compare_digest(known, _digest(match[2] if match is not None else ""))
    if match is None or row is None or not fits or now >= row["until"]:
        raise error("api-auth", "the token is unknown, altered or over")
    return _token(match[1], row)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(id_: str, row: JsonObject) -> Token:
    return Token(id_, row["name"], tuple(row["scopes"]), row["made"], row["until"])


def _read(home: Home) -> dict[str, JsonObject]:
    path = home.path / _FILE
    if not path.exists():
        return {}
    value = parse_object(files.read_secret(path, size=_MAX_FILE), size=_MAX_FILE)
    closed(value, _FILE, frozenset({"version", "tokens"}))
    if value["version"] != 1 or type(value["tokens"]) is not dict:
        raise error("shape", f"{_FILE} is not one of ours: restore it from a backup")
    for row in value["tokens"].values():
        closed(row, "token", _MEMBERS)
        integer(row["until"], "until")
        text(row["digest"], "digest")
    return dict(value["tokens"])


def _write(home: Home, held: dict[str, JsonObject]) -> None:
    files.write_json(home.path / _FILE, {"version": 1, "tokens": held}, secret=True)

"""Mutations: of bytes, and of JSON trees with the tokens in them opened.

Everything random comes from the dice handed in, so a seed gives the same mutation for ever.
A compact JWS inside a tree is opened to ``{TOKEN: [header, payload, signature]}``, damaged like
the rest, and closed again; what was not touched closes to the bytes it had.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final, TypeAlias

__all__ = [
    "Bytes",
    "closed",
    "copied",
    "damaged",
    "decoded",
    "encoded",
    "mangle",
    "nudged",
    "on_trees",
    "opened",
    "places",
    "written",
]

Bytes: TypeAlias = Callable[[bytes, int], bytes]
"""Another byte string, of at most so many bytes: libFuzzer's own, or `mangle`."""

TOKEN: Final = "\x00token"
SCALARS: Final[Sequence[Any]] = (
    None, True, False, 0, 1, -1, 2, 31, 32, 2**31, 2**53 - 1, 2**53, -(2**53), 1.0, 0.5, -0.0,
    1e21, 1e308, "", "0", "1", "-1", "u", "z", ".", "..", "a.b.c", "*", "**", "db.*", "\ud800",
    "\u202e", "\x00", "é", "e\u0301", "did:key:z", "did:jwk:e30", "did:web:x", "did:key:z6Mk",
    "urn:acme:**", "urn:acme:papers:**", "https://a.example/**", "https://a.example/%2e%2e/x",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-09-21T14:13:20Z", "mandate", "grant",
    "EdDSA", "none", "Ed25519", "vc+jwt", "agent-invocation+jwt", "revocation", [], {}, [[]],
    {"max": 0}, {"max": 2**53 - 1}, "z" + "1" * 127, "1" * 40,
)  # fmt: skip
NAMES: Final = (
    "constraints", "rows", "bytes", "columns", "audience", "purpose", "arguments", "budget",
    "rate", "approval", "hours", "task", "network", "dataClass", "key", "parent", "status",
    "spawn", "to", "proof", "d", "x", "crit", "b64", "jwk", "nonce", "approvals", "documents",
    "seen", "accredits", "__proto__", "", "\ud800",
)  # fmt: skip
CHUNKS: Final = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\\u0000", b"\\ud800", b"\xed\xa0\x80", b"\xc0\x80", b"1e9",
    b"-0", b"NaN", b"Infinity", b"1E400", b"9007199254740993", b"0.1", b"[[[[", b"]]", b"{}", b",",
    b'"', b"\\", b"//", b"/**", b":**", b"..", b"%2e", b"%C3%A9", b"=", b"==", b"+", b"/", b"-_",
    b"z6Mk", b"did:", b"v1", b"://", b"xn--", b"\n", b" ", b"\t", b"\r", b"\x7f", b"\xe2\x80\x8b",
)  # fmt: skip


# --- bytes ---------------------------------------------------------------------------------


def mangle(data: bytes, most: int, dice: Random) -> bytes:
    """One to four small changes; the stand-in for libFuzzer's own mutator."""
    out = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randint(0, len(out))
        end = min(len(out), at + dice.choice((1, 1, 2, 4, 16, 64)))
        match dice.randrange(7):
            case 0 if at < len(out):
                out[at] ^= 1 << dice.randrange(8)
            case 1 if at < len(out):
                out[at] = dice.randrange(256)
            case 2:
                out[at:at] = dice.choice(CHUNKS)
            case 3:
                del out[at:end]
            case 4:
                to = dice.randint(0, len(out))
                out[to:to] = out[at:end]
            case 5:
                out[at:end] = dice.choice(CHUNKS)
            case _:
                out[at:at] = dice.randbytes(dice.randint(1, 4))
    return bytes(out[:most])


# --- trees ---------------------------------------------------------------------------------


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Its inverse, as lax as the standard library is."""
    return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))


def written(value: Any) -> bytes:
    """The JSON text of any tree, lone surrogates escaped."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def opened(value: Any) -> Any:
    """The tree with every compact JWS in it taken apart."""
    if isinstance(value, dict):
        return {name: opened(member) for name, member in value.items()}
    if isinstance(value, list):
        return [opened(item) for item in value]
    if isinstance(value, str) and value.count(".") == 2 and value.startswith("e"):
        head, body, signature = value.split(".")
        try:
            parts = [json.loads(decoded(head)), json.loads(decoded(body)), signature]
        except (ValueError, RecursionError, binascii.Error):
            return value
        return {TOKEN: parts} if closed({TOKEN: parts}) == value else value
    return value


def closed(value: Any) -> Any:
    """Inverse of `opened`; a token that lost its form stays an object."""
    if isinstance(value, dict):
        parts = value.get(TOKEN)
        if len(value) == 1 and isinstance(parts, list) and len(parts) == 3:
            head, body, signature = parts
            signature = signature if isinstance(signature, str) else ""
            return f"{encoded(written(head))}.{encoded(written(body))}.{signature}"
        return {name: closed(member) for name, member in value.items()}
    if isinstance(value, list):
        return [closed(item) for item in value]
    return value


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, name or index) in a tree."""
    stack = [value]
    while stack:
        node = stack.pop()
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for at, member in items:
            yield node, at
            if isinstance(member, dict | list):
                stack.append(member)


def damaged(tree: Any, dice: Random, donors: Sequence[Any] = ()) -> Any:
    """The tree with one to three places changed; ``donors`` are parts that may be moved in."""
    out = copied(tree)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        if not isinstance(out, dict | list):
            return dice.choice(SCALARS)
        all_places = list(places(out))
        if not all_places:
            return out
        node, at = dice.choice(all_places)
        match dice.randrange(10):
            case 0 | 1:
                node[at] = copied(dice.choice(SCALARS))
            case 2:
                del node[at]
            case 3:
                other, its = dice.choice(all_places)
                if its in other if isinstance(other, dict) else its < len(other):
                    node[at] = copied(other[its])
            case 4 if isinstance(node, dict):
                node[dice.choice((*NAMES, *map(str, node)))] = node.pop(at)
            case 5 if isinstance(node, dict):
                node[dice.choice(NAMES)] = copied(dice.choice(SCALARS))
            case 6 if isinstance(node, list):
                node.insert(dice.randint(0, len(node)), copied(node[at]))
            case 7 if isinstance(node, list):
                dice.shuffle(node)
            case 8 if donors:
                node[at] = copied(dice.choice(donors))
            case _:
                node[at] = nudged(node[at], dice)
    return out


def copied(value: Any) -> Any:
    """A copy that shares nothing with the tree."""
    return json.loads(json.dumps(value)) if isinstance(value, dict | list) else value


def nudged(value: Any, dice: Random) -> Any:
    """A value near this one, of the same type where there is one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + dice.choice((-1, 1, 2, -2, 60, -60, 3600, 2**20))
    if not isinstance(value, str):
        return [value]
    if re.fullmatch(r"-?[0-9]{1,15}", value):
        return str(int(value) + dice.choice((-2, -1, 1, 2, 1000)))
    at = dice.randint(0, len(value))
    piece = dice.choice((value[at : at + 1].swapcase(), "A", "/", ":", ".", "*", "x", "\u202e", ""))
    digit = re.search(r"[0-9]", value[at:])
    if digit and dice.random() < 0.4:  # times, indices, versions
        at += digit.start()
        piece = str((int(value[at]) + dice.randint(1, 9)) % 10) if value[at].isascii() else "0"
    return dice.choice((value[:at] + piece + value[at + 1 :], value[:at] + piece + value[at:],
                        value[:at], value + piece))  # fmt: skip


def on_trees(
    change: Callable[[Any, Random], Any], bytes_too: float = 0.2
) -> Callable[[bytes, int, Random, Bytes], bytes]:
    """A mutator of JSON texts: mostly ``change`` of the opened tree, sometimes plain bytes."""

    def mutate(data: bytes, most: int, dice: Random, plain: Bytes) -> bytes:
        try:
            tree = opened(json.loads(data))
        except (ValueError, RecursionError):
            return plain(data, most)
        if dice.random() < bytes_too:
            return plain(data, most)
        try:
            out = written(closed(change(tree, dice)))
        except RecursionError:
            return plain(data, most)
        return out if len(out) <= most else plain(data, most)

    return mutate

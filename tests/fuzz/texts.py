"""Targets for what is read letter by letter: JSON, base64url, base58, DIDs, keys, patterns, names.

Each is held against a second reading made of the standard library: what one accepts, so does
the other, and means the same.
"""

from __future__ import annotations

import base64
import json
import math
import re
from functools import partial
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit

import nacl.bindings
import rfc8785

from delegant.ans.alias import AnsAlias
from delegant.ans.name import AnsName, provider_label
from delegant.ans.query import Query
from delegant.ans.versions import VersionRange
from delegant.credentials import Error, PublicKey, canonical, did, digest
from delegant.credentials import resource as res
from delegant.credentials.codec import (
    b58_decode,
    b58_encode,
    b64u_decode,
    b64u_encode,
    is_digest,
    parse,
    parse_object,
)
from fuzz.oracle import equal, expect, has_float, result, settled

__all__ = [
    "alias_text",
    "base_text",
    "did_text",
    "json_text",
    "key_text",
    "name_text",
    "params_text",
    "pattern_text",
    "query_text",
    "range_text",
    "text_of",
]

MOST_INT: Final = 2**53 - 1


def text_of(data: bytes) -> str:
    """Any bytes as text, bytes that are no UTF-8 as lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


# --- JSON ----------------------------------------------------------------------------------


def json_text(data: bytes) -> None:
    """`parse` reads what strict RFC 8259 reads, alike; `canonical` is a fixed point of it."""
    value = settled(lambda: parse(data, size=1 << 20))
    try:
        other = _strict(data)
        why = None
    except ValueError as exc:  # JSON and Unicode errors are of this class
        why = str(exc)
    if isinstance(value, Error):
        if value.code in {"limit-depth", "limit-members"}:
            expect(why is not None or _beyond(other), "within the limits, and refused", value)
        else:
            expect(why is not None, "good JSON was refused", value, data)
        return
    expect(why is None, "bad JSON was accepted", why, data)
    expect(equal(value, other), "read otherwise than by the standard library", value, other)
    expect(not _beyond(value), "beyond the limits, and accepted", data[:80])
    text = canonical(value)
    expect(text == rfc8785.dumps(value), "not the form of RFC 8785", text)
    again = result(lambda: parse(text, size=1 << 21))
    expect(equal(again, value), "the canonical form reads otherwise", text, again)
    expect(canonical(again) == text, "canonical is no fixed point", text)
    if not has_float(value):
        expect(canonical(value, floats=False) == text, "without floats it is the same", text)


def _strict(data: bytes) -> Any:
    """RFC 8259 as the standard library reads it, with the profile's rules on top."""
    text = data.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("byte order mark")
    value = json.loads(
        text,
        object_pairs_hook=_once,
        parse_int=_integer,
        parse_float=_number,
        parse_constant=_no_constant,
    )
    json.dumps(value, ensure_ascii=False).encode()  # lone surrogates show here
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a member twice")
    return out


def _integer(digits: str) -> int:
    if digits == "-0" or len(digits) > 17 or abs(int(digits)) > MOST_INT:
        raise ValueError("not exact everywhere")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if len(digits) > 64 or math.isinf(value) or MOST_INT < abs(value) < 1e21:
        raise ValueError("not exact everywhere")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _beyond(value: Any) -> bool:
    level, members = [value], 0
    for _ in range(33):
        members += sum(len(node) for node in level if isinstance(node, dict | list))
        level = [
            below
            for node in level
            if isinstance(node, dict | list)
            for below in (node.values() if isinstance(node, dict) else node)
        ]
    return bool(level) or members > 4096


# --- base64url, base58 ---------------------------------------------------------------------

_B64: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_B58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base_text(data: bytes) -> None:
    """Decoding accepts the encoder's spelling and no other; encoding is always undone."""
    expect(b64u_decode(b64u_encode(data)) == data, "base64url is not undone", data)
    if len(data) <= 80:
        expect(b58_decode(b58_encode(data)) == data, "base58 is not undone", data)
    expect(is_digest(digest(data)), "a digest is a digest", data)
    text = text_of(data)
    got = settled(lambda: b64u_decode(text))
    other = _base64(text)
    expect(other == (None if isinstance(got, Error) else got), "base64url", text, got, other)
    short = text[:130]
    got = settled(lambda: b58_decode(short))
    other = _base58(short)
    expect(other == (None if isinstance(got, Error) else got), "base58", short, got, other)
    if is_digest(text):
        expect(text == "u" + b64u_encode(b64u_decode(text[1:])), "a digest has one spelling", text)


def _base64(text: str) -> bytes | None:
    if not _B64.fullmatch(text) or len(text) % 4 == 1:
        return None
    out = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return out if base64.urlsafe_b64encode(out).decode().rstrip("=") == text else None


def _base58(text: str) -> bytes | None:
    if len(text) > 128 or not set(text) <= set(_B58):
        return None
    number = 0
    for one in text:
        number = number * 58 + _B58.index(one)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


# --- DIDs and keys -------------------------------------------------------------------------


def did_text(data: bytes) -> None:
    """``did`` or ``did``, newline, a verification method (DID URL)."""
    text, _, method = text_of(data).partition("\n")
    name = settled(lambda: did.check(text))
    expect(did.is_did(text) != isinstance(name, Error), "is_did says what check says", text)
    expect(isinstance(name, Error) != _is_did(text), "not the syntax of DID Core", text, name)
    if isinstance(name, Error):
        return
    if did.is_method_of(method, name):
        expect(method.partition("#")[::2][0] == name, "a method of another DID", method, name)
        expect(not did.embeds_key(name) or method == did.vm_of(name), "another method", method)
    key = settled(lambda: did.key_of(name))
    document = settled(lambda: did.document(name))
    expect(isinstance(key, Error) <= isinstance(document, Error), "a document without key", name)
    if isinstance(key, PublicKey) and isinstance(document, dict):
        expect(document["id"] == name, "the document of another", document)
        (method_,) = document["verificationMethod"]
        expect(did.is_method_of(method_["id"], name), "its own method is not its own", method_)
        expect(parse(canonical(document), size=1 << 16) == document, "not plain JSON", document)
        if name.startswith("did:key:"):
            expect(did.from_key(key) == name, "a did:key of two spellings", name)
        _check_key(key)


def _is_did(text: str) -> bool:
    head, _, rest = text.partition(":")
    kind, _, ids = rest.partition(":")
    plain = re.sub("%[0-9A-F]{2}", "_", ids)
    parts = plain.split(":")
    return (
        head == "did"
        and len(text) <= 256
        and re.fullmatch("[a-z0-9]+", kind) is not None
        and all(re.fullmatch("[A-Za-z0-9._-]+", part) for part in parts)
    )


def key_text(data: bytes) -> None:
    """Raw bytes, a Multikey, or the JSON of a JWK: whatever is taken has one spelling of each."""
    text = text_of(data)
    raw = settled(lambda: PublicKey(data[:32]))
    if isinstance(raw, PublicKey):
        expect(len(data) >= 32, "a key of too few bytes", data)
        expect(not _small_order(raw.raw), "a key anyone can sign for", raw.raw)
        _check_key(raw)
    elif len(data) >= 32:
        sound = nacl.bindings.crypto_core_ed25519_is_valid_point(data[:32])
        expect(not sound, "a sound key was refused", raw)
    multi = settled(lambda: PublicKey.from_multikey(text))
    if isinstance(multi, PublicKey):
        expect(multi.multikey == text, "a Multikey of two spellings", text)
        _check_key(multi)
    jwk = settled(lambda: PublicKey.from_jwk(parse_object(data, size=1024)))
    if isinstance(jwk, PublicKey):
        expect(json.loads(data)["x"] == jwk.jwk["x"], "a JWK read otherwise", text)
        expect("d" not in json.loads(data), "a private key was taken for a public one", text)
        _check_key(jwk)


def _check_key(key: PublicKey) -> None:
    expect(PublicKey.from_multikey(key.multikey) == key, "Multikey is not undone", key)
    expect(PublicKey.from_jwk(key.jwk) == key, "JWK is not undone", key)
    for how in ("key", "jwk"):
        expect(did.key_of(did.from_key(key, how)) == key, "the DID is not its key", how, key)
    for signature in (bytes(64), b"\x01" + bytes(63), key.raw + bytes(32)):
        expect(not key.verify(signature, b"m"), "anyone could have signed", key, signature)


_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, _P - 2, _P) % _P


def _small_order(raw: bytes) -> bool:
    """Whether three doublings lead to the identity (RFC 8032, 5.1.3 and 5.1.4, plainly)."""
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x - u) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if (v * x * x - u) % _P:
        return False  # no point at all: nobody can sign
    for _ in range(3):
        bend = _D * x * x * y * y % _P
        x, y = (
            2 * x * y * pow(1 + bend, _P - 2, _P) % _P,
            (y * y + x * x) * pow(1 - bend, _P - 2, _P) % _P,
        )
    return (x, y) == (0, 1)


# --- actions and resources -----------------------------------------------------------------


def pattern_text(data: bytes) -> None:
    """Three lines; each may be an action pattern and a resource pattern. Covering is an order."""
    lines = text_of(data).split("\n")[:3]
    for read, covers, meet, exact in (
        (res.action_pattern, res.covers_action, res.meet_actions, res.action),
        (res.resource_pattern, res.covers_resource, res.meet_resources, res.resource),
    ):
        good: list[str] = []
        for line in lines:
            pattern, one = settled(partial(read, line, "x")), settled(partial(exact, line, "x"))
            if isinstance(pattern, str):
                good.append(pattern)
                expect(isinstance(one, Error) == pattern.endswith("*"), "exact or not", line)
            else:
                expect(isinstance(one, Error), "exact, and yet no pattern", line)
        for a in good:
            expect(covers(a, a), "it covers itself", a)
            for b in good:
                both = meet(a, b)
                expect(both == meet(b, a), "meet has two answers", a, b)
                expect(not (covers(a, b) and covers(b, a)) or a == b, "two of one", a, b)
                expect((both == b) == covers(a, b), "meet and covers differ", a, b, both)
                for c in good:
                    if covers(a, b) and covers(b, c):
                        expect(covers(a, c), "covering is not transitive", a, b, c)
    for line in lines:
        if not isinstance(result(partial(res.resource, line, "x")), Error):
            _one_reading(line)


def _one_reading(uri: str) -> None:
    """A server that splits, joins or decodes it finds the same resource."""
    parts = urlsplit(uri)
    expect(parts.geturl() == uri and uri.isascii(), "two spellings", uri, parts.geturl())
    expect(not parts.query and not parts.fragment, "more than a path", uri)
    if "://" in uri:
        expect(urljoin(uri, uri) == uri, "joining moves it", uri, urljoin(uri, uri))
        expect(parts.netloc == parts.netloc.lower() and "@" not in parts.netloc, "host", uri)
        path = unquote(parts.path, errors="strict")
        expect(path.count("/") == parts.path.count("/"), "a hidden separator", uri)
        expect(not {".", ".."} & set(re.split(r"[/\\]", path)), "dot segments", uri)
        expect("//" not in path and path.isprintable(), "what nobody sees", uri, path)


# --- names ---------------------------------------------------------------------------------

_LABEL: Final = r"(?!-)(?![xX][nN]--)[A-Za-z0-9-]{1,63}(?<!-)"
_NO_VERSION: Final = r"(?![vV][0-9]+(?:\.|\Z))"
_NUMBER: Final = r"(?:0|[1-9][0-9]{0,8})"
_NAME: Final = re.compile(
    rf"[a-z](?:[a-z0-9-]{{0,30}}[a-z0-9])?://(?:{_NO_VERSION}{_LABEL}\.){{3}}"
    rf"v{_NUMBER}(?:\.{_NUMBER}){{0,2}}(?:\.(?!v[0-9]+\Z)(?![0-9]+\Z)(?!.*[A-Z]){_LABEL})?",
    re.ASCII,
)


def name_text(data: bytes) -> None:
    """The grammar once more, as one expression; a name shows as it was written."""
    text = text_of(data)
    name = settled(lambda: AnsName.parse(text))
    good = len(text) <= 253 and _NAME.fullmatch(text) is not None
    expect(isinstance(name, AnsName) == good, "not the grammar of names", text, name)
    label = result(lambda: provider_label(text))
    if isinstance(label, str):
        expect(label == text.lower() and text.isascii(), "a provider was mapped", text, label)
    if isinstance(name, AnsName):
        expect(str(name) == text, "it shows otherwise than it was written", text, name)
        lower = AnsName.parse(name.key)
        expect(lower.key == name.key, "its key is not a name with that key", name.key)
        expect(provider_label(name.provider) == name.provider_key, "provider", name.provider)


def alias_text(data: bytes) -> None:
    """An alias is written as it was read."""
    text = text_of(data)
    alias = result(lambda: AnsAlias.parse(text))
    if not isinstance(alias, Error):
        expect(str(alias) == text, "an alias has one spelling", text)


def range_text(data: bytes) -> None:
    """A range's own spelling reads as the same range."""
    text = text_of(data)
    found = result(lambda: VersionRange.parse(text))
    if not isinstance(found, Error):
        expect(VersionRange.parse(str(found)) == found, "a range reads back", text)


def params_text(data: bytes) -> None:
    """URL parameters ask what their own spelling asks."""
    pairs = [
        (unquote(name), unquote(value))
        for name, _, value in (one.partition("=") for one in text_of(data).split("&"))
    ]
    _asks(result(lambda: Query.from_params(pairs)))


def query_text(data: bytes) -> None:
    """A body asks what its own spelling asks."""
    _asks(result(lambda: Query.from_json(data)))


def _asks(query: Query | Error) -> None:
    if isinstance(query, Error):
        return
    expect(Query.from_params(query.pairs) == query, "a question reads back", query)
    expect(Query.from_json(query.json).digest == query.digest, "one digest", query)

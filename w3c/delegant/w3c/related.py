"""Related resources: the digests a credential states of what it leans on (VCDM 2.0, 5.3)."""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from delegant.credentials.codec import Json, JsonObject, b58_decode, b64u_decode
from delegant.credentials.errors import Error, error

from . import contexts
from .values import url

__all__ = ["Look", "check_digests", "check_shape", "look_up"]

Look: TypeAlias = "Mapping[str, Any] | Callable[[str], Any] | None"
"""From a URL to what was fetched from there beforehand; nothing where nothing was."""

_SRI: Final = re.compile(r"(sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})(?:\?\S*)?", re.ASCII)
_SIZE: Final = {"sha256": 32, "sha384": 48, "sha512": 64}
_MULTIHASH: Final = {b"\x12\x20": "sha256", b"\x20\x30": "sha384", b"\x13\x40": "sha512"}


def look_up(place: Look, url: str) -> Any:
    """What is there by that URL; None where there is nothing."""
    if place is None:
        return None
    return place(url) if callable(place) else place.get(url)


def check_shape(resources: list[Json]) -> None:
    """Each has an id of its own and at least one digest that can be one.

    Raises:
        Malformed: ``data-model``.
    """
    seen: set[str] = set()
    for one in resources:
        if type(one) is not dict:
            raise error("data-model", "relatedResource is an object, or several")
        name = url(one.get("id"), "relatedResource.id")
        if name in seen:
            raise error("data-model", f"relatedResource names {name[:80]} twice")
        seen.add(name)
        if not _digests(one):
            raise error("data-model", f"relatedResource {name[:80]} states no digest")


def check_digests(
    resources: list[JsonObject],
    look: Look,
    *,
    missing_too: bool = True,
) -> None:
    """Compare what is stated with what is there.

    Args:
        resources: as `check_shape` passed them.
        look: from URLs to bytes; contexts that are bundled are known in any case, credentials/v2
            in both of its published forms.
        missing_too: whether what is not there is refused.

    Raises:
        Rejected: ``related-resource`` for a digest that does not fit.
        Undecided: ``fetch-failed`` for what is not there.
    """
    missing = ""
    for one in resources:
        name = one["id"]
        bundled = contexts.DIGESTS.get(name, ())
        data = contexts.raw(name) if bundled else look_up(look, name)
        for kind, digest in _digests(one):
            if bundled and kind == "sha256":
                fits = digest.hex() in bundled
            elif type(data) is bytes:
                fits = hashlib.new(kind, data).digest() == digest
            else:
                missing = missing or name
                continue
            if not fits:
                raise error("related-resource", f"{name[:120]} has another {kind} digest")
    if missing and missing_too:
        raise error("fetch-failed", f"the related resource {missing[:120]} is not here")


def _digests(resource: JsonObject) -> list[tuple[str, bytes]]:
    """Hash and digest, of both properties.

    Raises:
        Malformed: ``data-model`` for what is no digest.
    """
    out: list[tuple[str, bytes]] = []
    for name, read in (("digestSRI", _sri), ("digestMultibase", _multibase)):
        value = resource.get(name, [])
        listed = value if type(value) is list else [value]
        for text in listed:
            try:
                out += read(text)
            except (Error, ValueError, TypeError, binascii.Error):
                raise error("data-model", f"{name} is no digest") from None
    return out


def _sri(text: Json) -> list[tuple[str, bytes]]:
    if type(text) is not str or not text.strip():
        raise ValueError
    out: list[tuple[str, bytes]] = []
    for word in text.split():
        match = _SRI.fullmatch(word)
        if match is None:
            raise ValueError
        size = _SIZE[match[1]]
        # Some write the digest in hex, which is base64 too but never of the right length.
        hexed = len(match[2]) == 2 * size
        digest = bytes.fromhex(match[2]) if hexed else binascii.a2b_base64(match[2])
        if len(digest) != size:
            raise ValueError
        out.append((match[1], digest))
    return out


def _multibase(text: Json) -> list[tuple[str, bytes]]:
    if type(text) is not str or text[:1] not in ("u", "z"):
        raise ValueError
    data = b64u_decode(text[1:], size=256) if text[0] == "u" else b58_decode(text[1:])
    kind = _MULTIHASH.get(data[:2], "")
    if not kind or len(data) != 2 + _SIZE[kind]:
        raise ValueError
    return [(kind, data[2:])]

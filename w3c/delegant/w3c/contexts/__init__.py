"""The JSON-LD contexts that are known here: data beside this file, pinned, never fetched.

Where each comes from, and under which licence, says ``LICENCES.md``.

>>> sorted(context("https://w3id.org/security/multikey/v1"))
['@context']
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

import orjson

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.envelope import DELEGATION_CONTEXT, V2_CONTEXT
from delegant.credentials.errors import error

__all__ = ["DIGESTS", "context", "raw", "urls"]

_FILES: Final = {
    "https://www.w3.org/2018/credentials/v1": (
        "credentials-v1",
        "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
    ),
    "https://www.w3.org/2018/credentials/examples/v1": (
        "credentials-examples-v1",
        "73bebae22e70ebb4466ac2e1f3e3b35c43436217623b51ff3e1b567e1aff4ba2",
    ),
    "https://www.w3.org/ns/credentials/v2": (
        "credentials-v2",
        "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
    ),
    "https://www.w3.org/ns/credentials/examples/v2": (
        "credentials-examples-v2",
        "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c",
    ),
    "https://www.w3.org/ns/credentials/undefined-terms/v2": (
        "undefined-terms-v2",
        "82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581",
    ),
    "https://w3id.org/security/data-integrity/v1": (
        "data-integrity-v1",
        "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
    ),
    "https://w3id.org/security/data-integrity/v2": (
        "data-integrity-v2",
        "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
    ),
    "https://w3id.org/security/multikey/v1": (
        "multikey-v1",
        "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
    ),
    "https://w3id.org/security/jwk/v1": (
        "jwk-v1",
        "0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece",
    ),
    "https://www.w3.org/ns/cid/v1": (
        "cid-v1",
        "61dc4b1cf0b1a3bb24c32d0b46ceca5a13649ff858296300d64f9cd3c9fe2873",
    ),
    "https://www.w3.org/ns/did/v1": (
        "did-v1",
        "4f3eae5568c9c5f036a082088f9e192019ee06faa78973c87ff91d5421b88dad",
    ),
    "https://www.w3.org/ns/did/v1.1": (
        "cid-v1",
        "61dc4b1cf0b1a3bb24c32d0b46ceca5a13649ff858296300d64f9cd3c9fe2873",
    ),
    "https://w3id.org/security/suites/ed25519-2018/v1": (
        "ed25519-2018-v1",
        "166c6abb9e08176cee5f6c87c9c1bbfefa5717da391bcac525e5437f93eab809",
    ),
    "https://w3id.org/security/suites/ed25519-2020/v1": (
        "ed25519-2020-v1",
        "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
    ),
    "https://w3id.org/security/suites/x25519-2020/v1": (
        "x25519-2020-v1",
        "b234f84fe7cebb0efef37cad82667eeacb6d414f6c51ac37f5dc803a4a0c728a",
    ),
    "https://w3id.org/security/suites/jws-2020/v1": (
        "jws-2020-v1",
        "00ee65bb7307f9a01c3170b823083b0d4de68223520834b2c5eb7a09bae5dea6",
    ),
    "https://w3id.org/zcap/v1": (
        "zcap-v1",
        "4c0bd364bf3a5215779c0b636e14bcdf1d6818dae002bc7580237bcf8d2a72e0",
    ),
    "https://w3id.org/citizenship/v4rc1": (
        "citizenship-v4rc1",
        "a89b0bc00b1848ac3dfdf956c7dd5de8567e755351c07ec6a1c2b4a08b67953b",
    ),
    "https://www.w3.org/ns/odrl.jsonld": (
        "odrl",
        "a83cb98005bce546531131d4042318d8267aff71b1451f53cc926587fcef42c6",
    ),
}
"""The file of each context, and the SHA-256 of its bytes."""
_OURS: Final = "84f2524e621e3eb062684c4bbc467686ce4104034af7979dff8c73e3e4ff3a34"
_ELSEWHERE: Final = {
    V2_CONTEXT: "24a18c90e9856d526111f29376e302d970b2bd10182e33959995b0207d7043b9",
    "https://www.w3.org/ns/cid/v1": (
        "ea216ecc1cb02cd39b693dba2250141e270ba0bf95890be107dd9a9e8e43de85"
    ),
    "https://www.w3.org/ns/did/v1.1": (
        "ea216ecc1cb02cd39b693dba2250141e270ba0bf95890be107dd9a9e8e43de85"
    ),
}
"""Other published bytes of the same: credentials/v2 of 2024-07-20, other white space in cid/v1."""

DIGESTS: Final[dict[str, tuple[str, ...]]] = {
    url: (digest, _ELSEWHERE[url]) if url in _ELSEWHERE else (digest,)
    for url, digest in [(url, row[1]) for url, row in _FILES.items()]
    + [(DELEGATION_CONTEXT, _OURS)]
}
"""The hexadecimal SHA-256 of every published form of a context; the first is of `raw`."""


def urls() -> tuple[str, ...]:
    """The contexts there are."""
    return tuple(DIGESTS)


@cache
def raw(url: str) -> bytes:
    """The bytes of a context.

    Raises:
        Undecided: ``context-unknown``. Malformed: ``context`` if the installed file was changed.
    """
    if url not in DIGESTS:
        raise error("context-unknown", f"no context {url[:120]!r} here, and none is fetched")
    if url == DELEGATION_CONTEXT:
        place = files("delegant.schemas").joinpath("contexts", "delegation-v1.jsonld")
    else:
        place = files(__name__).joinpath(f"{_FILES[url][0]}.jsonld")
    data = place.read_bytes()
    if hashlib.sha256(data).hexdigest() != DIGESTS[url][0]:
        raise error("context", f"the installed copy of {url} was changed")
    return data


def context(url: Json) -> JsonObject:
    """A context document, ``{"@context": …}``; a copy that may be changed.

    Raises:
        Undecided: ``context-unknown``.
    """
    if type(url) is not str:
        raise error("context-unknown", f"{str(url)[:120]!r} is no URL of a context")
    document: JsonObject = orjson.loads(raw(url))
    return document

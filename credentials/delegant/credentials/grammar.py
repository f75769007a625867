"""The canonical spelling of a chain and of an invocation, read at once.

Honest holders send RFC 8785 bytes, and links are closed documents: their canonical spelling is
a regular language but for the values of grants and constraints. One expression a link holds it
to phases 2 and 3 and takes out every member; digest and signature are then over slices of the
very bytes received, with nothing parsed into objects or written again.

This path only ever says yes. Whatever it does not match, for whatever reason, is read by the
general path (`presentation`, `credential`), which decides and names what is wrong; so this file
need not know any error. What it accepts the general path accepts with the same values: tests
hold the two equal on every limbo case, on generated links and on mutated ones.

No expression can be made to backtrack: every repetition is possessive or bounded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

import orjson

from . import capability, constraint
from .budget import HARD
from .capability import Authority
from .codec import B58_MAX, MAX_MEMBERS, Json, JsonObject, b58_decode, b64u_decode
from .credential import (
    MAX_INDEX,
    MAX_REMAINING,
    Lease,
    Link,
    StatusEntry,
    pinned_key,
    read_dids,
)
from .did import MAX_LENGTH, Did
from .envelope import CONTEXT, Secured
from .errors import Error
from .invocation import INVOCATION_TYPE, MAX_INVOCATION, Invocation
from .shape import MAX_URL

__all__ = ["CanonicalLink", "read_invocation", "read_links", "split"]

T = TypeVar("T")

_CONTEXT: Final = re.escape('["' + '","'.join(CONTEXT) + '"]')
_WORDS: Final = r"[ !#-\[\]-~]"  # printable ASCII that JSON writes as itself
_DID: Final = r"did:[a-z0-9]++(?::(?:[A-Za-z0-9._-]++|%[0-9A-F]{2})++)++"
_UUID: Final = "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_URL: Final = r"https?://[a-z0-9.-]++(?::[0-9]{1,5}+)?/[A-Za-z0-9._~/-]*+"
_DIGEST: Final = "uEi[A-D][A-Za-z0-9_-]{42}[AQgw]"  # 34 bytes, of which 12 20 come first
_NUMBER: Final = "(?:0|[1-9][0-9]{0,8}+)"
_TIME: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
_STRINGS: Final = r"\[[^\]\\]++\]"  # an array of strings without escapes and brackets


def _entry(purpose: str, url: str, index: str) -> str:
    return (
        rf'\{{"statusListCredential":"{url}","statusListIndex":"{index}"'
        rf',"statusPurpose":"{purpose}","type":"BitstringStatusListEntry"\}}'
    )


# Members in the order RFC 8785 gives them. An optional one may be absent: a single step back.
_LINK: Final = re.compile(
    rf'\{{"@context":{_CONTEXT}'
    rf',(?:"credentialStatus":\[{_entry("revocation", f"(?P<list>{_URL})", f"({_NUMBER})")}'
    rf",{_entry('suspension', '(?P=list)', f'({_NUMBER})')}\],)?"
    r'"credentialSubject":\{"delegation":\{'
    r'(?:"constraints":(\{(?:[^\\}]++|\}(?!,"depth":))*+\}),)?'
    rf'"depth":({_NUMBER})'
    rf',"grants":(\[(?:\{{"actions":{_STRINGS},"resources":{_STRINGS}\}},?+)++\])'
    rf',(?:"key":"({_WORDS}{{1,128}}+)",)?'
    rf'(?:"parent":\{{"digestMultibase":"({_DIGEST})","id":"({_UUID})"\}},)?'
    rf'"redelegation":\{{"remaining":({_NUMBER}),"spawn":(true|false)'
    rf',(?:"status":\{{"count":({_NUMBER}),"from":({_NUMBER}),"list":"({_URL})"\}},)?'
    rf'"to":({_STRINGS})\}}'
    rf',"sponsor":\{{"id":"({_DID})","organization":"({_DID})"\}}'
    r',"use":"(grant|mandate)","version":1\}'
    rf',"id":"({_DID})"\}}'
    rf',"id":"({_UUID})","issuer":"({_DID})"'
    rf',(?P<proof>"proof":\{{"@context":{_CONTEXT},"created":"({_TIME})"'
    r',"cryptosuite":"eddsa-jcs-2022","proofPurpose":"assertionMethod"'
    rf',(?P<value>"proofValue":"z([1-9A-HJ-NP-Za-km-z]{{1,{B58_MAX}}}+)",)'
    rf'"type":"DataIntegrityProof","verificationMethod":"({_WORDS}{{1,512}}+)"\}},)'
    r'"type":\["VerifiableCredential","AgentDelegationCredential"\]'
    rf',"validFrom":"({_TIME})","validUntil":"({_TIME})"\}}',
    re.ASCII,
)


class CanonicalLink(Secured):
    """A link in its canonical bytes. What it is as a JSON value is found out when asked for."""

    __slots__ = ("_cuts", "_link", "_raw")

    form = "di"

    def __init__(
        self,
        link: bytes,
        cuts: tuple[int, int, int, int],
        method: str,
        created: int,
        signature: bytes,
    ) -> None:
        """``cuts``: where the proof begins, where its value begins and ends, where it ends."""
        self._link = link
        self._cuts = cuts
        self._raw: JsonObject | None = None
        self.method = method
        self.created = created
        self.shaped = True
        self._signature = signature
        self._digest = ""
        self._checked = None

    @property
    def raw(self) -> JsonObject:
        """The object."""
        if self._raw is None:
            self._raw = orjson.loads(self._link)
        return self._raw

    @property
    def document(self) -> JsonObject:
        """The object without its proof."""
        return {name: value for name, value in self.raw.items() if name != "proof"}

    def open(self, contexts: tuple[str, ...] = CONTEXT) -> None:
        """The grammar has held it to the profile."""

    def _whole(self) -> bytes:
        return self._link

    def _signed(self) -> bytes:
        """As `proof.hash_data`: canonical bytes without a member are canonical."""
        link, (begin, value, rest, end) = self._link, self._cuts
        config = link[begin + 8 : value] + link[rest : end - 1]  # between "proof": and the comma
        return (
            hashlib.sha256(config).digest() + hashlib.sha256(link[:begin] + link[end:]).digest()
        )


def read_links(chain: bytes) -> tuple[Link, ...] | None:
    """The links of a chain's canonical bytes, ``[…]``; None for what the general path must read."""
    if not chain.isascii() or not chain.startswith(b"[") or not _few_members(chain):
        return None
    text = chain.decode("ascii")
    links: list[Link] = []
    seen: dict[Any, Any] = {}  # what several links repeat is read once
    end = 0
    try:
        while (match := _LINK.match(text, end + 1)) is not None:
            links.append(_link(match, chain, seen))
            end = match.end()
            if text[end : end + 1] != ",":
                break
    except (Error, ValueError):
        return None
    whole = bool(links) and text[end:] == "]"
    return tuple(links) if whole and len(links) <= HARD.links else None


def _few_members(chain: bytes) -> bool:
    """Whether it surely has fewer members than `codec.MAX_MEMBERS`.

    Each takes two bytes, and stands behind a comma or an opening bracket.
    """
    few = MAX_MEMBERS - 8  # the presentation has a few around the chain
    return len(chain) < 2 * few or sum(chain.count(mark) for mark in (b",", b"{", b"[")) < few


def _link(match: re.Match[str], chain: bytes, seen: dict[Any, Any]) -> Link:
    """The link a match stands for; ValueError or `Error` where it is not surely one of ours."""
    (url, index, second, limits, depth, grants, key, parent, parent_id, remaining, spawn, count,
     start, leased, to, sponsor, organization, use, subject, name, issuer, _, created, _, value,
     method, since, until) = match.groups()  # fmt: skip
    if max(len(issuer), len(subject), len(sponsor), len(organization)) > MAX_LENGTH:
        raise ValueError
    entry = lease = pin = None
    if url is not None:
        entry = StatusEntry(url, int(index))
        if entry.index % 2 or int(second) != entry.index + 1 or entry.index >= MAX_INDEX:
            raise ValueError
    if leased is not None:
        lease = Lease(leased, int(start), int(count))
        if lease.start % 2 or lease.count % 2 or not 2 <= lease.count <= MAX_INDEX:
            raise ValueError
    if key is not None:
        pin = pinned_key({"key": key}, Did(subject), "")
    authority = seen.get((grants, limits))
    if authority is None:
        authority = seen[grants, limits] = Authority(
            _value(grants, seen, capability.parse_grants),
            {} if limits is None else _value(limits, seen, constraint.parse),
        )
    made, valid_from, valid_until = _time(created, seen), _time(since, seen), _time(until, seen)
    signature = b58_decode(value)
    begin, end = match.span()
    cuts = (
        match.start("proof") - begin,
        match.start("value") - begin,
        match.end("value") - begin,
        match.end("proof") - begin,
    )
    link = Link(
        CanonicalLink(chain[begin:end], cuts, method, made, signature),
        name,
        Did(issuer),
        Did(subject),
        valid_from,
        valid_until,
        entry,
        use,
        Did(sponsor),
        Did(organization),
        None if parent is None else (parent_id, parent),
        int(depth),
        int(remaining),
        spawn == "true",
        _value(to, seen, _dids),
        lease,
        authority,
        pin,
    )
    if (
        not valid_from <= made <= valid_until
        or valid_from == valid_until
        or len(signature) != 64
        or link.depth > MAX_REMAINING
        or link.remaining > MAX_REMAINING
        or (lease is not None and (lease.start > MAX_INDEX or len(lease.list) > MAX_URL))
        or (entry is not None and len(entry.list) > MAX_URL)
    ):
        raise ValueError
    return link


def _value(text: str, seen: dict[Any, Any], read: Callable[[Json], T]) -> T:
    """The value of a slice, if that is its canonical spelling (so no member stands twice)."""
    found: T | None = seen.get(text)
    if found is None:
        value = orjson.loads(text)
        if orjson.dumps(value, option=orjson.OPT_SORT_KEYS) != text.encode("ascii"):
            raise ValueError
        found = seen[text] = read(value)
    return found


def _dids(value: Json) -> frozenset[str]:
    return read_dids(value, "")


def _time(text: str, seen: dict[Any, Any]) -> int:
    """Seconds since 1970; ValueError for a day no month has."""
    found: int | None = seen.get(text)
    if found is None:
        found = seen[text] = int(datetime.fromisoformat(text).timestamp())
    return found


# --- the presentation around the chain, and the invocation ---------------------------------

_HEAD: Final = re.compile(rb'\{"invocation":"([\w-]++\.[\w-]++\.[\w-]++)","links":', re.ASCII)


def split(presentation: bytes) -> tuple[bytes, str] | None:
    """Chain and invocation of a presentation in its canonical spelling; else None.

    ``{"invocation":"…","links":CHAIN}``. Whether the chain is one is not looked at.
    """
    head = _HEAD.match(presentation)
    if head is None or not presentation.endswith(b"]}"):
        return None
    return presentation[head.end() : -1], head[1].decode("ascii")


_INVOCATION_HEADER: Final = re.compile(
    rf'\{{"alg":"(EdDSA|Ed25519)","kid":"({_WORDS}{{1,512}}+)","typ":"{re.escape(INVOCATION_TYPE)}"\}}',
    re.ASCII,
)
_SECONDS: Final = "(?:0|[1-9][0-9]{0,14}+)"
_CLAIMS: Final = re.compile(
    rf'\{{"aud":"({_DID})","chain":"({_DIGEST})","exp":({_SECONDS}),"iat":({_SECONDS})'
    rf',"iss":"({_DID})","jti":"({_WORDS}{{1,128}}+)",(?:"nonce":"({_WORDS}{{1,128}}+)",)?'
    rf'"request":"({_DIGEST})"\}}',
    re.ASCII,
)


def read_invocation(token: str) -> Invocation | None:
    """An invocation whose parts are canonical; None for what the general path must read."""
    if len(token) > MAX_INVOCATION:
        return None
    try:
        head, claims, signed = token.split(".")
        header = _INVOCATION_HEADER.fullmatch(b64u_decode(head).decode("ascii"))
        found = _CLAIMS.fullmatch(b64u_decode(claims).decode("ascii"))
        signature = b64u_decode(signed)
    except (Error, ValueError):
        return None
    if header is None or found is None or len(signature) != 64:
        return None
    aud, chain, exp, iat, iss, jti, nonce, request = found.groups()
    if len(aud) > MAX_LENGTH or len(iss) > MAX_LENGTH:
        return None
    return Invocation(
        header[1],
        header[2],
        f"{head}.{claims}".encode("ascii"),
        signature,
        Did(iss),
        aud,
        int(iat),
        int(exp),
        jti,
        nonce,
        chain,
        request,
    )

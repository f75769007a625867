"""The canonical spelling of a chain, in either secured form, read at once.

Honest holders send RFC 8785 bytes, and links are closed documents: their canonical spelling is
a regular language but for the values of grants and constraints. One expression a link holds it
to phases 2 and 3 and takes out every member; digest and signature are then over slices of the
very bytes received, with nothing parsed into objects or written again.

This path only ever says yes. Whatever it does not match, for whatever reason, is read by the
general path (`presentation`, `credential`), which decides and names what is wrong; so this file
need not know any error. What it accepts the general path accepts with the same values: tests
hold the two equal on every limbo case, on generated links and on mutated ones.

No expression can be made to backtrack: every repetition is possessive, atomic or bounded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

import orjson

from . import capability, constraint, did
from .budget import HARD
from .capability import Authority, Grant
from .codec import B58_MAX, MAX_MEMBERS, Json, JsonObject, b58_decode, b64u_bytes
from .credential import (
    Lease,
    Link,
    StatusEntry,
    pinned_key,
)
from .envelope import CONTEXT, Secured
from .errors import Error
from .jose import ALGORITHMS
from .resource import MAX_ACTION
from .shape import MAX_SET, MAX_URL

__all__ = ["DID", "DIGEST", "WORDS", "CanonicalLink", "CanonicalToken", "read_links"]

T = TypeVar("T")

_CONTEXT: Final = re.escape('["' + '","'.join(CONTEXT) + '"]')
WORDS: Final = r"[ !#-\[\]-~]"  # printable ASCII that JSON writes as itself
_PLAIN: Final = r"[A-Za-z0-9._~-]"
DID: Final = rf'(?=[^"]{{1,{did.MAX_LENGTH}}}+"){did.SYNTAX}'  # it always ends at a quote
_UUID: Final = "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_URL: Final = r"https?://[a-z0-9.-]{1,255}+(?::[0-9]{1,5}+)?/[A-Za-z0-9._~/-]{0,512}+"
DIGEST: Final = "uEi[A-D][A-Za-z0-9_-]{42}[AQgw]"  # 34 bytes, of which 12 20 come first
_FEW: Final = "(?:[12]?[0-9]|3[01])"  # 0 to 31
_EVEN: Final = "(?:[02468]|[1-9][0-9]{0,6}[02468])"  # as far as any list of ours goes
_ODD: Final = "(?:[13579]|[1-9][0-9]{0,6}[13579])"
_TIME: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
_STRINGS: Final = r"\[[^\]\\]++\]"  # an array of strings without escapes and brackets


def _entry(purpose: str, url: str, index: str) -> str:
    return (
        rf'\{{"statusListCredential":"{url}","statusListIndex":"{index}"'
        rf',"statusPurpose":"{purpose}","type":"BitstringStatusListEntry"\}}'
    )


_ACTION: Final = r"[a-z0-9_-]++(?>(?:\.[a-z0-9_-]++)*)(?>(?:\.\*)?)"
_URN: Final = rf"urn:[a-z0-9]{{1,32}}+(?>(?::(?!\.\.?+[:\"]){_PLAIN}++)+)(?>(?::\*\*)?)"
_HTTPS: Final = (
    r"https://[a-z0-9]++(?>(?:\.[a-z0-9]++)+)(?=/)"
    rf"(?>(?:/(?!\.\.?+[/\"]){_PLAIN}++)*)(?>(?:/(?:\*\*)?)?)"
)
_RESOURCE: Final = rf"(?:{_URN}|{_HTTPS})"
_GRANTS: Final = re.compile(
    rf'\[\{{"actions":\["{_ACTION}"(?>(?:,"{_ACTION}")*)\]'
    rf',"resources":\["{_RESOURCE}"(?>(?:,"{_RESOURCE}")*)\]\}}'
    rf'(?>(?:,\{{"actions":\["{_ACTION}"(?>(?:,"{_ACTION}")*)\]'
    rf',"resources":\["{_RESOURCE}"(?>(?:,"{_RESOURCE}")*)\]\}})*)\]',
    re.ASCII,
)
"""The plainest grants: neither ports nor percent signs nor other schemes."""

# Members in the order RFC 8785 gives them. An optional one may be absent: a single step back.
_CREDENTIAL: Final = (
    rf'\{{"@context":{_CONTEXT}'
    rf',(?:"credentialStatus":\[{_entry("revocation", f"(?P<list>{_URL})", f"({_EVEN})")}'
    rf",{_entry('suspension', '(?P=list)', f'({_ODD})')}\],)?"
    r'"credentialSubject":\{"delegation":\{'
    r'(?:"constraints":(?P<limits>\{(?>(?:[^\\}]++|\}(?!,"depth":))*)\}),)?'
    rf'"depth":({_FEW})'
    rf',"grants":(?P<grants>\[(?>(?:\{{"actions":{_STRINGS},"resources":{_STRINGS}\}},?+)+)\])'
    rf',(?:"key":"({WORDS}{{1,128}}+)",)?'
    rf'(?:"parent":\{{"digestMultibase":"({DIGEST})","id":"({_UUID})"\}},)?'
    rf'"redelegation":\{{"remaining":({_FEW}),"spawn":(true|false)'
    rf',(?:"status":\{{"count":({_EVEN}),"from":({_EVEN}),"list":"({_URL})"\}},)?'
    rf'"to":(?P<to>\["{DID}"(?>(?:,"{DID}")*)\])\}}'
    rf',"sponsor":\{{"id":"({DID})","organization":"({DID})"\}}'
    r',"use":"(grant|mandate)","version":1\}'
    rf',"id":"({DID})"\}}'
    rf',"id":"({_UUID})","issuer":"({DID})",'
)
_PROOF: Final = (
    rf'(?P<proof>"proof":\{{"@context":{_CONTEXT},"created":"({_TIME})"'
    r',"cryptosuite":"eddsa-jcs-2022","proofPurpose":"assertionMethod"'
    rf',(?P<value>"proofValue":"z([1-9A-HJ-NP-Za-km-z]{{1,{B58_MAX}}}+)",)'
    rf'"type":"DataIntegrityProof","verificationMethod":"({WORDS}{{1,512}}+)"\}},)'
)
_END: Final = (
    r'"type":\["VerifiableCredential","AgentDelegationCredential"\]'
    rf',"validFrom":"({_TIME})","validUntil":"({_TIME})"\}}'
)
_LINK: Final = re.compile(_CREDENTIAL + _PROOF + _END, re.ASCII)
_PAYLOAD: Final = re.compile(_CREDENTIAL + _END, re.ASCII)
_BEFORE: Final = 21
"""Members of a link before the five that the proof gives; the two times stand behind."""
_TOKEN: Final = re.compile(r'"(([\w-]++)\.([\w-]++)\.([\w-]{86}))"', re.ASCII)
_HEADER: Final = re.compile(
    rf'\{{"alg":"(?:{"|".join(ALGORITHMS)})","kid":"({WORDS}{{1,512}}+)","typ":"vc\+jwt"\}}',
    re.ASCII,
)


class CanonicalLink(Secured):
    """A link in its canonical bytes. What it is as a JSON value is found out when asked for."""

    __slots__ = ("_cuts", "_link", "_raw")

    form = "di"

    def __init__(
        self,
        link: bytes,
        begin: int,
        proof: tuple[int, int],
        value: tuple[int, int],
        method: str,
        created: int,
        signature: bytes,
    ) -> None:
        """``proof``, ``value``: where the two members stand, in the text where ``begin`` is."""
        self._link = link
        self._cuts = begin, proof, value
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
        raw = self._raw
        if raw is None:
            raw = self._raw = orjson.loads(self._link)
        return raw

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
        link, (begin, (first, last), (value, rest)) = self._link, self._cuts
        config = link[first - begin + 8 : value - begin] + link[rest - begin : last - begin - 1]
        document = link[: first - begin] + link[last - begin :]
        return hashlib.sha256(config).digest() + hashlib.sha256(document).digest()


class CanonicalToken(Secured):
    """A link as a ``vc+jwt`` whose payload is canonical."""

    __slots__ = ("_message", "_payload", "_raw")

    form = "jwt"

    def __init__(self, raw: str, message: str, payload: bytes, method: str, sig: bytes) -> None:
        self._raw = raw
        self._message = message
        self._payload = payload
        self.method = method
        self.created = None
        self.shaped = True
        self._signature = sig
        self._digest = ""
        self._checked = None

    @property
    def raw(self) -> str:
        """The compact JWS."""
        return self._raw

    @property
    def document(self) -> JsonObject:
        """The payload."""
        found: JsonObject = orjson.loads(self._payload)
        return found

    def open(self, contexts: tuple[str, ...] = CONTEXT) -> None:
        """The grammar has held it to the profile."""

    def _whole(self) -> bytes:
        return self._raw.encode("ascii")

    def _signed(self) -> bytes:
        return self._message.encode("ascii")


def read_links(chain: bytes) -> tuple[Link, ...] | None:
    """The links of a chain's canonical bytes, ``[…]``; None for what the general path must read."""
    if not chain.isascii() or not chain.startswith(b"["):
        return None
    text = chain.decode("ascii")
    links: list[Link] = []
    seen: dict[Any, Any] = {}  # what several links repeat is read once
    members = end = 0
    large = len(chain) > MAX_MEMBERS  # a member takes two bytes: a small chain has few
    try:
        while True:
            match = _LINK.match(text, end + 1)
            if match is not None:
                links.append(_inside(match, chain, seen))
                members += _members(match) if large else 0
            elif (match := _TOKEN.match(text, end + 1)) is not None:
                links.append(_around(match, seen))
            else:
                return None
            end = match.end()
            if text[end : end + 1] != ",":
                break
    except (Error, ValueError):
        return None
    few = len(links) <= HARD.links and members <= MAX_MEMBERS - _AROUND
    return tuple(links) if few and text[end:] == "]" else None


_AROUND: Final = 48
"""More members than a presentation has around its links, tokens among them."""


def _members(match: re.Match[str]) -> int:
    """No fewer members and items than the link has, to be held to `codec.MAX_MEMBERS`.

    54 have their place in the expression, and it is an item itself. An item of grants takes four
    bytes, one of ``to`` ten, one of a constraint two. (So a token of more than
    `envelope.MAX_CREDENTIAL` is never read here either.)
    """
    limits, grants, to = match.group("limits", "grants", "to")
    return 58 + len(grants) // 4 + len(to) // 10 + (len(limits) // 2 if limits else 0)


def _inside(match: re.Match[str], chain: bytes, seen: dict[Any, Any]) -> Link:
    """A link with a proof inside; ValueError or `Error` where it is not surely one of ours."""
    members: tuple[Any, ...] = match.groups()
    _, created, _, value, method, since, until = members[_BEFORE:]
    if not since <= created <= until:  # one format, so the order of texts is that of times
        raise ValueError
    begin, end = match.span()
    secured = CanonicalLink(
        chain[begin:end],
        begin,
        match.span("proof"),
        match.span("value"),
        method,
        _time(created, seen),
        _signature(value),
    )
    return _link(secured, members, since, until, seen)


def _around(match: re.Match[str], seen: dict[Any, Any]) -> Link:
    """A link with a JWS around it; as `_inside`."""
    raw, head, body, signature = match.groups()
    payload = b64u_bytes(body.encode("ascii"))
    header = _HEADER.fullmatch(b64u_bytes(head.encode("ascii")).decode("ascii"))
    found = _PAYLOAD.fullmatch(payload.decode("ascii"))
    if header is None or found is None or _members(found) > MAX_MEMBERS:
        raise ValueError
    secured = CanonicalToken(
        raw, raw[: len(head) + 1 + len(body)], payload, header[1],
        b64u_bytes(signature.encode("ascii")),
    )  # fmt: skip
    members: tuple[Any, ...] = found.groups()
    since, until = members[_BEFORE:]
    return _link(secured, members, since, until, seen)


def _link(
    secured: Secured, members: tuple[Any, ...], since: str, until: str, seen: dict[Any, Any]
) -> Link:
    (url, index, second, limits, depth, grants, key, parent, parent_id, remaining, spawn, count,
     start, leased, to, sponsor, organization, use, subject, name,
     issuer) = members[:_BEFORE]  # fmt: skip
    entry = lease = pin = None
    if url is not None:
        entry = StatusEntry(url, int(index))
        if int(second) != entry.index + 1:
            raise ValueError
    if leased is not None:
        lease = Lease(leased, int(start), int(count))
        if not lease.count:
            raise ValueError
    if key is not None:
        pin = pinned_key({"key": key}, subject, "")
    authority = seen.get((grants, limits))
    if authority is None:
        authority = seen[grants, limits] = Authority(
            seen.get(grants) or _grants(grants, seen),
            {} if limits is None else _value(limits, seen, constraint.parse),
        )
    valid_from, valid_until = _time(since, seen), _time(until, seen)
    if valid_from >= valid_until:
        raise ValueError
    return Link(
        secured,
        name,
        issuer,
        subject,
        valid_from,
        valid_until,
        entry,
        use,
        sponsor,
        organization,
        None if parent is None else (parent_id, parent),
        int(depth),
        int(remaining),
        spawn == "true",
        seen.get(to) or _dids(to, seen),
        lease,
        authority,
        pin,
    )


def _signature(text: str) -> bytes:
    signature = b58_decode(text)
    if len(signature) != 64:
        raise ValueError
    return signature


def _value(text: str, seen: dict[Any, Any], read: Callable[[Json], T]) -> T:
    """The value of a slice, if that is its canonical spelling (so no member stands twice)."""
    found: T | None = seen.get(text)
    if found is None:
        value = orjson.loads(text)
        if orjson.dumps(value, option=orjson.OPT_SORT_KEYS) != text.encode("ascii"):
            raise ValueError
        found = seen[text] = read(value)
    return found


def _grants(text: str, seen: dict[Any, Any]) -> tuple[Grant, ...]:
    """The grants of a slice; one that stands in another link too is the same object."""
    if _GRANTS.fullmatch(text) is None:
        return _value(text, seen, capability.parse_grants)
    found: list[Grant] = []
    for piece in text[2:-2].split("},{"):
        grant = seen.get(piece)
        if grant is None:
            actions, resources = piece[12:-2].split('"],"resources":["')
            grant = seen[piece] = _grant(actions.split('","'), resources.split('","'))
        found.append(grant)
    if len(found) > capability.MAX_GRANTS:
        raise ValueError
    out = seen[text] = tuple(found)
    return out


def _grant(actions: list[str], resources: list[str]) -> Grant:
    grant = Grant(frozenset(actions), frozenset(resources))
    if (
        len(actions) > capability.MAX_ACTIONS
        or len(resources) > capability.MAX_RESOURCES
        or len(grant.actions) != len(actions)
        or len(grant.resources) != len(resources)
        or max(map(len, actions)) > MAX_ACTION
        or max(map(len, resources)) > MAX_URL
    ):
        raise ValueError
    return grant


def _dids(text: str, seen: dict[Any, Any]) -> frozenset[str]:
    """The set of DIDs of a slice."""
    dids = text[2:-2].split('","')
    out = seen[text] = frozenset(dids)
    if len(out) != len(dids) or len(out) > MAX_SET:
        raise ValueError
    return out


def _time(text: str, seen: dict[Any, Any]) -> int:
    """Seconds since 1970; ValueError for a day no month has."""
    found: int | None = seen.get(text)
    if found is None:
        found = seen[text] = int(datetime.fromisoformat(text).timestamp())
    return found

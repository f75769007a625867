"""The canonical spelling of a chain and of an invocation, read at once.

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
from .did import MAX_LENGTH
from .envelope import CONTEXT, Secured
from .errors import Error
from .invocation import INVOCATION_TYPE, MAX_INVOCATION, Invocation
from .resource import MAX_ACTION
from .shape import MAX_SET, MAX_URL

__all__ = ["CanonicalLink", "read_invocation", "read_links", "split"]

T = TypeVar("T")

_CONTEXT: Final = re.escape('["' + '","'.join(CONTEXT) + '"]')
_WORDS: Final = r"[ !#-\[\]-~]"  # printable ASCII that JSON writes as itself
_PLAIN: Final = r"[A-Za-z0-9._~-]"
_DID: Final = did.SYNTAX
_UUID: Final = "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_URL: Final = r"https?://[a-z0-9.-]{1,255}+(?::[0-9]{1,5}+)?/[A-Za-z0-9._~/-]{0,512}+"
_DIGEST: Final = "uEi[A-D][A-Za-z0-9_-]{42}[AQgw]"  # 34 bytes, of which 12 20 come first
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
_LINK: Final = re.compile(
    rf'\{{"@context":{_CONTEXT}'
    rf',(?:"credentialStatus":\[{_entry("revocation", f"(?P<list>{_URL})", f"({_EVEN})")}'
    rf",{_entry('suspension', '(?P=list)', f'({_ODD})')}\],)?"
    r'"credentialSubject":\{"delegation":\{'
    r'(?:"constraints":(?P<limits>\{(?>(?:[^\\}]++|\}(?!,"depth":))*)\}),)?'
    rf'"depth":({_FEW})'
    rf',"grants":(?P<grants>\[(?>(?:\{{"actions":{_STRINGS},"resources":{_STRINGS}\}},?+)+)\])'
    rf',(?:"key":"({_WORDS}{{1,128}}+)",)?'
    rf'(?:"parent":\{{"digestMultibase":"({_DIGEST})","id":"({_UUID})"\}},)?'
    rf'"redelegation":\{{"remaining":({_FEW}),"spawn":(true|false)'
    rf',(?:"status":\{{"count":({_EVEN}),"from":({_EVEN}),"list":"({_URL})"\}},)?'
    rf'"to":(?P<to>\["{_DID}"(?>(?:,"{_DID}")*)\])\}}'
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
        link, (begin, (first, last), (value, rest)) = self._link, self._cuts
        config = link[first - begin + 8 : value - begin] + link[rest - begin : last - begin - 1]
        document = link[: first - begin] + link[last - begin :]
        return hashlib.sha256(config).digest() + hashlib.sha256(document).digest()


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
        while (match := _LINK.match(text, end + 1)) is not None:
            links.append(_link(match, chain, seen))
            end = match.end()
            if large:
                members += _members(match)
            if text[end : end + 1] != ",":
                break
    except (Error, ValueError):
        return None
    whole = bool(links) and text[end:] == "]"
    few = len(links) <= HARD.links and members <= MAX_MEMBERS - _AROUND
    return tuple(links) if whole and few else None


_AROUND: Final = 8
"""More members than a presentation has around its chain."""


def _members(match: re.Match[str]) -> int:
    """No fewer members and items than the link has, to be held to `codec.MAX_MEMBERS`.

    54 have their place in the expression, and it is an item itself. An item of grants takes four
    bytes, one of ``to`` ten, one of a constraint two.
    """
    limits, grants, to = match.group("limits", "grants", "to")
    return 58 + len(grants) // 4 + len(to) // 10 + (len(limits) // 2 if limits else 0)


def _link(match: re.Match[str], chain: bytes, seen: dict[Any, Any]) -> Link:
    """The link a match stands for; ValueError or `Error` where it is not surely one of ours."""
    members: tuple[Any, ...] = match.groups()
    (url, index, second, limits, depth, grants, key, parent, parent_id, remaining, spawn, count,
     start, leased, to, sponsor, organization, use, subject, name, issuer, _, created, _, value,
     method, since, until) = members  # fmt: skip
    if len(issuer) + len(subject) + len(sponsor) + len(organization) > MAX_LENGTH:
        _short(issuer, subject, sponsor, organization)
    if not since <= created <= until or since == until:  # one format, so text order is time order
        raise ValueError
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
    made = _time(created, seen)
    begin, end = match.span()
    return Link(
        CanonicalLink(
            chain[begin:end], begin, match.span("proof"), match.span("value"), method, made,
            _signature(value),
        ),
        name,
        issuer,
        subject,
        made if since == created else _time(since, seen),
        _time(until, seen),
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
    )  # fmt: skip


def _signature(text: str) -> bytes:
    signature = b58_decode(text)
    if len(signature) != 64:
        raise ValueError
    return signature


def _short(*dids: str) -> None:
    if max(map(len, dids)) > MAX_LENGTH:
        raise ValueError


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
    _short(*dids)
    return out


def _time(text: str, seen: dict[Any, Any]) -> int:
    """Seconds since 1970; ValueError for a day no month has."""
    found: int | None = seen.get(text)
    if found is None:
        found = seen[text] = int(datetime.fromisoformat(text).timestamp())
    return found


# --- the presentation around the chain, and the invocation ---------------------------------

_HEAD: Final = b'{"invocation":"'
_LINKS: Final = b'","links":'


def split(presentation: bytes) -> tuple[bytes, bytes] | None:
    """Chain and invocation of a presentation in its canonical spelling; else None.

    ``{"invocation":"…","links":CHAIN}``. Both must still be read, by `read_links` and
    `read_invocation`: only then is it sure that they end where they seem to.
    """
    if not (presentation.startswith(_HEAD) and presentation.endswith(b"]}")):
        return None
    end = presentation.find(_LINKS, len(_HEAD))
    if end < 0:
        return None
    return presentation[end + len(_LINKS) : -1], presentation[len(_HEAD) : end]


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


def read_invocation(token: bytes) -> Invocation | None:
    """An invocation whose parts are canonical; None for what the general path must read."""
    if len(token) > MAX_INVOCATION:
        return None
    try:
        message, _, signed = token.rpartition(b".")
        head, _, claims = message.partition(b".")
        header = _INVOCATION_HEADER.fullmatch(b64u_bytes(head).decode("ascii"))
        found = _CLAIMS.fullmatch(b64u_bytes(claims).decode("ascii"))
        signature = b64u_bytes(signed)
    except ValueError:
        return None
    if header is None or found is None or len(signature) != 64:
        return None
    claimed: tuple[Any, ...] = found.groups()
    aud, chain, exp, iat, iss, jti, nonce, request = claimed
    if len(aud) > MAX_LENGTH or len(iss) > MAX_LENGTH:
        return None
    alg, method = header.groups()
    return Invocation(
        alg, method, message, signature, iss, aud, int(iat), int(exp), jti, nonce, chain,
        request,
    )  # fmt: skip

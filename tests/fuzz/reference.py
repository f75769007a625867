"""What must be true of anything accepted, read again without the verifier.

Not a second verifier: it says nothing of what is refused, and it knows the private keys of the
test world. Under one of those a signature is good only if it is the one that key makes; so
nothing passes by malleability, and a forger passes only with a key it was given.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import rfc8785

from delegant.credentials import Error, PrivateKey, PublicKey, did
from fuzz.oracle import expect
from fuzz.trees import decoded, encoded
from world import World

__all__ = [
    "KEYS",
    "NAMES",
    "Case",
    "Reading",
    "allows_action",
    "allows_resource",
    "check_accepted",
    "digest_of",
    "key_for",
]

NAMES: Final = ("org", "status-authority", "db", "ana", "mia", "leo", "eve", "research",
                "retrieval", "dbquery", "formatter", "mallory", "stranger", "evil-boss",
                "evil-org")  # fmt: skip
_B58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CLASSES: Final = ("public", "internal", "confidential", "restricted")


def _keys() -> dict[str, PrivateKey]:
    world = World()
    keys = [world._key(name) for name in NAMES]
    return {did.from_key(key.public, how): key for how in ("key", "jwk") for key in keys}


KEYS: Final = _keys()
"""Every key of the test world, by its did:key and its did:jwk."""


_BY_PUBLIC: Final = {key.public: key for key in KEYS.values()}


def key_for(name: str, pinned: str | None) -> PublicKey | None:
    """The key a DID is, or the Multikey that whoever stands above pins for it."""
    own = did.key_of(did.check(name))
    return PublicKey.from_multikey(pinned) if own is None and pinned is not None else own


def digest_of(data: bytes) -> str:
    """Multibase ``u`` of the sha2-256 multihash."""
    return "u" + encoded(b"\x12\x20" + hashlib.sha256(data).digest())


@dataclass(frozen=True)
class Case:
    """One verification: what is presented, and under which trust."""

    presentation: dict[str, Any]
    evidence: dict[str, Any]
    request: dict[str, Any]
    trust: dict[str, Any]
    at: int

    def items(self, group: str) -> list[Reading]:
        """The evidence of one kind that can be read; the rest can have had no part."""
        out: list[Reading] = []
        for raw in self.evidence[group]:
            try:
                one = Reading(raw)
                did.check(one.doc["issuer"])
                if group == "statusLists" or isinstance(one.block, dict):
                    out.append(one)
            except (KeyError, TypeError, ValueError, AttributeError, Error):
                continue
        return out


class Reading:
    """A credential or token read naively: its members, what is signed, and by which method."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        if isinstance(raw, str):
            head, body, signature = raw.split(".")
            self.doc = json.loads(decoded(body))
            self.method = json.loads(decoded(head))["kid"]
            self.message = f"{head}.{body}".encode()
            self.signature = decoded(signature)
        else:
            self.doc = {name: value for name, value in raw.items() if name != "proof"}
            config = {k: v for k, v in raw["proof"].items() if k != "proofValue"}
            self.method = config["verificationMethod"]
            self.message = b"".join(
                hashlib.sha256(rfc8785.dumps(part)).digest() for part in (config, self.doc)
            )
            self.signature = _b58(raw["proof"]["proofValue"][1:])

    @property
    def digest(self) -> str:
        """What others name it by."""
        raw = self.raw
        return digest_of(raw.encode() if isinstance(raw, str) else rfc8785.dumps(raw))

    def signed_by(self, name: str, pinned: str | None = None) -> bool:
        """Whether this DID's own or pinned key made the signature."""
        method, public = str(self.method), key_for(name, pinned)
        if not method.startswith(f"{name}#") or public is None:
            return False
        if name.startswith("did:key:") and method != f"{name}#{name[8:]}":
            return False
        private = _BY_PUBLIC.get(public)
        if private is None:
            return public.verify(self.signature, self.message)
        return private.sign(self.message) == self.signature

    @property
    def subject(self) -> str:
        """The subject's DID, empty if it says none."""
        subject = self.doc.get("credentialSubject")
        return str(subject.get("id", "")) if isinstance(subject, dict) else ""

    @cached_property
    def block(self) -> dict[str, Any]:
        """The subject's block."""
        (block,) = (v for k, v in self.doc["credentialSubject"].items() if k != "id")
        return block  # type: ignore[no-any-return]

    def entry(self) -> tuple[str, int] | None:
        """The list and index of its status bits."""
        entries = self.doc.get("credentialStatus")
        if entries is None:
            return None
        return entries[0]["statusListCredential"], int(entries[0]["statusListIndex"])


def _b58(text: str) -> bytes:
    number = 0
    for character in text:
        number = number * 58 + _B58.index(character)
    return number.to_bytes(64, "big") if number.bit_length() <= 512 else b""


def check_accepted(case: Case) -> None:
    """Whatever the verifier said yes to has these properties; else a `Finding`."""
    links = [Reading(raw) for raw in case.presentation["links"]]
    root = links[0].doc["issuer"]
    org = case.trust["anchors"][0]["id"]
    sponsors = [one for one in case.items("sponsors") if one.subject == root]
    newest = max(sponsors, key=lambda one: one.block["revision"])
    expect(newest.signed_by(org), "an anchor signed the newest sponsor credential", newest.doc)
    _lives(newest, case.at)
    _chain(links, newest.block.get("key"), case.at)
    token = Reading(case.presentation["invocation"])
    _invocation(token, links[-1], case)
    identities = case.items("identities")
    pins = {one.subject: one.block.get("key") for one in (*identities, newest)}
    for link in links:
        signed = any(
            one.signed_by(one.doc["issuer"], pins.get(one.doc["issuer"]))
            for one in identities
            if one.subject == link.subject
        )
        expect(signed, "every subject shows a signed identity", link.subject)
    authorities = (
        *(link.block for link in links),
        newest.block["entitlements"],
        {"grants": case.trust["anchors"][0]["ceiling"]},
    )
    for authority in authorities:
        _allows(authority, case, token.doc["aud"])
    limits = [one.get("constraints", {}).get("approval") for one in authorities]
    demands = [one for one in limits if one is not None and _demanded(one, case.request)]
    if demands:
        _approved(demands, links, org, case)
    for one in (*links, newest):
        _unrevoked(one.entry(), newest.block["status"], case)


def _chain(links: list[Reading], pinned: str | None, at: int) -> None:
    parties = [links[0].doc["issuer"]]
    for index, link in enumerate(links):
        block, issuer = link.block, link.doc["issuer"]
        expect(link.signed_by(issuer, pinned), "every link is signed by its issuer", index, issuer)
        pinned = block.get("key")
        expect(issuer == parties[-1], "every link is issued by the subject before", index)
        expect(block["depth"] == index, "depth counts up", block)
        expect(block["sponsor"] == links[0].block["sponsor"], "one sponsor throughout", block)
        expect(block["sponsor"]["id"] == parties[0], "the sponsor signs first", block)
        _lives(link, at)
        if index:
            above = links[index - 1]
            named = {"id": above.doc["id"], "digestMultibase": above.digest}
            expect(block["parent"] == named, "a link names the link above", index, named)
            expect(above.doc["validFrom"] <= link.doc["validFrom"], "starts inside", index)
            expect(link.doc["validUntil"] <= above.doc["validUntil"], "ends inside", index)
            again, before = block["redelegation"], above.block["redelegation"]
            expect(again["remaining"] < before["remaining"], "what remains falls", index)
            expect(before["spawn"] or not again["spawn"], "spawn never turns true", index)
            expect(set(again["to"]) <= set(before["to"]), "`to` only shrinks", index)
            dropped = above.block.get("constraints", {}).keys() - block.get("constraints", {})
            expect(not dropped, "no constraint is dropped", index, dropped)
            expect(block["use"] == "grant", "a mandate stands first or nowhere", index)
        else:
            expect("parent" not in block, "the first link has no parent")
        parties.append(link.subject)
    expect(links[-1].block["use"] == "grant", "a mandate is never invoked")
    expect(len(set(parties)) == len(parties), "nobody stands twice", parties)


def _lives(credential: Reading, at: int) -> None:
    start, end = credential.doc["validFrom"], credential.doc["validUntil"]
    expect(start <= _text(at + 30) and _text(at) < end, "it lives now", start, end)


def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _invocation(token: Reading, leaf: Reading, case: Case) -> None:
    claims = token.doc
    pinned = leaf.block.get("key")
    expect(token.signed_by(leaf.subject, pinned), "the last subject signed the invocation", claims)
    expect(claims["iss"] == leaf.subject, "the last subject issued the invocation", claims)
    expect(claims["chain"] == leaf.digest, "the invocation is of this chain", claims)
    asked = digest_of(rfc8785.dumps(case.request))
    expect(claims["request"] == asked, "the invocation is of this request", claims, asked)
    expect(claims["aud"] == case.trust["verifier"]["id"], "it is for this verifier", claims)
    expect(claims["iat"] - 30 <= case.at < claims["exp"] <= claims["iat"] + 120, "now", claims)


def _demanded(limit: dict[str, Any], asked: dict[str, Any]) -> bool:
    over, amount = limit.get("over"), asked.get("amount")
    if over is None or amount is None or over["unit"] != amount["unit"]:
        return True
    return int(amount["value"]) > int(over["value"])


def _approved(demands: list[dict[str, Any]], links: list[Reading], org: str, case: Case) -> None:
    names = {link.subject for link in links}
    keys = {key_for(link.subject, link.block.get("key")) for link in links}
    signed: set[str] = set()
    asked = digest_of(rfc8785.dumps(case.request))
    for raw in case.presentation.get("approvals", []):
        one = Reading(raw)
        claims, name = one.doc, one.doc["iss"]
        expect(any(name in limit["by"] for limit in demands), "an approver was named", claims)
        attested = [about for about in case.items("sponsors") if about.subject == name]
        newest = max(attested, key=lambda about: about.block["revision"])
        expect(newest.signed_by(org), "an anchor signed the approver's credential", newest.doc)
        _lives(newest, case.at)
        _unrevoked(newest.entry(), newest.block["status"], case)
        pinned = newest.block.get("key")
        expect(one.signed_by(name, pinned), "the approver signed the approval", claims)
        key = key_for(name, pinned)
        expect(name not in names and key not in keys, "neither an agent nor twice", claims)
        expect(claims["chain"] == links[-1].digest, "the approval is of this chain", claims)
        expect(claims["request"] == asked, "the approval is of this request", claims, asked)
        expect(claims["aud"] == case.trust["verifier"]["id"], "it is for this verifier", claims)
        lives = claims["iat"] - 30 <= case.at < claims["exp"] <= claims["iat"] + 900
        expect(lives, "the approval is of now", claims)
        names.add(name)
        keys.add(key)
        signed.add(name)
    for limit in demands:
        enough = len(signed & set(limit["by"])) >= limit["threshold"]
        expect(enough, "as many approved as must", limit, signed)


def _unrevoked(entry: tuple[str, int] | None, leased: dict[str, Any], case: Case) -> None:
    if entry is None:
        return
    url, index = entry
    named = [one for one in case.items("statusLists") if one.doc.get("id") == url]
    lists = [one for one in named if one.signed_by(leased["authority"], leased["key"])]
    expect(lists, "a list by the status authority is there", url)
    expect(not any(_bit(one, index) for one in lists), "no list revokes it", url, index)
    start = max(one.doc["validFrom"] for one in lists)
    newest = [one for one in lists if one.doc["validFrom"] == start]
    if len(newest) == 1:
        expect(not _bit(newest[0], index + 1), "the newest list does not suspend it", url, index)
    expect(_text(case.at - 300) <= start <= _text(case.at + 30), "the newest list is fresh", start)


def _bit(one: Reading, index: int) -> bool:
    packed = decoded(one.doc["credentialSubject"]["encodedList"][1:])
    bits = zlib.decompress(packed, wbits=31)
    return index < len(bits) * 8 and bool(bits[index // 8] >> (7 - index % 8) & 1)


# --- what an authority allows --------------------------------------------------------------


def _allows(authority: dict[str, Any], case: Case, audience: str) -> None:
    asked = case.request
    covered = any(
        any(allows_action(pattern, asked["action"]) for pattern in grant["actions"])
        and any(allows_resource(pattern, asked["resource"]) for pattern in grant["resources"])
        for grant in authority["grants"]
    )
    expect(covered, "every authority covers the request", authority["grants"], asked)
    for name, limit in authority.get("constraints", {}).items():
        holds = _holds(name, limit, asked, audience, case)
        expect(holds, f"the request satisfies {name}", limit, asked)


def allows_action(pattern: str, action: str) -> bool:
    """Whether an action pattern, segment by segment, allows an action."""
    below, parts = pattern.split("."), action.split(".")
    if below[-1] != "*":
        return below == parts
    return len(parts) >= len(below) and parts[: len(below) - 1] == below[:-1]


def allows_resource(pattern: str, resource: str) -> bool:
    """Whether a resource pattern allows an exact resource."""
    if not pattern.endswith("**"):
        return pattern == resource
    return resource.startswith(pattern[:-2]) and resource != pattern[:-2]


def _holds(name: str, limit: Any, asked: dict[str, Any], audience: str, case: Case) -> bool:
    match name:
        case "rows" | "bytes":
            return name in asked and asked[name] <= limit["max"]
        case "columns":
            return name in asked and set(asked[name]) <= set(limit)
        case "purpose":
            return asked.get(name) in limit
        case "audience":
            return audience in limit
        case "network":
            here = ipaddress.ip_address(asked[name])
            return any(here in ipaddress.ip_network(prefix) for prefix in limit)
        case "task":
            task = asked[name]
            may = (limit["initiation"], "agent_decision")
            return task["id"] == limit["id"] and task["initiation"] in may
        case "dataClass":
            return _CLASSES.index(asked[name]) <= _CLASSES.index(limit["max"])
        case "hours":
            clock = datetime.fromtimestamp(case.at, UTC).strftime("%H:%M")
            return any(start <= clock < end for start, end in limit)
        case "budget":
            amount = asked["amount"]
            ours = limit["ledger"] in case.trust["verifier"]["ledgers"]
            small = int(amount["value"]) <= int(limit["perAction"])
            return ours and amount["unit"] == limit["unit"] and small
        case "rate":
            return limit["ledger"] in case.trust["verifier"]["ledgers"]
        case "approval":
            return True  # judged of all authorities together
        case "arguments":
            return all(_argument(test, asked[name].get(one)) for one, test in limit.items())
    return False  # nobody may say yes to a constraint it does not know


def _argument(test: dict[str, Any], value: Any) -> bool:
    ((operator, operand),) = test.items()
    if operator == "range":
        low, high = operand["min"], operand["max"]
        return type(value) is type(low) and int(low) <= int(value) <= int(high)
    among = operand if operator == "in" else [operand]
    return any(type(one) is type(value) and one == value for one in among)

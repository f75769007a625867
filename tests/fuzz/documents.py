"""Targets for single documents: tokens, status lists, requests, trust folders, naming answers."""

from __future__ import annotations

import gzip
import json
import tempfile
import zlib
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final
from unittest.mock import patch

from ans.naming import NAME, Naming
from delegant.ans import RegistryTrust, verify_answer, writing
from delegant.ans.events import check_event
from delegant.credentials import Bundle, Error, Request, Trust, canonical, decide, digest
from delegant.credentials.codec import JsonObject, b64u_encode, parse_object
from delegant.credentials.did import Did, vm_of
from delegant.credentials.documents import (
    RELATIONS,
    STATEMENT_TYPE,
    Resolved,
    methods,
    parse_statement,
    past,
    statement,
    unpack_statement,
)
from delegant.credentials.envelope import secure, unpack
from delegant.credentials.feed import FEED_TYPE, parse_feed, unpack_feed
from delegant.credentials.feed import document as feed_document
from delegant.credentials.jose import check_header, split
from delegant.credentials.jose import sign as jose_sign
from delegant.credentials.status import MIN_BITS, StatusList, document, parse_status_list
from delegant.schemas import accepts as schema_accepts
from fuzz import seeds
from fuzz.oracle import equal, expect, settled
from fuzz.reference import allows_action, allows_resource
from fuzz.trees import (
    Bytes,
    closed,
    damaged,
    decoded,
    encoded,
    mangle,
    on_trees,
    opened,
    written,
)
from world import LIST, T0, World

__all__ = [
    "answer_text",
    "answers",
    "feed_text",
    "feeds",
    "gzip_too",
    "request_text",
    "requests",
    "status_text",
    "statuses",
    "token_text",
    "token_too",
    "tokens",
    "trust_text",
    "trusts",
]

CAP: Final = 64 * 1024
"""Bytes a status list may have here: small, so that every bomb is one."""

# --- revocation feeds and resolvers' statements --------------------------------------------


def feed_text(data: bytes) -> None:
    """A feed that is read is closed, bounded, and written again the same; so is a statement."""
    value = settled(lambda: parse_object(data, size=8192))
    if isinstance(value, Error):
        return
    key = World().status.key
    signed = settled(lambda: jose_sign(value, key, FEED_TYPE, "did:key:z6Mk#k"))
    if isinstance(signed, Error):
        return
    feed = settled(lambda: parse_feed(unpack_feed(signed)))
    if not isinstance(feed, Error):
        entries = settled(lambda: feed.entries)
        if not isinstance(entries, Error):
            again = feed_document(
                feed.url, feed.issuer, feed.seq, entries, feed.valid_from, feed.valid_until
            )
            expect(equal(again, value), "written otherwise", again, value)
            expect(schema_accepts("revocation-feed", value), "the schema refuses it", value)
            named = set().union(*(feed.names(kind) for kind in ("link", "did", "sponsor")))
            expect(named == {one.id for one in entries}, "an entry names nobody", value)
    token = settled(lambda: jose_sign(value, key, STATEMENT_TYPE, "did:key:z6Mk#k"))
    if isinstance(token, Error):
        return
    found = settled(lambda: parse_statement(unpack_statement(token)))
    if not isinstance(found, Error):
        expect(schema_accepts("did-resolution", value), "the schema refuses it", value)
        for one in (seeds.party("ana"), seeds.party("research")):
            for method, under in methods(found, one):
                expect(type(method) is dict and under <= set(RELATIONS), "a method", method)
                expect(type(past(method.get("revoked"), T0)) is bool, "a time", method)


def feeds() -> list[bytes]:
    """Feeds and statements as their issuers would sign them."""
    world = World()
    entries = [
        world.kills("link", world.id("link")),
        world.kills("did", world.org.did),
        world.kills("sponsor", world.db.did, at=0),
    ]
    name = "did:web:agents.example"
    method = {"id": "#k", "controller": name, "revoked": "2026-09-21T14:13:20+01:00",
              "publicKeyMultibase": seeds.party("ana").multikey}  # fmt: skip
    other = {"id": f"{name}#j", "publicKeyJwk": seeds.party("research").jwk, "expires": None}
    told: JsonObject = {"id": name, "verificationMethod": [method],
                        "assertionMethod": ["#k", other], "authentication": "#k"}  # fmt: skip
    statements = [statement(world.db.did, Resolved(Did(name), told, T0, T0 + 60, gone))
                  for gone in (False, True)]  # fmt: skip
    made = [world.feed().secured.document, world.feed(*entries).secured.document]
    return [canonical(value) for value in (*made, *statements)]


# --- compact JWS ---------------------------------------------------------------------------


def token_text(data: bytes) -> None:
    """Three parts of strict base64url, strict JSON in two: nothing else is a token."""
    text = data.decode("utf-8", "surrogateescape")
    jws = settled(lambda: split(text, size=8192))
    whole = settled(lambda: unpack(text, size=8192))
    expect(isinstance(jws, Error) == isinstance(whole, Error), "unpack and split differ", text)
    if isinstance(jws, Error) or isinstance(whole, Error):
        return
    expect(jws.message.decode() + "." + b64u_encode(jws.signature) == text, "rejoined", text)
    head, body, _ = text.split(".")
    for part, read in ((head, jws.header), (body, jws.payload)):
        expect(encoded(decoded(part)) == part, "base64url of two spellings", part)
        expect(equal(json.loads(decoded(part)), read), "read otherwise", part, read)
    expect(whole.digest == digest(text.encode()), "the digest is of the token", text)
    kid = settled(lambda: check_header(jws, "vc+jwt"))
    if isinstance(kid, str):
        expect(jws.header.keys() == {"alg", "typ", "kid"}, "an open header", jws.header)
        expect(jws.header["typ"] == "vc+jwt" and jws.header["kid"] == kid, "kid", jws.header)
    opened = settled(whole.open)
    if not isinstance(opened, Error):
        expect(whole.method == kid, "opened, and its header does not hold", jws.header)


def tokens() -> list[bytes]:
    """Every token in the seeds."""
    return [raw for raw, item in seeds.known().items() if isinstance(item, str)]


def token_too(data: bytes, most: int, dice: Random, plain: Bytes) -> bytes:
    """What the token says, written again; or its bytes."""
    tree = opened(data.decode("utf-8", "replace"))
    if isinstance(tree, str) or dice.random() < 0.3:
        return plain(data, most)
    out = closed(damaged(tree, dice))
    made = out.encode("utf-8", "replace") if isinstance(out, str) else written(out)
    return made if len(made) <= most else plain(data, most)


# --- status lists --------------------------------------------------------------------------


def status_text(data: bytes) -> None:
    """A whole credential as JSON, or else the gzip alone in an honest one."""
    if data.startswith(b"{"):
        made = settled(lambda: unpack(parse_object(data, size=1 << 20)))
    else:
        made = unpack(_enclosed("u" + encoded(data)))
    if isinstance(made, Error):
        return
    listed = settled(lambda: parse_status_list(made))
    if isinstance(listed, Error):
        return
    first = settled(lambda: listed.pair(0, CAP))
    if isinstance(first, Error):
        expect(first.code in {"encoding", "limit-size", "shape"}, "another refusal", first)
        return
    _same_bits(listed)


def _same_bits(listed: StatusList) -> None:
    packed = decoded(listed.encoded[1:])
    bits = gzip.decompress(packed)
    expect(MIN_BITS // 8 <= len(bits) <= CAP, "too short, or over the cap", len(bits))
    dice = Random(zlib.crc32(packed))
    for index in (0, len(bits) * 8 - 2, *(2 * dice.randrange(len(bits) * 4) for _ in range(24))):
        pair = bits[index // 8] >> (6 - index % 8) & 3
        expect(listed.pair(index, CAP) == pair, "other bits than gzip has", index)
    expect(listed.pair(len(bits) * 8, CAP) == -1, "bits beyond the end", len(bits))


@cache
def _honest_list() -> dict[str, Any]:
    world = World()
    bits = document(LIST, world.status.did, bytes(MIN_BITS // 8), T0, T0 + 3600)
    made = secure(bits, world.status.key, vm_of(world.status.did), T0).raw  # type: ignore[arg-type]
    assert isinstance(made, dict)
    return made


def _enclosed(text: str) -> dict[str, Any]:
    whole = _honest_list()
    return whole | {"credentialSubject": whole["credentialSubject"] | {"encodedList": text}}


def statuses() -> list[bytes]:
    """Whole credentials; gzips: honest, short, long, bombs, cut, doubled."""
    bits = bytes(MIN_BITS // 8)
    good = gzip.compress(bits, mtime=0)
    raws = [good, gzip.compress(b"\xff" * CAP), gzip.compress(bits[1:]), good[:-4], good + good,
            gzip.compress(bytes(CAP + 1)), gzip.compress(bytes(1 << 22)), zlib.compress(bits),
            gzip.compress(Random(1).randbytes(MIN_BITS // 8)), good + b"\x00"]  # fmt: skip
    whole = _honest_list()
    return [*raws, canonical(whole), canonical(_enclosed("u" + encoded(raws[1])))]


def gzip_too(data: bytes, most: int, dice: Random, plain: Bytes) -> bytes:
    """Trees of credentials; of a gzip the bytes, or what is packed in it."""
    if data.startswith(b"{"):
        return on_trees(damaged)(data, most, dice, plain)
    if dice.random() < 0.5:
        return plain(data, most)
    try:
        bits = zlib.decompressobj(wbits=31).decompress(data, 2 * CAP)
    except zlib.error:
        return plain(data, most)
    bits = mangle(bits, 2 * CAP, dice) * dice.choice((1, 1, 1, 2, 5))
    packer = zlib.compressobj(dice.choice((0, 1, 9)), wbits=dice.choice((31, 31, 31, 15, -15)))
    out = packer.compress(bits) + packer.flush()
    return out if len(out) <= most else plain(data, most)


# --- request -------------------------------------------------------------------------------


@cache
def _honest() -> tuple[Bundle, Trust, dict[str, Any]]:
    world = World()
    bundle = Bundle.parse(seeds.honest()["limited-3"])
    return bundle, world.trust(), world.trust_json


def request_text(data: bytes) -> None:
    """A request reads back as itself; only the one that was signed for is allowed."""
    asked = settled(lambda: Request.parse(data))
    if isinstance(asked, Error):
        return
    expect(Request.from_json(asked.json) == asked, "it reads back as another", asked)
    expect(equal(asked.json, json.loads(data)), "read otherwise", asked, data)
    expect(asked.digest == digest(canonical(json.loads(data))), "another digest", asked)
    bundle, trust, _ = _honest()
    verdict = decide(bundle.presentation, bundle.evidence, trust, asked, at=T0)
    same = asked.digest == bundle.request.digest
    expect((verdict.state == "accepted") == same, "not what was signed for", verdict, asked)


def requests() -> list[bytes]:
    """The requests of the seeds."""
    out = [canonical(_honest()[0].request.json)]
    for seed in seeds.bundles():
        try:
            out.append(canonical(json.loads(seed.data)["request"]))
        except (ValueError, KeyError, TypeError, Error):
            continue
    return sorted(set(out))


# --- trust ---------------------------------------------------------------------------------


def trust_text(data: bytes) -> None:
    """A trust folder says yes only where it names the anchor, this verifier and the authority."""
    trust = settled(lambda: Trust.parse(data))
    if isinstance(trust, Error):
        return
    bundle, _, honest = _honest()
    asked = bundle.request
    verdict = decide(bundle.presentation, bundle.evidence, trust, asked, at=T0)
    if verdict.authorization is None:
        return
    whole, org = json.loads(data), honest["anchors"][0]
    (anchor,) = (one for one in whole["anchors"] if one["id"] == org["id"])
    expect(anchor["keys"] == org["keys"], "under another key", anchor)
    expect(whole["verifier"]["id"] == honest["verifier"]["id"], "for another verifier", whole)
    expect(
        any(
            any(allows_action(one, asked.action) for one in grant["actions"])
            and any(allows_resource(one, asked.resource) for one in grant["resources"])
            for grant in anchor["ceiling"]
        ),
        "beyond the ceiling",
        anchor,
    )
    wiser = trust.with_seen(verdict.authorization.seen)
    again = decide(bundle.presentation, bundle.evidence, wiser, asked, at=T0)
    expect(again.state == "accepted", "having seen it, it is refused", again)


def trusts() -> list[bytes]:
    """The world's trust, and one that uses every member."""
    world = World()
    plain = world.trust_json
    keyed = {"id": world.db.did, "keys": [world.db.key.public.multikey]}
    full = plain | {
        "anchors": [
            plain["anchors"][0]
            | {"maxMandateSeconds": 604_800, "maxStatusAge": {"low": 3600, "high": 300},
               "accredits": ["audit"]},
            keyed | {"ceiling": [{"actions": ["db.*"], "resources": ["urn:acme:**"]}]},
        ],
        "registries": [
            keyed
            | {"url": "http://127.0.0.1:8080/", "log": "a.example/ans+0a1b2c3d+AQID",
               "witnesses": ["w.example/w+11111111+BA"], "quorum": 1}
        ],
        "resolvers": [keyed],
        "verifier": plain["verifier"]
        | {"limits": {"links": 8, "statusList": 65_536}, "lowSensitivity": ["urn:acme:public:**"]},
        "seen": {"revision": {world.org.did: 1}, "lists": {LIST: "2026-09-21T14:13:20Z"}},
    }  # fmt: skip
    return [canonical(plain), canonical(full)]


# --- naming --------------------------------------------------------------------------------


@cache
def _naming() -> tuple[RegistryTrust, dict[str, Any], tuple[dict[str, Any], ...]]:
    """Whom a client believes, an honest answer, and honest events."""
    salt = patch.object(writing, "new_nonce", lambda: "A" * 22)  # every process has the same answer
    with tempfile.TemporaryDirectory() as folder, salt:
        naming = Naming(Path(folder) / "registry.db")
        first = naming.event()
        receipt = naming.send(first)
        answer = naming.registry.resolve(NAME, T0)[1]
        last = naming.event("revoke", receipt=receipt)
        moved = naming.transfer(receipt, naming.agent("other"))
        naming.registry.store.close()
    return naming.trusted, answer, (first, last, moved)


def answer_text(data: bytes) -> None:
    """A registry's answer or an agent's event: without a key only the honest ones pass."""
    trust, honest, events = _naming()
    value = settled(lambda: parse_object(data, size=1 << 16))
    if isinstance(value, Error):
        return
    found = settled(lambda: verify_answer(value, trust, NAME, at=T0))
    if not isinstance(found, Error):
        expect(equal(_known(value, honest), honest), "an answer that nobody signed", value)
    name = settled(lambda: check_event(value))
    if not isinstance(name, Error):
        expect(any(equal(value, one) for one in events), "an event that nobody signed", value)


def _known(value: dict[str, Any], honest: dict[str, Any]) -> dict[str, Any]:
    """An answer that was believed, without signatures of strangers: notes may carry any."""
    for one, other in zip(value["resolvedAgents"], honest["resolvedAgents"], strict=True):
        lines = set(other["receipt"]["checkpoint"].splitlines(keepends=True))
        note = one["receipt"]["checkpoint"].splitlines(keepends=True)
        kept = [line for line in note if line in lines or not line.startswith("\u2014 ")]
        one["receipt"]["checkpoint"] = "".join(kept)
    return value


def answers() -> list[bytes]:
    """One answer, three events."""
    _, answer, events = _naming()
    return [canonical(one) for one in (answer, *events)]

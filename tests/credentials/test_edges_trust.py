"""The trust folder member by member, and the bounds of leases, entries and sponsor credentials."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from delegant import schemas
from delegant.credentials import (
    Lease,
    Peer,
    PrivateKey,
    Seen,
    StatusEntry,
    Trust,
    canonical,
    did,
    policy,
)
from delegant.credentials import credential as credentials
from delegant.credentials.credential import HumanSponsor, Link, parse_human_sponsor, parse_link
from delegant.credentials.envelope import unpack
from refusal import refusal
from world import LIST, PAPERS, World

KEYS = [PrivateKey(bytes([n]) * 32).public for n in range(1, 10)]
DAY = 86_400


def test_constants_are_those_promised() -> None:
    assert (policy.MAX_TRUST, policy.MAX_ANCHORS) == (1024 * 1024, 256)
    assert (policy.DEFAULT_GRANT_SECONDS, policy.DEFAULT_MANDATE_SECONDS) == (900, 7 * DAY)
    assert policy.DEFAULT_STATUS_AGE == {"low": 3600, "high": 300}
    assert credentials.GRANT_HARD_SECONDS == 3600
    assert credentials.MANDATE_HARD_SECONDS == 30 * DAY
    assert credentials.SPONSOR_HARD_SECONDS == DAY
    assert credentials.IDENTITY_HARD_SECONDS == 90 * DAY
    assert credentials.STATUS_FREE_SECONDS == 60
    assert (credentials.MAX_REMAINING, credentials.MAX_INDEX) == (31, 16 * 1024 * 1024 * 8)


# --- the trust folder --------------------------------------------------------------------------


def anchor(**changes: Any) -> dict[str, Any]:
    out = {"id": "did:web:acme.example", "keys": [KEYS[0].multikey]} | changes
    return {name: value for name, value in out.items() if value is not None}


def folder(**changes: Any) -> dict[str, Any]:
    return {"version": 1, "anchors": [anchor()]} | changes


PEER = {"id": did.from_key(KEYS[1]), "keys": [KEYS[1].multikey]}
LOG: dict[str, Any] = PEER | {"log": "acme.example/ans+0a1b2c3d+AQID"}
SEEN_BY: dict[str, Any] = {
    "witnesses": ["w.example/w+11111111+BA", "w.example/x+22222222+BA"],
    "quorum": 2,
}
TRUSTED: list[tuple[dict[str, Any], str]] = [
    (folder(), ""),
    (folder(version=2), "unknown-version"),
    (folder(version=0), "shape"),
    (folder(anchors=[]), ""),
    (folder(anchors={}), "shape"),
    (folder(anchors=[anchor(), anchor()]), "shape"),
    (folder(anchors=[anchor(), anchor(id="did:web:b.example")]), ""),
    (folder(anchors=[anchor(id=f"did:web:a{n}.example") for n in range(256)]), ""),
    (folder(anchors=[anchor(id=f"did:web:a{n}.example") for n in range(257)]), "shape"),
    (folder(anchors=[anchor(maxGrantSeconds=1)]), ""),
    (folder(anchors=[anchor(maxGrantSeconds=0)]), "shape"),
    (folder(anchors=[anchor(maxGrantSeconds=3600)]), ""),
    (folder(anchors=[anchor(maxGrantSeconds=3601)]), "shape"),
    (folder(anchors=[anchor(maxMandateSeconds=1)]), ""),
    (folder(anchors=[anchor(maxMandateSeconds=0)]), "shape"),
    (folder(anchors=[anchor(maxMandateSeconds=30 * DAY)]), ""),
    (folder(anchors=[anchor(maxMandateSeconds=30 * DAY + 1)]), "shape"),
    (folder(anchors=[anchor(maxStatusAge={"low": 1, "high": 1})]), ""),
    (folder(anchors=[anchor(maxStatusAge={"low": 0, "high": 1})]), "shape"),
    (folder(anchors=[anchor(maxStatusAge={"low": 1})]), "shape"),
    (folder(anchors=[anchor(maxStatusAge={"low": 1, "high": 1, "all": 1})]), "unknown-member"),
    (folder(anchors=[anchor(keys=[key.multikey for key in KEYS[:8]])]), ""),
    (folder(anchors=[anchor(keys=[key.multikey for key in KEYS])]), "limit-items"),
    (folder(anchors=[anchor(keys=["z" * 129])]), "shape"),
    (folder(anchors=[anchor(keys=[])]), "empty-array"),
    (folder(anchors=[anchor(subjects=["did:key:**", "did:web:acme.example:people:**"])]), ""),
    (folder(anchors=[anchor(subjects=["did:**"])]), "shape"),
    (folder(anchors=[anchor(subjects=["did:web:a:b"])]), ""),
    (folder(anchors=[anchor(subjects=["people:**"])]), "shape"),
    (folder(anchors=[anchor(subjects=["did:web:a b:**"])]), "shape"),
    (folder(resolvers=[PEER], registries=[PEER | {"url": "http://a.example/"}]), ""),
    (folder(resolvers=[]), "empty-array"),
    (folder(resolvers=[PEER | {"more": 1}]), "unknown-member"),
    (folder(resolvers=[PEER | {"id": "x"}]), "shape"),
    (folder(resolvers=[PEER | {"keys": [KEYS[2].multikey]}]), "did-key-mismatch"),
    (folder(registries=[PEER | {"url": "ftp://a.example/"}]), "shape"),
    (folder(registries=[PEER, PEER]), "shape"),
    (folder(registries=[LOG]), ""),
    (folder(resolvers=[LOG]), "unknown-member"),
    (folder(registries=[PEER | {"log": "x" * 512}]), ""),
    (folder(registries=[PEER | {"log": "x" * 513}]), "shape"),
    (folder(registries=[PEER | {"log": ""}]), "shape"),
    (folder(registries=[PEER | {"log": "a b+c+d"}]), "shape"),
    (folder(registries=[PEER | {"log": "a+b+c\n"}]), "shape"),
    (folder(registries=[PEER | {"log": "\u00e9+b+c"}]), "shape"),
    (folder(registries=[LOG | SEEN_BY]), ""),
    (folder(registries=[LOG | SEEN_BY | {"quorum": 1}]), ""),
    (folder(registries=[LOG | SEEN_BY | {"quorum": 0}]), "shape"),
    (folder(registries=[LOG | SEEN_BY | {"quorum": 3}]), "shape"),
    (folder(registries=[LOG | SEEN_BY | {"quorum": True}]), "shape"),
    (folder(registries=[LOG | SEEN_BY | {"witnesses": []}]), "empty-array"),
    (folder(registries=[LOG | SEEN_BY | {"witnesses": ["x", "x"]}]), "shape"),
    (folder(registries=[LOG | SEEN_BY | {"witnesses": ["x", 1]}]), "shape"),
    (folder(registries=[LOG | SEEN_BY | {"witnesses": [f"w{n}" for n in range(16)]}]), ""),
    (
        folder(registries=[LOG | SEEN_BY | {"witnesses": [f"w{n}" for n in range(17)]}]),
        "limit-items",
    ),
    (folder(registries=[LOG | {"witnesses": ["x"]}]), "shape"),
    (folder(registries=[LOG | {"quorum": 1}]), "shape"),
    (folder(registries=[PEER | SEEN_BY]), "shape"),
    (folder(audits=[LOG]), ""),
    (folder(audits=[LOG | {"keys": [KEYS[2].multikey]}]), ""),  # receipts have keys of their own
    (folder(audits=[LOG | SEEN_BY]), ""),
    (folder(audits=[]), "empty-array"),
    (folder(audits=[PEER]), "shape"),
    (folder(audits=[LOG, LOG]), "shape"),
    (folder(audits=[LOG | {"id": "x"}]), "shape"),
    (folder(audits=[LOG | {"keys": []}]), "empty-array"),
    (folder(audits=[LOG | {"url": "http://a.example/"}]), "unknown-member"),
    (folder(audits=[LOG | {"quorum": 1}]), "shape"),
    (folder(verifier={}), ""),
    (folder(verifier={"id": "did:web:db"}), ""),
    (folder(verifier={"ledgers": ["did:web:db"]}), "shape"),
    (folder(verifier={"id": "did:web:db", "more": 1}), "unknown-member"),
    (folder(seen={"revision": {}, "lists": {}, "feeds": {}}), ""),
    (folder(seen={"revision": []}), "shape"),
    (folder(seen={"lists": []}), "shape"),
    (folder(seen={"more": {}}), "unknown-member"),
    (folder(seen={"lists": {LIST: "yesterday"}}), "shape"),
]


@pytest.mark.parametrize(("value", "said"), TRUSTED, ids=lambda one: repr(one)[-60:])
def test_trust_folder_says_this_or_is_refused(value: dict[str, Any], said: str) -> None:
    assert refusal(lambda: Trust.parse(canonical(value))) == said


def test_registries_are_known_by_their_keys_and_resolvers_only_checked() -> None:
    trust = Trust.from_json(folder(resolvers=[PEER], registries=[PEER]))
    assert trust.registries == {PEER["id"]: Peer((KEYS[1],))}
    assert trust.resolvers == {PEER["id"]: (KEYS[1],)}


def test_a_registry_has_a_log_and_witnesses_where_the_folder_says_so() -> None:
    whole = LOG | SEEN_BY | {"url": "http://a.example/"}
    (peer,) = Trust.from_json(folder(registries=[whole])).registries.values()
    assert peer == Peer((KEYS[1],), "http://a.example/", LOG["log"], tuple(SEEN_BY["witnesses"]), 2)


# What the schema cannot say: a quorum of at most all, and that no registry stands twice.
UNSAID = [LOG | SEEN_BY | {"quorum": 3}]


@pytest.mark.parametrize(
    ("value", "said"),
    [one for one in TRUSTED if "registries" in one[0]],
    ids=lambda one: repr(one)[-60:],
)
def test_schema_and_parser_agree_on_registries(value: dict[str, Any], said: str) -> None:
    found = value["registries"]
    unsaid = found in ([one] for one in UNSAID) or found == [PEER, PEER]
    other_key = said == "did-key-mismatch"
    assert schemas.accepts("trust", value) == (not said or unsaid or other_key)


def test_anchor_speaks_for_whom_it_names() -> None:
    named = Trust.from_json(folder(anchors=[anchor(subjects=["did:web:a:people:**", "did:web:b"])]))
    one = named.anchors["did:web:acme.example"]
    said = {name: one.speaks_for(name) for name in (
        "did:web:a:people:x", "did:web:a:people:x:y", "did:web:a:people", "did:web:a:peoplex",
        "did:web:b", "did:web:b:c", "did:web:bb")}  # fmt: skip
    assert [name for name, yes in said.items() if yes] == [
        "did:web:a:people:x", "did:web:a:people:x:y", "did:web:b"]  # fmt: skip
    nobody = Trust.from_json(folder()).anchors["did:web:acme.example"]
    assert not nobody.speaks_for("did:web:acme.example")


def test_sensitivity_is_high_unless_a_low_pattern_covers_the_resource() -> None:
    own = {"id": "did:web:db", "lowSensitivity": ["urn:acme:public:**"]}
    trust = Trust.from_json(folder(verifier=own))
    said = [trust.sensitivity(one) for one in ("urn:acme:public:1", "urn:acme:x:1", None)]
    assert said == ["low", "high", "high"]
    assert Trust.from_json(folder()).sensitivity("urn:acme:public:1") == "high"


def test_what_was_seen_is_merged_to_the_newest_and_written_as_times() -> None:
    one = Seen({"a": 1, "b": 5}, {LIST: 60}, {"d": 4})
    two = Seen({"a": 2, "c": 0}, {LIST: 0}, {"d": 3, "e": 1})
    both = one.merged(two)
    assert both == two.merged(one)
    assert both == Seen({"a": 2, "b": 5, "c": 0}, {LIST: 60}, {"d": 4, "e": 1})
    assert both.json == {"revision": {"a": 2, "b": 5, "c": 0}, "lists": {
        LIST: "1970-01-01T00:01:00Z"}, "feeds": {"d": 4, "e": 1}}  # fmt: skip
    assert Trust.from_json(folder(seen=both.json)).seen == both
    assert Seen({"a": -5}).merged(Seen()).revision == {"a": 0}


# --- leases, entries, sponsor credentials ------------------------------------------------------


@pytest.mark.parametrize("other", ["https://a.example/0", "https://z.example/0"])
def test_lease_holds_what_lies_inside_its_own_list(other: str) -> None:
    own = Lease(LIST, 100, 20)
    inside = [n for n in range(90, 130, 2) if own.holds_entry(StatusEntry(LIST, n))]
    assert inside == list(range(100, 120, 2))
    assert not any(own.holds_entry(StatusEntry(other, n)) for n in range(90, 130, 2))
    for start, count, held in ((100, 20, True), (102, 18, True), (100, 2, True), (118, 2, True),
                               (98, 10, False), (110, 12, False), (120, 2, False)):  # fmt: skip
        assert own.holds_lease(Lease(LIST, start, count)) is held
        assert not own.holds_lease(Lease(other, start, count))


def parsed(kind: str, *path: str, value: Any) -> Link | HumanSponsor:
    """Ana's credential, or her first link, with one member of its block replaced."""
    world = World()
    ana = world.human("ana")
    link = world.delegate(ana, world.agent("bot", ana), [f"db.read {PAPERS}"], remaining=1, lease=8)
    assert ana.credential is not None
    found = link if kind == "delegation" else ana.credential
    raw = copy.deepcopy(found.secured.raw)
    assert isinstance(raw, dict)
    node = raw["credentialSubject"][kind]
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return (parse_link if kind == "delegation" else parse_human_sponsor)(unpack(raw))


MOST = credentials.MAX_INDEX


@pytest.mark.parametrize(
    ("kind", "path", "value", "said"),
    [
        ("delegation", ("redelegation", "status", "from"), 0, ""),
        ("delegation", ("redelegation", "status", "from"), -2, "shape"),
        ("delegation", ("redelegation", "status", "from"), MOST, ""),
        ("delegation", ("redelegation", "status", "from"), MOST + 2, "shape"),
        ("delegation", ("redelegation", "status", "count"), 0, "shape"),
        ("delegation", ("redelegation", "status", "count"), 2, ""),
        ("delegation", ("redelegation", "status", "count"), 3, "shape"),
        ("delegation", ("redelegation", "remaining"), 0, ""),
        ("delegation", ("redelegation", "remaining"), 31, ""),
        ("delegation", ("redelegation", "remaining"), 32, "shape"),
        ("delegation", ("version",), 0, "shape"),
        ("delegation", ("version",), 2, "unknown-version"),
        ("delegation", ("version",), 2**53 - 1, "unknown-version"),
        ("humanSponsor", ("version",), 2, "unknown-version"),
        ("humanSponsor", ("revision",), 0, "shape"),
        ("humanSponsor", ("revision",), 1, ""),
        ("humanSponsor", ("attestation",), "", "shape"),
        ("humanSponsor", ("attestation",), "idp:corp", ""),
        ("humanSponsor", ("more",), 1, "unknown-member"),
        ("humanSponsor", ("key",), KEYS[0].multikey, "shape"),
        ("humanSponsor", ("status", "key"), "k" * 128, ""),
        ("humanSponsor", ("status", "key"), "k" * 129, "shape"),
    ],
)
def test_member_of_a_credential_has_its_bounds(
    kind: str, path: tuple[str, ...], value: Any, said: str
) -> None:
    assert refusal(lambda: parsed(kind, *path, value=value)) == said


@pytest.mark.parametrize(("length", "said"), [(128, ""), (129, "shape")])
def test_pinned_key_has_its_longest(length: int, said: str) -> None:
    name = did.Did("did:web:a.example")
    assert refusal(lambda: credentials.pinned_key({"key": "k" * length}, name, "x")) == said
    assert (
        refusal(lambda: credentials.pinned_key({"key": "k"}, did.from_key(KEYS[0]), "x")) == "shape"
    )


@pytest.mark.parametrize(("index", "said"), [(MOST - 2, ""), (MOST, "shape"), (MOST + 2, "shape")])
def test_status_entry_lies_in_the_largest_list(index: int, said: str) -> None:
    world = World()
    ana = world.human("ana")
    assert ana.credential is not None
    raw = copy.deepcopy(ana.credential.secured.raw)
    assert isinstance(raw, dict)
    for offset, entry in enumerate(raw["credentialStatus"]):
        entry["statusListIndex"] = str(index + offset)
    assert refusal(lambda: parse_human_sponsor(unpack(raw))) == said
    assert ana.credential.digest == ana.credential.secured.digest

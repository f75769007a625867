"""Status lists: which bit is which, and what a hostile list gets."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from typing import Any

import pytest

from delegant.credentials import (
    Bundle,
    Error,
    Lease,
    PrivateKey,
    Request,
    StatusEntry,
    StatusList,
    Trust,
    decide,
    did,
    issue_status_list,
    verify_chain,
)
from delegant.credentials.codec import b64u_encode
from delegant.credentials.envelope import secure
from delegant.credentials.shape import format_time
from delegant.credentials.status import MIN_BITS, document, encode, parse_status_list
from draft import draft
from world import LIST, PAPERS, T0, World

KEY = PrivateKey(b"\x21" * 32)
WHO = did.from_key(KEY.public)
MOST = 64 * 1024
EMPTY = bytes(MIN_BITS // 8)


def carrying(encoded: Any) -> StatusList:
    """A well-signed list that says this for its bits."""
    unsigned = document(LIST, WHO, EMPTY, T0, T0 + 60)
    unsigned["credentialSubject"]["encodedList"] = encoded
    return parse_status_list(secure(unsigned, KEY, did.vm_of(WHO), T0))


def packed(bits: bytes) -> str:
    return "u" + b64u_encode(gzip.compress(bits, mtime=0))


def refusal(call: Any) -> str:
    with pytest.raises(Error) as refused:
        call()
    return refused.value.code


def test_bits_are_counted_from_the_left() -> None:
    bits = bytearray(EMPTY)
    bits[0], bits[1] = 0b1000_0001, 0b0100_0000
    given = issue_status_list(
        KEY, url=LIST, authority=WHO, bits=bytes(bits), valid_from=T0, valid_until=T0 + 60
    )
    pairs = {i: given.pair(i, MOST) for i in range(0, MIN_BITS, 2) if given.pair(i, MOST)}
    assert pairs == {0: 2, 6: 1, 8: 1}
    assert given.pair(MIN_BITS - 2, MOST) == 0
    assert given.pair(MIN_BITS, MOST) == -1


def test_equal_bits_give_equal_text() -> None:
    assert encode(EMPTY) == encode(bytes(MIN_BITS // 8))
    assert carrying(encode(EMPTY)).pair(0, MOST) == 0


GOOD = gzip.compress(EMPTY, mtime=0)
HOSTILE: list[tuple[str, Any, str]] = [
    ("a byte cut off", "u" + b64u_encode(GOOD[:-1]), "encoding"),
    ("only a header", "u" + b64u_encode(GOOD[:10]), "encoding"),
    ("nothing", "u", "encoding"),
    ("a byte more", "u" + b64u_encode(GOOD + b"\0"), "encoding"),
    ("a second member", "u" + b64u_encode(GOOD + GOOD), "encoding"),
    ("a wrong checksum", "u" + b64u_encode(GOOD[:-8] + b"\1\2\3\4" + GOOD[-4:]), "encoding"),
    ("a wrong length", "u" + b64u_encode(GOOD[:-1] + b"\1"), "encoding"),
    ("zlib, not gzip", "u" + b64u_encode(zlib.compress(EMPTY)), "encoding"),
    ("not packed", "u" + b64u_encode(EMPTY), "encoding"),
    ("padded base64url", "u" + b64u_encode(GOOD) + "=", "encoding"),
    ("one byte short", packed(EMPTY[:-1]), "shape"),
    ("no bits", packed(b""), "shape"),
    ("base58", "z" + b64u_encode(GOOD), "shape"),
    ("plain base64url", b64u_encode(GOOD), "shape"),
    ("a number", 7, "shape"),
    ("one byte too many", packed(bytes(MOST + 1)), "limit-size"),
    ("a bomb", packed(bytes(64 * 1024 * 1024)), "limit-size"),
]


@pytest.mark.parametrize(("name", "encoded", "code"), HOSTILE, ids=[h[0] for h in HOSTILE])
def test_hostile_list_is_refused(name: str, encoded: Any, code: str) -> None:
    assert refusal(lambda: carrying(encoded).pair(0, MOST)) == code, name
    assert carrying(packed(EMPTY)).pair(0, MOST) == 0
    assert carrying(packed(bytes(MOST))).pair(MOST * 8 - 2, MOST) == 0


def test_bomb_is_never_unpacked() -> None:
    bomb = carrying(packed(bytes(64 * 1024 * 1024)))
    tracemalloc.start()
    try:
        refusal(lambda: bomb.pair(0, MOST))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * MOST


def test_list_too_short_is_not_issued() -> None:
    assert refusal(
        lambda: issue_status_list(
            KEY, url=LIST, authority=WHO, bits=b"\0", valid_from=T0, valid_until=T0 + 60
        )
    ) == "shape"  # fmt: skip


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("credentialSubject", "statusPurpose"), "revocation"),
        (("credentialSubject", "statusPurpose"), ["suspension", "revocation"]),
        (("credentialSubject", "id"), LIST),
        (("credentialSubject", "type"), "BitstringStatusListCredential"),
        (("type",), ["BitstringStatusListCredential", "VerifiableCredential"]),
        (("id",), "file:///etc/passwd"),
    ],
)
def test_list_of_another_shape_is_refused(where: tuple[str, ...], value: Any) -> None:
    unsigned = document(LIST, WHO, EMPTY, T0, T0 + 60)
    node = unsigned
    for name in where[:-1]:
        node = node[name]
    node[where[-1]] = value
    assert refusal(lambda: parse_status_list(secure(unsigned, KEY, did.vm_of(WHO), T0))) == "shape"


@pytest.mark.parametrize(
    ("offset", "code"),
    [(-1, ""), (0, "revoked"), (1, "suspended"), (2, "")],
)
def test_only_the_two_bits_of_a_link_speak_of_it(offset: int, code: str) -> None:
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    world.entry(ana)  # a neighbour on the left, of nobody
    link = world.delegate(ana, bot, [f"db.read {PAPERS}"])
    assert link.status is not None
    world.revoked.add(link.status.index + offset)
    try:
        world.verify([link], "db.read", "urn:acme:papers:1")
    except Error as exc:
        said = (exc.code, exc.link)
    else:
        said = ("", None)
    assert said == (code, 0 if code else None)


# --- whose list it is ------------------------------------------------------------------------


def test_bits_of_another_authority_under_the_same_address_say_nothing() -> None:
    """Ben's agent acts for Ana: its bits stand in Ben's list, though both lists have one URL."""
    world = World()
    ana, ben = world.human("ana"), world.human("ben")
    other = world._party("other-authority")
    world.attest(ben, authority=other.did, authority_key=other.key.public)
    bot = world.agent("bot", ben)
    assert bot.identity is not None
    assert bot.identity.status is not None
    link = world.delegate(ana, bot, [f"db.read {PAPERS}"])
    asked = Request("db.read", "urn:acme:papers:1")

    def said(ours: set[int], theirs: set[int]) -> str:
        lists = []
        for signer, revoked in ((world.status, ours), (other, theirs)):
            world.revoked = revoked
            one = world.status_list(signer=signer, authority=signer.did)
            lists.append(one.secured.raw)
        evidence = world.evidence(status_lists=lists)
        shown = world.present([link], asked).to_bytes()
        verdict = decide(shown, evidence, world.trust(), asked, at=world.now)
        return verdict.code or verdict.state

    index = bot.identity.status.index
    assert said(set(), set()) == "accepted"
    assert said({index}, set()) == "accepted"
    assert said(set(), {index}) == "revoked"
    assert said(set(), {index + 1}) == "suspended"


@pytest.mark.parametrize("elsewhere", ["https://acme.example/status/0", f"{LIST}0"])
@pytest.mark.parametrize(("bit", "code"), [(None, None), (0, "sponsor-gone"), (1, "sponsor-gone")])
def test_bits_of_the_human_may_stand_in_a_list_of_their_own(
    bit: int | None, code: str | None, elsewhere: str
) -> None:
    world = World()
    ana = world.human("ana")
    assert ana.lease is not None
    own = StatusEntry(elsewhere, ana.lease.start)
    world.attest(ana, status=own)
    links = [world.delegate(ana, world.agent("bot", ana), [f"db.read {PAPERS}"])]
    asked = Request("db.read", "urn:acme:papers:1")
    first = world.status_list()
    world.revoked = set() if bit is None else {own.index + bit}
    second = world.status_list(url=elsewhere)
    evidence = world.evidence(status_lists=[first.secured.raw, second.secured.raw])
    said = decide(world.present(links, asked), evidence, world.trust(), asked, at=world.now)
    assert said.code == code
    if said.authorization is not None:
        assert set(said.authorization.status_as_of) == {LIST, elsewhere}
    if bit is None:  # the agent's own bits are asked in the first list, after the human's
        bot = world.parties["bot"].identity
        assert bot is not None
        assert bot.status is not None
        world.revoked = {bot.status.index}
        lists = [world.status_list().secured.raw, second.secured.raw]
        evidence = world.evidence(status_lists=lists)
        said = decide(world.present(links, asked), evidence, world.trust(), asked, at=world.now)
        assert (said.code, said.link) == ("revoked", 0)
    alone = world.evidence(status_lists=[first.secured.raw])
    said = decide(world.present(links, asked), alone, world.trust(), asked, at=world.now)
    assert said.code == "status-missing"


@pytest.mark.parametrize(("seconds", "use", "code"), [
    (60, "grant", None), (61, "grant", "status-missing"), (60, "mandate", "status-missing"),
])  # fmt: skip
def test_only_a_short_grant_goes_without_bits(seconds: int, use: str, code: str | None) -> None:
    d = draft(1)
    d.links[0].subject["use"] = use
    d.links[0].doc["validUntil"] = format_time(T0 + seconds)
    del d.links[0].doc["credentialStatus"]
    data, trust = d.build()
    bundle = Bundle.parse(data)
    try:
        verify_chain(bundle.presentation, bundle.evidence, Trust.parse(trust), at=d.at)
    except Error as exc:
        assert (exc.code, exc.link) == (code, 0)
    else:
        assert code is None


def test_bits_beyond_the_end_of_the_list_are_asked_of_every_link() -> None:
    """The second of two: the first found the list long enough for itself."""
    world = World()
    ana = world.human("ana")
    one, two = world.agent("one", ana), world.agent("two", ana)
    assert ana.lease is not None
    end = MIN_BITS
    world.attest(ana, lease=Lease(LIST, 0, 2 * end), status=StatusEntry(LIST, 20))
    ana.lease, ana.used = Lease(LIST, end - 4, 16), 0
    first = world.delegate(ana, one, [f"db.read {PAPERS}"], remaining=1, lease=8)
    assert first.lease == Lease(LIST, end - 2, 8)
    for index, code in ((end - 2, None), (end, "status-unknown"), (end + 2, "status-unknown")):
        second = world.delegate(
            one, two, [f"db.read {PAPERS}"], above=[first], seconds=300,
            status=StatusEntry(LIST, index),
        )  # fmt: skip
        asked = Request("db.read", "urn:acme:papers:1")
        shown = world.present([first, second], asked)
        said = decide(shown, world.evidence(), world.trust(), asked, at=world.now)
        assert (said.code, said.link) == (code, None if code is None else 1)

"""What every phase says it held, what it spends, and the instants just beside its bounds."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import (
    Limits,
    PrivateKey,
    Request,
    Trust,
    decide,
    explain,
    verify,
    verify_chain,
)
from delegant.credentials.act import holder_signed, in_time
from delegant.credentials.budget import Budget
from delegant.credentials.codec import b58_decode, b58_encode, b64u_decode, is_digest, parse
from delegant.credentials.did import Did, from_key, vm_of
from delegant.credentials.invocation import Invocation
from delegant.credentials.shape import LAST_SECOND
from refusal import refusal
from world import PAPERS, T0, World

ASKED = Request("db.read", "urn:acme:papers:1")
READ = [f"db.read {PAPERS}"]
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


# --- steps and costs -------------------------------------------------------------------------


def family() -> tuple[World, list[Any]]:
    """Ana delegates to her agent, which delegates to a child it made itself."""
    world = World()
    ana = world.human("ana")
    one = world.agent("one", ana, block={"spawn": True})
    two = world.agent("two", one, block={"identityModel": "child"})
    first = world.delegate(ana, one, READ, remaining=1, lease=8, spawn=True)
    return world, [first, world.delegate(one, two, READ, above=[first])]


def test_explanation_names_every_phase_at_every_link_in_order() -> None:
    world, links = family()
    told = explain(
        world.present(links, ASKED), world.evidence(), world.trust(), ASKED, at=world.now
    )
    assert told.verdict.state == "accepted"
    assert [(step.phase, step.link) for step in told.steps] == [
        (1, None), (2, None), (3, 0), (3, 1), (4, 0), (4, 1), (5, 1), (6, 0), (6, 1),
        (7, None), (7, 0), (7, 1), (8, 0), (8, 1), (8, None), (9, 0), (9, 1), (10, None),
        (11, 0), (11, 1), (11, None), (11, None), (11, 1), (12, None),
    ]  # fmt: skip
    by_phase = [step.text for step in told.steps if step.phase == 7]
    assert by_phase[1:] == [f"{link.subject} is an agent of {world.org.did}" for link in links]


def test_evidence_seen_before_costs_the_signatures_it_cost_the_first_time() -> None:
    """One for the sponsor, one for each of two identities, one for the status list."""
    world, links = family()
    own = world.trust_json["verifier"]
    shown = world.present(links, ASKED)
    for most, code in ((4, None), (3, "limit-signatures"), (2, "limit-signatures")):
        trust = world.trust(verifier={**own, "limits": {"evidenceSignatures": most}})
        evidence = world.evidence()
        for _ in range(3):
            said = decide(shown, evidence, trust, ASKED, at=world.now)
            assert said.code == code, most


def test_list_seen_before_costs_its_signature_in_a_longer_chain_too() -> None:
    world, links = family()
    own = world.trust_json["verifier"]
    trust = world.trust(verifier={**own, "limits": {"evidenceSignatures": 3}})
    evidence = world.evidence()
    short, long = (world.present(part, ASKED) for part in (links[:1], links))
    assert decide(short, evidence, trust, ASKED, at=world.now).state == "accepted"
    assert decide(long, evidence, trust, ASKED, at=world.now).code == "limit-signatures"
    assert decide(short, evidence, trust, ASKED, at=world.now).state == "accepted"


def test_newest_of_two_identities_is_the_one_that_counts() -> None:
    world, links = family()
    older = world.evidence().json["identities"]
    world.now += 60
    newer_two = world.agent(
        "two",
        world.parties["one"],
        block={"lifecycleStatus": "archived"},
        valid_until=world.now + 86_400,
    )
    assert newer_two.identity is not None
    newer = [newer_two.identity.secured.raw]
    for identities in ([*newer, *older], [*older, *newer]):
        evidence = world.evidence(identities=identities)
        said = decide(world.present(links, ASKED), evidence, world.trust(), ASKED, at=world.now)
        assert (said.code, said.link) == ("delegate-not-allowed", 1)


# --- the invocation --------------------------------------------------------------------------


def invoked(world: World, **change: Any) -> Invocation:
    """An honest invocation with a member changed."""
    ana = world.human("ana")
    link = world.delegate(ana, world.agent("bot", ana), READ)
    token = world.present([link], ASKED).invocation
    assert token is not None
    return Invocation.parse(Invocation.unpack(token))._replace(**change)


@pytest.mark.parametrize(
    ("iat", "exp", "at", "code"),
    [
        (T0, T0 + 1, T0, ""),
        (T0, T0 + 120, T0, ""),
        (T0, T0 + 121, T0, "invocation-expired"),
        (T0, T0, T0, "invocation-expired"),
        (T0, T0 + 1, T0 + 1, "invocation-expired"),
        (T0 + 30, T0 + 60, T0, ""),
        (T0 + 31, T0 + 60, T0, "invocation-expired"),
        (LAST_SECOND - 9, LAST_SECOND, LAST_SECOND - 5, ""),
        (LAST_SECOND - 9, LAST_SECOND + 1, LAST_SECOND - 5, "invocation-expired"),
    ],
)
def test_invocation_holds_from_its_first_to_before_its_last_second(
    iat: int, exp: int, at: int, code: str
) -> None:
    assert refusal(lambda: in_time(invoked(World(), iat=iat, exp=exp), at)) == code


def test_invocation_is_known_by_its_holder_audience_and_number() -> None:
    one = invoked(World())
    assert is_digest(one.once_key)
    assert one.once_key == one._replace(request="another", iat=0).once_key
    for member in ("iss", "aud", "jti"):
        change: dict[str, Any] = {member: "did:web:x"}
        assert one.once_key != one._replace(**change).once_key


def test_invocation_by_another_is_refused_whichever_sorts_first() -> None:
    keys = [PrivateKey(bytes([n]) * 32) for n in range(1, 9)]
    names = [from_key(key.public) for key in keys]
    for key, name in zip(keys, names, strict=True):
        found = invoked(World(), iss=name, method=vm_of(name))
        found = found._replace(signature=key.sign(found.message))
        for other in names:
            code = "" if other == name else "holder-mismatch"
            assert refusal(lambda o=other, k=key, f=found: signed(f, o, k)) == code


def signed(found: Invocation, name: Did, key: PrivateKey) -> None:
    holder_signed(found, name, key.public, Budget(Limits()))


def test_columns_that_were_not_said_are_none_and_none_at_all_may_be_asked() -> None:
    """An empty list of columns is malformed, so two rights always share what was asked for."""
    assert refusal(lambda: Request("db.read", "urn:acme:papers:1", columns=())) == "empty-array"


def test_digest_of_what_went_in_is_that_of_chain_evidence_and_instant() -> None:
    world, links = family()
    shown, evidence, trust = world.present(links, ASKED), world.evidence(), world.trust()
    one, two, later = (
        verify_chain(shown, evidence, trust, at=world.now + after).inputs_digest
        for after in (0, 0, 1)
    )
    assert is_digest(one)
    assert one == two != later


@pytest.mark.parametrize("instant", [0.0, float("nan"), True, "1", None])
def test_instant_that_is_no_whole_number_is_a_mistake_of_the_caller(instant: Any) -> None:
    world, links = family()
    with pytest.raises(TypeError, match="at="):
        verify(world.present(links, ASKED), world.evidence(), world.trust(), ASKED, at=instant)


def test_trust_without_a_name_of_its_own_accepts_no_audience() -> None:
    world, links = family()
    trust = Trust.from_json({k: v for k, v in world.trust_json.items() if k != "verifier"})
    said = decide(world.present(links, ASKED), world.evidence(), trust, ASKED, at=world.now)
    assert said.code == "audience"


# --- numbers and text at their bounds --------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 9007199254740991", 2**53 - 1),
        (" -9007199254740991", 1 - 2**53),
        (" 9007199254740992", None),
        (" -9007199254740992", None),
        (" -0", None),
        ("9007199254740991.0", 9007199254740991.0),
        ("9007199254740992.0", None),
        ("999999999999999868928.0", None),
        ("1e21", 1e21),
        ("-1e21", -1e21),
        ("0." + "1" * 62, float("0." + "1" * 62)),
        ("0." + "1" * 63, None),
    ],
)
def test_last_exact_number_is_read_and_the_next_is_not(text: str, value: float | None) -> None:
    if value is None:
        assert refusal(lambda: parse(text.encode(), size=99)) == "json"
    else:
        assert parse(text.encode(), size=99) == value


@pytest.mark.parametrize(
    "where", ['{"a":%s}', "[%s]", "%s", '{"a":[[%s]]}', "{%s:1}", '[{"a":%s}]']
)
def test_lone_surrogate_is_refused_wherever_it_stands(where: str) -> None:
    assert refusal(lambda: parse((where % r'"\ud800"').encode(), size=99)) == "encoding"
    assert refusal(lambda: parse((where % r'"\ud83d\ude00"').encode(), size=99)) == ""


def test_base64url_may_be_a_mebibyte_long_and_no_longer() -> None:
    assert len(b64u_decode("A" * (1 << 20))) == 3 << 18
    assert refusal(lambda: b64u_decode("A" * ((1 << 20) + 4))) == "limit-size"


@pytest.mark.parametrize("text", ["AA*AA", "AAAA*", "A\nAAA", "AAA=", "AA==", "A A A", "AB", "AAB"])
def test_base64url_with_anything_else_in_it_is_refused(text: str) -> None:
    assert refusal(lambda: b64u_decode(text)) == "encoding"


@pytest.mark.parametrize("length", [1, 2, 3, 8, 9, 31, 62, 63, 64, 65, 66, 100, 113, 127, 128])
def test_base58_of_every_length_is_the_number_it_spells(length: int) -> None:
    for digits in ("z" * length, "2" + "1" * (length - 1), (ALPHABET[3:] * 3)[:length]):
        number = 0
        for digit in digits:
            number = number * 58 + ALPHABET.index(digit)
        raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
        assert b58_decode(digits) == raw
        assert b58_encode(raw) == digits
    assert refusal(lambda: b58_decode("2" * 129)) == "limit-size"


@pytest.mark.parametrize("start", ["uEiA", "uEiD", "uEiE", "uEiH", "uEjA", "uFiA", "uAAA"])
def test_digest_begins_with_the_name_of_its_hash(start: str) -> None:
    assert is_digest(start + "A" * 43) is (start in ("uEiA", "uEiD"))
    assert not is_digest(start + "A" * 42)
    assert not is_digest(start + "A" * 44)

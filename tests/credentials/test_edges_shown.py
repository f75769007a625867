"""Presentation and invocation at their bounds, and which path reads them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from delegant.credentials import Bundle, Presentation, PrivateKey, Request, canonical, did
from delegant.credentials.invocation import MAX_INVOCATION, Invocation
from delegant.credentials.jose import sign
from delegant.credentials.presentation import MAX_BUNDLE, MAX_PRESENTATION
from refusal import refusal
from world import World, research_chain

ASKED = Request("db.read", "urn:acme:papers:17", rows=3)


def shown() -> Presentation:
    world = World()
    return world.present(research_chain(world)[0][:3], ASKED)


def parts() -> tuple[bytes, bytes, str]:
    """Whole, chain and invocation."""
    whole = shown()
    data = whole.to_bytes()
    return data, data[data.index(b'"links":') + 8 : -1], whole.invocation or ""


def test_canonical_presentation_is_read_at_once_up_to_the_last_byte_allowed() -> None:
    data, chain, token = parts()
    for found in (Presentation.parse(data, size=len(data)), Presentation.of(chain, token)):
        assert found.invoked is not None
        assert len(found.read) == len(found.links) == 3
        assert found.invocation == token
    assert refusal(lambda: Presentation.parse(data, size=len(data) - 1)) == "limit-size"
    size = len(chain) + len(token)
    assert refusal(lambda: Presentation.of(chain, token, size=size)) == ""
    assert refusal(lambda: Presentation.of(chain, token, size=size - 1)) == "limit-size"
    assert Presentation.of(chain, token[:-1] + "=").invoked is None


def test_what_was_spelled_otherwise_is_read_canonically_but_floats_are_not() -> None:
    value = json.loads(parts()[0])
    assert len(Presentation.from_json(value).read) == 3
    other = copy.deepcopy(value)
    other["links"][2]["credentialSubject"]["delegation"]["constraints"]["rows"]["max"] = 500.0
    assert Presentation.from_json(other).read == ()
    for odd in ({1: 2}, float("nan")):
        other["links"][2]["credentialSubject"] = odd
        assert Presentation.from_json(other).read == ()


@pytest.mark.parametrize(
    ("number", "said"),
    [(32, ""), (33, "limit-links"), (4096, "limit-links"), (4097, "limit-items")],
)
def test_number_of_links_is_bounded_before_any_is_read(number: int, said: str) -> None:
    assert refusal(lambda: Presentation.from_json({"links": [{}] * number})) == said


@pytest.mark.parametrize("levels", [29, 30, 31, 32])
def test_depth_of_a_chain_is_counted_as_in_the_whole(levels: int) -> None:
    chain = b"[" * levels + b"]" * levels
    apart = refusal(lambda: Presentation.of(chain, "a.b.c"))
    whole = refusal(lambda: Presentation.parse(b'{"invocation":"a.b.c","links":' + chain + b"}"))
    assert apart == whole


@pytest.mark.parametrize("tail", [b"", b"[0"])
def test_presentation_and_bundle_have_their_largest_size(tail: bytes) -> None:
    assert (MAX_PRESENTATION, MAX_BUNDLE) == (1024 * 1024, 9 * 1024 * 1024)
    for read, most in ((Presentation.parse, MAX_PRESENTATION), (Bundle.parse, MAX_BUNDLE)):
        assert refusal(lambda r=read, m=most: r(tail.rjust(m))) == "json"
        assert refusal(lambda r=read, m=most: r(tail.rjust(m + 1))) == "limit-size"


def test_presentation_and_bundle_are_written_as_they_were_read() -> None:
    world = World()
    links = research_chain(world)[0][:3]
    bundle = world.bundle(links, ASKED)
    again = Bundle.parse(bundle.to_bytes())
    assert again.to_bytes() == bundle.to_bytes() == canonical(json.loads(bundle.to_bytes()))
    value = {**json.loads(parts()[0]), "approvals": ["a.b.c", "d.e.f"]}
    assert Presentation.from_json(value).approvals == ("a.b.c", "d.e.f")
    assert Presentation.from_json(value).json == value


KEY = PrivateKey(b"\x0b" * 32)


def token_of(**changes: Any) -> str:
    good = Invocation.parse(Invocation.unpack(shown().invocation or ""))
    claims = {name: getattr(good, name) for name in ("iss", "aud", "iat", "exp", "jti", "chain",
                                                     "request")}  # fmt: skip
    kid = changes.pop("kid", good.method)
    return sign(claims | changes, KEY, "agent-invocation+jwt", kid)


@pytest.mark.parametrize("member", ["jti", "nonce"])
@pytest.mark.parametrize(("number", "said"), [(128, ""), (129, "shape")])
def test_identifier_of_an_invocation_has_its_longest(member: str, number: int, said: str) -> None:
    token = token_of(**{member: "x" * number})
    assert refusal(lambda: Invocation.parse(Invocation.unpack(token))) == said
    assert (Invocation.read(token.encode()) is None) == bool(said)


@pytest.mark.parametrize(("kid", "taken"), [("", False), ("k", True), ("k" * 512, True),
                                            ("k" * 513, False)])  # fmt: skip
def test_name_of_the_key_is_one_to_512_characters(kid: str, taken: bool) -> None:
    token = token_of(kid=kid)
    assert (Invocation.read(token.encode()) is not None) is taken
    assert (refusal(lambda: Invocation.parse(Invocation.unpack(token))) == "") is taken


def test_token_has_its_longest() -> None:
    assert MAX_INVOCATION == 8192
    long, longer = "." * 8192, "." * 8193
    assert refusal(lambda: Invocation.unpack(long)) == "encoding"
    assert refusal(lambda: Invocation.unpack(longer)) == "limit-size"
    assert Invocation.read(longer.encode()) is None


def test_what_is_accepted_once_is_known_by_audience_issuer_and_identifier() -> None:
    found = Invocation.parse(Invocation.unpack(token_of(jti='j"1')))
    assert found.once_key != Invocation.parse(Invocation.unpack(token_of(jti="j1"))).once_key
    assert found.iss != did.from_key(KEY.public)

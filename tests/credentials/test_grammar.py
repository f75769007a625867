"""The canonical path and the general path are one: what the first reads, the second reads alike.

`grammar` may decline anything, but what it accepts must be exactly what `Presentation` and
`parse_link` make of the same bytes. Shown on honest links of every shape, on every single-byte
change of them, and on members replaced at random.
"""

from __future__ import annotations

import copy
import random
from datetime import datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Error, Link, PrivateKey, Request, canonical, did, grammar
from delegant.credentials.codec import b64u_encode
from delegant.credentials.credential import parse_link
from delegant.credentials.envelope import secure, unpack
from delegant.credentials.invocation import Invocation
from delegant.credentials.presentation import Presentation, split
from world import World, research_chain

ASKED = Request("db.read", "urn:acme:papers:17", rows=3)


def general(chain: bytes) -> list[Link]:
    """The links as the general path reads them, whatever their spelling."""
    return [parse_link(unpack(item)) for item in _strict(chain)]


def _strict(data: bytes) -> Any:
    from delegant.credentials.codec import parse

    return parse(data, size=1 << 20)


def same(fast: Link, slow: Link) -> None:
    """All members equal, and so are digest, signed bytes, form and JSON."""
    assert type(fast.secured) is not type(slow.secured)
    assert fast[1:] == slow[1:]
    ours, theirs = fast.secured, slow.secured
    assert ours.digest == theirs.digest
    assert ours._signed() == theirs._signed()
    for name in ("form", "method", "created", "raw", "document", "_signature"):
        assert getattr(ours, name) == getattr(theirs, name)


def agree(chain: bytes) -> bool:
    """Whether the canonical path took it; if so the general path takes it alike."""
    links = grammar.read_links(chain)
    if links is None:
        return False
    slow = general(chain)
    assert len(links) == len(slow)
    for one, other in zip(links, slow, strict=True):
        same(one, other)
    return True


def chain_of(*links: Any) -> bytes:
    return b"[" + b",".join(canonical(link) for link in links) + b"]"


def around(raw: dict[str, Any], **header: str) -> str:
    """The same credential as a ``vc+jwt``; perhaps with another header."""
    payload = {name: value for name, value in raw.items() if name != "proof"}
    named = {"alg": "EdDSA", "kid": did.vm_of(ME), "typ": "vc+jwt"} | header
    message = f"{b64u_encode(canonical(named))}.{b64u_encode(canonical(payload))}"
    return f"{message}.{b64u_encode(KEY.sign(message.encode()))}"


KEY = PrivateKey(b"\x07" * 32)
ME = did.from_key(KEY.public)


def resigned(document: dict[str, Any]) -> dict[str, Any]:
    signed = secure(document, KEY, did.vm_of(ME), 1_790_000_000).raw
    assert isinstance(signed, dict)
    return signed


def honest() -> list[dict[str, Any]]:
    links, _ = research_chain(World())
    return [link.secured.raw for link in links]  # type: ignore[misc]


def full_link() -> dict[str, Any]:
    """A link that uses every member there is."""
    raw = honest()[1]
    subject = raw["credentialSubject"]
    subject["id"] = "did:web:agents.example:bot"
    block = subject["delegation"]
    block["key"] = KEY.public.multikey
    block["redelegation"]["to"] = ["did:web:acme.example", "did:web:partner.example"]
    block["grants"] = [
        {"actions": ["db.read", "db.papers.*"], "resources": ["urn:acme:papers:**"]},
        {"actions": ["web.read"], "resources": ["https://a.example/", "https://b.c.example/x/**"]},
        {"actions": ["web.*"], "resources": ["https://a.example:8443/x%20y", "did:web:x"]},
    ]
    ledger = {"ledger": "did:web:db.example"}
    block["constraints"] = {
        "audience": ["did:web:db.example"], "purpose": ["review"], "columns": ["title", "year"],
        "task": {"id": "T-17", "initiation": "human_request"}, "rows": {"max": 500},
        "bytes": {"max": 1000000}, "arguments": {"id": {"in": ["42", 42]}, "n": {"eq": True},
        "x": {"range": {"min": "1", "max": "9"}}}, "hours": [["08:00", "17:30"]],
        "budget": ledger | {"unit": "EUR:2", "perAction": "1000", "total": "49999"},
        "rate": ledger | {"count": 20, "periodSeconds": 60}, "network": ["10.0.0.0/8"],
        "dataClass": {"scheme": "https://delegant.example/data-class/v1", "max": "internal"},
        "approval": {"threshold": 1, "by": ["did:web:p.example"],
                     "over": {"unit": "EUR:2", "value": "500"}},
    }  # fmt: skip
    return raw


def test_honest_chain_is_read_by_the_canonical_path() -> None:
    raws = honest()
    assert agree(chain_of(*raws))
    for raw in raws:
        assert agree(chain_of(raw))


def test_link_with_every_member_is_read_by_the_canonical_path() -> None:
    assert agree(chain_of(full_link()))


def test_token_is_read_by_the_canonical_path_and_beside_objects() -> None:
    first, second, third, _ = honest()
    assert agree(chain_of(around(first)))
    assert agree(chain_of(first, around(second), third))
    assert agree(chain_of(around(full_link()), around(third)))
    for header in ({"alg": "Ed25519"}, {"kid": "did:web:a.example#k"}):
        assert agree(chain_of(around(first, **header)))


@pytest.mark.parametrize(
    "header", [{"alg": "ES256"}, {"typ": "JWT"}, {"crit": "x"}, {"kid": ""}, {"kid": "a\\b"}]
)
def test_token_of_another_header_is_left_to_the_general_path(header: dict[str, str]) -> None:
    assert grammar.read_links(chain_of(around(honest()[0], **header))) is None


def test_every_change_of_a_token_is_declined_or_read_alike() -> None:
    chain = chain_of(around(honest()[2]))
    taken = 0
    for at in range(len(chain)):
        for value in (chain[at] ^ 1, 65, 46, 34, 61):
            changed = bytearray(chain)
            changed[at] = value
            taken += agree(bytes(changed))
    assert taken > 50


def test_token_longer_than_a_credential_may_be_is_left_to_the_general_path() -> None:
    """It would hold more than the expression lets a link hold, so its length need not be asked."""
    raw = honest()[2]
    raw["credentialSubject"]["delegation"]["grants"] = [
        {"actions": ["a"], "resources": [f"urn:acme:{'x' * 2000}:{n}:{m}" for m in range(14)]}
        for n in range(2)
    ]
    token = around(raw)
    assert len(token) > 65_536
    assert grammar.read_links(chain_of(token)) is None
    with pytest.raises(Error):
        unpack(token)


@pytest.mark.parametrize(
    "chain",
    [b"", b"[]", b"[", b"]", b"{}", b"[1]", b"[[]]", b"null", b"[\xff]", b'["a.b.c"]'],
)
def test_what_is_no_chain_is_left_to_the_general_path(chain: bytes) -> None:
    assert grammar.read_links(chain) is None


@pytest.mark.parametrize("spoil", [
    lambda c: b" " + c, lambda c: c + b"\n", lambda c: c[:-1], lambda c: c + b"]",
    lambda c: c.replace(b",", b", ", 1), lambda c: b"[" + c + b"]", lambda c: c[1:],
    lambda c: c[:-1] + b",]", lambda c: b"[," + c[1:],
])  # fmt: skip
def test_other_spelling_of_the_chain_is_left_to_the_general_path(spoil: Any) -> None:
    chain = chain_of(*honest()[:2])
    assert agree(chain)
    assert grammar.read_links(spoil(chain)) is None


def test_every_single_byte_change_is_declined_or_read_alike() -> None:
    chain = chain_of(honest()[2])
    dice = random.Random(3)
    taken = 0
    for at in range(len(chain)):
        for value in {chain[at] ^ 1, chain[at] ^ 32, 34, 92, 44, 48, dice.randrange(256)}:
            changed = bytearray(chain)
            changed[at] = value
            taken += agree(bytes(changed))
    assert taken > 100  # another digit, another letter: much is still a link


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    out = [here] if here else []
    if isinstance(value, dict):
        for name, item in value.items():
            out += places(item, (*here, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            out += places(item, (*here, index))
    return out


ODD = st.sampled_from([
    None, True, False, 0, 1, 2, 31, 32, -1, 2**53 - 1, 2**53, 134_217_726, 134_217_728, 1.5, "",
    "0", "00", "2", "a", "grant", "mandate", [], {}, [1], ["a"], ["a", "a"], {"max": 3},
    "did:key:z6Mk", "did:web:a.example", "did:web:" + "a" * 250, "did:web:a..b", ME,
    "urn:acme:a:..", "urn:acme:..:a", "urn:acme:**", "https://a.example/**", "https://a.example",
    "https://a.example/a/./b", "https://a.example:443/x", "urn:" + "a" * 33 + ":x", "db.*", "*",
    "a" * 129, "x" * 3000, "2026-02-30T00:00:00Z", "2026-02-28T00:00:00Z", "2026-01-01T24:00:00Z",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "uEi" + "A" * 44, "z" + "1" * 88,
    'a"b', "a\\b", "\u00e4", "\x7f", ["did:web:a.example"] * 2, [f"db.a{n}" for n in range(17)],
    {"rows": {"max": 1}}, {"rows": {"max": 1.0}}, {"purpose": ['},"depth":0']},
    {"purpose": ["a"], "rows": {"max": 9}}, {"moon": 1}, {"arguments": {"a": {"in": [1, "1"]}}},
])  # fmt: skip


@settings(max_examples=1500)
@given(data=st.data())
def test_members_replaced_at_random_are_declined_or_read_alike(data: Any) -> None:
    base = data.draw(st.sampled_from([full_link(), *honest()]))
    raw = orjson.loads(orjson.dumps(base))
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(places(raw)))
        node = raw
        for step in way:
            node = node[step]
        if data.draw(st.booleans()):
            node[last] = copy.deepcopy(data.draw(ODD))
        elif isinstance(node, dict):
            del node[last]
            if not places(raw):
                return
    if data.draw(st.booleans()) and isinstance(raw.get("issuer"), str):
        raw.pop("proof", None)
        try:
            raw = resigned(raw)
        except Error:
            return
    try:
        chain = chain_of(raw if data.draw(st.booleans()) else around(raw))
    except Error:
        return
    agree(chain)


@pytest.mark.parametrize("member", ["purpose", "columns"])
@pytest.mark.parametrize("text", ['},"depth":0', '}],"grants":[', '","proof":{', "]}", "a\\"])
def test_text_that_looks_like_structure_is_declined_or_read_alike(member: str, text: str) -> None:
    raw = honest()[2]
    raw["credentialSubject"]["delegation"]["constraints"] = {member: [text]}
    agree(chain_of(raw))


def test_member_standing_twice_is_left_to_the_general_path() -> None:
    chain = chain_of(honest()[2])
    for member in (b'"rows":{"max":500}', b'"use":"grant"', b'"depth":2'):
        assert grammar.read_links(chain.replace(member, member + b"," + member, 1)) is None


def test_more_members_than_a_text_may_have_are_left_to_the_general_path() -> None:
    raw = honest()[2]
    many = {f"a{n}": {"in": list(range(62))} for n in range(64)}
    raw["credentialSubject"]["delegation"]["constraints"] = {"arguments": many}
    assert agree(chain_of(raw)) is False
    few = {f"a{n}": {"in": list(range(20))} for n in range(20)}
    raw["credentialSubject"]["delegation"]["constraints"] = {"arguments": few}
    assert agree(chain_of(raw)) is True


def test_thirty_two_links_are_read_and_one_more_is_left_to_the_general_path() -> None:
    raw = honest()[2]
    assert agree(chain_of(*[raw] * 32))
    assert grammar.read_links(chain_of(*[raw] * 33)) is None


@pytest.mark.parametrize("tail", ['"depth":0,"grants":[{"actions":["a"],"resources":["urn:a:b"]}],',
                                  '}', "},", '"', "[", "a" * 60_000, "{" * 60_000])  # fmt: skip
def test_no_chain_makes_the_expression_go_back(tail: str) -> None:
    """A quarter of a megabyte of almost-links costs what reading it once costs."""
    from time import process_time

    head = chain_of(honest()[2])[: chain_of(honest()[2]).index(b'"depth"')].decode()
    text = (head + ('"},"depth":0,"grants":[{"actions":["a"],"resources":["' + tail) * 40)[:250_000]
    started = process_time()
    assert grammar.read_links(text.encode()) is None
    assert grammar.read_links((f"[{head}" + tail * 50)[:250_000].encode()) is None
    assert process_time() - started < 0.5


# --- the invocation --------------------------------------------------------------------------


def token_of(**changes: Any) -> str:
    from delegant.credentials.jose import sign

    world = World()
    links, _ = research_chain(world)
    good = Invocation.parse(Invocation.unpack(world.present(links[:3], ASKED).invocation or ""))
    claims: dict[str, Any] = {
        "iss": good.iss, "aud": good.aud, "iat": good.iat, "exp": good.exp, "jti": good.jti,
        "chain": good.chain, "request": good.request,
    }  # fmt: skip
    claims |= {k: v for k, v in changes.items() if k in {*claims, "nonce", "extra"}}
    kid = changes.get("kid", good.method)
    return sign(claims, KEY, changes.get("typ", "agent-invocation+jwt"), kid)


@settings(max_examples=300)
@given(
    changes=st.dictionaries(
        st.sampled_from(["iss", "aud", "iat", "exp", "jti", "chain", "request", "nonce", "extra",
                         "kid", "typ"]),
        ODD | st.text(max_size=5),
        max_size=2,
    )
)  # fmt: skip
def test_invocation_is_declined_or_read_alike(changes: dict[str, Any]) -> None:
    try:
        token = token_of(**changes)
    except (Error, TypeError):
        return
    found = Invocation.read(token.encode("ascii"))
    if found is not None:
        assert found == Invocation.parse(Invocation.unpack(token))


def test_honest_invocation_is_read_by_the_canonical_path() -> None:
    for nonce in ({}, {"nonce": "n-1"}):
        token = token_of(**nonce)
        assert Invocation.read(token.encode()) == Invocation.parse(Invocation.unpack(token))


@pytest.mark.parametrize("spoil", [
    lambda t: t + "=", lambda t: t + ".", lambda t: "." + t, lambda t: t.replace(".", "", 1),
    lambda t: t[:-1], lambda t: t[:-1] + "B", lambda t: t + "\n", lambda t: t.replace("e", "+", 1),
    lambda t: "A" * 9000 + t,
])  # fmt: skip
def test_other_spelling_of_an_invocation_is_left_to_the_general_path(spoil: Any) -> None:
    assert Invocation.read(spoil(token_of()).encode()) is None


def test_presentation_is_split_only_where_it_is_canonical() -> None:
    world = World()
    links = research_chain(world)[0][:3]
    whole = world.present(links, ASKED)
    data = whole.to_bytes()
    assert Presentation.parse(data).read
    assert Presentation.parse(data).json == Presentation.parse(data + b" ").json
    assert Presentation.parse(data + b" ").invoked is None
    chain, token = data[data.index(b'"links":') + 8 : -1], whole.invocation or ""
    assert Presentation.of(chain, token).json == whole.json
    assert Presentation.of(b" " + chain, token).json == whole.json
    with pytest.raises(Error):
        Presentation.of(chain + b',"approvals":["a.b.c"]', token)
    odd = Presentation.of(chain, token + '","x":"')
    assert odd.invoked is None
    with pytest.raises(Error):
        Invocation.unpack(odd.invocation or "")
    assert unpack(orjson.loads(chain)[0]).digest == links[0].digest


# --- bounds ----------------------------------------------------------------------------------


def web(length: int, letter: str = "a") -> str:
    """A DID of so many characters."""
    return f"did:web:{letter * (length - 8)}"


@pytest.mark.parametrize("member", ["issuer", "subject", "sponsor", "organization", "to"])
def test_longest_did_is_read_and_a_longer_one_left_to_the_general_path(member: str) -> None:
    for length in (did.MAX_LENGTH, did.MAX_LENGTH + 1):
        raw = full_link()
        subject = raw["credentialSubject"]
        block = subject["delegation"]
        name = web(length)
        if member == "issuer":
            raw["issuer"] = name
            raw["proof"]["verificationMethod"] = f"{name}#k"
        elif member == "subject":
            subject["id"] = name
        elif member == "to":
            block["redelegation"]["to"] = [name]
        else:
            block["sponsor"]["id" if member == "sponsor" else member] = name
        assert agree(chain_of(raw)) is (length == did.MAX_LENGTH)


def test_organisation_named_twice_is_left_to_the_general_path() -> None:
    for names in ([ME, ME], [web(20), web(21), web(20)]):
        raw = full_link()
        raw["credentialSubject"]["delegation"]["redelegation"]["to"] = names
        assert not grammar.read_links(chain_of(raw))
        raw["credentialSubject"]["delegation"]["redelegation"]["to"] = names[:1]
        assert agree(chain_of(raw))


@pytest.mark.parametrize("second", ["2001", "2005", "1", "999999"])
def test_status_bits_that_are_no_pair_are_left_to_the_general_path(second: str) -> None:
    raw = honest()[1]
    pair = raw["credentialStatus"]
    right = pair[1]["statusListIndex"]
    assert agree(chain_of(raw))
    pair[1]["statusListIndex"] = second
    assert (grammar.read_links(chain_of(raw)) is None) is (second != right)


def test_invocation_by_or_for_too_long_a_did_is_left_to_the_general_path() -> None:
    for member in ("iss", "aud"):
        for length in (did.MAX_LENGTH, did.MAX_LENGTH + 1):
            token = token_of(**{member: web(length)})
            found = Invocation.read(token.encode())
            assert (found is not None) is (length == did.MAX_LENGTH)
            if found is not None:
                assert found == Invocation.parse(Invocation.unpack(token))


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 66])
def test_invocation_with_a_signature_of_another_length_is_left_to_the_general_path(
    length: int,
) -> None:
    head = token_of().rsplit(".", 1)[0]
    token = f"{head}.{b64u_encode(bytes(length))}".encode()
    assert (Invocation.read(token) is not None) is (length == 64)


def test_longest_key_name_of_an_invocation_is_read_and_a_longer_one_is_not() -> None:
    for length in (1, 512, 513):
        found = Invocation.read(token_of(kid="k" * length).encode())
        assert (found is not None) is (length < 513)


def test_as_many_members_as_a_text_may_have_are_read_and_many_more_are_not() -> None:
    """The estimate is on the safe side: declined a little early, never late."""
    for count, taken in ((8, True), (20, None), (40, None), (60, False)):
        raw = honest()[2]
        lists = {f"a{n:02}": {"in": list(range(100, 100 + count))} for n in range(64)}
        raw["credentialSubject"]["delegation"]["constraints"] = {"arguments": lists}
        chain = chain_of(raw, raw)
        found = grammar.read_links(chain)
        if taken is not None:
            assert (found is not None) is taken
        if found is not None:
            general(chain)


def test_only_what_begins_and_ends_as_a_presentation_is_split() -> None:
    chain = b'{"invocation":"a.b.c","links":[]}'
    assert split(chain) == (b"[]", b"a.b.c")
    for other in (chain[1:], chain[:-1], chain[:-2], b"", b"[]}", b'{"invocation":"a.b.c"]}',
                  b'{"invocation":"', b'","links":[]}'):  # fmt: skip
        assert split(other) is None


@pytest.mark.parametrize("mark", [*" !#*+-./:;<=>@[]{}a", "", ",,"])
def test_links_with_anything_but_a_comma_between_are_left_to_the_general_path(mark: str) -> None:
    one, two = (canonical(raw) for raw in honest()[:2])
    assert agree(b"[" + one + b"," + two + b"]")
    assert grammar.read_links(b"[" + one + mark.encode() + two + b"]") is None


@pytest.mark.parametrize("later", [0, 1, 59])
def test_link_signed_later_than_it_begins_is_read_alike(later: int) -> None:
    raw = honest()[2]
    del raw["proof"]
    start = int(datetime.fromisoformat(raw["validFrom"]).timestamp())
    signed = secure(raw, KEY, did.vm_of(ME), start + later).raw
    assert agree(chain_of(signed))

"""What the log holds: one spelling of a closed object, and nothing that contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.ans.leaf import (
    MAX_LEAF,
    NameLeaf,
    ProviderLeaf,
    RewindLeaf,
    check_after,
    leaf_bytes,
    parse_leaf,
    read_leaf,
    salted,
)
from delegant.ans.lifecycle import EVENTS, Move
from delegant.credentials import Error, PrivateKey, canonical, did, digest
from delegant.credentials.codec import JsonObject
from refusal import refusal

AGENT, OTHER, REGISTRY, ORG = (
    did.from_key(PrivateKey(bytes([n]) * 32).public) for n in (1, 2, 3, 4)
)
WEB, KEY = "did:web:acme.example:agents:bot", PrivateKey(b"\x05" * 32).public.multikey
NAME = "mcp://PaperQuery.Research.AcmeLabs.v1.0"
D1, D2, D3 = (digest(bytes([n])) for n in (1, 2, 3))

FIRST: JsonObject = {
    "version": 1, "registry": REGISTRY, "kind": "name", "type": "register", "name": NAME,
    "agent": AGENT, "provider": "acmelabs", "epoch": 0, "seq": 0, "event": D1, "record": D2,
    "by": "agent", "sponsor": D3, "chain": D3, "time": "2026-11-25T09:00:00Z",
}  # fmt: skip
LABEL: JsonObject = {
    "version": 1, "registry": REGISTRY, "kind": "provider", "type": "bind", "provider": "acmelabs",
    "shown": "AcmeLabs", "organization": ORG, "basis": "operator", "time": "2026-11-25T09:00:00Z",
}  # fmt: skip

REWIND: JsonObject = {
    "version": 1, "registry": REGISTRY, "kind": "rewind", "size": 9, "reason": "a disk broke",
    "root": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "time": "2026-11-25T09:00:00Z",
}  # fmt: skip


def later(kind: str, **changes: Any) -> JsonObject:
    """A leaf of a later event, as it should be."""
    out = FIRST | {"type": kind, "seq": 2, "previous": D3, "epoch": 1}
    if kind in ("suspend", "revoke", "resume"):
        del out["record"]
    if kind == "transfer":
        out["from"] = OTHER
    return out | changes


GOOD = {
    "register": FIRST, "bind": LABEL, "unbind": LABEL | {"type": "unbind"},
    **{kind: later(kind) for kind in EVENTS[1:]},
    "resume with a record": later("resume", record=D2),
    "by the registry": later("suspend", by="registry"),
    "by the sponsor": later("revoke", by="sponsor"),
    "rewind": REWIND,
    "of did:web": FIRST | {"agent": WEB, "key": KEY},
    "by the domain": LABEL | {"basis": "domain"},
    "with nobody named": {k: v for k, v in FIRST.items() if k not in ("sponsor", "chain")},
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD)
def test_a_leaf_is_read_back_from_its_bytes(case: str) -> None:
    value = GOOD[case]
    leaf = parse_leaf(leaf_bytes(value))
    assert leaf.json == value
    kinds = {"name": NameLeaf, "provider": ProviderLeaf, "rewind": RewindLeaf}
    assert isinstance(leaf, kinds[value["kind"]])
    assert leaf_bytes(leaf.json) == canonical(value)


def test_a_leaf_gives_the_table_what_it_asks_for() -> None:
    leaf = parse_leaf(leaf_bytes(later("transfer")))
    assert isinstance(leaf, NameLeaf)
    assert leaf.move == Move("transfer", AGENT, "agent", 2, D1, D3, OTHER)
    assert leaf.name.key == NAME.lower()


BAD: dict[str, JsonObject] = {
    "register not first": FIRST | {"seq": 1},
    "register after something": FIRST | {"previous": D3},
    "renew first": later("renew", seq=0),
    "renew after nothing": {k: v for k, v in later("renew").items() if k != "previous"},
    "more transfers than events": later("renew", epoch=3),
    "a transfer that is none": later("transfer", epoch=0),
    "a transfer from nobody": {k: v for k, v in later("transfer").items() if k != "from"},
    "a transfer to oneself": later("transfer", agent=OTHER),
    "from, without transfer": later("renew", **{"from": OTHER}),
    "a registration without record": {k: v for k, v in FIRST.items() if k != "record"},
    "a revocation with a record": later("revoke", record=D2),
    "a suspension with a record": later("suspend", record=D2),
    "registered by the sponsor": FIRST | {"by": "sponsor"},
    "transferred by the organisation": later("transfer", by="organization"),
    "revoked by the registry": later("revoke", by="registry"),
    "by nobody known": later("revoke", by="human"),
    "another provider": FIRST | {"provider": "other"},
    "a provider in upper case": FIRST | {"provider": "AcmeLabs"},
    "a key that must not be": FIRST | {"key": KEY},
    "a key that is missing": FIRST | {"agent": WEB},
    "a key that is none": FIRST | {"agent": WEB, "key": "z6Mk"},
    "a name that is none": FIRST | {"name": "mcp://x"},
    "an agent that is none": FIRST | {"agent": "bot"},
    "an event that is no digest": FIRST | {"event": "uEi"},
    "a salted digest that is none": FIRST | {"sponsor": AGENT},
    "a member nobody knows": FIRST | {"extra": 1},
    "another version": FIRST | {"version": 2},
    "a version that is true": FIRST | {"version": True},
    "another kind": FIRST | {"kind": "task"},
    "no kind": {k: v for k, v in FIRST.items() if k != "kind"},
    "another type": FIRST | {"type": "delete"},
    "a time of another form": FIRST | {"time": "2026-11-25T09:00:00+00:00"},
    "a negative epoch": FIRST | {"epoch": -1},
    "a seq that is a float": later("renew", seq=1.5),
    "a label shown as another": LABEL | {"shown": "AcmeLab"},
    "a label in upper case": LABEL | {"provider": "AcmeLabs"},
    "a label that is a version": LABEL | {"provider": "v1", "shown": "v1"},
    "bound by nobody known": LABEL | {"basis": "vote"},
    "a label of no organisation": LABEL | {"organization": "acme"},
    "a label with a name": LABEL | {"name": NAME},
    "a rewind from nothing": REWIND | {"size": 0},
    "a rewind from no tree": REWIND | {"root": "AAAA"},
    "a rewind from what is no hash": REWIND | {"root": "?" * 44},
    "a rewind for no reason": REWIND | {"reason": ""},
    "a rewind of a name": REWIND | {"name": NAME},
}


@pytest.mark.parametrize("case", BAD)
def test_what_contradicts_itself_is_no_leaf(case: str) -> None:
    value = BAD[case]
    for call in (lambda: read_leaf(value), lambda: leaf_bytes(value)):
        assert refusal(call) == "log-entry"
    assert refusal(lambda: parse_leaf(canonical(value))) == "log-entry"
    assert read_leaf(FIRST).json == FIRST
    assert read_leaf(LABEL).json == LABEL


@pytest.mark.parametrize("kind", ["name", "provider", "rewind"])
def test_every_member_counts(kind: str) -> None:
    whole = {"name": FIRST, "provider": LABEL, "rewind": REWIND}[kind]
    optional = {"sponsor", "chain"}
    for member in whole.keys() - optional:
        less = {k: v for k, v in whole.items() if k != member}
        assert refusal(lambda v=less: read_leaf(v)) == "log-entry"


@pytest.mark.parametrize(
    "spell",
    [lambda b: b" " + b, lambda b: b + b"\n", lambda b: b.replace(b":", b": ", 1),
     lambda b: b.replace(b"AcmeLabs", b"Acme\\u004cabs", 1), lambda b: b"", lambda b: b"[]",
     lambda b: b"null", lambda b: b"\xff", lambda b: b[:-1], lambda b: b'{"version":1}',
     lambda b: b[:-1] + b',"version":1}'],
)  # fmt: skip
def test_a_leaf_has_one_spelling(spell: Any) -> None:
    good = leaf_bytes(FIRST)
    assert refusal(lambda: parse_leaf(spell(good))) == "log-entry"
    assert parse_leaf(good).json == FIRST


def test_a_leaf_has_room_for_the_longest_name_and_no_more_than_the_log_takes() -> None:
    assert len(leaf_bytes(FIRST)) < 2048
    assert refusal(lambda: parse_leaf(b'{"a":"' + b"x" * MAX_LEAF + b'"}')) == "log-entry"


@given(st.binary(max_size=400) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(sorted(FIRST | LABEL)), inner, max_size=12),
    max_leaves=20,
))  # fmt: skip
def test_whatever_comes_is_a_leaf_or_refused_as_one(value: Any) -> None:
    try:
        leaf = parse_leaf(value) if isinstance(value, bytes) else read_leaf(value)
    except Error as exc:
        assert exc.code == "log-entry"
    else:
        assert leaf_bytes(leaf.json)


def test_time_does_not_go_backwards() -> None:
    first, second = (read_leaf(FIRST | {"time": f"2026-11-25T09:00:0{n}Z"}) for n in range(2))
    check_after(None, first)
    check_after(first, first)
    check_after(first, second)
    assert refusal(lambda: check_after(second, first)) == "log-entry"


def test_a_salt_is_sixteen_bytes() -> None:
    salt = "AAAAAAAAAAAAAAAAAAAAAA"
    assert salted(salt, "a") == digest(canonical({"salt": salt, "value": "a"}))
    assert salted(salt, "a") != salted(salt, "b")
    for wrong in ("", "AAAA", salt + "AA", "A" * 21 + "!", salt[:-1] + "B"):
        assert refusal(lambda w=wrong: salted(w, "a")) in {"shape", "encoding"}

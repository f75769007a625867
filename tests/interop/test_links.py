"""A delegation link is an ordinary credential: others verify the very bytes we issue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, cast

import pytest

from delegant.credentials import Error, Link, did
from delegant.credentials.credential import parse_link
from delegant.credentials.envelope import Form, unpack
from delegant.credentials.shape import format_time
from delegant.w3c import proofs
from delegant.w3c.keys import EdSigner
from interop.common import told
from interop.peer import Peer
from test_readme import Shell
from world import World, research_chain

Peers = Callable[[str], Peer]


def chain_of(form: Form) -> tuple[World, list[Link]]:
    """Four links from Ana down, now."""
    world = World(now=int(time.time()), form=form)
    links, _ = research_chain(world)
    return world, links


def others(world: World) -> list[Any]:
    """Every sponsor and identity credential of that world, and its status list."""
    people = world.parties.values()
    made = [one for party in people for one in (party.credential, party.identity) if one]
    return [*(one.secured.raw for one in made), world.status_list().secured.raw]


def test_every_credential_of_a_chain_verifies_as_data_integrity(peers: Peers) -> None:
    integrity = peers("integrity")
    world, links = chain_of("di")
    credentials = [*(link.secured.raw for link in links), *others(world)]
    assert len(credentials) == 4 + 5 + 1
    for credential in credentials:
        answer = integrity("verify", credential=credential, at=format_time(world.now))
        assert told(answer) == "", credential


def test_one_changed_member_of_a_link_is_noticed(peers: Peers) -> None:
    integrity = peers("integrity")
    world, links = chain_of("di")
    raw = json.loads(json.dumps(links[2].secured.raw))
    for path, value in (
        ("credentialSubject.delegation.depth", 0),
        ("credentialSubject.delegation.grants", []),
        ("validUntil", "2099-01-01T00:00:00Z"),
        ("proof.created", "2020-01-01T00:00:00Z"),
    ):
        altered = json.loads(json.dumps(raw))
        *outer, member = path.split(".")
        reduce(lambda it, name: it[name], outer, altered)[member] = value
        assert "Invalid signature" in told(
            integrity("verify", credential=altered, at=format_time(world.now))
        )
    assert told(integrity("verify", credential=raw, at=format_time(world.now))) == ""


def test_a_link_past_its_time_is_past_it_for_others_too(peers: Peers) -> None:
    integrity = peers("integrity")
    world, links = chain_of("di")
    last = links[-1]  # two minutes
    raw, late = last.secured.raw, format_time(last.valid_until + 3600)
    assert told(integrity("verify", credential=raw, at=format_time(world.now))) == ""
    assert 'is after "validUntil"' in told(integrity("verify", credential=raw, at=late))


def test_every_credential_of_a_chain_verifies_as_a_token(peers: Peers) -> None:
    tokens = peers("tokens")
    world, links = chain_of("jwt")
    for raw in [*(link.secured.raw for link in links), *others(world)]:
        secured = unpack(raw)
        issuer = secured.document["issuer"]
        key = did.key_of(did.check(issuer))
        assert key is not None
        asked = {"token": raw, "jwk": key.jwk, "typ": "vc+jwt", "alg": "EdDSA"}
        answer = tokens("verify", **asked)
        assert told(answer) == ""
        assert answer["value"]["payload"] == secured.document
        assert answer["value"]["header"]["kid"] == did.vm_of(issuer)
        assert told(tokens("verify", **asked | {"jwk": world.db.key.public.jwk}))
        head, payload, signature = raw.split(".")
        altered = f"{head}.{'A' if payload[9] != 'A' else 'B'}{payload[1:]}.{signature}"
        assert told(tokens("verify", **asked | {"token": altered}))


def test_a_status_list_of_ours_is_read_bit_by_bit(peers: Peers) -> None:
    integrity = peers("integrity")
    world, links = chain_of("di")
    entry = links[1].status
    assert entry is not None
    suspended = entry.index + 3  # of the credential after it
    world.revoked |= {entry.index, suspended}
    encoded = world.status_list().secured.document["credentialSubject"]["encodedList"]
    around = range(entry.index - 2, entry.index + 6)
    assert [i for i in around if integrity("bit", encodedList=encoded, index=i)] == [
        entry.index,
        suspended,
    ]


def test_an_export_with_rdf_verifies_elsewhere_with_no_term_dropped(integrity: Peer) -> None:
    world, links = chain_of("di")
    keys_of = {party.did: party.key for party in world.parties.values()}
    for link in links:
        issuer = link.issuer
        exported = proofs.sign(
            link.secured.document,
            EdSigner(keys_of[issuer]),
            suite="eddsa-rdfc-2022",
            method=did.vm_of(issuer),
            created=world.now,
        )
        at = format_time(world.now)
        assert told(integrity("verify", credential=exported, at=at)) == ""
        for path in paths(link.secured.document):
            altered = changed(exported, path)
            assert told(integrity("verify", credential=altered, at=at)), path
        with pytest.raises(Error) as refused:
            parse_link(unpack(exported)).secured.check(issuer, keys_of[issuer].public)
        assert refused.value.code == "shape"  # an export: no chain takes it for a link


Path_ = tuple[str | int, ...]


def paths(value: Any, place: Path_ = ()) -> list[Path_]:
    """The way to each value of a document but its contexts."""
    if type(value) is dict:
        inner = [(name, item) for name, item in value.items() if name != "@context"]
    elif type(value) is list:
        inner = list(enumerate(value))
    else:
        return [place]
    return [path for name, item in inner for path in paths(item, (*place, name))]


def changed(document: dict[str, Any], path: Path_) -> dict[str, Any]:
    """The document with the value at the end of a path changed."""
    altered: dict[str, Any] = json.loads(json.dumps(document))
    inner = reduce(lambda it, name: it[name], path[:-1], cast(Any, altered))
    value = inner[path[-1]]
    inner[path[-1]] = (
        not value if type(value) is bool else value + ("1" if type(value) is str else 1)
    )
    return altered


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", "vc+jwt"])
def test_a_chain_made_at_the_command_line_verifies_elsewhere(
    peers: Peers, tmp_path: Path, suite: str
) -> None:
    form = "jwt" if suite == "vc+jwt" else "di"
    peer = peers("tokens" if form == "jwt" else "integrity")  # skipped before anything is made
    shell = Shell(tmp_path, 8080)
    shell.types("delegant init --org acme.example")
    shell.folder = tmp_path / "acme"
    shell.types("delegant human add ana")
    for agent in ("research", "dbquery"):
        shell.types(f"delegant agent create {agent} --sponsor ana --tools db.read")
    allow = f"--allow 'db.read:urn:acme:papers:**' --form {form}"
    shell.types(f"delegant delegate --from ana --to research {allow} --redelegate 1 -o 1.json")
    shell.types(f"delegant delegate --from research --to dbquery {allow} --rows 50 -o 2.json")
    for number in (1, 2):
        raw = json.loads((shell.folder / f"{number}.json").read_bytes())
        if form == "di":
            answer = peer("verify", credential=raw, at=format_time(int(time.time())))
        else:
            key = did.key_of(unpack(raw).document["issuer"])
            assert key is not None
            answer = peer("verify", token=raw, jwk=key.jwk, typ="vc+jwt", alg="EdDSA")
        assert told(answer) == ""

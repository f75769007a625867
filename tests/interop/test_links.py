"""A delegation link is an ordinary credential: others verify the very bytes we issue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Link, did
from delegant.credentials.envelope import Form, unpack
from delegant.credentials.shape import format_time
from interop.peer import Peer
from test_readme import Shell
from world import World, research_chain

Peers = Callable[[str], Peer]


def told(answer: dict[str, Any]) -> str:
    """Why a peer refused; empty where it did not."""
    return "" if answer["verified"] else answer["error"] or "refused"


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

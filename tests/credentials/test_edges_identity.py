"""An identity's members, one by one: what each may be, and what the parser says when it is not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from delegant.credentials import Error, Link, Request, decide, did
from delegant.credentials.codec import b64u_encode
from delegant.credentials.envelope import unpack
from delegant.credentials.identity import AgentIdentity, parse_agent_identity
from world import PAPERS, T0, World

TOOL = {"toolName": "t", "actions": ["db.read"]}
HASH = "u" + b64u_encode(b"\x12\x20" + bytes(32))
SHA3 = "u" + b64u_encode(b"\x16\x20" + bytes(32))


def read(changes: dict[str, Any]) -> AgentIdentity:
    """Ana's agent, some members of its block replaced (None: left out)."""
    world = World()
    bot = world.agent("bot", world.human("ana"))
    assert bot.identity is not None
    raw = copy.deepcopy(bot.identity.secured.raw)
    assert isinstance(raw, dict)
    block = raw["credentialSubject"]["agentIdentity"] | changes
    raw["credentialSubject"]["agentIdentity"] = {k: v for k, v in block.items() if v is not None}
    return parse_agent_identity(unpack(raw))


GOOD: list[dict[str, Any]] = [
    {},
    {"creator": "did:web:a", "deployer": "did:web:b", "owner": "did:web:c"},
    {"name": "x" * 1024, "training": "y", "softwareVersion": "1", "decisionModel": "m"},
    {"protocols": ["mcp"], "limitations": ["none"], "dependencies": ["a", "b"]},
    {"modelHash": HASH},
    {"modelHash": SHA3},
    {"toolset": "none"},
    {"toolset": [TOOL | {"toolDid": "did:web:t", "targetSchemas": ["s"]}]},
    {"scopeOfBehavior": "none"},
    {"scopeOfBehavior": {"summary": "x" * 1024}},
    {"scopeOfBehavior": {"summary": "x", "purposes": ["a"]}},
    {"expires": "2027-01-01T00:00:00Z"},
    {"updated": "2026-01-01T00:00:00Z"},
]
BAD: list[tuple[dict[str, Any], str]] = [
    *(({name: value}, "shape") for name in ("creator", "deployer", "owner")
      for value in ("ana", 1, None)),
    *(({name: value}, "shape") for name in ("name", "training", "updateMechanism")
      for value in ("", "x" * 1025, 1, "a\nb")),
    *(({name: ["a", "a"]}, "shape") for name in ("protocols", "limitations", "compliance")),
    ({"protocols": []}, "empty-array"),
    ({"protocols": "mcp"}, "shape"),
    *(({"modelHash": value}, "shape") for value in
      (HASH[:-1], HASH + "A", "z" + HASH[1:], "U" + HASH[1:], 1,
       "u" + b64u_encode(b"\x13\x20" + bytes(32)))),
    ({"toolset": "all"}, "shape"),
    ({"toolset": []}, "empty-array"),
    ({"toolset": [TOOL | {"more": 1}]}, "unknown-member"),
    ({"toolset": [{"actions": ["a"]}]}, "shape"),
    ({"toolset": [TOOL | {"toolName": ""}]}, "shape"),
    ({"toolset": [TOOL | {"toolDid": "t"}]}, "shape"),
    ({"toolset": [TOOL | {"targetSchemas": []}]}, "empty-array"),
    ({"toolset": [TOOL | {"actions": ["DB"]}]}, "shape"),
    ({"scopeOfBehavior": "all"}, "shape"),
    ({"scopeOfBehavior": {}}, "shape"),
    ({"scopeOfBehavior": {"summary": "x" * 1025}}, "shape"),
    ({"scopeOfBehavior": {"summary": "x", "more": 1}}, "unknown-member"),
    ({"scopeOfBehavior": {"summary": "x", "purposes": []}}, "empty-array"),
    ({"expires": "2026-09-22T00:00:00Z"}, "shape"),
    ({"updated": "2026-01-01"}, "shape"),
    ({"spawn": 1}, "shape"),
    ({"lifecycleStatus": "alive"}, "shape"),
]  # fmt: skip


@pytest.mark.parametrize("changes", GOOD, ids=repr)
def test_identity_may_say_this(changes: dict[str, Any]) -> None:
    assert read(changes).lifecycle == "active"


@pytest.mark.parametrize(("changes", "code"), BAD, ids=repr)
def test_identity_may_not_say_this(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Error) as refused:
        read(changes)
    assert refused.value.code == code


# --- who made whom, whichever name sorts first --------------------------------------------------


@pytest.mark.parametrize("maker", [f"maker-{n}" for n in range(8)])
def test_agent_made_by_an_agent_is_judged_alike_whatever_their_names(maker: str) -> None:
    world = World()
    ana = world.human("ana")
    parent = world.agent(maker, ana, block={"spawn": True})
    child = world.agent("child", parent)
    first = world.delegate(ana, parent, [f"db.read {PAPERS}"], remaining=1, lease=8, spawn=True)
    asked = Request("db.read", "urn:acme:papers:1")

    def said(links: list[Link]) -> str:
        evidence, answers = world.evidence(), set()
        for _ in range(2):  # the second time everybody is known
            verdict = decide(
                world.present(links, asked), evidence, world.trust(), asked, at=world.now
            )
            answers.add(verdict.code or verdict.state)
        (one,) = answers
        return one

    below = world.delegate(parent, child, [f"db.read {PAPERS}"], above=[first], seconds=300)
    assert said([first, below]) == "accepted"
    plain = world.delegate(ana, parent, [f"db.read {PAPERS}"], remaining=1, lease=8)
    under = world.delegate(parent, child, [f"db.read {PAPERS}"], above=[plain], seconds=300)
    assert said([plain, under]) == "spawn-forbidden"
    world.agent("child", parent, block={"parent": did.from_key(ana.key.public)})
    assert said([first, below]) in {"id-no-provenance", "id-shared"}
    world.agent("child", parent, block={"parent": world.db.did})
    assert said([first, below]) == "id-no-provenance"


def test_trust_speaks_for_the_organisation_it_names_and_no_other() -> None:
    world = World()
    ana = world.human("ana")
    link = world.delegate(ana, world.agent("bot", ana), [f"db.read {PAPERS}"])
    asked = Request("db.read", "urn:acme:papers:1")
    for other in ("did:a:a", "did:zzz:zzz"):
        world.attest(ana, organization=other, signer=world.org)
        said = decide(world.present([link], asked), world.evidence(), world.trust(), asked, at=T0)
        assert said.code in {"root-untrusted", "did-key-mismatch", "root-not-authoritative"}

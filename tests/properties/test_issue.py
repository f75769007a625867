"""What we issue, we accept; what we would refuse, we do not issue."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Authorization, Error, Link, Request, decide, issue_link
from properties.story import FORMS
from world import DRAFTS, PAPERS, Party, World


@FORMS
@pytest.mark.parametrize("method", ["key", "jwk"])
@settings(max_examples=12)
@given(data=st.data())
def test_whatever_is_issued_verifies(form: str, method: str, data: Any) -> None:
    depth = data.draw(st.integers(1, 8))
    world = World(method=method, form=form)  # type: ignore[arg-type]
    ana = world.human("ana")
    holder: Party = ana
    links: list[Link] = []
    allow = [f"db.read {PAPERS}", f"doc.write {DRAFTS}"]
    rows, seconds = 1000, 1800
    for index in range(depth):
        agent = world.agent(f"agent-{index}", ana)
        if len(allow) > 1 and data.draw(st.booleans()):
            allow = allow[:1]
        rows -= data.draw(st.integers(0, 100))
        seconds -= data.draw(st.integers(0, 200))
        links.append(
            world.delegate(
                holder,
                agent,
                allow,
                above=tuple(links),
                seconds=seconds,
                remaining=depth - 1 - index,
                lease=2 ** (12 - index),
                constraints={"rows": {"max": rows}},
            )
        )
        holder = agent
    yes = world.verify(links, "db.read", "urn:acme:papers:17", rows=rows)
    assert isinstance(yes, Authorization)
    assert yes.path == tuple(p.did for p in (ana, *(world.parties[f"agent-{i}"]
                                                   for i in range(depth))))  # fmt: skip
    assert yes.effective.constraints["rows"] == rows
    with pytest.raises(Error) as refused:
        world.verify(links, "db.read", "urn:acme:papers:17", rows=rows + 1)
    assert (refused.value.code, refused.value.dimension) == ("constraint", "rows")
    with pytest.raises(Error):
        issue_link(
            holder.key,
            issuer=holder.did,
            subject=world.db.did,
            organization=world.org.did,
            grants=[{"actions": ["db.read"], "resources": [PAPERS]}],
            valid_from=world.now,
            valid_until=world.now + 30,
            above=links,
            constraints={"rows": {"max": rows + 1}},
        )


# --- whatever the inputs: signed and accepted, or refused ------------------------------------

TEXTS = ["x", "Größe", "a" * 256, "a" * 257, "a" * 1025, "", "\u200b", "\ud800", "tab\t", 7, None]
RULES = [{"rows": {"max": 5}}, {"rows": {"max": -1}}, {"x": 1}, {}, {"rows": {"max": 5, "x": 1}}]
TOOLS = ["none", [], [{"toolName": "t", "actions": ["db.*"]}], [{"toolName": "", "actions": ["a"]}]]
CHANGES: dict[str, list[Any]] = {
    "human.revision": [0, 1, 2**53 - 1, 2**53, -1, True],
    "human.attestation": TEXTS,
    "human.seconds": [0, 1, 86_400, 86_401],
    "human.constraints": RULES,
    "human.form": ["di", "jwt"],
    "agent.name": TEXTS,
    "agent.identityModel": ["persistent", "ephemeral", "child", "fork", "odd"],
    "agent.expires": ["2026-09-21T14:13:20Z", "2026-12-21T14:13:20Z", "2026-12-21T24:00:00Z"],
    "agent.protocols": [[], ["a"], ["a", "a"], ["\u200b"]],
    "agent.toolset": TOOLS,
    "agent.spawn": [True, 1],
    "agent.seconds": [0, 1, 90 * 86_400, 90 * 86_400 + 1],
    "agent.form": ["di", "jwt"],
    "list.bytes": [0, 16_383, 16_385, 2**20, 2**20 + 1],
    "link.seconds": [0, 60, 61, 1800, 3600, 3601],
    "link.status": [None],
    "link.use": ["grant", "mandate", "gift"],
    "link.constraints": RULES,
    "link.remaining": [0, 1, 31, 32, -1],
    "link.id": ["urn:uuid:00000000-0000-4000-8000-000000000000", "x", ""],
}
"""What may be asked of the issuing functions, good and bad, by member."""

HONEST: dict[str, Any] = {"human.seconds": 3600, "agent.seconds": 86_400, "link.seconds": 60}
LATER = {"tool-not-in-toolset", "limit-size"}
"""What a verifier may still say of what was issued: no such tool, a list beyond its own limit."""


def outcome(form: str, changes: dict[str, Any]) -> tuple[str, str | None]:
    """What became of it: refused by the issuer, or judged by the verifier; and the code."""
    world = World(form=form, max_grant=3600)  # type: ignore[arg-type]
    members: dict[str, dict[str, Any]] = {"human": {}, "agent": {}, "list": {}, "link": {}}
    for name, value in (HONEST | changes).items():
        who, _, member = name.partition(".")
        members[who][member] = value
    for who in ("human", "agent"):
        members[who]["valid_until"] = world.now + members[who].pop("seconds")
    outer = {k: members["agent"].pop(k) for k in ("valid_until", "form") if k in members["agent"]}
    try:
        ana = world.human("ana", **members["human"])
        bot = world.agent(
            "bot", ana, tools=["db.*"], block={"expires": None} | members["agent"], **outer
        )
        status_list = world.status_list(bits=bytes(members["list"].get("bytes", 16_384)))
        link = world.delegate(ana, bot, [f"db.read {PAPERS}"], **members["link"])
        asked = Request("db.read", "urn:acme:papers:17", rows=5)
        shown = world.present([link], asked)
    except Error as exc:
        return "refused", exc.code
    evidence = world.evidence(status_lists=[status_list.secured.raw])
    return "judged", decide(shown, evidence, world.trust(), asked, at=world.now).code


@FORMS
@pytest.mark.parametrize("member", sorted(CHANGES))
def test_what_is_issued_with_one_odd_input_verifies_or_is_not_issued(
    form: str, member: str
) -> None:
    told = {outcome(form, {member: value}) for value in CHANGES[member]}
    assert {code for how, code in told if how == "judged"} <= {None, *LATER}
    assert ("judged", None) in told, "the honest ones among them carry a chain"


@settings(max_examples=60)
@given(data=st.data())
def test_what_is_issued_with_odd_inputs_verifies_or_is_not_issued(data: Any) -> None:
    members = data.draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=4, unique=True))
    changes = {name: data.draw(st.sampled_from(CHANGES[name])) for name in members}
    how, code = outcome(data.draw(st.sampled_from(["di", "jwt"])), changes)
    if how == "judged":
        assert code in {None, *LATER}
    elif len(changes) == 1:
        assert outcome("di", {}) == ("judged", None)

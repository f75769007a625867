"""An agent may do nothing, then one task, then nothing again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from delegant.credentials import PrivateKey, Request, invoke, present
from delegant.credentials.did import from_key
from delegant.governance.agent import Agent, standing
from delegant.integrations import calling, guard
from governance.tasks import READ, Office
from refusal import refusal

ASKED = Request("db.read", "urn:acme:papers:17")


def test_a_fresh_agent_may_do_nothing(office: Office) -> None:
    bot = office.bot()
    assert standing(office.home, bot.did, office.now) == []
    assert refusal(lambda: bot.present(ASKED)) == "no-grant"
    alone = Agent.load("bot", home=office.home)
    assert refusal(lambda: alone.task("T-17", allow=[READ])) == "no-grant"
    with bot.task("T-17", allow=[READ]) as task:  # the twin: with a task it may
        assert office.read(office.point(), task)
        assert standing(office.home, bot.did, office.now) == []


def test_a_task_is_one_grant_under_the_mandate(office: Office) -> None:
    with office.bot().task("T-17", allow=[READ], ttl="2m", initiation="schedule") as task:
        assert [link.use for link in task.links] == ["mandate", "grant"]
        assert task.links[0].id == office.mandate.id
        assert task.grant.seconds == 120
        assert task.task == {"id": "T-17", "initiation": "schedule"}
        assert office.read(office.point(), task)
    intent = office.records()[0].json
    assert intent["initiation"] == "schedule"


def test_or_under_the_human_who_is_present(office: Office) -> None:
    with office.bot(holder=office.ana).task("T-17", allow=[READ]) as task:
        assert [link.issuer for link in task.links] == [office.ana.did]
        assert task.grant.seconds == 900
        assert office.read(office.point(), task)


def test_it_is_a_presenter_of_guarded_functions(office: Office) -> None:
    @guard(action="db.read", resource=lambda a: f"urn:acme:papers:{a['id']}")
    def read_paper(id: str) -> str:  # noqa: A002
        return f"On {id}"

    with (
        office.bot().task("T-17", allow=[READ]) as task,
        calling(office.point(closed=office.closed), task),
    ):
        assert read_paper("17") == "On 17"
        task.close()
        assert refusal(lambda: read_paper("17")) == "revoked"


def test_a_grant_is_for_its_own_task(office: Office) -> None:
    point = office.point()
    with office.bot().task("T-17", allow=[READ]) as task:
        assert office.read(point, task)
        other = Request(ASKED.action, ASKED.resource, task={"id": "T-18", "initiation": "schedule"})
        assert refusal(lambda: task.present(other)) == "task-mismatch"
        assert refusal(lambda: task.present(ASKED)) == "task-mismatch"
        for one in (other, ASKED):  # and whoever signs it all the same
            shown = present(
                task.links, task.key, audience=office.home.settings.registry, request=one,
                at=office.now,
            )  # fmt: skip
            data = shown.to_bytes()
            code = refusal(lambda d=data, r=one: office.act(point, d, task.evidence(), r))
            assert code == "task-mismatch"


def test_a_grant_ends_by_itself(office: Office) -> None:
    point = office.point()
    with office.bot().task("T-17", allow=[READ], ttl=60) as task:
        request = task.request("db.read", "urn:acme:papers:17")
        shown, evidence = task.present(request)
        office.now += 59
        assert office.read(point, task)
        office.now += 1
        assert refusal(lambda: task.present(request)) == "expired"
        data = shown.to_bytes()
        assert refusal(lambda: office.act(point, data, evidence, request)) == "expired"


def test_what_was_not_granted_is_refused(office: Office) -> None:
    point = office.point()
    with office.bot().task("T-17", allow=["db.read:urn:acme:papers:17"]) as task:
        assert office.read(point, task, "17")
        assert refusal(lambda: office.read(point, task, "18")) == "no-grant"
        request = task.request("db.read", "urn:acme:papers:18")
        shown = present(
            task.links, task.key, audience=office.home.settings.registry, request=request,
            at=office.now,
        )  # fmt: skip
        data = shown.to_bytes()
        assert refusal(lambda: office.act(point, data, task.evidence(), request)) == "no-grant"


def test_a_tool_that_the_agent_does_not_have_is_refused_even_where_it_is_granted(
    office: Office,
) -> None:
    bot = Agent.load("broker", home=office.home, broker=office.broker(holder=office.ana))
    with bot.task("T-17", allow=[READ]) as task:
        assert refusal(lambda: office.read(office.point(), task)) == "tool-not-in-toolset"


def test_nobody_else_uses_a_grant(office: Office) -> None:
    point = office.point()
    with office.bot().task("T-17", allow=[READ]) as task:
        request = task.request("db.read", "urn:acme:papers:17")
        shown, evidence = task.present(request)
        thief = PrivateKey.generate()
        token = invoke(
            thief, holder=from_key(thief.public), audience=office.home.settings.registry,
            chain=task.grant.digest, request=request, at=office.now,
        )  # fmt: skip
        stolen = replace(shown, invocation=token).to_bytes()
        assert refusal(lambda: office.act(point, stolen, evidence, request)) == "holder-mismatch"
        assert office.act(point, shown.to_bytes(), evidence, request)


# --- sub-agents --------------------------------------------------------------------------------


def test_a_sub_agent_has_an_identity_and_less(office: Office) -> None:
    point = office.point()
    rules = {"rows": 500}
    with office.bot().task("T-17", allow=[READ], constraints=rules, spawn=True) as task:
        below = task.spawn("db-query", narrow={"rows": 100}, ttl="30s")
        assert below.task == task.task
        assert (below.grant.seconds, below.grant.issuer) == (30, task.agent)
        assert below.grant.authority.constraints["rows"] == 100
        assert office.read(point, below, rows=100)
        assert refusal(lambda: office.read(point, below, rows=101)) == "constraint"
        assert office.read(point, task, rows=101)
        (identity,) = below.evidence().identities(below.agent)
        assert (identity.model, identity.parent, identity.spawn) == ("ephemeral", task.agent, False)
        assert office.records()[0].agent == below.agent


def test_its_key_is_on_no_disk(office: Office) -> None:
    with office.bot().task("T-17", allow=[READ], spawn=True) as task:
        below = task.spawn("db-query")
        seed = below.key.export_seed()
        kept = b"".join(p.read_bytes() for p in office.home.path.rglob("*") if p.is_file())
        assert seed not in kept
        assert "db-query" not in [one.handle for one in office.home.subjects()]
        wallet = below._wallet
    assert refusal(wallet.key) == "not-found"
    assert refusal(lambda: below.key) == "revoked"


def test_a_task_that_was_not_opened_for_it_spawns_nobody(office: Office) -> None:
    with office.bot().task("T-17", allow=[READ]) as task:
        assert refusal(lambda: task.spawn("db-query")) == "spawn-forbidden"


def test_an_agent_that_may_not_make_agents_spawns_nobody(tmp_path: Any, office: Office) -> None:
    (tmp_path / "other").mkdir()
    other = Office(tmp_path / "other", spawn=False)
    with other.bot().task("T-17", allow=[READ], spawn=True) as task:
        assert refusal(lambda: task.spawn("db-query")) == "spawn-forbidden"
    other.log.close()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"narrow": {"rows": 50}}, ""),
        ({"narrow": {"rows": 501}}, "scope-widened"),
        ({"allow": ["db.read:urn:acme:papers:17"]}, ""),
        ({"allow": ["doc.write:urn:acme:drafts:1"]}, "scope-widened"),
        ({"ttl": "120s"}, ""),
        ({"ttl": "121s"}, "scope-widened"),
    ],
)
def test_a_sub_agent_has_never_more(office: Office, more: dict[str, Any], code: str) -> None:
    bot = office.bot()
    with bot.task("T-17", allow=[READ], ttl="2m", constraints={"rows": 500}, spawn=True) as task:
        assert refusal(lambda: task.spawn("db-query", **more)) == code


def test_a_grant_is_exported_as_a_tool_access_pass(office: Office) -> None:
    tool = office.home.settings.registry
    bot = office.bot()
    with bot.task("T-17", allow=[READ], ttl="2m", constraints={"audience": [tool]}) as task:
        shown = task.pass_(output="urn:acme:drafts:1")
    assert shown == {
        "id": f"{task.grant.id}#pass",
        "type": ["VerifiableCredential", "MCPToolAccessPass"],
        "issuer": office.home.subject("broker").did,
        "validFrom": "2026-09-21T14:13:20Z",
        "validUntil": "2026-09-21T14:15:20Z",
        "credentialSubject": {
            "id": bot.did,
            "authorizedToolDID": tool,
            "allowedActions": ["db.read"],
            "inputDataHandle": "urn:acme:papers:**",
            "outputDataHandle": "urn:acme:drafts:1",
            "jobId": "T-17",
        },
        "link": {"id": task.grant.id, "digestMultibase": task.grant.digest},
    }
    assert "proof" not in shown

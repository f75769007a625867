"""Searching and heartbeats over real HTTP, and whose status lists count."""

from __future__ import annotations

import json
import time
from urllib.parse import quote, urlencode

from delegant.ans.answer import Answer, verify_answer
from delegant.ans.health import heartbeat
from delegant.ans.query import Query
from delegant.ans.trusted import RegistryTrust
from delegant.credentials import did
from delegant.resolver.server import _status_list
from resolver.door import NAME, House, Reply


def name(tail: str) -> str:
    """A name of its own for each test."""
    return NAME.replace("main", tail)


def believed(house: House, reply: Reply, query: Query) -> Answer:
    """The verified answer in a reply."""
    registry = did.check(house.registry)
    key = did.key_of(registry)
    assert key is not None
    body = reply.json if reply.status == 200 else reply.json["answer"]
    trust = RegistryTrust(registry, (key,), house.log)
    return verify_answer(body, trust, query, at=int(time.time()))


def ask(house: House, *pairs: tuple[str, str]) -> Answer:
    """The verified answer to URL parameters."""
    reply = house.call("GET", f"/v1/resolve?{urlencode(pairs)}")
    return believed(house, reply, Query.from_params(pairs))


def test_a_question_is_answered_by_either_method(house: House) -> None:
    mine = name("asked")
    assert house.post(house.event(mine)).status == 201
    found = ask(house, ("capability", "semanticsearch"), ("pattern", "*.*.*.v1.0.asked"))
    assert [one.name for one in found.agents] == [mine]
    body = {
        "requestType": "resolveAgentByNameAndCapability",
        "ansNamePattern": "*.*.*.v1.0.asked",
        "requiredCapability": "SemanticSearch.KnowledgeBase",
        "trace": True,
    }
    reply = house.call("POST", "/v1/resolve", json.dumps(body).encode())
    assert reply.status == 200
    assert [one.name for one in believed(house, reply, Query.from_json(body)).agents] == [mine]


def test_a_question_without_an_answer_is_a_signed_404(house: House) -> None:
    pairs = (("capability", "no such"), ("trace", "true"))
    reply = house.call("GET", f"/v1/resolve?{urlencode(pairs)}")
    assert (reply.status, reply.json["code"]) == (404, "ans-not-found")
    assert believed(house, reply, Query.from_params(pairs)).status == "not-found"


def test_a_heartbeat_makes_an_agent_available(house: House) -> None:
    mine = name("alive")
    assert house.post(house.event(mine)).status == 201
    asked = (("pattern", "*.*.*.v1.0.alive"), ("available", "60"))
    assert ask(house, *asked).agents == ()
    now = int(time.time())
    body, token = heartbeat(house.bot.key(), house.bot.did, mine, "up", house.registry, at=now)
    head = {"Agent-Invocation": token}
    wrong = house.call("POST", f"/v1/agents/{quote(house.other.did)}/health", body, head)
    assert (wrong.status, wrong.json["code"]) == (401, "holder-mismatch")
    path = f"/v1/agents/{quote(house.bot.did)}/health"
    reply = house.call("POST", path, body, head)
    assert (reply.status, reply.json["name"], reply.json["status"]) == (200, mine, "up")
    again = house.call("POST", path, body, head)
    assert (again.status, again.json["code"]) == (409, "replay")
    (found,) = ask(house, *asked).agents
    assert found.entry.health is not None
    assert found.entry.health[0] == "up"


def test_a_home_gives_its_own_lists_and_no_other(house: House) -> None:
    url = house.home.settings.list_url(1)
    own = _status_list(house.home, url)
    assert own is not None
    assert own["id"] == url
    assert _status_list(house.home, "https://elsewhere.example/status/1") is None

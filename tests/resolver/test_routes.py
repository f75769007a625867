"""The routes over real HTTP: what each answers, and to whom."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote

import pytest

from delegant.ans import Client, evidence_request, verify_answer
from delegant.credentials import Error, Evidence, PrivateKey, Request, did, present
from delegant.credentials.codec import JsonObject, canonical
from delegant.credentials.envelope import unpack
from delegant.credentials.feed import parse_feed, unpack_feed
from delegant.credentials.status import parse_status_list
from delegant.wallet import gather
from resolver.door import ENDPOINT, NAME, House


def name(tail: str) -> str:
    """A name of its own for each test."""
    return NAME.replace("main", tail)


def now() -> int:
    return int(time.time())


def problem(house: House, event: JsonObject, **more: object) -> tuple[int, str]:
    """Status and code of a refusal."""
    reply = house.post(event, **more)
    assert reply.headers["content-type"] == "application/problem+json"
    return reply.status, reply.json["code"]


# --- names -------------------------------------------------------------------------------------


def test_register_resolve_renew_revoke(house: House) -> None:
    mine = name("life")
    with Client(house.url, house.trusted) as client:
        first = house.post(house.event(mine))
        assert first.status == 201
        found = client.resolve(mine)
        assert (found.did, found.endpoints) == (house.bot.did, {"mcp": ENDPOINT})
        assert found.sponsor == house.home.subject("ana").did

        renewed = house.post(house.event(mine, "renew", receipt=first.json))
        assert (renewed.status, renewed.json["leaf"]["seq"]) == (200, 1)
        assert client.resolve(mine, fresh=True).seq == 1

        gone = house.event(mine, "revoke", receipt=renewed.json, reason="retired")
        assert house.post(gone).status == 200
        with pytest.raises(Error, match=r"revoked since .*: retired") as caught:
            client.resolve(mine, fresh=True)
        assert caught.value.code == "ans-gone"
    assert house.call("GET", f"/v1/resolve?name={mine}").status == 410


def test_a_name_nobody_has_is_a_signed_404(house: House) -> None:
    with Client(house.url, house.trusted) as client, pytest.raises(Error) as caught:
        client.resolve(name("nobody"))
    assert caught.value.code == "ans-not-found"
    assert house.call("GET", f"/v1/resolve?name={name('nobody')}").status == 404


def test_both_ways_to_ask_give_an_answer_that_stands_alone(house: House) -> None:
    mine = name("ways")
    assert house.post(house.event(mine)).status == 201
    asked = json.dumps({"name": mine}).encode()
    for reply in (
        house.call("GET", f"/v1/resolve?name={quote(mine, safe='')}"),
        house.call("POST", "/v1/resolve", asked),
    ):
        assert reply.status == 200
        assert (
            verify_answer(reply.json, house.trusted, mine, at=now()).resolution.did == house.bot.did
        )


def test_the_same_submission_again_gets_the_same_receipt(house: House) -> None:
    body, token = house.wire(house.event(name("again")))
    first, second = (
        house.call("POST", "/v1/agents", body, {"Agent-Invocation": token}) for _ in range(2)
    )
    assert first.status == second.status == 201
    assert first.json == second.json


def test_the_client_submits_and_checks_the_receipt(house: House) -> None:
    event = house.event(name("client"))
    with Client(house.url, house.trusted) as client:
        assert client.submit(*house.wire(event))["leaf"]["agent"] == house.bot.did
    with (
        Client(house.url, replace(house.trusted, id=did.check(house.other.did))) as client,
        pytest.raises(Error) as caught,
    ):
        client.submit(*house.wire(event))  # the caller pinned another registry
    assert caught.value.code == "ans-signature"


def test_each_refusal_of_a_registration_has_its_status(house: House) -> None:
    mine = name("refusals")
    event = house.event(mine)
    stranger = PrivateKey.generate()
    body, token = house.wire(event)
    bare = json.loads(body)
    bare["evidence"].pop("sponsors")
    orphan = house.call("POST", "/v1/agents", canonical(bare), {"Agent-Invocation": token})
    assert (orphan.status, orphan.json["code"]) == (422, "orphan-agent")
    missing = house.call("POST", "/v1/agents", body)
    assert (missing.status, missing.json["code"]) == (401, "holder-missing")
    forged = token.rsplit(".", 1)[0] + "." + house.wire(event)[1].rsplit(".", 1)[1]
    wrong = house.call("POST", "/v1/agents", body, {"Agent-Invocation": forged})
    assert (wrong.status, wrong.json["code"]) == (401, "holder-mismatch")
    with pytest.raises(Error, match="holder-mismatch"):
        house.wire(event, key=stranger)  # an honest library does not even sign it
    foreign = house.event(mine.replace("DataCorp", "Elsewhere"))
    assert problem(house, foreign) == (403, "namespace")
    assert house.post(event).status == 201
    assert problem(house, house.event(mine, reason="another")) == (409, "name-taken")


def test_sixty_four_clients_and_one_name(house: House) -> None:
    mine = name("race")
    wires = []
    for number in range(64):  # each event is another one: the endpoint differs
        event = house.event(mine, reason=f"client {number}")
        wires.append(house.wire(event))

    def send(wire: tuple[bytes, str]) -> int:
        return house.call("POST", "/v1/agents", wire[0], {"Agent-Invocation": wire[1]}).status

    with ThreadPoolExecutor(32) as pool:
        assert Counter(pool.map(send, wires)) == {201: 1, 409: 63}


def test_the_names_of_an_agent(house: House) -> None:
    mine = name("listed")
    house.post(house.event(mine))
    reply = house.call("GET", f"/v1/agents/{house.bot.did}")
    answers = {
        one["resolvedAgents"][0]["ansName"]: one
        for one in reply.json["names"] if one["resolvedAgents"]
    }  # fmt: skip
    assert (
        verify_answer(answers[mine], house.trusted, mine, at=now()).resolution.did == house.bot.did
    )


# --- status lists and evidence -----------------------------------------------------------------


def test_a_status_list_is_served_as_signed(house: House) -> None:
    reply = house.call("GET", "/status/1")
    listed = parse_status_list(unpack(reply.json, size=1 << 22))
    listed.secured.check(
        did.check(house.home.settings.authority), house.organization.key("status").public
    )
    assert listed.url == house.home.settings.list_url(1)
    assert reply.headers["cache-control"] == "max-age=15"


def test_the_revocation_feed_is_served_as_signed_and_not_twice(house: House) -> None:
    reply = house.call("GET", "/v1/revocations")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/revocation-feed+jwt")
    assert reply.headers["cache-control"] == "max-age=15"
    feed = parse_feed(unpack_feed(reply.body.decode("ascii")))
    feed.secured.check(
        did.check(house.home.settings.authority), house.organization.key("status").public
    )
    assert feed.url == house.home.settings.feed_url
    etag = reply.headers["etag"]
    for match, status in ((etag, 304), (f'"x", {etag}', 304), ('"x"', 200), (etag[1:-1], 200)):
        again = house.call("GET", "/v1/revocations", headers={"If-None-Match": match})
        assert (again.status, again.headers["etag"]) == (status, etag)
        assert bool(again.body) == (status == 200)
    assert house.call("POST", "/v1/revocations", b"{}").status == 405


def test_an_agent_fetches_evidence_about_itself(house: House) -> None:
    with Client(house.url, house.trusted) as client:
        found = client.evidence(house.bot.key(), house.bot.did, house.bot.did)
    assert [one.subject for one in found.identities(house.bot.did)] == [house.bot.did]
    ana = house.home.subject("ana").did
    assert [one.subject for one in found.sponsors(ana)] == [ana]
    assert found.json["statusLists"]
    assert len(found.feeds(house.home.settings.authority)) == 1


def test_nobody_else_reads_evidence(house: House) -> None:
    about = house.bot.did
    path = f"/v1/evidence/{about}"
    key, registry = house.bot.key(), house.registry

    def token(**changes: object) -> str:
        given: dict[str, object] = {"caller": about, "about": about, "registry": registry}
        given |= {"at": now()} | changes
        return evidence_request(given.pop("key", key), **given)  # type: ignore[arg-type]

    other = house.other
    asked = {
        "holder-missing": None,
        "holder-mismatch": token(key=other.key(), caller=other.did),
        "audience": token(registry=other.did),
        "invocation-expired": token(at=now() - 61),
    }
    for code, header in asked.items():
        reply = house.call("GET", path, headers={"Agent-Invocation": header} if header else {})
        assert (reply.status, reply.json["code"]) == (401, code)
    sideways = house.call(  # its own right question, asked about another
        "GET", f"/v1/evidence/{other.did}", headers={"Agent-Invocation": token()}
    )
    assert sideways.status == 401
    good = token()
    first = house.call("GET", path, headers={"Agent-Invocation": good})
    assert (first.status, first.headers["cache-control"]) == (200, "no-store")
    again = house.call("GET", path, headers={"Agent-Invocation": good})
    assert (again.status, again.json["code"]) == (409, "replay")


def test_a_listed_verifier_reads_evidence(house: House) -> None:
    before = house.home.settings
    own = {name: getattr(before, name) for name in before.__slots__}
    house.home.settings = type(before)(**(own | {"verifiers": (house.other.did,)}))
    try:
        with Client(house.url, house.trusted) as client:
            found = client.evidence(house.other.key(), house.other.did, house.bot.did)
        assert isinstance(found, Evidence)
        assert found.identities(house.bot.did)
    finally:
        house.home.settings = before


# --- verification ------------------------------------------------------------------------------


def test_verify_answers_with_the_verdict(house: House) -> None:
    act = Request("ans.register", house.registry, arguments={"name": "x"})
    shown = present(house.links, house.bot.key(), audience=house.registry, request=act, at=now())
    body = {
        "presentation": shown.json,
        "evidence": gather(house.home, [house.bot.did]).json,
        "request": act.json,
    }
    yes = house.call("POST", "/v1/verify", canonical(body))
    assert (yes.status, yes.json["state"]) == (200, "accepted")
    assert yes.json["actor"] == house.bot.did
    body["request"] = Request("ans.revoke", house.registry).json
    no = house.call("POST", "/v1/verify", canonical(body))
    assert (no.status, no.json["state"], no.json["code"]) == (200, "rejected", "request-mismatch")
    body["evidence"] = {}
    bare = house.call("POST", "/v1/verify", canonical(body))
    assert (bare.status, bare.json["code"]) == (200, "no-human-root")


def test_health(house: House) -> None:
    reply = house.call("GET", "/health")
    assert (reply.status, reply.json["status"]) == (200, "ok")

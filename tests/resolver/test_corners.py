"""The corners of the door."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from delegant.credentials import Request
from delegant.credentials.codec import canonical
from resolver.door import NAME, House, parse_reply


def test_a_status_number_of_any_length_is_never_a_5xx(house: House) -> None:
    assert house.call("GET", "/status/" + "9" * 300).status in {400, 404}


def test_an_error_names_no_path_of_the_servers_disk(house: House) -> None:
    assert str(house.home.path) not in house.call("GET", "/status/7").body.decode()


@pytest.mark.parametrize("number", ["+1", "01", "1.0"])
def test_a_status_list_has_one_address(house: House, number: str) -> None:
    assert house.call("GET", f"/status/{number}").status in {400, 404}


def test_a_question_asked_twice_in_one_is_refused(house: House) -> None:
    query = f"name={NAME}&name={NAME.replace('main', 'other')}"
    assert house.call("GET", f"/v1/resolve?{query}").status == 400


def test_a_negative_answer_is_a_problem_too(house: House) -> None:
    reply = house.call("GET", f"/v1/resolve?name={NAME.replace('main', 'never')}")
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["code"] == "ans-not-found"


def test_an_event_goes_to_its_own_route(house: House) -> None:
    body, token = house.wire(house.event(NAME.replace("main", "misrouted")))
    path = f"/v1/agents/{house.other.did}/events"
    assert house.call("POST", path, body, {"Agent-Invocation": token}).status == 400


def test_a_wrong_method_has_a_code_of_its_own(house: House) -> None:
    assert house.call("DELETE", "/v1/resolve").json["code"] != "not-found"


def test_a_slash_too_many_is_not_found(house: House) -> None:
    assert house.call("GET", "/health/").status == 404


def test_what_is_no_http_is_a_problem_too(house: House) -> None:
    reply = parse_reply(house.raw(b"garbage\r\n\r\n"))
    assert reply.status == 400
    assert reply.headers["content-type"] == "application/problem+json"


def test_headers_have_a_cap(house: House) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: "
    reply = house.raw(head + b"a" * 3_000_000 + b"\r\n\r\n")
    assert not reply or parse_reply(reply).status in {400, 413, 431}


def test_verify_takes_a_presentation_without_evidence(house: House) -> None:
    shown = {"links": [link.secured.raw for link in house.links]}
    body = {"presentation": shown, "request": Request("ans.register", house.registry).json}
    reply = house.call("POST", "/v1/verify", canonical(body))
    assert (reply.status, reply.json["state"]) == (200, "rejected")


def test_verify_gives_a_verdict_on_a_malformed_presentation(house: House) -> None:
    act = Request("ans.register", house.registry).json
    body = {"presentation": {"links": [1]}, "evidence": {}, "request": act}
    reply = house.call("POST", "/v1/verify", canonical(body))
    assert (reply.status, reply.json["state"]) == (200, "malformed")


def test_a_damaged_trust_folder_is_our_own_fault(house: House) -> None:
    path = house.home.path / "trust" / "trust.json"
    kept = path.read_bytes()
    path.write_bytes(b"{")
    try:
        body, token = house.wire(house.event(NAME.replace("main", "trustless")))
        reply = house.call("POST", "/v1/agents", body, {"Agent-Invocation": token})
        assert (reply.status, reply.json["code"]) == (503, "unavailable")
    finally:
        path.write_bytes(kept)


def test_an_accepted_registration_is_remembered_against_rollback(house: House) -> None:
    name = quote(NAME.replace("main", "seen"), safe=":/")
    assert house.post(house.event(name)).status == 201
    assert (house.home.path / "trust" / "seen.json").is_file()

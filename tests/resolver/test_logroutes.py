"""The log and the forms of an answer over HTTP: what is served, to whom, and how long it keeps."""

from __future__ import annotations

import contextlib
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from delegant.ans.answer import open_jws, verify_answer
from delegant.ans.leaf import NameLeaf, parse_leaf
from delegant.ans.log import tlogproof
from delegant.ans.log.checkpoint import open_checkpoint
from delegant.ans.log.fetching import http_fetch
from delegant.ans.log.merkle import check_consistency, check_inclusion
from delegant.ans.log.reading import LogReader
from delegant.ans.monitor import verify_log
from delegant.credentials.codec import canonical, digest
from resolver.door import NAME, House, Reply, build, running

YEAR = "public, max-age=31536000, immutable"


def name(tail: object) -> str:
    return NAME.replace("main", f"n{tail}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with a log of more than one full tile."""
    folder: Path = tmp_path_factory.mktemp("log")
    with running(build(folder)) as open_house:
        for number in range(254):
            assert open_house.post(open_house.event(name(number))).status == 201
        for tail, kind, reason in (("gone", "revoke", "retired"), ("lived", "renew", None)):
            first = open_house.post(open_house.event(name(tail)))
            more = open_house.event(name(tail), kind, receipt=first.json, reason=reason)
            assert open_house.post(more).status == 200
        yield open_house


@contextlib.contextmanager
def reading(house: House) -> Iterator[LogReader]:
    with http_fetch(f"{house.url}/") as fetch:
        yield LogReader(fetch, house.log)


# --- checkpoint and tiles -----------------------------------------------------------------------


def test_the_log_is_read_to_its_end_over_http(house: House) -> None:
    with reading(house) as log:
        found = verify_log(log, house.registry)
    assert (found.json["size"], found.json["names"], found.json["revoked"]) == (259, 256, 1)
    assert found.replay.providers == {"datacorp": house.organization.did}


def test_the_checkpoint_is_a_note_that_is_not_kept(house: House) -> None:
    reply = house.call("GET", "/checkpoint")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["cache-control"] == "public, max-age=1"
    assert open_checkpoint(reply.body, house.log).size == 259


@pytest.mark.parametrize(
    ("path", "size", "control"),
    [
        ("tile/0/000", 8192, YEAR),
        ("tile/0/001.p/3", 96, "public, max-age=60"),
        ("tile/0/000.p/17", 544, "public, max-age=60"),
        ("tile/1/000.p/1", 32, "public, max-age=60"),
        ("tile/entries/000", 0, YEAR),
        ("tile/entries/001.p/3", 0, "public, max-age=60"),
    ],
)
def test_a_tile_is_served_with_how_long_it_keeps(
    house: House, path: str, size: int, control: str
) -> None:
    reply = house.call("GET", f"/{path}")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["cache-control"] == control
    assert len(reply.body) == (size or len(reply.body)) > 0


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1", "tile/0/0000", "tile/0/00", "tile/0/x000", "tile/0/x000/000", "tile/0/x001/000",
        "tile/0/000.p/0", "tile/0/000.p/00", "tile/0/000.p/017", "tile/0/000.p/256",
        "tile/0/001", "tile/0/001.p/4", "tile/0/002.p/1", "tile/2/000.p/1", "tile/1/000",
        "tile/64/000", "tile/00/000", "tile/-1/000", "tile/0/000/", "tile/0//000", "tile//0/000",
        "tile/0/%30%30%30", "tile/%30/000", "tile/0/000%2ep/17", "tile/0/%2e%2e/0/000",
        "tile/0/../0/000", "tile/./0/000", "tile/0/000.p", "tile/0/000.p/", "tile/entries/0",
        "tile/entries/001", "tile/Entries/000", "tile/entries/000%00", "tile/0/000%0a", "tile/",
        "tile", "tile/0", "tile/%EF%BC%90/000", "tile/0/%EF%BC%90%EF%BC%90%EF%BC%90",
        "tile/0/000%20", "tile/0/000?x=1/", "tile/999999999999999999999/000",
    ],
)  # fmt: skip
def test_a_tile_has_one_address(house: House, path: str) -> None:
    reply = house.call("GET", f"/{path}")
    if "?" in path:  # what stands after the path is not part of it
        assert reply.status == 200
        return
    assert (reply.status, reply.json["code"]) == (404, "not-found")


@pytest.mark.parametrize("path", ["/checkpoint", "/tile/0/000", f"/v1/resolve?name={NAME}"])
def test_who_has_it_already_is_told_so(house: House, path: str) -> None:
    path = path.replace("main", "n1")
    first = house.call("GET", path)
    etag = first.headers["etag"]
    for given in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        again = house.call("GET", path, headers={"If-None-Match": given})
        if "resolve" in path and given != "*":  # signed anew each time
            continue
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"] == first.headers["cache-control"]
    for given in ('"x"', "", etag[:-2] + '"', etag.strip('"'), "W/*"):
        assert house.call("GET", path, headers={"If-None-Match": given}).status == 200


@pytest.mark.parametrize(
    "path",
    ["/checkpoint", "/tile/0/000", "/tile/entries/000", "/health", "/v1/providers",
     "/v1/log/consistency?old=1", "/v1/log/inclusion?index=1", "/v1/resolve?name=NAME",
     "/v1/names/NAME/history"],
)  # fmt: skip
def test_head_is_the_same_without_the_body(house: House, path: str) -> None:
    path = path.replace("NAME", quote(name(1), safe=""))
    got, head = house.call("GET", path), house.call("HEAD", path)
    assert (got.status, head.status, head.body) == (200, 200, b"")
    assert len(got.body) == int(head.headers["content-length"])
    assert got.headers["content-type"] == head.headers["content-type"]


# --- proofs -------------------------------------------------------------------------------------


def hashes(reply: Reply) -> list[bytes]:
    return [b64decode(one) for one in reply.json["proof"]]


def test_an_entry_is_proven_by_number_and_by_event(house: House) -> None:
    head = open_checkpoint(house.call("GET", "/checkpoint").body, house.log)
    by_number = house.call("GET", "/v1/log/inclusion?index=200")
    with reading(house) as log:
        (data,) = log.entries(200, 201)
    leaf = parse_leaf(data)
    assert isinstance(leaf, NameLeaf)
    by_event = house.call("GET", f"/v1/log/inclusion?event={leaf.event}")
    assert by_event.json == by_number.json
    check_inclusion(
        b64decode(by_number.json["leafHash"]), 200, head.size, hashes(by_number), head.root
    )
    old = house.call("GET", "/v1/log/inclusion?index=200&size=201")
    assert old.headers["cache-control"] == YEAR
    assert by_number.headers["cache-control"] == "public, max-age=1"


def test_the_log_is_proven_to_have_only_grown(house: House) -> None:
    reply = house.call("GET", "/v1/log/consistency?old=100")
    between = house.call("GET", "/v1/log/consistency?old=100&new=200")
    with reading(house) as log:
        head = log.checkpoint()
        check_consistency(100, head.size, hashes(reply), log.root(100), head.root)
        check_consistency(100, 200, hashes(between), log.root(100), log.root(200))
    assert between.headers["cache-control"] == YEAR


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("inclusion", 400), ("inclusion?index=1&event=x", 400), ("inclusion?index=x", 400),
        ("inclusion?index=-1", 400), ("inclusion?index=01", 400), ("inclusion?index=", 400),
        ("inclusion?index=1&index=1", 400), ("inclusion?index=1&more=1", 400),
        ("inclusion?index=%D9%A1", 400), ("inclusion?index=1.0", 400), ("inclusion?event=x", 400),
        ("inclusion?index=99999999999999999999", 400), ("inclusion?index=9999999", 404),
        ("inclusion?index=1&size=0", 404), ("inclusion?index=1&size=9999", 404),
        ("inclusion?event=uEiAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 404),
        ("consistency", 400), ("consistency?old=x", 400), ("consistency?old=0", 404),
        ("consistency?old=5&new=4", 404), ("consistency?old=1&new=9999", 404),
    ],
)  # fmt: skip
def test_a_proof_of_what_is_not_there(house: House, query: str, status: int) -> None:
    reply = house.call("GET", f"/v1/log/{query}")
    assert reply.status == status
    assert reply.json["code"] in ("shape", "not-found")


# --- forms of an answer -------------------------------------------------------------------------


def resolve(house: House, tail: object = 1, accept: str = "", **more: str) -> Reply:
    headers = {"Accept": accept} if accept else {}
    return house.call("GET", f"/v1/resolve?name={quote(name(tail), safe='')}", headers=headers)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/*", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/ans-answer+jwt", "application/ans-answer+jwt"),
        ("Application/ANS-Answer+JWT", "application/ans-answer+jwt"),
        ("application/json;q=0.5, application/ans-answer+jwt;q=0.8", "application/ans-answer+jwt"),
        ("application/json;q=0, */*", "application/ans-answer+jwt"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/*;q=0.9, application/json;q=0.8", "text/plain; charset=utf-8"),
        ("text/plain;q=0.3, application/json;q=0.30", "application/json"),
    ],
)
def test_accept_says_in_which_form(house: House, accept: str, media: str) -> None:
    reply = resolve(house, 1, accept)
    assert (reply.status, reply.headers["content-type"]) == (200, media)
    assert reply.headers["vary"] == "accept"
    control = reply.headers["cache-control"].removeprefix("public, max-age=")
    assert 55 <= int(control) <= 60  # no longer than the answer's own token is good


@pytest.mark.parametrize(
    "accept", ["image/png", "application/json;q=0", "text/html, text/css", "*/*;q=0", ",", "json"]
)
def test_no_form_is_made_up(house: House, accept: str) -> None:
    reply = resolve(house, 1, accept)
    assert (reply.status, reply.json["code"]) == (406, "not-acceptable")


def test_a_search_has_no_one_proof(house: House) -> None:
    path = "/v1/resolve?capability=SemanticSearch"
    assert house.call("GET", path, headers={"Accept": "text/plain"}).status == 406
    assert house.call("GET", path).status == 200


def test_the_token_is_the_whole_answer(house: House) -> None:
    reply = resolve(house, 1, "application/ans-answer+jwt")
    answer = open_jws(reply.body.decode(), house.trusted)
    found = verify_answer(answer, house.trusted, name(1), at=int(time.time()))
    assert found.agents[0].did == house.bot.did


def test_the_proof_is_of_the_records_own_entry(house: House) -> None:
    reply = resolve(house, 1, "text/plain")
    proof = tlogproof.parse(reply.body)
    assert proof.extra is not None
    tlogproof.check(reply.body, proof.extra, house.log)
    leaf = parse_leaf(proof.extra)
    assert isinstance(leaf, NameLeaf)
    (agent,) = resolve(house, 1).json["resolvedAgents"]
    assert leaf.record == digest(canonical(agent["record"]))


def test_a_name_that_is_gone_is_a_problem_with_the_answer_inside(house: House) -> None:
    for accept, media in (
        ("", "application/problem+json"),
        ("application/ans-answer+jwt", "application/ans-answer+jwt"),
        ("text/plain", "text/plain; charset=utf-8"),
    ):
        reply = resolve(house, "gone", accept)
        assert (reply.status, reply.headers["content-type"]) == (410, media)
    told: Any = resolve(house, "gone").json
    assert (told["code"], told["status"]) == ("ans-gone", 410)
    assert told["answer"]["freshness"]["status"] == "revoked"
    nobody = house.call("GET", f"/v1/resolve?name={name('none')}", headers={"Accept": "text/plain"})
    assert (nobody.status, nobody.json["code"]) == (404, "ans-not-found")  # nothing to prove


def test_records_and_events_are_named_by_their_digest_for_good(house: House) -> None:
    (agent,) = resolve(house, 2).json["resolvedAgents"]
    wanted = digest(canonical(agent["record"]))
    record = house.call("GET", f"/v1/records/{wanted}")
    assert (record.json, record.headers["cache-control"]) == (agent["record"], YEAR)
    event = house.call("GET", f"/v1/events/{agent['receipt']['leaf']['event']}")
    assert event.json["record"] == agent["record"]
    assert event.headers["cache-control"] == YEAR
    for path in (f"/v1/records/{wanted[:-1]}", "/v1/records/x", f"/v1/events/{wanted}"):
        assert house.call("GET", path).status == 404


def test_the_history_of_a_name_is_listed_with_its_receipts(house: House) -> None:
    mine = name("lived")
    reply = house.call("GET", f"/v1/names/{quote(mine, safe='')}/history")
    assert reply.status == 200
    assert [one["event"]["type"] for one in reply.json["events"]] == ["register", "renew"]
    plain = house.call("GET", f"/v1/names/{mine}/history")  # with its slashes as they are
    assert plain.json == reply.json
    second = house.call("GET", f"/v1/names/{mine}/history?start=1&limit=1")
    assert second.json["events"] == reply.json["events"][1:]
    for bad in ("start=x", "limit=0", "limit=101", "start=-1", "more=1", "start=1&start=1"):
        assert house.call("GET", f"/v1/names/{mine}/history?{bad}").status == 400
    assert house.call("GET", "/v1/names/x/history").status == 400
    assert house.call("GET", f"/v1/names/{name('never')}/history").status == 404

"""The demo's resource acts by permits alone; whatever it refuses or does is on record."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from delegant.cli.demo import resource as demo
from delegant.cli.demo.stage import request_of
from delegant.governance.auditlog import AuditLog
from delegant.governance.ledger import Ledger
from delegant.governance.receipt import HEADER, ResourceReceipt, read_resource_receipt
from delegant.governance.record import Record, parse_record
from delegant.wallet import trustfolder
from delegant.wallet.keystore import CHEAPEST
from world import World, research_chain

READ = {"topic": "attenuation", "limit": 3}
WRITE = {"draft": "summary", "body": "Authority\nonly ever narrows."}


@dataclass
class Place:
    """The resource, over HTTP, and the chain of the story."""

    folder: Path
    log: AuditLog
    http: TestClient

    def __post_init__(self) -> None:
        self.world = World(now=int(time.time()))
        self.links, self.parties = research_chain(self.world)
        trustfolder.write_trust(self.folder / "trust", self.world.trust_json)

    def body(self, depth: int, ask: Any, **more: Any) -> dict[str, Any]:
        shown = self.world.present(self.links[:depth], request_of(ask), **more)
        return {
            "presentation": json.loads(shown.to_bytes()),
            "evidence": self.world.evidence().json,
            "ask": ask,
        }

    def send(self, body: Any) -> tuple[int, Any]:
        """Status and answer; a body that is no dict is sent as it is."""
        path = "drafts" if isinstance(body, dict) and "draft" in body["ask"] else "papers"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.http.post(f"/{path}", content=data)
        return answer.status_code, answer.json()

    def records(self) -> list[Record]:
        with self.log.store.transaction(reading=True) as db:
            count = self.log.store.leaf_count(db)
            return [parse_record(one) for one in self.log.store.leaves(db, 0, count)]

    def sql(self, statement: str) -> list[Any]:
        with sqlite3.connect(self.folder / "papers.db") as db:
            return db.execute(statement).fetchall()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    log = AuditLog.create(tmp_path / "audit", "a secret", did=World().db.did, cost=CHEAPEST)
    tables = demo.Store(tmp_path / "papers.db")
    resource = demo.Resource(tmp_path / "trust", tables, Ledger(log), [])
    yield Place(tmp_path, log, TestClient(demo.create_app(resource)))
    log.close()


def test_an_act_is_on_record_before_and_after_with_what_came_of_it(place: Place) -> None:
    status, answer = place.send(place.body(3, READ))
    assert (status, len(answer["rows"])) == (200, 3)
    status, written = place.send(place.body(4, WRITE))
    assert (status, written["written"]) == (200, "summary")
    read, read_outcome, write, write_outcome = place.records()
    assert [one.type for one in place.records()] == ["intent", "outcome"] * 2
    assert read.event == read_outcome.event == answer["event"]
    assert write.event == write_outcome.event == written["event"]
    assert read.sponsor == write.sponsor == place.parties["ana"].did
    assert write.agent == place.parties["formatter"].did
    assert [one["id"] for one in write.chain] == [link.id for link in place.links]
    assert (write.json["action"], write.json["target"]) == ("doc.write", "urn:acme:drafts:summary")
    assert read_outcome.json["outcome"] == {"status": "success", "rows": 3}
    assert place.sql("SELECT body FROM drafts") == [(WRITE["body"],)]


def test_what_was_asked_for_is_in_the_opening_and_not_in_the_record(place: Place) -> None:
    _, answer = place.send(place.body(4, WRITE))
    with place.log.store.transaction(reading=True) as db:
        kept = place.log.store.opening(db, answer["event"])
    assert kept is not None
    assert json.loads(kept)["input"] == WRITE
    assert "narrows" not in str([one.json for one in place.records()])


@pytest.mark.parametrize(
    ("depth", "ask", "code", "verified"),
    [(3, READ | {"limit": 501}, "constraint", True), (4, READ, "no-grant", True)],
)
def test_what_a_good_chain_does_not_allow_is_refused_in_proven_names(
    place: Place, depth: int, ask: Any, code: str, verified: bool
) -> None:
    status, answer = place.send(place.body(depth, ask))
    (record,) = place.records()
    assert (status, answer["code"]) == (403, code)
    assert (record.type, record.json["code"]) == ("refusal", code)
    assert record.json["link"] == answer["link"]
    assert record.verified is verified
    assert record.sponsor == place.parties["ana"].did
    assert record.json["evidence"] is not None


def test_another_holder_is_refused_with_the_chain_proven_and_itself_not(place: Place) -> None:
    body, other = place.body(3, READ), place.body(4, READ)
    body["presentation"]["invocation"] = other["presentation"]["invocation"]
    assert place.send(body)[1]["code"] == "holder-mismatch"
    (record,) = place.records()
    assert not record.verified
    assert record.json["evidence"] is not None  # of the chain nothing was wrong


def test_a_chain_that_fails_is_on_record_as_it_was_claimed(place: Place) -> None:
    body = place.body(3, READ)
    body["presentation"]["links"][1]["validUntil"] = "2099-01-01T00:00:00Z"
    assert place.send(body)[1]["code"] == "chain-broken"
    (record,) = place.records()
    assert not record.verified
    assert record.json["evidence"] is None
    assert record.agent == place.parties["dbquery"].did


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no json", "json"),
        (b"[]", "shape"),
        (b'{"presentation": {}, "evidence": {}}', "shape"),
        (b" " * (demo.MAX_BODY + 1), "limit-size"),
    ],
    ids=["no-json", "no-object", "a-member-short", "too-large"],
)
def test_what_is_no_call_at_all_is_on_record(place: Place, data: bytes, code: str) -> None:
    status, answer = place.send(data)
    assert 400 <= status < 500
    assert answer["code"] == code
    (record,) = place.records()
    assert (record.json["code"], record.chain, record.sponsor) == (code, [], None)


@pytest.mark.parametrize("text", [{"no": "text"}, "x" * (demo.MAX_DRAFT + 1), None])
def test_a_draft_that_is_no_text_of_its_size_is_refused(place: Place, text: Any) -> None:
    assert place.send(place.body(4, WRITE | {"body": text}))[1]["code"] == "shape"
    assert place.send(place.body(4, WRITE | {"body": "x" * demo.MAX_DRAFT}))[0] == 200


def receipt(place: Place, body: Any, path: str = "papers") -> ResourceReceipt | None:
    answer = place.http.post(f"/{path}", content=json.dumps(body))
    assert answer.headers["cache-control"] == "no-store"
    if HEADER not in answer.headers:
        return None
    found = read_resource_receipt(answer.headers[HEADER])
    found.check(place.log.settings.keys)
    return found


def test_the_answer_has_a_receipt_once_it_is_on_record(place: Place) -> None:
    done = receipt(place, place.body(3, READ))
    refused = receipt(place, place.body(3, READ | {"limit": 501}))
    place.sql("ALTER TABLE drafts RENAME TO lost")
    failed = receipt(place, place.body(4, WRITE), "drafts")
    assert done
    assert refused
    assert failed
    intent, _, denied, tried, _ = place.records()
    assert (done.event, done.outcome) == (intent.event, "success")
    assert (refused.event, refused.decision, refused.code) == (denied.event, "deny", "constraint")
    assert (failed.event, failed.outcome, failed.code) == (tried.event, "failure", "unavailable")


def test_nothing_is_signed_for_a_caller_who_proved_nothing(place: Place) -> None:
    body = place.body(3, READ)
    body["presentation"]["links"][1]["validUntil"] = "2099-01-01T00:00:00Z"
    assert receipt(place, body) is None
    assert receipt(place, "no call") is None
    assert receipt(place, place.body(3, READ)) is not None


def test_a_replay_is_one_refusal_and_acts_once(place: Place) -> None:
    body = place.body(4, WRITE)
    assert place.send(body)[0] == 200
    place.sql("DELETE FROM drafts")
    assert place.send(body)[1]["code"] == "replay"
    assert place.sql("SELECT * FROM drafts") == []
    assert [one.type for one in place.records()] == ["intent", "outcome", "refusal"]


def test_an_act_that_fails_has_its_failure_on_record(place: Place) -> None:
    place.sql("ALTER TABLE drafts RENAME TO lost")
    status, answer = place.send(place.body(4, WRITE))
    assert (status, answer["code"]) == (503, "unavailable")
    assert place.records()[1].json["outcome"] == {"status": "failure", "code": "unavailable"}
    place.sql("ALTER TABLE lost RENAME TO drafts")
    assert place.send(place.body(4, WRITE))[0] == 200


def test_without_a_record_nothing_is_done_and_no_refusal_is_told(place: Place) -> None:
    assert place.send(place.body(3, READ))[0] == 200
    (place.folder / "audit" / "log").rename(place.folder / "elsewhere")
    for ask in (WRITE, READ):  # the second would be `no-grant`
        status, answer = place.send(place.body(4, ask))
        assert (status, answer["code"]) == (503, "unavailable")
    assert place.sql("SELECT * FROM drafts") == []
    shutil.rmtree(place.folder / "audit" / "log")
    (place.folder / "elsewhere").rename(place.folder / "audit" / "log")
    assert place.send(place.body(4, WRITE))[0] == 200
    assert place.send(place.body(4, READ))[1]["code"] == "no-grant"


def test_a_path_that_is_none_is_not_found(place: Place) -> None:
    answer = place.http.post("/payroll", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert place.records() == []  # nobody was asked for anything

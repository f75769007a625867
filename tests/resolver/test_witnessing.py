"""A witness over HTTP: what it cosigns, what it refuses, and that it never forgets."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ans.tiled import SEARCH, Log, key_of, story
from delegant.ans.log.checkpoint import cosigned, parse_checkpoint, sign_checkpoint
from delegant.ans.log.fetching import folder_fetch
from delegant.ans.log.merkle import consistency
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.ans.log.reading import LogReader
from delegant.ans.log.witness import MAX_REQUEST, Request, Witness, collect
from delegant.resolver.witnessing import Book, PlainDeadline, witness_app
from refusal import refusal
from resolver.door import parse_reply
from resolver.running import listening

SIGNER = NoteSigner("witness.example/w1", key_of("witness"), COSIGNATURE)
LOGS = {Log().signer.key.name: [Log().signer.key]}
NOW = 1_790_000_500


class Hasty(PlainDeadline):
    """In a hurry."""

    deadline = 1.0


@dataclass
class Standing:
    """A witness that runs, and the log that asks it."""

    port: int
    state: Path
    folder: Path

    def post(self, body: str | bytes, path: str = "/add-checkpoint") -> httpx.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.post(url, content=body, timeout=10, trust_env=False)

    def ask(self, log: Log, old: int, **more: str) -> httpx.Response:
        return self.post(self.request(log, old, **more))

    def request(self, log: Log, old: int, note: str | None = None) -> str:
        text = sign_checkpoint(log.checkpoint, log.signer) if note is None else note
        reader = LogReader(folder_fetch(log.write(self.folder)), log.signer.key)
        proof = consistency(old, len(log.entries), reader.tile) if old <= len(log.entries) else []
        return Request(old, tuple(proof), text).encode()

    @property
    def seen(self) -> int | None:
        """The size it remembers."""
        if not self.state.exists():
            return None
        (one,) = json.loads(self.state.read_bytes())["logs"].values()
        return int(one["size"])


@contextlib.contextmanager
def standing(folder: Path, protocol: type[PlainDeadline] = PlainDeadline) -> Iterator[Standing]:
    state = folder / "seen.json"
    app = witness_app(Witness(SIGNER, LOGS), Book(state), lambda: NOW)
    with listening(app, protocol) as port:
        yield Standing(port, state, folder / "log")


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Standing]:
    with standing(tmp_path) as found:
        yield found


def test_it_cosigns_what_continues_what_it_saw(witness: Standing) -> None:
    log = story()
    first = witness.ask(log, 0)
    assert (first.status_code, witness.seen) == (200, 12)
    assert first.headers["content-type"] == "text/plain; charset=utf-8"
    whole = collect(sign_checkpoint(log.checkpoint, log.signer), first.text, [SIGNER.key])
    (line,) = [one for one in parse_checkpoint(whole)[1].signatures if one.by(SIGNER.key)]
    assert line.time == NOW
    assert cosigned(parse_checkpoint(whole)[1], [SIGNER.key])
    log.event("register", "mcp://One.More.DataCorp.v1")
    assert witness.ask(log, 12).status_code == 200
    assert witness.ask(log, 13).status_code == 200  # the same again
    assert witness.seen == 13


def test_another_size_is_answered_with_the_one_it_has(witness: Standing) -> None:
    log = story()
    early = witness.ask(log, 5)
    assert (early.status_code, early.text, witness.seen) == (409, "0\n", None)
    assert early.headers["content-type"] == "text/x.tlog.size"
    witness.ask(log, 0)
    log.event("register", "mcp://One.More.DataCorp.v1")
    late = witness.ask(log, 0)
    assert (late.status_code, late.text, witness.seen) == (409, "12\n", 12)
    assert witness.ask(log, 12).status_code == 200


def test_a_fork_is_not_cosigned(witness: Standing) -> None:
    witness.ask(story(), 0)
    fork = story()
    fork.entries[3] = fork.entries[4]
    assert witness.ask(fork, 12).status_code == 409  # a second root for one size
    fork.event("register", "mcp://One.More.DataCorp.v1")
    assert witness.ask(fork, 12).status_code == 422
    assert witness.seen == 12
    good = story().event("register", "mcp://One.More.DataCorp.v1")
    assert witness.ask(good, 12).status_code == 200


def test_a_log_it_does_not_know_or_a_key_that_is_not_the_logs(witness: Standing) -> None:
    log = story()
    stranger = NoteSigner("other.example/ans", key_of("log"))
    other = sign_checkpoint(log.checkpoint, log.signer).replace("acme.example/ans\n", "b\n", 1)
    assert witness.ask(log, 0, note=other).status_code == 404
    thief = NoteSigner(log.signer.key.name, key_of("thief"))
    assert witness.ask(log, 0, note=sign_checkpoint(log.checkpoint, thief)).status_code == 403
    assert stranger.key.name not in LOGS
    assert witness.seen is None
    assert witness.ask(log, 0).status_code == 200


BAD = {
    "nothing": b"",
    "no checkpoint": b"old 0\n\n",
    "no size": b"old x\n\nabc",
    "a zero before": b"old 00\n\nabc",
    "not UTF-8": b"old 0\n\n\xff",
    "JSON": b'{"old": 0}',
    "a null": b"old 0\n\n\x00",
    "old is more": None,
    "too many hashes": b"old 1\n" + b"A" * 43 + b"=\n" * 64 + b"\nabc",
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_request_is_400_in_plain_text(witness: Standing, what: str) -> None:
    body = BAD[what]
    reply = witness.ask(story(), 13) if body is None else witness.post(body)
    assert reply.status_code == 400
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.text.endswith("\n")
    assert "Traceback" not in reply.text
    assert witness.seen is None


def test_a_body_too_large_is_413(witness: Standing) -> None:
    assert witness.post(b"x" * (MAX_REQUEST + 1)).status_code == 413
    assert witness.post(b"x" * MAX_REQUEST).status_code == 400


def test_other_addresses_and_methods(witness: Standing) -> None:
    url = f"http://127.0.0.1:{witness.port}"
    with httpx.Client(base_url=url, trust_env=False) as http:  # over one connection
        assert http.get("/").text == f"{SIGNER.key.vkey}\n"
        assert http.get("/add-checkpoint").status_code == 405
        assert http.post("/").status_code == 405
        for path in ("/x", "/add-checkpoint/", "/%2e%2e/add-checkpoint", "/add-checkpoint%00"):
            assert http.post(path).status_code == 404


def test_what_is_no_http_is_told_in_plain_text(witness: Standing) -> None:
    with socket.create_connection(("127.0.0.1", witness.port), timeout=5) as line:
        line.sendall(b"nonsense\r\n\r\n")
        reply = parse_reply(line.recv(4096))
    assert (reply.status, reply.headers["content-type"]) == (400, "text/plain; charset=utf-8")


def test_who_drips_is_closed(tmp_path: Path) -> None:
    with standing(tmp_path, Hasty) as witness:
        with socket.create_connection(("127.0.0.1", witness.port), timeout=5) as line:
            line.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
            assert line.recv(10) == b""
        assert witness.ask(story(), 0).status_code == 200


# --- memory ----------------------------------------------------------------------------------


def test_it_remembers_when_it_is_started_again(tmp_path: Path) -> None:
    with standing(tmp_path) as witness:
        assert witness.ask(story(), 0).status_code == 200
    fork = story().event("register", "mcp://One.More.DataCorp.v1")
    fork.entries[3] = fork.entries[4]
    with standing(tmp_path) as witness:
        assert witness.ask(fork, 0).status_code == 409
        assert witness.ask(fork, 12).status_code == 422


DAMAGE = {
    "empty": b"",
    "cut": b'{"logs": {"acme.example/ans": {"size": 12',
    "another version": b'{"version": 2, "logs": {}}',
    "no logs": b'{"version": 1}',
    "a list": b'{"version": 1, "logs": []}',
    "no root": b'{"version": 1, "logs": {"a": {"size": 1}}}',
    "a short root": b'{"version": 1, "logs": {"a": {"size": 1, "root": "AAAA"}}}',
    "no base64": b'{"version": 1, "logs": {"a": {"size": 1, "root": "*"}}}',
    "a negative size": b'{"version": 1, "logs": {"a": {"size": -1, "root": "AAAA"}}}',
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_memory_is_never_begun_anew(tmp_path: Path, what: str) -> None:
    with standing(tmp_path) as witness:
        assert witness.ask(story(), 0).status_code == 200
        witness.state.write_bytes(DAMAGE[what])
        more = story().event("register", "mcp://One.More.DataCorp.v1")
        reply = witness.ask(more, 12)
        assert reply.status_code == 503
        assert "—" not in reply.text  # no signature line
    assert refusal(lambda: Book(tmp_path / "seen.json")) != ""


def test_of_two_at_once_that_fork_one_is_cosigned(tmp_path: Path) -> None:
    with standing(tmp_path) as witness:
        witness.ask(story(), 0)
        bodies = []
        for number in range(8):
            log = story().event("register", f"mcp://F{number}.More.DataCorp.v1")
            bodies.append(witness.request(log, 12))
        start = threading.Barrier(len(bodies))
        statuses: list[int] = []

        def send(body: str) -> None:
            start.wait()
            statuses.append(witness.post(body).status_code)

        threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] + [409] * 7
        assert witness.seen == 13


def test_nothing_is_cosigned_that_cannot_be_kept(tmp_path: Path) -> None:
    home = tmp_path / "w"
    home.mkdir()
    with standing(home) as witness:
        witness.ask(story(), 0)
        more = story().event("register", SEARCH.replace("DataCorp.v1", "DataCorp.v2"))
        body = witness.request(more, 12)
        witness.state.unlink()
        witness.state.mkdir()  # nothing can take its place
        assert witness.post(body).status_code == 503

"""What is kept of what was fetched, the bounds of one verification, and did:webvh."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials.did import Did
from delegant.resolver import dids as module
from delegant.resolver.dids import (
    CACHED,
    KEEP,
    KEEP_FAILURE,
    KEEP_MOST,
    Cached,
    Dids,
    network_resolve,
)
from delegant.resolver.fetch import Fetcher
from delegant.w3c import webvh
from delegant.w3c.dids import from_key, key_for
from delegant.w3c.didurl import Options
from delegant.w3c.didweb import Listed, document
from delegant.w3c.keys import new_signer
from refusal import refusal
from resolver.tls import HOST, Site, page, says, site

WEB = Did(f"did:web:{HOST}")
KEY = new_signer().public
URL = f"https://{HOST}/.well-known/did.json"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Site]:
    body = json.dumps(document(WEB, [Listed(KEY)])).encode()
    with site(tmp_path, says(page(body))) as running:
        yield running


class Clock:
    """Seconds that pass when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("", KEEP),
        ("Cache-Control: max-age=7\r\n", 7),
        ("Cache-Control: max-age=999999\r\n", KEEP_MOST),
    ],
)
def test_a_reply_is_kept_as_long_as_it_may_be(door: Site, head: str, seconds: int) -> None:
    clock = Clock()
    door.answer = says(page(b"{}", head=head))
    kept = Cached(door.fetcher(), clock)
    first = kept.get(URL)
    clock.now += seconds - 1
    assert kept.get(URL) is first
    assert len(door.requests) == 1
    clock.now += 1
    assert kept.get(URL).body == first.body
    assert len(door.requests) == 2


@pytest.mark.parametrize("told", ["no-store", "no-cache", "max-age=0"])
def test_a_reply_that_may_not_be_kept_is_not(door: Site, told: str) -> None:
    door.answer = says(page(b"{}", head=f"Cache-Control: {told}\r\n"))
    kept = Cached(door.fetcher(), Clock())
    kept.get(URL)
    kept.get(URL)
    assert len(door.requests) == 2


def test_a_failure_is_kept_for_a_moment(door: Site) -> None:
    clock = Clock()
    good, door.answer = door.answer, says(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    kept = Cached(door.fetcher(), clock)
    for _ in range(3):
        assert refusal(lambda: kept.get(URL)) == "fetch-failed"
    assert len(door.requests) == 1
    door.answer = good
    clock.now += KEEP_FAILURE
    assert kept.get(URL).body


def test_what_is_refused_is_not_remembered(door: Site) -> None:
    door.addresses = [["127.0.0.1"], ["8.8.8.8"]]
    kept = Cached(door.fetcher(), Clock())
    assert refusal(lambda: kept.get(URL)) == "fetch-refused"
    assert kept.get(URL).body


def test_each_use_has_a_memory_of_its_own(door: Site) -> None:
    kept = Cached(door.fetcher(), Clock())
    assert kept.get(URL).media == "application/did+json"
    assert refusal(lambda: kept.get(URL, media=("text/plain",))) == "fetch-failed"
    assert refusal(lambda: kept.get(URL, size=4)) == "fetch-failed"


def test_the_memory_is_bounded_in_number_and_in_bytes(
    door: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CACHED", 3)
    kept = Cached(door.fetcher(), Clock())
    for n in range(4):
        kept.get(f"https://{HOST}/{n}")
    kept.get(f"https://{HOST}/3")
    assert len(door.requests) == 4
    kept.get(f"https://{HOST}/0")
    assert len(door.requests) == 5
    monkeypatch.setattr(module, "CACHED_BYTES", 100)
    kept.get(f"https://{HOST}/5")
    kept.get(f"https://{HOST}/5")
    assert len(door.requests) == 7  # one is larger than all that may be kept
    assert CACHED == 256


# --- one verification ----------------------------------------------------------------------------


def test_without_allowed_hosts_only_what_follows_from_itself_resolves() -> None:
    resolve = network_resolve(Dids(Fetcher()))
    name = from_key(KEY)
    assert resolve(name)["id"] == name
    assert refusal(lambda: resolve(WEB)) == "did-method"
    assert refusal(lambda: resolve("did:example:1")) == "did-method"
    assert refusal(lambda: resolve("nonsense")) == "did-invalid"


def test_a_key_of_a_fetched_document_verifies(door: Site) -> None:
    resolve = network_resolve(Dids(door.fetcher()))
    url = f"{WEB}#{KEY.multikey}"
    assert key_for(url, "assertionMethod", resolve, at=0) == (KEY, WEB)
    assert refusal(lambda: key_for(url, "keyAgreement", resolve, at=0)) == "key-purpose"


def test_one_verification_asks_for_each_did_once_and_for_few(door: Site) -> None:
    door.answer = says(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
    resolve = network_resolve(Dids(door.fetcher()), most=2)
    for _ in range(4):
        assert resolve(from_key(new_signer().public))  # cost nothing, and count for nothing
    for _ in range(2):
        assert refusal(lambda: resolve(f"{WEB}:a")) == "did-not-found"
        assert refusal(lambda: resolve(f"{WEB}:b")) == "did-not-found"
        assert refusal(lambda: resolve(f"{WEB}:c")) == "fetch-failed"
    assert len(door.requests) == 2
    assert resolve(from_key(KEY))["id"] == from_key(KEY)


def test_one_verification_begins_nothing_when_its_time_is_up(door: Site) -> None:
    resolve = network_resolve(Dids(door.fetcher()), seconds=0)
    time.sleep(0.01)
    assert refusal(lambda: resolve(WEB)) == "fetch-failed"
    assert door.asked == []


def test_other_json_is_fetched_the_same_guarded_way(door: Site) -> None:
    dids = Dids(door.fetcher())
    door.answer = says(page(b'{"a": 1}', "application/vc"))
    assert dids.fetch(f"https://{HOST}/status/1") == b'{"a": 1}'
    assert refusal(lambda: dids.fetch("https://other.example/")) == "fetch-refused"
    assert refusal(lambda: dids.fetch("https://127.0.0.1/")) == "fetch-refused"


# --- did:webvh -----------------------------------------------------------------------------------


OWNER = new_signer()
DRAFT = {"@context": ["https://www.w3.org/ns/did/v1"], "id": "{DID}"}


def history(*, host: str = HOST, path: tuple[str, ...] = (), **more: Any) -> tuple[Did, bytes]:
    """A DID and its log of one entry."""
    return webvh.create(host, path, OWNER, DRAFT, at=int(time.time()) - 100, **more)


@pytest.mark.parametrize(
    ("path", "place"), [((), "/.well-known/did.jsonl"), (("a", "b"), "/a/b/did.jsonl")]
)
def test_a_did_webvh_is_worked_out_from_its_published_log(
    door: Site, path: tuple[str, ...], place: str
) -> None:
    name, log = history(path=path)
    door.answer = says(page(log, "text/jsonl"))
    found = Dids(door.fetcher()).resolve(name)
    assert found.document is not None
    assert found.document["id"] == name
    assert str(found.document_metadata["versionId"]).startswith("1-")
    assert [line.partition("\r\n")[0] for line in door.requests] == [f"GET {place} HTTP/1.1"]


def test_versions_of_a_did_webvh_may_be_asked_for(door: Site) -> None:
    name, log = history()
    later = log + webvh.update(log, OWNER, at=int(time.time()) - 50, document=DRAFT | {"id": name})
    door.answer = says(page(later, "text/jsonl"))
    dids = Dids(door.fetcher())
    for options, number in (
        (Options(), "2-"),
        (Options(version_number=1), "1-"),
        (Options(version_time=int(time.time()) - 75), "1-"),
    ):
        assert str(dids.resolve(name, options).document_metadata["versionId"]).startswith(number)
    assert refusal(lambda: dids.resolve(name, Options(version_number=3))) == "did-not-found"
    assert len(door.requests) == 1


def test_a_deactivated_did_webvh_has_no_document(door: Site) -> None:
    name, log = history()
    ended = log + webvh.deactivate(log, OWNER, at=int(time.time()) - 50)
    door.answer = says(page(ended, "text/jsonl"))
    dids = Dids(door.fetcher())
    found = dids.resolve(name)
    assert found.document is None
    assert found.deactivated
    assert refusal(lambda: dids.document(name)) == "did-deactivated"


def test_a_log_that_does_not_hold_is_no_answer(door: Site) -> None:
    name, log = history()
    other, _ = history(path=("other",))
    for asked, body in (
        (name, log.replace(b"proofValue", b"proofvalue")),
        (name, b""),
        (name, b"{}\n"),
        (Did(str(other).replace(":other", "")), log),
    ):
        door.answer = says(page(body, "text/jsonl"))
        code = refusal(lambda asked=asked: Dids(door.fetcher()).resolve(asked))
        assert code == "did-document"


def test_a_log_that_names_witnesses_needs_their_file(door: Site) -> None:
    watcher = new_signer()
    name, log = history(witness=webvh.witnesses([watcher.public], 1))
    version = json.loads(log)["versionId"]
    witness = json.dumps([webvh.witness_proof(version, watcher, at=int(time.time()))])

    def answer(line: ssl.SSLSocket, request: str) -> None:
        if "did-witness.json" in request:
            line.sendall(told)
        else:
            line.sendall(page(log, "text/jsonl"))

    door.answer = answer
    told = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
    assert refusal(lambda: Dids(door.fetcher()).resolve(name)) == "did-document"
    told = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    assert refusal(lambda: Dids(door.fetcher()).resolve(name)) == "fetch-failed"
    told = page(witness.encode(), "application/json")
    assert Dids(door.fetcher()).resolve(name).document is not None


def test_a_did_webvh_is_fetched_only_where_that_is_allowed(door: Site) -> None:
    name, _ = history(host="elsewhere.example")
    assert refusal(lambda: Dids(Fetcher()).resolve(name)) == "did-method"
    assert refusal(lambda: Dids(door.fetcher()).resolve(name)) == "fetch-refused"
    ported, _ = history(port=8443)
    assert refusal(lambda: Dids(door.fetcher()).resolve(ported)) == "fetch-refused"

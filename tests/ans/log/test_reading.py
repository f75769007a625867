"""The reader: an honest log reads whole, and whatever its server alters is noticed."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ans.log import naive
from ans.log.naive import LOG, WITNESS, Log
from delegant.ans.log import reading
from delegant.ans.log import tiles as layout
from delegant.ans.log.checkpoint import Checkpoint, add_signatures, cosign, sign_checkpoint
from delegant.ans.log.fetching import Fetch, folder_fetch, http_fetch, most
from delegant.ans.log.merkle import check_consistency, check_inclusion, leaf_hash
from delegant.ans.log.note import NoteSigner
from delegant.ans.log.reading import LogReader
from delegant.credentials import PrivateKey
from delegant.credentials.errors import error
from refusal import refusal


def reader(log: Log, known: Checkpoint | None = None) -> LogReader:
    return LogReader(log.fetch, LOG.key, known=known)


@pytest.fixture(scope="module")
def large() -> Log:
    return Log(70_000)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 700, 65_536, 65_537])
def test_an_honest_log_is_read_whole(size: int) -> None:
    log = Log(size)
    found = reader(log)
    assert found.note == ""
    assert found.checkpoint() == found.head == log.head()
    assert found.note == log.files["checkpoint"].decode()
    assert list(found.entries()) == log.entries


def test_its_proofs_hold(large: Log) -> None:
    found = reader(large)
    top = found.head
    for index in (0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999):
        leaf = leaf_hash(large.entries[index])
        check_inclusion(leaf, index, top.size, found.inclusion(index), top.root)
        size = min(index + 3, top.size)
        check_inclusion(leaf, index, size, found.inclusion(index, size), found.root(size))
        proof = found.consistency(index + 1)
        check_consistency(index + 1, top.size, proof, found.root(index + 1), top.root)
        proof = found.consistency(index, size)
        check_consistency(index, size, proof, found.root(index), found.root(size))


@pytest.mark.parametrize(
    ("start", "end"), [(0, 0), (0, 1), (255, 257), (5, 6), (256, 512), (699, 700), (700, 700)]
)
def test_a_part_of_the_entries_is_that_part(start: int, end: int) -> None:
    log = Log(700)
    assert list(reader(log).entries(start, end)) == log.entries[start:end]


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (6, 5), (0, 701), (701, None)])
def test_entries_that_the_log_has_not_are_refused_at_once(start: int, end: int | None) -> None:
    assert refusal(lambda: reader(Log(700)).entries(start, end)) == "log-proof"


def test_what_is_not_in_the_tree_is_refused() -> None:
    found = reader(Log(300))
    for bad in (
        lambda: found.tile(0, 1, 45),
        lambda: found.tile(0, 2, 1),
        lambda: found.tile(0, -1, 1),
        lambda: found.tile(-1, 0, 1),
        lambda: found.tile(0, 0, 0),
        lambda: found.inclusion(300),
        lambda: found.inclusion(0, 301),
        lambda: found.consistency(0, 301),
        lambda: found.consistency(-1),
        lambda: found.root(301),
    ):
        assert refusal(bad) == "log-proof"
    assert len(found.tile(0, 1, 44)) == 44 * 32


def altered(log: Log, name: str, data: bytes) -> Fetch:
    def fetch(asked: str) -> bytes:
        return data if asked == name else log.fetch(asked)

    return fetch


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_flipped_bit_in_any_tile_or_bundle_is_noticed(data: st.DataObject) -> None:
    log = SMALL
    name = data.draw(st.sampled_from(sorted(set(log.files) - {"checkpoint"})))
    good = log.files[name]
    position = data.draw(st.integers(0, len(good) - 1))
    bad = good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :]
    found = LogReader(altered(log, name, bad), LOG.key)
    assert refusal(lambda: list(found.entries())) in {"log-proof", "encoding"}
    assert len(list(reader(log).entries())) == log.size


SMALL = Log(600)
STRANGER = NoteSigner("log.example/tree", PrivateKey(bytes(32)))


@pytest.mark.parametrize("name", sorted(set(SMALL.files) - {"checkpoint"}))
@pytest.mark.parametrize("way", ["shorter", "longer", "empty", "zeros"])
def test_a_tile_or_bundle_of_another_length_is_noticed(name: str, way: str) -> None:
    good = SMALL.files[name]
    bad = {"shorter": good[:-32], "longer": good + good[:32], "empty": b"", "zeros": bytes(64)}[way]
    found = LogReader(altered(SMALL, name, bad), LOG.key)
    assert refusal(lambda: list(found.entries())) in {"log-proof", "encoding", "limit-size"}


def test_a_tile_is_not_believed_before_it_is_verified(large: Log) -> None:
    """No altered hash gets into a proof: it is refused, not handed out."""
    name = layout.path(0, 3)
    bad = bytes(32) + large.files[name][32:]
    found = LogReader(altered(large, name, bad), LOG.key)
    assert refusal(lambda: found.inclusion(3 * 256)) == "log-proof"
    assert found.inclusion(5)


def test_an_altered_checkpoint_is_refused() -> None:
    other = sign_checkpoint(SMALL.head(), STRANGER)
    for text in (
        other,
        SMALL.files["checkpoint"].decode().replace("600", "599"),
        sign_checkpoint(Checkpoint("log.example/2", 0, naive.sha(b"")), LOG),
    ):
        found = LogReader(altered(SMALL, "checkpoint", text.encode()), LOG.key)
        assert refusal(found.checkpoint) == "log-note"


def test_a_root_that_the_tiles_do_not_lead_to_is_refused() -> None:
    lie = sign_checkpoint(Checkpoint(LOG.key.name, 600, bytes(32)), LOG).encode()
    found = LogReader(altered(SMALL, "checkpoint", lie), LOG.key)
    assert found.checkpoint().root == bytes(32)  # it is what the log signed
    assert refusal(lambda: found.inclusion(0)) == "log-proof"
    assert refusal(lambda: list(found.entries())) == "log-proof"


def test_enough_witnesses_are_asked_for() -> None:
    head = SMALL.head()
    text = add_signatures(sign_checkpoint(head, LOG), [cosign(head, WITNESS, 7)]).encode()
    fetch = altered(SMALL, "checkpoint", text)
    assert LogReader(fetch, LOG.key, witnesses=[WITNESS.key], quorum=1).checkpoint() == head
    lacking = LogReader(SMALL.fetch, LOG.key, witnesses=[WITNESS.key], quorum=1)
    assert refusal(lacking.checkpoint) == "log-witness"


def test_a_log_that_grows_is_followed_and_full_tiles_are_not_fetched_twice() -> None:
    log = Log(600)
    found = reader(log)
    list(found.entries())
    for size in (600, 601, 767, 768, 769, 1500):
        log.add([naive.entry(at) for at in range(log.size, size)])
        log.publish()
        assert found.checkpoint() == log.head()
        assert list(found.entries(0, size)) == log.entries
    asked = [name for name in log.asked if name == layout.path(0, 0)]
    assert len(asked) <= 2  # once read, and once more on the way to believe a new checkpoint


@pytest.mark.parametrize("before", [True, False])
def test_a_log_that_got_smaller_is_a_rollback(before: bool) -> None:
    log, shorter = Log(600), Log(599)
    found = reader(log) if before else reader(shorter, known=log.head())
    if before:
        found.checkpoint()
        log.files = shorter.files
    assert refusal(found.checkpoint) == "log-rollback"


@pytest.mark.parametrize("size", [600, 601, 1024, 2000])
@pytest.mark.parametrize("changed", [0, 300, 599])
@pytest.mark.parametrize("before", [True, False])
def test_a_log_that_rewrote_an_entry_is_a_split(size: int, changed: int, before: bool) -> None:
    log, forked = Log(600), Log()
    forked.add([b"other" if at == changed else naive.entry(at) for at in range(size)])
    forked.publish()
    found = reader(log) if before else reader(forked, known=log.head())
    if before:
        list(found.entries())
        log.files = forked.files
    assert refusal(found.checkpoint) == "log-split"
    assert refusal(found.checkpoint) == "log-split"  # and it stays so
    if before:
        assert found.head.root == found.root(600) == naive.mth(log.entries)


def test_a_checkpoint_known_of_another_log_is_a_split() -> None:
    known = Checkpoint("log.example/old", 3, bytes(32))
    assert refusal(reader(SMALL, known=known).checkpoint) == "log-split"


def test_a_partial_tile_that_is_gone_is_read_from_the_full_one_and_cut() -> None:
    log = Log(600)
    found = reader(log)
    assert found.checkpoint().size == 600
    log.add([naive.entry(at) for at in range(600, 1000)])
    log.publish()
    gone = [layout.path(0, 2, 88), layout.bundle_path(2, 88)]
    for name in gone:
        del log.files[name]
    assert list(found.entries()) == log.entries[:600]
    assert found.root(600) == found.head.root
    assert set(gone) < set(log.asked)


def test_a_full_tile_or_bundle_that_is_gone_is_said_to_be_gone() -> None:
    for name in (layout.path(0, 1), layout.bundle_path(1), layout.path(0, 2, 88)):
        log = Log(600)
        del log.files[name]
        assert refusal(lambda: list(reader(log).entries())) == "not-found"  # noqa: B023


def test_only_partial_tiles_of_the_checkpoint_are_asked_for(large: Log) -> None:
    large.asked.clear()
    list(reader(large).entries(69_000))
    partial = {name for name in large.asked if ".p/" in name}
    assert partial == {
        "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112",
    }  # fmt: skip


def test_one_proof_of_a_large_log_fetches_few_tiles(large: Log) -> None:
    large.asked.clear()
    reader(large).inclusion(12_345)
    assert len(large.asked) <= 1 + 3 + 2  # the checkpoint, the edge, and down to the leaf


def test_entries_are_fetched_as_they_are_asked_for(large: Log) -> None:
    large.asked.clear()
    first = list(itertools.islice(reader(large).entries(), 3))
    assert first == large.entries[:3]
    assert [name for name in large.asked if "entries" in name] == ["tile/entries/000"]


def test_few_verified_tiles_are_kept_and_the_rest_is_fetched_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "CACHE", 2)
    log = Log(5 * 256)
    found = reader(log)
    for _ in range(2):
        assert list(found.entries()) == log.entries
    assert log.asked.count(layout.path(0, 0)) == 2
    assert log.asked.count(layout.path(1, 0, 5)) == 1  # the edge stays


def test_what_is_larger_than_its_kind_may_be_is_refused() -> None:
    for name, limit in (("checkpoint", 1 << 16), (layout.path(0, 0), 8192)):
        found = LogReader(altered(SMALL, name, bytes(limit + 1)), LOG.key)
        assert refusal(lambda: list(found.entries())) == "limit-size"  # noqa: B023
    assert most(layout.bundle_path(0)) == 256 * 65_537
    assert refusal(lambda: most("tile/data/000")) == "encoding"


def test_entries_of_the_largest_size_are_read() -> None:
    log = Log()
    log.add([bytes([at % 256]) * 65_535 for at in range(257)])
    log.publish()
    assert list(reader(log).entries()) == log.entries


# --- from a folder -------------------------------------------------------------------------


def test_a_folder_that_lies_as_the_urls_do_is_read(tmp_path: Path) -> None:
    SMALL.write(tmp_path)
    found = LogReader(folder_fetch(tmp_path), LOG.key)
    assert list(found.entries()) == SMALL.entries
    assert refusal(lambda: folder_fetch(tmp_path)(layout.path(5, 5))) == "not-found"


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "tile/0/../../secret", "tile", "secret", "", ".", "tile/0"]
)
def test_nothing_but_the_paths_of_a_log_is_read_from_a_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "log" / "tile" / "0").mkdir(parents=True)
    (tmp_path / "log" / "checkpoint").write_text("x")
    fetch = folder_fetch(tmp_path / "log")
    assert refusal(lambda: fetch(name)) == "encoding"
    assert fetch("checkpoint") == b"x"


def test_a_link_out_of_the_folder_is_not_followed_and_one_within_is(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    SMALL.write(folder)
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "checkpoint").rename(folder / "head")
    os.symlink("head", folder / "checkpoint")
    assert folder_fetch(folder)("checkpoint") == SMALL.files["checkpoint"]
    (folder / "checkpoint").unlink()
    os.symlink(tmp_path / "secret", folder / "checkpoint")
    assert refusal(lambda: folder_fetch(folder)("checkpoint")) == "not-found"
    os.symlink(tmp_path, folder / "tile" / "1" / "001")
    assert refusal(lambda: folder_fetch(folder)("tile/1/001")) == "not-found"
    os.symlink(tmp_path / "log", tmp_path / "link")  # the folder itself may be one
    assert folder_fetch(tmp_path / "link")(layout.path(0, 0)) == SMALL.files[layout.path(0, 0)]


def test_a_large_file_a_folder_for_a_file_and_a_loop_are_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(bytes((1 << 16) + 1))
    assert refusal(lambda: folder_fetch(tmp_path)("checkpoint")) == "limit-size"
    (tmp_path / "tile" / "0" / "000").mkdir(parents=True)
    assert refusal(lambda: folder_fetch(tmp_path)("tile/0/000")) == "not-found"
    os.symlink("001", tmp_path / "tile" / "0" / "001")
    assert refusal(lambda: folder_fetch(tmp_path)("tile/0/001")) == "unavailable"


# --- over HTTP, on loopback ----------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """Serves `SMALL`, and misbehaves below some prefixes."""

    def do_GET(self) -> None:
        _, way, name = self.path.split("/", 2)
        data = SMALL.files.get(name)
        if way == "moved":
            self.send_response(302)
            self.send_header("Location", f"/log/{name}")
            self.end_headers()
        elif way == "error":
            self.send_error(500)
        elif way == "slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(30):
                self.wfile.write(b"x")
                time.sleep(0.05)
        elif data is None:
            self.send_error(404)
        else:
            self.send_response(200)
            if way == "packed":
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(data if way != "huge" else bytes(1 << 20))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_log_is_read_over_http_below_its_prefix(address: str, slash: str) -> None:
    with http_fetch(f"{address}/log{slash}") as fetch:
        found = LogReader(fetch, LOG.key)
        assert list(found.entries(200, 300)) == SMALL.entries[200:300]
        assert refusal(lambda: fetch(layout.path(3, 0))) == "not-found"


@pytest.mark.parametrize(
    ("way", "code"),
    [("moved", "unavailable"), ("error", "unavailable"), ("packed", "unavailable"),
     ("slow", "unavailable"), ("huge", "limit-size"), ("log", "")],
)  # fmt: skip
def test_a_server_that_misbehaves_is_given_up(
    address: str, way: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # not asked
    with http_fetch(f"{address}/{way}", timeout=0.3) as fetch:
        assert refusal(lambda: fetch("checkpoint")) == code


def test_nobody_there_and_an_address_that_is_none_are_unavailable() -> None:
    for url in ("http://127.0.0.1:9", "ftp://127.0.0.1", "nonsense", "http://[::1"):
        assert refusal(lambda: http_fetch(url)("checkpoint")) == "unavailable"  # noqa: B023


def test_a_path_that_no_log_has_is_not_asked_for(address: str) -> None:
    with http_fetch(f"{address}/log") as fetch:
        for name in (
            "../secret",
            "http://127.0.0.1:9/checkpoint",
            "checkpoint?x",
            "//x/checkpoint",
        ):
            assert refusal(lambda: fetch(name)) == "encoding"  # noqa: B023


def test_a_fetcher_that_fails_is_heard_as_it_failed() -> None:
    def fetch(name: str) -> bytes:
        raise error("unavailable", name)

    assert refusal(LogReader(fetch, LOG.key).checkpoint) == "unavailable"

"""Whose bit is which: one entry a credential, at random, durable, never taken back."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials.codec import JsonObject
from delegant.credentials.status import inflate
from delegant.w3c.status import MIN_BITS, document, is_set
from delegant.wallet import issued
from delegant.wallet.issued import Entry, Issued
from refusal import refusal

from .conftest import T0

WHO = "did:web:acme.example"
NAME = "urn:uuid:0bd8d6a4-3d4c-4c3a-9e0e-000000000001"


def plain(issuer: str, number: int, purpose: str, bits: bytes, at: int) -> JsonObject:
    """A list nobody signs: what is shown here is which bits it has."""
    return document(
        f"https://acme.example/{number}", issuer, bits, purposes=[purpose], valid_from=at
    )


@pytest.fixture
def store(tmp_path: Path) -> Issued:
    return Issued(tmp_path / "issued.db", plain)


def bits(store: Issued, number: int) -> bytes:
    return inflate(store.signed(number)["credentialSubject"]["encodedList"], MIN_BITS // 8)


def shows(store: Issued, entry: Entry) -> bool:
    return is_set(bits(store, entry.list), entry.index)


def test_a_credential_has_one_entry_a_purpose(store: Issued) -> None:
    one = store.take(WHO, NAME, "revocation", T0)
    assert store.take(WHO, NAME, "revocation", T0 + 5) == one
    other = store.take(WHO, NAME, "suspension", T0)
    assert other.list != one.list
    assert store.take(WHO, NAME + "2", "revocation", T0).index != one.index
    assert store.take("did:web:b.example", NAME, "revocation", T0).list not in (
        one.list,
        other.list,
    )


def test_a_credential_without_a_name_has_an_entry_of_its_own(store: Issued) -> None:
    one, two = (store.take(WHO, None, "revocation", T0) for _ in range(2))
    assert one != two
    store.change(None, "revocation", True, T0, place=(one.list, one.index))
    assert shows(store, one)
    assert not shows(store, two)


def test_revoking_is_for_good_and_may_be_said_twice(store: Issued) -> None:
    entry = store.take(WHO, NAME, "revocation", T0)
    assert not shows(store, entry)
    told = store.change(NAME, "revocation", True, T0 + 1)
    assert told == [Entry(entry.list, entry.index, "revocation", True)]
    assert store.change(NAME, "revocation", True, T0 + 2) == told
    assert shows(store, entry)
    assert refusal(lambda: store.change(NAME, "revocation", False, T0 + 3)) == "revoked"
    assert shows(store, entry)
    assert refusal(lambda: store.take(WHO, NAME, "revocation", T0 + 4)) == "revoked"


def test_suspending_can_be_taken_back(store: Issued) -> None:
    entry = store.take(WHO, NAME, "suspension", T0)
    for value in (True, True, False, False, True):
        store.change(NAME, "suspension", value, T0)
        assert shows(store, entry) is value
    assert store.take(WHO, NAME, "suspension", T0).set


@pytest.mark.parametrize(
    ("name", "purpose", "place"),
    [("urn:x:other", "revocation", None), (NAME, "suspension", None), (None, "revocation", None),
     ("", "revocation", None), (None, "revocation", (1, 10**9)), (None, "revocation", (9, 1))],
)  # fmt: skip
def test_what_was_never_issued_is_not_found(
    store: Issued, name: str | None, purpose: str, place: Any
) -> None:
    store.take(WHO, NAME, "revocation", T0)
    call = lambda: store.change(name, purpose, True, T0, place=place)  # noqa: E731
    assert refusal(call) == "not-found"


def test_a_place_counts_only_for_whose_it_is(store: Issued) -> None:
    one = store.take(WHO, NAME, "revocation", T0)
    place = (one.list, one.index)
    other = lambda: store.change("urn:x:other", "revocation", True, T0, place=place)  # noqa: E731
    assert refusal(other) == "not-found"
    assert not shows(store, one)
    store.change(NAME, "revocation", True, T0, place=place)
    assert shows(store, one)


def test_a_decoy_cannot_be_revoked(store: Issued, tmp_path: Path) -> None:
    store.take(WHO, NAME, "revocation", T0)
    with sqlite3.connect(tmp_path / "issued.db") as db:
        row = db.execute("SELECT list, place FROM entries WHERE credential IS NULL").fetchone()
    db.close()
    assert refusal(lambda: store.change(None, "revocation", True, T0, place=row)) == "not-found"


def test_a_new_list_shows_decoys_and_no_entry_sits_on_one(store: Issued) -> None:
    taken = [store.take(WHO, f"urn:x:{n}", "revocation", T0) for n in range(300)]
    shown = bits(store, 1)
    number = sum(byte.bit_count() for byte in shown)
    assert issued.DECOYS // 4 < number < issued.DECOYS
    assert not any(is_set(shown, one.index) for one in taken)
    assert len({one.index for one in taken}) == 300
    assert max(one.index for one in taken) - min(one.index for one in taken) > MIN_BITS // 2


def test_decoys_never_touch_an_entry(store: Issued) -> None:
    taken = [store.take(WHO, f"urn:x:{n}", "suspension", T0) for n in range(50)]
    for at in range(40):
        store.change("urn:x:0", "suspension", at % 2 == 0, T0 + at)
    shown = bits(store, 1)
    assert not any(is_set(shown, one.index) for one in taken)


def test_a_full_list_is_followed_by_another(store: Issued, tmp_path: Path) -> None:
    assert store.take(WHO, NAME, "revocation", T0).list == 1
    with sqlite3.connect(tmp_path / "issued.db") as db:
        rows = ((1, place, WHO, "revocation", None) for place in range(3 * MIN_BITS // 4))
        db.executemany("INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?)", rows)
    db.close()
    assert store.take(WHO, NAME + "2", "revocation", T0).list == 2
    assert store.take(WHO, NAME, "revocation", T0).list == 1
    assert store.begin(WHO, "revocation", T0) == 3
    assert store.take(WHO, NAME + "3", "revocation", T0).list == 3


def test_lists_are_signed_again_when_they_age(store: Issued) -> None:
    entry = store.take(WHO, NAME, "revocation", T0)
    store.change(NAME, "revocation", True, T0 + 10)
    assert store.sign_again(T0 + 9, T0 + 99) == []
    assert store.sign_again(T0 + 10, T0 + 99) == [1]
    assert store.signed(1)["validFrom"].endswith("Z")
    assert store.signed(1) == plain(WHO, 1, "revocation", bits(store, 1), T0 + 99)
    assert shows(store, entry)


def test_thirty_two_threads_take_thirty_two_places(store: Issued) -> None:
    out: list[Entry] = []

    def work(number: int) -> None:
        out.append(store.take(WHO, f"urn:x:{number}", "revocation", T0))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(32)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len({(one.list, one.index) for one in out}) == 32
    assert {one.list for one in out} == {1}


def test_one_name_asked_for_at_once_gets_one_place(store: Issued) -> None:
    out: set[Entry] = set()

    def work() -> None:
        out.add(store.take(WHO, NAME, "revocation", T0))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(out) == 1


def test_a_signer_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    failing = False

    def sign(issuer: str, number: int, purpose: str, raw: bytes, at: int) -> JsonObject:
        if failing:
            raise RuntimeError
        return plain(issuer, number, purpose, raw, at)

    store = Issued(tmp_path / "issued.db", sign)
    entry = store.take(WHO, NAME, "revocation", T0)
    before = store.signed(1)
    failing = True
    with pytest.raises(RuntimeError):
        store.change(NAME, "revocation", True, T0)
    with pytest.raises(RuntimeError):
        store.take(WHO, NAME, "suspension", T0)
    failing = False
    assert store.signed(1) == before
    assert not shows(store, entry)
    assert refusal(lambda: store.signed(2)) == "not-found"
    assert not store.take(WHO, NAME, "revocation", T0).set


SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from delegant.w3c.status import document
from delegant.wallet.issued import Issued

def plain(issuer, number, purpose, bits, at):
    return document(f"https://acme.example/{{number}}", issuer, bits,
                    purposes=[purpose], valid_from=at)

store = Issued(Path({file!r}), plain)
for number in range(10_000):
    name = f"urn:x:{{number}}"
    store.take("did:web:acme.example", name, "revocation", {at})
    store.change(name, "revocation", True, {at})
    print(name, flush=True)
"""


def test_an_acknowledged_revocation_survives_kill_9(tmp_path: Path) -> None:
    file = tmp_path / "issued.db"
    script = SCRIPT.format(paths=sys.path, file=str(file), at=T0)
    done: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while len(done) < 25:
            done.append(process.stdout.readline().strip())
        os.kill(process.pid, signal.SIGKILL)
        done += [line.strip() for line in process.stdout if line.endswith("\n")]
    store = Issued(file, plain)
    for name in done:
        assert refusal(partial(store.take, WHO, name, "revocation", T0)) == "revoked"
    assert json.dumps(store.signed(1))


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "issued.db").write_bytes(b"this is no database" * 100)
    assert refusal(lambda: Issued(tmp_path / "issued.db", plain)) == "unavailable"
    assert refusal(lambda: Issued(tmp_path / "nowhere" / "issued.db", plain)) == "unavailable"


def test_the_file_is_ours_alone(store: Issued, tmp_path: Path) -> None:
    assert (tmp_path / "issued.db").stat().st_mode & 0o077 == 0

"""A damaged, old, full or absent store: then there is no permit, and never a wrong answer."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Authorization, Error, Link, Presentation, Request
from delegant.credentials.codec import parse_object
from delegant.credentials.errors import Malformed, error
from delegant.governance.auditlog import AuditLog
from delegant.governance.exhibit import evidence_of, manifest_digests, opened
from delegant.governance.ledger import Ledger
from delegant.governance.permit import Permit
from delegant.governance.record import input_hash
from faults.reading import rounds
from governance.accounting import account
from governance.auditing import PASSPHRASE, Auditing, costing
from refusal import refusal

PAGE = 4096
WAL_HEADER, FRAME = 32, 24 + 4096
TOTAL = 1000
TOLD = frozenset({"unavailable", "log-rollback"})
Call = tuple[Authorization, Request, Presentation]


@dataclass
class Sound:
    """A log's folder as it was left, and what is true of it: 300 of 1,000 are left.

    Attributes:
        live: the folder while the log is open: the newest rows are in the WAL alone.
        closed: the folder after it was closed.
        bodies: its entries.
        used: a call that has its permit. small, large: calls that fit and do not.
        open: the permit whose act has no outcome yet.
        rated: a call that one act was allowed of, in ten minutes.
    """

    auditing: Auditing
    link: Link
    live: Path
    closed: Path
    bodies: list[Any]
    used: Call
    small: Call
    large: Call
    rated: Call
    open: Permit

    def asked(self, ledger: Ledger, call: Call) -> str:
        """``ok``, or the code that refuses."""
        auth, request, shown = call
        try:
            ledger.permit(
                auth, request, presentation=shown, evidence=self.auditing.world.evidence(),
                at=self.auditing.now,
            )  # fmt: skip
        except Error as exc:
            return exc.code
        return "ok"


def copy(source: Path, target: Path) -> Path:
    """A folder as it is now."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    folder = tmp_path_factory.mktemp("sound")
    auditing = Auditing(folder / "home")
    now, evidence = auditing.now, auditing.world.evidence()
    link = auditing.link(constraints={"budget": auditing.budget(TOTAL)})
    rate = {"ledger": auditing.world.db.did, "count": 1, "periodSeconds": 600}
    slow = auditing.link(constraints={"rate": rate}, id=auditing.world.id("slow"))
    auditing.permit([slow])
    used = auditing.asked([link], costing(500))
    first = auditing.ledger.permit(*used[:2], presentation=used[2], evidence=evidence, at=now)
    auditing.ledger.settle(first, amount=400, at=now)
    auditing.ledger.release(auditing.permit([link], costing(200)), at=now)
    waiting = auditing.permit([link], costing(300))
    small, large = auditing.asked([link], costing(300)), auditing.asked([link], costing(301))
    rated = auditing.asked([slow])
    bodies = [one.json for one in auditing.records()]
    live = copy(auditing.folder, folder / "live")
    assert (live / "audit.db-wal").stat().st_size > 0
    auditing.log.close()
    closed = copy(auditing.folder, folder / "closed")
    return Sound(auditing, link, live, closed, bodies, used, small, large, rated, waiting)


def judged(sound: Sound, home: Path) -> list[str]:
    """What a damaged log answers, a word each: ``right`` or ``none``; never anything else."""
    try:
        log = AuditLog.open(home, PASSPHRASE)
    except Error as exc:
        assert exc.code in TOLD, exc
        return ["none"]
    out = []
    try:
        for number, body in enumerate(sound.bodies):
            try:
                assert log.record(number).json == body
                out.append("right")
            except Error as exc:
                assert exc.code in TOLD, exc
                out.append("none")
        out += beside(sound, log)
        ledger = Ledger(log)
        for call, answer in (
            (sound.used, "replay"), (sound.large, "constraint"), (sound.rated, "constraint"),
            (sound.small, "ok"), (sound.small, "replay"),
        ):  # fmt: skip
            told = sound.asked(ledger, call)
            if told in TOLD:
                out.append("none")
                break  # what comes after stands on it
            assert told == answer, (told, answer)
            out.append("right")
        else:
            ledger.settle(sound.open, amount=0, at=sound.auditing.now)
            out.append("right")
            if "none" not in out:
                assert account(log, {sound.link.digest: TOTAL}, beside=False) == []
    except Error as exc:
        assert exc.code in TOLD, exc
        out.append("none")
    finally:
        log.close()
    return out


def beside(sound: Sound, log: AuditLog) -> Iterator[str]:
    """What lies beside the log fits the records, or is refused."""
    for body in sound.bodies:
        if body["type"] != "intent":
            continue
        for look in (opening, evidence):
            try:
                look(log, body)
                yield "right"
            except Error as exc:
                assert exc.code in {*TOLD, "log-proof", "not-found"}, exc
                yield "none"


def opening(log: AuditLog, body: dict[str, Any]) -> None:
    with log.store.transaction(reading=True) as db:
        found = log.store.opening(db, body["event"])
    if found is None:
        raise error("not-found", "no opening")
    try:
        value = parse_object(found, size=1 << 20)
    except Malformed as exc:
        raise error("log-proof", exc.code) from None
    if input_hash(value) != body["inputHash"]:
        raise error("log-proof", "another opening")


def evidence(log: AuditLog, body: dict[str, Any]) -> None:
    with log.store.transaction(reading=True) as db:
        name = body["evidence"]
        manifest = log.store.exhibit(db, name)
        opened(manifest, name)
        assert manifest is not None
        named = [one for group in manifest_digests(manifest).values() for one in group]
        found = log.store.exhibits(db, named)
    evidence_of(manifest, found)


def test_a_sound_log_answers_everything(sound: Sound, tmp_path: Path) -> None:
    for source in (sound.closed, sound.live):
        told = judged(sound, copy(source, tmp_path / "home"))
        assert set(told) == {"right"}
        assert len(told) == len(sound.bodies) + 8 + 6


def flipped(sound: Sound, folder: Path, times: int) -> None:
    """Flip one bit at a time, in every page; never is an answer another."""
    data = (sound.closed / "audit.db").read_bytes()
    dice, tried, told = random.Random(5), 0, list[str]()
    for page in range(len(data) // PAGE):
        body = data[page * PAGE : (page + 1) * PAGE]
        used = [at for at, byte in enumerate(body) if byte] or [0]
        for at in {dice.choice((0, 3, 5, 8, 9)), *(dice.choice(used) for _ in range(times))}:
            home = copy(sound.closed, folder / "home")
            bit = 1 << dice.randrange(8)
            with (home / "audit.db").open("r+b") as file:
                file.seek(page * PAGE + at)
                file.write(bytes([body[at] ^ bit]))
            try:
                told += judged(sound, home)
            except AssertionError as exc:
                raise AssertionError(f"page {page}, byte {at}, bit {bit}") from exc
            tried += 1
    print(f"{tried} flips: {told.count('right')} right answers, {told.count('none')} refused")
    assert told.count("none") > tried // 8
    assert told.count("right") > tried


def test_a_flipped_bit_in_any_page_is_never_a_wrong_answer(sound: Sound, tmp_path: Path) -> None:
    flipped(sound, tmp_path, 2)


@pytest.mark.faults
def test_many_flipped_bits_in_every_page_are_never_a_wrong_answer(
    sound: Sound, tmp_path: Path
) -> None:
    flipped(sound, tmp_path, rounds(60))


def test_a_truncated_wal_is_noticed_wherever_it_ends(sound: Sound, tmp_path: Path) -> None:
    size = (sound.live / "audit.db-wal").stat().st_size
    ends = [0, WAL_HEADER, *range(WAL_HEADER, size, FRAME)]
    for end in [*ends[:: max(1, len(ends) // 16)], ends[-1], size - 1]:
        home = copy(sound.live, tmp_path / "home")
        with (home / "audit.db-wal").open("r+b") as file:
            file.truncate(end)
        (home / "audit.db-shm").unlink()
        assert judged(sound, home) == ["none"], end


def test_a_truncated_database_is_noticed(sound: Sound, tmp_path: Path) -> None:
    size = (sound.closed / "audit.db").stat().st_size
    for end in (0, 100, PAGE, size // 2, size - PAGE, size - 1):
        home = copy(sound.closed, tmp_path / "home")
        with (home / "audit.db").open("r+b") as file:
            file.truncate(end)
        assert "none" in judged(sound, home), end


def test_an_old_backup_is_refused_before_a_start_and_under_a_running_log(
    local: Auditing, tmp_path: Path
) -> None:
    link = local.link(constraints={"budget": local.budget(TOTAL)})
    local.permit([link], costing(400))
    local.log.close()
    old = (local.folder / "audit.db").read_bytes()
    local.reopen()
    call = local.asked([link], costing(600))
    evidence = local.world.evidence()

    def again() -> Permit:
        auth, request, shown = call
        return local.ledger.permit(
            auth, request, presentation=shown, evidence=evidence, at=local.now
        )

    again()
    local.log.close()
    new = (local.folder / "audit.db").read_bytes()
    (local.folder / "audit.db").write_bytes(old)
    assert refusal(lambda: AuditLog.open(local.folder, PASSPHRASE)) == "log-rollback"
    (local.folder / "audit.db").write_bytes(new)
    local.reopen()
    (local.folder / "audit.db").rename(tmp_path / "new.db")
    (local.folder / "audit.db").write_bytes(old)  # another file, under whoever has it open
    for name in ("audit.db-wal", "audit.db-shm"):
        (local.folder / name).unlink(missing_ok=True)
    assert refusal(again) == "log-rollback"
    (tmp_path / "new.db").replace(local.folder / "audit.db")
    assert refusal(again) == "replay"


def test_without_its_checkpoint_file_it_does_not_open(local: Auditing) -> None:
    local.permit([local.link()])
    local.log.close()
    path = local.folder / "log" / "audit.checkpoint"
    kept = path.read_bytes()
    path.unlink()
    assert refusal(lambda: AuditLog.open(local.folder, PASSPHRASE)) == "log-rollback"
    path.write_bytes(kept)
    local.reopen()
    local.permit([local.link(id=local.world.id("more"))])

"""F5, F6, F7: a damaged file. The registry then cannot answer, and never answers wrongly."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ans.naming import NAME, Naming
from delegant.credentials import Error
from faults.reading import rounds

PAGE = 4096
FRAME = 24 + PAGE
WAL_HEADER = 32
NAMES = [NAME.replace("v1.0", f"v{number}") for number in range(1, 7)]
NEVER = NAME.replace("v1.0", "v99")
Told = tuple[int, str, str]
TOLD = ("unavailable", "log-rollback")


@dataclass
class Sound:
    """A registry's files as they were left, and what it answers about its names.

    Attributes:
        live: the files while it is open: the newest entries are in the WAL alone.
        closed: the files after it was closed.
    """

    naming: Naming
    live: Path
    closed: Path
    told: dict[str, Told]

    def opened(self, home: Path) -> Naming:
        """The same registry over a copy of its files."""
        self.naming.path = home / "registry.db"
        self.naming.registry = self.naming.open()
        return self.naming


def copy(source: Path, target: Path) -> Path:
    """Files as they are now."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target


def answer(naming: Naming, name: str) -> Told:
    """Status, agent and newest event; the proof of it verified."""
    status, said = naming.registry.resolve(name, naming.now)
    if status == 404:
        return status, "", ""
    found = said["resolvedAgents"][0] if status == 200 else said["last"]
    logged = naming.logged(found["receipt"])
    leaf = found["receipt"]["leaf"]
    assert logged.leaf.json == leaf
    return status, leaf["agent"], leaf["event"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    folder = tmp_path_factory.mktemp("sound")
    home = folder / "home"
    home.mkdir()
    naming = Naming(home / "registry.db")
    receipts = {name: naming.register(name=name) for name in NAMES}
    naming.send(naming.event("renew", name=NAMES[0], receipt=receipts[NAMES[0]]))
    naming.send(naming.event("revoke", name=NAMES[1], receipt=receipts[NAMES[1]]))
    told = {name: answer(naming, name) for name in [*NAMES, NEVER]}
    assert [status for status, _, _ in told.values()] == [200, 410, 200, 200, 200, 200, 404]
    live = copy(home, folder / "live")
    naming.registry.close()
    assert not (home / "registry.db-wal").exists()
    return Sound(naming, live, copy(home, folder / "closed"), told)


def judged(sound: Sound, home: Path) -> tuple[int, int]:
    """Open a damaged home and ask about every name: answers that are right, and none at all."""
    right = none = 0
    try:
        naming = sound.opened(home)
    except Error as exc:
        assert exc.code in (*TOLD, "log-note", "store-layout"), exc.code
        return 0, len(sound.told)
    for name, told in sound.told.items():
        try:
            assert answer(naming, name) == told
            right += 1
        except Error as exc:
            assert exc.code in TOLD, exc.code
            none += 1
    naming.registry.close()
    return right, none


def flipped(sound: Sound, folder: Path, times: int) -> None:
    """Flip one bit at a time, in every page; never is an answer another."""
    data = (sound.closed / "registry.db").read_bytes()
    dice = random.Random(5)
    right = none = tried = 0
    assert judged(sound, copy(sound.closed, folder / "home")) == (len(sound.told), 0)
    for page in range(len(data) // PAGE):
        body = data[page * PAGE : (page + 1) * PAGE]
        used = [at for at, byte in enumerate(body) if byte]
        head = (0, 3, 5, 8, 9) if times > 3 else (dice.choice((0, 3, 5, 8, 9)),)
        for at in {*head, *(dice.choice(used or [0]) for _ in range(times))}:
            home = copy(sound.closed, folder / "home")
            with (home / "registry.db").open("r+b") as file:
                file.seek(page * PAGE + at)
                file.write(bytes([body[at] ^ 1 << dice.randrange(8)]))
            yes, no = judged(sound, home)
            tried, right, none = tried + 1, right + yes, none + no
    print(f"{tried} flips of {len(data) // PAGE} pages: {right} right answers, {none} refused")
    assert none > tried // 10
    assert right > none


def test_f5_a_flipped_bit_in_any_page_is_never_a_wrong_answer(sound: Sound, tmp_path: Path) -> None:
    flipped(sound, tmp_path, 3)


@pytest.mark.faults
def test_f5_many_flipped_bits_in_every_page(sound: Sound, tmp_path: Path) -> None:
    flipped(sound, tmp_path, rounds() // 2)


def zeroed(page: bytes) -> bytes:
    return bytes(len(page))


def torn(page: bytes) -> bytes:
    """The first half of what was to be written, over what was there."""
    return page[: PAGE // 2] + bytes(PAGE // 2)


@pytest.mark.parametrize("damage", [zeroed, torn])
def test_f6_a_page_that_was_not_written_is_never_a_wrong_answer(
    sound: Sound, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    data = (sound.closed / "registry.db").read_bytes()
    right = none = 0
    for start in range(0, len(data), PAGE):
        home = copy(sound.closed, tmp_path / "home")
        page = damage(data[start : start + PAGE])
        (home / "registry.db").write_bytes(data[:start] + page + data[start + PAGE :])
        yes, no = judged(sound, home)
        right, none = right + yes, none + no
    print(f"{len(data) // PAGE} pages {damage.__name__}: {right} right answers, {none} refused")
    assert none > 0
    assert right > 0


def test_f6_without_its_indexes_it_answers_the_same_and_writes(
    sound: Sound, tmp_path: Path
) -> None:
    db = sqlite3.connect(sound.closed / "registry.db")
    found = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    indexes = [name for (name,) in db.execute(found)]
    db.close()
    assert len(indexes) > 4
    for dropped in [*((one,) for one in indexes), tuple(indexes)]:
        home = copy(sound.closed, tmp_path / "home")
        db = sqlite3.connect(home / "registry.db", isolation_level=None)
        for name in dropped:
            db.execute(f"DROP INDEX {name}")
        db.close()
        assert judged(sound, home) == (len(sound.told), 0)
    naming = sound.opened(home)
    assert naming.register(name=NEVER)["leaf"]["seq"] == 0
    naming.registry.close()


def test_f7_a_truncated_wal_is_noticed_wherever_it_ends(sound: Sound, tmp_path: Path) -> None:
    wal = (sound.live / "registry.db-wal").read_bytes()
    frames = (len(wal) - WAL_HEADER) // FRAME
    assert frames > 20
    ends = {0, WAL_HEADER // 2, *(WAL_HEADER + number * FRAME for number in range(frames))}
    ends |= {end + FRAME // 2 for end in ends if end >= WAL_HEADER}
    ends |= {len(wal) - 1}
    signed = (sound.live / "log" / "checkpoint").read_bytes()
    refused = 0
    for end in sorted(end for end in ends if end < len(wal)):
        home = copy(sound.live, tmp_path / "home")
        (home / "registry.db-wal").write_bytes(wal[:end])
        (home / "registry.db-shm").unlink(missing_ok=True)
        with pytest.raises(Error) as caught:
            sound.opened(home)
        assert caught.value.code == "log-rollback", end
        assert (home / "log" / "checkpoint").read_bytes() == signed
        refused += 1
    print(f"{frames} frames, {refused} truncations, every one refused")
    home = copy(sound.live, tmp_path / "home")  # and whole it is taken
    (home / "registry.db-shm").unlink()
    assert judged(sound, home) == (len(sound.told), 0)


def test_f7_a_truncated_database_is_no_wrong_answer(sound: Sound, tmp_path: Path) -> None:
    data = (sound.closed / "registry.db").read_bytes()
    for end in range(0, len(data), PAGE):
        for more in (0, PAGE // 2):
            home = copy(sound.closed, tmp_path / "home")
            (home / "registry.db").write_bytes(data[: end + more])
            judged(sound, home)
            signed = (sound.closed / "log" / "checkpoint").read_bytes()
            assert (home / "log" / "checkpoint").read_bytes() == signed


def test_f8_an_old_backup_is_refused_whatever_was_done_since(sound: Sound, tmp_path: Path) -> None:
    home = copy(sound.closed, tmp_path / "home")
    old = (home / "registry.db").read_bytes()
    naming = sound.opened(home)
    naming.register(name=NEVER)
    signed = naming.checkpoint.read_bytes()
    naming.registry.close()
    (home / "registry.db").write_bytes(old)
    with pytest.raises(Error) as caught:
        sound.opened(home)
    assert caught.value.code == "log-rollback"
    assert naming.checkpoint.read_bytes() == signed  # no smaller tree was signed

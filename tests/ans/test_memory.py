"""What a client remembers, alone and with others, and in a file that was meddled with."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ans.fronted import Driver, Front
from ans.naming import NAME
from delegant.ans.fresh import Head
from delegant.ans.memory import Memory, Pin, Remembered
from delegant.credentials import Error, PrivateKey, did
from refusal import refusal

Asking = Callable[..., Driver]
KEY = PrivateKey(b"\x07" * 32).public
REGISTRY = did.from_key(KEY)
WEB = "did:web:acme.example:agents:bot"
WHOLE = Remembered(
    Head("acme.example/ans", 7, b"\x01" * 32),
    1_790_000_000,
    {NAME.lower(): Pin(REGISTRY, 1, 4), NAME.lower().replace("v1", "v2"): Pin(WEB, 0, 2, KEY)},
)


def named(number: int) -> str:
    return NAME.replace("v1.0", f"v{number}.0")


def test_what_is_remembered_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "memory.json"
    memory = Memory(REGISTRY, file)
    assert memory.load() == Remembered()
    assert not file.exists()
    assert memory.save(memory.load(), WHOLE)
    assert Memory(REGISTRY, file).load() == WHOLE
    assert stat.S_IMODE(file.stat().st_mode) & 0o022 == 0


def test_a_name_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    memory = Memory(REGISTRY, tmp_path / "memory.json")
    assert memory.save(memory.load(), WHOLE)
    assert memory.forget(NAME.replace("Research", "RESEARCH")) == WHOLE.names[NAME.lower()]
    left = {key: pin for key, pin in WHOLE.names.items() if key != NAME.lower()}
    assert Memory(REGISTRY, tmp_path / "memory.json").load() == replace(WHOLE, names=left)
    assert refusal(lambda: memory.forget(NAME)) == "not-found"
    assert refusal(lambda: memory.forget("no name")) == "ans-name"


DAMAGE: list[Callable[[dict[str, Any]], object]] = [
    lambda m: m.update(version=2),
    lambda m: m.update(more=1),
    lambda m: m.pop("names"),
    lambda m: m.update(registry=WEB),
    lambda m: m.update(names=[]),
    lambda m: m.update(log=None),
    lambda m: m["log"].update(size=-1),
    lambda m: m["log"].update(size=True),
    lambda m: m["log"].update(root="AAAA"),
    lambda m: m["log"].pop("time"),
    lambda m: m["names"].update({NAME: m["names"][NAME.lower()]}),
    lambda m: m["names"].update({"mcp://x": m["names"][NAME.lower()]}),
    lambda m: m["names"][NAME.lower()].update(agent="nobody"),
    lambda m: m["names"][NAME.lower()].update(agent=WEB),
    lambda m: m["names"][NAME.lower()].update(key=KEY.multikey),
    lambda m: m["names"][NAME.lower()].update(epoch=1.5),
    lambda m: m["names"][NAME.lower()].pop("seq"),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_memory_is_an_error_and_left_as_it_is(
    tmp_path: Path, damage: Callable[[dict[str, Any]], object]
) -> None:
    file = tmp_path / "memory.json"
    memory = Memory(REGISTRY, file)
    memory.save(memory.load(), WHOLE)
    value = json.loads(file.read_bytes())
    damage(value)
    file.write_text(json.dumps(value))
    before = file.read_bytes()
    assert refusal(lambda: Memory(REGISTRY, file)) != ""
    assert refusal(memory.load) != ""
    assert file.read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"version":1,"version":1}'])
def test_what_is_no_memory_is_an_error(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "memory.json"
    file.write_bytes(data)
    assert refusal(lambda: Memory(REGISTRY, file)) != ""


def test_a_memory_that_vanished_is_not_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    memory = Memory(REGISTRY, file)
    memory.save(memory.load(), WHOLE)
    file.unlink()
    assert refusal(memory.load) == "unavailable"
    assert refusal(lambda: memory.save(WHOLE, Remembered())) == "unavailable"


def test_nobody_writes_over_what_they_have_not_read(tmp_path: Path) -> None:
    for path in (None, tmp_path / "memory.json"):
        memory = Memory(REGISTRY, path)
        other = memory if path is None else Memory(REGISTRY, path)
        before = memory.load()
        assert memory.save(before, WHOLE)
        assert not other.save(before, Remembered(names={}, time=1, head=WHOLE.head))
        assert other.load() == WHOLE


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    memory = Memory(REGISTRY, tmp_path / "memory.json")
    tmp_path.chmod(0o500)
    assert refusal(lambda: memory.save(memory.load(), WHOLE)) == "unavailable"
    tmp_path.chmod(0o700)


def test_a_place_that_cannot_hold_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert refusal(lambda: Memory(REGISTRY, tmp_path / "file" / "memory.json")) == "unavailable"
    assert refusal(lambda: Memory(REGISTRY, tmp_path)) != ""


def test_more_names_than_a_memory_holds_are_refused(tmp_path: Path) -> None:
    memory = Memory(REGISTRY)
    pin = Pin(REGISTRY, 0, 0)
    most = {named(number).lower(): pin for number in range(65_536)}
    assert memory.save(memory.load(), Remembered(names=most))
    more = most | {"mcp://a.b.c.v1.0": pin}
    assert refusal(lambda: memory.save(memory.load(), Remembered(names=more))) == "limit-items"


# --- clients that share one -----------------------------------------------------------------------


def test_a_client_remembers_between_lives(front: Front, asking: Asking, tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    front.naming.register()
    asking(memory=file).resolve(NAME)
    head = Memory(front.naming.did, file).load().head
    assert head is not None
    front.naming.register(name=named(2))
    asking(memory=file).resolve(named(2))
    state = Memory(front.naming.did, file).load()
    assert state.head is not None
    assert state.head.size == head.size + 1
    assert set(state.names) == {NAME.lower(), named(2).lower()}


def test_what_one_asks_at_once_is_all_remembered(
    front: Front, asking: Asking, tmp_path: Path
) -> None:
    naming, numbers = front.naming, range(2, 14)
    for number in numbers:
        naming.register(name=named(number))
    for file in (None, tmp_path / "memory.json"):
        one = asking(memory=file)
        found = one.together(*(("resolve", named(number)) for number in numbers))
        assert [each.name for each in found] == [named(number) for number in numbers]
        names = one.client._core._agreement._memory.load().names
        assert set(names) == {named(number).lower() for number in numbers}


def test_threads_with_a_client_each_lose_nothing(front: Front, tmp_path: Path) -> None:
    naming, file, numbers = front.naming, tmp_path / "memory.json", range(2, 10)
    for number in numbers:
        naming.register(name=named(number))
    failures: list[Exception] = []

    def ask(number: int) -> None:
        one = Driver("sync", front.url, naming.trusted, memory=file)
        try:
            one.resolve(named(number))
        except Error as exc:
            failures.append(exc)
        finally:
            one.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert set(Memory(naming.did, file).load().names) == {named(n).lower() for n in numbers}


PROCESS = """
import sys
from pathlib import Path
from delegant.ans import Client, RegistryTrust
from delegant.ans.log.note import NoteKey
from delegant.credentials import did
url, registry, log, memory, *names = sys.argv[1:]
registry = did.check(registry)
trust = RegistryTrust(registry, (did.key_of(registry),), NoteKey.parse(log))
with Client(url, trust, memory=Path(memory)) as client:
    for name in names:
        client.resolve(name)
"""


def test_two_processes_with_one_memory_lose_nothing(front: Front, tmp_path: Path) -> None:
    naming, file = front.naming, tmp_path / "memory.json"
    names = [named(number) for number in range(2, 14)]
    for name in names:
        naming.register(name=name)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, front.url, naming.did, naming.log.vkey, str(file),
             *own],
            stderr=subprocess.PIPE, text=True,
        )
        for own in (names[::2], names[1::2])
    ]  # fmt: skip
    for process in started:
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
    assert set(Memory(naming.did, file).load().names) == {name.lower() for name in names}

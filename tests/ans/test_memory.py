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
from delegant.ans.memory import MAX_FILE, Memory, Pin, Remembered
from delegant.ans.name import AnsName
from delegant.credentials import Error, PrivateKey, canonical, did
from refusal import refusal

Asking = Callable[..., Driver]
KEY = PrivateKey(b"\x07" * 32).public
REGISTRY = did.from_key(KEY)
WEB = "did:web:acme.example:agents:bot"
WHOLE = Remembered(
    Head("acme.example/ans", 7, b"\x01" * 32),
    1_790_000_000,
    {
        NAME.lower(): Pin(REGISTRY, 1, 4),
        NAME.lower().replace("v1", "v2"): Pin(WEB, 0, 2, KEY),
        NAME.lower().replace("v1", "v3"): Pin(REGISTRY, 0, 0, found=1_790_000_000),
    },
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
    lambda m: m["names"][NAME.lower()].update(found=1_790_000_000),
    lambda m: m["names"][NAME.lower()].update(found="yesterday"),
    lambda m: m["names"][NAME.lower()].update(asked=True),
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


# --- how much is remembered -----------------------------------------------------------------------

MOST = 65_536
ASKED, FOUND = Pin(REGISTRY, 0, 0), Pin(REGISTRY, 0, 0, found=1_790_000_000)


def full(**first: Pin) -> dict[str, Pin]:
    """As many names as a memory holds, all asked for by name but for the first ones."""
    pins = [*first.values(), *[ASKED] * (MOST - len(first))]
    return {named(number).lower(): pin for number, pin in enumerate(pins)}


def test_more_names_asked_for_than_a_memory_holds_are_refused() -> None:
    memory = Memory(REGISTRY)
    most = full()
    assert memory.save(memory.load(), Remembered(names=most))
    more = most | {"mcp://a.b.c.v1.0": ASKED}
    assert refusal(lambda: memory.save(memory.load(), Remembered(names=more))) == "limit-items"
    memory.forget(named(7))
    assert memory.save(
        memory.load(), Remembered(names=dict(memory.load().names) | {"mcp://a.b.c.v1.0": ASKED})
    )


def test_names_that_only_searches_found_make_room_the_oldest_first() -> None:
    memory = Memory(REGISTRY)
    older = replace(FOUND, found=1_780_000_000)
    most = full(one=FOUND, two=older, three=FOUND)
    assert memory.save(memory.load(), Remembered(names=most))
    assert memory.load().names == most
    more = most | {"mcp://a.b.c.v1.0": ASKED}
    assert memory.save(memory.load(), Remembered(names=more))
    del more[named(1).lower()]
    assert memory.load().names == more
    more |= {"mcp://a.b.c.v2.0": replace(FOUND, found=1_790_000_009)}
    assert memory.save(memory.load(), Remembered(names=more))
    del more[named(0).lower()]
    assert memory.load().names == more


def test_a_file_has_room_for_the_longest_names() -> None:
    name = f"{'p' * 32}://{'a' * 63}.{'b' * 63}.{'c' * 63}.v1.{'1' * 9}.{'1' * 9}.x"
    agent = f"did:web:{'a' * 240}.example"
    pin = Pin(did.check(agent), 2**53 - 1, 2**53 - 1, KEY, 1_790_000_000)
    assert len(AnsName.parse(name).key) <= 253 < len(name) + 10
    assert 65_536 * len(canonical({name: pin.json})) < MAX_FILE


def kept(one: Driver) -> Memory:
    memory: Memory = one.client._core._agreement._memory
    return memory


def test_of_a_search_the_first_name_is_remembered_and_by_name_every_one(
    front: Front, asking: Asking
) -> None:
    one = asking()
    for number in (2, 3, 4):
        front.naming.register(name=named(number))
    first, *rest = (agent.name for agent in one.search(capability="paperquery").agents)
    assert len(rest) == 2
    names = kept(one).load().names
    assert set(names) == {first.lower()}
    assert names[first.lower()].found is not None
    for name in (rest[0], first):
        one.resolve(name)
    names = kept(one).load().names
    assert set(names) == {first.lower(), rest[0].lower()}
    assert {pin.found for pin in names.values()} == {None}
    one.search(capability="paperquery", fresh=True)
    assert kept(one).load().names == names


def test_a_full_memory_still_meets_new_names(front: Front, asking: Asking) -> None:
    one, two, naming = asking(), asking(), front.naming
    naming.register(name="mcp://PaperQuery.Other.AcmeLabs.v1.0")
    naming.register(name="mcp://PaperQuery.Other.AcmeLabs.v2.0")
    most = full(one=FOUND)
    assert kept(one).save(kept(one).load(), Remembered(names=most))
    assert one.search(pattern="*://*.Other.*.v*", limit=1).agents[0].name.endswith("v2.0")
    assert one.resolve("mcp://PaperQuery.Other.AcmeLabs.v1.0").seq == 0
    names = kept(one).load().names
    assert set(most) - set(names) == {named(0).lower()}
    assert set(names) - set(most) == {"mcp://paperquery.other.acmelabs.v1.0"}
    # Of names that were all asked for by name none is forgotten.
    assert kept(two).save(kept(two).load(), Remembered(names=full()))
    assert two.search(pattern="*://*.Other.*.v*", limit=1).agents[0].name.endswith("v2.0")
    assert refusal(lambda: two.resolve("mcp://PaperQuery.Other.AcmeLabs.v1.0")) == "limit-items"
    assert kept(two).load().names == full()


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
        names = kept(one).load().names
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

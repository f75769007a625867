"""Several server processes over one PostgreSQL, each with a home of its own, as on machines."""

from __future__ import annotations

import itertools
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from ans.naming import NAME, Naming
from ans.serving import Server, serving
from delegant.ans.log import merkle
from delegant.ans.log.checkpoint import open_checkpoint
from delegant.ans.log.tiles import unpack
from delegant.credentials.codec import JsonObject, canonical
from postgres import Cluster

CLIENTS = 16
TAKEOVER = 5.0
"""Seconds in which another process must go on."""

HOLDER = (
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.granted"
)


@dataclass
class Load:
    """Clients that register names at any server, and send the same again when they hear nothing."""

    naming: Naming
    servers: list[Server]
    acknowledged: list[tuple[float, Server, str, JsonObject]] = field(default_factory=list)
    refused: list[tuple[int, Any]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def client(self, number: int) -> None:
        with httpx.Client(timeout=20) as http:
            while not self.over.is_set():
                name = NAME.replace("v1.0", f"v{next(self._numbers)}")
                body, token = self.naming.body(self.naming.event(name=name))
                self.register(http, name, body, token, number)

    def register(self, http: httpx.Client, name: str, body: bytes, token: str, number: int) -> None:
        for turn in itertools.count(number):
            server = self.servers[turn % len(self.servers)]
            try:
                reply = http.post(
                    f"{server.url}/v1/agents", content=body, headers={"agent-invocation": token}
                )
            except httpx.HTTPError:
                reply = None
            if reply is not None and reply.status_code == 201:
                self.acknowledged.append((time.monotonic(), server, name, reply.json()))
                return
            if reply is not None and reply.status_code != 503:
                self.refused.append((reply.status_code, reply.text))
                return
            if self.over.wait(0.02):
                return

    def watch(self) -> None:
        """Keep every checkpoint that any of them shows."""
        with httpx.Client(timeout=5) as http:
            while not self.over.wait(0.02):
                for server in self.servers:
                    try:
                        reply = http.get(f"{server.url}/checkpoint")
                    except httpx.HTTPError:
                        continue
                    if reply.status_code == 200:
                        self.seen.add(reply.text)

    def count(self, server: Server | None = None) -> int:
        return sum(server in (None, one) for _, one, _, _ in self.acknowledged)

    def until(self, enough: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not enough():
            assert time.monotonic() < end, "nothing goes on"
            time.sleep(0.005)

    @contextmanager
    def running(self) -> Iterator[None]:
        with ThreadPoolExecutor(CLIENTS + 1) as pool:
            jobs = [pool.submit(self.client, number) for number in range(CLIENTS)]
            jobs.append(pool.submit(self.watch))
            try:
                yield
            finally:
                self.over.set()
        for job in jobs:
            job.result()


@pytest.fixture
def naming(tmp_path: Path, postgres: str) -> Naming:
    """The registry, as a third machine has it."""
    (tmp_path / "own").mkdir()
    return Naming(tmp_path / "own" / "registry.db", database=postgres)


def home(naming: Naming, name: str) -> Path:
    """A machine that joins: it must know what was signed for."""
    folder = naming.path.parents[1] / name
    (folder / "log").mkdir(parents=True)
    shutil.copy(naming.checkpoint, folder / "log" / "checkpoint")
    return folder


@contextmanager
def loaded(naming: Naming, homes: list[Path]) -> Iterator[Load]:
    """Two server processes, each with such a home."""
    assert naming.database
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(one, naming.database)) for one in homes]
        assert all(one.url for one in servers)  # both are starting; now they are there
        yield Load(naming, servers)


@pytest.fixture
def load(naming: Naming) -> Iterator[Load]:
    """Two machines."""
    with loaded(naming, [home(naming, "a"), home(naming, "b")]) as out:
        yield out


@pytest.fixture(params=["two homes", "one home"])
def either(request: pytest.FixtureRequest, naming: Naming) -> Iterator[Load]:
    """Two machines, or two workers of one."""
    first = home(naming, "a")
    second = home(naming, "b") if request.param == "two homes" else first
    with loaded(naming, [first, second]) as out:
        yield out


def stopped_holding(cluster: Cluster, load: Load) -> Server:
    """One of the servers, stopped while it has the sequencer's lock."""
    by_name = {f"delegant-{one.process.pid}": one for one in load.servers}
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for (name,) in cluster.sql(HOLDER):
            found = by_name.get(name)
            if found is None:
                continue
            found.kill(signal.SIGSTOP)
            if (name,) in cluster.sql(HOLDER):
                return found
            found.kill(signal.SIGCONT)
    raise AssertionError("nobody was caught with the lock")


def leaves(naming: Naming) -> list[bytes]:
    """All of the log, held to its newest checkpoint."""
    naming.registry._sequencer.follow()
    size, out = naming.registry.log.head().size, list[bytes]()
    while len(out) < size:
        out += unpack(naming.registry.log.bundle(len(out) // 256, min(256, size - len(out))))
    return out


def whole(load: Load) -> None:
    """What was acknowledged is there, and all that was ever signed is one growing tree."""
    naming = load.naming
    entries = leaves(naming)
    hashes = b"".join(map(merkle.leaf_hash, entries))
    assert load.refused == []
    indexes = set()
    for _, _, name, receipt in load.acknowledged:
        assert naming.leaf(receipt).name.key == name.lower()
        assert entries[receipt["index"]] == canonical(receipt["leaf"])
        indexes.add(receipt["index"])
    assert len(indexes) == len(load.acknowledged)
    for note in load.seen:
        found = open_checkpoint(note, naming.log)
        assert found.size <= len(entries)
        own = hashes[: 32 * found.size]
        assert found.root == root(own)
    assert len(load.seen) > 5


def root(hashes: bytes) -> bytes:
    """The root of a tree of so many leaves, by RFC 6962's own words."""
    count = len(hashes) // 32
    if count == 1:
        return hashes
    left = 32 * (1 << (count - 1).bit_length() - 1)
    return merkle.node_hash(root(hashes[:left]), root(hashes[left:]))


def test_one_of_two_processes_is_killed_while_it_writes_and_the_other_goes_on(
    cluster: Cluster, load: Load
) -> None:
    with load.running():
        load.until(lambda: min(map(load.count, load.servers)) >= 10)
        dead = stopped_holding(cluster, load)
        (alive,) = (one for one in load.servers if one is not dead)
        dead.kill()
        killed, before = time.monotonic(), load.count(alive)
        load.until(lambda: load.count(alive) >= before + CLIENTS, TAKEOVER)
        print(f"the other went on after {time.monotonic() - killed:.3f} s")
        load.until(lambda: load.count(alive) >= before + 100)
    whole(load)


def test_a_process_that_is_frozen_with_the_lock_loses_it_and_harms_nothing(
    cluster: Cluster, either: Load
) -> None:
    load = either
    with load.running():
        load.until(lambda: min(map(load.count, load.servers)) >= 10)
        frozen = stopped_holding(cluster, load)
        began = time.monotonic()
        (alive,) = (one for one in load.servers if one is not frozen)
        before = load.count(alive)
        load.until(lambda: load.count(alive) > before, TAKEOVER)
        print(f"the other went on after {time.monotonic() - began:.3f} s")
        load.until(lambda: load.count(alive) >= before + 50)
        frozen.kill(signal.SIGCONT)
        thawed = load.count(frozen)
        load.until(lambda: load.count(frozen) >= thawed + 20)  # and it serves again
    whole(load)


def test_what_one_process_was_told_every_other_acknowledges_and_shows(load: Load) -> None:
    naming, (one, other) = load.naming, load.servers
    body, token = naming.body(naming.event())
    with httpx.Client() as http:
        send: dict[str, Any] = {"content": body, "headers": {"agent-invocation": token}}
        first = http.post(f"{one.url}/v1/agents", **send)
        again = http.post(f"{other.url}/v1/agents", **send)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        shown = [http.get(f"{at.url}/checkpoint").text for at in (one, other)]
        assert shown[0] == shown[1]
        assert open_checkpoint(shown[0], naming.log).size == 2
        for at in (one, other):
            reply = http.get(f"{at.url}/v1/resolve", params={"name": NAME})
            assert naming.believed(reply.json()).did == naming.bot.did
            assert http.get(f"{at.url}/v1/log/inclusion", params={"index": 1}).status_code == 200
            assert http.get(f"{at.url}/tile/0/000.p/2").content.hex()
    naming.registry._sequencer.follow()
    assert naming.registry.log.head().size == 2


def test_of_clients_at_two_processes_one_has_the_name(load: Load) -> None:
    naming = load.naming
    bots = [naming.bot, *(naming.agent(f"bot{n}") for n in range(15))]
    sent = [naming.body(naming.event(bot=bot), bot) for bot in bots]
    barrier = threading.Barrier(len(sent))

    def register(number: int) -> int:
        body, token = sent[number]
        url = load.servers[number % 2].url
        with httpx.Client(timeout=20) as http:
            barrier.wait()
            reply = http.post(f"{url}/v1/agents", content=body, headers={"agent-invocation": token})
            return reply.status_code

    with ThreadPoolExecutor(len(sent)) as pool:
        told = sorted(pool.map(register, range(len(sent))))
    assert told == [201] + [409] * 15
    naming.registry._sequencer.follow()
    assert naming.registry.log.head().size == 2


def test_what_is_revoked_at_one_process_is_soon_gone_at_every_other(load: Load) -> None:
    naming, (one, other) = load.naming, load.servers
    first = naming.register()

    def told(http: httpx.Client, at: Server) -> int:
        return http.get(f"{at.url}/v1/resolve", params={"name": NAME}).status_code

    with httpx.Client() as http:
        assert [told(http, at) for at in (one, other, one, other)] == [200] * 4  # it is kept now
        body, token = naming.body(naming.event("revoke", receipt=first))
        sent = http.post(
            f"{one.url}/v1/agents/{naming.bot.did}/events",
            content=body,
            headers={"agent-invocation": token},
        )
        assert sent.status_code == 200
        assert told(http, one) == 410
        end = time.monotonic() + 1
        while told(http, other) != 410:
            assert time.monotonic() < end, "another machine goes on saying that it is active"
            time.sleep(0.05)
        for _ in range(20):
            assert told(http, other) == 410

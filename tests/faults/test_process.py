"""F1 (over HTTP), F11, F16, F17, F18: the real server, killed, starved, stopped, and its clock."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from delegant.ans.log.checkpoint import open_checkpoint
from delegant.ans.log.tiles import unpack
from delegant.ans.name import AnsName
from delegant.credentials.codec import canonical, digest
from faults.history import Op, check_history
from faults.reading import rounds
from faults.serving import Asking, Process, copied, name_of, process, registry_of, wait_for
from resolver.door import House

CLIENTS = 64
TRIED = {201, 503, 0}
"""What a registration may come to while the server is killed; 0: no answer."""


@dataclass
class Clients:
    """Registrations by many at once, each name sent until there is an answer."""

    house: House
    ops: list[Op] = field(default_factory=list)
    wires: dict[int, tuple[str, bytes, str]] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)

    def sign(self, numbers: range) -> None:
        """Sign beforehand."""
        for number in numbers:
            event = self.house.event(name_of(number))
            self.wires[number] = (digest(canonical(event)), *self.house.wire(event))

    def register(self, number: int) -> int:
        """Send one; its status, 0 for no answer."""
        event, body, token = self.wires[number]
        start = time.monotonic()
        status, index = 0, -1
        try:
            reply = self.house.call("POST", "/v1/agents", body, {"Agent-Invocation": token})
            status = reply.status
            index = reply.json["index"] if status == 201 else -1
        except (OSError, ValueError, KeyError):
            status = 0
        outcome = "ok" if status == 201 else "unknown" if status in TRIED else "refused"
        key = AnsName.parse(name_of(number)).key
        end = time.monotonic() if status else float("inf")
        self.ops.append(Op("write", key, start, end, outcome, event, index))
        self.statuses.add(status)
        return status

    @contextlib.contextmanager
    def at_work(self, numbers: range) -> Iterator[None]:
        """All of them at once, until each has been tried."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            jobs = [pool.submit(self.register, number) for number in numbers]
            yield
        for job in jobs:
            job.result()

    @property
    def done(self) -> int:
        return sum(op.outcome == "ok" for op in self.ops)

    def wrong(self) -> list[str]:
        """What the house's registry has, held to what they were told."""
        registry = registry_of(self.house)
        try:
            head = open_checkpoint(registry.log.checkpoint(), self.house.log)
            entries: list[bytes] = []
            while len(entries) < head.size:
                width = min(256, head.size - len(entries))
                entries += unpack(registry.log.bundle(len(entries) // 256, width))
            final = {}
            with registry.store.transaction(reading=True) as db:
                for op in self.ops:
                    found = registry.shelf.named(db, op.name, int(time.time()))
                    final[op.name] = "" if found is None else digest(canonical(found.last))
            return check_history(self.ops, entries, [head], final)
        finally:
            registry.close()


def killed(house: House, times: int) -> None:
    """Kill the server amid the registrations of 64 clients, so many times."""
    dice, clients, starts = random.Random(1), Clients(house), list[Process]()
    for turn in range(times):
        numbers = range(turn * 2 * CLIENTS, (turn + 1) * 2 * CLIENTS)
        clients.sign(numbers)
        with process(house) as server:
            starts.append(server)
            enough = clients.done + dice.randrange(CLIENTS)
            with clients.at_work(numbers):
                while clients.done < enough and len(clients.ops) < numbers.stop:
                    time.sleep(0.002)
                time.sleep(dice.random() * 0.03)
                server.popen.kill()
    seconds = statistics.median(one.seconds for one in starts)
    print(
        f"{times} kills, {clients.done} of {len(clients.ops)} acknowledged; a start took "
        f"{seconds:.2f} s, at most {max(one.seconds for one in starts):.2f} s, "
        f"{max(one.work for one in starts):.2f} s of the processor"
    )
    assert clients.statuses <= TRIED
    assert clients.wrong() == []
    assert clients.done > times
    assert max(one.work for one in starts) < 2  # others may want the processor, too


def test_f1_the_real_server_is_killed_and_starts_again(home: House, tmp_path: Path) -> None:
    killed(copied(home, tmp_path / "killed"), 2)


@pytest.mark.faults
def test_f1_the_real_server_is_killed_many_times(home: House, tmp_path: Path) -> None:
    killed(copied(home, tmp_path / "killed"), rounds())


def test_f17_told_to_stop_under_load_it_finishes_what_it_took(home: House, tmp_path: Path) -> None:
    house = copied(home, tmp_path / "stopped")
    clients = Clients(house)
    clients.sign(range(4 * CLIENTS))
    with process(house) as server:
        with clients.at_work(range(4 * CLIENTS)):
            while clients.done < CLIENTS and len(clients.ops) < 4 * CLIENTS:
                time.sleep(0.002)
            began = time.monotonic()
            server.popen.send_signal(signal.SIGTERM)
        code = server.popen.wait(10)
        took = time.monotonic() - began
        assert "Traceback" not in (house.home.path.parent / "stderr").read_text()
    print(f"{clients.done} acknowledged, stopped after {took:.2f} s with {code}")
    assert code in (0, -signal.SIGTERM)
    assert clients.statuses <= TRIED
    assert clients.wrong() == []


# --- F11: the store is held, or gone -------------------------------------------------------------


@pytest.fixture
def house(home: House, tmp_path: Path) -> House:
    return copied(home, tmp_path / "house")


def waited(house: House, number: int) -> tuple[int, float, str]:
    """A registration: status, seconds, and how long it says to wait."""
    clients = Clients(house)
    clients.sign(range(number, number + 1))
    _, body, token = clients.wires[number]
    began = time.monotonic()
    reply = house.call("POST", "/v1/agents", body, {"Agent-Invocation": token})
    return reply.status, time.monotonic() - began, reply.headers.get("retry-after", "")


def live(house: House) -> str:
    """Where a supervisor asks whether the process lives."""
    return "/health/live" if house.call("GET", "/health/live").status == 200 else "/health"


def test_f11_a_store_that_somebody_holds_is_waited_for_so_long_and_reads_go_on(
    house: House,
) -> None:
    with process(house):
        assert waited(house, 1)[0] == 201
        db = sqlite3.connect(house.home.path / "registry.db", isolation_level=None)
        db.execute("BEGIN EXCLUSIVE")
        name = name_of(1)
        try:
            with (
                Asking(house.port, live(house)) as health,
                Asking(house.port, f"/v1/resolve?name={name}", pause=0.1) as reads,
            ):
                status, seconds, after = waited(house, 2)
        finally:
            db.execute("ROLLBACK")
            db.close()
        print(
            f"503 after {seconds:.1f} s; {len(health.took)} asked meanwhile, "
            f"p99 {health.p99 * 1e3:.1f} ms"
        )
        assert status == 503
        assert int(after) > 0
        assert 1 < seconds < 11
        assert len(health.took) > 100
        assert health.replies == reads.replies == []
        assert health.p99 < 0.1
        assert waited(house, 2)[0] == 201  # it recovers without being started again


def test_f11_a_store_that_is_gone_or_not_ours_is_503_until_it_is_back(house: House) -> None:
    path = house.home.path / "registry.db"
    away = path.with_name("away.db")
    with process(house) as server:
        assert waited(house, 1)[0] == 201
        path.rename(away)
        status, seconds, after = waited(house, 2)
        assert (status, after != "") == (503, True)
        assert seconds < 11
        assert house.call("GET", f"/v1/resolve?name={name_of(3)}").status == 503
        assert house.call("GET", "/health").status == 503
        assert not path.exists()  # nothing was made in its place
        assert server.popen.poll() is None
        away.rename(path)
        assert waited(house, 2)[0] == 201
        assert house.call("GET", "/health").status == 200


# --- F3: a disk that is full ---------------------------------------------------------------------


MOUNT = shutil.which("mount")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if MOUNT is None:
        pytest.skip("there is no mount")
    made = subprocess.run(
        [str(MOUNT), "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("a disk cannot be mounted here")
    yield folder
    subprocess.run([str(shutil.which("umount")), "-l", str(folder)], check=False)


def filled(folder: Path) -> Path:
    """Whatever is left of the disk, taken."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while out.write(bytes(4096)) == 4096:
            pass
    return ballast


def test_f3_a_full_disk_is_503_and_nothing_changed_and_reads_go_on(
    home: House, small_disk: Path
) -> None:
    house = copied(home, small_disk / "house")
    with process(house) as server:
        clients = Clients(house)
        clients.sign(range(24))
        assert [clients.register(number) for number in range(4)] == [201] * 4
        ballast = filled(small_disk)
        told = [clients.register(number) for number in range(4, 24)]
        assert set(told) <= {201, 503}
        assert told[-1] == 503
        assert house.call("GET", f"/v1/resolve?name={name_of(1)}").status == 200
        ballast.unlink()
        again = [number for number, status in enumerate(told, 4) if status == 503]
        assert [clients.register(number) for number in again] == [201] * len(again)
        assert server.popen.poll() is None
    print(f"{len(again)} registrations met a full disk")
    assert clients.wrong() == []


# --- F16: the clock of the machine ---------------------------------------------------------------

FAKETIME = shutil.which("faketime")


@pytest.mark.skipif(FAKETIME is None, reason="faketime is not installed")
def test_f16_the_server_lives_in_any_year_and_signs_nothing_earlier_than_before(
    house: House,
) -> None:
    heads, refused = [], 0
    for when in ("+0", "+1h", "+0", "2038-01-19 03:14:06", "+2h"):
        with process(house, str(FAKETIME), "-f", when if when[0] == "+" else f"@{when}"):
            heads.append(open_checkpoint(house.call("GET", "/checkpoint").body, house.log))
            reply = house.call("GET", f"/v1/resolve?name={name_of(1)}")
            assert reply.status in (200, 404, 410), reply.body
            status = waited(house, len(heads))[0]
            assert status in (201, 401, 422), status  # elsewhen, what is signed now does not count
            assert status != 201 or when == "+0"
            assert (
                status == 201 or len(heads) > 1
            )  # what was signed an hour ahead may not count yet
            refused += status != 201
    assert [one.size for one in heads] == sorted(one.size for one in heads)
    print(f"{refused} of {len(heads)} registrations refused")


# --- F18: what a thousand connections leave behind -----------------------------------------------


def test_f18_a_thousand_connections_leave_no_descriptor_and_no_memory(house: House) -> None:
    with process(house) as server:
        assert waited(house, 1)[0] == 201

        def asked(times: int) -> None:
            for number in range(times):
                path = f"/v1/resolve?name={name_of(1)}" if number % 2 else "/health"
                assert house.call("GET", path).status == 200

        asked(300)
        before = (server.descriptors, server.threads(), server.rss)
        asked(1000)
        wait_for(lambda: server.descriptors <= before[0] + 2)
        after = (server.descriptors, server.threads(), server.rss)
    print(
        f"descriptors {before[0]} -> {after[0]}, threads {before[1]} -> {after[1]}, "
        f"memory {before[2] >> 10} -> {after[2] >> 10} KiB"
    )
    assert after[0] <= before[0] + 2
    assert after[1] <= before[1] + 8
    assert after[2] <= before[2] * 1.05


def seconds_of_soak() -> float:
    """An hour's worth by default; less with fewer rounds."""
    return 18.0 * rounds()


@pytest.mark.faults
def test_f18_a_long_load_leaves_memory_flat(house: House) -> None:
    with process(house) as server:
        clients, turn, samples = Clients(house), 0, list[int]()
        end = time.monotonic() + seconds_of_soak()
        while time.monotonic() < end:
            clients.sign(range(turn * CLIENTS, (turn + 1) * CLIENTS))
            with clients.at_work(range(turn * CLIENTS, (turn + 1) * CLIENTS)):
                pass
            clients.wires.clear()
            for number in range(200):
                house.call("GET", f"/v1/resolve?name={name_of(number)}")
            turn += 1
            samples.append(server.rss)
        early = statistics.median(samples[len(samples) // 4 : len(samples) // 2])
        late = statistics.median(samples[-len(samples) // 4 :])
    print(f"{turn} turns, {clients.done} names, {early / 2**20:.1f} -> {late / 2**20:.1f} MiB")
    assert clients.statuses == {201}
    assert late <= early * 1.05 + (8 << 20)  # kept answers and proofs have a bound of their own

"""Several processes behind one socket: one set of names, one set of numbers, one end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from delegant.ans import Client
from resolver.door import ENDPOINT, NAME, House
from resolver.process import command, counted, served

TWO = ["--workers", "2"]


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def within(seconds: float, true: Callable[[], object]) -> None:
    """It becomes true in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def metrics(house: House) -> str:
    return house.call("GET", "/metrics").body.decode()


@pytest.fixture
def two(settled: House) -> Iterator[subprocess.Popen[str]]:
    with served(settled, *TWO) as process:
        within(10, lambda: settled.call("GET", "/health/ready").status == 200)
        yield process


def test_all_of_them_serve_and_the_numbers_are_of_all(
    settled: House, two: subprocess.Popen[str]
) -> None:
    workers = children(two.pid)
    assert len(workers) == 2
    before = counted(metrics(settled), "delegant_requests_total", route="/health/{part}")
    for _ in range(60):
        assert settled.call("GET", "/health/live").status == 200
    numbers = {counted(metrics(settled), "delegant_requests_total", route="/health/{part}")
               for _ in range(10)}  # fmt: skip
    assert numbers == {before + 60}
    assert counted(metrics(settled), "delegant_workers") == 2

    cost = {pid: Path(f"/proc/{pid}/stat").read_text().split()[13:15] for pid in workers}
    for number in range(12):  # a name that one of them took is there for all, at once
        name = NAME.replace("main", f"w{number}")
        assert settled.post(settled.event(name)).status == 201
        with Client(settled.url, settled.trusted) as client:
            assert client.resolve(name).did == settled.bot.did
    assert counted(metrics(settled), "delegant_registrations_total") == 12
    assert counted(metrics(settled), "delegant_batch_size_sum") == 12
    assert counted(metrics(settled), "delegant_log_size") >= 13
    spent = {pid: Path(f"/proc/{pid}/stat").read_text().split()[13:15] for pid in workers}
    assert all(spent[pid] != cost[pid] for pid in workers)  # nobody was idle


def test_one_that_dies_is_started_again_and_takes_no_count_with_it(
    settled: House, two: subprocess.Popen[str]
) -> None:
    for _ in range(10):
        settled.call("GET", "/health/live")
    before = counted(metrics(settled), "delegant_requests_total", route="/health/{part}")
    workers = children(two.pid)
    os.kill(workers[0], signal.SIGKILL)
    within(10, lambda: len(children(two.pid)) == 2 and children(two.pid) != workers)
    within(10, lambda: settled.call("GET", "/health/live").status == 200)
    told = counted(metrics(settled), "delegant_requests_total", route="/health/{part}")
    assert told > before
    assert two.poll() is None


def test_told_to_stop_they_all_do(settled: House, two: subprocess.Popen[str]) -> None:
    workers = children(two.pid)
    two.send_signal(signal.SIGTERM)
    assert two.wait(10) == 0
    assert not any(map(alive, workers))
    assert two.stderr is not None
    assert "Traceback" not in two.stderr.read()


def test_they_end_with_whoever_started_them(settled: House, two: subprocess.Popen[str]) -> None:
    workers = children(two.pid)
    two.kill()
    two.wait(5)
    within(10, lambda: not any(map(alive, workers)))
    with served(settled, *TWO):
        within(10, lambda: settled.call("GET", "/health/ready").status == 200)


def test_only_the_first_keeps_things_fresh(settled: House, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    patch = tmp_path / "sitecustomize.py"
    patch.write_text(
        "import os, delegant.ans.registry as r\n"
        "was = r.Registry.recheck\n"
        "def recheck(self, at):\n"
        f"    open({str(trace)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        "    return was(self, at)\n"
        "r.Registry.recheck = recheck\n"
    )
    with served(settled, "--workers", "3", PYTHONPATH=str(tmp_path)) as process:
        within(10, trace.exists)
        within(10, lambda: settled.call("GET", "/health/ready").status == 200)
        time.sleep(0.5)
        who = set(trace.read_text().split())
        assert len(who) == 1
        assert int(who.pop()) in children(process.pid)


def test_what_is_wrong_is_told_before_anybody_works(settled: House, tmp_path: Path) -> None:
    told = command(settled, "serve", *TWO, "--bind", "127.0.0.1:0",
                   DELEGANT_DATABASE="postgresql://u:hunter2@127.0.0.1:1/x")  # fmt: skip
    assert told.returncode == 5
    assert "hunter2" not in told.stderr + told.stdout
    told = command(settled, "serve", *TWO, DELEGANT_ACCESS_LOG=str(tmp_path / "no" / "log"))
    assert told.returncode == 5
    told = command(settled, "serve", DELEGANT_WORKERS="many")
    assert told.returncode == 4
    assert "DELEGANT_WORKERS is a whole number" in told.stderr
    for one in (told,):
        assert "Traceback" not in one.stderr


def test_another_database_is_another_registry(settled: House, tmp_path: Path) -> None:
    home = settled.home.path
    log = home / "log" / "registry.checkpoint"
    told = command(settled, "serve", "--bind", "127.0.0.1:0", "--database", str(tmp_path / "x.db"))
    assert told.returncode == 1  # empty, and not what the checkpoint was signed for
    assert "log-rollback" in told.stderr
    assert log.exists()
    (home / "registry.db").rename(tmp_path / "moved.db")
    for more in ("-wal", "-shm"):
        if (home / f"registry.db{more}").exists():
            (home / f"registry.db{more}").rename(tmp_path / f"moved.db{more}")
    with served(settled, DELEGANT_DATABASE=f"sqlite:///{tmp_path / 'moved.db'}"):
        told = command(settled, "ans", "register", "bot", "--name", NAME, "--endpoint", ENDPOINT,
                       "--url", settled.url)  # fmt: skip
        assert told.returncode == 0, told.stderr
    assert not (home / "registry.db").exists()
    (tmp_path / "moved.db").rename(home / "registry.db")
    for more in ("-wal", "-shm"):
        if (tmp_path / f"moved.db{more}").exists():
            (tmp_path / f"moved.db{more}").rename(home / f"registry.db{more}")

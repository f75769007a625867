"""The command as people run it: `delegant serve` and `delegant ans` in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from delegant.ans import Client
from delegant.credentials import Error
from delegant.wallet import Home, statuslists
from resolver.door import ENDPOINT, NAME, House
from resolver.process import COMMAND, command, options, served

ROUNDS = 3


def test_a_newcomers_path_from_serve_to_resolve(settled: House) -> None:
    with served(settled):
        told = command(
            settled, "ans", "register", "bot", "--name", NAME, "--endpoint", ENDPOINT,
            "--url", settled.url, "--json",
        )  # fmt: skip
        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout)["leaf"]["agent"] == settled.bot.did

        found = command(settled, "ans", "resolve", NAME, "--url", settled.url)
        assert found.returncode == 0
        assert settled.bot.did in found.stdout
        assert settled.home.subject("ana").did in found.stdout

        for verb in (["renew", "bot"], ["revoke", "bot", "--reason", "retired"]):
            done = command(settled, "ans", *verb, "--name", NAME, "--url", settled.url)
            assert done.returncode == 0, done.stderr
        gone = command(settled, "ans", "resolve", NAME, "--url", settled.url, "--json")
        assert gone.returncode == 1
        assert json.loads(gone.stdout)["code"] == "ans-gone"


def test_without_a_grant_the_error_says_what_to_type(settled: House) -> None:
    with served(settled, "--json"):
        told = command(
            settled, "ans", "register", "other", "--name", NAME, "--endpoint", ENDPOINT,
            "--url", settled.url,
        )  # fmt: skip
    assert told.returncode == 1
    assert "delegant delegate --from" in told.stderr
    assert "--to other --allow 'ans.*:registry'" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_registry_that_is_not_there_is_exit_5(settled: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    told = command(settled, "ans", "resolve", NAME, "--url", f"http://127.0.0.1:{port}")
    assert told.returncode == 5
    assert "unavailable" in told.stderr
    assert "Traceback" not in told.stderr


def test_serving_signs_aged_lists_again(settled: House) -> None:
    home = Home(settled.home.path)
    statuslists.sign(home, settled.organization, 1, int(time.time()) - 500)
    with served(settled):
        listed = settled.call("GET", "/status/1").json
    assert listed["validFrom"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_it_stops_when_told(settled: House, number: signal.Signals) -> None:
    with served(settled) as process:
        assert settled.call("GET", "/health").status == 200
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize("bind", ["127.0.0.1:x", "127.0.0.1:70000"])
def test_a_wrong_address_is_told(settled: House, bind: str) -> None:
    told = command(settled, "serve", "--bind", bind)
    assert told.returncode in {2, 4}
    assert "Traceback" not in told.stderr


def test_acknowledged_registrations_survive_kill_9(settled: House) -> None:
    rng = random.Random(7)
    acknowledged: dict[str, str] = {}
    for number in range(ROUNDS):
        names = [NAME.replace("main", f"k{number}-{i}") for i in range(20)]
        wires = {name: settled.wire(settled.event(name)) for name in names}
        with served(settled) as process, Client(settled.url, settled.trusted) as client:
            acknowledged[names[0]] = client.submit(*wires[names[0]])["leaf"]["event"]
            timer = threading.Timer(rng.uniform(0.0, 0.4), process.kill)
            timer.start()  # only now, however long a busy machine took to come so far
            with contextlib.suppress(Error):
                for name in names[1:]:
                    receipt = client.submit(*wires[name])
                    acknowledged[name] = receipt["leaf"]["event"]
            timer.join()
            assert process.wait(10) == -signal.SIGKILL
    start = time.monotonic()
    with served(settled), Client(settled.url, settled.trusted) as client:
        assert time.monotonic() - start < 30
        for name, event in acknowledged.items():
            assert client.resolve(name).entry.event == event
        for name in names:  # those without an answer: wholly there, or not at all
            if name not in acknowledged:
                with contextlib.suppress(Error):
                    client.resolve(name)
                assert client.submit(*wires[name])["leaf"]["name"] == name
                assert client.resolve(name, fresh=True).did == settled.bot.did
    assert len(acknowledged) >= ROUNDS


def test_without_the_extra_it_says_what_to_install(settled: House, tmp_path: Path) -> None:
    for name in ("fastapi", "uvicorn", "sqlalchemy"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('no', name=__name__)\n")
    told = subprocess.run(
        [*COMMAND, "serve", *options(settled)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert told.returncode == 5
    assert "pip install '.[server]'" in told.stderr
    assert "Traceback" not in told.stderr


def test_an_address_in_use_is_told(settled: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = command(settled, "serve", "--bind", f"127.0.0.1:{port}")
    assert told.returncode == 5
    assert "unavailable" in told.stderr
    assert "Traceback" not in told.stderr

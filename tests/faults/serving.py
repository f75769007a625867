"""The real server, `delegant serve`, as a process; what it costs is read from /proc."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from delegant.ans.registry import Registry
from delegant.resolver.server import open_registry
from delegant.wallet import Home, refresh
from resolver.door import NAME, House, Reply, parse_reply

__all__ = ["Asking", "Process", "copied", "name_of", "process", "registry_of"]

COMMAND = (sys.executable, "-m", "delegant.cli.main", "serve", "--bind", "127.0.0.1:0")


def name_of(number: int) -> str:
    """A name that the house's bot may have."""
    return NAME.replace("main", f"n{number}")


@dataclass
class Process:
    """A server that runs.

    Attributes:
        seconds, work: that its start took: by the clock, and of the processor's time.
    """

    house: House
    popen: subprocess.Popen[str]
    seconds: float = 0.0
    work: float = 0.0

    @property
    def cpu(self) -> float:
        """Seconds of the processor's time that it took so far."""
        told = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def rss(self) -> int:
        """Bytes of memory in use, without what files are mapped."""
        told = Path(f"/proc/{self.popen.pid}/status").read_text()
        (line,) = (one for one in told.splitlines() if one.startswith("RssAnon"))
        return int(line.split()[1]) * 1024

    @property
    def descriptors(self) -> int:
        """Files and connections that it has open."""
        return len(os.listdir(f"/proc/{self.popen.pid}/fd"))

    def threads(self) -> int:
        """Threads of it."""
        return len(os.listdir(f"/proc/{self.popen.pid}/task"))


def copied(house: House, folder: Path) -> House:
    """The same house at another place, its status lists as fresh as if it had been served."""
    folder.mkdir(exist_ok=True)
    shutil.copy2(house.home.path.parent / "passphrase", folder)
    shutil.copytree(house.home.path, folder / "home")
    copy = replace(house, home=Home(folder / "home"))
    refresh(copy.home, copy.organization, int(time.time()))
    return copy


def registry_of(house: House) -> Registry:
    """The house's registry, opened here."""
    return open_registry(house.home, house.organization)


@contextlib.contextmanager
def process(
    house: House, *before: str, environment: dict[str, str] | None = None
) -> Iterator[Process]:
    """Serve a house; killed afterwards, if it still runs.

    Args:
        before: words that stand before the command.
    """
    folder = house.home.path
    told = (folder.parent / "stderr").open("w")  # nobody reads it meanwhile: a pipe would fill
    began = time.monotonic()
    popen = subprocess.Popen(
        [*before, *COMMAND, "--home", str(folder), "--passphrase-file",
         str(folder.parent / "passphrase")],
        stdout=subprocess.PIPE, stderr=told, text=True, start_new_session=True,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip
    assert popen.stdout is not None
    try:
        line = popen.stdout.readline().strip()
        assert line.startswith("listening on "), (folder.parent / "stderr").read_text()
        house.port = int(line.rpartition(":")[2])
        wait_for(lambda: house.call("GET", "/health").status == 200)
        server = Process(house, popen, time.monotonic() - began)
        server.work = server.cpu
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(popen.pid, signal.SIGKILL)  # whoever stands before it runs it as a child
        popen.wait(10)
        popen.stdout.close()
        told.close()


def wait_for(what: Callable[[], bool], seconds: float = 10) -> None:
    """Until it is so."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if what():
                return
        assert time.monotonic() < end
        time.sleep(0.01)


@dataclass
class Asking:
    """Somebody who asks for one address all the time, over one connection, and takes the time.

    Attributes:
        took: seconds of each answer.
        replies: any that was not 200.
    """

    port: int
    path: str
    pause: float = 0.002
    took: list[float] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def __enter__(self) -> Asking:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join(20)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.took, n=20)[18]

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.took, n=100)[98]

    def _run(self) -> None:
        ask = f"GET {self.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        line = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        with line:
            while not self._over.wait(self.pause):
                began = time.monotonic()
                line.sendall(ask)
                data = b""
                while b"\r\n\r\n" not in data:
                    chunk = line.recv(65_536)
                    if not chunk:
                        raise AssertionError("it hung up on somebody who did nothing wrong")
                    data += chunk
                reply = parse_reply(data)
                body = reply.body
                while len(body) < int(reply.headers["content-length"]):
                    body += line.recv(65_536)
                self.took.append(time.monotonic() - began)
                if reply.status != 200:
                    self.replies.append(replace(reply, body=body))

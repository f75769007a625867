"""A server process of a registry over a database: its routes, on loopback, until it is stopped.

Usage: serving.py FOLDER DATABASE. The folder is this process's own home: its checkpoint file lies
in it. The address is said first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from delegant.ans.registry import Registry

TESTS = Path(__file__).parents[1]


@dataclass(eq=False)
class Server:
    """A running one, or one that is starting."""

    process: subprocess.Popen[bytes]

    @cached_property
    def url(self) -> str:
        """Where it is, once it is there."""
        assert self.process.stdout is not None
        address = self.process.stdout.readline().decode().strip()
        assert address.startswith("http"), "the server did not start"
        return address

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(sign)


@contextmanager
def serving(folder: Path, database: str) -> Iterator[Server]:
    """A server process of its own; it is ended afterwards, whatever state it is in."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(folder), database],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert process.stdout is not None
    try:
        yield Server(process)
    finally:
        process.stdout.close()
        process.kill()
        process.send_signal(signal.SIGCONT)
        process.wait(10)


def follow(registry: Registry) -> None:
    """As a server does."""
    while True:
        with contextlib.suppress(Exception):  # the store is stopped and started by tests
            registry.follow()
        time.sleep(0.2)


def main() -> None:
    from ans.fronted import application
    from ans.naming import Naming
    from delegant.resolver.lane import lane
    from delegant.resolver.listening import listen

    naming = Naming(Path(sys.argv[1]) / "registry.db", database=sys.argv[2])
    app = application(naming.registry, naming)
    threading.Thread(target=follow, args=(naming.registry,), daemon=True).start()
    listen(
        app, "127.0.0.1", 0, lambda address: print(address, flush=True),
        protocol=lane(naming.registry),
    )  # fmt: skip


if __name__ == "__main__":
    main()

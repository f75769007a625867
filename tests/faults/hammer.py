"""A process that registers names in many threads until it is killed, and says what it hears.

Usage: hammer.py DATABASE THREADS. Each line on standard input is one round: a word, and the
numbers of the names. Each round is a forked child, so that starting one is quick; its pid is said
first. The names are signed for before, so that the child does nothing but register them. The words:

go    register them.
stay  the same, and do not end before somebody ends it.
wait  wait for SIGUSR1, open the registry, register them one by one, and look up the name of
      number 1. What fails is tried again, more than once: strace counts the calls of each thread
      on its own, and so lets one of each fail.

Lines on standard output, each written whole: ``pid P``, ``open SECONDS``, ``shut CODE``,
``sent N EVENT AT``, ``ok N INDEX AT``, ``no N CODE AT``, ``read N OUTCOME AT``, ``end``, ``ended``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from ans.naming import NAME, Naming
from delegant.credentials import Error
from delegant.credentials.codec import canonical, digest

TRIES = 4


def name_of(number: int) -> str:
    """The name of a number from 1 on."""
    return NAME.replace("v1.0", f"v{number}")


def _say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Hammer:
    """A registry on a file, and who writes to it."""

    def __init__(self, path: Path, threads: int) -> None:
        self.naming = Naming(path)
        self.naming.registry.close()
        self.threads = threads
        self.links = self.naming.grant(self.naming.bot)
        self.evidence = self.naming.world.evidence()
        self.signed: dict[int, tuple[str, bytes, str]] = {}

    def sign(self, number: int) -> tuple[str, bytes, str]:
        """The event's digest and what is sent; the same bytes whenever it is asked for."""
        if number not in self.signed:
            event = self.naming.event(name=name_of(number))
            wire = self.naming.body(event, links=self.links, evidence=self.evidence)
            self.signed[number] = (digest(canonical(event)), *wire)
        return self.signed[number]

    def round(self, how: str, numbers: list[int]) -> None:
        """All that a child does."""
        if how == "wait":
            signal.sigwait({signal.SIGUSR1})
        self.open()
        if how == "wait":
            for number in numbers:
                any(self.one(number) for _ in range(TRIES))
            self.read(1)
        else:
            self.together(numbers)
        _say("end")
        if how == "stay":
            signal.pause()

    def open(self) -> None:
        """Open the registry; once more, where the first time failed."""
        began = time.monotonic()
        try:
            self.naming.registry = self.naming.open()
        except Error as exc:
            _say("shut", exc.code)
            self.naming.registry = self.naming.open()
        _say("open", time.monotonic() - began)

    def together(self, numbers: list[int]) -> None:
        """Register the names, in as many threads as there are clients."""
        left = iter(numbers)
        taking = threading.Lock()

        def client() -> None:
            while True:
                with taking:
                    number = next(left, None)
                if number is None:
                    return
                self.one(number)

        threads = [threading.Thread(target=client) for _ in range(self.threads)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    def one(self, number: int) -> bool:
        """Register one name; whether it was acknowledged."""
        event, body, token = self.signed[number]
        _say("sent", number, event, time.monotonic())
        try:
            receipt = self.naming.registry.submit(body, token, self.naming.now)
        except Error as exc:
            _say("no", number, exc.code, time.monotonic())
            return False
        _say("ok", number, receipt["index"], time.monotonic())
        return True

    def read(self, number: int) -> None:
        """Resolve one name."""
        try:
            status, _ = self.naming.registry.resolve(name_of(number), self.naming.now)
        except Error as exc:
            _say("read", number, exc.code, time.monotonic())
        else:
            _say("read", number, status, time.monotonic())


def main() -> None:
    hammer = Hammer(Path(sys.argv[1]), int(sys.argv[2]))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    for line in sys.stdin:
        how, *told = line.split()
        numbers = [int(one) for one in told]
        for number in numbers:
            hammer.sign(number)
        child = os.fork()
        if child == 0:
            hammer.round(how, numbers)
            os._exit(0)
        _say("pid", child)
        os.waitpid(child, 0)
        _say("ended")


if __name__ == "__main__":
    main()

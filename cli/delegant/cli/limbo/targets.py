"""Where the questions go: our library in this process, or any command."""

from __future__ import annotations

import json
import queue
import shlex
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from delegant.credentials import Error, PublicKey
from delegant.credentials.codec import b58_decode, b64u_decode
from delegant.credentials.errors import error

from . import client, naming
from .cases import AnyCase
from .naming import NamingCase
from .protocol import GREETING, Answer, Question

__all__ = ["Command", "Library", "Stream", "Target", "reach"]

PATIENCE: Final = 60.0
"""Seconds a target may take for one answer."""
TRIES: Final = 7
"""How often a slow answer is measured before it is called slow: other work is not its fault."""


class Target(Protocol):
    """Somebody who answers."""

    name: str

    def answer(self, case: AnyCase) -> Answer:
        """The answer to a case; a target that cannot give one says ``none``."""
        ...


class Library:
    """The library in this process, its signature checks counted and its time taken."""

    name = "delegant"

    def answer(self, case: AnyCase) -> Answer:
        """The answer, with its costs: the best time of several where the first is over.

        What cases about names cost is not measured.
        """
        if isinstance(case, NamingCase):
            try:
                return naming.answer(case.question)
            except Exception as exc:  # noqa: BLE001 - any stray exception is a failed case
                return Answer("none", fault=f"{type(exc).__name__}: {exc}")
        said, best = self._timed(case.question)
        for _ in range(TRIES):
            if case.most_ms is None or best <= case.most_ms:
                break
            best = min(best, self._timed(case.question)[1])
        chain, evidence = self._counted(case.question)
        return Answer(said.state, said.code, said.link, said.fault, chain, evidence, best)

    def _timed(self, question: Question) -> tuple[Answer, float]:
        start = time.thread_time()
        try:
            said = client.answer(question)
        except Exception as exc:  # noqa: BLE001 - any stray exception is a failed case
            said = Answer("none", fault=f"{type(exc).__name__}: {exc}")
        return said, (time.thread_time() - start) * 1000

    def _counted(self, question: Question) -> tuple[int, int]:
        """Signature checks of the chain and of evidence: whose signature was it?"""
        own = signatures(question.presentation)
        counts = [0, 0]
        honest = PublicKey.verify

        def verify(self: PublicKey, signature: bytes, message: bytes) -> bool:
            counts[signature not in own] += 1
            return honest(self, signature, message)

        PublicKey.verify = verify  # type: ignore[method-assign]
        try:
            client.answer(question)
        except Exception:  # noqa: BLE001, S110 - told by the measured run
            pass
        finally:
            PublicKey.verify = honest  # type: ignore[method-assign]
        return counts[0], counts[1]


def signatures(presentation: bytes) -> frozenset[bytes]:
    """Every signature that stands in a presentation, as far as it can be read."""
    out: set[bytes] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict | list):
            for below in node.values() if isinstance(node, dict) else node:
                walk(below)
        elif isinstance(node, str):
            with suppress(Error, IndexError):  # most strings are no signature
                out.add(b64u_decode(node.split(".")[2]) if "." in node else b58_decode(node[1:]))

    try:
        walk(json.loads(presentation))
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(one for one in out if len(one) == 64)


class Command:
    """A command that is started once for every case."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.name = shlex.join(words)
        self._words = words
        self._folder = folder

    def answer(self, case: AnyCase) -> Answer:
        """Start it, and read its line and its exit status."""
        typed = [*self._words, "verify", *case.question.arguments(self._folder)]
        try:
            done = subprocess.run(  # noqa: S603 - the command the user named
                typed,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return Answer("none", fault=f"no answer within {PATIENCE:g} seconds")
        lines = done.stdout.splitlines()
        if len(lines) != 1:
            told = (done.stderr.strip() or "nothing").splitlines()[-1][:120]
            return Answer("none", fault=f"{len(lines)} lines, not one; it says: {told}")
        said = Answer.from_line(lines[0])
        if said.fault is None and done.returncode != said.status:
            return Answer("none", fault=f"says {said.state} and exits {done.returncode}")
        return said


class Stream:
    """A command that is started once for all cases."""

    def __init__(self, words: list[str], process: subprocess.Popen[str]) -> None:
        self.name = shlex.join(words)
        self._process = process
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was opened with one
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _next(self) -> str:
        """The next line; empty at its end, or when patience is."""
        try:
            return self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            self._process.kill()
            return ""

    @classmethod
    def open(cls, words: list[str]) -> Stream | None:
        """Start it; None if it does not greet, and so cannot do this."""
        process = subprocess.Popen(  # noqa: S603 - the command the user named
            [*words, "verify", "--stream"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
        stream = cls(words, process)
        try:
            greets = json.loads(stream._next()) == GREETING
        except ValueError:
            greets = False
        if greets:
            return stream
        stream.close()
        return None

    def answer(self, case: AnyCase) -> Answer:
        """One line out, one line in."""
        assert self._process.stdin is not None  # noqa: S101 - it was opened with one
        try:
            self._process.stdin.write(case.question.line + "\n")
            self._process.stdin.flush()
        except OSError:
            return Answer("none", fault="it has ended")
        line = self._next()
        return Answer.from_line(line) if line else Answer("none", fault="no answer: it has ended")

    def close(self) -> None:
        """End it."""
        process = self._process
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join(timeout=5)
        if process.stdout is not None and not self._reader.is_alive():
            process.stdout.close()


@contextmanager
def reach(command: str | None) -> Iterator[Target]:
    """The target of a command line; without one, the library.

    Raises:
        NotFound: there is no such command.
    """
    if command is None:
        yield Library()
        return
    words = shlex.split(command)
    try:
        stream = Stream.open(words)
    except (OSError, IndexError) as exc:
        raise error("not-found", f"the target cannot be started: {exc}") from None
    if stream is not None:
        try:
            yield stream
        finally:
            stream.close()
        return
    with tempfile.TemporaryDirectory(prefix="limbo-") as folder:
        yield Command(words, Path(folder))

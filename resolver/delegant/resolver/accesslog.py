"""One line of JSON for each request, written beside the requests and never waited for.

A line says when, who, how, which route, what came of it, how long and how much. It has no query,
no header, no token and no body: those may be secret, and are the caller's to choose.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["AccessLog", "Line", "check"]

Line = tuple[float, str, str, str, int, float, int, str]
"""When (seconds since 1970), caller, method, route, status, seconds, bytes and the request's id."""
MOST: Final = 16_384
"""Lines that wait at most; more are dropped, and counted."""
AT_ONCE: Final = 512
PAUSE_SECONDS: Final = 0.1


class AccessLog:
    """Where the lines go.

    Args:
        where: ``stderr``, ``stdout`` or the path of a file, which others may rename: it is then
            made again.
        dropped: told how many lines were not written.
        most: lines that wait at most.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(
        self, where: str, dropped: Callable[[int], object] = lambda _n: None, most: int = MOST
    ) -> None:
        self._path = None if where in ("stderr", "stdout") else where
        self._out = sys.stdout.fileno() if where == "stdout" else sys.stderr.fileno()
        if self._path is not None:
            self._out = _opened(self._path)
        self._dropped, self._most = dropped, most
        self._lines: deque[Line] = deque()
        self._lost = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
        self._thread.start()

    def add(self, line: Line) -> None:
        """Have a line written soon; never waits."""
        if len(self._lines) < self._most:
            self._lines.append(line)
        else:
            self._lost += 1

    def close(self, seconds: float = 2.0) -> None:
        """Write what waits, for so long at most."""
        self._stop.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        lines, lost = self._lines, self._lost
        if lost:
            self._lost -= lost
            self._dropped(lost)
        while lines:
            some = [lines.popleft() for _ in range(min(AT_ONCE, len(lines)))]
            try:
                self._write("".join(map(_told, some)).encode())
            except OSError:  # a full disk is no reason not to serve
                self._dropped(len(some))

    def _write(self, data: bytes) -> None:
        if self._path is not None and not _same(self._path, self._out):
            before, self._out = self._out, _opened(self._path)  # in this order
            os.close(before)
        while data:
            data = data[os.write(self._out, data) :]


def check(where: str) -> None:
    """See that lines can be written there.

    Raises:
        OSError: they cannot.
    """
    if where not in ("stderr", "stdout"):
        os.close(_opened(where))


def _told(line: Line) -> str:
    at, caller, method, route, status, seconds, sent, known = line
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    value = {
        "time": f"{whole}.{int(at % 1 * 1e6):06d}Z", "caller": caller, "method": method,
        "route": route, "status": status, "us": int(seconds * 1e6), "bytes": sent, "id": known,
    }  # fmt: skip
    return json.dumps(value, separators=(",", ":")) + "\n"


def _opened(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _same(path: str, out: int) -> bool:
    try:
        there, here = os.stat(path), os.fstat(out)
    except OSError:
        return False
    return (there.st_ino, there.st_dev) == (here.st_ino, here.st_dev)

"""Several processes behind one socket: forked, watched, and stopped together."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Final, NoReturn

from delegant.credentials.errors import Error, error

__all__ = ["STOP_SECONDS", "work_together"]

STOP_SECONDS: Final = 10.0
"""How long the workers may take to end; then they are ended."""
YOUNG_SECONDS: Final = 2.0
MOST_FAILURES: Final = 5
"""Workers that may die young one after the other; then all stop."""
_TOLD: Final = (signal.SIGTERM, signal.SIGINT)
LOG: Final = logging.getLogger("delegant")


def work_together(count: int, work: Callable[[int, int], None]) -> None:
    """Have as many processes do the same until this one is told to stop.

    One that dies is started again. SIGTERM and SIGINT are passed on, and the workers waited for.
    Whatever becomes of this process, they end with it.

    Args:
        count: how many.
        work: what each does: with its number, and with a file descriptor that can be read from
            once this process is gone. This process has no other thread, and no connections.

    Raises:
        Unavailable: ``unavailable`` when they do not stay up.
    """
    reader, writer = os.pipe()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*_TOLD, signal.SIGCHLD})
    crew: dict[int, tuple[int, float]] = {}
    failures, end, stopping = 0, 0.0, False

    def start(number: int) -> None:
        pid = os.fork()
        if pid == 0:
            os.close(writer)
            _child(work, number, reader, before)
        crew[pid] = number, time.monotonic()

    try:
        for number in range(count):
            start(number)
        while crew:
            got = signal.sigtimedwait({*_TOLD, signal.SIGCHLD}, 0.5)
            if got is not None and got.si_signo in _TOLD and not stopping:
                stopping, end = True, time.monotonic() + STOP_SECONDS
                _send(crew, signal.SIGTERM)
            if stopping and time.monotonic() > end:
                _send(crew, signal.SIGKILL)
            for pid in tuple(crew):
                if os.waitpid(pid, os.WNOHANG)[0] == 0:
                    continue
                number, since = crew.pop(pid)
                if stopping:
                    continue
                failures = failures + 1 if time.monotonic() - since < YOUNG_SECONDS else 0
                if failures > MOST_FAILURES:
                    stopping, end = True, time.monotonic() + STOP_SECONDS
                    _send(crew, signal.SIGTERM)
                    continue
                LOG.warning("worker %s is gone, and started again", number)
                time.sleep(min(0.1 * failures, 0.5))
                start(number)
    finally:
        _send(crew, signal.SIGKILL)
        os.close(reader)
        os.close(writer)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if failures > MOST_FAILURES:
        raise error("unavailable", "the workers do not stay up; they said why")


def _send(crew: dict[int, tuple[int, float]], number: signal.Signals) -> None:
    for pid in crew:
        os.kill(pid, number)


def _child(
    work: Callable[[int, int], None], number: int, reader: int, mask: set[int | signal.Signals]
) -> NoReturn:
    code = 1
    try:
        for one in _TOLD:
            signal.signal(one, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        work(number, reader)
        code = 0
    except Error as exc:
        sys.stderr.write(f"worker {number}: {exc}\n")
        code = exc.exit_status
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else 1
    except BaseException:  # noqa: BLE001 - it ends here, whatever it is
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

"""The servers under test, as processes on a core of their own, and what they cost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.suite import MissingError

__all__ = ["CORES", "MissingError", "Running", "delegant", "nginx", "program", "unbound"]

CORES = sorted(os.sched_getaffinity(0))
SERVER, LOAD = (CORES[0], CORES[-1])
"""The core of the server and that of who asks; the same one where there is no other."""
TICK = os.sysconf("SC_CLK_TCK")
PLACES = ("/usr/sbin", "/usr/local/sbin", "/sbin")
QUIET = {
    "DELEGANT_ACCESS_LOG": "off",
    "DELEGANT_RATE": "0",
    "DELEGANT_CONCURRENCY": "0",
}
"""No limit for one caller and no access log, as nginx has neither here."""


def program(name: str) -> str:
    """Where a program is."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *PLACES))
    found = shutil.which(name, path=path)
    if found is None:
        raise MissingError(f"{name} is not installed here")
    return found


@dataclass(frozen=True)
class Running:
    """A server: its process and its port."""

    pid: int
    port: int

    @property
    def cpu(self) -> float:
        """Seconds of the processors that it and its children have used."""
        ticks = 0
        for pid in _family(self.pid):
            with contextlib.suppress(OSError):
                told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(told[11]) + int(told[12])
        return ticks / TICK


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    above: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                told = (folder / "stat").read_text().rpartition(")")[2].split()
                above[int(folder.name)] = int(told[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in above.items() if parent == one]
    return found


@cache
def _on(cores: tuple[int, ...]) -> list[str]:
    """What puts a command on these cores."""
    if len(CORES) == 1:
        return []
    return [program("taskset"), "-c", ",".join(map(str, cores))]


@contextlib.contextmanager
def _started(
    words: Sequence[str], *, pinned: bool = True, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process, stopped afterwards."""
    process = subprocess.Popen(
        [*_on((SERVER,) if pinned else tuple(CORES)), *words],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def delegant(home: Path, passphrase: Path, *, workers: int = 1) -> Iterator[Running]:
    """`delegant serve` of a home; with one worker on the server's core, with more on all."""
    words = [
        sys.executable, "-m", "delegant.cli.main", "serve", "--bind", "127.0.0.1:0",
        "--home", str(home), "--passphrase-file", str(passphrase),
    ]  # fmt: skip
    if workers > 1:
        words += ["--workers", str(workers)]
    with _started(words, pinned=workers == 1, environment=QUIET) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line.startswith("listening on "):
            raise MissingError(f"delegant serve says {line!r}")
        port = int(line.rpartition(":")[2])
        _answers(lambda: _connects(port))
        yield Running(process.pid, port)


@cache
def workers_known() -> bool:
    """Whether `delegant serve` has ``--workers``."""
    words = [sys.executable, "-m", "delegant.cli.main", "serve", "--help"]
    told = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return "--workers" in told.stdout


@contextlib.contextmanager
def nginx(files: Path) -> Iterator[Running]:
    """nginx with one worker that serves a folder of answers as files, and logs nothing."""
    found = program("nginx")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as folder:
        user = "user root;" if os.geteuid() == 0 else ""
        scratch = "".join(
            f"{what}_temp_path {folder}/{what};\n"
            for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = Path(folder) / "nginx.conf"
        config.write_text(NGINX.format(user=user, folder=folder, scratch=scratch, port=port,
                                       files=files))  # fmt: skip
        with _started([found, "-c", str(config), "-e", f"{folder}/error.log"]) as process:
            _answers(lambda: _connects(port))
            yield Running(process.pid, port)


NGINX = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    keepalive_timeout 600;
    open_file_cache max=200000 inactive=600s;
    open_file_cache_valid 600s;
    open_file_cache_min_uses 1;
    types {{}}
    default_type application/json;
    {scratch}
    server {{
        listen 127.0.0.1:{port};
        root {files};
        add_header Cache-Control "public, max-age=60";
        add_header Vary accept;
    }}
}}
"""


@contextlib.contextmanager
def unbound(text: str) -> Iterator[Running]:
    """Unbound with one thread that answers one TXT record of its own, over UDP."""
    found = program("unbound")
    port = free_port(socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory(prefix="bench-unbound-") as folder:
        config = Path(folder) / "unbound.conf"
        config.write_text(UNBOUND.format(folder=folder, port=port, text=text))
        with _started([found, "-d", "-c", str(config)]) as process:
            yield Running(process.pid, port)


UNBOUND = """\
server:
    do-daemonize: no
    num-threads: 1
    interface: 127.0.0.1
    port: {port}
    username: ""
    chroot: ""
    directory: "{folder}"
    pidfile: ""
    use-syslog: no
    logfile: "{folder}/log"
    do-tcp: no
    module-config: "iterator"
    local-zone: "bench.example." static
    local-data: 'name.bench.example. 60 IN TXT "{text}"'
remote-control:
    control-enable: no
"""


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _connects(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _answers(asked: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not asked():
        if time.monotonic() > end:
            raise MissingError("a server does not start")
        time.sleep(0.02)

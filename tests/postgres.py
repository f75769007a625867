"""A real PostgreSQL for a test session: a cluster in a temporary folder, a schema for each test.

Its settings are those it ships with: what it says it has written, it has flushed. It sorts text
as people do, so that a column which forgot to say otherwise is noticed.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

SECONDS = 30


def programs() -> Path | None:
    """The folder of PostgreSQL's programs: the newest there is."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")  # where Debian puts them
    newest = max(installed, key=lambda p: int(p.parts[-3]), default=None)
    found = shutil.which("initdb") if newest is None else newest
    return None if found is None else Path(found).resolve().parent


def unprivileged() -> dict[str, Any]:
    """As whom to start it: `initdb` refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    return {}


@dataclass
class Cluster:
    """One server. ``folder`` holds its data and its socket."""

    folder: Path
    bin: Path
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def make(self) -> None:
        """Make the files of a new server."""
        self.folder.chmod(0o755)
        rights = unprivileged()
        if rights:
            os.chown(self.folder, rights["user"], rights["group"])
        for more in (["--locale-provider=icu", "--icu-locale=en-US"], list[str]()):
            done = self.run(
                "initdb", "-D", self.data, "-U", "delegant", "-A", "trust", "-E", "UTF8",
                "--locale=C.UTF-8", "--no-sync", *more,
            )  # fmt: skip
            if done.returncode == 0:
                return
        raise RuntimeError(done.stderr.decode())

    @property
    def data(self) -> str:
        """Where its files are."""
        return str(self.folder / "data")

    def run(self, program: str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
        """Run one of its programs, as whom it belongs to."""
        own: dict[str, Any] = {"capture_output": True, "timeout": SECONDS, "cwd": "/"}
        return subprocess.run(  # noqa: PLW1510 - the caller looks
            [str(self.bin / program), *arguments], **(own | unprivileged() | more)
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", self.data, "-k", str(self.folder),
                 "-c", "listen_addresses=", "-c", "max_connections=200"],
                stdout=log, stderr=log, cwd="/", **unprivileged(),
            )  # fmt: skip
        end = time.monotonic() + SECONDS
        while self.run("pg_isready", "-h", str(self.folder)).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.folder / "server.log").read_text())
            time.sleep(0.05)

    def stop(self, sign: signal.Signals = signal.SIGINT) -> None:
        """Stop it; by default its clients are cut off, and what was committed is flushed."""
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(SECONDS)
            self.process = None

    def address(self, schema: str = "public", database: str = "postgres") -> str:
        """The URL of one schema."""
        return (
            f"postgresql://delegant@/{database}?host={quote(str(self.folder))}"
            f"&options={quote(f'-csearch_path={schema}')}"
        )

    def fresh(self) -> str:
        """The URL of a new schema."""
        schema = f"test{next(self._numbers)}"
        self.sql(f"CREATE SCHEMA {schema}")
        return self.address(schema)

    def sql(self, *statements: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """Do something; the rows of the last statement."""
        import psycopg

        rows: list[tuple[Any, ...]] = []
        with psycopg.connect((url or self.address()), autocommit=True) as db:
            for statement in statements:
                done = db.execute(statement.encode())
                rows = done.fetchall() if done.description else []
        return rows


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The session's server; the test is skipped where there is none."""
    pytest.importorskip("psycopg", reason="needs psycopg")
    found = programs()
    if found is None:
        pytest.skip("needs PostgreSQL's programs (apt install postgresql)")
    if os.geteuid() == 0 and not unprivileged():
        pytest.skip("PostgreSQL does not run as root, and there is nobody else")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path must be short
    out = Cluster(folder, found)
    try:
        out.make()
        out.start()
        yield out
    finally:
        out.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(cluster: Cluster) -> str:
    """The URL of a schema of the test's own."""
    return cluster.fresh()

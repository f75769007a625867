"""Programs nobody here wrote, asked over a pipe: installed once, one process for many jobs.

They are npm packages of exact versions (`package.json`, `package-lock.json`), installed into
``build/interop`` or found in ``$DELEGANT_NODE_MODULES``; `peers/*.mjs` puts jobs to them. None
of them gets to the network.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import selectors
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
HOME = HERE.parents[1] / "build" / "interop"
PACKAGES = ("package.json", "package-lock.json", ".npmrc")
OLDEST = 20
"""The oldest Node these packages run on."""
PATIENCE = 30.0
"""Seconds one answer may take; the first one includes the loading of the packages."""


class Missing(Exception):
    """Why the peers cannot be asked here."""


class Refused(Exception):
    """A job the peer would not do, in its own words."""


@cache
def node_modules() -> Path:
    """The folder of the installed packages; they are installed where they are not yet.

    Raises:
        Missing: no Node, too old a one, or the packages cannot be had.
    """
    node = shutil.which("node")
    if node is None:
        raise Missing("node is not on PATH")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    if int(version.stdout.strip("v\n").split(".")[0] or 0) < OLDEST:
        raise Missing(f"node {version.stdout.strip()} is older than {OLDEST}")
    given = os.environ.get("DELEGANT_NODE_MODULES")
    if given:
        if not Path(given, "@digitalbazaar", "vc").is_dir():
            raise Missing(f"DELEGANT_NODE_MODULES={given} does not hold the packages")
        return Path(given).resolve()
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / ".lock").open("w") as lock:  # other workers wait here, and find it done
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install()
    return HOME / "node_modules"


def _install() -> None:
    npm = shutil.which("npm")
    pins = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in PACKAGES)).hexdigest()
    stamp = HOME / ".pins"
    if stamp.is_file() and stamp.read_text("ascii") == pins:
        return
    if npm is None:
        raise Missing("npm is not on PATH")
    for name in PACKAGES:
        shutil.copy(HERE / name, HOME / name)
    try:
        done = subprocess.run(
            [npm, "ci"], cwd=HOME, capture_output=True, text=True, check=False, timeout=120
        )
    except subprocess.TimeoutExpired:
        raise Missing("the npm packages cannot be had here: npm ci takes too long") from None
    if done.returncode:
        raise Missing(f"the npm packages cannot be had here: {done.stderr.strip()[-200:]}")
    stamp.write_text(pins, "ascii")


class Peer:
    """One program of `peers/`, running.

    Args:
        program: its name, without the ending.
        folder: an empty folder to run it in.

    Raises:
        Missing: it cannot be asked here.
    """

    def __init__(self, program: str, folder: Path) -> None:
        modules = node_modules()
        (folder / "node_modules").symlink_to(modules)  # where Node looks, from this folder upward
        for path in (HERE / "peers").glob("*.mjs"):
            shutil.copy(path, folder / path.name)
        self._process = subprocess.Popen(
            ["node", f"{program}.mjs"],  # noqa: S607 - whichever Node is on PATH
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._process.stdout, selectors.EVENT_READ)

    def __call__(self, job: str, **given: Any) -> Any:
        """What it answers to a job.

        Raises:
            Refused: it would not do it.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"job": job, **given}).encode() + b"\n")
        self._process.stdin.flush()
        if not self._ready.select(PATIENCE):
            self._process.kill()
            raise AssertionError(f"no answer to {job} within {PATIENCE} s")
        line = self._process.stdout.readline()
        assert line, f"{self._process.args!r} ended at {job}"
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["value"]

    def close(self) -> None:
        """End it."""
        self._ready.close()
        self._process.kill()
        self._process.communicate()

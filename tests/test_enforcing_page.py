"""The page about standing before a resource: its three terminals, as they are typed."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from cli.conftest import Shell, shell

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "enforcing.md").read_text()
__all__ = ["shell"]  # pytest finds the fixture by its name here


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_three_terminals(shell: Shell) -> None:
    shell.now = int(time.time())  # the programs have their own clock
    organisation, serving, calling, report = blocks("sh")
    papers, agent, guarded = blocks("python")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    for name, text in (("papers.py", papers), ("agent.py", agent)):
        assert text.startswith(f"# {name}\n")
        Path(name).write_text(text.replace("8091", port))
    work = Path.cwd()
    for line in organisation.splitlines():
        words = shlex.split(line)
        if words[0] == "cd":
            shell.monkeypatch.chdir(words[1])
        else:
            assert words[0] == "delegant"
            shell.ok(*words[1:])
    shell.monkeypatch.chdir(work)
    (served,) = serving.splitlines()
    words = shlex.split(served.replace("8091", port))
    resource = subprocess.Popen(
        [sys.executable, "-m", *words], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        env=dict(os.environ),
    )  # fmt: skip
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.HTTPError:
                assert resource.poll() is None
                time.sleep(0.1)
        assert calling == "python agent.py\n"
        done = subprocess.run(
            [sys.executable, "agent.py"], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
    finally:
        resource.terminate()
        resource.wait(20)
    first, second, third = done.stdout.splitlines()
    assert first.startswith("200 ['On attenuation, part 1'")
    assert second == "403 constraint"
    assert third == "401 holder-missing"
    told = shell.ok(*shlex.split(report)[1:])
    assert told.splitlines()[-1].startswith("4 acts, 1 success, 3 refused of did:web:db")
    names: dict[str, object] = {}
    exec(guarded, names)  # noqa: S102 - a block of our own page
    assert callable(names["read_paper"])

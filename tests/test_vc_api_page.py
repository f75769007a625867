"""The page about the VC-API: its commands run as they stand there, with a real server and curl."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from delegant.cli.demo.stage import free_port, running
from delegant.resolver.issuing import SUITES
from delegant.resolver.material import _CHECKS
from delegant.wallet.issued import PURPOSES
from delegant.wallet.issuer import KINDS

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "vc-api.md").read_text()

CURL = """#!{python}
import sys
from pathlib import Path
import httpx
words, headers, body = sys.argv[1:], {{}}, b""
while words:
    word = words.pop(0)
    if word == "-H":
        name, _, value = words.pop(0).partition(": ")
        headers[name] = value
    elif word == "-d":
        given = words.pop(0)
        body = Path(given[1:]).read_bytes() if given[:1] == "@" else given.encode()
    elif not word.startswith("-"):
        print(httpx.post(word, headers=headers, content=body).text)
"""


class Reader:
    """Somebody who types what the page says, block by block, into bash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        tools = folder / "bin"
        tools.mkdir()
        self._tool(
            tools / "delegant", f'#!/bin/sh\nexec {sys.executable} -m delegant.cli.main "$@"\n'
        )
        if shutil.which("curl") is None:
            self._tool(tools / "curl", CURL.format(python=sys.executable))
        secret = folder / "passphrase"
        secret.write_text("correct horse battery staple")
        secret.chmod(0o600)
        self.env = os.environ | {
            "DELEGANT_PASSPHRASE_FILE": str(secret),
            "PATH": f"{tools}:{os.environ['PATH']}",
        }

    @staticmethod
    def _tool(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def types(self, block: str) -> str:
        """Everything a block prints; it must work. The page's port is ours."""
        block = block.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        here = f"--url http://127.0.0.1:{self.port}"
        block = block.replace("--org acme.example", f"--org acme.example {here}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],  # noqa: S607 - as a reader would
            cwd=self.folder, env=self.env, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, block + done.stdout + done.stderr
        return done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="the page is typed into bash")
def test_issue_verify_revoke_and_verify_again_as_the_page_has_it(tmp_path: Path) -> None:
    first, second, third, fourth = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    reader = Reader(tmp_path)
    before, serve = first.strip().rsplit("\n", 1)
    assert serve.startswith("delegant serve")
    reader.types(before)
    reader.folder = tmp_path / "acme"
    bind = ["--bind", f"127.0.0.1:{reader.port}", "--home", str(reader.folder)]
    secret = ["--passphrase-file", reader.env["DELEGANT_PASSPHRASE_FILE"]]
    with running(["-m", "delegant.cli.main", "serve", *bind, *secret]):
        verified = json.loads(reader.types(second))
        assert (verified["verified"], verified["errors"]) == (True, [])
        issued = json.loads((reader.folder / "issued.json").read_text())["verifiableCredential"]
        assert issued["credentialSubject"]["alumniOf"] == "The School of Examples"
        told, _, after = reader.types(third).partition("}{")
        assert json.loads(told + "}")["status"] is True
        verdict = json.loads("{" + after)
        assert verdict["verified"] is False
        assert verdict["errors"][0]["code"] == "revoked"
        shown = reader.types(fourth)
        assert "auditors" in shown
        assert "did:key:zDn" in shown


def test_the_page_names_every_word_the_program_knows() -> None:
    for word in (
        *SUITES,
        *KINDS,
        *PURPOSES,
        *(set(_CHECKS) - {"status", "validFrom", "validUntil"}),
    ):
        assert f"`{word}`" in PAGE or f'"{word}"' in PAGE, word


def test_the_page_names_every_route() -> None:
    source = (ROOT / "resolver" / "delegant" / "resolver" / "vcapi.py").read_text()
    routes = re.findall(r'@app\.(get|post)\("([^"]+)"', source)
    assert len(routes) == 8
    for method, path in routes:
        assert f"`{method.upper()} {path}`" in PAGE

"""Every command and snippet of the page on older credentials runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from test_readme import ROOT, Shell
from w3c.issuing import University

pytest.importorskip("didkit", reason="DIDKit is not installed (extra: didkit; Python up to 3.12)")

PAGE = (ROOT / "docs" / "legacy.md").read_text()


def test_every_command_and_snippet_of_the_page_works(tmp_path: Path) -> None:
    shell = Shell(tmp_path, 8080)
    shell.types("delegant init --org acme.example")
    shell.folder = tmp_path / "acme"
    shell.types("delegant human add ana")
    (shell.folder / "diploma.jwt").write_bytes(University().issue("jwt"))
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) == 4
    said = [shell.types(line) for line in lines]
    assert "not checked: issuer, subject" in said[0]
    assert "evidence     uEi" in said[1]
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=shell.folder,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Example University" in done.stdout

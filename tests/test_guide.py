"""Every command of the guide runs, in a home like the reader's."""

from __future__ import annotations

import re
from pathlib import Path

from test_readme import ROOT, Shell

GUIDE = (ROOT / "docs" / "guide.md").read_text()


def test_every_command_of_the_guide_works(tmp_path: Path) -> None:
    shell = Shell(tmp_path, 8080)
    shell.types("delegant init --org acme.example")
    shell.folder = tmp_path / "acme"
    shell.types("delegant human add ana")
    (limits,) = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    (shell.folder / "limits.json").write_text(limits)
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 12
    for line in lines:
        shell.types(line)
    shown = shell.types("delegant delegations list")
    assert shown.count("grant") == 4
    assert "mandate" in shown

"""Every command of the pages on new keys and on attestations runs, and so does the snippet."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def lines_of(page: str) -> list[str]:
    """Every line of every sh block."""
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def typed(folder: Path, line: str) -> str:
    """One line, typed as the page has it."""
    words = shlex.split(line)
    assert words[0] == "delegant"
    secret = folder / "passphrase"
    if not secret.exists():
        secret.write_text("correct horse battery staple")
        secret.chmod(0o600)
    home = folder / "acme"
    done = subprocess.run(
        [sys.executable, "-m", "delegant.cli.main", *words[1:], "--passphrase-file", str(secret)],
        cwd=home if home.is_dir() else folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_every_command_on_new_keys_works(tmp_path: Path) -> None:
    lines = lines_of("rotation.md")
    assert len(lines) >= 15
    for line in lines:
        said = typed(tmp_path, line)
        if "rotate" in line or "recover" in line:
            assert "new key" in said
    typed(tmp_path, "delegant present bot --need db.read:urn:acme:papers:17 -o b.json")
    assert "accepted" in typed(tmp_path, "delegant verify b.json")


def test_every_command_on_attestations_works(tmp_path: Path) -> None:
    for line in ("delegant init --org acme.example", "delegant human add ana",
                 "delegant agent create bot --sponsor ana"):  # fmt: skip
        typed(tmp_path, line)
    lines = lines_of("attestations.md")
    assert len(lines) >= 10
    for line in lines:
        said = typed(tmp_path, line)
        if " attestation verify " in line:
            assert "counts: SOXComplianceCertified" in said
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "attestations.md").read_text(), re.DOTALL)
    home = tmp_path / "acme"
    agent = re.search(r"did:key:\w+", typed(tmp_path, "delegant agent list"))
    assert agent is not None
    asked = f"print(is_certified(open('fresh.json','rb').read(), {agent[0]!r}, {int(time.time())}))"
    done = subprocess.run(
        [sys.executable, "-c", code + asked], cwd=home, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "True", done.stderr

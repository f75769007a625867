"""The page about did:webvh: its Python and its commands run, its limits are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from delegant.cli.main import app
from delegant.w3c.webvh import log, parameters, proofs, witness

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "webvh.md").read_text()


def test_the_python_of_the_page_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) >= 4
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - our own page


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    monkeypatch.setenv("DELEGANT_PASSPHRASE_FILE", str(secret))
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(lines) >= 4
    did = ""
    for line in lines:
        words = [word.strip('"').replace("$DID", did) for word in line.split()]
        done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == 0, done.output
        did = did or done.stdout.split()[0]
        assert did.endswith(":acme.example:people:ana")


def test_the_limits_of_the_page_are_those_of_the_code() -> None:
    stated = PAGE.split("Limits:")[1].replace("\n", " ")
    for limit in (
        f"{log.MAX_LOG >> 20} MiB and {log.MAX_ENTRIES:,} entries a log",
        f"{log.MAX_ENTRY >> 10} KiB an entry",
        f"{proofs.MAX_PROOFS} proofs an entry",
        f"{parameters.MAX_KEYS} keys or witnesses",
        f"{witness.MAX_WITNESS >> 20} MiB and {witness.MAX_PROOFS:,} proofs that count",
    ):
        assert limit in stated

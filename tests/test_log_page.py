"""The page about the log: its commands run as they stand there, with real servers and a witness."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from delegant.ans.monitor import KINDS
from delegant.cli.demo.stage import free_port, running
from test_vc_api_page import Reader

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "log.md").read_text()


class Typist(Reader):
    """The same somebody; the page's second port is ours too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.other = free_port()

    def types(self, block: str) -> str:
        return super().types(block.replace("127.0.0.1:8089", f"127.0.0.1:{self.other}"))

    def starts(self, line: str, port: int) -> list[str]:
        """The arguments of a server that a line starts, at a port of ours."""
        _, *words = line.split()
        home = ["--home", str(self.folder)] if "--key-file" not in words else []
        words = [str(self.folder / word) if word.endswith((".wallet", ".json")) else word
                 for word in words]  # fmt: skip
        secret = ["--passphrase-file", self.env["DELEGANT_PASSPHRASE_FILE"]]
        return [
            "-m", "delegant.cli.main", *words, "--bind", f"127.0.0.1:{port}", *home, *secret,
        ]  # fmt: skip


def last_line(block: str) -> tuple[str, str]:
    before, _, line = block.strip().rpartition("\n")
    return before, line


@pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("curl") is None,
    reason="the page is typed into bash, with curl",
)
def test_serve_verify_watch_and_witness_as_the_page_has_it(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    serve, verify, copy, watch, key, again, trust = blocks
    reader = Typist(tmp_path)
    before, line = last_line(serve)
    reader.types(before)
    reader.folder = tmp_path / "acme"
    with running(reader.starts(line, reader.port)):
        told = reader.types(verify)
        assert told.count("2 entries, and every one keeps the rules") == 2
        assert re.search(r"1  \S+  register +of did:key:", told)
        assert reader.types(copy).count("2 entries") == 2
        seen = reader.types(watch)
        assert "nothing you should look at" in seen
        assert re.search(r"! new-name at 2 .*DataCorp\.v2\.0: registered by did:key:", seen)
        assert seen.rstrip().endswith("look at this")
    assert reader.types(last_line(copy)[1]).count("2 entries") == 1  # and nobody serves it
    make, line = last_line(key)
    reader.types(make)
    with ExitStack() as stack:
        stack.enter_context(running(reader.starts(line, reader.other)))
        before, line = last_line(again)
        reader.types(before)
        stack.enter_context(running(reader.starts(line, reader.port)))
        reader.types("for i in $(seq 50); do curl -s http://127.0.0.1:8080/checkpoint"
                     " | grep -q witness.example && exit 0; sleep 0.2; done; exit 1")  # fmt: skip
        assert "3 entries" in reader.types(trust)


def test_the_page_names_every_finding_and_the_states_of_a_log() -> None:
    for word in (*KINDS, "log-rollback", "log-split", "log-witness"):
        assert f"`{word}`" in PAGE, word


def test_the_page_says_what_a_witness_on_one_machine_is() -> None:
    assert "demonstration, not independence" in PAGE


def test_the_page_names_every_route_of_the_log() -> None:
    source = (ROOT / "resolver" / "delegant" / "resolver" / "logroutes.py").read_text()
    routes = re.findall(r'@reading\(app, "([^"]+)"', source)
    assert len(routes) == 4
    for path in routes:
        assert path.split("{")[0].rstrip("/") in PAGE, path

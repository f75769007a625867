"""The page about taking back: its commands and Python run, its feed is one, its figures hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

from delegant.credentials import Resolved, Trust
from delegant.credentials.credential import MANDATE_HARD_SECONDS
from delegant.credentials.feed import FEED_TYPE, MAX_ENTRIES
from delegant.credentials.policy import DEFAULT_STATUS_AGE
from delegant.schemas import names, validate
from test_readme import ROOT, Shell

PAGE = (ROOT / "docs" / "revocation.md").read_text()
KEY = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"
GIVEN = """
delegant human add ana
delegant agent create bot --sponsor ana --tools db.read
delegant agent create helper --sponsor ana --tools db.read
delegant delegate --from ana --to bot --allow db.read:urn:acme:papers:**
"""


def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    shell = Shell(tmp_path, 8080)
    shell.types("delegant init --org acme.example")
    shell.folder = tmp_path / "acme"
    for line in GIVEN.strip().splitlines():
        shell.types(line)
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    said = [shell.types(line) for block in blocks for line in block.splitlines()]
    assert len(said) == 9
    assert "3 revoked" in said[-1]


def test_python_of_the_page_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    found: dict[str, object] = {}
    exec(code, found)  # noqa: S102 - our own page
    trust = found["trust"]
    assert isinstance(trust, Trust)
    ((one,),) = trust.documents.values()
    assert isinstance(one, Resolved)
    assert one.deactivated


def test_feed_of_the_page_is_one() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert validate("revocation-feed", json.loads(text.replace("did:key:z6Mk…", KEY))) == []
    assert {"revocation-feed", "did-resolution"} <= set(names())


def test_figures_of_the_page_are_those_of_the_code() -> None:
    text = re.sub(r"\s+", " ", PAGE)
    assert f"holds at most {MAX_ENTRIES:,}" in text
    assert f"typ: {FEED_TYPE}" in text
    assert MANDATE_HARD_SECONDS == 30 * 86_400
    assert "30 days after they were revoked" in text
    assert DEFAULT_STATUS_AGE["high"] == 300
    assert "5 minutes for resources of high sensitivity" in text

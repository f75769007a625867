"""The page about tasks: its commands and its Python run, its figures hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from delegant.governance.agent import Agent
from delegant.governance.broker import GRANT_SECONDS, Broker
from delegant.governance.enforcing import EnforcementPoint
from delegant.integrations import calling, guard
from delegant.integrations.auth import NONCE_SECONDS, SESSION_SECONDS
from delegant.wallet import allocation, keystore
from governance.tasks import Office
from test_readme import ROOT, Shell

PAGE = (ROOT / "docs" / "tasks.md").read_text()


def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    shell = Shell(tmp_path, 8080)
    shell.types("delegant init --org acme.example")
    shell.folder = tmp_path / "acme"
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    said = [shell.types(line) for block in blocks for line in block.splitlines()]
    assert len(said) == 13
    assert "T-17" in said[5]
    assert "suspended" in said[11]


def test_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore, "_default", keystore.CHEAPEST)
    read: list[str] = []

    @guard(action="db.read", resource=lambda a: f"urn:acme:papers:{a['id']}")
    def read_paper(id: str) -> None:  # noqa: A002
        read.append(id)

    office = Office(tmp_path)

    class Timely(Broker):
        def __init__(self, *args: object, **more: object) -> None:
            super().__init__(*args, clock=lambda: office.now, **more)  # type: ignore[arg-type]

    class Then(EnforcementPoint):
        def __init__(self, *args: object, **more: object) -> None:
            super().__init__(*args, clock=lambda: office.now, **more)  # type: ignore[arg-type]

    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    given = {
        "Broker": Timely, "Agent": Agent, "EnforcementPoint": Then, "calling": calling,
        "home": office.home, "organization": office.organization, "ledger": office.ledger,
        "trust": office.trust, "read_paper": read_paper,
    }  # fmt: skip
    exec(code, given)  # noqa: S102 - our own page
    office.log.close()
    assert read == ["17"]
    assert given["broker"].closed([given["task"].grant])  # type: ignore[attr-defined]


def test_figures_of_the_page_are_those_of_the_code() -> None:
    assert (GRANT_SECONDS, NONCE_SECONDS, SESSION_SECONDS) == (900, 60, 300)
    bits = {n: allocation._BY_REMAINING[n] // 2 for n in (1, 2, 3)}
    assert bits == {1: 32, 2: 256, 3: 2048}
    text = re.sub(r"\s+", " ", PAGE)
    assert "has 32 such pairs, with `--redelegate 2` 256, with `--redelegate 3` 2,048" in text

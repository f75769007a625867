"""The page about policies: written, checked, signed by two, loaded and asked, in its order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from cli.conftest import Shell, shell
from delegant.governance.policies import CedarPolicy
from governance.policing import facts
from test_audit_page import blocks, typed

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "policy.md").read_text()
INSIDE = {"sourceSegment": "internal", "resource": {"dataSensitivity": "low"}}
__all__ = ["shell"]  # pytest finds the fixture by its name here


def test_the_page_as_it_stands(shell: Shell) -> None:
    typed(shell, "delegant init --org acme.example\ncd acme")
    typed(shell, "delegant human add ana\ndelegant human add ben")
    (cedar,), (declared,) = blocks(PAGE, "cedar"), blocks(PAGE, "json")
    Path("db.cedar").write_text(cedar)
    Path("declared.json").write_text(declared)
    Path("inside.json").write_text(json.dumps(facts(context=INSIDE)))
    Path("outside.json").write_text(json.dumps(facts(context={})))
    check, sign, decide = blocks(PAGE, "sh")
    assert "2 policies hold" in typed(shell, check)
    assert typed(shell, sign).count("  signed ") == 2
    yes, _, no = decide.partition("\n")
    assert typed(shell, yes).startswith("allow by acme-db 3: reading a table")
    assert typed(shell, no).startswith("deny by acme-db 3: no policy permits it")
    resource, pdp = blocks(PAGE, "python")
    found: dict[str, Any] = {}
    exec(resource, found)  # noqa: S102 - our own page
    exec(pdp, found)  # noqa: S102
    policy = found["policy"]
    assert isinstance(policy, CedarPolicy)
    assert policy.decide(facts(context=INSIDE)).effect == "allow"
    assert policy.decide(facts(context=INSIDE, asked={"rows": 1001})).effect == "step_up"
    assert "policy-seen.json" in {path.name for path in Path().iterdir()}


def test_the_page_names_each_address_once_more() -> None:
    for address in ("/access/v1/evaluation", "/access/v1/evaluations", "authzen-configuration"):
        assert re.search(rf"`(?:GET|POST) [^`]*{address}`", PAGE)

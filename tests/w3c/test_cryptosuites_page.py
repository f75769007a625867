"""The page about cryptosuites says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from delegant.credentials.envelope import DELEGATION_CONTEXT
from delegant.w3c import contexts, expansion, jsonld, proofs, rdfc

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cryptosuites.md").read_text("utf-8")


def test_every_snippet_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) >= 5
    exec("\n".join(blocks), {})  # noqa: S102 - our own page


def test_the_table_names_every_suite() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| (yes|no) \| yes \|$", PAGE, re.MULTILINE)
    assert {name: (tuple(kinds.split(", ")), signs == "yes") for name, kinds, signs in rows} == {
        suite.name: (suite.kinds, suite.signs) for suite in proofs.SUITES.values()
    }


def test_the_digest_of_our_context_is_the_one_stated() -> None:
    assert contexts.DIGESTS[DELEGATION_CONTEXT][0] in PAGE


def test_the_bounds_are_those_stated() -> None:
    (stated,) = re.findall(r"## Bounds\n\n(.*?) of the search", PAGE, re.DOTALL)
    numbers = [int(number.replace(",", "")) for number in re.findall(r"[0-9,]*[0-9]", stated)]
    assert numbers == [
        jsonld.MAX_DEPTH,
        jsonld.MAX_MEMBERS,
        expansion.MAX_CONTEXTS,
        expansion.MAX_DEFINITIONS,
        proofs.MAX_PROOFS,
        rdfc.MAX_WORK,
    ]
    assert f"{proofs.SKEW} seconds ahead" in PAGE

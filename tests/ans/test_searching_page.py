"""The page on searching says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from ans.market import Market
from ans.naming import NAME
from delegant.ans import attested, listing, query, resolving
from delegant.ans.fresh import FRESH_SECONDS
from delegant.ans.matching import REASONS
from delegant.ans.query import Query

PAGE = (Path(__file__).parents[2] / "docs" / "searching.md").read_text("utf-8")


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def _column(heading: str) -> list[str]:
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines()[2:]]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


def test_every_question_on_the_page_is_one() -> None:
    (examples,) = _blocks("text")
    for line in examples.splitlines():
        asked = [part.partition("=") for part in line.partition("?")[2].split("&")]
        assert len(asked) > 1
        pairs = [(name, value) for name, _, value in asked]
        assert Query.from_params(pairs).json
    (paper,) = _blocks("json")
    assert Query.from_json(paper.encode()).prefer == "acmefinance"


def test_the_tables_are_whole() -> None:
    assert set(_column("parameter")) == query._PARAMS - {"name"}
    assert _column("reason") == list(REASONS)


def test_the_numbers_are_the_programs() -> None:
    assert f"looks at no more than {listing.LOOK:,} names" in PAGE
    assert (
        f"good for {FRESH_SECONDS} seconds, and given again for {resolving.REUSE_SECONDS}" in PAGE
    )
    within = resolving.REUSE_SECONDS + attested.LIST_SECONDS
    assert f"within {within}\nseconds" in PAGE
    assert f"up to {resolving.TRACE} names" in PAGE
    assert f"{query.DEFAULT_LIMIT} unless told, at most {query.MAX_LIMIT}" in PAGE


def test_the_heartbeat_of_the_page_counts(tmp_path: Path) -> None:
    market = Market(tmp_path / "registry.db")
    market.register()
    given = {
        "key": market.bot.key, "agent": market.bot.did, "name": NAME,
        "registry": market.did, "now": market.now,
    }  # fmt: skip
    (snippet,) = _blocks("python")
    exec(snippet, given)  # noqa: S102 - it is ours
    market.registry.heartbeat(given["body"], given["token"], market.now)  # type: ignore[arg-type]
    assert market.names(capability="PaperQuery", available=1) == [NAME]

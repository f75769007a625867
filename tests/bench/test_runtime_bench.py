"""The bench of acting on record measures what it says, without a word about time."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from benchmarks.runtime import __main__ as run
from benchmarks.runtime import page
from benchmarks.runtime.effort import QUICK
from benchmarks.runtime.logs import Resource, large
from benchmarks.runtime.rows import ROWS

from governance.accounting import account

KEYS = {"audit_append_per_s", "trace_1e6_ms", "permit_us_at_64"}


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any], Path]:
    """One quick run: its figures, its details, and its folder."""
    folder = tmp_path_factory.mktemp("bench")
    out = folder / "runtime.json"
    assert run.main(["--quick", "--out", str(out), "--docs", str(folder / "docs")]) == 0
    details = json.loads((folder / "runtime-details.json").read_text())
    return json.loads(out.read_text()), details, folder


def test_one_quick_run_writes_a_number_for_every_row(quick: Any) -> None:
    figures, details, _ = quick
    assert set(figures) == {row.key for row in ROWS} >= KEYS
    assert details["absent"] == {}
    for key, value in figures.items():
        assert math.isfinite(value), key
        assert value > 0, key


def test_what_was_written_was_counted(quick: Any) -> None:
    _, details, _ = quick
    assert details["append"]["records"] == QUICK.appends // 2 * QUICK.rounds
    assert details["permit"]["permits"] == QUICK.permits
    assert details["trace"]["records"] == QUICK.size
    assert [row[0] for row in details["append"]["by_log_size"]] == list(QUICK.sizes)


def test_the_large_log_is_a_log(quick: Any) -> None:
    """Its chain, its tree and what lies beside it; its acts alone share an invocation."""
    _, _, folder = quick
    resource = large(QUICK.kept_in(folder / "runtime")).opened()
    wrong = account(resource.log, _no_limit())
    assert {one.partition(": ")[2] for one in wrong if "invocation" in one} == {
        "its invocation was used before"
    }
    left = [one for one in wrong if "invocation" not in one]
    # It was written past the ledger, which counts nothing of it.
    assert all(one.startswith("budgets are {}, the records say") for one in left), left
    resource.log.close()


class _no_limit(dict[str, int]):  # noqa: N801
    def __missing__(self, key: str) -> int:
        return 1 << 62


def test_every_act_of_the_bench_has_an_invocation_of_its_own(tmp_path: Path) -> None:
    resource = Resource(tmp_path / "audit")
    calls = resource.calls(resource.chains(2), 4)
    assert len({shown.invocation for _, _, shown in calls}) == 4
    assert all(len(auth.links) == 3 for auth, _, _ in calls)
    resource.log.close()


def test_rows_of_an_earlier_run_stay(quick: Any) -> None:
    figures, _, folder = quick
    out = folder / "runtime.json"
    assert run.main(["--quick", "--only", "trace", "--out", str(out)]) == 0
    again = json.loads(out.read_text())
    assert again["audit_append_per_s"] == figures["audit_append_per_s"]
    assert again["trace_1e6_ms"] != figures["trace_1e6_ms"]
    assert json.loads((folder / "runtime-details.json").read_text())["append"]["records"]


def test_the_page_is_rendered_from_its_run(quick: Any) -> None:
    figures, _, folder = quick
    docs = folder / "docs"
    published = json.loads((docs / page.DATA).read_text())
    text = page.render(published)
    assert (docs / page.PAGE).read_text() == text
    published["figures"]["audit_append_per_s"] = 123_456.0
    assert "123,456 records/s" in page.render(published)
    assert f"{figures['audit_append_per_s']:,.0f} records/s" in text


def test_the_published_page_is_that_of_the_published_run() -> None:
    if not (run.DOCS / page.DATA).is_file():
        pytest.skip("no run was published yet")
    published = json.loads((run.DOCS / page.DATA).read_text())
    assert (run.DOCS / page.PAGE).read_text() == page.render(published)
    assert not published["details"]["quick"]

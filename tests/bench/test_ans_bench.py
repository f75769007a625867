"""The bench of the naming service measures what it says, without a word about time."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks.ans import __main__ as run
from benchmarks.ans import load, page, processes, resolving
from benchmarks.ans.effort import FULL, QUICK
from benchmarks.ans.homes import name_of
from benchmarks.ans.rows import ROWS

from delegant.ans import AnsName

KEYS = {
    "resolve_hot_vs_nginx",
    "resolve_cold_vs_nginx",
    "resolve_304_vs_nginx",
    "resolve_capability_100k_vs_nginx",
    "resolve_capability_100k_p99_ms",
    "register_64_per_s",
    "register_64_p50_ms",
    "store_rows_per_s",
    "store_names_per_s",
    "answer_verify_r",
}
PROGRAMS = ("nginx", "wrk", "unbound")


def here(name: str) -> bool:
    try:
        processes.program(name)
    except processes.MissingError:
        return False
    return True


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any], Path]:
    """One quick run: its figures, its details, and where it wrote its page."""
    folder = tmp_path_factory.mktemp("bench")
    out = folder / "ans.json"
    assert run.main(["--quick", "--out", str(out), "--docs", str(folder / "docs")]) == 0
    details = json.loads((folder / "ans-details.json").read_text())
    return json.loads(out.read_text()), details, folder / "docs"


def test_one_quick_run_writes_a_number_for_every_row(quick: Any) -> None:
    figures, details, _ = quick
    assert set(figures) == KEYS == {row.key for row in ROWS}
    for row, needs in (("resolve", {"nginx", "wrk"}), ("search", {"nginx", "wrk"}),
                       ("dns", {"unbound"})):  # fmt: skip
        assert (row in details["absent"]) == (not all(map(here, needs)))
    for key, value in figures.items():
        if key.startswith("resolve") and details["absent"]:
            assert value is None or value > 0
        else:
            assert math.isfinite(value), key
            assert value > 0, key


def test_ratios_are_of_what_was_measured(quick: Any) -> None:
    figures, details, _ = quick
    if details["absent"]:
        pytest.skip(f"not measured here: {details['absent']}")
    for row in ("hot", "cold", "304"):
        told = details["resolve"][row]
        (ours,), (theirs,) = told["ours"], told["nginx"]
        found = ours["rate"] / theirs["rate"]
        assert figures[f"resolve_{row}_vs_nginx"] == pytest.approx(found, rel=0.05, abs=1e-3)
    assert details["resolve"]["hot"]["ours"][0]["size"] > details["resolve"]["body_bytes"]


def test_answers_of_nginx_are_as_long_as_the_servers(quick: Any) -> None:
    _, details, _ = quick
    if details["absent"]:
        pytest.skip(f"not measured here: {details['absent']}")
    told = details["resolve"]["hot"]
    assert told["nginx"][0]["size"] == pytest.approx(told["ours"][0]["size"], rel=0.1)


def test_the_proofs_of_a_sample_were_checked(quick: Any) -> None:
    _, details, _ = quick
    runs = [one for one in details["register"].values() if isinstance(one, dict)]
    assert len(runs) >= len(QUICK.clients)
    assert all(one["receipts_checked"] >= 1 for one in runs)


def test_the_page_is_rendered_from_its_run(quick: Any) -> None:
    figures, _, docs = quick
    published = json.loads((docs / page.DATA).read_text())
    text = page.render(published)
    assert (docs / page.PAGE).read_text() == text
    assert f"{figures['store_rows_per_s']:,.0f} rows/s" in text
    published["figures"]["store_rows_per_s"] = 123_456.0
    assert "123,456 rows/s" in page.render(published)


def test_the_published_page_is_that_of_the_published_run() -> None:
    docs = run.DOCS
    if not (docs / page.DATA).is_file():
        pytest.skip("no run was published yet")
    published = json.loads((docs / page.DATA).read_text())
    assert (docs / page.PAGE).read_text() == page.render(published)
    assert not published["details"]["quick"]


def test_what_is_missing_is_null_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(processes, "PLACES", ())
    effort = QUICK.kept_in(tmp_path / "homes")
    console = SimpleNamespace(status=_silent)
    figures, details = run.measure(effort, ["resolve", "search", "dns"], console)  # type: ignore[arg-type]
    assert set(figures) == KEYS
    assert set(figures.values()) == {None}
    assert details["absent"] == {
        "resolve": "nginx is not installed here",
        "search": "nginx is not installed here",
        "dns": "unbound is not installed here",
    }


class _silent:  # noqa: N801
    def __init__(self, _what: str) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def test_every_name_is_a_name_and_no_two_are_one() -> None:
    names = {AnsName.parse(name_of(number)).key for number in range(6000)}
    assert len(names) == 6000


def test_draws_are_of_zipf_and_the_same_each_time() -> None:
    draws = resolving.zipf(1000, 50_000)
    assert draws == resolving.zipf(1000, 50_000)
    counts = sorted((draws.count(one) for one in set(draws)), reverse=True)
    whole = sum(1 / rank for rank in range(1, 1001))
    assert counts[0] / len(draws) == pytest.approx(1 / whole, rel=0.05)
    assert counts[9] / len(draws) == pytest.approx(1 / whole / 10, rel=0.2)


def test_hot_answers_fit_into_what_a_server_keeps() -> None:
    assert len(set(resolving.zipf(FULL.names, FULL.draws))) * (4096 + 1024) < 64 * 1024 * 1024


def test_names_asked_for_once_are_enough_for_every_round() -> None:
    hot = len(set(resolving.zipf(FULL.names, FULL.draws)))
    assert FULL.names - hot >= FULL.rounds * FULL.cold
    small = replace(FULL).at_most(10_000)
    hot = len(set(resolving.zipf(small.names, small.draws)))
    assert small.names - hot >= small.rounds * small.cold


def test_a_client_reads_answers_that_come_in_pieces() -> None:
    line = load._Line(None)  # type: ignore[arg-type]
    whole = b"HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 3\r\n\r\nabc"
    for at in range(len(whole)):
        line.data += whole[at : at + 1]
        assert load._whole(line) == (at == len(whole) - 1)
    assert load._reply(line, 200) == load.Reply(200, "x", b"abc")


def test_a_goal_is_met_from_its_own_side() -> None:
    rows = {row.key: row for row in ROWS}
    assert rows["resolve_hot_vs_nginx"].met(0.5)
    assert not rows["resolve_hot_vs_nginx"].met(0.49)
    assert rows["register_64_p50_ms"].met(40)
    assert not rows["register_64_p50_ms"].met(40.1)
    assert rows["answer_verify_r"].met(1) is None

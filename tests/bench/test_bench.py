"""The benchmarks measure what they say: every row once, without a word about time."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path

import pytest
from benchmarks import chains, measure, plot, run
from benchmarks.measure import Effort, Figure
from benchmarks.peers import PEERS, Absent, Peer, Ready
from benchmarks.rows import LENGTHS, ROWS

from delegant.credentials import Error, Request, verify

OURS = {
    "verify_3_cold",
    "verify_3_warm",
    "verify_10_cold",
    "verify_10_warm",
    "evidence_item",
    "evidence_identity",
    "evidence_list",
    "evidence_feed",
    "threads_2",
    "processes_2",
    "cores_2",
    "issue_link",
    "issue_link_jwt",
    "bytes_per_link",
    "bytes_per_full_link",
}
THEIRS = {"peer_biscuit", "peer_macaroons", "peer_vouch", "peer_rfc8693_jwt"}


def test_one_quick_run_writes_a_number_for_every_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["--quick", "--out", str(tmp_path), "--plot", str(tmp_path / "p.png")]) == 0
    found = json.loads((tmp_path / "verify.json").read_text())
    assert set(found) >= OURS | THEIRS
    assert all(found[key] > 0 for key in OURS)
    assert all(found[key] is None or found[key] > 0 for key in THEIRS)
    details = json.loads((tmp_path / "details.json").read_text())
    assert details["links"] == list(LENGTHS)
    assert [len(row) for row in details["curve"].values()] == [len(LENGTHS)] * 2
    shown = capsys.readouterr().out
    assert all(row.what in shown for row in ROWS)
    assert all(peer.package in shown for peer in PEERS)


@pytest.fixture(scope="module", params=PEERS, ids=lambda peer: peer.package)
def peer(request: pytest.FixtureRequest) -> Ready:
    """A peer's token and verifier, where it is installed."""
    one: Peer = request.param
    try:
        return one.ready()
    except Absent as exc:
        pytest.skip(f"{one.package}: {exc}")


def test_a_peer_refuses_more_rows_than_its_token_allows(peer: Ready) -> None:
    assert peer.accepts(peer.token, rows=3)
    assert not peer.accepts(peer.token, rows=501)


def test_a_peer_refuses_a_token_with_one_bit_flipped(peer: Ready) -> None:
    for place in range(0, len(peer.token), len(peer.token) // 24):
        altered = bytearray(peer.token)
        altered[place] ^= 1
        assert not peer.accepts(bytes(altered)), place


def test_a_peer_that_is_not_installed_is_absent_with_a_reason() -> None:
    def build() -> Ready:
        raise ModuleNotFoundError("No module named 'nowhere'")

    with pytest.raises(Absent, match="not installed here: No module named 'nowhere'"):
        Peer("peer_nowhere", "nowhere", "", PEERS[0].scope, build).ready()


def test_our_own_rows_verify_and_refuse() -> None:
    three = chains.story()
    cold, warm = three.cold(), three.warm()
    assert [link.id for link in cold.links] == [link.id for link in warm.links]
    assert len(cold.links) == 3
    with pytest.raises(Error):
        verify(three.presentation[:-9], b"{}", three.trust, chains.read_papers(), at=three.at)
    more = Request("db.read", "urn:acme:papers:17", rows=501)
    with pytest.raises(Error):
        verify(three.presentation, three.evidence, three.trust, more, at=three.at)


def test_a_ratio_is_that_of_the_costs_though_neighbours_interrupt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 0.0
    interruptions = cycle([0.0, 5.0, 0.0, 0.0, 40.0, 0.0, 0.5])

    def spend(seconds: float) -> None:
        nonlocal clock
        clock += seconds + next(interruptions)

    monkeypatch.setattr("time.thread_time", lambda: clock)
    effort = Effort(rounds=9, pairs=8, block=0.0, work=1)
    figure = measure.ratio(lambda: spend(3.0), lambda: spend(0.5), effort)
    assert figure == Figure(6.0, 6.0, 6.0)


@pytest.mark.parametrize(
    ("key", "value", "met"),
    [
        ("verify_3_cold", 6.0, True),
        ("verify_3_cold", 6.1, False),
        ("threads_2", 1.3, True),
        ("threads_2", 1.2, False),
        ("cores_2", 1.0, None),
    ],
)
def test_a_row_says_whether_its_goal_is_met(key: str, value: float, met: bool | None) -> None:
    (row,) = (one for one in ROWS if one.key == key)
    assert row.met(value) is met


def test_the_plot_is_a_png_of_readme_size(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    cold = [1.5 * (length + 1) for length in LENGTHS]
    plot.draw(LENGTHS, cold, [1.5 for _ in LENGTHS], tmp_path / "p.png")
    drawn = (tmp_path / "p.png").read_bytes()
    assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(drawn[16:20]), int.from_bytes(drawn[20:24])) == (1600, 900)

"""Logs read to the end from folders of tiles: whole or not, and what their owners should hear."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ans.tiled import REGISTRY, RISK, SEARCH, Log, did_of, key_of, put, story
from delegant.ans.log import tiles
from delegant.ans.log.checkpoint import Checkpoint, add_signatures, cosign, sign_checkpoint
from delegant.ans.log.fetching import folder_fetch
from delegant.ans.log.note import COSIGNATURE, NoteSigner, b64_encode
from delegant.ans.log.reading import LogReader
from delegant.ans.monitor import Monitor, Report, Watch, history, verify_log
from delegant.credentials import Error
from delegant.credentials.shape import format_time
from refusal import refusal


def reader(folder: Path, **more: Any) -> LogReader:
    return LogReader(folder_fetch(folder), Log().signer.key, **more)


def long() -> Log:
    """More than two bundles of entries."""
    log = story()
    for number in range(600):
        log.event("register", f"mcp://F{number}.Domain.DataCorp.v1", f"agent {number % 7}")
    return log


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the long log."""
    return long().write(tmp_path_factory.mktemp("log"))


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """One to do things to."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


# --- verifying ----------------------------------------------------------------------------------


def test_a_whole_log_is_verified_from_its_tiles_alone(whole: Path) -> None:
    seen: list[int] = []
    found = verify_log(reader(whole), REGISTRY, lambda entry: seen.append(entry.index))
    assert found.checkpoint == long().checkpoint
    assert seen == list(range(612))
    assert found.json["names"] == 603
    assert (found.json["revoked"], found.json["suspended"]) == (1, 1)
    assert verify_log(reader(whole)).json == found.json


def test_the_empty_log_is_whole(tmp_path: Path) -> None:
    found = verify_log(reader(Log().write(tmp_path)))
    assert (found.json["size"], found.json["names"], found.json["registry"]) == (0, 0, None)


def test_the_life_of_a_name_is_told_from_registration_to_revocation(whole: Path) -> None:
    shouted = SEARCH.replace("SemanticSearch", "SEMANTICSEARCH")
    entries, found = history(reader(whole), shouted)
    told = [
        (entry.leaf.json["type"], entry.standing.state(expired=False))
        for entry in entries
        if entry.standing is not None
    ]
    assert told == [
        ("register", "active"), ("renew", "active"), ("update", "active"),
        ("transfer", "active"), ("suspend", "suspended"), ("resume", "active"),
        ("revoke", "revoked"),
    ]  # fmt: skip
    assert [entry.index for entry in entries] == [1, 3, 4, 5, 6, 7, 9]
    assert found.checkpoint.size == 612
    assert refusal(lambda: history(reader(whole), "mcp://No.Such.Name.v1")) == "ans-not-found"


def first_bad(folder: Path) -> tuple[str, str | None]:
    """Code, and the entry that is named."""
    try:
        verify_log(reader(folder), REGISTRY)
    except Error as exc:
        return exc.code, exc.dimension
    return "", None


def bundled(folder: Path, change: Callable[[list[bytes]], object], index: int = 1) -> None:
    """Change the entries of a bundle, and nothing else: whoever does holds no key."""
    path = folder / tiles.bundle_path(index)
    entries = tiles.unpack(path.read_bytes())
    change(entries)
    path.write_bytes(tiles.pack(entries))


def swap(entries: list[bytes]) -> None:
    entries[17], entries[18] = entries[18], entries[17]


CHANGES: dict[str, Callable[[list[bytes]], object]] = {
    "removal": lambda entries: entries.pop(17),
    "reorder": swap,
    "edit": lambda entries: entries.__setitem__(17, entries[17].replace(b'"seq":0', b'"seq":1')),
    "duplicate": lambda entries: entries.__setitem__(slice(17, None), entries[16:-1]),
    "insertion": lambda entries: entries.__setitem__(
        slice(17, None), [entries[3], *entries[17:-1]]
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_done_to_the_entries_is_noticed_at_the_first_that_is_wrong(
    copy: Path, what: str
) -> None:
    bundled(copy, lambda entries: entries)  # written again as it was: nothing to notice
    assert first_bad(copy) == ("", None)
    bundled(copy, CHANGES[what])
    assert first_bad(copy) == ("log-proof", "entry 273")


@pytest.mark.parametrize("most", [1, 100, 255])
def test_a_bundle_that_ends_too_soon_is_noticed(copy: Path, most: int) -> None:
    bundled(copy, lambda entries: entries.__delitem__(slice(256 - most, None)))
    assert first_bad(copy) == ("log-proof", f"entry {512 - most}")


def test_half_an_entry_is_noticed(copy: Path) -> None:
    path = copy / tiles.bundle_path(1)
    path.write_bytes(path.read_bytes()[:-1])
    assert first_bad(copy) == ("log-proof", "entry 511")


@pytest.mark.parametrize("at", [0, 31, 32 * 100, 8191])
def test_a_tile_that_was_changed_is_noticed(copy: Path, at: int) -> None:
    path = copy / tiles.path(0, 1)
    body = bytearray(path.read_bytes())
    body[at] ^= 1
    path.write_bytes(bytes(body))
    assert first_bad(copy) == ("log-proof", "entry 256")


@pytest.mark.parametrize("place", [tiles.path(1, 0, 2), tiles.path(0, 2, 100)])
def test_a_tile_at_the_edge_that_was_changed_is_noticed(copy: Path, place: str) -> None:
    path = copy / place
    body = bytearray(path.read_bytes())
    body[40] ^= 1
    path.write_bytes(bytes(body))
    assert first_bad(copy)[0] == "log-proof"


@pytest.mark.parametrize(
    "place", ["checkpoint", tiles.path(0, 1), tiles.bundle_path(2, 100), tiles.path(1, 0, 2)]
)
def test_what_is_missing_is_no_yes(copy: Path, place: str) -> None:
    (copy / place).unlink()
    assert first_bad(copy)[0] == "not-found"


def test_a_checkpoint_of_another_key_is_not_believed(copy: Path) -> None:
    thief = NoteSigner(Log().signer.key.name, key_of("thief"))
    put(copy / "checkpoint", sign_checkpoint(long().checkpoint, thief).encode())
    assert first_bad(copy)[0] == "log-note"
    put(copy / "checkpoint", sign_checkpoint(long().checkpoint, Log().signer).encode())
    assert first_bad(copy) == ("", None)


def test_a_checkpoint_of_other_entries_is_noticed(copy: Path) -> None:
    other = Checkpoint(long().checkpoint.origin, 612, bytes(32))
    put(copy / "checkpoint", sign_checkpoint(other, Log().signer).encode())
    assert first_bad(copy)[0] == "log-proof"


def test_the_last_entry_left_out_by_somebody_without_the_key_is_noticed(copy: Path) -> None:
    cut = long()
    cut.entries.pop()
    note = (copy / "checkpoint").read_text()
    shutil.rmtree(copy)
    cut.write(copy, note=note)
    assert first_bad(copy)[0] == "not-found"  # the tiles of the tree that was signed


def test_an_operator_who_signs_what_breaks_the_rules_is_noticed(tmp_path: Path) -> None:
    log = story()
    del log.entries[3]
    assert first_bad(log.write(tmp_path / "a")) == ("log-entry", "entry 3")
    assert first_bad(story().write(tmp_path / "b")) == ("", None)


def test_fewer_witnesses_than_asked_for_are_not_enough(copy: Path) -> None:
    witness = NoteSigner("w.example/1", key_of("witness"), COSIGNATURE)
    asked = {"witnesses": [witness.key], "quorum": 1}
    assert refusal(lambda: verify_log(reader(copy, **asked))) == "log-witness"
    note = (copy / "checkpoint").read_text()
    line = cosign(long().checkpoint, witness, 1_790_000_000)
    put(copy / "checkpoint", add_signatures(note, [line]).encode())
    assert verify_log(reader(copy, **asked)).checkpoint.size == 612


# --- watching -----------------------------------------------------------------------------------


def kinds(report: Report) -> list[tuple[int, str]]:
    return [(one.index, one.kind) for one in report.findings]


def look(
    tmp_path: Path, log: Log, watch: Watch, remembered: Checkpoint | None = None
) -> Report:  # fmt: skip
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    return Monitor(watch, REGISTRY, remembered).look(reader(log.write(folder)))


OWN = Watch.of(["DataCorp"], [f"{SEARCH}={did_of('bot')}"])


def test_a_quiet_log_has_nothing_to_tell(tmp_path: Path) -> None:
    log = Log().bind("DataCorp").event("register", SEARCH).event("renew", SEARCH)
    log.event("suspend", SEARCH).event("resume", SEARCH)
    report = look(tmp_path, log, OWN)
    assert kinds(report) == []
    assert report.json["names"] == [
        {"name": SEARCH.lower(), "agent": did_of("bot"), "state": "active", "seq": 3}
    ]


def test_the_first_look_takes_the_names_there_are_as_they_are(tmp_path: Path) -> None:
    log = Log().bind("DataCorp").event("register", RISK, "risk")
    assert kinds(look(tmp_path, log, OWN)) == []
    seen = log.checkpoint
    log.event("register", "mcp://New.Thing.DataCorp.v1", "somebody")
    assert kinds(look(tmp_path, log, OWN, seen)) == [(2, "new-name")]
    assert kinds(look(tmp_path, log, OWN, log.checkpoint)) == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda log: log.event("transfer", SEARCH, "other"), "new-agent"),
        (lambda log: log.event("suspend", SEARCH, by="sponsor"), "suspended"),
        (lambda log: log.event("suspend", SEARCH, by="organization"), "suspended"),
        (lambda log: log.event("suspend", SEARCH, by="registry"), "suspended"),
        (lambda log: log.event("revoke", SEARCH, by="organization"), "revoked"),
        (lambda log: log.bind("DataCorp", kind="unbind"), "label-taken"),
        (lambda log: log.bind("DataC0rp", "thief"), "look-alike-provider"),
        (lambda log: log.event("register", SEARCH, "thief", seq=0, epoch=0, previous=None), "?"),
    ],
)
def test_a_change_its_owner_did_not_make_is_told(
    tmp_path: Path, change: Callable[[Log], Log], kind: str
) -> None:
    log = Log().bind("DataCorp").event("register", SEARCH)
    seen = log.checkpoint
    if kind == "?":
        again = Log().bind("DataCorp").event("register", SEARCH)
        again.now += 60
        again.last.clear()
        log = again.event("register", SEARCH, "thief")
        kind = "duplicate-name"
    else:
        change(log)
    assert kinds(look(tmp_path, log, OWN, seen)) == [(2, kind)]
    mine = Log().bind("DataCorp").event("register", SEARCH).event("renew", SEARCH)
    assert kinds(look(tmp_path, mine, OWN, seen)) == []


def test_a_name_that_is_another_agents_from_the_start_is_told_at_the_first_look(
    tmp_path: Path,
) -> None:
    log = Log().bind("DataCorp").event("register", SEARCH, "thief")
    assert kinds(look(tmp_path, log, OWN)) == [(1, "new-agent")]


def test_a_transfer_to_the_agent_that_is_meant_to_have_it_is_no_news(tmp_path: Path) -> None:
    log = Log().bind("DataCorp").event("register", SEARCH, "old").event("transfer", SEARCH, "bot")
    assert kinds(look(tmp_path, log, OWN)) == [(1, "new-agent")]  # until then it was another's
    seen = Checkpoint(log.checkpoint.origin, 2, log.root(2))
    assert kinds(look(tmp_path, log, OWN, seen)) == []


def test_a_name_that_looks_like_an_owned_one_is_told_whichever_came_first(tmp_path: Path) -> None:
    twin = SEARCH.replace("SemanticSearch", "Semant1cSearch")
    just = Watch.of([], [f"{SEARCH}={did_of('bot')}"])
    log = Log().bind("DataCorp").event("register", SEARCH).event("register", twin, "thief")
    (told,) = look(tmp_path, log, just).findings
    assert (told.index, told.kind, told.about) == (2, "look-alike-name", twin)
    late = Log().bind("DataCorp").event("register", twin, "thief").event("register", SEARCH)
    assert "look-alike-name" in [kind for _, kind in kinds(look(tmp_path, late, just))]
    other = SEARCH.replace("SemanticSearch", "SemanticStore")
    fine = Log().bind("DataCorp").event("register", SEARCH).event("register", other, "thief")
    assert kinds(look(tmp_path, fine, just)) == []


def test_a_label_that_was_never_the_owners_is_told_where_they_said_whose_it_is(
    tmp_path: Path,
) -> None:
    log = Log().bind("DataCorp", "thief")
    assert kinds(look(tmp_path, log, Watch.of([f"DataCorp={did_of('acme')}"]))) == [
        (0, "label-taken")
    ]
    assert kinds(look(tmp_path, log, Watch.of([f"DataCorp={did_of('thief')}"]))) == []


def test_entries_that_break_a_rule_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    log = story()
    del log.entries[3]
    report = look(tmp_path, log, Watch())
    assert kinds(report)[0] == (3, "broken-rule")
    assert report.checkpoint.size == len(log.entries)


def test_a_log_that_was_set_back_says_so_to_everybody(tmp_path: Path) -> None:
    log = story()
    log.now += 1
    log.add(
        {
            "version": 1, "registry": REGISTRY, "kind": "rewind", "size": 40,
            "root": b64_encode(bytes(32)), "reason": "a disk broke", "time": format_time(log.now),
        }
    )  # fmt: skip
    log.event("register", "mcp://Another.KnowledgeBase.DataCorp.v1")
    report = look(tmp_path, log, Watch())
    assert kinds(report) == [(12, "rewind")]
    (found,) = report.findings
    assert (found.index, found.about, found.time) == (12, REGISTRY, log.now - 1)
    assert "40 entries: a disk broke" in found.detail
    whole = verify_log(reader(log.write(tmp_path / "whole")))
    assert whole.json["rewinds"] == [found.json]
    assert whole.json["names"] == 4  # and the rest is read on


def test_the_same_monitor_reads_only_what_is_new(tmp_path: Path) -> None:
    asked: list[str] = []
    log = long()
    folder = log.write(tmp_path / "log")

    def counted(path: str) -> bytes:
        asked.append(path)
        return folder_fetch(folder)(path)

    counting = LogReader(counted, log.signer.key)
    monitor = Monitor(Watch(), REGISTRY)
    monitor.look(counting)
    asked.clear()
    log.event("register", "mcp://One.More.DataCorp.v1").write(folder)
    report = monitor.look(counting)
    assert (report.since, report.checkpoint.size) == (612, 613)
    assert [path for path in asked if "entries" in path] == ["tile/entries/002.p/101"]


def test_what_was_found_before_a_look_failed_is_told_by_the_next(tmp_path: Path) -> None:
    log = long()
    folder = log.write(tmp_path / "log")
    monitor = Monitor(OWN, REGISTRY)
    monitor.look(reader(folder))
    log.event("suspend", RISK, "risk", by="registry").event("transfer", RISK, "thief")
    seen = len(log.entries)
    for number in range(300):
        log.event("register", f"mcp://G{number}.Domain.DataCorp.v1", "thief")
    late = log.write(folder) / tiles.bundle_path(seen // 256 + 1, len(log.entries) % 256)
    held = late.read_bytes()
    late.unlink()  # served only after somebody has looked, and failed
    assert refusal(lambda: monitor.look(reader(folder))) == "not-found"
    put(late, held)
    report = monitor.look(reader(folder))
    assert (seen - 1, "broken-rule") in kinds(report)
    assert len(report.findings) == 302
    assert kinds(monitor.look(reader(folder))) == []  # and told once


def test_a_log_of_endless_findings_fills_no_memory(tmp_path: Path) -> None:
    log = Log().bind("DataCorp").event("register", SEARCH)
    log.entries += [log.entries[-1]] * 1500
    monitor = Monitor(OWN, REGISTRY)
    report = monitor.look(reader(log.write(tmp_path / "log")))
    assert (len(report.findings), report.more) == (1000, True)
    assert kinds(report)[0] == (2, "broken-rule")


def test_a_log_that_shrank_is_a_rollback(tmp_path: Path) -> None:
    log = story()
    seen = log.checkpoint
    log.entries.pop()
    assert refusal(lambda: look(tmp_path, log, Watch(), seen)) == "log-rollback"
    assert refusal(lambda: look(tmp_path, story(), Watch(), seen)) == ""


@pytest.mark.parametrize("more", [0, 1, 300])
def test_a_log_that_is_another_than_the_one_seen_is_a_split(tmp_path: Path, more: int) -> None:
    seen = story().checkpoint
    fork = Log().bind("DataCorp").event("register", SEARCH, "other")
    while len(fork.entries) < seen.size + more:
        fork.event("register", f"mcp://F{len(fork.entries)}.D.DataCorp.v1")
    assert refusal(lambda: look(tmp_path, fork, Watch(), seen)) == "log-split"
    same = story()
    for number in range(more):
        same.event("register", f"mcp://F{number}.D.DataCorp.v1")
    assert refusal(lambda: look(tmp_path, same, Watch(), seen)) == ""


def test_a_fork_after_the_first_look_is_a_split(tmp_path: Path) -> None:
    monitor = Monitor(Watch(), REGISTRY)
    monitor.look(reader(story().write(tmp_path / "a")))
    fork = story()
    fork.entries[-1] = fork.entries[-1].replace(did_of("payer").encode(), did_of("thief").encode())
    fork.event("register", "mcp://F.D.DataCorp.v1")
    fork.write(tmp_path / "b")
    assert refusal(lambda: monitor.look(reader(tmp_path / "b"))) == "log-split"
    again = story().event("register", "mcp://F.D.DataCorp.v1")
    again.write(tmp_path / "c")
    assert refusal(lambda: monitor.look(reader(tmp_path / "c"))) == ""


@pytest.mark.parametrize(
    ("labels", "agents"),
    [(["Data Corp"], []), (["DataCorp=x"], []), ([], ["x=y"]), ([], [SEARCH]), ([""], [])],
)
def test_what_is_no_label_or_name_is_not_watched(labels: list[str], agents: list[str]) -> None:
    assert refusal(lambda: Watch.of(labels, agents)) in ("ans-name", "did-invalid", "shape")

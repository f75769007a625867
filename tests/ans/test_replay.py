"""The rules a log is held to by whoever reads it again: each breach named with its entry."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ans.tiled import RISK, SEARCH, T0, Log, did_of, story
from delegant.ans.log.merkle import leaf_hash, node_hash
from delegant.ans.replay import Replay, Tree
from delegant.credentials import Error
from delegant.credentials.codec import canonical, parse_object
from delegant.credentials.shape import format_time

OTHER = "mcp://Other.Thing.DataCorp.v1"


def replayed(log: Log, registry: str | None = None) -> Replay:
    replay = Replay(registry)
    for index, data in enumerate(log.entries):
        replay.read(index, data)
    return replay


def first_bad(log: Log, registry: str | None = None) -> tuple[str, int, str] | None:
    """Code, index and words of the first entry that breaks a rule; None: there is none."""
    try:
        replayed(log, registry)
    except Error as exc:
        assert exc.dimension is not None
        return exc.code, int(exc.dimension.removeprefix("entry ")), exc.detail
    return None


def test_a_log_that_keeps_the_rules_is_replayed_to_what_is_so_now() -> None:
    replay = replayed(story())
    found = replay.names[SEARCH.lower()]
    assert (found.agent, found.epoch, found.seq) == (did_of("other"), 1, 6)
    assert found.state(expired=False) == "revoked"
    assert replay.names[RISK.lower()].state(expired=False) == "suspended"
    assert replay.providers == {"datacorp": did_of("acme"), "payments": did_of("bank")}
    assert first_bad(story(), did_of("registry")) is None
    assert first_bad(Log()) is None


# --- what is done to a log, by somebody who holds its key: nearest twin above -------------------


def removed(index: int) -> Log:
    log = story()
    del log.entries[index]
    return log


@pytest.mark.parametrize(
    ("index", "told"),
    [(0, 0), (1, 2), (3, 3), (4, 4), (5, 5), (6, 6), (10, 10)],
    ids=["binding", "registration", "renewal", "update", "transfer", "suspension", "binding 2"],
)
def test_a_removed_entry_is_missed_by_what_follows_it(index: int, told: int) -> None:
    log = removed(index)
    found = first_bad(log)
    assert found is not None
    assert found[0] == "log-entry"
    assert found[1] == told, found


@pytest.mark.parametrize(("one", "other", "told"), [(0, 1, 0), (3, 4, 3), (5, 6, 5), (9, 10, 10)])
def test_reordered_entries_are_noticed_where_the_order_breaks(
    one: int, other: int, told: int
) -> None:
    log = story()
    log.entries[one], log.entries[other] = log.entries[other], log.entries[one]
    found = first_bad(log)
    assert found is not None
    assert found[:2] == ("log-entry", told), found


@pytest.mark.parametrize("index", [1, 3, 5, 8])
def test_an_entry_logged_twice_is_noticed(index: int) -> None:
    log = story()
    log.entries.insert(index + 1, log.entries[index])
    found = first_bad(log)
    assert found is not None
    assert found[:2] == ("log-entry", index + 1)


EDITS: dict[str, tuple[int, dict[str, Any], int]] = {
    "another agent": (3, {"agent": did_of("thief")}, 3),
    "another seq": (3, {"seq": 2}, 3),
    "another event": (3, {"event": "uEi" + "A" * 44}, 4),
    "another previous": (4, {"previous": "uEi" + "A" * 44}, 4),
    "another epoch": (5, {"epoch": 2}, 5),
    "another registry": (4, {"registry": did_of("thief")}, 4),
    "an earlier time": (4, {"time": format_time(T0)}, 4),
    "another kind": (3, {"type": "update", "record": None}, 3),
    "by somebody else": (3, {"by": "organization"}, 3),
    "an unknown member": (3, {"more": 1}, 3),
    "another version": (3, {"version": 2}, 3),
    "another owner": (5, {"from": did_of("thief")}, 5),
    "another name": (3, {"name": OTHER}, 3),
    "another organisation": (10, {"provider": "datacorp", "shown": "DataCorp"}, 10),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edited_entry_is_noticed(what: str) -> None:
    index, members, told = EDITS[what]
    log = story()
    leaf = parse_object(log.entries[index], size=65_535) | members
    log.entries[index] = canonical({name: one for name, one in leaf.items() if one is not None})
    found = first_bad(log)
    assert found is not None, what
    assert found[:2] == ("log-entry", told), found


def test_bytes_that_are_no_leaf_are_named() -> None:
    for data in (b"", b"{}", b"\xff", b" " + story().entries[0], b"[1]", b"{" * 10_000):
        log = story()
        log.entries[2] = data
        found = first_bad(log)
        assert found is not None
        assert found[:2] == ("log-entry", 2)


def test_the_log_of_another_registry_is_refused() -> None:
    found = first_bad(story(), did_of("thief"))
    assert found is not None
    assert found[:2] == ("log-entry", 0)


# --- labels -------------------------------------------------------------------------------------


def test_a_name_needs_its_label_bound_before_it() -> None:
    assert first_bad(Log().event("register", SEARCH)) is not None
    assert first_bad(Log().bind("DataCorp").event("register", SEARCH)) is None
    late = Log().event("register", SEARCH).bind("DataCorp")
    assert first_bad(late) == ("log-entry", 0, first_bad(late)[2])  # type: ignore[index]
    gone = Log().bind("DataCorp").bind("DataCorp", kind="unbind").event("register", SEARCH)
    found = first_bad(gone)
    assert found is not None
    assert found[1] == 2
    assert "namespace" in found[2]


def test_whoever_lost_the_label_may_still_suspend_and_revoke() -> None:
    def lost() -> Log:
        log = Log().bind("DataCorp").event("register", SEARCH)
        return log.bind("DataCorp", kind="unbind")

    assert first_bad(lost().event("suspend", SEARCH).event("revoke", SEARCH)) is None
    assert first_bad(lost().event("renew", SEARCH)) is not None


@pytest.mark.parametrize("label", ["DataC0rp", "Data-Corp", "DATACORP-", "DataCorp"])
def test_a_label_that_looks_like_anothers_is_noticed(label: str) -> None:
    label = label.rstrip("-")
    assert first_bad(Log().bind("DataCorp").bind(label)) is None  # one's own
    found = first_bad(Log().bind("DataCorp").bind(label, "thief"))
    assert found is not None
    assert found[1] == 1
    assert ("name-taken" if label.lower() == "datacorp" else "name-confusable") in found[2]
    assert first_bad(Log().bind("DataCorp").bind("DataShop", "thief")) is None


def test_a_label_is_let_go_by_its_owner_alone() -> None:
    assert first_bad(Log().bind("DataCorp").bind("DataCorp", kind="unbind")) is None
    assert first_bad(Log().bind("DataCorp", kind="unbind")) is not None
    assert first_bad(Log().bind("DataCorp").bind("DataCorp", "thief", "unbind")) is not None


# --- the tree -----------------------------------------------------------------------------------


def naive(hashes: list[bytes]) -> bytes:
    """The root of RFC 6962, section 2.1, as it is written there."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return node_hash(naive(hashes[:half]), naive(hashes[half:]))


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_the_root_is_that_of_the_specification(entries: list[bytes]) -> None:
    tree = Tree()
    for data in entries:
        tree.append(data)
    assert tree.size == len(entries)
    assert tree.root == naive([leaf_hash(data) for data in entries])


def test_the_root_of_nothing_is_that_of_the_empty_text() -> None:
    assert Tree().root.hex().startswith("e3b0c442")


# --- no code is shared with the registry's store ------------------------------------------------


def test_reading_a_log_imports_nothing_of_the_store() -> None:
    code = (
        "import sys, delegant.ans.monitor, delegant.ans.log.reading\n"
        "tops = ('sqlalchemy', 'sqlite3', 'fastapi')\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in tops]\n"
        "ours = [m for m in sys.modules if m in ("
        "'delegant.ans.store', 'delegant.ans.stored', 'delegant.ans.sequencer', "
        "'delegant.ans.tables', 'delegant.ans.registry', 'delegant.ans.logbook')]\n"
        "print(bad + ours)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_replays_a_log_names_no_module_of_the_store() -> None:
    room = Path(__file__).resolve().parents[2] / "ans" / "delegant" / "ans"
    for path in (room / "replay.py", room / "monitor.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module not in ("store", "stored", "tables", "sequencer", "registry")

"""`audit verify`: an honest bundle holds, and each kind of tampering names its first entry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from delegant.ans.log import tiles
from delegant.ans.log.checkpoint import add_signatures, cosign, parse_checkpoint
from delegant.ans.log.merkle import leaf_hash
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.credentials import Error, PrivateKey
from delegant.credentials.codec import canonical, digest, parse_object
from delegant.credentials.shape import format_time
from delegant.governance.checking import Verified
from delegant.governance.reading import AuditBundle, Believed
from delegant.governance.verifying import kept_checkpoints, verify_bundle
from governance.audited import Audited, Members, unpacked, write
from refusal import refusal

LAST = tiles.bundle_path(0, 13)


@pytest.fixture(scope="module")
def story() -> Audited:
    """Three acts, a refusal, two acts, a refusal and an intent of which nothing came: 13."""
    log = Audited()
    log.act(3)
    log.refusal()
    log.act(2)
    log.refusal(verified=False, sponsorDid=None)
    log.intent()
    return log


def verified(
    path: Path, log: Audited, kept: Any = (), believed: Believed | None = None
) -> Verified:
    heads = [parse_checkpoint(one)[0] for one in kept]
    with AuditBundle(path) as bundle:
        return verify_bundle(bundle, believed or log.believed, heads)


def refused(path: Path, log: Audited, kept: Any = ()) -> tuple[str, str | None]:
    """The code, and where."""
    with pytest.raises(Error) as caught:
        verified(path, log, kept)
    return caught.value.code, caught.value.dimension


# --- what holds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("put", [write, unpacked])
def test_an_honest_bundle_holds_as_a_file_and_as_a_folder(
    tmp_path: Path, story: Audited, put: Callable[[Path, Members], Path]
) -> None:
    found = verified(put(tmp_path / "bundle", story.members(openings=True)), story)
    assert found.whole
    assert found.entries == found.head.size == 13
    assert found.types == {"intent": 6, "outcome": 5, "refusal": 2}
    assert found.exhibits > 5
    assert found.missing == 0


def test_an_intent_without_an_outcome_is_told(tmp_path: Path, story: Audited) -> None:
    found = verified(write(tmp_path / "b.zip", story.members()), story)
    last = parse_object(story.entries[-1], size=1 << 16)
    assert found.unanswered_count == 1
    assert found.json["withoutOutcome"] == [
        {
            "event": last["event"],
            "entry": 12,
            "time": last["time"],
            "sponsorDid": story.parties["ana"].did,
            "agentDid": story.parties["dbquery"].did,
        }
    ]


def test_a_log_without_entries_holds(tmp_path: Path) -> None:
    log = Audited()
    found = verified(write(tmp_path / "b.zip", log.members()), log)
    assert found.whole
    assert found.json["from"] is None


def test_a_part_of_a_log_holds_without_the_rest(tmp_path: Path, story: Audited) -> None:
    members = story.members([(1, 3), (5, 9)])
    assert tiles.unpack(members[LAST])[3] == b""
    found = verified(write(tmp_path / "b.zip", members), story)
    assert not found.whole
    assert found.entries == 6


def test_a_log_of_several_tiles_is_read_in_its_middle(tmp_path: Path) -> None:
    log = Audited()
    log.plain(600)
    log.act(2)
    log.plain(100)
    members = log.members([(598, 606)])
    members = {
        name: data
        for name, data in members.items()
        if not name.startswith(("tile/0/000", "tile/0/001"))
    }
    assert verified(write(tmp_path / "b.zip", members), log).entries == 8


# --- edit, delete, reorder, truncate ------------------------------------------------------------


def entries_of(members: Members) -> list[bytes]:
    return tiles.unpack(members[LAST])


def with_entries(members: Members, entries: list[bytes]) -> Members:
    return members | {LAST: tiles.pack(entries)}


def edited(entries: list[bytes]) -> list[bytes]:
    other = parse_object(entries[4], size=1 << 16) | {"target": "urn:acme:papers:18"}
    return [*entries[:4], canonical(other), *entries[5:]]


def deleted(entries: list[bytes]) -> list[bytes]:
    return entries[:4] + entries[5:]


def emptied(entries: list[bytes]) -> list[bytes]:
    return [*entries[:4], b"", *entries[5:]]


def reordered(entries: list[bytes]) -> list[bytes]:
    return [*entries[:4], entries[5], entries[4], *entries[6:]]


def inserted(entries: list[bytes]) -> list[bytes]:
    return [*entries[:4], entries[2], *entries[4:]]


def truncated(entries: list[bytes]) -> list[bytes]:
    return entries[:4]


TAMPERS = [edited, deleted, emptied, reordered, inserted, truncated]


@pytest.mark.parametrize("tamper", TAMPERS)
def test_tampered_entries_name_the_first_that_is_wrong(
    tmp_path: Path, story: Audited, tamper: Callable[[list[bytes]], list[bytes]]
) -> None:
    members = story.members()
    bad = with_entries(members, tamper(entries_of(members)))
    assert refused(write(tmp_path / "bad.zip", bad), story) == ("log-proof", "entry 4")
    same = with_entries(members, entries_of(members))
    assert verified(write(tmp_path / "good.zip", same), story).whole


def refitted(members: Members, entries: list[bytes]) -> Members:
    """With a tile that fits the entries, which does not lead to the root then."""
    return with_entries(members, entries) | {
        tiles.path(0, 0, 13): b"".join(map(leaf_hash, entries))
    }


@pytest.mark.parametrize("tamper", [edited, reordered])
def test_where_the_tile_was_fitted_the_digests_of_the_entries_tell(
    tmp_path: Path, story: Audited, tamper: Callable[[list[bytes]], list[bytes]]
) -> None:
    members = story.members()
    bad = write(tmp_path / "bad.zip", refitted(members, tamper(entries_of(members))))
    assert refused(bad, story) == ("log-proof", "entry 4")
    assert refused(bad, story, [story.note(3)]) == ("log-proof", "entry 4")
    good = write(tmp_path / "good.zip", refitted(members, entries_of(members)))
    assert verified(good, story, [story.note(3)]).kept == 1


def test_where_everything_was_fitted_kept_checkpoints_tell_how_far_it_is_true(
    tmp_path: Path, story: Audited
) -> None:
    forged = rewritten(story, 5, outcome={"status": "failure"})
    members = story.members() | refitted(story.members(), forged.entries)
    bad = write(tmp_path / "bad.zip", members)
    assert refused(bad, story) == ("log-proof", "entry 0")
    assert refused(bad, story, [story.note(3), story.note(4)]) == ("log-proof", "entry 4")
    assert refused(bad, story, [story.note(4), story.note(9)]) == ("log-split", "entry 4")


def test_a_tile_below_the_edge_is_told_by_its_first_entry_or_nearer(tmp_path: Path) -> None:
    log = Audited()
    log.plain(800)
    members = log.members()
    body = members["tile/0/001"]
    name = tiles.bundle_path(1)
    entries = tiles.unpack(members[name])
    entries[9] = entries[9].replace(b'"json"', b'"shape"')
    other = {name: tiles.pack(entries), "tile/0/001": b"".join(map(leaf_hash, entries))}
    assert refused(write(tmp_path / "b.zip", members | other), log) == ("log-proof", "entry 265")
    other = {"tile/0/001": body[:32] + bytes(32) + body[64:]}
    assert refused(write(tmp_path / "c.zip", members | other), log) == ("log-proof", "entry 256")
    assert verified(write(tmp_path / "good.zip", members), log).whole


def test_a_checkpoint_that_another_signed_is_refused(tmp_path: Path, story: Audited) -> None:
    forger = Audited(story.world, list(story.entries))
    forger.signer = NoteSigner(forger.signer.key.name, PrivateKey(bytes(range(3, 35))))
    members = story.members() | {"checkpoint": forger.note().encode()}
    assert refused(write(tmp_path / "bad.zip", members), story) == ("log-note", None)


def test_witnesses_that_are_asked_for_must_have_signed(tmp_path: Path, story: Audited) -> None:
    witness = NoteSigner("w.example/1", PrivateKey(bytes(range(5, 37))), COSIGNATURE)
    believed = Believed(story.signer.key, (witness.key,), 1, story.log)
    members = story.members()
    path = write(tmp_path / "b.zip", members)
    assert refusal(lambda: verified(path, story, believed=believed)) == "log-witness"
    note = members["checkpoint"].decode()
    head, _ = parse_checkpoint(note)
    more = add_signatures(note, [cosign(head, witness, story.world.now)])
    good = write(tmp_path / "w.zip", members | {"checkpoint": more.encode()})
    assert verified(good, story, believed=believed).whole


def test_a_bundle_of_another_log_under_the_same_key_is_refused(
    tmp_path: Path, story: Audited
) -> None:
    path = write(tmp_path / "b.zip", story.members())
    other = Believed(story.signer.key, log=story.world.org.did)
    assert refusal(lambda: verified(path, story, believed=other)) == "audit-bundle"


# --- checkpoints that were kept -----------------------------------------------------------------


def rewritten(story: Audited, at: int, **changes: Any) -> Audited:
    """The same log with one entry changed, every later one fitted to it, and signed again."""
    log = Audited(story.world, exhibits=story.exhibits, openings=story.openings)
    for number, data in enumerate(story.entries):
        record = parse_object(data, size=1 << 16)
        log.add(record | (changes if number == at else {}))
    return log


def test_a_rewritten_history_is_told_by_a_kept_checkpoint(tmp_path: Path, story: Audited) -> None:
    forged = rewritten(story, 5, outcome={"status": "failure"})
    path = write(tmp_path / "bad.zip", forged.members())
    assert verified(path, story).whole  # nothing in it is wrong, but that it once was otherwise
    kept = [story.note(size) for size in (2, 4, 9, 13)]
    assert refused(path, story, kept) == ("log-split", "entry 4")
    good = write(tmp_path / "good.zip", story.members())
    assert verified(good, story, kept).kept == 4


def test_an_omitted_end_is_told_by_a_larger_kept_checkpoint(tmp_path: Path, story: Audited) -> None:
    short = Audited(story.world, story.entries[:9], story.lines[:9], story.exhibits)
    path = write(tmp_path / "bad.zip", short.members())
    assert verified(path, story, [story.note(9)]).whole
    assert refused(path, story, [story.note(9), story.note(13)]) == ("log-rollback", "entry 9")


def test_a_checkpoint_that_cannot_be_compared_is_no_yes(tmp_path: Path) -> None:
    log = Audited()
    log.plain(700)
    members = log.members([(600, 610)])
    path = write(tmp_path / "b.zip", members)
    kept = [log.note(256), log.note(300), log.note(650)]
    assert verified(path, log, kept).kept == 3
    del members["tile/0/001"]
    path = write(tmp_path / "without.zip", members)
    assert verified(path, log, [kept[0], kept[2]]).kept == 2
    assert refused(path, log, kept) == ("audit-incomplete", None)


def test_kept_checkpoints_are_read_from_a_folder_or_a_file(tmp_path: Path, story: Audited) -> None:
    kept = tmp_path / "cp"
    kept.mkdir()
    with pytest.raises(Error, match="not-found"):
        kept_checkpoints(kept, story.believed)
    other = NoteSigner("other.example/log", PrivateKey(bytes(range(7, 39))))
    (kept / "other").write_text(Audited(story.world, signer=other).note(0))
    (kept / "a").write_text(story.note(3))
    (kept / "b").write_text(story.note(5))
    assert [one.size for one in kept_checkpoints(kept, story.believed)] == [3, 5]
    assert [one.size for one in kept_checkpoints(kept / "a", story.believed)] == [3]
    forger = NoteSigner(story.signer.key.name, PrivateKey(bytes(range(7, 39))))
    (kept / "c").write_text(Audited(story.world, signer=forger).note(0))
    assert refusal(lambda: kept_checkpoints(kept, story.believed)) == "log-note"


# --- the rules of records, in a log that its own operator signed --------------------------------


def signed(tmp_path: Path, log: Audited) -> tuple[str, str | None]:
    return refused(write(tmp_path / "bad.zip", log.members()), log)


def test_an_entry_names_the_one_before_it(tmp_path: Path) -> None:
    log = Audited()
    log.act(2)
    assert verified(write(tmp_path / "good.zip", log.members()), log).whole
    intent = parse_object(log.entries.pop(), size=1 << 16)
    log.entries.append(canonical(intent | {"previous": digest(b"another")}))
    assert signed(tmp_path, log) == ("audit-entry", "entry 3")
    log.entries[-1] = canonical(intent | {"previous": None})
    assert signed(tmp_path, log) == ("audit-entry", "entry 3")


@pytest.mark.parametrize("ranges", [[(1, 3)], [(0, 1), (2, 4)]])
def test_only_the_first_entry_names_none(tmp_path: Path, ranges: list[tuple[int, int]]) -> None:
    log = Audited()
    log.act(2)
    start = ranges[-1][0]
    good = write(tmp_path / "good.zip", log.members(ranges))
    assert verified(good, log).entries == sum(end - start for start, end in ranges)
    record = parse_object(log.entries[start], size=1 << 16)
    log.entries[start] = canonical(record | {"previous": None})
    bad = write(tmp_path / "bad.zip", log.members([(start, start + 1)]))
    assert refused(bad, log) == ("audit-entry", f"entry {start}")


def test_time_does_not_go_back(tmp_path: Path) -> None:
    log = Audited()
    log.act()
    log.world.now -= 1
    log.intent()
    assert signed(tmp_path, log) == ("audit-entry", "entry 2")


def test_an_entry_is_of_this_log(tmp_path: Path) -> None:
    log = Audited()
    log.act()
    log.intent(log=log.world.org.did)
    assert signed(tmp_path, log) == ("audit-entry", "entry 2")


def test_an_entry_without_a_sponsor_is_refused(tmp_path: Path) -> None:
    log = Audited()
    log.act()
    log.intent(sponsorDid=None)
    assert signed(tmp_path, log) == ("audit-no-sponsor", "entry 2")


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    log = Audited()
    log.act()
    log.entries[1] = b'{"event":"none"}'
    assert signed(tmp_path, log) == ("audit-entry", "entry 1")


def test_an_event_has_one_intent_and_one_outcome_after_it(tmp_path: Path) -> None:
    def of(*kinds: str) -> Audited:
        log = Audited()
        intent = log.intent()
        log.entries.clear()
        log.lines.clear()
        for kind in kinds:
            log.add(intent) if kind == "intent" else log.outcome(intent)
        return log

    assert verified(write(tmp_path / "good.zip", of("intent", "outcome").members()), of()).whole
    for kinds in (
        ("intent", "intent"),
        ("intent", "outcome", "outcome"),
        ("outcome", "intent"),
        ("outcome",),
    ):
        first = {"outcome": 0}.get(kinds[0], len(kinds) - 1)
        assert signed(tmp_path, of(*kinds)) == ("audit-entry", f"entry {first}")


def test_an_outcome_may_have_its_intent_before_the_bundle(tmp_path: Path, story: Audited) -> None:
    assert verified(write(tmp_path / "b.zip", story.members([(1, 2)])), story).entries == 1


def test_an_outcome_is_in_the_names_of_its_intent(tmp_path: Path) -> None:
    log = Audited()
    log.outcome(log.intent(), sponsorDid=log.world.org.did)
    assert signed(tmp_path, log) == ("audit-entry", "entry 1")


@pytest.mark.parametrize("member", ["sponsorDid", "organizationDid", "agentDid"])
def test_a_record_in_other_names_than_its_chain_is_refused(tmp_path: Path, member: str) -> None:
    log = Audited()
    log.act()
    changes: dict[str, Any] = {member: log.world.status.did}
    log.intent(**changes)
    assert signed(tmp_path, log) == ("audit-entry", "entry 2")


def test_a_record_of_another_chain_is_refused(tmp_path: Path) -> None:
    log = Audited()
    log.act()
    log.intent(chain=[{"id": one.id, "digestMultibase": one.digest} for one in log.links[:2]])
    assert signed(tmp_path, log) == ("audit-entry", "entry 2")


# --- what was pruned ----------------------------------------------------------------------------


def test_what_is_gone_is_accepted_where_a_notice_says_so(tmp_path: Path) -> None:
    log = Audited()
    log.act(3)
    log.notice(kind="prune", before="2026-01-01T00:00:00Z", entries=[[0, 3]])
    log.act(1)
    gone = [0, 1, 2]
    good = write(tmp_path / "good.zip", log.members(pruned=gone, prunes=[6]))
    assert verified(good, log).pruned == 3
    untold = write(tmp_path / "untold.zip", log.members(pruned=gone))
    assert refused(untold, log) == ("log-proof", "entry 0")
    beyond = write(tmp_path / "beyond.zip", log.members(pruned=[*gone, 3], prunes=[6]))
    assert refused(beyond, log) == ("log-proof", "entry 3")


def test_no_notice_tells_of_what_comes_after_it(tmp_path: Path) -> None:
    log = Audited()
    log.act(1)
    log.notice(kind="prune", before="2026-01-01T00:00:00Z", entries=[[0, 9]])
    log.act(1)
    path = write(tmp_path / "b.zip", log.members(pruned=[3], prunes=[2]))
    assert refused(path, log) == ("log-proof", "entry 3")


def test_nothing_inside_the_retention_may_be_gone(tmp_path: Path) -> None:
    def pruned_at(days: int, old: int = 1) -> Path:
        """An act, ``days`` later a notice, and another act; gone is the first act's outcome."""
        log = Audited()
        log.act()
        log.world.now += days * 86_400
        before = log.world.now - old * 86_400
        log.notice(kind="prune", before=format_time(before), entries=[[1, 2]])
        return write(tmp_path / "b.zip", log.members(pruned=[1], prunes=[2]))

    log = Audited()
    assert verified(pruned_at(185, 184), log).pruned == 1
    assert refused(pruned_at(185, 183), log) == ("audit-entry", "entry 2")
    assert refused(pruned_at(183, 184), log) == ("retention", "entry 1")


def test_no_other_record_tells_what_was_pruned(tmp_path: Path) -> None:
    log = Audited()
    log.act(2)
    log.notice(kind="hold", terms=digest(b"why"))
    for number in (3, 4):
        path = write(tmp_path / "b.zip", log.members(pruned=[0], prunes=[number]))
        assert refused(path, log) == ("audit-bundle", None)
    path = write(tmp_path / "c.zip", log.members(pruned=[0], prunes=[99]))
    assert refused(path, log) == ("audit-bundle", None)


# --- beside the log -----------------------------------------------------------------------------


def test_exhibits_are_those_the_records_name(tmp_path: Path, story: Audited) -> None:
    members = story.members()
    name = f"exhibits/{story.links[0].digest}"
    bad = write(tmp_path / "bad.zip", members | {name: members[name] + b" "})
    assert refused(bad, story)[0] == "audit-exhibit"
    del members[name]
    assert verified(write(tmp_path / "less.zip", members), story).missing == 1


def test_openings_are_those_of_their_records(tmp_path: Path, story: Audited) -> None:
    members = story.members(openings=True)
    event = parse_object(story.entries[0], size=1 << 16)["event"]
    opened = parse_object(members[f"openings/{event}"], size=1 << 16)
    assert verified(write(tmp_path / "good.zip", members), story).whole
    for other in (
        opened | {"request": opened["request"] | {"resource": "urn:acme:papers:18"}},
        opened | {"salt": "AAAAAAAAAAAAAAAAAAAAAA"},
        opened | {"invocation": opened["invocation"] + "A"},
        opened | {"input": "more"},
        {"salt": opened["salt"]},
    ):
        bad = members | {f"openings/{event}": canonical(other)}
        assert refused(write(tmp_path / "bad.zip", bad), story)[0] == "audit-exhibit"


# --- the index ----------------------------------------------------------------------------------


def test_the_index_is_that_of_the_records(tmp_path: Path, story: Audited) -> None:
    members = story.members()
    index = members["index"]
    for other in (index[46:], index + index[-46:], index.replace(b" i ", b" o ", 1), index[:-1]):
        bad = members | {"index": other}
        assert refused(write(tmp_path / "bad.zip", bad), story) == ("audit-bundle", None)
    del members["index"]
    assert refused(write(tmp_path / "bad.zip", members), story) == ("audit-bundle", None)

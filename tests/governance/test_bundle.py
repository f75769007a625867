"""`audit export`: a part of a real log, in a file that proves itself."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from delegant.ans.log.checkpoint import open_checkpoint
from delegant.credentials import Error, Request, Trust
from delegant.credentials.envelope import Form
from delegant.credentials.errors import error
from delegant.governance import acts, contents
from delegant.governance.auditlog import AuditReader
from delegant.governance.bundle import Exported, Selection, export, lying
from delegant.governance.checking import Verified
from delegant.governance.discharging import Append
from delegant.governance.entry import Entry
from delegant.governance.reading import AuditBundle, Believed
from delegant.governance.record import new_event
from delegant.governance.retention import prune
from delegant.governance.tables import ENTRIES, PRUNED
from delegant.governance.tracing import Traced, trace
from delegant.governance.verifying import verify_bundle
from governance import keeping
from governance.auditing import TOPIC, Auditing
from refusal import refusal
from world import World


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str | None:
    """A file; the tests that ask for it run over PostgreSQL, too."""
    return getattr(request, "param", None) and str(request.getfixturevalue(request.param))


@pytest.fixture
def story(auditing: Auditing) -> Auditing:
    """Three acts a minute apart, the last without an outcome, and two refusals."""
    link = auditing.link()
    for number in range(3):
        permit = auditing.permit([link], given={"question": number})
        if number < 2:
            auditing.ledger.settle(permit, at=auditing.now, rows=number)
        auditing.world.now += 60
    _, request, shown = auditing.asked([link])
    auditing.ledger.refuse(
        error("no-grant", "not granted"), presentation=shown, request=request, at=auditing.now
    )
    auditing.ledger.refuse(error("json", "no JSON"), at=auditing.now)
    return auditing


def believed(auditing: Auditing) -> Believed:
    return Believed(auditing.log.key, log=auditing.log.id)


def exported(auditing: Auditing, path: Path, wanted: Any = None, **more: Any) -> Exported:
    return export(auditing.log, path, wanted or Selection(), **more)


def verified(auditing: Auditing, path: Path) -> Verified:
    with AuditBundle(path) as bundle:
        return verify_bundle(bundle, believed(auditing))


def traced(auditing: Auditing, path: Path, event: str) -> Traced:
    value = auditing.world.trust_json
    del value["verifier"]
    with AuditBundle(path) as bundle:
        return trace(bundle, event, believed(auditing), Trust.from_json(value))


@pytest.mark.parametrize("database", [None, "postgres"], indirect=True)
def test_a_whole_log_is_exported_verified_and_traced(story: Auditing, tmp_path: Path) -> None:
    told = exported(story, tmp_path / "b.zip")
    assert (told.entries, told.size, told.openings, told.missing) == (7, 7, 0, 0)
    found = verified(story, tmp_path / "b.zip")
    assert found.whole
    assert found.types == {"intent": 3, "outcome": 2, "refusal": 2}
    assert found.unanswered_count == 1
    for record in story.records():
        assert traced(story, tmp_path / "b.zip", record.event).problem is None


def test_the_same_export_twice_is_the_same_file(story: Auditing, tmp_path: Path) -> None:
    exported(story, tmp_path / "a.zip", openings=True)
    reader = AuditReader(story.folder)
    export(reader, tmp_path / "b.zip", openings=True)
    reader.close()
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.zip", "audit", "b.zip"]


def test_openings_are_disclosed_only_when_asked_for(story: Auditing, tmp_path: Path) -> None:
    event = story.records()[0].event
    exported(story, tmp_path / "a.zip")
    without = (tmp_path / "a.zip").read_bytes()
    told = exported(story, tmp_path / "b.zip", openings=True)
    assert told.openings == 4
    assert traced(story, tmp_path / "a.zip", event).opening is None
    found = traced(story, tmp_path / "b.zip", event)
    assert found.opening is not None
    assert found.opening["input"] == {"question": 0}
    assert found.recomputed is not None
    assert found.recomputed.state == "accepted"
    assert len(without) < (tmp_path / "b.zip").stat().st_size
    assert verified(story, tmp_path / "b.zip").whole


def test_one_event_is_exported_alone(story: Auditing, tmp_path: Path) -> None:
    records = story.records()
    told = exported(story, tmp_path / "b.zip", Selection(event=records[2].event), openings=True)
    assert (told.entries, told.openings) == (2, 1)
    assert verified(story, tmp_path / "b.zip").entries == 2
    assert traced(story, tmp_path / "b.zip", records[2].event).problem is None
    assert refusal(lambda: traced(story, tmp_path / "b.zip", records[0].event)) == "not-found"
    with AuditBundle(tmp_path / "b.zip") as bundle:
        assert bundle.about.ranges == ((2, 4),)
        assert bundle.about.selected == {"event": records[2].event}


def test_a_time_is_exported_from_one_instant_until_before_another(
    story: Auditing, tmp_path: Path
) -> None:
    start = story.records()[2].time
    wanted = Selection(start=start, end=start + 60)
    assert exported(story, tmp_path / "b.zip", wanted).entries == 2
    found = verified(story, tmp_path / "b.zip")
    assert (found.first, found.last) == (start, start)
    nothing = Selection(start=start + 1, end=start + 60)
    assert exported(story, tmp_path / "c.zip", nothing).entries == 0
    assert verified(story, tmp_path / "c.zip").entries == 0


def test_a_sponsor_gets_the_records_in_their_name_alone(story: Auditing, tmp_path: Path) -> None:
    bob = story.world.human("bob")
    agent = story.world.agent("helper", bob)
    link = story.world.delegate(bob, agent, ["db.read urn:acme:papers:**"])
    for _ in range(2):
        permit = story.permit([link], Request("db.read", TOPIC))
        story.permit([story.link()])
        story.ledger.settle(permit, at=story.now)
    told = exported(story, tmp_path / "b.zip", Selection(sponsor=bob.did))
    assert told.entries == 4
    found = verified(story, tmp_path / "b.zip")
    assert found.types == {"intent": 2, "outcome": 2}
    assert story.ana.did.encode() not in _all(tmp_path / "b.zip")
    assert bob.did.encode() in _all(tmp_path / "b.zip")


def _all(path: Path) -> bytes:
    with zipfile.ZipFile(path) as found:
        return b"".join(found.read(name) for name in found.namelist() if "entries" in name)


def test_what_the_log_has_no_record_of_is_not_found(story: Auditing, tmp_path: Path) -> None:
    for wanted in (
        Selection(event="evt_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        Selection(sponsor=story.bot.did),
    ):
        code = refusal(lambda: exported(story, tmp_path / "b.zip", wanted))  # noqa: B023
        assert code == "not-found"
    assert not (tmp_path / "b.zip").exists()
    assert refusal(lambda: Selection(event="evt_1")) == "shape"
    event = story.records()[0].event
    assert refusal(lambda: Selection(event=event, start=1)) == "shape"


def test_what_would_be_too_much_to_read_is_not_exported(
    story: Auditing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = story.world.human("bob")
    link = story.world.delegate(bob, story.bot, ["db.read urn:acme:papers:**"])
    for _ in range(2):
        story.permit([link])
        story.permit([story.link()])
    monkeypatch.setattr(contents, "MAX_RANGES", 2)
    assert exported(story, tmp_path / "b.zip", Selection(sponsor=bob.did)).entries == 2
    monkeypatch.setattr(contents, "MAX_RANGES", 1)
    wanted = Selection(sponsor=bob.did)
    assert refusal(lambda: exported(story, tmp_path / "c.zip", wanted)) == "limit-items"


def test_an_empty_log_is_exported(auditing: Auditing, tmp_path: Path) -> None:
    assert exported(auditing, tmp_path / "b.zip").entries == 0
    assert verified(auditing, tmp_path / "b.zip").whole


def test_an_agent_made_by_an_agent_is_traced_through_both(
    auditing: Auditing, tmp_path: Path
) -> None:
    world = auditing.world
    maker = world.agent("maker", auditing.ana, block={"spawn": True})
    child = world.agent("child", maker)
    top = world.delegate(
        auditing.ana, maker, ["db.read urn:acme:papers:**"], remaining=1, lease=64, spawn=True
    )
    below = world.delegate(maker, child, ["db.read urn:acme:papers:**"], above=(top,))
    permit = auditing.permit([top, below])
    direct = world.delegate(auditing.ana, child, ["db.read urn:acme:papers:**"])
    other = auditing.permit([direct])
    exported(auditing, tmp_path / "b.zip", openings=True)
    assert traced(auditing, tmp_path / "b.zip", permit.event).problem is None
    assert traced(auditing, tmp_path / "b.zip", other.event).problem is None


@pytest.mark.parametrize(("form", "method"), [("jwt", "key"), ("di", "jwk")])
def test_links_of_either_form_are_traced(tmp_path: Path, form: Form, method: str) -> None:
    auditing = Auditing(tmp_path / "audit", World(form=form, method=method))
    event = auditing.permit([auditing.link()]).event
    exported(auditing, tmp_path / "b.zip", openings=True)
    auditing.log.close()
    assert verified(auditing, tmp_path / "b.zip").exhibits == 5
    found = traced(auditing, tmp_path / "b.zip", event)
    assert found.problem is None
    assert found.recomputed is not None


def many(auditing: Auditing, count: int) -> None:
    """Refusals of nobody, in one batch."""
    changes = []
    for _ in range(count):
        event = new_event(auditing.now * 1000)
        record = acts.refusal(
            auditing.log.id, event, error("json", "no JSON"), acts.claimed(None), None, None, None,
            None, known=False, name=None, policy=acts.CHAIN_ALONE, decision="deny",
            at=auditing.now,
        )  # fmt: skip
        changes.append(Append(Entry.of(record), event, None, []))
    for one in auditing.log.write_all(changes, auditing.now):
        one.result()


def test_checkpoints_of_the_auditor_are_made_comparable(auditing: Auditing, tmp_path: Path) -> None:
    many(auditing, 300)
    old = open_checkpoint(auditing.log.head, auditing.log.key)
    many(auditing, 300)
    event = Selection(event=auditing.records()[590].event)

    def compared(path: Path) -> int:
        with AuditBundle(path) as bundle:
            return verify_bundle(bundle, believed(auditing), [old]).kept

    exported(auditing, tmp_path / "a.zip", event)
    assert refusal(lambda: compared(tmp_path / "a.zip")) == "audit-incomplete"
    exported(auditing, tmp_path / "b.zip", event, kept=[old])
    assert compared(tmp_path / "b.zip") == 1


def test_a_log_may_grow_while_it_is_exported(
    story: Auditing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = story.log.book.tile

    def growing(level: int, index: int, width: int = 256) -> bytes:
        many(story, 300)
        return tile(level, index, width)

    monkeypatch.setattr(story.log.book, "tile", growing)
    told = exported(story, tmp_path / "b.zip")
    assert (told.size, told.entries) == (7, 7)
    assert verified(story, tmp_path / "b.zip").whole
    assert story.log.book.head().size == 607


def test_a_damaged_store_is_not_exported(story: Auditing, tmp_path: Path) -> None:
    with story.log.store.transaction() as db:
        db.execute(update(ENTRIES).where(ENTRIES.c.number == 3).values(body=b"{}"))
    assert refusal(lambda: exported(story, tmp_path / "b.zip")) == "unavailable"
    assert not (tmp_path / "b.zip").exists()
    wanted = Selection(start=story.now, end=story.now + 1)
    assert exported(story, tmp_path / "c.zip", wanted).entries == 2


# --- a log where it lies ------------------------------------------------------------------------


def lies(auditing: Auditing, path: Path) -> tuple[str, str | None]:
    """What is wrong with the rows, and where."""
    lying(auditing.log, path)
    try:
        verified(auditing, path)
    except Error as exc:
        return exc.code, exc.dimension
    return "", None


def test_rows_that_were_tampered_with_name_the_first(story: Auditing, tmp_path: Path) -> None:
    assert lies(story, tmp_path / "good.zip") == ("", None)

    def put(number: int, body: bytes) -> None:
        with story.log.store.transaction() as db:
            db.execute(update(ENTRIES).where(ENTRIES.c.number == number).values(body=body))

    with story.log.store.transaction(reading=True) as db:
        third, fourth = story.log.store.leaves(db, 2, 2)
    put(2, third.replace(b"papers:17", b"papers:18"))
    assert lies(story, tmp_path / "edited.zip") == ("log-proof", "entry 2")
    put(2, fourth)
    put(3, third)
    assert lies(story, tmp_path / "reordered.zip") == ("log-proof", "entry 2")
    put(2, third)
    assert lies(story, tmp_path / "half.zip") == ("log-proof", "entry 3")
    put(3, fourth)
    assert lies(story, tmp_path / "again.zip") == ("", None)
    with story.log.store.transaction() as db:
        db.execute(delete(ENTRIES).where(ENTRIES.c.number == 3))
    assert lies(story, tmp_path / "deleted.zip") == ("log-proof", "entry 3")
    with story.log.store.transaction() as db:
        db.execute(delete(ENTRIES).where(ENTRIES.c.number >= 3))
    assert lies(story, tmp_path / "truncated.zip") == ("log-proof", "entry 3")


def test_what_was_pruned_is_told_of_in_the_bundle(auditing: Auditing, tmp_path: Path) -> None:
    for _ in range(2):
        keeping.act(auditing, auditing.link())
    keeping.later(auditing, 200)
    prune(auditing.log, auditing.now - 190 * keeping.DAY, keeping.BY, auditing.now)
    world = auditing.world
    world.attest(auditing.ana)
    auditing.bot = world.agent("fresh", auditing.ana)
    event = keeping.act(auditing, auditing.link())
    exported(auditing, tmp_path / "b.zip")
    found = verified(auditing, tmp_path / "b.zip")
    assert found.whole
    assert (found.pruned, found.entries) == (4, 3)
    assert lies(auditing, tmp_path / "lying.zip") == ("", None)
    assert traced(auditing, tmp_path / "b.zip", event).problem is None
    old = Selection(end=auditing.now - 100 * keeping.DAY)
    assert exported(auditing, tmp_path / "old.zip", old).entries == 1  # the notice
    assert verified(auditing, tmp_path / "old.zip").pruned == 4
    with auditing.log.store.transaction() as db:
        db.execute(insert(PRUNED).values(start=6, end=7))
        db.execute(delete(ENTRIES).where(ENTRIES.c.number == 6))
    assert lies(auditing, tmp_path / "untold.zip") == ("log-proof", "entry 6")


# --- without the server -------------------------------------------------------------------------


def test_an_auditor_needs_no_server(story: Auditing, tmp_path: Path) -> None:
    """Verifying and tracing load nothing of the extra ``server``."""
    exported(story, tmp_path / "b.zip", openings=True)
    code = f"""
import sys
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"sqlalchemy", "fastapi", "uvicorn", "alembic", "starlette"}}:
            raise ImportError(name)
sys.meta_path.insert(0, Refusing())
from pathlib import Path
from delegant.ans.log.note import NoteKey
from delegant.credentials import Trust
from delegant.governance.reading import AuditBundle, Believed
from delegant.governance.tracing import trace
from delegant.governance.verifying import verify_bundle
believed = Believed(NoteKey.parse({story.log.key.vkey!r}))
with AuditBundle(Path({str(tmp_path / "b.zip")!r})) as bundle:
    assert verify_bundle(bundle, believed).whole
    trust = Trust.from_json({story.world.trust_json!r})
    assert trace(bundle, {story.records()[0].event!r}, believed, trust).problem is None
import delegant.cli.auditask
assert "sqlalchemy" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- strangers' bundles -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bytes_of_a_bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Believed, Any, str]:
    folder = tmp_path_factory.mktemp("bundle")
    auditing = Auditing(folder / "audit")
    permit = auditing.permit([auditing.link()])
    auditing.ledger.settle(permit, at=auditing.now)
    exported(auditing, folder / "b.zip", openings=True)
    auditing.log.close()
    trust = auditing.world.trust_json
    return (folder / "b.zip").read_bytes(), believed(auditing), trust, permit.event


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_is_done_to_a_bundle_is_told_as_an_error_of_ours(
    tmp_path: Path, bytes_of_a_bundle: tuple[bytes, Believed, Any, str], data: st.DataObject
) -> None:
    """Members of any content: no reader raises anything but an `Error`."""
    whole, known, trust, event = bytes_of_a_bundle
    (tmp_path / "b.zip").write_bytes(whole)
    with zipfile.ZipFile(tmp_path / "b.zip") as source:
        members = {one.filename: source.read(one) for one in source.infolist()}
    name = data.draw(st.sampled_from(sorted(members)))
    body = bytearray(members[name])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, max(0, len(body) - 1)))
        kind = data.draw(st.integers(0, 2))
        if kind == 0:
            body[at : at + 1] = data.draw(st.binary(max_size=3))
        elif kind == 1:
            body[at : at + 1] = data.draw(
                st.sampled_from([b"", b"{", b"]", b"null", b'"', b"-1", b"1e9", b"\xff"])
            )
        else:
            del body[at:]
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as target:
        for one, content in members.items():
            target.writestr(one, bytes(body) if one == name else content)
    for ask in (
        lambda bundle: verify_bundle(bundle, known),
        lambda bundle: trace(bundle, event, known, Trust.from_json(trust)),
    ):
        try:
            with AuditBundle(tmp_path / "c.zip") as bundle:
                ask(bundle)
        except Error:
            continue

"""A report of an audit folder is that of its records, and nothing else is shown for one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select, update

from delegant.credentials import Error, Request
from delegant.credentials.codec import parse_object
from delegant.governance import searching
from delegant.governance.auditlog import AuditReader
from delegant.governance.exporting import FORMATS, export_lines
from delegant.governance.holding import Scope, hold
from delegant.governance.reporting import Act, Logged, Wanted, report
from delegant.governance.retention import prune
from delegant.governance.searching import Searched
from delegant.governance.tables import ENTRIES, OPEN, OPENINGS
from governance import samples
from governance.auditing import TOPIC, Auditing
from governance.keeping import BY, DAY, KEPT_DAYS, act, begin, later, told
from governance.recorded import Recorded
from refusal import refusal
from world import T0


@pytest.fixture
def busy(auditing: Auditing) -> Auditing:
    """A log of acts of every result, by two agents, over some minutes."""
    world, ledger = auditing.world, auditing.ledger
    link = auditing.link(constraints={"task": {"id": "T-1", "initiation": "schedule"}})
    bot = world.agent("second", auditing.ana)
    other = world.delegate(auditing.ana, bot, ["db.* urn:acme:papers:**"])
    task = {"id": "T-1", "initiation": "schedule"}
    for turn in range(3):
        permit = auditing.permit([link], Request("db.read", TOPIC, task=task))
        world.now += 20
        if turn == 0:
            ledger.settle(permit, at=auditing.now)
        elif turn == 1:
            ledger.fail(permit, "unavailable", at=auditing.now)
        act(auditing, other)
        told(auditing, samples.refusal(action="db_x.read", decision="defer"))
        world.now += 20
    begin(auditing, other)
    told(auditing, samples.unproven(sponsor=None, agentDid=None, action=None))
    hold(auditing.log, Scope(start=T0), "x", BY, auditing.now)
    return auditing


def recorded(auditing: Auditing) -> Recorded:
    """The same records, put together without a search."""
    entries = [Logged(number, one) for number, one in enumerate(auditing.records())]
    return Recorded(auditing.log.id, entries)


def everything_to_ask(auditing: Auditing) -> list[dict[str, Any]]:
    """Questions with many answers, with few, and with none."""
    return [
        {}, {"open": True}, {"sponsor": auditing.ana.did}, {"sponsor": BY},
        {"agent": auditing.bot.did}, {"agent": samples.BOT}, {"agent": "did:web:nobody.example"},
        {"start": T0 + 40}, {"end": T0 + 41}, {"start": T0 + 20, "end": T0 + 60},
        {"start": T0 + 10_000}, {"end": T0}, {"initiation": "schedule"},
        {"initiation": "agent_decision"}, {"decision": "allow"}, {"decision": "defer"},
        {"decision": "deny"}, {"action": "db.read"}, {"action": "db.*"}, {"action": "db_x.*"},
        {"action": "d.*"}, {"open": True, "start": T0 + 41},
        {"sponsor": auditing.ana.did, "agent": auditing.bot.did, "start": T0 + 1, "action": "db.*"},
    ]  # fmt: skip


@pytest.mark.parametrize("page", [2, 256])
def test_a_search_finds_what_reading_everything_finds(
    busy: Auditing, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "PAGE", page)
    whole, found = recorded(busy), Searched(busy.log)
    answers = 0
    for asked in everything_to_ask(busy):
        wanted = Wanted(**asked)
        acts = list(found.acts(wanted))
        assert acts == list(whole.acts(wanted)), asked
        answers += len(acts)
    assert answers > 60


def test_whoever_may_only_read_reports_the_same(busy: Auditing) -> None:
    reader = AuditReader(busy.folder)
    try:
        assert report(Searched(reader), Wanted()) == report(Searched(busy.log), Wanted())
    finally:
        reader.close()


def test_the_counts_of_a_busy_log(busy: Auditing) -> None:
    assert report(Searched(busy.log), Wanted()).counts == {
        "acts": 12, "open": 2, "success": 4, "failure": 1, "released": 0, "refused": 4, "notice": 1,
    }  # fmt: skip


def test_what_was_pruned_is_not_in_a_report(auditing: Auditing) -> None:
    link = auditing.link()
    act(auditing, link)
    left = begin(auditing, link)
    later(auditing, 200)
    prune(auditing.log, auditing.now - KEPT_DAYS * DAY, BY, auditing.now)
    events = [one.first.record.event for one in Searched(auditing.log).acts(Wanted())]
    assert events[0] == left
    assert len(events) == 2  # and the notice


def test_an_act_is_open_until_its_outcome_is_logged(auditing: Auditing) -> None:
    permit = auditing.permit([auditing.link()])
    source, wanted = Searched(auditing.log), Wanted(open=True)
    (act_,) = source.acts(wanted)
    assert act_.result == "open"
    auditing.ledger.release(permit, at=auditing.now)
    assert list(source.acts(wanted)) == []
    assert [one.result for one in source.acts(Wanted())] == ["released"]


@pytest.mark.parametrize("form", FORMATS)
def test_what_opens_a_record_is_in_no_export_of_the_log(auditing: Auditing, form: str) -> None:
    request = Request("db.read", TOPIC, arguments={"customer": "of-a-secret-name"})
    auth, request, shown = auditing.asked([auditing.link()], request)
    evidence = auditing.world.evidence()
    permit = auditing.ledger.permit(
        auth, request, presentation=shown, evidence=evidence, at=auditing.now,
        given={"note": "of-a-secret-kind"},
    )  # fmt: skip
    auditing.ledger.settle(permit, at=auditing.now)
    with pytest.raises(Error) as replayed:
        auditing.ledger.permit(
            auth, request, presentation=shown, evidence=evidence, at=auditing.now
        )
    assert replayed.value.code == "replay"
    with auditing.log.store.transaction(reading=True) as db:
        bodies = list(db.execute(select(OPENINGS.c.body)).scalars())
    assert len(bodies) == 2
    data = b"\n".join(export_lines(Searched(auditing.log).acts(Wanted()), form)).decode()
    assert permit.event in data
    for body in bodies:
        opened = parse_object(bytes(body), size=1 << 20)
        for secret in (opened["salt"], *opened["invocation"].split(".")):
            assert secret not in data
    assert "of-a-secret" not in data
    assert "customer" not in data


# --- damage -------------------------------------------------------------------------------------

BEHIND: dict[str, Any] = {
    "a body that is another": update(ENTRIES).where(ENTRIES.c.number == 0).values(body=b"{}"),
    "the body of another": (
        update(ENTRIES)
        .where(ENTRIES.c.number == 0)
        .values(body=ENTRIES.select().with_only_columns(ENTRIES.c.body).where(
            ENTRIES.c.number == 1).scalar_subquery())
    ),
    "a sponsor that is another": (
        update(ENTRIES).where(ENTRIES.c.number == 0).values(sponsor=samples.BEN)
    ),
    "an outcome for an intent": update(ENTRIES).where(ENTRIES.c.number == 1).values(type="intent"),
    "an outcome that is missing": delete(ENTRIES).where(ENTRIES.c.number == 1),
    "an outcome of another event": (
        update(ENTRIES).where(ENTRIES.c.number == 3).values(event=samples.event(1))
    ),
    "an outcome taken for this one's": update(ENTRIES).where(ENTRIES.c.number == 3),
}  # fmt: skip


@pytest.mark.parametrize("name", BEHIND)
def test_what_is_damaged_is_never_shown(auditing: Auditing, name: str) -> None:
    link = auditing.link()
    first = act(auditing, link)
    act(auditing, link)
    found = list(Searched(auditing.log).acts(Wanted()))
    assert [one.result for one in found] == ["success", "success"]
    statement = BEHIND[name]
    if name == "an outcome taken for this one's":
        with auditing.log.store.transaction(sequencing=True) as db:
            db.execute(delete(ENTRIES).where(ENTRIES.c.number == 1))
        statement = statement.values(event=first)
    with auditing.log.store.transaction(sequencing=True) as db:
        db.execute(statement)
    wanted = Wanted(sponsor=samples.BEN) if "sponsor" in name else Wanted()

    def shown() -> list[Act]:
        return list(Searched(auditing.log).acts(wanted))

    if name in ("an outcome that is missing", "an outcome of another event"):
        # whoever hides an outcome makes its act stand out as open
        assert "open" in [one.result for one in shown()]
    else:
        assert refusal(shown) == "unavailable"


def test_a_row_that_says_an_act_is_open_does_not_make_it_so(auditing: Auditing) -> None:
    event = act(auditing, auditing.link())
    with auditing.log.store.transaction(sequencing=True) as db:
        db.execute(OPEN.insert().values(event=event, number=0, time=T0))
    assert list(Searched(auditing.log).acts(Wanted(open=True))) == []
    begun = begin(auditing, auditing.link())
    assert [one.first.record.event for one in Searched(auditing.log).acts(Wanted(open=True))] == [
        begun
    ]

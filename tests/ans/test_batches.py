"""Changes that share a transaction: each is judged alone, all are durable before any is told."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from ans.batching import WAIT, ask, gathered, together, told
from ans.naming import NAME, Naming
from delegant.ans import engine, providers, sequencer
from delegant.ans.batch import Added, Batch
from delegant.ans.holder import statement
from delegant.ans.leaf import parse_leaf
from delegant.ans.log.checkpoint import (
    Checkpoint,
    add_signatures,
    cosign,
    open_checkpoint,
    parse_checkpoint,
)
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.ans.log.tiles import unpack
from delegant.ans.name import AnsName
from delegant.ans.signing import digest_of
from delegant.ans.store import FORGET
from delegant.ans.tables import SPENT
from delegant.credentials import Evidence, PrivateKey
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.wallet import files
from refusal import refusal


@pytest.fixture(params=["sqlite", "postgresql"])
def naming(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Naming]:
    """``AcmeLabs`` is bound: the log has one entry."""
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres")
    out = Naming(tmp_path / "registry.db", database=database)
    yield out
    out.registry.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Naming]:
    """The same, over SQLite alone."""
    out = Naming(tmp_path / "registry.db")
    yield out
    out.registry.close()


def versions(first: int, count: int) -> list[str]:
    return [NAME.replace("v1.0", f"v{n}") for n in range(first, first + count)]


def head(naming: Naming) -> Checkpoint:
    return open_checkpoint(naming.registry.log.checkpoint(), naming.log)


def types(naming: Naming) -> list[str]:
    """What the log says happened."""
    size = head(naming).size
    return [parse_leaf(one).json["type"] for one in unpack(naming.registry.log.bundle(0, size))]


# --- each is judged alone -------------------------------------------------------------------


def test_what_is_refused_spoils_nothing_of_those_beside_it(naming: Naming) -> None:
    rival = naming.agent("rival")
    one, two, three = versions(1, 3)
    elsewhere = "mcp://PaperQuery.Research.Nobody.v1.0"
    given = together(
        naming.registry,
        [
            naming.body(naming.event(name=one)),
            naming.body(naming.event(name=one, bot=rival), rival),
            naming.body(naming.event(name=elsewhere)),
            naming.body(naming.event("renew", name=two, before=(0, "sha256:" + "0" * 64))),
            naming.body(naming.event(name=three)),
        ],
        naming.now,
    )
    codes = [index(one) for one in given]
    assert codes[0] == 1
    assert codes[1:3] == ["name-taken", "namespace"]
    assert codes[3] in ("shape", "ans-not-found")
    assert codes[4] == 2
    assert types(naming) == ["bind", "register", "register"]
    assert naming.agent_of(one) == naming.bot.did
    assert naming.state(elsewhere) == naming.state(two) == ""


def test_all_of_a_batch_stand_under_one_checkpoint(naming: Naming) -> None:
    sent = [naming.body(naming.event(name=name)) for name in versions(1, 20)]
    for receipt in together(naming.registry, sent, naming.now):
        found = naming.logged(receipt)  # proof and signature
        assert (found.size, found.root) == (21, head(naming).root)
    with naming.registry.store.transaction(reading=True) as db:
        signed = [naming.registry.store.checkpoint_of(db, size) for size in range(1, 22)]
    assert [size for size, note in enumerate(signed, 1) if note is not None] == [1, 21]


def test_the_same_bytes_twice_in_a_batch_are_one_leaf_and_one_receipt(naming: Naming) -> None:
    body, other = naming.body(naming.event()), naming.body(naming.event(name=versions(2, 1)[0]))
    first, beside, again = together(naming.registry, [body, other, body], naming.now)
    assert first == again
    assert "opening" in first
    assert beside["index"] == 2
    assert together(naming.registry, [body, body], naming.now) == [first, first]
    assert types(naming) == ["bind", "register", "register"]


def test_an_invocation_is_used_once_within_a_batch(naming: Naming) -> None:
    change = Spending("once", naming.now + 60)
    with gathered(naming.registry):
        first, again = naming.registry._sequencer.write_all([change, change], naming.now)
        beside = ask(naming.registry, naming.body(naming.event()), naming.now)
    assert first.result(WAIT)["index"] == 1
    assert told(again) == "replay"
    assert beside.result(WAIT)["index"] == 2
    assert told(naming.registry._sequencer.write(change, naming.now)) == "replay"  # nor later


class Spending:
    """A change that uses a key once, and says nothing else of any name."""

    digest = key = label = None

    def __init__(self, once: str, until: int, *, refuse: bool = False) -> None:
        self.once = once
        self._until = until
        self._refuse = refuse

    def add(self, batch: Batch) -> Added:
        if self._refuse:
            raise error("replay", "as it was told to")
        batch.unspent(self.once)
        batch.spend(self.once, self._until)
        leaf: JsonObject = {
            "version": 1, "registry": "did:web:a.example", "kind": "provider", "type": "bind",
            "provider": "spender", "shown": "spender", "organization": "did:web:b.example",
            "basis": "operator",
        }  # fmt: skip
        return Added(batch.log(leaf))

    def receipt(self, number: int) -> JsonObject:
        raise AssertionError(number)


def test_of_two_steps_that_follow_the_same_event_one_is_taken(naming: Naming) -> None:
    known = naming.register()
    renewed = naming.event("renew", receipt=known)
    given = together(
        naming.registry,
        [
            naming.body(renewed),
            naming.body(naming.event("update", receipt=known)),
            naming.body(naming.event("revoke", receipt=known)),
        ],
        naming.now,
    )
    assert [one if isinstance(one, str) else one["leaf"]["type"] for one in given] == [
        "renew", "stale-version", "stale-version",
    ]  # fmt: skip
    assert naming.state() == "active"
    assert types(naming) == ["bind", "register", "renew"]


def test_a_whole_life_fits_in_one_batch(naming: Naming) -> None:
    first = naming.event()
    sent, before = [naming.body(first)], first
    for kind in ("renew", "update", "revoke", "renew"):
        before = naming.event(kind, before=(before["seq"], digest_of(before)))
        sent.append(naming.body(before))
    given = together(naming.registry, sent, naming.now)
    assert [naming.logged(one).index for one in given[:4]] == [1, 2, 3, 4]
    assert given[4] == "ans-gone"
    assert naming.state() == "revoked"
    assert naming.registry.resolve(NAME, naming.now)[0] == 410


def test_who_had_a_say_before_a_transfer_has_none_after_it(naming: Naming) -> None:
    known = naming.register()
    heir = naming.agent("heir", naming.world.human("ben"))
    moved = naming.transfer(known, heir)
    receipt = {"leaf": {"seq": 1, "event": digest_of(moved)}}
    revoked = naming.office("revoke", naming.ana, receipt, bot=heir)  # of the old agent's sponsor
    sent = [naming.body(moved), (statement(revoked, naming.world.evidence()), None)]
    given = together(naming.registry, sent, naming.now)
    assert index(given[0]) == 2
    assert given[1] == "stale-version"
    assert (naming.state(), naming.agent_of()) == ("active", heir.did)
    assert together(naming.registry, sent[1:], naming.now) == ["holder-mismatch"]


def test_a_label_bound_in_a_batch_is_a_provider_to_what_follows(naming: Naming) -> None:
    registry, org = naming.registry, naming.world.org.did
    sent = naming.body(naming.event(name="mcp://PaperQuery.Research.Later.v1.0"))
    with gathered(registry):
        early = ask(registry, sent, naming.now)
        bound = [bind(naming, label, org) for label in ("Later", "LATER")]
        alike = bind(naming, "1ater", naming.world.db.did)
        late = ask(registry, sent, naming.now)
    assert told(early) == "namespace"
    assert [one.result(WAIT)["index"] for one in bound] == [1, 1]
    assert told(alike) == "name-confusable"
    assert late.result(WAIT)["index"] == 2


def bind(naming: Naming, label: str, organization: str) -> Future[JsonObject]:
    """Ask for a binding, without waiting."""
    logged = naming.registry._writer.logged
    store = naming.registry.store
    binding = providers.Binding(store, naming.did, label, organization, "operator", logged)
    return naming.registry._sequencer.write(binding, naming.now)


def test_of_64_who_want_one_name_one_has_it(naming: Naming) -> None:
    bots = [naming.agent(f"bot-{number}") for number in range(64)]
    listed = [naming.world.status_list().secured.raw]
    ana = naming.world.parties["ana"].credential
    assert ana is not None
    shown = [
        Evidence([ana.secured.raw], [bot.identity.secured.raw], listed)
        for bot in bots
        if bot.identity
    ]
    sent = [
        naming.body(naming.event(bot=bot), bot, evidence=own)
        for bot, own in zip(bots, shown, strict=True)
    ]
    start = threading.Barrier(64)

    def one(number: int) -> Any:
        start.wait()
        return told(ask(naming.registry, sent[number], naming.now))

    with ThreadPoolExecutor(64) as pool:
        given = list(pool.map(one, range(64)))
    receipts = [number for number, one in enumerate(given) if isinstance(one, dict)]
    assert len(receipts) == 1
    assert given.count("name-taken") == 63
    assert naming.agent_of() == bots[receipts[0]].did
    assert types(naming) == ["bind", "register"]


def test_a_program_that_breaks_over_a_change_breaks_over_no_other(naming: Naming) -> None:
    one, two = versions(1, 2)
    with gathered(naming.registry):
        good = ask(naming.registry, naming.body(naming.event(name=one)), naming.now)
        bad = naming.registry._sequencer.write(Broken(), naming.now)
        last = ask(naming.registry, naming.body(naming.event(name=two)), naming.now)
    assert [good.result(WAIT)["index"], last.result(WAIT)["index"]] == [1, 2]
    with pytest.raises(ZeroDivisionError):
        bad.result(WAIT)
    assert types(naming) == ["bind", "register", "register"]


class Broken:
    """A change over which the program breaks, after it was half added."""

    digest = key = label = once = None

    def add(self, batch: Batch) -> Added:
        batch.log({"broken": True})
        raise ZeroDivisionError

    def receipt(self, number: int) -> JsonObject:
        raise AssertionError(number)


def test_a_clock_that_is_ahead_turns_no_other(local: Naming) -> None:
    """Over the refused change of whoever looked at it."""
    with gathered(local.registry):
        sequencer = local.registry._sequencer
        refused = sequencer.write(Spending("", 0, refuse=True), local.now + 20)
        taken = ask(local.registry, local.body(local.event()), local.now)
    assert told(refused) == "replay"
    assert local.leaf(taken.result(WAIT)).time == local.now


@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_taken_before_and_is_sent_again_moves_no_clock(
    local: Naming, at_once: bool
) -> None:
    local.world.now += 1
    links, evidence = local.grant(local.bot), local.world.evidence()
    first = local.body(local.event(), links=links, evidence=evidence)
    names = versions(5, 1)
    second = local.body(local.event(name=names[0]), links=links, evidence=evidence)
    assert told(ask(local.registry, first, local.now)) != ""
    if at_once:
        with gathered(local.registry):
            again = ask(local.registry, first, local.now + 20)
            taken = ask(local.registry, second, local.now)
        told(again)
    else:
        told(ask(local.registry, first, local.now + 20))
        taken = ask(local.registry, second, local.now)
    assert local.leaf(taken.result(WAIT)).time == local.now


def test_used_keys_are_forgotten_once_in_a_second_or_while_there_are_many(local: Naming) -> None:
    def used() -> int:
        with local.registry.store.transaction(reading=True) as db:
            old = select(func.count()).where(SPENT.c.until == 1)
            return int(db.execute(old).scalar_one())

    def use(first: int, count: int) -> None:
        rows = [{"key": f"k{number}", "until": 1} for number in range(first, first + count)]
        local.change(insert(SPENT).values(rows))

    local.world.now += 1
    use(0, FORGET + 9)
    left = []
    for name in versions(5, 2):
        local.register(name=name)
        left.append(used())
    assert left == [9, 0]
    use(1000, 9)
    local.register(name=versions(7, 1)[0])
    assert used() == 9
    local.world.now += 1
    local.register(name=versions(8, 1)[0])
    assert used() == 0


def test_who_comes_while_the_turn_to_write_is_waited_for_is_written_with_it(local: Naming) -> None:
    other = local.open()
    with other._sequencer._alone():
        asked = [ask(local.registry, local.body(local.event()), local.now)]
        time.sleep(0.1)  # it waits for its turn now
        asked += [
            ask(local.registry, local.body(local.event(name=name)), local.now)
            for name in versions(2, 3)
        ]
    receipts = [one.result(WAIT) for one in asked]
    assert {local.logged(one).size for one in receipts} == {5}
    other.close()


# --- what the database will not take --------------------------------------------------------


def test_a_change_that_the_database_refuses_spoils_no_other(naming: Naming) -> None:
    one, two = versions(1, 2)
    naming.registry.store.close()
    deny(naming, f"{NAME}.fault".lower())
    sent = [naming.body(naming.event(name=name)) for name in (one, f"{NAME}.fault", two)]
    first, refused, last = together(naming.registry, sent, naming.now)
    assert refused == "unavailable"
    assert [first["index"], last["index"]] == [1, 2]
    allow(naming)
    assert together(naming.registry, sent[1:2], naming.now)[0]["index"] == 3  # nothing was spent


def deny(naming: Naming, key: str) -> None:
    """Have the database itself refuse the rows of a name."""
    if naming.database is None:
        sqlite(
            naming,
            f"CREATE TRIGGER fault BEFORE INSERT ON names WHEN new.key = '{key}' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
    else:
        with naming.registry.store.transaction() as db:
            db.execute(text(f"ALTER TABLE names ADD CONSTRAINT fault CHECK (key <> '{key}')"))


def allow(naming: Naming) -> None:
    if naming.database is None:
        sqlite(naming, "DROP TRIGGER fault")
    else:
        with naming.registry.store.transaction() as db:
            db.execute(text("ALTER TABLE names DROP CONSTRAINT fault"))


def sqlite(naming: Naming, statement: str) -> None:
    db = sqlite3.connect(naming.path, isolation_level=None)
    db.execute(statement)
    db.close()


def test_a_commit_that_fails_changes_nothing_and_the_next_one_works(naming: Naming) -> None:
    before = naming.registry.log.checkpoint()
    sent = [naming.body(naming.event(name=name)) for name in versions(1, 8)]
    if naming.database is None:
        sqlite(
            naming,
            "CREATE TRIGGER fault BEFORE INSERT ON checkpoints "
            "BEGIN SELECT RAISE(ABORT, 'disk'); END",
        )
    else:  # checked by the commit itself
        with naming.registry.store.transaction() as db:
            db.execute(text(
                "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'disk'; END $$"
            ))  # fmt: skip
            db.execute(text(
                "CREATE CONSTRAINT TRIGGER fault AFTER INSERT ON checkpoints "
                "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fault()"
            ))  # fmt: skip
    assert together(naming.registry, sent, naming.now) == ["unavailable"] * 8
    assert naming.registry.log.checkpoint() == before
    assert types(naming) == ["bind"]
    assert naming.state(versions(1, 1)[0]) == ""
    if naming.database is None:
        sqlite(naming, "DROP TRIGGER fault")
    else:
        with naming.registry.store.transaction() as db:
            db.execute(text("DROP TRIGGER fault ON checkpoints"))
    receipts = together(naming.registry, sent, naming.now)
    assert [one["index"] for one in receipts] == list(range(1, 9))


# --- commit, then the file, then the word ---------------------------------------------------


def test_nothing_is_acknowledged_before_the_file_says_so(
    naming: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    write, finish = files.write, Future.set_result

    def written(path: Path, data: bytes, **more: Any) -> None:
        with naming.registry.store.transaction(reading=True) as db:  # another's eyes
            order.append(f"committed {naming.registry.store.leaf_count(db)}")
        write(path, data, **more)
        order.append(f"published {parse_checkpoint(data.decode())[0].size}")

    def finished(future: Future[Any], result: Any) -> None:
        if isinstance(result, dict):
            order.append(f"acknowledged {result['index']}")
        finish(future, result)

    monkeypatch.setattr(files, "write", written)
    monkeypatch.setattr(Future, "set_result", finished)
    sent = [naming.body(naming.event(name=name)) for name in versions(1, 3)]
    together(naming.registry, sent, naming.now)
    assert order == [
        "committed 4", "published 4", "acknowledged 1", "acknowledged 2", "acknowledged 3",
    ]  # fmt: skip


def test_what_was_not_published_is_not_acknowledged_and_is_when_it_is_sent_again(
    naming: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    sent = [naming.body(naming.event(name=name)) for name in versions(1, 3)]
    with monkeypatch.context() as patch:
        patch.setattr(files, "write", full)
        assert together(naming.registry, sent, naming.now) == ["unavailable"] * 3
        assert head(naming).size == 1
    receipts = together(naming.registry, sent, naming.now)
    assert [naming.logged(one).index for one in receipts] == [1, 2, 3]
    assert head(naming).size == 4


def test_whoever_keeps_answers_is_told_of_names_before_anybody_is(naming: Naming) -> None:
    seen: list[tuple[frozenset[str], int, int]] = []
    naming.registry.on_publish(lambda *told: seen.append(told))
    good, bad = versions(1, 1)[0], "mcp://PaperQuery.Research.Nobody.v1.0"
    sent = [naming.body(naming.event(name=name)) for name in (good, bad)]
    together(naming.registry, sent, naming.now)
    together(naming.registry, sent[1:], naming.now)  # changes nothing, so nobody is told
    assert seen == [(frozenset({AnsName.parse(good).key}), 1, 2)]


# --- waiting --------------------------------------------------------------------------------


def test_a_database_that_is_held_is_waited_for_once_and_not_for_each(
    local: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [local.body(local.event(name=name)) for name in versions(1, 6)]
    monkeypatch.setattr(engine, "WAIT_SECONDS", 0.3)
    local.registry.store.close()
    holder = sqlite3.connect(local.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    assert together(local.registry, sent, local.now) == ["unavailable"] * 6
    assert time.monotonic() - start < 0.3 * 2
    holder.execute("ROLLBACK")
    holder.close()
    assert [one["index"] for one in together(local.registry, sent, local.now)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("lock", [".lock", sequencer.PUBLISHING])
def test_a_lock_that_does_not_come_free_is_waited_for_so_long(
    local: Naming, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    witness = NoteSigner("w.example", PrivateKey.generate(), COSIGNATURE)
    line = cosign(head(local), witness, local.now)
    note = add_signatures(local.registry.log.checkpoint(), [line])
    body = local.body(local.event())
    monkeypatch.setattr(sequencer, "WAIT_SECONDS", 0.2)
    with files.lock(local.checkpoint.parent, lock):
        for change in (
            lambda: together(local.registry, [body], local.now)[0],
            lambda: refusal(lambda: local.registry.cosigned(note)),
        ):
            start = time.monotonic()
            assert change() == "unavailable"
            assert time.monotonic() - start < 5
    assert together(local.registry, [body], local.now)[0]["index"] == 1
    assert refusal(lambda: local.registry.cosigned(local.registry.log.checkpoint())) == ""


# --- beginning and ending -------------------------------------------------------------------


def test_closing_writes_what_waits_and_takes_no_more(local: Naming) -> None:
    sent = [local.body(local.event(name=name)) for name in versions(1, 6)]
    with ThreadPoolExecutor(1) as pool:
        with gathered(local.registry):
            asked = [ask(local.registry, one, local.now) for one in sent[:5]]
            closing = pool.submit(local.registry.close)
            time.sleep(0.05)
            assert not closing.done()
        closing.result(WAIT)
    assert all(one.done() for one in asked)
    assert [index(told(one)) for one in asked] == [1, 2, 3, 4, 5]
    for _ in range(2):  # nor does anybody wait for ever
        assert told(ask(local.registry, sent[5], local.now)) == "unavailable"
    assert local.open().submit(*sent[5], local.now)["index"] == 6


def test_a_child_of_a_fork_writes_when_nothing_was_written_before(local: Naming) -> None:
    registry = local.open()  # as a server, whose workers are forked
    sent = [local.body(local.event(name=name)) for name in versions(1, 2)]
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = int(index(told(ask(registry, sent[0], local.now))) != 1)
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert index(told(ask(registry, sent[1], local.now))) == 2


def index(receipt: JsonObject | str) -> Any:
    """Where it stands in the log; or the refusal."""
    return receipt if isinstance(receipt, str) else receipt["index"]


def test_who_gave_up_waiting_is_not_written(local: Naming) -> None:
    sent = [local.body(local.event(name=name)) for name in versions(1, 2)]
    with gathered(local.registry):
        gone, stays = (ask(local.registry, one, local.now) for one in sent)
        assert gone.cancel()
    assert stays.result(WAIT)["index"] == 1
    assert types(local) == ["bind", "register"]

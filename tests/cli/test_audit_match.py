"""`delegant audit match`, typed: over a real log, its bundles, and journals of real agents."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from delegant.credentials import Error, PrivateKey, Request
from delegant.credentials.errors import error
from delegant.credentials.shape import format_time
from delegant.governance.auditlog import AuditReader
from delegant.governance.bundle import Selection, export
from delegant.governance.journal import Journal
from delegant.governance.tables import PRUNED
from delegant.governance.walking import log_source
from delegant.wallet import files
from delegant.wallet.trustfolder import write_trust
from governance.auditing import Auditing
from world import Party

from .conftest import T0, Shell

MINUTE = 60
HOUR = 3600


@dataclass
class Both:
    """A resource that records, its agent that keeps a journal, and an auditor's folder."""

    auditing: Auditing
    journal: Journal
    path: Path
    folder: Path

    def act(self, number: int, *, told: bool = True, recorded: bool = True) -> None:
        """One act, an hour after the one before; either side may keep silent about it."""
        here, world = self.auditing, self.auditing.world
        world.now += HOUR
        link = here.link()
        request = Request("db.read", f"urn:acme:papers:{number}", rows=1)
        auth, request, shown = here.asked([link], request)
        assert shown.invocation is not None
        if told:
            self.journal.sent(shown.invocation, world.now)
        answer = None
        if recorded:
            permit = here.ledger.permit(
                auth, request, presentation=shown, evidence=world.evidence(), at=world.now
            )
            here.ledger.settle(permit, rows=1, at=world.now)
            answer = here.ledger.receipt(permit, "success", at=world.now)
        if told:
            kept = self.journal.keep(shown.invocation, "success", world.now + 1, answer=answer)
            assert kept.fault is None

    def refusal(self) -> None:
        """One act that is refused, and that both sides tell of."""
        here, world = self.auditing, self.auditing.world
        world.now += HOUR
        auth, request, shown = here.asked([here.link()])
        assert shown.invocation is not None
        refused: Error = error("constraint", "rows is not satisfied", dimension="rows")
        recorded = here.ledger.refuse(
            refused, presentation=shown, request=request, chain=auth, evidence=world.evidence(),
            at=world.now,
        )  # fmt: skip
        answer = here.ledger.refusal_receipt(recorded, shown, at=world.now)
        kept = self.journal.keep(shown.invocation, "refused", world.now, answer=answer)
        assert answer is not None
        assert kept.fault is None

    def trust(self, **changes: Any) -> str:
        """A trust folder that names the log."""
        entry = self.auditing.log.settings.entry() | changes
        folder = self.folder / "trust"
        folder.mkdir(exist_ok=True)
        write_trust(folder, self.auditing.world.trust_json | {"audits": [entry]})
        return str(folder)

    def bundle(self, wanted: Selection | None = None, **more: Any) -> str:
        """A bundle of the log."""
        path = self.folder / "audit.zip"
        export(self.auditing.log, path, wanted or Selection(), **more)
        return str(path)

    def drop_line(self, number: int) -> None:
        """The agent leaves an act out: both its lines."""
        every = self.path.read_bytes().splitlines(keepends=True)
        self.path.write_bytes(b"".join(every[: 2 * number] + every[2 * number + 2 :]))


@pytest.fixture
def both(shell: Shell, tmp_path: Path) -> Iterator[Both]:
    """Three acts and a refusal that both sides tell alike, an hour apart."""
    auditing = Auditing(tmp_path / "audit")
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, auditing.bot.key, {auditing.log.id: list(auditing.log.settings.keys)})
    found = Both(auditing, journal, path, tmp_path)
    for number in range(3):
        found.act(number)
    found.refusal()
    shell.now = auditing.now + HOUR
    yield found
    auditing.log.close()


def matched(shell: Shell, both: Both, *typed: str, status: int = 0) -> Any:
    """What it says of a bundle."""
    if "--trust" not in typed:
        typed = (*typed, "--trust", both.trust())
    return shell.json(
        "audit", "match", both.bundle(), "--journal", str(both.path), *typed, status=status
    )


def rows(value: Any) -> list[tuple[str, str | None, str]]:
    """What was found."""
    assert all(one["code"] == "unmatched" for one in value["findings"])
    return [(one["kind"], one["lacks"], one["dimension"]) for one in value["findings"]]


RECEIPT = ("missing", "agent", "receipt")
RECORD = ("missing", "resource", "record")


def test_two_honest_sides_match(shell: Shell, both: Both) -> None:
    value = matched(shell, both)
    assert value["matched"] is True
    assert (value["records"], value["receipts"], value["pairs"], value["answers"]) == (7, 7, 4, 4)
    told = shell.ok("audit", "match", both.bundle(), "--journal", str(both.path),
                    "--trust", both.trust())  # fmt: skip
    assert "matched: each side says what the other says" in told
    assert "4 pairs" in told


def test_the_keeper_of_a_log_asks_the_log_itself(shell: Shell, both: Both) -> None:
    typed = ("audit", "match", "--log", str(both.auditing.folder), "--journal", str(both.path))
    value = shell.json(*typed)
    assert (value["matched"], value["requests"]) == (True, 4)
    assert value["period"]["until"] == format_time(shell.now)
    both.drop_line(1)
    assert rows(shell.json(*typed, status=1)) == [RECEIPT]


@pytest.mark.parametrize("number", range(3))
def test_a_dropped_receipt_is_unmatched(shell: Shell, both: Both, number: int) -> None:
    both.drop_line(number)
    value = matched(shell, both, status=1)
    assert rows(value) == [RECEIPT]
    (found,) = value["findings"]
    assert found["time"] == format_time(T0 + (number + 1) * HOUR)
    assert found["agent"] == both.auditing.bot.did
    told = shell("audit", "match", both.bundle(), "--journal", str(both.path),
                 "--trust", both.trust())  # fmt: skip
    assert told.exit_code == 1
    assert f"! unmatched  receipt: the agent lacks it: {found['event']}" in told.stdout


def test_an_act_that_was_not_recorded_is_unmatched(shell: Shell, both: Both) -> None:
    both.act(9, recorded=False)
    shell.now = both.auditing.now + HOUR
    value = matched(shell, both, status=1)
    assert rows(value) == [RECORD]
    live = ("audit", "match", "--log", str(both.auditing.folder), "--journal", str(both.path))
    assert rows(shell.json(*live, status=1)) == [RECORD]


def test_an_act_that_was_not_told_is_unmatched(shell: Shell, both: Both) -> None:
    both.act(9, told=False)
    assert rows(matched(shell, both, status=1)) == [RECEIPT]


def test_what_happens_while_one_looks_is_not_missed(shell: Shell, both: Both) -> None:
    both.act(8, recorded=False)
    both.auditing.world.now += MINUTE - HOUR
    both.act(9, told=False)
    live = ("audit", "match", "--log", str(both.auditing.folder), "--journal", str(both.path))
    shell.now = both.auditing.now + 2 * MINUTE
    assert rows(shell.json(*live)) == []
    assert sorted(rows(shell.json(*live, "--grace", "30s", status=1))) == [RECEIPT, RECORD]
    assert sorted(rows(shell.json(*live, "--grace", "0", status=1))) == [RECEIPT, RECORD]


def test_a_period_leaves_out_what_lies_beyond(shell: Shell, both: Both) -> None:
    both.drop_line(0)
    both.act(9, recorded=False)
    since = format_time(T0 + 2 * HOUR - MINUTE)
    until = format_time(T0 + 4 * HOUR + MINUTE)
    assert sorted(rows(matched(shell, both, status=1))) == [RECEIPT, RECORD]
    assert rows(matched(shell, both, "--since", since, status=1)) == [RECORD]
    assert rows(matched(shell, both, "--until", until, status=1)) == [RECEIPT]
    assert rows(matched(shell, both, "--since", since, "--until", until)) == []


def test_a_part_of_a_log_is_matched_by_what_is_in_it(shell: Shell, both: Both) -> None:
    part = Selection(start=T0 + 2 * HOUR, end=T0 + 3 * HOUR + 1)
    typed = ("audit", "match", both.bundle(part), "--journal", str(both.path), "--trust",
             both.trust())  # fmt: skip
    value = shell.json(*typed)
    assert (value["matched"], value["pairs"], value["beyond"]) == (True, 2, 2)
    both.drop_line(1)
    assert rows(shell.json(*typed, status=1)) == [RECEIPT]


def test_requests_are_compared_where_they_are_disclosed(shell: Shell, both: Both) -> None:
    lines = both.path.read_bytes().splitlines(keepends=True)
    value = [line.split(b'"receipt"')[1] for line in lines]
    both.path.write_bytes(b"".join(b'{"receipt"' + rest for rest in value))  # without the answers
    typed = ("--journal", str(both.path), "--trust", both.trust())
    closed = shell.json("audit", "match", both.bundle(), *typed)
    assert (closed["requests"], closed["answers"]) == (0, 0)
    opened = shell.json("audit", "match", both.bundle(openings=True), *typed)
    assert (opened["requests"], opened["answers"]) == (3, 0)  # a refusal is not held to its request


def test_the_receipt_keys_come_from_the_trust_folder(shell: Shell, both: Both) -> None:
    other = PrivateKey.generate().public.multikey
    value = matched(shell, both, "--trust", both.trust(keys=[other]), status=1)
    assert set(rows(value)) == {("unproven", "resource", "did-key-mismatch")}
    assert len(value["findings"]) == 4
    assert rows(matched(shell, both)) == []


def test_a_bundle_is_verified_first(shell: Shell, both: Both) -> None:
    log = Auditing(both.folder / "other").log
    trust = both.trust(log=log.settings.entry()["log"])
    log.close()
    assert matched(shell, both, "--trust", trust, status=1)["code"] == "log-note"
    world = both.auditing.world
    write_trust(both.folder / "trust", world.trust_json)
    value = matched(shell, both, "--trust", str(both.folder / "trust"), status=3)
    assert value["code"] == "key-unresolved"


def test_the_key_of_a_named_agent_is_found_in_its_chain(shell: Shell, both: Both) -> None:
    here, world = both.auditing, both.auditing.world
    bot = Party("named", PrivateKey.generate(), "did:web:bot.example")
    world.agent("named", here.ana, agent=bot.did, block={"key": bot.key.public.multikey})
    link = world.delegate(here.ana, bot, ["db.read urn:acme:papers:**"], subject_key=bot.key.public)
    world.now += MINUTE
    auth, request, shown = here.asked([link], key=bot.key)
    permit = here.ledger.permit(
        auth, request, presentation=shown, evidence=world.evidence(), at=world.now
    )
    here.ledger.settle(permit, at=world.now)
    assert shown.invocation is not None
    path = both.folder / "named.jsonl"
    Journal(path, bot.key).keep(shown.invocation, "success", world.now)
    shell.now = world.now + HOUR
    live = ("audit", "match", "--log", str(here.folder), "--journal", str(both.path))
    assert rows(shell.json(*live, status=1)) == [RECEIPT]
    assert shell.json(*live, "--journal", str(path))["pairs"] == 5
    assert matched(shell, both, "--journal", str(path))["pairs"] == 5
    path.unlink()
    Journal(path, PrivateKey.generate()).keep(shown.invocation, "success", world.now)
    forged = [("unproven", "agent", "proof")]
    assert rows(shell.json(*live, "--journal", str(path), status=1)) == forged


def test_a_bundle_that_does_not_hold_is_not_matched(shell: Shell, both: Both) -> None:
    folder = both.folder / "unpacked"
    with zipfile.ZipFile(both.bundle()) as packed:
        packed.extractall(folder)
    typed = ("audit", "match", str(folder), "--journal", str(both.path), "--trust", both.trust())
    assert shell.json(*typed)["matched"] is True
    index = folder / "index"
    index.write_bytes(b"".join(sorted(index.read_bytes().splitlines(keepends=True))[1:]))
    assert shell.json(*typed, status=4)["code"] == "audit-bundle"


def test_who_is_asked_about_can_be_named(shell: Shell, both: Both) -> None:
    both.drop_line(0)
    bot, other = both.auditing.bot.did, both.auditing.ana.did
    assert rows(matched(shell, both, "--agent", bot, status=1)) == [RECEIPT]
    value = matched(shell, both, "--agent", other)
    assert (value["matched"], value["receipts"], value["elsewhere"]) == (True, 0, 5)
    elsewhere = matched(shell, both, "--resource", other, status=1)
    assert rows(elsewhere) == [RECEIPT] * 4
    assert elsewhere["elsewhere"] == 5


def test_a_journal_in_two_parts_is_one(shell: Shell, both: Both) -> None:
    every = both.path.read_bytes().splitlines(keepends=True)
    second = both.folder / "second.jsonl"
    files.write(second, b"".join(every[4:]))
    both.path.write_bytes(b"".join(every[:4]))
    assert rows(matched(shell, both, status=1)) == [RECEIPT, RECEIPT]
    assert rows(matched(shell, both, "--journal", str(second))) == []


def test_a_torn_line_is_told(shell: Shell, both: Both) -> None:
    with both.path.open("ab") as out:
        out.write(b'{"answer":"eyJ')
    told = shell.ok("audit", "match", both.bundle(), "--journal", str(both.path),
                    "--trust", both.trust())  # fmt: skip
    assert f"torn       {both.path}:8: a line that a crash cut" in told
    assert "matched" in told


def test_what_was_pruned_is_not_missed(shell: Shell, both: Both) -> None:
    log = both.auditing.log
    with log.store.transaction() as db:
        db.execute(insert(PRUNED).values(start=0, end=2))
    reader = AuditReader(both.auditing.folder)
    seen = [one if one is None else one.type for one in log_source(reader).records]
    reader.close()
    assert seen == [None, None, "intent", "outcome", "intent", "outcome", "refusal"]
    value = shell.json("audit", "match", "--log", str(both.auditing.folder),
                       "--journal", str(both.path))  # fmt: skip
    assert (value["matched"], value["beyond"]) == (True, 1)


def test_a_wrong_command_line_is_told(shell: Shell, both: Both) -> None:
    log, journal = str(both.auditing.folder), str(both.path)
    bundle, trust = both.bundle(), both.trust()
    wrong = [
        ("--journal", journal),
        (bundle, "--log", log, "--journal", journal),
        (bundle, "--trust", trust),
        ("--log", log, "--trust", trust, "--journal", journal),
        (bundle, "--trust", trust, "--journal", journal, "--grace", "soon"),
        (bundle, "--trust", trust, "--journal", journal, "--since", "yesterday"),
        (bundle, "--trust", trust, "--journal", journal, "--agent", "bot"),
    ]
    for typed in wrong:
        assert shell.json("audit", "match", *typed, status=4)["code"] == "shape", typed
    for typed in (
        (bundle, "--trust", trust, "--journal", f"{journal}.none"),
        (f"{bundle}.none", "--trust", trust, "--journal", journal),
        ("--log", f"{log}.none", "--journal", journal),
    ):
        assert shell.json("audit", "match", *typed, status=1)["code"] == "not-found", typed
    assert shell("audit", "match", bundle, "--trust", trust, "--journal", journal).exit_code == 0


BARE = """
import sys
sys.modules.update(dict.fromkeys(("sqlalchemy", "fastapi", "uvicorn", "psycopg")))
from delegant.cli.main import app
app()
"""


def test_an_auditor_needs_no_server(shell: Shell, both: Both) -> None:
    """A bundle and journals are matched where nothing of the extra is installed."""
    typed = ("--journal", str(both.path), "--trust", both.trust())
    bare = [sys.executable, "-c", BARE, "audit", "match"]
    done = subprocess.run(
        [*bare, both.bundle(), *typed], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 pairs" in done.stdout
    live = ("--log", str(both.auditing.folder), "--journal", str(both.path))
    done = subprocess.run([*bare, *live], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 5
    assert "pip install" in done.stderr

"""`audit report`, `prune` and `hold`, as a person types them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import Shell
from delegant import schemas
from delegant.credentials import canonical
from delegant.credentials.codec import parse_object
from delegant.governance import bundle
from delegant.governance.record import new_event
from governance import samples
from governance.auditing import PASSPHRASE, Auditing
from governance.keeping import BY, DAY, act, begin, told
from world import T0

SPONSOR = BY
WHY = "a case"


@pytest.fixture
def kept(shell: Shell) -> Auditing:
    """A log in the folder ``log``: an act, one that is open, a refusal, and a claim of nobody."""
    (shell.folder.parent / "passphrase").write_text(PASSPHRASE)
    auditing = Auditing(shell.folder / "log")
    link = auditing.link()
    act(auditing, link)
    begin(auditing, link)
    told(auditing, samples.refusal(action="db.write"))
    told(auditing, samples.unproven(sponsor=samples.ANA))
    auditing.log.close()
    return auditing


def bundled(kept: Auditing) -> Path:
    """The log as a bundle."""
    kept.reopen()
    path = kept.folder.parent / "b.zip"
    bundle.export(kept.log, path)
    kept.log.close()
    return path


# --- report -------------------------------------------------------------------------------------


def test_a_report_tells_each_act_in_two_lines_and_counts_them(shell: Shell, kept: Auditing) -> None:
    shell.monkeypatch.setenv("COLUMNS", "40")  # no name is broken, so each can be copied
    told = shell.ok("audit", "report", "log")
    lines = told.splitlines()
    assert lines[0].endswith("  db.read on urn:acme:papers:17  success")
    assert lines[1].split()[0].startswith("evt_")
    assert lines[1].split()[2] == "for"
    assert lines[2].endswith("  open")
    assert lines[4].endswith("  refused: constraint")
    assert "?did:web:acme" in lines[7]
    assert lines[8] == f"4 acts, 1 open, 1 success, 2 refused of {kept.log.id}"


def test_a_report_is_json_too(shell: Shell, kept: Auditing) -> None:
    said = shell.json("audit", "report", "log")
    assert said["log"] == kept.log.id
    assert said["counts"]["acts"] == len(said["acts"]) == 4
    for one in said["acts"]:
        for entry in one["entries"]:
            assert schemas.validate("audit-record", entry["record"]) == []


@pytest.mark.parametrize(
    ("options", "results"),
    [
        (["--open"], ["open"]),
        (["--decision", "deny"], ["refused", "refused"]),
        (["--action", "db.write"], ["refused"]),
        (["--action", "db.*"], ["success", "open", "refused", "refused"]),
        (["--sponsor", samples.ANA], ["refused", "refused"]),
        (["--agent", samples.AIDE], []),
        (["--initiation", "schedule"], []),
        (["--from", "2026-09-21"], ["success", "open", "refused", "refused"]),
        (["--from", "2026-09-22"], []),
        (["--to", "2026-09-21T14:13:20Z"], []),
        (["--to", "2026-09-21T14:13:21Z", "--limit", "1"], ["success"]),
    ],
)
def test_a_report_of_a_folder_and_of_a_bundle_are_the_same(
    shell: Shell, kept: Auditing, options: list[str], results: list[str]
) -> None:
    path = bundled(kept)
    key = ["--bundle", str(path), "--key", kept.log.key.vkey]
    said = shell.json("audit", "report", "log", *options)
    assert [one["result"] for one in said["acts"]] == results
    assert shell.json("audit", "report", *key, *options) == said
    assert said["more"] == ("--limit" in options)


def test_more_is_said_where_there_is_more(shell: Shell, kept: Auditing) -> None:
    assert "and more" in shell.ok("audit", "report", kept.folder.name, "--limit", "3")
    assert "and more" not in shell.ok("audit", "report", "log", "--limit", "4")
    assert shell.ok("audit", "report", "log", "--agent", BY).startswith("no acts of did:")


@pytest.mark.parametrize("form", ["jsonl", "ocsf", "otel"])
def test_an_export_is_one_value_a_line(shell: Shell, kept: Auditing, form: str) -> None:
    path = bundled(kept)
    lines = shell.ok("audit", "report", "log", "--format", form).encode().splitlines()
    assert len(lines) == 5
    for line in lines:
        assert canonical(parse_object(line, size=1 << 16)) == line
    key = ["--bundle", str(path), "--key", kept.log.key.vkey]
    again = shell.ok("audit", "report", *key, "--format", form)
    assert again.encode().splitlines() == lines
    few = shell.ok("audit", "report", "log", "--format", form, "--limit", "1")
    assert few.encode().splitlines() == lines[:2]


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        (["report"], 4),
        (["report", "log", "--bundle", "b.zip"], 4),
        (["report", "log", "--key", "k"], 4),
        (["report", "log", "--format", "csv"], 4),
        (["report", "log", "--decision", "maybe"], 4),
        (["report", "log", "--from", "yesterday"], 4),
        (["report", "log", "--from", "2026-02-30"], 4),
        (["report", "log", "--limit", "0"], 2),
        (["report", "nowhere"], 1),
        (["report", "--bundle", "nothing.zip"], 1),
    ],
)
def test_a_report_of_nothing_is_refused(
    shell: Shell, kept: Auditing, typed: list[str], status: int
) -> None:
    result = shell("audit", *typed)
    assert result.exit_code == status, result.output
    assert shell("audit", "report", kept.folder.name).exit_code == 0


def test_a_bundle_of_another_log_is_not_reported(shell: Shell, kept: Auditing) -> None:
    path = bundled(kept)
    other = Auditing(shell.folder / "other")
    other.log.close()
    result = shell("audit", "report", "--bundle", str(path), "--key", other.log.key.vkey)
    assert result.exit_code == 1
    assert "evt_" not in result.stdout


def test_a_report_of_a_bundle_needs_no_server(shell: Shell, kept: Auditing) -> None:
    path = bundled(kept)
    code = (
        "import sys\n"
        "sys.modules['sqlalchemy'] = None\n"
        "from delegant.cli.main import app\n"
        f"app(['audit', 'report', '--bundle', {str(path)!r}, '--key', {kept.log.key.vkey!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "4 acts" in done.stdout
    assert shell.folder.exists()


# --- prune and hold -----------------------------------------------------------------------------


def test_what_is_old_is_pruned_and_the_rest_is_told(shell: Shell, kept: Auditing) -> None:
    prune = ["audit", "prune", "log", "--by", BY, "--before"]
    result = shell(*prune, "2026-09-22")
    assert result.exit_code == 1
    assert "retention" in result.stderr
    assert "184 days" in result.stderr

    shell.now = T0 + 200 * DAY
    told = shell.ok(*prune, "2026-09-22").splitlines()
    assert told == [
        "pruned 3 events in 4 entries, and 0 exhibits",
        "kept 1 without an outcome that is old enough", "the log says so in entry 5",
    ]  # fmt: skip
    said = shell.json(*prune, "2026-09-21T14:13:21Z")
    assert said == {
        "before": "2026-09-21T14:13:21Z", "events": 0, "entries": 0, "notices": [], "held": 0,
        "open": 1, "exhibits": 0,
    }  # fmt: skip
    assert shell.json("audit", "report", "log")["counts"]["acts"] == 2

    shell.ok("audit", "verify", str(bundled(kept)), "--key", kept.log.key.vkey)


def test_a_hold_is_placed_listed_and_lifted(shell: Shell, kept: Auditing) -> None:
    hold = ["audit", "hold"]
    assert shell.ok(*hold, "list", "log") == "none stands\n"
    said = shell.ok(
        *hold, "add", "log", "--sponsor", kept.ana.did, "--to", "2026-12-01", "--reason", WHY,
        "--by", BY,
    )  # fmt: skip
    name = said.split()[0]
    assert said == (
        f"{name} holds sponsor {kept.ana.did}, to 2026-12-01T00:00:00Z, entry 5 of the log\n"
    )
    (one,) = shell.json(*hold, "list", "log")
    assert (one["id"], one["reason"], one["by"]) == (name, WHY, BY)
    assert WHY in shell.ok(*hold, "list", "log")

    shell.now = T0 + 200 * DAY
    prune = ["audit", "prune", "log", "--before", "2026-09-22", "--by", BY]
    told = shell.ok(*prune)
    assert "pruned 2 events" in told
    assert "kept 2 that are held" in told
    assert shell.ok(*hold, "lift", "log", name, "--by", BY) == (
        f"{name} is lifted, entry 7 of the log\n"
    )
    assert shell.json(*hold, "list", "log") == []
    assert shell.json(*prune)["events"] == 1
    shell.ok("audit", "verify", str(bundled(kept)), "--key", kept.log.key.vkey)


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        (["add", "log", "--reason", WHY, "--by", BY], 4),
        (["add", "log", "--reason", "", "--by", BY, "--sponsor", SPONSOR], 4),
        (["add", "log", "--reason", WHY, "--by", "did:x", "--sponsor", SPONSOR], 4),
        (["add", "log", "--reason", WHY, "--by", BY, "--event", "evt_1"], 4),
        (["add", "nowhere", "--reason", WHY, "--by", BY, "--sponsor", SPONSOR], 1),
        (["add", "log", "--by", BY, "--sponsor", SPONSOR], 2),
        (["lift", "log", new_event(1), "--by", BY], 1),
        (["lift", "log", "all", "--by", BY], 4),
    ],
)
def test_a_hold_that_says_too_little_is_refused(
    shell: Shell, kept: Auditing, typed: list[str], status: int
) -> None:
    result = shell("audit", "hold", *typed)
    assert result.exit_code == status, result.output
    assert shell.json("audit", "hold", "list", kept.folder.name) == []


def test_a_human_of_the_home_may_be_named_by_handle_and_an_agent_not(
    acme: Shell, tmp_path: Path
) -> None:
    log = str(tmp_path / "log")
    acme.ok("audit", "init", log, "--id", samples.LOG)
    hold = ["audit", "hold", "add", log, "--reason", WHY, "--sponsor", SPONSOR, "--by"]
    refused = acme(*hold, "helper")
    assert refused.exit_code == 1
    assert "wallet-kind" in refused.stderr
    assert acme(*hold, "nobody").exit_code == 1
    assert acme.json(*hold, "ana")["by"].startswith("did:key:")

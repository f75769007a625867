"""`audit export`, `verify` and `trace`, as they are typed; the auditor has a file and a folder."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cli.conftest import Shell
from delegant.credentials import Request
from delegant.wallet.trustfolder import write_trust
from governance.auditing import TOPIC, Auditing


@dataclass
class Story(Auditing):
    """The resource, and the events that it recorded."""

    events: list[str] = field(default_factory=list)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """Two acts and one of which nothing came, and a trust folder of an auditor."""
    auditing = Story(tmp_path / "audit")
    link = auditing.link(constraints={"rows": {"max": 500}})
    for number in range(3):
        permit = auditing.permit([link], Request("db.read", TOPIC, rows=number))
        auditing.events.append(permit.event)
        if number < 2:
            auditing.ledger.settle(permit, at=auditing.now, rows=number)
        auditing.world.now += 60
    value = auditing.world.trust_json | {"audits": [auditing.log.settings.entry()]}
    del value["verifier"]
    write_trust(tmp_path / "trust", value)
    auditing.log.close()
    return auditing


def test_an_event_is_traced_in_one_command(shell: Shell, story: Story, tmp_path: Path) -> None:
    path, trust = str(tmp_path / "b.zip"), str(tmp_path / "trust")
    told = shell.ok("audit", "export", str(story.folder), "-o", path)
    assert "5 records of 5" in told
    assert "none: what was asked is not disclosed" in told
    event = story.events[0]
    told = shell.ok("audit", "trace", event, "--bundle", path, "--trust", trust)
    lines = told.splitlines()
    assert lines[0].startswith(f"event      {event} at ")
    assert lines[1] == "action     db.read on urn:acme:papers:17"
    assert lines[2] == "decision   allow, by chain 1"
    assert lines[3] == "outcome    success, rows 0"
    assert lines[4].startswith("logged     entry 0 of ")
    assert lines[5] == f"human      {story.ana.did}  accepted"
    assert lines[6] == f"           whom {story.world.org.did} answers for"
    assert lines[7].startswith(f"  agent    {story.bot.did}  accepted, by urn:uuid:")
    assert lines[7].endswith('db.read on urn:acme:papers:**, within {"rows": {"max": 500}}')
    assert lines[8] == "request    not disclosed in this bundle"
    assert lines[9] == "verdict    holds"


def test_its_account_answers_the_four_questions(shell: Shell, story: Story, tmp_path: Path) -> None:
    path, trust = str(tmp_path / "b.zip"), str(tmp_path / "trust")
    said = shell.json("audit", "export", str(story.folder), "-o", path, "--openings")
    assert said["openings"] == 3
    said = shell.json("audit", "trace", story.events[2], "--bundle", path, "--trust", trust)
    assert said["whichAgent"]["did"] == story.bot.did
    assert [one["did"] for one in said["authorisedBy"]] == [story.ana.did, story.bot.did]
    assert said["permissions"]["grants"] == [
        {"actions": ["db.read"], "resources": ["urn:acme:papers:**"]}
    ]
    assert said["howObtained"][0]["by"] == story.ana.did
    assert said["record"]["event"] == story.events[2]
    assert said["outcome"] is None
    assert said["verdict"] == "holds"
    assert said["requestVerdict"]["state"] == "accepted"
    told = shell.ok("audit", "trace", story.events[2], "--bundle", path, "--trust", trust)
    assert "signed for by the agent, and accepted again" in told
    assert "none is in this bundle: the act may have happened" in told


def test_a_bundle_is_verified_by_the_trust_folder_or_a_key(
    shell: Shell, story: Story, tmp_path: Path
) -> None:
    path, trust = str(tmp_path / "b.zip"), str(tmp_path / "trust")
    shell.ok("audit", "export", str(story.folder), "-o", path)
    told = shell.ok("audit", "verify", path, "--trust", trust)
    assert "5 entries, of which 5 are here, the whole log" in told
    assert f"! no outcome  {story.events[2]} at entry 4" in told
    key = story.log.key.vkey
    assert shell.json("audit", "verify", path, "--key", key)["withoutOutcomeCount"] == 1
    other = key.replace("audit+", "audit+0", 1)
    assert shell("audit", "verify", path, "--key", other).exit_code == 1
    assert shell("audit", "verify", path, "--key", key, "--trust", trust).exit_code == 4


def test_checkpoints_kept_elsewhere_are_compared(
    shell: Shell, story: Story, tmp_path: Path
) -> None:
    path, trust, kept = (str(tmp_path / name) for name in ("b.zip", "trust", "kept"))
    shell.ok("audit", "checkpoint", str(story.folder), "--to", kept)
    shell.ok("audit", "export", str(story.folder), "-o", path, "--checkpoints", kept)
    told = shell.ok("audit", "verify", path, "--trust", trust, "--checkpoints", kept)
    assert "continues  1 checkpoint kept before" in told


def test_the_exit_says_what_is_wrong(shell: Shell, story: Story, tmp_path: Path) -> None:
    path, trust = tmp_path / "b.zip", str(tmp_path / "trust")
    shell.ok("audit", "export", str(story.folder), "-o", str(path))
    stranger = tmp_path / "stranger"
    write_trust(stranger, {"version": 1, "anchors": []})
    typed = ("audit", "trace", story.events[0], "--bundle", str(path), "--trust")
    said = shell.json(*typed, str(stranger), status=3)
    assert said["code"] == "key-unresolved"
    value = json.loads((tmp_path / "trust" / "trust.json").read_text())
    write_trust(stranger, value | {"anchors": []})
    said = shell.json(*typed, str(stranger), status=1)
    assert said["verdict"] == said["problem"]["code"] == "root-untrusted"
    found = shell(*typed, str(stranger))
    assert found.exit_code == 1
    assert "rejected: root-untrusted" in found.stdout
    assert "error: root-untrusted" in found.stderr
    path.write_bytes(path.read_bytes()[:-1])
    assert shell.json("audit", "verify", str(path), "--trust", trust, status=4)["code"] == (
        "audit-bundle"
    )


def test_a_log_is_verified_where_it_lies(shell: Shell, story: Story, tmp_path: Path) -> None:
    trust = str(tmp_path / "trust")
    told = shell.ok("audit", "verify", str(story.folder), "--trust", trust)
    assert "5 entries, of which 5 are here, the whole log" in told
    with sqlite3.connect(story.folder / "audit.db") as rows:
        rows.execute("UPDATE audit_entries SET body = replace(body, '17', '18') WHERE number = 2")
    rows.close()
    said = shell.json("audit", "verify", str(story.folder), "--trust", trust, status=1)
    assert (said["code"], said["dimension"]) == ("log-proof", "entry 2")

"""`audit trace`: from one event to the human, by the auditor's own trust, from a bundle alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delegant.ans.log import tiles
from delegant.credentials import Evidence, Request, Seen, Trust, did
from delegant.credentials.codec import JsonObject, canonical, digest, parse_object
from delegant.governance.reading import AuditBundle, Believed
from delegant.governance.tracing import Traced, trace
from governance.audited import Audited, Members, write
from refusal import refusal
from world import PAPERS, T0


@pytest.fixture(scope="module")
def story() -> Audited:
    """An act, one of which nothing came, a refusal after, and one before verification."""
    log = Audited()
    log.plain(300)
    log.act()
    log.intent(given={"question": "how many?"})
    log.refusal(code="constraint", dimension="rows", link=2)
    log.plain(5)
    return log


def auditor(log: Audited, **changes: Any) -> Trust:
    """The trust of somebody who is neither the resource nor its ledger."""
    value = log.world.trust_json | changes
    del value["verifier"]
    return Trust.from_json(value)


def traced(
    log: Audited, path: Path, number: int, trust: Trust | None = None, **members: Any
) -> Traced:
    """The trace of the event at an entry, from a bundle of all."""
    event = parse_object(log.entries[number], size=1 << 16)["event"]
    with AuditBundle(write(path / "b.zip", log.members(**members))) as bundle:
        return trace(bundle, event, log.believed, trust or auditor(log))


def test_an_event_is_traced_to_the_human(tmp_path: Path, story: Audited) -> None:
    found = traced(story, tmp_path, 300)
    names = ["ana", "research", "retrieval", "dbquery"]
    assert [line.did for line in found.lines] == [story.parties[name].did for name in names]
    assert [line.role for line in found.lines] == ["human", "agent", "agent", "agent"]
    assert [line.verdict and line.verdict.state for line in found.lines] == ["accepted"] * 4
    assert found.problem is None
    assert found.opening is None
    assert found.recomputed is None
    said = found.json
    assert said["verdict"] == "holds"
    assert said["whichAgent"] == {"did": story.parties["dbquery"].did, "name": None}
    assert said["authorisedBy"][0]["did"] == story.parties["ana"].did
    assert [one["by"] for one in said["howObtained"]] == [line.did for line in found.lines[:3]]
    assert said["howObtained"][2]["constraints"] == {"rows": {"max": 500}}
    assert said["permissions"]["constraints"]["rows"] == {"max": 500}
    assert said["outcome"]["outcome"] == {"status": "success", "rows": 12}
    assert said["logged"]["entry"] == 300
    assert said["record"]["sponsorDid"] == story.parties["ana"].did


def test_an_opening_lets_the_request_and_the_invocation_be_verified_too(
    tmp_path: Path, story: Audited
) -> None:
    found = traced(story, tmp_path, 302, openings=True)
    assert found.problem is None
    assert found.recomputed is not None
    assert found.recomputed.state == "accepted"
    assert found.json["request"] == {
        "action": "db.read", "resource": "urn:acme:papers:17", "rows": 12
    }  # fmt: skip
    assert found.outcome is None


def test_budgets_in_the_ledger_of_the_resource_are_no_matter_of_the_auditor(tmp_path: Path) -> None:
    log = Audited()
    budget = {"ledger": log.world.db.did, "unit": "EUR:2", "perAction": "10", "total": "100"}
    ana, bot = log.parties["ana"], log.parties["research"]
    link = log.world.delegate(ana, bot, [f"db.read {PAPERS}"], constraints={"budget": budget})
    request = Request("db.read", "urn:acme:papers:1", amount={"unit": "EUR:2", "value": "5"})
    log.intent([link], request)
    assert traced(log, tmp_path, 0, openings=True).problem is None


def test_what_the_auditor_has_seen_since_does_not_make_then_untrue(
    tmp_path: Path, story: Audited
) -> None:
    human = story.parties["ana"].did
    trust = auditor(story).with_seen(Seen({human: 9}, {"https://acme.example/status/1": T0 * 2}))
    assert traced(story, tmp_path, 300, trust).problem is None


def test_whom_the_auditor_does_not_trust_did_not_authorise(tmp_path: Path, story: Audited) -> None:
    found = traced(story, tmp_path, 300, auditor(story, anchors=[]))
    assert found.problem is not None
    assert found.problem.code == "root-untrusted"
    assert found.chain is None
    assert found.lines[0].verdict is not None
    assert found.lines[0].verdict.code == "root-untrusted"
    assert found.json["verdict"] == "root-untrusted"
    assert found.json["permissions"] is None


def test_a_link_that_does_not_hold_is_named_and_those_above_stand(tmp_path: Path) -> None:
    log = Audited()
    log.world.revoked.add(log.links[1].status.index)  # type: ignore[union-attr]
    log.gathered = log.world.evidence()
    log.intent()
    found = traced(log, tmp_path, 0)
    codes = [line.verdict and line.verdict.code for line in found.lines]
    assert codes == [None, None, "revoked", "revoked"]
    assert found.problem is not None
    assert found.problem.link == 1


def test_the_first_link_is_to_blame_and_not_the_human(tmp_path: Path) -> None:
    log = Audited()
    log.world.revoked.add(log.links[0].status.index)  # type: ignore[union-attr]
    log.gathered = log.world.evidence()
    log.intent()
    human, agent, *_ = traced(log, tmp_path, 0).lines
    assert human.verdict is None
    assert agent.verdict is not None
    assert agent.verdict.code == "revoked"


def test_it_is_judged_at_the_time_of_the_record(tmp_path: Path) -> None:
    log = Audited()
    log.intent()
    assert traced(log, tmp_path, 0).problem is None
    late = Audited()
    late.world.now += 301  # the chain of the story is over, and the record says it was not
    late.gathered = late.world.evidence()
    late.intent()
    problem = traced(late, tmp_path, 0).problem
    assert problem is not None
    assert problem.code == "expired"


def test_a_request_that_the_chain_never_allowed_is_no_yes(tmp_path: Path) -> None:
    log = Audited()
    log.intent(request=Request("db.read", "urn:acme:papers:17", rows=501))
    assert traced(log, tmp_path, 0).problem is None  # the chain itself holds
    problem = traced(log, tmp_path, 0, openings=True).problem
    assert problem is not None
    assert (problem.code, problem.dimension) == ("constraint", "rows")


def test_an_invocation_for_another_resource_is_no_yes(tmp_path: Path) -> None:
    log = Audited()
    request = Request("db.read", "urn:acme:papers:17", rows=1)
    elsewhere = log.world.present(log.links, request, audience=log.world.status.did)
    log.intent(request=request, presentation=elsewhere)
    problem = traced(log, tmp_path, 0, openings=True).problem
    assert problem is not None
    assert problem.code == "audience"
    named = replace(auditor(log), verifier=did.check(log.world.status.did))
    assert traced(log, tmp_path, 0, named, openings=True).problem is None


def test_a_request_of_another_target_than_the_record_is_no_yes(tmp_path: Path) -> None:
    log = Audited()
    log.intent(target="urn:acme:papers:18")
    assert traced(log, tmp_path, 0).problem is None
    problem = traced(log, tmp_path, 0, openings=True).problem
    assert problem is not None
    assert problem.code == "audit-entry"


@pytest.mark.parametrize("member", ["sponsorDid", "agentDid", "organizationDid"])
def test_a_forged_name_in_a_record_is_told(tmp_path: Path, member: str) -> None:
    log = Audited()
    changes: dict[str, Any] = {member: log.world.status.did}
    log.intent(**changes)
    problem = traced(log, tmp_path, 0).problem
    assert problem is not None
    assert (problem.code, problem.dimension) == ("audit-entry", member)


# --- refusals -----------------------------------------------------------------------------------


def test_a_refusal_is_traced_as_an_act_is(tmp_path: Path, story: Audited) -> None:
    found = traced(story, tmp_path, 303, openings=True)
    assert found.problem is None
    assert len(found.lines) == 4
    assert found.record.json["code"] == "constraint"
    assert found.recomputed is not None  # and what the chain alone says to it


def test_a_refusal_of_nothing_readable_has_no_chain(tmp_path: Path, story: Audited) -> None:
    found = traced(story, tmp_path, 304)
    assert found.problem is None
    assert found.lines == ()
    assert found.json["authorisedBy"] == []


def test_what_was_refused_before_it_was_verified_is_shown_as_claimed(tmp_path: Path) -> None:
    log = Audited()
    log.world.revoked.add(log.links[1].status.index)  # type: ignore[union-attr]
    log.gathered = log.world.evidence()
    log.refusal(verified=False, sponsorDid=None, code="revoked", phase=9, link=1)
    found = traced(log, tmp_path, 0)
    assert found.problem is None
    assert [line.verdict and line.verdict.code for line in found.lines][2:] == ["revoked"] * 2
    assert not found.record.verified


def test_what_nothing_is_on_record_for_is_not_judged_again(tmp_path: Path) -> None:
    log = Audited()
    log.refusal(verified=False, code="revoked", phase=9, link=1, evidence=None)
    found = traced(log, tmp_path, 0)
    assert found.problem is None
    assert [line.did for line in found.lines] == [
        log.links[0].issuer, *(link.subject for link in log.links),
    ]  # fmt: skip
    assert {line.verdict for line in found.lines} == {None}


# --- what a bundle may lack or forge ------------------------------------------------------------


def from_members(log: Audited, path: Path, number: int, members: Members) -> Traced:
    event = parse_object(log.entries[number], size=1 << 16)["event"]
    with AuditBundle(write(path / "b.zip", members)) as bundle:
        return trace(bundle, event, log.believed, auditor(log))


def test_a_bundle_of_one_event_is_enough(tmp_path: Path, story: Audited) -> None:
    members = story.members([(300, 302)])
    del members["tile/0/000"]
    assert from_members(story, tmp_path, 300, members).problem is None


def test_an_event_that_is_not_in_it_is_not_found(tmp_path: Path, story: Audited) -> None:
    members = story.members([(300, 302)])
    assert refusal(lambda: from_members(story, tmp_path, 302, members)) == "not-found"
    with AuditBundle(write(tmp_path / "b.zip", members)) as bundle:
        for name in ("evt_1", "../audit.json", ""):
            found = refusal(lambda: trace(bundle, name, story.believed, auditor(story)))  # noqa: B023
            assert found == "shape"


def test_a_missing_exhibit_leaves_it_undecided(tmp_path: Path, story: Audited) -> None:
    members = story.members()
    del members[f"exhibits/{story.links[1].digest}"]
    found = from_members(story, tmp_path, 300, members)
    assert found.problem is not None
    assert (found.problem.code, found.problem.exit_status) == ("audit-incomplete", 3)
    assert found.json["record"]["action"] == "db.read"  # what is logged is told all the same


def test_a_forged_exhibit_is_refused(tmp_path: Path, story: Audited) -> None:
    members = story.members()
    members[f"exhibits/{story.links[1].digest}"] = canonical(story.links[0].secured.raw)
    found = from_members(story, tmp_path, 300, members)
    assert found.problem is not None
    assert found.problem.code == "audit-exhibit"


def test_evidence_that_was_not_recorded_does_not_count(tmp_path: Path) -> None:
    log = Audited()
    log.intent(evidence=Evidence())
    problem = traced(log, tmp_path, 0).problem
    assert problem is not None
    assert problem.code == "no-human-root"


def test_an_edited_record_is_refused(tmp_path: Path, story: Audited) -> None:
    members = story.members()
    name = tiles.bundle_path(1, len(story.entries) - 256)
    entries = tiles.unpack(members[name])
    record = parse_object(entries[44], size=1 << 16)
    entries[44] = canonical(record | {"sponsorDid": story.world.org.did})
    members[name] = tiles.pack(entries)
    assert refusal(lambda: from_members(story, tmp_path, 300, members)) == "log-proof"


def test_an_index_that_leads_elsewhere_is_refused(tmp_path: Path, story: Audited) -> None:
    members = story.members()
    event = parse_object(story.entries[300], size=1 << 16)["event"].encode()
    for found, put, code in (
        (b" i 000000000300", b" i 000000000303", "audit-bundle"),
        (b" i 000000000300", b" r 000000000303", "audit-bundle"),
        (b" i 000000000300", b" i 000000999999", "audit-bundle"),
        (b" o 000000000301", b" o 000000000303", "audit-bundle"),
        (b" i 000000000300", b" n 000000000300", "audit-bundle"),
    ):
        index = members["index"].replace(event + found, event + put)
        assert index != members["index"]
        other = members | {"index": index}
        assert refusal(lambda: from_members(story, tmp_path, 300, other)) == code  # noqa: B023


def test_a_notice_has_no_agent_to_trace(tmp_path: Path) -> None:
    log = Audited()
    log.notice(kind="hold", terms=digest(b"why"))
    assert refusal(lambda: traced(log, tmp_path, 0)) == "not-found"


def test_an_outcome_alone_is_not_enough(tmp_path: Path, story: Audited) -> None:
    members = story.members([(301, 302)])
    assert refusal(lambda: from_members(story, tmp_path, 300, members)) == "audit-incomplete"


def test_only_a_log_of_the_trust_folder_is_believed(story: Audited) -> None:
    entry: JsonObject = {
        "id": story.log, "keys": [story.world.db.key.public.multikey], "log": story.signer.key.vkey
    }  # fmt: skip
    trust = auditor(story, audits=[entry])
    assert Believed.of(trust, story.log) == story.believed
    assert refusal(lambda: Believed.of(trust, story.world.org.did)) == "key-unresolved"


def test_it_reads_only_what_it_needs(tmp_path: Path) -> None:
    log = Audited()
    log.plain(5000)
    log.act()
    log.plain(700)
    path = write(tmp_path / "b.zip", log.members())
    event = parse_object(log.entries[5000], size=1 << 16)["event"]
    with AuditBundle(path) as bundle:
        asked: list[str] = []

        def fetch(name: str) -> bytes:
            asked.append(name)
            return AuditBundle.fetch(bundle, name)

        bundle.fetch = fetch  # type: ignore[method-assign]
        assert trace(bundle, event, log.believed, auditor(log)).problem is None
    assert sum("entries" in name for name in asked) <= 2
    assert len(asked) <= 6

"""Records against receipts: what one side leaves out, changes or forges is ``unmatched``.

Beside each finding stands its twin: the same two sides, honest, and nothing is found.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import PrivateKey, digest, jose
from delegant.credentials.codec import canonical, parse_object
from delegant.governance.findings import Period, Report
from delegant.governance.journal import read_journal
from delegant.governance.matching import match
from delegant.governance.receipt import AGENT_RECEIPT, MAX_RECEIPT
from delegant.governance.record import Record
from governance.acts import HOUR, Act, Scene, web_agent
from refusal import refusal
from world import T0

Row = tuple[str, str | None, str]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A resource and an agent, and nothing done yet."""
    return Scene(tmp_path)


def held(scene: Scene, *, opened: bool = False, **more: Any) -> Report:
    """What comes of this scene's records and journal."""
    paths = more.pop("paths", [scene.path])
    given: dict[str, Any] = {
        "log": scene.db.did,
        "keys": [scene.db.key.public],
        "exhibit": scene.exhibits.get,
        "opening": scene.opening if opened else None,
    }
    lines = chain.from_iterable(read_journal(path) for path in paths if path.exists())
    records: Iterable[Record | None] = more.pop("records", scene.records)
    return match(records, lines, **(given | more))


def rows(report: Report) -> list[Row]:
    """What was found: kind, side that lacks, dimension."""
    return [(one.kind, one.lacks, one.dimension) for one in report.findings]


def lines(scene: Scene) -> list[bytes]:
    """The journal's lines."""
    return scene.path.read_bytes().splitlines(keepends=True)


def rewrite(scene: Scene, number: int, **members: Any) -> None:
    """Put other members into one line."""
    every = lines(scene)
    value = parse_object(every[number], size=9000) | members
    every[number] = canonical({name: one for name, one in value.items() if one is not None}) + b"\n"
    scene.path.write_bytes(b"".join(every))


# --- both sides honest ---------------------------------------------------------------------------


def test_two_honest_sides_match(scene: Scene) -> None:
    for status in ("success", "failure"):
        scene.honest(status)
    scene.refused()
    report = held(scene, opened=True)
    assert rows(report) == []
    assert report.counts == {
        "records": 5, "receipts": 3, "pairs": 3, "requests": 3, "answers": 3, "elsewhere": 0,
        "claimed": 0, "beyond": 0,
    }  # fmt: skip
    assert report.json["matched"] is True


def test_nothing_on_either_side_matches(scene: Scene) -> None:
    assert rows(held(scene)) == []


def test_what_was_sent_is_settled_by_what_was_seen(scene: Scene) -> None:
    act = scene.act()
    scene.journal.sent(act.invocation, act.at)
    scene.intent(act)
    scene.outcome(act)
    assert rows(held(scene)) == []  # the agent crashed, and knows no more
    scene.journal.keep(act.invocation, "success", act.at + 2, answer=scene.receipt(act))
    assert rows(held(scene)) == []


@pytest.mark.parametrize("status", ["failure", "refused"])
def test_what_was_released_did_not_happen(scene: Scene, status: str) -> None:
    act = scene.act()
    scene.intent(act)
    scene.outcome(act, "released")
    scene.journal.keep(act.invocation, status, act.at)
    assert rows(held(scene)) == []


def test_a_replay_by_somebody_else_needs_no_receipt(scene: Scene) -> None:
    act = scene.honest()
    scene.refusal(act, "replay", phase=12)
    assert rows(held(scene)) == []


def test_an_agent_that_asked_again_is_believed_in_both(scene: Scene) -> None:
    act = scene.honest()
    again = scene.act()
    again.invocation = act.invocation
    scene.refusal(again, "replay", phase=12)
    answer = scene.receipt(again, decision="deny", outcome=None, code="replay")
    scene.journal.keep(act.invocation, "refused", again.at, answer=answer)
    scene.journal.keep(act.invocation, "refused", again.at)  # and once without a name
    assert rows(held(scene, opened=True)) == []


# --- (a) one side dropped: the agent's -----------------------------------------------------------


@pytest.mark.parametrize("number", range(4))
def test_a_receipt_that_is_dropped_is_missed(scene: Scene, number: int) -> None:
    acts = [scene.honest(), scene.honest("failure"), scene.refused(), scene.honest()]
    assert rows(held(scene)) == []
    every = lines(scene)
    scene.path.write_bytes(b"".join(every[:number] + every[number + 1 :]))
    report = held(scene)
    assert rows(report) == [("missing", "agent", "receipt")]
    (found,) = report.findings
    assert (found.event, found.agent, found.time) == (
        acts[number].event, scene.bot.did, acts[number].at,
    )  # fmt: skip
    assert found.invocation == digest(acts[number].invocation.encode())
    assert found.json["code"] == "unmatched"


def test_an_agent_without_any_journal_is_missed(scene: Scene) -> None:
    scene.honest()
    scene.refused()
    assert rows(held(scene, paths=[])) == [("missing", "agent", "receipt")] * 2
    assert rows(held(scene)) == []


def test_an_intent_without_outcome_is_missed_on_the_agents_side_too(scene: Scene) -> None:
    act = scene.act()
    scene.intent(act)
    assert rows(held(scene)) == [("missing", "agent", "receipt")]
    scene.journal.sent(act.invocation, act.at)
    assert rows(held(scene)) == []


def test_a_refusal_that_only_claims_an_agent_is_counted(scene: Scene) -> None:
    scene.refusal(scene.act(), "expired", verified=False)
    scene.refusal(scene.act(), "json", verified=False, agentDid=None, invocation=None,
                  inputHash=None, chain=[], sponsorDid=None)  # fmt: skip
    report = held(scene)
    assert (rows(report), report.counts["claimed"]) == ([], 2)
    scene.refusal(scene.act(), "no-grant")
    assert rows(held(scene)) == [("missing", "agent", "receipt")]


def test_an_agent_may_tell_of_a_refusal_that_proves_nothing(scene: Scene) -> None:
    act = scene.act()
    other = digest(b"another link")
    scene.refusal(act, "holder-mismatch", verified=False,
                  chain=[{"id": scene.link.id, "digestMultibase": other}])  # fmt: skip
    scene.journal.keep(act.invocation, "refused", act.at)
    report = held(scene, opened=True)
    assert (rows(report), report.counts["pairs"]) == ([], 1)


# --- (b) one side dropped: the resource's --------------------------------------------------------


@pytest.mark.parametrize("number", range(3))
def test_a_record_that_was_left_out_is_missed(scene: Scene, number: int) -> None:
    acts = [scene.honest(), scene.refused(), scene.honest()]
    left = [one for one in scene.records if one.event != acts[number].event]
    report = held(scene, records=left)
    assert rows(report) == [("missing", "resource", "record")]
    assert report.findings[0].event == acts[number].event
    assert "own receipt" in report.findings[0].detail
    assert rows(held(scene)) == []


def test_an_empty_log_is_missed_whole(scene: Scene) -> None:
    scene.honest()
    scene.refused()
    assert rows(held(scene, records=[])) == [("missing", "resource", "record")] * 2


@pytest.mark.parametrize(("status", "word"), [("success", "saw"), ("unanswered", "not answered")])
def test_a_record_is_missed_by_the_agents_word_alone(scene: Scene, status: str, word: str) -> None:
    act = scene.act()
    scene.journal.keep(act.invocation, status, act.at)
    report = held(scene)
    assert rows(report) == [("missing", "resource", "record")]
    assert word in report.findings[0].detail
    scene.intent(act)
    scene.outcome(act)
    assert rows(held(scene)) == []


def test_an_outcome_is_missed_by_the_resources_word_alone(scene: Scene) -> None:
    scene.honest()
    resigned(scene, 0, scene.db.key)
    forged = ("unproven", "agent", "proof")
    assert rows(held(scene)) == [forged]
    report = held(scene, records=scene.records[:1])
    assert sorted(rows(report)) == [("missing", "resource", "outcome"), forged]


def test_an_outcome_that_was_left_out_is_missed(scene: Scene) -> None:
    act = scene.honest()
    left = [one for one in scene.records if one.type != "outcome"]
    report = held(scene, records=left)
    assert rows(report) == [("missing", "resource", "outcome")]
    assert report.findings[0].event == act.event
    assert rows(held(scene)) == []


# --- (c) both there, and they differ -------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "seen"),
    [("success", "failure"), ("failure", "success"), ("success", "refused"),
     ("released", "success")],
)  # fmt: skip
def test_another_status_is_told(scene: Scene, recorded: str, seen: str) -> None:
    act = scene.act()
    scene.intent(act)
    scene.outcome(act, recorded)
    scene.journal.keep(act.invocation, seen, act.at)
    assert rows(held(scene)) == [("disagree", None, "status")]


@pytest.mark.parametrize("seen", ["success", "failure"])
def test_a_refusal_that_was_no_refusal_is_told(scene: Scene, seen: str) -> None:
    act = scene.act()
    scene.refusal(act)
    scene.journal.keep(act.invocation, seen, act.at)
    assert rows(held(scene)) == [("disagree", None, "status")]


def test_a_refusal_that_was_recorded_as_an_intent_is_told(scene: Scene) -> None:
    act = scene.act()
    scene.intent(act)
    scene.journal.keep(act.invocation, "refused", act.at)
    assert rows(held(scene)) == [("disagree", None, "status")]


def test_another_request_is_told_by_its_opening(scene: Scene) -> None:
    act = scene.honest()
    value = parse_object(scene.openings[act.event], size=9000)
    assert rows(held(scene, opened=True)) == []
    value["request"]["resource"] = "urn:acme:papers:99"
    scene.openings[act.event] = canonical(value)
    assert rows(held(scene, opened=True)) == [("disagree", None, "opening")]
    del value["request"]
    for broken in (value, {}):
        scene.openings[act.event] = canonical(broken)
        assert rows(held(scene, opened=True)) == [("disagree", None, "opening")]


def test_an_opening_without_a_request_opens_nothing(scene: Scene) -> None:
    act = scene.act()
    act.opening = {"salt": act.opening["salt"]}
    scene.openings[act.event] = canonical(act.opening)
    scene.intent(act)
    scene.outcome(act)
    scene.journal.keep(act.invocation, "success", act.at)
    assert rows(held(scene, opened=True)) == [("disagree", None, "opening")]


def test_a_record_of_another_request_is_told(scene: Scene) -> None:
    act, other = scene.act(), scene.act()
    act.opening = other.opening  # the resource does, and records, another thing
    scene.openings[act.event] = canonical(other.opening)
    scene.intent(act)
    scene.outcome(act)
    scene.journal.keep(act.invocation, "success", act.at)
    assert rows(held(scene, opened=True)) == [("disagree", None, "request")]
    report = held(scene)
    assert (rows(report), report.counts["requests"]) == ([], 0)  # without it nothing tells


def test_a_refusal_for_another_request_is_no_disagreement(scene: Scene) -> None:
    act, other = scene.act(), scene.act()
    act.opening = other.opening
    scene.openings[act.event] = canonical(other.opening)
    scene.refusal(act, "request-mismatch")
    scene.journal.keep(act.invocation, "refused", act.at)
    assert rows(held(scene, opened=True)) == []


def test_another_chain_is_told(scene: Scene) -> None:
    act = scene.act()
    other = [{"id": scene.link.id, "digestMultibase": digest(b"another link")}]
    scene.intent(act, chain=other)
    scene.outcome(act)
    scene.journal.keep(act.invocation, "success", act.at)
    assert rows(held(scene)) == [("disagree", None, "chain")]


def test_another_agent_is_told(scene: Scene) -> None:
    act = scene.act()
    scene.intent(act, agentDid=scene.ana.did)
    scene.outcome(act)
    scene.journal.keep(act.invocation, "success", act.at)
    assert rows(held(scene)) == [("disagree", None, "agent")]


def test_another_event_is_told(scene: Scene) -> None:
    act, other = scene.act(), scene.act()
    scene.intent(act)
    scene.outcome(act)
    answer = scene.receipt(act, event=other.event)
    scene.journal.keep(act.invocation, "success", act.at, answer=answer)
    assert rows(held(scene)) == [("disagree", None, "event")]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"outcome": "failure"}, [("disagree", None, "outcome")]),
        ({"outcome": None}, []),
        ({"decision": "modify"}, [("disagree", None, "decision")]),
        ({"chain": digest(b"x")}, [("disagree", None, "chain")]),
        ({"request": digest(b"x")}, [("disagree", None, "request")]),
        ({"sub": "did:web:x"}, [("disagree", None, "agent")]),
        ({"invocation": digest(b"x")}, [("disagree", None, "invocation")]),
        ({}, []),
    ],
)
def test_a_resource_that_told_the_agent_otherwise_is_told(
    scene: Scene, changes: dict[str, Any], found: list[Row]
) -> None:
    act = scene.act()
    scene.intent(act)
    scene.outcome(act)
    scene.journal.keep(act.invocation, "success", act.at, answer=scene.receipt(act, **changes))
    assert rows(held(scene)) == found


def test_a_receipt_of_another_act_is_not_the_resources_word_on_this_one(scene: Scene) -> None:
    act, other = scene.act(), scene.honest()
    scene.journal.keep(act.invocation, "success", act.at, answer=scene.receipt(other))
    report = held(scene)
    assert ("disagree", None, "invocation") in rows(report)
    (missing,) = [one for one in report.findings if one.kind == "missing"]
    assert (missing.lacks, missing.dimension) == ("resource", "record")
    assert missing.invocation == digest(act.invocation.encode())
    assert "the agent saw" in missing.detail


def test_a_refusal_with_another_code_is_told(scene: Scene) -> None:
    for code, found in (("no-grant", [("disagree", None, "code")]), ("constraint", [])):
        act = scene.act()
        scene.refusal(act, "constraint")
        answer = scene.receipt(act, decision="deny", outcome=None, code=code)
        scene.journal.keep(act.invocation, "refused", act.at, answer=answer)
        report = held(scene)
        mine = [one for one in report.findings if one.event == act.event]
        assert [(one.kind, one.lacks, one.dimension) for one in mine] == found


def test_one_invocation_acted_on_twice_is_told(scene: Scene) -> None:
    act = scene.honest()
    again = scene.act()
    again.invocation = act.invocation
    scene.intent(again)
    scene.outcome(again)
    report = held(scene)
    assert rows(report) == [("disagree", None, "invocation")]
    assert report.findings[0].event == again.event
    assert act.event in report.findings[0].detail


# --- (d) not signed as expected ------------------------------------------------------------------


def resigned(scene: Scene, number: int, key: PrivateKey, kid: str = "", **changes: Any) -> None:
    """Sign the agent's receipt in one line again."""
    token = parse_object(lines(scene)[number], size=9000)["receipt"]
    found = jose.split(token, size=MAX_RECEIPT)
    forged = jose.sign(found.payload | changes, key, AGENT_RECEIPT, kid or found.header["kid"])
    rewrite(scene, number, receipt=forged)


def test_a_receipt_by_another_key_is_none(scene: Scene) -> None:
    scene.honest()
    resigned(scene, 0, scene.bot.key)
    assert rows(held(scene)) == []
    resigned(scene, 0, scene.db.key)
    report = held(scene)
    assert (rows(report), report.counts["pairs"]) == ([("unproven", "agent", "proof")], 0)
    resigned(scene, 0, scene.db.key, "did:web:evil.example#k")
    assert rows(held(scene)) == [("unproven", "agent", "did-key-mismatch")]


def test_a_forged_receipt_hides_nothing_by_its_time(scene: Scene) -> None:
    act = scene.honest()
    resigned(scene, 0, scene.db.key, time="2001-01-01T00:00:00Z")
    period = Period(act.at - HOUR, act.at + HOUR)
    assert rows(held(scene, period=period)) == [("unproven", "agent", "proof")]


def test_a_forged_receipt_accuses_nobody(scene: Scene) -> None:
    act = scene.act()
    scene.journal.keep(act.invocation, "success", act.at)
    assert rows(held(scene)) == [("missing", "resource", "record")]
    resigned(scene, 0, scene.db.key)
    assert rows(held(scene)) == [("unproven", "agent", "proof")]


def test_a_receipt_of_another_agent_does_not_stand_for_the_one_who_acted(scene: Scene) -> None:
    scene.honest()
    other = scene.world.agent("other", scene.ana)
    kid = f"{other.did}#{other.did[8:]}"
    resigned(scene, 0, other.key, kid, iss=other.did)
    assert ("disagree", None, "agent") in rows(held(scene))


def test_a_resource_receipt_by_another_key_is_none(scene: Scene) -> None:
    act, key = scene.act(), PrivateKey.generate()
    scene.intent(act)
    scene.outcome(act)
    for signer, found in ((scene.db.key, []), (key, [("unproven", "resource", "proof")])):
        answer = scene.receipt(act, key=scene.db.key)
        if signer is key:
            head, body, _ = answer.split(".")
            other = jose.sign({}, key, "x", "y").split(".")[2]
            answer = f"{head}.{body}.{other}"
        rewriting = scene.journal.keep(act.invocation, "success", act.at, answer=answer)
        assert (rewriting.fault is None) == (signer is scene.db.key)
        assert rows(held(scene)) == found


def test_the_key_of_a_named_log_comes_from_the_trust_folder(scene: Scene) -> None:
    log, key = "did:web:db.example", PrivateKey.generate()
    act = scene.act()
    scene.intent(act, log=log)
    scene.outcome(act)
    records = [scene.records[0]]
    answer = scene.receipt(act, log=log, key=key, outcome=None)
    scene.journal.keep(act.invocation, "success", act.at, answer=answer)
    given: dict[str, Any] = {"log": log, "resources": [scene.db.did], "records": records}
    lacking = ("missing", "resource", "outcome")
    assert rows(held(scene, keys=[key.public], **given)) == [lacking]
    assert ("unproven", "resource", "key-unresolved") in rows(held(scene, keys=[], **given))
    assert ("unproven", "resource", "did-key-mismatch") in rows(held(scene, **given))


def test_a_receipt_of_another_log_is_none(scene: Scene) -> None:
    act = scene.act()
    scene.intent(act)
    scene.outcome(act)
    answer = scene.receipt(act, log=scene.ana.did, key=scene.ana.key)
    scene.journal.keep(act.invocation, "success", act.at, answer=answer)
    assert rows(held(scene)) == [("unproven", "resource", "log")]


def pinned(scene: Scene) -> tuple[Act, Callable[..., None]]:
    """An agent with a name instead of a key, which its link pins."""
    party = web_agent(scene)
    link = scene.world.delegate(
        scene.ana, party, ["db.read urn:acme:papers:**"], subject_key=party.key.public
    )
    scene.keep_exhibit(link)
    journal = scene.journal_of(party.key)

    def record(act: Act, *, status: str = "success") -> None:
        scene.intent(act)
        scene.outcome(act)
        journal.keep(act.invocation, status, act.at)

    return scene.act(holder=party.did, key=party.key, leaf=link.digest), record


def test_the_key_of_a_named_agent_is_the_one_its_chain_pins(scene: Scene) -> None:
    act, record = pinned(scene)
    record(act)
    assert rows(held(scene)) == []
    assert rows(held(scene, exhibit=None)) == [("unproven", "agent", "key-unresolved")]
    resigned(scene, 0, scene.bot.key)
    assert rows(held(scene)) == [("unproven", "agent", "proof")]


def test_a_link_that_is_not_the_one_recorded_pins_nothing(scene: Scene) -> None:
    act, record = pinned(scene)
    record(act)
    good = scene.exhibits[act.leaf]
    for other in (scene.exhibits[scene.link.digest], good[:-1], b"\xff", b"x.y.z", b"{}"):
        scene.exhibits[act.leaf] = other
        assert rows(held(scene)) == [("unproven", "agent", "key-unresolved")]
    scene.exhibits[act.leaf] = good
    assert rows(held(scene)) == []


def test_a_link_in_the_place_of_another_pins_nothing(scene: Scene) -> None:
    act, record = pinned(scene)
    record(act)
    key = PrivateKey.generate()
    other = scene.world.delegate(
        scene.ana, web_agent(scene), ["db.read urn:acme:papers:**"], subject_key=key.public
    )
    resigned(scene, 0, key)
    scene.keep_exhibit(other)
    scene.exhibits[act.leaf] = scene.exhibits[other.digest]
    assert rows(held(scene)) == [("unproven", "agent", "key-unresolved")]


def test_a_link_to_another_agent_pins_nothing_for_this_one(scene: Scene) -> None:
    act, record = pinned(scene)
    party = web_agent(scene)
    name = "did:web:acme.example:agents:other"
    other = scene.act(holder=name, key=party.key, leaf=act.leaf)
    record(other)
    assert rows(held(scene)) == [("unproven", "agent", "key-unresolved")]


def test_what_a_named_agent_signed_is_believed_by_its_other_records(scene: Scene) -> None:
    act, record = pinned(scene)
    record(act)
    omitted = scene.act(holder=act.agent, key=web_agent(scene).key, leaf=act.leaf)
    scene.journal_of(web_agent(scene).key).keep(omitted.invocation, "success", omitted.at)
    assert rows(held(scene)) == [("missing", "resource", "record")]
    only: dict[str, Any] = {"records": []}
    assert set(rows(held(scene, **only))) == {("unproven", "agent", "key-unresolved")}


def test_a_refusal_that_proves_nothing_pins_nothing(scene: Scene) -> None:
    act, _ = pinned(scene)
    scene.refusal(act, "expired", verified=False,
                  chain=[{"id": scene.link.id, "digestMultibase": act.leaf}])  # fmt: skip
    scene.journal_of(web_agent(scene).key).keep(act.invocation, "refused", act.at)
    assert rows(held(scene)) == [("unproven", "agent", "key-unresolved")]


def test_a_line_that_is_none_is_told_and_a_torn_one_is_noted(scene: Scene) -> None:
    scene.honest()
    good = scene.path.read_bytes()
    scene.path.write_bytes(good + good[:50])
    report = held(scene)
    assert (rows(report), report.torn) == ([], (f"{scene.path}:2",))
    scene.path.write_bytes(good + b'{"version":1}\n{"version":1}\n')
    report = held(scene)
    assert rows(report) == [("unproven", "agent", "shape")] * 2
    assert [one.where for one in report.findings] == [f"{scene.path}:2", f"{scene.path}:3"]


# --- who and when --------------------------------------------------------------------------------


def test_receipts_for_other_resources_are_set_aside(scene: Scene) -> None:
    act = scene.act(audience="did:web:elsewhere.example")
    scene.journal.keep(act.invocation, "success", act.at)
    report = held(scene)
    assert (rows(report), report.counts["elsewhere"]) == ([], 1)
    both = [scene.db.did, "did:web:elsewhere.example"]
    assert rows(held(scene, resources=both)) == [("missing", "resource", "record")]


def test_receipts_of_agents_that_are_not_asked_about_are_set_aside(scene: Scene) -> None:
    act = scene.act()
    scene.journal.keep(act.invocation, "success", act.at)
    report = held(scene, agents=[scene.ana.did])
    assert (rows(report), report.counts["elsewhere"]) == ([], 1)
    assert rows(held(scene, agents=[scene.bot.did])) == [("missing", "resource", "record")]


def test_agents_whose_journals_are_not_here_can_be_set_aside(scene: Scene) -> None:
    scene.honest()
    other = scene.world.agent("other", scene.ana)
    act = scene.act(holder=other.did, key=other.key)
    scene.intent(act)
    scene.outcome(act)
    assert rows(held(scene)) == [("missing", "agent", "receipt")]
    assert rows(held(scene, agents=[scene.bot.did])) == []
    assert rows(held(scene, agents=[other.did])) == [("missing", "agent", "receipt")]
    scene.journal_of(other.key, "other.jsonl").keep(act.invocation, "success", act.at)
    both = [scene.path, scene.folder / "other.jsonl"]
    assert rows(held(scene, paths=both)) == []


def test_the_edges_of_an_export_are_no_false_alarm(scene: Scene) -> None:
    """Of five acts an hour apart one side shows the middle three, the other all."""
    acts = [scene.honest() for _ in range(5)]
    some = {one.event for one in acts[1:4]}
    shown = [one for one in scene.records if one.event in some]
    resource, agent = ("missing", "resource", "record"), ("missing", "agent", "receipt")

    assert rows(held(scene, records=shown)) == [resource] * 2
    window = Period(acts[1].at, acts[3].at + 2)
    assert rows(held(scene, records=shown, period=window)) == []
    wide = Period(acts[0].at - 300, acts[4].at + 302)
    assert rows(held(scene, records=shown, period=wide)) == [resource] * 2

    scene.path.write_bytes(b"".join(lines(scene)[1:4]))
    assert rows(held(scene)) == [agent] * 2
    assert rows(held(scene, period=window)) == []


@pytest.mark.parametrize(("grace", "found"), [(299, 1), (300, 1), (301, 0)])
def test_grace_is_measured_from_both_edges(scene: Scene, grace: int, found: int) -> None:
    act = scene.act()
    scene.intent(act)
    scene.outcome(act)
    assert len(held(scene, period=Period(act.at - 300, None, grace)).findings) == found
    assert len(held(scene, period=Period(None, act.at + 300, grace)).findings) == found


@pytest.mark.parametrize(("grace", "found"), [(299, 1), (300, 1), (301, 0)])
def test_grace_is_as_long_for_what_the_log_left_out(scene: Scene, grace: int, found: int) -> None:
    act = scene.act()
    scene.journal.keep(act.invocation, "success", act.at)
    assert len(held(scene, period=Period(act.at - 300, None, grace)).findings) == found
    assert len(held(scene, period=Period(None, act.at + 300, grace)).findings) == found


def test_grace_excuses_no_disagreement(scene: Scene) -> None:
    act = scene.act()
    scene.intent(act)
    scene.outcome(act)
    scene.journal.keep(act.invocation, "failure", act.at)
    edge = Period(act.at, act.at + 5)
    assert rows(held(scene, period=edge)) == [("disagree", None, "status")]
    assert rows(held(scene, period=Period(act.at + 1, None))) == []


def test_an_outcome_whose_intent_lies_before_is_paired_by_its_event(scene: Scene) -> None:
    act = scene.honest()
    shown = scene.records[1:]
    report = held(scene, records=shown)
    assert (rows(report), report.counts["pairs"]) == ([], 1)
    assert rows(held(scene, records=shown, paths=[])) == [("missing", "agent", "receipt")]
    edge = Period(act.at, None)
    assert rows(held(scene, records=shown, paths=[], period=edge)) == []


def test_an_outcome_that_lies_behind_the_edge_is_not_missed(scene: Scene) -> None:
    act = scene.honest()
    shown = scene.records[:1]
    assert rows(held(scene, records=shown, period=Period(None, act.at + 60))) == []
    assert rows(held(scene, records=shown)) == [("missing", "resource", "outcome")]


def test_what_may_lie_in_a_gap_is_not_missed(scene: Scene) -> None:
    """Five acts an hour apart, of which the second and the fourth are left out of the export."""
    acts = [scene.honest() for _ in range(5)]
    of = [[one for one in scene.records if one.event == act.event] for act in acts]
    silent = [*of[0], *of[2], *of[4]]
    gaps = [*of[0], None, *of[2], None, None, *of[4]]
    assert rows(held(scene, records=silent)) == [("missing", "resource", "record")] * 2
    report = held(scene, records=gaps)
    assert (rows(report), report.counts["beyond"]) == ([], 2)


@pytest.mark.parametrize(
    ("shown", "beyond"),
    [
        ((None, 1, 2, 3, None), 2),
        ((1, 2, 3, None), 1),
        ((None, 1, 2, 3), 1),
        ((1, 2, 3), 0),
        ((1, None, 3), 1),
        ((None,), 5),
        ((), 0),
    ],
)
def test_a_gap_excuses_what_lies_in_it_and_no_more(
    scene: Scene, shown: tuple[int | None, ...], beyond: int
) -> None:
    acts = [scene.honest() for _ in range(5)]
    records: list[Record | None] = []
    for number in shown:
        event = None if number is None else acts[number].event
        records += [one for one in scene.records if one.event == event] if event else [None]
    report = held(scene, records=records)
    there = len([number for number in shown if number is not None])
    assert report.counts["beyond"] == beyond
    assert rows(report) == [("missing", "resource", "record")] * (5 - there - beyond)


def test_an_intent_before_a_gap_may_have_its_outcome_there(scene: Scene) -> None:
    scene.honest()
    later = scene.honest()
    rest = [one for one in scene.records if one.event == later.event]
    missing = [("missing", "resource", "outcome")]
    assert rows(held(scene, records=[scene.records[0], *rest])) == missing
    assert rows(held(scene, records=[scene.records[0], None, *rest])) == []


def test_an_outcome_behind_a_gap_may_be_of_anybody(scene: Scene) -> None:
    scene.honest()
    report = held(scene, records=[None, scene.records[1]], paths=[])
    assert (rows(report), report.counts["beyond"]) == ([], 1)
    assert rows(held(scene, records=[scene.records[1]], paths=[])) == [
        ("missing", "agent", "receipt")
    ]


def test_a_record_of_another_log_is_refused(scene: Scene) -> None:
    scene.honest()
    assert refusal(lambda: held(scene, log=scene.ana.did)) == "audit-entry"
    assert refusal(lambda: held(scene)) == ""


def test_the_report_says_all_of_it(scene: Scene) -> None:
    act = scene.act()
    scene.intent(act)
    period = Period(T0, None, 60)
    value = held(scene, period=period).json
    assert value["period"] == {"since": "2026-09-21T14:13:20Z", "until": None, "graceSeconds": 60}
    assert value["matched"] is False
    assert value["findings"] == [
        {
            "code": "unmatched", "kind": "missing", "lacks": "agent", "dimension": "receipt",
            "agent": scene.bot.did, "event": act.event,
            "invocation": digest(act.invocation.encode()), "time": "2026-09-21T15:13:20Z",
            "where": None, "detail": f"recorded, and no receipt of {scene.bot.did} says so",
        }
    ]  # fmt: skip


# --- any one thing dropped -----------------------------------------------------------------------


def test_whatever_is_dropped_is_found(scene: Scene) -> None:
    """A law: of two honest sides, losing any line or any event is found, and names it."""
    draw = random.Random(7)
    acts = [draw.choice([scene.honest, scene.refused])() for _ in range(12)]
    every = lines(scene)
    assert rows(held(scene, opened=True)) == []
    for number, act in enumerate(acts):
        scene.path.write_bytes(b"".join(every[:number] + every[number + 1 :]))
        report = held(scene)
        assert rows(report) == [("missing", "agent", "receipt")]
        assert report.findings[0].event == act.event
        scene.path.write_bytes(b"".join(every))
        left = [one for one in scene.records if one.event != act.event]
        report = held(scene, records=left)
        assert rows(report) == [("missing", "resource", "record")]
        assert report.findings[0].event == act.event


def test_no_journal_can_make_it_fail(scene: Scene) -> None:
    """Any bytes are a journal: they give findings, torn lines, or nothing, and never an error."""
    draw = random.Random(11)
    for _ in range(3):
        scene.honest()
    good = scene.path.read_bytes()
    for _ in range(300):
        data = bytearray(good)
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(data))
            data[at : at + draw.randint(0, 3)] = draw.randbytes(draw.randint(0, 3))
        scene.path.write_bytes(data)
        report = held(scene, opened=True)
        assert report.findings or bytes(data) == good

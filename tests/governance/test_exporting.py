"""Exports are translations to the byte, and give away nothing that lies beside the log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from delegant.credentials import canonical
from delegant.credentials.codec import parse_object
from delegant.governance.exporting import FORMATS, export_lines
from delegant.governance.ocsf import CLASS, OCSF_VERSION
from delegant.governance.record import parse_record
from delegant.governance.reporting import Act, Logged, Wanted
from governance.exported import GOLDEN, RECORDS, exported, source
from governance.samples import AIDE, ANA, BOT, LOG, intent, opening, read, unproven
from refusal import refusal as refused

SECRETS = ("salt", "request", "invocation", "input")


def lines(form: str) -> list[Any]:
    """An export, read again."""
    return [parse_object(line, size=1 << 16) for line in exported(form).splitlines()]


def by_type(form: str) -> dict[str, list[Any]]:
    """The lines of an export by the type of their record."""
    out: dict[str, list[Any]] = {}
    order = [entry.record.type for act in source().acts(Wanted()) for entry in act.entries]
    for kind, line in zip(order, lines(form), strict=True):
        out.setdefault(kind, []).append(line)
    return out


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_is_the_golden_file_to_the_byte(form: str) -> None:
    assert exported(form) == (GOLDEN / f"acts.{form}").read_bytes()


def test_there_is_no_other_format() -> None:
    assert refused(lambda: [*export_lines([], "csv")]) == "shape"
    assert [*export_lines([], "ocsf")] == []


@pytest.mark.parametrize("form", FORMATS)
def test_every_record_is_told_once(form: str) -> None:
    assert len(lines(form)) == len(RECORDS)


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_that_lies_beside_the_log_is_in_an_export(form: str) -> None:
    data = exported(form).decode()
    for number in range(len(RECORDS)):
        opened = opening(number)
        arguments = opened["request"]["arguments"]
        for secret in (opened["salt"], opened["invocation"], opened["input"], *arguments.values()):
            assert secret not in data
        assert opened["invocation"].split(".")[1] not in data
    for told in ("customer_id", "secret", '"salt"', '"arguments"', "eyJ"):
        assert told not in data


@pytest.mark.parametrize("name", SECRETS)
def test_a_record_has_no_place_for_a_secret(name: str) -> None:
    value = opening(1)[name]
    spoilt = intent() | ({} if name == "invocation" else {name: value})
    if name == "invocation":
        spoilt["invocation"] = value
    assert refused(lambda: parse_record(canonical(spoilt))) == "audit-entry"
    assert refused(lambda: parse_record(canonical(intent()))) == ""


def test_json_lines_are_the_leaves_of_the_log() -> None:
    found = exported("jsonl").splitlines()
    assert sorted(found) == sorted(canonical(value) for value in RECORDS)
    assert all(parse_record(line) for line in found)


# --- OCSF ---------------------------------------------------------------------------------------


def test_what_ocsf_requires_is_in_every_event() -> None:
    for event in lines("ocsf"):
        assert event["class_uid"] == CLASS
        assert event["type_uid"] == CLASS * 100 + event["activity_id"]
        assert event["category_uid"] == 6
        assert event["metadata"]["version"] == OCSF_VERSION
        assert event["metadata"]["product"]["vendor_name"]
        assert event["severity_id"] == 1
        assert event["time"] % 1000 == 0
        assert event["api"]["operation"]
        assert event["src_endpoint"].keys() & {"uid", "name"}
        assert event["actor"].keys() & {"user", "app_name", "app_uid"}
        assert event["status"]
        assert event["activity_name"]
        for one in event.get("observables", ()):
            found: Any = event
            for step in one["name"].split("."):
                found = found[step]
            assert found == one["value"]


def test_the_uid_of_an_event_is_its_records_and_the_correlation_that_of_the_act() -> None:
    events = lines("ocsf")
    uids = [event["metadata"]["uid"] for event in events]
    assert len(set(uids)) == len(uids)
    first, second = events[:2]
    assert first["metadata"]["correlation_uid"] == second["metadata"]["correlation_uid"]
    assert (first["metadata"]["event_code"], second["metadata"]["event_code"]) == (
        "intent", "outcome",
    )  # fmt: skip


def test_the_sponsor_is_the_actor_and_the_agent_their_application() -> None:
    event = lines("ocsf")[0]
    assert event["actor"]["user"]["uid"] == ANA
    assert event["actor"]["app_uid"] == BOT
    assert event["policy"] == {"uid": "chain", "version": "1"}
    assert event["resources"] == [{"uid": "urn:acme:papers:17"}]


@pytest.mark.parametrize(
    ("action", "activity"),
    [("db.read", 2), ("read", 2), ("db.insert", 1), ("a.b.update", 3), ("db.delete", 4),
     ("db.reader", 99), ("paper.fold", 99)],
)  # fmt: skip
def test_the_last_word_of_an_action_is_the_activity(action: str, activity: int) -> None:
    (line,) = export_lines([Act(Logged(0, read(intent(action=action))))], "ocsf")
    event = json.loads(line)
    assert event["activity_id"] == activity
    assert activity != 99 or event["activity_name"] == action


def test_what_came_of_it_is_the_status() -> None:
    found = by_type("ocsf")
    assert [event["status_id"] for event in found["intent"]] == [0, 0, 0, 0]
    told = {(event["status"], event.get("status_code")) for event in found["outcome"]}
    assert told == {("Success", None), ("Failure", "unavailable"), ("released", None)}
    assert {event["action_id"] for event in found["refusal"]} == {2}
    assert [event["status_code"] for event in found["refusal"]][:2] == [
        "constraint", "approval-missing",
    ]  # fmt: skip


# --- OpenTelemetry ------------------------------------------------------------------------------


def attributes(line: Any) -> dict[str, Any]:
    """The attributes of the one log record of a line."""
    (resource,) = line["resourceLogs"]
    (scope,) = resource["scopeLogs"]
    (record,) = scope["logRecords"]
    names = [one["key"] for one in record["attributes"]]
    assert names == sorted(set(names))
    return {one["key"]: next(iter(one["value"].values())) for one in record["attributes"]}


def test_the_names_of_the_semantic_conventions_are_used_where_there_are_any() -> None:
    found = attributes(lines("otel")[0])
    assert found["enduser.id"] == ANA
    assert found["gen_ai.agent.id"] == BOT
    assert found["delegant.triggering.agent.id"] == AIDE
    own = {"enduser.id", "gen_ai.agent.id", "gen_ai.agent.name", "error.type"}
    for line in lines("otel"):
        others = attributes(line).keys() - own
        assert all(name.startswith("delegant.") for name in others)


def test_the_resource_is_the_log_and_times_are_nanoseconds() -> None:
    for line, entry in zip(lines("otel"), lines("jsonl"), strict=True):
        (resource,) = line["resourceLogs"]
        assert resource["resource"]["attributes"][0]["value"] == {"stringValue": LOG}
        (record,) = resource["scopeLogs"][0]["logRecords"]
        assert record["timeUnixNano"][-9:] == "0" * 9
        assert record["timeUnixNano"] == f"{read(entry).time}000000000"
        assert record["eventName"] == f"delegant.{entry['type']}"


def test_a_refusal_and_a_failure_are_warnings_with_their_code() -> None:
    for line in lines("otel"):
        record = line["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
        assert (record["severityText"] == "WARN") == ("error.type" in attributes(line))


# --- claims -------------------------------------------------------------------------------------


def test_who_proved_nothing_is_no_party_of_an_export() -> None:
    for sponsor in (ANA, None):
        (line,) = export_lines([Act(Logged(3, read(unproven(sponsor=sponsor))))], "ocsf")
        event = json.loads(line)
        assert event["actor"] == {"app_name": "unverified"}
        assert "observables" not in event
        assert event["unmapped"]["sponsorDid"] == sponsor
        (line,) = export_lines([Act(Logged(3, read(unproven(sponsor=sponsor))))], "otel")
        found = attributes(json.loads(line))
        assert not found.keys() & {"enduser.id", "gen_ai.agent.id", "gen_ai.agent.name"}
        assert found.get("delegant.claimed.sponsor") == sponsor
        assert found["delegant.verified"] is False


def test_every_member_of_a_record_is_somewhere_in_a_translation() -> None:
    for form in ("ocsf", "otel"):
        for line, entry in zip(exported(form).splitlines(), lines("jsonl"), strict=True):
            text = line.decode()
            for value in leaves(entry):
                assert json.dumps(value, ensure_ascii=False).strip('"') in text, (form, value)


def leaves(value: Any) -> list[Any]:
    """The strings and numbers of a JSON value."""
    if isinstance(value, dict | list):
        below = value.values() if isinstance(value, dict) else value
        return [leaf for one in below for leaf in leaves(one)]
    times = isinstance(value, str) and value.endswith("Z") and value[:2] == "20"
    return [] if value is None or isinstance(value, bool) or times else [value]

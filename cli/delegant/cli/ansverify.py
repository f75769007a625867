"""`ans verify`: what a saved answer proves, from the file and a trust folder alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from delegant.credentials import Error, jose, shape
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import error
from delegant.wallet import files, load_trust

from . import typed
from .ansapp import ans
from .edge import Edge, command, now

if TYPE_CHECKING:
    from delegant.ans.answer import Answer
    from delegant.ans.query import Query
    from delegant.ans.receipt import Logged
    from delegant.ans.trusted import RegistryTrust
    from delegant.credentials import Trust

__all__: list[str] = []

MAX_ANSWER: Final = 8 * 1024 * 1024
MAX_MEMBERS: Final = 262_144


@command(ans, "verify")
def ans_verify(
    edge: Edge,
    file: Annotated[
        Path, typer.Argument(help="What the registry answered: JSON, a problem, or the JWS.")
    ],
    trust: Annotated[Path | None, typer.Option(help="The trust folder; else the home's.")] = None,
    name: Annotated[
        str | None, typer.Option(help="The name that was asked for; else as the file says.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(help="The question that was asked, as JSON; else as the file says."),
    ] = None,
    registry: Annotated[
        str | None, typer.Option(help="The registry's DID; else the one it names and you trust.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="The instant, as 2026-11-25T09:00:00Z; else now.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Say so: verification never uses the network.")
    ] = False,
) -> None:
    """Verify a saved answer: who signed what, where it is logged, and what it says.

    Exit 0: an agent was found, and the answer is fresh. Exit 1: altered, or a true answer that
    says no (ans-not-found, ans-gone, ans-suspended). Exit 3: past its time (ans-stale); what it
    proved then is printed all the same, and --at asks for that time. Exit 4: malformed.
    """
    given, value = _read(file)
    folder = trust if trust is not None else edge.home().path / "trust"
    believed = _registry(load_trust(folder), registry, value)
    asked = _question(value, name, query)
    found, stale = _proven(given, value, believed, asked, typed.instant(at, now()))
    no = stale or _says_no(found)
    shown = _json(found, believed) | {"asked": "given" if name or query else "file"}
    if edge.json:
        edge.show(shown if no is None else shown | {"problem": no.problem()}, "")
    else:
        print("\n".join(_lines(shown)))
    if no is not None:
        raise typer.Exit(no.exit_status) if edge.json else no


def _read(path: Path) -> tuple[JsonObject | str, JsonObject]:
    """The answer as it was saved, and the object in it, which nobody has verified yet."""
    data = files.read(path, size=2 * MAX_ANSWER).strip()
    if data.startswith(b"{"):
        value = parse_object(data, size=MAX_ANSWER, members=MAX_MEMBERS)
        inner = value.get("answer")
        if "freshness" not in value and type(inner) is dict:
            value = inner  # a problem, or what `ans resolve --json` prints
        return value, value
    text = data.decode("ascii", "replace")
    return text, jose.split(text, size=2 * MAX_ANSWER, members=MAX_MEMBERS).payload


def _registry(trust: Trust, wanted: str | None, value: JsonObject) -> RegistryTrust:
    from delegant.ans.trusted import RegistryTrust  # noqa: PLC0415 - httpx comes along

    if wanted is None:
        token = value.get("freshness")
        named = token.get("registry") if type(token) is dict else None
        wanted = named if type(named) is str and named in trust.registries else None
    return RegistryTrust.from_trust(trust, wanted)


def _question(value: JsonObject, name: str | None, query: str | None) -> Query:
    from delegant.ans.query import Query  # noqa: PLC0415 - httpx comes along

    if name is not None and query is not None:
        raise error("shape", "give --name or --query, not both")
    if name is not None:
        told = value.get("query")
        return Query.exact(name, trace=type(told) is dict and told.get("trace") is True)
    return Query.from_json(value.get("query") if query is None else query.encode())


def _proven(
    given: JsonObject | str, value: JsonObject, trust: RegistryTrust, query: Query, at: int
) -> tuple[Answer, Error | None]:
    """The verified answer; and, where it is past its time, that, and what it proved then."""
    from delegant.ans.answer import verify_answer  # noqa: PLC0415 - httpx comes along

    try:
        return verify_answer(given, trust, query, at=at), None
    except Error as exc:
        if exc.code != "ans-stale":
            raise
        stale = exc
    then = value["freshness"]["time"]  # signed, or it would not be called stale
    found = verify_answer(given, trust, query, at=shape.time(then, "freshness.time"))
    told = f"{stale.detail}; all else holds: --at {then} asks what it proved then"
    return found, error("ans-stale", told)


def _says_no(found: Answer) -> Error | None:
    try:
        found.check_success()
    except Error as exc:
        return exc
    return None


# --- telling --------------------------------------------------------------------------------


def _json(found: Answer, trust: RegistryTrust) -> JsonObject:
    token = found.freshness
    out: JsonObject = {
        "question": found.query.json,
        "registry": trust.id,
        "status": token.status,
        "time": shape.format_time(token.time),
        "validUntil": shape.format_time(token.valid_until),
        "log": {"origin": token.head.origin, "size": token.head.size, "key": trust.log.vkey},
        "agents": [
            one.json | {"logged": _logged(one.logged, receipt["receipt"], trust)}
            for one, receipt in zip(found.agents, found.json["resolvedAgents"], strict=True)
        ],
    }
    if found.last is not None:
        event = found.last.event
        said = {
            name: event[name] for name in ("type", "name", "agent", "by", "reason") if name in event
        }
        out["last"] = said | {
            "signed": found.last.signed,
            "logged": _logged(found.last.logged, found.json["last"]["receipt"], trust),
        }
    if token.reason is not None:
        out["reason"] = token.reason
    if token.since is not None:
        out["since"] = shape.format_time(token.since)
    if found.query.trace:
        out["trace"] = [{"name": name, "reason": reason} for name, reason in found.trace]
    return out


def _logged(logged: Logged, receipt: JsonObject, trust: RegistryTrust) -> JsonObject:
    """Where an event stands in the log, and which of our witnesses cosigned its checkpoint."""
    from delegant.ans.log.checkpoint import cosigned, parse_checkpoint  # noqa: PLC0415

    _, note = parse_checkpoint(receipt["checkpoint"])
    who = sorted(key.name for key in cosigned(note, trust.witnesses))
    return {"index": logged.index, "size": logged.size, "witnesses": who}


def _lines(shown: JsonObject) -> list[str]:
    """What is proven, a line each."""
    asked = shown["question"]
    what = asked["name"] if "name" in asked else json.dumps(asked, ensure_ascii=False)
    log = shown["log"]
    lines = [
        f"question        {what}" + (" (as the file says)" if shown["asked"] == "file" else ""),
        f"registry        {shown['registry']}",
        f"  signed        {shown['status']} at {shown['time']}, until {shown['validUntil']}",
        f"log             {log['origin']}, {log['size']} entries",
    ]
    for one in shown["agents"]:
        lines += _agent(one, log)
    if "last" in shown:
        lines += _last(shown["last"], log)
    elif not shown["agents"]:
        lines.append("  by its word   no log proves that something is not there")
    lines += [f"left out        {one['name']}: {one['reason']}" for one in shown.get("trace", ())]
    return lines


def _agent(one: JsonObject, log: JsonObject) -> list[str]:
    lines = [one["name"], f"  agent         {one['did']} signed the record"]
    lines += [f"  {protocol:<13} {where}" for protocol, where in one["endpoints"].items()]
    lines += _place(one["logged"], log)
    lines += [
        f"  answers for   {one['sponsor']} (says the record)",
        f"  organisation  {one['organization']}",
    ]
    if one["attestations"]:
        lines.append(f"  attested      {', '.join(one['attestations'])}, says the registry")
    if one["unattested"]:
        lines.append(f"  unattested    {', '.join(one['unattested'])}")
    return lines


def _last(event: JsonObject, log: JsonObject) -> list[str]:
    word = "signed it" if event["signed"] else "as the log says; its key is not known here"
    lines = [
        event["name"],
        f"  agent         {event['agent']}",
        f"  newest event  {event['type']} by {event['by']}: {word}",
    ]
    if "reason" in event:
        lines.append(f"  reason        {event['reason']}")
    return lines + _place(event["logged"], log)


def _place(logged: JsonObject, log: JsonObject) -> list[str]:
    by = log["key"].rpartition("+")[0]
    seen = ", ".join(logged["witnesses"])
    many = len(logged["witnesses"])
    witnesses = f"{many} witness{'' if many == 1 else 'es'}" + (f": {seen}" if seen else "")
    return [
        f"  logged        entry {logged['index']} of {log['origin']}, size {logged['size']}",
        f"  checkpoint    signed by {by}, {witnesses}",
    ]

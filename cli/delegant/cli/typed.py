"""What people type, as values: grants, times, facts and constraints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from delegant.credentials import Request, digest
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.credentials.shape import seconds, time
from delegant.wallet import Home, files

__all__ = [
    "Facts",
    "address",
    "constraints",
    "grants",
    "instant",
    "moment",
    "request",
    "seconds",
    "words",
]

Allow = Annotated[
    list[str], typer.Option("--allow", help="ACTION:RESOURCE, as db.read:urn:acme:papers:**")
]
Rows = Annotated[int | None, typer.Option(help="Rows at most.")]
Bytes = Annotated[int | None, typer.Option("--bytes", help="Bytes at most.")]
Columns = Annotated[str | None, typer.Option(help="Columns, with commas.")]
Argument = Annotated[list[str] | None, typer.Option(help="NAME=VALUE; several times.")]
Purpose = Annotated[str | None, typer.Option(help="What for.")]
Task = Annotated[str | None, typer.Option(help="The task's id.")]
Initiation = Annotated[str, typer.Option(help="human_request, schedule or agent_decision.")]
DataClass = Annotated[
    str | None, typer.Option(help="public, internal, confidential or restricted.")
]
Network = Annotated[list[str] | None, typer.Option(help="CIDR prefix, or the caller's address.")]


def address(text: str) -> tuple[str, int]:
    """``HOST:PORT`` to bind; or ``shape``."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise error("shape", "--bind is HOST:PORT")
    return host, int(port)


def instant(text: str | None, default: int) -> int:
    """``2026-11-23T09:00:00Z`` in seconds since 1970; the default where nothing was typed."""
    return default if text is None else time(text, "--at")


def moment(text: str | None, option: str) -> int | None:
    """``2026-11-23``, its first second in UTC, or as `instant`; None where nothing was typed."""
    if text is None:
        return None
    return time(f"{text}T00:00:00Z" if len(text) == len("2026-11-23") else text, option)


def words(text: str | None) -> list[str]:
    """Words between commas."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def pair(text: str, home: Home | None = None) -> tuple[str, str]:
    """``ACTION:RESOURCE``; the resource ``registry`` is the home's registry."""
    action, colon, resource = text.partition(":")
    if not colon or not resource:
        raise error("shape", f"{text[:80]!r} is not ACTION:RESOURCE")
    if resource == "registry" and home is not None:
        resource = home.settings.registry
    return action, resource


def grants(allow: Sequence[str], home: Home | None = None) -> list[JsonObject]:
    """Grants from ``ACTION:RESOURCE``, one a resource."""
    by_resource: dict[str, list[str]] = {}
    for text in allow:
        action, resource = pair(text, home)
        by_resource.setdefault(resource, []).append(action)
    return [{"actions": actions, "resources": [r]} for r, actions in by_resource.items()]


def _value(text: str) -> str | int | bool:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?(0|[1-9][0-9]{0,14})", text, re.ASCII) else text


def arguments(typed: Sequence[str] | None) -> dict[str, str | int | bool]:
    """``NAME=VALUE``: a whole number is a number, ``NAME="42"`` (quoted) is text."""
    out: dict[str, str | int | bool] = {}
    for text in typed or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise error("shape", f"{text[:80]!r} is not NAME=VALUE")
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        out[name] = value[1:-1] if quoted else _value(value)
    return out


def constraints(  # the common ones; --constraints FILE carries the rest
    *,
    rows: int | None,
    bytes_: int | None,
    columns: str | None,
    argument: Sequence[str] | None,
    audience: Sequence[str] | None,
    purpose: str | None,
    task: str | None,
    initiation: str,
    data_class: str | None,
    network: Sequence[str] | None,
    file: Path | None,
) -> JsonObject:
    """The ``constraints`` member that the options describe."""
    out: JsonObject = files.read_object(file) if file is not None else {}
    simple: dict[str, Any] = {
        "rows": None if rows is None else {"max": rows},
        "bytes": None if bytes_ is None else {"max": bytes_},
        "columns": words(columns) or None,
        "audience": list(audience or ()) or None,
        "purpose": None if purpose is None else [purpose],
        "task": None if task is None else {"id": task, "initiation": initiation},
        "dataClass": None
        if data_class is None
        else {"scheme": "https://delegant.example/data-class/v1", "max": data_class},
        "network": list(network or ()) or None,
        "arguments": {name: {"eq": value} for name, value in arguments(argument).items()} or None,
    }
    return out | {name: value for name, value in simple.items() if value is not None}


Facts = dict[str, Any]


def request(need: str, home: Home | None, facts: Facts) -> Request:
    """The request that ``--need`` and the facts describe."""
    action, resource = pair(need, home)
    task = facts.pop("task", None)
    initiation = facts.pop("initiation", "human_request")
    amount = facts.pop("amount", None)
    body = facts.pop("body", None)
    if task is not None:
        facts["task"] = {"id": task, "initiation": initiation}
    if amount is not None:
        unit, equals, value = amount.partition("=")
        if not equals:
            raise error("shape", "--amount is UNIT=VALUE, as EUR:2=1000")
        facts["amount"] = {"unit": unit, "value": value}
    if body is not None:
        facts["body_digest"] = digest(files.read(body))
    return Request(action, resource, **{k: v for k, v in facts.items() if v is not None})

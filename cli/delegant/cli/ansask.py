"""`ans resolve`, `ans search`, `ans history`: what a registry says, believed for its proofs alone.

What was met before is remembered in the home, so that a log set back, a log made for somebody
else and a name that went to another agent unseen are found out the next time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from delegant.credentials import shape
from delegant.credentials.codec import JsonObject

from .ansapp import Folder, Kept, Registry, Url, Whom, ans
from .edge import Edge, command
from .typed import seconds

if TYPE_CHECKING:
    from delegant.ans import Resolution
    from delegant.ans.history import Past

__all__: list[str] = []

Name = Annotated[str, typer.Argument(help="mcp://Function.Domain.Provider.v1.0")]


@command(ans, "resolve")
def ans_resolve(
    edge: Edge,
    name: Name,
    url: Url = None,
    registry: Registry = None,
    trust: Folder = None,
    memory: Kept = None,
) -> None:
    """Resolve a name, and believe only signatures and proofs."""
    with Whom(url, registry, trust, memory).client(edge) as client:
        found = client.resolve(name)
    edge.show(
        found.json | {"answer": found.answer},
        f"{_agent(found)}\n  signatures of agent and registry verified",
    )


@command(ans, "search")
def ans_search(
    edge: Edge,
    capability: Annotated[
        str | None, typer.Option(help="What the agent can do, as Function.Domain or in its record.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="A range: '>=2.1.0 <3.0.0', '^2', '~2.1', '*'.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="The provider's label.")] = None,
    protocol: Annotated[str | None, typer.Option(help="As mcp, a2a, acp.")] = None,
    attestation: Annotated[
        list[str] | None, typer.Option(help="A type that must be attested; may be repeated.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="A name with * in it: 'mcp://*.Research.AcmeLabs.*'.")
    ] = None,
    available: Annotated[
        str | None, typer.Option(help="Said to be up no longer ago than 60s, 5m, 1h.")
    ] = None,
    prefer: Annotated[
        str | None, typer.Option(help="A provider whose agents come first; it leaves nobody out.")
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Also who was left out, and why.")] = False,
    limit: Annotated[int | None, typer.Option(help="How many at most, 1 to 50; else 10.")] = None,
    url: Url = None,
    registry: Registry = None,
    trust: Folder = None,
    memory: Kept = None,
) -> None:
    """Find agents by what they are and can do: the highest version first.

    Exit 0: somebody was found. Exit 1: nobody, by the registry's signed word.
    """
    up = None if available is None else seconds(available)
    with Whom(url, registry, trust, memory).client(edge) as client:
        found = client.search(
            capability=capability, version=version, provider=provider, protocol=protocol,
            attestation=attestation, pattern=pattern, available=up, prefer=prefer, trace=trace,
            limit=limit,
        )  # fmt: skip
    value: JsonObject = {"agents": [one.json for one in found.agents], "answer": found.answer.json}
    if trace:
        value["trace"] = [{"name": name, "reason": why} for name, why in found.trace]
    lines = [_agent(one) for one in found.agents] or ["nobody was found"]
    lines += [f"left out        {name}: {why}" for name, why in found.trace]
    edge.show(value, "\n".join(lines))
    if not found.agents:
        raise typer.Exit(1)


@command(ans, "forget")
def ans_forget(
    edge: Edge,
    name: Name,
    registry: Registry = None,
    memory: Kept = None,
) -> None:
    """Forget whom a name led to, after `ans-rebound`: once its provider told you why it changed.

    What is known of the log stays. The next answer is believed anew.
    """
    from delegant.ans.memory import Memory  # noqa: PLC0415 - httpx comes along

    whose, kept = Whom(registry=registry, memory=memory).kept(edge.home())
    pin = Memory(whose, kept).forget(name)
    edge.show({"name": name, **pin.json}, f"{name} led to {pin.agent}; forgotten")


@command(ans, "history")
def ans_history(
    edge: Edge,
    name: Name,
    url: Url = None,
    registry: Registry = None,
    trust: Folder = None,
    memory: Kept = None,
) -> None:
    """Every event of a name from its registration on, each proven to be in the log."""
    with Whom(url, registry, trust, memory).client(edge) as client:
        past = client.history(name)
    edge.show([_event(one) for one in past], "\n".join(_line(one) for one in past))


def _agent(one: Resolution) -> str:
    lines = [one.name, f"  agent         {one.did}"]
    lines += [f"  {protocol:<13} {at}" for protocol, at in one.endpoints.items()]
    lines += [f"  answers for   {one.sponsor}", f"  organisation  {one.organization}"]
    attested = sorted({each.type for each in one.entry.attestations})
    if attested:
        lines.append(f"  attested      {', '.join(attested)}, says the registry")
    if one.entry.unattested:
        lines.append(f"  unattested    {', '.join(sorted(one.entry.unattested))}")
    if one.entry.successor is not None:
        lines.append(f"  replaced by   {one.record['successor']}")
    return "\n".join(lines)


def _event(one: Past) -> JsonObject:
    leaf = one.leaf
    return {
        "seq": leaf.seq,
        "type": leaf.type,
        "time": shape.format_time(leaf.time),
        "agent": leaf.agent,
        "epoch": leaf.epoch,
        "by": leaf.by,
        "signed": one.signed,
        "logged": {"index": one.logged.index, "size": one.logged.size},
        "event": one.event,
    }


def _line(one: Past) -> str:
    leaf = one.leaf
    said = f": {one.event['reason']}" if "reason" in one.event else ""
    whose = f", now {leaf.agent}'s" if leaf.type in ("register", "transfer") else ""
    word = "" if one.signed else " (by the log's word; the signer's key is not known here)"
    return (
        f"{leaf.seq:>3}  {shape.format_time(leaf.time)}  {leaf.type} by the {leaf.by}{whose}"
        f"{said}  entry {one.logged.index}{word}"
    )

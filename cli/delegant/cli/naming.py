"""`ans register` and what follows it: every event in the life of a name, by whoever may send it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from delegant.credentials import Error, Evidence, Link, PrivateKey, Request, shape
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import error
from delegant.wallet import Home, attestations, find_chain, gather, read_attestation

from .ansapp import Name, Now, Url, ans, local_registry, registry_client, state_of
from .edge import Edge, command, now
from .typed import seconds

__all__: list[str] = []

ORGANIZATION = "organization"
REGISTRY = "registry"

Agent = Annotated[str, typer.Argument(help="The agent, by its handle.")]
Who = Annotated[str, typer.Argument(help="Agent or sponsor by its handle; or `organization`.")]
Reason = Annotated[str | None, typer.Option(help="Why; the answer will say it.")]
Endpoint = Annotated[
    list[str] | None, typer.Option(help="Where it is reached: URL, or PROTOCOL=URL.")
]
Capability = Annotated[list[str] | None, typer.Option(help="What it claims to do.")]
Alias = Annotated[list[str] | None, typer.Option(help="Another name, as ans://v1.0.0.a.example.")]
Extension = Annotated[
    list[str] | None, typer.Option(help="For who speaks the protocol: PROTOCOL=JSON object.")
]
Attestation = Annotated[
    list[Path] | None,
    typer.Option(help="An attestation of elsewhere to show; this home's own are shown anyway."),
]
Successor = Annotated[str | None, typer.Option(help="The name that replaces this one.")]


class _Holder:
    """An agent of this home: its key, and the chain that lets it take a step."""

    def __init__(self, home: Home, handle: str, shown: Sequence[Path] | None = None) -> None:
        subject = home.subject(handle)
        if subject.kind != "agent":
            raise error("wallet-kind", f"{handle} is no agent")
        self.home, self.handle, self.did = home, handle, subject.did
        self.key: PrivateKey = home.open_wallet("agent", subject.handle).key()
        self._attested = [read_attestation(path)[0] for path in shown or ()]

    def links(self, kind: str, at: int) -> tuple[Link, ...]:
        """The chain that grants this event."""
        wanted = Request(f"ans.{kind}", self.home.settings.registry)
        try:
            return find_chain(self.home, self.did, wanted, at)
        except Error as exc:
            raise error(
                exc.code,
                f"{self.handle} holds no live grant of ans.{kind}: type "
                f"delegant delegate --from SPONSOR --to {self.handle} --allow 'ans.*:registry'",
            ) from None

    def evidence(self, *others: str) -> Evidence:
        """What an honest agent staples, with its attestations that are not over."""
        every = [*attestations(self.home, self.did), *self._attested]
        claims = {one.id: one.secured.raw for one in every if now() < one.valid_until}
        found = gather(self.home, [self.did, *others])
        return found.merged(Evidence(attestations=claims.values()))


def _stated(given: Sequence[str] | None, protocol: str) -> dict[str, str] | None:
    """``--endpoint`` values by protocol."""
    out: dict[str, str] = {}
    for text in given or ():
        named, mark, rest = text.partition("=")
        own = mark and "://" not in named
        out[named if own else protocol] = rest if own else text
    return out or None


def _extensions(given: Sequence[str] | None) -> dict[str, JsonObject] | None:
    out: dict[str, JsonObject] = {}
    for text in given or ():
        named, mark, rest = text.partition("=")
        if not mark:
            raise error("shape", "--extension is PROTOCOL=JSON")
        out[named] = parse_object(rest.encode(), size=8192)
    return out or None


def _record(
    holder: _Holder,
    name: str,
    at: int,
    life: int,
    before: JsonObject | None = None,
    **changes: Any,
) -> JsonObject:
    """A record: what was said before, but for what changes."""
    from delegant.ans import new_record  # noqa: PLC0415 - httpx comes along

    old = before or {}
    said: dict[str, Any] = {
        "capabilities": old.get("capabilities", []),
        "aliases": old.get("aliases", []),
        "extensions": old.get("protocolExtensions"),
        "successor": old.get("successor"),
    }
    said |= {what: value for what, value in changes.items() if value is not None}
    endpoints: Mapping[str, str] = said.pop("endpoints", old.get("endpoints", {}))
    if not endpoints:
        raise error("shape", "say where it is reached: --endpoint URL")
    return new_record(
        holder.key, holder.did, name, endpoints, holder.evidence(), at=at, seconds=life, **said
    )


def _send(
    edge: Edge,
    holder: _Holder,
    name: str,
    kind: str,
    url: str | None,
    record: Any = None,
    reason: str | None = None,
) -> JsonObject:
    """An event by the agent; ``record`` makes the record from what the name is now."""
    from delegant.ans import new_event, submission  # noqa: PLC0415 - httpx comes along

    at, registry = now(), holder.home.settings.registry
    links = holder.links(kind, at)
    with registry_client(edge, url) as client:
        before = None if kind == "register" else state_of(client, name)
        event = new_event(
            holder.key, holder.did, registry, name, kind, at=at, reason=reason,
            before=None if before is None else (before.seq, before.event),
            record=None if record is None else record(at, before),
        )  # fmt: skip
        body, token = submission(holder.key, links, holder.evidence(), event, registry, at=at)
        return client.submit(body, token, agent=None if kind == "register" else holder.did)


@command(ans, "register")
def ans_register(
    edge: Edge,
    agent: Agent,
    name: Name,
    endpoint: Endpoint = None,
    capability: Capability = None,
    alias: Alias = None,
    extension: Extension = None,
    successor: Successor = None,
    attestation: Attestation = None,
    ttl: Annotated[str, typer.Option(help="How long the registration lasts.")] = "30d",
    url: Url = None,
) -> None:
    """Register a name for an agent, with its own signature and its chain."""
    from delegant.ans import AnsName  # noqa: PLC0415

    endpoints = _stated(endpoint, AnsName.parse(name).protocol)
    holder = _Holder(edge.home(), agent, attestation)

    def record(at: int, _before: Now | None) -> JsonObject:
        return _record(
            holder, name, at, seconds(ttl), endpoints=endpoints, capabilities=capability,
            aliases=alias, extensions=_extensions(extension), successor=successor,
        )  # fmt: skip

    receipt = _send(edge, holder, name, "register", url, record)
    leaf = receipt["leaf"]
    edge.show(receipt, f"{leaf['name']} is {leaf['agent']}{_logged(receipt)}")


@command(ans, "renew")
def ans_renew(
    edge: Edge,
    agent: Agent,
    name: Name,
    endpoint: Endpoint = None,
    ttl: Annotated[str, typer.Option(help="How long, from now.")] = "30d",
    url: Url = None,
) -> None:
    """Renew a registration; what it says stays as it is."""
    from delegant.ans import AnsName  # noqa: PLC0415

    endpoints = _stated(endpoint, AnsName.parse(name).protocol)
    holder = _Holder(edge.home(), agent)

    def record(at: int, before: Now | None) -> JsonObject:
        old = _said(before) if endpoints is None else (before and before.record) or {}
        return _record(holder, name, at, seconds(ttl), old, endpoints=endpoints)

    receipt = _send(edge, holder, name, "renew", url, record)
    edge.show(receipt, f"{receipt['leaf']['name']} renewed{_logged(receipt)}")


@command(ans, "update")
def ans_update(
    edge: Edge,
    agent: Agent,
    name: Name,
    endpoint: Endpoint = None,
    capability: Capability = None,
    alias: Alias = None,
    extension: Extension = None,
    successor: Successor = None,
    attestation: Attestation = None,
    url: Url = None,
) -> None:
    """Change what a name says of its agent; until when it lasts stays as it is.

    What is not given stays; each option given replaces all that was said of its kind.
    """
    from delegant.ans import AnsName  # noqa: PLC0415

    endpoints = _stated(endpoint, AnsName.parse(name).protocol)
    holder = _Holder(edge.home(), agent, attestation)

    def record(at: int, before: Now | None) -> JsonObject:
        old = _said(before)
        life = shape.time(old["expires"], "expires") - at
        return _record(
            holder, name, at, life, old, endpoints=endpoints, capabilities=capability,
            aliases=alias, extensions=_extensions(extension), successor=successor,
        )  # fmt: skip

    receipt = _send(edge, holder, name, "update", url, record)
    edge.show(receipt, f"{receipt['leaf']['name']} updated{_logged(receipt)}")


@command(ans, "transfer")
def ans_transfer(
    edge: Edge,
    agent: Annotated[str, typer.Argument(help="The agent that has the name, by its handle.")],
    name: Name,
    to: Annotated[str, typer.Option(help="The agent that gets it, by its handle.")],
    reason: Reason = None,
    ttl: Annotated[str, typer.Option(help="How long the registration lasts.")] = "30d",
    url: Url = None,
) -> None:
    """Give a name to another agent: both sign, and so does the organisation of its label.

    All three keys must be in this home.
    """
    from delegant.ans import consent, new_event, submission  # noqa: PLC0415 - httpx comes along

    home, at = edge.home(), now()
    old, new = _Holder(home, agent), _Holder(home, to)
    owner, registry = home.open_wallet("organization"), home.settings.registry
    links = old.links("transfer", at)
    with registry_client(edge, url) as client:
        before = state_of(client, name)
        record = _record(new, name, at, seconds(ttl), _said(before))
        event = new_event(
            old.key, old.did, registry, name, "transfer", at=at, agent=new.did, reason=reason,
            before=(before.seq, before.event), record=record,
        )  # fmt: skip
        event = consent(event, new.key, new.did, at=at)
        event = consent(event, owner.key(), home.settings.organization, at=at)
        evidence = old.evidence(new.did)
        body, token = submission(old.key, links, evidence, event, registry, at=at)
        receipt = client.submit(body, token, agent=old.did)
    edge.show(receipt, f"{receipt['leaf']['name']} is {new.did} now{_logged(receipt)}")


@command(ans, "suspend")
def ans_suspend(edge: Edge, who: Who, name: Name, reason: Reason = None, url: Url = None) -> None:
    """Suspend a name: as its agent, its agent's sponsor, or the organisation of its label.

    It is not resolved until somebody of at least the same rank resumes it.
    """
    receipt = _by_anyone(edge, who, name, "suspend", reason, url)
    edge.show(receipt, f"{receipt['leaf']['name']} suspended{_logged(receipt)}")


@command(ans, "resume")
def ans_resume(
    edge: Edge,
    who: Annotated[
        str,
        typer.Argument(help="Agent or sponsor by its handle; or `organization` or `registry`."),
    ],
    name: Name,
    reason: Reason = None,
    url: Url = None,
) -> None:
    """Resume a suspended name; a live human must answer for its agent.

    `registry` lifts, as the operator of this home's registry, what its re-check suspended.
    """
    if who == REGISTRY:
        receipt = local_registry(edge.home()).resume(name, now(), reason)
    else:
        receipt = _by_anyone(edge, who, name, "resume", reason, url)
    edge.show(receipt, f"{receipt['leaf']['name']} resumed{_logged(receipt)}")


@command(ans, "revoke")
def ans_revoke(edge: Edge, who: Who, name: Name, reason: Reason = None, url: Url = None) -> None:
    """Revoke a name, for good. It will answer `revoked`, never `not found`."""
    receipt = _by_anyone(edge, who, name, "revoke", reason, url)
    edge.show(receipt, f"{receipt['leaf']['name']} revoked{_logged(receipt)}")


def _by_anyone(
    edge: Edge, who: str, name: str, kind: str, reason: str | None, url: str | None
) -> JsonObject:
    from delegant.ans import new_event, statement  # noqa: PLC0415 - httpx comes along

    home, at = edge.home(), now()
    subject = None if who == ORGANIZATION else home.subject(who)
    if subject is not None and subject.kind == "agent":
        return _send(edge, _Holder(home, who), name, kind, url, reason=reason)
    if subject is None:
        signer, key = home.settings.organization, home.open_wallet("organization").key()
    else:
        signer, key = subject.did, home.open_wallet("human", subject.handle).key()
    with registry_client(edge, url) as client:
        before = state_of(client, name)
        event = new_event(
            key, signer, home.settings.registry, name, kind, at=at, agent=before.agent,
            before=(before.seq, before.event), reason=reason,
        )  # fmt: skip
        shown = [before.agent] if kind == "resume" else []
        if subject is not None:
            shown.append(signer)
        evidence = gather(home, shown) if shown else None
        return client.submit(statement(event, evidence), agent=before.agent)


def _said(before: Now | None) -> JsonObject:
    """The record of a name; an expired one's newest event may carry none."""
    if before is None or before.record is None:
        raise error("ans-gone", "its record cannot be had any more: give --endpoint")
    return before.record


def _logged(receipt: JsonObject) -> str:
    return f"\n  event {receipt['leaf']['seq']}, entry {receipt['index']} of the log"

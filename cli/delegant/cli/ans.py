"""`ans`: register, renew, revoke and resolve names.

The client, and httpx with it, is imported where it is used: other commands start sooner.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from delegant.credentials import Error, PrivateKey, Request
from delegant.credentials.errors import error
from delegant.wallet import Home, find_chain, gather

from .edge import Edge, command, now
from .serve import needs_server
from .typed import seconds

ans = typer.Typer(no_args_is_help=True, help="The Agent Naming Service.")
provider = typer.Typer(no_args_is_help=True, help="Who owns which provider label.")

Url = Annotated[str | None, typer.Option(help="The registry's address; else the home's.")]
Name = Annotated[str, typer.Argument(help="mcp://Function.Domain.Provider.v1.0")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(ans, name="ans")
    ans.add_typer(provider, name="provider")


@command(provider, "add")
def provider_add(
    edge: Edge,
    label: Annotated[str, typer.Argument(help="The label, as DataCorp.")],
    owner: Annotated[
        str | None, typer.Option(help="The organisation's DID; else this home's own.")
    ] = None,
) -> None:
    """Bind a provider label to an organisation: only its agents may use it."""
    home = edge.home()
    to = owner or home.settings.organization
    _registry(home).bind_provider(label, to)
    edge.show({"label": label, "organization": to}, f"{label} belongs to {to}")


@command(provider, "list")
def provider_list(edge: Edge) -> None:
    """List the bound labels."""
    rows = _registry(edge.home()).providers()
    edge.show(rows, "\n".join(f"{r['label']:<24} {r['organization']}" for r in rows) or "none yet")


def _registry(home: Home) -> Any:
    """The registry of this home, for its operator; it signs nothing here."""
    needs_server()
    from delegant.ans.registry import Registry  # noqa: PLC0415 - needs the extra
    from delegant.ans.store import Store  # noqa: PLC0415
    from delegant.wallet import load_trust  # noqa: PLC0415

    store = Store(home.path / "registry.db")
    unused = PrivateKey.generate()
    return Registry(store, home.settings.registry, unused, lambda: load_trust(home.path / "trust"))


def _submit(
    edge: Edge,
    agent: str,
    name: str,
    kind: str,
    url: str | None,
    *,
    endpoints: dict[str, str] | None = None,
    capabilities: list[str] | None = None,
    life: int = 30 * 86_400,
    reason: str | None = None,
) -> dict[str, Any]:
    from delegant.ans import Client, lifecycle, new_record, submission  # noqa: PLC0415 - httpx

    home, at = edge.home(), now()
    subject = home.subject(agent)
    registry = home.settings.registry
    try:
        links = find_chain(home, subject.did, Request(f"ans.{kind}", registry), at)
    except Error as exc:
        raise error(
            exc.code,
            f"{agent} holds no live grant of ans.{kind}: type "
            f"delegant delegate --from SPONSOR --to {agent} --allow 'ans.*:registry'",
        ) from None
    key = home.open_wallet("agent", subject.handle).key()
    evidence = gather(home, [subject.did])
    with Client(url or home.settings.url, registry) as client:
        before = None
        if kind != "register":
            answer = client.resolve(name).answer
            before = answer["receipt"]
            endpoints = endpoints or answer["record"]["endpoints"]
            capabilities = capabilities or answer["record"].get("capabilities", [])
        record = None
        if kind != "revoke":
            record = new_record(
                key,
                subject.did,
                name,
                endpoints or {},
                evidence,
                at=at,
                seconds=life,
                capabilities=capabilities or [],
            )
        event = lifecycle(
            key, subject.did, registry, name, kind, at=at, record=record, receipt=before,
            reason=reason,
        )  # fmt: skip
        body, invocation = submission(key, links, evidence, event, registry, at=at)
        return client.submit(body, invocation, agent=None if kind == "register" else subject.did)


@command(ans, "register")
def ans_register(
    edge: Edge,
    agent: Annotated[str, typer.Argument(help="The agent, by its handle.")],
    name: Annotated[str, typer.Option(help="mcp://Function.Domain.Provider.v1.0")],
    endpoint: Annotated[str, typer.Option(help="Where it is reached, a URL.")],
    capability: Annotated[list[str] | None, typer.Option(help="What it claims to do.")] = None,
    ttl: Annotated[str, typer.Option(help="How long the registration lasts.")] = "30d",
    url: Url = None,
) -> None:
    """Register a name for an agent, with its own signature and its chain."""
    from delegant.ans import AnsName  # noqa: PLC0415

    parsed = AnsName.parse(name)
    receipt = _submit(
        edge,
        agent,
        name,
        "register",
        url,
        endpoints={parsed.protocol: endpoint},
        capabilities=capability,
        life=seconds(ttl),
    )
    edge.show(receipt, f"{receipt['name']} is {receipt['agent']}, event {receipt['seq']}")


@command(ans, "renew")
def ans_renew(
    edge: Edge,
    agent: Annotated[str, typer.Argument(help="The agent, by its handle.")],
    name: Annotated[str, typer.Option(help="The name.")],
    endpoint: Annotated[str | None, typer.Option(help="A new address; else the old.")] = None,
    ttl: Annotated[str, typer.Option(help="How long, from now.")] = "30d",
    url: Url = None,
) -> None:
    """Renew a registration."""
    from delegant.ans import AnsName  # noqa: PLC0415

    endpoints = {AnsName.parse(name).protocol: endpoint} if endpoint else None
    receipt = _submit(edge, agent, name, "renew", url, endpoints=endpoints, life=seconds(ttl))
    edge.show(receipt, f"{receipt['name']} renewed, event {receipt['seq']}")


@command(ans, "revoke")
def ans_revoke(
    edge: Edge,
    agent: Annotated[str, typer.Argument(help="The agent, by its handle.")],
    name: Annotated[str, typer.Option(help="The name.")],
    reason: Annotated[str | None, typer.Option(help="Why; the answer will say it.")] = None,
    url: Url = None,
) -> None:
    """Revoke a name, for good. It will answer `revoked`, never `not found`."""
    receipt = _submit(edge, agent, name, "revoke", url, reason=reason)
    edge.show(receipt, f"{receipt['name']} revoked, event {receipt['seq']}")


@command(ans, "resolve")
def ans_resolve(
    edge: Edge,
    name: Name,
    url: Url = None,
    registry: Annotated[
        str | None, typer.Option(help="The registry's DID you trust; else the home's.")
    ] = None,
) -> None:
    """Resolve a name, and believe only signatures."""
    from delegant.ans import Client  # noqa: PLC0415

    if url is None or registry is None:
        settings = edge.home().settings
        url, registry = url or settings.url, registry or settings.registry
    with Client(url, registry) as client:
        found = client.resolve(name)
    edge.show(
        found.json | {"answer": found.answer},
        f"{found.name}\n"
        f"  agent         {found.did}\n"
        + "".join(f"  {protocol:<13} {at}\n" for protocol, at in found.endpoints.items())
        + f"  answers for   {found.sponsor}\n"
        f"  organisation  {found.organization}\n"
        "  signatures of agent and registry verified",
    )

"""`ans provider`: bind a label as the operator, claim that of one's own domain, list them."""

from __future__ import annotations

from typing import Annotated

import typer

from delegant.wallet.registry import database_of

from .ansapp import Url, local_registry, provider, registry_client
from .edge import Edge, command, now
from .serve import needs_server

__all__: list[str] = []


@command(provider, "add")
def provider_add(
    edge: Edge,
    label: Annotated[str, typer.Argument(help="The label, as DataCorp.")],
    owner: Annotated[
        str | None, typer.Option(help="The organisation's DID; else this home's own.")
    ] = None,
) -> None:
    """Bind a provider label to an organisation, for ever: only its agents may use it.

    The binding is an entry of the log. It is never undone, and no other organisation gets a
    label that looks like it.
    """
    home = edge.home()
    to = owner or home.settings.organization
    receipt = local_registry(home).bind_provider(label, to, now())
    value = {"label": label, "organization": to, "receipt": receipt}
    edge.show(value, f"{label} belongs to {to}, entry {receipt['index']} of the log")


@command(provider, "list")
def provider_list(edge: Edge) -> None:
    """List the bound labels."""
    needs_server()
    from delegant.ans.store import Store  # noqa: PLC0415 - needs the extra

    rows = Store(database_of(edge.home())).providers()
    told = [f"{row['label']:<24} {row['basis']:<9} {row['organization']}" for row in rows]
    edge.show(rows, "\n".join(told) or "none yet")


@command(provider, "claim")
def provider_claim(
    edge: Edge,
    url: Url = None,
    registry: Annotated[
        str | None, typer.Option(help="The registry's DID, of the trust folder; else the home's.")
    ] = None,
) -> None:
    """Claim, at a registry, the label that this organisation's domain gives it.

    For did:web organisations. The registry fetches the organisation's DID document from its
    domain, and the claim must be signed with a key that it lists.
    """
    from delegant.ans import provider_claim as signed  # noqa: PLC0415
    from delegant.ans.confusable import domain_label  # noqa: PLC0415

    home = edge.home()
    organization = home.settings.organization
    label = domain_label(organization)
    key = home.open_wallet("organization").key()
    claim = signed(key, organization, registry or home.settings.registry, label, at=now())
    with registry_client(edge, url, registry) as client:
        receipt = client.claim(claim)
    value = {"label": label, "organization": organization, "receipt": receipt}
    edge.show(value, f"{label} belongs to {organization}, entry {receipt['index']} of the log")

"""`api`: who may use the VC-API, and which DIDs it issues as."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from delegant.credentials.shape import format_time
from delegant.wallet import tokens

from .edge import Edge, command, now
from .typed import seconds, words

__all__ = ["register"]

api = typer.Typer(no_args_is_help=True, help="The VC-API: its tokens and its issuer.")
token = typer.Typer(no_args_is_help=True, help="Bearer tokens of the VC-API.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    api.add_typer(token, name="token")
    app.add_typer(api, name="api")


@command(api, "issuer")
def issuer(edge: Edge) -> None:
    """Show the DIDs that credentials in general are issued as; makes their keys once."""
    from delegant.wallet.issuer import Issuer  # noqa: PLC0415 - needs extras

    home = edge.home()
    found = Issuer.open(home, home.passphrases.get("organization")).issuers
    edge.show(found, "\n".join(f"{kind:<8} {did}" for kind, did in found.items()))


@command(token, "new")
def token_new(
    edge: Edge,
    scope: Annotated[
        str, typer.Option(help="Of issue, status, verify, present; with commas.")
    ] = "issue,status,verify,present",
    name: Annotated[str, typer.Option(help="Whose it is, for you.")] = "unnamed",
    ttl: Annotated[str, typer.Option(help="How long it lives, as 12h or 90d.")] = "90d",
) -> None:
    """Make a token and print it, this once."""
    made = tokens.make(edge.home(), name, words(scope), now=now(), seconds=seconds(ttl))
    edge.show({"token": made}, made)


def _row(one: tokens.Token) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "scopes": list(one.scopes),
        "validUntil": format_time(one.until),
    }


@command(token, "list")
def token_list(edge: Edge) -> None:
    """List the tokens, without their secrets."""
    rows = [_row(one) for one in tokens.all_tokens(edge.home())]
    lines = [
        f"{r['id']}  {r['name']:<20} {','.join(r['scopes'])}  until {r['validUntil']}" for r in rows
    ]
    edge.show(rows, "\n".join(lines) or "no token yet: `delegant api token new`")


@command(token, "revoke")
def token_revoke(edge: Edge, id_: Annotated[str, typer.Argument(help="Of `list`.")]) -> None:
    """Forget a token; who holds it is refused from now on."""
    tokens.revoke(edge.home(), id_)
    edge.show({"revoked": id_}, f"{id_} opens nothing any more")

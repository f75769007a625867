"""`serve`: the registry, status lists, evidence and the VC-API over HTTP."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated, Any

import typer

from delegant.credentials.errors import error
from delegant.wallet import Home, open_organization, tokens
from delegant.wallet.keystore import read_header
from delegant.wallet.registry import REGISTRY_FILE

from .edge import Edge, command

__all__ = ["needs_server", "register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "serve")(serve)


def needs_server() -> None:
    """The extra is installed, or ``unavailable`` says what to type."""
    try:
        import fastapi  # noqa: F401, PLC0415 - an extra
        import sqlalchemy  # noqa: F401, PLC0415
        import uvicorn  # noqa: F401, PLC0415
    except ImportError as exc:
        raise error(
            "unavailable", f"{exc.name} is not installed here: pip install '.[server]'"
        ) from None


def _option(text: str) -> Any:
    return typer.Option(help=text, show_default=False)


def serve(
    edge: Edge,
    bind: Annotated[
        str | None, _option("HOST:PORT, else 127.0.0.1:8080; port 0 picks a free one.")
    ] = None,
    workers: Annotated[str | None, _option("Processes that serve, else 1.")] = None,
    database: Annotated[
        str | None, _option("A path, sqlite:///FILE or postgresql://…, else the home's.")
    ] = None,
    access_log: Annotated[
        str | None, _option("off, stderr, stdout or a path: a line of JSON for each request.")
    ] = None,
    rate: Annotated[str | None, _option("Requests a second of one caller; 0: no limit.")] = None,
    burst: Annotated[str | None, _option("Requests of one caller before its rate counts.")] = None,
    concurrency: Annotated[
        str | None, _option("Requests of one caller at once; 0: no limit.")
    ] = None,
    proxies: Annotated[
        str | None, _option("Networks whose X-Forwarded-For is believed, with commas.")
    ] = None,
    cors: Annotated[
        str | None, _option("Origins whose pages may ask from a browser, with commas.")
    ] = None,
    max_connections: Annotated[str | None, _option("Connections, in each worker.")] = None,
    metrics: Annotated[str | None, _option("Whether /metrics answers: on or off.")] = None,
    insecure_development: Annotated[
        bool,
        typer.Option(
            "--insecure-development", help="The VC-API asks for no token; loopback alone."
        ),
    ] = False,
) -> None:
    """Serve names, status lists, evidence and the VC-API, and keep what ages fresh.

    Each option wins over the environment variable of its name, as DELEGANT_BIND; docs/operations.md
    lists those that have no option. Stop with Ctrl-C. Issuing, revoking and verifying over the
    VC-API need a token: `delegant api token new`.
    """
    needs_server()
    from delegant.resolver.server import serve as run  # noqa: PLC0415 - needs the extra
    from delegant.resolver.settings import Settings  # noqa: PLC0415
    from delegant.wallet.issuer import Issuer  # noqa: PLC0415 - needs extras

    settings = Settings.from_env(
        os.environ, bind=bind, workers=workers, database=database, access_log=access_log,
        rate=rate, burst=burst, concurrency=concurrency, proxies=proxies, cors=cors,
        max_connections=max_connections, metrics=metrics,
    )  # fmt: skip
    home = edge.home()
    read_header(home.wallet_path("organization"))  # damage is told before anybody types
    secret = home.passphrases.get("organization")  # asked for once, for both wallets
    organization, made = open_organization(home, secret)
    if made:
        sys.stderr.write(f"the log of names has a key now: see {home.path / REGISTRY_FILE}\n")
    issuer = Issuer.open(home, secret)

    def listening(address: str) -> None:
        told = f"listening on {address}"
        sys.stdout.write((json.dumps({"listening": address}) if edge.json else told) + "\n")
        if not edge.json:
            sys.stdout.write(_who_may(home, insecure_development))
        sys.stdout.flush()

    run(home, organization, issuer, settings, listening, development=insecure_development)


def _who_may(home: Home, development: bool) -> str:
    """A line about the VC-API, where an operator should know something."""
    if development:
        return "the VC-API asks nobody for a token: for development on this machine alone\n"
    if not tokens.all_tokens(home):
        return "nobody may use the VC-API yet: delegant api token new --scope issue,verify,status\n"
    return ""

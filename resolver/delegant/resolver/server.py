"""Run the API, and the tasks that keep lists, credentials and names fresh and the log witnessed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from fastapi import FastAPI

from delegant.ans.log.note import NoteSigner
from delegant.ans.registry import Registry
from delegant.ans.store import Store
from delegant.credentials import Error
from delegant.credentials.errors import error
from delegant.wallet import Home, Wallet, gather, refresh, save_seen
from delegant.wallet.issuer import Issuer
from delegant.wallet.registry import LOG_ROLE

from .app import create_app, own_trust
from .door import is_loopback
from .listening import Deadline, listen

__all__ = ["Deadline", "open_registry", "serve"]

REFRESH_SECONDS: Final = 20
LOG: Final = logging.getLogger("delegant")


def open_registry(home: Home, organization: Wallet) -> Registry:
    """The naming service of a home, on its SQLite file."""
    return Registry(
        Store(home.path / "registry.db"),
        home.settings.registry,
        organization.key("registry"),
        NoteSigner(home.settings.log, organization.key(LOG_ROLE)),
        home.path / "log" / "checkpoint",
        lambda: own_trust(home),
        lambda seen: save_seen(home.path / "trust", seen),
        lambda name: gather(home, [name]),
    )


async def _keep_fresh(home: Home, organization: Wallet, issuer: Issuer) -> None:
    while True:
        try:
            await asyncio.to_thread(refresh, home, organization, int(time.time()))
            await asyncio.to_thread(issuer.refresh, int(time.time()))
        except (Error, OSError) as exc:
            LOG.warning("not refreshed, trying again: %s", exc)
        await asyncio.sleep(REFRESH_SECONDS)


def serve(
    home: Home,
    organization: Wallet,
    issuer: Issuer,
    host: str,
    port: int,
    listening: Callable[[str], None],
    *,
    development: bool = False,
) -> None:
    """Serve until told to stop.

    Args:
        issuer: of credentials in general.
        host, port: where; port 0 picks a free one.
        listening: called with the address once connections are taken.
        development: the VC-API asks nobody for a token; the host must be loopback.

    Raises:
        Rejected: ``api-auth`` for development that others could reach.
    """
    if development and not is_loopback(host):
        raise error("api-auth", f"--insecure-development binds to loopback alone, not to {host}")
    registry = open_registry(home, organization)
    refresh(home, organization, int(time.time()))
    issuer.refresh(int(time.time()))
    app = create_app(home, registry, issuer=issuer, development=development)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_keep_fresh(home, organization, issuer))
        yield
        task.cancel()

    app.router.lifespan_context = lifespan
    listen(app, host, port, listening)

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
from delegant.credentials import Error, Evidence
from delegant.credentials.codec import JsonObject
from delegant.credentials.did import check as check_did
from delegant.credentials.errors import error
from delegant.wallet import Home, Wallet, gather, refresh, save_seen, statuslists
from delegant.wallet.issuer import Issuer
from delegant.wallet.registry import LOG_ROLE, database_of

from .app import create_app, own_trust
from .cosigning import Cosigners
from .door import is_loopback
from .lane import lane
from .listening import Deadline, listen

__all__ = ["Deadline", "open_registry", "serve"]

REFRESH_SECONDS: Final = 20
RECHECK_SECONDS: Final = 60
COSIGN_SECONDS: Final = 1
"""How often: what ages is looked at, sponsors are judged again, witnesses are asked if need be."""
LOG: Final = logging.getLogger("delegant")


def open_registry(home: Home, organization: Wallet) -> Registry:
    """The naming service of a home, on its SQLite file or its PostgreSQL (``DELEGANT_DATABASE``).

    Raises:
        Rejected: ``log-rollback`` when that is not the one its log was last signed for.
        Unavailable: ``unavailable``.
    """
    return Registry(
        Store(database_of(home)),
        home.settings.registry,
        organization.key("registry"),
        NoteSigner(home.settings.log, organization.key(LOG_ROLE)),
        home.path / "log" / "registry.checkpoint",
        lambda: own_trust(home),
        lambda seen: save_seen(home.path / "trust", seen),
        lambda agent: _evidence(home, agent),
        lambda url: _status_list(home, url),
    )


def _evidence(home: Home, agent: str) -> Evidence | None:
    """Fresh evidence about an agent of this home; None about others, who must send it."""
    found = gather(home, [agent])
    return found if found.identities(check_did(agent)) else None


def _status_list(home: Home, url: str) -> JsonObject | None:
    """A status list of this home, as last signed; None for others, so nothing on them counts."""
    try:
        return statuslists.raw(home, statuslists.number_of(home, url))
    except Error:
        return None


async def _again(seconds: float, what: str, task: Callable[[], object]) -> None:
    """Do something now and every so often; that it failed is no reason to stop."""
    while True:
        try:
            await asyncio.to_thread(task)
        except (Error, OSError) as exc:
            LOG.warning("%s: failed, trying again: %s", what, exc)
        await asyncio.sleep(seconds)


def _recheck(registry: Registry) -> None:
    for one in registry.recheck(int(time.time())):
        LOG.warning("suspended %s: %s", one["name"], one["reason"])


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
        Rejected: ``api-auth`` for development that others could reach; ``log-rollback``.
    """
    if development and not is_loopback(host):
        raise error("api-auth", f"--insecure-development binds to loopback alone, not to {host}")
    registry = open_registry(home, organization)
    refresh(home, organization, int(time.time()))
    issuer.refresh(int(time.time()))
    app = create_app(home, registry, issuer=issuer, development=development)
    cosigners = Cosigners(registry, home.settings.witnesses)

    def keep_fresh() -> None:
        refresh(home, organization, int(time.time()))
        issuer.refresh(int(time.time()))

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        jobs = [
            _again(REFRESH_SECONDS, "lists and credentials", keep_fresh),
            _again(RECHECK_SECONDS, "the sponsors of names", lambda: _recheck(registry)),
        ]
        if home.settings.witnesses:
            jobs.append(_again(COSIGN_SECONDS, "the witnesses", cosigners.round))
        tasks = [asyncio.create_task(job) for job in jobs]
        yield
        for task in tasks:
            task.cancel()

    app.router.lifespan_context = lifespan
    with cosigners:
        listen(app, host, port, listening, protocol=lane(registry.pages))

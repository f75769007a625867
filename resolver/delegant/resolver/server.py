"""Run the API, and the tasks that keep lists, credentials and names fresh and the log witnessed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from delegant.ans.log.note import NoteSigner
from delegant.ans.registry import Registry
from delegant.ans.store import Store
from delegant.credentials import Error, Seen
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import LimitExceeded, error
from delegant.wallet import Home, Known, Wallet, refresh, save_seen, statuslists
from delegant.wallet.issuer import Issuer
from delegant.wallet.registry import LOG_ROLE

from . import accesslog
from .app import create_app, own_trust
from .cosigning import Cosigners
from .deadline import Deadline
from .door import is_loopback
from .lane import lane
from .listening import address_of, allow_files, bound, run, settle
from .metrics import Board, Meter
from .settings import Settings
from .traffic import Traffic
from .working import work_together

__all__ = ["Deadline", "open_registry", "serve"]

REFRESH_SECONDS: Final = 20
RECHECK_SECONDS: Final = 60
COSIGN_SECONDS: Final = 1
FOLLOW_SECONDS: Final = 0.2
"""How often: what ages is looked at, sponsors are judged again, witnesses are asked if need be."""
FILES: Final = 512
"""Files that are open besides connections, amply."""
LOG: Final = logging.getLogger("delegant")


def open_registry(home: Home, organization: Wallet, settings: Settings | None = None) -> Registry:
    """The naming service of a home, on its SQLite file or its PostgreSQL.

    Args:
        settings: where the rows are, and how many answers are kept; by default the environment's.

    Raises:
        Malformed: ``shape`` for a setting.
        Rejected: ``log-rollback`` when the file is not the one its log was last signed for.
        Unavailable: ``unavailable``.
    """
    told = settings or Settings.from_env(os.environ)
    known = Known(home)
    return Registry(
        Store(told.store(home.path)),
        home.settings.registry,
        organization.key("registry"),
        NoteSigner(home.settings.log, organization.key(LOG_ROLE)),
        _checkpoint(home),
        lambda: own_trust(home),
        partial(_save_seen, home),
        known.evidence,
        lambda url: _status_list(home, url),
        told.answers_mib << 20,
        lambda: known.subjects().keys(),
    )


def _save_seen(home: Home, seen: Seen) -> None:
    try:
        save_seen(home.path / "trust", seen)
    except (OSError, LimitExceeded):
        raise error("unavailable", "what was seen cannot be kept") from None


def _checkpoint(home: Home) -> Path:
    return home.path / "log" / "registry.checkpoint"


def _status_list(home: Home, url: str) -> JsonObject | None:
    """A status list of this home, as last signed; None for others, so nothing on them counts."""
    try:
        return statuslists.raw(home, statuslists.number_of(home, url))
    except Error:
        return None


async def _again(seconds: float, what: str, task: Callable[[], object]) -> None:
    """Do something now and every so often; that it failed is no reason to stop."""
    told = ""
    while True:
        try:
            await asyncio.to_thread(task)
            told = ""
        except (Error, OSError) as exc:
            if str(exc) != told:  # the same again is no news
                told = str(exc)
                LOG.warning("%s: failed, trying again: %s", what, told)
        await asyncio.sleep(seconds)


def _recheck(registry: Registry) -> None:
    for one in registry.recheck(int(time.time())):
        LOG.warning("suspended %s: %s", one["name"], one["reason"])


def serve(
    home: Home,
    organization: Wallet,
    issuer: Issuer,
    settings: Settings,
    listening: Callable[[str], None],
    *,
    development: bool = False,
) -> None:
    """Serve until told to stop; what was begun is ended first.

    Args:
        issuer: of credentials in general.
        settings: where, by how many processes, and what callers may ask of it.
        listening: called with the address once connections are taken.
        development: the VC-API asks nobody for a token; the host must be loopback.

    Raises:
        Rejected: ``api-auth`` for development that others could reach; ``log-rollback``.
        Unavailable: ``unavailable``.
    """
    host, port = settings.address
    if development and not is_loopback(host):
        raise error("api-auth", f"--insecure-development binds to loopback alone, not to {host}")
    if settings.access_log != "off":
        accesslog.check(settings.access_log)
    open_registry(home, organization, settings).close()  # what is wrong with it is told here
    refresh(home, organization, int(time.time()))
    issuer.refresh(int(time.time()))
    board = Board(settings.workers)
    allow_files(settings.max_connections + FILES)
    listener = bound(host, port)
    listening(address_of(listener))

    def work(number: int, parent: int | None = None) -> None:
        _work(home, organization, issuer, settings, listener, board, number, parent, development)

    if settings.workers == 1:
        work(0)
    else:
        work_together(settings.workers, work)


def _work(
    home: Home,
    organization: Wallet,
    issuer: Issuer,
    settings: Settings,
    listener: socket.socket,
    board: Board,
    number: int,
    parent: int | None,
    development: bool,
) -> None:
    """What one process does; the first of them also keeps things fresh."""
    registry = open_registry(home, organization, settings)
    meter = Meter(board, number, _gauges(home, registry))
    registry.on_publish(lambda _names, before, size: meter.batch(size - before))
    log = None
    if settings.access_log != "off":
        log = accesslog.AccessLog(settings.access_log, partial(meter.count, "log_lines_dropped"))
    traffic = Traffic(settings, meter, log)
    app = create_app(home, registry, issuer=issuer, development=development, traffic=traffic)
    servers: list[uvicorn.Server] = []
    with Cosigners(registry, home.settings.witnesses) as cosigners:
        jobs = list(_jobs(home, organization, issuer, registry, cosigners) if number == 0 else ())
        if registry.shared:  # others write where no file of ours says so
            jobs.append((FOLLOW_SECONDS, "the log as others write it", registry.follow))

        @contextlib.asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            loop = asyncio.get_running_loop()
            if parent is not None:
                loop.add_reader(parent, _stop, loop, parent, servers)
            tasks = [loop.create_task(_again(*job)) for job in jobs]
            settle()
            yield
            for task in tasks:
                task.cancel()

        app.router.lifespan_context = lifespan
        try:
            protocol = lane(registry, traffic)
            run(app, listener, protocol, idle=settings.idle_seconds, ready=servers.append)
        finally:
            registry.close()
            traffic.close()


def _stop(loop: asyncio.AbstractEventLoop, parent: int, servers: list[uvicorn.Server]) -> None:
    """The process that started this one is gone."""
    loop.remove_reader(parent)
    for server in servers:
        server.should_exit = True


def _jobs(
    home: Home, organization: Wallet, issuer: Issuer, registry: Registry, cosigners: Cosigners
) -> Iterator[tuple[float, str, Callable[[], object]]]:
    def keep_fresh() -> None:
        refresh(home, organization, int(time.time()))
        issuer.refresh(int(time.time()))

    yield REFRESH_SECONDS, "lists and credentials", keep_fresh
    yield RECHECK_SECONDS, "the sponsors of names", partial(_recheck, registry)
    if home.settings.witnesses:
        yield COSIGN_SECONDS, "the witnesses", cosigners.round


def _gauges(home: Home, registry: Registry) -> list[tuple[str, str, Callable[[], float]]]:
    path = _checkpoint(home)
    return [
        ("log_size", "Entries of the published log.", registry.log_alive),
        (
            "checkpoint_age_seconds",
            "Since the published checkpoint was written.",
            lambda: max(time.time() - path.stat().st_mtime, 0.0),
        ),
        ("kept_answers", "Answers that this worker keeps.", lambda: len(registry.pages)),
        ("kept_bytes", "Bytes of them.", lambda: registry.pages.held),
    ]

"""Clients of the naming service that trust only signatures and proofs: one sync, one async."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from delegant.credentials import Evidence, PrivateKey
from delegant.credentials.codec import JsonObject

from .answer import Answer, Resolution
from .asking import Ask, Broken, Caller, Reply, Steps, Wait
from .core import Core
from .history import Past
from .memory import Memory
from .query import Query
from .trusted import RegistryTrust
from .wire import Gathered, TimedTransport, broken, options, request_of, until

__all__ = ["AsyncClient", "Client", "Found"]

T = TypeVar("T")

WAIT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Found:
    """The agents that answer a question, the best first, and why others were left out.

    ``trace`` is empty unless it was asked for: pairs of a name and a reason.
    """

    agents: tuple[Resolution, ...]
    trace: tuple[tuple[str, str], ...]
    answer: Answer


def _query(given: dict[str, Any]) -> Query:
    """A query from the keywords of `search`."""
    pairs: list[tuple[str, str]] = []
    for name, value in given.items():
        if value is None or value is False:
            continue
        several = isinstance(value, Iterable) and not isinstance(value, str)
        each = value if several else (value,)
        pairs += [(name, "true" if one is True else str(one)) for one in each]
    return Query.from_params(pairs)


def _found(answer: Answer) -> Found:
    return Found(answer.agents, answer.trace, answer)


class _Both:
    """What both clients are made of: whom they believe, what they remember, how they ask."""

    def __init__(
        self, trust: RegistryTrust, memory: Path | None, timeout: float, total: float
    ) -> None:
        self.trust = trust
        self._timeout = timeout
        caller = Caller(total, time.monotonic, time.time)
        self._core = Core(trust, Memory(trust.id, memory), caller, time.time)


class Client(_Both):
    """Resolve and search names, and submit events, at one registry.

    Args:
        base_url: for example ``http://127.0.0.1:8080``.
        trust: the registry whose signatures count, with its log and witnesses.
        memory: a file to remember the log and the names in; without one both are remembered
            as long as the client lives. Several processes may share a file.
        timeout: seconds for each wait.
        total: seconds for a whole operation, attempts and pauses included.

    No answer is believed for coming from the right address: only for its signatures and proofs,
    its time, being about what was asked, and agreeing with what was met before. Requests are
    repeated where that is safe; redirects are not followed. One client may be used by one
    thread at a time.

    Raises, from every method:
        Rejected: ``ans-signature``, ``ans-rebound``, ``log-rollback``, ``log-split``,
            ``log-note``, ``log-proof``, ``log-entry``.
        Undecided: ``ans-stale``, ``log-witness``. Unavailable: ``unavailable``.
        LimitExceeded: ``limit-size``; ``limit-items`` where the memory is full of names that
        were asked for by name. Malformed: what is no document of ours.
    """

    def __init__(
        self,
        base_url: str,
        trust: RegistryTrust,
        *,
        memory: Path | None = None,
        timeout: float = WAIT_SECONDS,
        total: float = TOTAL_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(trust, memory, timeout, total)
        self._http = httpx.Client(
            **options(base_url, timeout), transport=transport or TimedTransport()
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def resolve(self, name: str, *, at: int | None = None, fresh: bool = False) -> Resolution:
        """What a name stands for, verified.

        Args:
            at: now, seconds since 1970; by default the clock's.
            fresh: past every cache, this client's too.

        Raises:
            NotFound: ``ans-not-found``. Gone: ``ans-gone``. Rejected: ``ans-suspended``. Each is
            the registry's signed word.
        """
        return self.ask(Query.exact(name), at=at, fresh=fresh).resolution

    def search(self, *, at: int | None = None, fresh: bool = False, **query: Any) -> Found:
        """The agents that answer a question; none is an answer too.

        Args:
            query: ``capability``, ``version``, ``pattern``, ``provider``, ``protocol``,
                ``attestation`` (one or several), ``available``, ``trace``, ``limit``: see
                `query.Query`.

        Raises:
            Malformed: ``ans-query``.
        """
        return _found(self.ask(_query(query), at=at, fresh=fresh))

    def ask(self, query: Query, *, at: int | None = None, fresh: bool = False) -> Answer:
        """The verified answer to a question, also one that says no; ``answer.json`` proves it."""
        return self._run(self._core.ask(query, at, fresh=fresh))

    def history(self, name: str) -> tuple[Past, ...]:
        """Every event of a name from its registration to its newest one, verified.

        Raises:
            NotFound: ``ans-not-found``, the registry's signed word.
        """
        return self._run(self._core.history(name))

    def submit(
        self, body: bytes, invocation: str | None = None, *, agent: str | None = None
    ) -> JsonObject:
        """Send an event; the registry's receipt, verified.

        The same event may be sent any number of times: it is answered with the same receipt.

        Args:
            body, invocation: from `holder.submission`, or `holder.statement` without invocation.
            agent: for all but a registration, whose name it is.

        Raises:
            Error: what the registry answered.
        """
        return self._run(self._core.submit(body, invocation, agent))

    def claim(self, claim: JsonObject) -> JsonObject:
        """Claim a provider label (`holder.provider_claim`); the registry's receipt, verified."""
        return self._run(self._core.claim(claim))

    def evidence(self, key: PrivateKey, caller: str, about: str) -> Evidence:
        """Fresh evidence about a DID, for the agent itself or a listed verifier."""
        return self._run(self._core.evidence(key, caller, about))

    def _run(self, steps: Steps[T]) -> T:
        said: Reply | Broken | None = None
        while True:
            try:
                step = steps.send(said)
            except StopIteration as done:
                result: T = done.value
                return result
            if isinstance(step, Wait):
                time.sleep(step.seconds)
                said = None
            else:
                said = self._send(step)

    def _send(self, ask: Ask) -> Reply | Broken:
        end = time.monotonic() + ask.seconds
        try:
            with until(end), self._http.stream(**request_of(ask, self._timeout)) as response:
                whole = Gathered(response, end)
                for chunk in response.iter_raw():
                    whole.add(chunk)
                return whole.reply()
        except httpx.HTTPError as exc:
            return broken(exc)


class AsyncClient(_Both):
    """`Client` for asyncio, method for method. One may be shared by many tasks."""

    def __init__(
        self,
        base_url: str,
        trust: RegistryTrust,
        *,
        memory: Path | None = None,
        timeout: float = WAIT_SECONDS,
        total: float = TOTAL_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(trust, memory, timeout, total)
        self._http = httpx.AsyncClient(**options(base_url, timeout), transport=transport)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def resolve(self, name: str, *, at: int | None = None, fresh: bool = False) -> Resolution:
        """As `Client.resolve`."""
        return (await self.ask(Query.exact(name), at=at, fresh=fresh)).resolution

    async def search(self, *, at: int | None = None, fresh: bool = False, **query: Any) -> Found:
        """As `Client.search`."""
        return _found(await self.ask(_query(query), at=at, fresh=fresh))

    async def ask(self, query: Query, *, at: int | None = None, fresh: bool = False) -> Answer:
        """As `Client.ask`."""
        return await self._run(self._core.ask(query, at, fresh=fresh))

    async def history(self, name: str) -> tuple[Past, ...]:
        """As `Client.history`."""
        return await self._run(self._core.history(name))

    async def submit(
        self, body: bytes, invocation: str | None = None, *, agent: str | None = None
    ) -> JsonObject:
        """As `Client.submit`."""
        return await self._run(self._core.submit(body, invocation, agent))

    async def claim(self, claim: JsonObject) -> JsonObject:
        """See `Client.claim`."""
        return await self._run(self._core.claim(claim))

    async def evidence(self, key: PrivateKey, caller: str, about: str) -> Evidence:
        """As `Client.evidence`."""
        return await self._run(self._core.evidence(key, caller, about))

    async def _run(self, steps: Steps[T]) -> T:
        said: Reply | Broken | None = None
        while True:
            try:
                step = steps.send(said)
            except StopIteration as done:
                result: T = done.value
                return result
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                said = None
            else:
                said = await self._send(step)

    async def _send(self, ask: Ask) -> Reply | Broken:
        end = time.monotonic() + ask.seconds
        try:
            async with (
                asyncio.timeout(ask.seconds),
                self._http.stream(**request_of(ask, self._timeout)) as response,
            ):
                whole = Gathered(response, end)
                async for chunk in response.aiter_raw():
                    whole.add(chunk)
                return whole.reply()
        except TimeoutError:
            return Broken("the time is up")
        except httpx.HTTPError as exc:
            return broken(exc)

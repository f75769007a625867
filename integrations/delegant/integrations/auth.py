"""Challenge and response: an agent shows once who it is, and gets a short session.

    sessions = Sessions(trust)
    add(app, sessions)

    POST /auth/challenge                        -> {"nonce", "audience", "expires_in"}
    POST /auth/token {"presentation", "evidence"} -> {"access_token", "token_type", "expires_in"}

The answer to a nonce is an invocation of `login(audience)`: the last subject of the chain signs
it with its own key. A session says who is there, and permits nothing: it names one chain and one
key, and each act is still signed with that key and judged (`require`, with `Sessions.check`).
Tokens are random and opaque; here is kept only their digest, one a chain. A nonce is answered
once, within a minute; for those that nobody answers nothing is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from fastapi import FastAPI
from fastapi import Request as Http
from fastapi.responses import JSONResponse, Response

from delegant.credentials import Evidence, Link, Presentation, Request, Trust, authenticate, shape
from delegant.credentials.codec import JsonObject, b64u_encode, parse_object
from delegant.credentials.did import check, key_of
from delegant.credentials.errors import Error, error
from delegant.credentials.invocation import Invocation

from .chains import MAX_BODY
from .fastapi import CHAIN, answer, body_of, header

__all__ = ["Session", "Sessions", "add", "login", "session_of"]

NONCE_SECONDS: Final = 60
SESSION_SECONDS: Final = 300
MOST: Final = 16_384


def login(audience: str) -> Request:
    """What an agent signs to say that it is there."""
    return Request("auth.login", audience)


class Session(NamedTuple):
    """Who is there.

    Attributes:
        agent, sponsor: DIDs. chain: the digest of the last link. key: that signed.
        until: seconds since 1970.
    """

    agent: str
    sponsor: str
    chain: str
    key: str
    until: int


class _Open(NamedTuple):
    session: Session
    links: tuple[Link, ...]
    since: int


class Sessions:
    """Nonces that were given out and sessions that are open, in memory.

    Args:
        trust: the resource's, or what reads it.
        closed: whether one of some links was closed here.
        gathered: evidence that the resource gathers itself.
        most: sessions, and answers within a minute, at most.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        trust: Trust | Callable[[], Trust],
        *,
        gathered: Callable[[], Evidence | None] = lambda: None,
        closed: Callable[[Sequence[Link]], bool] | None = None,
        most: int = MOST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._trust = trust if callable(trust) else lambda: trust
        self._gathered = gathered
        self._closed = closed
        self._most = most
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._used: OrderedDict[str, int] = OrderedDict()
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._of: dict[str, str] = {}
        self._lock = threading.Lock()
        if self._trust().verifier is None:
            raise error("audience", "the trust names no verifier: nobody could be addressed")

    def challenge(self) -> JsonObject:
        """A nonce for one answer: ``{nonce, audience, expires_in}``. Nothing is kept for it."""
        until = int(self._clock()) + NONCE_SECONDS
        nonce = f"{secrets.token_urlsafe(18)}.{until}"
        return {
            "nonce": f"{nonce}.{self._sealed(nonce)}",
            "audience": self._trust().verifier,
            "expires_in": NONCE_SECONDS,
        }

    def token(self, body: bytes) -> JsonObject:
        """A session for ``{presentation, evidence}`` that answers a nonce.

        Returns:
            ``{access_token, token_type, expires_in}``.

        Raises:
            Rejected: ``nonce`` for one that was not given out, is over or was answered;
            ``revoked``; and what `authenticate` raises. Undecided: ``too-many``.
            Malformed: the codes of phases 2 and 3.
        """
        value = parse_object(body, size=MAX_BODY)
        shape.closed(value, "body", frozenset({"presentation", "evidence"}))
        shown = Presentation.from_json(value["presentation"])
        now, trust = int(self._clock()), self._trust()
        nonce = self._answered(shown, now)
        evidence, gathered = Evidence.from_json(value["evidence"]), self._gathered()
        if gathered is not None:
            evidence = evidence.merged(gathered)
        asked = login(str(trust.verifier))
        chain = authenticate(shown, evidence, trust, asked, at=now, nonce=nonce)
        if self._closed is not None and self._closed(chain.links):
            raise error("revoked", "the task of this grant is closed")
        last = chain.links[-1]
        until = min(now + SESSION_SECONDS, *(link.valid_until for link in chain.links))
        own = key_of(check(last.subject))  # None only where the link pins a key
        key = last.key or ("" if own is None else own.multikey)
        token = secrets.token_urlsafe(32)
        session = Session(chain.actor, chain.sponsor, last.digest, key, until)
        with self._lock:
            self._use(nonce, now)
            self._keep(_name(token), _Open(session, chain.links, now), now)
        return {"access_token": token, "token_type": "Bearer", "expires_in": until - now}

    def check(self, token: str, chain: str) -> Session:
        """The session of a token, for whoever acts under this chain.

        Raises:
            Rejected: ``holder-missing`` for no session, ``expired``, ``revoked`` for one whose
            grant was closed, ``holder-mismatch`` for another chain's.
        """
        found = self._open.get(_name(token))
        if found is None:
            raise error("holder-missing", "there is no such session: log in")
        session, links = found.session, found.links
        if int(self._clock()) >= session.until:
            raise error("expired", "the session is over: log in again")
        if self._closed is not None and self._closed(links):
            raise error("revoked", "the task of this session is closed")
        if chain != session.chain:
            raise error("holder-mismatch", "the session is of another chain")
        return session

    def __len__(self) -> int:
        """How many sessions are kept."""
        return len(self._open)

    def _answered(self, shown: Presentation, now: int) -> str:
        """The nonce that a presentation answers, if it is ours, in time and not used up."""
        if shown.invocation is None:
            raise error("holder-missing", "the chain came without an invocation")
        said = Invocation.parse(Invocation.unpack(shown.invocation)).nonce or ""
        nonce, _, seal = said.rpartition(".")
        if not hmac.compare_digest(self._sealed(nonce).encode(), seal.encode()):
            raise error("nonce", "not a nonce of ours")
        if int(nonce.rpartition(".")[2]) <= now:
            raise error("nonce", "the nonce is too old: ask for another")
        if said in self._used:
            raise error("nonce", "the nonce was answered before")
        return said

    def _sealed(self, nonce: str) -> str:
        return b64u_encode(hmac.digest(self._secret, nonce.encode(), "sha256"))

    def _use(self, nonce: str, now: int) -> None:
        """Use it up: of two answers at once, one is the first."""
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
        if nonce in self._used:
            raise error("nonce", "the nonce was answered before")
        if len(self._used) >= self._most:
            raise error("too-many", "too many agents log in at once")
        self._used[nonce] = now + NONCE_SECONDS

    def _keep(self, name: str, made: _Open, now: int) -> None:
        """One session a chain: a new one ends the one before."""
        self._open.pop(self._of.pop(made.session.chain, ""), None)
        while self._open:
            first, one = next(iter(self._open.items()))
            if one.since + SESSION_SECONDS > now:
                break
            del self._open[first]
            self._of.pop(one.session.chain, None)
        if len(self._open) >= self._most:
            raise error("too-many", "too many sessions are open")
        self._open[name] = made
        self._of[made.session.chain] = name


def add(app: FastAPI, sessions: Sessions) -> None:
    """Add ``POST /auth/challenge`` and ``POST /auth/token`` to an application."""

    @app.post("/auth/challenge")
    async def challenge() -> Response:
        return await _answered(sessions.challenge)

    @app.post("/auth/token")
    async def token(http: Http) -> Response:
        try:
            body = await body_of(http, MAX_BODY)
        except Error as exc:
            return answer(exc)
        return await _answered(lambda: sessions.token(body))


def session_of(sessions: Sessions) -> Callable[[Http], Session]:
    """A dependency: the session of a call's ``Authorization: Bearer`` and ``Agent-Chain``.

    Raises:
        Error: from the dependency, what `Sessions.check` raises.
    """

    def dependency(http: Http) -> Session:
        kind, _, token = http.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise error("holder-missing", "no session: log in at /auth/challenge")
        return sessions.check(token, header(http, CHAIN))

    return dependency


async def _answered(call: Callable[[], JsonObject]) -> Response:
    try:
        told = await asyncio.to_thread(call)
    except Error as exc:
        return answer(exc)
    return JSONResponse(told, headers={"cache-control": "no-store"})


def _name(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()

"""A real home behind a real server on a free loopback port, and a client that speaks bytes."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.routing import Route

from delegant.ans import new_event, new_record, submission
from delegant.ans.log.note import NoteKey
from delegant.ans.trusted import RegistryTrust
from delegant.credentials import Link, PrivateKey
from delegant.credentials.codec import JsonObject
from delegant.resolver.app import create_app
from delegant.resolver.dids import Dids
from delegant.resolver.lane import lane
from delegant.resolver.server import Deadline, open_registry
from delegant.wallet import (
    Home,
    Passphrases,
    Wallet,
    add_human,
    create_agent,
    create_home,
    delegate,
    gather,
    load_trust,
)
from delegant.wallet.issuer import Issuer
from delegant.wallet.registry import registry_entry
from resolver.running import listening

PASSPHRASE = "correct horse battery staple"
NAME = "mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main"
ENDPOINT = "https://agents.acme.example/mcp"


@dataclass(frozen=True)
class Reply:
    """Status, headers (lower case) and body of one answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class House:
    """Ana, her agents ``bot`` and ``other``, and a grant of ``ans.*`` for ``bot``."""

    home: Home
    organization: Wallet
    bot: Wallet
    other: Wallet
    links: list[Link]
    issuer: Issuer
    port: int = 0
    routes: tuple[tuple[str, str], ...] = ()

    @property
    def trusted(self) -> RegistryTrust:
        """The registry as the home's own trust folder has it."""
        return RegistryTrust.from_trust(load_trust(self.home.path / "trust"), self.registry)

    @property
    def log(self) -> NoteKey:
        """The key of the registry's log."""
        return NoteKey.parse(registry_entry(self.home.settings, self.organization)["log"])

    @property
    def registry(self) -> str:
        """The registry's DID."""
        return self.home.settings.registry

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def event(self, name: str = NAME, kind: str = "register", **more: Any) -> JsonObject:
        """A signed event by the bot; ``receipt`` is that of the event before."""
        now = int(time.time())
        key, agent = self.bot.key(), self.bot.did
        if kind != "revoke":
            more["record"] = new_record(
                key, agent, name, {"mcp": ENDPOINT}, gather(self.home, [agent]), at=now
            )
        return new_event(key, agent, self.registry, name, kind, at=now, **more)

    def wire(self, event: JsonObject, key: PrivateKey | None = None) -> tuple[bytes, str]:
        """Body and invocation of an event."""
        return submission(
            key or self.bot.key(),
            self.links,
            gather(self.home, [self.bot.did]),
            event,
            self.registry,
            at=int(time.time()),
        )

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One request, its path and headers exactly as given."""
        head = [f"{method} {path} HTTP/1.1", "Host: registry", "Connection: close"]
        head += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None:
            head.append(f"Content-Length: {len(body)}")
        data = "\r\n".join([*head, "", ""]).encode("latin-1") + (body or b"")
        return parse_reply(self.raw(data))

    def raw(self, data: bytes, *, timeout: float = 10) -> bytes:
        """Whatever comes back for these bytes until the server closes."""
        out = bytearray()
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as line:
            with contextlib.suppress(ConnectionError):
                line.sendall(data)
            with contextlib.suppress(ConnectionError):
                while chunk := line.recv(65_536):
                    out += chunk
        return bytes(out)

    def post(self, event: JsonObject, **more: Any) -> Reply:
        """Send an event to the route it belongs to."""
        body, token = self.wire(event, **more)
        own = f"/v1/agents/{event['agent']}/events"
        path = "/v1/agents" if event["type"] == "register" else own
        return self.call("POST", path, body, {"Agent-Invocation": token})


class Line:
    """A connection to a house that is kept."""

    def __init__(self, house: House) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", house.port, timeout=10)

    def ask(
        self, path: str = f"/v1/resolve?name={NAME}", method: str = "GET", **headers: str
    ) -> Reply:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self._line.request(method, path, headers={"Accept-Encoding": "identity"} | given)
        got = self._line.getresponse()
        found = {name.lower(): value for name, value in got.getheaders()}
        return Reply(got.status, found, got.read())

    def close(self) -> None:
        """Hang up."""
        self._line.close()


def lasted(house: House, first: bytes, drip: bytes = b"", *, reads: bool = True) -> float:
    """Seconds until the server hangs up; served others meanwhile."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", house.port), timeout=0.2) as line:
        line.sendall(first)
        while time.monotonic() - start < 9:
            try:
                if drip:
                    line.sendall(drip)
                    time.sleep(0.1)
                if reads and not line.recv(65_536):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
    return time.monotonic() - start


def parse_reply(data: bytes) -> Reply:
    """An HTTP/1.1 answer that ends with the connection."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in rest)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Reply(int(first.split(" ")[1]) if data else 0, headers, body)


def build(folder: Path, *, url: str = "http://127.0.0.1:8080", method: str = "key") -> House:
    """A new home; one passphrase for all its wallets. ``method``: of everybody's DID."""
    secret = folder / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    secret.chmod(0o600)
    now = int(time.time())
    home = create_home(
        folder / "home",
        "acme.example",
        url=url,
        passphrases=Passphrases(secret),
        now=now,
        method=method,
    )
    organization = home.open_wallet("organization")
    add_human(home, organization, "ana", now=now, method=method)
    ana = home.open_wallet("human", "ana")
    for name in ("bot", "other"):
        create_agent(home, ana, name, now=now, tools=["db.read"], method=method)
    grant = {"actions": ["ans.*"], "resources": [home.settings.registry]}
    link = delegate(home, ana, "bot", [grant], now=now).link
    bot, other = (home.open_wallet("agent", name) for name in ("bot", "other"))
    return House(home, organization, bot, other, [link], Issuer.open(home, PASSPHRASE))


class Hasty(Deadline):
    """The server's own protocol, in a hurry."""

    deadline = 1.0


@contextlib.contextmanager
def running(
    house: House,
    *,
    protocol: type[Deadline] | None = None,
    dids: Dids | None = None,
    development: bool = False,
) -> Iterator[House]:
    """Serve the house on a free port."""
    registry = open_registry(house.home, house.organization)
    if not registry.providers():
        registry.bind_provider("DataCorp", house.home.settings.organization, int(time.time()))
    app = create_app(house.home, registry, issuer=house.issuer, development=development, dids=dids)
    house.routes = tuple(
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
    )
    with listening(app, protocol or lane(registry)) as house.port:
        yield house

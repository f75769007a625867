"""The scene: a home with its registry running, four agents in one line, a resource, an auditor."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from delegant.credentials import Evidence, Link, PrivateKey, PublicKey, Request, invoke
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.governance.auditlog import AuditLog
from delegant.governance.journal import Journal
from delegant.governance.receipt import HEADER
from delegant.wallet import (
    Home,
    Passphrases,
    Wallet,
    add_anchor,
    add_audit,
    add_human,
    create_agent,
    create_home,
    delegate,
    files,
    gather,
    init_trust,
    load_trust,
)

__all__ = ["DATABASE", "Stage", "staged"]

DATABASE: Final = "did:web:db.acme.example"
PAPERS: Final = {"actions": ["db.read"], "resources": ["urn:acme:papers:**"]}
DRAFTS: Final = {"actions": ["doc.write"], "resources": ["urn:acme:drafts:**"]}
WEB: Final = {"actions": ["web.read"], "resources": ["https://papers.example/**"]}
AGENTS: Final = ("research", "retrieval", "dbquery", "formatter")
START_SECONDS: Final = 20


@dataclass
class Stage:
    """Everything the story needs at hand."""

    folder: Path
    home: Home
    organization: Wallet
    wallets: dict[str, Wallet]
    links: list[Link]
    registry: str
    resource: str
    http: httpx.Client
    logs: dict[str, tuple[PublicKey, ...]]

    def key(self, name: str) -> PrivateKey:
        """The key of Ana or an agent."""
        return self.wallets[name].key()

    def did(self, name: str) -> str:
        """The DID of Ana or an agent."""
        return self.wallets[name].did

    def evidence(self) -> Evidence:
        """What an honest holder staples now."""
        return gather(self.home, [wallet.did for wallet in self.wallets.values()])

    def call(
        self,
        ask: JsonObject,
        links: list[Any],
        holder: str,
        *,
        key: PrivateKey | None = None,
        evidence: Evidence | None = None,
        chain: str,
    ) -> tuple[JsonObject, JsonObject]:
        """Ask the resource; its answer, and the body that was sent.

        Args:
            ask: ``{topic, limit}`` for papers or ``{draft, body}`` for drafts.
            links: as they go on the wire.
            holder: the DID that invokes, with its key.
            chain: the digest of the last link.
        """
        name = next((n for n, w in self.wallets.items() if w.did == holder), "")
        token = invoke(
            key or self.key(name),
            holder=holder,
            audience=DATABASE,
            chain=chain,
            request=request_of(ask),
            at=int(time.time()),
        )
        body = {
            "presentation": {"links": links, "invocation": token},
            "evidence": (evidence or self.evidence()).json,
            "ask": ask,
        }
        if key is not None:  # nobody of ours: whoever it is keeps no journal
            return self.send(body).json(), body
        journal = Journal(self.journal(name), self.key(name), self.logs)
        journal.sent(token, int(time.time()))
        answer = self.send(body)
        seen = {200: "success", 503: "failure"}.get(answer.status_code, "refused")
        journal.keep(token, seen, int(time.time()), answer=answer.headers.get(HEADER))
        return answer.json(), body

    def send(self, body: JsonObject) -> httpx.Response:
        """Post a body as it is."""
        path = "papers" if "topic" in body["ask"] else "drafts"
        return self.http.post(f"{self.resource}/{path}", json=body)

    def journal(self, name: str) -> Path:
        """Where an agent keeps its receipts."""
        return self.folder / f"{name}.jsonl"


def request_of(ask: JsonObject) -> Request:
    """The request that holder and resource both build from what is asked."""
    if "topic" in ask:
        return Request("db.read", f"urn:acme:papers:{ask['topic']}", rows=ask["limit"])
    return Request("doc.write", f"urn:acme:drafts:{ask['draft']}", rows=0)


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Set the scene, and clear it away."""
    secret, passphrase = folder / "passphrase", secrets.token_urlsafe(24)
    files.write(secret, passphrase.encode(), secret=True)
    port = free_port()
    now = int(time.time())
    home = create_home(
        folder / "acme",
        "acme.example",
        url=f"http://127.0.0.1:{port}",
        passphrases=Passphrases(secret),
        now=now,
        ceiling=[PAPERS, DRAFTS, WEB],
    )
    organization = home.open_wallet("organization")
    add_human(home, organization, "ana", now=now, attestation="idp:corp")
    wallets = {"ana": home.open_wallet("human", "ana")}
    for name, tools in zip(
        AGENTS, (["web.read"], ["db.read"], ["db.read"], ["doc.write"]), strict=True
    ):
        create_agent(home, wallets["ana"], name, now=now, tools=tools, scope=f"the {name} step")
        wallets[name] = home.open_wallet("agent", name)
    links = chain(home, wallets, now)
    trust = folder / "db-trust"
    init_trust(trust, DATABASE)
    add_anchor(trust, home.path / "anchor.json")
    AuditLog.create(folder / "audit", passphrase, did=DATABASE).close()
    auditor = folder / "auditor-trust"
    init_trust(auditor)
    add_anchor(auditor, home.path / "anchor.json")
    add_audit(auditor, folder / "audit" / "audit.json")
    with contextlib.ExitStack() as stack:
        registry = stack.enter_context(
            running(["-m", "delegant.cli.main", "serve", "--bind", f"127.0.0.1:{port}",
                     "--home", str(home.path), "--passphrase-file", str(secret)])
        )  # fmt: skip
        resource = stack.enter_context(
            running(["-m", "delegant.cli.demo.resource", "--trust", str(trust),
                     "--database", str(folder / "papers.db"),
                     "--audit", str(folder / "audit"), "--passphrase-file", str(secret),
                     "--list", home.settings.list_url(1)])
        )  # fmt: skip
        http = stack.enter_context(httpx.Client(timeout=10, trust_env=False))
        logs = {DATABASE: load_trust(auditor).audits[DATABASE].keys}
        yield Stage(folder, home, organization, wallets, links, registry, resource, http, logs)


def chain(home: Home, wallets: dict[str, Wallet], now: int) -> list[Link]:
    """The four links: window, what remains, and authority shrink at each."""
    plan: list[tuple[str, str, list[JsonObject], int, int, JsonObject]] = [
        ("ana", "research", [WEB, PAPERS, DRAFTS], 1800, 3, {}),
        ("research", "retrieval", [PAPERS, DRAFTS], 900, 2, {}),
        ("retrieval", "dbquery", [PAPERS, DRAFTS], 300, 1, {"rows": {"max": 500}}),
        ("dbquery", "formatter", [DRAFTS], 120, 0, {}),
    ]
    return [
        delegate(
            home,
            wallets[by],
            to,
            grants,
            now=now,
            seconds=seconds,
            remaining=remaining,
            constraints=constraints,
        ).link
        for by, to, grants, seconds, remaining, constraints in plan
    ]


def free_port() -> int:
    """A loopback port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(arguments: list[str]) -> Iterator[str]:
    """A Python process of ours that says where it listens; ended when the scene is over."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    try:
        if process.stdout is None:
            raise error("unavailable", "a process without output")
        line = process.stdout.readline()
        if "listening on " not in line:
            raise error("unavailable", f"{arguments[1]} did not start")
        yield line.split("listening on ", 1)[1].strip()
    finally:
        process.terminate()
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

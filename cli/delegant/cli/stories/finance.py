"""The scene: a registry that runs, two organisations with people and agents, five candidates.

The operator ``market.example`` runs the registry and attests, as the accredited issuer, who is
SOX compliant. ``acme-finance.example`` owns the label ``AcmeFinance``. ``acmes.example`` would
like to be taken for it.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from delegant.ans import Client, RegistryTrust, new_event, new_record, submission
from delegant.cli.ansapp import local_registry
from delegant.cli.demo.stage import free_port, running
from delegant.credentials import AgentAttestation, Error, Evidence, StatusEntry
from delegant.credentials.codec import JsonObject
from delegant.governance.auditlog import AuditLog
from delegant.wallet import (
    Home,
    Passphrases,
    Wallet,
    accredit,
    add_anchor,
    add_human,
    add_registry,
    attest,
    create_agent,
    create_home,
    delegate,
    files,
    gather,
    init_trust,
    load_trust,
    statuslists,
)

from .recording import Recording

__all__ = ["CAPABILITY", "DATABASE", "LABEL", "LOOKALIKE", "RIGHT", "SOX", "Candidate", "Scene",
           "candidates", "staged"]  # fmt: skip

CAPABILITY: Final = "FinancialRiskAnalysis.CorporateReporting"
SOX: Final = "SOXComplianceCertified"
LABEL: Final = "AcmeFinance"
LOOKALIKE: Final = "AcmeF1nance"
"""A one for an i: what the other organisation would like to own."""
OTHER_LABEL: Final = "AcmesFinance"
"""What it owns instead: a label of its own look."""
RIGHT: Final = f"acp://{CAPABILITY}.{LABEL}.v2.1.3"
DATABASE: Final = "did:web:db.acme-finance.example"
TABLES: Final = {"actions": ["db.query_table"], "resources": ["urn:acme-finance:tables:**"]}


@dataclass(frozen=True)
class Candidate:
    """An agent on offer. ``sox``: by whom it is attested; ``revoked``: that was taken back."""

    handle: str
    name: str
    sox: str = "market"
    revoked: bool = False

    @property
    def endpoint(self) -> str:
        """Where it is reached."""
        return f"https://{self.handle}.example/acp"


def candidates(label: str) -> list[Candidate]:
    """The five; ``label`` is what the look-alike stands under."""
    return [
        Candidate("right", RIGHT),
        Candidate("old", f"acp://{CAPABILITY}.{LABEL}.v1.9.0"),
        Candidate("proud", f"acp://{CAPABILITY}.{LABEL}.v2.2.0", sox="own"),
        Candidate("fallen", f"acp://{CAPABILITY}.{LABEL}.v2.3.0", revoked=True),
        Candidate("fake", f"acp://{CAPABILITY}.{label}.v2.9.0", sox="own"),
    ]


@dataclass
class Party:
    """An organisation: its home, and the open wallets of it and its people and agents."""

    home: Home
    organization: Wallet
    wallets: dict[str, Wallet]

    @property
    def did(self) -> str:
        """The organisation's DID."""
        return self.home.settings.organization


@dataclass
class Scene:
    """Everything the story needs at hand."""

    folder: Path
    market: Party
    acme: Party
    acmes: Party
    url: str
    client: Client
    database: Recording

    @property
    def registry(self) -> str:
        """The registry's DID."""
        return self.market.home.settings.registry

    @property
    def trust(self) -> RegistryTrust:
        """Whom the orchestrator believes: the registry, by its own trust folder."""
        return RegistryTrust.from_trust(load_trust(self.folder / "asker-trust"))

    def bind(self, label: str, owner: Party) -> str:
        """The operator binds a label; the code it is refused with, or nothing."""
        try:
            local_registry(self.market.home).bind_provider(label, owner.did, int(time.time()))
        except Error as no:
            return no.code
        return ""

    def attested(self, one: Candidate, owner: Party) -> AgentAttestation:
        """Its SOX attestation, by the accredited issuer or by its own organisation."""
        by, now = (self.market if one.sox == "market" else owner), int(time.time())
        made = attest(by.home, by.organization, owner.wallets[one.handle].did, SOX, now=now)
        if one.revoked:
            first: Any = made.secured.document["credentialStatus"]
            entry = StatusEntry(first[0]["statusListCredential"], int(first[0]["statusListIndex"]))
            statuslists.change(by.home, by.organization, entry, "revoke", now)
        return made

    def register(self, one: Candidate, owner: Party, claim: AgentAttestation | None = None) -> str:
        """An agent registers over HTTP; the code it is refused with, or nothing."""
        now, wallet = int(time.time()), owner.wallets[one.handle]
        grant = {"actions": ["ans.register"], "resources": [self.registry]}
        link = delegate(owner.home, owner.wallets["human"], one.handle, [grant], now=now).link
        shown = Evidence(attestations=[] if claim is None else [claim.secured.raw])
        evidence = gather(owner.home, [wallet.did]).merged(shown)
        protocol = {"acp": {"supportedMessagePatterns": ["request-response"]}}
        record = new_record(
            wallet.key(), wallet.did, one.name, {"acp": one.endpoint}, evidence, at=now,
            extensions=protocol,
        )  # fmt: skip
        event = new_event(
            wallet.key(), wallet.did, self.registry, one.name, "register", at=now, record=record
        )
        body, invocation = submission(wallet.key(), [link], evidence, event, self.registry, at=now)
        try:
            self.client.submit(body, invocation)
        except Error as no:
            return no.code
        return ""


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Scene]:
    """Set the scene, and clear it away."""
    secret = folder / "passphrase"
    files.write(secret, secrets.token_urlsafe(24).encode(), secret=True)
    url = f"http://127.0.0.1:{free_port()}"
    market = _organization(folder, secret, "market.example", url, [])
    registry = market.home.settings.registry
    names = {"actions": ["ans.*"], "resources": [registry]}
    acme = _organization(
        folder, secret, "acme-finance.example", "https://acme-finance.example", [names, TABLES],
        ("orchestrator", "right", "old", "proud", "fallen"),
    )  # fmt: skip
    acmes = _organization(
        folder, secret, "acmes.example", "https://acmes.example", [names], ("fake",)
    )
    trust = market.home.path / "trust"
    for party in (acme, acmes):
        add_anchor(trust, party.home.path / "anchor.json", [names])
    accredit(trust, market.did, [SOX])
    init_trust(folder / "asker-trust")
    add_registry(folder / "asker-trust", market.home.path / "registry.json")
    init_trust(folder / "db-trust", DATABASE)
    add_anchor(folder / "db-trust", acme.home.path / "anchor.json", [TABLES])
    passphrase = Passphrases(secret).get("audit")
    audit = AuditLog.create(folder / "db-audit", passphrase, did=DATABASE)
    database = Recording(folder / "db-trust", audit)
    serve = ["-m", "delegant.cli.main", "serve", "--bind", url.removeprefix("http://"),
             "--home", str(market.home.path), "--passphrase-file", str(secret)]  # fmt: skip
    with contextlib.closing(audit), running(serve) as where:
        believed = RegistryTrust.from_trust(load_trust(folder / "asker-trust"))
        with Client(where, believed, memory=folder / "memory.json") as client:
            yield Scene(folder, market, acme, acmes, where, client, database)


def _organization(
    folder: Path, secret: Path, name: str, url: str, ceiling: list[JsonObject],
    agents: tuple[str, ...] = (),
) -> Party:  # fmt: skip
    """An organisation, and where it has agents a human who answers for them."""
    now = int(time.time())
    home = create_home(
        folder / name, name, url=url, passphrases=Passphrases(secret), now=now, ceiling=ceiling
    )
    organization, wallets = home.open_wallet("organization"), {}
    if agents:
        add_human(home, organization, "human", now=now, attestation="idp:corp")
        wallets["human"] = home.open_wallet("human", "human")
    for agent in agents:
        create_agent(
            home, wallets["human"], agent, now=now, tools=["db.query_table"],
            scope="financial risk analysis",
        )  # fmt: skip
        wallets[agent] = home.open_wallet("agent", agent)
    return Party(home, organization, wallets)

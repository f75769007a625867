"""Parties around one registry: Ana, her research agent, and a store in a temporary folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Executable

from delegant.ans import (
    Resolution,
    consent,
    new_event,
    new_record,
    statement,
    submission,
    verify_answer,
)
from delegant.ans.leaf import NameLeaf
from delegant.ans.log.note import NoteKey, NoteSigner
from delegant.ans.name import AnsName
from delegant.ans.receipt import Logged, check_receipt
from delegant.ans.registry import Registry
from delegant.ans.store import Store
from delegant.ans.trusted import RegistryTrust
from delegant.credentials import Evidence, Link, PrivateKey, Trust, did
from delegant.credentials.codec import JsonObject
from world import T0, Party, World

NAME = "mcp://PaperQuery.Research.AcmeLabs.v1.0"
URL = "https://research.example/mcp"


@dataclass
class Naming:
    """A world with a registry in it. ``now`` is the world's clock.

    ``database`` is the address of the registry's, where that is not the file at ``path``.
    """

    path: Path
    world: World = field(default_factory=World)
    database: str | None = None

    def __post_init__(self) -> None:
        self.keeper = self.world._party("registry")
        self.world.ceiling = [
            *self.world.ceiling,
            {"actions": ["ans.*"], "resources": [self.keeper.did]},
        ]
        self.ana = self.world.human("ana")
        self.bot = self.agent("research")
        self.logger = NoteSigner("acme.example/ans", self.world._key("log"))
        self.registry = self.open()
        self.registry.bind_provider("AcmeLabs", self.world.org.did, self.now)

    @property
    def did(self) -> str:
        return self.keeper.did

    @property
    def now(self) -> int:
        return self.world.now

    def trust(self) -> Trust:
        return self.world.trust(verifier={"id": self.did})

    @property
    def log(self) -> NoteKey:
        return self.logger.key

    @property
    def checkpoint(self) -> Path:
        return self.path.parent / "log" / "checkpoint"

    def open(self, **more: Any) -> Registry:
        return Registry(
            Store(self.database or self.path), self.did, self.keeper.key, self.logger,
            self.checkpoint, self.trust, **more,
        )  # fmt: skip

    def change(self, *statements: Executable) -> None:
        """Do something to the rows that the registry would not."""
        with self.registry.store.transaction() as db:
            for statement in statements:
                db.execute(statement)

    @property
    def trusted(self) -> RegistryTrust:
        """The registry as its clients trust it."""
        return RegistryTrust(did.check(self.did), (self.keeper.key.public,), self.log)

    def logged(self, receipt: JsonObject) -> Logged:
        return check_receipt(receipt, self.did, self.log)

    def leaf(self, receipt: JsonObject) -> NameLeaf:
        found = self.logged(receipt).leaf
        assert isinstance(found, NameLeaf)
        return found

    def state(self, name: str = NAME) -> str:
        """What the store says, verified, of a name; empty: it was never registered."""
        with self.registry.store.transaction(reading=True) as db:
            found = self.registry.shelf.named(db, AnsName.parse(name).key, self.now)
        return "" if found is None else found.status

    def agent_of(self, name: str = NAME) -> str:
        """Whose a name is."""
        with self.registry.store.transaction(reading=True) as db:
            found = self.registry.shelf.named(db, AnsName.parse(name).key, self.now)
        return "" if found is None else found.standing.agent

    def believed(self, answer: JsonObject, name: str = NAME) -> Resolution:
        return verify_answer(answer, self.trusted, name, at=self.now).resolution

    def agent(self, name: str, issuer: Party | None = None, **more: Any) -> Party:
        return self.world.agent(name, issuer or self.ana, **more)

    def grant(self, bot: Party, allow: str = "ans.*", **more: Any) -> list[Link]:
        pairs = [f"{allow} {self.did}"]
        return [self.world.delegate(self.ana, bot, pairs, remaining=0, **more)]

    def record(self, bot: Party | None = None, name: str = NAME, **more: Any) -> JsonObject:
        bot = bot or self.bot
        own: dict[str, Any] = {"at": self.now} | more
        return new_record(bot.key, bot.did, name, {"mcp": URL}, self.world.evidence(), **own)

    def event(
        self, kind: str = "register", bot: Party | None = None, name: str = NAME, **more: Any
    ) -> JsonObject:
        bot = bot or self.bot
        own: dict[str, Any] = {"at": self.now} | more
        if kind not in ("revoke", "suspend", "resume"):
            own.setdefault("record", self.record(bot, name))
        return new_event(bot.key, bot.did, self.did, name, kind, **own)

    def transfer(
        self,
        receipt: JsonObject,
        to: Party,
        *,
        name: str = NAME,
        owner: Party | None = None,
        record: JsonObject | None = None,
    ) -> JsonObject:
        """The bot gives a name to another agent, with all three signatures."""
        event = self.event(
            "transfer", name=name, receipt=receipt, agent=to.did,
            record=record or self.record(to, name),
        )  # fmt: skip
        event = consent(event, to.key, to.did, at=self.now)
        holder = owner or self.world.org
        return consent(event, holder.key, holder.did, at=self.now)

    def office(
        self,
        kind: str,
        by: Party,
        receipt: JsonObject,
        *,
        bot: Party | None = None,
        name: str = NAME,
        **more: Any,
    ) -> JsonObject:
        """An event by whoever is not the agent."""
        agent = (bot or self.bot).did
        own: dict[str, Any] = {"at": self.now, "agent": agent, "receipt": receipt} | more
        return new_event(by.key, by.did, self.did, name, kind, **own)

    def say(self, event: JsonObject, evidence: Evidence | None = None) -> JsonObject:
        """Send an event by whoever is not the agent."""
        return self.registry.submit(statement(event, evidence), None, self.now)

    def body(
        self,
        event: JsonObject,
        bot: Party | None = None,
        *,
        key: PrivateKey | None = None,
        links: list[Link] | None = None,
        evidence: Evidence | None = None,
    ) -> tuple[bytes, str]:
        bot = bot or self.bot
        return submission(
            key or bot.key,
            links or self.grant(bot),
            evidence or self.world.evidence(),
            event,
            self.did,
            at=self.now,
        )

    def send(self, event: JsonObject, bot: Party | None = None, **more: Any) -> JsonObject:
        body, token = self.body(event, bot, **more)
        return self.registry.submit(body, token, self.now)

    def register(self, bot: Party | None = None, name: str = NAME) -> JsonObject:
        return self.send(self.event("register", bot, name), bot)


def later(naming: Naming, seconds: int) -> None:
    """Turn the clock, and have the human attested anew."""
    naming.world.now += seconds
    naming.world.attest(naming.ana, revision=1 + (naming.now - T0) // 3600)

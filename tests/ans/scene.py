"""A registry with people and agents around it: real keys, a real SQLite file, a clock to turn."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from delegant.ans import new_event, new_record, submission
from delegant.ans.log.note import NoteKey, NoteSigner
from delegant.ans.registry import Registry
from delegant.ans.store import Store
from delegant.credentials import Error, Evidence, Link, PrivateKey, Trust, did
from delegant.credentials.codec import JsonObject
from world import Party, World

NAME = "mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main"
ENDPOINT = "https://agents.acme.example/mcp"


@dataclass
class Scene:
    """The label ``DataCorp`` belongs to the organisation; ``bot`` is Ana's agent."""

    folder: Path
    world: World = field(init=False)
    key: PrivateKey = field(init=False)
    did: str = field(init=False)
    registry: Registry = field(init=False)
    ana: Party = field(init=False)
    bot: Party = field(init=False)

    def __post_init__(self) -> None:
        self.key = PrivateKey(hashlib.sha256(b"registry").digest())
        self.did = did.from_key(self.key.public)
        self.world = World(
            now=int(time.time()), ceiling=[{"actions": ["ans.*"], "resources": [self.did]}]
        )
        self.ana = self.world.human("ana")
        self.bot = self.world.agent("bot", self.ana)
        self.registry = self.opened()
        self.registry.bind_provider("DataCorp", self.world.org.did, self.now)

    @property
    def now(self) -> int:
        """The world's instant."""
        return self.world.now

    @property
    def database(self) -> Path:
        """The registry's file."""
        return self.folder / "registry.db"

    def opened(self) -> Registry:
        """The registry over its file, opened (again)."""
        return Registry(
            Store(self.database), self.did, self.key, self.signer,
            self.folder / "log" / "checkpoint", self.trust,
        )  # fmt: skip

    @property
    def signer(self) -> NoteSigner:
        """The log's key."""
        return NoteSigner("acme.example/ans", PrivateKey(hashlib.sha256(b"log").digest()))

    @property
    def log(self) -> NoteKey:
        """Its public half."""
        return self.signer.key

    def trust(self) -> Trust:
        """The registry's own trust: the organisation, and itself as audience."""
        return self.world.trust(verifier={"id": self.did})

    def grant(self, agent: Party) -> list[Link]:
        """A live link that allows ``ans.*`` here."""
        return [self.world.delegate(self.ana, agent, [f"ans.* {self.did}"], id=None)]

    def about(self, agent: Party) -> Evidence:
        """What an honest agent staples: its own identity, the humans, the list."""
        own = self.world.parties[agent.name].identity
        assert own is not None
        return self.world.evidence(identities=[own.secured.raw])

    def event(
        self,
        name: str = NAME,
        kind: str = "register",
        *,
        agent: Party | None = None,
        before: JsonObject | None = None,
        seconds: int = 86_400,
        endpoint: str = ENDPOINT,
        reason: str | None = None,
    ) -> JsonObject:
        """A signed event by the agent."""
        who = agent or self.bot
        record = None
        if kind != "revoke":
            record = new_record(
                who.key,
                who.did,
                name,
                {"mcp": endpoint},
                self.about(who),
                at=self.now,
                seconds=seconds,
            )
        return new_event(
            who.key, who.did, self.did, name, kind, at=self.now, record=record, receipt=before,
            reason=reason,
        )  # fmt: skip

    def wire(
        self,
        event: JsonObject,
        *,
        agent: Party | None = None,
        key: PrivateKey | None = None,
        links: list[Link] | None = None,
        evidence: Evidence | None = None,
        registry: str | None = None,
    ) -> tuple[bytes, str]:
        """Body and invocation as they go over the wire."""
        who = agent or self.bot
        return submission(
            key or who.key,
            links or self.grant(who),
            evidence or self.about(who),
            event,
            registry or self.did,
            at=self.now,
        )

    def submit(self, event: JsonObject, **changes: Any) -> JsonObject:
        """Send an event to the registry; its receipt."""
        body, token = self.wire(event, **changes)
        return self.registry.submit(body, token, self.now)

    def refused(self, event: JsonObject, **changes: Any) -> str:
        """The code an event is refused with."""
        try:
            self.submit(event, **changes)
        except Error as exc:
            return exc.code
        return "accepted"

    def answer(self, name: str = NAME) -> tuple[int, JsonObject]:
        """Status and answer about a name, now."""
        return self.registry.resolve(name, self.now)

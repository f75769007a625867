"""Homes with many names in their registry: signed by agents, written by the registry's own batch.

A populated home is kept under ``build/bench/homes/`` and used again while the code that says what
a row, a leaf and a record are is the same, for as long as its records are good.

Populating goes past the door: whether somebody answers for these agents is not judged, and their
invocations are not spent. Records, events, identities, leaves, tiles and rows are real.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from delegant.ans import new_event, new_record, submission
from delegant.ans.name import AnsName
from delegant.ans.registry import Registry
from delegant.ans.signing import digest_of
from delegant.ans.submitting import Judged
from delegant.ans.trusted import RegistryTrust
from delegant.ans.writing import NameChange
from delegant.credentials import (
    Evidence,
    Link,
    PrivateKey,
    StatusEntry,
    did,
    issue_agent_identity,
    issue_link,
)
from delegant.credentials.codec import JsonObject
from delegant.credentials.credential import Lease
from delegant.credentials.shape import format_time
from delegant.resolver.server import open_registry
from delegant.wallet import Home, Passphrases, gather, load_trust
from delegant.wallet.issuer import Issuer
from resolver.door import PASSPHRASE, House, build

__all__ = ["CAPABILITIES", "Agent", "People", "Populated", "fresh", "name_of", "populated"]

ROOT: Final = Path(__file__).resolve().parents[2]
HOMES: Final = ROOT / "build" / "bench" / "homes"
PROVIDER: Final = "DataCorp"
CAPABILITIES: Final = 100
"""Every agent can one of so many things, so a hundredth of all answer a search for it."""
AT_ONCE: Final = 4096
DAYS: Final = 20
"""A home is kept so long; its records are good for 30."""
STATE: Final = "populated.json"
LAYOUT: Final = ("tables", "leaf", "listing", "record", "signing", "events")


def name_of(number: int) -> str:
    """The name of the agent of a number: 50 major versions of each capability, among others."""
    major, minor = number // CAPABILITIES % 50 + 1, number % 10
    skill = number % CAPABILITIES
    return f"mcp://Skill{skill}.Knowledge.{PROVIDER}.v{major}.{minor}.n{number}"


def capability_of(number: int) -> str:
    """What it can."""
    return f"answer questions of kind {number % CAPABILITIES}"


@dataclass(frozen=True)
class Agent:
    """An agent with a key and an identity, made in memory."""

    key: PrivateKey
    did: str
    identity: JsonObject | str


@dataclass(frozen=True)
class People:
    """The human of a home, who makes agents and delegates to them."""

    key: PrivateKey
    did: str
    organization: str
    registry: str
    lease: Lease
    now: int

    @classmethod
    def of(cls, house: House, now: int) -> People:
        """The home's own."""
        ana = house.home.open_wallet("human", "ana")
        lease = house.home.subject("ana").lease
        assert lease is not None
        organization = house.home.settings.organization
        return cls(ana.key(), ana.did, organization, house.registry, lease, now)

    def agent(self, number: int) -> Agent:
        """The agent of a number."""
        key = PrivateKey(hashlib.sha256(f"bench agent {number}".encode()).digest())
        name = did.from_key(key.public)
        block: JsonObject = {
            "name": f"a{number}",
            "creator": self.did,
            "deployer": self.organization,
            "owner": self.did,
            "sponsor": {"id": self.did, "organization": self.organization},
            "identityModel": "persistent",
            "scopeOfBehavior": "none",
            "toolset": "none",
            "spawn": False,
            "lifecycleStatus": "active",
            "created": format_time(self.now),
        }
        identity = issue_agent_identity(
            self.key,
            issuer=self.did,
            agent=name,
            identity=block,
            status=self._entry(number),
            valid_from=self.now,
            valid_until=self.now + 30 * 86_400,
        )
        return Agent(key, name, identity.secured.raw)

    def grant(self, agent: Agent, number: int) -> Link:
        """A link that lets it use the registry."""
        return issue_link(
            self.key,
            issuer=self.did,
            subject=agent.did,
            organization=self.organization,
            grants=[{"actions": ["ans.*"], "resources": [self.registry]}],
            valid_from=self.now,
            valid_until=self.now + 900,
            above=(),
            remaining=0,
            status=self._entry(number),
        )

    def _entry(self, number: int) -> StatusEntry:
        """A pair of status bits; where there are more agents than bits they share them."""
        pairs = self.lease.count // 2
        return StatusEntry(self.lease.list, self.lease.start + 2 * (number % pairs))

    def signed(self, number: int) -> JsonObject:
        """The registration of an agent's name, as the agent signs it."""
        agent = self.agent(number)
        return self.event(agent, name_of(number), Evidence(identities=[agent.identity]), number)

    def event(self, agent: Agent, name: str, evidence: Evidence, number: int) -> JsonObject:
        """A registration of any name."""
        record = new_record(
            agent.key, agent.did, name, {"mcp": f"https://agents.example/{number}/mcp"}, evidence,
            at=self.now, capabilities=[capability_of(number)],
        )  # fmt: skip
        return new_event(
            agent.key, agent.did, self.registry, name, "register", at=self.now, record=record
        )

    def submission(
        self, agent: Agent, link: Link, evidence: Evidence, name: str, number: int
    ) -> tuple[bytes, str]:
        """Body and invocation of a registration, as a client sends them."""
        event = self.event(agent, name, evidence, number)
        return submission(agent.key, [link], evidence, event, self.registry, at=self.now)


@dataclass(frozen=True)
class Populated:
    """A home whose registry has names in it.

    Attributes:
        cost: pairs of the size of the log and the microseconds of a processor that a name took
            to be written there, signing not counted.
    """

    house: House
    size: int
    cost: tuple[tuple[int, float], ...] = ()

    @property
    def home(self) -> Path:
        return self.house.home.path

    @property
    def passphrase(self) -> Path:
        return self.home.parent / "passphrase"

    @property
    def trust(self) -> RegistryTrust:
        """Whom a client of it believes."""
        return RegistryTrust.from_trust(load_trust(self.home / "trust"), self.house.registry)


def fresh(folder: Path) -> House:
    """A new home whose registry has the provider and no names."""
    folder.mkdir(parents=True, exist_ok=True)
    house = build(folder)
    registry = open_registry(house.home, house.organization)
    registry.bind_provider(PROVIDER, house.home.settings.organization, int(time.time()))
    registry.close()
    return house


def populated(size: int, homes: Path = HOMES) -> Populated:
    """A home of so many names; that of an earlier run, where it still fits."""
    folder = homes / f"{size}-{_layout()}"
    state = folder / STATE
    if state.is_file():
        told = json.loads(state.read_text())
        if time.time() - told["made"] < DAYS * 86_400:
            return Populated(_opened(folder), size, tuple(map(tuple, told["cost"])))
    if folder.exists():
        shutil.rmtree(folder)
    house = fresh(folder)
    people = People.of(house, int(time.time()))
    registry = open_registry(house.home, house.organization)
    cost: list[tuple[int, float]] = []
    for number, events in _signed(people, size):
        cpu = time.process_time()
        write(registry, people, events)
        cost.append((number, round((time.process_time() - cpu) / len(events) * 1e6, 1)))
    registry.close()
    state.write_text(json.dumps({"made": int(time.time()), "size": size, "cost": cost}))
    return Populated(house, size, tuple(cost))


def write(registry: Registry, people: People, events: Sequence[JsonObject]) -> None:
    """Write registrations by the path that all take once they are judged."""
    changes = prepared(registry, people, events)
    for future in registry._sequencer.write_all(changes, people.now):
        future.result()


def prepared(
    registry: Registry, people: People, events: Sequence[JsonObject], *, spent: bool = False
) -> list[NameChange]:
    """Registrations, ready to be written; ``spent``: with an invocation that is used once."""
    return [
        NameChange(
            registry._writer, AnsName.parse(event["name"]), event, digest_of(event),
            Judged(
                "agent", people.organization, people.did,
                spent=(f"{event['name']} once", people.now + 60) if spent else None,
                vouched=people.now + 30 * 86_400,
            ),
        )
        for event in events
    ]  # fmt: skip


def _layout() -> str:
    """What rows, leaves and records are, and what is written here: a digest of the code."""
    room = ROOT / "ans" / "delegant" / "ans"
    whole = hashlib.sha256(Path(__file__).read_bytes())
    for name in LAYOUT:
        whole.update((room / f"{name}.py").read_bytes())
    return whole.hexdigest()[:12]


def _opened(folder: Path) -> House:
    """A home made before."""
    home = Home(folder / "home", Passphrases(folder / "passphrase"))
    bot, other = (home.open_wallet("agent", name) for name in ("bot", "other"))
    organization = home.open_wallet("organization")
    return House(home, organization, bot, other, [], Issuer.open(home, PASSPHRASE))


_people: People


def _signing(people: People) -> None:
    global _people  # noqa: PLW0603 - of a process of its own
    _people = people
    os.sched_setaffinity(0, range(os.cpu_count() or 1))


def _some(bounds: tuple[int, int]) -> list[JsonObject]:
    return [_people.signed(number) for number in range(*bounds)]


def _signed(people: People, size: int) -> Iterator[tuple[int, list[JsonObject]]]:
    """All registrations in their order, in parts; signed on all cores."""
    parts = [(start, min(start + AT_ONCE, size)) for start in range(0, size, AT_ONCE)]
    if size <= AT_ONCE:
        for part in parts:
            yield part[0], [people.signed(number) for number in range(*part)]
        return
    with get_context("fork").Pool(
        os.cpu_count() or 1, initializer=_signing, initargs=(people,)
    ) as pool:
        for part, events in zip(parts, pool.imap(_some, parts), strict=True):
            yield part[0], events


def with_evidence(house: House, people: People, count: int) -> list[tuple[Agent, Link, Evidence]]:
    """Agents of elsewhere, each with its grant and the evidence it sends."""
    stapled = gather(house.home, [people.did]).json
    out = []
    for number in range(count):
        agent = people.agent(number)
        evidence = Evidence.from_json(stapled | {"identities": [agent.identity]})
        out.append((agent, people.grant(agent, number), evidence))
    return out

"""A simulated world: organisations, humans and agents with fixed keys and a clock you can turn.

Nothing here is a mock: every credential is really signed and every verdict is the verifier's.
Keys follow from names, so a story gives the same bytes every time.

    world = World()
    ana = world.human("ana")
    bot = world.agent("research", ana)
    link = world.delegate(ana, bot, ["db.read urn:acme:papers:**"])
    world.verify([link], "db.read", "urn:acme:papers:17")
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from delegant.credentials import (
    AgentAttestation,
    AgentIdentity,
    Authorization,
    Bundle,
    Evidence,
    HumanSponsor,
    Lease,
    Link,
    Presentation,
    PrivateKey,
    Request,
    StatusEntry,
    StatusList,
    Trust,
    did,
    issue_agent_identity,
    issue_attestation,
    issue_human_sponsor,
    issue_link,
    issue_status_list,
    present,
    verify,
)
from delegant.credentials.envelope import Form

T0 = 1_790_000_000
"""The world's first instant, seconds since 1970."""
LIST = "https://acme.example/status/1"
PAPERS = "urn:acme:papers:**"
DRAFTS = "urn:acme:drafts:**"
WEB = "https://papers.example/**"


@dataclass
class Party:
    """Somebody with a key. ``start`` and ``count`` are the status bits it may hand out."""

    name: str
    key: PrivateKey
    did: str
    sponsor: Party | None = None
    lease: Lease | None = None
    used: int = 0
    credential: HumanSponsor | None = None
    identity: AgentIdentity | None = None


@dataclass
class World:
    """One organisation, its people and agents, its status list, and one verifier's trust."""

    label: str = "acme"
    now: int = T0
    method: str = "key"
    form: Form = "di"
    parties: dict[str, Party] = field(default_factory=dict)
    revoked: set[int] = field(default_factory=set)
    max_grant: int = 1800
    ceiling: list[dict[str, list[str]]] = field(
        default_factory=lambda: [
            {"actions": ["db.*", "doc.*", "web.*", "ans.*"], "resources": [PAPERS, DRAFTS, WEB]}
        ]
    )

    def __post_init__(self) -> None:
        self.org = self._party("org")
        self.status = self._party("status-authority")
        self.db = self._party("db")
        self._next = 1000

    def _key(self, name: str) -> PrivateKey:
        return PrivateKey(hashlib.sha256(f"{self.label}/{name}".encode()).digest())

    def _party(self, name: str) -> Party:
        key = self._key(name)
        party = Party(name, key, did.from_key(key.public, self.method))
        self.parties[name] = party
        return party

    def id(self, name: str) -> str:
        """A urn:uuid that follows from a name."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self.label}/{name}").urn

    def human(self, name: str, **changes: Any) -> Party:
        """A human with a sponsor credential."""
        party = self._party(name)
        start = 2 * self._next
        self._next += 5000
        party.lease = Lease(LIST, start, 8192)
        self.attest(party, **changes)
        return party

    def attest(self, party: Party, *, revision: int = 1, **changes: Any) -> HumanSponsor:
        """Issue (again) a human's sponsor credential, now."""
        assert party.lease is not None
        members: dict[str, Any] = {
            "organization": self.org.did,
            "human": party.did,
            "revision": revision,
            "grants": self.ceiling,
            "authority": self.status.did,
            "authority_key": self.status.key.public,
            "lease": party.lease,
            "status": StatusEntry(LIST, party.lease.start - 2),
            "valid_from": self.now,
            "valid_until": self.now + 86_400,
            "form": self.form,
            "id": self.id(f"sponsor/{party.name}/{revision}"),
            "attestation": "idp:corp",
        }
        signer = changes.pop("signer", self.org)
        party.credential = issue_human_sponsor(signer.key, **(members | changes))
        return party.credential

    def entry(self, party: Party) -> StatusEntry:
        """The next free status entry of whoever issues."""
        assert party.lease is not None
        party.used += 2
        return StatusEntry(party.lease.list, party.lease.start + party.used - 2)

    def range(self, party: Party, count: int) -> Lease:
        """The next free range of whoever delegates."""
        assert party.lease is not None
        party.used += count
        return Lease(party.lease.list, party.lease.start + party.used - count, count)

    def agent(
        self,
        name: str,
        issuer: Party,
        *,
        tools: Sequence[str] = ("db.read", "doc.write", "web.read"),
        block: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Party:
        """An agent with an identity issued by a human or by a parent agent."""
        party = self._party(name)
        human = issuer.sponsor or issuer
        party.sponsor = human
        own: dict[str, Any] = {
            "creator": human.did,
            "deployer": self.org.did,
            "owner": human.did,
            "sponsor": {"id": human.did, "organization": self.org.did},
            "identityModel": "persistent" if issuer is human else "child",
            "scopeOfBehavior": {"summary": f"does the {name} step"},
            "toolset": [{"toolName": tool, "actions": [tool]} for tool in tools],
            "spawn": False,
            "lifecycleStatus": "active",
            "created": "2026-01-01T00:00:00Z",
        }
        if issuer is not human:
            own["parent"] = issuer.did
        own |= block or {}
        members: dict[str, Any] = {
            "issuer": issuer.did,
            "agent": party.did,
            "identity": {k: v for k, v in own.items() if v is not None},
            "status": self.entry(human),
            "valid_from": self.now,
            "valid_until": self.now + 30 * 86_400,
            "form": self.form,
            "id": self.id(f"identity/{name}"),
        }
        party.identity = issue_agent_identity(issuer.key, **(members | changes))
        return party

    def attestation(
        self, agent: Party, claim: str = "SOXComplianceCertified", **changes: Any
    ) -> AgentAttestation:
        """A claim about an agent by the organisation, for a month from now."""
        members: dict[str, Any] = {
            "issuer": self.org.did,
            "agent": agent.did,
            "claim": claim,
            "authority": self.status.did,
            "authority_key": self.status.key.public,
            "status": StatusEntry(LIST, 0),
            "valid_from": self.now,
            "valid_until": self.now + 30 * 86_400,
            "form": self.form,
            "id": self.id(f"attestation/{agent.name}/{claim}"),
        }
        signer = changes.pop("signer", self.org)
        return issue_attestation(signer.key, **(members | changes))

    def delegate(
        self,
        issuer: Party,
        subject: Party,
        allow: Sequence[str],
        *,
        above: Sequence[Link] = (),
        seconds: int = 900,
        remaining: int = 0,
        lease: int = 0,
        **changes: Any,
    ) -> Link:
        """One link; ``allow`` holds ``"action resource"`` pairs, status bits come by themselves."""
        grants = [
            {"actions": [action], "resources": [resource]}
            for action, resource in (pair.split(" ") for pair in allow)
        ]
        holder = issuer if issuer.lease is not None else None
        if above and above[-1].lease is not None:
            issuer.lease = above[-1].lease
            holder = issuer
        members: dict[str, Any] = {
            "issuer": issuer.did,
            "subject": subject.did,
            "organization": self.org.did,
            "grants": grants,
            "valid_from": self.now,
            "valid_until": self.now + seconds,
            "above": above,
            "remaining": remaining,
            "status": self.entry(holder) if holder else None,
            "lease": self.range(holder, lease) if holder and lease else None,
            "form": self.form,
            "id": self.id(f"link/{issuer.name}/{subject.name}/{len(above)}"),
        }
        return issue_link(issuer.key, **(members | changes))

    def status_list(self, **changes: Any) -> StatusList:
        """The status list as of now."""
        bits = bytearray(16 * 1024)
        for index in self.revoked:
            bits[index >> 3] |= 0x80 >> (index & 7)
        members: dict[str, Any] = {
            "url": LIST,
            "authority": self.status.did,
            "bits": bytes(bits),
            "valid_from": self.now,
            "valid_until": self.now + 3600,
            "form": self.form,
        }
        signer = changes.pop("signer", self.status)
        return issue_status_list(signer.key, **(members | changes))

    def evidence(self, **groups: Sequence[Any]) -> Evidence:
        """Everything an honest holder would staple now; groups can be replaced."""
        own: dict[str, Any] = {
            "sponsors": [p.credential.secured.raw for p in self.parties.values() if p.credential],
            "identities": [p.identity.secured.raw for p in self.parties.values() if p.identity],
            "status_lists": [self.status_list().secured.raw],
        }
        return Evidence(**(own | groups))

    @property
    def trust_json(self) -> dict[str, Any]:
        """The verifier's trust folder."""
        return {
            "version": 1,
            "anchors": [
                {
                    "id": self.org.did,
                    "keys": [self.org.key.public.multikey],
                    "subjects": [f"did:{self.method}:**"],
                    "ceiling": self.ceiling,
                    "maxGrantSeconds": self.max_grant,
                }
            ],
            "verifier": {"id": self.db.did, "ledgers": [self.db.did]},
        }

    def trust(self, **changes: Any) -> Trust:
        """The verifier's trust, its top-level members replaceable."""
        return Trust.from_json(self.trust_json | changes)

    def present(
        self, links: Sequence[Link], request: Request, *, key: PrivateKey | None = None, **more: Any
    ) -> Presentation:
        """The presentation of the chain's holder."""
        names = {party.did: party for party in self.parties.values()}
        signer = key or names[links[-1].subject].key
        members: dict[str, Any] = {"audience": self.db.did, "request": request, "at": self.now}
        return present(links, signer, **(members | more))

    def bundle(self, links: Sequence[Link], request: Request, **more: Any) -> Bundle:
        """The one file."""
        return Bundle(self.present(links, request, **more), request, self.evidence())

    def verify(
        self, links: Sequence[Link], action: str, resource: str, **facts: Any
    ) -> Authorization:
        """Present and verify, as both sides would."""
        request = Request(action, resource, **facts)
        return verify(
            self.present(links, request).to_bytes(),
            self.evidence(),
            self.trust(),
            request,
            at=self.now,
        )


def research_chain(world: World) -> tuple[list[Link], dict[str, Party]]:
    """The story of `examples/research-chain`: Ana, and four agents in one line."""
    ana = world.human("ana")
    names = ("research", "retrieval", "dbquery", "formatter")
    agents = {name: world.agent(name, ana) for name in names}
    papers = [f"db.read {PAPERS}", f"doc.write {DRAFTS}"]
    links: list[Link] = []
    plan: list[tuple[Party, str, list[str], int, int, int, dict[str, Any]]] = [
        (ana, "research", [f"web.read {WEB}", *papers], 1800, 3, 512, {}),
        (agents["research"], "retrieval", papers, 900, 2, 64, {}),
        (agents["retrieval"], "dbquery", papers, 300, 1, 8, {"rows": {"max": 500}}),
        (agents["dbquery"], "formatter", papers[1:], 120, 0, 0, {"rows": {"max": 500}}),
    ]
    for issuer, subject, allow, seconds, remaining, lease, constraints in plan:
        links.append(
            world.delegate(
                issuer,
                agents[subject],
                allow,
                above=tuple(links),
                seconds=seconds,
                remaining=remaining,
                lease=lease,
                constraints=constraints,
            )
        )
    return links, {"ana": ana, **agents}

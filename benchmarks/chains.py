"""The chains that are measured, made by the tests' simulator."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from delegant.credentials import (
    Authorization,
    ChainCache,
    Evidence,
    Item,
    Lease,
    Link,
    PrivateKey,
    Request,
    StatusEntry,
    Trust,
    Verdict,
    decide_many,
    did,
    issue_link,
    verify,
)
from world import PAPERS, T0, World, research_chain

__all__ = ["ASKED", "Batch", "Verification", "full_link", "line_of", "read_papers", "story"]


def read_papers() -> Request:
    """What is asked in every row, built anew. What that costs is a row of its own."""
    return Request("db.read", "urn:acme:papers:17", rows=3)


ASKED = read_papers()


class Verification:
    """A presentation as bytes, its evidence (verified before), and the calls that verify it."""

    def __init__(self, world: World, links: list[Link]) -> None:
        shown = [world.present(links, ASKED).to_bytes() for _ in range(16)]
        self.presentation = shown[0]
        self._shown = cycle(shown)
        self.evidence = world.evidence()
        limits = {"links": max(10, len(links))}
        self.trust: Trust = world.trust(verifier=world.trust_json["verifier"] | {"limits": limits})
        self.at = world.now
        self._cache = ChainCache()
        self.cold()
        self.warm()

    def cold(self) -> Authorization:
        """From bytes: every link and the invocation parsed and verified, nothing remembered."""
        return verify(self.presentation, self.evidence, self.trust, ASKED, at=self.at)

    def warm(self) -> Authorization:
        """The same links again under another invocation, with the link cache."""
        return verify(
            next(self._shown),
            self.evidence,
            self.trust,
            ASKED,
            at=self.at,
            cache=self._cache,
        )


class Batch:
    """Sixty-four acts that arrive together, under eight chains of three links."""

    ACTS = 64
    CHAINS = 8

    def __init__(self) -> None:
        worlds = [World(label=f"acme-{number}") for number in range(self.CHAINS)]
        self._items: list[Item] = []
        self._evidence = Evidence()
        anchors = []
        for one in worlds:
            one.db = one.parties["db"] = worlds[0].db
            links = research_chain(one)[0][:3]
            shown = [one.present(links, ASKED) for _ in range(self.ACTS // self.CHAINS)]
            self._items += [Item(presentation.to_bytes(), ASKED) for presentation in shown]
            self._evidence = self._evidence.merged(one.evidence())
            anchors += one.trust_json["anchors"]
        self._trust = worlds[0].trust(anchors=anchors)
        self._at = worlds[0].now
        assert all(verdict.state == "accepted" for verdict in self())

    def __call__(self) -> list[Verdict]:
        """All of them, nothing remembered but the evidence."""
        return decide_many(self._items, self._evidence, self._trust, at=self._at)


def story() -> Verification:
    """Three links of the research story: Ana, research, retrieval, dbquery."""
    world = World()
    return Verification(world, research_chain(world)[0][:3])


def line_of(length: int) -> Verification:
    """A chain of 1 to 32 links, each restating rows <= 500."""
    world = World()
    human = world.human("human")
    links: list[Link] = []
    issuer = human
    for depth in range(length):
        subject = world.agent(f"agent-{depth}", human)
        below = length - 1 - depth
        links.append(
            world.delegate(
                issuer,
                subject,
                [f"db.read {PAPERS}"],
                above=tuple(links),
                seconds=900 - depth,
                remaining=below,
                lease=2 * below,  # the delegate needs two bits, and whoever is below it two each
                constraints={"rows": {"max": 500}},
            )
        )
        issuer = subject
    return Verification(world, links)


def full_link() -> Link:
    """A link that says everything: a did:web sponsor, every member, eleven constraints."""
    person, planning, working = (PrivateKey(bytes([number]) * 32) for number in (1, 2, 3))
    human = "did:web:acme.example:people:p-7f3a"
    planner, worker = (did.from_key(key.public, "key") for key in (planning, working))
    lists = "https://acme.example/status/3"
    common: dict[str, Any] = {
        "organization": "did:web:acme.example",
        "grants": [{"actions": ["db.read"], "resources": ["urn:acme:papers:**"]}],
        "valid_from": T0,
    }
    first = issue_link(
        person,
        issuer=human,
        subject=planner,
        valid_until=T0 + 1800,
        id="urn:uuid:5f1c9f2e-0000-4000-8000-000000000000",
        remaining=2,
        status=StatusEntry(lists, 2000),
        lease=Lease(lists, 2002, 64),
        **common,
    )
    return issue_link(
        planning,
        issuer=planner,
        subject=worker,
        valid_until=T0 + 900,
        id="urn:uuid:5f1c9f2e-0000-4000-8000-000000000001",
        above=(first,),
        remaining=1,
        status=StatusEntry(lists, 2002),
        lease=Lease(lists, 2004, 16),
        constraints={
            "audience": ["did:web:db.acme.example"],
            "purpose": ["literature-review"],
            "task": {"id": "T-17", "initiation": "human_request"},
            "rows": {"max": 500},
            "bytes": {"max": 1_000_000},
            "columns": ["title", "year"],
            "arguments": {"customer_id": {"in": ["42"]}},
            "budget": {
                "ledger": "did:web:db.acme.example",
                "unit": "EUR:2",
                "perAction": "1000",
                "total": "49999",
            },
            "rate": {"ledger": "did:web:db.acme.example", "count": 20, "periodSeconds": 60},
            "dataClass": {
                "scheme": "https://delegant.example/data-class/v1",
                "max": "internal",
            },
            "approval": {
                "threshold": 1,
                "by": [human],
                "over": {"unit": "EUR:2", "value": "500"},
            },
        },
        **common,
    )

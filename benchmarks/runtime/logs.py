"""A resource with an audit log, acts at it that were delegated and verified, and a large log.

Records for the large log are prepared past the ledger: intent and outcome of each act, with its
opening and whatever it refers to, by the same code. Many acts share one invocation, which a ledger
would refuse, so that nobody waits for half a million signatures; what is read of it is the same.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.run import write
from delegant.ans.change import Added
from delegant.credentials import Authorization, Link, Presentation, Request
from delegant.credentials.codec import canonical
from delegant.governance import acts
from delegant.governance.batch import AuditBatch, AuditChange, Done
from delegant.governance.entry import Entry
from delegant.governance.exhibit import Exhibits, relied_on
from delegant.governance.record import new_event, new_opening
from governance.auditing import TOPIC, Auditing
from world import Party

from .effort import Effort

__all__ = ["Call", "Large", "Resource", "large"]

Call = tuple[Authorization, Request, Presentation]
TOTAL = 10**15
PER_SECOND = 1_000
"""Records of the large log in a second of its own time, within which all chains are valid."""


@dataclass(frozen=True, slots=True)
class Fed(AuditChange):
    """A record that was prepared, with what lies beside it."""

    entry: Entry
    event: str
    opening: bytes | None
    exhibits: Exhibits

    def add(self, batch: AuditBatch) -> Added:
        """Write it."""
        batch.exhibit(self.exhibits)
        if self.opening is not None:
            batch.keep(self.event, self.opening)
        number = batch.log(self.entry)
        return Done(number, number)


class Resource(Auditing):
    """The world's database, and chains of three links with budgets to act by."""

    def chains(self, count: int) -> list[list[Link]]:
        """So many different ones, from one human."""
        world = self.world
        people: list[Party] = [self.ana, self.bot]
        people += [world.agent(name, self.ana) for name in ("retrieval", "dbquery")]
        out = []
        for number in range(count):
            links: list[Link] = []
            for party in people[1:]:
                party.used = 0  # of the status bits that this chain's own link gives it
            for depth, (issuer, subject) in enumerate(pairwise(people)):
                links.append(
                    world.delegate(
                        issuer, subject, ["db.read urn:acme:papers:**"], above=tuple(links),
                        seconds=1800, remaining=2 - depth, lease=(16, 4, 0)[depth],
                        constraints={"budget": self.budget(TOTAL)},
                        id=world.id(f"bench/{number}/{depth}"),
                    )
                )  # fmt: skip
            out.append(links)
        return out

    def calls(self, chains: Sequence[Sequence[Link]], count: int) -> list[Call]:
        """Acts by these chains in turn, each with an invocation of its own, verified."""
        evidence = self.world.evidence()
        request = Request("db.read", TOPIC, amount={"unit": "EUR:2", "value": "1"})
        return [
            self.asked(chains[number % len(chains)], request, evidence=evidence)
            for number in range(count)
        ]

    def prepared(self, calls: Sequence[Call], first: int, count: int) -> list[Fed]:
        """Records of the large log from a number on: an intent, its outcome, and so on."""
        evidence, out = self.world.evidence(), list[Fed]()
        for number in range(first, first + count, 2):
            at = self.now + number // PER_SECOND
            auth, request, shown = calls[number // 2 % len(calls)]
            event, opening = new_event(at * 1000), new_opening(request.json, shown.invocation)
            manifest, exhibits = relied_on(auth, evidence)
            intent = acts.intent(
                self.log.id, event, auth, request, shown.invocation or "", opening, manifest,
                name=None, policy=acts.CHAIN_ALONE, decision="allow", at=at,
            )  # fmt: skip
            seen = self.log.knows(manifest, at // 86_400 * 86_400) and number >= 2 * len(calls)
            out.append(Fed(Entry.of(intent), event, canonical(opening), [] if seen else exhibits))
            what: dict[str, Any] = {"status": "success", "rows": 3}
            outcome = acts.outcome(
                self.log.id, event, auth.sponsor, auth.actor, what, intent["spent"], at
            )
            out.append(Fed(Entry.of(outcome), event, None, []))
        return out[:count]


@dataclass(frozen=True)
class Large:
    """The large log.

    Attributes:
        folder: of the log. cost: at which size of the log a record took how many us of processor
            to be written, and how many were written in a second.
    """

    folder: Path
    size: int
    cost: list[tuple[int, float, float]]

    def opened(self) -> Resource:
        """The resource, with the large log."""
        return Resource(self.folder)


def large(effort: Effort) -> Large:
    """The log of so many records, made if it is not kept from before."""
    home = effort.homes / f"log-{effort.size}"
    about = home / "about.json"
    if not about.is_file():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        write(about, _made(home, effort))
    told = json.loads(about.read_text())
    return Large(home / "audit", told["size"], [tuple(one) for one in told["cost"]])


def _made(home: Path, effort: Effort) -> dict[str, Any]:
    resource = Resource(home / "audit")
    calls = resource.calls(resource.chains(effort.chains), effort.chains)
    cost, size = list[tuple[int, float, float]](), 0
    while size < effort.size:
        changes = resource.prepared(calls, size, min(effort.chunk, effort.size - size))
        cpu, began = time.process_time(), time.perf_counter()
        futures = resource.log.write_all(changes, resource.now + size // PER_SECOND)
        for one in futures:
            one.result()
        took = time.perf_counter() - began, time.process_time() - cpu
        cost.append((size, took[1] / len(changes) * 1e6, len(changes) / took[0]))
        size += len(changes)
    resource.log.close()
    files = (one for one in (home / "audit").rglob("*") if one.is_file())
    return {"size": size, "bytes": sum(os.stat(one).st_size for one in files), "cost": cost}

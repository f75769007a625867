"""An audit log in memory, its acts really delegated and really invoked; written as a bundle.

No store has a part in it: what a bundle holds is made here member by member, so that a test can
change any of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from delegant.ans.log import tiles
from delegant.ans.log.checkpoint import Checkpoint, sign_checkpoint
from delegant.ans.log.merkle import leaf_hash, root
from delegant.ans.log.note import NoteSigner
from delegant.credentials import Evidence, Link, Presentation, PrivateKey, Request
from delegant.credentials.codec import JsonObject, canonical, digest
from delegant.credentials.shape import format_time
from delegant.governance import archive
from delegant.governance.contents import about_json, index_line
from delegant.governance.reading import Believed
from delegant.governance.record import input_hash, new_event, new_opening
from world import World, research_chain

ORIGIN = "papers.example/audit"
Members = dict[str, bytes]


@dataclass
class Audited:
    """The log of the resource of a world, and what lies beside it."""

    world: World = field(default_factory=World)
    entries: list[bytes] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    exhibits: dict[str, bytes] = field(default_factory=dict)
    openings: dict[str, bytes] = field(default_factory=dict)
    signer: NoteSigner = field(
        default_factory=lambda: NoteSigner(ORIGIN, PrivateKey(bytes(range(32))))
    )

    def __post_init__(self) -> None:
        links, parties = research_chain(self.world)
        self.links, self.parties = links[:3], parties
        self.gathered = self.world.evidence()

    @property
    def log(self) -> str:
        """Whose log it is."""
        return self.world.db.did

    @property
    def believed(self) -> Believed:
        """The log as its auditor knows it."""
        return Believed(self.signer.key, log=self.log)

    # --- what is logged -------------------------------------------------------------------------

    def add(self, record: JsonObject, **changes: Any) -> JsonObject:
        """Log a record, as it is."""
        before = digest(self.entries[-1]) if self.entries else None
        record = record | {"previous": before} | changes
        self.lines.append(index_line(record["event"], record["type"], len(self.entries)))
        self.entries.append(canonical(record))
        return record

    def intent(
        self,
        links: Sequence[Link] | None = None,
        request: Request | None = None,
        *,
        evidence: Evidence | None = None,
        given: Any = None,
        presentation: Presentation | None = None,
        **changes: Any,
    ) -> JsonObject:
        """Log the intent of one act, and keep what it names."""
        return self.add(
            self._act(links, request, evidence, given, presentation)
            | {"type": "intent", "decision": "allow", "spent": []},
            **changes,
        )

    def refusal(
        self, links: Sequence[Link] | None = None, request: Request | None = None, **changes: Any
    ) -> JsonObject:
        """Log a refusal."""
        own = {"type": "refusal", "decision": "deny", "code": "constraint", "phase": 11,
               "link": None, "dimension": None, "verified": True}  # fmt: skip
        return self.add(self._act(links, request, None, None, None) | own, **changes)

    def outcome(self, intent: JsonObject, status: str = "success", **changes: Any) -> JsonObject:
        """Log what came of an intent."""
        own = {name: intent[name] for name in ("version", "log", "event", "sponsorDid", "agentDid")}
        return self.add(
            own
            | {"type": "outcome", "time": format_time(self.world.now),
               "outcome": {"status": status, "rows": 12}, "settled": []},
            **changes,
        )  # fmt: skip

    def notice(self, **notice: Any) -> JsonObject:
        """Log what a human did to the log itself."""
        by = self.parties["ana"].did
        return self.add(
            {"version": 1, "log": self.log, "type": "notice", "event": self.event(),
             "time": format_time(self.world.now), "sponsorDid": by, "by": by, "notice": notice}
        )  # fmt: skip

    def act(self, count: int = 1) -> list[JsonObject]:
        """Log acts, each with its outcome, a second apart; the intents."""
        out = []
        for _ in range(count):
            self.world.now += 1
            out.append(self.intent())
            self.outcome(out[-1])
        return out

    def plain(self, count: int) -> None:
        """Log many refusals of nobody, quickly."""
        for _ in range(count):
            self.add(
                {"version": 1, "log": self.log, "type": "refusal", "event": self.event(),
                 "time": format_time(self.world.now), "sponsorDid": None, "agentDid": None,
                 "agentAnsName": None, "organizationDid": None, "chain": [], "grantId": None,
                 "action": None, "target": None, "inputHash": None, "invocation": None,
                 "evidence": None, "policyId": None, "policyVersion": None, "decision": "deny",
                 "initiation": None, "collaborationContext": None, "code": "json", "phase": 2,
                 "link": None, "dimension": None, "verified": False}
            )  # fmt: skip

    def event(self) -> str:
        """A name for an event, the same each time."""
        number = len(self.entries)
        return new_event(self.world.now * 1000, number.to_bytes(10, "big"))

    def _act(
        self,
        links: Sequence[Link] | None,
        request: Request | None,
        evidence: Evidence | None,
        given: Any,
        presentation: Presentation | None,
    ) -> JsonObject:
        links = self.links if links is None else links
        request = request or Request("db.read", "urn:acme:papers:17", rows=12)
        shown = presentation or self.world.present(links, request)
        jws = shown.invocation
        opening = new_opening(request.json, jws, given)
        event = self.event()
        self.openings[event] = canonical(opening)
        return {
            "version": 1, "log": self.log, "event": event,
            "time": format_time(self.world.now), "sponsorDid": links[0].issuer,
            "agentDid": links[-1].subject, "agentAnsName": None,
            "organizationDid": links[0].organization,
            "chain": [{"id": one.id, "digestMultibase": self.keep(one.secured.raw)}
                      for one in links],
            "grantId": links[-1].id, "action": request.action, "target": request.resource,
            "inputHash": input_hash(opening),
            "invocation": None if jws is None else digest(jws.encode()),
            "evidence": self.manifest(evidence or self.gathered), "policyId": "chain",
            "policyVersion": "1", "initiation": None, "collaborationContext": None,
        }  # fmt: skip

    def keep(self, material: JsonObject | str) -> str:
        """Keep an exhibit; its digest."""
        data = material.encode() if isinstance(material, str) else canonical(material)
        self.exhibits[digest(data)] = data
        return digest(data)

    def manifest(self, evidence: Evidence) -> str:
        """Keep evidence, item by item; the digest of what lists it."""
        return self.keep(
            {group: [self.keep(item) for item in items] for group, items in evidence.json.items()}
        )

    # --- the bundle -----------------------------------------------------------------------------

    def note(self, size: int | None = None) -> str:
        """The checkpoint of the first entries, as the log signs it."""
        size = len(self.entries) if size is None else size
        kept = self._tiles(size)
        top = root(size, lambda level, index, width: kept[level, index][: 32 * width])
        return sign_checkpoint(Checkpoint(self.signer.key.name, size, top), self.signer)

    def members(
        self,
        ranges: list[tuple[int, int]] | None = None,
        *,
        pruned: Sequence[int] = (),
        prunes: list[int] | None = None,
        openings: bool = False,
        **selected: Any,
    ) -> Members:
        """What a bundle of these entries holds."""
        size = len(self.entries)
        if ranges is None:
            ranges = [(0, size)] if size else []
        here = {at for start, end in ranges for at in range(start, end)} - set(pruned)
        out = {
            "audit.json": canonical(
                about_json(self.log, self.signer.key, ranges, prunes, **selected)
            ),
            "checkpoint": self.note().encode(),
            "index": b"".join(sorted(self.lines[at] for at in here)),
        }
        for (level, index), body in self._tiles(size).items():
            out[tiles.path(level, index, len(body) // 32)] = body
        for index in sorted({at // 256 for at in here}):
            some = [
                self.entries[at] if at in here else b""
                for at in range(256 * index, min(size, 256 * index + 256))
            ]
            out[tiles.bundle_path(index, len(some))] = tiles.pack(some)
        named: set[str] = set()
        for at in sorted(here):
            record = json.loads(self.entries[at])
            named |= {one["digestMultibase"] for one in record.get("chain", ())}
            if evidence := record.get("evidence"):
                named.add(evidence)
                for items in json.loads(self.exhibits[evidence]).values():
                    named |= set(items)
            if openings and record["event"] in self.openings:
                out[f"openings/{record['event']}"] = self.openings[record["event"]]
        out |= {f"exhibits/{name}": self.exhibits[name] for name in named}
        return out

    def _tiles(self, size: int) -> dict[tuple[int, int], bytes]:
        hashes = [leaf_hash(entry) for entry in self.entries[:size]]
        return {(level, index): body for level, index, body in tiles.extend(0, hashes, _none)}


def _none(*_: int) -> bytes:
    return b""


def write(path: Path, members: Members) -> Path:
    """Write a bundle of these members, whatever they are."""
    with archive.writing(path) as out:
        for name, data in members.items():
            out.add(name, data, packed=name != "index")
    return path


def unpacked(folder: Path, members: Members) -> Path:
    """The same as a folder."""
    for name, data in members.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder

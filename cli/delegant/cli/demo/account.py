"""The account of the story, from the audit record alone.

What the resource recorded is exported as one file. Everything told from then on is read from that
file, under the auditor's own trust, by `delegant audit` in processes without sockets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from delegant.credentials.codec import JsonObject
from delegant.governance.auditlog import AuditReader
from delegant.governance.bundle import export
from delegant.governance.reading import AuditBundle, Believed, read_entry
from delegant.wallet import load_trust

from .offline import asked
from .stage import AGENTS, Stage

__all__ = ["Account", "audited"]


@dataclass(frozen=True)
class Account:
    """What the record tells.

    Attributes:
        bundle: the file. entries: how many it has, by type.
        refusals: code and link of each refusal in it, in order.
        problem: why the bundle or the trace does not hold; empty where both do.
        trace: of one event, as ``delegant audit trace --json`` gives it.
        match: of the agents' journals, as ``delegant audit match --json`` does.
        names: what the people and agents of the story are called.
    """

    bundle: Path
    problem: str = ""
    entries: JsonObject = field(default_factory=dict)
    refusals: list[tuple[str, int | None]] = field(default_factory=list)
    trace: JsonObject = field(default_factory=dict)
    match: JsonObject = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @property
    def act(self) -> JsonObject:
        """What was done, and what came of it."""
        said = {name: self.trace["record"][name] for name in ("event", "time", "action", "target")}
        return said | {"outcome": self.trace["outcome"]["outcome"]["status"]}

    @property
    def lines(self) -> list[JsonObject]:
        """The human, then every agent: who, by whom, with what, and whether it is proven."""
        human, *agents = self.trace["authorisedBy"]
        return [self._party(human) | {"by": None}] + [
            self._party(one)
            | {"by": self.names[how["by"]], "grants": how["grants"],
               "constraints": how.get("constraints", {}), "until": how["validUntil"],
               "link": how["link"], "digest": how["digestMultibase"]}
            for one, how in zip(agents, self.trace["howObtained"], strict=True)
        ]  # fmt: skip

    def _party(self, one: JsonObject) -> JsonObject:
        return {"name": self.names[one["did"]]} | {n: one[n] for n in ("role", "did", "state")}

    @property
    def answers(self) -> JsonObject:
        """Which agent, who authorised it, what was it allowed, how did it get that."""
        if self.problem:
            return {}
        *above, actor = self.lines
        return {
            "whichAgent": {"name": actor["name"], "did": actor["did"]},
            "authorisedBy": [{"name": one["name"], "did": one["did"]} for one in above],
            "permissions": self.trace["permissions"],
            "howObtained": [
                {"from": one["by"], "to": one["name"], "link": one["link"],
                 "digest": one["digest"]}
                for one in self.lines[1:]
            ],
        }  # fmt: skip

    @property
    def json(self) -> JsonObject:
        """For machines."""
        return {
            "bundle": self.bundle.name,
            "verdict": self.problem or self.trace["verdict"],
            "entries": self.entries,
            "refusals": [{"code": code, "link": link} for code, link in self.refusals],
            "pairs": self.match.get("pairs", 0),
            "act": None if self.problem else self.act,
            "lines": [] if self.problem else self.lines,
        }


def audited(stage: Stage, event: str, names: dict[str, str]) -> Account:
    """Export what the resource recorded, verify it, and trace an event back to the human.

    Args:
        event: in the resource's log.
        names: what people and agents are called, by DID.
    """
    bundle, trust = stage.folder / "audit.zip", stage.folder / "auditor-trust"
    log = AuditReader(stage.folder / "audit")
    export(log, bundle, openings=True)
    log.close()
    own = ["--trust", str(trust), "--json"]
    try:
        verified = asked("audit", "verify", str(bundle), *own)
        traced = asked("audit", "trace", event, "--bundle", str(bundle), *own)
        journals = [stage.journal(name) for name in AGENTS]
        kept = [word for path in journals if path.is_file() for word in ("--journal", str(path))]
        matched = asked("audit", "match", str(bundle), *kept, *own)
    except ValueError as exc:
        return Account(bundle, str(exc))
    refused = refusals(bundle, trust)
    return Account(bundle, "", verified["records"], refused, traced, matched, names)


def refusals(path: Path, trust: Path) -> list[tuple[str, int | None]]:
    """Code and link of every refusal in a bundle, each proven to be the log's."""
    with AuditBundle(path) as bundle:
        reader = bundle.reader(Believed.of(load_trust(trust), bundle.about.log))
        records: list[Any] = [
            read_entry(data, number, bundle.about.log).json
            for number, data in enumerate(reader.entries())
        ]
    return [(one["code"], one["link"]) for one in records if one["type"] == "refusal"]

"""``ans-financial-discovery``: find the one right agent among five, and let it do the one thing.

Each attempt is made against the naive directory and database (before) or against the registry and
a resource that verifies chains (after). ``harm`` says whether somebody was deceived or robbed.
"""

from __future__ import annotations

import copy
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from delegant.ans import Query, Resolution, verify_answer
from delegant.credentials import Bundle, Error, Link, Request, present
from delegant.credentials.codec import JsonObject
from delegant.wallet import delegate, files, gather

from .finance import (
    CAPABILITY,
    DATABASE,
    LABEL,
    LOOKALIKE,
    OTHER_LABEL,
    RIGHT,
    SOX,
    TABLES,
    Candidate,
    Scene,
    candidates,
    staged,
)
from .naive import Database, Directory, Listed

__all__ = ["LATER", "Account", "play"]

VERSIONS: Final = ">=2.1.0 <3.0.0"
LISTING_1: Final = {
    "requestType": "resolveAgentByCapability",
    "desiredProtocol": "acp",
    "requiredCapability": CAPABILITY,
    "preferredProvider": LABEL,
    "versionRange": VERSIONS,
    "requiredAttestations": [{"vcType": SOX}],
}
"""The paper's request, as it is printed there."""
TASK: Final = {"id": "Q3-risk", "initiation": "human_request"}
LATER: Final = ("DataProcessingAgent-Temp77 and its 15-minute MCPToolAccessPass",)
"""What of the story needs parts that are not there yet."""


@dataclass(frozen=True)
class Attempt:
    """Somebody tried something, and what came of it."""

    title: str
    outcome: str
    harm: bool

    @property
    def json(self) -> JsonObject:
        """For machines."""
        return {"title": self.title, "outcome": self.outcome, "harm": self.harm}


@dataclass
class Account:
    """What the story found.

    ``trace``: why each other candidate was left out. ``record``: of the queries, Listing 8.
    """

    mode: str
    attempts: list[Attempt] = field(default_factory=list)
    trace: dict[str, str] = field(default_factory=dict)
    verified: dict[str, str] = field(default_factory=dict)
    record: list[JsonObject] = field(default_factory=list)

    @property
    def harms(self) -> int:
        """How many were deceived or robbed."""
        return sum(one.harm for one in self.attempts)

    @property
    def held(self) -> bool:
        """Before, every attempt does harm but the first; after, none does."""
        expected = 0 if self.mode == "after" else len(self.attempts) - 1
        return bool(self.attempts) and self.harms == expected

    def tell(self, title: str, outcome: str, *, harm: bool) -> None:
        """Add an attempt."""
        self.attempts.append(Attempt(title, outcome, harm))

    @property
    def json(self) -> JsonObject:
        """For machines."""
        return {
            "story": "ans-financial-discovery",
            "mode": self.mode,
            "attempts": [one.json for one in self.attempts],
            "trace": self.trace,
            "verified": self.verified,
            "recorded": [recorded(one) for one in self.record],
            "record": self.record,
            "harms": self.harms,
            "held": self.held,
            "later": list(LATER),
        }

    @property
    def text(self) -> str:
        """For people."""
        lines = [f"ans-financial-discovery, {self.mode}"]
        lines += [
            f"  {'HARM' if one.harm else 'ok  '}  {one.title}\n          {one.outcome}"
            for one in self.attempts
        ]
        lines += [f"  left out: {name}: {why}" for name, why in self.trace.items()]
        lines += [f"  {what}: {said}" for what, said in self.verified.items()]
        lines += [f"  on record: {recorded(one)}" for one in self.record]
        lines += [f"  not yet checked: {one}" for one in LATER]
        return "\n".join([*lines, f"{self.harms} harms"])


def recorded(one: JsonObject) -> str:
    """An entry of the record in one line."""
    table, outcome = one["targetResource"].rpartition(":")[2], one["outcome"]
    task = one["collaborationContext"]["taskId"]
    rows = f"{outcome['rowsAffected']} rows"
    return f"{table}: {one['decision']}, {outcome['status']}, {rows}, for task {task}"


LISTS: Final = "the five candidates are listed"
SEARCH: Final = "the orchestrator searches for a SOX certified risk analyst"
WITHOUT: Final = "the same, without the first one it was given"
LABELS: Final = f"another organisation takes the label {LOOKALIKE}"
TAKEN: Final = f"another agent takes the name {RIGHT}"
ALTERED: Final = "somebody on the way changes the endpoint in the answer"
ALLOWED: Final = "the chosen agent: QUERY_TABLE QuarterlySummaries"
DENIED: Final = "the chosen agent: QUERY_TABLE Payroll"


def play(*, after: bool) -> Account:
    """Play the story in a temporary folder."""
    if not after:
        return _before()
    with (
        tempfile.TemporaryDirectory(prefix="delegant-story-") as folder,
        staged(Path(folder)) as scene,
    ):
        return _after(scene)


# --- before -------------------------------------------------------------------------------------


def _before() -> Account:
    account, directory = Account("before"), Directory()
    for one in candidates(LOOKALIKE):
        directory.put(Listed(one.name, one.endpoint, (SOX,)))
    account.tell(LISTS, "all five, as they describe themselves", harm=False)
    taken: list[str] = []
    for title in (SEARCH, WITHOUT, f"{WITHOUT}, nor the second"):
        found = directory.search(CAPABILITY, VERSIONS, [SOX], taken)
        account.tell(title, found.name, harm=found.name != RIGHT)
        taken.append(found.name)
    fake = candidates(LOOKALIKE)[-1]
    known = directory.lookup(fake.name).name
    account.tell(LABELS, f"listed as {known}", harm=LOOKALIKE in known)
    answer = json.dumps({"endpoint": directory.lookup(RIGHT).endpoint})
    bent = json.loads(answer.replace("https://right.example", "https://fake.example"))
    account.tell(ALTERED, f"it calls {bent['endpoint']}", harm=bent["endpoint"] == fake.endpoint)
    directory.put(Listed(RIGHT, fake.endpoint, (SOX,)))
    where = directory.lookup(RIGHT).endpoint
    account.tell(TAKEN, f"the name leads to {where}", harm=where == fake.endpoint)
    database = Database(key="one-for-all")
    rows = database.query_table("Payroll", "one-for-all")
    account.tell(DENIED, "given, to the key that all share" if rows else "denied", harm=rows)
    return account


# --- after --------------------------------------------------------------------------------------


def _after(scene: Scene) -> Account:
    account = Account("after")
    _registered(scene, account)
    chosen = _chosen(scene, account)
    _verified(scene, account, chosen)
    _access(scene, account, chosen)
    return account


def _registered(scene: Scene, account: Account) -> None:
    """Labels are bound, the five register, and three that must not."""
    ours = scene.bind(LABEL, scene.acme)
    refused = scene.bind(LOOKALIKE, scene.acmes)
    account.tell(LABELS, refused or "bound", harm=not refused)
    scene.bind(OTHER_LABEL, scene.acmes)
    codes = [ours]
    for one in candidates(OTHER_LABEL):
        owner = scene.acmes if one.handle == "fake" else scene.acme
        codes.append(scene.register(one, owner, scene.attested(one, owner)))
    account.tell(LISTS, ", ".join(filter(None, codes)) or "registered", harm=any(codes))
    under = Candidate("fake", RIGHT.replace("v2.1.3", "v2.9.1"))
    code = scene.register(under, scene.acmes)
    account.tell(f"another organisation registers under {LABEL}", code or "done", harm=not code)
    code = scene.register(Candidate("proud", RIGHT), scene.acme)
    account.tell(TAKEN, code or "done", harm=not code)


def _chosen(scene: Scene, account: Account) -> Resolution:
    """The paper's request, and the same for one provider alone."""
    query = Query.from_json({**LISTING_1, "trace": True})
    answer = scene.client.ask(query)
    names = [one.name for one in answer.agents]
    account.tell(SEARCH, ", ".join(names) or "nobody", harm=names != [RIGHT])
    account.trace = dict(answer.trace)
    own = scene.client.search(
        capability=CAPABILITY, protocol="acp", version=VERSIONS, attestation=SOX, provider=LABEL
    )
    names = [one.name for one in own.agents]
    account.tell(f"the same, of {LABEL} alone", ", ".join(names) or "nobody", harm=names != [RIGHT])
    return answer.agents[0]


def _verified(scene: Scene, account: Account, chosen: Resolution) -> None:
    """The answer once more, from a file alone; then with one word of it changed."""
    path = scene.folder / "answer.json"
    files.write(path, json.dumps(chosen.answer).encode())
    query, at = Query.from_json({**LISTING_1, "trace": True}), int(time.time())
    answer = json.loads(path.read_bytes())
    account.verified = {
        "signatures and log proof": _code(lambda: verify_answer(answer, scene.trust, query, at=at)),
        "attested by": _name(scene, {one.issuer for one in chosen.entry.attestations}),
        "answered for by": _name(scene, {chosen.organization}),
    }
    bent: Any = copy.deepcopy(answer)
    bent["resolvedAgents"][0]["serviceEndpoint"] = "https://fake.example/acp"
    code = _code(lambda: verify_answer(bent, scene.trust, query, at=at))
    account.tell(ALTERED, code, harm=code == "accepted")


def _name(scene: Scene, dids: set[str]) -> str:
    """Organisations by the names the story has for them."""
    known = {one.did: one.home.path.name for one in (scene.market, scene.acme, scene.acmes)}
    return ", ".join(sorted(known.get(one, one) for one in dids))


def _access(scene: Scene, account: Account, chosen: Resolution) -> None:
    """The orchestrator hands on one table; the database verifies the chain in its own process."""
    acme, now = scene.acme, int(time.time())
    grant = {**TABLES, "resources": ["urn:acme-finance:tables:QuarterlySummaries"]}
    human, orchestrator = acme.wallets["human"], acme.wallets["orchestrator"]
    first = delegate(
        acme.home, human, "orchestrator", [TABLES], now=now, remaining=1, constraints={"task": TASK}
    ).link
    last = delegate(acme.home, orchestrator, chosen.did, [grant], now=now, above=first).link
    for title, table, wanted in (
        (ALLOWED, "QuarterlySummaries", "accepted"),
        (DENIED, "Payroll", "no-grant"),
    ):
        sent = _asked(scene, [first, last], table)
        query = partial(scene.database.query_table, table, sent, chosen.name)
        said = _code(query)
        account.tell(title, said, harm=said != wanted)
    account.record = scene.database.told()


def _asked(scene: Scene, links: list[Link], table: str) -> bytes:
    """A query of the chosen agent, signed."""
    now, agent = int(time.time()), scene.acme.wallets["right"]
    asked = Request("db.query_table", f"urn:acme-finance:tables:{table}", task=TASK)
    shown = present(links, agent.key(), audience=DATABASE, request=asked, at=now)
    return Bundle(shown, asked, gather(scene.acme.home, [agent.did, links[0].subject])).to_bytes()


def _code(act: Callable[[], object]) -> str:
    try:
        act()
    except Error as no:
        return no.code
    return "accepted"

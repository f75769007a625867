"""What happens on the stage: the allowed calls, then every misuse, each with what must be said."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
from delegant.credentials.envelope import Secured, secure
from delegant.credentials.shape import format_time
from delegant.credentials.shape import time as seconds_of
from delegant.wallet import statuslists

from .stage import DRAFTS, Stage

__all__ = ["Attempt", "Outcome", "allowed", "misuse", "revocations"]

READ = {"topic": "attenuation", "limit": 3}
WRITE = {"draft": "summary", "body": "Authority only ever narrows."}


@dataclass(frozen=True)
class Attempt:
    """Somebody tries something. ``code`` and ``link`` are what must be answered; None: accepted."""

    title: str
    call: Callable[[Stage], JsonObject]
    code: str | None = None
    link: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What was answered. ``event``: of the act in the audit log, where it was let pass."""

    attempt: Attempt
    code: str | None
    link: int | None
    detail: str
    event: str | None = None

    @property
    def expected(self) -> bool:
        """Whether it is what had to be answered."""
        return (self.code, self.link) == (self.attempt.code, self.attempt.link)


def attempt(stage: Stage, one: Attempt) -> Outcome:
    """Make the call and read the answer."""
    answer = one.call(stage)
    if "code" in answer:
        return Outcome(one, answer["code"], answer["link"], answer["detail"])
    rows = answer.get("rows")
    told = f"{len(rows)} papers" if rows is not None else f"draft {answer['written']}"
    return Outcome(one, None, None, told, answer["event"])


def _as(
    stage: Stage, name: str, depth: int, ask: JsonObject, evidence: Evidence | None = None
) -> JsonObject:
    """An agent uses its own chain honestly."""
    links = stage.links[:depth]
    return stage.call(
        ask,
        [link.secured.raw for link in links],
        stage.did(name),
        evidence=evidence,
        chain=links[-1].digest,
    )[0]


def allowed() -> list[Attempt]:
    """The two calls the chain was made for."""
    return [
        Attempt("dbquery reads three papers", lambda s: _as(s, "dbquery", 3, READ)),
        Attempt("dbquery reads 500 papers", lambda s: _as(s, "dbquery", 3, READ | {"limit": 500})),
        Attempt("formatter writes a draft", lambda s: _as(s, "formatter", 4, WRITE)),
    ]


def _raw(links: list[Link]) -> list[Any]:
    return [link.secured.raw for link in links]


def _forge(link: Link, key: PrivateKey, edit: Callable[[JsonObject], None]) -> Secured:
    """A link like this one, changed and signed by whoever has a key: issuers' checks bypassed."""
    document = copy.deepcopy(link.secured.document)
    edit(document)
    name = did.check(document["issuer"])
    created = seconds_of(document["validFrom"], "validFrom")
    return secure(document, key, did.vm_of(name), created)


def _fifth(stage: Stage) -> JsonObject:
    stranger = PrivateKey.generate()
    name = did.from_key(stranger.public)
    leaf = stage.links[3]

    def edit(document: JsonObject) -> None:
        document["id"] = "urn:uuid:00000000-0000-4000-8000-000000000005"
        document["issuer"] = leaf.subject
        document["credentialSubject"]["id"] = name
        block = document["credentialSubject"]["delegation"]
        block["depth"] = 4
        block["parent"] = {"id": leaf.id, "digestMultibase": leaf.digest}

    forged = _forge(leaf, stage.key("formatter"), edit)
    links = [*_raw(stage.links), forged.raw]
    return stage.call(WRITE, links, name, key=stranger, chain=forged.digest)[0]


def _spawned(stage: Stage) -> JsonObject:
    """Dbquery may hand on once more, and makes itself an agent to hand on to."""
    key, now = PrivateKey.generate(), int(time.time())
    child, parent = did.from_key(key.public), stage.did("dbquery")
    root = stage.home.subject("ana")
    identity = issue_agent_identity(
        stage.key("dbquery"),
        issuer=parent,
        agent=child,
        identity={
            "creator": parent,
            "deployer": stage.home.settings.organization,
            "owner": root.did,
            "sponsor": {"id": root.did, "organization": stage.home.settings.organization},
            "identityModel": "child",
            "parent": parent,
            "scopeOfBehavior": "none",
            "toolset": [{"toolName": "doc.write", "actions": ["doc.write"]}],
            "spawn": False,
            "lifecycleStatus": "active",
            "created": format_time(now),
        },
        status=StatusEntry(root.lease.list, root.lease.start + root.lease.count - 2),
        valid_from=now,
        valid_until=now + 600,
    )
    link = _handed_on(stage, child, now)
    evidence = stage.evidence().merged(Evidence(identities=[identity.secured.raw]))
    links = [*_raw(stage.links[:3]), link.secured.raw]
    return stage.call(WRITE, links, child, key=key, evidence=evidence, chain=link.digest)[0]


def _to_stranger(stage: Stage) -> JsonObject:
    """A hijacked dbquery hands its authority to a key nobody answers for."""
    key, now = PrivateKey.generate(), int(time.time())
    stranger = did.from_key(key.public)
    link = _handed_on(stage, stranger, now)
    links = [*_raw(stage.links[:3]), link.secured.raw]
    return stage.call(WRITE, links, stranger, key=key, chain=link.digest)[0]


def _handed_on(stage: Stage, to: str, now: int) -> Link:
    """A well-formed link from dbquery, which may hand on once more."""
    above = stage.links[:3]
    return issue_link(
        stage.key("dbquery"),
        issuer=stage.did("dbquery"),
        subject=to,
        organization=above[-1].organization,
        grants=[DRAFTS],
        constraints={"rows": {"max": 500}},
        valid_from=now,
        valid_until=min(now + 60, above[-1].valid_until),
        above=above,
    )


def _extended(stage: Stage) -> JsonObject:
    """Retrieval gives itself five minutes more, in its own credential."""
    mine = copy.deepcopy(stage.links[1].secured)
    raw: Any = mine.raw
    raw["validUntil"] = format_time(stage.links[1].valid_until + 300)
    return stage.call(
        READ, [stage.links[0].secured.raw, raw], stage.did("retrieval"), chain=mine.digest
    )[0]


def _parents(stage: Stage) -> JsonObject:
    links = stage.links[:2]
    return stage.call(READ, _raw(links), stage.did("dbquery"), chain=links[-1].digest)[0]


def _picked(*order: int) -> Callable[[Stage], JsonObject]:
    def call(stage: Stage) -> JsonObject:
        links = [stage.links[i] for i in order]
        return stage.call(READ, _raw(links), links[-1].subject, chain=links[-1].digest)[0]

    return call


def _replayed(stage: Stage) -> JsonObject:
    links = stage.links[:3]
    _, body = stage.call(READ, _raw(links), stage.did("dbquery"), chain=links[-1].digest)
    answer: JsonObject = stage.send(body).json()
    return answer


def _own_sponsor(stage: Stage) -> JsonObject:
    """The caller staples a sponsor credential it signed itself."""
    honest = stage.evidence()
    document = copy.deepcopy(honest.json["sponsors"][0])
    document.pop("proof")
    forger = PrivateKey.generate()
    method = did.vm_of(did.check(document["issuer"]))
    forged = secure(document, forger, method, seconds_of(document["validFrom"], "validFrom"))
    evidence = Evidence([forged.raw], honest.json["identities"], honest.json["statusLists"])
    return _as(stage, "dbquery", 3, READ, evidence)


def misuse() -> list[Attempt]:
    """Everything that must not work while the chain itself is good."""
    return [
        Attempt("dbquery asks for 501 rows",
                lambda s: _as(s, "dbquery", 3, READ | {"limit": 501}), "constraint", 2),
        Attempt("formatter reads the database",
                lambda s: _as(s, "formatter", 4, READ), "no-grant", 3),
        Attempt("formatter hands on to a fifth agent", _fifth, "depth", 4),
        Attempt("dbquery makes an agent of its own", _spawned, "spawn-forbidden", 3),
        Attempt("dbquery hands on to a stranger's key", _to_stranger, "delegate-not-allowed", 3),
        Attempt("retrieval extends its own expiry", _extended, "proof", 1),
        Attempt("dbquery presents its parent's credential", _parents, "holder-mismatch"),
        Attempt("the middle credential is removed", _picked(0, 2), "chain-broken", 1),
        Attempt("the links are reordered", _picked(0, 2, 1), "chain-broken", 1),
        Attempt("the same invocation again", _replayed, "replay"),
        Attempt("a sponsor credential of the caller's own", _own_sponsor, "proof"),
    ]  # fmt: skip


def _revoke(stage: Stage, what: str) -> None:
    """Revoke, and wait until the resource has had time to gather the new list."""
    now = int(time.time())
    entry = stage.links[1].status
    if what == "ana":
        entry = StatusEntry(*_sponsor_entry(stage))
    if entry is not None:
        statuslists.change(stage.home, stage.organization, entry, "revoke", now)
    time.sleep(1.5)


def _sponsor_entry(stage: Stage) -> tuple[str, int]:
    document: Any = stage.home.subject("ana").credential
    first = document["credentialStatus"][0]
    return first["statusListCredential"], int(first["statusListIndex"])


def revocations() -> list[Attempt]:
    """One link is revoked, then the human: everything below falls without being listed."""
    before: dict[str, Evidence] = {}

    def revoke_link(stage: Stage) -> JsonObject:
        before["old"] = stage.evidence()
        _revoke(stage, "retrieval")
        return _as(stage, "dbquery", 3, READ)

    def revoke_ana(stage: Stage) -> JsonObject:
        _revoke(stage, "ana")
        links = stage.links[:1]
        return stage.call(READ, _raw(links), stage.did("research"), chain=links[-1].digest)[0]

    return [
        Attempt("retrieval is revoked: dbquery reads", revoke_link, "revoked", 1),
        Attempt("… formatter writes", lambda s: _as(s, "formatter", 4, WRITE), "revoked", 1),
        Attempt("… dbquery with the status list of before",
                lambda s: _as(s, "dbquery", 3, READ, before["old"]), "revoked", 1),
        Attempt("Ana's sponsorship is revoked: research reads", revoke_ana, "sponsor-gone"),
    ]  # fmt: skip

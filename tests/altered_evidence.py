"""Altered bundles, continued: the root, the path, time, status, invocation, request, ledgers."""

from __future__ import annotations

import copy
from typing import Any

from altered import Case, both, claim, constrained, do, doc, older_copy, setter, t
from draft import LIST, Doc, Draft, list_doc
from world import T0

DB_READ_ONLY = [{"actions": ["db.read"], "resources": ["urn:acme:papers:**"]}]


# --- phase 7: root and path ----------------------------------------------------------------


def evil_org(d: Draft) -> None:
    """A sponsor credential for Ana by an organisation of the attacker's own."""
    forged = older_copy(d.sponsors[0], d.key("evil-org"))
    forged.doc["issuer"] = forged.subject["organization"] = d.did("evil-org")
    d.sponsors = [forged]


def forged_sponsor(d: Draft) -> None:
    """A sponsor credential in the organisation's name, by another key."""
    d.sponsors[0].signer = d.key("mallory")


def other_subjects(d: Draft) -> None:
    d.trust["anchors"][0]["subjects"] = ["did:web:acme.example:people:**"]


def exact_subject(d: Draft) -> None:
    d.trust["anchors"][0]["subjects"] = [d.did("ana")]


def seen_revision(number: int) -> Any:
    def alter(d: Draft) -> None:
        d.trust["seen"] = {"revision": {d.did("ana"): number}}

    return alter


def agent_root(d: Draft) -> None:
    """The chain begins with an agent, not with Ana."""
    d.links[0].doc["issuer"] = d.did("mallory")
    d.links[0].signer = d.key("mallory")
    for link in d.links:
        link.subject["sponsor"]["id"] = d.did("mallory")


def service_root(d: Draft) -> None:
    """The organisation itself signs the first link."""
    d.links[0].doc["issuer"] = d.parties["org"].did
    d.links[0].signer = d.key("org")
    for link in d.links:
        link.subject["sponsor"]["id"] = d.parties["org"].did


def self_attested_delegate(d: Draft) -> None:
    """The last delegate is a stranger who brings identity, sponsor and organisation along."""
    stranger, boss = d.did("stranger"), d.did("evil-boss")
    d.links[2].doc["credentialSubject"]["id"] = stranger
    d.holder = d.key("stranger")
    identity = older_copy(d.identities[2], d.key("evil-boss"))
    identity.doc["issuer"] = boss
    identity.doc["credentialSubject"]["id"] = stranger
    identity.subject["sponsor"] = {"id": boss, "organization": d.did("evil-org")}
    d.identities[2] = identity
    sponsor = older_copy(d.sponsors[0], d.key("evil-org"))
    sponsor.doc["issuer"] = sponsor.subject["organization"] = d.did("evil-org")
    sponsor.doc["credentialSubject"]["id"] = boss
    sponsor.doc["id"] = d.world.id("forged")
    d.sponsors.append(sponsor)


def spawned(allowed: bool, parent_may: bool = True) -> Any:
    """The last agent was made by the one above it."""

    def alter(d: Draft) -> None:
        d.identities[2].doc["issuer"] = d.did("retrieval")
        d.identities[2].signer = d.key("retrieval")
        d.identities[2].subject.update(identityModel="child", parent=d.did("retrieval"))
        d.identities[1].subject["spawn"] = parent_may
        for link in d.links:
            link.subject["redelegation"]["spawn"] = allowed

    return alter


def other_org_only(d: Draft) -> None:
    for link in d.links:
        link.subject["redelegation"]["to"] = [d.did("partner")]


def identity(index: int, **members: Any) -> Any:
    def alter(d: Draft) -> None:
        d.identities[index].subject.update(members)

    return alter


def self_issued(d: Draft) -> None:
    d.identities[1].doc["issuer"] = d.did("retrieval")
    d.identities[1].signer = d.key("retrieval")


PATH = [
    Case("no-sponsor-credential", do(sponsors=[]), "rejected", "no-human-root"),
    Case("agent-at-the-root", agent_root, "rejected", "no-human-root"),
    Case("service-at-the-root", service_root, "rejected", "no-human-root"),
    Case("organisation-not-ours", evil_org, "rejected", "root-untrusted"),
    Case("sponsor-credential-forged", forged_sponsor, "rejected", "proof"),
    Case("anchor-not-for-this-human", other_subjects, "rejected", "root-not-authoritative",
         twin=exact_subject),
    Case("older-sponsor-credential", seen_revision(2), "rejected", "sponsor-rollback",
         twin=seen_revision(1)),
    Case("sponsor-two-days", lambda d: d.sponsors[0].doc.update(validUntil=t(172_800)),
         "rejected", "ttl-too-long"),
    Case("grant-too-long", lambda d: d.trust["anchors"][0].update(maxGrantSeconds=1799),
         "rejected", "ttl-too-long", 0,
         twin=lambda d: d.trust["anchors"][0].update(maxGrantSeconds=1800)),
    Case("no-identity-of-the-leaf", lambda d: d.identities.pop(), "rejected",
         "delegate-not-allowed", 2),
    Case("no-identity-of-the-first", lambda d: d.identities.pop(0), "rejected",
         "delegate-not-allowed", 0),
    Case("strangers-key-as-delegate", self_attested_delegate, "rejected",
         "delegate-not-allowed", 2),
    Case("organisation-not-named", other_org_only, "rejected", "delegate-not-allowed", 1),
    Case("identity-forged", lambda d: setattr(d.identities[1], "signer", d.key("mallory")),
         "rejected", "proof", 1),
    Case("identity-suspended", identity(1, lifecycleStatus="suspended"), "rejected",
         "delegate-not-allowed", 1),
    Case("spawned-without-right", spawned(False), "rejected", "spawn-forbidden", 2,
         twin=spawned(True)),
    Case("parent-may-not-spawn", spawned(True, parent_may=False), "rejected", "spawn-forbidden", 2,
         twin=spawned(True)),
    Case("ephemeral-without-end", identity(1, identityModel="ephemeral"), "rejected",
         "id-no-expiry", 1, twin=identity(1, identityModel="ephemeral", expires=t(31 * 86_400))),
    Case("fork-without-parent", identity(1, identityModel="fork"), "rejected",
         "id-no-provenance", 1,
         twin=lambda d: identity(1, identityModel="fork", parent=d.did("research"))(d)),
    Case("identity-by-the-agent-itself", self_issued, "rejected", "id-shared", 1),
]  # fmt: skip


# --- phases 8 and 9: time and status -------------------------------------------------------


def later(seconds: int, **more: Any) -> Any:
    """Verify later, with a list of then."""

    def alter(d: Draft) -> None:
        d.at = d.world.now = T0 + seconds
        d.lists = [list_doc(d.world, **more)]

    return alter


def aged_list(seconds: int) -> Any:
    """A list that is this many seconds old."""

    def alter(d: Draft) -> None:
        d.lists = [list_doc(d.world, valid_from=T0 - seconds, valid_until=T0 + 3600)]

    return alter


def low(d: Draft) -> None:
    d.trust["verifier"]["lowSensitivity"] = ["urn:acme:papers:**"]


def seen_list(seconds: int) -> Any:
    def alter(d: Draft) -> None:
        d.trust["seen"] = {"lists": {LIST: t(seconds)}}

    return alter


def foreign_list(d: Draft) -> None:
    """A list for the same URL by an authority of the attacker's own."""
    forged = older_copy(d.lists[0], d.key("mallory"))
    forged.doc["issuer"] = d.did("mallory")
    d.lists = [forged]


def forged_list(d: Draft) -> None:
    d.lists[0].signer = d.key("mallory")


def stale_but_revoked(d: Draft) -> None:
    d.revoke(d.links[1])
    aged_list(3000)(d)


def bare_leaf(seconds: int) -> Any:
    """The last grant carries no status entry of its own."""

    def alter(d: Draft) -> None:
        del d.links[2].doc["credentialStatus"]
        d.links[2].doc["validUntil"] = t(seconds)

    return alter


def revoked(group: str, index: int, bit: int = 0) -> Any:
    def alter(d: Draft) -> None:
        d.revoke(getattr(d, group)[index], bit)

    return alter


TIME_AND_STATUS = [
    Case("leaf-expired", later(300), "rejected", "expired", 2, twin=later(299)),
    Case("middle-expired", both(doc(1, "validUntil", value=t(200)), doc(2, "validUntil",
         value=t(200)), later(200)), "rejected", "expired", 1),
    Case("not-yet-valid", do(at=T0 - 31), "rejected", "not-yet-valid", 0, twin=do(at=T0 - 30)),
    Case("sponsor-expired", lambda d: d.sponsors[0].doc.update(validFrom=t(-80_000),
         validUntil=t(-1)), "rejected", "expired"),
    Case("identity-expired", lambda d: d.identities[1].doc.update(validFrom=t(-80_000),
         validUntil=t(0)), "rejected", "expired", 1,
         twin=lambda d: d.identities[1].doc.update(validFrom=t(-80_000), validUntil=t(1))),
    Case("middle-link-revoked", revoked("links", 1), "rejected", "revoked", 1),
    Case("middle-link-suspended", revoked("links", 1, 1), "rejected", "suspended", 1),
    Case("ancestor-revoked-for-formatter", revoked("links", 1), "rejected", "revoked", 1, depth=4),
    Case("identity-revoked", revoked("identities", 2), "rejected", "revoked", 2),
    Case("sponsor-revoked", revoked("sponsors", 0), "rejected", "sponsor-gone"),
    Case("sponsor-suspended", revoked("sponsors", 0, 1), "rejected", "sponsor-gone"),
    Case("stale-list-proves-revoked", stale_but_revoked, "rejected", "revoked", 1),
    Case("no-status-list", do(lists=[]), "undecided", "status-missing", 0),
    Case("stale-list", aged_list(301), "undecided", "status-stale", 0, twin=aged_list(300)),
    Case("stale-list-low", both(low, aged_list(3601)), "undecided", "status-stale", 0,
         twin=both(low, aged_list(3600))),
    Case("older-list-than-seen", seen_list(1), "rejected", "status-rollback", 0,
         twin=seen_list(0)),
    Case("list-from-the-future", aged_list(-31), "undecided", "status-unknown", 0,
         twin=aged_list(-30)),
    Case("list-of-another-authority", foreign_list, "undecided", "status-unknown", 0),
    Case("list-forged", forged_list, "rejected", "proof", 0),
    Case("status-stripped", bare_leaf(61), "undecided", "status-missing", 2, twin=bare_leaf(60)),
]  # fmt: skip


# --- phases 10 to 12: invocation, request, obligations -------------------------------------


def parents_credential(d: Draft) -> None:
    """The sub-agent presents its parent's credential with its own key."""
    del d.links[2]


def wrong_key(d: Draft) -> None:
    d.claims["iss"] = d.did("dbquery")
    d.holder = d.key("mallory")


def narrow_sponsor(d: Draft) -> None:
    d.sponsors[0].subject["entitlements"]["grants"] = [
        {"actions": ["doc.write"], "resources": ["urn:acme:drafts:**"]}
    ]


def sponsor_rule(name: str, value: Any) -> Any:
    def alter(d: Draft) -> None:
        d.sponsors[0].subject["entitlements"]["constraints"] = {name: value}

    return alter


def ceiling(grants: Any) -> Any:
    def alter(d: Draft) -> None:
        d.trust["anchors"][0]["ceiling"] = grants

    return alter


def no_ceiling(d: Draft) -> None:
    del d.trust["anchors"][0]["ceiling"]


def rows(number: int) -> Any:
    return lambda d: d.request.update(rows=number)


def audience(name: str) -> Any:
    return lambda d: d.constrain(1, "audience", [d.parties[name].did])


def tools(*actions: str) -> Any:
    return identity(2, toolset=[{"toolName": "t", "actions": list(actions)}])


def signed_for(d: Draft) -> None:
    d.signed_request = copy.deepcopy(d.request)
    d.request["rows"] = 4


def budget(per_action: str, ledger: str = "db") -> Any:
    def alter(d: Draft) -> None:
        rule = {"ledger": d.parties[ledger].did, "unit": "EUR:2", "perAction": per_action,
                "total": "5000"}  # fmt: skip
        d.constrain(1, "budget", rule)
        d.request["amount"] = {"unit": "EUR:2", "value": "100"}

    return alter


def no_ledgers(d: Draft) -> None:
    del d.trust["verifier"]["ledgers"]


def approval(over: str) -> Any:
    def alter(d: Draft) -> None:
        rule = {"threshold": 1, "by": [d.did("ana")], "over": {"unit": "EUR:2", "value": over}}
        d.constrain(1, "approval", rule)
        d.request["amount"] = {"unit": "EUR:2", "value": "100"}

    return alter


TASK = {"id": "T-17", "initiation": "human_request"}

ACT = [
    Case("chain-without-invocation", do(invoked=False), "rejected", "holder-missing"),
    Case("parents-credential", parents_credential, "rejected", "holder-mismatch"),
    Case("invocation-by-another-key", wrong_key, "rejected", "holder-mismatch"),
    Case("invocation-of-another-chain", claim(chain="uEiC6eBa_jwHP6kFBQN4isiOwA2GjlhepyGG0EP9hy"
         "ACVrQ"), "rejected", "holder-mismatch"),
    Case("alg-none", lambda d: d.header.update(alg="none"), "undecided", "suite"),
    Case("alg-hs256", lambda d: d.header.update(alg="HS256"), "undecided", "suite"),
    Case("other-audience", lambda d: d.claims.update(aud=d.did("mallory")), "rejected",
         "audience"),
    Case("audience-of-the-link", audience("org"), "rejected", "audience", 1, twin=audience("db")),
    Case("invocation-too-long", claim(exp=T0 + 121), "rejected", "invocation-expired",
         twin=claim(exp=T0 + 120)),
    Case("invocation-of-the-future", claim(iat=T0 + 31), "rejected", "invocation-expired",
         twin=claim(iat=T0 + 30)),
    Case("invocation-over", claim(iat=T0 - 60, exp=T0), "rejected", "invocation-expired",
         twin=claim(iat=T0 - 60, exp=T0 + 1)),
    Case("formatter-reads-the-db", lambda d: d.ask("db.read", "urn:acme:papers:17"), "rejected",
         "no-grant", 3, depth=4),
    Case("action-nobody-granted", lambda d: d.ask("db.drop", "urn:acme:papers:17"), "rejected",
         "no-grant", 0),
    Case("other-request-signed", signed_for, "rejected", "request-mismatch"),
    Case("501-rows", rows(501), "rejected", "constraint", 2, twin=rows(500)),
    Case("rows-not-said", lambda d: d.request.pop("rows"), "rejected", "constraint", 2),
    Case("argument-not-listed", constrained(1, "arguments", {"customer_id": {"in": ["42"]}},
         arguments={"customer_id": "43"}), "rejected", "constraint", 1,
         twin=constrained(1, "arguments", {"customer_id": {"in": ["42"]}},
                          arguments={"customer_id": "42"})),
    Case("argument-of-another-type", constrained(1, "arguments", {"customer_id": {"in": ["42"]}},
         arguments={"customer_id": 42}), "rejected", "constraint", 1),
    Case("column-not-listed", constrained(1, "columns", ["title", "year"], columns=["iban"]),
         "rejected", "constraint", 1,
         twin=constrained(1, "columns", ["title", "year"], columns=["year"])),
    Case("other-task", constrained(1, "task", TASK, task=TASK | {"id": "T-18"}), "rejected",
         "task-mismatch", 1, twin=constrained(1, "task", TASK, task=TASK)),
    Case("outside-hours", constrained(1, "hours", [["00:00", "00:01"]]), "rejected", "constraint",
         1, twin=constrained(1, "hours", [["00:00", "24:00"]])),
    Case("outside-network", constrained(1, "network", ["10.0.0.0/8"], network="11.0.0.1"),
         "rejected", "constraint", 1,
         twin=constrained(1, "network", ["10.0.0.0/8"], network="10.0.0.1")),
    Case("data-too-sensitive", constrained(1, "dataClass", {"scheme":
         "https://delegant.example/data-class/v1", "max": "internal"}, dataClass="restricted"),
         "rejected", "constraint", 1, twin=constrained(1, "dataClass", {"scheme":
         "https://delegant.example/data-class/v1", "max": "internal"}, dataClass="public")),
    Case("over-budget-per-action", budget("99"), "rejected", "constraint", 1, twin=budget("100")),
    Case("more-than-the-sponsor-may", narrow_sponsor, "rejected", "exceeds-sponsor"),
    Case("more-rows-than-the-sponsor", sponsor_rule("rows", {"max": 2}), "rejected",
         "exceeds-sponsor", twin=sponsor_rule("rows", {"max": 3})),
    Case("more-than-the-anchor-may", ceiling([{"actions": ["doc.*"], "resources":
         ["urn:acme:drafts:**"]}]), "rejected", "exceeds-anchor", twin=ceiling(DB_READ_ONLY)),
    Case("anchor-without-ceiling", no_ceiling, "rejected", "exceeds-anchor"),
    Case("tool-not-declared", tools("doc.write"), "rejected", "tool-not-in-toolset", 2,
         twin=tools("db.*")),
    Case("approval-needed", approval("99"), "undecided", "approval-missing", 1,
         twin=approval("100")),
    Case("no-ledger-here", both(budget("100"), no_ledgers), "undecided", "no-ledger", 1,
         twin=budget("100")),
    Case("anothers-ledger", budget("100", "org"), "undecided", "ledger-foreign", 1,
         twin=budget("100")),
    Case("bundle-for-another-need", do(need="db.read:urn:acme:papers:18"), "rejected",
         "request-mismatch"),
]  # fmt: skip

__all__ = ["ACT", "PATH", "TIME_AND_STATUS", "Doc", "setter"]

"""What must pass: honest chains of every length, form and constraint, and their relatives.

A verifier that refuses everything is safe and useless; these say what it must not refuse. Most
refusals of the other groups have one of these as their twin.
"""

from __future__ import annotations

import copy
from typing import Any

from altered import claim, do
from altered_evidence import budget, spawned
from delegant.credentials import did, digest
from draft import Draft, unsigned
from limbo.crafts import (
    WEB,
    before,
    chain,
    finished,
    forms,
    long_chain,
    members,
    retoken,
    subject,
    under,
)
from limbo.forge import Alter, Case, nothing

NUMBER = {1: "one", 2: "two", 3: "three", 4: "four"}
SCHEME = "https://delegant.example/data-class/v1"


def _yes(name: str, description: str, alter: Alter = nothing, **more: Any) -> Case:
    return Case(f"happy::{name}", description, alter, **({"importance": "medium"} | more))


# --- lengths and forms ---------------------------------------------------------------------

HONEST = [
    _yes(
        f"honest::{NUMBER[n]}-link{'s' * (n > 1)}",
        f"The honest chain of {n} link(s), presented by its holder; the base of most edits.",
        depth=n,
        importance="high",
    )
    for n in NUMBER
]

LONG = [
    _yes(f"long::{n}-links", f"A human, and {n} agents in one line; ten links are the default "
         "limit.", long_chain(n), depth=1)
    for n in range(2, 11)
]  # fmt: skip


def _form(mask: int) -> Case:
    where = [f"link-{i}" for i in range(3) if mask >> i & 1]
    name = "".join("j" if f"link-{i}" in where else "d" for i in range(3))
    return _yes(f"form::links-{name}", "Links as eddsa-jcs-2022 (d) and as vc+jwt (j), root "
                "first; one chain may mix them.", forms(*where), depth=3,
                features=("vc+jwt",))  # fmt: skip


FORMS = [_form(mask) for mask in range(1, 8)] + [
    _yes(f"form::{where}-jwt", f"The {where} of the evidence as vc+jwt.", forms(f"{where}-0"),
         features=("vc+jwt",))
    for where in ("sponsor", "identity", "list")
] + [
    _yes("form::leaf-jwt", "Two links, the last one as vc+jwt.", forms("link-1"),
         features=("vc+jwt",)),
    _yes("form::all-jwt", "Every credential, link or evidence, as vc+jwt.",
         forms("link-0", "link-1", "sponsor-0", "identity-0", "identity-1", "list-0"),
         features=("vc+jwt",)),
]  # fmt: skip


# --- constraints ---------------------------------------------------------------------------

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "purpose": (["review", "audit"], {"purpose": "audit"}),
    "task": ({"id": "T-17", "initiation": "schedule"},
             {"task": {"id": "T-17", "initiation": "schedule"}}),
    "task-narrowed": ({"id": "T-17", "initiation": "human_request"},
                      {"task": {"id": "T-17", "initiation": "agent_decision"}}),
    "rows": ({"max": 3}, {}),
    "rows-none-asked": ({"max": 0}, {"rows": 0}),
    "bytes": ({"max": 4096}, {"bytes": 4096}),
    "columns": (["title", "year"], {"columns": ["year"]}),
    "argument-eq": ({"q": {"eq": "x"}}, {"arguments": {"q": "x"}}),
    "argument-eq-true": ({"q": {"eq": True}}, {"arguments": {"q": True}}),
    "argument-in": ({"q": {"in": [1, "1", True]}}, {"arguments": {"q": "1"}}),
    "argument-range": ({"q": {"range": {"min": -5, "max": 5}}}, {"arguments": {"q": -5}}),
    "argument-range-money": ({"q": {"range": {"min": "0", "max": "99999999999999999999"}}},
                             {"arguments": {"q": "99999999999999999999"}}),
    "argument-beside-free-ones": ({"q": {"eq": 1}}, {"arguments": {"q": 1, "other": "free"}}),
    "data-class": ({"scheme": SCHEME, "max": "internal"}, {"dataClass": "internal"}),
    "hours": ([["00:00", "24:00"]], {}),
    "network": (["10.0.0.0/8"], {"network": "10.255.255.255"}),
    "network-v6": (["2001:db8::/32"], {"network": "2001:db8::1"}),
    "network-of-one": (["192.0.2.7/32"], {"network": "192.0.2.7"}),
}  # fmt: skip


def kind_of(name: str) -> str:
    """The constraint's own name."""
    head = name.split("-", maxsplit=1)[0]
    return {"argument": "arguments", "data": "dataClass"}.get(head, head)


def _kind(name: str) -> Case:
    value, facts = KINDS[name]
    kind = kind_of(name)

    def alter(d: Draft) -> None:
        d.constrain(1, kind, value)
        d.request |= facts

    return _yes(f"constraint::{name}", f"A constraint on {kind} which the request keeps.", alter,
                spec="DESIGN: constraints")  # fmt: skip


def _audience(d: Draft) -> None:
    d.constrain(1, "audience", [d.did("mallory"), d.parties["db"].did])


def _rate(d: Draft) -> None:
    rule = {"ledger": d.parties["db"].did, "count": 10, "periodSeconds": 60}
    d.constrain(1, "rate", rule)


def _approval(d: Draft) -> None:
    rule = {"threshold": 1, "by": [d.did("ana")], "over": {"unit": "EUR:2", "value": "100"}}
    d.constrain(1, "approval", rule)
    d.request["amount"] = {"unit": "EUR:2", "value": "100"}


def _all_kinds(d: Draft) -> None:
    for name in ("purpose", "task", "bytes", "columns", "argument-in", "data-class", "network"):
        value, facts = KINDS[name]
        d.constrain(0, kind_of(name), value)
        d.request |= facts
    _audience(d)
    budget("100")(d)


CONSTRAINTS = [_kind(name) for name in KINDS] + [
    _yes("constraint::audience", "The verifier is one of the link's audiences.", _audience),
    _yes("constraint::budget", "An amount up to what one action may cost.", budget("100")),
    _yes("constraint::rate", "A rate in a ledger this verifier keeps.", _rate),
    _yes("constraint::approval-not-needed", "An amount up to which nobody need approve.",
         _approval),
    _yes("constraint::all-restated", "Nine kinds from the first link on, restated by each.",
         _all_kinds, depth=4 - 1),
    _yes("constraint::sponsor-allows", "The human's own entitlements carry a constraint, kept.",
         lambda d: d.sponsors[0].subject["entitlements"].update(constraints={"rows": {"max": 3}})),
]  # fmt: skip


# --- DIDs ----------------------------------------------------------------------------------


def _jwk(d: Draft) -> None:
    subject(1, did.from_key(d.key("retrieval").public, "jwk"))(d)


def _jwk_middle(d: Draft) -> None:
    name = did.from_key(d.key("research").public, "jwk")
    subject(0, name)(d)
    under("link-1", lambda _d: f"{name}#0")(d)


def _web_leaf(d: Draft) -> None:
    subject(1, WEB, pin=d.key("retrieval").public.multikey)(d)


def _web_middle(d: Draft) -> None:
    subject(0, WEB, pin=d.key("research").public.multikey)(d)


def rename_ana(d: Draft, name: str) -> None:
    """Give Ana another DID, everywhere."""
    old = d.did("ana")

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value) for value in node]
        return name if node == old else node

    for one in (*d.links, *d.sponsors, *d.identities):
        one.doc = walk(one.doc)


def _web_human(d: Draft) -> None:
    rename_ana(d, "did:web:acme.example:people:ana")
    d.sponsors[0].subject["key"] = d.key("ana").public.multikey
    d.trust["anchors"][0]["subjects"] = ["did:web:acme.example:people:**"]


def rename_org(d: Draft, name: str, *keys: str) -> None:
    """Give the organisation another DID, with these keys at the anchor."""
    old = d.parties["org"].did
    text = {"id": name}
    for link in d.links:
        link.subject["sponsor"]["organization"] = name
        link.subject["redelegation"]["to"] = [name]
    for one in d.identities:
        one.subject["sponsor"]["organization"] = name
        one.subject["deployer"] = name
    d.sponsors[0].doc["issuer"] = d.sponsors[0].subject["organization"] = name
    anchor = d.trust["anchors"][0]
    assert anchor["id"] == old
    anchor.update(text, keys=[d.key(k).public.multikey for k in keys])


def _web_org(d: Draft) -> None:
    rename_org(d, "did:web:acme.example", "org")


def _rotated(d: Draft) -> None:
    rename_org(d, "did:web:acme.example", "org-new", "org")


def _web_authority(d: Draft) -> None:
    name = "did:web:status.acme.example"
    d.sponsors[0].subject["status"]["authority"] = name
    d.lists[0].doc["issuer"] = name


def _pinned_human(d: Draft) -> None:
    """Ana is an anchor herself; no organisation stands between."""
    ana = d.did("ana")
    anchor = {k: v for k, v in d.trust["anchors"][0].items() if k != "subjects"}
    d.trust["anchors"] = [anchor | {"id": ana, "keys": [d.key("ana").public.multikey]}]
    d.sponsors = []
    for link in d.links:
        link.subject["sponsor"]["organization"] = ana
        link.subject["redelegation"]["to"] = [ana]
    for one in d.identities:
        one.subject["sponsor"]["organization"] = ana
    d.lists[0].doc["issuer"] = ana
    d.lists[0].signer = d.key("ana")


DIDS = [
    _yes("did::jwk-leaf", "The last agent is a did:jwk.", _jwk, features=("did:jwk",)),
    _yes("did::jwk-middle", "The first agent is a did:jwk.", _jwk_middle, features=("did:jwk",)),
    _yes("did::web-leaf", "The last agent is a did:web whose key link and identity pin.",
         _web_leaf, features=("did:web",)),
    _yes("did::web-middle", "The first agent is a did:web whose key link and identity pin.",
         _web_middle, features=("did:web",)),
    _yes("did::web-human", "The human is a did:web whose key the sponsor credential pins.",
         _web_human, features=("did:web",)),
    _yes("did::web-organisation", "The organisation is a did:web whose key the trust folder "
         "pins.", _web_org, features=("did:web",)),
    _yes("did::organisation-with-two-keys", "The organisation's trusted keys are a new one and "
         "the one that signed.", _rotated, features=("did:web",)),
    _yes("did::web-status-authority", "The status authority is a did:web whose key the sponsor "
         "credential states.", _web_authority, features=("did:web",)),
    _yes("did::human-pinned-directly", "The human is an anchor; no sponsor credential is needed.",
         _pinned_human),
]  # fmt: skip


# --- the path ------------------------------------------------------------------------------


def _mandate(d: Draft) -> None:
    d.delegation(0)["use"] = "mandate"


def colleague(d: Draft, organization: str = "org") -> None:
    """The last agent answers to another human, Bea, of an organisation that we trust too."""
    bea = d.world.human("bea")
    assert bea.credential is not None
    sponsor = unsigned(bea.credential.secured, d.key("org"))
    d.sponsors.append(sponsor)
    identity = d.identities[-1]
    identity.doc["issuer"] = bea.did
    identity.signer = bea.key
    for index, entry in enumerate(identity.doc["credentialStatus"]):
        assert bea.lease is not None
        entry["statusListIndex"] = str(bea.lease.start + index)
    identity.subject["sponsor"]["id"] = bea.did
    if organization != "org":
        name = d.did(organization)
        identity.subject["sponsor"]["organization"] = name
        sponsor.doc["issuer"] = sponsor.subject["organization"] = name
        sponsor.signer = d.key(organization)
        anchor = copy.deepcopy(d.trust["anchors"][0])
        anchor |= {"id": name, "keys": [d.key(organization).public.multikey]}
        d.trust["anchors"].append(anchor)


def partner(d: Draft) -> None:
    """The same, and her organisation is a partner's, which every delegator named."""
    colleague(d, "partner")
    for link in d.links:
        link.subject["redelegation"]["to"].append(d.did("partner"))


PATH = [
    _yes("path::grant-under-mandate", "The first link is a mandate: it may only hand on, and "
         "does.", _mandate),
    _yes("path::agent-of-a-colleague", "The last agent answers to another human of the same "
         "organisation.", colleague),
    _yes("path::agent-of-a-partner", "The last agent answers to a human of another trusted "
         "organisation, which the delegator named.", partner),
    _yes("path::child-agent", "The last agent was made by the one above it, with the right to.",
         spawned(True), depth=3),
    _yes("path::two-anchors", "The verifier trusts another organisation as well.",
         lambda d: d.trust["anchors"].append({"id": d.did("other"),
                                              "keys": [d.key("other").public.multikey]})),
]  # fmt: skip


# --- what is not about this chain ----------------------------------------------------------


def _more(group: str, change: Any = None) -> Alter:
    def edit(bundle: dict[str, Any]) -> None:
        items = bundle["evidence"][group]
        items.append(copy.deepcopy(items[0]) if change is None else change(copy.deepcopy(items[0])))

    return finished(edit)


def _about(name: str) -> Any:
    def change(item: Any) -> Any:
        item["credentialSubject"]["id"] = name
        return item

    return change


def _junk(item: Any) -> Any:
    return {"credentialSubject": {"id": "did:key:nobody"}, "hello": item["id"]}


EVIDENCE = [
    _yes("evidence::reversed", "Every list of the evidence in the other order.", finished(
         lambda b: [items.reverse() for items in b["evidence"].values()])),
    *(_yes(f"evidence::{group.lower()}-doubled", f"An item of {group} stands twice.", _more(group))
      for group in ("sponsors", "identities", "statusLists")),
    _yes("evidence::about-others", "A sponsor credential and an identity about somebody else, "
         "their signatures broken: nobody's business here.",
         chain(_more("sponsors", _about("did:key:z6Mkother")),
               _more("identities", _about("did:key:z6Mkother")))),
    _yes("evidence::no-credential-at-all", "An object about nobody among the identities.",
         _more("identities", _junk)),
    _yes("evidence::list-of-another-url", "A status list that no credential here names.",
         _more("statusLists", lambda item: item | {"id": "https://other.example/status/9"})),
    _yes("evidence::did-documents", "DID documents come along; no method needs them.", finished(
         lambda b: b["evidence"].update(documents=[{"id": WEB, "verificationMethod": []}]))),
]  # fmt: skip


def _facts(d: Draft) -> None:
    d.request |= {
        "purpose": "review",
        "method": "GET",
        "uri": "/papers/17?full=1",
        "bodyDigest": digest(b""),
        "network": "192.0.2.1",
        "arguments": {"q": "agents", "limit": 5, "deep": False},
        "amount": {"unit": "EUR:2", "value": "0"},
    }


REQUESTS = [
    _yes("request::facts-nobody-limits", "Facts in the request that no link constrains.", _facts),
    _yes("request::nonce-answered", "The invocation carries the nonce that was asked for.",
         chain(do(nonce="n-1"), claim(nonce="n-1"))),
    _yes("request::nonce-unasked", "The invocation carries a nonce nobody asked for.",
         claim(nonce="n-1")),
    _yes("request::approvals-along", "Approvals come along that nothing here needs.", finished(
         lambda b: b["presentation"].update(approvals=[b["presentation"]["invocation"]]))),
    _yes("request::two-minutes", "An invocation that lives for the longest time.",
         lambda d: d.claims.update(exp=d.at + 120)),
    _yes("request::leaf-narrowed", "The last link names just the paper asked for.",
         before("link-1", lambda doc: doc["credentialSubject"]["delegation"].update(
             grants=[{"actions": ["db.read"], "resources": ["urn:acme:papers:17"]}]))),
    _yes("request::ed25519-as-alg", "The invocation says Ed25519 (RFC 9864) and not EdDSA.",
         retoken("invocation", members(alg="Ed25519"))),
]  # fmt: skip


CASES: list[Case] = [*HONEST, *LONG, *FORMS, *CONSTRAINTS, *DIDS, *PATH, *EVIDENCE, *REQUESTS]
__all__ = ["CASES", "rename_ana", "rename_org"]

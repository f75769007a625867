"""A bundle taken apart before it is signed, so that one thing can be altered and the rest re-made.

The issuer refuses to sign what would not verify; an attacker's does not. `Draft` holds the
unsigned documents of an honest bundle; a case edits them, and `Draft.build` signs everything in
order, each link naming the digest of the one before it, as a dishonest issuer would.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from delegant.credentials import Error, PrivateKey, Request, canonical, digest
from delegant.credentials import did as did_
from delegant.credentials.codec import b64u_encode
from delegant.credentials.envelope import secure, unpack
from delegant.credentials.jose import sign as sign_jws
from delegant.credentials.shape import format_time, time
from world import LIST, World, research_chain

NEED = "db.read:urn:acme:papers:17"


@dataclass
class Doc:
    """One unsigned credential, who signs it, and in which form."""

    doc: dict[str, Any]
    signer: PrivateKey
    form: str = "di"
    after: Callable[[Any], Any] = lambda raw: raw
    """Applied to the signed object or token."""

    @property
    def subject(self) -> dict[str, Any]:
        """The subject's block."""
        (block,) = (v for k, v in self.doc["credentialSubject"].items() if k != "id")
        return block  # type: ignore[no-any-return]

    def sign(self) -> Any:
        """The secured form."""
        issuer = self.doc["issuer"]
        name = issuer if isinstance(issuer, str) else "did:key:z6Mk"
        method = did_.vm_of(did_.Did(name)) if name.startswith("did:key:") else f"{name}#k"
        try:
            created = time(self.doc.get("validFrom"), "validFrom")
        except Error:
            created = 1_790_000_000
        return self.after(secure(self.doc, self.signer, method, created, self.form).raw)  # type: ignore[arg-type]


@dataclass
class Feed:
    """The payload of a token that is no credential, who signs it, and of which kind it is."""

    doc: dict[str, Any]
    signer: PrivateKey
    typ: str = "revocation-feed+jwt"
    kid: str = ""
    after: Callable[[str], Any] = lambda token: token

    def sign(self) -> Any:
        """The compact JWS."""
        name = str(self.doc.get("issuer", "did:key:z6Mk"))
        own = did_.vm_of(did_.Did(name)) if name.startswith("did:key:") else f"{name}#k"
        return self.after(sign_jws(self.doc, self.signer, self.typ, self.kid or own))


@dataclass
class Given:
    """One approval of a draft: whose, and where it differs from an honest one.

    ``claims`` and ``header`` replace members, ``...`` leaves one out; ``key`` is the name of
    whoever signs, else ``by`` does; ``name`` another DID than ``by``'s did:key.
    """

    by: str
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    name: str = ""
    after: Callable[[str], Any] = lambda token: token

    def sign(self, d: Draft, leaf: Any) -> Any:
        """The compact JWS."""
        name = self.name or d.did(self.by)
        own = {"iss": name, "aud": d.parties["db"].did, "iat": d.at, "exp": d.at + 900,
               "jti": f"a-{self.by}", "chain": unpack(leaf).digest,
               "request": digest(canonical(d.request))}  # fmt: skip
        embeds = name.startswith(("did:key:", "did:jwk:"))
        kid = did_.vm_of(did_.Did(name)) if embeds else f"{name}#k"
        head = {"alg": "EdDSA", "kid": kid, "typ": "agent-approval+jwt"}
        message = ".".join(
            b64u_encode(canonical({k: v for k, v in (one | changed).items() if v is not ...}))
            for one, changed in ((head, self.header), (own, self.claims))
        )
        signed = d.key(self.key or self.by).sign(message.encode())
        return self.after(f"{message}.{b64u_encode(signed)}")


@dataclass
class Draft:
    """An honest presentation of dbquery to the database, open for alteration."""

    world: World
    links: list[Doc]
    sponsors: list[Doc]
    identities: list[Doc]
    lists: list[Doc]
    trust: dict[str, Any]
    request: dict[str, Any]
    claims: dict[str, Any]
    holder: PrivateKey
    at: int
    header: dict[str, Any] = field(default_factory=dict)
    relink: bool = True
    invoked: bool = True
    need: str = NEED
    signed_request: dict[str, Any] | None = None
    last: Callable[[dict[str, Any]], Any] = lambda bundle: bundle
    raw: Callable[[bytes], bytes] = lambda data: data
    invocation_after: Callable[[str], Any] = lambda token: token
    nonce: str | None = None
    """What the verifier asked for."""
    approvals: list[Given] = field(default_factory=list)
    feeds: list[Feed] = field(default_factory=list)
    documents: list[Any] = field(default_factory=list)
    bytes_after: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    """By ``presentation`` or ``evidence``: applied to its finished bytes."""

    @property
    def parties(self) -> dict[str, Any]:
        """By name: ana, research, retrieval, dbquery, formatter, org, status-authority, db."""
        return self.world.parties

    def key(self, name: str) -> PrivateKey:
        """The key of a party, old or new."""
        return self.world._key(name)

    def did(self, name: str) -> str:
        """The did:key of a party, old or new."""
        return did_.from_key(self.key(name).public)

    def delegation(self, index: int) -> dict[str, Any]:
        """The delegation block of a link."""
        return self.links[index].subject

    def constrain(self, first: int, name: str, value: Any) -> None:
        """Put a constraint on a link and, restated, on all below it."""
        for link in self.links[first:]:
            link.subject.setdefault("constraints", {})[name] = copy.deepcopy(value)

    def grant_all(self, action: str, resource: str) -> None:
        """One more grant in every link."""
        for link in self.links:
            link.subject["grants"].append({"actions": [action], "resources": [resource]})

    def ask(self, action: str, resource: str, **facts: Any) -> None:
        """Another request."""
        self.request = {"action": action, "resource": resource, "rows": 3, **facts}
        self.need = f"{action}:{resource}"

    def revoke(self, entry_of: Doc, bit: int = 0) -> None:
        """Set the revocation (0) or suspension (1) bit of a credential in the list."""
        index = int(entry_of.doc["credentialStatus"][0]["statusListIndex"]) + bit
        self.world.revoked.add(index)
        self.lists = [list_doc(self.world)]

    def add_link(self, name: str, **edits: Any) -> None:
        """One more link, from the present leaf to somebody new (or to ``name``)."""
        leaf = self.links[-1]
        doc = copy.deepcopy(leaf.doc)
        doc["issuer"] = doc["credentialSubject"]["id"]
        doc["credentialSubject"]["id"] = self.did(name)
        doc["id"] = self.world.id(f"extra/{name}")
        block = doc["credentialSubject"]["delegation"]
        block["depth"] += 1
        block["parent"] = {}
        block["redelegation"] = {**block["redelegation"], "remaining": 0} | edits
        block["redelegation"].pop("status", None)
        doc.pop("credentialStatus", None)
        doc["validUntil"] = format_time(self.world.now + 60)
        self.links.append(Doc(doc, self.holder))
        self.holder = self.key(name)

    def build(self) -> tuple[bytes, bytes]:
        """The bundle's bytes and the trust folder's bytes."""
        data = json.dumps(self.finished(), ensure_ascii=False).encode("utf-8", "surrogatepass")
        return self.raw(data), canonical(self.trust)

    def finished(self) -> Any:
        """The bundle, everything signed."""
        links: list[Any] = []
        for index, link in enumerate(self.links):
            if self.relink and index and "parent" in link.subject:
                before = unpack(links[-1])
                link.subject["parent"] = {
                    "id": before.document["id"],
                    "digestMultibase": before.digest,
                }
            links.append(link.sign())
        presentation: dict[str, Any] = {"links": links}
        if self.invoked:
            presentation["invocation"] = self.invocation_after(self._invoke(links[-1]))
        if self.approvals:
            presentation["approvals"] = [one.sign(self, links[-1]) for one in self.approvals]
        bundle = {
            "presentation": presentation,
            "request": self.request,
            "evidence": {
                name: [doc.sign() if isinstance(doc, Doc | Feed) else doc for doc in docs]
                for name, docs in (
                    ("sponsors", self.sponsors),
                    ("identities", self.identities),
                    ("statusLists", self.lists),
                    ("feeds", self.feeds),
                    ("documents", self.documents),
                )
                if docs
            },
        }
        return self.last(bundle)

    def _invoke(self, leaf: Any) -> str:
        asked = self.signed_request or self.request
        try:
            asked_digest = Request.from_json(asked).digest
        except Error:
            asked_digest = digest(b"not a request")
        name = did_.from_key(self.holder.public)
        claims = {
            "iss": name,
            "aud": self.parties["db"].did,
            "iat": self.at,
            "exp": self.at + 60,
            "jti": "j-1",
            "chain": unpack(leaf).digest,
            "request": asked_digest,
        } | self.claims
        claims = {k: v for k, v in claims.items() if v is not None}
        if "alg" in self.header:
            return odd_jws(claims, self.header["alg"], did_.vm_of(did_.Did(claims["iss"])))
        kid = self.header.get("kid", did_.vm_of(did_.Did(claims["iss"])))
        return sign_jws(claims, self.holder, self.header.get("typ", "agent-invocation+jwt"), kid)


def odd_jws(claims: dict[str, Any], alg: str, kid: str) -> str:
    """A token with another algorithm in its header; its signature is 64 zero bytes."""
    head = canonical({"alg": alg, "typ": "agent-invocation+jwt", "kid": kid})
    return f"{b64u_encode(head)}.{b64u_encode(canonical(claims))}.{b64u_encode(bytes(64))}"


def unsigned(secured: Any, signer: PrivateKey) -> Doc:
    """A credential's document, ready to be edited and signed again."""
    return Doc(copy.deepcopy(secured.document), signer)


def list_doc(world: World, **changes: Any) -> Doc:
    """The world's status list as a document."""
    return unsigned(world.status_list(**changes).secured, world.status.key)


def draft(depth: int = 3) -> Draft:
    """The honest bundle: the first ``depth`` links of the research chain, presented to the db."""
    world = World()
    links, parties = research_chain(world)
    signers = [parties["ana"], *parties.values()][0:1] + list(parties.values())[1:]
    ana, *agents = list(parties.values())
    del signers
    issuers = [ana, *agents][:depth]
    holder = agents[depth - 1]
    asked = {"action": "db.read", "resource": "urn:acme:papers:17", "rows": 3}
    need = NEED
    if depth == 4:
        asked = {"action": "doc.write", "resource": "urn:acme:drafts:1", "rows": 0}
        need = "doc.write:urn:acme:drafts:1"
    assert ana.credential is not None
    return Draft(
        world,
        [unsigned(link.secured, by.key) for link, by in zip(links, issuers, strict=False)],
        [unsigned(ana.credential.secured, world.org.key)],
        [unsigned(a.identity.secured, ana.key) for a in agents[:depth] if a.identity],
        [list_doc(world)],
        copy.deepcopy(world.trust_json),
        asked,
        {},
        holder.key,
        world.now,
        need=need,
    )


__all__ = ["LIST", "NEED", "Doc", "Draft", "Given", "draft", "list_doc", "unsigned"]

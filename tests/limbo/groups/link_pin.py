"""Whose key is it: a DID that is no key is pinned from above, a did:key or did:jwk is its own."""

from __future__ import annotations

import copy
import json
from typing import Any

from altered import SECP, WEAK, both, setter
from altered import block as delegation
from delegant.credentials import PrivateKey, canonical, did
from delegant.credentials.codec import b58_encode, b64u_encode
from delegant.credentials.did import Did
from delegant.credentials.envelope import secure
from delegant.credentials.shape import time
from draft import Doc, Draft
from limbo.crafts import forms, subject
from limbo.forge import Alter, stapled
from limbo.rows import accepted, group, malformed, rejected, undecided

BOT = "did:web:agents.example:retrieval"
ANA = "did:web:acme.example:people:ana"
AGENT: dict[str, Any] = {"twin": "agent-by-web-name", "features": ("did:web",)}
MIDDLE: dict[str, Any] = {"twin": "middle-by-web-name", "features": ("did:web",), "depth": 3}
HUMAN: dict[str, Any] = {"twin": "human-by-web-name", "features": ("did:web",)}
JWK: dict[str, Any] = {"twin": "agent-by-jwk", "features": ("did:jwk",)}
X25519 = "z" + b58_encode(b"\xec\x01" + bytes(range(32)))
SHORT = "z" + b58_encode(b"\xed\x01" + bytes(range(31)))


def multikey(name: str) -> Any:
    return lambda d: d.key(name).public.multikey


def agent(link: Any = ..., identity: Any = ..., index: int = 1) -> Alter:
    """The agent by a web name; link and identity pin its key, these, or (None) no key at all."""

    def alter(d: Draft) -> None:
        own = ("research", "retrieval", "dbquery")[index]
        subject(index, BOT, pin=d.key(own).public.multikey)(d)
        for doc, pin in ((d.links[index], link), (d.identities[index], identity)):
            if pin is None:
                del doc.subject["key"]
            elif pin is not ...:
                doc.subject["key"] = pin(d) if callable(pin) else pin

    return alter


def both_pin(pin: Any) -> Alter:
    return agent(pin, pin)


def both_block(name: str) -> Alter:
    """Link and identity of a did:key pin somebody's key."""

    def alter(d: Draft) -> None:
        for one in (d.links[1], d.identities[1]):
            one.subject["key"] = d.key(name).public.multikey

    return alter


def human(pin: Any = ...) -> Alter:
    """Ana by a web name, whose key the sponsor credential pins (or this one, or none)."""

    def alter(d: Draft) -> None:
        sponsor, (first, *_), own = d.sponsors[0], d.links, d.key("ana").public.multikey
        sponsor.doc["credentialSubject"]["id"] = first.doc["issuer"] = ANA
        for doc in (*d.links, *d.identities):
            doc.subject["sponsor"]["id"] = ANA
        for identity in d.identities:
            identity.doc["issuer"] = ANA
        d.trust["anchors"][0]["subjects"] = ["did:web:acme.example:people:**"]
        if pin is not None:
            sponsor.subject["key"] = own if pin is ... else pin(d) if callable(pin) else pin

    return alter


def revoked_key(d: Draft) -> None:
    """The human's key is pinned anew by the next revision: the old link no longer holds."""
    human()(d)
    newer = Doc(copy.deepcopy(d.sponsors[0].doc), d.sponsors[0].signer)
    newer.doc["id"] = d.world.id("sponsor/ana/2")
    newer.subject.update(revision=2, key=d.key("ana-2").public.multikey)
    d.sponsors.append(newer)


def web_document(d: Draft) -> dict[str, Any]:
    return {**did.document(Did(d.did("retrieval"))), "id": BOT}


def documented(d: Draft) -> None:
    """A DID document in the evidence in place of a pin."""
    agent(None, None)(d)
    stapled("documents", value=[web_document(d)])(d)


class Named(Doc):
    """Signed with the method that the issuer's DID has, whatever its method; or another."""

    fragment = ""

    def sign(self) -> Any:
        """The secured form."""
        issuer = self.doc["issuer"]
        method = issuer + self.fragment if self.fragment else did.vm_of(Did(issuer))
        created = time(self.doc["validFrom"], "validFrom")
        return self.after(secure(self.doc, self.signer, method, created, self.form).raw)  # type: ignore[arg-type]


def jwk_did(key: PrivateKey, **members: Any) -> str:
    return f"did:jwk:{b64u_encode(canonical(key.public.jwk | members))}"


def by_jwk(name: Any = jwk_did, fragment: str = "") -> Alter:
    """Research, in the middle of two links, by did:jwk."""

    def alter(d: Draft) -> None:
        subject(0, name(d.key("research")))(d)
        child = Named(d.links[1].doc, d.links[1].signer)
        child.fragment = fragment
        d.links[1] = child

    return alter


def all_by_jwk(d: Draft) -> None:
    """Everybody by did:jwk."""
    names = {
        d.did(name): str(did.from_key(d.key(name).public, "jwk"))
        for name in ("org", "ana", "research", "retrieval", "status-authority", "db")
    }

    def renamed(value: Any) -> Any:
        text = json.dumps(value)
        for old, new in names.items():
            text = text.replace(old, new)
        return json.loads(text)

    for docs in (d.links, d.sponsors, d.identities, d.lists):
        docs[:] = [Named(renamed(one.doc), one.signer) for one in docs]
    d.trust = renamed(d.trust)
    d.trust["anchors"][0]["subjects"] = ["did:jwk:**"]
    d.claims |= {"iss": names[d.did("retrieval")], "aud": names[d.did("db")]}


def sponsor_key(d: Draft) -> None:
    d.sponsors[0].subject["key"] = d.key("ana").public.multikey


def same_key(name: str) -> Alter:
    """The agent by web name has the key of another party."""

    def alter(d: Draft) -> None:
        subject(1, BOT, key=d.key(name), pin=d.key(name).public.multikey)(d)

    return alter


def spoofed_method(method: str) -> Alter:
    """The middle agent's own signature, under a method name that is not its DID's."""

    def alter(d: Draft) -> None:
        agent(index=1)(d)
        d.links[2].after = setter("proof", "verificationMethod", value=method)

    return alter


def invoked_as(kid: str) -> Alter:
    return both(agent(), lambda d: d.header.update(kid=kid))


PINS = [
    accepted("key-itself", "Everybody by did:key: nothing to pin."),
    accepted("agent-by-web-name", "Link and identity pin the agent's key, equal.", agent(),
             features=("did:web",)),
    accepted("agent-by-web-name-as-jwt", "The same, as vc+jwt.", both(agent(), forms("link-1")),
             features=("did:web", "vc+jwt")),
    accepted("middle-by-web-name", "The middle agent, pinned above, delegates on.",
             agent(index=1), depth=3, features=("did:web",)),
    undecided("no-pin", "Neither link nor identity pins a key for a web name.", agent(None, None),
              "key-unresolved", 1, importance="critical", origin="CVE-2024-42350", **AGENT),
    undecided("pinned-by-identity-only", "The link, which gives the authority, pins none.",
              agent(link=None), "key-unresolved", 1, **AGENT),
    undecided("pinned-by-document-only", "A DID document in the evidence supplies no key.",
              documented, "key-unresolved", 1, importance="critical", **AGENT),
    undecided("first-without-pin", "The first agent's signature has no key to check with.",
              agent(None, None, index=0), "key-unresolved", 1, importance="critical",
              twin="first-by-web-name", features=("did:web",)),
    accepted("first-by-web-name", "The first agent, pinned by link and identity, delegates on.",
             agent(index=0), features=("did:web",)),
    undecided("middle-without-pin", "The middle agent's signature has no key to check with.",
              agent(None, None, index=1), "key-unresolved", 2, importance="critical", **MIDDLE),
    rejected("pinned-by-link-only", "The identity pins none.", agent(identity=None),
             "did-key-mismatch", 1, **AGENT),
    rejected("link-pins-another", "The link pins a stranger's key, the identity the agent's.",
             agent(link=multikey("mallory")), "did-key-mismatch", 1, **AGENT),
    rejected("identity-pins-another", "The identity pins a stranger's key, the link the agent's.",
             agent(identity=multikey("mallory")), "did-key-mismatch", 1, **AGENT),
    rejected("holder-not-the-pinned", "Both pin another key than the holder signs with.",
             both_pin(multikey("mallory")), "holder-mismatch", importance="critical", **AGENT),
    rejected("middle-not-the-pinned", "The middle agent signs with another key than is pinned.",
             agent(multikey("mallory"), multikey("mallory"), index=1), "proof", 2,
             importance="critical", origin="CVE-2024-41949", **MIDDLE),
    rejected("method-of-another-name", "Signed as a key of another web name.",
             spoofed_method("did:web:agents.example:other#k"), "did-key-mismatch", 2, **MIDDLE),
    rejected("method-of-a-longer-name", "Signed as a key of a name that begins alike.",
             spoofed_method(f"{BOT}:deputy#k"), "did-key-mismatch", 2, **MIDDLE),
    rejected("method-without-fragment", "Signed as the DID itself, which is no key.",
             spoofed_method(BOT), "did-key-mismatch", 2, **MIDDLE),
    rejected("invoked-as-a-longer-name", "The invocation's kid begins like the holder's.",
             invoked_as(f"{BOT}:deputy#k"), "holder-mismatch", **AGENT),
    rejected("pinned-weak", "The pinned key is a small-order point: anybody signs for it.",
             both_pin(WEAK[8:]), "key-weak", 1, importance="critical", **AGENT),
    undecided("pinned-secp256k1", "The pinned key is of another kind.", both_pin(SECP[8:]),
              "suite", 1, **AGENT),
    undecided("pinned-x25519", "The pinned key is for agreeing on keys, not for signing.",
              both_pin(X25519), "suite", 1, **AGENT),
    malformed("pinned-short", "The pinned key has 31 bytes.", both_pin(SHORT), "encoding", 1,
              **AGENT),
    malformed("pinned-not-base58", "The pinned key has a letter base58 has not.",
              both_pin("z6Mk0OIl"), "encoding", 1, **AGENT),
    malformed("pinned-base64url", "The pinned key is in another multibase.",
              both_pin("u7QEBAgM"), "encoding", 1, **AGENT),
    malformed("pinned-empty", "The pinned key is an empty text.", both_pin(""), "shape", 1,
              **AGENT),
    malformed("pinned-null", "The pinned key is null.",
              both(agent(), delegation(1, "key", value=None)), "shape", 1, **AGENT),
    malformed("pinned-jwk", "The pinned key is a JWK.",
              both(agent(), delegation(1, "key", value={"kty": "OKP"})), "shape", 1, **AGENT),
    malformed("pin-beside-did-key", "A did:key with a pinned key: two answers to one question.",
              lambda d: d.links[1].subject.update(key=d.key("mallory").public.multikey), "shape",
              1, twin="key-itself", importance="critical"),
    malformed("own-pin-beside-did-key", "Even where the pinned key is its own.",
              lambda d: d.links[1].subject.update(key=d.key("retrieval").public.multikey),
              "shape", 1, twin="key-itself"),
    *(malformed(f"pinned-twice-beside-did-key-{name}", "Link and identity both pin a key for a "
                "did:key.", both_block(name), "shape", 1, twin="key-itself")
      for name in ("retrieval", "mallory")),
    malformed("pin-beside-did-key-in-identity", "The identity pins a key for a did:key.",
              lambda d: d.identities[1].subject.update(key=d.key("mallory").public.multikey),
              "shape", 1, twin="key-itself"),
    rejected("key-of-the-parent", "The agent's pinned key is the one of the agent above.",
             same_key("research"), "id-shared", 1, **AGENT),
    rejected("key-of-the-first", "The third agent's pinned key is the first's.",
             lambda d: subject(2, BOT, key=d.key("research"), pin=multikey("research")(d))(d),
             "id-shared", 2, depth=3, twin="key-itself-of-three", importance="critical",
             features=("did:web",)),
    accepted("key-itself-of-three", "Three agents by did:key.", depth=3),
    rejected("key-of-the-human-at-first", "The first agent's pinned key is the human's.",
             lambda d: subject(0, BOT, key=d.key("ana"), pin=multikey("ana")(d))(d), "id-shared",
             0, twin="key-itself", importance="critical", features=("did:web",)),
    rejected("key-of-the-human", "The agent's pinned key is the human's.", same_key("ana"),
             "id-shared", 1, importance="critical", **AGENT),
]  # fmt: skip

HUMANS = [
    accepted("human-by-web-name", "The sponsor credential pins the human's key.", human(),
             features=("did:web",)),
    accepted("human-by-web-name-as-jwt", "The same, as vc+jwt.",
             both(human(), forms("link-0", "sponsor-0")), features=("did:web", "vc+jwt")),
    undecided("human-without-pin", "The sponsor credential pins no key for a web name.",
              human(None), "key-unresolved", 0, importance="critical", **HUMAN),
    undecided("human-without-credential", "Nothing at all gives the human's key.",
              both(human(), lambda d: d.sponsors.clear()), "key-unresolved", 0, **HUMAN),
    rejected("human-other-pin", "The sponsor credential pins another's key.",
             human(multikey("mallory")), "proof", 0, importance="critical", **HUMAN),
    rejected("human-key-rotated", "The newer sponsor credential pins a newer key.", revoked_key,
             "proof", 0, **HUMAN),
    rejected("human-pinned-weak", "The human's pinned key is a small-order point.",
             human(WEAK[8:]), "key-weak", 0, importance="critical", **HUMAN),
    undecided("human-pinned-p256", "The human's pinned key is of another kind.", human(SECP[8:]),
              "suite", 0, **HUMAN),
    malformed("pin-beside-human-did-key", "A sponsor credential pins a key for a did:key.",
              sponsor_key, "shape", twin="key-itself"),
]  # fmt: skip

JWKS = [
    accepted("agent-by-jwk", "Research by did:jwk.", by_jwk(), features=("did:jwk",)),
    accepted("everybody-by-jwk", "Organisation, human, agents, authority, verifier by did:jwk.",
             all_by_jwk, features=("did:jwk",)),
    rejected("jwk-second-method", "A did:jwk has one method, #0.", by_jwk(fragment="#1"),
             "did-key-mismatch", 1, **JWK),
    rejected("jwk-named-method", "A did:jwk has one method, #0, and none by the key's name.",
             by_jwk(fragment="#key-0"), "did-key-mismatch", 1, **JWK),
    rejected("jwk-of-another", "A did:jwk of another key than the one that signed.",
             by_jwk(lambda _: jwk_did(PrivateKey(b"\x55" * 32))), "proof", 1,
             importance="critical", **JWK),
    rejected("jwk-private", "A did:jwk that publishes its private key.",
             by_jwk(lambda key: jwk_did(key, d="AA")), "key-weak", 0, importance="critical", **JWK),
    undecided("jwk-for-encryption", "A did:jwk whose key is for encryption.",
              by_jwk(lambda key: jwk_did(key, use="enc")), "suite", 0, **JWK),
    undecided("jwk-x25519", "A did:jwk on X25519, which signs nothing.",
              by_jwk(lambda key: jwk_did(key, crv="X25519")), "suite", 0, **JWK),
    undecided("jwk-symmetric", "A did:jwk of a shared secret.",
              by_jwk(lambda key: jwk_did(key, kty="oct")), "suite", 0, origin="RFC 8725, 3.1",
              **JWK),
    malformed("jwk-padded-x", "A did:jwk whose x is padded.",
              by_jwk(lambda key: jwk_did(key, x=key.public.jwk["x"] + "=")), "encoding", 0, **JWK),
]  # fmt: skip

CASES = group("link::pin", PINS, HUMANS, JWKS, spec="DESIGN 6: keys come down the chain")

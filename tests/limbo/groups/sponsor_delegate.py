"""Who is on the path: every subject an agent with a live identity, from an organisation named."""

from __future__ import annotations

from typing import Any

from altered import block, both, do, older_copy, t
from altered_evidence import identity, self_issued
from delegant.credentials import digest
from delegant.credentials.codec import b64u_encode
from delegant.credentials.shape import format_time
from draft import Draft, list_doc
from limbo.crafts import forms
from limbo.forge import Alter, stapled
from limbo.rows import accepted, group, malformed, rejected, undecided
from world import T0

HONEST: dict[str, Any] = {"twin": "honest"}
WORST: dict[str, Any] = {"twin": "honest", "importance": "critical"}
DAY = 86_400


def stranger(d: Draft) -> None:
    """The last subject is a key nobody knows, and its identity one that it brings itself."""
    d.links[1].doc["credentialSubject"]["id"] = d.did("stranger")
    d.holder = d.key("stranger")
    d.identities[1].doc["credentialSubject"]["id"] = d.did("stranger")
    d.identities[1].doc["issuer"] = d.did("boss")
    d.identities[1].signer = d.key("boss")
    d.identities[1].subject["sponsor"]["id"] = d.did("boss")


def strangers_key(d: Draft) -> None:
    """A hijacked agent hands its authority to a key of the attacker's."""
    d.links[1].doc["credentialSubject"]["id"] = d.did("stranger")
    d.holder = d.key("stranger")


def issued_by(name: str, index: int = 1) -> Alter:
    """An identity in somebody's own name."""

    def alter(d: Draft) -> None:
        d.identities[index].doc["issuer"] = d.did(name)
        d.identities[index].signer = d.key(name)

    return alter


def signed_by(name: str, index: int = 1) -> Alter:
    """An identity in its human's name, by somebody else's key."""
    return lambda d: setattr(d.identities[index], "signer", d.key(name))


def second(change: Alter, start: int = 10, by: str = "ana") -> Alter:
    """A later identity of the leaf beside the first, altered; verified then."""

    def alter(d: Draft) -> None:
        newer = older_copy(d.identities[1], d.key(by))
        newer.doc |= {"id": d.world.id("identity/newer"), "validFrom": t(start)}
        first, d.identities = d.identities, [d.identities[0], newer]
        change(d)
        d.identities = [*first, d.identities[1]]

    return alter


def nobody(_d: Draft) -> None:
    """No change."""


# --- made by an agent ----------------------------------------------------------------------


def made(
    index: int = 2,
    maker: str = "retrieval",
    *,
    allowed: bool = True,
    may: bool = True,
    **members: Any,
) -> Alter:
    """An agent of the chain was made by another agent.

    Args:
        index: whose identity.
        maker: who issued it; an agent of the chain, or a new one of Ana's.
        allowed: what every link's ``spawn`` says.
        may: what the maker's own identity says.
        members: of the identity that was made.
    """

    def alter(d: Draft) -> None:
        names = ["research", "retrieval", "dbquery"][: len(d.links)]
        child = d.identities[index]
        child.doc["issuer"], child.signer = d.did(maker), d.key(maker)
        child.subject.update({"identityModel": "child", "parent": d.did(maker)} | members)
        if maker in names:
            d.identities[names.index(maker)].subject["spawn"] = may
        else:
            parent = older_copy(d.identities[0], d.key("ana"))
            parent.doc["id"] = d.world.id(f"identity/{maker}")
            parent.doc["credentialSubject"]["id"] = d.did(maker)
            parent.doc["issuer"] = d.did("ana")
            parent.subject.update(identityModel="persistent", spawn=may)
            parent.subject.pop("parent", None)
            d.identities.append(parent)
        for link in d.links:
            link.subject["redelegation"]["spawn"] = allowed

    return alter


def spawn(*flags: Any) -> Alter:
    """``spawn`` of each link."""
    return both(*(block(i, "redelegation", "spawn", value=flag) for i, flag in enumerate(flags)))


def circle(d: Draft) -> None:
    """Two agents who made each other."""
    made(2, "retrieval")(d)
    made(1, "dbquery")(d)


def other_makers_key(d: Draft) -> None:
    """In the maker's name, by another key."""
    made()(d)
    d.identities[2].signer = d.key("mallory")


def other_sponsor(d: Draft) -> None:
    """The child says another human of the same organisation answers for it."""
    made()(d)
    mia = older_copy(d.sponsors[0], d.key("org"))
    mia.doc["id"] = d.world.id("sponsor/mia")
    mia.doc["credentialSubject"]["id"] = d.did("mia")
    d.sponsors.append(mia)
    d.identities[2].subject["sponsor"]["id"] = d.did("mia")


def makers_sponsor(d: Draft) -> None:
    """The maker outside says Mia answers for it."""
    made(1, "maker")(d)
    mia = older_copy(d.sponsors[0], d.key("org"))
    mia.doc["id"] = d.world.id("sponsor/mia")
    mia.doc["credentialSubject"]["id"] = d.did("mia")
    d.sponsors.append(mia)
    d.identities[2].doc["issuer"], d.identities[2].signer = d.did("mia"), d.key("mia")
    d.identities[2].subject["sponsor"]["id"] = d.did("mia")


def makers_bits(bit: int) -> Alter:
    """The maker, who is not in the chain, is revoked (0) or suspended (1)."""

    def alter(d: Draft) -> None:
        made(1, "maker")(d)
        maker = d.identities[-1]
        for number, one in enumerate(maker.doc["credentialStatus"]):
            one["statusListIndex"] = str(9000 + number)
        d.world.revoked = {9000 + bit}
        d.lists = [list_doc(d.world)]

    return alter


SPAWNED: dict[str, Any] = {"depth": 3, "twin": "made-by-the-agent-above"}
MADE = [
    accepted("made-by-the-agent-above", "Retrieval made dbquery, and every link lets agents "
             "spawn.", made(), depth=3),
    accepted("made-by-an-agent-outside", "An agent that is not in the chain made retrieval.",
             made(1, "maker")),
    accepted("made-first-in-the-chain", "The human delegates to an agent that an agent made.",
             made(0, "maker")),
    accepted("made-ephemeral", "Made for a minute.", made(identityModel="ephemeral",
             expires=t(30 * DAY)), depth=3),
    rejected("made-without-right", "No link lets agents spawn.", made(allowed=False),
             "spawn-forbidden", 2, importance="critical", **SPAWNED),
    rejected("made-without-right-above-it", "The link above the one that was made says no.",
             both(made(), spawn(True, False, False)), "spawn-forbidden", 2, importance="critical",
             **SPAWNED),
    rejected("made-with-right-taken", "The middle link takes the right its parent withheld.",
             both(made(), spawn(False, True, True)), "scope-widened", 1, importance="critical",
             **SPAWNED),
    rejected("made-with-right-nobody-uses", "The second link takes the right to spawn, and nobody "
             "spawns.", spawn(False, True), "scope-widened", 1, twin="honest"),
    rejected("made-with-right-taken-late", "The third link takes the right to spawn.",
             spawn(False, False, True), "scope-widened", 2, depth=3, twin="honest-three"),
    rejected("made-outside-without-right", "An agent outside made retrieval, and no link allows "
             "it.", made(1, "maker", allowed=False), "spawn-forbidden", 1, importance="critical",
             twin="made-by-an-agent-outside"),
    *(rejected(f"made-{where}-by-one-who-may-not", "The maker's own identity says it may not "
               "spawn.", made(index, "maker", may=False), "spawn-forbidden", index,
               importance="critical", twin=twin)
      for where, index, twin in (("first", 0, "made-first-in-the-chain"),
                                 ("outside", 1, "made-by-an-agent-outside"))),
    rejected("made-outside-for-another-sponsor", "The maker is Mia's agent, and what it made says "
             "it is Ana's.", makers_sponsor, "delegate-not-allowed", 1,
             twin="made-by-an-agent-outside", importance="critical"),
    rejected("made-outside-beyond-its-makers-end", "Its identity outlives its maker's.",
             both(made(1, "maker"), lambda d: d.identities[1].doc.update(validUntil=t(31 * DAY))),
             "ttl-too-long", 1, twin="made-by-an-agent-outside"),
    rejected("made-by-one-who-may-not", "The maker's own identity says it may not spawn.",
             made(may=False), "spawn-forbidden", 2, importance="critical", **SPAWNED),
    rejected("made-as-persistent", "An agent made by an agent is a child or ephemeral.",
             made(identityModel="persistent"), "id-no-provenance", 2, **SPAWNED),
    rejected("made-as-fork", "A fork is made by its human.", made(identityModel="fork"),
             "id-no-provenance", 2, **SPAWNED),
    rejected("made-naming-another-parent", "It names another agent as its parent.",
             lambda d: made(parent=d.did("research"))(d), "id-no-provenance", 2, **SPAWNED),
    rejected("made-by-another-key", "In the maker's name, by another key.", other_makers_key,
             "proof", 2, importance="critical", **SPAWNED),
    rejected("made-for-another-sponsor", "Maker and made have different sponsors.", other_sponsor,
             "delegate-not-allowed", 2, **SPAWNED),
    rejected("made-beyond-its-makers-end", "Its identity outlives its maker's.",
             both(made(), lambda d: d.identities[2].doc.update(validUntil=t(31 * DAY))),
             "ttl-too-long", 2, **SPAWNED),
    rejected("made-by-nobody-known", "The maker shows no identity.",
             both(made(1, "maker"), lambda d: d.identities.pop()), "delegate-not-allowed", 1,
             twin="made-by-an-agent-outside"),
    rejected("made-in-a-circle", "Two agents made each other; no human made either.", circle,
             "delegate-not-allowed", 1, importance="critical", **SPAWNED),
    rejected("makers-identity-revoked", "The maker is revoked; what it made is too.",
             makers_bits(0), "revoked", 1, twin="made-by-an-agent-outside",
             importance="critical"),
    rejected("makers-identity-suspended", "The maker is suspended.", makers_bits(1), "suspended",
             1, twin="made-by-an-agent-outside"),
    rejected("makers-identity-over", "The maker's identity is over.",
             both(made(1, "maker"), lambda d: (
                 d.identities[1].doc.update(validFrom=t(-DAY), validUntil=t(-5)),
                 d.identities[2].doc.update(validFrom=t(-DAY), validUntil=t(0)))),
             "expired", 1, twin="made-by-an-agent-outside"),
    rejected("makers-lifecycle-suspended", "The maker's identity says suspended.",
             both(made(1, "maker"), lambda d: d.identities[2].subject.update(
                 lifecycleStatus="suspended")), "delegate-not-allowed", 1,
             twin="made-by-an-agent-outside"),
    *(malformed(f"spawn-{name}", f"A link's spawn is {how}: it has no default.",
                block(1, "redelegation", "spawn", value=value), "shape", 1, **HONEST)
      for name, how, value in (("text", "a text", "false"),
                               ("number", "a number", 0), ("list", "a list", []))),
]  # fmt: skip

# --- identities ----------------------------------------------------------------------------


def pop(index: int) -> Alter:
    return lambda d: d.identities.pop(index)


def without(name: str) -> Alter:
    return lambda d: d.identities[1].subject.pop(name)


IDENTITIES = [
    accepted("honest", "Both agents show an identity that Ana issued."),
    accepted("honest-three", "Three agents do.", depth=3),
    rejected("no-identity-of-the-first", "The first agent shows none.", pop(0),
             "delegate-not-allowed", 0, **WORST),
    rejected("no-identity-of-the-leaf", "The holder shows none.", pop(1), "delegate-not-allowed",
             1, **WORST),
    rejected("no-identity-of-the-middle", "The middle agent of three shows none.", pop(1),
             "delegate-not-allowed", 1, depth=3, twin="honest-three", importance="critical"),
    rejected("no-identities", "Nobody shows any.", do(identities=[]), "delegate-not-allowed", 0,
             **WORST),
    malformed("identities-empty", "An empty list of identities.", stapled("identities", value=[]),
              "empty-array", **HONEST),
    rejected("strangers-key", "A hijacked agent delegates to a key of the attacker's.",
             strangers_key, "delegate-not-allowed", 1, **WORST),
    rejected("strangers-identity", "The key brings an identity by a human nobody answers for.",
             stranger, "delegate-not-allowed", 1, **WORST),
    rejected("human-as-delegate", "The last subject is Ana's own second key, no agent.",
             lambda d: d.identities[1].doc["credentialSubject"].update(id=d.did("ana-2")),
             "delegate-not-allowed", 1, **HONEST),
    rejected("forged", "In Ana's name, by another key.", signed_by("mallory"), "proof", 1, **WORST),
    rejected("forged-by-the-delegator", "In Ana's name, by the agent above.",
             signed_by("research"), "proof", 1, **WORST),
    rejected("forged-of-the-first", "The first agent's identity, by another key.",
             signed_by("mallory", 0), "proof", 0, **WORST),
    rejected("forged-as-jwt", "The same as vc+jwt.", both(signed_by("mallory"),
             forms("identity-1")), "proof", 1, features=("vc+jwt",), twin="honest-as-jwt",
             importance="critical"),
    accepted("honest-as-jwt", "The leaf's identity as vc+jwt.", forms("identity-1"),
             features=("vc+jwt",)),
    rejected("issued-by-itself", "The agent issued its own.", self_issued, "id-shared", 1, depth=3,
             twin="honest-three"),
    rejected("issued-by-another-human", "Mia issued it, and says Ana answers for it.",
             issued_by("mia"), "delegate-not-allowed", 1, **WORST),
    rejected("issued-by-the-organisation", "The organisation issued it itself.",
             issued_by("org"), "delegate-not-allowed", 1, **HONEST),
    rejected("of-another-organisation", "It names an organisation that does not answer for Ana.",
             lambda d: d.identities[1].subject["sponsor"].update(organization=d.did("partner")),
             "delegate-not-allowed", 1, **HONEST),
    *(rejected(f"lifecycle-{state}", f"Its identity says {state}.",
               identity(1, lifecycleStatus=state), "delegate-not-allowed", 1, **WORST)
      for state in ("suspended", "revoked", "archived")),
    malformed("lifecycle-unknown", "Its identity says a word nobody knows.",
              identity(1, lifecycleStatus="alive"), "shape", 1, **HONEST),
    accepted("two-identities", "A newer identity counts.", second(nobody)),
    rejected("newer-identity-suspended", "The newer identity says suspended.",
             second(lambda d: d.identities[1].subject.update(lifecycleStatus="suspended")),
             "delegate-not-allowed", 1, twin="two-identities", importance="critical"),
    rejected("newer-identity-forged", "The newer identity is by another key.",
             second(nobody, by="mallory"), "proof", 1, twin="two-identities"),
    rejected("newer-identity-not-yet", "The newer identity is of an hour from now.",
             second(nobody, start=3600), "not-yet-valid", 1, twin="two-identities"),
    rejected("ephemeral-without-end", "An ephemeral agent needs an end.",
             identity(1, identityModel="ephemeral"), "id-no-expiry", 1, twin="ephemeral"),
    accepted("ephemeral", "An ephemeral agent with one.",
             identity(1, identityModel="ephemeral", expires=format_time(T0 + 30 * DAY))),
    rejected("ephemeral-first-without-end", "The first agent is ephemeral, without an end.",
             identity(0, identityModel="ephemeral"), "id-no-expiry", 0, **HONEST),
    rejected("ephemeral-middle-without-end", "The middle agent is ephemeral, without an end.",
             identity(1, identityModel="ephemeral"), "id-no-expiry", 1, depth=3,
             twin="honest-three"),
    rejected("fork-first-without-parent", "The first agent is a fork of nobody.",
             identity(0, identityModel="fork"), "id-no-provenance", 0, **HONEST),
    rejected("fork-without-parent", "A fork names what it was forked from.",
             identity(1, identityModel="fork"), "id-no-provenance", 1, twin="fork"),
    accepted("fork", "A fork of research.",
             lambda d: identity(1, identityModel="fork", parent=d.did("research"))(d)),
    rejected("child-without-parent", "A child names its parent.",
             identity(1, identityModel="child"), "id-no-provenance", 1, **HONEST),
    rejected("parent-of-itself", "It is its own parent.",
             lambda d: identity(1, identityModel="fork", parent=d.did("retrieval"))(d),
             "id-shared", 1, twin="fork"),
    rejected("sponsor-of-itself", "It is its own sponsor.",
             lambda d: d.identities[1].subject["sponsor"].update(id=d.did("retrieval")),
             "id-shared", 1, **WORST),
    malformed("model-unknown", "A model nobody knows.", identity(1, identityModel="clone"),
              "shape", 1, **HONEST),
    *(malformed(f"without-{name.lower()}", f"An identity without {name}.", without(name), "shape",
                1, **HONEST)
      for name in ("creator", "deployer", "owner", "sponsor", "identityModel", "toolset",
                   "scopeOfBehavior", "spawn", "lifecycleStatus", "created", "version")),
    malformed("with-grants", "An identity grants nothing.",
              identity(1, grants=[{"actions": ["db.*"], "resources": ["urn:acme:**"]}]),
              "unknown-member", 1, **HONEST),
    accepted("model-hash", "Its model's sha2-256.", identity(1, modelHash=digest(b"model"))),
    *(malformed(f"model-hash-{name}", f"Its model's hash is {how}.", identity(1, modelHash=value),
                "shape", 1, twin="model-hash", importance="medium")
      for name, how, value in (
          ("hex", "in hex", "ab" * 32),
          ("sha1", "sha1", "u" + b64u_encode(b"\x11\x14" + bytes(32))),
          ("cut", "cut short", digest(b"model")[:-1]), ("null", "null", None),
          ("sha2-512", "sha2-512", "u" + b64u_encode(b"\x13\x40" + bytes(64))),
          ("blake", "of another kind", "u" + b64u_encode(b"\x1e\x20" + bytes(32))))),
    undecided("of-version-2", "An identity of another version.", identity(1, version=2),
              "unknown-version", 1, **HONEST),
    accepted("owned-by-another", "Creator, deployer and owner may be others: only the sponsor "
             "answers.", lambda d: identity(1, creator=d.did("mia"), owner=d.did("org"))(d)),
]  # fmt: skip

CASES = [
    *group("sponsor::delegate", IDENTITIES, spec="DESIGN 7: root and path"),
    *group("sponsor::delegate", MADE, spec="DESIGN, rule 6"),
]

"""Closed objects: a member more, less, null or of another type, in every object of a link."""

from __future__ import annotations

from typing import Any

from altered import doc, resign
from draft import Draft
from limbo.crafts import after, member
from limbo.forge import Alter, Case
from limbo.groups.type import HONEST, WORST
from limbo.rows import group, malformed

MEMBERS: dict[str, tuple[Any, ...]] = {
    "link": (), "subject": ("credentialSubject",),
    "delegation": ("credentialSubject", "delegation"),
    "redelegation": ("credentialSubject", "delegation", "redelegation"),
    "grant": ("credentialSubject", "delegation", "grants", 0),
    "parent": ("credentialSubject", "delegation", "parent"),
    "sponsor": ("credentialSubject", "delegation", "sponsor"),
    "lease": ("credentialSubject", "delegation", "redelegation", "status"),
    "entry": ("credentialStatus", 0),
}  # fmt: skip
"""Every object of a link, by the path to it."""
EXTRA: dict[str, tuple[str, ...]] = {
    "link": ("name", "description", "evidence", "termsOfUse", "refreshService",
             "credentialSchema", "relatedResource", "confidenceMethod", "renderMethod", "holder",
             "delegation", "nonce", "vc", "expires", "proofs", "Issuer", "aud"),
    "subject": ("delegations", "identity", "agentIdentity", "humanSponsor", "type", "name"),
    "delegation": ("note", "scope", "parents", "maxDepth", "Constraints", "constraint", "caveats",
                   "limits", "audience", "expires", "delegation", "allow", "$schema", "__proto__"),
    "redelegation": ("depth", "max", "from", "spawnTo", "unlimited"),
    "grant": ("constraints", "effect", "conditions", "notActions", "principal"),
    "parent": ("uri", "proof", "depth"), "sponsor": ("name", "key", "email"),
    "lease": ("purpose", "authority"), "entry": ("id", "statusSize", "statusReference"),
}  # fmt: skip
REQUIRED: dict[str, tuple[str, ...]] = {
    "link": ("id", "issuer", "validFrom", "validUntil", "credentialSubject"),
    "subject": ("id", "delegation"),
    "delegation": ("version", "use", "sponsor", "depth", "redelegation", "grants"),
    "redelegation": ("remaining", "spawn", "to"), "grant": ("actions", "resources"),
    "parent": ("id", "digestMultibase"), "sponsor": ("id", "organization"),
    "lease": ("list", "from", "count"),
    "entry": ("type", "statusPurpose", "statusListIndex", "statusListCredential"),
}  # fmt: skip


def node(d: Draft, place: str) -> dict[str, Any]:
    """One object of the second link, which is linked first and edited then."""
    resign(d)
    found: Any = d.links[1].doc
    for step in MEMBERS[place]:
        found = found[step]
    return found  # type: ignore[no-any-return]


def more(place: str, name: str) -> Alter:
    return lambda d: node(d, place).update({name: "x"})


def less(place: str, name: str) -> Alter:
    if name == "issuer":  # nobody signs for nobody
        return after("link-1", member("issuer", value=...))
    return lambda d: node(d, place).pop(name)


def null(place: str, name: str) -> Alter:
    return lambda d: node(d, place).update({name: None})


def kebab(name: str) -> str:
    bare = name.strip("$_")
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in bare).strip("-")


def named(place: str, name: str, suffix: str) -> str:
    capital = "-with-a-capital" if name[0].isupper() else ""
    return f"{place}-{suffix}-{kebab(name)}{capital}"


def instead(place: str, value: Any) -> Alter:
    """Something else in place of one object of the second link."""

    def alter(d: Draft) -> None:
        node(d, place)
        *path, last = MEMBERS[place]
        found: Any = d.links[1].doc
        for step in path:
            found = found[step]
        found[last] = value

    return alter


def closed() -> list[Case]:
    """A member more, a member less, a member null, and another thing, for every object."""
    out: list[Case] = []
    for place, names in EXTRA.items():
        out += [malformed(named(place, name, "with"), f"The {place} has a member {name!r} that "
                          "nobody knows: a limit nobody enforces.", more(place, name),
                          "unknown-member", 1, **HONEST) for name in names]  # fmt: skip
    for place, names in REQUIRED.items():
        out += [malformed(named(place, name, "without"), f"The {place} has no {name!r}.",
                          less(place, name), "shape", 1, **WORST) for name in names]  # fmt: skip
        out += [malformed(named(place, name, "null"), f"The {place} has null for {name!r}.",
                          null(place, name), "shape", 1, **WORST) for name in names]  # fmt: skip
    for place in MEMBERS:
        out += [malformed(f"{place}-as-{word}", f"The {place} is {word.replace('-', ' ')}.",
                          instead(place, value), "shape", 1, **HONEST)
                for word, value in (("a-text", "x"), ("a-list", []), ("true", True),
                                    ("an-empty-object", {}), ("a-number", 1))
                if place != "link"]  # fmt: skip
    return out


def subjects(made: Any) -> Alter:
    """The second link's subject block replaced by something made from it."""

    def alter(d: Draft) -> None:
        resign(d)
        d.links[1].doc["credentialSubject"] = made(d.links[1].doc["credentialSubject"])

    return alter


SUBJECTS = [
    *(malformed(f"subjects-{name}", f"credentialSubject is {how}.",
                subjects(made), "shape", 1, **WORST)
      for name, how, made in (
          ("two", "a list of two: the honest one, and a stranger",
           lambda s: [s, s | {"id": "did:key:z6MkStranger"}]),
          ("one-listed", "a list of one", lambda s: [s]),
          ("id-only", "an id", lambda s: s["id"]))),
    malformed("subject-id-list", "The subject has two ids.",
              lambda d: d.links[1].doc["credentialSubject"].update(id=[d.did("retrieval"),
                                                                       d.did("mallory")]),
              "shape", 1, **WORST),
    *(malformed(f"id-{name}", f"The link's id is {how}.", doc(1, "id", value=value), "shape", 1,
                **HONEST)
      for name, how, value in (
          ("upper-case", "in capitals", "urn:uuid:6BA7B810-9DAD-11D1-80B4-00C04FD430C8"),
          ("urn-upper-case", "a URN in capitals", "URN:UUID:6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
          ("bare", "a bare UUID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
          ("no-hyphens", "without hyphens", "urn:uuid:6ba7b8109dad11d180b400c04fd430c8"),
          ("braces", "in braces", "urn:uuid:{6ba7b810-9dad-11d1-80b4-00c04fd430c8}"),
          ("address", "an address", "https://acme.example/links/1"), ("empty", "empty", ""),
          ("number", "a number", 1), ("list", "a list", ["urn:uuid:x"]),
          ("newline", "with a newline", "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8\n"))),
]  # fmt: skip

CASES = group("type", closed(), SUBJECTS, spec="DESIGN, rule 1")

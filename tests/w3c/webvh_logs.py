"""did:webvh logs for tests: keys by name, honest logs, and entries that break one rule.

An entry that breaks a rule is hashed and signed again after it was changed, so that nothing but
the rule is broken: only that tells whether the rule is held.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from delegant.credentials import PrivateKey
from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.w3c import webvh
from delegant.w3c.keys import EdSigner
from delegant.w3c.resolution import Resolution
from delegant.w3c.webvh import proofs
from delegant.w3c.webvh.hashes import hash_of
from refusal import refusal

T = 1_760_000_000
NOW = T + 1000
DOCUMENT: JsonObject = {
    "@context": ["https://www.w3.org/ns/did/v1"],
    "controller": "{DID}",
}

OTHER_SCID = "QmfG1Dx5wj8zxVVkdTcD81teRgV5DLuQcUvzizd75x8Zxd"
"""The SCID of no log made here."""

Change = Callable[[JsonObject], Any]


def key(name: str) -> EdSigner:
    """The key of that name, always the same."""
    return EdSigner(PrivateKey(hashlib.sha256(f"webvh {name}".encode()).digest()))


A, B, C, W1, W2, W3 = (key(name) for name in ("a", "b", "c", "w1", "w2", "w3"))


def created(**given: Any) -> tuple[str, bytes]:
    """A log of one entry, signed by ``A``."""
    whole: dict[str, Any] = {"document": DOCUMENT, "signer": A, "at": T, **given}
    did, line = webvh.create("example.com", ("ana",), **whole)
    return did, line


def updated(count: int = 3, **given: Any) -> tuple[str, bytes]:
    """A log of so many entries, one second apart."""
    did, log = created(**given)
    for n in range(1, count):
        log += webvh.update(log, A, at=T + n, document={"alsoKnownAs": [f"https://n{n}.example/"]})
    return did, log


def entries(log: bytes) -> list[JsonObject]:
    """The entries of a log."""
    return [json.loads(line) for line in log.splitlines()]


def joined(items: list[JsonObject]) -> bytes:
    """A log of entries."""
    return b"".join(canonical(item) + b"\n" for item in items)


def signed(entry: JsonObject, before: str, number: int, signer: EdSigner = A) -> JsonObject:
    """An entry with its right hash and proof."""
    bare = {name: value for name, value in entry.items() if name != "proof"}
    whole = {**bare, "versionId": f"{number}-{hash_of({**bare, 'versionId': before})}"}
    return {**whole, "proof": [proofs.sign(whole, signer, T)]}


def last_changed(log: bytes, change: Change, signer: EdSigner = A) -> bytes:
    """The log with its last entry changed, hashed and signed again."""
    *older, entry = entries(log)
    change(entry)
    return joined([*older, signed(entry, older[-1]["versionId"], len(older) + 1, signer)])


def first_changed(change: Change, signer: EdSigner = A, **given: Any) -> tuple[str, bytes]:
    """A log of one entry changed before its SCID was made: the SCID, hash and proof are right."""
    did, log = created(**given)
    scid = did.split(":")[2]
    text = log.replace(scid.encode(), b"{SCID}")
    entry = parse_object(text, size=10**6)
    del entry["proof"]
    entry["versionId"] = "{SCID}"
    change(entry)
    new = hash_of(entry)
    whole = parse_object(canonical(entry).replace(b"{SCID}", new.encode()), size=10**6)
    return did.replace(scid, new), joined([signed(whole, new, 1, signer)])


def proved_again(log: bytes, change: Change) -> bytes:
    """The log with the first proof of its last entry changed, and the signature left."""
    items = entries(log)
    change(items[-1]["proof"][0])
    return joined(items)


def approvals(log: bytes, *given: tuple[int, EdSigner]) -> bytes:
    """A ``did-witness.json``: version numbers, and who signs them."""
    versions = [entry["versionId"] for entry in entries(log)]
    return json.dumps(
        [webvh.witness_proof(versions[number - 1], who, at=T) for number, who in given]
    ).encode()


def resolved(did: str, log: bytes, **given: Any) -> Resolution:
    """What comes of it now."""
    return webvh.resolve(did, log, **{"witness": None, "at": NOW, **given})


def code(did: str, log: bytes, **given: Any) -> str:
    """The code it is refused with; empty where it is not."""
    return refusal(lambda: resolved(did, log, **given))


def set_parameter(name: str, value: Any) -> Change:
    """Set a parameter of an entry."""
    return lambda entry: entry["parameters"].__setitem__(name, value)


def drop_parameter(name: str) -> Change:
    """Leave a parameter out of an entry."""
    return lambda entry: entry["parameters"].pop(name)


def set_state(name: str, value: Any) -> Change:
    """Set a member of an entry's document."""
    return lambda entry: entry["state"].__setitem__(name, value)

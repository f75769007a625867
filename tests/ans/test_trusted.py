"""Whom a client believes: from a trust folder, and only with keys of the right kind."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.ans import RegistryTrust
from delegant.ans.log.note import COSIGNATURE, ED25519, NoteKey
from delegant.credentials import Peer, PrivateKey, Trust, did
from refusal import refusal

KEY, LOG, WITNESS = (PrivateKey(bytes([n]) * 32).public for n in (1, 2, 3))
OWN = did.from_key(KEY)
ORG: dict[str, Any] = {"id": "did:web:acme.example", "keys": [WITNESS.multikey]}
LOGGED = NoteKey("acme.example/ans", ED25519, LOG).vkey
SEEN = NoteKey("w.example/w", COSIGNATURE, WITNESS).vkey


def folder(*registries: dict[str, Any]) -> Trust:
    value = {"version": 1, "anchors": [ORG]}
    return Trust.from_json(value | ({"registries": list(registries)} if registries else {}))


def entry(**more: Any) -> dict[str, Any]:
    return {"id": OWN, "keys": [KEY.multikey], "log": LOGGED} | more


def test_it_has_all_that_the_folder_says() -> None:
    whole = entry(url="https://a.example/", witnesses=[SEEN], quorum=1)
    found = RegistryTrust.from_trust(folder(whole))
    assert (found.id, found.keys, found.url) == (OWN, (KEY,), "https://a.example/")
    assert (found.log.vkey, found.quorum) == (LOGGED, 1)
    assert [one.vkey for one in found.witnesses] == [SEEN]
    assert dict(found.organizations) == {"did:web:acme.example": (WITNESS,)}
    assert RegistryTrust.from_trust(folder(whole), OWN) == found


def test_one_of_several_is_named() -> None:
    other: dict[str, Any] = {"id": did.from_key(LOG), "keys": [LOG.multikey], "log": LOGGED}
    both = folder(entry(), other)
    assert refusal(lambda: RegistryTrust.from_trust(both)) == "not-found"
    assert RegistryTrust.from_trust(both, did.from_key(LOG)).id == did.from_key(LOG)
    assert refusal(lambda: RegistryTrust.from_trust(folder(entry()), ORG["id"])) == "not-found"
    assert refusal(lambda: RegistryTrust.from_trust(folder())) == "not-found"


@pytest.mark.parametrize(
    ("log", "witness", "code"),
    [
        (LOGGED, SEEN, ""),
        (None, None, "key-unresolved"),
        (SEEN, SEEN, "log-note"),
        (LOGGED, LOGGED, "log-note"),
        ("acme.example/ans+0a1b2c3d+AQID", SEEN, "log-note"),
        (LOGGED, SEEN[:-1], "log-note"),
        (LOGGED.replace("acme", "Acme"), SEEN, "log-note"),
    ],
)
def test_keys_of_another_kind_are_none(log: str | None, witness: str | None, code: str) -> None:
    peer = Peer((KEY,), log=log, witnesses=(witness,) if witness else (), quorum=1)
    assert refusal(lambda: RegistryTrust.of(OWN, peer)) == code

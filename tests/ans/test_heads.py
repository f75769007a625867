"""Which states of a log a client remembers: those that the log's own key signed, and no others.

A thief here has the key that the registry signs its answers with, and not the log's. A larger
tree that goes on from the real one, and the proof that it does, need no key at all.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ans.fronted import Asked, Driver, Front, Said
from ans.log.naive import mth, proof
from ans.naming import NAME, Naming
from delegant.ans.fresh import Head
from delegant.ans.log.checkpoint import (
    Checkpoint,
    add_signatures,
    cosign,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.ans.log.tiles import unpack
from delegant.ans.memory import Memory, Remembered
from delegant.ans.signing import sign
from delegant.credentials import PrivateKey, digest
from delegant.credentials.codec import JsonObject
from refusal import refusal

Asking = Callable[..., Driver]
WITNESS = NoteSigner("one.example/w", PrivateKey(b"\x09" * 32), COSIGNATURE)


def named(number: int) -> str:
    return NAME.replace("v1.0", f"v{number}.0")


def leaves(naming: Naming) -> list[bytes]:
    """All entries of the real log."""
    return unpack(naming.registry.log.bundle(0, naming.registry.log.head().size))


def remembered(naming: Naming, file: Path) -> Remembered:
    return Memory(naming.did, file).load()


def anew(one: Driver, limit: int = 10, **more: Any) -> str:
    """What a search finds, the registry having said nothing of it before: its word is of now."""
    found = one.search(capability="paperquery", version="^1", limit=limit, **more)
    return str(found.agents[0].name)


def known(naming: Naming, file: Path) -> int:
    """The size that is remembered, of a state that the log's key signed; 0 where none is."""
    head = remembered(naming, file).head
    if head is None:
        return 0
    with naming.registry.store.transaction(reading=True) as db:
        note = naming.registry.store.checkpoint_of(db, head.size)
    assert note is not None, f"no log of {head.size} entries was ever signed"
    found = open_checkpoint(note, naming.log)
    assert head == Head(found.origin, found.size, found.root)
    return head.size


class Thief:
    """Answers in the registry's place, and signs that its log has these entries."""

    def __init__(self, front: Front, entries: list[bytes]) -> None:
        self.front = front
        self.entries = entries
        self.checkpoint: str | None = None
        self.edit: Callable[[JsonObject], object] = lambda _: None
        front.play = self.play

    @classmethod
    def ahead(cls, front: Front, more: int = 3) -> Thief:
        """The real log, and some entries that were made up."""
        return cls(front, leaves(front.naming) + [b"made up %d" % one for one in range(more)])

    @property
    def size(self) -> int:
        return len(self.entries)

    def play(self, asked: Asked) -> Said:
        where = urlsplit(asked.path)
        if where.path == "/checkpoint" and self.checkpoint is not None:
            return Said(200, self.checkpoint.encode())
        if where.path == "/v1/log/consistency":
            old, new = (int(parse_qs(where.query)[name][0]) for name in ("old", "new"))
            if self.size in (old, new) and new <= self.size:
                hashes = proof(old, self.entries[:new])
                return Said.json({"old": old, "new": new, "proof": [text(one) for one in hashes]})
        said = self.front.honest(asked)
        return said if where.path != "/v1/resolve" else Said.json(self.signed(said.value))

    def signed(self, answer: JsonObject) -> JsonObject:
        """An answer of this log, by the stolen key."""
        token = {name: value for name, value in answer["freshness"].items() if name != "proof"}
        root = mth(self.entries)
        token["log"] = {"origin": self.front.naming.log.name, "size": self.size, "root": text(root)}
        self.edit(token)
        keeper = self.front.naming.keeper
        return answer | {"freshness": sign(token, keeper.key, keeper.did, self.front.naming.now)}

    def gone(self) -> None:
        """The registry answers again."""
        self.front.play = self.front.honest


def text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


# --- the answers' key is stolen -------------------------------------------------------------------


@pytest.mark.parametrize("met", [False, True], ids=["first", "met"])
def test_a_thief_of_the_answers_key_moves_no_memory(
    front: Front, asking: Asking, tmp_path: Path, met: bool
) -> None:
    naming, file = front.naming, tmp_path / "memory.json"
    one = asking(memory=file)
    naming.register()
    if met:
        assert one.resolve(NAME).name == NAME
    naming.register(name=named(2))
    thief = Thief.ahead(front)
    assert anew(one) == NAME  # it is true, but for the log's size
    assert thief.size > naming.registry.log.head().size
    thief.gone()
    assert known(naming, file) == 3
    naming.register(name=named(3))
    assert one.resolve(named(3)).name == named(3)
    assert one.resolve(NAME, fresh=True).name == NAME
    assert asking(memory=file).resolve(named(2)).name == named(2)
    assert known(naming, file) == 4


def test_a_larger_word_with_the_checkpoint_of_the_log_moves_the_memory(
    front: Front, asking: Asking, tmp_path: Path
) -> None:
    naming, file = front.naming, tmp_path / "memory.json"
    one = asking(memory=file)
    naming.register()
    assert one.resolve(NAME).name == NAME
    assert known(naming, file) == 2
    for number in (2, 3):
        naming.register(name=named(number))
    asked = len(front.asked)
    assert anew(one) == NAME
    assert front.paths[asked:] == ["/v1/resolve", "/checkpoint", "/v1/log/consistency"]
    assert known(naming, file) == 4


def test_words_that_were_kept_while_the_log_grew_are_no_rollback(
    front: Front, asking: Asking
) -> None:
    """The checkpoint is of now, and the answer that led to it may be most of a minute old."""
    naming, one = front.naming, asking()
    naming.register()
    naming.register(name=named(2))
    kept = {}
    for limit in (5, 6):
        assert anew(asking(), limit, at=naming.now) == NAME
        kept[str(limit)] = front.honest(next(a for a in front.asked[::-1] if "resolve" in a.path))
        naming.world.now += 40
        naming.register(name=named(limit))
    naming.world.now -= 25  # the first word is 55 seconds old, the second 15

    def play(asked: Asked) -> Said:
        limit = parse_qs(urlsplit(asked.path).query).get("limit", [""])[0]
        return kept.get(limit) or front.honest(asked)

    front.play = play
    assert anew(one, 5, at=naming.now) == NAME
    assert anew(one, 6, at=naming.now) == NAME


def test_a_word_no_larger_than_its_receipts_needs_no_checkpoint(
    front: Front, asking: Asking, tmp_path: Path
) -> None:
    naming, file = front.naming, tmp_path / "memory.json"
    one = asking(memory=file)
    naming.register()
    assert one.resolve(NAME).name == NAME
    naming.register(name=named(2))
    assert one.resolve(named(2)).name == named(2)
    assert "/checkpoint" not in front.paths
    assert known(naming, file) == 3


def test_a_checkpoint_that_the_log_did_not_sign_is_refused(
    front: Front, asking: Asking, tmp_path: Path
) -> None:
    naming, file = front.naming, tmp_path / "memory.json"
    one = asking(memory=file)
    naming.register()
    one.resolve(NAME)
    thief = Thief.ahead(front)
    made = Checkpoint(naming.log.name, thief.size, mth(thief.entries))
    thief.checkpoint = sign_checkpoint(made, NoteSigner(naming.log.name, naming.keeper.key))
    assert refusal(lambda: anew(one)) == "log-note"
    thief.gone()
    assert known(naming, file) == 2
    naming.register(name=named(2))
    assert one.resolve(named(2)).name == named(2)


def test_a_checkpoint_that_cannot_be_had_now_accuses_nobody(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    naming.register()
    one.resolve(NAME)
    naming.register(name=named(2))
    busy = lambda asked: Said.json({"code": "unavailable"}, 503)  # noqa: E731
    front.play = lambda asked: (busy if asked.path == "/checkpoint" else front.honest)(asked)
    assert refusal(lambda: anew(one)) == "unavailable"
    front.play = front.honest
    assert anew(one) == NAME


def bent(entries: list[bytes]) -> list[bytes]:
    return [*entries[:-1], b"made up"]


@pytest.mark.parametrize(("make", "told"), [
    (lambda real: [*bent(real), b"one more"], "log-split"),
    (bent, "log-split"),
    (lambda real: bent(real[:-1]), "log-rollback"),
], ids=["larger", "same", "smaller"])  # fmt: skip
def test_a_thief_whose_log_is_not_the_one_that_was_met_is_found_out(
    front: Front,
    asking: Asking,
    tmp_path: Path,
    make: Callable[[list[bytes]], list[bytes]],
    told: str,
) -> None:
    naming, file = front.naming, tmp_path / "memory.json"
    one = asking(memory=file)
    naming.register()
    naming.register(name=named(2))
    naming.register(name=named(3))
    assert one.resolve(named(3)).name == named(3)
    before = file.read_bytes()
    thief = Thief(front, make(leaves(naming)))
    assert refusal(lambda: anew(one)) == told
    assert file.read_bytes() == before
    thief.entries = leaves(naming)
    assert anew(one) == NAME


def test_a_thief_who_makes_up_an_event_leaves_the_name_as_it_was(
    front: Front, asking: Asking, tmp_path: Path
) -> None:
    """The newest event of a name may have brought no record, and no receipt comes with it."""
    naming, file = front.naming, tmp_path / "memory.json"
    one = asking(memory=file)
    receipt = naming.register()
    thief = Thief(front, leaves(naming))
    thief.edit = lambda token: token["entries"][0].update(seq=1_000_000, event=digest(b"none"))
    assert one.resolve(NAME).seq == 1_000_000
    thief.gone()
    assert remembered(naming, file).names[NAME.lower()].seq == 0
    assert one.resolve(NAME, fresh=True).seq == 0
    naming.send(naming.event("renew", receipt=receipt))
    assert one.resolve(NAME, fresh=True).seq == 1
    assert remembered(naming, file).names[NAME.lower()].seq == 1


# --- witnesses ------------------------------------------------------------------------------------


def cosigned(naming: Naming) -> None:
    """The witness cosigns what the log has come to."""
    note = naming.registry.log.checkpoint()
    found, _ = parse_checkpoint(note)
    naming.registry.cosigned(add_signatures(note, [cosign(found, WITNESS, naming.now)]))


def test_a_checkpoint_that_too_few_witnesses_cosigned_moves_no_memory(
    front: Front, asking: Asking, tmp_path: Path
) -> None:
    naming, file = front.naming, tmp_path / "memory.json"
    trust = replace(naming.trusted, witnesses=(WITNESS.key,), quorum=1)
    one = asking(trust=trust, memory=file)
    naming.register()
    assert refusal(lambda: anew(one)) == "log-witness"
    assert not file.exists()
    cosigned(naming)
    assert one.resolve(NAME).name == NAME
    assert known(naming, file) == 2
    naming.register(name=named(2))
    search = lambda: one.search(capability="paperquery", version="^2").agents[0].name  # noqa: E731
    assert refusal(search) == "log-witness"  # so is its receipt
    asked = len(front.asked)
    assert anew(one, 9) == NAME  # its receipt is cosigned
    assert "/checkpoint" in front.paths[asked:]
    assert known(naming, file) == 2
    cosigned(naming)
    assert anew(one, 8) == NAME
    assert known(naming, file) == 3
    assert one.resolve(named(2)).name == named(2)

"""The receipt: an entry of the transparency log, with the proof that it is in it.

    {version, leaf, index, proof [base64 hashes], checkpoint (a signed note),
     opening? {salt, sponsor?, chain?}}

Nothing else signs it: it is believed through the log's key, and any number of witnesses one asks
for. ``opening`` is told to the submitter alone: the salt under which the leaf names people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from delegant.credentials import shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import Error, error

from .leaf import Leaf, NameLeaf, leaf_bytes, read_leaf, salted
from .log.checkpoint import open_checkpoint
from .log.merkle import HASH, MAX_PROOF, check_inclusion, leaf_hash
from .log.note import NoteKey, b64_decode, b64_encode
from .signing import members, version

__all__ = ["Logged", "check_opening", "check_receipt", "new_receipt"]

MAX_NOTE: Final = 16_384
MAX_HASH: Final = 44
_RECEIPT: Final = frozenset({"version", "leaf", "index", "proof", "checkpoint"})


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry proven to be in the log: ``leaf`` at ``index`` of the tree of ``size`` entries."""

    leaf: Leaf
    index: int
    size: int
    root: bytes


def new_receipt(
    leaf: JsonObject,
    index: int,
    proof: Sequence[bytes],
    checkpoint: str,
    opening: JsonObject | None = None,
) -> JsonObject:
    """A receipt from its parts."""
    return members(
        version=1,
        leaf=leaf,
        index=index,
        proof=[b64_encode(one) for one in proof],
        checkpoint=checkpoint,
        opening=opening,
    )


def check_receipt(
    value: Json,
    registry: str,
    log: NoteKey,
    witnesses: Sequence[NoteKey] = (),
    quorum: int = 0,
) -> Logged:
    """Believe a receipt, or say why not.

    Args:
        value: parsed.
        registry: the DID the entry must be of.
        log: the log's key.
        witnesses, quorum: how many of which witnesses must have cosigned its checkpoint.

    Raises:
        Malformed: ``shape``, ``unknown-member``. Rejected: ``log-entry``, ``log-note``,
        ``log-proof``, ``ans-signature`` (of another registry; an opening that does not fit).
        Undecided: ``log-witness``, ``unknown-version``.
    """
    version(value, "receipt")
    shape.closed(value, "receipt", _RECEIPT, frozenset({"opening"}))
    index = shape.integer(value["index"], "receipt.index")
    if type(value["proof"]) is not list or len(value["proof"]) > MAX_PROOF:
        raise error("shape", f"receipt.proof is not a list of at most {MAX_PROOF} hashes")
    proof = [_hash(one) for one in value["proof"]]
    note = value["checkpoint"]
    if type(note) is not str or len(note) > MAX_NOTE:
        raise error("shape", f"receipt.checkpoint is not a note of at most {MAX_NOTE} characters")
    leaf = read_leaf(value["leaf"])
    if leaf.registry != registry:
        raise error("ans-signature", "a receipt of another registry")
    found = open_checkpoint(note, log, witnesses, quorum)
    check_inclusion(leaf_hash(leaf_bytes(leaf.json)), index, found.size, proof, found.root)
    if "opening" in value:
        check_opening(value["opening"], leaf)
    return Logged(leaf, index, found.size, found.root)


def _hash(value: Json) -> bytes:
    try:
        out = b64_decode(value) if type(value) is str and len(value) <= MAX_HASH else b""
    except Error:
        out = b""
    if len(out) != HASH:
        raise error("shape", "receipt.proof holds something that is no hash")
    return out


def check_opening(opening: Json, leaf: Leaf) -> None:
    """The opening is that of the leaf's salted digests, of each that it has.

    Raises:
        Malformed: ``shape``. Rejected: ``ans-signature``.
    """
    shape.closed(opening, "opening", frozenset({"salt"}), frozenset({"sponsor", "chain"}))
    if not isinstance(leaf, NameLeaf):
        raise error("ans-signature", "nobody is named in this entry")
    said = {name: opening.get(name) for name in ("sponsor", "chain")}
    try:
        made = {
            name: None if text is None else salted(opening["salt"], shape.text(text, name))
            for name, text in said.items()
        }
    except Error:
        made = {}
    fits = made == {"sponsor": leaf.sponsor, "chain": leaf.chain}
    if not fits:
        raise error("ans-signature", "the opening is not that of the entry")

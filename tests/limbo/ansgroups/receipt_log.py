"""Receipts: an entry of the log, and the proof that it is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from delegant.ans.leaf import leaf_bytes
from delegant.ans.log.checkpoint import Checkpoint
from delegant.ans.log.note import b64_encode
from delegant.credentials.shape import format_time
from limbo.ansdraft import MOVED, NAME, NEWER, ORIGIN, OTHER, Bend, Draft, flipped
from limbo.ansrows import answer, group
from world import T0

LOG = "RFC 6962, 2.1"


# --- the inclusion proof ------------------------------------------------------------------------


def proof(change: Callable[[list[str]], list[str]]) -> Bend:
    """Another list of hashes."""
    return lambda d: d.receipt.update(proof=change(d.receipt["proof"]))


def index(change: int) -> Bend:
    """Another place in the log, for receipt and token alike."""

    def bend(d: Draft) -> None:
        d.receipt["index"] += change
        d.token["entries"][0]["index"] += change
        d.sign()

    return bend


def at_size(d: Draft, size: int) -> list[str]:
    own = d.town
    return [b64_encode(one) for one in own.inclusion(d.receipt["index"], size)]


Hash = Callable[[bytes], bytes]


def _plain(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def built(leaf: Hash, node: Hash, *, double: bool = False) -> Bend:
    """The log signs a tree of its own making, and the proof leads to its root."""

    def bend(d: Draft) -> None:
        row = [leaf(entry) for entry in d.town.entries]
        at, path = d.receipt["index"], []
        while len(row) > 1:
            if at ^ 1 < len(row):
                path.append(row[at ^ 1])
            elif double:
                path.append(row[at])
            above = [node(row[i] + row[i + 1]) for i in range(0, len(row) - 1, 2)]
            if len(row) % 2:
                above.append(node(row[-1] + row[-1]) if double else row[-1])
            row, at = above, at // 2
        head = Checkpoint(ORIGIN, len(d.town.entries), row[0])
        d.receipt.update(checkpoint=d.town.note(head), proof=[b64_encode(one) for one in path])
        d.head(head)

    return bend


def _leaf(data: bytes) -> bytes:
    return _plain(b"\x00" + data)


def _node(data: bytes) -> bytes:
    return _plain(b"\x01" + data)


def inner(d: Draft) -> None:
    """Two entries at once: the node above them is passed for a leaf of half the tree."""
    d.receipt["proof"] = d.receipt["proof"][1:]
    d.receipt["index"] //= 2


def bit(n: int) -> Callable[[list[str]], list[str]]:
    return lambda p: [*p[:n], flipped(p[n], 31), *p[n + 1 :]]


def doubled(hashes: list[str]) -> list[str]:
    return [hashes[0], *hashes]


PROOF = group(
    "receipt::proof",
    answer("honest", "A proof of four hashes, under the newest checkpoint."),
    answer("own-tree", "The tree built by hand: it is the same.", built(_leaf, _node)),
    answer("last-entry", "The last entry of eleven: its path is short.", lambda _: None, None,
           OTHER),
    answer("older-checkpoint", "The tree was smaller then; the answer speaks of a later state.",
           lambda d: d.agent.update(receipt=d.town.receipt(d.town.names[NEWER][0], size=4)), None,
           NEWER),
    answer("first-hash-missing", "The proof lost its first hash.", proof(lambda p: p[1:]),
           "log-proof"),
    answer("last-hash-missing", "The proof lost its last hash.", proof(lambda p: p[:-1]),
           "log-proof"),
    answer("empty", "No proof at all.", proof(lambda _: []), "log-proof"),
    answer("extended", "A hash more at the end.", proof(lambda p: [*p, p[-1]]), "log-proof"),
    answer("hash-doubled", "The first hash twice.", proof(doubled), "log-proof"),
    answer("reversed", "From the root down.", proof(lambda p: p[::-1]), "log-proof"),
    answer("two-swapped", "Two hashes in each other's place.",
           proof(lambda p: [p[1], p[0], *p[2:]]), "log-proof"),
    *(answer(f"bit-{n}", f"One bit of hash {n} is another.",
             proof(bit(n)), "log-proof")
      for n in range(4)),
    answer("index-one-more", "The proof of entry 1 for entry 2.", index(1), "log-proof"),
    answer("index-one-less", "The proof of entry 1 for entry 0.", index(-1), "log-proof"),
    answer("index-beyond", "An index that the tree does not reach.", index(10), "log-proof"),
    answer("of-its-neighbour", "The proof of the next entry.",
           lambda d: d.receipt.update(proof=[b64_encode(one) for one in d.town.inclusion(2)]),
           "log-proof"),
    answer("of-a-smaller-tree", "A true proof for ten entries, under a checkpoint of eleven.",
           lambda d: d.receipt.update(proof=at_size(d, 10)), "log-proof", NEWER),
    answer("checkpoint-of-a-smaller-tree", "A proof for eleven entries, a checkpoint of ten.",
           lambda d: d.receipt.update(checkpoint=d.town.note(d.town.head(10))), "log-proof"),
    answer("tree-too-small", "A checkpoint of a tree from before the entry.",
           lambda d: d.receipt.update(checkpoint=d.town.note(d.town.head(1))), "log-proof"),
    answer("empty-tree", "A checkpoint of the empty tree.",
           lambda d: d.receipt.update(checkpoint=d.town.note(Checkpoint.empty(ORIGIN)), proof=[]),
           "log-proof"),
    answer("node-as-leaf", "The node above two entries is passed for an entry.", inner,
           "log-proof", importance="critical", origin="second preimages on Merkle trees"),
    answer("leaf-without-prefix", "Leaves hashed without 0x00, so that a node could be one.",
           built(_plain, _node), "log-proof", twin="own-tree", importance="critical"),
    answer("node-without-prefix", "Nodes hashed without 0x01.", built(_leaf, _plain), "log-proof",
           twin="own-tree"),
    answer("prefixes-swapped", "0x01 for leaves and 0x00 for nodes.", built(_node, _leaf),
           "log-proof", twin="own-tree"),
    answer("last-node-doubled", "The last node of an odd row doubled, as Bitcoin does.",
           built(_leaf, _node, double=True), "log-proof", OTHER, twin="last-entry",
           origin="CVE-2012-2459"),
    answer("hash-of-31-bytes", "A hash one byte short.",
           proof(lambda p: ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", *p[1:]]), "shape"),
    answer("hash-misspelled", "A second spelling of the same bytes in base64.",
           proof(lambda p: [p[0][:-2] + chr(ord(p[0][-2]) + 1) + "=", *p[1:]]), "shape"),
    answer("no-list", "The proof is a text.", lambda d: d.receipt.update(proof="AA=="), "shape"),
    answer("of-65-hashes", "A proof longer than any tree.", proof(lambda p: [p[0]] * 65), "shape"),
    answer("index-negative", "An index below zero.", lambda d: d.receipt.update(index=-1), "shape"),
    answer("index-float", "An index of 1.5.", lambda d: d.receipt.update(index=1.5), "shape"),
    spec=LOG, twin="honest",
)  # fmt: skip


# --- the entry ----------------------------------------------------------------------------------


def leaf(**changes: Any) -> Bend:
    """The entry says something else; its proof is that of the true one."""

    def bend(d: Draft) -> None:
        for name, value in changes.items():
            d.receipt["leaf"].pop(name) if value is None else d.receipt["leaf"].update(
                {name: value}
            )

    return bend


def provider_entry(d: Draft) -> None:
    """The receipt of entry 0, which binds the label and is none of a name."""
    own = d.town
    bound = {
        "version": 1, "registry": own.keeper.did, "kind": "provider", "type": "bind",
        "provider": "acmelabs", "shown": "AcmeLabs", "organization": own.world.org.did,
        "basis": "operator", "time": format_time(T0),
    }  # fmt: skip
    assert leaf_bytes(bound) == own.entries[0]
    d.receipt.update(leaf=bound, index=0, proof=[b64_encode(one) for one in own.inclusion(0)])


def foreign(d: Draft) -> None:
    """The log itself holds the entry in the name of another registry."""
    own = d.town
    (entry,) = own.names[NAME]
    entry.leaf["registry"] = own.world.db.did
    own.entries[entry.index] = leaf_bytes(entry.leaf)
    d.answer = d.answered((NAME,))


def of(name: str, at: int = -1) -> Bend:
    """The receipt of another event."""
    return lambda d: d.agent.update(receipt=d.town.receipt(d.town.names[name][at]))


LEAF = group(
    "receipt::leaf",
    answer("honest", "The entry as it was logged."),
    answer("renewed", "A name that was renewed: the entry is that of the renewal.",
           lambda _: None, None, OTHER),
    answer("moved", "A name that was transferred.", lambda _: None, None, MOVED),
    answer("agent-altered", "Another agent in the entry.",
           lambda d: leaf(agent=d.town.second.did)(d), "log-proof", importance="critical"),
    answer("record-altered", "Another record in the entry.",
           lambda d: leaf(record=d.town.names[NEWER][0].leaf["record"])(d), "log-proof",
           importance="critical"),
    answer("time-altered", "An earlier time in the entry.", leaf(time=format_time(T0 - 60)),
           "log-proof"),
    answer("sponsor-dropped", "The salted digest of the sponsor is gone.", leaf(sponsor=None),
           "log-proof"),
    answer("name-in-lower-case", "The same name, spelled another way than it was logged.",
           leaf(name="mcp://paperquery.research.acmelabs.v1.0"), "log-proof"),
    answer("unknown-member", "A member nobody knows.", leaf(note="hello"), "log-entry"),
    answer("member-missing", "An entry without its agent.", leaf(agent=None), "log-entry"),
    answer("provider-of-another", "The provider is not that of the name.",
           leaf(provider="otherlabs"), "log-entry"),
    answer("register-with-a-number", "A registration that is not the first event.", leaf(seq=1),
           "log-entry"),
    answer("epoch-beyond-seq", "More transfers than events.", leaf(epoch=1), "log-entry"),
    answer("unknown-kind", "An entry of no known kind.", leaf(kind="person"), "log-entry"),
    answer("unknown-type", "An event of no known type.", leaf(type="rename"), "log-entry"),
    answer("by-a-stranger", "A registration by a sponsor, which none is.", leaf(by="sponsor"),
           "log-entry"),
    answer("key-beside-did-key", "A key for a DID that is its own.",
           lambda d: leaf(key=d.town.second.key.public.multikey)(d), "log-entry"),
    answer("record-missing", "A registration without a record.", leaf(record=None), "log-entry"),
    answer("from-beside-register", "A registration that names an agent before it.",
           lambda d: leaf(**{"from": d.town.second.did})(d), "log-entry"),
    answer("previous-beside-register", "A registration that names an event before it.",
           lambda d: leaf(previous=d.receipt["leaf"]["event"])(d), "log-entry"),
    answer("version-2", "An entry of a later version.", leaf(version=2), "log-entry"),
    answer("not-a-name", "An entry whose name is none.", leaf(name="mcp://PaperQuery.v1"),
           "log-entry"),
    answer("of-another-name", "The receipt of another name of the same agent.", of(NEWER),
           "ans-signature", importance="critical"),
    answer("of-a-label", "The receipt of the binding of the label.", provider_entry,
           "ans-signature"),
    answer("of-an-older-event", "The receipt of the registration, for the record of the renewal.",
           of(OTHER, 0), "ans-signature", OTHER, twin="renewed"),
    answer("of-before-the-transfer", "The receipt from before the name was transferred.",
           of(MOVED, 0), "ans-signature", MOVED, twin="moved", importance="critical"),
    answer("of-another-registry", "An entry of another registry.",
           lambda d: leaf(registry=d.town.world.db.did)(d), "ans-signature"),
    answer("logged-for-another-registry", "The log holds the entry of another registry.", foreign,
           "ans-signature"),
    spec="docs/ans.md: receipts", twin="honest",
)  # fmt: skip

CASES = [*PROOF, *LEAF]

"""RFC 6962, section 2.1, word by word and slowly; and a log in memory to try the real one on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from delegant.ans.log import tiles as layout
from delegant.ans.log.checkpoint import Checkpoint, sign_checkpoint
from delegant.ans.log.merkle import leaf_hash, root
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.credentials import PrivateKey
from delegant.credentials.errors import error

LOG = NoteSigner("log.example/tree", PrivateKey(bytes(range(32))))
WITNESS = NoteSigner("witness.example/w1", PrivateKey(bytes(range(1, 33))), COSIGNATURE)
OTHER = NoteSigner("witness.example/w2", PrivateKey(bytes(range(2, 34))), COSIGNATURE)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mth(entries: Sequence[bytes]) -> bytes:
    """MTH(D[n])."""
    if not entries:
        return sha(b"")
    if len(entries) == 1:
        return sha(b"\x00" + entries[0])
    k = largest(len(entries))
    return sha(b"\x01" + mth(entries[:k]) + mth(entries[k:]))


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(entries) == 1:
        return []
    k = largest(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D[n])."""
    return subproof(m, entries, whole=True)


def subproof(m: int, entries: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b)."""
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = largest(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


def largest(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def entry(number: int) -> bytes:
    return b"entry %d" % number


class Log:
    """A log whose tiles, bundles and checkpoint lie in a dict, by path."""

    def __init__(self, size: int = 0, batch: int = 10_000) -> None:
        self.entries: list[bytes] = []
        self.store: dict[tuple[int, int], bytes] = {}
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        while len(self.entries) < size:
            start = len(self.entries)
            self.add([entry(at) for at in range(start, min(size, start + batch))])
        self.publish()

    @property
    def size(self) -> int:
        return len(self.entries)

    def read(self, level: int, index: int, width: int) -> bytes:
        return self.store[level, index][: 32 * width]

    def add(self, entries: Sequence[bytes]) -> None:
        hashes = [leaf_hash(one) for one in entries]
        for level, index, data in layout.extend(self.size, hashes, self.read):
            self.store[level, index] = data
        self.entries += entries

    def root(self) -> bytes:
        return root(self.size, self.read)

    def head(self) -> Checkpoint:
        return Checkpoint(LOG.key.name, self.size, self.root())

    def publish(self) -> str:
        """Write the files as a web server would serve them; older partial tiles stay."""
        text = sign_checkpoint(self.head(), LOG)
        self.files["checkpoint"] = text.encode()
        for (level, index), data in self.store.items():
            self.files[layout.path(level, index, len(data) // 32)] = data
        for index in range(-(-self.size // 256)):
            bundle = self.entries[256 * index : 256 * index + 256]
            self.files[layout.bundle_path(index, len(bundle))] = layout.pack(bundle)
        return text

    def fetch(self, name: str) -> bytes:
        self.asked.append(name)
        if name not in self.files:
            raise error("not-found", name)
        return self.files[name]

    def write(self, folder: Path) -> None:
        for name, data in self.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

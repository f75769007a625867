"""The log read again from its first entry, by somebody who trusts nobody that wrote it.

Every rule of names that can be checked from the entries alone is: their form, one registry, times
that never go backwards, each event logged once, the life of a name as the table of `lifecycle` has
it (one controller, numbers and digests in a row), provider labels bound before names stand under
them, and no label that looks like another organisation's. Shared with the registry are the leaf's
format and that table; nothing of its store.

What entries do not say is not checked here: signatures of events (the digest of each is logged),
who agreed to a transfer, when a record expires, and what a log left behind when it was set back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from delegant.credentials.errors import Error, error

from .confusable import skeleton
from .leaf import Leaf, NameLeaf, ProviderLeaf, RewindLeaf, check_after, parse_leaf
from .lifecycle import Standing, step
from .log.merkle import EMPTY_ROOT, leaf_hash, node_hash

__all__ = ["Entry", "Replay", "Tree", "fault"]

_UNDER_A_LABEL: Final = frozenset({"register", "renew", "update", "transfer", "resume"})
"""Events that need the provider label bound; whoever lost it may still suspend and revoke."""


def fault(index: int, detail: str) -> Error:
    """``log-entry`` about the entry of this index, which ``dimension`` names."""
    return error("log-entry", f"entry {index}: {detail}", dimension=f"entry {index}")


class Tree:
    """A Merkle tree that only grows: its size and root, from the hashes of its leaves (RFC 6962).

    It keeps one hash for each one bit of the size.
    """

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, data: bytes) -> None:
        """One more entry."""
        fresh = leaf_hash(data)
        level = self.size
        while level & 1:
            fresh = node_hash(self._peaks.pop(), fresh)
            level >>= 1
        self._peaks.append(fresh)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root hash of what was appended so far."""
        if not self._peaks:
            return EMPTY_ROOT
        *left, found = self._peaks
        for peak in reversed(left):
            found = node_hash(peak, found)
        return found


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that keeps the rules.

    Attributes:
        before, standing: what its name was before and is after it; None for whatever is about
            no name, and ``before`` for a registration.
    """

    index: int
    leaf: Leaf
    before: Standing | None = None
    standing: Standing | None = None


class Replay:
    """What the entries read so far have made of names and provider labels.

    Args:
        registry: the DID whose log it must be; by default that of the first entry.

    Attributes:
        names, providers: what names are, and whose labels.
        rewinds: where the log says of itself that it left a larger tree, which had been signed.
    """

    def __init__(self, registry: str | None = None) -> None:
        self.registry = registry
        self.names: dict[str, Standing] = {}
        self.providers: dict[str, str] = {}
        self.rewinds: list[tuple[int, RewindLeaf]] = []
        self._alike: dict[str, dict[str, str]] = {}
        self._events: set[str] = set()
        self._last: Leaf | None = None

    def read(self, index: int, data: bytes) -> Entry:
        """Take the next entry.

        Raises:
            Rejected: ``log-entry``, with the index of the first that is malformed or breaks a
            rule.
        """
        try:
            return self.apply(index, parse_leaf(data))
        except Error as exc:
            told = exc.detail if exc.code == "log-entry" else f"{exc.code}, {exc.detail}"
            raise fault(index, told) from None

    def apply(self, index: int, leaf: Leaf) -> Entry:
        """The same for a leaf that was parsed; where it breaks a rule nothing has changed.

        Raises:
            Error: the codes of `lifecycle.step`, ``log-entry``, ``namespace``, ``name-taken``,
            ``name-confusable``.
        """
        if self.registry not in (None, leaf.registry):
            raise error("log-entry", f"it is of another registry, {leaf.registry}")
        check_after(self._last, leaf)
        if isinstance(leaf, RewindLeaf):
            self.rewinds.append((index, leaf))
            entry = Entry(index, leaf)
        elif isinstance(leaf, ProviderLeaf):
            self._provider(leaf)
            entry = Entry(index, leaf)
        else:
            before = self.names.get(leaf.name.key)
            entry = Entry(index, leaf, before, self._name(leaf, before))
        self.registry, self._last = leaf.registry, leaf
        return entry

    def _name(self, leaf: NameLeaf, before: Standing | None) -> Standing:
        if leaf.event in self._events:
            raise error("log-entry", "this event is logged already")
        if leaf.type in _UNDER_A_LABEL and leaf.provider not in self.providers:
            raise error("namespace", f"the label {leaf.provider} belongs to nobody")
        after = step(before, leaf.move, expired=None)
        if after.epoch != leaf.epoch:
            raise error("log-entry", f"epoch {leaf.epoch}, after {after.epoch} transfers")
        self._events.add(leaf.event)
        self.names[leaf.name.key] = after
        return after

    def _provider(self, leaf: ProviderLeaf) -> None:
        owner = self.providers.get(leaf.provider)
        alike = self._alike.setdefault(skeleton(leaf.provider), {})
        if leaf.type == "unbind":
            if owner != leaf.organization:
                raise error("namespace", f"{leaf.shown} is not bound to {leaf.organization}")
            del self.providers[leaf.provider], alike[leaf.provider]
            return
        if owner not in (None, leaf.organization):
            raise error("name-taken", f"{leaf.shown} belongs to {owner}")
        for label, organization in alike.items():
            if organization != leaf.organization:
                raise error(
                    "name-confusable", f"{leaf.shown} looks like {label}, of {organization}"
                )
        self.providers[leaf.provider] = alike[leaf.provider] = leaf.organization

"""Reading a log to the end: is it whole, does it keep the rules, did anything touch my names?

`verify_log` reads every entry, recomputes the root and replays the rules; `history` is one name's
whole life out of that. A `Monitor` does the same again and again, remembers the last checkpoint,
and tells what happened to the names and labels somebody owns. All of it works from tiles alone,
over whatever a `LogReader` reads them from, and imports nothing of the registry's store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from delegant.credentials.codec import JsonObject
from delegant.credentials.did import check as check_did
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import format_time

from .confusable import skeleton
from .leaf import Leaf, NameLeaf, ProviderLeaf, RewindLeaf, parse_leaf
from .lifecycle import RANKS, Standing
from .log.checkpoint import Checkpoint
from .log.note import b64_encode
from .name import AnsName, provider_label
from .replay import Entry, Replay, Tree

__all__ = [
    "KINDS",
    "Finding",
    "Monitor",
    "Reader",
    "Report",
    "Verified",
    "Watch",
    "history",
    "verify_log",
]

BATCH: Final = 256
MAX_FINDINGS: Final = 1000


class Reader(Protocol):
    """What is asked of a log: `delegant.ans.log.LogReader` is one."""

    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint, its signature verified."""
        ...

    def entries(self, start: int, end: int) -> Iterable[bytes]:
        """Entries in order, each held to the tree of that checkpoint."""
        ...


@dataclass(frozen=True, slots=True)
class Verified:
    """A log that was read to its end.

    Attributes:
        checkpoint: which its entries hash to.
        replay: what they have made of names and labels.
    """

    checkpoint: Checkpoint
    replay: Replay

    @property
    def json(self) -> JsonObject:
        """The form that is shown."""
        states = [standing.state(expired=False) for standing in self.replay.names.values()]
        rewinds = [_rewound(index, leaf).json for index, leaf in self.replay.rewinds]
        return {
            **_checkpoint(self.checkpoint),
            "registry": self.replay.registry,
            "names": len(states),
            "active": states.count("active"),
            "suspended": states.count("suspended"),
            "revoked": states.count("revoked"),
            "providers": dict(sorted(self.replay.providers.items())),
            **({"rewinds": rewinds} if rewinds else {}),
        }


def verify_log(
    reader: Reader, registry: str | None = None, on: Callable[[Entry], None] | None = None
) -> Verified:
    """Read a log from its first entry to its newest checkpoint.

    Args:
        reader: where the log is.
        registry: the DID whose log it must be.
        on: called with each entry in turn.

    Raises:
        Rejected: ``log-note``, ``log-proof`` for what is not in the tree that was signed,
        ``log-entry`` for what breaks a rule, with the index of the first such entry.
        Undecided: ``log-witness``. And what the reader raises.
    """
    checkpoint = reader.checkpoint()
    replay, tree = Replay(registry), Tree()
    for index, data in _entries(reader, 0, checkpoint.size):
        tree.append(data)
        entry = replay.read(index, data)
        if on is not None:
            on(entry)
    if tree.root != checkpoint.root:
        raise error("log-proof", "the entries do not hash to the root that was signed")
    return Verified(checkpoint, replay)


def history(reader: Reader, name: str, registry: str | None = None) -> tuple[list[Entry], Verified]:
    """The whole life of a name, out of a log that was verified to its end.

    Raises:
        Malformed: ``ans-name``. NotFound: ``ans-not-found``. And what `verify_log` raises.
    """
    key = AnsName.parse(name).key
    found: list[Entry] = []

    def keep(entry: Entry) -> None:
        if isinstance(entry.leaf, NameLeaf) and entry.leaf.name.key == key:
            found.append(entry)

    verified = verify_log(reader, registry, keep)
    if not found:
        raise error("ans-not-found", f"{name} was never registered in this log")
    return found, verified


def _entries(reader: Reader, start: int, end: int) -> Iterable[tuple[int, bytes]]:
    while start < end:
        upto = min((start // BATCH + 1) * BATCH, end)
        index = start
        for data in reader.entries(start, upto):
            yield index, data
            index += 1
        if index != upto:
            raise error("log-proof", f"entry {index}: it is missing", dimension=f"entry {index}")
        start = upto


def _checkpoint(checkpoint: Checkpoint) -> JsonObject:
    root = b64_encode(checkpoint.root)
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": root}


# --- watching ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Watch:
    """What somebody owns, and so wants to hear of.

    Attributes:
        labels: provider labels, lower case, to the organisation they must belong to; None: to
            whoever had them first.
        agents: names to the DID that must have them.
    """

    labels: Mapping[str, str | None] = field(default_factory=dict)
    agents: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, labels: Iterable[str], agents: Iterable[str] = ()) -> Watch:
        """From what is typed: ``LABEL`` or ``LABEL=DID``, and ``NAME=DID``.

        Raises:
            Malformed: ``ans-name``, ``did-invalid``.
        """
        owned: dict[str, str | None] = {}
        for text in labels:
            label, equals, organization = text.partition("=")
            owned[provider_label(label)] = check_did(organization) if equals else None
        pairs = (text.partition("=") for text in agents)
        return cls(owned, {AnsName.parse(name).key: check_did(who) for name, _, who in pairs})

    def owns(self, leaf: NameLeaf) -> bool:
        """Whether an event is about a name that is owned."""
        return leaf.provider in self.labels or leaf.name.key in self.agents


@dataclass(frozen=True, slots=True)
class Finding:
    """Something its owner should look at.

    Attributes:
        index: of the entry.
        kind: one of `KINDS`.
        about: the name or label.
    """

    index: int
    kind: str
    about: str
    detail: str
    time: int | None = None

    @property
    def json(self) -> JsonObject:
        """The form that is shown."""
        value: JsonObject = {
            "index": self.index, "kind": self.kind, "about": self.about, "detail": self.detail,
        }  # fmt: skip
        return value if self.time is None else value | {"time": format_time(self.time)}


@dataclass(frozen=True, slots=True)
class Report:
    """What one look at a log found.

    Attributes:
        since: how many entries had been seen before.
        names: the names that are owned, and what they are now.
        more: whether there was more to tell than is told.
    """

    checkpoint: Checkpoint
    since: int
    names: Mapping[str, Standing]
    findings: tuple[Finding, ...]
    more: bool = False

    @property
    def json(self) -> JsonObject:
        """The form that is shown."""
        names = [
            {"name": name, "agent": one.agent, "state": one.state(expired=False), "seq": one.seq}
            for name, one in sorted(self.names.items())
        ]
        return {
            **_checkpoint(self.checkpoint),
            "since": self.since,
            "names": names,
            "findings": [one.json for one in self.findings],
            **({"more": True} if self.more else {}),
        }


_TOLD_AS: Final = {"name-taken": "duplicate-name", "name-confusable": "look-alike-provider"}
_BY_OTHERS: Final = {"suspend": "suspended", "resume": "resumed", "revoke": "revoked"}
KINDS: Final = (
    *_TOLD_AS.values(), *_BY_OTHERS.values(), "look-alike-name", "label-taken", "new-name",
    "new-agent", "broken-rule", "rewind",
)  # fmt: skip
"""Everything that is told."""


class Monitor:
    """Somebody who looks at a log again and again, and forgets nothing.

    Args:
        watch: what is owned.
        registry: the DID whose log it must be.
        remembered: the last checkpoint seen, by an earlier Monitor.
    """

    def __init__(
        self, watch: Watch, registry: str | None = None, remembered: Checkpoint | None = None
    ) -> None:
        self._watch = watch
        self._labels = dict(watch.labels)
        self._replay = Replay(registry)
        self._tree = Tree()
        self._last = remembered
        self._found: list[Finding] = []
        self._more = False
        self._names: dict[str, NameLeaf] = {}
        self._alike: dict[str, set[tuple[str, str, str]]] = {}
        self._mine: set[tuple[str, str, str]] = {
            _triple(AnsName.parse(name)) for name in watch.agents
        }
        for triple in self._mine:
            self._alike.setdefault(_looks(triple), set()).add(triple)

    def look(self, reader: Reader) -> Report:
        """Read what is new, and tell what of it its owner should look at.

        The first look of all takes the names it finds under the owned labels as they are. What a
        look found before it failed is told by the next that does not.

        Raises:
            Rejected: ``log-rollback`` for a log smaller than it was, ``log-split`` for one that
            is not the one seen before, ``log-note``, ``log-proof``. And what the reader raises.
        """
        checkpoint, last = reader.checkpoint(), self._last
        if last is not None:
            _same_log(last, checkpoint)
        since = 0 if last is None else last.size
        first = last is None
        for index, data in _entries(reader, self._tree.size, checkpoint.size):
            if last is not None and index == last.size:
                self._held_to(last)
            self._tree.append(data)
            told = self._take(index, data, first)
            if index >= since:
                self._keep(told)
        if last is not None and last.size == self._tree.size:
            self._held_to(last)
        if self._tree.root != checkpoint.root:
            kind = "log-proof" if last is None else "log-split"
            raise error(kind, "the entries seen do not hash to the root that was signed")
        self._last = checkpoint
        names = {leaf.name.key: self._replay.names[leaf.name.key] for leaf in self._names.values()}
        report = Report(checkpoint, since, names, tuple(self._found), self._more)
        self._found, self._more = [], False
        return report

    def _keep(self, told: list[Finding]) -> None:
        """Until a look succeeds: whoever serves the log may let one fail."""
        room = MAX_FINDINGS - len(self._found)
        self._more = self._more or len(told) > room
        self._found += told[:room]

    def _held_to(self, last: Checkpoint) -> None:
        if self._tree.root != last.root:
            raise error(
                "log-split",
                f"its first {last.size} entries are not those seen before: two logs of one name",
            )

    def _take(self, index: int, data: bytes, first: bool) -> list[Finding]:
        try:
            leaf = parse_leaf(data)
        except Error as exc:
            return [Finding(index, "broken-rule", "", exc.detail)]
        try:
            entry = self._replay.apply(index, leaf)
        except Error as exc:
            kind = _TOLD_AS.get(exc.code, "broken-rule")
            told = [Finding(index, kind, _about(leaf), f"{exc.code}: {exc.detail}", leaf.time)]
            return told + self._label(index, leaf)
        if isinstance(leaf, RewindLeaf):
            return [_rewound(index, leaf)]
        if not isinstance(leaf, NameLeaf):
            return self._label(index, leaf)
        found = self._looks_like(index, leaf)
        if self._watch.owns(leaf):
            self._names[leaf.name.key] = leaf
            found += self._mine_changed(entry, leaf, first)
        return found

    def _label(self, index: int, leaf: Leaf) -> list[Finding]:
        """An owned label that is, or is about to be, somebody else's."""
        if not isinstance(leaf, ProviderLeaf) or leaf.provider not in self._labels:
            return []
        must = self._labels[leaf.provider]
        if must is None:
            self._labels[leaf.provider] = must = leaf.organization
        told = ""
        if leaf.organization != must:
            told = f"bound to {leaf.organization}, not to {must}"
        elif leaf.type == "unbind":
            told = f"no longer bound to {must}"
        return [Finding(index, "label-taken", leaf.shown, told, leaf.time)] if told else []

    def _mine_changed(self, entry: Entry, leaf: NameLeaf, first: bool) -> list[Finding]:
        must = self._watch.agents.get(leaf.name.key)
        name = str(leaf.name)
        kind, told = "", ""
        if leaf.type in ("register", "transfer") and must not in (None, leaf.agent):
            kind, told = "new-agent", f"{leaf.type}: it is {leaf.agent} now, not {must}"
        elif leaf.type == "transfer" and must is None:
            kind, told = "new-agent", f"transferred from {leaf.origin} to {leaf.agent}"
        elif leaf.type == "register" and must is None and not first:
            kind, told = "new-name", f"registered by {leaf.agent}"
        elif leaf.type in _BY_OTHERS and leaf.by != RANKS[0]:
            kind = _BY_OTHERS[leaf.type]
            told = f"by the {leaf.by}"
        return [Finding(entry.index, kind, name, told, leaf.time)] if kind else []

    def _looks_like(self, index: int, leaf: NameLeaf) -> list[Finding]:
        """A name that somebody could take for one that is owned."""
        if leaf.type != "register":
            return []
        triple = _triple(leaf.name)
        if self._watch.owns(leaf):
            self._mine.add(triple)
        alike = self._alike.setdefault(_looks(triple), set())
        others = sorted(alike - {triple})
        alike.add(triple)
        return [
            Finding(
                index, "look-alike-name", str(leaf.name), f"looks like {'.'.join(other)}", leaf.time
            )
            for other in others
            if (other in self._mine) or (triple in self._mine)
        ]


def _same_log(last: Checkpoint, now: Checkpoint) -> None:
    if last.origin != now.origin:
        raise error("log-split", f"this is the log {now.origin}, not {last.origin}")
    if now.size < last.size:
        raise error("log-rollback", f"{now.size} entries, where there were {last.size}")
    if now.size == last.size and now.root != last.root:
        raise error("log-split", f"another log of {now.size} entries than the one seen before")


def _about(leaf: Leaf) -> str:
    if isinstance(leaf, RewindLeaf):
        return leaf.registry
    return str(leaf.name) if isinstance(leaf, NameLeaf) else leaf.shown


def _rewound(index: int, leaf: RewindLeaf) -> Finding:
    """The operator went on from an older state: whoever saw the larger tree sees another log."""
    detail = f"set back from a signed tree of {leaf.size} entries: {leaf.reason}"
    return Finding(index, "rewind", leaf.registry, detail, leaf.time)


def _triple(name: AnsName) -> tuple[str, str, str]:
    return name.function.lower(), name.domain.lower(), name.provider_key


def _looks(triple: tuple[str, str, str]) -> str:
    return ".".join(skeleton(label) for label in triple)

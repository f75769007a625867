"""What a client remembers of a registry: how far its log had come, and who held which name.

    {version, registry, log? {origin, size, root, time},
     names {key: {agent, epoch, seq, key?, found?}}}

``found`` stands where a name was never asked for by name, and was only the first that a search
found: such names are forgotten, the oldest first, where there is no room for more.

A closed JSON file, replaced as a whole. A damaged one is an error and never begun anew: it is what
a rolled back log, a split view and a silently rebound name are found by. Several processes may
share one; `Memory.save` writes only over what its caller has read.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from delegant.credentials import PublicKey, did, shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error
from delegant.wallet import files

from .fresh import Head, read_hash
from .name import AnsName
from .signing import members, version

__all__ = ["Memory", "Pin", "Remembered"]

MAX_NAMES: Final = 65_536
MAX_FILE: Final = 64 * 1024 * 1024
"""Room for that many of the longest names, DIDs and keys."""
_PIN: Final = frozenset({"agent", "epoch", "seq"})


@dataclass(frozen=True, slots=True)
class Pin:
    """Who held a name when it was last met.

    ``seq``: its newest event that the log proved. ``key``: where the DID is not its own key.
    ``found``: when a search first found it, seconds since 1970; None once it was asked for by name.
    """

    agent: str
    epoch: int
    seq: int
    key: PublicKey | None = None
    found: int | None = None

    @property
    def json(self) -> JsonObject:
        """As it lies in the file."""
        key = None if self.key is None else self.key.multikey
        found = None if self.found is None else shape.format_time(self.found)
        return members(agent=self.agent, epoch=self.epoch, seq=self.seq, key=key, found=found)


@dataclass(frozen=True, slots=True)
class Remembered:
    """The state of a memory. ``time``: by when the log was at ``head``, seconds since 1970."""

    head: Head | None = None
    time: int = 0
    names: Mapping[str, Pin] = field(default_factory=dict)


class Memory:
    """A client's memory of one registry, in a file, or without a path in this process alone.

    Raises:
        Malformed: ``shape``, ``json`` and what else a damaged file is; ``limit-items`` when more
            than 65,536 names that were asked for by name are to be remembered.
        Unavailable: ``unavailable``.
    """

    def __init__(self, registry: str, path: Path | None = None) -> None:
        self._registry = registry
        self._path = path
        self._held = Remembered()
        self._mark: tuple[int, int, int] | None = None
        self.load()

    def load(self) -> Remembered:
        """What is remembered now; the file is read again only when it is another one."""
        if self._path is None:
            return self._held
        mark = _mark(self._path)
        if mark is None and self._mark is not None:
            raise error("unavailable", f"{self._path} was there and is gone")
        if mark != self._mark:
            self._held = self._parse(files.read_object(self._path, size=MAX_FILE))
            self._mark = mark
        return self._held

    def save(self, before: Remembered, after: Remembered) -> bool:
        """Remember more, unless another process did meanwhile; whether it was written."""
        after = _fitting(after)
        if after == before:
            return True
        if self._path is None:
            if self._held is not before:
                return False
            self._held = after
            return True
        try:
            files.make_folder(self._path.parent)
            with files.lock(self._path.parent, f".{self._path.name}.lock"):
                if self.load() != before:
                    return False
                files.write_json(self._path, self._json(after))
                self._held, self._mark = after, _mark(self._path)
        except OSError as exc:
            raise error("unavailable", f"{self._path}: {exc.strerror}") from None
        return True

    def forget(self, name: str) -> Pin:
        """Forget who held a name, and nothing of the log: whom it leads to next is believed anew.

        For a person who has learnt elsewhere that an ``ans-rebound`` was meant, as after a did:web
        agent's change of key.

        Raises:
            NotFound: ``not-found`` where it was never met. Malformed: ``ans-name``.
        """
        key = AnsName.parse(name).key
        while True:
            before = self.load()
            if key not in before.names:
                raise error("not-found", f"{name} is not remembered")
            names = {one: pin for one, pin in before.names.items() if one != key}
            if self.save(before, replace(before, names=names)):
                return before.names[key]

    def _json(self, state: Remembered) -> JsonObject:
        head = state.head
        return members(
            version=1,
            registry=self._registry,
            log=None
            if head is None
            else {
                "origin": head.origin,
                "size": head.size,
                "root": b64encode(head.root).decode("ascii"),
                "time": shape.format_time(state.time),
            },
            names={key: pin.json for key, pin in state.names.items()},
        )

    def _parse(self, value: JsonObject) -> Remembered:
        version(value, "memory")
        shape.closed(
            value, "memory", frozenset({"version", "registry", "names"}), frozenset({"log"})
        )
        if value["registry"] != self._registry:
            raise error("shape", "the memory is of another registry")
        if type(value["names"]) is not dict or len(value["names"]) > MAX_NAMES:
            raise error("shape", f"memory.names is not an object of at most {MAX_NAMES} members")
        names = {_key(name): _pin(one) for name, one in value["names"].items()}
        if "log" not in value:
            return Remembered(names=names)
        log = value["log"]
        shape.closed(log, "memory.log", frozenset({"origin", "size", "root", "time"}))
        head = Head(
            shape.text(log["origin"], "memory.log.origin"),
            shape.integer(log["size"], "memory.log.size"),
            read_hash(log["root"], "memory.log.root"),
        )
        return Remembered(head, shape.time(log["time"], "memory.log.time"), names)


def _fitting(state: Remembered) -> Remembered:
    """Without the oldest names that only searches found, where there are too many names."""
    over = len(state.names) - MAX_NAMES
    if over <= 0:
        return state
    found = sorted((pin.found, name) for name, pin in state.names.items() if pin.found is not None)
    if len(found) < over:
        raise error("limit-items", f"a memory holds at most {MAX_NAMES} names")
    gone = {name for _, name in found[:over]}
    return replace(state, names={name: p for name, p in state.names.items() if name not in gone})


def _mark(path: Path) -> tuple[int, int, int] | None:
    """What changes whenever a file is replaced; None where there is none."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise error("unavailable", f"{path}: {exc.strerror}") from None
    return about.st_ino, about.st_mtime_ns, about.st_size


def _key(name: str) -> str:
    if AnsName.parse(name).key != name:
        raise error("shape", "memory.names names a name not in lower case")
    return name


def _pin(value: Json) -> Pin:
    shape.closed(value, "memory.names", _PIN, frozenset({"key", "found"}))
    agent = did.check(value["agent"])
    if ("key" in value) == did.embeds_key(agent):
        raise error("shape", "a key stands exactly where the DID is not its own key")
    return Pin(
        agent,
        shape.integer(value["epoch"], "memory.epoch"),
        shape.integer(value["seq"], "memory.seq"),
        PublicKey.from_multikey(shape.text(value["key"], "memory.key", 128))
        if "key" in value
        else None,
        shape.time(value["found"], "memory.found") if "found" in value else None,
    )

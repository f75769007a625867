"""A directory and a database without signatures or checks, to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from delegant.ans import AnsName
from delegant.ans.versions import VersionRange

__all__ = ["Database", "Directory", "Listed"]


@dataclass(frozen=True)
class Listed:
    """What somebody says of an agent; ``claims`` are what it says that it is certified for."""

    name: str
    endpoint: str
    claims: tuple[str, ...] = ()


class Directory:
    """Lists whatever anybody sends; the last to send a name has it."""

    def __init__(self) -> None:
        self._listed: dict[str, Listed] = {}

    def put(self, one: Listed) -> None:
        """List an agent."""
        self._listed[one.name.lower()] = one

    def lookup(self, name: str) -> Listed:
        """The agent of this name."""
        return self._listed[name.lower()]

    def search(
        self, capability: str, version: str, claims: Sequence[str], without: Sequence[str] = ()
    ) -> Listed:
        """The highest version in the range that says it has the capability and the claims."""
        wanted = VersionRange.parse(version)
        named = [(AnsName.parse(one.name), one) for one in self._listed.values()]
        found = [
            (name.version, one)
            for name, one in named
            if f"{name.function}.{name.domain}" == capability
            and wanted.matches(name.version)
            and set(claims) <= set(one.claims)
            and one.name not in without
        ]
        return max(found, key=lambda pair: pair[0])[1]


class Database:
    """Gives every table to whoever has the key that all share."""

    def __init__(self, key: str) -> None:
        self._key = key

    def query_table(self, table: str, key: str) -> bool:
        """Whether the table's rows are given."""
        return bool(table) and key == self._key

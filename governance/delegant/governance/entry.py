"""A record on its way into the log: complete but for what only the writer knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from delegant.credentials import shape
from delegant.credentials.codec import JsonObject
from delegant.credentials.shape import format_time

from .record import draft

__all__ = ["Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that waits for its place.

    Attributes:
        head, tail: its bytes before and after the digest of the entry before.
        time: seconds since 1970; the log may be ahead of it by the clock of another.
        row: what it is searched by.
    """

    head: bytes
    tail: bytes
    time: int
    row: dict[str, Any]

    @classmethod
    def of(cls, value: JsonObject, *, made: bool = False) -> Entry:
        """From the record, whose ``previous`` is None.

        Args:
            made: as for `draft`.

        Raises:
            Rejected: ``audit-no-sponsor``, ``audit-entry``.
        """
        head, tail = draft(value, made=made)
        row = {
            "type": value["type"],
            "event": value["event"],
            "sponsor": value["sponsorDid"],
            "agent": value.get("agentDid"),
            "action": value.get("action"),
            "initiation": value.get("initiation"),
            "decision": value.get("decision"),
        }
        return cls(head, tail, shape.time(value["time"], "time"), row)

    def body(self, previous: str | None, time: int) -> bytes:
        """The leaf, after the entry of this digest and at the log's own time."""
        before = b"null" if previous is None else b'"' + previous.encode() + b'"'
        tail = self.tail
        if time != self.time:
            told = b',"time":"' + format_time(self.time).encode() + b'","type":'
            now = b',"time":"' + format_time(time).encode() + b'","type":'
            tail = tail.replace(told, now)
        return self.head + before + tail

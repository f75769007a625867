"""Acts for other people's tools: JSON Lines, OCSF, OpenTelemetry.

Every format is one JSON value a line, in RFC 8785 form, and nothing but what the records say: the
salt, the request with its arguments and the invocation are no part of a record, so they are in
none of them.

``jsonl`` is the records themselves, byte for byte as they are in the log; whoever has the tree can
still prove each line. The others are translations, and prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from delegant.credentials import canonical
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error

from .ocsf import ocsf_event
from .otel import otel_logs
from .record import Record
from .reporting import Act, Logged

__all__ = ["FORMATS", "export_lines"]


def _own(entry: Logged, _first: Record) -> JsonObject:
    return entry.record.json


_MAKE: Final[dict[str, Callable[[Logged, Record], JsonObject]]] = {
    "jsonl": _own,
    "ocsf": ocsf_event,
    "otel": otel_logs,
}
FORMATS: Final = tuple(_MAKE)


def export_lines(acts: Iterable[Act], form: str) -> Iterator[bytes]:
    """The lines of an export, without their ends: of each act its records, one a line.

    Args:
        form: one of `FORMATS`.

    Raises:
        Malformed: ``shape`` for any other.
    """
    if form not in _MAKE:
        raise error("shape", f"an export is one of {', '.join(FORMATS)}")
    make = _MAKE[form]
    for act in acts:
        for entry in act.entries:
            yield canonical(make(entry, act.first.record))

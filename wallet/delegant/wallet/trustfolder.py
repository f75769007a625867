"""The trust folder: whom this verifier trusts, how far, and what it has seen.

``trust.json`` is written by people, ``seen.json`` by machines after each accepted verdict. A
verifier loads it once at start, or for each decision; nothing presented ever gets into it but
what was verified.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from delegant.credentials import Seen, Trust
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.credentials.shape import closed

from . import files

__all__ = ["add_anchor", "init_trust", "load_trust", "save_seen", "trust_json", "write_trust"]

FILE: Final = "trust.json"
SEEN: Final = "seen.json"


def load_trust(folder: str | Path) -> Trust:
    """Read a trust folder, with what it has seen.

    Raises:
        NotFound: ``not-found``. Malformed, Undecided, Rejected: what `Trust.parse` raises.
    """
    path = Path(folder)
    value = trust_json(path)
    if (path / SEEN).is_file():
        if "seen" in value:
            raise error("shape", f"{FILE} has `seen`, and so has {SEEN}: keep one")
        value["seen"] = files.read_object(path / SEEN)
    return Trust.from_json(value)


def trust_json(folder: Path) -> JsonObject:
    """What ``trust.json`` says."""
    if not (folder / FILE).is_file():
        raise error("not-found", f"{folder} is no trust folder: `delegant trust init {folder}`")
    return files.read_object(folder / FILE)


def write_trust(folder: Path, value: JsonObject) -> None:
    """Write ``trust.json`` if a verifier would accept it."""
    Trust.from_json(value)
    files.make_folder(folder)
    files.write_json(folder / FILE, value)


def init_trust(folder: Path, verifier: str | None = None) -> None:
    """A new trust folder that trusts nobody yet.

    Args:
        folder: where.
        verifier: the DID that invocations must be addressed to.

    Raises:
        Conflict: ``name-taken`` when it exists.
    """
    if (folder / FILE).exists():
        raise error("name-taken", f"{folder} is a trust folder already")
    value: JsonObject = {"version": 1, "anchors": []}
    if verifier is not None:
        value["verifier"] = {"id": verifier}
    write_trust(folder, value)


def add_anchor(
    folder: Path, anchor_file: Path, ceiling: Sequence[dict[str, Any]] | None = None
) -> JsonObject:
    """Trust an organisation, up to a ceiling.

    Args:
        folder: the trust folder.
        anchor_file: what the organisation published.
        ceiling: how far; by default what the file suggests.

    Returns:
        The anchor as written.

    Raises:
        Conflict: ``name-taken`` when it is trusted already. Malformed: ``shape``.
    """
    with files.lock(folder if folder.is_dir() else folder.parent):
        value = trust_json(folder)
        anchor = files.read_object(anchor_file)
        Trust.from_json({"version": 1, "anchors": [anchor]})
        if ceiling:
            anchor["ceiling"] = list(ceiling)
        if any(one.get("id") == anchor["id"] for one in value["anchors"]):
            raise error("name-taken", f"{anchor['id']} is an anchor already")
        value["anchors"].append(anchor)
        write_trust(folder, value)
    return anchor


def save_seen(folder: str | Path, seen: Seen) -> None:
    """Remember what an accepted verdict met; never backwards.

    Raises:
        Malformed: ``shape`` when ``seen.json`` is damaged: it protects against rollback, so it
        is not silently begun anew.
    """
    path = Path(folder)
    with files.lock(path):
        before = Seen()
        if (path / SEEN).is_file():
            value = files.read_object(path / SEEN)
            closed(value, SEEN, frozenset(), frozenset({"revision", "lists", "feeds"}))
            before = Trust.from_json({"version": 1, "anchors": [], "seen": value}).seen
        merged = before.merged(seen)
        if merged != before:
            files.write_json(path / SEEN, merged.json)

"""The trust folder: whom this verifier trusts, how far, and what it has seen.

``trust.json`` is written by people, ``seen.json`` by machines after each accepted verdict. A
verifier loads it once at start, or for each decision; nothing presented ever gets into it but
what was verified.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from delegant.credentials import Peer, Seen, Trust
from delegant.credentials.attestation import claim_name
from delegant.credentials.codec import JsonObject, canonical
from delegant.credentials.errors import error
from delegant.credentials.shape import closed

from . import files

__all__ = [
    "TrustFolder",
    "accredit",
    "add_anchor",
    "add_audit",
    "add_registry",
    "init_trust",
    "load_trust",
    "remove_anchor",
    "remove_audit",
    "remove_registry",
    "save_seen",
    "trust_json",
    "update_anchor",
    "write_trust",
]

FILE: Final = "trust.json"
SEEN: Final = "seen.json"
LOCK_SECONDS: Final = 5
_AUDIT: Final = ("id", "keys", "log", "witnesses", "quorum")


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


class TrustFolder:
    """A trust folder that is read again only when a file of it was replaced.

    Args:
        folder: where.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = str(folder / FILE), str(folder / SEEN)
        self._kept: tuple[object, Trust] | None = None

    def read(self) -> Trust:
        """What it says now, as `load_trust`; the same object while it says the same."""
        mark = tuple([_mark(one) for one in self._files])
        kept = self._kept
        if kept is None or kept[0] != mark:
            kept = self._kept = mark, load_trust(self._folder)
        return kept[1]


def _mark(path: str) -> tuple[int, ...] | None:
    """What changes whenever a file is replaced or written."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


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


def update_anchor(folder: Path, anchor_file: Path) -> JsonObject:
    """Take the keys of an anchor from what the organisation published after a rotation.

    Only the keys: how far it is trusted, and for whom it speaks, stay the verifier's own.

    Returns:
        The anchor as written.

    Raises:
        NotFound: ``not-found`` when it is not trusted yet. Malformed: ``shape``.
    """
    published = files.read_object(anchor_file)
    Trust.from_json({"version": 1, "anchors": [published]})
    return _changed(folder, published["id"], keys=published["keys"])


def accredit(folder: Path, anchor: str, claims: Sequence[str], *, no_longer: bool = False) -> Any:
    """Let an anchor's word count for these claims about agents, or no longer.

    Returns:
        The anchor as written.

    Raises:
        NotFound: ``not-found`` when it is no anchor. Malformed: ``shape``.
    """
    wanted = [claim_name(claim, "the claim") for claim in claims]
    return _changed(folder, anchor, accredits=(wanted, no_longer))


def remove_anchor(folder: Path, anchor: str) -> None:
    """Trust an organisation no longer.

    Raises:
        NotFound: ``not-found``.
    """
    with files.lock(folder if folder.is_dir() else folder.parent):
        value = trust_json(folder)
        left = [one for one in value["anchors"] if one.get("id") != anchor]
        if len(left) == len(value["anchors"]):
            raise error("not-found", f"{anchor} is no anchor here")
        write_trust(folder, value | {"anchors": left})


def add_registry(
    folder: Path,
    registry_file: Path,
    witnesses: Sequence[str] = (),
    quorum: int | None = None,
    *,
    check: Callable[[str, Peer], object] | None = None,
) -> JsonObject:
    """Believe a naming registry.

    Args:
        folder: the trust folder.
        registry_file: what the registry published, ``registry.json``.
        witnesses: the note keys of those who may cosign its log; by default what the file says.
        quorum: how many of them must; by default all.
        check: called with the registry before it is written, to refuse keys that are none.

    Returns:
        The registry as written.

    Raises:
        Conflict: ``name-taken`` when it is believed already. Malformed: ``shape``. And what
        ``check`` raises.
    """
    entry = files.read_object(registry_file)
    return _believe(folder, "registries", entry, witnesses, quorum, check)


def add_audit(
    folder: Path,
    audit_file: Path,
    witnesses: Sequence[str] = (),
    quorum: int | None = None,
    *,
    check: Callable[[str, Peer], object] | None = None,
) -> JsonObject:
    """Believe an audit log: its records, and its receipts.

    Args:
        audit_file: what its owner published, ``audit.json``; how long records are kept, and
            where, is of no concern here.
        folder, witnesses, quorum, check: as for `add_registry`.

    Returns:
        The log as written.

    Raises:
        Conflict: ``name-taken`` when it is believed already. Malformed: ``shape``. And what
        ``check`` raises.
    """
    said = files.read_object(audit_file)
    entry: JsonObject = {name: said[name] for name in _AUDIT if name in said}
    return _believe(folder, "audits", entry, witnesses, quorum, check)


def _believe(
    folder: Path,
    group: str,
    registry: JsonObject,
    witnesses: Sequence[str],
    quorum: int | None,
    check: Callable[[str, Peer], object] | None,
) -> JsonObject:
    with files.lock(folder if folder.is_dir() else folder.parent):
        value = trust_json(folder)
        if witnesses:
            registry["witnesses"] = list(witnesses)
            registry.pop("quorum", None)
        if quorum is not None or witnesses:
            registry["quorum"] = len(witnesses) if quorum is None else quorum
        alone = Trust.from_json({"version": 1, "anchors": [], group: [registry]})
        peers = alone.audits if group == "audits" else alone.registries
        if check is not None:
            check(registry["id"], peers[registry["id"]])
        known = value.setdefault(group, [])
        if any(one.get("id") == registry["id"] for one in known):
            raise error("name-taken", f"{registry['id']} is believed already")
        known.append(registry)
        write_trust(folder, value)
    return registry


def remove_registry(folder: Path, registry: str) -> None:
    """Believe a naming registry no longer.

    Raises:
        NotFound: ``not-found``.
    """
    _disbelieve(folder, "registries", registry, "registry")


def remove_audit(folder: Path, audit: str) -> None:
    """Believe an audit log no longer.

    Raises:
        NotFound: ``not-found``.
    """
    _disbelieve(folder, "audits", audit, "audit log")


def _disbelieve(folder: Path, group: str, name: str, what: str) -> None:
    with files.lock(folder if folder.is_dir() else folder.parent):
        value = trust_json(folder)
        known = value.pop(group, [])
        left = [one for one in known if one.get("id") != name]
        if len(left) == len(known):
            raise error("not-found", f"{name} is no {what} here")
        write_trust(folder, value | ({group: left} if left else {}))


def _changed(
    folder: Path,
    anchor: str,
    *,
    keys: list[str] | None = None,
    accredits: tuple[list[str], bool] | None = None,
) -> JsonObject:
    """One anchor with other keys or accreditations, written if a verifier would accept it."""
    with files.lock(folder if folder.is_dir() else folder.parent):
        value = trust_json(folder)
        for one in value["anchors"]:
            if one.get("id") != anchor:
                continue
            if keys is not None:
                one["keys"] = keys
            if accredits is not None:
                claims, no_longer = accredits
                before = set(one.pop("accredits", ()))
                after = before - set(claims) if no_longer else before | set(claims)
                if after:
                    one["accredits"] = sorted(after)
            write_trust(folder, value)
            found: JsonObject = one
            return found
    raise error("not-found", f"{anchor} is no anchor here: `delegant trust add`")


def save_seen(folder: str | Path, seen: Seen) -> None:
    """Remember what an accepted verdict met; never backwards.

    Raises:
        Malformed: ``shape`` when ``seen.json`` is damaged: it protects against rollback, so it
        is not silently begun anew. LimitExceeded: ``limit-size`` when it is full.
        OSError: as the system says; ``TimeoutError`` while another process holds the folder.
    """
    path = Path(folder)
    with files.lock(path, seconds=LOCK_SECONDS):
        before = Seen()
        if (path / SEEN).is_file():
            value = files.read_object(path / SEEN)
            closed(value, SEEN, frozenset(), frozenset({"revision", "lists", "feeds"}))
            before = Trust.from_json({"version": 1, "anchors": [], "seen": value}).seen
        merged = before.merged(seen)
        if merged != before:
            if len(canonical(merged.json)) >= files.MAX_FILE:  # and could not be read again
                raise error("limit-size", f"{SEEN} remembers as many as it can")
            files.write_json(path / SEEN, merged.json)

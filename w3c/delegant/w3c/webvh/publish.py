"""Logs of our own: create, update, deactivate (did:webvh 1.0, Create, Update, Deactivate).

Pure: who calls has the keys, tells the time, and publishes what is returned. Every entry is
checked as a stranger would before it is returned.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.credentials.did import Did
from delegant.credentials.errors import error
from delegant.w3c.keys import Key, Signer

from . import proofs
from .hashes import hash_of, key_hash
from .identifier import PLACEHOLDER, template
from .log import MAX_ENTRY, Entry, history
from .parameters import METHOD
from .times import written

__all__ = ["create", "deactivate", "move", "update", "witness_proof", "witnesses"]

_SCID_TEXT = PLACEHOLDER.encode()


def witnesses(keys: Iterable[Key], threshold: int) -> JsonObject:
    """The parameter ``witness``."""
    listed = [{"id": f"did:key:{key.multikey}"} for key in keys]
    return {"threshold": threshold, "witnesses": listed}


def create(
    host: str,
    path: tuple[str, ...],
    signer: Signer,
    document: JsonObject,
    *,
    at: int,
    port: int | None = None,
    keys: Iterable[Key] = (),
    next_keys: Iterable[Key] = (),
    **parameters: Any,
) -> tuple[Did, bytes]:
    """Create a DID.

    Args:
        host: where the log will be published; ``path`` below it.
        signer: signs the entry; Ed25519.
        document: a template: ``{DID}`` stands for the DID in it, and ``id`` is set.
        at: now, seconds since 1970.
        port: where it is not 443.
        keys: who may sign updates; else ``signer`` alone.
        next_keys: who may sign the next entry (pre-rotation), and nobody else.
        parameters: ``portable``, ``witness``, ``watchers``, ``ttl``.

    Returns:
        The DID, and the line that is its log.

    Raises:
        Malformed: ``did-invalid`` and what is wrong with the document. Undecided: ``suite``.
    """
    name = template(host, path, port)
    given: JsonObject = {
        "method": METHOD,
        "scid": PLACEHOLDER,
        "updateKeys": [key.multikey for key in keys] or [signer.public.multikey],
        "nextKeyHashes": [key_hash(key.multikey) for key in next_keys],
        **parameters,
    }
    draft: JsonObject = {
        "versionId": PLACEHOLDER,
        "versionTime": written(at),
        "parameters": given,
        "state": _filled({**document, "id": name}, name),
    }
    draft = parse_object(canonical(draft), size=MAX_ENTRY)  # as a stranger will read it
    scid = hash_of(draft)
    text = canonical(draft).replace(_SCID_TEXT, scid.encode())
    entry = parse_object(text, size=MAX_ENTRY)
    line = _signed(entry, scid, 1, signer, at)
    return _last(line, at).name.did, line


def update(
    log: bytes,
    signer: Signer,
    *,
    at: int,
    document: JsonObject | None = None,
    keys: Iterable[Key] | None = None,
    next_keys: Iterable[Key] | None = None,
    **parameters: Any,
) -> bytes:
    """The next entry of a log, to be appended to it.

    Args:
        log: all entries until now; they must hold.
        signer: signs the entry: a key in force, or with pre-rotation one committed to.
        at: now; after the time of the last entry.
        document: the new document (``{DID}`` stands for the DID); None: as before.
        keys: who may sign from the next entry on; with pre-rotation, of this entry, ``signer``
            alone where None.
        next_keys: with pre-rotation the keys of the entry after; none ends pre-rotation.
        parameters: ``witness``, ``watchers``, ``ttl``, ``portable``, ``deactivated``.

    Raises:
        what is wrong with the log or the new entry, as `resolve` has it.
    """
    last = _last(log, at)
    given: JsonObject = dict(parameters)
    rotating = bool(last.parameters.next_key_hashes)
    if keys is not None:
        given["updateKeys"] = [key.multikey for key in keys]
    elif rotating:
        given["updateKeys"] = [signer.public.multikey]
    if next_keys is not None or rotating:
        given["nextKeyHashes"] = [key_hash(key.multikey) for key in next_keys or ()]
    name = last.name.did
    state = last.state if document is None else _filled({"id": name, **document}, name)
    entry: JsonObject = {
        "versionId": last.version_id,
        "versionTime": written(at),
        "parameters": given,
        "state": state,
    }
    entry = parse_object(canonical(entry), size=MAX_ENTRY)
    line = _signed(entry, last.version_id, last.number + 1, signer, at)
    _last(_joined(log, line), at)
    return line


def move(
    log: bytes,
    signer: Signer,
    host: str,
    path: tuple[str, ...] = (),
    *,
    at: int,
    port: int | None = None,
    next_keys: Iterable[Key] | None = None,
) -> bytes:
    """The entry that moves a portable DID to another place; it keeps its SCID.

    Raises:
        what `update` raises; ``did-document`` where the DID is not portable.
    """
    last = _last(log, at)
    old = last.name.did
    new = template(host, path, port).replace(PLACEHOLDER, last.name.scid)
    text = canonical(last.state).replace(f'"{old}"'.encode(), f'"{new}"'.encode())
    text = text.replace(f'"{old}#'.encode(), f'"{new}#'.encode())
    state = parse_object(text, size=MAX_ENTRY)
    known = state.get("alsoKnownAs", [])
    if type(known) is not list or any(type(item) is not str for item in known):
        raise error("did-document", "alsoKnownAs is not a list of strings")
    names = dict.fromkeys([*known, str(old)])
    names.pop(new, None)  # the text replaced above, or a place it returns to
    state["alsoKnownAs"] = list(names)
    return update(log, signer, at=at, document=state, next_keys=next_keys)


def deactivate(log: bytes, signer: Signer, *, at: int) -> bytes:
    """The entries that end a DID for good: one, or with pre-rotation two, a second apart.

    With pre-rotation the second is signed by the same key.

    Raises:
        what `update` raises.
    """
    first = b""
    if _last(log, at).parameters.next_key_hashes:
        first = update(log, signer, at=at - 1, keys=[signer.public], next_keys=())
    whole = _joined(log, first)
    return first + update(whole, signer, at=at, keys=(), deactivated=True)


def witness_proof(version_id: str, signer: Signer, *, at: int) -> JsonObject:
    """A witness's item for ``did-witness.json``."""
    proof = proofs.sign({"versionId": version_id}, signer, at)
    return {"versionId": version_id, "proof": [proof]}


def _filled(document: JsonObject, name: str) -> JsonObject:
    text = canonical(document).replace(b"{DID}", name.encode())
    return parse_object(text, size=MAX_ENTRY)


def _signed(entry: JsonObject, before: str, number: int, signer: Signer, at: int) -> bytes:
    found = hash_of({**entry, "versionId": before})
    whole = {**entry, "versionId": f"{number}-{found}"}
    return canonical({**whole, "proof": [proofs.sign(whole, signer, at)]}) + b"\n"


def _joined(log: bytes, line: bytes) -> bytes:
    return log + line if not log or log.endswith(b"\n") else log + b"\n" + line


def _last(log: bytes, at: int) -> Entry:
    seen = history(log, at)
    if seen.failure is not None:
        raise seen.failure
    if not seen.entries:
        raise error("did-log", "a log without entries")
    return seen.entries[-1]

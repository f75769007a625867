"""Public keys of notes as text, as C2SP signed-note writes them: ``name+hash+base64(type, key)``.

A log key has type 1, a witness's cosignature key type 4. What is signed with them, and how, is
`delegant.ans.log`'s; a home only names them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from delegant.credentials.errors import Error, error
from delegant.credentials.keys import PublicKey

__all__ = ["LOG", "WITNESS", "note_key", "read_note_key"]

LOG: Final = 1
WITNESS: Final = 4
_FORM: Final = re.compile(r"([!-*,-~]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})", re.ASCII)


def note_key(name: str, key: PublicKey, kind: int = LOG) -> str:
    """The text form of an Ed25519 note key (C2SP signed-note, "Signatures").

    Args:
        name: of the log or witness; no blank and no plus.
        kind: `LOG` or `WITNESS`.
    """
    typed = bytes([kind]) + key.raw
    hashed = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]
    return f"{name}+{hashed.hex()}+{base64.b64encode(typed).decode()}"


def read_note_key(text: object, kind: int = LOG) -> tuple[str, PublicKey]:
    """Name and key of the text form; its one spelling.

    Raises:
        Malformed: ``shape``. Rejected: ``key-weak``.
    """
    found = _FORM.fullmatch(text) if type(text) is str else None
    if found is None:
        raise error("shape", f"{str(text)[:80]!r} is no key of a note: name+hash+base64")
    typed = base64.b64decode(found[3])
    if typed[0] != kind:
        raise error("shape", f"{found[1][:64]}: a note key of type {typed[0]}, not {kind}")
    try:
        key = PublicKey(typed[1:])
    except Error as exc:
        if exc.code == "key-weak":
            raise
        raise error("shape", f"{found[1][:64]}: {exc.detail}") from None
    if note_key(found[1], key, kind) != text:
        raise error("shape", f"{found[1][:64]}: the hash is not that of this name and key")
    return found[1], key

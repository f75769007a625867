"""DID documents for `verify`: from files, or fetched from hosts that were allowed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from delegant.credentials import VerifiedChain
from delegant.credentials.documents import Resolved
from delegant.credentials.errors import error
from delegant.w3c.dids import checked
from delegant.w3c.resolution import check_document
from delegant.wallet import files

from .edge import Edge
from .serve import needs_server

IN_TIME: Final = 300
"""Seconds for which a file says that a key is *not* listed, after it was written."""


def read(path: Path) -> Resolved:
    """A resolution result, or a bare document, as old as its file.

    Raises:
        Malformed: ``did-document``, ``did-invalid`` and those of JSON. NotFound: ``not-found``.
    """
    value = files.read_object(path)
    written = int(path.stat().st_mtime)
    body, about = value.get("didDocument", value), value.get("didDocumentMetadata")
    if type(body) is not dict:
        raise error("did-document", f"{path.name} has no document")
    gone = type(about) is dict and about.get("deactivated") is True
    name = checked(body.get("id"))
    document = check_document(body, name)
    return Resolved(name, document, written, written + IN_TIME, gone)


def fetch(edge: Edge, chain: VerifiedChain, hosts: list[str], at: int) -> list[Resolved]:
    """The documents of a chain's parties; what cannot be had is told, and changes nothing."""
    needs_server()
    from delegant.resolver.dids import Dids  # noqa: PLC0415 - needs the extra
    from delegant.resolver.fetch import Fetcher  # noqa: PLC0415
    from delegant.resolver.retiring import look_up, parties  # noqa: PLC0415

    found, missing = look_up(parties(chain), Dids(Fetcher(hosts), clock=lambda: at), at)
    for name, exc in missing:
        if not edge.json:
            print(f"no document of {name}: {exc.code}", file=sys.stderr)
    return found

"""did:webvh 1.0: a DID whose history anybody can check, published as a file (DIF).

`resolve` works a document out from the bytes of ``did.jsonl`` and ``did-witness.json``; `urls`
tells where they are published, and somebody else fetches them. `create`, `update`, `move` and
`deactivate` write logs. No network, no clock, no state.
"""

from .identifier import Name, Urls, read, template, urls
from .log import MAX_LOG
from .publish import create, deactivate, move, update, witness_proof, witnesses
from .resolver import document_from_pin, failed, resolve
from .services import did_web, with_services
from .witness import MAX_WITNESS

__all__ = [
    "MAX_LOG",
    "MAX_WITNESS",
    "Name",
    "Urls",
    "create",
    "deactivate",
    "did_web",
    "document_from_pin",
    "failed",
    "move",
    "read",
    "resolve",
    "template",
    "update",
    "urls",
    "with_services",
    "witness_proof",
    "witnesses",
]

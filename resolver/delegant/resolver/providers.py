"""Provider labels over HTTP: whose they are, and how a domain claims its own.

Whoever claims is a did:web: its document is fetched from its domain, by the one guarded fetcher,
and the claim must be signed with a key that this document lists for `assertionMethod` now.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fastapi import FastAPI, Request, Response

from delegant.ans.confusable import domain_label
from delegant.ans.name import provider_label
from delegant.ans.registry import Registry
from delegant.credentials import PublicKey
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.did import check as check_did
from delegant.credentials.did import method_of
from delegant.credentials.errors import error
from delegant.w3c.dids import key_for

from .dids import Dids
from .fetch import AT_ONCE
from .guard import SMALL_BODY
from .replies import json_reply, reading

__all__ = ["add"]

WAITING: Final = 32
"""Most claims that may wait for the network at once; the next is told to come back."""


def add(app: FastAPI, registry: Registry, clock: Callable[[], float], dids: Dids) -> None:
    """The routes.

    Claims wait for the domains of others, so they have threads of their own.
    """
    network = ThreadPoolExecutor(AT_ONCE, "claims")
    waiting = threading.BoundedSemaphore(WAITING)

    @reading(app, "/v1/providers")
    async def listed() -> Response:
        """Every bound label, and the organisation it belongs to."""
        found = await asyncio.to_thread(registry.providers)
        return json_reply({"providers": found}, headers={"cache-control": "public, max-age=15"})

    @app.post("/v1/providers", status_code=201)
    async def claim(http: Request) -> Response:
        """Claim the label of one's own domain: ``{version, registry, label, organization, …}``."""
        data = await http.body()
        if not waiting.acquire(blocking=False):
            raise error("too-many", "claims that wait for the network")
        try:
            loop = asyncio.get_running_loop()
            receipt = await loop.run_in_executor(
                network, _claimed, registry, dids, data, int(clock())
            )
        finally:
            waiting.release()
        return json_reply(receipt, 201, headers={"cache-control": "no-store"})


def _claimed(registry: Registry, dids: Dids, data: bytes, at: int) -> JsonObject:
    return registry.claim_provider(data, [_signer(dids, data, registry.did, at)], at)


def _signer(dids: Dids, data: bytes, registry: str, at: int) -> PublicKey:
    """The key that the domain lists, and the claim says it is signed with.

    Nothing is fetched for a claim that cannot hold: meant for another registry, of a label that
    is not the domain's, or signed by nobody.

    Raises:
        Rejected: ``audience``, ``namespace``, ``holder-mismatch``, ``key-purpose``,
        ``key-retired``, ``fetch-refused``. Undecided: ``suite``, ``fetch-failed``.
        NotFound: ``did-not-found``, ``key-not-found``. Malformed: ``ans-name``, and the codes of
        phases 2 and 3.
    """
    claim = parse_object(data, size=SMALL_BODY)
    organization = check_did(claim.get("organization"))
    if claim.get("registry") != registry:
        raise error("audience", "the claim is for another registry")
    if method_of(organization) != "web":
        raise error("namespace", "only a did:web has a domain: ask the operator for the label")
    own, label = domain_label(organization), claim.get("label", "")
    if provider_label(label) != own:
        raise error("namespace", f"the label of {organization[8:]} is {own}")
    proof = claim.get("proof")
    method = proof.get("verificationMethod") if type(proof) is dict else None
    if type(method) is not str or not method.startswith(f"{organization}#"):
        raise error("holder-mismatch", "the claim is not signed by the organisation")
    key, _ = key_for(method, "assertionMethod", dids.document, at=at)
    if key.kind != "Ed25519":
        raise error("suite", f"a claim is signed with Ed25519, not {key.kind}")
    return PublicKey(key.raw)

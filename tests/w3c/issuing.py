"""Credentials of VCDM 1.1 as DIDKit issues them, with keys that follow from names."""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import json
import time
from typing import Any

from delegant.credentials.codec import b64u_encode
from delegant.credentials.shape import format_time
from delegant.w3c import dids, keys

V1 = "https://www.w3.org/2018/credentials/v1"
EXAMPLES = "https://www.w3.org/2018/credentials/examples/v1"
atexit.register(time.sleep, 0.1)  # DIDKit's threads let go before the interpreter ends
NOW = int(time.time())
"""DIDKit asks the machine's clock too, so the tests live in the present."""
FORMS = ("Ed25519Signature2018", "Ed25519Signature2020", "JsonWebSignature2020", "jwt")


class University:
    """An issuer somewhere else: a key, a DID, and DIDKit."""

    def __init__(
        self, name: str = "university", kind: str = "Ed25519", method: str = "key"
    ) -> None:
        secret = hashlib.sha256(name.encode()).digest()
        public = keys.signer(kind, secret).public
        self.jwk = json.dumps(public.jwk | {"d": b64u_encode(secret), "alg": public.alg})
        self.did = dids.from_key(public, method)
        self.method = dids.vm_of(self.did)

    def credential(self, **changes: Any) -> dict[str, Any]:
        """What it says of one graduate; a change to None leaves the member out."""
        members: dict[str, Any] = {
            "@context": [V1, EXAMPLES],
            "id": "urn:uuid:1b4b0f3c-0000-4000-8000-000000000000",
            "type": ["VerifiableCredential", "AlumniCredential"],
            "issuer": self.did,
            "issuanceDate": format_time(NOW - 86_400),
            "expirationDate": format_time(NOW + 365 * 86_400),
            "credentialSubject": {
                "id": "did:example:graduate",
                "alumniOf": "Example University",
                "degree": {"type": "BachelorDegree", "name": "Physics"},
            },
        }
        return {name: value for name, value in (members | changes).items() if value is not None}

    def issue(self, form: str, purpose: str = "assertionMethod", **changes: Any) -> bytes:
        """Signed by DIDKit, in the form asked for."""
        return self.sign(self.credential(**changes), form, purpose)

    def sign(
        self, credential: dict[str, Any], form: str, purpose: str = "assertionMethod"
    ) -> bytes:
        """As `issue`, for any credential."""
        options: dict[str, Any] = {"verificationMethod": self.method, "proofPurpose": purpose}
        if form == "jwt":
            options = {"proofFormat": "jwt"}
        else:
            options |= {"type": form, "created": format_time(NOW - 3600)}
        return issued(credential, options, self.jwk)


def issued(credential: dict[str, Any], options: dict[str, Any], jwk: str) -> bytes:
    """What DIDKit makes of it."""
    import didkit

    async def issue() -> str:
        return str(await didkit.issue_credential(json.dumps(credential), json.dumps(options), jwk))

    return asyncio.run(issue()).encode()

"""What the interop tests share: keys of ours, a credential, and how an answer is told."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from delegant.credentials.shape import format_time
from delegant.w3c import dids, keys, verify
from delegant.w3c.keys import Signer
from delegant.w3c.report import Report

NOW = int(time.time())
"""Some peers ask the machine's clock, so these tests live in the present."""
AT = format_time(NOW)
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
V2 = "https://www.w3.org/ns/credentials/v2"


def now() -> int:
    """This instant, seconds since 1970."""
    return int(time.time())


def ours(kind: str, name: str = "issuer") -> tuple[Signer, str, str]:
    """A key of ours: signer, DID, verification method."""
    size = {"P-384": 48}.get(kind, 32)
    signer = keys.signer(kind, hashlib.sha384(name.encode()).digest()[:size])
    did = dids.from_key(signer.public)
    return signer, did, dids.vm_of(did)


def credential(issuer: str, **changes: Any) -> dict[str, Any]:
    """A credential with something of everything: languages, lists, numbers, nodes."""
    members: dict[str, Any] = {
        "@context": [V2, EXAMPLES],
        "id": "https://university.example/credentials/1872",
        "type": ["VerifiableCredential", "ExampleAlumniCredential"],
        "issuer": {
            "id": issuer,
            "name": {"@value": "Universität", "@language": "de"},
            "description": {"@value": "جامعة", "@language": "ar", "@direction": "rtl"},
        },
        "validFrom": format_time(NOW - 86_400),
        "validUntil": format_time(NOW + 86_400),
        "credentialSubject": [
            {
                "id": "did:example:ebfeb1f712ebc6f1c276e12ec21",
                "alumniOf": {
                    "id": "did:example:c276e12ec21ebfeb1f712ebc6f1",
                    "name": "Example University – \U0001f393 \u2028",
                },
            },
            {"name": "Two"},
        ],
        "termsOfUse": {"type": "ExamplePolicy", "profile": "https://policy.example/p"},
    }
    return members | changes


def told(answer: dict[str, Any]) -> str:
    """Why a peer refused; empty where it did not."""
    return "" if answer["verified"] else answer["error"] or "refused"


def found(report: Report) -> str:
    """The code of the first error we find; empty where there is none."""
    return report.errors[0].code if report.errors else ""


def ask(document: Any, **more: Any) -> Report:
    """Our verdict on a credential."""
    return verify.verify_credential(document, resolve=dids.expand, at=now(), **more)

"""A small world of W3C credentials: an issuer, a holder, and documents that conform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from delegant.w3c import dids
from delegant.w3c.issue import issue
from delegant.w3c.keys import EcSigner, EdSigner, new_signer
from delegant.w3c.report import Report
from delegant.w3c.verify import verify_credential, verify_presentation

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
T0 = 1_790_000_000  # 2026-09-21T14:13:20Z


@dataclass(frozen=True)
class Someone:
    """A key and its did:key."""

    signer: EdSigner | EcSigner
    did: str
    method: str


def someone(kind: str = "Ed25519") -> Someone:
    """A new party."""
    made = new_signer(kind)
    name = dids.from_key(made.public)
    return Someone(made, str(name), dids.vm_of(name))


ISSUER = someone()
HOLDER = someone("P-256")


def credential(**members: Any) -> dict[str, Any]:
    """A conforming credential by `ISSUER`, with other members as given; None leaves one out."""
    out: dict[str, Any] = {
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": ISSUER.did,
        "credentialSubject": {"id": "did:example:subject"},
    }
    out |= {name.replace("context", "@context"): value for name, value in members.items()}
    return {name: value for name, value in out.items() if value is not None}


def presentation(*held: Any, **members: Any) -> dict[str, Any]:
    """A conforming presentation by `HOLDER`."""
    out: dict[str, Any] = {"@context": [V2], "type": ["VerifiablePresentation"]}
    out |= {"holder": HOLDER.did, "verifiableCredential": list(held) or None}
    out |= {name.replace("context", "@context"): value for name, value in members.items()}
    return {name: value for name, value in out.items() if value is not None}


def issued(document: dict[str, Any] | None = None, by: Someone = ISSUER, **options: Any) -> Any:
    """The document secured by a party; by default a proof of the key's JCS suite."""
    if options.get("form", "di") == "di":
        jcs = "eddsa-jcs-2022" if by.signer.public.kind == "Ed25519" else "ecdsa-jcs-2019"
        options = {"suite": jcs, "created": T0} | options
    if document is None:
        document = credential()
    return issue(document, by.signer, method=by.method, **options)


def verified(raw: Any, **options: Any) -> Report:
    """The report on a credential, at `T0`."""
    given: dict[str, Any] = {"resolve": dids.expand, "at": T0} | options
    return verify_credential(raw, **given)


def shown(raw: Any, **options: Any) -> Report:
    """The report on a presentation, at `T0`."""
    given: dict[str, Any] = {"resolve": dids.expand, "at": T0} | options
    return verify_presentation(raw, **given)


def codes(report: Report) -> list[str]:
    """The codes of a report's errors."""
    return [one.code for one in report.errors]


def warned(report: Report) -> list[str]:
    """The codes of a report's warnings."""
    return [one.code for one in report.warnings]

"""Target for credentials and presentations of any form: nobody but the issuer is believed."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from delegant.credentials import PrivateKey, canonical
from delegant.w3c import dids
from delegant.w3c.issue import enveloped, issue
from delegant.w3c.keys import EdSigner
from delegant.w3c.report import Report
from delegant.w3c.verify import verify_credential, verify_presentation
from fuzz.oracle import check_error, expect
from world import T0

__all__ = ["credential_bytes", "credentials"]

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"


@cache
def _signed() -> dict[str, Any]:
    """By form, what one issuer signed; and the two documents there are."""
    signer = EdSigner(PrivateKey(bytes(range(32))))
    name = str(dids.from_key(signer.public))
    document = {
        "@context": [V2, EXAMPLES],
        "type": ["VerifiableCredential"],
        "issuer": name,
        "credentialSubject": {"id": "did:example:ana", "name": "Ana", "phones": ["1", "2"]},
    }
    options: dict[str, Any] = {"method": dids.vm_of(dids.checked(name)), "created": T0}
    di = issue(document, signer, suite="eddsa-jcs-2022", **options)
    jwt = issue(document, signer, form="jwt", **options)
    sd = issue(document, signer, form="sd-jwt", disclosable=["credentialSubject.name",
               "credentialSubject.phones[0]"], **options)  # fmt: skip
    vp = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": name,
        "verifiableCredential": [di, enveloped(str(jwt))],
    }
    return {
        "document": document,
        "presentation": vp,
        "forms": [di, jwt, sd, enveloped(str(sd)),
                  issue(vp, signer, suite="eddsa-jcs-2022", **options),
                  issue(vp, signer, form="jwt", **options)],
    }  # fmt: skip


def credentials() -> list[bytes]:
    """One of each form."""
    return [one.encode() if isinstance(one, str) else canonical(one) for one in _signed()["forms"]]


def credential_bytes(data: bytes) -> None:
    """A report for any bytes; and only what was signed is ever in a verified one."""
    options: dict[str, Any] = {"resolve": dids.expand, "at": T0}
    _believed(verify_credential(data, **options), _signed()["document"])
    _believed(verify_presentation(data, **options), _signed()["presentation"])


def _believed(report: Report, signed: dict[str, Any]) -> None:
    expect(report.verified != bool(report.errors), "a report is yes or says why not")
    for exc in (*report.errors, *report.warnings):
        check_error(exc)
    if not report.verified:
        return
    found = report.document or {}
    if any(one.form.endswith("sd-jwt") for one in report.proofs):
        subject, whole = found["credentialSubject"], signed["credentialSubject"]
        expect(subject.get("name", "Ana") == whole["name"], "a disclosed name is as issued")
        expect(set(subject["phones"]) <= {"1", "2"}, "disclosed items are as issued")
        found = {**found, "credentialSubject": whole}
    expect(found == signed, "what is verified was signed", json.dumps(found))

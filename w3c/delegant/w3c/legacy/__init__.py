"""Credentials of the data model 1.1, by others: read as evidence about a human, never more.

DIDKit (extra ``didkit``) verifies the signature, over contexts that come with it; no network is
used. All else is judged here, in this order:

1. limits and strict JSON, or one compact JWT
2. the form of VCDM 1.1 and its contexts, nothing in it that JSON-LD would pass over
3. time: expired, or not yet issued
4. the proof: one, of a suite known here, for ``assertionMethod``
5. key authority: the issuer's own key, from a DID that carries it (did:key, did:jwk)
6. the signature
7. linked data only: no claim and no type could be another without the signature noticing

Nothing here changes a sponsor credential, and no verifier of ours asks for such a report.
"""

from __future__ import annotations

from delegant.credentials.codec import digest
from delegant.credentials.errors import error
from delegant.w3c.dids import expand, key_for
from delegant.w3c.extras import load

from .forms import linked, token
from .model import CONTEXTS, KINDS, MAX_SIZE
from .report import Report
from .signature import confirm

__all__ = ["CONTEXTS", "MAX_SIZE", "Report", "check"]


def check(raw: bytes, *, at: int) -> Report:
    """Hold one credential of VCDM 1.1 to all that can be known of it here.

    Args:
        raw: a JSON object with one linked-data proof, or a compact JWT.
        at: the instant, seconds since 1970. DIDKit asks the machine's clock besides.

    Raises:
        LimitExceeded: ``limit-size``, ``limit-depth``, ``limit-members``, ``limit-items``.
        Malformed: ``json``, ``encoding``, ``duplicate-member``, ``data-model``, ``shape``,
            ``unknown-member``, ``undefined-term``, ``did-invalid``.
        Rejected: ``expired``, ``not-yet-valid``, ``proof-purpose``, ``controller``, ``proof``,
            ``audience``, ``key-purpose``. NotFound: ``key-not-found``.
        Undecided: ``suite``, ``context-unknown``, ``did-method``.
        Unavailable: ``extra-missing``, ``unavailable``.
    """
    didkit = load("didkit", "didkit")
    raw = raw.strip()
    if len(raw) > MAX_SIZE:
        raise error("limit-size", f"{len(raw)} bytes, and {MAX_SIZE} are allowed")
    read = linked if raw[:1] == b"{" else token
    found = read(raw, at)  # 1 to 4
    key, _ = key_for(found.method, "assertionMethod", expand, at=at)  # 5
    if found.method.partition("#")[0] != found.issuer:
        raise error("controller", f"signed by {found.method[:120]}, issued by {found.issuer[:120]}")
    if key.kind not in KINDS[found.form] or found.alg not in ("", key.alg):
        raise error("suite", f"{found.form} with a key of kind {key.kind}")
    confirm(found)  # 6, 7
    subject = found.claims.get("id") if type(found.claims) is dict else None
    return Report(
        form=found.form,
        original=digest(raw),
        id=found.id,
        types=found.types,
        issuer=found.issuer,
        method=found.method,
        key=key.multikey,
        subject=subject,
        issued=found.issued,
        expires=found.expires,
        checked_at=at,
        claims=found.claims,
        unchecked=found.unchecked,
        by=f"didkit {didkit.get_version()}",
    )

"""Whether an attestation counts: an anchor accredited for it signed it, and it still stands.

In this order, and the first that fails is the answer: it is the one asked for; the issuer is
accredited for it here; it is signed by the issuer's key; it lives no longer than its kind may;
it is within its time; it is neither revoked nor suspended, by a fresh list of the authority it
names.
"""

from __future__ import annotations

from .attestation import ATTESTATION_HARD_SECONDS, AgentAttestation
from .budget import Budget
from .chain import check_any, pinned
from .credential import StatusEntry
from .errors import error
from .evidence import Evidence
from .keys import PublicKey
from .policy import Anchor, Seen, Trust
from .standing import SKEW_SECONDS, stands

__all__ = ["check_attestation", "check_issuer"]


def check_attestation(
    credential: AgentAttestation,
    evidence: Evidence,
    trust: Trust,
    *,
    at: int,
    wanted: str | None = None,
    subject: str | None = None,
    sensitivity: str = "high",
) -> Seen:
    """Raise unless this attestation counts at this instant.

    Args:
        credential: as `parse_agent_attestation` reads it.
        evidence: holds the status list it names.
        trust: the verifier's own; its anchors' ``accredits`` say whose word counts for what.
        at: seconds since 1970.
        wanted: the claim asked for; None: whatever it claims.
        subject: the agent it must be about.
        sensitivity: ``low`` or ``high``: how old the list may be.

    Returns:
        The list that was relied on, to be remembered by the edge.

    Raises:
        Rejected: ``not-attested``, ``issuer-not-accredited``, ``did-key-mismatch``, ``proof``,
            ``ttl-too-long``, ``expired``, ``not-yet-valid``, ``revoked``, ``suspended``,
            ``status-rollback``. Undecided: ``suite``, ``status-missing``, ``status-stale``,
            ``status-unknown``.
    """
    claim = credential.claim
    if wanted is not None and claim != wanted:
        raise error("not-attested", f"it attests {claim}, not {wanted}")
    if subject is not None and credential.subject != subject:
        raise error("not-attested", f"it is about {credential.subject}, not {subject}")
    budget = Budget(trust.limits)
    anchor = check_issuer(credential, trust, budget)
    if credential.seconds > ATTESTATION_HARD_SECONDS:
        raise error("ttl-too-long", "an attestation lives at most a year")
    if credential.valid_from > at + SKEW_SECONDS:
        raise error("not-yet-valid", f"{credential.id} is not valid yet")
    if at >= credential.valid_until:
        raise error("expired", f"{credential.id} has expired")
    entry = credential.status
    if not isinstance(entry, StatusEntry):  # its parser lets none go without
        raise error("status-missing", "it has no status entry")
    key = PublicKey.from_multikey(credential.authority_key)
    if pinned(credential.authority, credential.authority_key) != key:
        raise error("did-key-mismatch", f"the key stated for {credential.authority} is not its own")
    lists = evidence.status_lists(entry.list)
    believed = tuple([found for found in lists if found.issuer == credential.authority])
    for found in believed:
        check_any(found.secured, credential.authority, (key,), budget.evidence_signatures)
    ages = anchor.max_status_age
    as_of = stands(entry, believed, bool(lists), ages, trust, at, sensitivity)
    return Seen(lists={entry.list: as_of})


def check_issuer(credential: AgentAttestation, trust: Trust, budget: Budget) -> Anchor:
    """Raise unless somebody accredited for its claim signed it; whom.

    What it says may be over, revoked or unknown: this never changes while the trust does not.

    Raises:
        Rejected: ``issuer-not-accredited``, ``proof``. Undecided: ``suite``.
    """
    claim, issuer = credential.claim, credential.issuer
    anchor = trust.anchors.get(issuer)
    if anchor is None or claim not in anchor.accredits:
        raise error("issuer-not-accredited", f"{issuer} is not accredited here for {claim}")
    check_any(credential.secured, issuer, anchor.keys, budget.evidence_signatures)
    return anchor

"""The `AgentAttestationCredential`: a claim about an agent, by whoever is accredited for it.

An accredited issuer says that an agent has a capability or meets a rule, for example
``SOXComplianceCertified``. It grants nothing. Whose word counts for which claim is the
verifier's own (``accredits`` in the trust folder): `accredited` judges that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from . import did, shape
from .codec import Json
from .credential import Envelope, parse_envelope, version
from .did import Did
from .envelope import Secured
from .errors import error

__all__ = ["ATTESTATION_HARD_SECONDS", "AgentAttestation", "claim_name", "parse_agent_attestation"]

ATTESTATION_HARD_SECONDS: Final = 366 * 86_400
"""An attestation lives at most a year."""

_CLAIM: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AgentAttestation(Envelope):
    """A claim about an agent.

    Attributes:
        claim: what is claimed, as ``SOXComplianceCertified``; never a type of credential.
        capabilities: what it is claimed for, where it is not the agent as a whole.
        scope: the same in a sentence, for people.
        evidence: the digest of what the issuer relied on, as a report.
        authority, authority_key: who signs the status list of this credential.
    """

    claim: str
    capabilities: frozenset[str]
    scope: str | None
    evidence: str | None
    authority: Did
    authority_key: str


_REQUIRED: Final = frozenset({"version", "type", "status"})
_OPTIONAL: Final = frozenset({"capabilities", "scope", "evidence"})
_STATUS: Final = frozenset({"authority", "key"})


def claim_name(value: Json, where: str = "attestation.type") -> str:
    """The name of a claim: a letter, then letters, digits, ``.``, ``_``, ``-``; or ``shape``."""
    if type(value) is not str or not _CLAIM.fullmatch(value):
        raise error("shape", f"{where} is not the name of a claim, as SOXComplianceCertified")
    return value


def parse_agent_attestation(secured: Secured) -> AgentAttestation:
    """Read an agent attestation credential; its signature, time and status are still to be judged.

    Raises:
        Rejected: ``id-shared`` where issuer and subject are one.
        Malformed, Undecided, LimitExceeded: the codes of phases 2 and 3.
    """
    outer, block = parse_envelope(secured, "AgentAttestationCredential", "attestation")
    version(block, "attestation")
    shape.closed(block, "attestation", _REQUIRED, _OPTIONAL)
    status = shape.closed(block["status"], "attestation.status", _STATUS)
    attestation = AgentAttestation(
        *outer,
        claim=claim_name(block["type"]),
        capabilities=shape.string_set(block["capabilities"], "attestation.capabilities")
        if "capabilities" in block
        else frozenset(),
        scope=shape.text(block["scope"], "attestation.scope", 1024) if "scope" in block else None,
        evidence=_evidence(block["evidence"]) if "evidence" in block else None,
        authority=did.check(status["authority"]),
        authority_key=shape.text(status["key"], "attestation.status.key", 128),
    )
    if attestation.subject == attestation.issuer:
        raise error("id-shared", "nobody attests anything about themselves")
    secured.shaped = True
    return attestation


def _evidence(value: Json) -> str:
    shape.closed(value, "attestation.evidence", frozenset({"digestMultibase"}))
    return shape.digest_text(value["digestMultibase"], "attestation.evidence.digestMultibase")

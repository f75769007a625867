"""The pure core: DIDs, credentials, chains, verdicts.

Given a presentation, evidence gathered beforehand, a trust folder, a request and an instant,
`verify` says whether this agent may do this thing now, on whose behalf and through which
chain; or raises, saying exactly which check at which link said no.

This room opens no file and no socket, has no clock, writes no log and keeps no state. It draws
randomness only for new keys, ids and nonces.
"""

from .accredited import check_attestation
from .approval import Approval, approve
from .attestation import AgentAttestation, parse_agent_attestation
from .batch import Item, decide_many
from .budget import Limits
from .cache import ChainCache
from .capability import Authority, Grant
from .codec import canonical, digest
from .credential import HumanSponsor, Lease, Link, StatusEntry
from .documents import Resolved
from .envelope import Secured
from .errors import (
    CODES,
    Conflict,
    Error,
    Gone,
    LimitExceeded,
    Malformed,
    NotFound,
    Rejected,
    Unavailable,
    Undecided,
)
from .evidence import Evidence
from .feed import Revocation, RevocationFeed
from .holder import invoke, present
from .identity import AgentIdentity
from .issuer import (
    issue_agent_identity,
    issue_attestation,
    issue_human_sponsor,
    issue_link,
    issue_revocation_feed,
    issue_statement,
    issue_status_list,
)
from .keys import PrivateKey, PublicKey
from .policy import Anchor, Peer, Seen, Trust
from .presentation import Bundle, Presentation
from .request import Request
from .status import StatusList
from .verdict import Authorization, Explanation, Verdict, VerifiedChain
from .verifier import authenticate, decide, explain, verify, verify_chain

__all__ = [
    "CODES",
    "AgentAttestation",
    "AgentIdentity",
    "Anchor",
    "Approval",
    "Authority",
    "Authorization",
    "Bundle",
    "ChainCache",
    "Conflict",
    "Error",
    "Evidence",
    "Explanation",
    "Gone",
    "Grant",
    "HumanSponsor",
    "Item",
    "Lease",
    "LimitExceeded",
    "Limits",
    "Link",
    "Malformed",
    "NotFound",
    "Peer",
    "Presentation",
    "PrivateKey",
    "PublicKey",
    "Rejected",
    "Request",
    "Resolved",
    "Revocation",
    "RevocationFeed",
    "Secured",
    "Seen",
    "StatusEntry",
    "StatusList",
    "Trust",
    "Unavailable",
    "Undecided",
    "Verdict",
    "VerifiedChain",
    "approve",
    "authenticate",
    "canonical",
    "check_attestation",
    "decide",
    "decide_many",
    "digest",
    "explain",
    "invoke",
    "issue_agent_identity",
    "issue_attestation",
    "issue_human_sponsor",
    "issue_link",
    "issue_revocation_feed",
    "issue_statement",
    "issue_status_list",
    "parse_agent_attestation",
    "present",
    "verify",
    "verify_chain",
]

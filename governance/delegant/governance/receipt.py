"""The receipts of both sides of an act: what the resource says it did, what the agent saw.

Both are compact JWS with closed payloads, and name the act by the digest of its invocation:

    resource-receipt+jwt   {version: 1, iss: the log, sub: the agent, event, invocation, request,
                           chain, decision, outcome, time, code?}
    agent-receipt+jwt      {version: 1, iss: the agent, aud: the resource, invocation, request,
                           chain, status, event?, time}

``invocation`` is the digest of the JWS that the agent sent; ``request`` and ``chain`` are the
digests that it signed in there. So a resource's receipt tells the agent nothing that it does not
know: no sponsor, no evidence, no policy. It goes back with the answer, in the header `HEADER`.

A log signs receipts with a key of their own, whatever its DID is: the ``kid`` names that key, and
the trust folder says whose it is. Reading believes nothing yet: `ResourceReceipt.check` and
`AgentReceipt.check` verify.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from delegant.credentials import PrivateKey, PublicKey, did, jose, shape
from delegant.credentials.codec import Json, JsonObject, digest
from delegant.credentials.envelope import SignedToken, unpack_token
from delegant.credentials.errors import Error, error
from delegant.credentials.invocation import Invocation

from .record import DECISIONS, STATUSES, is_event

__all__ = [
    "AGENT_RECEIPT",
    "HEADER",
    "MAX_RECEIPT",
    "RESOURCE_RECEIPT",
    "SEEN",
    "AgentReceipt",
    "ResourceReceipt",
    "agent_receipt",
    "read_agent_receipt",
    "read_invocation",
    "read_resource_receipt",
    "resource_receipt",
    "seen_as",
]

RESOURCE_RECEIPT: Final = "resource-receipt+jwt"
AGENT_RECEIPT: Final = "agent-receipt+jwt"
HEADER: Final = "Agent-Receipt"
"""The HTTP response header that carries a resource's receipt, by itself."""
MAX_RECEIPT: Final = 4096
"""Characters a receipt has at most; an honest one has about 900."""
SEEN: Final = ("success", "failure", "refused", "unanswered")
"""What an agent may have seen. ``unanswered``: it was sent, and no answer is known."""
MAX_CODE: Final = 64

_RESOURCE: Final = frozenset(
    {"version", "iss", "sub", "event", "invocation", "request", "chain", "decision", "outcome",
     "time"}
)  # fmt: skip
_AGENT: Final = frozenset(
    {"version", "iss", "aud", "invocation", "request", "chain", "status", "time"}
)
_ALLOWED: Final = DECISIONS["intent"]
_MEMBERS: Final = 16  # neither payload nests, so this bounds the work of reading one


@dataclass(frozen=True, slots=True)
class ResourceReceipt:
    """What a resource says of an act. ``time`` is in seconds since 1970.

    ``outcome`` is None for a refusal, and where it was not known yet when this was signed.
    """

    secured: SignedToken
    log: did.Did
    agent: did.Did
    event: str
    invocation: str
    request: str
    chain: str
    decision: str
    outcome: str | None
    time: int
    code: str | None

    def check(self, keys: Iterable[PublicKey]) -> None:
        """It is signed with one of the receipt keys of the log it names.

        Args:
            keys: as the trust folder has them, in ``audits``.

        Raises:
            Rejected: ``did-key-mismatch``, ``proof``. Undecided: ``suite``, ``key-unresolved``.
        """
        known = {did.vm_of(did.from_key(key)): key for key in keys}
        key = known.get(self.secured.method)
        if not known:
            raise error("key-unresolved", f"no receipt key of {self.log} is known here")
        if key is None:
            raise error("did-key-mismatch", f"not signed with a receipt key of {self.log}")
        self.secured.check(did.from_key(key), key)


@dataclass(frozen=True, slots=True)
class AgentReceipt:
    """What an agent says of its act. ``time`` is in seconds since 1970."""

    secured: SignedToken
    agent: did.Did
    resource: did.Did
    invocation: str
    request: str
    chain: str
    status: str
    event: str | None
    time: int

    def check(self, keys: Iterable[PublicKey]) -> None:
        """It is signed by the agent it names.

        Args:
            keys: those pinned for it; a did:key or did:jwk is its own, whatever stands here.

        Raises:
            as `ResourceReceipt.check`.
        """
        own = did.key_of(self.agent)
        fault = error("key-unresolved", f"no trusted source gives a key of {self.agent}")
        for key in keys if own is None else (own,):
            try:
                self.secured.check(self.agent, key)
            except Error as exc:
                fault = exc
            else:
                return
        raise fault


def seen_as(decision: str, outcome: str | None) -> frozenset[str]:
    """What an agent that got an answer may say of an act; `SEEN` without ``unanswered``.

    What was released did not happen: the agent may have been told so as a failure or a refusal.
    """
    if decision not in _ALLOWED:
        return frozenset({"refused"})
    if outcome is None:
        return frozenset({"success", "failure"})
    return frozenset({"failure", "refused"} if outcome == "released" else {outcome})


# --- making --------------------------------------------------------------------------------------


def resource_receipt(
    key: PrivateKey,
    invocation: str,
    at: int,
    *,
    log: str,
    event: str,
    decision: str,
    outcome: str | None,
    code: str | None = None,
) -> str:
    """What the resource hands back with its answer.

    Args:
        key: the log's receipt key.
        invocation: the compact JWS that was presented.
        at: now, seconds since 1970.
        log: the DID of the audit log.
        event: the record's.
        decision: the record's: allow, modify, deny, defer, step_up.
        outcome: success, failure or released; None for a refusal, or while it is not known.
        code: why it was refused, or failed; for a refusal it must be there.

    Raises:
        Malformed: ``shape``, and what is wrong with the invocation.
    """
    asked, name = read_invocation(invocation)
    claims: JsonObject = {
        "version": 1,
        "iss": log,
        "sub": asked.iss,
        "event": event,
        "invocation": name,
        "request": asked.request,
        "chain": asked.chain,
        "decision": decision,
        "outcome": outcome,
        "time": shape.format_time(at),
    }
    if code is not None:
        claims["code"] = code
    token = _sign(claims, key, did.from_key(key.public), RESOURCE_RECEIPT)
    read_resource_receipt(token)
    return token


def agent_receipt(
    key: PrivateKey, invocation: str, status: str, at: int, *, event: str | None = None
) -> str:
    """What the agent keeps of an act of its own.

    Args:
        key: the agent's, with which it signed the invocation.
        invocation: the compact JWS that it sent, or is about to send.
        status: success, failure, refused or unanswered (`SEEN`).
        at: now, seconds since 1970.
        event: what the resource called it, if it said so.

    Raises:
        Malformed: ``shape``, and what is wrong with the invocation.
        Rejected: ``did-key-mismatch``.
    """
    sent, name = read_invocation(invocation)
    claims: JsonObject = {
        "version": 1,
        "iss": sent.iss,
        "aud": sent.aud,
        "invocation": name,
        "request": sent.request,
        "chain": sent.chain,
        "status": status,
        "time": shape.format_time(at),
    }
    if event is not None:
        claims["event"] = event
    own = did.key_of(sent.iss)
    if own is not None and own != key.public:
        raise error("did-key-mismatch", f"the signing key is not that of {sent.iss}")
    token = _sign(claims, key, sent.iss, AGENT_RECEIPT)
    read_agent_receipt(token)
    return token


def read_invocation(token: str) -> tuple[Invocation, str]:
    """An invocation of one's own, and the digest that records and receipts name it by.

    Raises:
        Malformed, LimitExceeded: what is wrong with it.
    """
    if not token.isascii():
        raise error("encoding", "an invocation is a compact JWS")
    data = token.encode("ascii")
    found = Invocation.read(data)
    return found or Invocation.parse(Invocation.unpack(token)), digest(data)


def _sign(claims: JsonObject, key: PrivateKey, signer: did.Did, typ: str) -> str:
    return jose.sign(claims, key, typ, did.method_for(signer, key.public), floats=False)


# --- reading -------------------------------------------------------------------------------------


def read_resource_receipt(token: object) -> ResourceReceipt:
    """A resource's receipt; nothing about it is verified yet.

    Raises:
        LimitExceeded: ``limit-size``, ``limit-members``. Malformed: ``encoding``, ``json``,
        ``duplicate-member``, ``shape``, ``unknown-member``. Undecided: ``unknown-version``.
    """
    secured = _open(token, RESOURCE_RECEIPT)
    value = shape.closed(secured.document, "receipt", _RESOURCE, frozenset({"code"}))
    decision = shape.one_of(value["decision"], "receipt.decision", sum(DECISIONS.values(), ()))
    outcome = value["outcome"]
    if outcome is not None:
        shape.one_of(outcome, "receipt.outcome", STATUSES)
    code = shape.text(value["code"], "receipt.code", MAX_CODE) if "code" in value else None
    if decision not in _ALLOWED and (outcome is not None or code is None):
        raise error("shape", "a refusal has a code and no outcome")
    if decision in _ALLOWED and code is not None and outcome not in ("failure", "released"):
        raise error("shape", "only what was refused, failed or released has a code")
    return ResourceReceipt(
        secured,
        did.check(value["iss"]),
        did.check(value["sub"]),
        _event(value["event"]),
        *_digests(value),
        decision,
        outcome,
        shape.time(value["time"], "receipt.time"),
        code,
    )


def read_agent_receipt(token: object) -> AgentReceipt:
    """An agent's receipt; nothing about it is verified yet.

    Raises:
        as `read_resource_receipt`.
    """
    secured = _open(token, AGENT_RECEIPT)
    value = shape.closed(secured.document, "receipt", _AGENT, frozenset({"event"}))
    status = shape.one_of(value["status"], "receipt.status", SEEN)
    event = _event(value["event"]) if "event" in value else None
    if event is not None and status == "unanswered":
        raise error("shape", "what was not answered has no event")
    return AgentReceipt(
        secured,
        did.check(value["iss"]),
        did.check(value["aud"]),
        *_digests(value),
        status,
        event,
        shape.time(value["time"], "receipt.time"),
    )


def _open(token: object, typ: str) -> SignedToken:
    secured = unpack_token(token, typ, size=MAX_RECEIPT, members=_MEMBERS)
    secured.open()
    found = secured.document.get("version")
    if type(found) is not int:
        raise error("shape", "receipt.version is not a number")
    if found != 1:
        raise error("unknown-version", "receipt.version is not 1")
    return secured


def _digests(value: JsonObject) -> tuple[str, str, str]:
    return (
        shape.digest_text(value["invocation"], "receipt.invocation"),
        shape.digest_text(value["request"], "receipt.request"),
        shape.digest_text(value["chain"], "receipt.chain"),
    )


def _event(value: Json) -> str:
    if not is_event(value):
        raise error("shape", "receipt.event is no name of an event")
    return str(value)

"""A submission, judged: who takes this step in the life of a name, and what speaks for it.

An agent sends ``{event, links, evidence}`` and its invocation of ``ans.<type>`` for exactly this
event. The sponsor of an agent, and the organisation that owns the provider label, suspend, resume
and revoke by their signature alone: ``{event, evidence?}``. What the event does to the name is
`lifecycle`'s; here only the word of whoever sends it is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from delegant.credentials import (
    Authorization,
    Evidence,
    Presentation,
    PublicKey,
    Seen,
    Trust,
    did,
    shape,
    verify,
)
from delegant.credentials.act import holder_signed
from delegant.credentials.budget import Budget
from delegant.credentials.chain import pinned
from delegant.credentials.codec import JsonObject, canonical, digest, parse, parse_object
from delegant.credentials.errors import Error, error
from delegant.credentials.invocation import Invocation
from delegant.credentials.verdict import Limit, Once

from . import judging
from .events import check_consent, check_signers, read_event
from .holder import request_of, sponsorship_of
from .judging import Sponsorship
from .leaf import salted
from .name import AnsName
from .record import record_key
from .remembering import MAX_BODY, Came, Memory
from .signing import check, digest_of, members
from .stored import Named

__all__ = ["Judged", "Submission", "by_agent", "by_office", "entry", "sent_by_agent"]

SKEW_SECONDS: Final = 300
OFFICE: Final = ("suspend", "resume", "revoke")

Fresh = Callable[[str], Evidence | None]


@dataclass(frozen=True, slots=True)
class Submission:
    """A body, read: an event of a name, and what came with it.

    Attributes:
        event: its shape was read, and the signature of its record.
        data: its RFC 8785 bytes, and ``digest`` theirs.
        body: the whole; of one whose end was known, no more than its event.
        known: what came with it, where that was known.
    """

    body: JsonObject
    event: JsonObject
    name: AnsName
    data: bytes
    digest: str
    known: Came | None = None

    @classmethod
    def read(cls, data: bytes, memory: Memory | None = None) -> Submission:
        """Read a body. The event's own signature is judged later, the record's here.

        Args:
            memory: of what was accepted before, which need not be read again.

        Raises:
            Malformed: the codes of phases 2 and 3, ``ans-name``. Rejected: ``orphan-agent`` for
            a record without sponsorship, ``holder-mismatch`` for one its agent did not sign.
        """
        found = None if memory is None else memory.read(data)
        if found is None:
            body, known = parse_object(data, size=MAX_BODY), None
            shape.closed(body, "body", frozenset({"event"}), frozenset({"links", "evidence"}))
        else:
            body, known = {"event": found[0]}, found[1]
        event = body["event"]
        record = event.get("record") if type(event) is dict else None
        if type(record) is dict and "sponsorship" not in record:
            raise error("orphan-agent", "the record names nobody who answers for the agent")
        with _holder():
            name = read_event(event)
        if known is None:
            if "links" not in body and event["type"] not in OFFICE:
                raise error("shape", f"{event['type']} comes with links and evidence")
            if "links" in body and "evidence" not in body:
                raise error("shape", "links come with evidence")
        spelled = canonical(event)
        return cls(body, event, name, spelled, digest(spelled), known)

    @property
    def linked(self) -> bool:
        """Whether a chain came with it: it is an agent's."""
        return self.known is not None or "links" in self.body

    def timely(self, registry: str, at: int) -> None:
        """The event is for this registry, and of now.

        Raises:
            Rejected: ``audience``, ``invocation-expired``.
        """
        if self.event["registry"] != registry:
            raise error("audience", f"the event is for {self.event['registry']}, not {registry}")
        if abs(shape.time(self.event["at"], "event.at") - at) > SKEW_SECONDS:
            raise error("invocation-expired", "the event is not of now")

    @property
    def evidence(self) -> Evidence | None:
        """What came along."""
        if self.known is not None:
            return self.known.evidence
        return Evidence.from_json(self.body["evidence"]) if "evidence" in self.body else None


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of a step whose sender was believed.

    Attributes:
        by: the sender's rank, one of `lifecycle.RANKS`.
        organization: who answers for the agent, or for the sponsor that speaks, and so must own
            the label; None: not asked.
        sponsor, chain: who and what stands behind it, for the salted digests.
        spent: what of the invocation is accepted once, and until when.
        vouched: how long the sponsor credential relied on is valid.
        evidence: to be kept with a record.
        last: the event after which the sender has this say; None: whatever the name is.
    """

    by: str
    organization: str | None = None
    sponsor: str | None = None
    chain: str | None = None
    spent: tuple[str, int] | None = None
    vouched: int | None = None
    evidence: Evidence | None = None
    seen: Seen | None = None
    last: str | None = None


def by_agent(
    sent: Submission,
    invocation: str | None,
    registry: str,
    owner: str | None,
    trust: Trust,
    at: int,
    memory: Memory,
) -> Judged:
    """Judge what an agent sends: the sponsorship before anything else.

    Args:
        owner: who owns the provider label, whose consent a transfer needs.
        memory: of what was accepted before.

    Raises:
        Rejected: ``orphan-agent``, ``holder-mismatch``, ``ans-consent``, ``did-key-mismatch``,
            ``namespace``, and all that `verify` raises.
    """
    event = sent.event
    came = sent.known or memory.came(sent.body["links"], sent.body["evidence"])
    sponsorship = came.sponsorship(event["agent"], trust, at)
    if "record" in event and record_key(event["record"]) != sponsorship.key:
        raise error("did-key-mismatch", "the record's key is not the one the identity pins")
    if event["by"] == event["agent"]:
        with _holder():
            check_signers(event, _keys(event["agent"], sponsorship.key))
    auth = verify(
        _presented(came.links, invocation),
        came.evidence,
        trust,
        request_of(event, registry, sent.digest),
        at=at,
        cache=memory.chains,
    )
    if auth.actor != event["by"]:
        raise error("holder-mismatch", "the chain is another agent's")
    if event["type"] == "transfer":
        if owner is None:
            raise error("namespace", f"{sent.name.provider} is bound to nobody")
        old = pinned(auth.identities[-1].subject, auth.identities[-1].key)
        keys = _keys(event["from"], old) | _keys(event["agent"], sponsorship.key)
        keys[owner] = judging.organization_keys(owner, trust)
        check_consent(event, owner, keys)
    elif event["by"] != event["agent"]:
        raise error("holder-mismatch", "an agent speaks for its own names")
    if "record" in event:
        _record_fits(event["record"], sponsorship, at)
    memory.keep(came)
    return Judged(
        "agent",
        sponsorship.organization,
        sponsorship.sponsor,
        auth.links[-1].digest,  # which the invocation names
        _once(auth),
        sponsorship.vouched,
        came.evidence,
        auth.seen.merged(sponsorship.seen),
    )


def by_office(
    sent: Submission, named: Named, owner: str | None, trust: Trust, fresh: Fresh, at: int
) -> Judged:
    """Judge what the agent's sponsor, or the organisation that owns the label, sends.

    A sponsor shows to be a live human, by evidence that came along or that ``fresh`` has; whoever
    resumes a name shows so of whoever answers for its agent.

    Raises:
        Rejected: ``holder-mismatch``, ``orphan-agent``, the codes of phases 7 to 9.
        Undecided: ``key-unresolved``, and those codes.
    """
    event = sent.event
    signer = event["by"]
    if signer == owner:
        rank, organization = "organization", owner
        keys = judging.organization_keys(signer, trust)
    elif signer == named.sponsor:
        shown = sent.evidence or fresh(signer) or Evidence()
        human = judging.human(signer, shown, trust, at)
        rank, organization, keys = "sponsor", human.organization, human.keys
    else:
        raise error("holder-mismatch", f"{signer} has no say in this name")
    with _holder():
        if "record" in event:
            raise error("ans-signature", "a record comes with its agent's links and evidence")
        check(event, signer, keys)
    last = named.standing.last
    if event["type"] != "resume":
        return Judged(rank, organization, named.sponsor, last=last)
    shown = sent.evidence or fresh(event["agent"]) or Evidence()
    found = judging.sponsorship(event["agent"], shown, trust, at)
    return Judged(
        rank, found.organization, found.sponsor, vouched=found.vouched, seen=found.seen, last=last
    )


def sent_by_agent(
    sent: Submission, invocation: str | None, registry: str, key: PublicKey | None, trust: Trust
) -> bool:
    """Whether an event that was taken already is sent again by its agent, however late.

    Events are public and invocations are not: who has none gets no `opening`.

    Args:
        key: the agent's, where its DID is not its own key.
    """
    event = sent.event
    try:
        found = Invocation.parse(Invocation.unpack(invocation or ""))
        name = did.check(event["by"])
        own = did.key_of(name) or key
        if own is None or found.aud != registry:
            return False
        holder_signed(found, name, own, Budget(trust.limits))
    except Error:
        return False
    return found.request == request_of(event, registry, sent.digest).digest


def entry(
    registry: str, name: AnsName, event: JsonObject, digest: str, by: str, opening: JsonObject
) -> JsonObject:
    """What is logged of an event, but for its time, the name's epoch and its agent's key.

    Args:
        digest: the event's.
        by: the rank of who signed it.
        opening: the salt, and who and what is named under it.
    """
    return members(
        version=1,
        registry=registry,
        kind="name",
        type=event["type"],
        name=event["name"],
        agent=event["agent"],
        provider=name.provider_key,
        seq=event["seq"],
        previous=event.get("previous"),
        event=digest,
        record=digest_of(event["record"]) if "record" in event else None,
        by=by,
        **{"from": event.get("from")},
        **{
            what: salted(opening["salt"], opening[what])
            for what in ("sponsor", "chain")
            if what in opening
        },
    )


def _presented(links: bytes, invocation: str | None) -> Presentation | tuple[bytes, str]:
    """As bytes, by which a chain is known again."""
    if invocation is None:
        return Presentation.from_json({"links": parse(links, size=MAX_BODY)})
    return links, invocation


def _keys(name: str, key: PublicKey | None) -> dict[str, tuple[PublicKey, ...]]:
    return {} if key is None else {name: (key,)}


def _record_fits(record: JsonObject, sponsorship: Sponsorship, at: int) -> None:
    """The record says what the evidence shows, and ends with the agent's identity."""
    if record["sponsorship"] != sponsorship_of(sponsorship.path):
        raise error("orphan-agent", "the record states another sponsorship than the evidence")
    expires = shape.time(record["expires"], "expires")
    if at >= expires:
        raise error("expired", "the record has expired already")
    if expires > sponsorship.identity.valid_until:
        raise error("ttl-too-long", "the record outlives the agent's identity")


def _once(auth: Authorization) -> tuple[str, int]:
    once: tuple[str, int] | None = None
    for duty in auth.obligations:
        if isinstance(duty, Once):
            once = (duty.key, duty.until)
        elif not isinstance(duty, Limit):
            raise error("no-ledger", "the registry keeps no budget")
    if once is None:
        raise error("holder-missing", "nothing to use once")
    return once


class _holder:  # noqa: N801 - reads as a word
    """As a registry tells it: who did not sign is not the holder."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, exc: Any, _trace: object) -> None:
        if isinstance(exc, Error) and exc.code == "ans-signature":
            raise error("holder-mismatch", exc.detail) from None

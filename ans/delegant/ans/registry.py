"""The registry's rules: who may have a name, and what is answered about it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from delegant.credentials import (
    Authorization,
    Evidence,
    Presentation,
    PrivateKey,
    Seen,
    Trust,
    retired,
    shape,
    standing,
    verify,
)
from delegant.credentials.budget import Budget
from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.credentials.did import check as check_did
from delegant.credentials.errors import Error, error
from delegant.credentials.path import People
from delegant.credentials.verdict import Limit, Once

from .answer import freshness
from .documents import check_event, check_receipt, digest_of, members, sign
from .holder import ancestry, request_of, sponsorship_of
from .name import AnsName, provider_label
from .store import Store

__all__ = ["Registry"]

MAX_BODY: Final = 2 * 1024 * 1024
SKEW_SECONDS: Final = 300


class Registry:
    """A naming service over a store.

    Args:
        store: its rows.
        did: the registry's DID, which is also the resource of ``ans.*`` and the audience.
        key: signs receipts and answers.
        trust: called for each decision, so that what was seen meanwhile counts.
        remember: called with what an accepted registration met, against rollback.
    """

    def __init__(
        self,
        store: Store,
        did: str,
        key: PrivateKey,
        trust: Callable[[], Trust],
        remember: Callable[[Seen], None] | None = None,
    ) -> None:
        self.did = did
        self._store = store
        self._key = key
        self._trust = trust
        self._remember = remember
        self._writing = threading.Lock()  # one writer: SQLite has no more, and waits less so

    def submit(self, data: bytes, invocation: str | None, at: int) -> JsonObject:
        """Register, renew or revoke.

        Args:
            data: ``{event, links, evidence}``.
            invocation: the agent's invocation of ``ans.<type>``, for exactly this event.
            at: now, seconds since 1970.

        Returns:
            The receipt; the same one again for the same event again.

        Raises:
            Rejected: ``orphan-agent`` (422), ``holder-mismatch`` (401), ``namespace`` (403) and
                all that `verify` raises. Conflict: ``name-taken``, ``stale-version``,
                ``replay``. Gone: ``ans-gone``. Unavailable: ``unavailable``.
        """
        body = parse_object(data, size=MAX_BODY)
        shape.closed(body, "body", frozenset({"event", "links", "evidence"}))
        event = body["event"]
        name = _signed_event(event)
        digest = digest_of(event)
        with self._store.transaction(reading=True) as db:
            before = self._store.event(db, digest)
        if before is not None:
            return self._receipt_of(before)
        if event["registry"] != self.did:
            raise error("audience", f"the event is for {event['registry']}, this is {self.did}")
        said = shape.time(event["at"], "event.at")
        if abs(said - at) > SKEW_SECONDS:
            raise error("invocation-expired", "the event is not of now")
        evidence = Evidence.from_json(body["evidence"])
        trust = self._trust()
        organization = self._sponsorship(event["agent"], evidence, trust, at)
        auth = verify(
            Presentation.from_json(members(links=body["links"], invocation=invocation)),
            evidence,
            trust,
            request_of(event, self.did),
            at=at,
        )
        if auth.actor != event["agent"]:
            raise error("holder-mismatch", "the chain is another agent's")
        if "record" in event:
            self._record_fits(event["record"], auth, evidence, at)
        spent = self._discharge(auth)
        if self._remember is not None:
            self._remember(auth.seen)
        row = {
            "digest": digest,
            "key": name.key,
            "seq": event["seq"],
            "body": canonical(event),
            "sponsorship": evidence.to_bytes(),
        }
        with self._writing, self._store.transaction() as db:
            before = self._store.event(db, digest)
            if before is not None:
                return self._receipt_of(before)
            self._may(db, name, event, organization, at)
            receipt = self._receipt(event, digest, at)
            row["receipt"] = canonical(receipt)
            self._store.append(
                db, row, agent=event["agent"], carries_record="record" in event, spent=spent
            )
        return receipt

    def _sponsorship(self, agent: str, evidence: Evidence, trust: Trust, at: int) -> str:
        """The organisation that answers for the agent; judged before anything else."""
        budget = Budget(trust.limits)
        people = People(evidence, trust, budget)
        name = check_did(agent)
        if evidence.sponsors(name):
            raise error("id-shared", f"{agent} is a human's")
        try:
            identity = people.agent(name)
            human = people.human(identity.sponsor)
            retired.keys(
                human, (), [identity], people, evidence, trust, budget.evidence_signatures, at, None
            )
            standing.times((), [identity], people, at, None)
            standing.status(human, (), [identity], people, trust, at, "high", None)
        except Error as exc:
            raise error("orphan-agent", f"no live human answers for {agent}: {exc}") from None
        return human.organization

    def _record_fits(
        self, record: JsonObject, auth: Authorization, evidence: Evidence, at: int
    ) -> None:
        identity = auth.identities[-1]
        if record["sponsorship"] != sponsorship_of(ancestry(evidence, auth.actor)):
            raise error("orphan-agent", "the record states another sponsorship than the evidence")
        if at >= shape.time(record["expires"], "expires"):
            raise error("expired", "the record has expired already")
        if shape.time(record["expires"], "expires") > identity.valid_until:
            raise error("ttl-too-long", "the record outlives the agent's identity")

    def _discharge(self, auth: Authorization) -> tuple[str, int]:
        once: tuple[str, int] | None = None
        for duty in auth.obligations:
            if isinstance(duty, Once):
                once = (duty.key, duty.until)
            elif not isinstance(duty, Limit):
                raise error("no-ledger", "the registry keeps no budget")
        if once is None:
            raise error("holder-missing", "nothing to use once")
        return once

    def _may(self, db: Any, name: AnsName, event: JsonObject, organization: str, at: int) -> None:
        """The state of the name allows this event."""
        owner = self._store.owner(db, provider_label(name.provider))
        if owner is None or owner != organization:
            raise error("namespace", f"{name.provider} is not bound to {organization}")
        row = self._store.name(db, name.key)
        if row is None:
            if event["type"] != "register":
                raise error("ans-not-found", f"{name} is not registered here")
            return
        status = self._state(db, row, at)[0]
        if row.agent != event["agent"]:
            gone = status != "active"
            told = "is never given to another agent" if gone else "is another agent's"
            raise error("ans-gone" if gone else "name-taken", f"{name} {told}")
        if status == "revoked":
            raise error("ans-gone", f"{name} was revoked, for good")
        if event["type"] == "register":
            raise error("name-taken", f"{name} is registered; renew it instead")
        if event["previous"] != row.last or event["seq"] != row.seq + 1:
            raise error("stale-version", f"{name} has changed: its last event is {row.last}")

    def _receipt(self, event: JsonObject, digest: str, at: int) -> JsonObject:
        receipt = members(
            version=1,
            registry=self.did,
            name=event["name"],
            type=event["type"],
            seq=event["seq"],
            event=digest,
            record=digest_of(event["record"]) if "record" in event else None,
            agent=event["agent"],
            at=shape.format_time(at),
        )
        return sign(receipt, self._key, self.did, at)

    # --- reading: nothing leaves unverified -------------------------------------------------

    def _receipt_of(self, row: Any) -> JsonObject:
        try:
            receipt = parse_object(bytes(row.receipt), size=MAX_BODY)
            check_receipt(receipt, self.did, self._key.public)
            if receipt["event"] != row.digest:
                raise error("ans-signature", "a receipt of another event")
        except (Error, TypeError, ValueError) as exc:
            told = getattr(exc, "code", type(exc).__name__)
            raise error("unavailable", f"a stored receipt is damaged: {told}") from None
        return receipt

    def _event_of(self, db: Any, digest: str, key: str) -> JsonObject:
        row = self._store.event(db, digest)
        try:
            if row is None:
                raise error("shape", "missing")
            event = parse_object(bytes(row.body), size=MAX_BODY)
            name = check_event(event)
            if digest_of(event) != digest or name.key != key:
                raise error("ans-signature", "another event")
        except (Error, TypeError, ValueError) as exc:
            told = getattr(exc, "code", type(exc).__name__)
            raise error("unavailable", f"a stored event is damaged: {told}") from None
        return event

    def _state(self, db: Any, row: Any, at: int) -> tuple[str, JsonObject, JsonObject]:
        """Status of a name, its last event, and the event with its record."""
        last = self._event_of(db, row.last, row.key)
        with_record = self._event_of(db, row.with_record, row.key)
        if last["seq"] != row.seq or last["agent"] != row.agent or "record" not in with_record:
            raise error("unavailable", "a stored name is damaged")
        if last["type"] == "revoke":
            return "revoked", last, with_record
        expired = at >= shape.time(with_record["record"]["expires"], "expires")
        return ("expired" if expired else "active"), last, with_record

    def resolve(self, text: str, at: int) -> tuple[int, JsonObject]:
        """The signed answer about a name, and its HTTP status: 200, 404 or 410.

        Raises:
            Malformed: ``ans-name``. Unavailable: ``unavailable``.
        """
        name = AnsName.parse(text)
        with self._store.transaction(reading=True) as db:
            row = self._store.name(db, name.key)
            newest = self._store.newest(db, name.key)
            if newest != (None if row is None else row.seq):
                raise error("unavailable", "a stored name is not that of its newest event")
            if row is None:
                return 404, {"freshness": freshness(self._key, self.did, name, "not-found", at)}
            status, last, with_record = self._state(db, row, at)
            receipt = self._receipt_of(self._store.event(db, row.last))
        if status != "active":
            token = freshness(
                self._key, self.did, name, status, at, seq=row.seq, reason=last.get("reason")
            )
            return 410, {"receipt": receipt, "freshness": token}
        record = with_record["record"]
        token = freshness(
            self._key, self.did, name, status, at, record=digest_of(record), seq=row.seq
        )
        return 200, {"record": record, "receipt": receipt, "freshness": token}

    def by_agent(self, agent: str, at: int) -> list[JsonObject]:
        """The answers about every name of an agent."""
        with self._store.transaction(reading=True) as db:
            keys = self._store.names_of(db, agent)
        return [self.resolve(key, at)[1] for key in keys]

    def bind_provider(self, label: str, organization: str) -> None:
        """Give a provider label to an organisation: the operator's word.

        Raises:
            Malformed: ``ans-name``, ``shape``. Conflict: ``name-taken``.
        """
        self._store.bind(provider_label(label), label, check_did(organization))

    def providers(self) -> list[dict[str, str]]:
        """All bound labels."""
        return self._store.providers()

    def once(self, key: str, until: int) -> None:
        """Accept a key once, for routes that are not events.

        Raises:
            Conflict: ``replay``.
        """
        self._store.spend(key, until)


def _signed_event(event: Any) -> AnsName:
    """`check_event` as a registry tells it: no sponsor is an orphan, no key no holder."""
    record = event.get("record") if type(event) is dict else None
    if type(record) is dict and "sponsorship" not in record:
        raise error("orphan-agent", "the record names nobody who answers for the agent")
    try:
        return check_event(event)
    except Error as exc:
        if exc.code == "ans-signature":
            raise error("holder-mismatch", exc.detail) from None
        raise

"""The registry: who may have a name, what becomes of it, and the log of all that."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from delegant.credentials import Evidence, PrivateKey, Seen, Trust, shape
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error

from . import attested, listing, providers
from .bucket import Bucket
from .health import Heartbeat
from .log.note import NoteSigner
from .logbook import Logbook
from .name import AnsName
from .namelog import NameSequencer
from .pages import Pages
from .query import Query
from .rechecking import Rechecker
from .record import record_key
from .remembering import Memory
from .resolving import Resolver
from .store import Store
from .stored import MAX_HISTORY, Shelf
from .submitting import Judged, Submission, by_agent, by_office, sent_by_agent
from .writing import Writer

__all__ = ["Registry"]

MOST_NAMES: Final = 100
MOST_CHANGES: Final = 1000
PAGES: Final = 64 * 1024 * 1024
CLAIMS: Final = (20, 1 / 60)
"""How many labels domains may claim at once, and then in a second: a domain has as many names
below it as it likes, and each label is kept and logged for ever."""


class Registry:
    """A naming service over a store.

    Args:
        store: its rows.
        did: the registry's DID, which is also the resource of ``ans.*`` and the audience.
        key: signs freshness tokens, and the suspensions the registry itself makes.
        signer: the log's key; it signs checkpoints alone.
        checkpoint: the checkpoint file, outside the database and in a folder of its own.
        trust: called for each decision, so that what was seen meanwhile counts.
        remember: called with what an accepted submission met, against rollback.
        fresh: fresh evidence about a DID, or None where there is none.
        lists: the newest status list by a URL, or None; without it no attestation counts. It is
            asked while an answer waits, so it answers from what it has.
        pages: bytes of answers that are kept as they leave.
        known: the DIDs that ``fresh`` may know of; without it, it is asked about every agent.

    Raises:
        Rejected: ``log-rollback`` when the store is not the one the checkpoint file was signed
        for. Unavailable: ``unavailable``.
    """

    def __init__(
        self,
        store: Store,
        did: str,
        key: PrivateKey,
        signer: NoteSigner,
        checkpoint: Path,
        trust: Callable[[], Trust],
        remember: Callable[[Seen], None] | None = None,
        fresh: Callable[[str], Evidence | None] | None = None,
        lists: attested.Fetch | None = None,
        pages: int = PAGES,
        known: Callable[[], Collection[str]] | None = None,
    ) -> None:
        self.did = did
        self.store = store
        self._key = key
        self._trust = trust
        self._remember = remember or (lambda _seen: None)
        self._fresh = fresh or (lambda _did: None)
        self._claims = Bucket(*CLAIMS, "too many labels are claimed: later, or ask the operator")
        self._memory = Memory()
        self._sequencer = NameSequencer(store, signer, checkpoint)
        sequencer = self._sequencer
        self.shared = store.engine.kind != "sqlite"
        self.pages = Pages(
            sequencer.mark,
            lambda: sequencer.published().size,
            self._changed,
            pages,
            shared=self.shared,
        )
        sequencer.tell(self.pages.published)
        self.log = Logbook(store, did, self._sequencer)
        self.shelf = Shelf(store, self.log)
        self._resolver = Resolver(
            store, self.shelf, self._sequencer, did, key, trust, attested.Lists(lists)
        )
        self._writer = Writer(store, self._sequencer, self.log, self.shelf, did, key, trust)
        self._rechecker = Rechecker(
            store, self.shelf, self._writer, trust, self._remember, self._evidence, known
        )

    # --- writing --------------------------------------------------------------------------------

    def submit(self, data: bytes, invocation: str | None, at: int) -> JsonObject:
        """Take one step in the life of a name.

        Args:
            data: ``{event, links, evidence}`` by an agent; ``{event, evidence?}`` by its sponsor
                or the organisation of its provider label.
            invocation: the agent's invocation of ``ans.<type>``, for exactly this event.
            at: now, seconds since 1970.

        Returns:
            The receipt; the same one again for the same event again, its ``opening`` then
            only to the agent whose invocation comes along.

        Raises:
            Rejected: ``orphan-agent`` (422), ``holder-mismatch`` (401), ``namespace`` (403),
                ``ans-consent``, ``ans-suspended`` and all that `verify` raises.
            Conflict: ``name-taken``, ``stale-version``, ``ans-transition``, ``replay``.
            NotFound: ``ans-not-found``. Gone: ``ans-gone``. Unavailable: ``unavailable``.
        """
        return self.submitting(self.read(data), invocation, at).result()

    def read(self, data: bytes) -> Submission:
        """A body for `submitting`, as `Submission.read`; what is known of it is not read again."""
        return Submission.read(data, self._memory)

    def submitting(self, sent: Submission, invocation: str | None, at: int) -> Future[JsonObject]:
        """The same, without waiting for the disk: who sends it is judged here and now.

        Returns:
            A future of the receipt, which raises what the store says of the step.
        """
        trust = self._trust()
        try:
            judged = self._judged(sent, invocation, trust, at)
        except Error as exc:
            return self._again(sent, invocation, exc)
        if judged.seen is not None and not trust.seen.covers(judged.seen):
            self._remember(judged.seen)
        return self._writer.write(sent.name, sent.event, sent.digest, judged, at, sent.data)

    def bind_provider(
        self, label: str, organization: str, at: int, basis: str = "operator"
    ) -> JsonObject:
        """Give a provider label to an organisation, for ever: the operator's word.

        Returns:
            The receipt of the binding; of the one there is, where it is bound so already.

        Raises:
            Malformed: ``ans-name``, ``shape``. Conflict: ``name-taken``, ``name-confusable``.
        """
        binding = providers.Binding(
            self.store, self.did, label, organization, basis, self._writer.logged
        )
        return self._sequencer.write(binding, at).result()

    def claim_provider(self, data: bytes, keys: providers.Keys, at: int) -> JsonObject:
        """Give a provider label to the did:web organisation whose domain it is.

        Args:
            data: the claim, signed by the organisation (`holder.provider_claim`).
            keys: those the organisation's own DID document lists, fetched by the caller.
            at: now, seconds since 1970.

        Returns:
            The receipt of the binding.

        Raises:
            Malformed: the codes of phases 2 and 3, ``ans-name``. Rejected: ``audience``,
            ``invocation-expired``, ``holder-mismatch``, ``namespace``.
            Conflict: ``name-taken``, ``name-confusable``. Unavailable: ``unavailable``,
            ``too-many``.
        """
        label, organization = providers.claimed(data, self.did, keys, at)
        with self.store.transaction(reading=True) as db:
            fresh = self.store.owner(db, label.lower()) is None
        if fresh:
            self._claims.take()
        return self.bind_provider(label, organization, at, "domain")

    def recheck(self, at: int) -> list[JsonObject]:
        """Judge again who answers for the agent of every active name; suspend the orphaned.

        A name is suspended when fresh evidence proves that nobody answers for its agent any more,
        or when nothing has shown that somebody does since the sponsor credential last judged
        ended: at most 24 hours, the longest such a credential lives. Nothing is resumed.

        Returns:
            ``{name, reason}`` of those suspended now.

        Raises:
            Unavailable: ``unavailable``.
        """
        return self._rechecker.recheck(at)

    def resume(self, text: str, at: int, reason: str | None = None) -> JsonObject:
        """Resume a name the registry suspended, on the operator's word.

        Somebody must answer for its agent again, by fresh evidence.

        Returns:
            The receipt.

        Raises:
            NotFound: ``ans-not-found``. Rejected: ``orphan-agent``, ``ans-transition``.
        """
        return self._rechecker.resume(text, at, reason)

    def cosigned(self, note: str) -> None:
        """Keep a checkpoint of this log with the cosignatures that witnesses made.

        Raises:
            Rejected: ``log-note``. Unavailable: ``unavailable``.
        """
        self._sequencer.cosigned(note)

    def heartbeat(
        self, data: bytes, invocation: str | None, at: int, by: str | None = None
    ) -> JsonObject:
        """Take an agent's word on whether its name is up.

        Args:
            data: ``{name, status}``.
            invocation: the agent's invocation of ``ans.health``, for exactly this.
            at: now, seconds since 1970.
            by: the agent it was sent for, where the address says so.

        Returns:
            ``{name, status, at}``, as it is shown from now on.

        Raises:
            NotFound: ``ans-not-found``. Gone: ``ans-gone``. Conflict: ``replay``.
            Rejected: ``ans-suspended`` and what `Heartbeat.check` raises.
        """
        said = Heartbeat.read(data)
        with self.store.transaction(reading=True) as db:
            named = self.shelf.named(db, said.name.key, at)
        if named is None:
            raise error("ans-not-found", f"{said.name} is not registered here")
        agent, key = named.standing.agent, record_key(named.record)
        if by not in (None, agent):
            raise error("holder-mismatch", f"{said.name} is not a name of {by}")
        issued = said.check(invocation, agent, key, self.did, self._trust(), at)
        if named.status != "active":
            code = "ans-suspended" if named.status == "suspended" else "ans-gone"
            raise error(code, f"{said.name} is {named.status}")
        with self.store.transaction() as db:
            listing.beat(db, said.name.key, agent, said.status, at, issued)
        self.pages.drop(said.name.key)
        return {"name": str(said.name), "status": said.status, "at": shape.format_time(at)}

    def once(self, key: str, until: int, at: int) -> None:
        """Accept a key once, for routes that are not events; after ``until`` nobody would.

        Raises:
            Conflict: ``replay``.
        """
        with self.store.transaction(sequencing=True) as db:
            self.store.spend(db, key, until, at)

    # --- reading --------------------------------------------------------------------------------

    def record(self, digest: str) -> JsonObject:
        """The record of a digest; or ``not-found``."""
        with self.store.transaction(reading=True) as db:
            row = self.store.with_record(db, digest)
            if row is None:
                raise error("not-found", "there is no such record")
            record: JsonObject = self.shelf.event(db, row)[0]["record"]
            return record

    def event(self, digest: str) -> JsonObject:
        """The event of a digest; or ``not-found``."""
        with self.store.transaction(reading=True) as db:
            row = self.store.event(db, digest)
            if row is None:
                raise error("not-found", "there is no such event")
            return self.shelf.event(db, row)[0]

    def history(self, text: str, start: int = 0, limit: int = MAX_HISTORY) -> list[JsonObject]:
        """The events of a name, oldest first, ``{event, receipt}`` each; from number ``start``.

        Raises:
            Malformed: ``ans-name``. NotFound: ``ans-not-found``.
        """
        return self.shelf.history(AnsName.parse(text).key, start, limit)

    def log_alive(self) -> int:
        """The size of the published log; ``unavailable`` or ``log-note`` if it cannot be read."""
        return self._sequencer.published().size

    def store_alive(self) -> None:
        """Raise ``unavailable`` unless the store can be read."""
        with self.store.transaction(reading=True) as db:
            self.store.checkpoint(db)

    def on_publish(self, tell: Callable[[frozenset[str], int, int], None]) -> None:
        """Have the names of each batch told, once it is published, and the log's size then.

        Args:
            tell: with the names, and with the size before and after. It must not wait.
        """
        self._sequencer.tell(tell)

    def providers(self) -> list[dict[str, str]]:
        """All bound labels."""
        return self.store.providers()

    def resolve(self, query: Query | str, at: int, *, anew: bool = False) -> tuple[int, JsonObject]:
        """The signed answer to a question, and its HTTP status: 200, 403, 404 or 410.

        Args:
            query: a question; a text is an exact name.
            at: now, seconds since 1970.
            anew: no answer that was given before will do.

        Returns:
            An answer that may have been given before; it is not to be changed.

        Raises:
            Malformed: ``ans-name``. Rejected: ``log-rollback``. Unavailable: ``unavailable``.
        """
        asked = Query.exact(query) if isinstance(query, str) else query
        return self._resolver.resolve(asked, at, anew=anew)

    def glance(self, text: str, at: int) -> tuple[int, JsonObject, str, int] | None:
        """What `resolve` says of one name, where it can be told at once.

        Args:
            text: an exact name.
            at: now, seconds since 1970.

        Returns:
            Its HTTP status, the answer, the key of the name, and the size of the log as
            `Pages.follow` would say it; None where something must be waited for: ask `resolve`.

        Raises:
            Error: what `resolve` raises; it may not, asked again.
        """
        size = self.pages.known()
        if size is None:
            return None
        query = Query.exact(text)
        told = self._resolver.glance(query, at, size)
        return None if told is None else (*told, query.name or "", size)

    def token(self, answer: JsonObject) -> str:
        """An answer as one compact JWS by the registry's key, ``typ: ans-answer+jwt``."""
        return self._resolver.jws(answer)

    def by_agent(self, agent: str, at: int) -> list[JsonObject]:
        """The answers about the names of an agent, in their order: the first hundred."""
        with self.store.transaction(reading=True) as db:
            keys = self.store.names_of(db, agent, limit=MOST_NAMES)
        return [self.resolve(key, at)[1] for key in keys]

    def follow(self) -> None:
        """See what other machines have written since; where they can, this is called often.

        Raises:
            Rejected: ``log-rollback``. Unavailable: ``unavailable``.
        """
        looked = time.monotonic()
        self._sequencer.follow()
        self.pages.follow()
        self.pages.confirm(looked)

    def close(self) -> None:
        """Write what still waits, and let go of the store."""
        self._sequencer.close()
        self.store.close()

    # --- inside ---------------------------------------------------------------------------------

    def _judged(self, sent: Submission, invocation: str | None, trust: Trust, at: int) -> Judged:
        """Whether who sends it may, whatever the name is."""
        sent.timely(self.did, at)
        office = not sent.linked
        owner, named = None, None
        if office or sent.event["type"] == "transfer":
            with self.store.transaction(reading=True) as db:
                owner = self.store.owner(db, sent.name.provider_key)
                named = self.shelf.named(db, sent.name.key, at) if office else None
        if not office:
            return by_agent(sent, invocation, self.did, owner, trust, at, self._memory)
        if named is None:
            raise error("ans-not-found", f"{sent.name} is not registered here")
        return by_office(sent, named, owner, trust, self._evidence, at)

    def _again(self, sent: Submission, invocation: str | None, exc: Error) -> Future[JsonObject]:
        """What was taken before is so again, however late; else it is refused as it was."""
        with self.store.transaction(reading=True) as db:
            before = self.store.event(db, sent.digest)
            logged = None if before is None else self.shelf.event(db, before)[1]
        if logged is None:
            raise exc
        own = sent_by_agent(sent, invocation, self.did, logged.key, self._trust())
        out: Future[JsonObject] = Future()
        out.set_result(self._writer.receipt(sent.digest, opening=own))
        return out

    def _changed(self, start: int, end: int) -> set[str] | None:
        """The names that entries of the log are about; None where they are too many."""
        if end - start > MOST_CHANGES:
            return None
        with self.store.transaction(reading=True) as db:
            known, names = self.store.grown_since(db, start, end - start)
        return names if known >= end else None

    def _evidence(self, name: str) -> Evidence | None:
        try:
            return self._fresh(name)
        except Error:
            return None  # whoever needs it will say what is missing

"""Writing an event: its leaf, what the name is after it, and what is searched of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from delegant.credentials import Evidence, PrivateKey, Trust, shape
from delegant.credentials.codec import JsonObject, canonical
from delegant.credentials.errors import error
from delegant.credentials.keys import new_nonce

from . import attested, listing
from .batch import Added, Batch
from .lifecycle import Move, Standing, step
from .logbook import Logbook
from .name import AnsName
from .namelog import NameSequencer
from .signing import digest_of, members, sign
from .store import Store
from .stored import Named, Shelf
from .submitting import Judged, entry
from .tables import EVENTS

__all__ = ["NameChange", "Writer"]


class Writer:
    """What a registry writes of names.

    Args:
        did, key: the registry's, for events of its own.
        trust: whose attestations are what names are found by.
    """

    def __init__(
        self,
        store: Store,
        sequencer: NameSequencer,
        log: Logbook,
        shelf: Shelf,
        did: str,
        key: PrivateKey,
        trust: Callable[[], Trust],
    ) -> None:
        self.store = store
        self.shelf = shelf
        self.did = did
        self.trust = trust
        self._sequencer = sequencer
        self._log = log
        self._key = key

    def write(
        self,
        name: AnsName,
        event: JsonObject,
        digest: str,
        judged: Judged,
        at: int,
        data: bytes | None = None,
    ) -> Future[JsonObject]:
        """Take an event whose sender was believed; the receipt comes when it is written.

        Args:
            at: now, seconds since 1970.
            data: the event's RFC 8785 bytes, where they are at hand.

        Returns:
            A future, as of `Sequencer.write`; it also raises ``namespace``, ``replay`` and what
            `lifecycle.step` raises.
        """
        return self._sequencer.write(NameChange(self, name, event, digest, judged, data), at)

    def receipt(self, digest: str, *, opening: bool = True) -> JsonObject:
        """The receipt of an event that is in the store, once its checkpoint is published.

        Args:
            opening: whether it is told to whoever sent the event.
        """
        with self.store.transaction(reading=True) as db:
            row = self.store.event(db, digest)
            receipt = self.shelf.receipt(db, row, opening=opening)
        self._sequencer.acknowledge(row.leaf)
        return receipt

    def logged(self, number: int) -> JsonObject:
        """The receipt of an entry, once its checkpoint is published."""
        with self.store.transaction(reading=True) as db:
            receipt = self._log.receipt(db, number)
        self._sequencer.acknowledge(number)
        return receipt

    def own(
        self, named: Named, kind: str, reason: str | None, judged: Judged, at: int
    ) -> JsonObject:
        """An event of the registry's own; its receipt."""
        event = members(
            version=1,
            registry=self.did,
            name=str(named.name),
            type=kind,
            seq=named.standing.seq + 1,
            previous=named.standing.last,
            reason=reason,
            agent=named.standing.agent,
            by=self.did,
            at=shape.format_time(at),
        )
        event = sign(event, self._key, self.did, at)
        return self.write(named.name, event, digest_of(event), judged, at).result()


class NameChange:
    """An event, to be written with others (`batch.Change`). What needs no store is done here."""

    def __init__(
        self,
        writer: Writer,
        name: AnsName,
        event: JsonObject,
        digest: str,
        judged: Judged,
        data: bytes | None = None,
    ) -> None:
        self.digest = digest
        self.key = name.key
        self.label = name.provider_key
        self.once = None if judged.spent is None else judged.spent[0]
        self._writer = writer
        self._name = name
        self._event = event
        self._judged = judged
        self._opening = members(salt=new_nonce(), sponsor=judged.sponsor, chain=judged.chain)
        self._leaf = entry(writer.did, name, event, digest, judged.by, self._opening)
        self._row: dict[str, Any] = {
            "digest": digest,
            "key": self.key,
            "seq": event["seq"],
            "record": self._leaf.get("record"),
            "body": data or canonical(event),
            "opening": canonical(self._opening, floats=False),
        }
        record = event.get("record")
        self._expires = None if record is None else shape.time(record["expires"], "expires")
        self._listing: listing.Listing | None = None
        self._shown = False
        if record is not None:
            self._list(attested.shown(judged.evidence or Evidence(), event["agent"]))

    def _list(self, shown: list[JsonObject | str]) -> None:
        """What is searched of the name, with these attestations."""
        claims = attested.claims(shown, self._event["agent"])
        record, expires = self._event["record"], self._expires or 0
        believed = set[str]()
        if shown:
            believed = attested.believed(shown, self._event["agent"], self._writer.trust())
        self._listing = listing.Listing(self._name, record, shown, claims, expires, believed)
        self._shown = bool(shown)

    def receipt(self, number: int) -> JsonObject:
        """Of the event as it was written before; its opening, to the agent alone."""
        del number
        return self._writer.receipt(self.digest, opening=self.once is not None)

    def add(self, batch: Batch) -> Added:
        """The event, its leaf, and the name as it is then."""
        known = batch.event(self.digest)
        if known is not None:
            return Added(known, known=True)
        name, event, judged = self._name, self._event, self._judged
        owner = batch.owner(self.label)
        if owner is None or judged.organization not in (None, owner):
            raise error("namespace", f"{name.provider} is not bound to {judged.organization}")
        named = None
        if batch.knows(self.key):
            named = self._writer.shelf.named(batch.db, self.key, batch.time)
        move = Move(
            event["type"], event["agent"], judged.by, event["seq"], self.digest,
            event.get("previous"), event.get("from"),
        )  # fmt: skip
        after = step(
            None if named is None else named.standing,
            move,
            expired=named is not None and batch.time >= named.expires,
        )
        if named is not None and judged.last not in (None, named.standing.last):
            raise error("stale-version", "the name has changed since its sender was believed")
        if judged.spent is not None:
            batch.unspent(judged.spent[0])
        if named is not None and not self._shown and event["type"] in ("renew", "resume"):
            self._keep(named)
        stands = event.get("record") or (None if named is None else named.record) or {}
        number = batch.log(members(**self._leaf, epoch=after.epoch, key=stands.get("key")))
        self._put(batch, after, number)
        if judged.spent is not None:
            batch.spend(*judged.spent)
        batch.touch(self.key, self.digest, number)
        return Added(number, self._opening)

    def _put(self, batch: Batch, after: Standing, number: int) -> None:
        """The rows of the event, of the name, and of what is searched of it."""
        batch.put(EVENTS, {**self._row, "leaf": number, "suspended": after.suspended})
        self._writer.store.put_name(
            batch, self.key, self.digest, after, expires=self._expires, vouched=self._judged.vouched
        )
        live = after.suspended is None and not after.revoked
        if self._listing is None:
            listing.set_live(batch.db, [self.key], live=live)
        else:
            self._listing.put(batch, live=live, fresh=after.seq == 0)

    def _keep(self, named: Named) -> None:
        """What was shown with the record before is shown on."""
        if "record" in self._event:
            agent = self._event["agent"]
            self._list(attested.kept(listing.attestations_of(named.row), agent))

"""Writing an event: its leaf, what the name is after it, and what is searched of it."""

from __future__ import annotations

from sqlalchemy import Connection

from delegant.credentials import Evidence, PrivateKey, shape
from delegant.credentials.codec import JsonObject, canonical
from delegant.credentials.errors import error
from delegant.credentials.keys import new_nonce

from . import attested, listing
from .lifecycle import Move, Standing, step
from .logbook import Logbook
from .name import AnsName
from .sequencer import Batch, Sequencer
from .signing import digest_of, members, sign
from .store import Store
from .stored import Named, Shelf
from .submitting import Judged, entry

__all__ = ["Writer"]


class Writer:
    """What a registry writes.

    Args:
        did, key: the registry's, for events of its own.
    """

    def __init__(
        self,
        store: Store,
        sequencer: Sequencer,
        log: Logbook,
        shelf: Shelf,
        did: str,
        key: PrivateKey,
    ) -> None:
        self._store = store
        self._sequencer = sequencer
        self._log = log
        self._shelf = shelf
        self._did = did
        self._key = key

    def write(
        self, batch: Batch, name: AnsName, event: JsonObject, digest: str, judged: Judged
    ) -> None:
        """The event, its leaf, and the name as it is then."""
        db = batch.db
        owner = self._store.owner(db, name.provider_key)
        if owner is None or judged.organization not in (None, owner):
            raise error("namespace", f"{name.provider} is not bound to {judged.organization}")
        named = self._shelf.named(db, name.key, batch.time)
        move = Move(
            event["type"], event["agent"], judged.by, event["seq"], digest,
            event.get("previous"), event.get("from"),
        )  # fmt: skip
        after = step(
            None if named is None else named.standing,
            move,
            expired=named is not None and batch.time >= named.expires,
        )
        record: JsonObject | None = event.get("record")
        stands = record or (None if named is None else named.record) or {}
        opening = members(salt=new_nonce(), sponsor=judged.sponsor, chain=judged.chain)
        leaf = entry(self._did, name, event, after, judged.by, stands.get("key"), opening)
        number = batch.log(leaf)
        row = {
            "digest": digest,
            "key": name.key,
            "seq": after.seq,
            "record": leaf.get("record"),
            "body": canonical(event),
            "opening": canonical(opening),
            "leaf": number,
            "suspended": after.suspended,
        }
        expires = None if record is None else shape.time(record["expires"], "expires")
        self._store.append(db, row, after, expires=expires, vouched=judged.vouched)
        self._list(db, name, event, after, judged, expires, batch.time)
        if judged.spent is not None:
            self._store.spend(db, *judged.spent, batch.time)

    def _list(
        self,
        db: Connection,
        name: AnsName,
        event: JsonObject,
        after: Standing,
        judged: Judged,
        expires: int | None,
        at: int,
    ) -> None:
        """What is searched of the name, as it is after an event."""
        listing.sweep(db, at)
        live = after.suspended is None and not after.revoked
        if expires is None:
            listing.set_live(db, name.key, live)
            return
        agent, record = event["agent"], event["record"]
        shown = attested.shown(judged.evidence or Evidence(), agent)
        if not shown and event["type"] in ("renew", "resume"):
            shown = attested.kept(listing.attestations(db, name.key), agent)
        listing.put(
            db, name, record, shown, attested.claims(shown, agent), live=live, expires=expires
        )

    def receipt(self, digest: str, *, opening: bool = True) -> JsonObject:
        """The receipt of an event that is in the store, once its checkpoint is published.

        Args:
            opening: whether it is told to whoever sent the event.
        """
        with self._store.transaction(reading=True) as db:
            row = self._store.event(db, digest)
            receipt = self._shelf.receipt(db, row, opening=opening)
        self._sequencer.acknowledge(row.leaf)
        return receipt

    def logged(self, number: int) -> JsonObject:
        """The receipt of an entry, once its checkpoint is published."""
        with self._store.transaction(reading=True) as db:
            receipt = self._log.receipt(db, number)
        self._sequencer.acknowledge(number)
        return receipt

    def own(
        self, named: Named, kind: str, reason: str | None, judged: Judged, at: int
    ) -> JsonObject:
        """An event of the registry's own."""
        event = members(
            version=1,
            registry=self._did,
            name=str(named.name),
            type=kind,
            seq=named.standing.seq + 1,
            previous=named.standing.last,
            reason=reason,
            agent=named.standing.agent,
            by=self._did,
            at=shape.format_time(at),
        )
        event = sign(event, self._key, self._did, at)
        digest = digest_of(event)
        with self._sequencer.writing(at) as batch:
            self.write(batch, named.name, event, digest, judged)
        return self.receipt(digest)

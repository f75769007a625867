"""The audit log of one resource or organisation: one writer, one tree, signed checkpoints.

    audit.json              whose log it is, its public keys, and how long records are kept
    keys.wallet             the key of the log, and the key of its receipts
    audit.db                entries, and beside them openings, exhibits and the ledger
    log/audit.checkpoint    the newest checkpoint, so that a database set back is seen

Everything is written, signed and acknowledged as the naming service's log is: see
`delegant.ans.sequencer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from delegant.ans.headfile import HeadFile
from delegant.ans.log import merkle
from delegant.ans.log.note import NoteKey, NoteSigner
from delegant.ans.sequencer import Sequencer
from delegant.ans.treebook import TreeBook
from delegant.credentials import PrivateKey, PublicKey, shape
from delegant.credentials import did as dids
from delegant.credentials.codec import JsonObject, digest
from delegant.credentials.errors import error
from delegant.wallet import Wallet, files
from delegant.wallet.keystore import Cost
from delegant.wallet.notekey import note_key

from .batch import AuditBatch, AuditChange, Done
from .record import RETENTION_DAYS, Record, parse_record
from .store import AuditStore

__all__ = ["RETENTION_DAYS", "AuditLog", "AuditReader", "Settings"]

SETTINGS: Final = "audit.json"
KEYS: Final = "keys.wallet"
CHECKPOINT: Final = Path("log") / "audit.checkpoint"
LOG_ROLE: Final = "log"


class Settings:
    """What ``audit.json`` says.

    Attributes:
        id: the DID whose log it is.
        key: of the log, with which checkpoints are signed.
        keys: with which receipts are.
        database: a path or an address.
        retention_days: how long records are kept, at least `RETENTION_DAYS`.

    Raises:
        NotFound: ``not-found``. Malformed: ``shape``, ``unknown-member``.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / SETTINGS
        if not path.is_file():
            raise error("not-found", f"{folder} holds no audit log: `delegant audit init {folder}`")
        said = files.read_object(path)
        shape.closed(
            said, SETTINGS, frozenset({"version", "id", "keys", "log"}),
            frozenset({"database", "retentionDays"}),
        )  # fmt: skip
        if said["version"] != 1:
            raise error("unknown-version", f"{path} is of another version")
        self.folder = folder
        self.id = dids.check(said["id"])
        self.key = NoteKey.parse(said["log"])
        self.keys = shape.array_of(
            said["keys"], "keys", lambda one, _: PublicKey.from_multikey(one)
        )
        where = said.get("database")
        self.database: Path | str = folder / "audit.db" if where is None else str(where)
        self.retention_days = shape.integer(
            said.get("retentionDays", RETENTION_DAYS), "retentionDays", RETENTION_DAYS, 36_500
        )

    @property
    def checkpoint(self) -> Path:
        """The checkpoint file."""
        return self.folder / CHECKPOINT

    def entry(self) -> JsonObject:
        """What others put into their trust folder, among its ``audits``."""
        return {
            "id": self.id,
            "keys": [key.multikey for key in self.keys],
            "log": self.key.vkey,
        }


class _Records:
    """What an audit log gives whoever may read it."""

    store: AuditStore
    book: TreeBook

    def record(self, number: int) -> Record:
        """An entry, proven to be in the published tree.

        Raises:
            NotFound: ``not-found``, also where it was pruned. Unavailable: ``unavailable``.
        """
        with self.store.transaction(reading=True) as db:
            return parse_record(self.book.entry(db, number))

    def records(self, event: str) -> list[Record]:
        """The entries of an event, in order, each proven."""
        with self.store.transaction(reading=True) as db:
            return [
                parse_record(self.book.entry(db, number))
                for number, _ in self.store.numbers(db, event)
            ]


class AuditLog(_Records):
    """An audit log, open for writing.

    Raises:
        Unavailable: ``unavailable`` from whatever the store or the disk does not do.
        Rejected: ``log-rollback`` when the store is not the one the checkpoint was signed for.
    """

    def __init__(self, settings: Settings, signer: NoteSigner, receipts: PrivateKey) -> None:
        self.settings = settings
        self.id = settings.id
        self.key: NoteKey = signer.key
        self.receipts = receipts
        self.store = AuditStore(settings.database, self.id)
        self._sequencer = _AuditSequencer(self.store, signer, settings.checkpoint)
        self.book = TreeBook(self.store, self._sequencer)

    @classmethod
    def create(
        cls,
        folder: Path,
        passphrase: str,
        *,
        did: str,
        database: str | None = None,
        retention_days: int = RETENTION_DAYS,
        cost: Cost | None = None,
    ) -> AuditLog:
        """Make the folder of a new log, and open it.

        Args:
            did: of whoever acts: a resource, or an organisation.
            database: an address, where it is not a file in the folder.

        Raises:
            Conflict: ``name-taken`` where there is one. Malformed: ``did-invalid``, ``shape``.
        """
        name = dids.check(did)
        shape.integer(retention_days, "retentionDays", RETENTION_DAYS, 36_500)
        if (folder / SETTINGS).exists():
            raise error("name-taken", f"there is an audit log in {folder}")
        files.make_folder(folder)
        wallet = Wallet.create(
            folder / KEYS, passphrase, kind="audit", name="audit", roles=(LOG_ROLE,), cost=cost
        )  # fmt: skip
        said: JsonObject = {
            "version": 1,
            "id": name,
            "keys": [wallet.key().public.multikey],
            "log": note_key(f"{name}/audit", wallet.key(LOG_ROLE).public),
            "retentionDays": retention_days,
        }
        if database is not None:
            said["database"] = database
        files.write_json(folder / SETTINGS, said)
        return cls._with(folder, wallet)

    @classmethod
    def open(cls, folder: Path, passphrase: str) -> AuditLog:
        """Open a log.

        Raises:
            NotFound: ``not-found``. Rejected: ``wallet-auth``, ``log-rollback``.
        """
        Settings(folder)  # it is told first where there is none
        return cls._with(folder, Wallet.open(folder / KEYS, passphrase, kind="audit"))

    @classmethod
    def _with(cls, folder: Path, wallet: Wallet) -> AuditLog:
        settings = Settings(folder)
        signer = NoteSigner(f"{settings.id}/audit", wallet.key(LOG_ROLE))
        if signer.key != settings.key:
            raise error("log-note", f"{folder / SETTINGS} names another key than its wallet has")
        return cls(settings, signer, wallet.key())

    @property
    def head(self) -> str:
        """The published checkpoint, a signed note."""
        return self.book.checkpoint()

    def write(self, change: AuditChange, at: int) -> Future[Any]:
        """Ask for a change; what it gives comes once it is durable, and so acknowledged.

        Args:
            at: now, seconds since 1970.
        """
        return self._sequencer.write(change, at)

    def write_all(self, changes: Sequence[AuditChange], at: int) -> list[Future[Any]]:
        """The same for many, in their order."""
        return self._sequencer.write_all(changes, at)

    def knows(self, name: str, day: int) -> bool:
        """Whether an exhibit is kept already, as used on this day."""
        return self._sequencer.exhibited.get(name) == day

    def close(self) -> None:
        """Write what waits, and let go of the store."""
        self._sequencer.close()
        self.store.close()


class AuditReader(_Records):
    """An audit log, open for reading: no key, no passphrase."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(folder)
        self.id = self.settings.id
        self.key = self.settings.key
        self.store = AuditStore(self.settings.database, self.id, patient=True, making=False)
        self.book = TreeBook(self.store, HeadFile(self.settings.checkpoint, self.key))

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()


class _AuditSequencer(Sequencer[AuditBatch, Any]):
    most = 1024  # a record is some 50 us of work, and a flush to the disk many times as much

    def __init__(self, store: AuditStore, signer: NoteSigner, path: Path) -> None:
        self._audit = store
        self._months: set[str] = set()
        self.exhibited: dict[str, int] = {}
        super().__init__(store, signer, path)
        self.on_publish.append(lambda batch, _before, _size: self._written_to(batch))

    def _batch(self, db: Connection, size: int, time: int, changes: Sequence[Any]) -> AuditBatch:
        previous = digest(self._audit.leaves(db, size - 1, 1)[0]) if size else None
        return AuditBatch(db, size, previous, time, changes, self._months)

    def _swept(self, db: Connection, batch: AuditBatch) -> None:
        self._audit.forget(db, batch.time)

    def _told(
        self, batch: AuditBatch, outcomes: Sequence[Any], size: int, note: str, read: merkle.Tiles
    ) -> list[Any]:
        del batch, size, note, read
        return [one.value if isinstance(one, Done) else one for one in outcomes]

    def _time(self, leaf: bytes) -> int:
        return parse_record(leaf).time

    def _written_to(self, batch: AuditBatch) -> None:
        """Remember what is there, now that it is."""
        self._months |= batch.fresh_months
        if len(self.exhibited) > KNOWN:
            self.exhibited = {}
        self.exhibited.update(batch.exhibited)


KNOWN: Final = 65_536
"""Exhibits that are remembered as kept: some 10 MB."""

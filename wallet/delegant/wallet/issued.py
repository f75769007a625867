"""The status entries of credentials issued in general: which credential has which bit.

One SQLite file: lists with their bits and as last signed, and every entry taken, decoys among
them. A change and the list signed after it are one transaction, flushed before anybody is told
(WAL, ``synchronous=FULL``); a connection serves one transaction and no second thread. The
chain's own lists lie elsewhere (`statuslists`).
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.credentials.errors import Error, error
from delegant.w3c.status import MIN_BITS, free_index, is_set, put

__all__ = ["PURPOSES", "Entry", "Issued"]

PURPOSES: Final = ("revocation", "suspension")
DECOYS: Final = MIN_BITS // 128
"""Entries of a new list that belong to nobody; some are set, so that counting tells little."""
MAX_SIGNED: Final = 256 * 1024

Sign = Callable[[str, int, str, bytes, int], JsonObject]
"""From issuer, number, purpose, bits and instant to the signed list."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS lists (
  number INTEGER PRIMARY KEY, issuer TEXT NOT NULL, purpose TEXT NOT NULL,
  bits BLOB NOT NULL, signed BLOB NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
  list INTEGER NOT NULL REFERENCES lists, place INTEGER NOT NULL,
  issuer TEXT NOT NULL, purpose TEXT NOT NULL, credential TEXT,
  PRIMARY KEY (list, place), UNIQUE (issuer, credential, purpose)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_credential ON entries (credential);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A bit of a list, and whether it is set."""

    list: int
    index: int
    purpose: str
    set: bool = False


class Issued:
    """The file of one home. Every method is one transaction.

    Args:
        path: the file; it is made if it is not there.
        sign: signs a list; called within the transaction.

    Raises:
        Unavailable: ``unavailable``, from every method, when the file cannot be used.
    """

    def __init__(self, path: Path, sign: Sign) -> None:
        self._path = path
        self._sign = sign
        try:
            path.touch(mode=0o600)
        except OSError as exc:
            raise error("unavailable", f"{path.name}: {exc.strerror}") from None
        with self._transaction() as db:
            for statement in _TABLES.split(";"):
                db.execute(statement)

    @contextmanager
    def _transaction(self, *, reading: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as db:
                for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                    db.execute(f"PRAGMA {pragma}")
                db.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
                try:
                    yield db
                except BaseException:
                    db.execute("ROLLBACK")
                    raise
                db.execute("COMMIT")
        except sqlite3.Error as exc:
            raise error("unavailable", f"the store does not answer: {type(exc).__name__}") from exc

    def take(self, issuer: str, credential: str | None, purpose: str, at: int) -> Entry:
        """The entry of a credential: the one it has, or a new one at a random place.

        Args:
            issuer: the DID that issues; its lists are its own.
            credential: what the credential is called; None: an entry only its place names.
            at: seconds since 1970.

        Raises:
            Rejected: ``revoked`` for a credential that was revoked: nothing un-revokes.
        """
        with self._transaction() as db:
            if credential is not None:
                found = self._of(db, issuer, credential, purpose)
                if found and found[0].set and purpose == "revocation":
                    raise error("revoked", "this credential was revoked, for good")
                if found:
                    return found[0]
            number, index = self._place(db, issuer, purpose, at)
            # No URL begins so: a nameless credential is told from decoys, and nobody names it.
            named = f"#{number}/{index}" if credential is None else credential
            _insert(db, number, index, issuer, purpose, named)
            return Entry(number, index, purpose)

    def _of(
        self, db: sqlite3.Connection, issuer: str | None, credential: str, purpose: str
    ) -> list[Entry]:
        rows = db.execute(
            "SELECT list, place, bits FROM entries JOIN lists ON list = number WHERE "
            "credential = ? AND entries.purpose = ? AND (? IS NULL OR entries.issuer = ?)",
            (credential, purpose, issuer, issuer),
        )
        return [Entry(n, place, purpose, is_set(bits, place)) for n, place, bits in rows]

    def _place(self, db: sqlite3.Connection, issuer: str, purpose: str, at: int) -> tuple[int, int]:
        """A free place in the newest list of an issuer, or in a new one."""
        newest = db.execute(
            "SELECT max(number) FROM lists WHERE issuer = ? AND purpose = ?", (issuer, purpose)
        ).fetchone()[0]
        if newest is not None:
            try:
                return newest, free_index(_Taken(db, newest))
            except Error as exc:
                if exc.code != "status-range":
                    raise
        number = self._begin(db, issuer, purpose, at)
        return number, free_index(_Taken(db, number))

    def _begin(self, db: sqlite3.Connection, issuer: str, purpose: str, at: int) -> int:
        """A new list, with decoys of which about half are set."""
        number = db.execute("SELECT coalesce(max(number), 0) + 1 FROM lists").fetchone()[0]
        bits = bytearray(MIN_BITS // 8)
        decoys = {secrets.randbelow(MIN_BITS) for _ in range(DECOYS)}
        for index in decoys:
            put(bits, index, bool(secrets.randbits(1)))
        signed = self._signed(issuer, number, purpose, bits, at)
        row = (number, issuer, purpose, bytes(bits), signed, at)
        db.execute("INSERT INTO lists VALUES (?, ?, ?, ?, ?, ?)", row)
        for index in decoys:
            _insert(db, number, index, issuer, purpose, None)
        return int(number)

    def _signed(
        self, issuer: str, number: int, purpose: str, bits: bytes | bytearray, at: int
    ) -> bytes:
        return canonical(self._sign(issuer, number, purpose, bytes(bits), at))

    def change(
        self,
        credential: str | None,
        purpose: str,
        value: bool,
        at: int,
        *,
        place: tuple[int, int] | None = None,
    ) -> list[Entry]:
        """Set or clear what a credential's entries say, and sign their lists; again is fine.

        Args:
            credential: its name; None where only its place is known.
            purpose: of the entries.
            place: number of the list and index, to mean one entry alone.

        Raises:
            NotFound: ``not-found``. Rejected: ``revoked`` when something would be un-revoked.
        """
        with self._transaction() as db:
            found = self._named(db, credential, purpose, place)
            if not value and purpose == "revocation" and any(one.set for one in found):
                raise error("revoked", "nothing is ever un-revoked")
            for number in sorted({one.list for one in found if one.set != value}):
                self._set(db, number, [one.index for one in found if one.list == number], value, at)
            return [Entry(one.list, one.index, purpose, value) for one in found]

    def _named(
        self,
        db: sqlite3.Connection,
        credential: str | None,
        purpose: str,
        place: tuple[int, int] | None,
    ) -> list[Entry]:
        if place is None:
            found = self._of(db, None, credential or "", purpose)
        else:
            rows = db.execute(
                "SELECT bits FROM entries JOIN lists ON list = number WHERE list = ? AND "
                "place = ? AND entries.purpose = ? AND credential IS NOT NULL AND "
                "(? IS NULL OR credential = ?)",
                (*place, purpose, credential, credential),
            )
            found = [Entry(*place, purpose, is_set(row[0], place[1])) for row in rows]
        if not found:
            raise error("not-found", f"no such credential has an entry for {purpose[:40]}")
        return found

    def _set(
        self, db: sqlite3.Connection, number: int, places: list[int], value: bool, at: int
    ) -> None:
        issuer, purpose, raw = db.execute(
            "SELECT issuer, purpose, bits FROM lists WHERE number = ?", (number,)
        ).fetchone()
        bits = bytearray(raw)
        for place in places:
            put(bits, place, value)
        for place in self._some_decoys(db, number):  # who compares two lists counts these too
            put(bits, place, purpose == "revocation" or not is_set(bits, place))
        signed = self._signed(issuer, number, purpose, bits, at)
        db.execute(
            "UPDATE lists SET bits = ?, signed = ?, at = ? WHERE number = ?",
            (bytes(bits), signed, at, number),
        )

    def _some_decoys(self, db: sqlite3.Connection, number: int) -> list[int]:
        rows = db.execute(
            "SELECT place FROM entries WHERE list = ? AND credential IS NULL "
            "ORDER BY random() LIMIT ?",
            (number, secrets.randbelow(4)),
        )
        return [row[0] for row in rows]

    def signed(self, number: int) -> JsonObject:
        """A list as last signed.

        Raises:
            NotFound: ``not-found``.
        """
        with self._transaction(reading=True) as db:
            row = db.execute("SELECT signed FROM lists WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise error("not-found", "there is no such status list")
        return parse_object(row[0], size=MAX_SIGNED)

    def begin(self, issuer: str, purpose: str, at: int) -> int:
        """A new list of an issuer; what is issued next takes its entries there."""
        with self._transaction() as db:
            return self._begin(db, issuer, purpose, at)

    def sign_again(self, before: int, at: int) -> list[int]:
        """Sign again every list last signed before then; their numbers."""
        with self._transaction() as db:
            rows = db.execute("SELECT number FROM lists WHERE at <= ?", (before,)).fetchall()
            for row in rows:
                self._set(db, row[0], [], False, at)
        return [row[0] for row in rows]


class _Taken:
    """The places of a list that are in use, asked one by one."""

    def __init__(self, db: sqlite3.Connection, number: int) -> None:
        self._db = db
        self._number = number

    def __len__(self) -> int:
        query = "SELECT count(*) FROM entries WHERE list = ?"
        return int(self._db.execute(query, (self._number,)).fetchone()[0])

    def __contains__(self, index: object) -> bool:
        query = "SELECT 1 FROM entries WHERE list = ? AND place = ?"
        return self._db.execute(query, (self._number, index)).fetchone() is not None

    def __iter__(self) -> Iterator[int]:
        query = "SELECT place FROM entries WHERE list = ?"
        return (row[0] for row in self._db.execute(query, (self._number,)))


def _insert(
    db: sqlite3.Connection,
    number: int,
    place: int,
    issuer: str,
    purpose: str,
    credential: str | None,
) -> None:
    db.execute(
        "INSERT INTO entries VALUES (?, ?, ?, ?, ?)", (number, place, issuer, purpose, credential)
    )

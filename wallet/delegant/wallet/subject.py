"""A human or an agent as a home knows them: handle, DID, newest credential, and what was before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from delegant.credentials import Lease, PublicKey, StatusEntry
from delegant.credentials.chain import pinned
from delegant.credentials.codec import JsonObject
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.did import check as check_did
from delegant.credentials.did import embeds_key
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import error
from delegant.credentials.identity import parse_agent_identity
from delegant.credentials.shape import closed, format_time, integer, one_of, time, url

from .keystore import Kind

__all__ = ["Retired", "Subject", "handle"]

_HANDLE: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.ASCII)


def handle(name: object) -> str:
    """A short name for a subject: lower-case letters, digits, ``.``, ``_``, ``-``; or ``shape``."""
    if not isinstance(name, str) or not _HANDLE.fullmatch(name):
        raise error("shape", f"{str(name)[:64]!r}: use 1 to 64 of a-z, 0-9, '.', '_', '-'")
    return name


@dataclass(frozen=True, slots=True)
class Retired:
    """A key that is used no more, whose it was, and since when (or, ``expires``: until when)."""

    did: str
    key: str
    at: int
    expires: bool = False

    @property
    def json(self) -> JsonObject:
        """As it is written down."""
        word = "expires" if self.expires else "revoked"
        return {"did": self.did, "key": self.key, word: format_time(self.at)}

    @classmethod
    def parse(cls, value: JsonObject) -> Retired:
        """From a file of ours; or ``shape``."""
        closed(value, "retired", frozenset({"did", "key"}), frozenset({"expires", "revoked"}))
        word = "expires" if "expires" in value else "revoked"
        key = PublicKey.from_multikey(value["key"]).multikey
        return cls(check_did(value["did"]), key, time(value.get(word), word), word == "expires")


@dataclass(frozen=True, slots=True)
class Subject:
    """A human or an agent of this home.

    Attributes:
        credential: its newest, in secured form.
        retired: keys it had, and DIDs that were those keys.
        revoke: status entries of what its rotations left behind: `refresh` sees to it that
            they are revoked, whatever was interrupted.
    """

    handle: str
    kind: Kind
    did: str
    credential: JsonObject | str
    parent: str | None = None
    retired: tuple[Retired, ...] = ()
    revoke: tuple[StatusEntry, ...] = ()

    @property
    def key(self) -> PublicKey:
        """Its key: the DID's own, else what its newest credential pins.

        Raises:
            Undecided: ``key-unresolved``.
        """
        parse: Any = parse_human_sponsor if self.kind == "human" else parse_agent_identity
        found = pinned(check_did(self.did), parse(unpack(self.credential)).key)
        if found is None:
            raise error("key-unresolved", f"no credential pins the key of {self.handle}")
        return found

    @property
    def pin(self) -> PublicKey | None:
        """Its key, where others must pin it; None where its DID is the key."""
        return None if embeds_key(check_did(self.did)) else self.key

    @property
    def lease(self) -> Lease:
        """The status bits leased to a human.

        Raises:
            Rejected: ``wallet-kind`` for an agent.
        """
        if self.kind != "human":
            raise error("wallet-kind", f"{self.handle} is an agent, not a human")
        return parse_human_sponsor(unpack(self.credential)).lease

    @property
    def json(self) -> JsonObject:
        """The file of this subject."""
        value: JsonObject = {
            "handle": self.handle,
            "kind": self.kind,
            "did": self.did,
            "credential": self.credential,
        }
        if self.parent is not None:
            value["parent"] = self.parent
        if self.retired:
            value["retired"] = [one.json for one in self.retired]
        if self.revoke:
            value["revoke"] = [{"list": one.list, "index": one.index} for one in self.revoke]
        return value

    @classmethod
    def parse(cls, value: JsonObject) -> Subject:
        """From a file of ours.

        Raises:
            Malformed: ``shape``, ``unknown-member``.
        """
        closed(
            value,
            "subject",
            frozenset({"handle", "kind", "did", "credential"}),
            frozenset({"parent", "retired", "revoke"}),
        )
        one_of(value["kind"], "subject.kind", ("human", "agent"))
        check_did(value["did"])
        return cls(
            handle(value["handle"]),
            value["kind"],
            value["did"],
            value["credential"],
            value.get("parent"),
            tuple(Retired.parse(item) for item in value.get("retired", ())),
            tuple(_entry(item) for item in value.get("revoke", ())),
        )


def _entry(value: JsonObject) -> StatusEntry:
    closed(value, "revoke", frozenset({"list", "index"}))
    return StatusEntry(url(value["list"], "list"), integer(value["index"], "index"))

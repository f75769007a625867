"""``delegant.toml``: the settings of a home. Nothing in it is secret."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any, Final

from delegant.credentials.codec import JsonObject
from delegant.credentials.did import check as check_did
from delegant.credentials.errors import error
from delegant.credentials.shape import closed, url
from delegant.w3c.didweb import from_url

from .notekey import WITNESS, read_note_key

__all__ = ["FILE", "Settings", "Witness", "host_pattern"]

FILE: Final = "delegant.toml"
MAX_WITNESSES: Final = 16

_REQUIRED: Final = frozenset(
    {"version", "org", "organization", "authority", "registry", "url", "passphrase"}
)
_OPTIONAL: Final = frozenset({"verifiers", "fetch", "witnesses"})
_PATTERN: Final = re.compile(
    r"\*|(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
    re.ASCII,
)


def host_pattern(value: object) -> str:
    """A pattern of hosts: ``acme.example``, ``*.acme.example`` or ``*``; or ``shape``."""
    if type(value) is not str or len(value) > 255 or not _PATTERN.fullmatch(value):
        raise error(
            "shape", f"{str(value)[:64]!r}: write acme.example, *.acme.example, or * for any host"
        )
    return value


@dataclass(frozen=True, slots=True)
class Witness:
    """Who is asked to cosign this home's log.

    Attributes:
        url: where it is reached; requests go below it (C2SP tlog-witness).
        key: its key in text form, of type 4.
    """

    url: str
    key: str

    @classmethod
    def parse(cls, value: object) -> Witness:
        """From ``{url, key}``.

        Raises:
            Malformed: ``shape``, ``unknown-member``. Rejected: ``key-weak``.
        """
        item = closed(value, "a witness", frozenset({"url", "key"}))
        read_note_key(item["key"], WITNESS)
        where = item["url"]
        if type(where) is not str:
            raise error("shape", "the url of a witness is text")
        return cls(url(where.rstrip("/") + "/", "the url of a witness").rstrip("/"), item["key"])


@dataclass(frozen=True, slots=True)
class Settings:
    """``delegant.toml``.

    Attributes:
        org: the organisation's name, for people.
        organization, authority, registry: DIDs that attest humans, sign status lists, sign
            what the naming service answers.
        url: where `serve` is reached; status lists are named below it.
        passphrase: ``prompt`` or ``keyring``.
        verifiers: DIDs that may fetch evidence about any agent.
        fetch: patterns of the hosts that may be fetched from (`host_pattern`); none as default.
        witnesses: who is asked to cosign the log's checkpoints; none as default.
    """

    org: str
    organization: str
    authority: str
    registry: str
    url: str
    passphrase: str = "prompt"  # noqa: S105 - the word, not a secret
    verifiers: tuple[str, ...] = ()
    fetch: tuple[str, ...] = ()
    witnesses: tuple[Witness, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Settings:
        """Read the file's bytes.

        Raises:
            Malformed: ``shape``, ``unknown-member``, ``encoding``.
        """
        try:
            value: JsonObject = tomllib.loads(data.decode("utf-8"))
        except UnicodeDecodeError:
            raise error("encoding", f"{FILE} is not UTF-8") from None
        except tomllib.TOMLDecodeError as exc:
            raise error("shape", f"{FILE}: {exc}") from None
        closed(value, FILE, _REQUIRED, _OPTIONAL)
        if value["version"] != 1 or value["passphrase"] not in ("prompt", "keyring"):
            raise error("shape", f"{FILE}: version is 1, passphrase is prompt or keyring")
        verifiers, fetch = value.get("verifiers", []), value.get("fetch", [])
        texts = type(value["org"]) is str and type(value["url"]) is str
        if type(verifiers) is not list or type(fetch) is not list or not texts:
            raise error("shape", f"{FILE}: org and url are text, verifiers and fetch are lists")
        return cls(
            value["org"],
            check_did(value["organization"]),
            check_did(value["authority"]),
            check_did(value["registry"]),
            url(value["url"].rstrip("/") + "/", "url").rstrip("/"),
            value["passphrase"],
            tuple(check_did(item) for item in verifiers),
            tuple(host_pattern(item) for item in fetch),
            _witnesses(value.get("witnesses", [])),
        )

    def to_bytes(self) -> bytes:
        """The file's bytes."""
        members: dict[str, Any] = {
            "version": 1,
            "org": self.org,
            "organization": self.organization,
            "authority": self.authority,
            "registry": self.registry,
            "url": self.url,
            "passphrase": self.passphrase,
            "verifiers": list(self.verifiers),
            "fetch": list(self.fetch),
        }
        if self.witnesses:
            members["witnesses"] = [{"url": one.url, "key": one.key} for one in self.witnesses]
        lines = [f"{name} = {_toml(value)}" for name, value in members.items()]
        return ("# delegant home; nothing here is secret\n" + "\n".join(lines) + "\n").encode()

    @property
    def web(self) -> str:
        """The did:web of this address; those of people and agents lie below it.

        Raises:
            Malformed: ``did-invalid`` where it has none: a did:web is an https host name.
        """
        return from_url(self.url)

    def list_url(self, number: int) -> str:
        """The URL that names the status list of this number."""
        return f"{self.url}/status/{number}"

    @property
    def feed_url(self) -> str:
        """Where the revocation feed is served."""
        return f"{self.url}/v1/revocations"

    @property
    def log(self) -> str:
        """What the log of names is called: the origin of its checkpoints."""
        return f"{self.org}/ans"


def _witnesses(value: object) -> tuple[Witness, ...]:
    if type(value) is not list or len(value) > MAX_WITNESSES:
        raise error("shape", f"witnesses is a list of at most {MAX_WITNESSES}")
    found = tuple(Witness.parse(item) for item in value)
    if len({one.key for one in found}) != len(found):
        raise error("shape", "a witness stands twice")
    return found


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value) if isinstance(value, int) else '"' + value + '"'

"""The home: one folder with everything an organisation, its people and its agents keep.

    delegant.toml               settings: DIDs, addresses; nothing secret
    anchor.json                 public: what an API owner adds to a trust folder
    trust/                      the home's own trust folder
    wallets/organization.wallet attestation, status and registry keys
    wallets/humans/ana.wallet   one wallet a person
    wallets/agents/bot.wallet   one wallet an agent
    subjects/ana.json           handle, kind, DID and newest credential of each subject
    evidence/ana/<digest>.json  what others' credentials say of a human
    links/<uuid>.json           every link issued here
    status/1.bits 1.json        a status list: its bits, and the list as last signed
    state.json                  which status bits are taken

Found by ``--home``, else ``$DELEGANT_HOME``, else the nearest ``delegant.toml`` upward.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from delegant.credentials import Lease, Link
from delegant.credentials.codec import JsonObject, parse
from delegant.credentials.credential import parse_human_sponsor, parse_link
from delegant.credentials.did import check as check_did
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import closed, one_of, url

from . import files
from .keystore import Kind, Wallet, read_header
from .passphrase import Passphrases

__all__ = ["VARIABLE", "Home", "Settings", "Subject", "handle"]

VARIABLE: Final = "DELEGANT_HOME"
FILE: Final = "delegant.toml"
KINDS: Final[tuple[Kind, ...]] = ("human", "agent")
MAX_LINK: Final = 64 * 1024

_HANDLE: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.ASCII)
_REQUIRED: Final = frozenset(
    {"version", "org", "organization", "authority", "registry", "url", "passphrase"}
)
_OPTIONAL: Final = frozenset({"verifiers"})


def handle(name: object) -> str:
    """A short name for a subject: lower-case letters, digits, ``.``, ``_``, ``-``; or ``shape``."""
    if not isinstance(name, str) or not _HANDLE.fullmatch(name):
        raise error("shape", f"{str(name)[:64]!r}: use 1 to 64 of a-z, 0-9, '.', '_', '-'")
    return name


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
    """

    org: str
    organization: str
    authority: str
    registry: str
    url: str
    passphrase: str = "prompt"  # noqa: S105 - the word, not a secret
    verifiers: tuple[str, ...] = ()

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
        verifiers = value.get("verifiers", [])
        texts = type(value["org"]) is str and type(value["url"]) is str
        if type(verifiers) is not list or not texts:
            raise error("shape", f"{FILE}: org and url are text, verifiers is a list")
        return cls(
            value["org"],
            check_did(value["organization"]),
            check_did(value["authority"]),
            check_did(value["registry"]),
            url(value["url"].rstrip("/") + "/", "url").rstrip("/"),
            value["passphrase"],
            tuple(check_did(item) for item in verifiers),
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
        }
        lines = [f"{name} = {_toml(value)}" for name, value in members.items()]
        return ("# delegant home; nothing here is secret\n" + "\n".join(lines) + "\n").encode()

    def list_url(self, number: int) -> str:
        """The URL that names the status list of this number."""
        return f"{self.url}/status/{number}"


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value) if isinstance(value, int) else '"' + value + '"'


@dataclass(frozen=True, slots=True)
class Subject:
    """A human or an agent of this home. ``credential`` is its newest, in secured form."""

    handle: str
    kind: Kind
    did: str
    credential: JsonObject | str
    parent: str | None = None

    @property
    def lease(self) -> Lease:
        """The status bits leased to a human.

        Raises:
            Rejected: ``wallet-kind`` for an agent.
        """
        if self.kind != "human":
            raise error("wallet-kind", f"{self.handle} is an agent, not a human")
        return parse_human_sponsor(unpack(self.credential)).lease


class Home:
    """An opened home folder. It reads and writes; it decides nothing."""

    def __init__(self, path: Path, passphrases: Passphrases | None = None) -> None:
        self.path = path
        self.settings = Settings.parse(files.read(path / FILE))
        self.passphrases = passphrases or Passphrases()
        self.passphrases.keyring = self.settings.passphrase == "keyring"  # noqa: S105
        self.passphrases.scope = self.settings.organization

    @classmethod
    def find(cls, explicit: Path | None = None, passphrases: Passphrases | None = None) -> Home:
        """The home meant by an option, the environment, or where we stand.

        Raises:
            NotFound: ``not-found``.
        """
        named = explicit or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
        if named is not None:
            if not (named / FILE).is_file():
                raise error("not-found", f"{named} is no delegant home: it has no {FILE}")
            return cls(named, passphrases)
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / FILE).is_file():
                return cls(folder, passphrases)
        raise error(
            "not-found",
            "no delegant home here or above: type `delegant init --org …` or use --home",
        )

    # --- wallets ---------------------------------------------------------------------------

    def wallet_path(self, kind: Kind, name: str = "") -> Path:
        """Where a wallet lies."""
        if kind == "organization":
            return self.path / "wallets" / "organization.wallet"
        return self.path / "wallets" / f"{kind}s" / f"{handle(name)}.wallet"

    def open_wallet(self, kind: Kind, name: str = "") -> Wallet:
        """Open a wallet with its passphrase.

        Raises:
            Rejected: ``wallet-auth``, ``wallet-kind``, ``wallet-mode``.
            Malformed: ``wallet-format``. NotFound: ``not-found``.
        """
        path = self.wallet_path(kind, name)
        read_header(path)  # a missing or damaged file is told before anybody types
        return Wallet.open(path, self.passphrases.get(f"{kind} {name}".strip()), kind=kind)

    def create_wallet(self, kind: Kind, name: str, method: str = "key") -> Wallet:
        """Make a wallet for a new subject.

        Raises:
            Conflict: ``name-taken``. Rejected: ``wallet-auth``.
        """
        path = self.wallet_path(kind, name)
        files.make_folder(path.parent, secret=True)
        others = [
            self.path / "subjects" / f"{name}.json",
            *(self.wallet_path(other, name) for other in KINDS),
        ]
        if any(other.exists() for other in others):
            raise error("name-taken", f"{name} is taken in this home")
        secret = self.passphrases.get(f"{kind} {name}", new=True)
        with files.lock(self.path):  # of two at once, one gets the name
            if any(other.exists() for other in others):
                raise error("name-taken", f"{name} is taken in this home")
            return Wallet.create(path, secret, kind=kind, name=name, method=method)

    # --- subjects --------------------------------------------------------------------------

    def subject(self, name: str) -> Subject:
        """A human or an agent by handle or DID.

        Raises:
            NotFound: ``not-found``.
        """
        if name.startswith("did:"):
            for one in self.subjects():
                if one.did == name:
                    return one
            raise error("not-found", f"nobody here has the DID {name}")
        path = self.path / "subjects" / f"{handle(name)}.json"
        if not path.is_file():
            known = ", ".join(one.handle for one in self.subjects()) or "nobody yet"
            raise error("not-found", f"nobody here is called {name} (there is {known})")
        return _subject(files.read_object(path))

    def subjects(self, kind: Kind | None = None) -> list[Subject]:
        """All humans and agents, by handle."""
        found = [
            _subject(files.read_object(path))
            for path in sorted((self.path / "subjects").glob("*.json"))
        ]
        return [one for one in found if kind in (None, one.kind)]

    def save_subject(self, subject: Subject) -> None:
        """Write a subject's file."""
        files.make_folder(self.path / "subjects")
        value: JsonObject = {
            "handle": subject.handle,
            "kind": subject.kind,
            "did": subject.did,
            "credential": subject.credential,
        }
        if subject.parent is not None:
            value["parent"] = subject.parent
        files.write_json(self.path / "subjects" / f"{subject.handle}.json", value)

    # --- links -----------------------------------------------------------------------------

    def save_link(self, link: Link) -> Path:
        """Write a link; its name is its id."""
        files.make_folder(self.path / "links")
        path = self.path / "links" / f"{link.id.removeprefix('urn:uuid:')}.json"
        files.write_json(path, link.secured.raw)
        return path

    def links(self) -> Iterator[Link]:
        """Every link issued or imported here, oldest file first; damaged files are skipped."""
        found = sorted((self.path / "links").glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in found:
            try:
                yield read_link(path)
            except Error:
                continue

    def link(self, name: str) -> Link:
        """A link by id, by the start of its id, or by file.

        Raises:
            NotFound: ``not-found``. Conflict: ``name-taken`` when several begin so.
        """
        if Path(name).is_file():
            return read_link(Path(name))
        wanted = name.removeprefix("urn:uuid:")
        found = [path for path in (self.path / "links").glob("*.json") if path.stem == wanted]
        if not found and len(wanted) >= 4 and wanted.replace("-", "").isalnum():
            found = list((self.path / "links").glob(f"{wanted}*.json"))
        if not found:
            raise error(
                "not-found", f"no link {name[:80]!r}: `delegant delegations list` shows all"
            )
        if len(found) > 1:
            raise error("name-taken", f"several links begin with {name}")
        return read_link(found[0])

    def chain(self, link: Link) -> tuple[Link, ...]:
        """The link and all above it, root first.

        Raises:
            NotFound: ``not-found`` when a parent is not in this home.
        """
        chain = [link]
        while chain[0].parent is not None and len(chain) <= link.depth:
            chain.insert(0, self.link(chain[0].parent[0]))
        return tuple(chain)


def read_link(path: Path) -> Link:
    """A link from a file: a JSON object, a JSON string, or a bare compact JWS.

    Raises:
        NotFound: ``not-found``. Malformed, Undecided: the codes of phases 2 and 3.
    """
    data = files.read(path, size=MAX_LINK).strip()
    if data[:1] not in (b"{", b'"'):
        return parse_link(unpack(data.decode("ascii", "replace")))
    return parse_link(unpack(parse(data, size=MAX_LINK)))


def _subject(value: JsonObject) -> Subject:
    closed(
        value, "subject", frozenset({"handle", "kind", "did", "credential"}), frozenset({"parent"})
    )
    one_of(value["kind"], "subject.kind", ("human", "agent"))
    check_did(value["did"])
    return Subject(
        handle(value["handle"]),
        value["kind"],
        value["did"],
        value["credential"],
        value.get("parent"),
    )

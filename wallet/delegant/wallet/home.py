"""The home: one folder with everything an organisation, its people and its agents keep.

    delegant.toml               settings: DIDs, addresses; nothing secret
    anchor.json                 public: what an API owner adds to a trust folder
    registry.json               public: the same for whoever resolves names here
    registry.db                 names, events, and the log of both
    log/registry.checkpoint     the log's newest checkpoint, so that a database set back is seen
    trust/                      the home's own trust folder
    wallets/organization.wallet attestation, status, registry and log keys
    wallets/issuer.wallet       keys for credentials in general, of every kind; no chain trusts them
    issuer.json                 public: those keys, for the document of the issuer's did:web
    wallets/humans/ana.wallet   one wallet a person
    wallets/agents/bot.wallet   one wallet an agent
    subjects/ana.json           handle, kind, DID, newest credential, retired keys of a subject
    organization.json           the organisation's own retired keys
    attestations/<uuid>.json    every attestation issued here
    evidence/ana/<digest>.json  what others' credentials say of a human
    links/<uuid>.json           every link issued here
    tasks/<uuid>.json           what each task grant was asked for, and when it was closed
    status/1.bits 1.json        a status list: its bits, and the list as last signed
    status/revocations.jwt      the revocation feed, as last signed
    state.json                  which status bits are taken
    issued.db                   status lists of credentials in general, and whose each entry is
    api-tokens.json             who may use the VC-API: digests of their tokens

Found by ``--home``, else ``$DELEGANT_HOME``, else the nearest ``delegant.toml`` upward.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from delegant.credentials import Link
from delegant.credentials.codec import parse
from delegant.credentials.credential import parse_link
from delegant.credentials.did import check as check_did
from delegant.credentials.did import from_key
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import closed

from . import files
from .keystore import Kind, Wallet, read_header
from .passphrase import Passphrases
from .settings import FILE, Settings, Witness, host_pattern
from .subject import Retired, Subject, handle

__all__ = [
    "FILE",
    "VARIABLE",
    "Home",
    "Retired",
    "Settings",
    "Subject",
    "Witness",
    "handle",
    "host_pattern",
]

VARIABLE: Final = "DELEGANT_HOME"
KINDS: Final[tuple[Kind, ...]] = ("human", "agent")
MAX_LINK: Final = 64 * 1024


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
        if kind in ("organization", "issuer"):
            return self.path / "wallets" / f"{kind}.wallet"
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
        web = self.new_web(kind, name) if method == "web" else None
        secret = self.passphrases.get(f"{kind} {name}", new=True)
        with files.lock(self.path):  # of two at once, one gets the name
            if any(other.exists() for other in others):
                raise error("name-taken", f"{name} is taken in this home")
            return Wallet.create(path, secret, kind=kind, name=name, method=method, web=web)

    def new_web(self, kind: Kind, name: str) -> str:
        """A did:web below this home: an agent's by its handle, a human's by a random word.

        People's are pairwise: the document is public, and who it is about only the home knows.

        Raises:
            Malformed: ``did-invalid`` where the home's address is no https host name.
        """
        base = self.settings.web
        if kind == "agent":
            return check_did(f"{base}:agents:{handle(name)}")
        return check_did(f"{base}:people:p-{secrets.token_hex(5)}")

    def check_current(self, organization: Wallet) -> None:
        """The open wallet holds the organisation's keys of now, not those before a rotation.

        Raises:
            Rejected: ``did-key-mismatch``.
        """
        settings = Settings.parse(files.read(self.path / FILE))
        key = organization.key().public.multikey
        anchored = key in files.read_object(self.path / "anchor.json")["keys"]
        authority = from_key(organization.key("status").public)
        if (
            settings.organization != organization.did
            or settings.authority != authority
            or not anchored
            or any(key == one.key for one in self.retired_keys())
        ):
            raise error(
                "did-key-mismatch",
                "these are not the organisation's keys of now: start again what holds the old "
                "ones, and repeat `delegant org rotate` if it was interrupted",
            )

    def retired_keys(self) -> tuple[Retired, ...]:
        """The organisation's own keys that are used no more, or only until their end."""
        path = self.path / "organization.json"
        if not path.is_file():
            return ()
        value = closed(files.read_object(path), path.name, frozenset({"version", "retired"}))
        return tuple(Retired.parse(item) for item in value["retired"])

    def save_retired(self, keys: tuple[Retired, ...]) -> None:
        """Write down the organisation's retired keys."""
        value = {"version": 1, "retired": [one.json for one in keys]}
        files.write_json(self.path / "organization.json", value)

    def save_settings(self, settings: Settings) -> None:
        """Write ``delegant.toml`` and use it from now on."""
        Settings.parse(settings.to_bytes())
        files.write(self.path / FILE, settings.to_bytes())
        self.settings = settings

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
        return Subject.parse(files.read_object(path))

    def formerly(self, name: str) -> Subject:
        """A human or an agent by a DID it has, or had before a rotation.

        Raises:
            NotFound: ``not-found``.
        """
        for one in self.subjects():
            if name == one.did or any(name == was.did for was in one.retired):
                return one
        raise error("not-found", f"nobody here has, or had, the DID {name}")

    def subjects(self, kind: Kind | None = None) -> list[Subject]:
        """All humans and agents, by handle."""
        found = [
            Subject.parse(files.read_object(path))
            for path in sorted((self.path / "subjects").glob("*.json"))
        ]
        return [one for one in found if kind in (None, one.kind)]

    def save_subject(self, subject: Subject) -> None:
        """Write a subject's file."""
        files.make_folder(self.path / "subjects")
        files.write_json(self.path / "subjects" / f"{subject.handle}.json", subject.json)

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

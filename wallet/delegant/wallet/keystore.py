"""The wallet file: secret keys under a passphrase, one kind of subject a file.

    {"version": 1, "kind": "human" | "agent" | "organization" | "issuer" | "witness" |
     "audit", "name", "did",
     "kdf": {"name": "argon2id13", "opslimit", "memlimit", "salt"}, "nonce", "ciphertext"}

Argon2id makes the key, XChaCha20-Poly1305 seals ``{"keys": {role: seed}}``; everything but
``ciphertext`` is bound as associated data, so nobody passes an agent's wallet off as a
human's. A seed leaves this module only inside a `PrivateKey`, a `Signer` or a sealed file.

Every key is Ed25519 but those whose role is the name of a curve (``P-256``, ``P-384``): only
the generic issuer has such.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from nacl import bindings, pwhash
from nacl.exceptions import CryptoError

from delegant.credentials import PrivateKey, canonical, did
from delegant.credentials.codec import JsonObject, b64u_decode, b64u_encode, parse_object
from delegant.credentials.errors import Error, error
from delegant.credentials.shape import closed, integer, one_of, text
from delegant.w3c.keys import KINDS as CURVES
from delegant.w3c.keys import EcSigner, EdSigner, Signer, new_signer

from . import files

__all__ = ["Cost", "Kind", "Wallet"]

Kind = Literal["human", "agent", "organization", "issuer", "witness", "audit"]
KINDS: Final = ("human", "agent", "organization", "issuer", "witness", "audit")
MAIN: Final[Mapping[str, str]] = {
    "human": "main",
    "agent": "main",
    "organization": "attestation",
    "issuer": "Ed25519",
    "witness": "cosignature",
    "audit": "receipt",
}
"""The role whose key a wallet's DID consists of."""

MAX_WALLET: Final = 16_384
KDF: Final = "argon2id13"


@dataclass(frozen=True, slots=True)
class Cost:
    """Work of Argon2id: passes, and bytes of memory."""

    opslimit: int
    memlimit: int


INTERACTIVE: Final = Cost(
    pwhash.argon2id.OPSLIMIT_INTERACTIVE, pwhash.argon2id.MEMLIMIT_INTERACTIVE
)
CHEAPEST: Final = Cost(pwhash.argon2id.OPSLIMIT_MIN, pwhash.argon2id.MEMLIMIT_MIN)
"""For tests, whose passphrases guard nothing."""
DEAREST: Final = Cost(8, 256 * 1024 * 1024)
"""What a file may ask of its reader: a wallet from elsewhere is no memory bomb."""
_default: Cost = INTERACTIVE

_MEMBERS: Final = frozenset({"version", "kind", "name", "did", "kdf", "nonce", "ciphertext"})
_KDF: Final = frozenset({"name", "opslimit", "memlimit", "salt"})


class Wallet:
    """An open wallet. It shows its keys nowhere.

    Attributes:
        kind, name, did: whose it is.
    """

    __slots__ = ("_keys", "did", "kind", "name")

    def __init__(
        self, kind: Kind, name: str, keys: Mapping[str, PrivateKey | EcSigner], did: str
    ) -> None:
        self.kind: Kind = kind
        self.name = name
        self.did = did
        self._keys = dict(keys)

    @classmethod
    def create(
        cls,
        path: Path,
        passphrase: str,
        *,
        kind: Kind,
        name: str,
        method: str = "key",
        web: str | None = None,
        roles: tuple[str, ...] = (),
        cost: Cost | None = None,
    ) -> Wallet:
        """Make keys and the file that holds them.

        Args:
            path: the new file; its folder must exist.
            method: of the DID, ``key`` or ``jwk``; it follows from the key.
            web: the DID instead, of a method whose key others pin.
            roles: names of further keys.
            cost: of Argon2id; by default what takes about a tenth of a second.

        Raises:
            Conflict: ``name-taken`` when the file exists. Rejected: ``wallet-auth`` for an
            empty passphrase.
        """
        if path.exists() or path.is_symlink():
            raise error("name-taken", f"there is a wallet at {path} already")
        main = PrivateKey.generate()
        keys = {MAIN[kind]: main} | {role: _new(role) for role in roles}
        who = _named(main, method, web)
        return cls(kind, name, keys, who)._write(path, passphrase, cost)

    def renewed(
        self, path: Path, passphrase: str, roles: tuple[str, ...], *, cost: Cost | None = None
    ) -> Wallet:
        """A wallet like this one in another file, with new keys for some roles.

        A DID that is its key becomes another one with a new main key; any other stays.

        Raises:
            Conflict: ``name-taken`` when the file exists. Rejected: ``wallet-auth``.
        """
        if path.exists() or path.is_symlink():
            raise error("name-taken", f"there is a wallet at {path} already")
        keys = self._keys | {role: _new(role) for role in roles}
        own = did.check(self.did)
        web = None if did.embeds_key(own) else self.did
        wallet = Wallet(self.kind, self.name, keys, self.did)
        wallet.did = _named(wallet.key(), did.method_of(own), web)
        return wallet._write(path, passphrase, cost)

    def _write(self, path: Path, passphrase: str, cost: Cost | None) -> Wallet:
        files.write_json(path, _seal(self, self._keys, passphrase, cost or _default), secret=True)
        return self

    @classmethod
    def open(cls, path: Path, passphrase: str, *, kind: Kind) -> Wallet:
        """Open a file with its passphrase.

        Raises:
            Rejected: ``wallet-auth`` for a wrong passphrase, ``wallet-kind``, ``wallet-mode``.
            Malformed: ``wallet-format``. NotFound: ``not-found``.
        """
        header = read_header(path)
        if header["kind"] != kind:
            raise error("wallet-kind", f"{path.name} is of kind {header['kind']}, not {kind}")
        keys = _unseal(header, passphrase, path)
        wallet = cls(kind, header["name"], keys, header["did"])
        main = keys.get(MAIN[kind])
        own = did.check(wallet.did)
        if not isinstance(main, PrivateKey) or (
            did.embeds_key(own) and did.key_of(own) != main.public
        ):
            raise error("wallet-format", f"{path.name}: its key is not that of its DID")
        return wallet

    @property
    def roles(self) -> frozenset[str]:
        """What it has keys for."""
        return frozenset(self._keys)

    def key(self, role: str | None = None) -> PrivateKey:
        """The key of a role, by default the one the DID consists of.

        Raises:
            NotFound: ``not-found``.
        """
        key = self._keys.get(role or MAIN[self.kind])
        if not isinstance(key, PrivateKey):
            raise self._lacks(role)
        return key

    def signer(self, role: str | None = None) -> Signer:
        """The same, of any kind of key, for signing alone.

        Raises:
            NotFound: ``not-found``.
        """
        key = self._keys.get(role or MAIN[self.kind])
        if key is None:
            raise self._lacks(role)
        return EdSigner(key) if isinstance(key, PrivateKey) else key

    def forget(self) -> None:
        """Drop the keys: this object signs nothing any more. Its file, if any, stays."""
        self._keys.clear()

    def _lacks(self, role: str | None) -> Error:
        return error("not-found", f"the wallet of {self.name} has no key for {role}")

    def __repr__(self) -> str:
        return f"<Wallet of {self.kind} {self.name}, {self.did}>"

    def __reduce_ex__(self, _protocol: object) -> str:
        raise TypeError("a wallet never leaves its process")


def read_header(path: Path) -> JsonObject:
    """The file without opening it: its clear members, held to the format.

    Raises:
        Malformed: ``wallet-format``. Rejected: ``wallet-mode``. NotFound: ``not-found``.
    """
    data = files.read_secret(path)
    if len(data) > MAX_WALLET:
        raise error("wallet-format", f"{path.name} is too large for a wallet")
    try:
        value = closed(parse_object(data, size=MAX_WALLET), "wallet", _MEMBERS)
        integer(value["version"], "version", 1, 1)
        one_of(value["kind"], "kind", KINDS)
        text(value["name"], "name")
        did.check(value["did"])
        kdf = closed(value["kdf"], "kdf", _KDF)
        one_of(kdf["name"], "kdf.name", (KDF,))
        integer(kdf["opslimit"], "kdf.opslimit", CHEAPEST.opslimit, DEAREST.opslimit)
        integer(kdf["memlimit"], "kdf.memlimit", CHEAPEST.memlimit, DEAREST.memlimit)
        text(kdf["salt"], "kdf.salt")
        text(value["nonce"], "nonce")
        text(value["ciphertext"], "ciphertext", MAX_WALLET)
    except Error as exc:
        raise error("wallet-format", f"{path.name}: {exc.detail}") from None
    return value


def _curved(role: str) -> bool:
    return role in CURVES and CURVES[role].kty == "EC"


def _new(role: str) -> PrivateKey | EcSigner:
    made = new_signer(role) if _curved(role) else None
    return made if isinstance(made, EcSigner) else PrivateKey.generate()


def _read(role: str, secret: bytes) -> PrivateKey | EcSigner:
    return EcSigner(role, secret) if _curved(role) else PrivateKey(secret)


def _secret(key: PrivateKey | EcSigner) -> str:
    return b64u_encode(key.export_seed() if isinstance(key, PrivateKey) else key.export_secret())


def _named(key: PrivateKey, method: str, web: str | None) -> str:
    """The DID of a main key, or the one given where the key does not make it."""
    if web is None:
        return did.from_key(key.public, method)
    if did.embeds_key(did.check(web)):
        raise error("shape", f"{web[:80]} is its own key")
    return web


def _seal(
    wallet: Wallet, keys: Mapping[str, PrivateKey | EcSigner], passphrase: str, cost: Cost
) -> JsonObject:
    header: JsonObject = {
        "version": 1,
        "kind": wallet.kind,
        "name": wallet.name,
        "did": wallet.did,
        "kdf": {
            "name": KDF,
            "opslimit": cost.opslimit,
            "memlimit": cost.memlimit,
            "salt": b64u_encode(os.urandom(pwhash.argon2id.SALTBYTES)),
        },
        "nonce": b64u_encode(os.urandom(bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)),
    }
    plain = canonical({"keys": {role: _secret(key) for role, key in keys.items()}})
    sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        plain, canonical(header), b64u_decode(header["nonce"]), _derive(header["kdf"], passphrase)
    )
    return header | {"ciphertext": b64u_encode(sealed)}


def _unseal(value: JsonObject, passphrase: str, path: Path) -> dict[str, PrivateKey | EcSigner]:
    header = {name: member for name, member in value.items() if name != "ciphertext"}
    try:
        nonce, sealed = b64u_decode(value["nonce"]), b64u_decode(value["ciphertext"])
        salt = b64u_decode(value["kdf"]["salt"])
    except Error:
        raise error("wallet-format", f"{path.name}: not base64url") from None
    if (
        len(nonce) != bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
        or len(salt) != pwhash.argon2id.SALTBYTES
        or len(sealed) < bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES
    ):
        raise error("wallet-format", f"{path.name}: cut short")
    secret = _derive(value["kdf"], passphrase)
    try:
        plain = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed, canonical(header), nonce, secret
        )
    except CryptoError:
        raise error(
            "wallet-auth", f"the passphrase does not open {path.name}, or the file was altered"
        ) from None
    try:
        keys = closed(parse_object(plain, size=MAX_WALLET), "keys", frozenset({"keys"}))["keys"]
        return {role: _read(role, b64u_decode(seed)) for role, seed in keys.items()}
    except (Error, AttributeError, TypeError) as exc:
        if isinstance(exc, Error) and exc.code == "extra-missing":
            raise  # curves need a package, and that is no fault of the file
        # Never the cause: it might quote what was sealed.
        raise error("wallet-format", f"{path.name}: what it seals is not keys") from None


def _derive(kdf: JsonObject, passphrase: str) -> bytes:
    if not passphrase:
        raise error("wallet-auth", "the passphrase is empty")
    return pwhash.argon2id.kdf(
        bindings.crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
        passphrase.encode("utf-8", "surrogateescape"),
        b64u_decode(kdf["salt"]),
        opslimit=kdf["opslimit"],
        memlimit=kdf["memlimit"],
    )

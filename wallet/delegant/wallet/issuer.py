"""The generic issuer of a home: keys of every kind for credentials in general.

They lie in a wallet of their own (``wallets/issuer.wallet``, under the organisation's
passphrase) and are never those of attestation, status, log or answers; no trust folder names
them, so nothing they sign can be part of a chain. A list of statuses is issued by the same DID
as the credentials whose entries it has, since many verifiers ask for that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import error
from delegant.w3c import dids, proofs, status
from delegant.w3c.keys import Signer

from . import files
from .home import Home
from .issued import PURPOSES, Entry, Issued
from .keystore import Wallet
from .registry import reserved_keys
from .webdids import ISSUER_FILE, web_issuer

__all__ = ["DEFAULT_SUITE", "KINDS", "Issuer"]

KINDS: Final[tuple[str, ...]] = ("Ed25519", "P-256", "P-384")
HOLDER: Final = "holder"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
DEFAULT_SUITE: Final[dict[str, str]] = {
    "Ed25519": "eddsa-rdfc-2022",
    "P-256": "ecdsa-rdfc-2019",
    "P-384": "ecdsa-rdfc-2019",
}
"""What most verifiers read, by kind of key."""
LIST_SECONDS: Final = 86_400
LIST_RENEW: Final = 3600
LIST_TTL: Final = 300
"""Life of a list, when it is signed again, and how long a reader may keep it; seconds."""


class Issuer:
    """The open wallet of the generic issuer, with the statuses of what it issued.

    Args:
        home: where the statuses lie.
        wallet: of kind ``issuer``.
    """

    def __init__(self, home: Home, wallet: Wallet) -> None:
        self._home = home
        self._wallet = wallet
        keys: dict[str, str] = {}
        for kind in KINDS:
            keys[kind] = dids.from_key(wallet.signer(kind).public)
        web = web_issuer(home)
        self._kinds: dict[str, tuple[str, ...]] = {name: (kind,) for kind, name in keys.items()}
        if web is not None:
            self._kinds[web] = KINDS
        self.issuers: dict[str, str] = keys if web is None else dict.fromkeys(keys, str(web))
        """Kind of key to the DID that issues with it unless another is named."""
        self._issued = Issued(home.path / "issued.db", self._list)

    @classmethod
    def open(cls, home: Home, passphrase: str) -> Issuer:
        """Open the issuer's wallet, and make it where there is none.

        Args:
            home: the home.
            passphrase: the organisation's.

        Raises:
            Rejected: ``wallet-auth``, ``wallet-kind``, ``wallet-mode``; ``chain-type`` where the
            home's trust folder makes one of the keys an anchor's or a registry's, or it is
            the status authority's or the log's.
            Malformed: ``wallet-format``. Unavailable: ``extra-missing``, ``unavailable``.
        """
        path = home.wallet_path("issuer")
        with files.lock(home.path):  # of two at once, one makes it
            if not path.exists():
                roles = (*KINDS[1:], HOLDER)
                name = home.settings.org
                Wallet.create(path, passphrase, kind="issuer", name=name, roles=roles)
            wallet = Wallet.open(path, passphrase, kind="issuer")
            public = [wallet.signer(kind).public.multikey for kind in KINDS]
            files.write_json(home.path / ISSUER_FILE, {"version": 1, "keys": public})
        if set(public) & reserved_keys(home):
            raise error(
                "chain-type", "a key of an anchor, a status authority, a registry or a log issues "
                "nothing in general",
            )  # fmt: skip
        return cls(home, wallet)

    # --- keys ------------------------------------------------------------------------------

    def kinds_of(self, issuer: str) -> tuple[str, ...]:
        """The kinds of key an issuer of ours signs with; none for anybody else.

        Raises:
            Malformed: ``did-invalid``.
        """
        return self._kinds.get(dids.checked(issuer), ())

    def signer(self, issuer: str, kind: str) -> tuple[Signer, str]:
        """What signs as an issuer with a kind of key, and the verification method it signs with.

        Raises:
            NotFound: ``not-found`` for an issuer that is not ours, or has no such key.
        """
        if kind not in self._kinds.get(issuer, ()):
            raise error("not-found", f"{issuer[:80]} does not issue here with {kind[:16]}")
        signer = self._wallet.signer(kind)
        return signer, _method(issuer, signer)

    @property
    def holder(self) -> tuple[Signer, str]:
        """What signs presentations, and its verification method."""
        signer = self._wallet.signer(HOLDER)
        return signer, _method(dids.from_key(signer.public), signer)

    # --- status ----------------------------------------------------------------------------

    def list_url(self, number: int) -> str:
        """The URL that names a status list."""
        return f"{self._home.settings.url}/status-lists/{number}"

    def number_of(self, url: str) -> int | None:
        """The number of the list a URL names; None for a list that is not ours."""
        start = self.list_url(0)[:-1]
        number = url.removeprefix(start) if url.startswith(start) else ""
        return int(number) if _NUMBER.fullmatch(number) else None

    def take(
        self, issuer: str, credential: str | None, purposes: Sequence[str], at: int
    ) -> list[JsonObject]:
        """Status entries for a credential to be issued: those it has, or new ones.

        Args:
            issuer: one of ours; its lists are its own.
            credential: what it is called, for `change`; None for one without a name.
            purposes: ``revocation``, ``suspension``.
            at: seconds since 1970.

        Raises:
            Rejected: ``revoked``. Malformed: ``status-list`` for another purpose.
        """
        if not set(purposes) <= set(PURPOSES):
            raise error("status-list", f"entries are for {' or '.join(PURPOSES)}")
        taken = [self._issued.take(issuer, credential, one, at) for one in purposes]
        return [status.entry(self.list_url(one.list), one.index, one.purpose) for one in taken]

    def change(
        self,
        credential: str | None,
        purpose: str,
        value: bool,
        at: int,
        *,
        entry: tuple[str, int] | None = None,
    ) -> list[Entry]:
        """Revoke (for good), suspend or resume a credential; the list is signed when this ends.

        Args:
            credential: what it was called when it was issued; None where ``entry`` names it.
            purpose: of its entry.
            value: whether the bit shall be set.
            at: seconds since 1970.
            entry: URL of a list and index, to mean that entry alone.

        Raises:
            NotFound: ``not-found``. Rejected: ``revoked``.
        """
        place = None
        if entry is not None:
            number = self.number_of(entry[0])
            if number is None:
                raise error("not-found", "that list is not one of this home")
            place = (number, entry[1])
        return self._issued.change(credential, purpose, value, at, place=place)

    def begin_list(self, kind: str, purpose: str, at: int) -> int:
        """A new status list; what is issued next takes its entries there.

        Raises:
            Malformed: ``status-list``.
        """
        if purpose not in PURPOSES:
            raise error("status-list", f"a list is for {' or '.join(PURPOSES)}")
        return self._issued.begin(self.issuers[kind], purpose, at)

    def listed(self, number: int) -> JsonObject:
        """A list as last signed.

        Raises:
            NotFound: ``not-found``.
        """
        return self._issued.signed(number)

    def refresh(self, at: int) -> list[int]:
        """Sign again the lists that are about to age; their numbers."""
        return self._issued.sign_again(at - LIST_RENEW, at)

    def _list(self, issuer: str, number: int, purpose: str, bits: bytes, at: int) -> JsonObject:
        kind = self._kinds[issuer][0]
        signer, method = self.signer(issuer, kind)
        unsigned = status.document(
            self.list_url(number),
            issuer,
            bits,
            purposes=[purpose],
            valid_from=at,
            valid_until=at + LIST_SECONDS,
            ttl=1000 * LIST_TTL,
        )
        return proofs.sign(unsigned, signer, suite=DEFAULT_SUITE[kind], method=method, created=at)


def _method(name: str, signer: Signer) -> str:
    return f"{name}#{signer.public.multikey}"  # did:key and our did:webs name keys alike

"""One credential in either secured form: eddsa-jcs-2022 inside, or ``vc+jwt`` around.

`unpack` takes it apart (bytes to values), `Secured.open` holds the envelope to the profile,
`Secured.check` verifies the signature with a key that the caller trusts for this signer.
The three are apart because the verifier does them in different phases.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Final, Literal

from . import did, jose, proof
from .codec import MAX_MEMBERS, JsonObject, canonical, digest
from .errors import error
from .keys import PrivateKey, PublicKey
from .shape import closed, text, time

__all__ = ["CONTEXT", "V2_CONTEXT", "Form", "Secured", "secure", "unpack", "unpack_token"]

V2_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
DELEGATION_CONTEXT: Final = "https://delegant.example/contexts/delegation/v1"
CONTEXT: Final = (V2_CONTEXT, DELEGATION_CONTEXT)
"""The ``@context`` of every credential of ours, exactly."""

MAX_CREDENTIAL: Final = 64 * 1024
Form = Literal["di", "jwt"]

_PROOF: Final = frozenset(
    {
        "@context",
        "type",
        "cryptosuite",
        "proofPurpose",
        "verificationMethod",
        "created",
        "proofValue",
    }
)


class Secured(ABC):
    """A credential and its signature, taken apart, not yet believed.

    Attributes:
        raw: as it was presented, an object or a compact JWS.
        document: the credential without its proof.
        form: ``di`` for a Data Integrity proof, ``jwt`` for ``vc+jwt``.
        method: the verification method it names; set by `open`.
        created: when the proof says it was made (eddsa-jcs-2022 only); set by `open`.
        shaped: set by the parser of its kind once every member has its type, so that no float
            can hide in it.
    """

    __slots__ = ("_checked", "_digest", "_signature", "created", "method", "shaped")

    form: ClassVar[Form]

    def __init__(self) -> None:
        self.method = ""
        self.created: int | None = None
        self.shaped = False
        self._signature = b""
        self._digest = ""
        self._checked: bytes | None = None

    @property
    @abstractmethod
    def raw(self) -> JsonObject | str:
        """As it was presented."""

    @property
    @abstractmethod
    def document(self) -> JsonObject:
        """Without its proof."""

    @property
    def digest(self) -> str:
        """Over the RFC 8785 form of the object with its proof, or the ASCII of the JWS."""
        if not self._digest:
            self._digest = digest(self._whole())
        return self._digest

    @abstractmethod
    def open(self, contexts: tuple[str, ...] = CONTEXT) -> None:
        """Hold the envelope to the profile (phase 3).

        Raises:
            Malformed: ``vcdm-version``, ``context``, ``shape``, ``unknown-member``, ``encoding``.
        """

    def check(self, signer: did.Did, key: PublicKey) -> None:
        """Verify the signature as the signer's, with the key trusted for it (phase 6).

        A success is remembered with this object: the same bytes under the same key.

        Raises:
            Undecided: ``suite``. Rejected: ``did-key-mismatch``, ``proof``.
        """
        self.settle(signer, key, self.claim(signer, key))

    def claim(self, signer: did.Did, key: PublicKey) -> bytes:
        """The first half of `check`: what `settle` must find signed; empty if it did before.

        Raises:
            Undecided: ``suite``. Rejected: ``did-key-mismatch``.
        """
        if not did.is_method_of(self.method, signer):
            raise error("did-key-mismatch", f"{self.method[:80]!r} is no key of {signer}")
        return b"" if self._checked == key.raw else self._signed()

    def settle(self, signer: did.Did, key: PublicKey, claim: bytes) -> None:
        """The second half of `check`.

        Raises:
            Rejected: ``proof``.
        """
        if self._checked == key.raw:
            return
        if not key.verify(self._signature, claim):
            raise error("proof", f"not signed by the key of {signer}")
        self._checked = key.raw

    def checked_by(self, key: PublicKey) -> bool:
        """Whether this key has verified it before."""
        return self._checked == key.raw

    @abstractmethod
    def _whole(self) -> bytes:
        """What the digest is over."""

    @abstractmethod
    def _signed(self) -> bytes:
        """What the signature is over; ``suite`` where it is none of ours."""


class SecuredObject(Secured):
    """A JSON object with a Data Integrity proof inside."""

    __slots__ = ("_document", "_raw")

    form = "di"

    def __init__(self, raw: JsonObject) -> None:
        super().__init__()
        self._raw = raw
        self._document = {name: value for name, value in raw.items() if name != "proof"}

    @property
    def raw(self) -> JsonObject:
        """The object."""
        return self._raw

    @property
    def document(self) -> JsonObject:
        """The object without its proof."""
        return self._document

    def open(self, contexts: tuple[str, ...] = CONTEXT) -> None:
        """As `Secured.open`."""
        _check_context(self._document, contexts)
        value = closed(self._raw.get("proof"), "proof", _PROOF)
        if value["@context"] != list(contexts):
            raise error("context", "proof.@context is not exactly the profile's")
        text(value["type"], "proof.type")
        text(value["cryptosuite"], "proof.cryptosuite")
        if value["proofPurpose"] != "assertionMethod":
            raise error("shape", "proof.proofPurpose is not assertionMethod")
        self.method = text(value["verificationMethod"], "proof.verificationMethod", 512)
        self.created = time(value["created"], "proof.created")
        self._signature = proof.signature_of(value)

    def _whole(self) -> bytes:
        return canonical(self._raw, floats=not self.shaped)

    def _signed(self) -> bytes:
        value: Any = self._raw["proof"]
        if value["type"] != "DataIntegrityProof" or value["cryptosuite"] != proof.SUITE:
            raise error("suite", f"{value['cryptosuite'][:40]!r} is not {proof.SUITE}")
        config = {name: member for name, member in value.items() if name != "proofValue"}
        return proof.hash_data(self._document, config, floats=not self.shaped)


class SecuredToken(Secured):
    """A ``vc+jwt``."""

    __slots__ = ("_jws", "_raw")

    form = "jwt"

    def __init__(self, raw: str, jws: jose.Jws) -> None:
        super().__init__()
        self._raw = raw
        self._jws = jws

    @property
    def raw(self) -> str:
        """The compact JWS."""
        return self._raw

    @property
    def document(self) -> JsonObject:
        """The payload."""
        return self._jws.payload

    def open(self, contexts: tuple[str, ...] = CONTEXT) -> None:
        """As `Secured.open`."""
        _check_context(self._jws.payload, contexts)
        if "proof" in self._jws.payload:
            raise error("shape", "a vc+jwt has no proof inside")
        self.method = jose.check_header(self._jws, "vc+jwt")
        self._signature = self._jws.signature

    def _whole(self) -> bytes:
        return self._raw.encode("ascii")

    def _signed(self) -> bytes:
        jose.check_algorithm(self._jws)
        return self._jws.message


class SignedToken(SecuredToken):
    """A compact JWS of ours that is no credential; ``typ`` says of which kind."""

    __slots__ = ("_typ",)

    def __init__(self, raw: str, jws: jose.Jws, typ: str) -> None:
        super().__init__(raw, jws)
        self._typ = typ

    @property
    def typed(self) -> bool:
        """Whether its header names the kind asked for."""
        return self._jws.header.get("typ") == self._typ

    def open(self, contexts: tuple[str, ...] = ()) -> None:
        """Hold the header to the profile (phase 3); it has no contexts.

        Raises:
            Malformed: ``shape``, ``unknown-member``.
        """
        del contexts
        self.method = jose.check_header(self._jws, self._typ)
        self._signature = self._jws.signature


def unpack_token(raw: object, typ: str, *, size: int, members: int = MAX_MEMBERS) -> SignedToken:
    """Take a compact JWS of a kind of ours apart (phase 2).

    Args:
        size: characters it may have.
        members: object members and array items its payload may have in all.

    Raises:
        LimitExceeded: ``limit-size``, ``limit-members``, ``limit-depth``.
        Malformed: ``encoding``, ``json``, ``duplicate-member``, ``shape``.
    """
    if not isinstance(raw, str):
        raise error("shape", f"a {typ} is a compact JWS")
    return SignedToken(raw, jose.split(raw, size=size, members=members), typ)


def unpack(raw: object, *, size: int = MAX_CREDENTIAL) -> Secured:
    """Take a parsed object or a compact JWS apart (phase 2).

    Raises:
        LimitExceeded: ``limit-size``.
        Malformed: ``encoding``, ``json``, ``duplicate-member``, ``shape``.
    """
    if isinstance(raw, dict):
        return SecuredObject(raw)
    if isinstance(raw, str):
        return SecuredToken(raw, jose.split(raw, size=size))
    raise error("shape", "a credential is an object or a compact JWS")


def secure(
    document: JsonObject, key: PrivateKey, method: str, created: int, form: Form = "di"
) -> Secured:
    """Sign a document in the form asked for."""
    if form == "jwt":
        return unpack(jose.sign(document, key, "vc+jwt", method))
    return unpack(proof.sign(document, key, method, created))


def _check_context(document: JsonObject, contexts: tuple[str, ...]) -> None:
    value = document.get("@context")
    old = "https://www.w3.org/2018/credentials/v1"
    if "issuanceDate" in document or "expirationDate" in document or (
        type(value) is list and old in value
    ):  # fmt: skip
        raise error("vcdm-version", "this is VCDM 1.1: issue it with validFrom and validUntil")
    if type(value) is not list or value != list(contexts):
        raise error("context", f"@context is not exactly {list(contexts)}")

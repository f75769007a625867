"""One credential in either secured form: eddsa-jcs-2022 inside, or ``vc+jwt`` around.

`unpack` takes it apart (bytes to values), `Secured.open` holds the envelope to the profile,
`Secured.check` verifies the signature with a key that the caller trusts for this signer.
The three are apart because the verifier does them in different phases.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from . import did, jose, proof
from .codec import JsonObject, canonical, digest
from .errors import error
from .keys import PrivateKey, PublicKey
from .shape import closed, text, time

__all__ = ["CONTEXT", "V2_CONTEXT", "Form", "Secured", "secure", "unpack"]

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


class Secured:
    """A credential and its signature, taken apart, not yet believed.

    Attributes:
        raw: as it was presented, an object or a compact JWS.
        document: the credential without its proof.
        method: the verification method it names; set by `open`.
        created: when the proof says it was made (eddsa-jcs-2022 only); set by `open`.
        shaped: set by the parser of its kind once every member has its type, so that no float
            can hide in it.
    """

    __slots__ = (
        "_checked",
        "_digest",
        "_jws",
        "_signature",
        "created",
        "document",
        "method",
        "raw",
        "shaped",
    )

    def __init__(self, raw: JsonObject | str, jws: jose.Jws | None) -> None:
        self.raw = raw
        self._jws = jws
        if jws is None:
            whole: Any = raw
            self.document = {name: value for name, value in whole.items() if name != "proof"}
        else:
            self.document = jws.payload
        self.method = ""
        self.created: int | None = None
        self.shaped = False
        self._signature = b""
        self._digest = ""
        self._checked: bytes | None = None

    @property
    def form(self) -> Form:
        """``di`` for a Data Integrity proof, ``jwt`` for ``vc+jwt``."""
        return "di" if self._jws is None else "jwt"

    @property
    def digest(self) -> str:
        """Over the RFC 8785 form of the object with its proof, or the ASCII of the JWS."""
        if not self._digest:
            raw = self.raw
            data = (
                raw.encode("ascii")
                if isinstance(raw, str)
                else canonical(raw, floats=not self.shaped)
            )
            self._digest = digest(data)
        return self._digest

    def open(self, contexts: tuple[str, ...] = CONTEXT) -> None:
        """Hold the envelope to the profile (phase 3).

        Raises:
            Malformed: ``vcdm-version``, ``context``, ``shape``, ``unknown-member``, ``encoding``.
        """
        _check_context(self.document, contexts)
        if self._jws is not None:
            if "proof" in self.document:
                raise error("shape", "a vc+jwt has no proof inside")
            self.method = jose.check_header(self._jws, "vc+jwt")
            return
        value = closed(self.raw.get("proof"), "proof", _PROOF)  # type: ignore[union-attr]
        if value["@context"] != list(contexts):
            raise error("context", "proof.@context is not exactly the profile's")
        text(value["type"], "proof.type")
        text(value["cryptosuite"], "proof.cryptosuite")
        if value["proofPurpose"] != "assertionMethod":
            raise error("shape", "proof.proofPurpose is not assertionMethod")
        self.method = text(value["verificationMethod"], "proof.verificationMethod", 512)
        self.created = time(value["created"], "proof.created")
        self._signature = proof.signature_of(value)

    def check(self, signer: did.Did, key: PublicKey) -> None:
        """Verify the signature as the signer's, with the key trusted for it (phase 6).

        A success is remembered with this object: the same bytes under the same key.

        Raises:
            Undecided: ``suite``. Rejected: ``did-key-mismatch``, ``proof``.
        """
        if not did.is_method_of(self.method, signer):
            raise error("did-key-mismatch", f"{self.method[:80]!r} is no key of {signer}")
        if self.checked_by(key):
            return
        if self._jws is None:
            raw: Any = self.raw
            value = raw["proof"]
            if value["type"] != "DataIntegrityProof" or value["cryptosuite"] != proof.SUITE:
                raise error("suite", f"{value['cryptosuite'][:40]!r} is not {proof.SUITE}")
            config = {name: member for name, member in value.items() if name != "proofValue"}
            data = proof.hash_data(self.document, config, floats=not self.shaped)
            good = key.verify(self._signature, data)
        else:
            if self._jws.header["alg"] not in jose.ALGORITHMS:
                raise error("suite", f"{self._jws.header['alg'][:40]!r} is not EdDSA")
            good = key.verify(self._jws.signature, self._jws.message)
        if not good:
            raise error("proof", f"not signed by the key of {signer}")
        self._checked = key.raw

    def checked_by(self, key: PublicKey) -> bool:
        """Whether this key has verified it before."""
        return self._checked == key.raw


def unpack(raw: object, *, size: int = MAX_CREDENTIAL) -> Secured:
    """Take a parsed object or a compact JWS apart (phase 2).

    Raises:
        LimitExceeded: ``limit-size``.
        Malformed: ``encoding``, ``json``, ``duplicate-member``, ``shape``.
    """
    if isinstance(raw, dict):
        return Secured(raw, None)
    if isinstance(raw, str):
        return Secured(raw, jose.split(raw, size=size))
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

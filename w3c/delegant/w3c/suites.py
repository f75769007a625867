"""The cryptosuites: how a document and a proof's options become the bytes that are signed.

All of them hash the canonical options and the canonical document, and sign the two hashes side by
side (vc-di-eddsa 1.0, 3.2 to 3.3; vc-di-ecdsa 1.0, 3.2 to 3.3). ``rdfc`` suites canonicalise RDF
(`jsonld.nquads`), ``jcs`` suites the JSON itself (RFC 8785). Keys of P-384 take SHA-384
throughout, all others SHA-256.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from delegant.credentials.codec import JsonObject, b58_decode, b58_encode, canonical
from delegant.credentials.errors import error

from . import jsonld, rdfc

__all__ = ["SUITES", "Suite", "Unsecured", "of_proof"]

PROOF_TYPE: Final = "DataIntegrityProof"


@dataclass(frozen=True, slots=True)
class Suite:
    """A cryptosuite.

    Attributes:
        name: what ``cryptosuite`` says, or ``type`` where that is older than it.
        rdf: whether RDF is canonicalised, or else JSON.
        kinds: of keys it signs with (`keys.KINDS`).
        signs: whether we sign with it, or only verify.
    """

    name: str
    rdf: bool
    kinds: tuple[str, ...]
    signs: bool = True

    @property
    def head(self) -> JsonObject:
        """The members of a proof that name the suite."""
        if self.name == "Ed25519Signature2020":
            return {"type": self.name}
        return {"type": PROOF_TYPE, "cryptosuite": self.name}


SUITES: Final = {
    suite.name: suite
    for suite in (
        Suite("eddsa-jcs-2022", False, ("Ed25519",)),
        Suite("eddsa-rdfc-2022", True, ("Ed25519",)),
        Suite("ecdsa-jcs-2019", False, ("P-256", "P-384")),
        Suite("ecdsa-rdfc-2019", True, ("P-256", "P-384")),
        Suite("Ed25519Signature2020", True, ("Ed25519",), signs=False),
    )
}
"""By name."""
_SIZES: Final = {"Ed25519": 64, "P-256": 64, "P-384": 96}


def of_proof(proof: JsonObject) -> Suite:
    """The suite a proof names.

    Raises:
        Undecided: ``suite``.
    """
    kind, name = proof.get("type"), proof.get("cryptosuite")
    named = name if kind == PROOF_TYPE else kind
    if type(named) is str and named in SUITES:
        suite = SUITES[named]
        if suite.head.items() <= proof.items():
            return suite
    raise error("suite", f"no suite by type {str(kind)[:40]!r}, cryptosuite {str(name)[:40]!r}")


class Unsecured:
    """A document without the proof in question; each of its hashes is made once.

    Args:
        document: with the proofs that the proof in question continues, if any.
        work: most steps of canonicalisation (see `rdfc`).
    """

    def __init__(self, document: JsonObject, work: int = rdfc.MAX_WORK) -> None:
        self.document = document
        self.work = work
        self._hashes: dict[tuple[bool, str], bytes] = {}

    def hash_data(self, suite: Suite, kind: str, options: JsonObject) -> bytes:
        """What a key of that kind signs: the hash of the options, then that of the document.

        The document's terms are held to its contexts on the way, and so are the options'. A
        ``jcs`` document without ``@context`` is no JSON-LD and has no terms to hold.

        Args:
            suite: how.
            kind: of the key.
            options: the proof without its value, with the ``@context`` that it is read under;
                of known members with flat values (`proofs` holds it to that).

        Raises:
            Malformed: ``undefined-term``, ``json-ld``. Undecided: ``context-unknown``.
            LimitExceeded: ``limit-*``.
        """
        name = "SHA-384" if kind == "P-384" else "SHA-256"
        if (suite.rdf, name) not in self._hashes:
            self._hashes[suite.rdf, name] = self._hashed(suite, name)
        if suite.rdf:
            data = jsonld.nquads(options, hash=name)
        else:
            _check_options(options)
            data = canonical(options)
        return _digest(name, data) + self._hashes[suite.rdf, name]

    def _hashed(self, suite: Suite, name: str) -> bytes:
        if suite.rdf:
            return _digest(name, jsonld.nquads(self.document, hash=name, work=self.work))
        if "@context" in self.document:
            jsonld.check_terms(self.document)
        return _digest(name, canonical(self.document))


def _digest(name: str, data: bytes) -> bytes:
    return rdfc.HASHES[name](data).digest()


def _check_options(options: JsonObject) -> None:
    """Hold the options of a ``jcs`` proof to its contexts, once for each list of bundled ones."""
    named = options.get("@context")
    urls = tuple(named) if type(named) is list else (named,)
    if all(type(url) is str for url in urls):
        _defined(urls, frozenset(options), options["proofPurpose"])
    elif named is not None:
        jsonld.check_terms(options)


@lru_cache(maxsize=256)
def _defined(urls: tuple[str, ...], names: frozenset[str], purpose: str) -> None:
    """Check a proof like it. Its values are texts or IRIs, so what holds of one holds of all."""
    like = dict.fromkeys(names, "urn:x") | {"type": PROOF_TYPE, "proofPurpose": purpose}
    jsonld.check_terms(like | {"@context": list(urls)})


def write_value(signature: bytes) -> str:
    """``proofValue``: base58 in multibase."""
    return "z" + b58_encode(signature)


def read_value(value: object, kind: str) -> bytes:
    """The signature a ``proofValue`` holds.

    Raises:
        Malformed: ``encoding``, ``shape`` for the wrong number of bytes.
    """
    if type(value) is not str or value[:1] != "z":
        raise error("encoding", "proof.proofValue is not multibase z")
    signature = b58_decode(value[1:], size=144)
    if len(signature) != _SIZES[kind]:
        raise error("shape", f"proof.proofValue is not {_SIZES[kind]} bytes, as {kind} signs")
    return signature

"""Data Integrity 1.0 in general: proofs, sets of proofs and chains of proofs, signed and verified.

For other people's documents, and ours for them; a link of a chain is verified by
`delegant.credentials` alone, under closed rules. What holds here of one proof:

    1 shape      members have the types of VC Data Integrity 1.0, 2.1; times are dateTimeStamps
    2 meant so   the purpose, domain and challenge are those asked for; it has not expired
    3 chain      every previous proof is there, and part of what is signed (section 4.5)
    4 key        its document lists the key for the purpose, and the suite takes its kind
    5 signature  over the options and the document, of which no term is undefined
    6 contexts   each is a URL, or is signed, or the caller knows it (`inline`)

Whether the key's controller is whom the document says (the issuer, the holder) is not judged here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error
from delegant.credentials.shape import format_time

from . import inline, rdf, rdfc
from .dids import RELATIONSHIPS, Resolve, key_for
from .keys import Key, Signer
from .suites import SUITES, Unsecured, of_proof, read_value, write_value
from .xsd import date_time_stamp

__all__ = ["MAX_PROOFS", "SKEW", "SUITES", "Proof", "sign", "verify"]

MAX_PROOFS: Final = 16
SKEW: Final = 300
"""Seconds that a proof's ``created`` may be ahead of us."""
PURPOSES: Final = RELATIONSHIPS[:4]
_MAX_TEXT: Final = 2048
_MEMBERS: Final = frozenset(
    {"@context", "id", "type", "cryptosuite", "created", "expires", "domain", "challenge", "nonce",
     "proofPurpose", "verificationMethod", "proofValue", "previousProof"}
)  # fmt: skip
"""All that these suites sign: nothing else can be meant by one of their proofs, and flat texts
cannot be made costly to canonicalise."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds.

    Attributes:
        suite: a name of `SUITES`.
        key: that signed it.
        controller: the DID whose document has the key.
        method: the verification method.
        purpose: what it was made for.
        created: seconds since 1970, if it says so.
        expires: seconds since 1970, if it does.
        id: its name, if it has one.
        previous: the names of the proofs it continues.
        domain: where it was meant to be used.
        challenge: what it answers.
    """

    suite: str
    key: Key
    controller: str
    method: str
    purpose: str
    created: int | None
    expires: int | None
    id: str | None
    previous: tuple[str, ...]
    domain: frozenset[str]
    challenge: str | None


@dataclass(frozen=True, slots=True)
class _Read:
    """A proof whose members have their types."""

    raw: JsonObject
    method: str
    purpose: str
    created: int | None
    expires: int | None
    id: str | None
    previous: tuple[str, ...]
    domain: frozenset[str]
    challenge: str | None


def verify(
    document: JsonObject,
    *,
    resolve: Resolve,
    at: int,
    purpose: str | None = None,
    domain: str | Collection[str] | None = None,
    challenge: str | None = None,
    contexts: Collection[str] = (),
) -> tuple[Proof, ...]:
    """Verify every proof of a document (VC Data Integrity 1.0, 4.4 and 4.5).

    Args:
        document: with its ``proof``, an object or a list of them.
        resolve: from a DID to its document; `dids.expand` for did:key and did:jwk.
        at: seconds since 1970.
        purpose: what every proof must have been made for; None: any, if the key may be used so.
        domain: the domains it must name, no more and no fewer; None: not judged.
        challenge: what it must answer; None: not judged.
        contexts: `inline.digest` of those contexts, written into the document, that are known
            here. A signature over RDF does not cover them; no other is taken.

    Returns:
        The proofs, in the document's order.

    Raises:
        Malformed: ``shape``, ``unknown-member``, ``encoding``, ``context``, ``undefined-term``,
        ``json-ld``, ``did-invalid``, ``did-document``. LimitExceeded: ``limit-*``.
        Rejected: ``proof``, ``proof-purpose``, ``proof-domain``, ``proof-challenge``,
        ``proof-chain``, ``expired``, ``not-yet-valid``, ``key-purpose``, ``controller``,
        ``key-retired``, ``key-weak``. NotFound: ``key-not-found``, ``did-not-found``.
        Undecided: ``suite``, ``context-unknown``, ``context-inline``, and what ``resolve`` raises.
    """
    if type(document) is not dict:
        raise error("shape", "a document is an object")
    everything = _proofs(document)
    read = [_read(proof) for proof in everything]
    for one in read:
        _meant(one, at, purpose, domain, challenge)
    parts = _Parts(document, read)
    found = tuple(_verified(one, parts, resolve, at) for one in read)
    inline.check(document, everything, contexts)
    return found


def _verified(one: _Read, parts: _Parts, resolve: Resolve, at: int) -> Proof:
    suite = of_proof(one.raw)
    unsecured = parts.before(one.previous)
    key, controller = key_for(one.method, one.purpose, resolve, at=at)
    if key.kind not in suite.kinds:
        raise error("suite", f"{suite.name} does not sign with a key of {key.kind}")
    signature = read_value(one.raw.get("proofValue"), key.kind)
    options = {name: value for name, value in one.raw.items() if name != "proofValue"}
    unsecured, options = _under(unsecured, options, rdf=suite.rdf)
    if not key.verify(signature, unsecured.hash_data(suite, key.kind, options)):
        raise error("proof", f"not signed by {one.method[:120]}")
    return Proof(
        suite.name,
        key,
        controller,
        one.method,
        one.purpose,
        one.created,
        one.expires,
        one.id,
        one.previous,
        one.domain,
        one.challenge,
    )


def _under(unsecured: Unsecured, options: JsonObject, *, rdf: bool) -> tuple[Unsecured, JsonObject]:
    """The document and the options under the contexts that the proof was made under.

    A ``jcs`` proof carries them, and later ones may have been put after: the document is read
    under those it was signed with alone (vc-di-eddsa 1.0, 3.3.2). An ``rdfc`` proof has the
    document's.
    """
    document = unsecured.document
    own = document.get("@context")
    if "@context" not in options:
        return unsecured, (options | {"@context": own} if rdf else options)
    named = options["@context"]
    if named == own:
        return unsecured, options
    mine, its = (value if type(value) is list else [value] for value in (own, named))
    if rdf or mine[: len(its)] != its:
        raise error("context", "the proof's @context is not the head of the document's")
    return Unsecured(document | {"@context": named}, unsecured.work), options


class _Parts:
    """A document, and what each of its proofs was made over."""

    def __init__(self, document: JsonObject, proofs: list[_Read]) -> None:
        self._bare = {name: value for name, value in document.items() if name != "proof"}
        self._proofs = proofs
        self._made: dict[tuple[int, ...], Unsecured] = {}
        ids = [one.id for one in proofs if one.id is not None]
        if len(ids) != len(set(ids)):
            raise error("proof-chain", "two proofs have the same id")

    def before(self, previous: tuple[str, ...]) -> Unsecured:
        """The document with the proofs named (section 4.5, step 5)."""
        missing = set(previous) - {one.id for one in self._proofs}
        if missing:
            raise error("proof-chain", f"no proof has the id {min(missing)[:80]!r}")
        chosen = tuple(n for n, one in enumerate(self._proofs) if one.id in previous)
        if chosen not in self._made:
            document = dict(self._bare)
            if chosen:
                document["proof"] = [self._proofs[n].raw for n in chosen]
            self._made[chosen] = Unsecured(document, rdfc.MAX_WORK // len(self._proofs))
        return self._made[chosen]


def _proofs(document: JsonObject) -> list[Json]:
    found = document.get("proof")
    everything = found if type(found) is list else [found]
    if not everything or not all(type(one) is dict for one in everything):
        raise error("shape", "proof is neither an object nor a list of objects")
    if len(everything) > MAX_PROOFS:
        raise error("limit-signatures", f"more than {MAX_PROOFS} proofs")
    return everything


def _read(proof: JsonObject) -> _Read:
    """Hold a proof to its shape (section 2.1).

    Raises:
        Malformed: ``shape``, ``unknown-member``. Undecided: ``suite``.
        Rejected: ``proof-purpose``.
    """
    of_proof(proof)
    unknown = proof.keys() - _MEMBERS
    if unknown:
        raise error("unknown-member", f"a proof of ours has no member {min(unknown)[:64]!r}")
    name = _maybe(proof, "id")
    if name is not None:
        rdf.iri(name)
    purpose = _text(proof.get("proofPurpose"), "proofPurpose")
    if purpose not in PURPOSES:
        raise error("proof-purpose", f"{purpose[:40]!r} is no purpose of a signature")
    _maybe(proof, "nonce")
    return _Read(
        proof,
        _text(proof.get("verificationMethod"), "verificationMethod"),
        purpose,
        _time(proof, "created"),
        _time(proof, "expires"),
        name,
        tuple(one for one in _texts(proof, "previousProof") if rdf.iri(one)),
        frozenset(_texts(proof, "domain")),
        _maybe(proof, "challenge"),
    )


def _maybe(proof: JsonObject, name: str) -> str | None:
    return _text(proof[name], name) if name in proof else None


def _text(value: Json, name: str) -> str:
    if type(value) is not str or not 0 < len(value) <= _MAX_TEXT:
        raise error("shape", f"proof.{name} is not a text", dimension=name)
    return value


def _texts(proof: JsonObject, name: str) -> tuple[str, ...]:
    """A text or a list of texts; a list that is empty or says a thing twice is no set of any."""
    if name not in proof:
        return ()
    value = proof[name]
    values = value if type(value) is list else [value]
    if not 0 < len(values) <= MAX_PROOFS or len(set(map(str, values))) != len(values):
        raise error("shape", f"proof.{name} is not a set of texts", dimension=name)
    return tuple(_text(one, name) for one in values)


def _time(proof: JsonObject, name: str) -> int | None:
    return date_time_stamp(proof[name], f"proof.{name}") if name in proof else None


def _meant(
    one: _Read,
    at: int,
    purpose: str | None,
    domain: str | Collection[str] | None,
    challenge: str | None,
) -> None:
    if purpose is not None and one.purpose != purpose:
        raise error("proof-purpose", f"made for {one.purpose}, not for {purpose}")
    if domain is not None:
        wanted = frozenset((domain,) if isinstance(domain, str) else domain)
        if one.domain != wanted:
            raise error("proof-domain", f"made for {sorted(one.domain)}, not for {sorted(wanted)}")
    if challenge is not None and one.challenge != challenge:
        raise error("proof-challenge", "it does not answer this challenge")
    if one.expires is not None and at >= one.expires:
        raise error("expired", f"the proof expired at {one.raw['expires']}")
    if one.created is not None and one.created > at + SKEW:
        raise error("not-yet-valid", f"the proof was created at {one.raw['created']}")


# --- signing -------------------------------------------------------------------------------


def sign(
    document: JsonObject,
    signer: Signer,
    *,
    suite: str,
    method: str,
    created: int | str | None = None,
    purpose: str = "assertionMethod",
    expires: int | str | None = None,
    domain: str | Collection[str] | None = None,
    challenge: str | None = None,
    id: str | None = None,  # noqa: A002 - as the specification calls it
    previous: str | Collection[str] | None = None,
) -> JsonObject:
    """The document with one more proof (VC Data Integrity 1.0, 4.2 and 4.3).

    Args:
        document: it is not changed; proofs that it has stay, and make a set with the new one.
        signer: whatever signs with the key.
        suite: a name of `SUITES` that signs.
        method: the verification method others find the key by.
        created: seconds since 1970, or the time as it is written; None: it does not say.
        purpose: a verification relationship.
        expires: as ``created``.
        domain: one or several; several are written in order.
        challenge: what it answers.
        id: a URL by which a later proof may continue this one.
        previous: the ids of the proofs that this one continues, and so signs too.

    Raises:
        Undecided: ``suite``, ``context-unknown``. Rejected: ``proof-chain``, ``proof-purpose``.
        Malformed: ``shape``, ``undefined-term``, ``json-ld``. LimitExceeded: ``limit-*``.
    """
    if suite not in SUITES or not SUITES[suite].signs:
        raise error("suite", f"{suite[:40]!r} is no suite we sign with")
    chosen, kind = SUITES[suite], signer.public.kind
    if kind not in chosen.kinds:
        raise error("suite", f"{suite} does not sign with a key of {kind}")
    options = chosen.head | {
        name: value
        for name, value in (
            ("id", id),
            ("created", _written(created)),
            ("expires", _written(expires)),
            ("verificationMethod", method),
            ("proofPurpose", purpose),
            ("domain", _several(domain)),
            ("challenge", challenge),
            ("previousProof", _several(previous)),
        )
        if value is not None
    }
    read = _read(options)
    before = _proofs(document) if "proof" in document else []
    if len(before) >= MAX_PROOFS:
        raise error("limit-signatures", f"more than {MAX_PROOFS} proofs")
    unsecured = _Parts(document, [*map(_read, before), read]).before(read.previous)
    if "@context" in document and not chosen.rdf:
        options["@context"] = document["@context"]
    under = options | {"@context": document.get("@context")} if chosen.rdf else options
    signature = signer.sign(unsecured.hash_data(chosen, kind, under))
    proof = options | {"proofValue": write_value(signature)}
    return document | {"proof": [*before, proof] if before else proof}


def _written(value: int | str | None) -> str | None:
    return format_time(value) if isinstance(value, int) else value


def _several(value: str | Collection[str] | None) -> str | list[str] | None:
    return value if value is None or isinstance(value, str) else list(value)

"""The policy set: what a resource's owners say in Cedar, signed by enough of them.

    {"version": 1, "id": "acme-db", "revision": 3, "language": "cedar", "policies": "permit (…);",
     "facts": {"context": {"sourceSegment": "String"}}, "signatures": ["eyJ…"]}

``facts`` (optional) declares what the resource vouches for besides what is verified anyway: names
and types in ``context``, of the ``resource``, and of the request's ``arguments``. A signature is a
compact JWS ``typ: policy-set+jwt`` with claims ``id, revision, iat, set``, where ``set`` is the
digest of the document without its signatures (RFC 8785 form). Who must sign, and how many of them,
is the resource's `PolicyTrust`, never the document's own.

    policies = PolicySet.load(Path("policies.json"), trust, seen=Path("policies.seen.json"))

A revision only grows. Nothing of Cedar is read before enough signatures hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from delegant.credentials import PrivateKey, PublicKey, did, jose, shape
from delegant.credentials.codec import Json, JsonObject, canonical, digest, parse_object
from delegant.credentials.did import Did
from delegant.credentials.errors import Error, error
from delegant.wallet import files

__all__ = ["MAX_POLICIES", "TYPES", "PolicySet", "PolicyTrust", "sign"]

SET_TYPE: Final = "policy-set+jwt"
MAX_POLICIES: Final = 262_144
"""Characters of policy text."""
MAX_SET: Final = 1_048_576
MAX_SIGNATURES: Final = 16
MAX_SIGNATURE: Final = 4096
TYPES: Final = ("Boolean", "Long", "String", "Set<String>")
"""What a declared fact may be."""
PLACES: Final = ("context", "resource", "arguments")

_REQUIRED: Final = frozenset({"version", "id", "revision", "language", "policies"})
_OPTIONAL: Final = frozenset({"facts", "signatures"})
_CLAIMS: Final = frozenset({"id", "revision", "iat", "set"})
_TRUST: Final = frozenset({"version", "id", "threshold", "signers"})


@dataclass(frozen=True, slots=True)
class PolicyTrust:
    """Whose policy set a resource follows: a closed object of the resource's own.

    Attributes:
        id: of the set; another set is not followed, whoever signed it.
        threshold: how many must have signed; 2 is two-person approval.
        signers: their DIDs, and the key of each.
    """

    id: str
    threshold: int
    signers: Mapping[Did, PublicKey]

    @classmethod
    def from_json(cls, value: Json) -> PolicyTrust:
        """Read ``{version: 1, id, threshold, signers: {DID: multikey}}``.

        Raises:
            Malformed: ``policy-format``: as where two signers are one key, or fewer signers than
            the threshold.
        """
        with _format("policy-trust"):
            shape.closed(value, "policy-trust", _TRUST)
            _version(value)
            signers: dict[Did, PublicKey] = {}
            if type(value["signers"]) is not dict or len(value["signers"]) > MAX_SIGNATURES:
                raise error("shape", f"signers is not an object of 1 to {MAX_SIGNATURES} keys")
            for name, text in value["signers"].items():
                who, key = did.check(name), PublicKey.from_multikey(text)
                if did.embeds_key(who) and did.key_of(who) != key:
                    raise error("shape", f"the key is not that of {who}")
                signers[who] = key
            if len(set(signers.values())) != len(signers):
                raise error("shape", "two signers have one key")
            most = len(signers)
            return cls(
                shape.text(value["id"], "id", 128),
                shape.integer(value["threshold"], "threshold", 1, most),
                signers,
            )

    @classmethod
    def load(cls, path: Path) -> PolicyTrust:
        """From a file."""
        return cls.from_json(_read(path))

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        keys = {who: key.multikey for who, key in self.signers.items()}
        return {"version": 1, "id": self.id, "threshold": self.threshold, "signers": keys}


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a set, not yet verified: whose it says it is, over what, since when."""

    token: str
    jws: jose.Jws
    method: str
    iat: int

    @classmethod
    def parse(cls, token: Json, where: str = "signature") -> Signature:
        """Take it apart."""
        if type(token) is not str:
            raise error("shape", f"{where} is not a string")
        jws = jose.split(token, size=MAX_SIGNATURE)
        method = jose.check_header(jws, SET_TYPE)
        claims = shape.closed(jws.payload, where, _CLAIMS)
        shape.text(claims["id"], f"{where}.id", 128)
        shape.integer(claims["revision"], f"{where}.revision", 1)
        shape.digest_text(claims["set"], f"{where}.set")
        return cls(token, jws, method, shape.integer(claims["iat"], f"{where}.iat"))

    @property
    def signer(self) -> str:
        """The DID it says it is by."""
        return self.method.partition("#")[0]


@dataclass(frozen=True)
class PolicySet:
    """A set of policies.

    Attributes:
        id, revision: its name, and which of its texts this is.
        policies: Cedar.
        facts: place (``context``, ``resource``, ``arguments``) to name to type.
        signatures: whatever is said to be signed.
        approved: whose signatures hold; empty where nobody asked (`parse`).
    """

    id: str
    revision: int
    policies: str
    facts: Mapping[str, Mapping[str, str]]
    signatures: tuple[Signature, ...] = ()
    approved: tuple[Did, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> PolicySet:
        """Read a document; nothing about it is verified.

        Raises:
            Malformed: ``policy-format``.
        """
        with _format("policy set"):
            return cls.from_json(parse_object(data, size=MAX_SET))

    @classmethod
    def from_json(cls, value: Json) -> PolicySet:
        """As `parse`, from its JSON form."""
        with _format("policy set"):
            shape.closed(value, "policy set", _REQUIRED, _OPTIONAL)
            _version(value)
            shape.one_of(value["language"], "language", ("cedar",))
            signed: tuple[Signature, ...] = ()
            if "signatures" in value:
                signed = shape.array_of(
                    value["signatures"], "signatures", Signature.parse, MAX_SIGNATURES
                )
            return cls(
                shape.text(value["id"], "id", 128),
                shape.integer(value["revision"], "revision", 1),
                _policies(value["policies"]),
                _facts(value["facts"]) if "facts" in value else {},
                signed,
            )

    @classmethod
    def load(cls, path: Path, trust: PolicyTrust, *, seen: Path | None = None) -> PolicySet:
        """Read a set that enough of the resource's own signers have signed.

        Args:
            seen: a file that remembers the newest revision and what it said; made where there is
                none.

        Raises:
            Rejected: ``policy-unsigned``; ``policy-rollback`` where a higher revision was seen, or
            this one with another text. Malformed: ``policy-format``. NotFound: ``not-found``.
            Unavailable: ``unavailable``.
        """
        found = cls.parse(files.read(path, size=MAX_SET)).verified(trust)
        if seen is not None:
            found.remember(seen)
        return found

    def verified(self, trust: PolicyTrust) -> PolicySet:
        """The same, with those who approved it.

        Raises:
            Rejected: ``policy-unsigned``.
        """
        if self.id != trust.id:
            raise error("policy-unsigned", f"signed or not, {self.id} is not {trust.id}")
        held = sorted(who for who, key in trust.signers.items() if self._signed_by(who, key))
        if len(held) < trust.threshold:
            raise error(
                "policy-unsigned", f"{self.id} {self.revision}: {len(held)} of the signers signed, "
                f"{trust.threshold} must",
            )  # fmt: skip
        return PolicySet(
            self.id, self.revision, self.policies, self.facts, self.signatures, tuple(held)
        )

    def _signed_by(self, who: Did, key: PublicKey) -> bool:
        said = {"id": self.id, "revision": self.revision, "set": self.digest}
        for one in self.signatures:
            if not did.is_method_of(one.method, who) or one.jws.header["alg"] not in (
                jose.ALGORITHMS
            ):
                continue
            same = {name: one.jws.payload[name] for name in said} == said
            if same and key.verify(one.jws.signature, one.jws.message):
                return True
        return False

    def remember(self, seen: Path) -> None:
        """Note this revision, and refuse what is older, or is another text of the same.

        Raises:
            Rejected: ``policy-rollback``.
        """
        try:
            with files.lock(seen.parent, f".{seen.name}.lock"):
                kept = files.read_object(seen) if seen.exists() else {}
                last = kept.get(self.id, {"revision": 0, "set": ""})
                if self.revision < last["revision"]:
                    raise error(
                        "policy-rollback",
                        f"{self.id}: revision {self.revision}, {last['revision']} was seen",
                    )
                if self.revision == last["revision"]:
                    if last["set"] != self.digest:
                        raise error(
                            "policy-rollback", f"{self.id}: revision {self.revision} said other"
                        )
                    return
                files.write_json(
                    seen, kept | {self.id: {"revision": self.revision, "set": self.digest}}
                )
        except (KeyError, TypeError, AttributeError):
            raise error("policy-rollback", f"{seen.name} does not tell what was seen") from None
        except OSError as exc:
            raise error("unavailable", f"{seen.name}: {exc.strerror}") from None

    @cached_property
    def _unsigned(self) -> JsonObject:
        out: JsonObject = {
            "version": 1,
            "id": self.id,
            "revision": self.revision,
            "language": "cedar",
            "policies": self.policies,
        }
        if self.facts:
            out["facts"] = {place: dict(names) for place, names in self.facts.items()}
        return out

    @cached_property
    def digest(self) -> str:
        """What is signed: all but the signatures."""
        return digest(canonical(self._unsigned))

    @property
    def json(self) -> JsonObject:
        """The wire form."""
        tokens: list[Json] = [one.token for one in self.signatures]
        return self._unsigned | ({"signatures": tokens} if tokens else {})


def sign(unsigned: PolicySet, key: PrivateKey, signer: str, at: int) -> PolicySet:
    """The set with one more signature; one by the same signer is replaced.

    Args:
        signer: the DID whose key it is. at: now, seconds since 1970.

    Raises:
        Rejected: ``did-key-mismatch``.
    """
    who = did.check(signer)
    if did.embeds_key(who) and did.key_of(who) != key.public:
        raise error("did-key-mismatch", f"the key is not that of {signer}")
    claims: JsonObject = {
        "id": unsigned.id, "revision": unsigned.revision, "iat": at, "set": unsigned.digest,
    }  # fmt: skip
    token = jose.sign(claims, key, SET_TYPE, did.method_for(who, key.public))
    others = tuple([one for one in unsigned.signatures if one.signer != who])
    if len(others) >= MAX_SIGNATURES:
        raise error("policy-format", f"a set has at most {MAX_SIGNATURES} signatures")
    return PolicySet(
        unsigned.id, unsigned.revision, unsigned.policies, unsigned.facts,
        (*others, Signature.parse(token)),
    )  # fmt: skip


# --- inside -------------------------------------------------------------------------------------


class _format:  # noqa: N801 - reads as a verb where it is used
    """Whatever is wrong with the form is ``policy-format``."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, exc: BaseException | None, _trace: object) -> None:
        if isinstance(exc, Error) and exc.code != "policy-format":
            raise error("policy-format", f"{self._what}: {exc}", dimension=exc.dimension) from None


def _read(path: Path) -> JsonObject:
    data = files.read(path, size=MAX_SET)
    with _format(path.name):
        return parse_object(data, size=MAX_SET)


def _version(value: JsonObject) -> None:
    if shape.integer(value["version"], "version") != 1:
        raise error("unknown-version", f"version {value['version']} is not known here")


def _policies(value: Json) -> str:
    """Text of lines: what a signer sees is what Cedar reads, so nothing hides or turns around."""
    if type(value) is not str or not 0 < len(value) <= MAX_POLICIES:
        raise error("shape", f"policies is not a text of 1 to {MAX_POLICIES} characters")
    for number, line in enumerate(value.split("\n"), 1):
        if not shape.visible(line.replace("\t", " ")):
            raise error("shape", f"policies: line {number} has a character that cannot be seen")
    return value


def _facts(value: Json) -> dict[str, dict[str, str]]:
    if not shape.closed(value, "facts", frozenset(), frozenset(PLACES)):
        raise error("shape", "facts declares nothing")
    out: dict[str, dict[str, str]] = {}
    for place, names in value.items():
        if type(names) is not dict or not 0 < len(names) <= shape.MAX_SET:
            raise error("shape", f"facts.{place} is not an object of 1 to {shape.MAX_SET} types")
        for name, kind in names.items():
            _name(name, f"facts.{place}")
            shape.one_of(kind, f"facts.{place}.{name}", TYPES)
        out[place] = dict(names)
    return out


def _name(value: Any, where: str) -> None:
    """A name of letters, digits and ``_``; ``__`` begins what Cedar's JSON means otherwise."""
    plain = type(value) is str and value.isascii() and value.replace("_", "a").isalnum()
    if not plain or len(value) > 64 or value[0].isdigit() or value.startswith("__"):
        raise error("shape", f"{where}: {str(value)[:64]!r} is not a name")

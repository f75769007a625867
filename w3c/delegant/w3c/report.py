"""What a verification may cost, what it is given, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Required, TypedDict

from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error

from . import status
from .dids import Resolve
from .keys import Key
from .related import Look

__all__ = ["CHECKS", "Given", "Limits", "Report", "Run", "Signature"]

CHECKS: Final = ("issuer", "validity", "status", "schema", "resources")
"""What can be left out; each is a step above, 4 to 8."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one verification may cost.

    Attributes:
        size: bytes or characters of one document.
        proofs: proofs on one document.
        credentials: credentials in one presentation.
        lists: status entries looked up for one credential.
        status_list: bytes of a list when decompressed.
    """

    size: int = 1 << 20
    proofs: int = 16
    credentials: int = 32
    lists: int = 8
    status_list: int = status.MAX_LIST


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that holds, of either form.

    Attributes:
        form: a cryptosuite, or the media type of a token.
        method: the verification method, or ``kid``.
        controller: whose key it is; empty where the caller vouched for the key.
        key: the key.
        hidden: digests of an SD-JWT nothing was disclosed for: parts withheld, and decoys.
        bound: whether the holder's key signed the showing of an SD-JWT.
    """

    form: str
    method: str
    controller: str
    key: Key
    hidden: int = 0
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a verification.

    Attributes:
        document: what was signed, as far as it was disclosed; None where there is nothing to
            show. Only to be believed if `verified`.
        proofs: the signatures that hold.
        errors: why it is not verified, the first step first.
        warnings: what was found and left to the caller to judge.
        credentials: of a presentation, the reports on the credentials in it.
    """

    document: JsonObject | None = None
    proofs: tuple[Signature, ...] = ()
    errors: tuple[Error, ...] = ()
    warnings: tuple[Error, ...] = ()
    credentials: tuple[Report, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.errors

    def as_json(self) -> JsonObject:
        """As a machine reads it; the document only if it is verified."""
        out: JsonObject = {
            "verified": self.verified,
            "proofs": [
                {
                    "form": one.form,
                    "verificationMethod": one.method,
                    "controller": one.controller,
                    "hidden": one.hidden,
                    "bound": one.bound,
                }
                for one in self.proofs
            ],
            "errors": [one.problem() for one in self.errors],
            "warnings": [one.problem() for one in self.warnings],
        }
        if self.credentials:
            out["credentials"] = [one.as_json() for one in self.credentials]
        if self.verified:
            out["document"] = self.document
        return out

    def require(self) -> JsonObject:
        """The document; raises the first error instead, if there is any."""
        if self.errors or self.document is None:
            raise self.errors[0]
        return self.document


class Given(TypedDict, total=False):
    """What a verification is given; all but the first two may be left out.

    Attributes:
        resolve: from a DID to its document (`dids.expand` for did:key and did:jwk).
        at: the instant, seconds since 1970.
        lists: from the URL of a status list to the credential that was fetched from there:
            object, token or bytes.
        schemas, resources: as ``lists``, for schemas (`schema.check`) and related resources
            (bytes).
        checks: which of `CHECKS` to do; None for all.
        strict: whether what they find is an error, or a warning.
        keys: keys the caller vouches for, by ``kid``; for tokens alone.
        limits: what it may cost.
        fetched: since when the lists are here, for their ``ttl``; None: since they were signed.
        contexts: `inline.digest` of each context that may be written into a document whose
            signature does not cover it.
    """

    resolve: Required[Resolve]
    at: Required[int]
    lists: Look
    schemas: Look
    resources: Look
    checks: Collection[str] | None
    strict: bool
    keys: Mapping[str, Key] | None
    limits: Limits | None
    fetched: int | None
    contexts: Collection[str]


@dataclass(slots=True)
class Run:
    """One verification: what it was given, and what it has found so far."""

    resolve: Resolve
    at: int
    checks: frozenset[str] = frozenset(CHECKS)
    strict: bool = True
    keys: Mapping[str, Key] | None = None
    lists: Look = None
    schemas: Look = None
    resources: Look = None
    limits: Limits = field(default_factory=Limits)
    fetched: int | None = None
    contexts: frozenset[str] = frozenset()
    errors: list[Error] = field(default_factory=list)
    warnings: list[Error] = field(default_factory=list)

    @classmethod
    def of(cls, given: Given) -> Run:
        """As the caller wants it.

        Raises:
            Malformed: ``shape`` for a name in ``checks`` that there is not.
        """
        named = given.get("checks")
        checks = frozenset(CHECKS if named is None else named)
        if not checks <= frozenset(CHECKS):
            raise error("shape", f"checks are some of {', '.join(CHECKS)}")
        exact: Any = {
            "checks": checks,
            "limits": given.get("limits") or Limits(),
            "contexts": frozenset(given.get("contexts", ())),
        }
        return cls(**{**given, **exact})

    def fresh(self, **changes: Any) -> Run:
        """The same for another document."""
        return replace(self, errors=[], warnings=[], **changes)

    def soft(self, name: str, check: Callable[[], None]) -> None:
        """A step that may be left out, and whose findings may be warnings."""
        if name not in self.checks:
            return
        try:
            check()
        except Error as exc:
            self.found(exc)

    def found(self, exc: Error) -> None:
        """What is an error where the caller leaves nothing to be judged, else a warning."""
        (self.errors if self.strict else self.warnings).append(exc)

    def report(
        self,
        document: JsonObject | None = None,
        proofs: tuple[Signature, ...] = (),
        credentials: tuple[Report, ...] = (),
    ) -> Report:
        """What came of it."""
        return Report(document, proofs, tuple(self.errors), tuple(self.warnings), credentials)

"""Verifying for the VC-API, with what a verification needs from elsewhere.

A list of this home is read here; any other list, schema, resource or DID document is fetched
through the guarded fetcher where the operator allowed its host, and is missing otherwise. What
is missing makes an error, never a yes.

What speaks against a credential is an error, and the answer is 400: also revocation, validity
and whatever could not be looked up. Two findings are warnings: that the key is not the issuer's
own (``controller``), and that a context in the document is not covered by its signature
(``context-inline``). Published vectors and cases are so, VCALM leaves the binding of issuers and
the Data Integrity specification that of contexts to the caller, and chains, where it matters, are
not verified here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from delegant.credentials import Error
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error
from delegant.credentials.shape import boolean, closed, text
from delegant.w3c.dids import Resolve, expand
from delegant.w3c.problems import details
from delegant.w3c.verify import Report, verify_credential, verify_presentation
from delegant.wallet.issuer import Issuer

from .dids import resolve_within, within

__all__ = ["Fetch", "Material"]

Fetch = Callable[[str], bytes]
"""From an allowed URL to what is there; raises ``fetch-refused`` or ``fetch-failed``."""

_CHECKS: Final = {
    "proof": (),
    "issuer": (),
    "validity": ("validity",),
    "validFrom": ("validity",),
    "validUntil": ("validity",),
    "credentialStatus": ("status",),
    "status": ("status",),
    "credentialSchema": ("schema",),
    "relatedResource": ("resources",),
}
"""Names of checks, as callers know them; the proof, the data model and the issuer always count."""
_ALL: Final = ("proof", "issuer", "validity", "credentialStatus", "credentialSchema",
               "relatedResource")  # fmt: skip
_WARNINGS: Final = frozenset({"controller", "context-inline"})
_NOTHING: Final[frozenset[str]] = frozenset()
_RETURNS: Final = ("returnProblemDetails", "returnResults", "returnCredential",
                   "returnPresentation")  # fmt: skip
_CREDENTIAL: Final = frozenset({"checks", *_RETURNS[:3]})
_PRESENTATION: Final = frozenset({"checks", "challenge", "domain", *_RETURNS})
MAX_CHECKS: Final = 16
MOST: Final = 32
SECONDS: Final = 10.0
"""DIDs, and URLs, that one verification looks up at the most; and when it begins no other."""


class Material:
    """What one server verifies with.

    Args:
        issuer: its lists are at hand.
        resolve: from a DID to its document; by default what needs no network.
        fetch: from a URL the operator allowed to its bytes; None: nothing is fetched.
    """

    def __init__(
        self, issuer: Issuer, *, resolve: Resolve = expand, fetch: Fetch | None = None
    ) -> None:
        self.issuer = issuer
        self._resolve = resolve
        self._fetch = fetch

    def credential(self, body: JsonObject, at: int) -> JsonObject:
        """The verdict on ``{verifiableCredential, options?}``.

        Raises:
            Malformed: ``shape``, ``unknown-member``.
        """
        options = _options(body, _CREDENTIAL)
        names, checks = _checks(options)
        raw = body["verifiableCredential"]
        report = verify_credential(raw, checks=checks, **self._given(at))
        return _verdict(report, names) | _returned(options, "returnCredential", "credential", raw)

    def presentation(self, body: JsonObject, at: int) -> JsonObject:
        """The verdict on ``{verifiablePresentation, options?}``; ``presentation`` is unsigned.

        Raises:
            Malformed: ``shape``, ``unknown-member``.
        """
        if len(body.keys() & {"verifiablePresentation", "presentation"}) != 1:
            raise error("shape", "either verifiablePresentation or presentation")
        options = _options(body, _PRESENTATION)
        names, checks = _checks(options)
        unsigned = "presentation" in body
        raw = body["presentation" if unsigned else "verifiablePresentation"]
        report = verify_presentation(
            raw,
            checks=checks,
            challenge=_word(options, "challenge"),
            domain=_word(options, "domain"),
            unsigned=unsigned,
            **self._given(at),
        )
        told = _verdict(report, names)
        told["credentialResults"] = [_verdict(one, names) for one in report.credentials]
        return told | _returned(options, "returnPresentation", "verifiablePresentation", raw)

    def _given(self, at: int) -> dict[str, Any]:
        fetched = within(self._elsewhere, most=MOST, seconds=SECONDS)
        return {
            "resolve": resolve_within(self._resolve, most=MOST, seconds=SECONDS),
            "at": at,
            "strict": False,
            "fetched": at,  # or so long ago as its server lets us keep it
            "lists": partial(self._list, fetched),
            "schemas": fetched,
            "resources": fetched,
        }

    def _list(self, fetched: Callable[[str], bytes | None], url: str) -> Json:
        number = self.issuer.number_of(url)
        try:
            return fetched(url) if number is None else self.issuer.listed(number)
        except Error as exc:
            raise error("status-missing", f"{exc.code}: {exc.detail}") from None

    def _elsewhere(self, url: str) -> bytes | None:
        return None if self._fetch is None else self._fetch(url)


def _options(body: JsonObject, known: frozenset[str]) -> JsonObject:
    options = closed(body.get("options", {}), "options", _NOTHING, known)
    for name in _RETURNS:
        if name in options:
            boolean(options[name], f"options.{name}")
    return options


def _checks(options: JsonObject) -> tuple[list[str], list[str]]:
    """The names of the checks as asked for, and ours for them."""
    named = options.get("checks", list(_ALL))
    if type(named) is not list or len(named) > MAX_CHECKS:
        raise error("shape", f"options.checks is a list of at most {MAX_CHECKS}")
    wanted = {"issuer"}
    for name in named:
        if type(name) is not str or name not in _CHECKS:
            raise error("shape", f"there is no check {str(name)[:40]!r}")
        wanted.update(_CHECKS[name])
    return named, sorted(wanted)


def _word(options: JsonObject, name: str) -> str | None:
    return text(options[name], f"options.{name}", 1024) if name in options else None


def _returned(options: JsonObject, wish: str, name: str, raw: Json) -> JsonObject:
    return {name: raw} if options.get(wish, False) else {}


def _verdict(report: Report, names: list[str]) -> JsonObject:
    """``verified`` and what speaks against it; a warning does not."""
    told = [*report.errors, *(one for one in report.warnings if one.code not in _WARNINGS)]
    errors = [details(one) for one in told]
    warnings = [details(one) for one in report.warnings if one.code in _WARNINGS]
    return {
        "verified": not errors,
        "checks": names,
        "errors": errors,
        "warnings": warnings,
        "problemDetails": errors + warnings,
    }

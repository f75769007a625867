"""What the VC-API asks of the generic issuer, read closely and carried out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.errors import error
from delegant.credentials.shape import boolean, closed, one_of, text
from delegant.w3c import issue as general
from delegant.w3c.issue import Form
from delegant.w3c.status import ENTRY_TYPE, check_entry, entries_of
from delegant.w3c.status import entry as entry_of
from delegant.w3c.values import ABSENT, id_of, many, url
from delegant.wallet.issued import PURPOSES
from delegant.wallet.issuer import DEFAULT_SUITE, KINDS, Issuer

__all__ = ["Order", "issue", "present", "set_status"]

FORMS: Final[dict[str, Form]] = {"proof": "di", "vc+jwt": "jwt", "vp+jwt": "jwt"}
SUITES: Final = {
    "eddsa-rdfc-2022": ("Ed25519",),
    "eddsa-jcs-2022": ("Ed25519",),
    "ecdsa-rdfc-2019": ("P-256", "P-384"),
    "ecdsa-jcs-2019": ("P-256", "P-384"),
}
"""What we issue with, and the kinds of key that fit."""
_OPTIONS: Final = frozenset(
    {"cryptosuite", "keyType", "form", "credentialId", "credentialStatus", "type"}
)
_PRESENT: Final = frozenset({"challenge", "domain", "cryptosuite", "form", "type"})
_ENTRY: Final = frozenset({"id", "statusPurpose", "statusListIndex", "statusListCredential"})
_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Order:
    """How a credential shall be issued.

    Attributes:
        key: a kind of key; None: whatever the issuer or the suite asks for.
        suite: a cryptosuite; None: the default of the key.
        form: ``di`` (a proof inside) or ``jwt`` (a token around).
        purposes: of status entries; None: ``revocation`` where the credential has a name.
        name: what the credential is called later, where it has no id.
    """

    key: str | None = None
    suite: str | None = None
    form: Form = "di"
    purposes: tuple[str, ...] | None = None
    name: str | None = None

    @classmethod
    def read(cls, options: Json, configuration: str | None) -> Order:
        """From the options of a request, or a configuration in its address.

        Raises:
            Malformed: ``shape``, ``unknown-member``, ``status-list``. Undecided: ``suite``.
        """
        order = cls() if configuration is None else cls._configured(configuration)
        value = closed(options, "options", _NOTHING, _OPTIONS)
        if "type" in value:
            one_of(value["type"], "options.type", ("DataIntegrityProof",))
        if "cryptosuite" in value:
            order = replace(order, suite=_suite(value["cryptosuite"]))
        if "keyType" in value:
            order = replace(order, key=one_of(value["keyType"], "options.keyType", KINDS))
        if "form" in value:
            order = replace(order, form=_form(value["form"]))
        if "credentialId" in value:
            order = replace(order, name=url(value["credentialId"], "options.credentialId"))
        if "credentialStatus" in value:
            order = replace(order, purposes=_purposes(value["credentialStatus"]))
        return order

    @classmethod
    def _configured(cls, words: str) -> Order:
        order = cls()
        for word in words.split(","):
            if word in SUITES:
                order = replace(order, suite=word)
            elif word in KINDS:
                order = replace(order, key=word)
            elif word in FORMS:
                order = replace(order, form=FORMS[word])
            elif word in PURPOSES:
                order = replace(order, purposes=(*(order.purposes or ()), word))
            else:
                raise error("not-found", f"there is no configuration {words[:64]!r}")
        return order

    @property
    def kind(self) -> str:
        """The kind of key, where no issuer says another."""
        return self.key or (SUITES[self.suite][0] if self.suite else "Ed25519")


def _suite(value: Json) -> str:
    if type(value) is not str or value not in SUITES:
        raise error("suite", f"we issue with {', '.join(SUITES)}")
    return value


def _form(value: Json) -> Form:
    return FORMS[one_of(value, "options.form", tuple(FORMS))]


def _purposes(value: Json) -> tuple[str, ...]:
    """``false``: none; an entry wanted, or several: their purposes."""
    if value is False or value == []:
        return ()
    out: list[str] = []
    for one in many(value, "options.credentialStatus"):
        asked = closed(one, "credentialStatus", _NOTHING, frozenset({"type", "statusPurpose"}))
        one_of(asked.get("type", ENTRY_TYPE), "credentialStatus.type", (ENTRY_TYPE,))
        out.append(one_of(asked.get("statusPurpose", PURPOSES[0]), "statusPurpose", PURPOSES))
    return tuple(dict.fromkeys(out))


def issue(issuer: Issuer, credential: Json, order: Order, at: int) -> JsonObject:
    """A secured credential; an enveloped one where a token was asked for.

    Args:
        issuer: of this home.
        credential: unsecured; what it says is kept, and ``issuer`` is set where it is absent.
        order: how.
        at: seconds since 1970.

    Raises:
        As `delegant.w3c.issue.issue`. Rejected: ``controller`` for an issuer that is not ours,
        ``revoked`` for a name whose credential was revoked. Malformed: ``status-list``.
    """
    if type(credential) is not dict:
        raise error("data-model", "the credential is not an object")
    named, kind = _issuer(issuer, credential, order)
    suite = order.suite or DEFAULT_SUITE[kind]
    if order.form == "di" and kind not in SUITES[suite]:
        raise error("suite", f"{suite} does not go with a key of {kind}")
    wanted = credential | {"issuer": named}
    if general.check_issuable(wanted):  # before it takes a place in a list
        raise error("data-model", "a presentation is signed at /presentations")
    wanted |= _status(issuer, wanted, order, at)
    signer, method = issuer.signer(id_of(named), kind)
    made = general.issue(wanted, signer, method=method, form=order.form, suite=suite, created=at)
    return general.enveloped(made) if isinstance(made, str) else made


def _issuer(issuer: Issuer, credential: JsonObject, order: Order) -> tuple[Json, str]:
    """The issuer as it shall stand in the credential, and the kind of its key.

    What else the caller says of the issuer is kept.
    """
    stated = credential.get("issuer")
    own = issuer.issuers[order.kind]
    if "issuer" not in credential:
        return own, order.kind
    if type(stated) is dict and "id" not in stated:
        return stated | {"id": own}, order.kind
    name = id_of(stated)
    if not name:
        raise error("data-model", "issuer is a URL, or an object whose id is one")
    kinds = issuer.kinds_of(name)
    if not kinds or order.key not in (None, *kinds):
        raise error("controller", f"{name[:80]} is not an issuer here, or has another key")
    return stated, kinds[0] if len(kinds) == 1 else order.kind


def _status(issuer: Issuer, credential: JsonObject, order: Order, at: int) -> JsonObject:
    """The status member: entries the caller gave, and those of ours that were asked for."""
    given = many(credential.get("credentialStatus", ABSENT), "credentialStatus")
    for one in entries_of(credential):
        if issuer.number_of(one["statusListCredential"]) is not None:
            raise error("status-list", "entries of our own lists are given by us")
    name = order.name or credential.get("id")
    wanted = order.purposes
    if wanted is None:  # what nobody can name later, or has a status already, needs none of ours
        wanted = PURPOSES[:1] if name is not None and not given else ()
    both = [*given, *issuer.take(id_of(credential["issuer"]), name, wanted, at)]
    return {"credentialStatus": both[0] if len(both) == 1 else both} if both else {}


def present(issuer: Issuer, presentation: Json, options: Json, at: int) -> JsonObject:
    """A presentation secured by this home's holder, for the challenge and domain asked for.

    Raises:
        As `delegant.w3c.issue.issue`. Rejected: ``controller`` for another holder.
    """
    if type(presentation) is not dict:
        raise error("data-model", "the presentation is not an object")
    asked = closed(options, "options", _NOTHING, _PRESENT)
    form: Form = _form(asked.get("form", "proof"))
    signer, method = issuer.holder
    own = method.partition("#")[0]
    holder = presentation.get("holder", own)
    if type(holder) is dict and "id" not in holder:
        holder = holder | {"id": own}
    if id_of(holder) != own:
        raise error("controller", f"this home presents as {own}")
    wanted = presentation | {"holder": holder}
    if not general.check_issuable(wanted):
        raise error("data-model", "this is no presentation")
    challenge, domain = _word(asked, "challenge"), _word(asked, "domain")
    if form != "di" and (challenge is not None or domain is not None):
        raise error("shape", "challenge and domain are of a proof, not of a token")
    suite = _suite(asked.get("cryptosuite", DEFAULT_SUITE["Ed25519"]))
    made = general.issue(
        wanted,
        signer,
        method=method,
        form=form,
        suite=suite,
        created=at,
        challenge=challenge,
        domain=domain,
    )
    return general.enveloped(made) if isinstance(made, str) else made


def _word(asked: JsonObject, name: str) -> str | None:
    return text(asked[name], f"options.{name}", 1024) if name in asked else None


def set_status(issuer: Issuer, body: JsonObject, at: int) -> JsonObject:
    """Carry out ``{credentialId?, credentialStatus, status?}``; what is so already is fine.

    Args:
        body: ``status`` is true unless stated; without ``credentialId``, the entry's list and
            index say which.

    Raises:
        Malformed: ``shape``, ``unknown-member``, ``status-list``, ``data-model``.
        NotFound: ``not-found``. Rejected: ``revoked``.
    """
    entry = closed(body["credentialStatus"], "credentialStatus", frozenset({"type"}), _ENTRY)
    one_of(entry["type"], "credentialStatus.type", (ENTRY_TYPE, "BitstringStatusList"))
    purpose = one_of(entry.get("statusPurpose", PURPOSES[0]), "statusPurpose", PURPOSES)
    value = boolean(body.get("status", True), "status")
    name = url(body["credentialId"], "credentialId") if "credentialId" in body else None
    place = None
    if {"statusListCredential", "statusListIndex"} <= entry.keys():
        stated = {"type": ENTRY_TYPE, "statusPurpose": purpose} | entry
        place = (check_entry(stated | {"type": ENTRY_TYPE}), int(entry["statusListIndex"][:18]))
    elif name is None:
        raise error("shape", "credentialId, or the list and index of an entry, says which")
    changed = issuer.change(name, purpose, value, at, entry=place)
    return {
        "credentialStatus": [
            entry_of(issuer.list_url(one.list), one.index, one.purpose) for one in changed
        ],
        "status": value,
    } | ({} if name is None else {"credentialId": name})

"""What comes of holding a credential of others to what can be known of it: closed JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from delegant.credentials import shape
from delegant.credentials.codec import Json, JsonObject
from delegant.credentials.did import Did
from delegant.credentials.errors import error
from delegant.w3c.dids import checked
from delegant.w3c.keys import Key
from delegant.w3c.values import url

from .model import KINDS

__all__ = ["Report"]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and what was not looked at.

    Attributes:
        form: ``jwt`` or the type of the linked-data proof.
        original: the digest of the bytes that were checked.
        id, subject: as the credential has them; None where it has none.
        issuer, method, key: who signed, with which verification method, its Multikey.
        issued, expires, checked_at: seconds since 1970; expires None: it never does.
        claims: ``credentialSubject``, as signed.
        unchecked: ``issuer`` and ``subject`` (whether they are who one thinks), and members
            nobody looked into, as ``credentialStatus`` or ``contexts``.
        by: the program that verified the signature, and its version.
    """

    form: str
    original: str
    id: str | None
    types: tuple[str, ...]
    issuer: Did
    method: str
    key: str
    subject: str | None
    issued: int
    expires: int | None
    checked_at: int
    claims: Json
    unchecked: tuple[str, ...]
    by: str

    @property
    def json(self) -> JsonObject:
        """The closed JSON form."""
        out: JsonObject = {
            "version": 1,
            "dataModel": "1.1",
            "form": self.form,
            "original": self.original,
            "types": list(self.types),
            "issuer": self.issuer,
            "verificationMethod": self.method,
            "key": self.key,
            "issued": shape.format_time(self.issued),
            "checkedAt": shape.format_time(self.checked_at),
            "checked": list(_CHECKED if self.form == "jwt" else (*_CHECKED, "terms")),
            "notChecked": list(self.unchecked),
            "claims": self.claims,
            "by": self.by,
        }
        if self.expires is not None:
            out["expires"] = shape.format_time(self.expires)
        for name, value in (("id", self.id), ("subject", self.subject)):
            if value is not None:
                out[name] = value
        return out

    @classmethod
    def from_json(cls, value: Json) -> Report:
        """Read `json` back; every member is held to its form.

        Raises:
            Malformed: ``shape``, ``unknown-member``, ``did-invalid``. Undecided:
            ``unknown-version``.
        """
        shape.closed(value, "report", _REQUIRED, frozenset({"id", "subject", "expires"}))
        if value["version"] != 1 or value["dataModel"] != "1.1":
            raise error("unknown-version", "a report of a kind not known here")
        unchecked = shape.array_of(value["notChecked"], "report.notChecked", shape.text)
        report = cls(
            form=shape.one_of(value["form"], "report.form", tuple(KINDS)),
            original=shape.digest_text(value["original"], "report.original"),
            id=url(value["id"], "report.id") if "id" in value else None,
            types=shape.array_of(value["types"], "report.types", shape.text),
            issuer=checked(value["issuer"]),
            method=shape.text(value["verificationMethod"], "report.verificationMethod", 2048),
            key=Key.from_multikey(value["key"]).multikey,
            subject=url(value["subject"], "report.subject") if "subject" in value else None,
            issued=shape.time(value["issued"], "report.issued"),
            expires=shape.time(value["expires"], "report.expires") if "expires" in value else None,
            checked_at=shape.time(value["checkedAt"], "report.checkedAt"),
            claims=value["claims"],
            unchecked=unchecked,
            by=shape.text(value["by"], "report.by"),
        )
        if report.json != value:
            raise error("shape", "report.checked is not what such a report checks")
        return report


_CHECKED: Final = ("form", "time", "purpose", "key", "signature")
_REQUIRED: Final = frozenset(
    {
        "version",
        "dataModel",
        "form",
        "original",
        "types",
        "issuer",
        "verificationMethod",
        "key",
        "issued",
        "checkedAt",
        "checked",
        "notChecked",
        "claims",
        "by",
    }
)

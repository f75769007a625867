"""What others' credentials say of a human of this home: kept beside the human, believed by nobody.

    evidence/ana/<digest>.json    {"original": text, "report": what was found (w3c.legacy)}

A sponsor credential changes only when the organisation attests the human anew; `attest_by`
does that, and names the digest of what it relied on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from delegant.credentials import HumanSponsor
from delegant.credentials.codec import digest
from delegant.credentials.errors import error
from delegant.credentials.shape import closed
from delegant.w3c import legacy

from . import files
from .home import Home, Subject
from .keystore import Wallet
from .organization import renew_human

__all__ = ["MAX_KEPT", "Kept", "attest_by", "attestation_of", "keep", "kept"]

MAX_KEPT: Final = 32
"""Most credentials kept for one human."""
_PREFIX: Final = "evidence:"


@dataclass(frozen=True, slots=True)
class Kept:
    """One credential of others, and the report on it."""

    original: str
    report: legacy.Report


def keep(home: Home, name: str, raw: bytes, *, now: int) -> legacy.Report:
    """Check a credential of VCDM 1.1 and keep it, with the report, for a human.

    Args:
        name: handle or DID of a human of this home.
        raw: the credential, as it came.

    Raises:
        NotFound: ``not-found``. Rejected: ``wallet-kind``. Conflict: ``name-taken`` when it is
        kept already. LimitExceeded: ``limit-items``. Whatever `legacy.check` raises.
    """
    subject = _human(home, name)
    report = legacy.check(raw, at=now)
    folder = _folder(home, subject)
    with files.lock(home.path):
        path = folder / f"{report.original}.json"
        if path.exists():
            raise error("name-taken", f"{subject.handle} has this evidence already")
        if len(list(folder.glob("*.json"))) >= MAX_KEPT:
            raise error("limit-items", f"{subject.handle} has {MAX_KEPT} pieces of evidence")
        files.make_folder(folder)
        value = {"original": raw.strip().decode("utf-8"), "report": report.json}
        files.write_json(path, value)
    return report


def kept(home: Home, name: str) -> list[Kept]:
    """What is kept for a human, oldest check first.

    Raises:
        NotFound: ``not-found``. Rejected: ``wallet-kind``. Malformed: ``shape`` and its like,
        when a file was tampered with.
    """
    folder = _folder(home, _human(home, name))
    found = [_read(path) for path in folder.glob("*.json")]
    return sorted(found, key=lambda one: (one.report.checked_at, one.report.original))


def attest_by(
    home: Home, organization: Wallet, name: str, evidence: str, *, now: int
) -> HumanSponsor:
    """Attest a human anew, naming evidence that is kept as how the organisation knows the person.

    The evidence is checked once more: it may have expired since.

    Args:
        evidence: the digest of the credential, or its beginning.

    Raises:
        NotFound: ``not-found``. Conflict: ``name-taken`` when several begin so. Whatever
        `legacy.check` and `renew_human` raise.
    """
    found = [one for one in kept(home, name) if one.report.original.startswith(evidence)]
    if not found or not evidence:
        raise error("not-found", f"{name} has no evidence {evidence[:80]!r}")
    if len(found) > 1:
        raise error("name-taken", f"several begin with {evidence}")
    report = legacy.check(found[0].original.encode(), at=now)
    return renew_human(home, organization, name, now=now, attestation=attestation_of(report))


def attestation_of(report: legacy.Report) -> str:
    """The ``attestation`` of a sponsor credential that rests on this evidence."""
    return _PREFIX + report.original


def _read(path: Path) -> Kept:
    value = closed(files.read_object(path), path.name, frozenset({"original", "report"}))
    report = legacy.Report.from_json(value["report"])
    original = value["original"]
    found = digest(original.encode()) if type(original) is str else ""
    if not found == report.original == path.stem:
        raise error("shape", f"{path.name} does not hold what its name says")
    return Kept(original, report)


def _human(home: Home, name: str) -> Subject:
    subject = home.subject(name)
    if subject.kind != "human":
        raise error("wallet-kind", f"{name} is no human")
    return subject


def _folder(home: Home, subject: Subject) -> Path:
    return home.path / "evidence" / subject.handle

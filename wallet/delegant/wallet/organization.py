"""What an organisation does: it begins a home, attests humans, signs and changes status lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from delegant.credentials import (
    HumanSponsor,
    Lease,
    StatusEntry,
    issue_human_sponsor,
)
from delegant.credentials.codec import JsonObject
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.did import from_key
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import error
from delegant.credentials.shape import url as check_url

from . import files, statuslists
from .allocation import FOREVER, HUMAN_BITS, LIST_BITS, take
from .home import FILE, Home, Settings, Subject, handle
from .keystore import Wallet
from .passphrase import Passphrases
from .trustfolder import write_trust

__all__ = ["add_human", "create_home", "default_ceiling", "refresh", "renew_human"]

SPONSOR_SECONDS: Final = 86_400
SPONSOR_RENEW: Final = SPONSOR_SECONDS // 2
LIST_RENEW: Final = 60
MAX_GRANT_SECONDS: Final = 1800
_ACTIONS: Final = ("db.*", "doc.*", "file.*", "mail.*", "tool.*", "web.*")


def default_ceiling(org: str, registry: str) -> list[JsonObject]:
    """What an organisation claims authority over unless told: its own urn and its own site."""
    label = org.split(".", 1)[0]
    own = [f"urn:{label}:**"] + ([f"https://{org}/**"] if "." in org else [])
    return [
        {"actions": list(_ACTIONS), "resources": own},
        {"actions": ["ans.*"], "resources": [registry]},
    ]


def create_home(
    path: Path,
    org: str,
    *,
    url: str,
    passphrases: Passphrases,
    now: int,
    ceiling: Sequence[JsonObject] = (),
    max_grant: int = MAX_GRANT_SECONDS,
    passphrase_source: str = "prompt",  # noqa: S107 - the word, not a secret
) -> Home:
    """Make a home: organisation, status authority and registry keys, trust, first status list.

    Args:
        path: a folder that is not a home yet.
        org: the organisation's name, for example ``acme.example``.
        url: where its registry will be reached; status lists are named below it.
        ceiling: what it claims authority over, besides ``ans.*`` on its registry.
        max_grant: longest life of a grant, seconds.

    Raises:
        Conflict: ``name-taken``. Rejected: ``wallet-auth``. Malformed: ``shape``.
    """
    handle(org)
    check_url(url.rstrip("/") + "/", "url")
    if (path / FILE).exists():
        raise error("name-taken", f"{path} is a delegant home already")
    secret = passphrases.get("organization", new=True)
    files.make_folder(path / "wallets", secret=True)
    wallet = Wallet.create(
        path / "wallets" / "organization.wallet",
        secret,
        kind="organization",
        name=org,
        roles=("status", "registry"),
    )
    settings = Settings(
        org,
        wallet.did,
        from_key(wallet.key("status").public),
        from_key(wallet.key("registry").public),
        url.rstrip("/"),
        passphrase_source,
    )
    own = default_ceiling(org, settings.registry)
    anchor: JsonObject = {
        "id": wallet.did,
        "keys": [wallet.key().public.multikey],
        "subjects": ["did:key:**", "did:jwk:**"],
        "ceiling": [*ceiling, own[-1]] if ceiling else own,
        "maxGrantSeconds": max_grant,
    }
    registry = {
        "id": settings.registry,
        "keys": [wallet.key("registry").public.multikey],
        "url": settings.url + "/",
    }
    write_trust(
        path / "trust",
        {
            "version": 1,
            "anchors": [anchor],
            "registries": [registry],
            "verifier": {"id": settings.registry},
        },
    )
    files.write_json(path / "anchor.json", anchor)
    Settings.parse(settings.to_bytes())
    files.write(path / FILE, settings.to_bytes())
    home = Home(path, passphrases)
    statuslists.create(home, 1)
    statuslists.sign(home, wallet, 1, now)
    return home


def suggested_grants(home: Home) -> list[JsonObject]:
    """What humans of this home may do unless told: the organisation's own ceiling."""
    grants: list[JsonObject] = files.read_object(home.path / "anchor.json")["ceiling"]
    return grants


def add_human(
    home: Home,
    organization: Wallet,
    name: str,
    *,
    now: int,
    attestation: str | None = None,
    grants: Sequence[JsonObject] = (),
    constraints: Mapping[str, Any] | None = None,
    method: str = "key",
) -> HumanSponsor:
    """Make a human's wallet and attest the human for a day.

    Args:
        name: a handle that is free in this home.
        attestation: how the organisation knows the person, for example ``idp:corp``.
        grants, constraints: the human's own entitlements; by default the organisation's ceiling.

    Raises:
        Conflict: ``name-taken``. Rejected: ``wallet-auth``. Malformed: ``shape``.
    """
    handle(name)
    wallet = home.create_wallet("human", name, method)
    try:
        lease, entry = _lease_human(home, now)
        credential = issue_human_sponsor(
            organization.key(),
            organization=home.settings.organization,
            human=wallet.did,
            revision=1,
            grants=list(grants) or suggested_grants(home),
            constraints=constraints,
            authority=home.settings.authority,
            authority_key=organization.key("status").public,
            lease=lease,
            status=entry,
            valid_from=now,
            valid_until=now + SPONSOR_SECONDS,
            attestation=attestation,
        )
        home.save_subject(Subject(name, "human", wallet.did, credential.secured.raw))
    except BaseException:
        files.remove(home.wallet_path("human", name))  # nothing half-made stays
        raise
    return credential


def _lease_human(home: Home, now: int) -> tuple[Lease, StatusEntry]:
    """A range for a human, and an entry outside it for the sponsor credential itself."""
    for number in [*statuslists.numbers(home), 0]:
        if number == 0:  # all are full
            number = max(statuslists.numbers(home), default=0) + 1  # noqa: PLW2901
            statuslists.create(home, number)
        whole = Lease(home.settings.list_url(number), 0, LIST_BITS)
        used = statuslists.used_in(home, whole.list)
        try:
            index = take(home.path, whole, 2, now, FOREVER, used)
            start = take(home.path, whole, HUMAN_BITS, now, FOREVER, used)
        except Exception as exc:
            if getattr(exc, "code", "") != "status-range":
                raise
            continue
        return Lease(whole.list, start, HUMAN_BITS), StatusEntry(whole.list, index)
    raise error("status-range", "no status list has room for another human")


def renew_human(
    home: Home,
    organization: Wallet,
    name: str,
    *,
    now: int,
    grants: Sequence[JsonObject] = (),
    constraints: Mapping[str, Any] | None = None,
    attestation: str | None = None,
) -> HumanSponsor:
    """Attest a human for another day, with the next revision; what is not given stays.

    Raises:
        NotFound: ``not-found``. Rejected: ``wallet-kind``, ``sponsor-gone`` once revoked.
    """
    with files.lock(home.path):
        subject = home.subject(name)
        if subject.kind != "human":
            raise error("wallet-kind", f"{name} is no human")
        before = parse_human_sponsor(unpack(subject.credential))
        entry = before.status
        if entry is None:
            raise error("status-missing", "the sponsor credential has no status entry")
        if statuslists.used_in(home, entry.list)(entry.index):
            raise error("sponsor-gone", f"{subject.handle} was revoked; nothing un-revokes")
        rights = before.entitlements.json
        credential = issue_human_sponsor(
            organization.key(),
            organization=home.settings.organization,
            human=subject.did,
            revision=before.revision + 1,
            grants=list(grants) or rights["grants"],
            constraints=constraints if grants else rights.get("constraints"),
            authority=home.settings.authority,
            authority_key=organization.key("status").public,
            lease=before.lease,
            status=entry,
            valid_from=now,
            valid_until=now + SPONSOR_SECONDS,
            attestation=attestation
            or before.secured.document["credentialSubject"]["humanSponsor"].get("attestation"),
        )
        home.save_subject(Subject(subject.handle, "human", subject.did, credential.secured.raw))
    return credential


def refresh(home: Home, organization: Wallet, now: int) -> list[str]:
    """Sign again what is about to age: lists of a minute, sponsor credentials of half a day.

    Returns:
        What was signed, for people: ``status/1``, ``ana``.
    """
    changed: list[str] = []
    for number in statuslists.numbers(home):
        with files.lock(home.path):
            path = home.path / "status" / f"{number}.json"
            if not path.exists() or statuslists.load(home, number).valid_from <= now - LIST_RENEW:
                statuslists.sign(home, organization, number, now)
                changed.append(f"status/{number}")
    for subject in home.subjects("human"):
        credential = parse_human_sponsor(unpack(subject.credential))
        if credential.valid_until - now < SPONSOR_RENEW:
            entry = credential.status
            if entry is not None and statuslists.used_in(home, entry.list)(entry.index):
                continue  # revoked humans are not attested again
            renew_human(home, organization, subject.handle, now=now)
            changed.append(subject.handle)
    return changed

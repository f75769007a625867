"""What an organisation does: it begins a home, attests humans, signs and changes status lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from delegant.credentials import (
    HumanSponsor,
    Lease,
    PublicKey,
    StatusEntry,
    issue_human_sponsor,
)
from delegant.credentials.codec import JsonObject
from delegant.credentials.credential import parse_human_sponsor
from delegant.credentials.did import check as check_did
from delegant.credentials.did import embeds_key, from_key
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import Error, LimitExceeded, error
from delegant.credentials.shape import url as check_url
from delegant.w3c.didweb import from_url

from . import files, revocations, statuslists
from .allocation import FOREVER, HUMAN_BITS, LIST_BITS, take
from .anchoring import end_keys
from .home import FILE, Home, Settings, Subject, handle
from .keystore import Wallet
from .passphrase import Passphrases
from .registry import REGISTRY_FILE, registry_entry
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
    method: str = "key",
) -> Home:
    """Make a home: organisation, status authority and registry keys, trust, first status list.

    Args:
        path: a folder that is not a home yet.
        org: the organisation's name, for example ``acme.example``.
        url: where its registry will be reached; status lists are named below it.
        ceiling: what it claims authority over, besides ``ans.*`` on its registry.
        max_grant: longest life of a grant, seconds.
        method: of the organisation's DID: ``key``, or ``web`` for the did:web of the address.

    Raises:
        Conflict: ``name-taken``. Rejected: ``wallet-auth``. Malformed: ``shape``,
        ``did-invalid`` for a did:web of an address that is no https host name.
    """
    handle(org)
    check_url(url.rstrip("/") + "/", "url")
    if method not in ("key", "jwk", "web"):
        raise error("shape", "--method is key, jwk or web")
    web = from_url(url.rstrip("/")) if method == "web" else None
    if (path / FILE).exists():
        raise error("name-taken", f"{path} is a delegant home already")
    secret = passphrases.get("organization", new=True)
    files.make_folder(path / "wallets", secret=True)
    wallet = Wallet.create(
        path / "wallets" / "organization.wallet",
        secret,
        kind="organization",
        name=org,
        method=method,
        web=web,
        roles=("status", "registry", "log"),
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
        "subjects": ["did:key:**", "did:jwk:**", *_web_people(settings)],
        "ceiling": [*ceiling, own[-1]] if ceiling else own,
        "maxGrantSeconds": max_grant,
    }
    registry = registry_entry(settings, wallet)
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
    files.write_json(path / REGISTRY_FILE, registry)
    Settings.parse(settings.to_bytes())
    files.write(path / FILE, settings.to_bytes())
    home = Home(path, passphrases)
    statuslists.create(home, 1)
    statuslists.sign(home, wallet, 1, now)
    revocations.sign(home, wallet, 1, (), now)
    return home


def _web_people(settings: Settings) -> list[str]:
    """The did:webs of people at this home's address, where it may have some."""
    try:
        return [f"{settings.web}:people:**"]
    except Error:
        return []


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
    home.check_current(organization)
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
            human_key=pin(wallet),
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
    home.check_current(organization)
    with files.lock(home.path):
        subject = home.subject(name)
        before, entry = sponsor_of(subject)
        if statuslists.used_in(home, entry.list)(entry.index):
            raise error("sponsor-gone", f"{subject.handle} was revoked; nothing un-revokes")
        credential = attest_again(
            home,
            organization,
            before,
            human=subject.did,
            key=subject.pin,
            status=entry,
            now=now,
            grants=grants,
            constraints=constraints,
            attestation=attestation,
        )
        home.save_subject(replace(subject, credential=credential.secured.raw))
    return credential


def sponsor_of(subject: Subject) -> tuple[HumanSponsor, StatusEntry]:
    """A human's newest sponsor credential, and its status entry.

    Raises:
        Rejected: ``wallet-kind`` for an agent.
    """
    if subject.kind != "human":
        raise error("wallet-kind", f"{subject.handle} is no human")
    found = parse_human_sponsor(unpack(subject.credential))
    if found.status is None:
        raise error("status-missing", "the sponsor credential has no status entry")
    return found, found.status


def attest_again(
    home: Home,
    organization: Wallet,
    before: HumanSponsor,
    *,
    human: str,
    key: PublicKey | None,
    status: StatusEntry,
    now: int,
    grants: Sequence[JsonObject] = (),
    constraints: Mapping[str, Any] | None = None,
    attestation: str | None = None,
) -> HumanSponsor:
    """The next revision of a sponsor credential, under the organisation's keys of now.

    Args:
        human, key: the DID, and the key to pin where the DID is not the key.
        status: its own entry, the one before or a new one.
        grants, constraints: as before unless given.
    """
    rights = before.entitlements.json
    block = before.secured.document["credentialSubject"]["humanSponsor"]
    return issue_human_sponsor(
        organization.key(),
        organization=home.settings.organization,
        human=human,
        revision=before.revision + 1,
        grants=list(grants) or rights["grants"],
        constraints=constraints if grants else rights.get("constraints"),
        authority=home.settings.authority,
        authority_key=organization.key("status").public,
        lease=before.lease,
        status=status,
        valid_from=now,
        valid_until=now + SPONSOR_SECONDS,
        attestation=attestation or block.get("attestation"),
        human_key=key,
    )


def pin(wallet: Wallet) -> PublicKey | None:
    """The key others must pin for a wallet's DID; None where the DID is the key."""
    return None if embeds_key(check_did(wallet.did)) else wallet.key().public


def _outdated(home: Home, organization: Wallet, credential: HumanSponsor) -> bool:
    """Whether keys were rotated since a sponsor credential was signed."""
    signer = f"#{organization.key().public.multikey}"
    return (
        credential.issuer != organization.did
        or credential.authority != home.settings.authority
        or not (embeds_key(credential.issuer) or credential.secured.method.endswith(signer))
    )


def refresh(home: Home, organization: Wallet, now: int) -> list[str]:
    """Sign again what is about to age: lists and feed of a minute, credentials of half a day.

    Whatever a rotation left to be done is done too: what was signed with keys that are used no
    more is signed again, what was to be revoked is, and keys are let go at their end.

    Returns:
        What was signed, for people: ``status/1``, ``revocations``, ``ana``.

    Raises:
        Rejected: ``did-key-mismatch`` when the wallet holds keys from before a rotation.
    """
    home.check_current(organization)
    end_keys(home, now)
    changed = settle(home, organization, now)
    for number in statuslists.numbers(home):
        with files.lock(home.path):
            path = home.path / "status" / f"{number}.json"
            if not path.exists() or _aged(home, number, now):
                statuslists.sign(home, organization, number, now)
                changed.append(f"status/{number}")
    if revocations.refresh(home, organization, now, LIST_RENEW):
        changed.append("revocations")
    for subject in home.subjects("human"):
        credential = parse_human_sponsor(unpack(subject.credential))
        if credential.valid_until - now < SPONSOR_RENEW or _outdated(
            home, organization, credential
        ):
            entry = credential.status
            if entry is not None and statuslists.used_in(home, entry.list)(entry.index):
                continue  # revoked humans are not attested again
            renew_human(home, organization, subject.handle, now=now)
            changed.append(subject.handle)
    return changed


def _aged(home: Home, number: int, now: int) -> bool:
    found = statuslists.load(home, number)
    return found.valid_from <= now - LIST_RENEW or found.issuer != home.settings.authority


def settle(home: Home, organization: Wallet, now: int) -> list[str]:
    """Revoke what rotations left behind; what is revoked already stays so."""
    changed: list[str] = []
    for subject in home.subjects():
        for entry in subject.revoke:
            if not statuslists.used_in(home, entry.list)(entry.index):
                statuslists.change(home, organization, entry, "revoke", now)
                changed.append(f"{subject.handle}, revoked before")
        for one in subject.retired:  # a DID that was its key is nobody's any more
            if one.did != subject.did and not revocations.names(home, organization, one.did):
                with suppress(LimitExceeded):  # a full feed: the list says it all the same
                    revocations.revoke(
                        home, organization, "did", one.did, now=now, reason="its key was rotated"
                    )
    return changed

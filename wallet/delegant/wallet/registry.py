"""What a home's naming service publishes of itself: ``registry.json`` beside ``anchor.json``.

    {"id": the registry's DID, "keys": [Multikey], "url", "log": the log's note key}

Whoever resolves names here puts it into a trust folder, among its ``registries``. The registry
key signs answers, the log key signs checkpoints, and neither signs anything else.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from delegant.credentials.codec import JsonObject
from delegant.credentials.did import check as check_did
from delegant.credentials.did import key_of

from . import files
from .home import Home
from .keystore import Wallet, read_header
from .notekey import note_key, read_note_key
from .settings import Settings
from .trustfolder import load_trust, trust_json, write_trust

__all__ = [
    "LOG_ROLE",
    "REGISTRY_FILE",
    "database_at",
    "database_of",
    "open_organization",
    "publish_registry",
    "registry_entry",
    "reserved_keys",
]

REGISTRY_FILE: Final = "registry.json"
LOG_ROLE: Final = "log"


def database_of(home: Home) -> Path | str:
    """Where the rows of a home's registry lie: an address, or a file.

    It is what ``DELEGANT_DATABASE`` says; else ``registry.db`` in the home.
    """
    return database_at(home.path, os.environ.get("DELEGANT_DATABASE"))


def database_at(folder: Path, where: str | None) -> Path | str:
    """The same, for what the setting says; None or empty: it says nothing."""
    if not where:
        return folder / "registry.db"
    return where if ":" in where else Path(where)


def registry_entry(settings: Settings, organization: Wallet) -> JsonObject:
    """What ``registry.json`` says."""
    return {
        "id": settings.registry,
        "keys": [organization.key("registry").public.multikey],
        "url": settings.url + "/",
        "log": note_key(settings.log, organization.key(LOG_ROLE).public),
    }


def open_organization(home: Home, passphrase: str | None = None) -> tuple[Wallet, bool]:
    """The organisation's wallet with all of its keys; a home from before has no log key yet.

    Args:
        passphrase: where it was asked for already.

    Returns:
        The wallet, and whether the log key was made now. It is on disk then, in the wallet and
        in what the home publishes.

    Raises:
        Rejected: ``wallet-auth``, ``wallet-kind``, ``wallet-mode``.
        Malformed: ``wallet-format``. NotFound: ``not-found``.
    """
    path = home.wallet_path("organization")
    read_header(path)  # a missing or damaged file is told before anybody types
    secret = home.passphrases.get("organization") if passphrase is None else passphrase
    with files.lock(home.path / "wallets"):  # of two at once, one makes it
        wallet = Wallet.open(path, secret, kind="organization")
        made = LOG_ROLE not in wallet.roles
        if made:
            beside = path.with_name(f"{path.name}.next")
            files.remove(beside)
            wallet = wallet.renewed(beside, secret, (LOG_ROLE,))
            files.move(beside, path)
    publish_registry(home, wallet)
    return wallet, made


def publish_registry(home: Home, organization: Wallet) -> None:
    """Write ``registry.json``, and the same to the home's own trust folder, where they differ.

    What the trust folder adds of its own (``witnesses``, ``quorum``) stays.
    """
    entry = registry_entry(home.settings, organization)
    path = home.path / REGISTRY_FILE
    if not path.is_file() or files.read_object(path) != entry:
        files.write_json(path, entry)
    folder = home.path / "trust"
    with files.lock(folder):
        value = trust_json(folder)
        listed = value.get("registries", [])
        own = [one for one in listed if one["id"] == entry["id"]]
        fresh = (own[0] if own else {}) | entry
        if own != [fresh]:
            others = [one for one in listed if one["id"] != entry["id"]]
            write_trust(folder, value | {"registries": [fresh, *others]})


def reserved_keys(home: Home) -> set[str]:
    """Multikeys that mean something to a chain, a name or a log: nothing else may use them.

    Those of the home's anchors, registries and resolvers, of its status authority and its log.
    """
    load_trust(home.path / "trust")  # or it says what is wrong with it
    value = trust_json(home.path / "trust")
    groups = (value.get(name, []) for name in ("anchors", "registries", "resolvers"))
    found = {key for group in groups for one in group for key in one["keys"]}
    own = (home.settings.organization, home.settings.authority, home.settings.registry)
    keys = [key_of(check_did(name)) for name in own]
    path = home.path / REGISTRY_FILE
    if path.is_file():
        keys.append(read_note_key(files.read_object(path).get("log"))[1])
    return found | {key.multikey for key in keys if key is not None}

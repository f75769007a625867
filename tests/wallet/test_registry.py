"""What a home publishes of its naming service, and the key its log is signed with."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import PublicKey, did
from delegant.wallet import Home, Settings, Wallet, files, load_trust, rotate_organization
from delegant.wallet.issuer import KINDS, Issuer
from delegant.wallet.notekey import LOG, WITNESS, note_key, read_note_key
from delegant.wallet.registry import open_organization, publish_registry
from delegant.wallet.settings import Witness
from refusal import refusal

from .conftest import PASSPHRASE, T0

ROLES = ("attestation", "status", "registry", "log")


def published(home: Home) -> Any:
    return json.loads((home.path / "registry.json").read_bytes())


def aged(home: Home) -> Wallet:
    """The home as it was before there was a log: no log key, nothing published."""
    path = home.wallet_path("organization")
    wallet = home.open_wallet("organization")
    wallet._keys.pop("log")
    files.remove(path)
    wallet._write(path, PASSPHRASE, None)
    files.remove(home.path / "registry.json")
    value = files.read_object(home.path / "trust" / "trust.json")
    value["registries"][0].pop("log")
    files.write_json(home.path / "trust" / "trust.json", value)
    return home.open_wallet("organization")


def test_a_new_home_has_a_log_key_and_publishes_it(home: Home, organization: Wallet) -> None:
    entry = published(home)
    assert entry == {
        "id": home.settings.registry,
        "keys": [organization.key("registry").public.multikey],
        "url": "http://127.0.0.1:8080/",
        "log": note_key("acme.example/ans", organization.key("log").public),
    }
    trusted = load_trust(home.path / "trust").registries[home.settings.registry]
    assert trusted.log == entry["log"]


def test_every_role_has_a_key_of_its_own(home: Home, organization: Wallet) -> None:
    issuer = Issuer.open(home, PASSPHRASE)
    keys = [organization.key(role).public.multikey for role in ROLES]
    keys += [issuer.signer(issuer.issuers[kind], kind)[0].public.multikey for kind in KINDS]
    keys.append(issuer.holder[0].public.multikey)
    assert len(set(keys)) == len(keys)
    assert did.from_key(organization.key("registry").public) == home.settings.registry


@pytest.mark.parametrize("role", ROLES)
def test_the_generic_issuer_signs_with_no_key_of_another_role(
    home: Home, organization: Wallet, role: str
) -> None:
    Issuer.open(home, PASSPHRASE)  # its own keys: accepted
    path = home.wallet_path("issuer")
    wallet = home.open_wallet("issuer")
    wallet._keys["Ed25519"] = organization.key(role)
    own = Wallet(
        "issuer", "acme.example", wallet._keys, did.from_key(organization.key(role).public)
    )
    files.remove(path)
    own._write(path, PASSPHRASE, None)
    assert refusal(lambda: Issuer.open(home, PASSPHRASE)) == "chain-type"


def test_no_secret_is_published(home: Home, organization: Wallet) -> None:
    seeds = [organization.key(role).export_seed() for role in ROLES]
    for path in home.path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for seed in seeds:
                for form in (seed, seed.hex().encode(), base64.b64encode(seed).rstrip(b"=")):
                    assert form not in data, path


# --- homes from before -------------------------------------------------------------------------


def test_an_older_home_gets_a_log_key_once_and_says_so(home: Home) -> None:
    before = aged(home)
    wallet, made = open_organization(home)
    assert made
    assert {role: wallet.key(role).public for role in ROLES[:3]} == {
        role: before.key(role).public for role in ROLES[:3]
    }
    assert wallet.did == before.did
    again, made = open_organization(home)
    assert not made
    assert again.key("log").public == wallet.key("log").public
    assert published(home)["log"] == note_key("acme.example/ans", wallet.key("log").public)
    assert load_trust(home.path / "trust").registries[home.settings.registry].log is not None


def test_an_interrupted_making_leaves_the_old_wallet_in_place(home: Home) -> None:
    aged(home)
    path = home.wallet_path("organization")
    left = path.with_name(f"{path.name}.next")
    left.write_bytes(b"half a wallet")
    wallet, made = open_organization(home)
    assert made
    assert "log" in wallet.roles
    assert not left.exists()


def test_a_rotation_keeps_the_log_key_and_gives_an_older_home_one(home: Home) -> None:
    log = home.open_wallet("organization").key("log").public
    rotate_organization(home, home.open_wallet("organization"), now=T0 + 5, status=True)
    after = home.open_wallet("organization")
    assert after.key("log").public == log
    assert published(home)["log"] == note_key("acme.example/ans", log)
    rotate_organization(home, aged(home), now=T0 + 10)
    fresh = home.open_wallet("organization").key("log").public
    assert fresh != log
    assert published(home)["log"] == note_key("acme.example/ans", fresh)
    assert load_trust(home.path / "trust").registries[home.settings.registry].log is not None


def test_the_owners_own_words_in_the_trust_folder_stay(home: Home, organization: Wallet) -> None:
    path = home.path / "trust" / "trust.json"
    witness = note_key("w.example", PublicKey(b"\x01" * 31 + b"\x00"), WITNESS)
    value = files.read_object(path)
    other = {"id": organization.did, "keys": [organization.key().public.multikey]}
    value["registries"][0] |= {"witnesses": [witness], "quorum": 1, "url": "http://old.example/"}
    value["registries"].append(other)
    files.write_json(path, value)
    publish_registry(home, organization)
    own, kept = files.read_object(path)["registries"]
    assert own == published(home) | {"witnesses": [witness], "quorum": 1}
    assert kept == other
    before = path.stat().st_mtime_ns
    publish_registry(home, organization)
    assert path.stat().st_mtime_ns == before  # what is said already is not written again


# --- keys of notes, witnesses ------------------------------------------------------------------


def test_a_note_key_is_written_as_c2sp_has_it(organization: Wallet) -> None:
    raw = organization.key("log").public.raw
    name, hashed, rest = note_key("acme.example/ans", PublicKey(raw)).split("+", 2)
    assert name == "acme.example/ans"
    assert base64.b64decode(rest) == b"\x01" + raw
    expected = hashlib.sha256(b"acme.example/ans\n\x01" + raw).hexdigest()[:8]
    assert hashed == expected
    assert read_note_key(f"{name}+{hashed}+{rest}") == (name, PublicKey(raw))


def test_a_published_note_key_is_read_and_written_alike() -> None:
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"  # Go's sumdb/note
    name, key = read_note_key(text)
    assert (name, note_key(name, key)) == ("PeterNeumann", text)


BAD_KEYS = {
    "none": "",
    "no text": 5,
    "no key": "w.example+00000000+",
    "blank": "w example+00000000+" + "A" * 44,
    "long": "w" * 300,
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_what_is_no_note_key_is_refused(name: str) -> None:
    assert refusal(lambda: read_note_key(BAD_KEYS[name])) == "shape"


def test_a_note_key_of_another_kind_or_with_another_hash_is_refused(organization: Wallet) -> None:
    good = note_key("w.example", organization.key("log").public, WITNESS)
    assert refusal(lambda: read_note_key(good, WITNESS)) == ""
    assert refusal(lambda: read_note_key(good, LOG)) == "shape"
    assert refusal(lambda: read_note_key(good.replace("w.", "v."), WITNESS)) == "shape"
    weak = bytes([WITNESS]) + b"\x01" + bytes(31)
    hashed = hashlib.sha256(b"w\n" + weak).hexdigest()[:8]
    text = f"w+{hashed}+{base64.b64encode(weak).decode()}"
    assert refusal(lambda: read_note_key(text, WITNESS)) == "key-weak"


def test_witnesses_survive_writing_and_reading(home: Home, organization: Wallet) -> None:
    key = note_key("w.example/w", organization.key("log").public, WITNESS)
    more = replace(home.settings, witnesses=(Witness("http://127.0.0.1:9001", key),))
    home.save_settings(more)
    assert Home(home.path).settings == more
    assert b"witnesses" not in home.settings.__class__.to_bytes(replace(more, witnesses=()))


@pytest.mark.parametrize(
    "line",
    [
        "witnesses = 1",
        'witnesses = ["http://w.example"]',
        'witnesses = [{url = "http://w.example"}]',
        'witnesses = [{url = "http://w.example", key = "KEY", more = 1}]',
        'witnesses = [{url = "ftp://w.example", key = "KEY"}]',
        'witnesses = [{url = 1, key = "KEY"}]',
        'witnesses = [{url = "http://w.example", key = "w"}]',
        "witnesses = [" + '{url = "http://w.example", key = "KEY"},' * 2 + "]",
        "witnesses = [" + '{url = "http://w.example", key = "KEY"},' * 17 + "]",
    ],
)
def test_witnesses_of_the_wrong_form_are_refused(
    home: Home, organization: Wallet, line: str
) -> None:
    key = note_key("w.example/w", organization.key("log").public, WITNESS)
    text = home.settings.to_bytes().decode()
    good = 'witnesses = [{url = "http://w.example", key = "KEY"}]'.replace("KEY", key)
    assert Settings.parse((text + good).encode()).witnesses == (Witness("http://w.example", key),)
    bad = (text + line.replace("KEY", key)).encode()
    assert refusal(lambda: Settings.parse(bad)) in ("shape", "unknown-member")


def test_the_log_key_lies_in_the_wallet_alone(home: Home, secret: Path) -> None:
    names = {path.name for path in home.path.iterdir() if path.is_file()}
    assert names <= {"delegant.toml", "anchor.json", "registry.json", "state.json", ".lock"}
    mode = home.wallet_path("organization").stat().st_mode & 0o777
    assert mode == 0o600

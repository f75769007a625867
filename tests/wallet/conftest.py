"""A home on a real disk, made at the least cost Argon2id allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from delegant.credentials import Bundle, Request, did
from delegant.wallet import (
    Home,
    Passphrases,
    Wallet,
    add_human,
    create_home,
    find_chain,
    keystore,
    make_bundle,
)

T0 = 1_790_000_000
PASSPHRASE = "correct horse"
READ = [{"actions": ["db.read"], "resources": ["urn:acme:papers:**"]}]
ASKED = Request("db.read", "urn:acme:papers:17")


def presented(home: Home, agent: Wallet, now: int, asked: Request = ASKED) -> Bundle:
    """What an agent presents for an act, with the evidence of its home."""
    links = find_chain(home, agent.did, asked, now)
    return make_bundle(home, agent, links, asked, audience=None, now=now)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """These passphrases guard nothing."""
    monkeypatch.setattr(keystore, "_default", keystore.CHEAPEST)
    monkeypatch.delenv("DELEGANT_HOME", raising=False)
    monkeypatch.delenv("DELEGANT_PASSPHRASE_FILE", raising=False)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def home(tmp_path: Path, secret: Path) -> Home:
    return create_home(
        tmp_path / "acme",
        "acme.example",
        url="http://127.0.0.1:8080",
        passphrases=Passphrases(secret),
        now=T0,
    )


@pytest.fixture
def organization(home: Home) -> Wallet:
    return home.open_wallet("organization")


@pytest.fixture
def ana(home: Home, organization: Wallet) -> Wallet:
    credential = add_human(home, organization, "ana", now=T0, attestation="idp:corp")
    wallet = home.open_wallet("human", "ana")
    assert wallet.did == credential.subject == did.from_key(wallet.key().public)
    return wallet


@pytest.fixture
def web(tmp_path: Path, secret: Path) -> Home:
    """A did:web organisation with Ana, a did:web too."""
    home = create_home(
        tmp_path / "web",
        "acme.example",
        url="https://acme.example",
        passphrases=Passphrases(secret),
        now=T0,
        method="web",
    )
    add_human(home, home.open_wallet("organization"), "ana", now=T0, method="web")
    return home

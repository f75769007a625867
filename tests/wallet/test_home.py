"""The home: found where one stands, closed in its formats, one name for one subject."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from delegant.credentials import Error
from delegant.wallet import Home, Passphrases, Settings, Wallet, create_agent, delegate
from delegant.wallet.home import read_link

from .conftest import T0

GRANT = [{"actions": ["db.read"], "resources": ["urn:acme:papers:**"]}]


def test_it_is_found_by_name_by_the_environment_and_upward(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = home.path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert Home.find().settings == home.settings
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Error, match="not-found") as caught:
        Home.find()
    assert "delegant init" in caught.value.detail
    monkeypatch.setenv("DELEGANT_HOME", str(home.path))
    assert Home.find().settings == home.settings
    with pytest.raises(Error, match="not-found"):
        Home.find(tmp_path)  # what is named goes before the environment
    assert Home.find(home.path).settings == home.settings


def test_settings_survive_writing_and_reading(home: Home) -> None:
    assert Settings.parse(home.settings.to_bytes()) == home.settings


BAD_SETTINGS = {
    "unknown member": b"colour = 1\n",
    "twice": b'org = "b"\n',
    "not TOML": b"= 1\n",
    "not UTF-8": b"# \xff\n",
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_bad_settings_are_refused(home: Home, name: str) -> None:
    path = home.path / "delegant.toml"
    path.write_bytes(path.read_bytes() + BAD_SETTINGS[name])
    with pytest.raises(Error) as caught:
        Home(home.path)
    assert caught.value.exit_status == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version = 1", "version = 2"),
        ("version = 1", ""),
        ('"prompt"', '"written down"'),
        ("did:key:", "did key "),
        ("http://", "ftp://"),
        ("verifiers = []", 'verifiers = "x"'),
        ("verifiers = []", "verifiers = [1]"),
        ("fetch = []", 'fetch = "acme.example"'),
        ("fetch = []", "fetch = [1]"),
        ("fetch = []", 'fetch = ["127.0.0.1:80"]'),
        ("fetch = []", 'fetch = ["https://acme.example"]'),
        ('org = "acme.example"', "org = 1"),
    ],
)
def test_settings_of_the_wrong_kind_are_refused(home: Home, old: str, new: str) -> None:
    text = home.settings.to_bytes().decode()
    assert old in text
    with pytest.raises(Error) as caught:
        Settings.parse(text.replace(old, new).encode())
    assert caught.value.exit_status == 4


def test_a_url_that_is_no_text_is_refused(home: Home) -> None:
    text = home.settings.to_bytes().decode().replace(f'"{home.settings.url}"', "1")
    with pytest.raises(Error):
        Settings.parse(text.encode())


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../ana", "a/b", "Ana", "a b", "é", "-a", "a" * 65]
)
def test_a_name_that_could_leave_the_folder_is_refused(home: Home, ana: Wallet, name: str) -> None:
    with pytest.raises(Error, match="shape"):
        home.wallet_path("human", name)
    with pytest.raises(Error, match="shape"):
        create_agent(home, ana, name, now=T0)
    assert create_agent(home, ana, "a" * 64, now=T0).sponsor == ana.did


def test_a_name_is_given_once_to_humans_and_agents_together(home: Home, ana: Wallet) -> None:
    with pytest.raises(Error, match="name-taken"):
        create_agent(home, ana, "ana", now=T0)
    create_agent(home, ana, "bot", now=T0)
    before = home.wallet_path("agent", "bot").read_bytes()
    with pytest.raises(Error, match="name-taken"):
        create_agent(home, ana, "bot", now=T0)
    assert home.wallet_path("agent", "bot").read_bytes() == before
    assert [one.handle for one in home.subjects()] == ["ana", "bot"]
    assert home.subject(home.subject("bot").did).handle == "bot"


def test_humans_agents_and_the_organisation_have_wallets_of_their_own(
    home: Home, ana: Wallet
) -> None:
    create_agent(home, ana, "bot", now=T0)
    found = {
        path.relative_to(home.path / "wallets").as_posix() for path in home.path.rglob("*.wallet")
    }
    assert found == {"organization.wallet", "humans/ana.wallet", "agents/bot.wallet"}
    for kind, name in (("agent", "ana"), ("human", "bot")):
        with pytest.raises(Error, match="not-found"):
            home.open_wallet(kind, name)  # type: ignore[arg-type]
    os.link(home.wallet_path("human", "ana"), home.wallet_path("agent", "ana"))
    with pytest.raises(Error, match="wallet-kind"):
        home.open_wallet("agent", "ana")


def test_a_link_is_found_by_id_by_its_start_and_by_file(home: Home, ana: Wallet) -> None:
    create_agent(home, ana, "bot", now=T0, tools=["db.read"])
    made = delegate(home, ana, "bot", GRANT, now=T0)
    short = made.link.id.removeprefix("urn:uuid:")
    for name in (made.link.id, short, short[:8], str(made.path)):
        assert home.link(name).digest == made.link.digest
    for name in ("urn:uuid:", "", short[:3], "*", "../state", "nobody"):
        with pytest.raises(Error, match="not-found"):
            home.link(name)


@pytest.mark.parametrize("form", ["di", "jwt"])
def test_a_link_file_is_the_secured_form(home: Home, ana: Wallet, form: str) -> None:
    create_agent(home, ana, "bot", now=T0, tools=["db.read"])
    made = delegate(home, ana, "bot", GRANT, now=T0, form="jwt" if form == "jwt" else "di")
    again = read_link(made.path)
    assert (again.secured.form, again.digest) == (form, made.link.digest)


def test_a_damaged_link_is_passed_over_in_lists_and_told_when_named(
    home: Home, ana: Wallet
) -> None:
    create_agent(home, ana, "bot", now=T0, tools=["db.read"])
    good = delegate(home, ana, "bot", GRANT, now=T0)
    bad = delegate(home, ana, "bot", GRANT, now=T0)
    bad.path.write_bytes(bad.path.read_bytes()[:100])
    assert [link.id for link in home.links()] == [good.link.id]
    with pytest.raises(Error, match="json"):
        home.link(bad.link.id)


def test_a_wrong_passphrase_is_told_and_nothing_is_written(home: Home, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not it")
    wrong.chmod(0o600)
    other = Home(home.path, Passphrases(wrong))
    before = sorted(home.path.rglob("*"))
    with pytest.raises(Error, match="wallet-auth"):
        other.open_wallet("organization")
    assert sorted(home.path.rglob("*")) == before

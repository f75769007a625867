"""Settings: what the environment and the options say, and what is no setting."""

from __future__ import annotations

import dataclasses
import ipaddress
from pathlib import Path

import pytest

from delegant.credentials import Error
from delegant.resolver.settings import Settings

SECRET = "hunter2"
GOOD = [
    ("DATABASE", "postgresql://delegant@db/names", "postgresql://delegant@db/names"),
    ("DATABASE", "/srv/names.db", "/srv/names.db"),
    ("BIND", "[::1]:0", "[::1]:0"),
    ("BIND", "0.0.0.0:65535", "0.0.0.0:65535"),
    ("WORKERS", "64", 64),
    ("ACCESS_LOG", "stderr", "stderr"),
    ("RATE", "0.5", 0.5),
    ("RATE", "0", 0.0),
    ("BURST", "1", 1),
    ("CONCURRENCY", "0", 0),
    ("PROXIES", "127.0.0.1, 10.0.0.0/8,fd00::/8",
     tuple(map(ipaddress.ip_network, ("127.0.0.1", "10.0.0.0/8", "fd00::/8")))),
    ("CORS", "https://app.example,http://[::1]:3000", ("https://app.example", "http://[::1]:3000")),
    ("ANSWERS_MIB", "1", 1),
    ("HEAD_SECONDS", "0.1", 0.1),
    ("MAX_CONNECTIONS", "100000", 100_000),
    ("METRICS", "off", False),
]  # fmt: skip
BAD = [
    ("DATABASE", f"mysql://root:{SECRET}@db/x"), ("DATABASE", "sqlite:x"),
    ("BIND", "8080"), ("BIND", "x:65536"), ("BIND", "::1:80"), ("BIND", "x:٣"),
    ("WORKERS", "0"), ("WORKERS", "65"), ("WORKERS", "two"), ("WORKERS", "1.5"), ("WORKERS", "-1"),
    ("RATE", "-1"), ("RATE", "nan"), ("RATE", "inf"), ("RATE", "1e3"), ("RATE", "1000001"),
    ("BURST", "0"), ("CONCURRENCY", "many"), ("PROXIES", "nginx"), ("PROXIES", "10.0.0.1/8"),
    ("CORS", "*"), ("CORS", "app.example"), ("CORS", "https://app.example/"), ("CORS", "null"),
    ("CORS", "https://*.example"), ("CORS", "https://App.example"),
    ("ANSWERS_MIB", "0"), ("HEAD_SECONDS", "0"), ("MAX_CONNECTIONS", "0"), ("METRICS", "yes"),
    ("METRICS", "ON"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_a_variable_is_read(name: str, text: str, value: object) -> None:
    found = Settings.from_env({f"DELEGANT_{name}": text})
    assert getattr(found, name.lower()) == value
    rest = {one.name for one in dataclasses.fields(found)} - {name.lower()}
    assert all(getattr(found, one) == getattr(Settings(), one) for one in rest)


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_wrong_value_names_its_variable_and_says_no_secret(name: str, text: str) -> None:
    with pytest.raises(Error) as caught:
        Settings.from_env({f"DELEGANT_{name}": text})
    assert caught.value.code == "shape"
    assert f"DELEGANT_{name} is " in caught.value.detail
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_option_wins_over_its_variable_and_is_named_when_wrong() -> None:
    environ = {"DELEGANT_WORKERS": "3", "DELEGANT_BURST": ""}
    assert Settings.from_env(environ).workers == 3
    assert Settings.from_env(environ).burst == Settings().burst  # empty is as good as none
    assert Settings.from_env(environ, workers="2", bind=None).workers == 2
    with pytest.raises(Error, match="--max-connections is a whole number"):
        Settings.from_env(environ, max_connections="x")


def test_the_store_is_the_homes_unless_it_is_said(tmp_path: Path) -> None:
    assert Settings().store(tmp_path) == tmp_path / "registry.db"
    assert Settings(database="/srv/x.db").store(tmp_path) == Path("/srv/x.db")
    url = "postgresql://db/names"
    assert Settings(database=url).store(tmp_path) == url


def test_the_table_has_every_variable_once() -> None:
    rows = Settings.table().splitlines()[2:]
    names = [row.split("`")[1] for row in rows]
    assert names == [f"DELEGANT_{one.name.upper()}" for one in dataclasses.fields(Settings)]
    assert "| `2000` |" in Settings.table()

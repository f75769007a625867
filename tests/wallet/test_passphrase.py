"""Where a passphrase comes from, in which order, and what is said when there is none."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from delegant.credentials import Error
from delegant.wallet import Passphrases


def holding(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_file_named_goes_before_the_environments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELEGANT_PASSPHRASE_FILE", str(holding(tmp_path / "a", "env\n")))
    assert Passphrases().get("human ana") == "env"
    assert Passphrases(holding(tmp_path / "b", " file \n")).get("human ana") == " file "


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [("x", 0o644, "wallet-mode"), ("x", 0o640, "wallet-mode"), ("", 0o600, "wallet-auth"),
     ("\n", 0o600, "wallet-auth"), ("x" * 5000, 0o600, "limit-size")],
)  # fmt: skip
def test_a_bad_file_is_refused(tmp_path: Path, text: str, mode: int, code: str) -> None:
    with pytest.raises(Error, match=code):
        Passphrases(holding(tmp_path / "p", text, mode)).get("human ana")


def test_a_missing_or_linked_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Error, match="not-found"):
        Passphrases(tmp_path / "none").get("human ana")
    (tmp_path / "link").symlink_to(holding(tmp_path / "p", "x"))
    with pytest.raises(Error, match="wallet-mode"):
        Passphrases(tmp_path / "link").get("human ana")
    assert Passphrases(tmp_path / "p").get("human ana") == "x"
    (tmp_path / "p").write_bytes(b"\xff\xfe")
    with pytest.raises(Error, match="wallet-auth"):
        Passphrases(tmp_path / "p").get("human ana")


def test_without_a_terminal_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(Error, match="wallet-auth") as caught:
        Passphrases().get("human ana")
    assert "--passphrase-file" in caught.value.detail


class Terminal:
    def isatty(self) -> bool:
        return True


def at_terminal(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    prompts: list[str] = []
    left = list(answers)

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return left.pop(0)

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", ask)
    return prompts


def test_a_terminal_is_asked_once_and_twice_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = at_terminal(monkeypatch, "a", "b", "b")
    assert Passphrases().get("human ana") == "a"
    assert Passphrases().get("human ana", new=True) == "b"
    assert len(prompts) == 3
    assert "human ana" in prompts[0]


@pytest.mark.parametrize("answers", [("a", "b"), ("", "")])
def test_two_that_differ_or_are_empty_are_refused(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[str, str]
) -> None:
    at_terminal(monkeypatch, *answers)
    with pytest.raises(Error, match="wallet-auth"):
        Passphrases().get("human ana", new=True)


def fake_keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    kept: dict[tuple[str, str], str] = {}
    module = types.ModuleType("keyring")
    vars(module)["get_password"] = lambda service, user: kept.get((service, user))
    vars(module)["set_password"] = lambda service, user, word: kept.update({(service, user): word})
    monkeypatch.setitem(sys.modules, "keyring", module)
    return kept


def test_the_keyring_makes_one_up_and_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = fake_keyring(monkeypatch)
    with pytest.raises(Error, match="wallet-auth"):
        Passphrases(keyring=True, scope="did:key:z1").get("human ana")
    made = Passphrases(keyring=True, scope="did:key:z1").get("human ana", new=True)
    assert len(made) >= 32
    assert Passphrases(keyring=True, scope="did:key:z1").get("human ana") == made
    assert list(kept) == [("delegant", "did:key:z1#human ana")]
    with pytest.raises(Error, match="wallet-auth"):  # another home's is another's
        Passphrases(keyring=True, scope="did:key:z2").get("human ana")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(Error, match=r"pip install 'delegant\[keyring\]'"):
        Passphrases(keyring=True).get("human ana")


def test_it_shows_no_passphrase(tmp_path: Path) -> None:
    source = Passphrases(holding(tmp_path / "p", "hunter2"))
    source.get("human ana")
    assert "hunter2" not in repr(source)

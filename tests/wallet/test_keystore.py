"""The wallet file (K1): modes, links, wrong passphrases, damage, memory bombs, leaks."""

from __future__ import annotations

import json
import os
import pickle
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Error
from delegant.wallet import Wallet, files, keystore

GOOD = "correct horse"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ana.wallet"


@pytest.fixture
def wallet(path: Path) -> Wallet:
    return Wallet.create(path, GOOD, kind="human", name="ana")


def refused(path: Path, passphrase: str = GOOD, kind: Any = "human") -> Error:
    """The refusal to open; the same file, whole, is opened by the twin in each test."""
    with pytest.raises(Error) as caught:
        Wallet.open(path, passphrase, kind=kind)
    return caught.value


def test_what_was_sealed_is_opened(path: Path, wallet: Wallet) -> None:
    again = Wallet.open(path, GOOD, kind="human")
    assert (again.did, again.name, again.kind) == (wallet.did, "ana", "human")
    assert again.key().public == wallet.key().public
    assert again.key().sign(b"x") == wallet.key().sign(b"x")


@pytest.mark.parametrize("method", ["key", "jwk"])
def test_the_did_is_of_the_method_asked_for(path: Path, method: str) -> None:
    made = Wallet.create(path, GOOD, kind="agent", name="bot", method=method)
    assert made.did.startswith(f"did:{method}:")
    assert Wallet.open(path, GOOD, kind="agent").did == made.did


def test_a_new_wallet_is_for_its_owner_alone(path: Path, wallet: Wallet) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]  # no temporary file stays


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601])
def test_a_wallet_others_can_reach_is_refused(path: Path, wallet: Wallet, mode: int) -> None:
    path.chmod(mode)
    assert refused(path).code == "wallet-mode"
    path.chmod(0o600)
    assert Wallet.open(path, GOOD, kind="human").did == wallet.did


def test_a_symbolic_link_is_refused(path: Path, wallet: Wallet) -> None:
    link = path.with_name("link.wallet")
    link.symlink_to(path)
    assert refused(link).code == "wallet-mode"
    with pytest.raises(Error, match="name-taken"):
        Wallet.create(link, GOOD, kind="human", name="ana")
    dangling = path.with_name("dangling.wallet")
    dangling.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(Error, match="name-taken"):
        Wallet.create(dangling, GOOD, kind="human", name="ana")
    assert not path.with_name("elsewhere").exists()


def test_a_pipe_does_not_hang_the_reader(path: Path) -> None:
    os.mkfifo(path, 0o600)
    assert refused(path).code == "wallet-mode"


@pytest.mark.parametrize("wrong", ["", "correct hors", "correct horse ", "Correct horse", "ö"])
def test_a_wrong_passphrase_is_refused(path: Path, wallet: Wallet, wrong: str) -> None:
    assert refused(path, wrong).code == "wallet-auth"


def test_an_empty_passphrase_makes_no_wallet(path: Path) -> None:
    with pytest.raises(Error, match="wallet-auth"):
        Wallet.create(path, "", kind="human", name="ana")
    assert not path.exists()


@pytest.mark.parametrize("kind", ["agent", "organization"])
def test_another_kind_of_wallet_is_refused(path: Path, wallet: Wallet, kind: str) -> None:
    assert refused(path, kind=kind).code == "wallet-kind"


def test_an_existing_wallet_is_never_replaced(path: Path, wallet: Wallet) -> None:
    before = path.read_bytes()
    with pytest.raises(Error, match="name-taken"):
        Wallet.create(path, "other", kind="human", name="ana")
    assert path.read_bytes() == before


Edit = Callable[[dict[str, Any]], object]
BOMB = 1 << 40

EDITS: dict[str, tuple[Edit, str]] = {
    "unknown member": (lambda v: v.update(x=1), "wallet-format"),
    "no nonce": (lambda v: v.pop("nonce"), "wallet-format"),
    "version 2": (lambda v: v.update(version=2), "wallet-format"),
    "version true": (lambda v: v.update(version=True), "wallet-format"),
    "unknown kind": (lambda v: v.update(kind="robot"), "wallet-format"),
    "name a number": (lambda v: v.update(name=1), "wallet-format"),
    "no did": (lambda v: v.update(did="ana"), "wallet-format"),
    "kdf a list": (lambda v: v.update(kdf=[]), "wallet-format"),
    "other kdf": (lambda v: v["kdf"].update(name="scrypt"), "wallet-format"),
    "memory bomb": (lambda v: v["kdf"].update(memlimit=BOMB), "wallet-format"),
    "endless passes": (lambda v: v["kdf"].update(opslimit=1 << 30), "wallet-format"),
    "no passes": (lambda v: v["kdf"].update(opslimit=0), "wallet-format"),
    "salt too short": (lambda v: v["kdf"].update(salt="AAAA"), "wallet-format"),
    "salt not base64url": (lambda v: v["kdf"].update(salt="++++"), "wallet-format"),
    "nonce cut": (lambda v: v.update(nonce=v["nonce"][:8]), "wallet-format"),
    "sealed part cut": (lambda v: v.update(ciphertext="AAAA"), "wallet-format"),
    "sealed part a number": (lambda v: v.update(ciphertext=7), "wallet-format"),
    "another name": (lambda v: v.update(name="ben"), "wallet-auth"),
    "an agent's passed off as a human's": (lambda v: v.update(kind="agent"), "wallet-kind"),
    "more passes": (lambda v: v["kdf"].update(opslimit=2), "wallet-auth"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_altered_wallet_is_refused(path: Path, wallet: Wallet, name: str) -> None:
    edit, code = EDITS[name]
    whole = path.read_bytes()
    value = json.loads(whole)
    edit(value)
    files.write_json(path, value, secret=True)
    assert refused(path).code == code
    files.write(path, whole, secret=True)
    assert Wallet.open(path, GOOD, kind="human").did == wallet.did


def test_the_clear_header_is_bound_to_the_keys(path: Path, wallet: Wallet) -> None:
    value = json.loads(path.read_bytes())
    value["kind"] = "agent"  # everything else as it was
    files.write_json(path, value, secret=True)
    assert refused(path, kind="agent").code == "wallet-auth"


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"version":1,"version":1}',
     b'{"version":NaN}', b"[" * 5000],
)  # fmt: skip
def test_what_is_no_wallet_is_refused(path: Path, data: bytes) -> None:
    files.write(path, data, secret=True)
    assert refused(path).code == "wallet-format"


def test_every_truncation_and_an_oversized_file_are_refused(path: Path, wallet: Wallet) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 37):
        files.write(path, whole[:length], secret=True)
        assert refused(path).code == "wallet-format"
    files.write(path, whole + b" " * 20_000, secret=True)
    assert refused(path).code == "wallet-format"


def test_a_flipped_bit_never_opens(path: Path, wallet: Wallet) -> None:
    whole = path.read_bytes()
    for place in range(0, len(whole) - 1, 23):
        files.write(path, _flipped(whole, place), secret=True)
        assert refused(path).code in ("wallet-format", "wallet-auth", "wallet-kind")


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_keys_are_asked_for_by_role(path: Path) -> None:
    roles = ("status", "registry")
    made = Wallet.create(path, GOOD, kind="organization", name="acme", roles=roles)
    keys = {made.key(role).public for role in ("attestation", *roles)}
    assert len(keys) == 3
    assert made.key() is made.key("attestation")
    with pytest.raises(Error, match="not-found"):
        made.key("log")


def test_an_open_wallet_shows_its_keys_nowhere(path: Path, wallet: Wallet) -> None:
    seed = wallet.key().export_seed()
    shown = repr(wallet) + str(wallet) + repr(wallet.key()) + f"{wallet!r:>5}"
    assert seed.hex() not in shown
    for thing in (wallet, wallet.key()):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    assert seed not in path.read_bytes()
    assert seed.hex().encode() not in path.read_bytes()


def test_the_usual_cost_is_not_the_tests() -> None:
    assert keystore.INTERACTIVE.memlimit >= 64 * 1024 * 1024
    assert keystore.DEAREST.memlimit <= 512 * 1024 * 1024

"""Where a passphrase comes from: a file named, the environment's file, the keyring, a terminal.

In that order, and the first that is there counts. A passphrase is never an argument or an
environment variable itself: other processes can read both.
"""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from delegant.credentials.errors import error

from . import files

__all__ = ["VARIABLE", "Passphrases"]

VARIABLE: Final = "DELEGANT_PASSPHRASE_FILE"
SERVICE: Final = "delegant"
_MAX: Final = 4096


@dataclass(slots=True)
class Passphrases:
    """The passphrases of one command.

    Args:
        file: holds the one passphrase of every wallet (``--passphrase-file``).
        keyring: whether the home asks for the system's keyring.
        scope: names this home in the keyring.
    """

    file: Path | None = None
    keyring: bool = False
    scope: str = ""
    _read: str | None = field(default=None, repr=False)

    def get(self, wallet: str, *, new: bool = False) -> str:
        """The passphrase of a wallet.

        Args:
            wallet: its name, for the prompt and the keyring, for example ``human ana``.
            new: the wallet is being made: a terminal asks twice, the keyring makes one up.

        Raises:
            Rejected: ``wallet-auth``, ``wallet-mode``. NotFound: ``not-found``.
        """
        source = self.file or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
        if source is not None:
            if self._read is None:
                self._read = _from_file(source)
            return self._read
        if self.keyring:
            return _from_keyring(f"{self.scope}#{wallet}", wallet, new=new)
        return _ask(wallet, new=new)


def _from_file(path: Path) -> str:
    raw = path.expanduser()
    # A pipe the shell made (`<(pass show delegant)`) is a link by nature, and nobody else's.
    if str(raw).startswith(("/dev/fd/", "/dev/stdin", "/proc/self/fd/")):
        data = files.read(raw, size=_MAX)
    else:
        data = files.read_secret(raw, size=_MAX)
    try:
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise error("wallet-auth", f"{path} is not UTF-8 text") from None
    if not text:
        raise error("wallet-auth", f"{path} is empty")
    return text


def _from_keyring(user: str, wallet: str, *, new: bool) -> str:
    keyring = _keyring()
    try:
        found = keyring.get_password(SERVICE, user)
        if found is None and new:
            found = secrets.token_urlsafe(32)
            keyring.set_password(SERVICE, user, found)
    except Exception as exc:  # noqa: BLE001 - every backend has errors of its own
        raise error("unavailable", f"the keyring does not answer: {type(exc).__name__}") from None
    if not found:
        raise error("wallet-auth", f"the keyring has no passphrase for {wallet}")
    return str(found)


def _keyring() -> Any:
    try:
        import keyring  # noqa: PLC0415 - an extra
    except ImportError:
        raise error(
            "wallet-auth",
            "this home keeps passphrases in the keyring: pip install 'delegant[keyring]'",
        ) from None
    return keyring


def _ask(wallet: str, *, new: bool) -> str:
    if not (sys.stdin and sys.stdin.isatty()):
        raise error(
            "wallet-auth",
            f"no passphrase for {wallet}, and no terminal to ask at: "
            f"give --passphrase-file FILE or set {VARIABLE}",
        )
    import getpass  # noqa: PLC0415 - seldom needed

    text = getpass.getpass(f"{'New passphrase' if new else 'Passphrase'} for {wallet}: ")
    if new and text != getpass.getpass("Again: "):
        raise error("wallet-auth", "the two are not the same")
    if not text:
        raise error("wallet-auth", "the passphrase is empty")
    return text

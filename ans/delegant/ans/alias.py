"""Aliases: ``ans://v1.0.0.host.example``, the names of the ANS v2 drafts.

A version of exactly three numbers and a host of two or more labels, lower case and ASCII. An
alias is another way to find a name; it proves nothing by itself.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Final

from delegant.credentials.errors import Error, error

from .name import MAX_LABEL, MAX_NAME

__all__ = ["AnsAlias", "check_host"]

_SCHEME: Final = "ans://"
_HOST: Final = frozenset(string.ascii_lowercase + string.digits + "-")


@dataclass(frozen=True, slots=True)
class AnsAlias:
    """A parsed alias; none can be built that `parse` would not read."""

    version: tuple[int, int, int]
    host: str

    def __post_init__(self) -> None:
        if type(self.version) is not tuple or _read(str(self)) != (self.version, self.host):
            raise _no(self, "its parts are not what it reads as")

    @classmethod
    def parse(cls, text: str) -> AnsAlias:
        """Read an alias of at most 253 characters.

        Raises:
            Malformed: ``ans-name``, with a hint.
        """
        return cls(*_read(text))

    def __str__(self) -> str:
        return f"{_SCHEME}v{'.'.join(map(str, self.version))}.{self.host}"


def _read(text: str) -> tuple[tuple[int, int, int], str]:
    if type(text) is not str or len(text) > MAX_NAME:
        raise _no(text, f"an alias is text of at most {MAX_NAME} characters")
    if not text.startswith(f"{_SCHEME}v"):
        raise _no(text, "an alias begins with ans://v")
    *numbers, host = text[len(_SCHEME) + 1 :].split(".", 3)
    if len(numbers) != 3 or not all(map(_is_number, numbers)):
        raise _no(text, "three numbers without leading zeros come first, as v1.0.0")
    if host.split(".")[0].isdigit():
        raise _no(text, "a fourth number is neither version nor host")
    check_host(host)
    major, minor, patch = map(int, numbers)
    return (major, minor, patch), host


def _is_number(text: str) -> bool:
    plain = 0 < len(text) <= 9 and text.isascii() and text.isdigit()
    return plain and (len(text) == 1 or text[0] != "0")


def check_host(host: str) -> None:
    """A host name: two or more lower-case labels, no punycode, no address; or ``ans-name``."""
    labels = host.split(".") if type(host) is str and len(host) <= MAX_NAME else []
    if len(labels) < 2 or labels[-1].isdigit():
        raise _no(host, "a host has two or more labels and is no address")
    for label in labels:
        if not 0 < len(label) <= MAX_LABEL or not _HOST.issuperset(label):
            raise _no(host, f"host labels are 1 to {MAX_LABEL} of a-z, 0-9 and -")
        if label[0] == "-" or label[-1] == "-" or label[:4] == "xn--":
            raise _no(host, "labels neither begin nor end with a hyphen, nor begin with xn--")


def _no(text: object, hint: str) -> Error:
    return error("ans-name", f"{str(text)[:80]!r}: {hint}. The form is ans://v1.0.0.host.example")

"""Name patterns: a name in which ``*`` stands for any characters of a label.

    mcp://*.*.AcmeLabs          any version, any extension
    *://Support.*.Acme.v1.*     any protocol; the last * alone: whatever follows, or nothing
    a2a://Risk*.*.*             labels that begin with Risk
    mcp://*.*.Acme.v*           the same as mcp://*.*.Acme: any version

Compared without case, as names are. A ``*`` never reaches over a dot but for the last label when
it is ``*`` alone. The matcher goes through label and pattern once, leftmost fit first: no regular
expression, nothing to go back to.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Final

from delegant.credentials.errors import Error, error

from .name import MAX_LABEL, MAX_NAME, MAX_PROTOCOL, AnsName

__all__ = ["NamePattern", "fits"]

_LABEL: Final = frozenset(string.ascii_lowercase + string.digits + "-*")
_MOST: Final = 7  # labels of a name: three, at most three of a version, an extension


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A pattern in its one spelling: lower case, with a protocol, without doubled ``*``."""

    text: str

    @classmethod
    def parse(cls, text: str) -> NamePattern:
        """Read a pattern. Without ``://`` it is of any protocol; of three labels, any version.

        Raises:
            Malformed: ``ans-query``.
        """
        if type(text) is not str or not 0 < len(text) <= MAX_NAME or not text.isascii():
            raise _no(text, f"a pattern is ASCII text of 1 to {MAX_NAME} characters")
        protocol, separator, rest = text.lower().rpartition("://")
        protocol = _single(protocol) if separator else "*"
        labels = [_single(label) for label in rest.split(".")]
        if not 0 < len(protocol) <= MAX_PROTOCOL or not _LABEL.issuperset(protocol):
            raise _no(text, "a protocol and :// come first, as mcp:// or *://")
        if any(not 0 < len(one) <= MAX_LABEL or not _LABEL.issuperset(one) for one in labels):
            raise _no(text, f"labels are 1 to {MAX_LABEL} ASCII letters, digits, hyphens and *")
        if len(labels) > _MOST + (labels[-1] == "*"):
            raise _no(text, f"no name has more than {_MOST} labels")
        while labels[-2:] == ["*", "*"] and len(labels) > 4:
            labels.pop()
        # A version has dots, and who writes v* means them all.
        if len(labels) == 3 or labels[3:] == ["v*"]:
            labels[3:] = ["*"]
        if len(labels) < 3 and labels[-1] != "*":
            raise _no(text, "it names fewer than three labels and does not end with .*")
        return cls(f"{protocol}://{'.'.join(labels)}")

    def matches(self, name: AnsName) -> bool:
        """Whether a name fits, with as many labels as the pattern has or a last ``*``."""
        protocol, _, rest = self.text.partition("://")
        wanted, given = rest.split("."), name.key.partition("://")[2].split(".")
        if wanted[-1] == "*":
            wanted.pop()
            given = given[: len(wanted)]
        return (
            len(wanted) == len(given)
            and fits(protocol, name.protocol)
            and all(fits(one, other) for one, other in zip(wanted, given, strict=True))
        )

    def __str__(self) -> str:
        return self.text


def fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern in which ``*`` is any run of characters, or none.

    Each piece between two ``*`` is taken where it stands first: were there a fit with a later
    one, there is one with the first.
    """
    first, *pieces = pattern.split("*")
    if not pieces:
        return text == pattern
    last = pieces.pop()
    if len(text) < len(first) + len(last):
        return False
    if not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in pieces:
        if not piece:
            continue
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _single(text: str) -> str:
    """The text with no ``*`` beside another: they say the same."""
    out: list[str] = []
    for char in text:
        if char != "*" or out[-1:] != ["*"]:
            out.append(char)
    return "".join(out)


def _no(text: object, hint: str) -> Error:
    return error("ans-query", f"{str(text)[:80]!r}: {hint}", dimension="pattern")

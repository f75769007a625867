"""Version ranges: ``>=2.1.0 <3.0.0``, ``^2``, ``~2.1``, ``2.x``, ``*``.

The comparators of npm, without what names have no use for: no ``||``, no hyphen ranges, no
pre-releases. Comparators beside each other, with spaces or a comma between, must all hold, so a
range is one interval. As in npm a version that leaves numbers out stands for all it begins
(``1.2`` is ``1.2.x``, ``>1.2`` begins at 1.3.0); in a *name* what is left out counts as 0.

>>> VersionRange.parse("^0.2.3")
VersionRange(low=(0, 2, 3), high=(0, 3, 0))
>>> VersionRange.parse(">=2.1.0 <3.0.0").matches((2, 1))
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from delegant.credentials.errors import Error, error

__all__ = ["VersionRange", "padded"]

Triple: TypeAlias = tuple[int, int, int]

MAX_RANGE: Final = 128
MAX_COMPARATORS: Final = 16
_DIGITS: Final = frozenset("0123456789")
_MOST: Final = 10**9  # version numbers have at most nine digits
_OPERATORS: Final = (">=", "<=", ">", "<", "=", "^", "~")  # the longer first
_ZERO: Final[Triple] = (0, 0, 0)


def padded(version: Sequence[int]) -> Triple:
    """One to three numbers as three: what is missing counts as 0."""
    major, minor, patch = (*version, 0, 0, 0)[:3]
    return major, minor, patch


@dataclass(frozen=True, slots=True)
class VersionRange:
    """The versions from ``low`` on, and below ``high`` where there is one.

    Ranges that hold the same versions are equal, however they were written; ``str()`` gives
    their one spelling.
    """

    low: Triple = _ZERO
    high: Triple | None = None

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """Read a range of at most 128 characters and 16 comparators.

        Raises:
            Malformed: ``ans-query``.
        """
        if type(text) is not str or len(text) > MAX_RANGE:
            raise _no(text, f"a version range is text of at most {MAX_RANGE} characters")
        if "||" in text:
            raise _no(text, "one range and no alternatives: ask once for each")
        low, high = _ZERO, None
        for comparator in _comparators(text):
            begin, end = _interval(text, comparator)
            low = max(low, begin)
            if end is not None and (high is None or end < high):
                high = end
        if high is not None and low >= high:
            return cls(_ZERO, _ZERO)  # no version at all, in one spelling
        return cls(low, high)

    def matches(self, version: Sequence[int]) -> bool:
        """Whether a version of one to three numbers lies in the range."""
        numbers = padded(version)
        return self.low <= numbers and (self.high is None or numbers < self.high)

    def __str__(self) -> str:
        if self.high is None:
            return f">={_text(self.low)}" if self.low != _ZERO else "*"
        low = f">={_text(self.low)} " if self.low != _ZERO else ""
        return f"{low}<{_text(self.high)}"


def _comparators(text: str) -> list[str]:
    out: list[str] = []
    for part in text.split(","):
        words = [word for word in part.split(" ") if word]
        if not words:
            raise _no(text, "nothing is no range; * is every version")
        waiting = ""
        for word in words:
            if not waiting and word in _OPERATORS:
                waiting = word  # npm lets a space stand behind an operator
                continue
            out.append(waiting + word)
            waiting = ""
        if waiting:
            raise _no(text, f"{waiting} stands before a version")
    if len(out) > MAX_COMPARATORS:
        raise _no(text, f"at most {MAX_COMPARATORS} comparators")
    return out


def _interval(text: str, comparator: str) -> tuple[Triple, Triple | None]:
    """One comparator as [begin, end)."""
    operator = next((o for o in _OPERATORS if comparator.startswith(o)), "")
    given = _numbers(text, comparator[len(operator) :])
    begin = padded(given)
    end = _after(given)
    if operator == ">=":
        return begin, None
    if operator == "<=":
        return _ZERO, end
    if operator == "<":
        return _ZERO, begin
    if operator == ">":
        return (_ZERO, _ZERO) if end is None else (end, None)
    if operator == "~":
        return begin, _after(given[:2])
    if operator == "^":
        return begin, _after(_caret(given))
    return begin, end


def _caret(given: tuple[int, ...]) -> tuple[int, ...]:
    """Up to and with the first number that is not 0: what ``^`` holds fast."""
    for at, number in enumerate(given):
        if number:
            return given[: at + 1]
    return given


def _after(given: tuple[int, ...]) -> Triple | None:
    """The first version behind all that begin so; None where nothing is behind."""
    if not given:
        return None
    *rest, last = given
    if last + 1 == _MOST:  # no name has such a number: the next is one place to the left
        return _after(tuple(rest))
    return padded((*rest, last + 1))


def _numbers(text: str, version: str) -> tuple[int, ...]:
    """The numbers that are given; empty for ``*``."""
    parts = version.removeprefix("v").split(".")
    if len(parts) > 3:
        raise _no(text, "a version has at most three numbers")
    while parts and parts[-1] in {"*", "x", "X"}:
        parts.pop()
    for part in parts:
        if not part or not _DIGITS.issuperset(part):
            raise _no(text, f"{version[:32]!r} is no version, as 1.2.3 or 1.2.x")
        if len(part) > 9 or (len(part) > 1 and part[0] == "0"):
            raise _no(text, "version numbers have no leading zeros and at most nine digits")
    return tuple(map(int, parts))


def _text(version: Triple) -> str:
    return ".".join(map(str, version))


def _no(text: object, hint: str) -> Error:
    return error("ans-query", f"{str(text)[:80]!r}: {hint}", dimension="version")

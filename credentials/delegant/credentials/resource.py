"""Actions and resources: their one spelling, and when one pattern covers another.

A resource is an absolute URI that is already canonical, exact or ending ``/**`` (in a urn:
``:**``). Anything a server might later read as another resource is refused, never normalised
(DESIGN, rule 10), so comparing strings compares resources.

>>> covers_resource("urn:acme:papers:**", "urn:acme:papers:17")
True
>>> covers_resource("urn:acme:papers:**", "urn:acme:papers-2:17")
False
>>> covers_action("db.*", "db.read")
True
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from .codec import Json
from .errors import error
from .shape import MAX_URL, visible

__all__ = [
    "action",
    "action_pattern",
    "covering_actions",
    "covering_resources",
    "covers_action",
    "covers_resource",
    "meet_actions",
    "meet_resources",
    "resource",
    "resource_pattern",
]

MAX_ACTION: Final = 128

_ACTION: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.ASCII)
# Percent triplets: upper case, and never one that stands for an unreserved character, a
# separator, a control character, '%' itself or a byte above ASCII's end that is not UTF-8.
_TRIPLET: Final = re.compile(r"%(?:20|22|3C|3E|5B|5D|5E|60|7B|7C|7D|C[2-9A-F]|[D-E][0-9A-F]|"
                             r"F[0-4]|[89AB][0-9A-F])", re.ASCII)  # fmt: skip
_SEGMENT: Final = r"[A-Za-z0-9._~!$&'()+,=@%:-]"
_PLAIN: Final = r"[A-Za-z0-9._~!$&'()+,=@-]"
_URN: Final = re.compile(
    rf"urn:[a-z0-9](?:[a-z0-9-]{{0,30}}[a-z0-9])?(?:(?::{_PLAIN}+)+(?::\*\*)?|:\*\*)", re.ASCII
)
_DID: Final = re.compile(r"did:[a-z0-9]+(?::[A-Za-z0-9._-]+)+", re.ASCII)
_HIER: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://"
    r"(?P<host>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    rf"(?P<path>/(?>(?:{_SEGMENT}++/)*)(?:{_SEGMENT}++|\*\*)?)",
    re.ASCII,
)
_DEFAULT_PORT: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
_UNICODE: Final = unicodedata.ucd_3_2_0
"""One table of Unicode on every Python; what it does not know is refused."""
_DOTS: Final = frozenset({".", ".."})


def action(value: Json, where: str) -> str:
    """Dot-separated segments ``[a-z0-9_-]``: what a request does."""
    if type(value) is not str or len(value) > MAX_ACTION or not _ACTION.fullmatch(value):
        raise error("shape", f"{where}: {_shown(value)} is not an action")
    return value


def action_pattern(value: Json, where: str) -> str:
    """An action, or one ending ``.*``: everything strictly below it."""
    if type(value) is str and value.endswith(".*"):
        action(value[:-2], where)
        return value
    return action(value, where)


def resource_pattern(value: Json, where: str) -> str:
    """A canonical absolute URI, perhaps ending ``/**`` or (urn) ``:**``."""
    if type(value) is not str or not 0 < len(value) <= MAX_URL or not _is_resource(value):
        raise error("shape", f"{where}: {_shown(value)} is not a canonical resource")
    return value


def resource(value: Json, where: str) -> str:
    """A canonical absolute URI without wildcard: what a request is about."""
    out = resource_pattern(value, where)
    if out.endswith("**"):
        raise error("shape", f"{where} must be exact")
    return out


def _shown(value: Json) -> str:
    return repr(value[:80]) if type(value) is str else "what is no string"


def _is_resource(value: str) -> bool:
    if value.startswith("urn:"):
        return _URN.fullmatch(value) is not None and not _DOTS.intersection(value.split(":"))
    if value.startswith("did:"):
        return _DID.fullmatch(value) is not None
    match = _HIER.fullmatch(value)
    if match is None:
        return False
    port = match["port"]
    if port is not None and (int(port) > 65535 or _DEFAULT_PORT.get(match["scheme"]) == port):
        return False
    path = match["path"]
    if "%" in path and not _clean_percent(path):
        return False
    return not _DOTS.intersection(path.split("/"))


def _clean_percent(path: str) -> bool:
    if "%" in _TRIPLET.sub("", path):
        return False
    raw = re.sub(r"%([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), path)
    try:
        text = raw.encode("latin-1").decode("utf-8")  # refuses overlong and broken sequences
    except UnicodeDecodeError:
        return False
    # Full-width dots and slashes, letters with loose accents, and what nobody sees.
    return (
        visible(text)
        and text == _UNICODE.normalize("NFKC", text)
        and not any(_UNICODE.category(c).startswith("C") for c in text)
    )


def covers_action(parent: str, child: str) -> bool:
    """Whether everything the child pattern matches, the parent matches."""
    if parent == child:
        return True
    return parent.endswith(".*") and child.startswith(parent[:-1])


def covers_resource(parent: str, child: str) -> bool:
    """Whether everything the child pattern matches, the parent matches.

    ``x/**`` covers what lies below ``x/``, and not ``x``.
    """
    if parent == child:
        return True
    return parent.endswith("**") and child.startswith(parent[:-2])


def covering_actions(pattern: str) -> frozenset[str]:
    """All patterns that cover this one: itself, and a wildcard at each of its dots.

    >>> sorted(covering_actions("db.papers.read"))
    ['db.*', 'db.papers.*', 'db.papers.read']
    """
    return frozenset([pattern, *[pattern[: m.end()] + "*" for m in _DOT.finditer(pattern)]])


def covering_resources(pattern: str) -> frozenset[str]:
    """All patterns that cover this one: itself, and a wildcard behind each of its separators."""
    return frozenset([pattern, *[pattern[: m.end()] + "**" for m in _MARK.finditer(pattern)]])


_DOT: Final = re.compile(r"\.")
_MARK: Final = re.compile(r"[:/]")


def meet_actions(a: str, b: str) -> str | None:
    """The pattern both cover, or None: two patterns are nested or apart."""
    if covers_action(a, b):
        return b
    return a if covers_action(b, a) else None


def meet_resources(a: str, b: str) -> str | None:
    """The pattern both cover, or None."""
    if covers_resource(a, b):
        return b
    return a if covers_resource(b, a) else None

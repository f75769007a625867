"""Names: ``protocol://AgentFunction.CapabilityDomain.Provider.vMAJOR[.MINOR[.PATCH]][.extension]``.

The CSA paper's grammar, read strictly. Parsing anchors on the first label ``v<digits>``. Labels
are ASCII letters, digits and hyphens: anything else is refused, never mapped, so no two names
that look alike through Unicode are ever both names. Names are compared in lower case and shown
as they were written.

>>> AnsName.parse("mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main").provider
'DataCorp'
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import Final, TypeAlias

from delegant.credentials.errors import Error, error

__all__ = ["AnsName", "protocol_label", "provider_label"]

MAX_NAME: Final = 253
MAX_LABEL: Final = 63
MAX_PROTOCOL: Final = 32
_LABEL: Final = frozenset(string.ascii_letters + string.digits + "-")
_PROTOCOL: Final = frozenset(string.ascii_lowercase + string.digits + "-")
_WORD: Final = r"((?!(?i:xn--)|[vV][0-9]+\.)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)"
_NUMBER: Final = r"(?:0|[1-9][0-9]{0,8})"
_NAME: Final = re.compile(
    rf"([a-z](?:[a-z0-9-]{{0,30}}[a-z0-9])?)://{_WORD}\.{_WORD}\.{_WORD}"
    rf"\.v({_NUMBER}(?:\.{_NUMBER}){{0,2}})"
    r"(?:\.((?!xn--|v?[0-9]+\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?))?",
    re.ASCII,
)
"""Exactly the names: `_slowly` reads no other, and says of the rest why they are none."""
_SHAPE: Final = "protocol://AgentFunction.CapabilityDomain.Provider.v1[.0[.0]][.extension]"


@dataclass(frozen=True, slots=True)
class AnsName:
    """A name. ``version`` has one to three numbers.

    None can be built that `parse` would not read: ``parse(str(name)) == name`` for every one.
    """

    protocol: str
    function: str
    domain: str
    provider: str
    version: tuple[int, ...]
    extension: str | None = None

    def __post_init__(self) -> None:
        parts = (
            self.protocol,
            self.function,
            self.domain,
            self.provider,
            self.version,
            self.extension,
        )
        try:
            same = type(self.version) is tuple and _read(str(self)) == parts
        except _RefusedError as why:
            raise _no(self, why) from None
        if not same:
            raise _no(self, "its parts are not what it reads as")

    @classmethod
    def parse(cls, text: str) -> AnsName:
        """Read a name.

        Raises:
            Malformed: ``ans-name``, with a hint and, where one can be told, the name meant.
        """
        try:
            parts = _read(text)
        except _RefusedError as why:
            raise _no(text, why) from None
        out = object.__new__(cls)  # they need not be read a second time
        for put, value in zip(_PUT, parts, strict=True):
            put(out, value)
        return out

    def __str__(self) -> str:
        version = "v" + ".".join(map(str, self.version))
        labels = [self.function, self.domain, self.provider, version]
        if self.extension is not None:
            labels.append(self.extension)
        return f"{self.protocol}://{'.'.join(labels)}"

    @property
    def key(self) -> str:
        """What names are compared by."""
        return str(self).lower()

    @property
    def provider_key(self) -> str:
        """What provider labels are compared by."""
        return self.provider.lower()


_PUT: Final = tuple(getattr(AnsName, name).__set__ for name in AnsName.__slots__)


class _RefusedError(Exception):
    """Why a text is no name, and the name that may be meant, or nothing."""

    def __init__(self, hint: str, meant: str = "") -> None:
        super().__init__(hint)
        self.hint, self.meant = hint, meant


_Parts: TypeAlias = tuple[str, str, str, str, tuple[int, ...], str | None]


def _read(text: str) -> _Parts:
    """The parts of a name.

    Raises:
        _RefusedError: it is none.
    """
    found = _NAME.fullmatch(text) if type(text) is str and len(text) <= MAX_NAME else None
    if found is None:
        return _slowly(text)
    protocol, function, domain, provider, numbers, extension = found.groups()
    return protocol, function, domain, provider, tuple(map(int, numbers.split("."))), extension


def _slowly(text: str) -> _Parts:
    """The same, label by label."""
    if type(text) is not str or len(text) > MAX_NAME:
        raise _RefusedError(f"a name is text of at most {MAX_NAME} characters")
    protocol, separator, rest = text.partition("://")
    if not separator or not _is_protocol(protocol):
        raise _RefusedError("it begins with a lower-case protocol and ://, as mcp://", _small(text))
    if ":" in rest:
        raise _RefusedError(
            "nothing follows a colon in a name", f"{protocol}://{rest.split(':')[0]}"
        )
    labels = rest.split(".")
    if len(labels) > 1 and not labels[-1]:
        raise _RefusedError("no dot stands at the end", text.rstrip("."))
    for label in labels:
        _check_label(label)
    at = next((i for i, label in enumerate(labels) if _is_version(label)), None)
    if at is None:
        raise _RefusedError("it has no version label, as v1", _with(protocol, [*labels, "v1"]))
    if at == 0:
        raise _RefusedError(
            "0 labels before the version; three belong there: "
            "AgentFunction.CapabilityDomain.Provider; ans://v1.0.0.host is an alias",
        )
    if at != 3:
        missing = ["Provider", "CapabilityDomain"][: 3 - at][::-1] if at < 3 else []
        raise _RefusedError(
            f"{at} labels before the version; three belong there: "
            "AgentFunction.CapabilityDomain.Provider",
            _with(protocol, [*labels[: min(at, 3)], *missing, *labels[at:]]),
        )
    if labels[3][0] == "V":  # taking it for v would be mapping
        raise _RefusedError("the version begins with a small v", _with(protocol, _small_v(labels)))
    numbers, after = [labels[3][1:]], labels[4:]
    while after and after[0].isdigit() and len(numbers) < 3:
        numbers.append(after.pop(0))
    if any(len(n) > 9 or (len(n) > 1 and n[0] == "0") for n in numbers):
        raise _RefusedError("version numbers have no leading zeros and at most nine digits")
    if len(after) > 1:
        raise _RefusedError(
            "one extension label at most follows the version",
            _with(protocol, labels[: len(labels) - len(after) + 1]),
        )
    if after:
        _check_extension(protocol, labels)
    function, domain, provider = labels[:3]
    version = tuple(map(int, numbers))
    return protocol, function, domain, provider, version, after[0] if after else None


def provider_label(text: str) -> str:
    """A provider label by itself, lower-cased; or ``ans-name``."""
    if type(text) is not str:
        raise _no(text, "a provider label is text")
    try:
        _check_label(text)
    except _RefusedError as why:
        raise _no(text, why) from None
    if _is_version(text):
        raise _no(text, "a provider is no version")
    return text.lower()


def protocol_label(text: str) -> str:
    """A protocol by itself; or ``ans-name``."""
    if type(text) is not str or not _is_protocol(text):
        raise _no(text, "a protocol is lower case, as mcp")
    return text


def _is_protocol(text: str) -> bool:
    return (
        0 < len(text) <= MAX_PROTOCOL
        and _PROTOCOL.issuperset(text)
        and text[0] in string.ascii_lowercase
        and text[-1] != "-"
    )


def _is_version(label: str) -> bool:
    return len(label) > 1 and label[0] in "vV" and label[1:].isdigit()


def _check_label(label: str) -> None:
    if not 0 < len(label) <= MAX_LABEL or not _LABEL.issuperset(label):
        raise _RefusedError(f"labels are 1 to {MAX_LABEL} ASCII letters, digits and hyphens")
    if label[0] == "-" or label[-1] == "-" or label[:4].lower() == "xn--":
        raise _RefusedError("labels neither begin nor end with a hyphen, nor begin with xn--")


def _check_extension(protocol: str, labels: list[str]) -> None:
    label = labels[-1]
    if label.isdigit() or _is_version(label):
        raise _RefusedError("the extension is neither a number nor a version")
    if label != label.lower():
        # The paper also writes names with the provider last (helpdesk://….v1.Acme).
        meant = _with(protocol, [*labels[:2], label, *labels[3:-1]])
        raise _RefusedError(
            "an extension is lower case; a provider stands before the version", meant
        )


def _with(protocol: str, labels: list[str]) -> str:
    return f"{protocol}://{'.'.join(labels)}"


def _small(text: str) -> str:
    protocol, separator, rest = text.partition("://")
    return f"{protocol.lower()}://{rest}" if separator and protocol.isascii() else ""


def _small_v(labels: list[str]) -> list[str]:
    return [*labels[:3], labels[3].lower(), *labels[4:]]


def _no(text: object, why: _RefusedError | str) -> Error:
    """The refusal; the name that may be meant is shown where it is one indeed."""
    hint = why if isinstance(why, str) else why.hint
    if isinstance(why, _RefusedError) and why.meant:
        try:
            _read(why.meant)
            hint += f"; perhaps {why.meant}"
        except _RefusedError:
            pass  # more is wrong than one hint can say
    return error("ans-name", f"{str(text)[:80]!r}: {hint}. The form is {_SHAPE}")

"""Names: ``protocol://AgentFunction.CapabilityDomain.Provider.vMAJOR[.MINOR[.PATCH]][.extension]``.

The CSA paper's grammar, read strictly. Parsing anchors on the first label ``v<digits>``. Labels
are ASCII letters, digits and hyphens: anything else is refused, never mapped, so no two names
that look alike through Unicode are ever both names. Names are compared in lower case and shown
as they were written.

>>> AnsName.parse("mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main").provider
'DataCorp'
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Final

from delegant.credentials.errors import Error, error

__all__ = ["AnsName", "protocol_label", "provider_label"]

MAX_NAME: Final = 253
MAX_LABEL: Final = 63
MAX_PROTOCOL: Final = 32
_LABEL: Final = frozenset(string.ascii_letters + string.digits + "-")
_PROTOCOL: Final = frozenset(string.ascii_lowercase + string.digits + "-")
_SHAPE: Final = "protocol://AgentFunction.CapabilityDomain.Provider.v1[.0[.0]][.extension]"


@dataclass(frozen=True, slots=True)
class AnsName:
    """A parsed name. ``version`` has one to three numbers."""

    protocol: str
    function: str
    domain: str
    provider: str
    version: tuple[int, ...]
    extension: str | None = None

    @classmethod
    def parse(cls, text: str) -> AnsName:
        """Read a name.

        Raises:
            Malformed: ``ans-name``, with a hint.
        """
        if type(text) is not str or len(text) > MAX_NAME:
            raise _no(text, f"a name is text of at most {MAX_NAME} characters")
        protocol, separator, rest = text.partition("://")
        if not separator or not _is_protocol(protocol):
            raise _no(text, "it begins with a lower-case protocol and ://, as mcp://")
        labels = rest.split(".")
        for label in labels:
            _check_label(text, label)
        at = next((i for i, label in enumerate(labels) if _is_version(label)), None)
        if at is None:
            raise _no(text, "it has no version label, as v1")
        if at != 3:
            raise _no(
                text,
                f"{at} labels before the version; three belong there: "
                "AgentFunction.CapabilityDomain.Provider",
            )
        if labels[3][0] == "V":  # taking it for v would be mapping
            raise _no(text, "the version begins with a small v")
        numbers, after = [labels[3][1:]], labels[4:]
        while after and after[0].isdigit() and len(numbers) < 3:
            numbers.append(after.pop(0))
        if any(len(n) > 9 or (len(n) > 1 and n[0] == "0") for n in numbers):
            raise _no(text, "version numbers have no leading zeros and at most nine digits")
        if len(after) > 1:
            raise _no(text, "one extension label at most follows the version")
        if after:
            _check_extension(text, after[0])
        function, domain, provider = labels[:3]
        version = tuple(map(int, numbers))
        return cls(protocol, function, domain, provider, version, after[0] if after else None)

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


def provider_label(text: str) -> str:
    """A provider label by itself, lower-cased; or ``ans-name``."""
    if type(text) is not str:
        raise _no(text, "a provider label is text")
    _check_label(text, text)
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


def _check_label(text: str, label: str) -> None:
    if not 0 < len(label) <= MAX_LABEL or not _LABEL.issuperset(label):
        raise _no(text, f"labels are 1 to {MAX_LABEL} ASCII letters, digits and hyphens")
    if label[0] == "-" or label[-1] == "-" or label[:4].lower() == "xn--":
        raise _no(text, "labels neither begin nor end with a hyphen, nor begin with xn--")


def _check_extension(text: str, label: str) -> None:
    if label.isdigit() or _is_version(label):
        raise _no(text, "the extension is neither a number nor a version")
    if label != label.lower():
        # The paper also writes names with the provider last (helpdesk://….v1.Acme).
        raise _no(text, "an extension is lower case; a provider stands before the version")


def _no(text: object, hint: str) -> Error:
    return error("ans-name", f"{str(text)[:80]!r}: {hint}. The form is {_SHAPE}")

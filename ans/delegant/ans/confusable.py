"""What a provider label looks like, so that no two organisations hold labels that look alike."""

from __future__ import annotations

from typing import Final

__all__ = ["domain_label", "skeleton"]

_ALIKE: Final = (
    ("rn", "m"),
    ("vv", "w"),
    ("cl", "d"),
    ("0", "o"),
    ("1", "l"),
    ("i", "l"),
    ("-", ""),
)


def skeleton(label: str) -> str:
    """What a label looks like; two of one skeleton can be mistaken for one another."""
    out = label.lower()
    for given, seen in _ALIKE:
        out = out.replace(given, seen)
    return out


def domain_label(organization: str) -> str:
    """The provider label that the domain of a did:web gives: the first label of its host."""
    host = organization.split(":")[2].split("%3A", maxsplit=1)[0]
    return host.removeprefix("www.").split(".")[0]

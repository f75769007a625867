"""What a provider label looks like, and the one label that a domain proves by itself.

`skeleton` follows Unicode UTS 39: each character becomes its prototype, and labels of one
skeleton can be mistaken for one another. Labels are ASCII, so of the standard table only its
ASCII pairs matter: 0 and O; 1, l and I; m and rn. Case is folded first, hyphens are dropped, and
two pairs the table lacks are added: w and vv, d and cl. Why:
docs/decisions/2026-11-25-confusables.md.

>>> skeleton("AcmeFinance") == skeleton("ACRNE-F1NANCE")
True
>>> domain_label("did:web:data-corp.example")
'data--corp-example'
"""

from __future__ import annotations

import string
from functools import cache
from typing import Final

from delegant.credentials.errors import error
from delegant.w3c.extras import load

from .alias import check_host
from .name import MAX_NAME, provider_label

__all__ = ["domain_label", "skeleton"]

_ALPHABET: Final = string.digits + string.ascii_lowercase
_CHARACTERS: Final = frozenset(string.ascii_letters + string.digits + "-")
_ADDED: Final = {"w": "vv", "d": "cl"}
_WEB: Final = "did:web:"


def skeleton(label: str) -> str:
    """What a label looks like, in lower case.

    Raises:
        Malformed: ``ans-name`` for what no label is made of. Unavailable: ``extra-missing``.
    """
    if type(label) is not str or len(label) > MAX_NAME or not _CHARACTERS.issuperset(label):
        raise error("ans-name", f"{str(label)[:80]!r} is not of ASCII letters, digits and hyphens")
    return label.lower().translate(_prototypes())


@cache
def _prototypes() -> dict[int, str]:
    """Character to prototype, from the library's table: read at first use, it is large."""
    known = load("confusable_homoglyphs.confusables", "monitor").confusables_data
    alike: dict[str, set[str]] = {char: {char} for char in _ALPHABET}
    longer = dict(_ADDED)
    for char in string.digits + string.ascii_letters:
        for entry in known.get(char, ()):
            other = entry["c"].lower()
            if not set(other) <= set(_ALPHABET):
                continue
            if len(other) > 1:
                longer[char.lower()] = other
                continue
            both = alike[char.lower()] | alike[other]
            for one in both:
                alike[one] = both
    single = {char: max(alike[char]) for char in _ALPHABET}
    table = {char: "".join(single[one] for one in longer.get(char, char)) for char in _ALPHABET}
    return {ord("-"): ""} | {ord(char): seen for char, seen in table.items()}


def domain_label(organization: str) -> str:
    """The provider label that a did:web proves by its domain: dots as ``-``, hyphens as ``--``.

    No two domains give the same label: a host's labels neither begin nor end with a hyphen, so
    one ``-`` alone was a dot.

    Raises:
        Malformed: ``ans-name`` for another method, a port, a path, punycode, an address, or a
            domain whose label would have more than 63 characters.
    """
    if type(organization) is not str or not organization.startswith(_WEB):
        raise error("ans-name", f"{str(organization)[:80]!r} is no did:web: no domain proves it")
    domain = organization[len(_WEB) :]
    check_host(domain)
    return provider_label(domain.replace("-", "--").replace(".", "-"))

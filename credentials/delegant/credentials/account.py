"""The account: for each dimension, who limited it to what, from the anchor down to the leaf."""

from __future__ import annotations

from typing import Any

from .capability import Authority
from .credential import Link
from .path import Human

__all__ = ["account_of"]


def account_of(links: tuple[Link, ...], human: Human | None) -> dict[str, list[dict[str, Any]]]:
    """Dimension to ``[{"by", "value"}, …]``; empty where nothing could be read."""
    out: dict[str, list[dict[str, Any]]] = {}
    if human is not None:
        _enter(out, "anchor", human.anchor.ceiling)
        if human.credential is not None:
            _enter(out, "sponsor", human.credential.entitlements)
    for index, link in enumerate(links):
        _enter(out, f"link {index}", link.authority)
    return out


def _enter(out: dict[str, list[dict[str, Any]]], by: str, authority: Authority) -> None:
    for dimension, value in authority.json.items():
        members = value if dimension == "constraints" else {dimension: value}
        for name, member in members.items():
            out.setdefault(name, []).append({"by": by, "value": member})

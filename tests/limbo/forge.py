"""How a limbo case is made: one edit of an honest draft, signed again as an attacker would.

A case is a row of data (`Case`); `forge` turns it into the JSON that stands in
``tests/limbo/cases``. Keys follow from names (`world.World`), nonces are fixed, Ed25519 is
deterministic: the same rows give the same bytes for ever.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from delegant.credentials import canonical
from delegant.credentials.shape import format_time
from draft import Draft, draft

Alter = Callable[[Draft], object]
"""Edits a draft; what it returns is nobody's business."""


def nothing(_draft: Draft) -> None:
    """The honest presentation itself."""


@dataclass(frozen=True)
class Case:
    """One presentation with the answer it must get.

    Attributes:
        id: ``namespace::group::name`` (or ``namespace::name``), kebab-case.
        description: one or two sentences: what was done, and why it must (not) pass.
        alter: the edit; `Draft` and the helpers of `altered` make most of them one line.
        state: accepted, rejected, undecided or malformed.
        code, link: the exact refusal; None for an accepted case.
        twin: for a refusal, the id of the nearest accepted case, one edit away.
        depth: links in the honest draft, 1 to 4 (ana > research > retrieval > dbquery > formatter).
        importance: critical, high, medium or low: what a verifier that fails it gives away.
        features: what a verifier must support to be asked at all, e.g. ``vc+jwt``, ``did:web``.
        spec: where the rule stands, e.g. ``DESIGN 5: attenuation``.
        origin: where the attack comes from: a CVE, an RFC, a known kind of bug; "" if our own.
        at_most: signature checks the verifier may spend before it answers; None: the budget.
    """

    id: str
    description: str
    alter: Alter = nothing
    state: str = "accepted"
    code: str | None = None
    link: int | None = None
    twin: str | None = None
    depth: int = 2
    importance: str = "high"
    features: tuple[str, ...] = ()
    spec: str = ""
    origin: str = ""
    at_most: int | None = None


def presented(*path: Any, value: Any) -> Alter:
    """Set a member of the finished presentation, e.g. ``("links", 0, "issuer")``."""
    return _last("presentation", path, value)


def stapled(*path: Any, value: Any) -> Alter:
    """Set a member of the finished evidence."""
    return _last("evidence", path, value)


def _last(group: str, path: tuple[Any, ...], value: Any) -> Alter:
    def alter(d: Draft) -> None:
        before = d.last

        def last(bundle: dict[str, Any]) -> Any:
            bundle = before(bundle)
            node = bundle[group]
            for step in path[:-1]:
                node = node[step]
            node[path[-1]] = value
            return bundle

        d.last = last

    return alter


def rewrite(change: Callable[[bytes], bytes], group: str = "presentation") -> Alter:
    """Change the finished bytes of the ``presentation`` or the ``evidence``."""

    def alter(d: Draft) -> None:
        d.bytes_after[group] = change

    return alter


def swap(old: bytes, new: bytes, group: str = "presentation") -> Alter:
    """Replace bytes, which must be there, once."""

    def change(data: bytes) -> bytes:
        assert old in data, old
        return data.replace(old, new, 1)

    return rewrite(change, group)


def forge(case: Case) -> dict[str, Any]:
    """The case as it stands in the data, its two byte strings still raw."""
    d = draft(case.depth)
    d.claims.setdefault("jti", "j-1")
    case.alter(d)
    for one in (*d.lists, *d.links):
        steady(one.doc.get("credentialSubject"))
    bundle = d.finished()
    parts: dict[str, bytes] = {}
    for group in ("presentation", "evidence"):
        try:
            data = canonical(bundle.get(group, {}))
        except Exception:  # noqa: BLE001 - what has no canonical form is written as it is
            data = json.dumps(bundle[group], ensure_ascii=False).encode("utf-8", "surrogatepass")
        change = d.bytes_after.get(group)
        parts[group] = data if change is None else change(data)
    return {
        "id": case.id,
        "description": case.description,
        "importance": case.importance,
        "features": sorted(case.features),
        "spec": case.spec,
        "origin": case.origin,
        "twin": case.twin,
        "at": format_time(d.at),
        "audience": d.trust.get("verifier", {}).get("id"),
        "nonce": d.nonce,
        "trust": d.trust,
        "request": bundle["request"],
        **parts,
        "expect": {
            "state": case.state,
            "code": case.code,
            "link": case.link,
            "maxSignatures": case.at_most,
        },
    }


def steady(subject: Any) -> None:
    """Say in a compressed list that no system in particular wrote it; Pythons differ in that."""
    text = subject.get("encodedList") if isinstance(subject, dict) else None
    if isinstance(text, str) and text.startswith("uH4sI"):
        head = bytearray(base64.urlsafe_b64decode(text[1:17]))
        head[9] = 255
        subject["encodedList"] = f"u{base64.urlsafe_b64encode(head).decode()}{text[17:]}"


def encoded(data: bytes) -> str:
    """Standard base64, as the files have it."""
    return base64.b64encode(data).decode("ascii")

"""A dishonest issuer: a damaged bundle signed again, by whoever's key the dice allow.

The file that comes out is a plain bundle. Nothing but its bytes is needed to replay it.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any, Final

import rfc8785

from delegant.credentials.codec import b58_encode
from fuzz.reference import KEYS, NAMES, Reading, digest_of
from fuzz.trees import TOKEN, closed, encoded, written
from world import World

__all__ = ["resign"]

_WORLD: Final = World()
_PUBLIC: Final = {_WORLD._key(name).public.multikey: name for name in NAMES}
AGENTS: Final = frozenset(
    name for name, key in KEYS.items()
    if _PUBLIC[key.public.multikey] not in {"org", "status-authority", "db", "ana", "mia", "leo"}
)  # fmt: skip
"""Whose keys an attacker is likeliest to hold; the honest six sign only half of the time."""


def resign(bundle: Any, dice: Random) -> Any:
    """An opened bundle with links joined anew and everything signed that these keys can sign."""
    hands = AGENTS if dice.random() < 0.5 else frozenset(KEYS)
    if not isinstance(bundle, dict):
        return bundle
    evidence = bundle.get("evidence")
    if isinstance(evidence, dict):
        for group, items in evidence.items():
            if isinstance(items, list):
                evidence[group] = [_signed(item, hands) for item in items]
    shown = bundle.get("presentation")
    if not isinstance(shown, dict) or not isinstance(shown.get("links"), list):
        return bundle
    links = shown["links"]
    for index, link in enumerate(links):
        if index and dice.random() < 0.95:
            _join(link, links[index - 1])
        links[index] = _signed(link, hands)
    approvals = shown.get("approvals")
    given = approvals if isinstance(approvals, list) else []
    if links and dice.random() < 0.95:
        for one in (shown.get("invocation"), *given):
            _claim(one, links[-1], bundle.get("request"))
    if "invocation" in shown:
        shown["invocation"] = _signed(shown["invocation"], hands)
    given[:] = [_signed(one, hands) for one in given]
    return bundle


def _payload(item: Any) -> dict[str, Any]:
    """The members of an opened credential, to be changed in place; empty for anything else."""
    parts = item.get(TOKEN) if isinstance(item, dict) else None
    found = parts[1] if isinstance(parts, list) and len(parts) == 3 else item
    return found if isinstance(found, dict) else {}


def _join(link: Any, above: Any) -> None:
    subject = _payload(link).get("credentialSubject")
    block = subject.get("delegation") if isinstance(subject, dict) else None
    if not isinstance(block, dict) or not isinstance(block.get("parent"), dict):
        return
    try:
        name = _payload(above)["id"]
        block["parent"] = {"id": name, "digestMultibase": Reading(closed(above)).digest}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return  # what is above has lost its form


def _claim(token: Any, leaf: Any, request: Any) -> None:
    claims = _payload(token)
    if not {"chain", "request"} <= claims.keys():
        return
    try:
        claims["chain"] = Reading(closed(leaf)).digest
        claims["request"] = digest_of(rfc8785.dumps(request))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return


def _signed(item: Any, hands: frozenset[str]) -> Any:
    """The opened item under a good signature, if its issuer's key is at hand."""
    payload = _payload(item)
    name = payload.get("issuer", payload.get("iss"))
    if not isinstance(name, str) or name not in hands:
        return item
    key = KEYS[name]
    try:
        if payload is not item:
            head, body, _ = item[TOKEN]
            message = f"{encoded(written(head))}.{encoded(written(body))}".encode()
            return {TOKEN: [head, body, encoded(key.sign(message))]}
        config = {k: v for k, v in item["proof"].items() if k != "proofValue"}
        parts = ({k: v for k, v in item.items() if k != "proof"}, config)
        document, settings = (hashlib.sha256(rfc8785.dumps(part)).digest() for part in parts)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return item
    value = "z" + b58_encode(key.sign(settings + document))
    return item | {"proof": config | {"proofValue": value}}

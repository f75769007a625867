"""Phase 7, last: no key of the path was retired by its own subject's DID document.

It can only refuse. Asked are the signers of links, identities, sponsor credentials and status
lists (``assertionMethod``) and the holder (``authentication``), each with the very key the
verifier would accept, and only where a document that counts is known (`documents`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from .chain import Trace, check_any, pinned
from .credential import Link
from .did import Did, embeds_key
from .documents import Resolved, methods, parse_statement, past
from .envelope import Secured
from .errors import Error, error
from .evidence import Evidence
from .identity import AgentIdentity
from .keys import PublicKey
from .path import Human, People
from .policy import Trust
from .standing import SKEW_SECONDS, index_of

__all__ = ["keys"]

_Use: TypeAlias = tuple[Did, PublicKey, str, "int | None"]
"""Whose key, which, under which relationship it must be listed, and the link to blame."""
_NOT_SIGNED: Final = frozenset({"proof", "did-key-mismatch", "suite"})


def keys(
    root: Human,
    links: tuple[Link, ...],
    identities: list[AgentIdentity],
    people: People,
    evidence: Evidence,
    trust: Trust,
    spend: Callable[[int], None],
    at: int,
    trace: Trace,
) -> None:
    """Ask every document that counts.

    Raises:
        Rejected: ``key-retired``. LimitExceeded: ``limit-signatures``.
        Malformed, Undecided: the codes of phase 3, for what a resolver of ours did sign.
    """
    if not trust.documents and not (trust.resolvers and evidence.has_statements):
        return
    known: dict[str, list[Resolved]] = {}
    for name, key, relation, link in _uses(root, links, identities, people):
        if embeds_key(name):
            continue
        if name not in known:
            known[name] = _resolved(name, evidence, trust, spend)
        why = _retired(known[name], key, relation, at)
        if why:
            raise error("key-retired", f"{name} {why}", link=link)
        if trace and known[name]:
            trace(7, link, "the document of %s lists its key", name)


def _uses(
    root: Human, links: tuple[Link, ...], identities: list[AgentIdentity], people: People
) -> Iterator[_Use]:
    """Organisations, authorities and humans; then agents, as they stand on the path."""
    for human in people.humans.values():
        if human.credential is not None:
            anchor, secured = human.anchor, human.credential.secured
            yield from ((anchor.id, key, _SIGNS, None) for key in _used(anchor.keys, [secured]))
            name, authority = human.status_authority()
            yield from ((name, key, _SIGNS, None) for key in authority)
        own = [one.secured for one in people.agents.values() if one.issuer == human.id]
        own += [link.secured for link in links[:1] if human is root]
        yield from ((human.id, key, _SIGNS, None) for key in _used(human.keys, own))
    for index, link in enumerate(links):
        relation = _SIGNS if index + 1 < len(links) else _INVOKES
        yield from _agent(link.subject, link.key, relation, index)
    makers = {one.issuer for one in people.agents.values()}
    for identity in people.agents.values():
        if identity.subject in makers or not links:
            yield from _agent(
                identity.subject, identity.key, _SIGNS, index_of(identity, identities)
            )


_SIGNS: Final = "assertionMethod"
_INVOKES: Final = "authentication"


def _agent(name: Did, pin: str | None, relation: str, link: int) -> Iterator[_Use]:
    key = None if embeds_key(name) else pinned(name, pin)
    if key is not None:
        yield name, key, relation, link


def _used(known: tuple[PublicKey, ...], signed: list[Secured]) -> tuple[PublicKey, ...]:
    """Of several keys those that did sign; all, where none is known to have."""
    used = tuple([key for key in known if any(one.checked_by(key) for one in signed)])
    return used or known


def _resolved(
    name: Did, evidence: Evidence, trust: Trust, spend: Callable[[int], None]
) -> list[Resolved]:
    """Every document of this DID that counts."""
    found = list(trust.documents.get(name, ()))
    for secured in evidence.statements(name):
        issuer = secured.document.get("issuer")
        if type(issuer) is not str or issuer not in trust.resolvers:
            continue
        try:
            secured.open()
            check_any(secured, Did(issuer), trust.resolvers[issuer], spend)
        except Error as exc:
            if exc.code in _NOT_SIGNED or (exc.state == "malformed" and exc.phase == 3):
                continue  # nobody's word
            raise
        found.append(parse_statement(secured))
    return found


def _retired(found: list[Resolved], key: PublicKey, relation: str, at: int) -> str:
    """Why the key is not its subject's any more; empty if it is, as far as anybody says."""
    for one in found:  # what was taken away once stays so, however old the document
        if one.deactivated:
            return "is deactivated"
        if any(
            "revoked" in method and past(method["revoked"], at) for method, _ in methods(one, key)
        ):
            return "revoked this key"
    told = [one for one in found if one.retrieved <= at + SKEW_SECONDS]
    newest = max((one.retrieved for one in told), default=0)
    for one in told:
        if one.retrieved < newest or at >= one.valid_until:
            continue  # an older document, or a stale one, does not show what is gone since
        listed = [method for method, under in methods(one, key) if relation in under]
        if not listed:
            return f"lists this key no longer under {relation}"
        if all("expires" in method and past(method["expires"], at) for method in listed):
            return "let this key expire"
    return ""

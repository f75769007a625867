"""What a record refers to and does not repeat: links, and the evidence a verdict stood on.

Exhibits are kept beside the log under their digests, each once. The evidence of a verdict is a
*manifest*, ``{group: [digest, …]}`` by the groups of `Evidence`, itself an exhibit. It names what
the verifier relied on, and nothing else that a presenter brought along: whoever staples a
megabyte to every call fills no disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain as joined
from typing import Final

from delegant.credentials import Evidence, VerifiedChain, canonical, shape
from delegant.credentials.codec import JsonObject, digest, parse, parse_object
from delegant.credentials.envelope import Secured
from delegant.credentials.errors import error
from delegant.credentials.identity import AgentIdentity

__all__ = ["GROUPS", "Exhibits", "evidence_of", "manifest_digests", "relied_on"]

GROUPS: Final = ("sponsors", "identities", "statusLists", "feeds")
MAX_EXHIBIT: Final = 4 * 1024 * 1024
MAX_MANIFEST: Final = 65_536

Exhibits = list[tuple[str, bytes]]
"""Digest and bytes of each."""


def relied_on(
    chain: VerifiedChain, evidence: Evidence, known: Callable[[str], bool] = lambda _: False
) -> tuple[str, Exhibits]:
    """The digest of the manifest, and everything it and the chain refer to, the manifest too.

    Args:
        evidence: that the chain was verified with.
        known: whether an exhibit need not be told.
    """
    lists = [
        one
        for url, at in chain.status_as_of.items()
        for one in evidence.status_lists(url)
        if one.valid_from == at
    ]
    groups: dict[str, list[Secured]] = {
        "sponsors": [one.secured for one in chain.sponsors],
        "identities": [one.secured for one in _line(chain, evidence)],
        "statusLists": [one.secured for one in lists],
        "feeds": [one.secured for one in chain.feeds.values()],
    }
    manifest: JsonObject = {
        name: sorted({one.digest for one in items}) for name, items in groups.items() if items
    }
    data = canonical(manifest, floats=False)
    name = digest(data)
    found = {} if known(name) else {name: data}
    for one in joined.from_iterable([[link.secured for link in chain.links], *groups.values()]):
        if one.digest not in found and not known(one.digest):
            found[one.digest] = _bytes(one)
    return name, list(found.items())


def manifest_digests(data: bytes) -> dict[str, list[str]]:
    """Read a manifest.

    Raises:
        Malformed: ``shape``, ``unknown-member`` and the codes of phase 2.
    """
    value = parse_object(data, size=MAX_MANIFEST)
    shape.closed(value, "evidence", frozenset(), frozenset(GROUPS))
    return {
        name: list(shape.array_of(items, name, shape.digest_text, 512))
        for name, items in value.items()
    }


def evidence_of(manifest: bytes, exhibits: dict[str, bytes]) -> Evidence:
    """The evidence that a manifest names.

    Args:
        exhibits: by digest; each is held to it here.

    Raises:
        NotFound: ``not-found`` for one that is not there. Malformed: what it does not hold.
    """
    groups: JsonObject = {
        name: [opened(exhibits.get(one), one) for one in digests]
        for name, digests in manifest_digests(manifest).items()
    }
    return Evidence.from_json(groups)


def opened(data: bytes | None, name: str) -> JsonObject | str:
    """An exhibit as it is presented: an object, or a compact JWS.

    Raises:
        NotFound: ``not-found``. Rejected: ``log-proof`` for other bytes than its digest's.
    """
    if data is None:
        raise error("not-found", f"exhibit {name} is not here")
    if digest(data) != name:
        raise error("log-proof", f"exhibit {name} is another one", dimension=name)
    if data[:1] != b"{":
        return data.decode("ascii", "replace")
    found = parse(data, size=MAX_EXHIBIT)
    if type(found) is not dict:
        raise error("shape", f"exhibit {name} is no object")
    return found


def _line(chain: VerifiedChain, evidence: Evidence) -> Iterator[AgentIdentity]:
    """The identities on the path, and those of the agents that made one of these agents."""
    for identity in chain.identities:
        above = identity
        yield above
        while above.issuer != above.sponsor:
            above = evidence.identities(above.issuer)[0]  # the one that was judged
            yield above


def _bytes(one: Secured) -> bytes:
    raw = one.raw
    return raw.encode("ascii") if isinstance(raw, str) else canonical(raw)

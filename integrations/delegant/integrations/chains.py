"""Chains that were shown before, so that a call carries their digest and an invocation alone."""

from __future__ import annotations

from typing import Final, NamedTuple

from delegant.ans.bounded import Bounded
from delegant.credentials import canonical, shape
from delegant.credentials.codec import digest, parse_object
from delegant.credentials.errors import error
from delegant.governance.enforcing import EnforcementPoint

__all__ = ["MAX_BODY", "Chains", "Shown"]

MAX_BODY: Final = 2 * 1024 * 1024
MOST: Final = 4096
SIZE: Final = 64 * 1024 * 1024


class Shown(NamedTuple):
    """A chain and the evidence that came with it, each in canonical bytes."""

    chain: bytes
    evidence: bytes


class Chains:
    """Chains by the digest of their last link: only those that hold, the oldest goes first.

    Args:
        size: most bytes kept. most: most chains.
    """

    def __init__(self, size: int = SIZE, most: int = MOST) -> None:
        self._kept: Bounded[str, Shown] = Bounded(size, most)

    def get(self, name: str) -> Shown:
        """What was shown under a digest.

        Raises:
            Undecided: ``chain-unknown``: show it first, and ask again.
        """
        found = self._kept.get(name)
        if found is None:
            raise error("chain-unknown", "this chain was not shown here yet, or is forgotten")
        return found

    def put(self, name: str, body: bytes, point: EnforcementPoint) -> None:
        """Keep ``{links, evidence}``, if the chain holds now.

        Raises:
            Rejected: ``chain-broken`` for another chain's digest; and what `verify_chain` raises.
            Malformed: the codes of phases 2 and 3.
        """
        value = parse_object(body, size=MAX_BODY)
        shape.closed(value, "body", frozenset({"links", "evidence"}))
        links = shape.array(value["links"], "links", 64)
        last = links[-1]
        data = last.encode("utf-8") if isinstance(last, str) else canonical(last)
        if digest(data) != name:
            raise error("chain-broken", "the digest is not that of the last link")
        shown = Shown(canonical(links), canonical(value["evidence"]))
        point.holds(shown.chain, shown.evidence)
        self._kept.put(name, shown, sum(map(len, shown)))

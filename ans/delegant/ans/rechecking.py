"""Judging again who answers for the agents of a registry, and suspending the names of orphans."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Final

from delegant.credentials import Evidence, Seen, Trust
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Conflict, Error, Gone, error

from . import attested, judging, listing
from .name import AnsName
from .store import Store
from .stored import Shelf
from .submitting import Judged
from .writing import Writer

__all__ = ["Rechecker"]

PAGE: Final = 500
MOST_KNOWN: Final = 1000
"""Agents that a query may name; beyond, all names are walked."""


class Rechecker:
    """The re-check of one registry: see `Registry.recheck` and `Registry.resume`.

    Args:
        evidence: fresh evidence about a DID, or None.
        known: the DIDs there may be evidence about; None: any.
    """

    def __init__(
        self,
        store: Store,
        shelf: Shelf,
        writer: Writer,
        trust: Callable[[], Trust],
        remember: Callable[[Seen], None],
        evidence: Callable[[str], Evidence | None],
        known: Callable[[], Collection[str]] | None = None,
    ) -> None:
        self._store = store
        self._shelf = shelf
        self._writer = writer
        self._trust = trust
        self._remember = remember
        self._evidence = evidence
        self._of = known
        self._accredited: object = None

    def recheck(self, at: int) -> list[JsonObject]:
        """Suspend the names of orphans; ``{name, reason}`` of each.

        A name that cannot be suspended keeps no other from it: what is wrong is raised at the end.
        """
        began = time.monotonic()  # a long walk must not write as of its beginning
        failed: Error | None = None
        out: list[JsonObject] = []
        with self._store.transaction(sequencing=True) as db:  # as all that writes names
            listing.sweep(db, at, PAGE)
        trust, told, after = self._trust(), dict[str, str | int](), ""
        self._relist(trust)
        vouched, known = set[str](), self._known()
        while True:
            with self._store.transaction(reading=True) as db:
                rows = self._store.active(db, after, at, PAGE, known)
            if not rows:
                break
            for row in rows:
                if row.agent not in told:
                    told[row.agent] = self._standing(row.agent, trust, at)
                found = told[row.agent]
                if isinstance(found, int):
                    if found > row.vouched and row.agent not in vouched:
                        vouched.add(row.agent)
                        with self._store.transaction(sequencing=True) as db:
                            self._store.vouch(db, row.agent, found)
                    continue
                reason = found or ("sponsor-unknown" if at >= row.vouched else "")
                try:
                    if reason and self._suspend(
                        row.key, row.last, reason, at + int(time.monotonic() - began)
                    ):
                        out.append({"name": row.key, "reason": reason})
                except Error as exc:
                    if exc.code == "log-rollback":
                        raise
                    failed = exc
            after = rows[-1].key
        if failed is not None:
            raise failed
        return out

    def resume(self, text: str, at: int, reason: str | None = None) -> JsonObject:
        """Resume a name on the operator's word; the receipt."""
        name = AnsName.parse(text)
        with self._store.transaction(reading=True) as db:
            named = self._shelf.named(db, name.key, at)
        if named is None:
            raise error("ans-not-found", f"{name} is not registered here")
        agent = named.standing.agent
        found = judging.sponsorship(agent, self._evidence(agent) or Evidence(), self._trust(), at)
        judged = Judged("registry", found.organization, found.sponsor, vouched=found.vouched)
        return self._writer.own(named, "resume", reason, judged, at)

    def _known(self) -> Collection[str] | None:
        """Whose names need a look besides those of whom nobody was heard; None: all names."""
        known = None if self._of is None else self._of()
        return known if known is not None and len(known) <= MOST_KNOWN else None

    def _relist(self, trust: Trust) -> None:
        """List anew what agents say of themselves, once others are accredited than before."""
        accredited = {name: (one.keys, one.accredits) for name, one in trust.anchors.items()}
        if accredited == self._accredited:
            return
        after = ""
        while True:
            with self._store.transaction(reading=True) as db:
                rows = listing.with_attestations(db, after, PAGE)
            for row in rows:
                shown = attested.kept(bytes(row.attestations), row.agent)
                claims = attested.claims(shown, row.agent)
                terms = listing.claimed(claims, attested.believed(shown, row.agent, trust))
                with self._store.transaction(reading=True) as db:
                    same = listing.claim_terms(db, row.key) == terms
                if not same:
                    with self._store.transaction(sequencing=True) as db:
                        listing.reclaim(db, row.key, terms)
            if len(rows) < PAGE:
                break
            after = rows[-1].key
        self._accredited = accredited

    def _standing(self, agent: str, trust: Trust, at: int) -> str | int:
        """Until when somebody answers for the agent; or why nobody does; empty: unknown."""
        evidence = self._evidence(agent)
        if evidence is None:
            return ""
        try:
            found = judging.living(agent, evidence, trust, at)
        except Error as exc:
            return judging.gone(agent, evidence, exc, at) or ""
        self._remember(found.seen)
        return found.vouched

    def _suspend(self, key: str, last: str, reason: str, at: int) -> bool:
        """Suspend a name, unless it has changed since it was judged."""
        with self._store.transaction(reading=True) as db:
            named = self._shelf.named(db, key, at)
        if named is None or named.standing.last != last:
            return False
        try:
            self._writer.own(
                named, "suspend", reason, Judged("registry", sponsor=named.sponsor), at
            )
        except (Conflict, Gone):
            return False
        return True

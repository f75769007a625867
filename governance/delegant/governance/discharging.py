"""What the ledger asks the one writer for: to reserve, to refuse, to close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from delegant.ans.change import Added
from delegant.credentials import Authorization
from delegant.credentials.codec import JsonObject
from delegant.credentials.errors import Error, error
from delegant.credentials.verdict import Debit, Once, Rate

from .batch import AuditBatch, AuditChange, Done
from .entry import Entry
from .exhibit import Exhibits
from .permit import SEAL, Permit

__all__ = ["Append", "Close", "Reserve"]


@dataclass(frozen=True, slots=True)
class Reserve(AuditChange):
    """The change that makes a permit."""

    log: str
    auth: Authorization
    opening: bytes
    exhibits: Exhibits
    entry: Entry
    members: Mapping[str, Any]
    at_ms: int
    refusal: JsonObject
    event: str

    @property
    def once(self) -> tuple[str, ...]:
        """Of the invocation, and of each approval."""
        return tuple([one.key for one in self.auth.obligations if isinstance(one, Once)])

    @property
    def budgets(self) -> tuple[tuple[str, str], ...]:
        """Of every link, and of the sponsor."""
        return tuple(
            [(one.key, one.unit) for one in self.auth.obligations if isinstance(one, Debit)]
        )

    def add(self, batch: AuditBatch) -> Added:
        """Hold everything first; then take it, and write the intent. Or write the refusal."""
        try:
            self._hold(batch)
        except Error as exc:
            return self._refused(batch, exc)
        self._take(batch)
        batch.exhibit(self.exhibits)
        number = batch.log(self.entry)
        batch.open(self.event, number)
        batch.keep(self.event, self.opening)
        return Done(number, Permit(SEAL, number=number, **self.members))

    def _hold(self, batch: AuditBatch) -> None:
        """See that everything can be discharged, before anything is."""
        taken: dict[tuple[str, str], int] = {}
        for duty in self.auth.obligations:
            if isinstance(duty, Once):
                batch.unspent(duty.key)
            elif isinstance(duty, Debit):
                pair = duty.key, duty.unit
                before = taken.get(pair, 0)
                if before + duty.amount > batch.left(duty.key, duty.unit, duty.limit):
                    raise error(
                        "constraint", f"the budget has not {duty.amount} {duty.unit} left",
                        dimension="budget",
                    )  # fmt: skip
                taken[pair] = before + duty.amount
            elif isinstance(duty, Rate):
                since = batch.milliseconds(self.at_ms) - duty.period * 1000
                if batch.acts(duty.key, since) >= duty.count:
                    raise error(
                        "constraint", f"{duty.count} acts in {duty.period} seconds, and no more",
                        dimension="rate",
                    )  # fmt: skip

    def _take(self, batch: AuditBatch) -> None:
        ends = {link.digest: link.valid_until for link in self.auth.links}
        for duty in self.auth.obligations:
            if isinstance(duty, Once):
                batch.spend(duty.key, duty.until)
            elif isinstance(duty, Debit):
                batch.debit(duty.key, duty.unit, duty.amount, ends.get(duty.key))
            elif isinstance(duty, Rate):
                batch.act(duty.key, batch.milliseconds(self.at_ms), duty.period)

    def _refused(self, batch: AuditBatch, refused: Error) -> Added:
        said = self.refusal | {
            "code": refused.code, "phase": refused.phase, "link": refused.link,
            "dimension": refused.dimension,
        }  # fmt: skip
        batch.exhibit(self.exhibits)
        batch.keep(self.event, self.opening)
        return Done(batch.log(Entry.of(said)), refused)


@dataclass(frozen=True, slots=True)
class Append(AuditChange):
    """The change that adds a refusal, or a record of the log's own."""

    entry: Entry
    event: str
    opening: bytes | None = None
    exhibits: Exhibits = field(default_factory=list)

    def add(self, batch: AuditBatch) -> Added:
        """Write it."""
        batch.exhibit(self.exhibits)
        if self.opening is not None:
            batch.keep(self.event, self.opening)
        number = batch.log(self.entry)
        return Done(number, number)


@dataclass(frozen=True, slots=True)
class Close(AuditChange):
    """The change that writes the outcome of an act, and gives back what it did not cost."""

    entry: Entry
    event: str
    back: tuple[tuple[str, str, int], ...]

    @property
    def closing(self) -> str:
        """Its event."""
        return self.event

    @property
    def budgets(self) -> tuple[tuple[str, str], ...]:
        """Those that get something back."""
        return tuple([(key, unit) for key, unit, _ in self.back])

    def add(self, batch: AuditBatch) -> Added:
        """Write the outcome of an intent that has none."""
        if not batch.is_open(self.event):
            raise error("audit-outcome", f"{self.event} has its outcome, or no intent")
        for key, unit, amount in self.back:
            batch.debit(key, unit, -amount)
        batch.close(self.event)
        number = batch.log(self.entry)
        return Done(number, number)

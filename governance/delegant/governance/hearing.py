"""What a line of a journal says, verified as far as it can be, and no larger than it must be.

Journals are long, and all of them are in memory while a log is read. So the tokens are let go of
once their signatures are checked; only an agent whose key its chain pins must wait for the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from sys import intern
from typing import NamedTuple

from delegant.credentials import PublicKey, did
from delegant.credentials.errors import Error

from .journal import Entry
from .receipt import AgentReceipt, ResourceReceipt

__all__ = ["Answer", "Fault", "Said", "heard"]


class Fault(NamedTuple):
    """Why a receipt is none: a code, and words."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receipt of the resource says, as `ResourceReceipt`; ``fault`` where it is none."""

    agent: str
    invocation: str
    request: str
    chain: str
    event: str
    decision: str
    outcome: str | None
    code: str | None
    fault: Fault | None


@dataclass(slots=True)
class Said:
    """What a receipt of the agent says, as `AgentReceipt`, and the answer kept with it.

    ``unproven`` is the receipt itself while its signature is not checked; ``fault`` why it is none.
    """

    source: str
    line: int
    agent: did.Did
    invocation: str
    request: str
    chain: str
    status: str
    event: str | None
    time: int
    unproven: AgentReceipt | None
    fault: Fault | None
    answer: Answer | None

    @property
    def where(self) -> str:
        """``FILE:LINE``."""
        return f"{self.source}:{self.line}"

    def prove(self, keys: Sequence[PublicKey]) -> Fault | None:
        """Check the signature, if that is still to be done, with the keys pinned for the agent."""
        if self.unproven is not None:
            try:
                self.unproven.check(keys)
            except Error as exc:
                self.fault = Fault(exc.code, f"not a receipt of {self.agent}: {exc.detail}")
            self.unproven = None
        return self.fault


def heard(entry: Entry, log: str, keys: Sequence[PublicKey]) -> Said:
    """Take what matters out of a line.

    Args:
        log: the DID of the audit log. keys: its receipt keys.
    """
    own, answer = entry.receipt, entry.answer
    said = Said(
        entry.source,
        entry.line,
        did.Did(intern(own.agent)),
        own.invocation,
        own.request,
        intern(own.chain),
        intern(own.status),
        own.event,
        own.time,
        own,
        None,
        None if answer is None else _answer(answer, own, log, keys),
    )
    if did.embeds_key(own.agent):
        said.prove(())
    return said


def _answer(
    answer: ResourceReceipt, own: AgentReceipt, log: str, keys: Sequence[PublicKey]
) -> Answer:
    fault = None
    if answer.log != log:
        fault = Fault("log", f"the answer is a receipt of {answer.log}")
    else:
        try:
            answer.check(keys)
        except Error as exc:
            fault = Fault(exc.code, f"not a receipt of this log: {exc.detail}")
    return Answer(
        intern(answer.agent),
        _shared(answer.invocation, own.invocation),
        _shared(answer.request, own.request),
        intern(answer.chain),
        _shared(answer.event, own.event),
        intern(answer.decision),
        None if answer.outcome is None else intern(answer.outcome),
        answer.code,
        fault,
    )


def _shared(text: str, other: str | None) -> str:
    """The text; as the very object that is kept already, where that says the same."""
    return text if other is None or other != text else other

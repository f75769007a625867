"""What the golden files were made from.

``cd tests && python -m governance.exported`` makes them again.
"""

from __future__ import annotations

from pathlib import Path

from delegant.governance.exporting import FORMATS, export_lines
from delegant.governance.reporting import Logged, Wanted
from governance.recorded import Recorded
from governance.samples import (
    LOG,
    START,
    event,
    intent,
    notice,
    outcome,
    prune,
    read,
    refusal,
    unproven,
)

GOLDEN = Path(__file__).parent / "golden"

RECORDS = (
    intent(0),
    outcome(0, START + 1),
    intent(
        2,
        START + 2,
        action="db.delete",
        agentAnsName=None,
        evidence=None,
        initiation=None,
        collaborationContext=None,
        decision="modify",
        policyId="acme/papers",
        policyVersion=None,
        spent=[],
    ),
    outcome(
        2,
        START + 3,
        outcome={"status": "failure", "code": "unavailable"},
        settled=[],
    ),
    intent(4, START + 4, action="paper.fold"),
    outcome(4, START + 5, outcome={"status": "released"}, settled=[]),
    refusal(6, START + 6),
    refusal(7, START + 6, decision="step_up", code="approval-missing", phase=11),
    unproven(8, START + 7),
    unproven(9, START + 7, sponsor=None, agentDid=None, action=None, target=None),
    notice(10, START + 8),
    notice(11, START + 9, what={"kind": "lift", "hold": event(10)}),
    notice(12, START + 9, what=prune([0, 2], [4, 5])),
    intent(13, START + 10),
    outcome(999, START + 11),
)
"""Of every type, every status and every decision; one intent is open, one outcome has lost its."""


def entries() -> list[Logged]:
    """The records as entries of a log."""
    return [Logged(number, read(value)) for number, value in enumerate(RECORDS)]


def source() -> Recorded:
    """What to report of."""
    return Recorded(LOG, entries())


def exported(form: str) -> bytes:
    """The whole export."""
    return b"".join(line + b"\n" for line in export_lines(source().acts(Wanted()), form))


if __name__ == "__main__":
    for form in FORMATS:
        (GOLDEN / f"acts.{form}").write_bytes(exported(form))

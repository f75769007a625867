"""An approval is used up with the act it was given for, and on record with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from delegant.credentials import Link, Presentation, Request, approve
from delegant.credentials.codec import canonical, parse_object
from delegant.governance.bundle import Selection, export
from delegant.governance.permit import Permit
from delegant.governance.reading import AuditBundle, Believed
from delegant.governance.tracing import Traced, trace
from governance.auditing import TOPIC, Auditing
from refusal import refusal

ASKED = Request("db.read", TOPIC)


@pytest.fixture
def waiting(local: Auditing) -> tuple[Auditing, Link]:
    """Mia must approve what Ana's agent does."""
    mia = local.world.human("mia")
    return local, local.link(constraints={"approval": {"threshold": 1, "by": [mia.did]}})


def approval(auditing: Auditing, link: Link, request: Request = ASKED) -> str:
    """Mia's."""
    mia = auditing.world.parties["mia"]
    return approve(mia.key, human=mia.did, chain=[link], request=request, at=auditing.now,
                   audience=auditing.world.db.did)  # fmt: skip


def permit(auditing: Auditing, link: Link, token: str) -> Permit:
    """An act under a new invocation and this approval."""
    auth, request, shown = auditing.asked([link], ASKED, approvals=[token])
    return auditing.ledger.permit(
        auth, request, presentation=shown, evidence=auditing.world.evidence(), at=auditing.now
    )


def test_one_approval_is_of_one_act(waiting: tuple[Auditing, Link]) -> None:
    auditing, link = waiting
    token = approval(auditing, link)
    auditing.ledger.settle(permit(auditing, link, token), at=auditing.now)
    assert refusal(lambda: permit(auditing, link, token)) == "replay"
    auditing.world.now += 60
    assert refusal(lambda: permit(auditing, link, token)) == "replay"
    assert permit(auditing, link, approval(auditing, link)).event
    kinds = [one.type for one in auditing.records()]
    assert kinds == ["intent", "outcome", "refusal", "refusal", "intent"]


def test_two_acts_cannot_share_one_however_they_come(waiting: tuple[Auditing, Link]) -> None:
    auditing, link = waiting
    token = approval(auditing, link)
    told = [auditing.asked([link], ASKED, approvals=[token])[0] for _ in range(2)]
    keys = [{getattr(duty, "key", "") for duty in auth.obligations} for auth in told]
    assert len(keys[0] & keys[1]) == 1


def traced(auditing: Auditing, event: str, path: Path) -> Traced:
    export(auditing.log, path, Selection(), openings=True)
    with AuditBundle(path) as bundle:
        return trace(bundle, event, Believed(auditing.log.key, log=auditing.log.id),
                     auditing.world.trust())  # fmt: skip


def test_an_approved_act_is_verified_again_from_its_record(
    tmp_path: Path, waiting: tuple[Auditing, Link]
) -> None:
    auditing, link = waiting
    token = approval(auditing, link)
    event = permit(auditing, link, token).event
    found = traced(auditing, event, tmp_path / "b.zip")
    assert found.problem is None
    assert found.recomputed is not None
    assert found.recomputed.state == "accepted"
    assert found.opening is not None
    assert found.opening["approvals"] == [token]
    assert token not in str([one.json for one in auditing.records()])


def test_what_was_not_needed_is_not_kept(local: Auditing) -> None:
    link = local.link()
    shown = local.world.present([link], ASKED)
    shown = Presentation(shown.links, shown.invocation, ("a.b.c",))
    auth, request, _ = local.asked([link], ASKED)
    event = local.ledger.permit(
        auth, request, presentation=shown, evidence=local.world.evidence(), at=local.now
    ).event
    with local.log.store.transaction(reading=True) as db:
        kept = local.log.store.opening(db, event)
    assert kept is not None
    opening = parse_object(bytes(kept), size=1 << 20)
    assert "approvals" not in opening
    assert canonical(opening) == bytes(kept)

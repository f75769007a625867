"""The issuer refuses to sign what no verifier would accept; just short of that it signs."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import Error, canonical, verify_chain
from world import PAPERS, World

DAY = 86_400
READ = [f"db.read {PAPERS}"]


@pytest.mark.parametrize(
    ("most", "more", "code"),
    [
        ({"seconds": 3600}, {"seconds": 3601}, "ttl-too-long"),
        (
            {"seconds": 30 * DAY, "use": "mandate"},
            {"seconds": 30 * DAY + 1, "use": "mandate"},
            "ttl-too-long",
        ),
        ({"seconds": 60, "status": None}, {"seconds": 61, "status": None}, "status-missing"),
        (
            {"seconds": 60, "use": "mandate"},
            {"seconds": 60, "use": "mandate", "status": None},
            "status-missing",
        ),
    ],
)
def test_link_no_verifier_would_take_is_not_signed(
    most: dict[str, Any], more: dict[str, Any], code: str
) -> None:
    world = World(max_grant=3600)
    ana = world.human("ana", valid_until=1_790_000_000 + DAY)
    bot = world.agent("bot", ana)
    link = world.delegate(ana, bot, READ, **most)
    anchor = world.trust_json["anchors"][0] | {"maxMandateSeconds": 30 * DAY}
    shown = {"links": [link.secured.raw]}
    trust = world.trust(anchors=[anchor])
    whole = verify_chain(canonical(shown), world.evidence(), trust, at=world.now)
    assert whole.actor == bot.did
    with pytest.raises(Error) as refused:
        world.delegate(ana, bot, READ, **more)
    assert refused.value.code == code


def test_sponsor_credential_lives_a_day_and_no_longer() -> None:
    world = World()
    ana = world.human("ana", valid_until=world.now + DAY)
    with pytest.raises(Error) as refused:
        world.attest(ana, valid_until=world.now + DAY + 1)
    assert refused.value.code == "ttl-too-long"


def test_identity_lives_ninety_days_and_no_longer() -> None:
    world = World()
    ana = world.human("ana")
    world.agent("bot", ana, valid_until=world.now + 90 * DAY)
    with pytest.raises(Error) as refused:
        world.agent("bot", ana, valid_until=world.now + 90 * DAY + 1)
    assert refused.value.code == "ttl-too-long"

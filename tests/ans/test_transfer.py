"""A name changes hands by three signatures, and by no fewer."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from ans.naming import NAME, Naming
from delegant.ans.holder import consent, new_event
from delegant.ans.signing import sign
from delegant.credentials import PrivateKey
from delegant.credentials.codec import JsonObject
from refusal import refusal
from world import World


@pytest.fixture
def naming(tmp_path: Path, database: str | None) -> Naming:
    return Naming(tmp_path / "registry.db", database=database)


def test_a_name_is_transferred_by_three_signatures(naming: Naming) -> None:
    other = naming.agent("other")
    first = naming.register()
    receipt = naming.send(naming.transfer(first, other))
    leaf = naming.leaf(receipt)
    assert (leaf.type, leaf.agent, leaf.origin) == ("transfer", other.did, naming.bot.did)
    assert (leaf.epoch, leaf.seq, leaf.by) == (1, 1, "agent")
    assert naming.agent_of() == other.did
    # The old agent has no say any more, and the new one has.
    assert refusal(lambda: naming.send(naming.event("renew", receipt=receipt))) == "name-taken"
    renewed = naming.send(naming.event("renew", other, receipt=receipt), other)
    assert naming.leaf(renewed).epoch == 1


def _without(place: int) -> Any:
    return lambda _n, event: (
        event | {"proof": [*event["proof"][:place], *event["proof"][place + 1 :]]}
    )


def _twice(place: int, other: int) -> Any:
    def alter(_naming: Naming, event: JsonObject) -> JsonObject:
        proofs = list(event["proof"])
        proofs[place] = proofs[other]
        return event | {"proof": proofs}

    return alter


def _swapped(naming: Naming, event: JsonObject) -> JsonObject:
    return event | {"proof": [event["proof"][n] for n in (1, 0, 2)]}


def _forged(place: int) -> Any:
    def alter(naming: Naming, event: JsonObject) -> JsonObject:
        who = [event["from"], event["agent"], naming.world.org.did][place]
        bare = {k: v for k, v in event.items() if k != "proof"}
        wrong = consent(bare, PrivateKey.generate(), who, at=naming.now)["proof"][0]
        proofs = list(event["proof"])
        proofs[place] = wrong
        return event | {"proof": proofs}

    return alter


def _more(naming: Naming, event: JsonObject) -> JsonObject:
    return consent(event, naming.ana.key, naming.ana.did, at=naming.now)


NO_CONSENT: dict[str, Any] = {
    **{f"without {n}": _without(n) for n in range(3)},
    **{f"forged {n}": _forged(n) for n in range(3)},
    **{f"{a} in place of {b}": _twice(b, a) for a, b in ((0, 1), (1, 0), (1, 2), (2, 0))},
    "swapped": _swapped,
    "one more": _more,
    "one alone": lambda _n, event: event | {"proof": event["proof"][0]},
    "none": lambda _n, event: event | {"proof": []},
    "nonsense": lambda _n, event: event | {"proof": [1, 2, 3]},
    "altered": lambda _n, event: event | {"reason": "because"},
}


@pytest.mark.parametrize("case", NO_CONSENT)
def test_a_transfer_without_all_three_is_refused(naming: Naming, case: str) -> None:
    other = naming.agent("other")
    event = naming.transfer(naming.register(), other)
    altered = NO_CONSENT[case](naming, copy.deepcopy(event))
    assert refusal(lambda: naming.send(altered)) == "ans-consent"
    assert naming.send(event)["leaf"]["type"] == "transfer"


def test_the_consent_of_another_organisation_is_none(naming: Naming) -> None:
    other, rival = naming.agent("other"), naming.world._party("rival")
    first = naming.register()
    wrong = naming.transfer(first, other, owner=rival)
    assert refusal(lambda: naming.send(wrong)) == "ans-consent"
    assert naming.send(naming.transfer(first, other))["leaf"]["epoch"] == 1


def test_the_new_agent_needs_a_live_human_too(naming: Naming) -> None:
    other = naming.agent("other")
    assert other.identity is not None
    assert other.identity.status is not None
    first = naming.register()
    event = naming.transfer(first, other)
    own = naming.world.evidence(identities=[naming.bot.identity.secured.raw])  # type: ignore[union-attr]
    assert refusal(lambda: naming.send(event, evidence=own)) == "orphan-agent"
    naming.world.revoked.add(other.identity.status.index)
    assert refusal(lambda: naming.send(event)) == "orphan-agent"
    naming.world.revoked.clear()
    assert naming.send(event)["leaf"]["agent"] == other.did


def test_a_name_is_not_transferred_out_of_its_organisation(naming: Naming) -> None:
    other = World(label="rival", now=naming.now, ceiling=naming.world.ceiling)
    eve = other.human("eve")
    bot = other.agent("eves", eve)
    first = naming.register()
    both = naming.world.evidence().merged(
        other.evidence(
            status_lists=[other.status_list(url="https://rival.example/s/1").secured.raw]
        )
    )
    record = {k: v for k, v in naming.record().items() if k != "proof"}
    signed = sign(record | {"agent": bot.did}, bot.key, bot.did, naming.now)
    event = naming.transfer(first, bot, record=signed)
    assert refusal(lambda: naming.send(event, evidence=both)) == "orphan-agent"
    assert naming.send(naming.transfer(first, naming.agent("own")))["leaf"]["epoch"] == 1


def test_a_transfer_is_from_its_own_agent_and_to_another(naming: Naming) -> None:
    other = naming.agent("other")
    first = naming.register()
    event = {k: v for k, v in naming.transfer(first, other).items() if k != "proof"}
    for changes in ({"by": naming.ana.did}, {"from": other.did, "by": other.did}, {"from": None}):
        wrong = {k: v for k, v in (event | changes).items() if v is not None} | {"proof": []}
        assert refusal(lambda w=wrong: naming.send(w)) == "shape"
    # Nor does another agent give it away.
    stolen = new_event(
        other.key, other.did, naming.did, NAME, "transfer", at=naming.now, agent=naming.bot.did,
        record=naming.record(), receipt=first,
    )  # fmt: skip
    for party in (naming.bot, naming.world.org):
        stolen = consent(stolen, party.key, party.did, at=naming.now)
    assert refusal(lambda: naming.send(stolen, other)) == "name-taken"
    assert naming.send(naming.transfer(first, other))["leaf"]["epoch"] == 1

"""What both clients hold a registry to: one log that only grows, names that stay whose they are.

The registry here signs whatever it likes with its own keys; it cannot sign for an agent.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ans.fronted import Driver, Front, Said, forked, turned
from ans.naming import NAME, Naming
from ans.test_events import web_agent
from delegant.ans import consent
from delegant.ans.memory import Memory, Remembered
from delegant.credentials import PrivateKey
from delegant.credentials.codec import JsonObject
from refusal import refusal

Asking = Callable[..., Driver]


def named(number: int) -> str:
    return NAME.replace("v1.0", f"v{number}.0")


def step(naming: Naming, kind: str, receipt: JsonObject, **more: Any) -> JsonObject:
    """Another event by the bot."""
    return naming.send(naming.event(kind, receipt=receipt, **more))


# --- one log -------------------------------------------------------------------------------------


def test_a_log_that_grows_is_believed(front: Front, asking: Asking) -> None:
    one, receipt = asking(), front.naming.register()
    for _ in range(3):
        assert one.resolve(NAME, fresh=True).seq == receipt["leaf"]["seq"]
        receipt = step(front.naming, "renew", receipt)
    assert one.resolve(NAME, fresh=True).seq == 3
    assert len(one.history(NAME)) == 4


def test_a_log_set_back_is_a_rollback(front: Front, asking: Asking, tmp_path: Path) -> None:
    front.naming.register()
    old = forked(front.naming, tmp_path / "old")
    one = asking()
    front.naming.register(name=named(2))
    assert one.resolve(NAME).name == NAME
    with turned(front, old):
        # It has fewer entries than the client asks for.
        assert refusal(lambda: one.resolve(NAME, fresh=True)) == "unavailable"
        front.naming.world.now += 91
        search = lambda: one.search(capability="paperquery", at=front.naming.now)  # noqa: E731
        assert refusal(search) == "log-rollback"
        front.naming.world.now -= 91
        assert asking().resolve(NAME).name == NAME  # who has not met more cannot know
    assert one.resolve(NAME, fresh=True).name == NAME


def test_an_older_word_of_the_same_log_is_no_rollback(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    naming.register()
    kept = front.honest
    early = asking()
    assert early.resolve(NAME).name == NAME
    old = kept(front.asked[-1] if front.paths[-1] == "/v1/resolve" else front.asked[0])
    naming.register(name=named(2))
    assert one.resolve(named(2)).name == named(2)
    front.play = lambda asked: old if asked.path.startswith("/v1/resolve") else kept(asked)
    assert one.resolve(NAME).name == NAME


def test_a_later_word_of_a_smaller_log_is_a_rollback(
    front: Front, asking: Asking, tmp_path: Path
) -> None:
    naming, one = front.naming, asking()
    naming.register()
    old = forked(naming, tmp_path / "old")
    naming.register(name=named(2))
    grown = front.honest
    assert one.resolve(named(2)).name == named(2)
    naming.world.now += 91  # the proof is honest; only the word is of a log that went back
    newer = front.upstream
    with turned(front, old):
        older = front.upstream

        def play(asked: Any) -> Said:
            front.upstream = older if asked.path.startswith("/v1/resolve") else newer
            return grown(asked)

        front.play = play
        assert refusal(lambda: one.resolve(NAME, at=naming.now)) == "log-rollback"


@pytest.mark.parametrize("more", [0, 1, 2])
def test_a_log_made_for_somebody_else_is_a_split(
    front: Front, asking: Asking, tmp_path: Path, more: int
) -> None:
    naming, one = front.naming, asking()
    naming.register()
    other = forked(naming, tmp_path / "other")
    naming.register(name=named(2))
    naming.register(name=named(3))
    assert one.resolve(NAME).name == NAME
    with turned(front, other):
        for number in range(4, 5 + more):
            naming.register(name=named(number))
        told = {0: ("log-rollback",), 1: ("log-split",), 2: ("log-split",)}[more]
        assert refusal(lambda: one.resolve(named(4))) in told
        assert asking().resolve(named(4)).name == named(4)
    assert one.resolve(named(3)).name == named(3)


def test_a_proof_met_on_the_way_to_a_refusal_serves_for_nothing_else(
    front: Front, asking: Asking, tmp_path: Path
) -> None:
    naming, one = front.naming, asking()
    receipt = naming.register()
    early = forked(naming, tmp_path / "early")
    receipt = step(naming, "renew", receipt)
    assert one.resolve(NAME).seq == 1
    late = forked(naming, tmp_path / "late")
    with turned(front, late):  # it has honestly grown, but its answer is refused for the name
        transferred(naming, receipt, "heir")
        front.altered("/v1/names/", lambda value: value | {"events": []})
        assert refusal(lambda: one.resolve(NAME, fresh=True)) == "ans-rebound"
        front.play = front.honest
    with turned(front, early):
        for number in (2, 3, 4):
            naming.register(name=named(number))
        for _ in range(2):
            assert refusal(lambda: one.resolve(named(4))) == "log-split"
    naming.register(name=named(5))
    assert one.resolve(named(5)).name == named(5)


def test_one_proof_does_for_all_that_was_met_before(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    for number in range(2, 7):
        naming.register(name=named(number))
    assert len(one.search(capability="paperquery").agents) == 5
    proofs = front.paths.count("/v1/log/consistency")
    naming.register(name=named(7))
    assert len(one.search(capability="paperquery", limit=6).agents) == 6
    assert front.paths.count("/v1/log/consistency") == proofs + 1


@pytest.mark.parametrize("forge", [
    lambda proof: proof[:-1], lambda proof: [*proof, proof[-1]], lambda proof: proof[::-1],
    lambda _: [], lambda _: None, lambda proof: ["A" * 44, *proof[1:]], lambda _: "x",
], ids=["short", "long", "reversed", "empty", "none", "other", "text"])  # fmt: skip
def test_a_forged_proof_of_growth_is_a_split(
    front: Front, asking: Asking, forge: Callable[[list[str]], object]
) -> None:
    naming, one = front.naming, asking()
    for number in range(2, 6):
        naming.register(name=named(number))
    one.resolve(named(2))
    naming.register(name=named(7))
    front.altered("/v1/log/consistency", lambda value: value | {"proof": forge(value["proof"])})
    assert refusal(lambda: one.resolve(named(7))) == "log-split"
    front.play = front.honest
    assert one.resolve(named(7)).name == named(7)


def test_a_proof_that_cannot_be_had_now_accuses_nobody(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    naming.register()
    one.resolve(NAME)
    naming.register(name=named(2))

    def play(asked: Any) -> Said:
        busy = asked.path.startswith("/v1/log/consistency")
        return Said.json({"code": "unavailable"}, 503) if busy else front.honest(asked)

    front.play = play
    assert refusal(lambda: one.resolve(named(2))) == "unavailable"
    front.play = front.honest
    assert one.resolve(named(2)).name == named(2)


def test_a_receipt_of_another_log_is_a_split(front: Front, asking: Asking, tmp_path: Path) -> None:
    naming, one = front.naming, asking()
    naming.register()
    other = forked(naming, tmp_path / "other")
    naming.register(name=named(2))
    one.resolve(named(2))
    with turned(front, other):
        body, token = naming.body(naming.event(name=named(3)))
        assert refusal(lambda: one.submit(body, token)) == "log-split"
        assert asking().submit(body, token)["leaf"]["seq"] == 0


# --- whose a name is ------------------------------------------------------------------------------


def transferred(naming: Naming, receipt: JsonObject, name: str) -> JsonObject:
    return naming.send(naming.transfer(receipt, naming.agent(name)))


def test_a_name_that_was_handed_over_is_followed(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    receipt = naming.register()
    assert one.resolve(NAME).did == naming.bot.did
    heir = naming.agent("heir")
    receipt = naming.send(naming.transfer(receipt, heir))
    found = one.resolve(NAME, fresh=True)
    assert (found.did, found.epoch) == (heir.did, 1)
    assert "/v1/names/" in " ".join(front.paths)
    # And back again: the DID is the old one, the epoch is not.
    event = naming.event("transfer", heir, receipt=receipt, agent=naming.bot.did,
                         record=naming.record())  # fmt: skip
    event = consent(event, naming.bot.key, naming.bot.did, at=naming.now)
    naming.send(consent(event, naming.world.org.key, naming.world.org.did, at=naming.now), heir)
    assert (one.resolve(NAME, fresh=True).did, one.resolve(NAME).epoch) == (naming.bot.did, 2)


HISTORY: list[tuple[str, Callable[[list[JsonObject]], object]]] = [
    ("ans-rebound", lambda events: events[:-1]),
    ("ans-rebound", lambda events: events[::-1]),
    ("ans-rebound", lambda events: events[1:]),
    ("ans-rebound", lambda events: [events[0], *events[2:]]),
    ("ans-rebound", lambda events: [*events, events[-1]]),
    ("ans-rebound", lambda _: []),
    ("ans-rebound", lambda events: [one | {"receipt": events[0]["receipt"]} for one in events]),
    ("ans-rebound", lambda events: [one | {"event": events[0]["event"]} for one in events]),
    ("ans-rebound", lambda events: [*events[:-1], _unsigned(events[-1])]),
]


def _unsigned(item: JsonObject) -> JsonObject:
    event = dict(item["event"])
    event["proof"] = [event["proof"][1], *event["proof"][1:]]
    return item | {"event": event}


@pytest.mark.parametrize(("code", "forge"), HISTORY)
def test_a_name_is_rebound_by_nothing_less_than_its_history(
    front: Front, asking: Asking, code: str, forge: Callable[[list[JsonObject]], object]
) -> None:
    naming, one = front.naming, asking()
    receipt = naming.register()
    one.resolve(NAME)
    receipt = step(naming, "renew", receipt)
    transferred(naming, receipt, "heir")
    front.altered("/v1/names/", lambda value: value | {"events": forge(value["events"])})
    assert refusal(lambda: one.resolve(NAME, fresh=True)) == code
    front.play = front.honest
    assert one.resolve(NAME, fresh=True).epoch == 1


def test_a_name_given_to_somebody_else_is_rebound(
    front: Front, asking: Asking, tmp_path: Path
) -> None:
    """Two logs of one key: who remembers the name alone, and no log, finds it out too."""
    naming, file = front.naming, tmp_path / "memory.json"
    other = forked(naming, tmp_path / "other")
    naming.register()
    assert asking(memory=file).resolve(NAME).did == naming.bot.did
    forget_log(file, naming)
    with turned(front, other):
        thief = naming.agent("thief")
        naming.register(thief)
        assert refusal(lambda: asking(memory=file).resolve(NAME)) == "ans-rebound"
        assert asking().resolve(NAME).did == thief.did


def forget_log(file: Path, naming: Naming) -> None:
    memory = Memory(naming.did, file)
    before = memory.load()
    assert memory.save(before, Remembered(names=before.names))


def web(naming: Naming, name: str, key: PrivateKey | None = None) -> dict[str, Any]:
    """An agent of did:web, and the grant it acts by."""
    bot = web_agent(naming, name, key)
    return {"bot": bot, "links": naming.grant(bot, subject_key=bot.key.public)}


def test_another_key_of_one_did_web_is_rebound(front: Front, asking: Asking) -> None:
    """Of a DID that is not its own key, the key is a part of what was met."""
    naming, one = front.naming, asking()
    first = web(naming, "webbot")
    receipt = naming.send(naming.event(bot=first["bot"]), **first)
    assert one.resolve(NAME).did == first["bot"].did
    receipt = naming.send(naming.event("renew", first["bot"], receipt=receipt), **first)
    assert one.resolve(NAME, fresh=True).seq == 1
    other = web(naming, "webbot", PrivateKey.generate())
    naming.send(naming.event("renew", other["bot"], receipt=receipt), **other)
    assert refusal(lambda: one.resolve(NAME, fresh=True)) == "ans-rebound"
    assert asking().resolve(NAME).did == first["bot"].did


def test_a_did_web_hands_over_by_the_key_that_was_met(front: Front, asking: Asking) -> None:
    naming, one, two = front.naming, asking(), asking()
    first = web(naming, "webbot")
    naming.bot = first["bot"]
    receipt = naming.send(naming.event(), **first)
    assert one.resolve(NAME).did == first["bot"].did
    heir = web(naming, "heir")
    naming.send(naming.transfer(receipt, heir["bot"]), **first)
    assert one.resolve(NAME, fresh=True).did == heir["bot"].did
    assert two.resolve(NAME).did == heir["bot"].did


def test_a_did_web_whose_key_was_changed_first_hands_nothing_over(
    front: Front, asking: Asking
) -> None:
    naming, one = front.naming, asking()
    first = web(naming, "webbot")
    receipt = naming.send(naming.event(bot=first["bot"]), **first)
    one.resolve(NAME)
    thief = web(naming, "webbot", PrivateKey.generate())
    receipt = naming.send(naming.event("renew", thief["bot"], receipt=receipt), **thief)
    naming.bot = thief["bot"]
    naming.send(naming.transfer(receipt, naming.agent("heir")), **thief)
    assert refusal(lambda: one.resolve(NAME, fresh=True)) == "ans-rebound"
    assert asking().resolve(NAME).epoch == 1


def test_the_key_of_a_name_met_while_suspended_is_kept(
    front: Front, asking: Asking, tmp_path: Path
) -> None:
    """No record is shown then; a memory without the key could not be read again."""
    naming, file = front.naming, tmp_path / "memory.json"
    one = asking(memory=file)
    receipt = naming.register()
    one.resolve(NAME)
    heir = web(naming, "heir")
    receipt = naming.send(naming.transfer(receipt, heir["bot"]))
    naming.send(naming.event("suspend", heir["bot"], receipt=receipt), **heir)
    assert refusal(lambda: one.resolve(NAME, fresh=True)) == "ans-suspended"
    pin = Memory(naming.did, file).load().names[NAME.lower()]
    assert (pin.agent, pin.key, pin.epoch) == (heir["bot"].did, heir["bot"].key.public, 1)


def test_an_older_word_of_a_name_is_stale(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    receipt = naming.register()
    two = asking()
    two.resolve(NAME)
    old = front.honest(next(a for a in front.asked if a.path.startswith("/v1/resolve")))
    step(naming, "renew", receipt)
    assert one.resolve(NAME).seq == 1
    replay = lambda asked: old if asked.path.startswith("/v1/resolve") else front.honest(asked)  # noqa: E731
    front.play = replay
    assert refusal(lambda: one.resolve(NAME, fresh=True)) == "ans-stale"
    assert asking().resolve(NAME).seq == 0  # still good by its minute, for who met nothing newer


# --- history --------------------------------------------------------------------------------------


def test_a_history_without_its_newest_event_is_stale(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    step(naming, "renew", naming.register())
    front.altered("/v1/names/", lambda value: value | {"events": value["events"][:-1]})
    assert refusal(lambda: one.history(NAME)) == "ans-stale"
    front.play = front.honest
    assert [(past.leaf.type, past.signed) for past in one.history(NAME)] == [
        ("register", True), ("renew", True),
    ]  # fmt: skip


@pytest.mark.parametrize("forge", [
    lambda events: events[::-1], lambda events: events[1:], lambda events: [*events, events[-1]],
    lambda events: [one | {"receipt": events[0]["receipt"]} for one in events], lambda _: None,
    lambda events: [events[0] | {"more": 1}, *events[1:]],
    lambda events: events * 200,
])  # fmt: skip
def test_a_history_that_does_not_follow_is_refused(
    front: Front, asking: Asking, forge: Callable[[list[JsonObject]], object]
) -> None:
    naming, one = front.naming, asking()
    step(naming, "renew", naming.register())
    front.altered("/v1/names/", lambda value: value | {"events": forge(value["events"])})
    assert refusal(lambda: one.history(NAME)) != ""
    front.play = front.honest
    assert len(one.history(NAME)) == 2


def test_a_long_history_comes_in_pages(front: Front, asking: Asking) -> None:
    naming, one = front.naming, asking()
    receipt = naming.register()
    for _ in range(101):
        receipt = step(naming, "renew", receipt)
    past = one.history(NAME)
    assert [each.leaf.seq for each in past] == list(range(102))
    assert front.paths.count(next(p for p in front.paths if p.startswith("/v1/names/"))) == 2

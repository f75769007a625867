"""Submissions that come at once: each is told its own, whatever becomes of its neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ans.batching import Sent, gathered
from ans.naming import NAME, Naming
from delegant.credentials import Error
from delegant.credentials.codec import JsonObject
from delegant.resolver.desk import MOST, Desk


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    return Naming(tmp_path / "registry.db")


def versions(naming: Naming, count: int, *, start: int = 1) -> list[Sent]:
    links, evidence = naming.grant(naming.bot), naming.world.evidence()
    names = [NAME.replace("v1.0", f"v{number}.0") for number in range(start, start + count)]
    return [naming.body(naming.event(name=name), links=links, evidence=evidence) for name in names]


def at_once(naming: Naming, sent: Sequence[tuple[Any, ...]]) -> list[Any]:
    """What each is told; refusals by their code."""

    async def all_of() -> list[Any]:
        desk = Desk(naming.registry, lambda: naming.now)
        asked: list[Awaitable[JsonObject]] = [desk.submit(*one) for one in sent]
        return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 30)

    return [one.code if isinstance(one, Error) else one for one in asyncio.run(all_of())]


def test_many_at_once_are_each_told_their_own(naming: Naming) -> None:
    sent = versions(naming, 2 * MOST + 3)
    told = at_once(naming, sent)
    names = [naming.registry.read(body).event["name"] for body, _ in sent]
    assert [one["leaf"]["name"] for one in told] == names
    assert {naming.logged(one).leaf.json["name"] for one in told} == set(names)


def test_what_is_refused_spoils_nobody_beside_it(naming: Naming) -> None:
    first, second, third, fourth = versions(naming, 4)
    elsewhere = (*fourth, naming.bot.did)
    told = at_once(naming, [first, (b"{", None), second, (third[0], None), elsewhere, third])
    assert [one if isinstance(one, str) else one["leaf"]["seq"] for one in told] == [
        0, "json", 0, "holder-missing", "shape", 0,
    ]  # fmt: skip


def test_what_breaks_is_told_to_whoever_asked_for_it(
    naming: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = versions(naming, 2)
    real = naming.registry.read

    def read(body: bytes) -> Any:
        if body == bad[0]:
            raise ZeroDivisionError
        return real(body)

    monkeypatch.setattr(naming.registry, "read", read)
    told = at_once(naming, [bad, good])
    assert isinstance(told[0], ZeroDivisionError)
    assert told[1]["leaf"]["seq"] == 0


def test_whoever_leaves_keeps_nobody_waiting(naming: Naming) -> None:
    leaving, staying, late = versions(naming, 3)

    async def some() -> tuple[JsonObject, JsonObject]:
        desk = Desk(naming.registry, lambda: naming.now)
        with gathered(naming.registry):
            gone = asyncio.create_task(desk.submit(*leaving))
            stays = asyncio.create_task(desk.submit(*staying))
            await asyncio.sleep(0.2)
            gone.cancel()
            never = asyncio.create_task(desk.submit(*late))
            await asyncio.sleep(0)
            never.cancel()
        again = asyncio.create_task(desk.submit(*late))
        return await asyncio.wait_for(stays, 30), await asyncio.wait_for(again, 30)

    told = asyncio.run(some())
    assert [one["leaf"]["seq"] for one in told] == [0, 0]
    assert naming.state(naming.registry.read(leaving[0]).event["name"]) == "active"


def test_a_loop_that_ended_is_told_nothing(naming: Naming) -> None:
    """The event is written all the same: what was begun is ended."""
    (sent,) = versions(naming, 1)

    async def begun() -> None:
        desk = Desk(naming.registry, lambda: naming.now)
        asyncio.get_running_loop().create_task(desk.submit(*sent))
        await asyncio.sleep(0.2)

    with gathered(naming.registry):
        asyncio.run(begun())
    name = naming.registry.read(sent[0]).event["name"]
    naming.registry.close()
    naming.registry = naming.open()
    assert naming.state(name) == "active"

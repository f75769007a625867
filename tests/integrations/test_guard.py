"""A guarded function runs under a permit of whoever is calling, or not at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Evidence, Link, Presentation, Request
from delegant.governance.enforcing import EnforcementPoint
from delegant.integrations import calling, guard
from governance.auditing import Auditing
from refusal import refusal


class Bot:
    """Presents its chain for whatever it is about to call."""

    def __init__(self, auditing: Auditing, link: Link) -> None:
        self.auditing, self.link = auditing, link

    def present(self, request: Request) -> tuple[Presentation, Evidence]:
        world = self.auditing.world
        return world.present([self.link], request), world.evidence()


@pytest.fixture
def auditing(tmp_path: Path) -> Iterator[Auditing]:
    found = Auditing(tmp_path / "audit")
    yield found
    found.log.close()


@pytest.fixture
def point(auditing: Auditing) -> EnforcementPoint:
    return EnforcementPoint(auditing.ledger, auditing.world.trust(), clock=lambda: auditing.now)


@guard(action="db.read", resource=lambda a: f"urn:acme:papers:{a['id']}", arguments=["limit"])
def read(id: str, limit: int = 2) -> list[dict[str, str]]:  # noqa: A002
    """Read papers."""
    return [{"title": f"On {id}, part {n}"} for n in range(limit)]


@guard(action="db.read", resource="urn:acme:papers:all")
async def read_later() -> str:
    await asyncio.sleep(0)
    return "four"


def test_it_runs_under_a_permit(auditing: Auditing, point: EnforcementPoint) -> None:
    with calling(point, Bot(auditing, auditing.link())):
        assert len(read("17")) == 2
        assert len(read(id="17", limit=3)) == 3
        assert asyncio.run(read_later()) == "four"
    assert [one.type for one in auditing.records()] == ["intent", "outcome"] * 3
    assert auditing.records()[0].json["target"] == "urn:acme:papers:17"
    assert read.__doc__ == "Read papers."


def test_where_nobody_is_calling_it_does_not_run(
    auditing: Auditing, point: EnforcementPoint
) -> None:
    assert refusal(lambda: read("17")) == "holder-missing"
    with calling(point, Bot(auditing, auditing.link())):
        found: list[str] = []
        thread = threading.Thread(target=lambda: found.append(refusal(lambda: read("17"))))
        thread.start()  # another thread is another caller
        thread.join()
        assert found == ["holder-missing"]
        read("17")
    assert refusal(lambda: read("17")) == "holder-missing"


def test_its_arguments_are_limited_as_the_chain_says(
    auditing: Auditing, point: EnforcementPoint
) -> None:
    rules = {"arguments": {"limit": {"range": {"min": 1, "max": 3}}}}
    with calling(point, Bot(auditing, auditing.link(constraints=rules))):
        read("17", 3)
        assert refusal(lambda: read("17", 4)) == "constraint"


def test_its_result_is_counted_and_held(auditing: Auditing, point: EnforcementPoint) -> None:
    rules: dict[str, Any] = {"rows": {"max": 2}, "columns": ["title"]}

    def asked(result: Any, **more: Any) -> Any:
        facts = {"rows": 2, "columns": ("title",)}
        return guard(
            action="db.read", resource="urn:acme:papers:17", facts=lambda _: facts, **more
        )(lambda: result)

    with calling(point, Bot(auditing, auditing.link(constraints=rules))):
        for result in ([{"title": "a"}] * 2, {"title": "a"}, [], None):
            assert asked(result)() == result
        beyond: tuple[Any, ...] = ([{"title": "a"}] * 3, [{"name": "a"}], ["a"], iter([]), "a")
        for one in beyond:
            assert refusal(asked(one)) == "constraint"
        told = {"rows": 1, "columns": {"title"}}
        assert asked("a", count=lambda _: told)() == "a"

"""The honest story the properties damage: Ana's research chain of `world`, as bytes and JSON."""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import strategies as st

from delegant.credentials import CODES, Error, Link, Request, decide
from world import World, research_chain

ASKED = Request("doc.write", "urn:acme:drafts:7", rows=3)


class Story:
    """The honest presentation, evidence and trust, as bytes and as JSON."""

    def __init__(self, world: World, links: list[Link], asked: Request) -> None:
        self.now = world.now
        self.trust = world.trust()
        self.trust_json = world.trust_json
        self.asked = asked
        self.presentation: dict[str, Any] = world.present(links, asked).json
        self.evidence: dict[str, Any] = world.evidence().json

    def state(self, presentation: Any, evidence: Any = None) -> str:
        """The verdict's state on bytes or JSON."""
        evidence = self.evidence if evidence is None else evidence
        verdict = decide(
            presentation if isinstance(presentation, bytes) else json.dumps(presentation).encode(),
            evidence if isinstance(evidence, bytes) else json.dumps(evidence).encode(),
            self.trust,
            self.asked,
            at=self.now,
        )
        assert verdict.code is None or verdict.code in CODES
        return verdict.state


@cache
def story(form: str = "di") -> Story:
    world = World(form=form)  # type: ignore[arg-type]
    links, _ = research_chain(world)
    return Story(world, links, ASKED)


FORMS = pytest.mark.parametrize("form", ["di", "jwt"])


def copy_of(value: Any) -> Any:
    return json.loads(json.dumps(value))


def shuffled(value: Any, dice: random.Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        dice.shuffle(names)
        return {name: shuffled(value[name], dice) for name in names}
    if isinstance(value, list):
        return [shuffled(item, dice) for item in value]
    return value


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["\ud800", "did:key:z", "did:jwk:e30", "did:web:x", "urn:acme:**", "u", "z", "a.b.c", "..",
         "e30.e30.", "9999-99-99T99:99:99Z", "1" * 400, "z" + "1" * 200, 10**30, -0.0, 1e308]
    )
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def paths_of(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    out = [here]
    if isinstance(value, dict):
        for name, item in value.items():
            out += paths_of(item, (*here, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            out += paths_of(item, (*here, index))
    return out


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with one to three places replaced, removed or renamed."""
    out = copy_of(value)
    for _ in range(draw(st.integers(1, 3))):
        places = [p for p in paths_of(out) if p]
        if not places:
            return draw(JSON)
        *way, last = places[draw(st.integers(0, len(places) - 1))]
        node = out
        for step in way:
            node = node[step]
        match draw(st.sampled_from(["replace", "remove", "rename", "twice"])):
            case "replace":
                node[last] = draw(JSON)
            case "remove":
                del node[last]
            case "rename" if isinstance(node, dict):
                node[draw(st.text(max_size=8))] = node.pop(last)
            case "twice" if isinstance(node, list):
                node.append(node[last])
            case _:
                node[last] = draw(SCALARS)
    return out


def as_bytes(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def only_our_errors(call: Any) -> None:
    """The call succeeds or raises an `Error` whose code is in the table."""
    try:
        call()
    except Error as exc:
        assert exc.code in CODES
        assert isinstance(exc, CODES[exc.code].cls)
        assert str(exc)
        assert exc.problem()["status"] == CODES[exc.code].http

"""Targets for whole verifications: presentation, evidence, bundle, and bundles signed again.

Three promises, whatever the bytes:

* one answer: asked twice, explained, written again in RFC 8785, or with the evidence already
  parsed and its signatures remembered, it stays the same;
* no yes without a key: what was accepted is accepted too when everything that was never signed
  by anybody is taken out of the evidence, and its links are ones that were signed;
* no wrong yes, even from those who hold keys: what was accepted passes `reference`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any, Final

from delegant.credentials import (
    Bundle,
    Error,
    Evidence,
    Presentation,
    Request,
    Trust,
    Verdict,
    decide,
    explain,
    verify,
    verify_chain,
)
from fuzz import seeds
from fuzz.forge import resign
from fuzz.oracle import STATES, Finding, expect, has_float, result, settled
from fuzz.reference import Case, check_accepted
from fuzz.trees import copied, damaged, encoded, nudged, opened, places, written
from world import T0, World

__all__ = [
    "accepted",
    "allowed",
    "bundle_bytes",
    "damaged_and_signed",
    "evidence_bytes",
    "forged_bytes",
    "nothing_made_up",
    "parts",
    "presentation_bytes",
    "read_bundle",
    "with_donors",
]


@cache
def _trust() -> tuple[Trust, dict[str, Any]]:
    world = World()
    return world.trust(), world.trust_json


@cache
def _honest() -> tuple[bytes, bytes, Request, Evidence]:
    """Presentation, evidence and request of the story; the evidence parsed once, kept warm."""
    bundle = Bundle.parse(seeds.honest()["plain-3"])
    shown, stapled = bundle.presentation.to_bytes(), bundle.evidence.to_bytes()
    return shown, stapled, bundle.request, Evidence.parse(stapled)


def presentation_bytes(data: bytes) -> None:
    """Any bytes as the presentation, beside honest evidence."""
    _, stapled, asked, warm = _honest()
    verdict = _one_answer(data, stapled, asked, warm)
    if verdict.state == "accepted":
        nothing_made_up(data, stapled, asked)


def evidence_bytes(data: bytes) -> None:
    """Any bytes as the evidence, beside an honest presentation."""
    shown, _, asked, _ = _honest()
    verdict = _one_answer(shown, data, asked)
    if verdict.state == "accepted":
        nothing_made_up(shown, data, asked)


def bundle_bytes(data: bytes) -> None:
    """Any bytes as the one file."""
    read = read_bundle(data)
    if read is not None and _one_answer(*read).state == "accepted":
        nothing_made_up(*read)


def forged_bytes(data: bytes) -> None:
    """The one file, as made by people who hold keys."""
    read = read_bundle(data)
    if read is not None:
        _one_answer(*read)


def read_bundle(data: bytes) -> tuple[bytes, bytes, Request] | None:
    """Presentation, evidence and request of a bundle file, as spelled there; None if it is none."""
    bundle = settled(lambda: Bundle.parse(data))
    if isinstance(bundle, Error):
        return None
    again = Bundle.parse(bundle.to_bytes())
    expect(again.to_bytes() == bundle.to_bytes(), "a bundle that reads back otherwise", data[:80])
    return written(bundle.presentation.json), written(bundle.evidence.json), bundle.request


def _one_answer(
    shown: bytes, stapled: bytes, asked: Request, warm: Evidence | None = None
) -> Verdict:
    """The verdict, where every other way to ask for it gives the same."""
    trust, trust_json = _trust()
    verdict = Verdict.of(result(lambda: verify(shown, stapled, trust, asked, at=T0)))
    expect(verdict.state in STATES, "one of four states", verdict)
    expect((verdict.authorization is not None) == (verdict.state == "accepted"), "yes", verdict)
    if verdict.authorization is None and zlib.crc32(shown, zlib.crc32(stapled)) % 4:
        return verdict  # of the refused, one in four is asked again in every way
    said = _said(verdict)
    told = explain(shown, stapled, trust, asked, at=T0)
    expect(_said(told.verdict) == said, "explained otherwise", said, told.verdict)
    expect(_plain(told.json), "an explanation that cannot be sent", told)
    expect(_plain(verdict.json), "a verdict that cannot be sent", verdict)
    presentation = result(lambda: Presentation.parse(shown))
    evidence = result(lambda: Evidence.parse(stapled)) if warm is None else warm
    if isinstance(presentation, Presentation) and isinstance(evidence, Evidence):
        for _ in range(2):  # the second time every signature of the evidence is remembered
            again = decide(presentation, evidence, trust, asked, at=T0)
            agrees = _said(again) == said or verdict.code in {"limit-signatures", "limit-size"}
            expect(agrees, "parsed before, answered otherwise", said, again)
        rewritten = decide(presentation.to_bytes(), evidence.to_bytes(), trust, asked, at=T0)
        same = _said(rewritten)[:4] == said[:4]
        agrees = same or verdict.code == "limit-size"
        # RFC 8785 writes 1.0 as 1; links carry no floats, so the one is refused, not the other.
        floats = has_float(presentation.json) or has_float(evidence.json)
        expect(agrees or floats, "written again, answered otherwise", said, rewritten)
    chain = result(lambda: verify_chain(shown, stapled, trust, at=T0))
    if verdict.authorization is not None:
        expect(not isinstance(chain, Error), "a yes under a chain that does not hold", chain)
        again = explain(shown, stapled, trust, asked, at=T0).verdict
        assert again.authorization is not None
        one, two = verdict.authorization.inputs_digest, again.authorization.inputs_digest
        expect(one == two, "one input, two digests", one, two)
        allowed(Case(json.loads(shown), json.loads(stapled), asked.json, trust_json, T0))
    elif verdict.phase is not None and verdict.phase < 10:
        same = isinstance(chain, Error) and chain.code == verdict.code
        by_act = verdict.code in {"use", "suite", "limit-signatures"}  # the invocation's, perhaps
        by_act |= b"approvals" in shown  # or an approver's
        expect(same or by_act, "the chain alone is judged otherwise", verdict, chain)
    return verdict


def allowed(case: Case) -> None:
    """`check_accepted`, where what cannot be read plainly is a finding too."""
    try:
        check_accepted(case)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as exc:
        raise Finding(f"accepted, and cannot be read plainly: {exc!r}") from exc


def _said(verdict: Verdict) -> tuple[Any, ...]:
    return (verdict.state, verdict.code, verdict.link, verdict.dimension, verdict.detail)


def _plain(value: Any) -> bool:
    """Whether it is JSON that UTF-8 can carry."""
    try:
        return json.loads(json.dumps(value, ensure_ascii=False).encode()) is not None
    except (UnicodeEncodeError, TypeError, ValueError):
        return False


def nothing_made_up(shown: bytes, stapled: bytes, asked: Request) -> None:
    """What nobody signed had no part in the yes."""
    known, presentation = seeds.known(), json.loads(shown)
    for one in (*presentation["links"], presentation["invocation"]):
        expect(seeds.key_of(one) in known, "accepted, and nobody signed it", one)
    evidence = {
        group: [item for item in items if seeds.key_of(item) in known]
        for group, items in json.loads(stapled).items()
    }
    fewer = {group: items for group, items in evidence.items() if items}
    trust, _ = _trust()
    honest = decide(shown, json.dumps(fewer).encode(), trust, asked, at=T0)
    expect(honest.state == "accepted", "what nobody signed made it a yes", honest)
    for given in honest.authorization.approvals if honest.authorization else ():
        token = f"{given.message.decode()}.{encoded(given.signature)}"
        expect(seeds.key_of(token) in known, "accepted, and nobody approved it", token)


def accepted(data: bytes) -> bool:
    """Whether the verifier says yes to a bundle file."""
    read = read_bundle(data)
    return read is not None and decide(read[0], read[1], _trust()[0], read[2], at=T0).state == (
        "accepted"
    )


# --- mutations -----------------------------------------------------------------------------

_GROUPS: Final = ("links", "approvals", "sponsors", "identities", "statusLists")


@cache
def _donors() -> tuple[Any, ...]:
    """Everything that was ever signed, opened, to be moved between bundles."""
    return tuple(opened(item) for item in seeds.known().values())


def with_donors(tree: Any, dice: Random) -> Any:
    """A tree damaged; now and then a signed item of another bundle takes the place of its own."""
    if dice.random() < 0.3:
        return _exchanged(tree, dice)
    return damaged(tree, dice, _donors())


def _exchanged(tree: Any, dice: Random) -> Any:
    """The tree with one whole item replaced, added, dropped, doubled or moved."""
    out = copied(tree)
    lists = [node for node in _lists(out) if node]
    if not lists:
        return damaged(out, dice)
    items, donor = dice.choice(lists), copied(dice.choice(_donors()))
    at = dice.randrange(len(items))
    match dice.randrange(5):
        case 0:
            items[at] = donor
        case 1:
            items.insert(at, donor)
        case 2:
            del items[at]
        case 3:
            items.insert(dice.randint(0, len(items)), copied(items[at]))
        case _:
            dice.shuffle(items)
    return out


def _lists(tree: Any) -> list[list[Any]]:
    if not isinstance(tree, dict):
        return []
    found = [member for name, member in tree.items() if name in _GROUPS]
    inner = [one for name in ("presentation", "evidence") for one in _lists(tree.get(name))]
    return [one for one in found if isinstance(one, list)] + inner


_Place = tuple[str, str]
"""The name of a member, and of the member that holds it."""
_DULL: Final = frozenset({
    "@context", "type", "proof", "proofValue", "proofPurpose", "cryptosuite", "encodedList",
    "statusPurpose", "statusListIndex",
})  # fmt: skip
"""Members with one good value, which `with_donors` damages often enough."""


def _members(tree: Any) -> Iterator[tuple[dict[str, Any], str, _Place]]:
    """Every member worth another value, with its place."""
    stack = [(tree, "")]
    while stack:
        node, above = stack.pop()
        if isinstance(node, list):
            stack += [(item, above) for item in node]
        elif isinstance(node, dict):
            for name, value in node.items():
                stack.append((value, name))
                if name not in _DULL:
                    yield node, name, (above, name)


@cache
def _values() -> dict[_Place, tuple[Any, ...]]:
    """Every value that a member at this place has somewhere in the seeds."""
    found: dict[_Place, dict[bytes, Any]] = {}
    for seed in seeds.bundles():
        try:
            tree = opened(json.loads(seed.data))
        except (ValueError, RecursionError):
            continue
        if len(seed.data) < 1 << 15:
            for node, name, place in _members(tree):
                found.setdefault(place, {}).setdefault(written(node[name]), node[name])
    return {place: tuple(values.values()) for place, values in found.items()}


def _plausible(tree: Any, dice: Random) -> Any:
    """One to three members with other values that have the right shape, limits restated below."""
    out, pool = copied(tree), _values()
    for _ in range(dice.choice((1, 1, 2, 3))):
        known = [one for one in _members(out) if one[2] in pool]
        if not known:
            break
        node, name, place = dice.choice(known)
        node[name] = (
            nudged(node[name], dice)
            if dice.random() < 0.4 and not isinstance(node[name], dict | list)
            else copied(dice.choice(pool[place]))
        )
    if dice.random() < 0.2:
        _restate(out, dice)
    return out


def _restate(tree: Any, dice: Random) -> None:
    """From some link down, every link has the constraints of one of them."""
    links = next((node[at] for node, at in places(tree) if at == "links"), None)
    whole: list[dict[str, Any]] = []
    for link in links if isinstance(links, list) else ():
        blocks = (node[at] for node, at in places([link]) if at == "delegation")
        whole += [block for block in blocks if isinstance(block, dict)]
    if whole:
        limits = dice.choice((dice.choice(whole).get("constraints"),
                              *_values().get(("delegation", "constraints"), ())))  # fmt: skip
        for block in whole[dice.randrange(len(whole)) :]:
            block["constraints"] = copied(limits)


def damaged_and_signed(tree: Any, dice: Random) -> Any:
    """A bundle damaged, wildly or plausibly, and half of the time signed again."""
    out = (with_donors if dice.random() < 0.3 else _plausible)(tree, dice)
    return resign(out, dice) if dice.random() < 0.5 else out


def parts(name: str) -> Callable[[], list[bytes]]:
    """The seeds of one member of a bundle; or whole files: every ``bundle``, or ``accepted``."""

    def seeds_of() -> list[bytes]:
        if name == "bundle":
            return [seed.data for seed in seeds.bundles()]
        if name == "accepted":
            return [seed.data for seed in seeds.bundles() if seed.yes]
        out: dict[bytes, None] = {}
        for seed in seeds.bundles():
            try:
                out[json.dumps(json.loads(seed.data)[name]).encode()] = None
            except (ValueError, KeyError, TypeError):
                continue
        return list(out)

    return seeds_of

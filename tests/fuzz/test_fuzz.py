"""Every fuzz target, without the fuzzer: on its seeds, on what was found, on seeded mutations."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from delegant.credentials import Error
from delegant.credentials.errors import error
from fuzz import chains, seeds, texts
from fuzz.forge import resign
from fuzz.oracle import Finding, check_error, settled
from fuzz.reference import Case, check_accepted
from fuzz.targets import TARGETS, Target, mutations
from fuzz.trees import closed, opened
from limbo.groups.attenuation_constraint import ANA, MIA, approval
from world import T0, World

FOUND = sorted(path for path in (Path(__file__).parent / "found").iterdir() if path.suffix != ".md")
SLOW = {"credential": 200, "presentation": 150, "evidence": 100, "bundle": 100, "forge": 100}
MANY = 800
EVERY = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@EVERY
def test_target_holds_on_its_seeds(target: Target) -> None:
    start = list(target.seeds())
    assert len(start) > 1
    for data in start[:: max(1, len(start) // 64)]:
        target.run(data)


@EVERY
def test_target_holds_on_seeded_mutations(target: Target) -> None:
    number = SLOW.get(target.name, MANY)
    tried = list(itertools.islice(mutations(target, target.seeds(), Random(8785)), number))
    assert len(set(tried)) > number / 2
    assert all(len(data) <= target.most for data in tried)
    for data in tried:
        target.run(data)


@pytest.mark.parametrize("file", FOUND, ids=lambda file: file.name)
def test_what_was_found_once_holds(file: Path) -> None:
    TARGETS[file.name.partition("-")[0]].run(file.read_bytes())


def test_a_replay_needs_no_atheris_and_says_what_it_saw(tmp_path: Path) -> None:
    tests = Path(__file__).resolve().parents[1]
    blocked = tmp_path / "atheris.py"
    blocked.write_text("raise ImportError('not here')\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(tests)])}

    def replay(name: str, data: bytes) -> subprocess.CompletedProcess[str]:
        file = tmp_path / name
        file.write_bytes(data)
        command = [sys.executable, "-m", "fuzz", "--replay", str(file)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    good = replay("name-x", b"mcp://F.D.P.v1")
    assert (good.returncode, good.stdout.split(":")[0]) == (0, "name")
    assert replay("nothing-x", b"").returncode == 2


# --- the oracles can say no ----------------------------------------------------------------


def test_a_refusal_outside_the_table_is_a_finding() -> None:
    check_error(error("json", "no"))
    with pytest.raises(Finding):
        check_error(Error("json", "of the wrong class"))


def test_an_answer_that_changes_is_a_finding() -> None:
    answers = iter([error("json", "one"), error("json", "two")])

    def moody() -> None:
        raise next(answers)

    with pytest.raises(Finding):
        settled(moody)


def case(name: str = "limited-3") -> Case:
    whole = json.loads(seeds.honest()[name])
    return Case(whole["presentation"], whole["evidence"], whole["request"], World().trust_json, T0)


@pytest.mark.parametrize("name", seeds.honest())
def test_reference_says_yes_to_the_honest(name: str) -> None:
    check_accepted(case(name))


def test_reference_says_no_to_a_request_beyond_any_limit() -> None:
    for name, value in (
        ("rows", 501), ("bytes", 4097), ("columns", ["iban"]), ("purpose", "other"),
        ("dataClass", "restricted"), ("network", "11.0.0.1"), ("action", "doc.write"),
        ("task", {"id": "T-18", "initiation": "schedule"}), ("resource", "urn:acme:drafts:1"),
        ("amount", {"unit": "EUR:2", "value": "101"}),
        ("arguments", {"n": 10, "s": "x", "b": True}),
    ):  # fmt: skip
        one = case()
        one.request[name] = value
        with pytest.raises(Finding, match="invocation is of this request"):
            check_accepted(one)
        signed_again(one)
        with pytest.raises(Finding, match=r"satisfies|covers"):
            check_accepted(one)


def signed_again(one: Case) -> Case:
    """Joined and signed by everybody, as it now is."""
    whole = {"presentation": one.presentation, "request": one.request, "evidence": one.evidence}
    made = closed(resign(opened(whole), Random(0)))  # these dice give the forger every key
    one.presentation.update(made["presentation"])
    one.evidence.update(made["evidence"])
    return one


LEO = World()._party("leo").did
LATER, EARLIER = "2026-09-21T15:59:59Z", "2026-09-21T10:00:00Z"


@pytest.mark.parametrize(
    ("edit", "promise"),
    [
        (lambda c: link(c, 1).update(depth=2), "depth counts up"),
        (lambda c: link(c, 1)["redelegation"].update(remaining=3), "what remains falls"),
        (lambda c: link(c, 2)["redelegation"].update(spawn=True), "spawn never turns true"),
        (lambda c: link(c, 2)["redelegation"].update(to=["did:web:x"]), "only shrinks"),
        (lambda c: link(c, 1).update(use="mandate"), "a mandate stands first or nowhere"),
        (lambda c: link(c, 2).pop("parent"), "cannot be read"),
        (lambda c: link(c, 0).update(parent=link(c, 1)["parent"]), "the first link has no parent"),
        (lambda c: link(c, 2)["sponsor"].update(id="did:web:x"), "one sponsor throughout"),
        (lambda c: c.presentation["links"].pop(1), "issued by the subject before"),
        (lambda c: c.presentation["links"][1].update(validFrom=EARLIER), "starts inside"),
        (lambda c: c.presentation["links"][1].update(validUntil=LATER), "ends inside"),
        (lambda c: c.presentation["links"][2].update(validUntil=EARLIER), "it lives now"),
        (lambda c: link(c, 1).update(constraints={"bytes": {"max": 9}}), "is dropped"),
        (lambda c: c.evidence["statusLists"][0].update(validFrom=EARLIER), "list is fresh"),
        (lambda c: c.evidence["statusLists"][0].update(id="https://x.example/"), "is there"),
        (lambda c: c.evidence["identities"].pop(1), "shows a signed identity"),
        (lambda c: c.evidence["sponsors"][0].update(validUntil=EARLIER), "it lives now"),
        (lambda c: c.trust["verifier"].update(id="did:web:x"), "it is for this verifier"),
        (lambda c: c.trust["anchors"][0].update(id="did:web:x"), "an anchor signed"),
        (lambda c: c.trust["anchors"][0].update(ceiling=[]), "authority covers the request"),
    ],
)  # fmt: skip
def test_reference_says_no_where_one_promise_breaks_under_good_signatures(
    edit: Callable[[Case], object], promise: str
) -> None:
    one = signed_again(case("plain-3"))
    check_accepted(one)
    edit(one)
    with pytest.raises(Finding, match=promise):
        chains.allowed(signed_again(one))


@pytest.mark.parametrize(
    ("edit", "promise"),
    [
        (lambda c: c.presentation["approvals"].pop(), "as many approved as must"),
        (lambda c: c.presentation.pop("approvals"), "as many approved as must"),
        (lambda c: c.presentation["approvals"].append(c.presentation["approvals"][0]), "nor twice"),
        (lambda c: restated(c, approval(2, [ANA, MIA], None)), "an approver was named"),
        (lambda c: restated(c, approval(3, [ANA, MIA, LEO], None)), "as many approved as must"),
        (lambda c: c.evidence["sponsors"][1].update(validUntil=EARLIER), "it lives now"),
        (lambda c: c.evidence["sponsors"].pop(1), "cannot be read"),
    ],
)  # fmt: skip
def test_reference_says_no_where_an_approval_breaks_under_good_signatures(
    edit: Callable[[Case], object], promise: str
) -> None:
    one = signed_again(case("approved-3"))
    check_accepted(one)
    edit(one)
    with pytest.raises(Finding, match=promise):
        chains.allowed(signed_again(one))


def restated(one: Case, rule: Any) -> None:
    """Another rule of who must approve, in every link that has one."""
    for index in (1, 2):
        link(one, index)["constraints"]["approval"] = rule


def link(one: Case, index: int) -> dict[str, Any]:
    """The delegation block of a link."""
    block: dict[str, Any] = one.presentation["links"][index]["credentialSubject"]["delegation"]
    return block


def test_reference_says_no_to_what_is_revoked_or_suspended() -> None:
    world = World()
    honest = json.loads(seeds.honest()["plain-3"])
    entry = honest["presentation"]["links"][1]["credentialStatus"][0]
    for bit, promise in ((0, "no list revokes it"), (1, "does not suspend it")):
        world.revoked = {int(entry["statusListIndex"]) + bit}
        one = case("plain-3")
        one.evidence["statusLists"] = [world.status_list().secured.raw]
        with pytest.raises(Finding, match=promise):
            check_accepted(one)


def test_reference_says_no_to_every_link_altered_under_its_old_signature() -> None:
    for index in range(3):
        one = case("plain-3")
        one.presentation["links"][index]["credentialSubject"]["delegation"]["grants"] = []
        with pytest.raises(Finding, match="signed by its issuer"):
            check_accepted(one)


def test_made_up_evidence_and_unsigned_links_are_findings() -> None:
    bundle = json.loads(seeds.honest()["plain-3"])
    shown = json.dumps(bundle["presentation"]).encode()
    stapled = json.dumps(bundle["evidence"]).encode()
    read = chains.read_bundle(seeds.honest()["plain-3"])
    assert read is not None
    chains.nothing_made_up(shown, stapled, read[2])
    bundle["presentation"]["links"][0]["id"] = "urn:uuid:" + "0" * 8
    with pytest.raises(Finding):
        chains.nothing_made_up(json.dumps(bundle["presentation"]).encode(), stapled, read[2])


@pytest.mark.parametrize(
    ("target", "attribute", "wrong", "data"),
    [
        (texts.base_text, "b64u_decode", lambda text: b"", b"AA"),
        (texts.base_text, "b58_decode", lambda text: b"", b"z6Mk"),
        (texts.json_text, "canonical", lambda value, floats=True: b"{}", b"[1]"),
    ],
)
def test_a_wrong_codec_is_found(
    monkeypatch: pytest.MonkeyPatch, target: object, attribute: str, wrong: object, data: bytes
) -> None:
    assert callable(target)
    target(data)
    monkeypatch.setattr(texts, attribute, wrong)
    with pytest.raises(Finding):
        target(data)


@pytest.mark.parametrize("name", ["explain", "decide", "verify_chain"])
def test_a_verifier_that_contradicts_itself_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = seeds.honest()["plain-3"]
    chains.bundle_bytes(data)
    right = getattr(chains, name)

    def wrong(*arguments: Any, at: int) -> Any:
        return right(b"{}", *arguments[1:], at=at)

    monkeypatch.setattr(chains, name, wrong)
    with pytest.raises(Finding):
        chains.bundle_bytes(data)


# --- the forger reaches beyond the gate ----------------------------------------------------


def test_forger_signs_what_the_verifier_then_believes() -> None:
    """Else `forge` would only ever see signatures that do not fit."""
    known, forge = seeds.known(), TARGETS["forge"]
    for data in itertools.islice(mutations(forge, forge.seeds(), Random(1)), 1000):
        if chains.accepted(data):
            links = json.loads(data)["presentation"]["links"]
            if any(seeds.key_of(link) not in known for link in links):
                return
    pytest.fail("nothing signed anew was believed")


def test_tokens_close_to_the_bytes_they_were_opened_from() -> None:
    for data in seeds.honest().values():
        whole = json.loads(data)
        assert closed(opened(whole)) == whole


def test_limbo_is_read_whatever_its_form(tmp_path: Path) -> None:
    shown, stapled = b'{"links": []}', b"{}"
    b64 = base64.b64encode
    text, half = b64(shown).decode(), b64(shown[:5]).decode()
    request = {"action": "a", "resource": "urn:a:b"}
    files = {
        "blobs": {"blobs": {"x": text, "y": [[half, 1], [b64(shown[5:]).decode(), 1]], "z": "e30="},
                  "cases": [{"id": "one", "presentation": "x", "evidence": "z", "request": request},
                            {"presentation": "y", "evidence": "z"}]},
        "plain": [{"presentation": text, "evidence": b64(stapled).decode()}, {"other": 1}, 7],
        "named": {"cases": {"a": {"presentation": {"links": []}}}},
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    (tmp_path / "broken.json").write_text("{")
    found = seeds.limbo(tmp_path)
    assert len(found) == 4
    assert {seed.data.split(b',"request"')[0] for seed in found} == {
        b'{"presentation":{"links": []}', b'{"presentation":{"links":[]}'
    }  # fmt: skip
    assert json.loads(found[0].data)["request"] == request
    assert seeds.limbo(tmp_path / "nowhere") == ()

"""Answers: believed for their signatures, their time and being about what was asked."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ans.scene import ENDPOINT, NAME, Scene
from delegant.ans import Resolution, verify_answer
from delegant.ans.documents import sign
from delegant.ans.log.checkpoint import parse_checkpoint, sign_checkpoint
from delegant.ans.log.note import NoteSigner
from delegant.credentials import Error, PrivateKey
from delegant.credentials.codec import JsonObject, canonical, parse
from delegant.credentials.did import from_key

OTHER = NAME.replace("main", "other")


def code_of(answer: object, scene: Scene, *, name: str = NAME, at: int | None = None) -> str:
    """What `verify_answer` says."""
    try:
        verify_answer(answer, scene.did, name, at=scene.now if at is None else at, log=scene.log)
    except Error as exc:
        return exc.code
    return "accepted"


def test_an_answer_says_who_the_agent_is_and_who_answers_for_it(scene: Scene) -> None:
    scene.submit(scene.event())
    found = verify_answer(scene.answer()[1], scene.did, NAME, at=scene.now, log=scene.log)
    assert isinstance(found, Resolution)
    assert (found.name, found.did, found.endpoints) == (NAME, scene.bot.did, {"mcp": ENDPOINT})
    assert (found.sponsor, found.organization) == (scene.ana.did, scene.world.org.did)
    assert found.valid_until == scene.now + 60


def test_an_answer_is_good_for_a_minute(scene: Scene) -> None:
    scene.submit(scene.event())
    answer = scene.answer()[1]
    assert code_of(answer, scene, at=scene.now + 59) == "accepted"
    assert code_of(answer, scene, at=scene.now + 60) == "ans-stale"
    assert code_of(answer, scene, at=scene.now - 31) == "ans-stale"


def test_an_answer_to_another_question_is_refused(scene: Scene) -> None:
    scene.submit(scene.event())
    scene.submit(scene.event(OTHER))
    assert code_of(scene.answer(OTHER)[1], scene) == "ans-signature"
    assert code_of(scene.answer(NAME.upper().replace("MCP:", "mcp:").replace("V1", "v1")
                                .replace("MAIN", "main"))[1], scene) == "accepted"  # fmt: skip


def test_an_answer_of_another_registry_is_refused(scene: Scene) -> None:
    scene.submit(scene.event())
    answer = scene.answer()[1]
    with pytest.raises(Error) as caught:
        verify_answer(answer, scene.world.db.did, NAME, at=scene.now, log=scene.log)
    assert caught.value.code == "ans-signature"
    assert code_of(answer, scene) == "accepted"


def test_parts_of_two_true_answers_do_not_make_one(scene: Scene) -> None:
    first = scene.submit(scene.event())
    scene.submit(scene.event(OTHER))
    old = scene.answer()[1]
    other = scene.answer(OTHER)[1]
    scene.submit(scene.event(kind="renew", before=first, endpoint="https://new.example/"))
    new = scene.answer()[1]
    for part in ("record", "receipt", "freshness"):
        for foreign in (old, other):
            assert code_of({**new, part: foreign[part]}, scene) == "ans-signature"
    assert code_of(new, scene) == "accepted"


def test_a_part_left_out_is_refused(scene: Scene) -> None:
    scene.submit(scene.event())
    answer = scene.answer()[1]
    for part in ("record", "receipt"):
        assert code_of({k: v for k, v in answer.items() if k != part}, scene) == "ans-signature"
    assert code_of(answer, scene) == "accepted"


def test_a_forger_with_a_key_of_his_own_gets_nowhere(scene: Scene) -> None:
    scene.submit(scene.event())
    mallory = PrivateKey.generate()
    name = from_key(mallory.public)
    answer = copy.deepcopy(scene.answer()[1])
    forged = {k: v for k, v in answer["freshness"].items() if k != "proof"}
    own = sign({**forged, "registry": name}, mallory, name, scene.now)
    posing = sign(forged, mallory, scene.did, scene.now)
    assert code_of({**answer, "freshness": own}, scene) == "ans-signature"
    assert code_of({**answer, "freshness": posing}, scene) == "ans-signature"
    pretended = NoteSigner("acme.example/ans", mallory)
    note = sign_checkpoint(parse_checkpoint(answer["receipt"]["checkpoint"])[0], pretended)
    receipt = {**answer["receipt"], "checkpoint": note}
    assert code_of({**answer, "receipt": receipt}, scene) == "log-note"
    assert code_of({**answer, "receipt": {**receipt, "proof": []}}, scene) == "log-note"
    record = {k: v for k, v in answer["record"].items() if k != "proof"}
    stolen = sign({**record, "endpoints": {"mcp": "https://evil.example/"}}, mallory,
                  scene.bot.did, scene.now)  # fmt: skip
    assert code_of({**answer, "record": stolen}, scene) == "ans-signature"
    assert code_of(answer, scene) == "accepted"


@pytest.mark.parametrize(
    ("member", "value"),
    [("proofPurpose", "authentication"), ("verificationMethod", "did:key:x#x"), ("extra", 1)],
)
def test_only_an_assertion_by_the_signers_own_method_counts(
    scene: Scene, member: str, value: object
) -> None:
    scene.submit(scene.event())
    answer = copy.deepcopy(scene.answer()[1])
    assert code_of(answer, scene) == "accepted"
    answer["freshness"]["proof"][member] = value
    assert code_of(answer, scene) == "ans-signature"


def test_negative_answers_are_signed(scene: Scene) -> None:
    status, answer = scene.answer()
    assert status == 404
    assert code_of(answer, scene) == "ans-not-found"
    assert code_of(answer, scene, name=OTHER) == "ans-signature"
    assert code_of(answer, scene, at=scene.now + 60) == "ans-stale"
    answer["freshness"]["status"] = "active"
    assert code_of(answer, scene) == "ans-signature"


def test_a_gone_answer_is_signed_and_says_why(scene: Scene) -> None:
    first = scene.submit(scene.event())
    scene.submit(scene.event(kind="revoke", before=first, reason="key theft"))
    status, answer = scene.answer()
    assert status == 410
    with pytest.raises(Error, match="revoked: key theft") as caught:
        verify_answer(answer, scene.did, NAME, at=scene.now, log=scene.log)
    assert caught.value.code == "ans-gone"
    answer["freshness"]["reason"] = "merely resting"
    assert code_of(answer, scene) == "ans-signature"


def test_an_expired_record_is_not_active_however_fresh_the_token(scene: Scene) -> None:
    scene.submit(scene.event(seconds=30))
    answer = scene.answer()[1]
    assert code_of(answer, scene, at=scene.now + 29) == "accepted"
    assert code_of(answer, scene, at=scene.now + 30) == "ans-stale"


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document."""
    out = [path]
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in items:
            out += leaves(member, (*path, name))
    return out


def test_no_member_may_change_go_or_come(scene: Scene) -> None:
    scene.submit(scene.event())
    answer = scene.answer()[1]
    for path in leaves(answer)[1:]:
        for what in ("change", "drop"):
            altered = copy.deepcopy(answer)
            at: Any = altered
            for name in path[:-1]:
                at = at[name]
            if what == "drop":
                del at[path[-1]]
            else:
                at[path[-1]] = 2 if at[path[-1]] != 2 else 3
            assert code_of(altered, scene) != "accepted", (path, what)
    assert code_of(answer, scene) == "accepted"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_altered_byte_is_ever_believed(scene: Scene, data: st.DataObject) -> None:
    if scene.answer()[0] == 404:
        scene.submit(scene.event())
    good: JsonObject = scene.answer()[1]
    raw = bytearray(canonical(good))
    index = data.draw(st.integers(0, len(raw) - 1))
    raw[index] ^= data.draw(st.integers(1, 255))
    try:
        altered = parse(bytes(raw), size=1 << 20)
    except Error:
        return
    assert altered == good or code_of(altered, scene) not in {"accepted", "ans-gone"}

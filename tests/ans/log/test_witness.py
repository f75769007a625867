"""The witness: what it answers to what, and that it never cosigns two histories."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ans.log import naive
from ans.log.naive import LOG, OTHER, WITNESS
from delegant.ans.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from delegant.ans.log.merkle import consistency, root
from delegant.ans.log.note import NoteSigner, parse_lines
from delegant.ans.log.witness import MAX_REQUEST, SIZE_TYPE, Decision, Request, Witness, collect
from delegant.credentials import PrivateKey
from refusal import refusal

# The request of C2SP tlog-witness.
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gG\
zGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UE\
jw6QUXTS5Rovnzv++qbSzm9Q=
"""
EXAMPLE_LINES = """\
— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39\
QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+\
UfzuOBMh9ChdMkP1vi/lCAsmlw==
— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm\
/kWl7oJlqU3rXXvpysAdyP3wQ==
"""
AT = 1_700_000_000
TREE = naive.Log(600)


def head(size: int) -> Checkpoint:
    return Checkpoint(LOG.key.name, size, root(size, TREE.read))


def signed(size: int) -> str:
    return sign_checkpoint(head(size), LOG)


def body(old: int, new: int, *, proof: list[bytes] | None = None) -> bytes:
    hashes = consistency(old, new, TREE.read) if proof is None else proof
    return Request(old, tuple(hashes), signed(new)).encode().encode()


def ask(data: bytes, have: Checkpoint | None) -> Decision:
    witness = Witness(WITNESS, {LOG.key.name: [LOG.key]})
    return witness.decide(data, {LOG.key.name: have}.get, AT)


def test_the_example_request_reads_as_the_specification_says() -> None:
    found = Request.parse(EXAMPLE)
    assert (found.old, len(found.proof)) == (20_852_014, 4)
    assert found.encode() == EXAMPLE
    assert [one.name[-2:] for one in parse_lines(EXAMPLE_LINES)] == ["w1", "w1", "w2"]
    assert "".join(one.line for one in parse_lines(EXAMPLE_LINES)) == EXAMPLE_LINES


def test_a_first_checkpoint_is_cosigned_and_kept() -> None:
    answer = ask(body(0, 600), None)
    assert (answer.status, answer.keep) == (200, head(600))
    text = collect(signed(600), answer.body, [WITNESS.key])
    assert open_checkpoint(text, LOG.key, [WITNESS.key], 1) == head(600)
    assert parse_lines(answer.body)[0].time == AT


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 600), max_size=6).map(sorted))
def test_a_log_that_grows_is_cosigned_at_every_step(sizes: list[int]) -> None:
    have: Checkpoint | None = None
    for size in sizes:
        answer = ask(body(have.size if have else 0, size), have)
        assert (answer.status, answer.keep) == (200, head(size))
        have = answer.keep


def test_the_same_checkpoint_is_cosigned_again() -> None:
    answer = ask(body(600, 600), head(600))
    assert (answer.status, answer.keep) == (200, head(600))


@pytest.mark.parametrize("old", [0, 299, 301, 600])
def test_another_old_size_is_answered_with_the_one_cosigned_last(old: int) -> None:
    answer = ask(body(old, 600), head(300))
    assert (answer.status, answer.content_type, answer.body) == (409, SIZE_TYPE, "300\n")
    assert answer.keep is None
    assert ask(body(300, 600), head(300)).status == 200


def test_the_size_of_a_log_never_seen_is_zero() -> None:
    answer = ask(body(5, 600), None)
    assert (answer.status, answer.content_type, answer.body) == (409, SIZE_TYPE, "0\n")


def test_a_second_root_for_one_size_is_a_conflict() -> None:
    have = Checkpoint(LOG.key.name, 600, bytes(32))
    answer = ask(body(600, 600), have)
    assert (answer.status, answer.body, answer.keep) == (409, "600\n", None)


def test_an_unknown_log_is_404_and_its_state_is_never_looked_up() -> None:
    other = NoteSigner("log.example/other", PrivateKey(bytes(32)))
    text = sign_checkpoint(Checkpoint("log.example/other", 1, bytes(32)), other)
    data = Request(0, (), text).encode().encode()

    def never(origin: str) -> Checkpoint | None:
        raise AssertionError(origin)

    answer = Witness(WITNESS, {LOG.key.name: [LOG.key]}).decide(data, never, AT)
    assert (answer.status, answer.keep) == (404, None)


def test_a_checkpoint_that_the_log_did_not_sign_is_403() -> None:
    stranger = NoteSigner(LOG.key.name, PrivateKey(bytes(32)))
    text = sign_checkpoint(head(600), stranger)
    assert ask(Request(0, (), text).encode().encode(), None).status == 403
    flipped = body(0, 600).replace(b"\n600\n", b"\n599\n")
    assert ask(flipped, None).status == 403
    both = text + signed(600).partition("\n\n")[2]  # unknown keys are passed over
    assert ask(Request(0, (), both).encode().encode(), None).status == 200


def test_an_old_size_above_the_new_one_is_400_whatever_was_cosigned() -> None:
    for have in (None, head(600), head(300)):
        assert ask(body(600, 300, proof=[]), have).status == 400


def test_a_consistency_proof_that_does_not_hold_is_422() -> None:
    right = consistency(300, 600, TREE.read)
    for proof in ([], right[:-1], [*right, right[0]], right[::-1], [bytes(32), *right[1:]]):
        answer = ask(body(300, 600, proof=proof), head(300))
        assert (answer.status, answer.keep) == (422, None)
    assert ask(body(0, 600, proof=right), None).status == 422  # from zero there is none
    assert ask(body(600, 600, proof=right), head(600)).status == 422
    forked = Checkpoint(LOG.key.name, 300, bytes(32))
    assert ask(body(300, 600), forked).status == 422


GOOD = body(300, 600).decode()
LINE = GOOD.split("\n")[1]
BAD = {
    "nothing": "",
    "no old line": GOOD.partition("\n")[2],
    "leading zero": GOOD.replace("old 300", "old 0300"),
    "negative": GOOD.replace("old 300", "old -300"),
    "two spaces": GOOD.replace("old 300", "old  300"),
    "upper case": GOOD.replace("old", "Old"),
    "huge": GOOD.replace("old 300", f"old {2**63}"),
    "short hash": GOOD.replace(LINE, LINE[:-4]),
    "spare bits": GOOD.replace(LINE, "A" * 42 + "B="),
    "64 hashes": GOOD.replace(LINE, "\n".join([LINE] * 64)),
    "empty line": GOOD.replace(LINE, LINE + "\n"),
    "no empty line": GOOD.replace("\n\n", "\n", 1),
    "no checkpoint": GOOD.partition("\n\n")[0] + "\n\n",
    "checkpoint without signature": GOOD.rpartition("\n\n")[0] + "\n",
    "checkpoint with leading zero": GOOD.replace("\n600\n", "\n0600\n"),
    "no last newline": GOOD[:-1],
    "trailing text": GOOD + "\n",
    "carriage returns": GOOD.replace("\n", "\r\n"),
    "too long": GOOD + "x" * MAX_REQUEST,
}


@pytest.mark.parametrize("why", BAD)
def test_a_request_of_another_form_is_400(why: str) -> None:
    assert BAD[why] != GOOD
    answer = ask(BAD[why].encode(), head(300))
    assert (answer.status, answer.keep) == (400, None)
    assert ask(GOOD.encode(), head(300)).status == 200


def test_a_request_that_is_no_utf8_is_400() -> None:
    assert ask(b"\xff" + GOOD.encode(), head(300)).status == 400


def test_63_hashes_are_read_and_a_request_that_none_is_gets_not_written() -> None:
    hashes = (bytes(32),) * 63
    assert len(Request.parse(Request(1, hashes, signed(600)).encode()).proof) == 63
    for bad in (
        Request(1, (*hashes, bytes(32)), signed(600)),
        Request(1, (b"",), signed(600)),
        Request(-1, (), signed(600)),
        Request(1, (), "no checkpoint"),
    ):
        assert refusal(bad.encode) == "log-note"


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD.encode()) - 1), st.integers(0, 7))
def test_any_flipped_bit_of_a_request_is_answered_no(position: int, bit: int) -> None:
    data = bytearray(GOOD.encode())
    data[position] ^= 1 << bit
    answer = ask(bytes(data), head(300))
    assert answer.status in {400, 403, 404, 409, 422}
    assert answer.keep is None


def test_only_keys_for_it_make_a_witness() -> None:
    assert refusal(lambda: Witness(LOG, {})) == "log-note"
    assert refusal(lambda: Witness(WITNESS, {"x": [OTHER.key]})) == "log-note"
    assert Witness(WITNESS, {"x": [LOG.key]}).key == WITNESS.key


def test_only_cosignatures_of_known_witnesses_are_taken_from_an_answer() -> None:
    text, line = signed(600), ask(body(0, 600), None).body
    stranger = OTHER.sign(head(600).text, AT).line
    assert collect(text, stranger + line, [WITNESS.key]) == text + line
    assert refusal(lambda: collect(text, stranger, [WITNESS.key])) == "log-witness"
    assert refusal(lambda: collect(text, "", [WITNESS.key])) == "log-witness"
    wrong = WITNESS.sign(head(300).text, AT).line
    assert refusal(lambda: collect(text, wrong, [WITNESS.key])) == "log-note"
    assert refusal(lambda: collect(text, "no line", [WITNESS.key])) == "log-note"
    assert refusal(lambda: collect(text, "x" * 20_000, [WITNESS.key])) == "limit-size"


def test_of_one_witness_only_the_newest_cosignature_is_taken() -> None:
    text = signed(600)
    lines = [WITNESS.sign(head(600).text, AT + number).line for number in (0, 2, 1)]
    assert collect(text, "".join(lines), [WITNESS.key]) == text + lines[1]
    many = "".join(WITNESS.sign(head(600).text, AT + number).line for number in range(63))
    assert collect(text, many, [WITNESS.key]).count("\n") == text.count("\n") + 1

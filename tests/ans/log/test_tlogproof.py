"""Proofs that travel alone: one spelling, and nothing of them believed but through the log."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ans.log import naive
from ans.log.naive import LOG, OTHER, WITNESS
from delegant.ans.log import tlogproof
from delegant.ans.log.checkpoint import add_signatures, cosign, sign_checkpoint
from delegant.ans.log.merkle import inclusion
from delegant.ans.log.note import b64_encode
from delegant.ans.log.tlogproof import LogProof, check, export, parse
from refusal import refusal

TREE = naive.Log(300)
HEAD = TREE.head()
SIGNED = add_signatures(sign_checkpoint(HEAD, LOG), [cosign(HEAD, WITNESS, 7)])
PATH = inclusion(70, 300, TREE.read)
GOOD = export(70, PATH, SIGNED)
ENTRY = naive.entry(70)

# The example of C2SP tlog-proof. Its signatures are abridged there; those here are made up of
# the right length, so that the form can be read.
EXAMPLE_HEAD = """c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

"""


def test_the_example_of_the_specification_reads_as_it_says() -> None:
    text = EXAMPLE_HEAD + f"— example.com/fancylog {b64_encode(bytes(68))}\n"
    found = parse(text)
    assert (found.index, len(found.proof)) == (73_894, 5)
    assert found.extra is not None
    assert found.extra.startswith(b"age-v1.2.1-darwin-arm64.tar.gz")
    assert found.encode() == text


def test_a_proof_shows_its_entry_and_no_other() -> None:
    found, head = check(GOOD.encode(), ENTRY, LOG.key, [WITNESS.key], 1)
    assert (found.index, found.extra, head) == (70, None, HEAD)
    assert refusal(lambda: check(GOOD, naive.entry(71), LOG.key)) == "log-proof"
    assert refusal(lambda: check(GOOD, ENTRY, WITNESS.key)) == "log-note"
    assert refusal(lambda: check(GOOD, ENTRY, LOG.key, [OTHER.key], 1)) == "log-witness"


@settings(max_examples=60)
@given(st.integers(0, 299), st.one_of(st.none(), st.binary(min_size=1, max_size=80)))
def test_every_entry_has_a_proof_that_reads_back(index: int, extra: bytes | None) -> None:
    text = export(index, inclusion(index, 300, TREE.read), SIGNED, extra)
    assert parse(text.encode()).encode() == text
    assert check(text, naive.entry(index), LOG.key)[0].extra == extra


def test_the_one_entry_of_a_tree_needs_no_hash() -> None:
    log = naive.Log(1)
    text = export(0, [], log.publish())
    assert text.startswith("c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example/tree\n1\n")
    assert check(text, naive.entry(0), LOG.key)[0].proof == ()


FIRST = b64_encode(PATH[0])
BAD = {
    "another version": GOOD.replace("@v1", "@v2"),
    "leading space": " " + GOOD,
    "no header": GOOD.partition("\n")[2],
    "no index": GOOD.replace("index 70\n", ""),
    "index twice": GOOD.replace("index 70\n", "index 70\nindex 70\n"),
    "leading zero": GOOD.replace("index 70", "index 070"),
    "negative index": GOOD.replace("index 70", "index -70"),
    "two spaces": GOOD.replace("index 70", "index  70"),
    "huge index": GOOD.replace("index 70", f"index {2**63}"),
    "no number": GOOD.replace("index 70", "index x"),
    "empty extra": GOOD.replace("index", "extra \nindex"),
    "extra with spare bits": GOOD.replace("index", "extra YR==\nindex"),
    "extra after index": GOOD.replace("index 70\n", "index 70\nextra YQ==\n"),
    "extra twice": GOOD.replace("index", "extra YQ==\nextra YQ==\nindex"),
    "short hash": GOOD.replace(FIRST, b64_encode(bytes(31))),
    "long hash": GOOD.replace(FIRST, b64_encode(bytes(33))),
    "hash without padding": GOOD.replace(FIRST, FIRST[:-1]),
    "no base64": GOOD.replace(FIRST, "!" * 44),
    "empty line among the hashes": GOOD.replace(FIRST, FIRST + "\n"),
    "no empty line": GOOD.replace("\n\nlog.example", "\nlog.example"),
    "carriage returns": GOOD.replace("\n", "\r\n"),
    "too many hashes": GOOD.replace(FIRST, "\n".join([FIRST] * 65)),
    "nothing": "",
}


@pytest.mark.parametrize("why", BAD)
def test_another_spelling_of_a_proof_is_refused(why: str) -> None:
    assert BAD[why] != GOOD
    assert refusal(lambda: parse(BAD[why])) in {"log-proof", "log-note"}
    assert parse(GOOD).index == 70


@pytest.mark.parametrize("text", [GOOD[:-1], GOOD + "x", GOOD + "\n", GOOD.replace("300", "0300")])
def test_a_checkpoint_in_it_that_is_none_is_refused(text: str) -> None:
    assert refusal(lambda: parse(text)) == "log-note"


def test_a_proof_for_another_index_or_out_of_order_is_refused() -> None:
    for text in (
        GOOD.replace("index 70", "index 71"),
        GOOD.replace("index 70", "index 300"),
        export(70, PATH[::-1], SIGNED),
        export(70, PATH[:-1], SIGNED),
        export(70, [*PATH, PATH[0]], SIGNED),
    ):
        assert refusal(lambda: check(text, ENTRY, LOG.key)) == "log-proof"  # noqa: B023
    assert check(GOOD, ENTRY, LOG.key)


@pytest.mark.parametrize(
    ("index", "proof", "extra", "code"),
    [(-1, PATH, None, "log-proof"), (2**63, PATH, None, "log-proof"),
     (70, [b""], None, "log-proof"), (70, PATH * 20, None, "log-proof"),
     (70, PATH, b"", "log-proof"),
     (70, PATH, bytes(tlogproof.MAX_EXTRA + 1), "limit-size")],
)  # fmt: skip
def test_a_proof_that_none_is_gets_not_written(
    index: int, proof: list[bytes], extra: bytes | None, code: str
) -> None:
    assert refusal(lambda: export(index, proof, SIGNED, extra)) == code
    assert parse(export(70, PATH, SIGNED, bytes(tlogproof.MAX_EXTRA))).index == 70


def test_a_proof_is_measured_and_decoded_before_it_is_read() -> None:
    assert refusal(lambda: parse(b"\xff" + GOOD.encode())) == "encoding"
    assert refusal(lambda: parse("x" * (tlogproof.MAX_TEXT + 1))) == "limit-size"
    assert refusal(lambda: LogProof(0, (), "no checkpoint").encode()) == "log-note"

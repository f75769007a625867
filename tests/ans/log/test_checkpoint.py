"""Checkpoints and cosignatures: the published ones verify, and a quorum is of distinct keys."""

from __future__ import annotations

import pytest

from ans.log.naive import LOG, OTHER, WITNESS
from delegant.ans.log.checkpoint import (
    MAX_CHECKPOINT,
    Checkpoint,
    add_signatures,
    cosign,
    cosigned,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from delegant.ans.log.merkle import EMPTY_ROOT
from delegant.ans.log.note import COSIGNATURE, Note, NoteKey, NoteSigner, sign
from delegant.credentials import PrivateKey
from refusal import refusal

# The example of C2SP tlog-checkpoint and tlog-cosignature.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc"
    "yv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX"
    "3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
# A checkpoint of the Go checksum database of 2024-09-23, and its key (golang.org, modfetch/key.go).
SUM_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUM_ORIGIN = "go.sum database tree"
SUM = (
    "go.sum database tree\n30055305\nmXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=\n\n"
    "— sum.golang.org Az3grpgEild5qw7+5dtV13Kf1C2Xurm8q4fhdxvcsDHnqNTaxL2AFjBY+2TyGKevucFcAAlWF"
    "JJYle3EJlDCrQ+y3A8=\n"
)
HEAD = Checkpoint(LOG.key.name, 3, bytes(range(32)))
GOOD = sign_checkpoint(HEAD, LOG)
BOTH = add_signatures(GOOD, [cosign(HEAD, WITNESS, 1_700_000_000), cosign(HEAD, OTHER, 7)])
WITNESSES = (WITNESS.key, OTHER.key)


def test_a_published_checkpoint_verifies_under_its_published_key() -> None:
    key = NoteKey.parse(SUM_KEY)
    head = open_checkpoint(SUM, key, origin=SUM_ORIGIN)
    assert (head.origin, head.size) == (SUM_ORIGIN, 30_055_305)
    assert refusal(lambda: open_checkpoint(SUM, key)) == "log-note"
    more = SUM.replace("30055305", "30055306")
    assert refusal(lambda: open_checkpoint(more, key, origin=SUM_ORIGIN)) == "log-note"


def test_the_example_of_the_specification_reads_as_it_says() -> None:
    head, note = parse_checkpoint(SOFA)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert head.text == note.text
    assert note.signatures[1].name == "witness.example.com/w1"
    assert note.signatures[1].time == 1_679_315_147  # the time line of the specification
    assert note.encode() == SOFA


def test_the_signature_of_the_example_is_that_of_the_log_it_was_taken_from() -> None:
    """Its log line is a real checkpoint of the Go checksum database under an example's name."""
    real = SOFA.replace("example.com/behind-the-sofa\n", SUM_ORIGIN + "\n").replace(
        "— example.com/behind-the-sofa", "— sum.golang.org"
    )
    assert open_checkpoint(real, NoteKey.parse(SUM_KEY), origin=SUM_ORIGIN).size == 20_852_163


def test_the_message_of_a_cosignature_is_that_of_the_specification() -> None:
    head = Checkpoint.parse(SOFA.partition("\n\n")[0] + "\n")
    made = cosign(head, WITNESS, 1_679_315_147)
    message = (
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )
    assert made.value[:8] == (1_679_315_147).to_bytes(8, "big")
    assert WITNESS.key.public.verify(made.value[8:], message.encode())


def test_a_checkpoint_opens_as_it_was_signed() -> None:
    assert open_checkpoint(GOOD.encode(), LOG.key) == HEAD
    assert Checkpoint.parse(HEAD.text) == HEAD
    extended = Checkpoint("a", 0, EMPTY_ROOT, ("anything", "more + spaces"))
    assert Checkpoint.parse(extended.text) == extended
    assert Checkpoint.empty("a") == Checkpoint("a", 0, EMPTY_ROOT)


ROOT = HEAD.text.split("\n")[2]
BAD = {
    "two lines": f"{LOG.key.name}\n3\n",
    "no origin": f"\n3\n{ROOT}\n",
    "leading zero": f"{LOG.key.name}\n03\n{ROOT}\n",
    "sign": f"{LOG.key.name}\n+3\n{ROOT}\n",
    "negative": f"{LOG.key.name}\n-3\n{ROOT}\n",
    "space": f"{LOG.key.name}\n3 \n{ROOT}\n",
    "other digits": f"{LOG.key.name}\n٣\n{ROOT}\n",
    "too large": f"{LOG.key.name}\n{2**63}\n{ROOT}\n",
    "hex": f"{LOG.key.name}\n0x3\n{ROOT}\n",
    "no size": f"{LOG.key.name}\n\n{ROOT}\n",
    "no root": f"{LOG.key.name}\n3\n\n",
    "short root": f"{LOG.key.name}\n3\n{ROOT[:-4]}\n",
    "long root": f"{LOG.key.name}\n3\nAAAA{ROOT}\n",
    "root with spare bits": f"{LOG.key.name}\n3\n{ROOT.replace('8=', '9=')}\n",
    "root without padding": f"{LOG.key.name}\n3\n{ROOT[:-1]}\n",
    "empty extension": f"{LOG.key.name}\n3\n{ROOT}\n\n",
    "empty extension within": f"{LOG.key.name}\n3\n{ROOT}\n\nx\n",
    "empty tree with a root": f"{LOG.key.name}\n0\n{ROOT}\n",
    "another log": f"{LOG.key.name}/2\n3\n{ROOT}\n",
}


@pytest.mark.parametrize("why", BAD)
def test_another_spelling_of_a_checkpoint_is_refused_though_the_log_signed_it(why: str) -> None:
    assert BAD[why] != HEAD.text
    assert refusal(lambda: open_checkpoint(sign(BAD[why], LOG), LOG.key)) == "log-note"
    assert open_checkpoint(sign(HEAD.text, LOG), LOG.key) == HEAD


@pytest.mark.parametrize(
    ("origin", "size", "root", "more"),
    [("", 1, bytes(32), ()), ("a\nb", 1, bytes(32), ()), ("a", -1, bytes(32), ()),
     ("a", 2**63, bytes(32), ()), ("a", 1, bytes(31), ()), ("a", 0, bytes(32), ()),
     ("a", 1, bytes(32), ("",)), ("a", 1, bytes(32), ("x\ny",))],
)  # fmt: skip
def test_a_checkpoint_that_none_has_is_not_made(
    origin: str, size: int, root: bytes, more: tuple[str, ...]
) -> None:
    assert refusal(lambda: Checkpoint(origin, size, root, more)) == "log-note"
    assert Checkpoint("a", 1, bytes(32)).text == f"a\n1\n{'A' * 43}=\n"


def test_a_checkpoint_signed_by_another_key_or_by_none_known_is_refused() -> None:
    stranger = NoteSigner(LOG.key.name, PrivateKey(bytes(32)))
    assert refusal(lambda: open_checkpoint(sign_checkpoint(HEAD, stranger), LOG.key)) == "log-note"
    assert refusal(lambda: open_checkpoint(GOOD, stranger.key)) == "log-note"
    assert refusal(lambda: sign_checkpoint(HEAD, WITNESS)) == "log-note"
    same = NoteKey(LOG.key.name, COSIGNATURE, LOG.key.public)
    assert refusal(lambda: open_checkpoint(GOOD, same)) == "log-note"


def test_a_witness_alone_does_not_make_a_checkpoint_of_the_log() -> None:
    alone = Note(HEAD.text, (cosign(HEAD, WITNESS, 7),)).encode()
    assert refusal(lambda: open_checkpoint(alone, LOG.key, WITNESSES, 1)) == "log-note"


@pytest.mark.parametrize(("quorum", "code"), [(0, ""), (1, ""), (2, ""), (3, "log-witness")])
def test_enough_witnesses_must_have_cosigned(quorum: int, code: str) -> None:
    assert refusal(lambda: open_checkpoint(BOTH, LOG.key, WITNESSES, quorum)) == code


def test_only_witnesses_that_are_known_count_and_each_key_once() -> None:
    assert refusal(lambda: open_checkpoint(GOOD, LOG.key, WITNESSES, 1)) == "log-witness"
    assert refusal(lambda: open_checkpoint(BOTH, LOG.key, (), 1)) == "log-witness"
    assert refusal(lambda: open_checkpoint(BOTH, LOG.key, (OTHER.key,), 2)) == "log-witness"
    twice = add_signatures(GOOD, [cosign(HEAD, WITNESS, 7), cosign(HEAD, WITNESS, 8)])
    assert refusal(lambda: open_checkpoint(twice, LOG.key, WITNESSES, 2)) == "log-witness"
    assert open_checkpoint(twice, LOG.key, WITNESSES, 1) == HEAD
    alias = NoteSigner("witness.example/alias", PrivateKey(bytes(range(1, 33))), COSIGNATURE)
    names = add_signatures(GOOD, [cosign(HEAD, WITNESS, 7), cosign(HEAD, alias, 7)])
    keys = (WITNESS.key, alias.key)
    assert refusal(lambda: open_checkpoint(names, LOG.key, keys, 2)) == "log-witness"
    itself = NoteSigner(LOG.key.name, PrivateKey(bytes(range(32))), COSIGNATURE)
    own = add_signatures(GOOD, [cosign(HEAD, itself, 7)])
    assert refusal(lambda: open_checkpoint(own, LOG.key, (itself.key,), 1)) == "log-witness"


def test_a_cosignature_of_another_text_or_time_or_kind_is_refused() -> None:
    larger = Checkpoint(HEAD.origin, 4, HEAD.root)
    for line in (
        cosign(larger, WITNESS, 7),
        cosign(Checkpoint("b", 3, HEAD.root), WITNESS, 7),
    ):
        text = add_signatures(GOOD, [line])
        assert refusal(lambda: open_checkpoint(text, LOG.key, WITNESSES)) == "log-note"  # noqa: B023
        assert open_checkpoint(text, LOG.key) == HEAD  # of a key that nobody asked about
    made = cosign(HEAD, WITNESS, 7)
    for value in (
        (8).to_bytes(8, "big") + made.value[8:],
        (2**63 + 7).to_bytes(8, "big") + made.value[8:],
        made.value[8:],
        made.value + b"\0",
    ):
        bad = add_signatures(GOOD, [type(made)(made.name, made.id, value)])
        assert refusal(lambda: open_checkpoint(bad, LOG.key, WITNESSES)) == "log-note"  # noqa: B023
    plain = NoteKey(WITNESS.key.name, 1, WITNESS.key.public)
    assert refusal(lambda: open_checkpoint(BOTH, LOG.key, (plain,))) == "log-note"


def test_the_times_of_cosignatures_are_told_and_the_latest_counts() -> None:
    _, note = parse_checkpoint(add_signatures(BOTH, [cosign(HEAD, OTHER, 9)]))
    assert cosigned(note, WITNESSES) == {WITNESS.key: 1_700_000_000, OTHER.key: 9}


def test_a_line_is_not_added_twice_and_extensions_are_cosigned_too() -> None:
    assert add_signatures(BOTH, [cosign(HEAD, OTHER, 7)]) == BOTH
    head = Checkpoint(HEAD.origin, 3, HEAD.root, ("extension",))
    text = add_signatures(sign_checkpoint(head, LOG), [cosign(head, WITNESS, 7)])
    assert open_checkpoint(text, LOG.key, WITNESSES, 1) == head
    changed = text.replace("extension", "extensiom")
    assert refusal(lambda: open_checkpoint(changed, LOG.key)) == "log-note"


def test_a_checkpoint_is_measured_before_it_is_read() -> None:
    root = Checkpoint("a", 1, bytes(32))
    room = MAX_CHECKPOINT - len(sign_checkpoint(root, LOG).encode()) - 1
    most = sign_checkpoint(Checkpoint("a", 1, bytes(32), ("x" * room,)), LOG)
    assert open_checkpoint(most, LOG.key, origin="a").size == 1
    more = sign_checkpoint(Checkpoint("a", 1, bytes(32), ("x" * (room + 1),)), LOG)
    assert refusal(lambda: open_checkpoint(more, LOG.key, origin="a")) == "limit-size"

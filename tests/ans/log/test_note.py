"""Signed notes: the published ones verify, one spelling each, and no key is taken for another."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ans.log.naive import LOG, WITNESS
from delegant.ans.log import note as notes
from delegant.ans.log.note import (
    COSIGNATURE,
    ED25519,
    Note,
    NoteKey,
    NoteSigner,
    b64_decode,
    b64_encode,
    open_note,
    parse_lines,
    parse_number,
    sign,
)
from delegant.credentials import PrivateKey
from refusal import refusal

# The example of C2SP signed-note, "Verifier keys", with its note.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONn"
    "cAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The first example of C2SP signed-note; its key was not published.
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU"
    "0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)
# The documentation of golang.org/x/mod/sumdb/note, from which the format comes.
GO_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_KEY_2 = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotp"
    "RZb6KE6RyyBwJnAM=\n"
)
GO_LINE_2 = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox"
    "33WWd1RvMc+QQ=\n"
)
KEY = NoteKey.parse(GO_KEY)
KEY_2 = NoteKey.parse(GO_KEY_2)
TEXT = "text\n"
GOOD = sign(TEXT, LOG)


@pytest.mark.parametrize(
    ("vkey", "text"),
    [(EXAMPLE_KEY, EXAMPLE), (GO_KEY, f"{GO_TEXT}\n{GO_LINE}"),
     (GO_KEY_2, f"{GO_TEXT}\n{GO_LINE}{GO_LINE_2}")],
)  # fmt: skip
def test_a_published_note_verifies_and_no_other_text_does(vkey: str, text: str) -> None:
    key = NoteKey.parse(vkey)
    assert key.vkey == vkey
    opened = open_note(text.encode(), [key])
    assert opened.text == text.rpartition("\n\n")[0] + "\n"
    assert [one.name for one in opened.signatures] == [key.name]
    assert refusal(lambda: open_note(text.replace("o", "0", 1), [key])) == "log-note"


def test_the_published_private_key_signs_the_published_note_byte_for_byte() -> None:
    signer = NoteSigner("PeterNeumann", PrivateKey(b64_decode(GO_SEED)[1:]))
    assert signer.key == KEY
    assert sign(GO_TEXT, signer) == f"{GO_TEXT}\n{GO_LINE}"


def test_the_example_of_the_specification_has_the_form_and_keeps_it() -> None:
    found = Note.parse(POEM)
    assert found.text.endswith("\n\ned è subito sera.\n")  # only the last empty line divides
    assert found.signatures[0].name == "quasimodo.example/salvatore"
    assert found.encode() == POEM


def test_unknown_keys_are_passed_over_even_those_of_one_name_or_one_id() -> None:
    text = f"{GO_TEXT}\n{GO_LINE}{GO_LINE_2}"
    assert len(open_note(text, [KEY, KEY_2]).signatures) == 2
    assert len(open_note(text, [KEY]).signatures) == 1
    namesake = NoteSigner("PeterNeumann", PrivateKey(bytes(32)))
    twice = sign(GO_TEXT, namesake) + GO_LINE
    assert len(open_note(twice, [KEY]).signatures) == 1
    same_id = f"{GO_TEXT}\n" + GO_LINE.replace("PeterNeumann", "Peter") + GO_LINE
    assert len(open_note(same_id, [KEY]).signatures) == 1
    assert refusal(lambda: open_note(sign(GO_TEXT, namesake), [KEY])) == "log-note"
    assert refusal(lambda: open_note(text, [])) == "log-note"


def test_a_known_key_whose_signature_does_not_fit_condemns_the_note() -> None:
    forged = GO_LINE.replace("x08go/ZJ", "x08go/ZK")
    for lines in (forged, forged + GO_LINE_2, GO_LINE_2 + forged):
        assert refusal(lambda: open_note(f"{GO_TEXT}\n{lines}", [KEY, KEY_2])) == "log-note"  # noqa: B023
    assert open_note(f"{GO_TEXT}\n{forged}{GO_LINE_2}", [KEY_2]).text == GO_TEXT


BAD = {
    "no signature": "text\n\n",
    "no blank line": GOOD.replace("\n\n", "\n"),
    "no text": GOOD.removeprefix("text\n"),
    "text without newline": GOOD.removeprefix("text\n\n"),
    "no newline at the end": GOOD[:-1],
    "two newlines at the end": GOOD + "\n",
    "trailing text": GOOD + "x\n",
    "carriage return": GOOD.replace("\n", "\r\n"),
    "control in the text": GOOD.replace("text", "te\x00xt"),
    "tab in the text": GOOD.replace("text", "te\txt"),
    "hyphen for a dash": GOOD.replace("—", "-"),
    "no dash": GOOD.replace("— ", ""),
    "en dash": GOOD.replace("—", "–"),
    "two spaces": GOOD.replace(" log", "  log"),
    "space at the end": GOOD[:-1] + " \n",
    "no name": GOOD.replace("log.example/tree ", ""),
    "empty name": GOOD.replace("log.example/tree", ""),
    "plus in the name": GOOD.replace("log.example/tree", "log+tree"),
    "no-break space in the name": GOOD.replace("log.example/tree", "log\u00a0tree"),
    "line separator in the name": GOOD.replace("log.example/tree", "log\u2028tree"),
    "long name": GOOD.replace("log.example/tree", "l" * 256),
    "no padding": GOOD.replace("=", ""),
    "more padding": GOOD.replace("=", "=="),
    "base64url": GOOD.replace("+", "-").replace("/", "_"),
    "no base64": GOOD.replace("=", "!"),
    "spare bits": re.sub(r"(.)=\n", lambda m: chr(ord(m[1]) + 1) + "=\n", GOOD),
    "an id alone": "text\n\n— log.example/tree AAAAAA==\n",
    "no id": "text\n\n— log.example/tree AAAA\n",
    "too many": GOOD + GOOD.partition("\n\n")[2] * notes.MAX_SIGNATURES,
}


@pytest.mark.parametrize("why", BAD)
def test_another_spelling_of_a_note_is_refused(why: str) -> None:
    assert BAD[why] != GOOD
    assert refusal(lambda: Note.parse(BAD[why])) == "log-note"
    assert refusal(lambda: open_note(BAD[why].encode(), [LOG.key])) == "log-note"
    assert open_note(GOOD, [LOG.key]).text == TEXT


def test_bytes_that_are_no_utf8_are_refused() -> None:
    assert refusal(lambda: Note.parse(GOOD.encode().replace(b"t", b"\xff"))) == "encoding"
    assert refusal(lambda: Note.parse(GOOD.encode().replace(b"t", b"\xed\xa0\x80"))) == "encoding"
    assert refusal(lambda: Note.parse(GOOD.replace("t", "\ud800"))) == "encoding"


def test_sixteen_signatures_of_five_kilobytes_are_read_and_64_is_the_most() -> None:
    big = "".join(f"— pq.example/{n} {b64_encode(bytes(4 + 4800))}\n" for n in range(16))
    assert open_note(GOOD + big, [LOG.key]).text == TEXT
    line = GOOD.partition("\n\n")[2]
    assert len(open_note("text\n\n" + line * 64, [LOG.key]).signatures) == 64


def test_a_note_is_measured_before_it_is_read() -> None:
    most = "x" * (notes.MAX_NOTE - len(GOOD.encode())) + GOOD
    assert Note.parse(most).encode() == most
    assert refusal(lambda: Note.parse("x" + most)) == "limit-size"
    assert refusal(lambda: Note.parse(("x" + most).encode())) == "limit-size"
    assert refusal(lambda: Note.parse("é" * (notes.MAX_NOTE // 2) + GOOD)) == "limit-size"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60), st.integers(0, 3))
def test_whatever_is_signed_opens_as_it_was(text: str, lines: int) -> None:
    text = text + "\n" * lines + "end\n"
    signed = sign(text, LOG)
    assert open_note(signed.encode(), [LOG.key]).text == text
    assert Note.parse(signed).encode() == signed


@pytest.mark.parametrize("text", ["", "no newline", "\x00\n", "a\rb\n", "a\tb\n"])
def test_a_text_that_no_note_has_is_not_signed(text: str) -> None:
    assert refusal(lambda: sign(text, LOG)) == "log-note"
    assert refusal(lambda: sign(TEXT)) == "log-note"


def test_a_text_with_half_a_character_or_too_long_is_not_signed() -> None:
    assert refusal(lambda: sign("\ud800\n", LOG)) == "encoding"
    assert refusal(lambda: sign("x" * notes.MAX_NOTE + "\n", LOG)) == "limit-size"


@pytest.mark.parametrize("position", range(0, len(GOOD.encode()), 3))
def test_any_flipped_bit_of_a_note_is_noticed(position: int) -> None:
    data = bytearray(GOOD.encode())
    data[position] ^= 1
    assert refusal(lambda: open_note(bytes(data), [LOG.key])) in {"log-note", "encoding"}


VKEY = LOG.key.vkey
BAD_KEYS = {
    "another id": VKEY.replace(LOG.key.id.hex(), "00000000"),
    "upper case": GO_KEY.replace("c74f20a3", "C74F20A3"),
    "two parts": VKEY.replace("+", "", 1),
    "no name": VKEY[VKEY.index("+") :],
    "space in the name": VKEY.replace("log", "l g"),
    "another name": VKEY.replace("log", "lag"),
    "no padding cut": VKEY[:-1],
    "trailing newline": VKEY + "\n",
    "another kind": VKEY.replace("+A", "+B"),
    "empty": "",
}


@pytest.mark.parametrize("why", BAD_KEYS)
def test_another_spelling_of_a_key_is_refused(why: str) -> None:
    assert BAD_KEYS[why] != VKEY
    assert refusal(lambda: NoteKey.parse(BAD_KEYS[why])) == "log-note"
    assert NoteKey.parse(VKEY) == LOG.key


def test_a_key_of_a_kind_unknown_here_a_weak_one_and_a_long_one_are_refused() -> None:
    public = LOG.key.public
    assert refusal(lambda: NoteKey("a", 2, public)) == "log-note"
    assert NoteKey("a", COSIGNATURE, public).id != NoteKey("a", ED25519, public).id
    weak = f"a+00000000+{b64_encode(bytes([1]) + bytes(32))}"
    assert refusal(lambda: NoteKey.parse(weak)) == "key-weak"
    assert refusal(lambda: NoteKey.parse("a" * 400 + VKEY)) == "limit-size"
    assert refusal(lambda: NoteKey("\ud800", 1, public)) == "encoding"
    for name in ("", "a b", "a\nb", "a\x01b", "a+b", "é" * 128):
        assert refusal(lambda: NoteKey(name, 1, public)) == "log-note"  # noqa: B023
    assert NoteKey("é" * 127, 1, public).name == "é" * 127
    # a cosigner's key as transparency-dev/formats publishes one (note/note_cosigv1_test.go)
    remora = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
    assert NoteKey.parse(remora).kind == COSIGNATURE
    assert NoteKey.parse(remora).vkey == remora


def test_a_cosignature_carries_a_time_and_a_plain_signature_none() -> None:
    assert refusal(lambda: LOG.sign(TEXT, at=7)) == "log-note"
    assert refusal(lambda: WITNESS.sign(TEXT)) == "log-note"
    assert refusal(lambda: WITNESS.sign(TEXT, at=-1)) == "log-note"
    assert refusal(lambda: WITNESS.sign(TEXT, at=2**63)) == "log-note"
    assert WITNESS.sign(TEXT, at=2**63 - 1).time == 2**63 - 1
    assert WITNESS.sign(TEXT, at=7).time == 7


def test_lines_alone_are_read_as_a_witness_sends_them() -> None:
    line = WITNESS.sign(TEXT, at=7).line
    assert [one.line for one in parse_lines(line + line)] == [line, line]
    assert parse_lines("") == ()
    for bad in (line[:-1], "\n", line + "\n", "\n" + line, line * 65):
        assert refusal(lambda: parse_lines(bad)) == "log-note"  # noqa: B023


@pytest.mark.parametrize(
    "text", ["", "00", "01", "-1", "+1", "1 ", "1_0", "٣", "9" * 20, str(2**63)]
)
def test_another_spelling_of_a_number_is_refused(text: str) -> None:
    assert refusal(lambda: parse_number(text)) == "log-note"
    assert [parse_number(str(number)) for number in (0, 7, 2**63 - 1)] == [0, 7, 2**63 - 1]

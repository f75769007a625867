"""One spelling for every value: strict JSON in, RFC 8785 out, base64url and base58 exact."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials import Error, LimitExceeded, canonical, digest
from delegant.credentials.codec import (
    B58_MAX,
    MAX_INT,
    b58_decode,
    b58_encode,
    b64u_decode,
    b64u_encode,
    is_digest,
    parse,
    parse_object,
)
from refusal import refusal

REFUSED: list[tuple[bytes, str, bytes]] = [
    (b'{"a":1,"a":1}', "duplicate-member", b'{"a":1,"b":1}'),
    (b'{"a":1,"\\u0061":1}', "duplicate-member", b'{"a":1,"\\u0062":1}'),
    (b'[{"x":{"a":1,"a":2}}]', "duplicate-member", b'[{"x":{"a":1}},{"x":{"a":2}}]'),
    (b'{"":1,"":1}', "duplicate-member", b'{"":1}'),
    (b"9007199254740992", "json", b"9007199254740991"),
    (b"-9007199254740992", "json", b"-9007199254740991"),
    (b"18446744073709551616", "json", b"1"),
    (b"-0", "json", b"0"),
    (b"1e400", "json", b"1e300"),
    (b"NaN", "json", b"null"),
    (b"Infinity", "json", b"1"),
    (b"01", "json", b"1"),
    (b"1.", "json", b"1.0"),
    (b"+1", "json", b"1"),
    (b"0x10", "json", b"16"),
    (b"'a'", "json", b'"a"'),
    (b'{"a":1,}', "json", b'{"a":1}'),
    (b"[1,]", "json", b"[1]"),
    (b"/* */1", "json", b"1"),
    (b"1 2", "json", b"[1,2]"),
    (b"", "json", b"0"),
    (b'"\t"', "json", b'"\\t"'),
    (b'"\\x41"', "json", b'"\\u0041"'),
    (b'"\\ud800"', "encoding", b'"\\ud83d\\ude00"'),
    (b'{"\\udc00":1}', "encoding", b'{"x":1}'),
    (b'[["\\ud800"]]', "encoding", b'[["x"]]'),
    (b'"\xff"', "encoding", '"ÿ"'.encode()),
    (b'"\xc0\xaf"', "encoding", b'"/"'),
    (b'"\xed\xa0\x80"', "encoding", b'"\xed\x9f\xbf"'),
    (b"\xef\xbb\xbf1", "encoding", b"1"),
    (b"1\x00", "json", b"1"),
    (b"\xff\xfe1\x00", "encoding", b" 1"),
]


@pytest.mark.parametrize(("data", "code", "twin"), REFUSED, ids=lambda v: repr(v)[:40])
def test_text_with_two_readings_is_refused_and_its_twin_read(
    data: bytes, code: str, twin: bytes
) -> None:
    assert refusal(lambda: parse(data, size=1000)) == code
    assert parse(twin, size=1000) == json.loads(twin)


def test_limits_are_exact() -> None:
    assert parse(b'"abc"', size=5) == "abc"
    assert refusal(lambda: parse(b'"abc"', size=4)) == "limit-size"
    assert parse(b"[" * 32 + b"]" * 32, size=99)
    assert refusal(lambda: parse(b"[" * 34 + b"]" * 34, size=99)) == "limit-depth"
    many = b"[" + b",".join([b"0"] * 4096) + b"]"
    assert len(parse(many, size=99_999)) == 4096
    assert refusal(lambda: parse(many[:-1] + b",0]", size=99_999)) == "limit-members"
    assert refusal(lambda: parse(b"[" * 50_000, size=99_999)) in {"limit-depth", "json"}


def test_an_object_is_an_object() -> None:
    assert parse_object(b'{"a":[]}', size=99) == {"a": []}
    for data in (b"[]", b"1", b'"{}"', b"null"):
        assert refusal(lambda data=data: parse_object(data, size=99)) == "shape"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INT, MAX_INT)
    # A whole float beyond 2**53 is written as the integer it is, which `parse` then refuses.
    | st.floats(-MAX_INT, MAX_INT).filter(lambda x: str(x) != "-0.0")
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_canonical_form_is_read_back_as_the_value(value: Any) -> None:
    data = canonical(value)
    again = parse(data, size=1 << 20)
    assert again == value
    assert canonical(again) == data


@given(VALUES, st.booleans(), st.sampled_from([None, 0, 3]))
def test_spelling_never_changes_the_canonical_form(
    value: Any, escape: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=escape, indent=indent).encode()
    assert canonical(parse(text, size=1 << 20)) == canonical(value)


def test_members_are_sorted_by_utf_16_not_by_code_point() -> None:
    # U+1F600 is a surrogate pair (D83D…) and so comes before U+FB33.
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()
    assert canonical({"b": 1.0, "a": [1e21, 0.000001]}) == b'{"a":[1e+21,0.000001],"b":1}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**80, {1: 2}, {"a": {1}}, "\ud800"])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    assert refusal(lambda: canonical({"v": value})) == "json"


@given(st.binary(max_size=80))
def test_base64url_has_one_spelling(data: bytes) -> None:
    text = b64u_encode(data)
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert b64u_decode(text) == data


@pytest.mark.parametrize(
    ("text", "twin"),
    [("AA==", "AA"), ("AB", "AA"), ("AAB", "AAA"), ("A", "AA"), ("AA+A", "AA-A"),
     ("AA/A", "AA_A"), ("AA A", "AAAA"), ("AA\nA", "AAAA"), ("ÄAAA", "AAAA"), ("AA=A", "AAAA"),
     ("AAAA\n", "AAAA"), (" AAAA", "AAAA"), ("AAAAA", "AAAAAA"), ("А" * 4, "AAAA")],
)  # fmt: skip
def test_other_spelling_of_base64url_is_refused(text: str, twin: str) -> None:
    assert refusal(lambda: b64u_decode(text)) == "encoding"
    assert b64u_encode(b64u_decode(twin)) == twin


def test_base64url_is_limited() -> None:
    assert b64u_decode("AAAA", size=4) == b"\0\0\0"
    assert refusal(lambda: b64u_decode("AAAAAA", size=4)) == "limit-size"


@given(st.binary(max_size=64))
def test_base58_has_one_spelling(data: bytes) -> None:
    assert b58_decode(b58_encode(data)) == data


@given(st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", max_size=60))
def test_every_base58_text_is_the_one_of_its_bytes(text: str) -> None:
    assert b58_encode(b58_decode(text)) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"\0", "1"), (b"\0\0\x01", "112"), (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
     (bytes.fromhex("0000287fb4cd"), "11233QC4")],
)  # fmt: skip
def test_base58_is_that_of_the_published_examples(data: bytes, text: str) -> None:
    assert b58_encode(data) == text
    assert b58_decode(text) == data


@pytest.mark.parametrize("bad", ["0", "O", "I", "l", "+", " ", "é", "1 1", "11\n", "-1", "_1"])
def test_what_is_not_base58_is_refused(bad: str) -> None:
    assert refusal(lambda: b58_decode(bad)) == "encoding"
    assert refusal(lambda: b58_decode("2" + bad)) == "encoding"


def test_base58_is_limited_because_it_is_quadratic() -> None:
    assert b58_decode("1" * B58_MAX) == b"\0" * B58_MAX
    with pytest.raises(LimitExceeded):
        b58_decode("1" * (B58_MAX + 1))


def test_digest_is_a_multihash_and_nothing_else_is() -> None:
    text = digest(b"abc")
    raw = base64.urlsafe_b64decode(text[1:] + "==")
    assert raw == b"\x12\x20" + hashlib.sha256(b"abc").digest()
    assert is_digest(text)
    for other in (text[1:], text + "A", "z" + text[1:], text[:-1] + "=", text[:-1], None, 7, [text],
                  "u" + b64u_encode(b"\x13\x20" + b"\0" * 32), text[:-1] + "\u0410"):  # fmt: skip
        assert not is_digest(other)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[" * 3000, "limit-depth"),
        (b"[" * 34 + b"x", "limit-depth"),
        (b"[" * 33 + b"x", "json"),
        (b'{"a":"' + b"[" * 3000 + b'"', "json"),
        (b"[" + b"0," * 5000 + b"x", "limit-members"),
        (b"[" + b'"a,b",' * 3000 + b"x", "json"),
    ],
)
def test_what_is_no_json_is_held_to_the_limits_before_it_is_read(data: bytes, code: str) -> None:
    """The same answer on every Python, whatever its recursion limit."""
    with pytest.raises(Error) as told:
        parse(data, size=99_999)
    assert told.value.code == code

"""Bitstring Status List 1.0: written, read, refused."""

from __future__ import annotations

import gzip
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.credentials.codec import JsonObject, b64u_encode
from delegant.credentials.status import inflate
from delegant.w3c import status
from delegant.w3c.status import MIN_BITS, Status, document, entries_of, entry, read
from delegant.w3c.xsd import instant
from refusal import refusal

URL = "https://acme.example/credentials/status-lists/1"
ISSUER = "did:web:acme.example"
T0 = 1_790_000_000
BYTES = MIN_BITS // 8


def bits(*indexes: int, size: int = BYTES) -> bytes:
    out = bytearray(size)
    for index in indexes:
        status.put(out, index, True)
    return bytes(out)


def made(raw: bytes | None = None, **changes: Any) -> JsonObject:
    """A list with bit 7 set, and members changed."""
    purposes = changes.pop("purposes", ["revocation"])
    out = document(
        URL, ISSUER, bits(7) if raw is None else raw,
        purposes=purposes, valid_from=T0, valid_until=T0 + 3600, ttl=60_000,
    )  # fmt: skip
    for name, value in changes.items():
        out["credentialSubject"][name] = value
    return out


def about(index: int = 7, **changes: Any) -> JsonObject:
    return entry(URL, index, "revocation") | changes


def without(value: JsonObject, name: str) -> JsonObject:
    return {key: member for key, member in value.items() if key != name}


def packed(raw: bytes) -> str:
    return "u" + b64u_encode(gzip.compress(raw))


def test_a_list_says_what_is_set_and_what_is_not() -> None:
    listed = made()
    assert read(listed, about(7), at=T0) == Status(1, "revocation", None, False)
    assert read(listed, about(8), at=T0) == Status(0, "revocation", None, False)
    assert not read(listed, about(7), at=T0).valid
    assert read(listed, about(8), at=T0).valid


@given(
    chosen=st.sets(st.integers(0, MIN_BITS - 1), max_size=20), other=st.integers(0, MIN_BITS - 1)
)
def test_every_bit_reads_as_it_was_written(chosen: set[int], other: int) -> None:
    listed = made(bits(*chosen))
    for index in {*chosen, other, 0, MIN_BITS - 1}:
        assert read(listed, about(index), at=T0).value == (index in chosen)


def test_a_list_document_is_deterministic_and_has_what_the_specification_asks() -> None:
    one = made()
    assert one == made()
    assert one["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert one["credentialSubject"]["statusPurpose"] == "revocation"
    assert one["credentialSubject"]["encodedList"].startswith("u")
    assert "=" not in one["credentialSubject"]["encodedList"]
    assert len(inflate(one["credentialSubject"]["encodedList"], BYTES)) >= 16 * 1024
    both = made(purposes=["revocation", "suspension"])
    assert both["credentialSubject"]["statusPurpose"] == ["revocation", "suspension"]
    assert read(both, about(7, statusPurpose="suspension"), at=T0).value == 1


def test_a_short_list_is_neither_written_nor_read() -> None:
    def write(size: int) -> JsonObject:
        return document(URL, ISSUER, bytes(size), purposes=["revocation"], valid_from=T0)

    assert refusal(lambda: write(BYTES)) == ""
    assert refusal(lambda: write(BYTES - 1)) == "status-length"
    short = made(encodedList=packed(bytes(BYTES - 1)))
    assert refusal(lambda: read(short, about(), at=T0)) == "status-length"
    assert refusal(lambda: read(made(encodedList=packed(bytes(BYTES))), about(), at=T0)) == ""


@pytest.mark.parametrize("purposes", [[], ["revocation", "revocation"]])
def test_a_list_without_a_purpose_or_with_one_twice_is_not_written(purposes: list[str]) -> None:
    call = lambda: document(URL, ISSUER, bytes(BYTES), purposes=purposes, valid_from=T0)  # noqa: E731
    assert refusal(call) == "status-list"


def test_an_entry_names_its_place() -> None:
    made_entry = entry(URL, 94567, "suspension")
    assert made_entry == {
        "id": f"{URL}#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "suspension",
        "statusListIndex": "94567",
        "statusListCredential": URL,
    }
    assert made_entry["id"] != made_entry["statusListCredential"]
    assert status.check_entry(made_entry) == URL


@pytest.mark.parametrize(
    "changes",
    [
        {"id": URL},
        {"id": 7},
        {"type": "StatusList2021Entry"},
        {"type": None},
        {"statusPurpose": ["revocation"]},
        {"statusPurpose": ""},
        {"statusListIndex": 7},
        {"statusListIndex": True},
        {"statusListIndex": "-1"},
        {"statusListIndex": "07"},
        {"statusListIndex": "7.0"},
        {"statusListIndex": "0x7"},
        {"statusListIndex": "７"},
        {"statusListIndex": "7\n"},
        {"statusListIndex": ""},
        {"statusListCredential": 1},
        {"statusListCredential": "no url"},
        {"statusListCredential": ""},
        {"statusSize": 0},
        {"statusSize": -1},
        {"statusSize": "1"},
        {"statusSize": True},
        {"statusSize": 1.0},
        {"statusSize": 2},
        {"statusSize": 10**9},
        {"statusMessage": {}},
        {"statusMessage": []},
        {"statusMessage": [{"status": "0x0", "message": "a"}]},
        {"statusPurpose": "message"},
        {"statusReference": 1},
        {"statusReference": []},
        {"statusReference": ["no url"]},
    ],
)
def test_a_malformed_entry_is_refused(changes: JsonObject) -> None:
    assert refusal(lambda: read(made(), about(**changes), at=T0)) == "status-list"


@pytest.mark.parametrize("name", ["statusPurpose", "statusListIndex", "statusListCredential"])
def test_an_entry_lacks_nothing(name: str) -> None:
    assert refusal(lambda: read(made(), without(about(), name), at=T0)) == "status-list"


@pytest.mark.parametrize("value", [None, [], "x", 7, True])
def test_what_is_no_object_is_no_entry_and_no_list(value: Any) -> None:
    assert refusal(lambda: read(made(), value, at=T0)) == "status-list"
    assert refusal(lambda: read(value, about(), at=T0)) == "status-list"


@pytest.mark.parametrize(
    "changes",
    [{}, {"id": "urn:uuid:1"}, {"statusReference": "https://a.example/s"}, {"statusSize": 1},
     {"statusReference": ["https://a.example/s"]}, {"type": ["BitstringStatusListEntry"]}],
)  # fmt: skip
def test_the_nearest_conforming_entries_are_read(changes: JsonObject) -> None:
    assert read(made(), about(**changes), at=T0).value == 1
    assert read(made(), without(about(), "id"), at=T0).value == 1


def test_an_index_beyond_the_end_is_refused() -> None:
    assert read(made(), about(MIN_BITS - 1), at=T0).value == 0
    for index in (str(MIN_BITS), str(MIN_BITS + 1), "1" + "0" * 18, "1" + "0" * 5000):
        beyond = about(statusListIndex=index)
        assert refusal(partial(read, made(), beyond, at=T0)) == "status-index"


def messages(size: int) -> list[JsonObject]:
    return [{"status": hex(n), "message": f"value {n}"} for n in range(1 << size)]


def test_a_size_of_two_has_four_messages_and_twice_the_bits() -> None:
    """Section 2.1: as many messages as possible values, not as many as bits."""
    size = {"statusPurpose": "message", "statusSize": 2, "statusMessage": messages(2)}
    listed = made(bits(14, size=2 * BYTES), purposes=["message"])
    assert read(listed, about(7, **size), at=T0) == Status(2, "message", "value 2", False)
    assert read(listed, about(6, **size), at=T0).message == "value 0"
    last = about(MIN_BITS - 1, **size)
    assert read(listed, last, at=T0).valid
    assert refusal(lambda: read(listed, about(MIN_BITS, **size), at=T0)) == "status-index"
    for wrong in (messages(1), messages(2)[:3], messages(3), [*messages(2)[:3], messages(2)[0]]):
        bad = about(7, **(size | {"statusMessage": wrong}))
        assert refusal(partial(read, listed, bad, at=T0)) == "status-list"
    half = made(bits(14), purposes=["message"])
    assert refusal(lambda: read(half, about(7, **size), at=T0)) == "status-length"


def test_a_single_bit_may_have_messages() -> None:
    named = about(7, statusMessage=messages(1))
    assert read(made(), named, at=T0).message == "value 1"
    assert read(made(), about(7), at=T0).message is None


@pytest.mark.parametrize(
    "item",
    [
        {"status": "1", "message": "a"},
        {"status": 1, "message": "a"},
        {"status": "0xg", "message": "a"},
        {"status": "0x1"},
        {"message": "a"},
        "0x1",
    ],
)
def test_a_message_has_a_status_and_a_message(item: Any) -> None:
    given_entry = about(7, statusMessage=[messages(1)[0], item])
    assert refusal(lambda: read(made(), given_entry, at=T0)) == "status-list"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "StatusList2021"}, "status-list"),
        ({"type": None}, "status-list"),
        ({"encodedList": None}, "status-list"),
        ({"encodedList": "zH4sI"}, "status-list"),
        ({"encodedList": "H4sI"}, "status-list"),
        ({"encodedList": "u====" }, "status-list"),
        ({"encodedList": "u"}, "status-list"),
        ({"encodedList": "uAAAA"}, "status-list"),
        ({"encodedList": packed(bytes(BYTES))[:-8]}, "status-list"),
        ({"encodedList": packed(bytes(BYTES)) + packed(b"x")[1:]}, "status-list"),
        ({"statusPurpose": "suspension"}, "status-unknown"),
        ({"statusPurpose": ["suspension", "refresh"]}, "status-unknown"),
        ({"statusPurpose": []}, "status-list"),
        ({"statusPurpose": None}, "status-list"),
        ({"statusPurpose": ["revocation", 7]}, "status-list"),
        ({"ttl": "60000"}, "status-list"),
        ({"ttl": -1}, "status-list"),
        ({"ttl": True}, "status-list"),
    ],
)  # fmt: skip
def test_a_malformed_or_foreign_list_is_refused(changes: JsonObject, code: str) -> None:
    assert refusal(lambda: read(made(**changes), about(), at=T0)) == code


def test_the_nearest_conforming_lists_are_read() -> None:
    assert read(made(statusPurpose=["suspension", "revocation"]), about(), at=T0).value == 1
    assert read(made(type=["BitstringStatusList"]), about(), at=T0).value == 1
    assert read(without(made(), "id"), about(), at=T0).value == 1
    assert not read(made(ttl=0), about(), at=T0).stale
    assert read(made(ttl=0), about(), at=T0 + 1).stale
    one = made()
    assert read(one | {"credentialSubject": [one["credentialSubject"]]}, about(), at=T0).value == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": ["VerifiableCredential"]}, "status-list"),
        ({"type": "VerifiableCredential"}, "status-list"),
        ({"id": "https://acme.example/credentials/status-lists/2"}, "status-unknown"),
        ({"id": None}, "status-unknown"),
        ({"credentialSubject": []}, "status-list"),
        ({"credentialSubject": None}, "status-list"),
        ({"validFrom": "2026"}, "data-model"),
        ({"validUntil": 7}, "data-model"),
    ],
)
def test_a_credential_that_is_not_this_list_is_refused(changes: JsonObject, code: str) -> None:
    assert refusal(lambda: read(made() | changes, about(), at=T0)) == code


def test_two_lists_in_one_credential_are_refused() -> None:
    one = made()
    two = one | {"credentialSubject": [one["credentialSubject"]] * 2}
    assert refusal(lambda: read(two, about(), at=T0)) == "status-list"


def test_a_list_is_read_within_its_validity_only() -> None:
    assert refusal(lambda: read(made(), about(), at=T0 - 1)) == "status-stale"
    assert refusal(lambda: read(made(), about(), at=T0)) == ""
    assert refusal(lambda: read(made(), about(), at=T0 + 3599)) == ""
    assert refusal(lambda: read(made(), about(), at=T0 + 3600)) == "status-stale"
    endless = without(made(), "validUntil")
    assert refusal(lambda: read(endless, about(), at=T0 + 10**9)) == ""


def test_a_list_past_its_ttl_says_so_and_still_counts() -> None:
    assert not read(made(), about(), at=T0 + 60).stale
    assert read(made(), about(), at=T0 + 61) == Status(1, "revocation", None, True)
    assert not read(made(), about(), at=T0 + 61, fetched=T0 + 30).stale
    assert not read(made(ttl=None), about(), at=T0 + 3000).stale


def test_a_list_by_somebody_else_is_refused_where_the_caller_says_who_may() -> None:
    assert refusal(lambda: read(made(), about(), at=T0, issuers={ISSUER})) == ""
    assert refusal(lambda: read(made(), about(), at=T0, issuers={"did:web:b"})) == "status-unknown"
    named = made() | {"issuer": {"id": ISSUER, "name": "Acme"}}
    assert refusal(lambda: read(named, about(), at=T0, issuers={ISSUER})) == ""
    odd = made() | {"issuer": [ISSUER]}
    assert refusal(lambda: read(odd, about(), at=T0, issuers={ISSUER})) == "status-unknown"


def test_a_bomb_is_refused_before_it_is_expanded() -> None:
    bomb = made(encodedList=packed(bytes(64 << 20)))
    assert len(bomb["credentialSubject"]["encodedList"]) < 100_000
    assert refusal(lambda: read(bomb, about(), at=T0)) == "limit-size"
    wide = made(encodedList=packed(bytes(1 << 20)))
    assert refusal(lambda: read(wide, about(), at=T0)) == ""
    assert refusal(lambda: read(wide, about(), at=T0, most=(1 << 20) - 1)) == "limit-size"


def test_entries_of_other_kinds_are_left_to_others() -> None:
    other = {"id": "https://a.example/1", "type": "OtherStatus"}
    mine = about()
    assert entries_of({}) == []
    assert entries_of({"credentialStatus": other}) == []
    assert entries_of({"credentialStatus": [other, mine]}) == [mine]
    assert refusal(lambda: entries_of({"credentialStatus": "x"})) == "status-list"
    assert refusal(lambda: entries_of({"credentialStatus": [mine] * 16})) == ""
    assert refusal(lambda: entries_of({"credentialStatus": [mine] * 17})) == "limit-items"


def test_an_index_is_drawn_at_random_and_never_twice() -> None:
    taken: set[int] = set()
    for _ in range(200):
        index = status.free_index(taken)
        assert index not in taken
        taken.add(index)
    assert max(taken) - min(taken) > MIN_BITS // 2
    draws = iter([3, 5, 6])
    assert status.free_index({3, 5}, 100, draw=lambda _: next(draws)) == 6
    assert refusal(lambda: status.free_index(set(range(75)), 100)) == "status-range"
    assert refusal(lambda: status.free_index(set(range(74)), 100)) == ""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T00:00:00.5Z", 0.5),
        ("1969-12-31T23:59:59.75-00:00", -0.25),
        ("1970-01-01T14:00:00+14:00", 0.0),
    ],
)
def test_a_time_stamp_has_an_offset(text: str, seconds: float) -> None:
    assert instant(text, "x") == seconds


@pytest.mark.parametrize(
    "text",
    [
        "1970-01-01T00:00:00", "1970-01-01", "1970-01-01 00:00:00Z", "1970-13-01T00:00:00Z",
        "1970-01-01T24:00:01Z", "1970-01-01T00:00:60Z", "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00+15:00", "1970-01-01T00:00:00+14:01", "000-01-01T00:00:00Z",
        "1970-01-01T00:00:00z", "1970-01-01t00:00:00Z", "1970-01-01T00:00:00Z\n", "", 0, None,
        "１970-01-01T00:00:00Z", "02026-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_what_is_no_time_stamp_is_refused(text: Any) -> None:
    assert refusal(lambda: instant(text, "x")) == "data-model"

"""did:webvh: laws that hold for every change of every log."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Error
from delegant.w3c import webvh
from w3c.webvh_logs import W1, W2, A, B, C, T, approvals, created, entries, joined, resolved


def _story() -> tuple[str, bytes, bytes]:
    """A log in which everything happens: rotation, pre-rotation, witnesses, a move, an end."""
    did, log = created(portable=True, witness=webvh.witnesses([W1.public, W2.public], 1))
    log += webvh.update(log, A, at=T + 1, keys=[B.public], next_keys=[C.public])
    log += webvh.update(log, C, at=T + 2, next_keys=[C.public], ttl=5)
    log += webvh.move(log, C, "example.org", at=T + 3, next_keys=[])
    log += webvh.update(log, C, at=T + 4, witness={})
    return did, log, approvals(log, (5, W1))


DID, LOG, PROOFS = _story()
COUNT = len(entries(LOG))


def _found(log: bytes, proofs: bytes, number: int | None = None) -> Any:
    """Document and the metadata of its version; None where it is refused."""
    try:
        found = resolved(DID, log, witness=proofs, version_number=number)
    except Error:
        return None
    about = found.document_metadata
    return found.document, about["versionId"], about["versionTime"], about["created"]


TRUE = {number: _found(LOG, PROOFS, number) for number in (None, *range(1, COUNT + 1))}


def test_the_story_holds() -> None:
    assert all(TRUE.values())
    assert TRUE[None] == TRUE[COUNT]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(LOG) - 1), st.integers(0, 255))
def test_one_byte_of_a_log_changed_never_shows_another_document(at: int, byte: int) -> None:
    changed = LOG[:at] + bytes([byte]) + LOG[at + 1 :]
    for number, true in TRUE.items():
        assert _found(changed, PROOFS, number) in (None, true)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_piece_cut_out_or_put_in_shows_nothing_new(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(LOG)))
    end = data.draw(st.integers(start, min(len(LOG), start + 300)))
    put = data.draw(st.binary(max_size=20))
    changed = LOG[:start] + put + LOG[end:]
    for number, true in TRUE.items():
        # asked for nothing, a log cut after a whole entry shows the version it then ends with
        known = TRUE.values() if number is None else (true,)
        assert _found(changed, PROOFS, number) in (None, *known)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, COUNT - 1), max_size=2 * COUNT))
def test_entries_in_another_order_show_what_they_share_with_the_log(order: list[int]) -> None:
    items = entries(LOG)
    changed = joined([items[n] for n in order])
    alike = 0
    while alike < len(order) and order[alike] == alike:
        alike += 1
    every = approvals(LOG, *((n, W1) for n in range(1, COUNT + 1)))
    for number in range(1, COUNT + 1):
        assert _found(changed, every, number) == (TRUE[number] if number <= alike else None)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(PROOFS) - 1), st.integers(0, 255))
def test_one_byte_of_a_witness_file_changed_approves_nothing_new(at: int, byte: int) -> None:
    changed = PROOFS[:at] + bytes([byte]) + PROOFS[at + 1 :]
    for number, true in TRUE.items():
        assert _found(LOG, changed, number) in (None, true)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40), st.binary(max_size=200), st.none() | st.binary(max_size=50))
def test_whatever_comes_in_is_refused_with_a_code(name: str, log: bytes, proofs: Any) -> None:
    for did in (name, DID, f"{DID}:{name}"):
        try:
            resolved(did, log, witness=proofs)
        except Error as exc:
            webvh.failed(exc)
        else:
            raise AssertionError("random bytes were believed")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 100), min_size=1, max_size=6),
    st.dictionaries(st.sampled_from(["name", "note", "{DID}"]), st.text(max_size=20)),
)
def test_what_is_written_is_read(gaps: list[int], more: dict[str, str]) -> None:
    at = T
    did, log = created(document=more)
    for gap in gaps:
        at += gap
        log += webvh.update(log, A, at=at, document={**more, "n": gap})
    found = resolved(did, log)
    assert found.document is not None
    assert found.document["n"] == gaps[-1]
    assert found.document_metadata["versionNumber"] == len(gaps) + 1

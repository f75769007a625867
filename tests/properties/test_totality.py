"""Whatever arrives, there is an answer: a verdict or an `Error` of the table, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import (
    CODES,
    Bundle,
    Error,
    Presentation,
    Request,
    Trust,
    did,
    explain,
    verify,
)
from properties.story import ASKED, FORMS, JSON, Story, as_bytes, damaged, story


def only_our_errors(call: Any) -> None:
    """The call succeeds or raises an `Error` whose code is in the table."""
    try:
        call()
    except Error as exc:
        assert exc.code in CODES
        assert isinstance(exc, CODES[exc.code].cls)
        assert str(exc)
        assert exc.problem()["status"] == CODES[exc.code].http


READERS: dict[str, Callable[[Story], dict[str, Any]]] = {
    "presentation": lambda s: s.presentation,
    "evidence": lambda s: s.evidence,
    "trust": lambda s: s.trust_json,
    "request": lambda s: REQUEST,
    "bundle": lambda s: {
        "presentation": s.presentation,
        "evidence": s.evidence,
        "request": s.asked.json,
    },
}
REQUEST: dict[str, Any] = {
    "action": "db.read",
    "resource": "urn:acme:papers:17",
    "purpose": "audit",
    "task": {"id": "t", "initiation": "schedule"},
    "arguments": {"n": 1, "s": "x", "b": True},
    "amount": {"unit": "EUR:2", "value": "10"},
    "rows": 1,
    "bytes": 1,
    "columns": ["a"],
    "dataClass": "public",
    "network": "10.0.0.1",
    "method": "GET",
    "uri": "https://a.example/x",
    "bodyDigest": ASKED.digest,
}
WHAT = pytest.mark.parametrize("what", sorted(READERS))


def use(what: str, data: bytes) -> None:
    """Read the bytes as what they are said to be, and go on as far as they reach."""
    s = story()
    shown, stapled = as_bytes(s.presentation), as_bytes(s.evidence)
    if what == "presentation":
        verify(data, stapled, s.trust, s.asked, at=s.now)
    elif what == "evidence":
        verify(shown, data, s.trust, s.asked, at=s.now)
    elif what == "trust":
        verify(shown, stapled, Trust.parse(data), s.asked, at=s.now)
    elif what == "request":
        asked = Request.parse(data)
        assert Request.from_json(asked.json) == asked
        verify(shown, stapled, s.trust, asked, at=s.now)
    else:
        bundle = Bundle.parse(data)
        explain(bundle.presentation, bundle.evidence, s.trust, bundle.request, at=s.now)
        verify(bundle.presentation, bundle.evidence, s.trust, bundle.request, at=s.now)


@WHAT
@given(data=st.binary(max_size=200))
def test_any_bytes_get_an_answer(what: str, data: bytes) -> None:
    only_our_errors(lambda: use(what, data))


@WHAT
@given(value=JSON)
def test_any_json_gets_an_answer(what: str, value: Any) -> None:
    only_our_errors(lambda: use(what, as_bytes(value)))


@WHAT
@settings(max_examples=300)
@given(data=st.data())
def test_honest_document_damaged_anyhow_gets_an_answer(what: str, data: Any) -> None:
    value = data.draw(damaged(READERS[what](story())))
    only_our_errors(lambda: use(what, as_bytes(value)))


@FORMS
@settings(max_examples=300)
@given(data=st.data())
def test_resigned_link_damaged_anyhow_gets_an_answer(form: str, data: Any) -> None:
    """A dishonest issuer signs anything: the damage lies under a good signature."""
    from delegant.credentials.envelope import secure
    from delegant.credentials.keys import PrivateKey

    s = story()
    key = PrivateKey(b"\x05" * 32)
    name = did.from_key(key.public)
    document = {k: v for k, v in s.presentation["links"][0].items() if k != "proof"}
    document["issuer"] = name
    altered = data.draw(damaged(document))

    def run() -> None:
        if not isinstance(altered, dict):
            return
        link = secure(altered, key, did.vm_of(name), s.now, form)  # type: ignore[arg-type]
        shown = Presentation((link,), s.presentation["invocation"])
        verify(shown.to_bytes(), as_bytes(s.evidence), s.trust, s.asked, at=s.now)

    only_our_errors(run)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"links":' * 20_000,
        b'{"links":[' + b"[" * 2000 + b"]" * 2000 + b"]}",
        b'{"links":[' + b"0," * 50_000 + b"0]}",
        b'{"links":["' + b"." * 100_000 + b'"]}',
        b'{"links":["e30.e30.' + b"A" * 70_000 + b'"]}',
        b'{"links":[{"a":' + b"9" * 5000 + b"}]}",
        b'{"links":[{"a":1e999999}]}',
        b'{"links":["\\ud800"]}',
        b'{"links":["\xff"]}',
        b"\xef\xbb\xbf{}",
        b"",
        b"null",
    ],
    ids=lambda data: repr(data[:24]),
)
@WHAT
def test_hostile_bytes_get_an_answer(what: str, data: bytes) -> None:
    with pytest.raises(Error) as refused:
        use(what, data)
    assert refused.value.code in CODES

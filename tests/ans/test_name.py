"""Names: what is one, what is not, and that reading and writing are inverse."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from delegant.ans import AnsName
from delegant.ans.name import _NAME, _read, _RefusedError, _slowly, provider_label
from delegant.credentials import Error
from refusal import refusal

WELL_FORMED = [
    "mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main",
    "acp://FinancialRiskAnalysis.CorporateReporting.AcmeFinance.v2.1.3",
    "a2a://textProcessor.DocumentTranslation.AcmeCorp.v2.1.hipaa",
    "a2a://InventoryCheck.RetailStoreXYZ.Ops.v1.hourly",
    "mcp://a.b.c.v0",
    "mcp://a.b.c.v1",
    "mcp://a.b.c.v1.2",
    "mcp://a.b.c.v1.2.3",
    "mcp://a.b.c.v999999999.999999999.999999999.x",
    "mcp://a.b.c.v1.x",
    "mcp://a.b.c.v1.v",
    "mcp://a.b.c.v1.v1x",
    "mcp://a.b.c.v1.1x",
    "mcp://v.b.c.v1",
    "mcp://vx1.b.c.v1",
    "mcp://A-1.b--b.c9.v1.rc-1",
    "mcp://1.2.3.v4",
    f"mcp://{'a' * 63}.{'b' * 63}.{'c' * 63}.v1",
]

MALFORMED = [
    # the paper's own inconsistent ones, and their kin
    "helpdesk://Support.ProductQuery.CustomerFacing.v1.Acme",
    "mcp://SemanticSearch.DataCorp.v1.0",
    "mcp://SemanticSearch.v1",
    "mcp://SemanticSearch.KnowledgeBase.DataCorp.Extra.v1",
    "mcp://SemanticSearch.KnowledgeBase.DataCorp.v1:tool",
    "mcp://SemanticSearch.KnowledgeBase.DataCorp:8080.v1",
    "ans://v1.0.0.host.example",
    "did:acme:riskanalyzer:beta-007",
    # no protocol, no version, too much
    "",
    "mcp",
    "mcp://",
    "://a.b.c.v1",
    "mcp:a.b.c.v1",
    "mcp:/a.b.c.v1",
    "mcp:///a.b.c.v1",
    "MCP://a.b.c.v1",
    "1mcp://a.b.c.v1",
    "mcp-://a.b.c.v1",
    "m cp://a.b.c.v1",
    "mcp://mcp://a.b.c.v1",
    "mcp://a.b.c",
    "mcp://a.b.c.1.0",
    "mcp://a.b.c.v",
    "mcp://a.b.c.vx",
    "mcp://a.b.c.V1",
    "mcp://a.b.c.v1.0.0.0",
    "mcp://a.b.c.v1.0.0.0.main",
    "mcp://a.b.c.v1.main.0",
    "mcp://a.b.c.v1.main.extra",
    "mcp://a.b.c.v1.v2",
    "mcp://v1.b.c.v1",
    "mcp://a.V2.c.v1",
    # numbers
    "mcp://a.b.c.v01",
    "mcp://a.b.c.v1.00",
    "mcp://a.b.c.v1.01",
    "mcp://a.b.c.v-1",
    "mcp://a.b.c.v+1",
    "mcp://a.b.c.v1_000",
    "mcp://a.b.c.v1000000000",
    "mcp://a.b.c.v１",
    "mcp://a.b.c.v١",
    "mcp://a.b.c.v²",
    # labels
    "mcp://.b.c.v1",
    "mcp://a..c.v1",
    "mcp://a.b..v1",
    "mcp://a.b.c.v1.",
    "mcp://a.b.c.v1.0.",
    "mcp://a.b.c_d.v1",
    "mcp://a.b.c d.v1",
    "mcp://a.b.c%2e.v1",
    "mcp://a.b.c/../d.v1",
    "mcp://a.b.c.v1/",
    "mcp://a.b.c.v1?x",
    "mcp://a.b.c.v1#x",
    "mcp://user@a.b.c.v1",
    "mcp://a.b.-c.v1",
    "mcp://a.b.c-.v1",
    f"mcp://{'a' * 64}.b.c.v1",
    f"{'m' * 33}://a.b.c.v1",
    f"mcp://{'a' * 63}.{'b' * 63}.{'c' * 63}.v1.{'d' * 63}",
    # confusables, and what Unicode would map onto plain names
    "mcp://a.b.Аcme.v1",  # Cyrillic А
    "mcp://a.b.Ａcme.v1",
    "mcp://a.b.ac\u200bme.v1",
    "mcp://a.b.ac\u00adme.v1",
    "mcp://a.b.acme。v1",
    "mcp://a.b.acmeſ.v1",
    "mcp://a.b.\u212aelvin.v1",
    "mcp://a.b.caf\u00e9.v1",
    "mcp://a.b.cafe\u0301.v1",
    "mcp://a.b.xn--80ak6aa92e.v1",
    "mcp://a.XN--p1ai.c.v1",
    "mcp://xn--a.b.c.v1",
    "mcp\uff1a//a.b.c.v1",
    # newlines, controls, space around
    "mcp://a.b.c.v1\n",
    "mcp://a.b.c.v1.main\n",
    "\nmcp://a.b.c.v1",
    " mcp://a.b.c.v1",
    "mcp://a.b.c.v1 ",
    "mcp://a.b.c\x00.v1",
    "mcp://a.b.c\t.v1",
    "mcp://a.b.c.v1\r\n",
    "\ufeffmcp://a.b.c.v1",
    "mcp://a.b.\ud800.v1",
]


@pytest.mark.parametrize("text", WELL_FORMED)
def test_well_formed(text: str) -> None:
    assert str(AnsName.parse(text)) == text


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed(text: str) -> None:
    with pytest.raises(Error) as caught:
        AnsName.parse(text)
    assert caught.value.code == "ans-name"
    assert "protocol://AgentFunction" in caught.value.detail


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("helpdesk://Support.ProductQuery.CustomerFacing.v1.Acme", "provider stands before"),
        ("mcp://SemanticSearch.DataCorp.v1.0", "three belong there"),
        ("ans://v1.0.0.host.example", "0 labels before the version"),
        ("mcp://a.b.c", "no version label"),
        ("MCP://a.b.c.v1", "lower-case protocol"),
        ("mcp://a.b.c.v01", "leading zeros"),
    ],
)
def test_a_refusal_hints_at_what_is_wrong(text: str, hint: str) -> None:
    with pytest.raises(Error, match=hint):
        AnsName.parse(text)


@pytest.mark.parametrize("value", [None, 7, b"mcp://a.b.c.v1", ["mcp://a.b.c.v1"]])
def test_only_text_is_a_name(value: object) -> None:
    with pytest.raises(Error) as caught:
        AnsName.parse(value)  # type: ignore[arg-type]
    assert caught.value.code == "ans-name"


def test_the_parts() -> None:
    name = AnsName.parse("mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main")
    assert name == AnsName("mcp", "SemanticSearch", "KnowledgeBase", "DataCorp", (1, 0), "main")
    assert name.key == "mcp://semanticsearch.knowledgebase.datacorp.v1.0.main"
    assert name.provider_key == "datacorp"


def test_case_is_shown_and_not_compared() -> None:
    plain, loud = (AnsName.parse(f"mcp://{label}.b.c.v1") for label in ("acme", "ACME"))
    assert str(plain) != str(loud)
    assert plain.key == loud.key


_LABEL = (
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)
    .filter(lambda s: not (s[0] in "vV" and s[1:].isdigit()))
    .filter(lambda s: s[:4].lower() != "xn--")
)
_NAMES = st.builds(
    AnsName,
    st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True),
    _LABEL,
    _LABEL,
    _LABEL,
    st.lists(st.integers(0, 999_999_999), min_size=1, max_size=3).map(tuple),
    st.none() | _LABEL.map(str.lower).filter(lambda s: not s.isdigit()),
)


@given(_NAMES)
def test_reading_what_was_written_gives_it_back(name: AnsName) -> None:
    assert AnsName.parse(str(name)) == name
    assert AnsName.parse(name.key).key == name.key


@given(st.text(max_size=80) | st.text("mcp:/.v019-aXn", max_size=40).map("mcp://".__add__))
def test_any_text_is_a_name_in_one_spelling_or_refused(text: str) -> None:
    try:
        name = AnsName.parse(text)
    except Error as exc:
        assert exc.code == "ans-name"
    else:
        assert str(name) == text
        assert text.isascii()


@pytest.mark.parametrize("unit", ["a", "a.", "v1.", "-", "mcp://", "xn--"])
def test_parsing_takes_linear_time(unit: str) -> None:
    text = "mcp://" + unit * (100_000 // len(unit))
    start = time.perf_counter()
    with pytest.raises(Error):
        AnsName.parse(text)
    assert time.perf_counter() - start < 0.05


@pytest.mark.parametrize("label", ["", "a.b", "v1", "xn--a", "Аcme", "a" * 64, "a\n"])
def test_a_provider_label_follows_the_same_rules(label: str) -> None:
    with pytest.raises(Error) as caught:
        provider_label(label)
    assert caught.value.code == "ans-name"
    assert provider_label("DataCorp") == "datacorp"


LONGEST = f"{'m' * 32}://{'a' * 63}.{'b' * 63}.{'c' * 63}.v1.{'d' * 23}"


def test_lengths_at_the_edge() -> None:
    assert len(LONGEST) == 253
    assert str(AnsName.parse(LONGEST)) == LONGEST
    assert refusal(lambda: AnsName.parse(LONGEST + "d")) == "ans-name"
    assert refusal(lambda: AnsName.parse(f"mcp://a.b.{'c' * 63}.v1")) == ""
    assert refusal(lambda: AnsName.parse(f"mcp://a.b.{'c' * 64}.v1")) == "ans-name"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mcp://a.b.Acme0.v1", "mcp://a.b.AcmeO.v1"),
        ("mcp://a.b.c1.v1", "mcp://a.b.cl.v1"),
        ("mcp://a.b.rn.v1", "mcp://a.b.m.v1"),
        ("mcp://a.b.c.v1", "mcp://a.b.c.v1.0"),
        ("mcp://a.b.c.v1", "a2a://a.b.c.v1"),
        ("mcp://a.b.c.v1.x", "mcp://a.b.c.v1"),
        ("mcp://a-b.b.c.v1", "mcp://ab.b.c.v1"),
    ],
)
def test_names_that_differ_are_distinct(one: str, other: str) -> None:
    assert AnsName.parse(one).key != AnsName.parse(other).key


@pytest.mark.parametrize(
    "parts",
    [
        ("mcp", "a.b", "c", "d", (1,), None),
        ("mcp", "a", "b", "c", (), None),
        ("mcp", "a", "b", "c", (1, 2, 3, 4), None),
        ("mcp", "a", "b", "c", (-1,), None),
        ("mcp", "a", "b", "c", (1,), "2"),
        ("mcp", "a", "b", "c", (1,), "Acme"),
        ("MCP", "a", "b", "c", (1,), None),
        ("mcp", "a", "b", "c", [1], None),
    ],
)
def test_no_name_is_built_that_would_not_be_read(parts: tuple[Any, ...]) -> None:
    assert refusal(lambda: AnsName(*parts)) == "ans-name"


def test_a_refusal_shows_the_name_that_may_be_meant() -> None:
    with pytest.raises(Error, match=r"perhaps helpdesk://Support.ProductQuery.Acme.v1"):
        AnsName.parse("helpdesk://Support.ProductQuery.CustomerFacing.v1.Acme")
    with pytest.raises(Error, match=r"perhaps mcp://a.b.c.v1"):
        AnsName.parse("mcp://a.b.c.v1:tool")


_PIECES = st.sampled_from(
    ["mcp", "a", "B9", "v", "v1", "V2", "v01", "0", "1", "01", "12", "xn--", "XN--a", "-", "a-",
     "-a", "x", "é", "１", "\n", "v1x", "1x", "a" * 63, "b" * 64, "9" * 9, "9" * 10, ".", "://",
     ":", ""]
)  # fmt: skip


@given(st.lists(_PIECES, min_size=3, max_size=9), st.lists(_PIECES, max_size=2))
@example(["mcp", "a", "b", "c", "v1", "1x"], [])
@example(["mcp", "a", "b", "c", "v1", "0", "01x"], [])
@example(["mcp", "a", "b", "c", "v1", "01"], [])
@example(["mcp", "a", "b", "c", "v1", "0", "0", "v2"], [])
def test_the_short_way_reads_as_the_long_one_does(labels: list[str], tail: list[str]) -> None:
    text = labels[0] + "://" + ".".join(labels[1:]) + "".join(tail)
    try:
        told = _slowly(text)
    except _RefusedError:
        told = None
    try:
        assert _read(text) == told
    except _RefusedError:
        assert told is None
    assert (_NAME.fullmatch(text) is not None) == (told is not None) or len(text) > 253

"""Names that look like another: refused where Unicode does it, another name where ASCII does.

Nothing is ever mapped: no spelling of these resolves to the name it looks like. A provider label
that looks like another organisation's is a conflict.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from delegant.ans.registry import Registry
from delegant.resolver.server import open_registry
from delegant.wallet import keystore
from refusal import refusal
from resolver.door import House, build, running

REAL = "mcp://SemanticSearch.KnowledgeBase.DataCorp.v1.0.main"

FOREIGN = {
    "Cyrillic a": "D\u0430taCorp",
    "Cyrillic o": "DataC\u043erp",
    "Cyrillic r": "DataCo\u0433p",
    "Cyrillic p": "DataCor\u0440",
    "Cyrillic C": "Data\u0421orp",
    "Greek o": "DataC\u03bfrp",
    "Greek a": "D\u03b1taCorp",
    "Armenian o": "DataC\u0585rp",
    "Cherokee D": "\u13a0ataCorp",
    "full width": "\uff24\uff41\uff54\uff41\uff23\uff4f\uff52\uff50",
    "one full width": "DataCor\uff50",
    "mathematical": "\U0001d403ataCorp",
    "script": "\U0001d49fataCorp",
    "fraktur": "\U0001d507ataCorp",
    "double struck": "\U0001d53bataCorp",
    "sans": "\U0001d5a3ataCorp",
    "mono": "\U0001d673ataCorp",
    "circled": "\u24b9ataCorp",
    "parenthesised": "DataCor\u24ab",
    "small capital": "\u1d05ataCorp",
    "modifier": "DataCor\u1d56",
    "long s": "DataCorp\u017f",
    "Kelvin": "Data\u212aorp",
    "dotless i": "DataCorp\u0131",
    "dotted I": "DataCorp\u0130",
    "ligature": "DataCorp\ufb01",
    "sharp s": "DataCorp\u00df",
    "composed": "D\u00e1taCorp",
    "decomposed": "Da\u0301taCorp",
    "stacked": "Da\u0301\u0323taCorp",
    "zero width space": "Data\u200bCorp",
    "zero width joiner": "Data\u200dCorp",
    "zero width non-joiner": "Data\u200cCorp",
    "word joiner": "Data\u2060Corp",
    "soft hyphen": "Data\u00adCorp",
    "byte order mark": "\ufeffDataCorp",
    "variation selector": "DataCorp\ufe0f",
    "tag": "DataCorp\U000e0061",
    "override": "Data\u202eproC",
    "isolate": "\u2066DataCorp\u2069",
    "hyphen": "Data\u2010Corp",
    "no-break hyphen": "Data\u2011Corp",
    "en dash": "Data\u2013Corp",
    "minus": "Data\u2212Corp",
    "ideographic stop": "DataCorp\u3002v1",
    "full width stop": "DataCorp\uff0ev1",
    "one dot leader": "DataCorp\u2024v1",
    "no-break space": "Data\u00a0Corp",
    "blank": "Data Corp",
    "tab": "Data\tCorp",
    "line": "DataCorp\n",
    "null": "DataCorp\x00",
    "underscore": "Data_Corp",
    "punycode": "xn--datacrp-nch",
    "Arabic digit": "DataCorp\u0661",
    "Devanagari digit": "DataCorp\u0967",
    "superscript": "DataCorp\u00b9",
    "slash": "Data\u2044Corp",
    "leading hyphen": "-DataCorp",
    "trailing hyphen": "DataCorp-",
}

ALIKE = ["DataC0rp", "Data-Corp", "clataCorp", "DataCorp-1nc", "DATACORP-INC", "D-a-t-a-C-o-r-p"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("alike")
    before = keystore._default
    keystore._default = keystore.CHEAPEST
    try:
        built = build(folder)
    finally:
        keystore._default = before
    with running(built) as open_house:
        assert open_house.post(open_house.event(REAL)).status == 201
        yield open_house


def ask(house: House, name: str) -> tuple[int, str]:
    reply = house.call("GET", f"/v1/resolve?name={quote(name, safe='')}")
    return reply.status, "" if reply.status == 200 else reply.json["code"]


def test_there_are_sixty() -> None:
    assert len(FOREIGN) >= 60


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_not_ascii_is_no_name_at_any_place(house: House, what: str) -> None:
    assert ask(house, REAL) == (200, "")
    label = FOREIGN[what]
    for name in (
        REAL.replace("DataCorp", label),
        REAL.replace("SemanticSearch", label),
        REAL.replace("KnowledgeBase", label),
    ):
        assert ask(house, name) == (400, "ans-name"), name


@pytest.mark.parametrize("spelling", [REAL.replace("DataCorp", "DATACORP"), REAL.lower()])
def test_case_is_no_difference(house: House, spelling: str) -> None:
    spelling = spelling.replace("MAIN", "main")
    assert ask(house, spelling) == (200, "")


@pytest.mark.parametrize("label", ALIKE)
def test_what_looks_alike_in_ascii_is_another_name(house: House, label: str) -> None:
    assert ask(house, REAL.replace("DataCorp", label)) == (404, "ans-not-found")


@pytest.fixture
def registry(house: House) -> Iterator[Registry]:
    found = open_registry(house.home, house.organization)
    yield found
    found.store.close()


@pytest.mark.parametrize("label", ["DataC0rp", "Data-Corp", "clataCorp", "DATAC0RP"])
def test_a_label_that_looks_like_anothers_is_a_conflict(
    house: House, registry: Registry, label: str
) -> None:
    at = int(time.time())
    told = refusal(lambda: registry.bind_provider(label, house.other.did, at))
    assert told == "name-confusable"
    other = label.replace("orp", "ore").replace("ORP", "ORE").replace("0rp", "0re")
    fine = other.replace("0RP", "0RE")
    assert refusal(lambda: registry.bind_provider(fine, house.other.did, at)) == ""

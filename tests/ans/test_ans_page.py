"""The page about the naming service: all of it is typed, in its order, and does as it says."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from delegant.ans import alias, fresh, name, providers, query, receipt, record
from delegant.ans import lifecycle as life
from delegant.ans.answer import STATUS
from delegant.ans.log.note import NoteKey
from delegant.ans.shown import SHOWN
from delegant.cli.demo.stage import running
from delegant.credentials import CODES
from delegant.resolver import server
from delegant.wallet import Home, Passphrases
from test_vc_api_page import Reader

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "ans.md").read_text()
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
QUERY = "mcp://PaperQuery.Research.AcmeLabs.v2.1.0"
SEARCH = "a2a://PaperSearch.Research.AcmeLabs.v1.0"


@dataclass
class Typed:
    """What came of typing the page. ``printed`` is by the first words of a block."""

    folder: Path
    printed: dict[str, str] = field(default_factory=dict)

    def json(self, name_: str) -> Any:
        """A file that the page wrote."""
        return json.loads((self.folder / name_).read_text())

    def said(self, words: str) -> str:
        """What the one block with these words in it printed."""
        (found,) = [said for block, said in self.printed.items() if words in block]
        return found


def type_all(top: Path) -> Typed:
    """The whole page, typed once, beside a server that runs."""
    reader = Reader(top)
    (kind, first), *rest = BLOCKS
    before, serve = first.strip().rsplit("\n", 1)
    assert (kind, serve.split()[:2]) == ("sh", ["delegant", "serve"])
    reader.types(before)
    reader.folder = top / "acme"
    out = Typed(reader.folder)
    url = f"http://127.0.0.1:{reader.port}"
    secret = Path(reader.env["DELEGANT_PASSPHRASE_FILE"])
    bind = ["--bind", f"127.0.0.1:{reader.port}", "--home", str(reader.folder)]
    home = Home(reader.folder, Passphrases(secret))
    bot = home.open_wallet("agent", "dbquery")
    given: dict[str, Any] = {
        "key": bot.key(), "agent": bot.did, "registry": home.settings.registry, "url": url,
    }  # fmt: skip
    with running(["-m", "delegant.cli.main", "serve", *bind, "--passphrase-file", str(secret)]):
        for kind, block in rest:
            if kind == "sh":
                out.printed[block] = reader.types(block)
                continue
            said = io.StringIO()
            given["now"] = int(time.time())
            with contextlib.redirect_stdout(said), contextlib.chdir(reader.folder):
                exec(block, given)  # noqa: S102 - it is ours
            out.printed[block] = said.getvalue()
    out.printed["given"] = str(given.get("endpoint"))
    return out


def _names_are_read_and_refused_as_the_page_has_it(typed: Typed) -> None:
    said = typed.said("AnsName.parse")
    assert said.startswith("DataCorp\n")
    assert "perhaps helpdesk://Support.ProductQuery.Acme.v1" in said


def _names_are_registered_and_resolved(typed: Typed) -> None:
    assert "AcmeLabs" in typed.said("provider list")
    said = typed.said("ans register research")
    assert f"{QUERY} is did:key:" in said
    assert "signatures of agent and registry verified" in said


def _every_question_gets_its_answer(typed: Typed) -> None:
    answer = typed.json("answer.json")
    assert set(answer) == {"version", "query", "resolutionStatus", "resolvedAgents", "freshness"}
    (agent,) = answer["resolvedAgents"]
    assert set(agent) == SHOWN | {"record", "receipt"}
    assert agent["serviceEndpoint"] == "https://db.acme.example/mcp"
    assert agent["protocolExtensions"]["mcp"]["supportedMessagePatterns"] == ["request-response"]
    assert names(typed.json("search.json")) == [QUERY]
    trace = typed.json("trace.json")
    assert set(names(trace)) == {QUERY, SEARCH, QUERY.replace("v2.1.0", "v1.0")}
    assert trace["trace"] == []
    assert names(typed.json("listing1.json")) == [QUERY]
    assert names(typed.json("listing4.json")) == [SEARCH]
    assert (typed.folder / "answer.jwt").read_text().count(".") == 2
    history = typed.json("history.json")
    assert [one["event"]["type"] for one in history["events"]] == ["register"]
    assert set(history["events"][0]["receipt"]) == set(receipt._RECEIPT)


def names(answer: Any) -> list[str]:
    """The names an answer is of."""
    assert answer["resolutionStatus"] == "success"
    return [one["ansName"] for one in answer["resolvedAgents"]]


def _an_attestation_counts_once_its_issuer_is_accredited(typed: Typed) -> None:
    answer = typed.json("attested.json")
    assert names(answer) == [QUERY]
    (snippet,) = answer["resolvedAgents"][0]["relevantVcSnippets"]
    assert snippet["type"] == "SOXComplianceCertified"
    assert typed.json("answer.json")["freshness"]["entries"][0]["unattested"] == ["papers.query"]


def _a_name_lives_and_dies(typed: Typed) -> None:
    said = typed.said("ans transfer research")
    for word in ("updated", "renewed", "suspended", "resumed", "revoked"):
        assert f"{SEARCH} {word}" in said
    for kind in life.EVENTS:
        assert kind in said.partition("revoked")[2], kind  # the log tells it all again


def _a_saved_answer_proves_itself(typed: Typed) -> None:
    said = typed.said("ans verify answer.json")
    assert said.count("checkpoint") == 3
    assert said.count(f"question        {QUERY.lower()}") == 2
    elsewhere = typed.said("trust add-registry")
    assert "is believed" in elsewhere
    assert QUERY in elsewhere


def _the_client_does_as_the_page_says(typed: Typed) -> None:
    said = typed.said("with Client(")
    assert "('up', " in said
    assert said.rstrip().endswith("ans-not-found")
    assert "register 0 True" in said
    assert "update 1 True" in said
    assert f"left out: {QUERY.replace('v2.1.0', 'v1.0')} wrong-version" in said
    assert typed.printed["given"] == "https://db.acme.example/mcp"
    assert typed.json("seen.json")["names"].keys() >= {QUERY.lower()}


def _a_key_is_named_in_what_the_registry_publishes(typed: Typed) -> None:
    published = typed.json("registry.json")
    assert NoteKey.parse(published["log"]).name == "acme.example/ans"


@pytest.mark.skipif(shutil.which("bash") is None, reason="the page is typed into bash")
def test_everything_on_the_page_does_as_it_says(tmp_path: Path) -> None:
    typed = type_all(tmp_path)
    _names_are_read_and_refused_as_the_page_has_it(typed)
    _names_are_registered_and_resolved(typed)
    _every_question_gets_its_answer(typed)
    _an_attestation_counts_once_its_issuer_is_accredited(typed)
    _a_name_lives_and_dies(typed)
    _a_saved_answer_proves_itself(typed)
    _the_client_does_as_the_page_says(typed)
    _a_key_is_named_in_what_the_registry_publishes(typed)


def test_the_numbers_of_the_page_are_the_programs() -> None:
    assert f"1 to {name.MAX_PROTOCOL} of `a-z`" in PAGE
    assert f"1 to {name.MAX_LABEL} ASCII letters" in PAGE
    assert f"at most {name.MAX_NAME} characters" in PAGE
    assert f"at most {fresh.FRESH_SECONDS} seconds" in PAGE
    assert f"up within {query.UP_SECONDS} seconds" in PAGE
    assert server.RECHECK_SECONDS == 60
    assert "looks every minute" in PAGE
    assert alias.AnsAlias.parse("ans://v1.0.0.host.example").version == (1, 0, 0)
    assert record.MAX_TTL == 86_400
    assert providers.SKEW_SECONDS == 300


def test_the_tables_of_the_page_are_whole() -> None:
    (events,) = re.findall(r"\| event \| by .*?\n\n", PAGE, re.DOTALL)
    assert set(re.findall(r"^\| `?(\w+)|, `(\w+)`", events, re.MULTILINE)) >= {
        (kind, "") for kind in set(life.EVENTS) - {"update"}
    }
    for rank in life.RANKS:
        assert rank.replace("z", "s") in events
    for status in set(STATUS.values()):
        assert f"`{status}`" in PAGE
    for member in SHOWN:
        assert f"`{member}`" in PAGE
    for code in re.findall(r"`((?:ans|log|name)-[a-z-]+)`", PAGE):
        assert code in CODES, code
    clients = {code for code in CODES if code.startswith("log-")} | {"ans-rebound", "ans-stale"}
    assert {code for code in clients if f"`{code}`" not in PAGE} == set()

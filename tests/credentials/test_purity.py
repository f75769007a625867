"""The core is pure: no I/O, no clock, no log, no state, few imports.

Each claim is made in a fresh interpreter, where nothing a test imported can help or hinder. Each
bundle that `corpus` knows is judged there, refused in every way there is and accepted: no event
is raised that an audit hook could see, no clock, chance, environment, file or output is touched,
and the answers depend on nothing but the input.
"""

from __future__ import annotations

import ast
import base64
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import delegant.credentials as core
from corpus import Item, corpus

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "credentials" / "delegant" / "credentials"
SOURCES = sorted(CORE.glob("*.py"))


NAMES_A_KEY = "unknown-key-type"
"""The one input whose refusal reads a table of key types from disk: judged apart, below."""


def written(items: list[Item], folder: Path) -> Path:
    """The items as `answers` reads them."""
    path = folder / "items.json"
    rows = [[base64.b64encode(i.bundle).decode(), base64.b64encode(i.trust).decode(), i.at]
            for i in items]  # fmt: skip
    path.write_text(json.dumps(rows), "ascii")
    return path


ITEMS = list(corpus())


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every input but one, in a file."""
    return written(ITEMS, tmp_path_factory.mktemp("inputs"))


def python(code: str, *arguments: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def asked(code: str, *arguments: object, **environment: str) -> Any:
    """What a program that may use `answers` prints, read as JSON."""
    code = "import sys; sys.path.insert(0, 'tests')\n" + code
    return json.loads(python(code, *map(str, arguments), **environment))


def known(items: list[Item]) -> list[list[str | None]]:
    """The answers as the cases have them."""
    return [[item.state, item.code] for item in items]


def told(answers: list[dict[str, Any]]) -> list[list[str | None]]:
    """State and code of each answer."""
    return [[one["state"], one["code"]] for one in answers]


# --- what it imports -----------------------------------------------------------------------

ALLOWED = {"delegant", "nacl", "_cffi_backend", "cffi", "rfc8785", "orjson", "_sodium"}
FORBIDDEN = {"fastapi", "sqlalchemy", "httpx", "sqlite3", "rich", "typer", "jsonschema", "keyring",
             "uvicorn", "starlette", "logging", "asyncio", "multiprocessing"}  # fmt: skip


def test_importing_the_core_brings_only_what_a_verifier_needs() -> None:
    # What the interpreter itself loaded before (site hooks, say) is not ours.
    code = (
        "import sys, json; before = set(sys.modules); import delegant.credentials;"
        "print(json.dumps(sorted({n.split('.')[0] for n in set(sys.modules) - before})))"
    )
    brought = set(json.loads(python(code)))
    assert brought >= {"delegant", "nacl", "orjson"}
    assert not brought & FORBIDDEN
    foreign = brought - set(sys.stdlib_module_names)
    assert foreign <= ALLOWED, sorted(foreign - ALLOWED)


def test_importing_the_core_brings_no_other_room() -> None:
    code = (
        "import sys, delegant.credentials;"
        "print(sorted(n for n in sys.modules if n.startswith('delegant.')"
        " and not n.startswith('delegant.credentials')))"
    )
    assert python(code).strip() == "[]"


def test_the_public_names_are_those_promised() -> None:
    assert sorted(core.__all__, key=lambda n: (not n.isupper(), n.islower(), n)) == core.__all__
    assert core.__all__ == [
        "CODES", "AgentAttestation", "AgentIdentity", "Anchor", "Approval", "Authority",
        "Authorization", "Bundle", "ChainCache", "Conflict", "Error", "Evidence", "Explanation",
        "Gone", "Grant",
        "HumanSponsor", "Item", "Lease", "LimitExceeded", "Limits", "Link", "Malformed", "NotFound",
        "Peer",
        "Presentation", "PrivateKey", "PublicKey", "Rejected", "Request", "Resolved", "Revocation",
        "RevocationFeed", "Secured", "Seen", "StatusEntry", "StatusList", "Trust", "Unavailable",
        "Undecided", "Verdict", "VerifiedChain", "approve", "authenticate", "canonical",
        "check_attestation",
        "decide", "decide_many", "digest", "explain", "invoke", "issue_agent_identity",
        "issue_attestation", "issue_human_sponsor", "issue_link", "issue_revocation_feed",
        "issue_statement", "issue_status_list", "parse_agent_attestation", "present", "verify",
        "verify_chain",
    ]  # fmt: skip
    assert all(hasattr(core, name) for name in core.__all__)


# --- what its source says ------------------------------------------------------------------

IMPURE = re.compile(
    r"^(time\.|datetime\.(datetime\.)?(now|utcnow|today)$|date\.today$|random\.|secrets\.|os\.(?!urandom$)"
    r"|logging\.|socket\.|subprocess\.|pathlib\.|threading\.|sys\.)"
)
IMPURE_IMPORTS = {
    "time",
    "random",
    "secrets",
    "logging",
    "socket",
    "subprocess",
    "pathlib",
    "sys",
    "threading",
    "asyncio",
    "http",
    "urllib",
    "httpx",
    "io",
    "tempfile",
    "shutil",
}
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}


def impurities(source: str) -> list[str]:
    """Everything in a module that reads a clock, chance, the environment or a file, or writes."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in IMPURE_IMPORTS]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if (node.module or "").split(".")[0] in IMPURE_IMPORTS | {"os"}:
                found.append(f"from {node.module}")
        elif isinstance(node, ast.Attribute) and IMPURE.match(ast.unparse(node)):
            found.append(ast.unparse(node))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in IMPURE_CALLS:
            found.append(ast.unparse(node.func))
        elif isinstance(node, ast.Global):
            found.append("global")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_module_of_the_core_reads_a_clock_chance_a_file_or_the_environment(path: Path) -> None:
    # `shape.time` and `standing.times` are parsers and checks of given instants, no clocks.
    assert impurities(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line",
    ["import time", "from time import time", "datetime.now()", "os.environ['X']", "open('x')",
     "print(1)", "import logging", "random.random()", "from os import environ",
     "from pathlib import Path", "os.getenv('X')"],
)  # fmt: skip
def test_the_scan_would_see_it(line: str) -> None:
    assert impurities(line)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_randomness_is_drawn_only_where_keys_ids_and_nonces_are_made(path: Path) -> None:
    assert ("urandom" in path.read_text("utf-8")) == (path.name == "keys.py")


# --- what it does: hundreds of inputs, in interpreters full of traps ---------------------------


def test_the_inputs_are_refused_in_every_way_there_is() -> None:
    codes = {item.code for item in ITEMS}
    assert len(ITEMS) > 180
    assert len(codes) >= 55
    assert {item.state for item in ITEMS} == {"accepted", "rejected", "undecided", "malformed"}


# --- what an audit hook sees -----------------------------------------------------------------

AUDITED = """
import answers, json
inputs = answers.read(sys.argv[1])
events, watching = [], False
def hook(event, arguments):
    if watching:
        events.append([event, repr(arguments)[:120]])
sys.addaudithook(hook)
watching = True
said = [answers.judge(*one) for one in inputs]
watching = False
seen = list(events)
watching = True  # the hook sees files, names, code and objects, or it proves nothing
open(sys.argv[1]).close(); compile("1", "x", "eval"); import colorsys; id(seen); sys._getframe()
watching = False
control = sorted({event for event, _ in events})
print(json.dumps([[[one["state"], one["code"]] for one in said], seen, control]))
"""


def test_a_verdict_touches_nothing_outside_the_process(inputs: Path) -> None:
    """Opening, connecting, importing, compiling, loading, starting, walking, tracing: none."""
    said, seen, control = asked(AUDITED, inputs)
    assert said == known(ITEMS)
    assert seen == []
    assert {"open", "compile", "import", "builtins.id", "sys._getframe"} <= set(control)


def test_no_event_is_raised_to_name_a_key_that_is_refused(tmp_path: Path) -> None:
    (item,) = (one for one in corpus() if one.name == NAMES_A_KEY)
    said, seen, _ = asked(AUDITED, written([item], tmp_path))
    assert said == known([item])
    assert seen == []


# --- traps -----------------------------------------------------------------------------------

TRAPS = """
import answers, json
inputs = answers.read(sys.argv[1])
import builtins, datetime, gc, importlib, io, locale, os, random, secrets, socket, subprocess
import threading, time, uuid, nacl.utils, nacl.bindings

class Sprung(BaseException):
    pass

def trap(name):
    def spring(*arguments, **named):
        raise Sprung(name)
    return spring

def set_all(owner, *names):
    for name in names:
        setattr(owner, name, trap(f"{owner.__name__}.{name}"))

class Instant(datetime.datetime):  # a type of C cannot be changed, so another stands in for it
    now = utcnow = today = classmethod(trap("datetime.now"))
for module in [m for n, m in sys.modules.items() if n.startswith("delegant.")]:
    for name, value in list(vars(module).items()):
        if value is datetime.datetime:
            setattr(module, name, Instant)

out = sys.stdout
every = ("time", "monotonic", "perf_counter", "process_time", "thread_time")
set_all(time, *every, *[f"{n}_ns" for n in every], "localtime", "gmtime", "ctime", "asctime",
        "mktime", "clock_gettime", "clock_gettime_ns", "sleep", "tzset")
set_all(random, *[n for n in random.__all__ if callable(getattr(random, n))])
set_all(secrets, "token_bytes", "token_hex", "randbelow", "choice")
set_all(uuid, "uuid1", "uuid3", "uuid4", "uuid5", "getnode")
set_all(nacl.utils, "random"); set_all(nacl.bindings, "randombytes")
set_all(os, *[n for n in dir(os) if callable(getattr(os, n)) and not n.startswith("_")
        and not isinstance(getattr(os, n), type) and n not in ("fspath", "fsdecode", "fsencode")])
os.environ = None
set_all(socket, "socket", "create_connection", "getaddrinfo", "gethostname")
set_all(subprocess, "Popen", "run"); set_all(threading, "Thread", "Timer", "get_ident")
set_all(io, "open"); set_all(locale, "setlocale"); set_all(gc, "collect", "disable")
set_all(importlib, "import_module")
sys.stdout = sys.stderr = None
set_all(builtins, "open", "print", "input", "exec", "eval", "compile", "breakpoint", "id")
loaded, spring = frozenset(sys.modules), trap("import")
builtins.__import__ = lambda name, *more: sys.modules[name] if name in loaded else spring()
def sprung(call):
    try:
        call()
    except Sprung:
        return True
    return False
control = [sprung(one) for one in (
    lambda: time.time(), lambda: time.monotonic_ns(), lambda: time.perf_counter(),
    lambda: os.urandom(1), lambda: os.getenv("X"), lambda: random.random(), lambda: open("x"),
    lambda: sys.modules["delegant.credentials.verifier"].datetime.now(), lambda: uuid.uuid4(),
    lambda: answers.sys.modules["delegant.credentials.keys"].new_nonce(), lambda: print("x"),
    lambda: __import__("colorsys"))]
def judged(one):
    try:
        return answers.judge(*one)
    except Sprung as exc:
        return {"state": "sprung", "code": str(exc)}
said = [judged(one) for one in inputs]
sys.stdout = sys.__stdout__
out.write(json.dumps([[[one["state"], one["code"]] for one in said], control]))
"""


def test_no_verdict_touches_clock_chance_environment_file_or_output(inputs: Path) -> None:
    said, control = asked(TRAPS, inputs)
    assert control == [True] * len(control), "a trap does not spring"
    assert said == known(ITEMS)


# --- nothing but the input -------------------------------------------------------------------

ANSWERS = """
import answers, json
json.dump(answers.answers(answers.read(sys.argv[1]), int(sys.argv[2])), sys.stdout)
"""


def test_answers_depend_on_no_hash_seed_locale_zone_or_order(inputs: Path) -> None:
    """Verdict, explanation and digests, to the letter, and whatever was judged before."""
    first = asked(ANSWERS, inputs, 1, PYTHONHASHSEED="0")
    assert told(first) == known(ITEMS)
    assert math.gcd(len(ITEMS), len(ITEMS) - 1) == 1
    for number, step in enumerate([len(ITEMS) - 1, 1], 1):  # backwards, and in order again
        other = asked(
            ANSWERS, inputs, step, PYTHONHASHSEED=str(4241 + number),
            TZ=["Pacific/Kiritimati", "America/New_York"][number - 1],
            LC_ALL=["C", "C.UTF-8"][number - 1], PYTHONOPTIMIZE=str(number % 2),
        )  # fmt: skip
        assert other == first

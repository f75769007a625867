"""Receipts of both sides, and the journal an agent keeps them in."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import Error, PrivateKey, digest, jose
from delegant.credentials.codec import b64u_encode, canonical
from delegant.credentials.keys import PublicKey
from delegant.governance.journal import MAX_LINE, Damaged, Entry, Journal, read_journal
from delegant.governance.receipt import (
    AGENT_RECEIPT,
    MAX_RECEIPT,
    RESOURCE_RECEIPT,
    SEEN,
    agent_receipt,
    read_agent_receipt,
    read_resource_receipt,
    seen_as,
)
from governance.acts import Act, Scene
from refusal import refusal

Change = dict[str, Any]
ABSENT = object()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A resource and an agent, and nothing done yet."""
    return Scene(tmp_path)


def claims(token: str) -> dict[str, Any]:
    """What a receipt says."""
    return dict(jose.split(token, size=MAX_RECEIPT).payload)


def entries(path: Path) -> list[Entry | Damaged]:
    """A journal's lines."""
    return list(read_journal(path))


# --- the resource's ------------------------------------------------------------------------------


def test_a_resource_says_what_the_agent_knows_and_no_more(scene: Scene) -> None:
    act = scene.act()
    token = scene.receipt(act)
    found = read_resource_receipt(token)
    found.check([scene.db.key.public])
    sent = claims(act.invocation)
    assert claims(token) == {
        "version": 1, "iss": scene.db.did, "sub": sent["iss"], "event": act.event,
        "invocation": digest(act.invocation.encode()), "request": sent["request"],
        "chain": sent["chain"], "decision": "allow", "outcome": "success",
        "time": "2026-09-21T15:13:21Z",
    }  # fmt: skip
    assert (found.log, found.agent, found.event) == (scene.db.did, scene.bot.did, act.event)
    assert (found.time, found.code) == (act.at + 1, None)
    assert scene.ana.did not in json.dumps(claims(token))
    assert len(token) < 1100


def test_a_refusal_carries_its_code(scene: Scene) -> None:
    act = scene.act()
    found = read_resource_receipt(
        scene.receipt(act, decision="deny", outcome=None, code="constraint")
    )
    assert (found.decision, found.outcome, found.code) == ("deny", None, "constraint")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({"decision": "deny", "outcome": None, "code": "replay"}, {"decision": "deny"}),
        (
            {"decision": "deny", "outcome": None, "code": "replay"},
            {"decision": "deny", "outcome": None},
        ),
        ({"outcome": "failure", "code": "timeout"}, {"outcome": "success", "code": "timeout"}),
        ({"outcome": None}, {"outcome": None, "code": "timeout"}),
        ({"outcome": "released"}, {"outcome": "done"}),
        ({"decision": "modify"}, {"decision": "permit"}),
        ({}, {"event": "evt_1"}),
        ({}, {"log": "db"}),
        ({"outcome": "failure", "code": "c" * 64}, {"outcome": "failure", "code": "c" * 65}),
    ],
)
def test_a_resource_signs_no_receipt_that_could_not_be_read(
    scene: Scene, right: Change, wrong: Change
) -> None:
    act = scene.act()
    assert refusal(lambda: scene.receipt(act, **right)) == ""
    assert refusal(lambda: scene.receipt(act, **wrong)) == "shape"


@pytest.mark.parametrize("named", [True, False])
def test_a_log_is_believed_by_its_receipt_keys_alone(scene: Scene, named: bool) -> None:
    """Whatever its DID is: the key of a did:key log is for other things."""
    act, other = scene.act(), PrivateKey.generate()
    log = "did:web:db.example" if named else scene.db.did
    found = read_resource_receipt(scene.receipt(act, log=log, key=other))
    assert refusal(lambda: found.check(())) == "key-unresolved"
    assert refusal(lambda: found.check([scene.db.key.public])) == "did-key-mismatch"
    assert refusal(lambda: found.check([scene.db.key.public, other.public])) == ""


# --- the agent's ---------------------------------------------------------------------------------


def test_an_agent_tells_its_act_from_what_it_sent(scene: Scene) -> None:
    act = scene.act()
    found = read_agent_receipt(agent_receipt(scene.bot.key, act.invocation, "refused", act.at))
    found.check(())
    found.check([scene.ana.key.public])  # its DID is its key, whatever is given
    assert (found.agent, found.resource) == (scene.bot.did, scene.db.did)
    assert found.invocation == digest(act.invocation.encode())
    assert (found.request, found.chain) == (act.request.digest, act.leaf)
    assert (found.status, found.event, found.time) == ("refused", None, act.at)


def test_an_agent_signs_for_nobody_else(scene: Scene) -> None:
    act = scene.act()
    assert (
        refusal(lambda: agent_receipt(scene.db.key, act.invocation, "success", act.at))
        == "did-key-mismatch"
    )
    assert refusal(lambda: agent_receipt(scene.bot.key, act.invocation, "success", act.at)) == ""


@pytest.mark.parametrize(
    ("token", "code"),
    [("", "encoding"), ("a.b", "encoding"), ("é.é.é", "encoding"), ("e30.e30.", "shape")],
)
def test_what_is_no_invocation_gets_no_receipt(scene: Scene, token: str, code: str) -> None:
    assert refusal(lambda: agent_receipt(scene.bot.key, token, "success", 0)) == code


def test_what_was_not_answered_has_no_event(scene: Scene) -> None:
    act = scene.act()

    def said(status: str) -> str:
        return refusal(
            lambda: agent_receipt(scene.bot.key, act.invocation, status, act.at, event=act.event)
        )

    assert [said(status) for status in SEEN] == ["", "", "", "shape"]
    assert said("lost") == "shape"


@pytest.mark.parametrize(
    ("decision", "outcome", "may"),
    [
        ("allow", "success", {"success"}),
        ("modify", "failure", {"failure"}),
        ("allow", "released", {"failure", "refused"}),
        ("allow", None, {"success", "failure"}),
        ("deny", None, {"refused"}),
        ("step_up", None, {"refused"}),
    ],
)
def test_what_an_agent_may_have_seen(decision: str, outcome: str | None, may: set[str]) -> None:
    assert seen_as(decision, outcome) == may


# --- reading strictly ----------------------------------------------------------------------------


def resources(scene: Scene) -> tuple[str, PrivateKey, str, Callable[[object], Any]]:
    """An honest receipt of the resource, and what reads it."""
    return scene.receipt(scene.act()), scene.db.key, RESOURCE_RECEIPT, read_resource_receipt


def agents(scene: Scene) -> tuple[str, PrivateKey, str, Callable[[object], Any]]:
    """An honest receipt of the agent, and what reads it."""
    token = agent_receipt(scene.bot.key, scene.act().invocation, "success", 0)
    return token, scene.bot.key, AGENT_RECEIPT, read_agent_receipt


SIDES = pytest.mark.parametrize("side", [resources, agents])


def resigned(token: str, key: PrivateKey, typ: str, kid: str = "", **changes: Any) -> str:
    """A receipt with other claims, signed again."""
    value = claims(token) | changes
    value = {name: member for name, member in value.items() if member is not ABSENT}
    return jose.sign(value, key, typ, kid or jose.split(token, size=MAX_RECEIPT).header["kid"])


@SIDES
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sponsor": "did:web:ana"}, "unknown-member"),
        ({"version": 2}, "unknown-version"),
        ({"version": True}, "shape"),
        ({"version": ABSENT}, "shape"),
        ({"request": ABSENT}, "shape"),
        ({"time": 1_790_000_000}, "shape"),
        ({"time": "2026-02-30T00:00:00Z"}, "shape"),
        ({"iss": "did:web:x#k"}, "shape"),
        ({"invocation": "uEi" + "A" * 43 + "B"}, "shape"),
        ({"event": "evt_8" + "0" * 25}, "shape"),
        ({"event": "evt_0" + "I" * 25}, "shape"),
        ({"chain": [[[]] * 20]}, "limit-members"),
    ],
)
def test_only_the_closed_shape_is_read(side: Any, scene: Scene, changes: Change, code: str) -> None:
    token, key, typ, read = side(scene)
    assert refusal(lambda: read(resigned(token, key, typ))) == ""
    assert refusal(lambda: read(resigned(token, key, typ, **changes))) == code


@SIDES
def test_one_kind_is_never_read_as_another(side: Any, scene: Scene) -> None:
    token, key, _, read = side(scene)
    other = agents if side is resources else resources
    assert refusal(lambda: read(other(scene)[0])) == "shape"
    assert refusal(lambda: read(resigned(token, key, "agent-invocation+jwt"))) == "shape"
    assert refusal(lambda: read(scene.act().invocation)) == "shape"


@SIDES
@pytest.mark.parametrize("given", [None, 7, {}, "", "x", "a.b.c", "a" * (MAX_RECEIPT + 1)])
def test_what_is_no_token_is_refused(side: Any, scene: Scene, given: object) -> None:
    _, _, _, read = side(scene)
    assert refusal(lambda: read(given)) in ("shape", "encoding", "limit-size", "json")


@SIDES
def test_a_member_that_stands_twice_is_refused(side: Any, scene: Scene) -> None:
    token, key, _, read = side(scene)
    head, body, _ = token.split(".")
    text = canonical(claims(token))[:-1] + b',"version":1}'
    message = f"{head}.{b64u_encode(text)}"
    twice = f"{message}.{b64u_encode(key.sign(message.encode()))}"
    assert refusal(lambda: read(twice)) == "duplicate-member"
    once = f"{head}.{body}"
    assert refusal(lambda: read(f"{once}.{b64u_encode(key.sign(once.encode()))}")) == ""


@SIDES
def test_any_changed_character_is_refused(side: Any, scene: Scene) -> None:
    token, key, _, read = side(scene)
    keys = [key.public]
    read(token).check(keys)
    for at in range(0, len(token), 7):
        swapped = "A" if token[at] != "A" else "B"
        changed = token[:at] + swapped + token[at + 1 :]
        assert refusal(lambda changed=changed: read(changed).check(keys)), at


@SIDES
def test_a_key_of_another_did_is_refused(side: Any, scene: Scene) -> None:
    token, key, typ, read = side(scene)
    forged = resigned(token, key, typ, "did:web:evil.example#k")
    assert refusal(lambda: read(forged).check([key.public])) == "did-key-mismatch"
    assert refusal(lambda: read(token).check([key.public])) == ""


@SIDES
def test_another_algorithm_is_refused(side: Any, scene: Scene) -> None:
    token, key, _, read = side(scene)
    kid = jose.split(token, size=MAX_RECEIPT).header["kid"]
    for alg, code in (("none", "suite"), ("HS256", "suite"), ("Ed25519", "")):
        _, body, _ = token.split(".")
        head = {"alg": alg, "kid": kid, "typ": resources(scene)[2]}
        head["typ"] = jose.split(token, size=MAX_RECEIPT).header["typ"]
        message = f"{b64u_encode(canonical(head))}.{body}"
        forged = f"{message}.{b64u_encode(key.sign(message.encode()))}"
        assert refusal(lambda forged=forged: read(forged).check([key.public])) == code


# --- the journal ---------------------------------------------------------------------------------


def test_a_journal_keeps_both_receipts_of_an_act(scene: Scene) -> None:
    act = scene.act()
    answer = scene.receipt(act)
    assert not scene.path.exists()
    scene.journal.sent(act.invocation, act.at)
    kept = scene.journal.keep(act.invocation, "success", act.at + 2, answer=answer)
    assert kept.fault is None
    assert kept.answer is not None

    first, second = entries(scene.path)
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert (first.receipt.status, first.receipt.event, first.answer) == ("unanswered", None, None)
    assert (second.line, second.receipt.status, second.receipt.event) == (2, "success", act.event)
    assert second.receipt.secured.raw == kept.receipt
    assert second.answer is not None
    assert second.answer.secured.raw == answer
    assert stat.S_IMODE(scene.path.stat().st_mode) == 0o600


def other_request(scene: Scene, act: Act) -> str:
    return scene.receipt(act, request=digest(b"another"))


def other_agent(scene: Scene, act: Act) -> str:
    return scene.receipt(act, sub=scene.ana.did)


def other_chain(scene: Scene, act: Act) -> str:
    return scene.receipt(act, chain=digest(b"another"))


def other_act(scene: Scene, act: Act) -> str:
    return scene.receipt(act, invocation=digest(b"another"))


@pytest.mark.parametrize(
    ("make", "dimension"),
    [
        (other_request, "request"),
        (other_agent, "agent"),
        (other_chain, "chain"),
        (other_act, "invocation"),
    ],
)
def test_an_answer_about_something_else_is_kept_and_told(
    scene: Scene, make: Callable[[Scene, Act], str], dimension: str
) -> None:
    act = scene.act()
    kept = scene.journal.keep(act.invocation, "success", act.at, answer=make(scene, act))
    assert kept.fault is not None
    assert (kept.fault.code, kept.fault.dimension) == ("unmatched", dimension)
    (entry,) = entries(scene.path)
    assert isinstance(entry, Entry)
    assert entry.answer is not None
    assert entry.receipt.event is None


def test_what_is_no_receipt_is_told_and_the_act_is_kept_all_the_same(scene: Scene) -> None:
    act = scene.act()
    for answer in ("", "yes", "a" * 10_000, act.invocation):
        kept = scene.journal.keep(act.invocation, "success", act.at, answer=answer)
        assert kept.fault is not None
        assert kept.answer is None
    assert [type(one) for one in entries(scene.path)] == [Entry] * 4


def test_the_keys_an_agent_knows_of_a_log_are_asked_for(scene: Scene) -> None:
    act, key, log = scene.act(), PrivateKey.generate(), "did:web:db.example"
    answer = scene.receipt(act, log=log, key=key)

    def fault(keys: dict[str, list[PublicKey]] | None) -> str:
        journal = Journal(scene.path, scene.bot.key, keys)
        kept = journal.keep(act.invocation, "success", act.at, answer=answer)
        return kept.fault.code if kept.fault else ""

    assert fault({log: [key.public]}) == ""
    assert fault({log: [scene.db.key.public]}) == "did-key-mismatch"
    assert fault({log: []}) == "key-unresolved"
    assert fault(None) == ""  # not known here: kept, and held to the trust folder when matched


def test_an_answer_to_what_was_not_answered_is_a_mistake(scene: Scene) -> None:
    act = scene.act()

    def keep(status: str, answer: str) -> None:
        scene.journal.keep(act.invocation, status, act.at, answer=answer)

    for answer in (scene.receipt(act), "rubbish"):
        assert refusal(lambda answer=answer: keep("unanswered", answer)) == "shape"
    assert not scene.path.exists()
    assert refusal(lambda: keep("success", scene.receipt(act))) == ""


def test_a_torn_line_is_told_and_the_next_stands_alone(scene: Scene) -> None:
    for _ in range(3):
        scene.honest()
    whole = scene.path.read_bytes()
    last = whole.rstrip(b"\n").rindex(b"\n") + 1
    for cut in (last + 1, last + 40, len(whole) - 2):
        scene.path.write_bytes(whole[:cut])
        found = entries(scene.path)
        assert [type(one) for one in found] == [Entry, Entry, Damaged]
        torn = found[2]
        assert isinstance(torn, Damaged)
        assert (torn.source, torn.line, torn.torn) == (str(scene.path), 3, True)

        act = scene.act()
        scene.journal.keep(act.invocation, "success", act.at)
        assert [type(one) for one in entries(scene.path)] == [Entry, Entry, Damaged, Entry]
    scene.path.write_bytes(whole[:-1])  # whole but for its end: nothing is lost
    act = scene.act()
    scene.journal.keep(act.invocation, "success", act.at)
    assert [type(one) for one in entries(scene.path)] == [Entry] * 4


@pytest.mark.parametrize(
    ("line", "torn"),
    [
        (b"{}", False),
        (b"[]", False),
        (b'{"receipt":"a.b.c","version":1}', False),
        (b"", True),
        (b"\xff\xfe", True),
        (b"x" * (3 * MAX_LINE), False),
    ],
)
def test_a_line_that_is_none_is_told_and_the_next_is_read(
    scene: Scene, line: bytes, torn: bool
) -> None:
    scene.honest()
    good = scene.path.read_bytes()
    scene.path.write_bytes(good + line + b"\n" + good)
    found = entries(scene.path)
    assert [type(one) for one in found] == [Entry, Damaged, Entry]
    assert isinstance(found[1], Damaged)
    assert (found[1].line, found[1].torn) == (2, torn)


def test_a_line_of_another_version_or_with_more_is_none(scene: Scene) -> None:
    scene.honest()
    value = json.loads(scene.path.read_bytes())
    for changes in ({"version": 2}, {"version": True}, {"more": 1}, {"answer": "x"}):
        scene.path.write_bytes(canonical(value | changes) + b"\n")
        assert [type(one) for one in entries(scene.path)] == [Damaged]
    scene.path.write_bytes(canonical(value) + b"\n")
    assert [type(one) for one in entries(scene.path)] == [Entry]


def test_a_journal_that_is_not_there(tmp_path: Path) -> None:
    assert refusal(lambda: entries(tmp_path / "none")) == "not-found"
    assert refusal(lambda: entries(tmp_path)) == "unavailable"


@pytest.mark.parametrize("mode", [0o644, 0o620, 0o600])
def test_a_journal_others_can_read_is_not_added_to(scene: Scene, mode: int) -> None:
    scene.path.touch()
    scene.path.chmod(mode)
    act = scene.act()
    code = refusal(lambda: scene.journal.keep(act.invocation, "success", act.at))
    assert code == ("" if mode == 0o600 else "wallet-mode")


def test_a_link_is_not_followed(scene: Scene) -> None:
    act = scene.act()
    scene.path.symlink_to(scene.folder / "elsewhere")
    assert refusal(lambda: scene.journal.keep(act.invocation, "success", act.at)) == "wallet-mode"
    scene.path.unlink()
    os.mkfifo(scene.path, 0o600)
    assert refusal(lambda: scene.journal.keep(act.invocation, "success", act.at)) == "wallet-mode"
    assert not (scene.folder / "elsewhere").exists()


def test_a_folder_that_is_not_there_is_unavailable(scene: Scene) -> None:
    journal = Journal(scene.folder / "none" / "journal", scene.bot.key)
    act = scene.act()
    assert refusal(lambda: journal.keep(act.invocation, "success", act.at)) == "unavailable"


def test_many_threads_keep_whole_lines(scene: Scene) -> None:
    acts = [scene.act() for _ in range(4)]

    def keep(act: Act) -> None:
        for _ in range(25):
            scene.journal.keep(act.invocation, "success", act.at, answer=scene.receipt(act))

    threads = [threading.Thread(target=keep, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = entries(scene.path)
    assert len(found) == 100
    assert all(isinstance(one, Entry) for one in found)


FULL = """
import resource, sys
from pathlib import Path
from delegant.credentials import Error
from delegant.wallet import files
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (150, 150))
files.append_line(path, b"a" * 99)
try:
    files.append_line(path, b"b" * 99)
except OSError as exc:
    print(exc.errno)
print(path.stat().st_size)
"""


def test_what_did_not_fit_is_taken_back(tmp_path: Path) -> None:
    run = [sys.executable, "-c", FULL, str(tmp_path / "journal")]
    told = subprocess.run(run, capture_output=True, text=True, check=True, timeout=30).stdout
    assert told.split() == ["27", "100"]  # too large; and of the second line nothing is left


KILLED = """
import sys
from pathlib import Path
from delegant.wallet import files
path = Path(sys.argv[1])
number = 0
while True:
    files.append_line(path, b"%d" % number)
    print(number, flush=True)
    number += 1
"""


@pytest.mark.parametrize("turn", range(3))
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, turn: int) -> None:
    path = tmp_path / "journal"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for _ in range(5 + 20 * turn):
            child.stdout.readline()
        child.kill()
        said = child.stdout.read().split("\n")[:-1]  # the last may be torn, then it was not said
    acknowledged = int(said[-1]) if said else 4 + 20 * turn
    lines = path.read_bytes().split(b"\n")
    assert lines[: acknowledged + 1] == [b"%d" % n for n in range(acknowledged + 1)]


def test_a_fault_is_one_of_ours(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    act = scene.act()
    scene.journal.sent(act.invocation, act.at)
    before = scene.path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Error, match="No space") as told:
            scene.journal.keep(act.invocation, "success", act.at)
    assert told.value.code == "unavailable"
    assert scene.path.read_bytes() == before
    scene.journal.keep(act.invocation, "success", act.at)
    assert len(entries(scene.path)) == 2

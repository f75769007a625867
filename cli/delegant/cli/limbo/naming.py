"""Cases about the naming service: a text that may be a name, and answers and receipts to believe.

A question is a JSON object; ``ask`` says what is asked:

    {ask: name, text}           is this a name?
    {ask: alias, text}          is this an alias?
    {ask: names, texts [a, b]}  may two organisations hold these two names?
    {ask: receipt, data, trust}
                                does this receipt prove its entry?
    {ask: answer, data, trust, query, at, memory, proofs, history, checkpoint?}
                                may one act on this answer, to this question, at this instant?

``data`` is bytes in base64, as they came: many are no JSON. ``trust`` is a trust folder with one
registry. ``memory`` is what the asker had met before, or null: then nothing was. The others are
what the registry says when it is asked further: ``proofs`` [{old, new, proof}] that its log of one
size grew into that of another, ``history`` bytes in base64 of [{event, receipt}], or null,
``checkpoint`` a signed note, the newest of its log.
"""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from delegant.credentials import Error, Trust
from delegant.credentials.codec import Json, parse_object
from delegant.credentials.errors import error
from delegant.credentials.shape import time

from .protocol import Answer

if TYPE_CHECKING:
    from delegant.ans.asking import Ask, Reply
    from delegant.ans.query import Query
    from delegant.ans.trusted import RegistryTrust

__all__ = ["NamingCase", "NamingQuestion", "answer"]

MAX_DATA: Final = 4 * 1024 * 1024
MAX_MEMBERS: Final = 262_144
SECONDS: Final = 5.0
"""What a whole question may take: nothing is waited for, so it never does."""


@dataclass(frozen=True, slots=True)
class NamingQuestion:
    """One case without its answer. ``value`` is the object above."""

    value: Mapping[str, Any]

    @property
    def line(self) -> str:
        """The line of a streaming target's input."""
        return json.dumps(self.value)

    @classmethod
    def from_line(cls, line: bytes) -> NamingQuestion | None:
        """Inverse of `line`; None for a question about a chain.

        Raises:
            ValueError: the line is no question.
        """
        said = json.loads(line)
        if type(said) is not dict or "ask" not in said:
            return None
        try:
            for member in ("data", "history"):
                base64.b64decode(said.get(member) or "", validate=True)
        except (TypeError, binascii.Error) as exc:
            raise ValueError(f"not a question: {exc}") from None
        return cls(said)

    def arguments(self, folder: Path) -> list[str]:
        """The option of a target that is called once a case; its file is written here."""
        (folder / "question").write_text(self.line)
        return ["--question", str(folder / "question")]

    def bytes_of(self, member: str) -> bytes:
        """A member in base64 as the bytes it holds."""
        return base64.b64decode(self.value[member], validate=True)


@dataclass(frozen=True, slots=True)
class NamingCase:
    """One question and the one right answer; no link is to blame, and no cost is bounded."""

    id: str
    description: str
    importance: str
    features: frozenset[str]
    twin: str | None
    question: NamingQuestion
    state: str
    code: str | None
    link: None = None
    most_signatures: None = None
    most_ms: None = None

    @property
    def namespace(self) -> str:
        """What stands before the first ``::``."""
        return self.id.split("::")[0]


def answer(question: NamingQuestion) -> Answer:
    """The library's word on one case."""
    asked = question.value
    try:
        match asked["ask"]:
            case "name":
                _name(asked["text"])
            case "alias":
                _alias(asked["text"])
            case "names":
                _held(*asked["texts"])
            case "receipt":
                _receipt(question)
            case "answer":
                _answer(question)
            case other:
                raise error("shape", f"nothing is asked by {other!r}")
    except Error as exc:
        return Answer(exc.state, exc.code)
    return Answer("accepted")


def _name(text: str) -> None:
    from delegant.ans.name import AnsName  # noqa: PLC0415 - chains are asked about without it

    AnsName.parse(text)


def _alias(text: str) -> None:
    from delegant.ans.alias import AnsAlias  # noqa: PLC0415

    AnsAlias.parse(text)


def _held(one: str, other: str) -> None:
    """Two organisations' names: their provider labels differ, and in what they look like too."""
    from delegant.ans.confusable import skeleton  # noqa: PLC0415
    from delegant.ans.name import AnsName  # noqa: PLC0415

    first, second = (AnsName.parse(text).provider_key for text in (one, other))
    if first == second:
        raise error("name-taken", f"{second} belongs to another organisation")
    if skeleton(first) == skeleton(second):
        raise error("name-confusable", f"{second} looks like {first}")


def _trusted(question: NamingQuestion) -> RegistryTrust:
    from delegant.ans.trusted import RegistryTrust  # noqa: PLC0415

    return RegistryTrust.from_trust(Trust.from_json(question.value["trust"]))


def _receipt(question: NamingQuestion) -> None:
    from delegant.ans.receipt import check_receipt  # noqa: PLC0415

    trust = _trusted(question)
    value = parse_object(question.bytes_of("data"), size=MAX_DATA, members=MAX_MEMBERS)
    check_receipt(value, trust.id, trust.log, trust.witnesses, trust.quorum)


def _answer(question: NamingQuestion) -> None:
    from delegant.ans.answer import verify_answer  # noqa: PLC0415
    from delegant.ans.query import Query  # noqa: PLC0415

    trust, query = _trusted(question), Query.from_json(question.value["query"])
    at = time(question.value["at"], "at")
    found = verify_answer(_parsed(question.bytes_of("data")), trust, query, at=at)
    if question.value["memory"] is not None:
        found = _met(question, trust, query, at)
    found.check_success()


def _parsed(data: bytes) -> Json:
    """An object, or the text of a JWS."""
    if data[:1] == b"e":  # as the base64url of an object begins
        try:
            return data.decode("ascii")
        except UnicodeDecodeError:
            raise error("encoding", "neither JSON nor a JWS") from None
    return parse_object(data, size=MAX_DATA, members=MAX_MEMBERS)


def _met(question: NamingQuestion, trust: RegistryTrust, query: Query, at: int) -> Any:
    """The answer as a client that remembers takes it, its further questions answered."""
    from delegant.ans.asking import Ask, Caller  # noqa: PLC0415
    from delegant.ans.core import Core  # noqa: PLC0415
    from delegant.ans.memory import Memory  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="limbo-") as folder:
        path = Path(folder, "memory.json")
        path.write_text(json.dumps(question.value["memory"]))
        path.chmod(0o600)
        core = Core(
            trust, Memory(trust.id, path), Caller(SECONDS, clock.monotonic, lambda: at), lambda: at
        )
        steps = core.ask(query, at)
        reply = None
        try:
            while True:
                step = steps.send(reply)
                reply = _reply(question, step) if isinstance(step, Ask) else None
        except StopIteration as end:
            return end.value


def _reply(question: NamingQuestion, ask: Ask) -> Reply:
    """What the registry of the case says."""
    from delegant.ans.asking import Reply  # noqa: PLC0415

    where = urlsplit(ask.path)
    if where.path == "/v1/resolve":
        return Reply(200, {}, question.bytes_of("data"))
    if where.path == "/v1/log/consistency":
        sizes = {name: int(values[0]) for name, values in parse_qs(where.query).items()}
        for one in question.value["proofs"]:
            if sizes == {"old": one["old"], "new": one["new"]}:
                return Reply(200, {}, json.dumps({"proof": one["proof"]}).encode())
    elif where.path == "/checkpoint":
        if "checkpoint" in question.value:
            return Reply(200, {}, question.value["checkpoint"].encode())
    elif question.value["history"] is not None:
        return Reply(200, {}, b'{"events":' + question.bytes_of("history") + b"}")
    return Reply(404, {}, b'{"code":"not-found"}')

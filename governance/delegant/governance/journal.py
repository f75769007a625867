"""The agent's journal: its own receipts, and what resources answered; one JSON line each.

    {version: 1, receipt: agent-receipt+jwt, answer?: resource-receipt+jwt}

It is only ever added to, and each line is on the disk before `Journal.keep` returns. Where a
crash tore a line, the reader says so and goes on: what was torn was never acknowledged. Lines
are no chain. Whoever leaves one out gains nothing: the resource's record then stands alone, and
that is what `matching` looks for.

    journal = Journal(home / "receipts.jsonl", key)
    journal.sent(presentation.invocation, at)      # before: so that a crash is no silence
    journal.keep(presentation.invocation, "success", at, answer=response.headers[HEADER])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from delegant.credentials import PrivateKey, PublicKey, canonical, shape
from delegant.credentials.codec import JsonObject, parse_object
from delegant.credentials.errors import Error, error
from delegant.wallet import files

from .receipt import (
    MAX_RECEIPT,
    AgentReceipt,
    ResourceReceipt,
    agent_receipt,
    read_agent_receipt,
    read_invocation,
    read_resource_receipt,
)

__all__ = ["Damaged", "Entry", "Journal", "Kept", "read_journal"]

MAX_LINE: Final = 2 * MAX_RECEIPT + 256
_LINE: Final = frozenset({"version", "receipt"})
_TORN: Final = ("json", "encoding")
"""What the parser says of a line that ends too early."""


class Kept(NamedTuple):
    """What `Journal.keep` wrote: the agent's receipt, and what became of the resource's.

    ``fault``: why the answer does not count; None where it does, or where there is none. An
    answer that is a receipt at all is kept even so: it shows what the resource said.
    """

    receipt: str
    answer: ResourceReceipt | None
    fault: Error | None


class Entry(NamedTuple):
    """One line, read; no signature is verified yet. Lines count from 1."""

    source: str
    line: int
    receipt: AgentReceipt
    answer: ResourceReceipt | None


class Damaged(NamedTuple):
    """A line that is none; ``torn`` where it ends too early, as a crash leaves it."""

    source: str
    line: int
    torn: bool
    fault: Error


class Journal:
    """Where an agent keeps its receipts. Opens nothing before the first is kept.

    Args:
        path: the file; it is made with mode 0600, its folder must exist.
        key: the agent's own, with which it invokes.
        logs: the receipt keys of the resources it knows, by the DID of their audit log. A
            receipt of a log that is not known is kept unverified.
    """

    def __init__(
        self,
        path: str | Path,
        key: PrivateKey,
        logs: Mapping[str, Sequence[PublicKey]] | None = None,
    ) -> None:
        self._path = Path(path)
        self._key = key
        self._logs = logs or {}

    def sent(self, invocation: str, at: int) -> str:
        """Say that an act is about to be sent; `keep` says later what came of it.

        Raises:
            as `keep`.
        """
        return self.keep(invocation, "unanswered", at).receipt

    def keep(self, invocation: str, status: str, at: int, *, answer: str | None = None) -> Kept:
        """Keep what was seen of an act, durably.

        Args:
            invocation: the compact JWS that was sent.
            status: success, failure, refused or unanswered.
            at: now, seconds since 1970.
            answer: the header ``Agent-Receipt`` of the response, if it had one.

        Raises:
            Malformed: ``shape``. Rejected: ``did-key-mismatch``, ``wallet-mode``.
            Unavailable: ``unavailable`` when it cannot be written.
        """
        if answer is not None and status == "unanswered":
            raise error("shape", "what was not answered has no receipt of the resource")
        theirs, fault = None, None
        if answer is not None:
            theirs, fault = self._answered(invocation, answer)
        event = theirs.event if theirs is not None and fault is None else None
        token = agent_receipt(self._key, invocation, status, at, event=event)
        line: JsonObject = {"version": 1, "receipt": token}
        if theirs is not None:
            line["answer"] = theirs.secured.raw
        try:
            files.append_line(self._path, canonical(line, floats=False))
        except OSError as exc:
            raise error("unavailable", f"cannot keep a receipt: {exc.strerror}") from None
        return Kept(token, theirs, fault)

    def _answered(
        self, invocation: str, answer: str
    ) -> tuple[ResourceReceipt | None, Error | None]:
        theirs = None
        try:
            theirs = read_resource_receipt(answer)
            sent, name = read_invocation(invocation)
            mine = {"agent": sent.iss, "invocation": name, "request": sent.request}
            for part, value in (mine | {"chain": sent.chain}).items():
                if getattr(theirs, part) != value:
                    told = f"the resource's receipt is of another {part}"
                    raise error("unmatched", told, dimension=part)
            if theirs.log in self._logs:
                theirs.check(self._logs[theirs.log])
        except Error as exc:
            return theirs, exc
        return theirs, None


def read_journal(path: Path) -> Iterator[Entry | Damaged]:
    """Every line of a journal, in order. Each is read when it is asked for.

    Raises:
        NotFound: ``not-found``. Unavailable: ``unavailable``.
    """
    try:
        with path.open("rb") as source:
            number = 0
            while line := source.readline(MAX_LINE + 2):
                number += 1
                whole = line.endswith(b"\n")
                yield _entry(str(path), number, line)
                while not whole and (more := source.readline(MAX_LINE)):
                    whole = more.endswith(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        raise error("not-found", f"there is no file {path.name}") from None
    except OSError as exc:
        raise error("unavailable", f"cannot read {path.name}: {exc.strerror}") from None


def _entry(source: str, number: int, line: bytes) -> Entry | Damaged:
    try:
        value = parse_object(line.removesuffix(b"\n"), size=MAX_LINE)
    except Error as exc:
        return Damaged(source, number, exc.code in _TORN, exc)
    try:
        shape.closed(value, "line", _LINE, frozenset({"answer"}))
        if value["version"] != 1 or type(value["version"]) is not int:
            raise error("unknown-version", "a line of another version")
        answer = read_resource_receipt(value["answer"]) if "answer" in value else None
        return Entry(source, number, read_agent_receipt(value["receipt"]), answer)
    except Error as exc:
        return Damaged(source, number, torn=False, fault=exc)

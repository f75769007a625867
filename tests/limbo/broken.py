"""Verifiers with something wrong, as targets of the protocol: the runner must catch each.

python broken.py FAULT verify …
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from delegant.cli.limbo import client
from delegant.cli.limbo.protocol import Answer, Question
from delegant.credentials import canonical


def accepts(_question: Question) -> Answer:
    """Whatever it is, yes."""
    return Answer("accepted")


def refuses(_question: Question) -> Answer:
    """Whatever it is, no; safe, and no verifier."""
    return Answer("rejected", "proof", None)


def sorts(question: Question) -> Answer:
    """Puts the links in order of depth first, as if order meant nothing."""
    try:
        sent = json.loads(question.presentation)
        sent["links"].sort(key=lambda one: one["credentialSubject"]["delegation"]["depth"])
        data = canonical(sent)
    except Exception:  # noqa: BLE001 - what cannot be sorted stays as it is
        return client.answer(question)
    parts = {name: getattr(question, name) for name in Question.__slots__}
    return client.answer(Question(**(parts | {"presentation": data})))


def lenient(question: Question) -> Answer:
    """Reads the presentation with a lenient JSON parser, and judges what that made of it."""
    try:
        data = canonical(json.loads(question.presentation))
    except Exception:  # noqa: BLE001 - what even that cannot read stays as it is
        return client.answer(question)
    parts = {name: getattr(question, name) for name in Question.__slots__}
    return client.answer(Question(**(parts | {"presentation": data})))


def codeless(question: Question) -> Answer:
    """The right state, and always the same reason."""
    said = client.answer(question)
    return said if said.code is None else Answer(said.state, "shape", said.link)


def plain(question: Question) -> Answer:
    """Right, and started once a case."""
    return client.answer(question)


def hangs(question: Question) -> Answer:
    """Right, after a long time."""
    time.sleep(30)
    return client.answer(question)


FAULTS: dict[str, Callable[[Question], Answer]] = {
    one.__name__: one for one in (accepts, refuses, sorts, lenient, codeless, plain, hangs)
}


def main(fault: str, arguments: list[str]) -> int:
    """Answer as `delegant limbo verify` does, with the fault."""
    how = FAULTS.get(fault, client.answer)
    if "--stream" in arguments:
        if fault in ("plain", "garbage", "exits"):
            print("no such option: --stream", file=sys.stderr)
            return 2
        client.serve(sys.stdin.buffer, sys.stdout, how)
        return 0
    given = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    names = ("presentation", "evidence", "trust", "request", "limits")
    paths: dict[str, Path | None] = {name: Path(given[f"--{name}"]) for name in names}
    said = client.from_files(
        paths, given.get("--audience"), given.get("--nonce"), given.get("--at"), how
    )
    print("accepted" if fault == "garbage" else said.line)
    return 1 if fault == "exits" else said.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

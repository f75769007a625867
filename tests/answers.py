"""Judge a list of bundles and write the answers: a program for a fresh interpreter of any version.

    python answers.py items.json [order]

``items.json`` is a list of ``[bundle, trust, at]``, the first two in base64. Written is a list of
answers: verdict, explanation and digests, or the refusal to read the input. ``order`` is the
step by which the list is walked (it must share no divisor with its length); answers come in
order all the same. `judge` can be used under traps by others.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Sequence
from typing import Any

from delegant.credentials import Bundle, Error, Trust, decide, digest, explain, verify_chain

Input = tuple[bytes, bytes, int]


def read(path: str) -> list[Input]:
    """The inputs in a file."""
    with open(path, encoding="ascii") as file:
        return [(base64.b64decode(b), base64.b64decode(t), at) for b, t, at in json.load(file)]


def judge(bundle: bytes, trust: bytes, at: int) -> dict[str, Any]:
    """Everything the core says of one input."""
    try:
        read, ours = Bundle.parse(bundle), Trust.parse(trust)
    except Error as exc:
        return {"unread": exc.problem(), "state": exc.state, "code": exc.code}
    parts = (read.presentation, read.evidence, ours)
    verdict = decide(*parts, read.request, at=at)
    try:
        chain = verify_chain(*parts, at=at).inputs_digest
    except Error as exc:
        chain = exc.code
    return {
        "state": verdict.state,
        "code": verdict.code,
        "verdict": verdict.json,
        "explanation": explain(*parts, read.request, at=at).json,
        "chain": chain,
        "request": read.request.digest,
        "bundle": digest(read.to_bytes()),
        "effective": verdict.authorization and verdict.authorization.effective.json,
    }


def answers(inputs: Sequence[Input], step: int = 1) -> list[dict[str, Any]]:
    """One answer for each input, however the list is walked."""
    out: dict[int, dict[str, Any]] = {}
    for number in range(len(inputs)):
        place = number * step % len(inputs)
        out[place] = judge(*inputs[place])
    return [out[place] for place in range(len(inputs))]


if __name__ == "__main__":
    said = answers(read(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    json.dump(said, sys.stdout, indent=0, sort_keys=True)

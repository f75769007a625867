"""A process that registers names until it is killed, saying each receipt it was given.

Usage: writer.py PATH [DATABASE], then one line on standard input per round: the first number to
use. Each round is a forked child, so that starting one is quick; its pid is said first.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ans.naming import NAME, Naming
from delegant.credentials.codec import parse_object


def _say(**told: object) -> None:
    # One write, so that what is read was said whole.
    os.write(1, json.dumps(told).encode() + b"\n")


def _round(naming: Naming, first: int) -> None:
    naming.registry = naming.open()
    for number in range(first, first + 10_000):
        name = NAME.replace("v1.0", f"v{number}")
        body, token = naming.body(naming.event(name=name))
        _say(sent=name)
        receipt = naming.registry.submit(body, token, naming.now)
        _say(
            acknowledged=name,
            event=receipt["leaf"]["event"],
            again=parse_object(body, size=1 << 20),
        )


def main() -> None:
    naming = Naming(Path(sys.argv[1]), database=sys.argv[2] if sys.argv[2:] else None)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _round(naming, int(line))
            os._exit(0)
        _say(pid=child)
        os.waitpid(child, 0)
        _say(ended=child)


if __name__ == "__main__":
    main()

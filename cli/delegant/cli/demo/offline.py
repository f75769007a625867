"""Run the `delegant` command in a process that cannot open a socket.

An audit hook ends the process at the first attempt, so "offline" is shown, not said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # nothing of ours is imported before the hook
    from delegant.credentials.codec import JsonObject

__all__ = ["asked"]


def asked(*typed: str) -> JsonObject:
    """What a command prints, with ``--json``, in such a process.

    Raises:
        ValueError: it failed; says how.
    """
    done = subprocess.run(
        [sys.executable, "-m", "delegant.cli.demo.offline", *typed],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        raise ValueError(f"exit {done.returncode}: {(done.stdout + done.stderr)[:300]}")
    found: JsonObject = json.loads(done.stdout)
    return found


def no_network(event: str, _arguments: tuple[Any, ...]) -> None:
    """End the process if anything asks for a socket or a name."""
    if event.startswith("socket."):
        os.write(2, f"a socket was asked for: {event}\n".encode())
        os._exit(70)


def main() -> None:
    """`python -m delegant.cli.demo.offline verify …`."""
    sys.addaudithook(no_network)
    from delegant.cli.main import app  # noqa: PLC0415 - imported under the hook

    app()


if __name__ == "__main__":
    main()

"""DIDKit in a process of its own: a JSON job on stdin, a list of its answers on stdout.

{"texts": [credential, …], "options": text}  ->  [answer or why there is none, …]
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from typing import Any

didkit: Any = importlib.import_module("didkit")  # type checkers need not have it


async def _answers(texts: list[str], options: str) -> list[Any]:
    async def ask(text: str) -> Any:
        return json.loads(await didkit.verify_credential(text, options))

    found = await asyncio.gather(*map(ask, texts), return_exceptions=True)
    return [
        (str(one) or type(one).__name__) if isinstance(one, BaseException) else one for one in found
    ]


if __name__ == "__main__":
    job = json.load(sys.stdin)
    print(json.dumps(asyncio.run(_answers(job["texts"], job["options"]))), flush=True)
    os._exit(0)  # without tearing the interpreter down under DIDKit's threads

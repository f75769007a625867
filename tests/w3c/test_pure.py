"""The general W3C world touches no network, not even where a document would have to be fetched."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import delegant.w3c
assert not {"cryptography", "pyoxigraph", "pyld", "joserfc", "httpx", "httpcore"} & set(sys.modules)
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith("socket.") else None)
from delegant.credentials import Error
from delegant.w3c.dids import expand, key_for
from delegant.w3c.resolution import local, dereference, DidUrl, Options
name = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
dereference(DidUrl.parse(name + "#" + name[8:]), local(name), Options())
for other in ("did:web:acme.example", "did:webvh:x:acme.example"):
    for call in (local, expand, lambda one: key_for(one + "#x", "assertionMethod", expand, at=0)):
        try:
            call(other)
        except Error as exc:
            assert exc.code == "did-method", exc.code
        else:
            raise AssertionError(other)
assert seen == [], seen
assert not {"httpx", "httpcore"} & set(sys.modules)
print("pure")
"""


def test_nothing_is_fetched_where_nothing_is_passed_in() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.stdout == "pure\n", done.stderr

"""Nobody is handed the same random bytes twice, not even a child of a fork."""

from __future__ import annotations

import os

import pytest

from delegant.governance.noise import noise


def test_no_bytes_come_twice() -> None:
    drawn = [noise(26) for _ in range(2000)]
    assert len(set(drawn)) == 2000
    assert all(len(one) == 26 for one in drawn)
    assert len(noise(10_000)) == 10_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")
def test_a_child_draws_its_own() -> None:
    noise(16)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, noise(16))
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        theirs = pipe.read()
    assert len(theirs) == 16
    assert theirs != noise(16)

"""The peers, each started once for a whole session and asked many times."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from delegant.w3c import contexts
from interop.peer import Missing, Peer


@pytest.fixture(scope="session")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Peer]]:
    """A program of `peers/` by its name; the test is skipped where it cannot be asked."""
    running: dict[str, Peer] = {}

    def ask(program: str) -> Peer:
        if program not in running:
            try:
                running[program] = Peer(program, tmp_path_factory.mktemp(program))
            except Missing as exc:
                pytest.skip(str(exc))
        return running[program]

    yield ask
    for peer in running.values():
        peer.close()


@pytest.fixture(scope="session")
def integrity(peers: Callable[[str], Peer]) -> Peer:
    """The peer for Data Integrity, with the contexts bundled here and no other."""
    peer = peers("integrity")
    peer("give", documents={url: contexts.context(url) for url in contexts.urls()})
    return peer

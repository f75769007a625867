"""Witnesses that are asked to cosign, and do what they like instead."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ans.naming import Naming
from delegant.ans.log.checkpoint import parse_checkpoint
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.ans.log.witness import Witness as Witnessing
from delegant.resolver import cosigning
from delegant.resolver.cosigning import Cosigners
from delegant.wallet.settings import Witness

SLOW, GOOD = "https://slow.example", "https://good.example"


class Drip(httpx.SyncByteStream):
    """A byte now and then, for as long as anybody listens."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            time.sleep(0.02)
            yield b"x"


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    return Naming(tmp_path / "registry.db")


def test_a_witness_that_drips_costs_its_cosignature_and_no_other(
    naming: Naming, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosigning, "SECONDS", 0.2)
    keys = {
        url: NoteSigner(f"{url[8:]}/w", naming.world._key(url), COSIGNATURE) for url in (SLOW, GOOD)
    }
    witness = Witnessing(keys[GOOD], {naming.log.name: [naming.log]})

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "slow.example":
            return httpx.Response(200, stream=Drip())
        made = witness.decide(request.read(), lambda _origin: None, naming.now)
        return httpx.Response(made.status, stream=httpx.ByteStream(made.body.encode()))

    asked = [Witness(url, keys[url].key.vkey) for url in (SLOW, GOOD)]
    with Cosigners(naming.registry, asked, httpx.MockTransport(answer)) as cosigners:
        began = time.monotonic()
        assert cosigners.round() == 1
        assert time.monotonic() - began < 3
    lines = parse_checkpoint(naming.registry.log.checkpoint())[1].signatures
    assert [one.name for one in lines] == [naming.log.name, "good.example/w"]

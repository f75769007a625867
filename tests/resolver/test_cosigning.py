"""A registry and the witnesses its home names: cosigned checkpoints, and receipts under them."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ans.tiled import key_of
from delegant.ans.log.checkpoint import open_checkpoint
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.ans.log.witness import Witness
from delegant.ans.receipt import Logged, check_receipt
from delegant.ans.registry import Registry
from delegant.resolver.cosigning import Cosigners
from delegant.resolver.server import open_registry
from delegant.resolver.witnessing import Book, witness_app
from delegant.wallet import settings
from refusal import refusal
from resolver.door import NAME, House, build
from resolver.running import listening

ONE = NoteSigner("one.example/w", key_of("one"), COSIGNATURE)
TWO = NoteSigner("two.example/w", key_of("two"), COSIGNATURE)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build(tmp_path_factory.mktemp("cosigned"))


@pytest.fixture
def registry(house: House, tmp_path: Path) -> Iterator[Registry]:
    """A log that begins anew for each test."""
    for path in house.home.path.glob("registry.db*"):
        path.unlink()
    (house.home.path / "log" / "registry.checkpoint").unlink(missing_ok=True)
    found = open_registry(house.home, house.organization)
    found.bind_provider("DataCorp", house.home.settings.organization, 1_790_000_000)
    yield found
    found.store.close()


@contextlib.contextmanager
def witness(house: House, folder: Path, signer: NoteSigner = ONE) -> Iterator[settings.Witness]:
    app = witness_app(Witness(signer, {house.log.name: [house.log]}), Book(folder / "seen.json"))
    with listening(app) as port:
        yield settings.Witness(f"http://127.0.0.1:{port}", signer.key.vkey)


def quorum(house: House, registry: Registry) -> int:
    """How many of the two have cosigned the newest checkpoint."""
    note = registry.log.checkpoint()
    known = (ONE.key, TWO.key)
    for count in (2, 1):
        if not refusal(lambda: open_checkpoint(note, house.log, known, count)):  # noqa: B023
            return count
    return 0


def register(house: House, registry: Registry, tail: str) -> str:
    import time

    event = house.event(NAME.replace("main", tail))
    body, token = house.wire(event)
    registry.submit(body, token, int(time.time()))
    return str(event["name"])


def test_each_new_checkpoint_is_cosigned_once(
    house: House, registry: Registry, tmp_path: Path
) -> None:
    with witness(house, tmp_path) as one, Cosigners(registry, [one]) as cosigners:
        assert quorum(house, registry) == 0
        assert cosigners.round() == 1
        assert quorum(house, registry) == 1
        assert cosigners.round() == 0
        register(house, registry, "a")
        register(house, registry, "b")
        assert quorum(house, registry) == 0
        assert cosigners.round() == 1
        assert quorum(house, registry) == 1
    again = open_registry(house.home, house.organization)
    assert quorum(house, again) == 1  # it is kept
    again.store.close()


def test_receipts_are_under_the_cosigned_checkpoint_from_then_on(
    house: House, registry: Registry, tmp_path: Path
) -> None:
    register(house, registry, "c")
    register(house, registry, "d")

    def receipt() -> object:
        event = registry.history(NAME.replace("main", "c"))[0]
        return event["receipt"]

    before = receipt()

    def told() -> Logged:
        return check_receipt(receipt(), registry.did, house.log, [ONE.key], 1)

    assert refusal(told) == "log-witness"
    with witness(house, tmp_path) as one, Cosigners(registry, [one]) as cosigners:
        cosigners.round()
    assert told().size == 3
    check_receipt(before, registry.did, house.log)  # what was given out stays true
    after = receipt()
    register(house, registry, "e")
    assert receipt() == after  # and the same one is given again


def test_one_witness_that_is_gone_costs_one_cosignature(
    house: House, registry: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = settings.Witness("http://127.0.0.1:9", TWO.key.vkey)
    with witness(house, tmp_path) as one, Cosigners(registry, [gone, one]) as cosigners:
        with caplog.at_level(logging.WARNING):
            assert cosigners.round() == 1
        assert "two.example/w did not cosign" in caplog.text
        assert quorum(house, registry) == 1
        caplog.clear()
        assert cosigners.round() == 0  # it is left alone for a while
        assert caplog.text == ""


def test_two_witnesses_cosign_one_checkpoint(
    house: House, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "two").mkdir()
    with (
        witness(house, tmp_path) as one,
        witness(house, tmp_path / "two", TWO) as two,
        Cosigners(registry, [one]) as first,
        Cosigners(registry, [one, two]) as both,
    ):
        assert first.round() == 1
        assert both.round() == 1  # only who has not yet
        assert quorum(house, registry) == 2


def test_a_registry_that_forgot_asks_from_the_size_the_witness_has(
    house: House, registry: Registry, tmp_path: Path
) -> None:
    with witness(house, tmp_path) as one:
        with Cosigners(registry, [one]) as cosigners:
            cosigners.round()
        register(house, registry, "f")
        with Cosigners(registry, [one]) as another:
            assert another.round() == 1


def test_a_witness_that_has_seen_more_is_an_alarm(
    house: House, registry: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    seen = {"version": 1, "logs": {house.log.name: {"size": 9, "root": root}}}
    (tmp_path / "seen.json").write_text(json.dumps(seen))
    with (
        witness(house, tmp_path) as one,
        Cosigners(registry, [one]) as cosigners,
        caplog.at_level(logging.WARNING),
    ):
        assert cosigners.round() == 0
    assert "log-rollback" in caplog.text
    assert quorum(house, registry) == 0


ANSWERS = {
    "nothing": (200, b"", "text/plain"),
    "text": (200, b"yes\n", "text/plain"),
    "another's line": (200, b"\xe2\x80\x94 a.example/w " + b"A" * 104 + b"\n", "text/plain"),
    "a forged line": (200, None, "text/plain"),
    "an error": (500, b"no", "text/plain"),
    "a redirect": (302, b"", "text/plain"),
    "no size": (409, b"x\n", "text/x.tlog.size"),
    "a huge size": (409, b"9" * 30 + b"\n", "text/x.tlog.size"),
    "a size for ever": (409, b"0\n", "text/x.tlog.size"),
    "too much": (200, b"x" * 100_000, "text/plain"),
    "not UTF-8": (200, b"\xff\n", "text/plain"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_a_witness_that_answers_badly_adds_nothing(
    house: House, registry: Registry, what: str
) -> None:
    status, body, media = ANSWERS[what]
    if body is None:  # its own key, over something else
        body = ONE.sign("other\n", 5).line.encode()
    asked: list[str] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        asked.append(f"{scope['method']} {scope['path']}")
        headers = [(b"content-type", media.encode()), (b"location", b"/add-checkpoint")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    with listening(app) as port:
        one = settings.Witness(f"http://127.0.0.1:{port}", ONE.key.vkey)
        with Cosigners(registry, [one]) as cosigners:
            assert cosigners.round() == 0
    assert asked in (["POST /add-checkpoint"], ["POST /add-checkpoint"] * 2)
    assert quorum(house, registry) == 0


def test_cosignatures_of_a_checkpoint_never_signed_are_not_kept(
    house: House, registry: Registry
) -> None:
    from delegant.ans.log.checkpoint import Checkpoint, add_signatures, cosign, sign_checkpoint

    forged = Checkpoint(house.log.name, 1, bytes(32))
    log = NoteSigner(house.log.name, house.organization.key("log"))
    note = add_signatures(sign_checkpoint(forged, log), [cosign(forged, ONE, 5)])
    assert refusal(lambda: registry.cosigned(note)) == "log-note"
    own = open_checkpoint(registry.log.checkpoint(), house.log)
    good = add_signatures(registry.log.checkpoint(), [cosign(own, ONE, 5)])
    assert refusal(lambda: registry.cosigned(good)) == ""
    assert quorum(house, registry) == 1

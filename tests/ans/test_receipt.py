"""A receipt is believed through the log's key and its witnesses, and for nothing else."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from ans.naming import NAME, Naming
from delegant.ans.log.checkpoint import (
    Checkpoint,
    add_signatures,
    cosign,
    parse_checkpoint,
    sign_checkpoint,
)
from delegant.ans.log.note import COSIGNATURE, NoteSigner
from delegant.ans.receipt import check_receipt
from delegant.credentials import PrivateKey
from delegant.credentials.codec import JsonObject
from refusal import refusal


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    """The log has five entries."""
    out = Naming(tmp_path / "registry.db")
    for version in (2, 3):
        out.register(name=NAME.replace("v1.0", f"v{version}"))
    return out


@pytest.fixture
def receipt(naming: Naming) -> JsonObject:
    """The receipt of the fourth entry, which has a proof of two hashes."""
    return naming.register()


def told(naming: Naming, value: Any) -> str:
    return refusal(lambda: check_receipt(value, naming.did, naming.log))


def test_an_honest_receipt_is_believed(naming: Naming, receipt: JsonObject) -> None:
    found = naming.logged(receipt)
    assert (found.index, found.size) == (3, 4)
    assert found.leaf.json == receipt["leaf"]
    assert told(naming, {k: v for k, v in receipt.items() if k != "opening"}) == ""


FORGED: dict[str, tuple[Any, set[str]]] = {
    "another index": (lambda r: r | {"index": 2}, {"log-proof"}),
    "an index beyond": (lambda r: r | {"index": 4}, {"log-proof"}),
    "a huge index": (lambda r: r | {"index": 2**60}, {"log-proof", "shape"}),
    "a negative index": (lambda r: r | {"index": -1}, {"shape"}),
    "no proof": (lambda r: r | {"proof": []}, {"log-proof"}),
    "half a proof": (lambda r: r | {"proof": r["proof"][:1]}, {"log-proof"}),
    "more proof": (lambda r: r | {"proof": [*r["proof"], r["proof"][0]]}, {"log-proof"}),
    "a turned proof": (lambda r: r | {"proof": r["proof"][::-1]}, {"log-proof"}),
    "an endless proof": (lambda r: r | {"proof": r["proof"] * 40}, {"shape"}),
    "a proof that is text": (lambda r: r | {"proof": r["proof"][0]}, {"shape"}),
    "a hash that is short": (lambda r: r | {"proof": ["AAAA", r["proof"][1]]}, {"shape"}),
    "a hash that is no base64": (lambda r: r | {"proof": ["!", r["proof"][1]]}, {"shape"}),
    "a hash that is no text": (lambda r: r | {"proof": [1, r["proof"][1]]}, {"shape"}),
    "another leaf": (lambda r: r | {"leaf": r["leaf"] | {"time": "2030-01-01T00:00:00Z"}},
                     {"log-proof"}),
    "a malformed leaf": (lambda r: r | {"leaf": r["leaf"] | {"by": "sponsor"}}, {"log-entry"}),
    "no leaf": (lambda r: r | {"leaf": None}, {"log-entry"}),
    "no note": (lambda r: r | {"checkpoint": ""}, {"log-note"}),
    "an unsigned note": (lambda r: r | {"checkpoint": r["checkpoint"].split("\n\n")[0] + "\n\n"},
                         {"log-note"}),
    "a note that is no text": (lambda r: r | {"checkpoint": 1}, {"shape"}),
    "an endless note": (lambda r: r | {"checkpoint": r["checkpoint"] + "x" * 20_000}, {"shape"}),
    "an altered note": (lambda r: r | {"checkpoint": r["checkpoint"].replace("\n4\n", "\n5\n")},
                        {"log-note"}),
    "another version": (lambda r: r | {"version": 2}, {"unknown-version"}),
    "a member nobody knows": (lambda r: r | {"proof2": []}, {"unknown-member"}),
    "a member too few": (lambda r: {k: v for k, v in r.items() if k != "index"}, {"shape"}),
    "an opening of another": (lambda r: r | {"opening": r["opening"] | {"sponsor": "did:key:z"}},
                              {"ans-signature"}),
    "half an opening": (lambda r: r | {"opening": {"salt": r["opening"]["salt"]}},
                        {"ans-signature"}),
    "an opening without salt": (lambda r: r | {"opening": {"sponsor": "x"}}, {"shape"}),
    "an opening with a bad salt": (lambda r: r | {"opening": r["opening"] | {"salt": 1}},
                                   {"ans-signature"}),
    "nothing at all": (lambda _r: None, {"shape"}),
}  # fmt: skip


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_receipt_is_refused(naming: Naming, receipt: JsonObject, case: str) -> None:
    forge, codes = FORGED[case]
    assert told(naming, forge(copy.deepcopy(receipt))) in codes
    assert told(naming, receipt) == ""


def test_only_the_log_s_own_key_signs(naming: Naming, receipt: JsonObject) -> None:
    found = naming.logged(receipt)
    cp = Checkpoint(naming.log.name, found.size, found.root)
    for signer in (
        NoteSigner(naming.log.name, PrivateKey.generate()),
        NoteSigner("rival.example/ans", naming.world._key("log")),
        NoteSigner(naming.log.name, naming.keeper.key),  # the key of answers is no log key
    ):
        note = sign_checkpoint(Checkpoint(signer.key.name, cp.size, cp.root), signer)
        assert told(naming, receipt | {"checkpoint": note}) == "log-note"
    assert sign_checkpoint(cp, naming.logger) == receipt["checkpoint"]
    other = naming.world.db.did
    assert refusal(lambda: check_receipt(receipt, other, naming.log)) == "ans-signature"


def test_witnesses_are_asked_for_and_counted(naming: Naming, receipt: JsonObject) -> None:
    signers = [
        NoteSigner(f"w{n}.example/w", PrivateKey(bytes([n]) * 32), COSIGNATURE) for n in (1, 2)
    ]
    keys = [one.key for one in signers]

    def asked(value: JsonObject, quorum: int) -> str:
        return refusal(lambda: check_receipt(value, naming.did, naming.log, keys, quorum))

    assert asked(receipt, 0) == ""
    assert asked(receipt, 1) == "log-witness"
    cp = parse_checkpoint(receipt["checkpoint"])[0]
    one = add_signatures(receipt["checkpoint"], [cosign(cp, signers[0], naming.now)])
    assert asked(receipt | {"checkpoint": one}, 1) == ""
    assert asked(receipt | {"checkpoint": one}, 2) == "log-witness"
    twice = add_signatures(one, [cosign(cp, signers[1], naming.now)])
    assert asked(receipt | {"checkpoint": twice}, 2) == ""


def test_a_provider_s_receipt_has_nobody_to_open(naming: Naming, receipt: JsonObject) -> None:
    bound = naming.registry.bind_provider("AcmeLabs", naming.world.org.did, naming.now)
    assert told(naming, bound) == ""
    assert told(naming, bound | {"opening": receipt["opening"]}) == "ans-signature"

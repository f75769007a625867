"""`audit verify`: an honest bundle holds, and each kind of tampering names its first entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from delegant.ans.log.checkpoint import parse_checkpoint
from delegant.credentials import Error
from delegant.governance.checking import Verified
from delegant.governance.reading import AuditBundle
from delegant.governance.verifying import verify_bundle
from governance.audited import Audited, unpacked, write


def story() -> Audited:
    log = Audited()
    log.act(3)
    log.refusal()
    log.act(2)
    return log


def verified(path: Path, log: Audited, kept: Any = ()) -> Verified:
    with AuditBundle(path) as bundle:
        return verify_bundle(bundle, log.believed, [parse_checkpoint(one)[0] for one in kept])


def refused(path: Path, log: Audited, kept: Any = ()) -> tuple[str, str | None]:
    """The code, and where."""
    with pytest.raises(Error) as caught:
        verified(path, log, kept)
    return caught.value.code, caught.value.dimension


def test_an_honest_bundle_holds(tmp_path: Path) -> None:
    log = story()
    found = verified(write(tmp_path / "b.zip", log.members()), log)
    assert found.whole
    assert found.entries == 11
    assert found.types == {"intent": 5, "outcome": 5, "refusal": 1}
    assert found.unanswered == []
    assert found.missing == 0
    assert found.exhibits > 5
    assert found.json["withoutOutcome"] == []


def test_so_does_a_folder(tmp_path: Path) -> None:
    log = story()
    assert verified(unpacked(tmp_path / "b", log.members()), log).whole

"""The checker of histories finds each thing that must not be seen, in a true history altered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ans.naming import NAME, Naming
from delegant.ans.log.checkpoint import Checkpoint
from delegant.ans.name import AnsName
from faults.history import Op, check_history
from faults.reading import checkpoint, log_entries

KEY = AnsName.parse(NAME).key
OTHER = AnsName.parse(NAME.replace("v1.0", "v2.0")).key


@dataclass
class Seen:
    """A history in which all is well: a name registered, renewed, revoked, and read between."""

    ops: list[Op]
    entries: list[bytes]
    checkpoints: list[Checkpoint]
    final: dict[str, str]

    @property
    def wrong(self) -> list[str]:
        return check_history(self.ops, self.entries, self.checkpoints, self.final)

    def change(self, number: int, **more: Any) -> None:
        self.ops[number] = replace(self.ops[number], **more)


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    naming = Naming(tmp_path_factory.mktemp("seen") / "registry.db")
    shown = [checkpoint(naming)]
    receipts = [naming.register()]
    shown.append(checkpoint(naming))
    receipts.append(naming.send(naming.event("renew", receipt=receipts[0])))
    shown.append(checkpoint(naming))
    receipts.append(naming.send(naming.event("revoke", receipt=receipts[1])))
    shown.append(checkpoint(naming))
    digests = [one["leaf"]["event"] for one in receipts]
    ops = [Op("read", KEY, 0, 1, "ok", "")]
    for number, (event, receipt) in enumerate(zip(digests, receipts, strict=True)):
        start = 10 * number + 2
        ops.append(Op("write", KEY, start, start + 2, "ok", event, receipt["index"]))
        ops.append(Op("read", KEY, start + 3, start + 4, "ok", event))
    ops.append(Op("write", OTHER, 40, event="of a request that was never answered"))
    return Seen(ops, log_entries(naming), shown, {KEY: digests[-1], OTHER: ""})


@pytest.fixture
def seen(true: Seen) -> Seen:
    return Seen([*true.ops], [*true.entries], [*true.checkpoints], dict(true.final))


def test_a_true_history_has_nothing_wrong(seen: Seen) -> None:
    assert len(seen.entries) == 4
    assert seen.wrong == []
    seen.change(3, outcome="unknown", end=99.0)  # nobody heard of it, and it is there: also true
    assert seen.wrong == []
    seen.change(6, start=20.0, end=40.0)  # while it was revoked one may read either
    seen.change(6, event=seen.ops[3].event)
    assert seen.wrong == []


def _two_winners(seen: Seen) -> None:
    seen.entries.append(seen.entries[1])


def _lost(seen: Seen) -> None:
    del seen.entries[3]


def _elsewhere(seen: Seen) -> None:
    seen.change(1, index=2)


def _stale(seen: Seen) -> None:
    seen.change(4, event=seen.ops[1].event)


def _gone_again(seen: Seen) -> None:
    seen.change(4, event="")


def _revoked_and_back(seen: Seen) -> None:
    seen.change(6, event=seen.ops[3].event)


def _never_written(seen: Seen) -> None:
    seen.change(2, event="sha256:nobody-wrote-this")


def _from_the_future(seen: Seen) -> None:
    seen.change(0, event=seen.ops[1].event)


def _another_log(seen: Seen) -> None:
    seen.checkpoints.append(replace(seen.checkpoints[1], root=bytes(32)))


def _longer_than_the_log(seen: Seen) -> None:
    seen.checkpoints.append(replace(seen.checkpoints[1], size=9))


def _half(seen: Seen) -> None:
    seen.final[KEY] = ""


def _only_answered(seen: Seen) -> None:
    seen.final[OTHER] = "of a request that was never answered"


def _nobody_sent_it(seen: Seen) -> None:
    del seen.ops[3]


def _refused_and_done(seen: Seen) -> None:
    seen.change(3, outcome="refused")


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (_two_winners, "breaks its rules"), (_lost, "not there"), (_elsewhere, "not there"),
        (_stale, "was known"), (_gone_again, "was known"), (_revoked_and_back, "was known"),
        (_never_written, "nowhere in the log"), (_from_the_future, "before it was sent"),
        (_another_log, "another log"), (_longer_than_the_log, "another log"),
        (_half, "half there"), (_only_answered, "half there"), (_nobody_sent_it, "never sent"),
        (_refused_and_done, "refused, and logged"),
    ],
)  # fmt: skip
def test_what_must_not_be_seen_is_found(
    seen: Seen, alter: Callable[[Seen], None], told: str
) -> None:
    alter(seen)
    assert any(told in one for one in seen.wrong), seen.wrong

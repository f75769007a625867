"""What clients saw of one registry, held to what may be seen: Jepsen's idea for one log.

Clients write down every operation with the instants before it was sent and after it was answered.
`check_history` then looks for what a registry that keeps its promises cannot have shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from delegant.ans.leaf import NameLeaf, parse_leaf
from delegant.ans.log.checkpoint import Checkpoint
from delegant.ans.replay import Replay, Tree
from delegant.credentials.errors import Error

__all__ = ["Op", "check_history"]


@dataclass(frozen=True, slots=True)
class Op:
    """One operation of one client.

    Attributes:
        kind: ``write``, or ``read`` of a name's newest event.
        name: the name's key.
        start, end: seconds of one clock; ``end`` is infinite for what was never answered.
        outcome: ``ok``, ``refused`` (nothing may have happened) or ``unknown``.
        event: the digest that was sent, or that was read; empty: read as never registered.
        index: the place in the log that a receipt says.
    """

    kind: str
    name: str
    start: float
    end: float = inf
    outcome: str = "unknown"
    event: str = ""
    index: int = -1


def check_history(
    history: Iterable[Op],
    entries: Sequence[bytes],
    checkpoints: Iterable[Checkpoint] = (),
    final: Mapping[str, str] | None = None,
) -> list[str]:
    """What was seen and must not be; empty where every promise was kept.

    Args:
        entries: the log afterwards, from its first entry.
        checkpoints: any that were shown at any time.
        final: the newest event of names as read afterwards, empty for names that are not there.
    """
    wrong: list[str] = []
    order: dict[str, list[str]] = defaultdict(list)  # the events of a name, as logged
    tree, replay, place, roots = Tree(), Replay(), dict[str, int](), dict[int, bytes]()
    roots[0] = tree.root
    for number, data in enumerate(entries):
        tree.append(data)
        roots[tree.size] = tree.root
        try:
            replay.read(number, data)  # one winner of a name, no change after a revocation
        except Error as exc:
            wrong.append(f"the log breaks its rules: {exc.detail}")
            continue
        leaf = parse_leaf(data)
        if isinstance(leaf, NameLeaf):
            order[leaf.name.key].append(leaf.event)
            place[leaf.event] = number
    wrong += [
        f"a checkpoint of {one.size} entries is of another log"
        for one in checkpoints
        if roots.get(one.size) != one.root
    ]

    ops = sorted(history, key=lambda op: op.start)
    sent = {(op.name, op.event) for op in ops if op.kind == "write"}
    taken = {op.event for op in ops if op.kind == "write" and op.outcome != "refused"}
    for name, events in order.items():
        wrong += [f"{name}: logged, and never sent" for e in events if (name, e) not in sent]
        wrong += [f"{name}: refused, and logged" for e in events if e not in taken]
    by_name: dict[str, list[Op]] = defaultdict(list)
    for op in ops:
        by_name[op.name].append(op)
        if op.kind == "write" and op.outcome == "ok" and place.get(op.event) != op.index:
            wrong.append(f"{op.name}: acknowledged at {op.index}, and not there")
    for name, own in by_name.items():
        wrong += _read_in_order(own, order[name], name)
    for name, event in (final or {}).items():
        newest = order[name][-1] if order[name] else ""
        if event != newest:
            wrong.append(f"{name}: half there, the log says {newest!r} and the answer {event!r}")
    return wrong


def _read_in_order(ops: Sequence[Op], events: Sequence[str], name: str) -> list[str]:
    """Of one name: every read is of what was written, and never of less than was known before."""
    version = {event: number for number, event in enumerate(events, 1)} | {"": 0}
    done = sorted((op for op in ops if op.outcome == "ok"), key=lambda op: op.end)
    wrong = [
        f"{name}: {op.kind} of {op.event!r}, which is nowhere in the log"
        for op in done
        if op.event not in version
    ]
    for op in done:
        if op.kind != "read" or op.event not in version:
            continue
        known = [version.get(o.event, 0) for o in done if o.end <= op.start]
        if version[op.event] < max(known, default=0):
            wrong.append(f"{name}: version {max(known)} was known, and {version[op.event]} read")
        first = min(
            (o.start for o in ops if o.kind == "write" and o.event == op.event), default=inf
        )
        if op.event and op.end < first:
            wrong.append(f"{name}: read before it was sent")
    return wrong

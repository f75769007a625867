"""Answers against what was met before: a log that only grows, names that stay whose they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from delegant.ans.log.note import NoteSigner
from delegant.ans.signing import sign
from delegant.credentials.codec import JsonObject
from delegant.credentials.shape import format_time
from limbo.ansdraft import (
    MOVED,
    NAME,
    NOW,
    ORIGIN,
    SALT,
    Bend,
    Draft,
    Town,
    flipped,
)
from limbo.ansrows import answer, group
from world import T0

SPEC = "docs/ans.md: answers"


def met(size: int | None = None, **log: Any) -> Bend:
    """The asker has met the log at this size; ``log`` are other members of what it remembers."""

    def bend(d: Draft) -> None:
        d.met(size)
        assert d.memory is not None
        d.memory["log"].update({k: v(d) if callable(v) else v for k, v in log.items()})

    return bend


def grown(*pairs: tuple[int, int], size: int | None = None, **log: Any) -> Bend:
    """The same, and the registry proves that its log grew from one size to the other."""

    def bend(d: Draft) -> None:
        met(size, **log)(d)
        d.proofs = [d.town.consistency(old, new) for old, new in pairs]

    return bend


def ahead(checkpoint: Callable[[Town], str]) -> Bend:
    """The answer speaks of a log that is larger than the one that was met and than its receipt's.

    Only the log's own checkpoint says that it has come so far.
    """

    def bend(d: Draft) -> None:
        grown((7, 11), (9, 11), size=7)(d)
        d.agent["receipt"] = d.town.receipt(d.town.carrier(NAME), size=9)
        d.checkpoint = checkpoint(d.town)

    return bend


def forked(own: Town) -> str:
    """The log's key signs a tree that is not the one it had signed."""
    head = own.head()
    return own.note(replace(head, root=bytes(32)))


def other_root(d: Draft) -> str:
    assert d.memory is not None
    return flipped(d.memory["log"]["root"])


def smaller(d: Draft) -> None:
    """Everything the registry says is from a log of ten entries."""
    own = d.town
    own.entries.pop()
    d.answer = d.answered((NAME,))


def shrunk(bend: Bend) -> Bend:
    """What `bend` remembers is of the whole log, and the answer from a smaller one."""

    def bent_(d: Draft) -> None:
        bend(d)
        smaller(d)

    return bent_


LOG = group(
    "receipt::memory",
    answer("first", "Nothing was met before.", met(None)),
    answer("same", "The log is as it was.", met()),
    answer("grown", "The log has grown, and the registry proves it.", grown((7, 11), size=7)),
    answer("crossed", "A word from a moment before the one that was met.",
           shrunk(grown((10, 11), time=format_time(NOW - 10)))),
    answer("of-the-empty-log", "The log was empty when it was met.",
           lambda d: (met(1)(d), d.memory["log"].update(  # type: ignore[index]
               size=0, root="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="))),
    answer("shrunk", "The log had eleven entries, and now ten.", shrunk(grown((10, 11))),
           "log-rollback", twin="crossed", importance="critical"),
    answer("shrunk-unproven", "A smaller log, of the same moment, with no proof that it is one.",
           shrunk(met(time=format_time(NOW - 10))), "log-rollback", twin="crossed",
           importance="critical"),
    answer("shrunk-much", "Only the first half of the log is left.",
           shrunk(met(time=format_time(NOW - 3600))), "log-rollback", twin="crossed"),
    answer("another-root", "The same size, another root: a log made for somebody else.",
           met(root=other_root), "log-split", twin="same", importance="critical"),
    answer("grown-unproven", "The log has grown, and the registry proves nothing.", met(7),
           "log-split", twin="grown", importance="critical"),
    answer("grown-from-another", "The log that was met is not the beginning of this one.",
           grown((7, 11), size=7, root=other_root), "log-split", twin="grown",
           importance="critical"),
    answer("ahead", "The log has grown past the receipt, and its checkpoint says so.",
           ahead(lambda own: own.note())),
    answer("ahead-by-another-key", "The checkpoint is signed by whoever signs the answers.",
           ahead(lambda own: own.note(signer=NoteSigner(ORIGIN, own.keeper.key))), "log-note",
           twin="ahead", importance="critical"),
    answer("ahead-of-another", "The checkpoint is of a log made for somebody else.",
           ahead(forked), "log-split", twin="ahead", importance="critical"),
    answer("proof-truncated", "The proof lost a hash.",
           lambda d: (grown((7, 11), size=7)(d), d.proofs[0]["proof"].pop()), "log-split",
           twin="grown"),
    answer("proof-extended", "The proof has a hash more.",
           lambda d: (grown((7, 11), size=7)(d),
                      d.proofs[0]["proof"].append(d.proofs[0]["proof"][0])), "log-split",
           twin="grown"),
    answer("proof-of-others", "A true proof, between two other sizes.",
           lambda d: (grown((6, 11), size=7)(d), d.proofs[0].update(old=7)), "log-split",
           twin="grown"),
    answer("proof-reversed", "The hashes in the opposite order.",
           lambda d: (grown((7, 11), size=7)(d), d.proofs[0]["proof"].reverse()), "log-split",
           twin="grown"),
    answer("not-empty", "An empty log whose root is none.",
           lambda d: (met(1)(d), d.memory["log"].update(size=0)),  # type: ignore[index]
           "log-split", twin="of-the-empty-log"),
    spec="docs/ans.md: the client", twin="same", features=("memory",),
)  # fmt: skip


def pinned(who: str = "research", epoch: int = 0, seq: int = 0, *, history: bool = False) -> Bend:
    """The asker met the name in these hands."""

    def bend(d: Draft) -> None:
        d.met(None, pin={"agent": d.town.world.parties[who].did, "epoch": epoch, "seq": seq})
        if history:
            d.history = d.town.past(d.query["name"].replace("mcp://index.", "mcp://Index."))

    return bend


def forged_transfer(own: Town) -> JsonObject:
    """The transfer of MOVED as its registry might make it up: the old agent did not sign."""
    event = dict(own.names[MOVED][1].event)
    key, did = own.world._key("mallory"), own.bot.did
    unsigned_ = {name: value for name, value in event.items() if name != "proof"}
    forged = sign(unsigned_, key, did, T0)["proof"]
    return {**event, "proof": [forged, *event["proof"][1:]]}


def made_up(d: Draft) -> None:
    """The log and the history hold a transfer to which the old agent did not agree."""
    own = d.town
    event = forged_transfer(own)
    index = own.names[MOVED][1].index
    own.entries, rest = own.entries[:index], own.entries[index + 1 :]
    own.names[MOVED].pop()
    own.add(MOVED, event)
    own.entries += rest
    d.answer = d.answered((MOVED,))
    pinned()(d)
    d.history = own.past(MOVED)


def history(change: Callable[[list[JsonObject]], list[JsonObject]]) -> Bend:
    def bend(d: Draft) -> None:
        pinned(history=True)(d)
        d.history = change(d.town.past(MOVED))

    return bend


def opened(item: JsonObject) -> JsonObject:
    opening = {"salt": SALT, "sponsor": Draft(NAME).town.ana.did}
    return {**item, "receipt": {**item["receipt"], "opening": opening}}


NAMES = group(
    "receipt::pin",
    answer("same", "The name is still whose it was.", pinned()),
    answer("handed-over", "The name was transferred, and its history proves it.",
           pinned(history=True), None, MOVED),
    answer("met-after", "The name was met after its transfer.",
           pinned("retrieval", 1, 1), None, MOVED),
    answer("rebound", "Another agent, and no transfer.", pinned("retrieval"), "ans-rebound",
           twin="same", importance="critical"),
    answer("handed-over-unproven", "A transfer, and no history.", pinned(), "ans-rebound", MOVED,
           importance="critical"),
    answer("handed-over-without-consent", "The old agent did not sign the transfer.", made_up,
           "ans-rebound", MOVED, importance="critical"),
    answer("history-cut", "The history ends before the transfer.", history(lambda h: h[:1]),
           "ans-rebound", MOVED),
    answer("history-headless", "The history begins with the transfer.", history(lambda h: h[1:]),
           "ans-rebound", MOVED),
    answer("history-reversed", "The newest event first.", history(lambda h: h[::-1]),
           "ans-rebound", MOVED),
    answer("history-of-another", "The history of another name.",
           history(lambda _: Draft(NAME).town.past(NAME)),
           "ans-rebound", MOVED, importance="critical"),
    answer("history-empty", "A history of nothing.", history(lambda _: []), "ans-rebound", MOVED),
    answer("history-opened", "A history that tells what is the submitter's alone.",
           history(lambda h: [opened(h[0]), *h[1:]]), "ans-rebound", MOVED),
    answer("history-altered", "The transfer in it is to somebody else.",
           history(lambda h: [h[0], {**h[1], "event": {**h[1]["event"], "reason": "sold"}}]),
           "ans-rebound", MOVED),
    answer("never-theirs", "Who was met never had the name.", pinned("ana", history=True),
           "ans-rebound", MOVED, importance="critical"),
    answer("older-event", "An answer from before the event that was met.", pinned(seq=3),
           "ans-stale", twin="same", importance="critical"),
    answer("older-epoch", "An answer from before the transfer that was met.",
           pinned("retrieval", 1, 1), "ans-stale", twin="same", importance="critical"),
    spec="docs/ans.md: the client", twin="handed-over", features=("memory",),
)  # fmt: skip

CASES = [*LOG, *NAMES]

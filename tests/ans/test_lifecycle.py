"""The table of a name's life, and what random walks over it keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delegant.ans.lifecycle import BY, EVENTS, NEXT, RANKS, STATES, Move, Standing, step
from delegant.credentials import Error
from refusal import refusal

A, B = "did:key:a", "did:key:b"
BEFORE = {
    None: (None, False),
    "active": (Standing(A, 0, 3, "d3"), False),
    "suspended": (Standing(A, 0, 3, "d3", suspended=0), False),
    "expired": (Standing(A, 0, 3, "d3"), True),
    "revoked": (Standing(A, 0, 3, "d3", revoked=True), False),
}
REFUSED = {  # where the table has no entry
    None: "ans-not-found",
    "active": "ans-transition",
    "suspended": "ans-transition",
    "expired": "ans-gone",
    "revoked": "ans-gone",
}


def move(kind: str, before: Standing | None, **changes: object) -> Move:
    by = "sponsor" if kind == "suspend" else "agent"
    own = {"type": kind, "agent": A, "by": by, "seq": 0, "event": "new", "previous": None}
    if before is not None:
        own |= {"seq": before.seq + 1, "previous": before.last}
    if kind == "transfer":
        own |= {"agent": B, "origin": A}
    return Move(**(own | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", BEFORE)
@pytest.mark.parametrize("kind", EVENTS)
def test_every_cell_of_the_table(state: str | None, kind: str) -> None:
    before, expired = BEFORE[state]
    told = refusal(lambda: step(before, move(kind, before), expired=expired))
    if (state, kind) in NEXT:
        assert told == ""
        after = step(before, move(kind, before), expired=expired)
        assert after.state(expired=False) == NEXT[state, kind]
        assert (after.seq, after.last) == (0 if before is None else before.seq + 1, "new")
        assert after.epoch == (1 if kind == "transfer" else 0)
        assert after.agent == (B if kind == "transfer" else A)
    elif kind == "register" and state != "revoked":
        assert told == "name-taken"
    else:
        assert told == REFUSED[state]


@pytest.mark.parametrize("state", ["active", "suspended", "expired"])
def test_another_agent_gets_nothing(state: str) -> None:
    before, expired = BEFORE[state]
    for kind in EVENTS:
        changes = {"origin": B, "agent": "did:key:c"} if kind == "transfer" else {"agent": B}
        told = refusal(
            lambda k=kind, c=changes: step(before, move(k, before, **c), expired=expired)
        )
        assert told == ("ans-gone" if state == "expired" else "name-taken")


@pytest.mark.parametrize(
    "changes", [{"previous": "d2"}, {"previous": None}, {"seq": 5}, {"seq": 3}]
)
def test_what_does_not_follow_on_the_newest_event_is_stale(changes: dict[str, object]) -> None:
    before = BEFORE["active"][0]
    wrong = refusal(lambda: step(before, move("renew", before, **changes), expired=False))
    assert wrong == "stale-version"
    assert refusal(lambda: step(before, move("renew", before), expired=False)) == ""


@pytest.mark.parametrize("held", RANKS)
@pytest.mark.parametrize("by", RANKS)
def test_resuming_needs_the_rank_that_suspended_and_suspending_again_a_higher(
    held: str, by: str
) -> None:
    before = Standing(A, 0, 1, "d1", suspended=RANKS.index(held))
    resumed = refusal(lambda: step(before, move("resume", before, by=by), expired=False))
    assert resumed == ("" if RANKS.index(by) >= RANKS.index(held) else "ans-suspended")
    again = refusal(lambda: step(before, move("suspend", before, by=by), expired=False))
    assert again == ("" if RANKS.index(by) > RANKS.index(held) else "ans-transition")


def test_only_who_may_sign_an_event_signs_it() -> None:
    for kind in EVENTS:
        state = next(s for s, k in NEXT if k == kind)
        before, expired = BEFORE[state]
        for by in RANKS:
            told = refusal(
                lambda k=kind, b=before, y=by, e=expired: step(b, move(k, b, by=y), expired=e)
            )
            assert (told == "ans-transition") == (by not in BY[kind])


def test_renewing_a_suspended_name_that_expired_leaves_it_suspended() -> None:
    before = Standing(A, 0, 1, "d1", suspended=2)
    assert refusal(lambda: step(before, move("renew", before), expired=False)) == "ans-transition"
    after = step(before, move("renew", before), expired=True)
    assert after.state(expired=False) == "suspended"


def test_whoever_cannot_know_of_expiry_allows_what_either_would() -> None:
    before = Standing(A, 0, 1, "d1", suspended=1)
    assert refusal(lambda: step(before, move("renew", before), expired=None)) == ""
    assert refusal(lambda: step(before, move("resume", before, by="sponsor"), expired=None)) == ""
    assert refusal(lambda: step(before, move("update", before), expired=None)) == "ans-transition"


MOVES = st.tuples(
    st.sampled_from(EVENTS), st.sampled_from(RANKS), st.sampled_from([A, B]), st.booleans(),
    st.sampled_from([0, 0, 0, 1]),
)  # fmt: skip


@given(st.lists(MOVES, max_size=40))
def test_random_walks_keep_the_laws(walk: list[tuple[str, str, str, bool, int]]) -> None:
    name: Standing | None = None
    taken: list[Move] = []
    for number, (kind, by, agent, expired, off) in enumerate(walk):
        follows = name is not None and kind != "register"
        made = Move(
            kind,
            (B if agent == A else A) if kind == "transfer" else agent,
            by,
            (name.seq + 1 + off) if follows and name else off,
            f"e{number}",
            name.last if follows and name else None,
            agent if kind == "transfer" else None,
        )
        before = name
        try:
            name = step(before, made, expired=expired)
        except Error:
            assert name is before  # a refusal changes nothing
            continue
        taken.append(made)
        state = before.state(expired) if before else None
        assert (state, kind) in NEXT
        assert name.state(expired=False) in STATES
        assert name.seq == len(taken) - 1
        assert made.previous == (taken[-2].event if len(taken) > 1 else None)
        assert name.epoch == sum(one.type == "transfer" for one in taken)
        if before is not None:
            assert not before.revoked  # once revoked, nothing ever again
            assert (name.agent != before.agent) == (kind == "transfer")

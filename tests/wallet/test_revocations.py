"""The revocation feed on disk: it grows, is signed again, and is never silently begun anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from delegant.credentials import (
    Error,
    Evidence,
    PrivateKey,
    StatusEntry,
    decide,
    did,
    issue_revocation_feed,
)
from delegant.wallet import (
    Home,
    Wallet,
    create_agent,
    delegate,
    files,
    gather,
    load_trust,
    refresh,
    revocations,
    save_seen,
    statuslists,
)
from refusal import refusal

from .conftest import ASKED, READ, T0, presented

THIEF = "did:web:thief.example"
DAY = 86_400


@pytest.fixture
def bot(home: Home, ana: Wallet) -> Wallet:
    create_agent(home, ana, "bot", now=T0, tools=["db.read"])
    delegate(home, ana, "bot", READ, now=T0)
    return home.open_wallet("agent", "bot")


def verdict(home: Home, bot: Wallet, now: int, evidence: Evidence | None = None) -> str:
    made = presented(home, bot, now)
    trust = load_trust(home.path / "trust")
    said = decide(made.presentation, evidence or made.evidence, trust, ASKED, at=now)
    if said.authorization is not None:
        save_seen(home.path / "trust", said.authorization.seen)
    return said.code or said.state


def test_home_begins_with_an_empty_feed_that_is_stapled(home: Home, bot: Wallet) -> None:
    feed = revocations.load(home, home.open_wallet("organization"))
    assert feed is not None
    assert (feed.seq, feed.entries, feed.valid_from) == (1, (), T0)
    assert feed.url == "http://127.0.0.1:8080/v1/revocations"
    assert gather(home, [bot.did]).json["feeds"] == [revocations.raw(home)]
    assert "feeds" not in gather(home, [THIEF]).json
    assert verdict(home, bot, T0) == "accepted"
    seen = load_trust(home.path / "trust").seen
    assert seen.feeds == {home.settings.authority: 1}


def test_feed_once_met_is_asked_for_and_an_older_one_is_refused(
    home: Home, organization: Wallet, bot: Wallet
) -> None:
    first = gather(home, [bot.did])
    without = Evidence.from_json({k: v for k, v in first.json.items() if k != "feeds"})
    assert verdict(home, bot, T0, without) == "accepted"
    revocations.revoke(home, organization, "did", THIEF, now=T0)
    assert verdict(home, bot, T0) == "accepted"
    assert verdict(home, bot, T0, without) == "status-missing"
    assert verdict(home, bot, T0, first) == "status-rollback"


def test_numbers_rise_with_the_entries_and_not_with_signatures(
    home: Home, organization: Wallet
) -> None:
    def state() -> tuple[int, int, list[str]]:
        feed = revocations.load(home, organization)
        assert feed is not None
        return feed.seq, feed.valid_from - T0, [one.id for one in feed.entries]

    revocations.revoke(home, organization, "did", THIEF, now=T0 + 1, reason="theft")
    assert state() == (2, 1, [THIEF])
    revocations.revoke(home, organization, "did", THIEF, now=T0 + 2)
    assert state() == (2, 2, [THIEF])
    revocations.revoke(home, organization, "sponsor", THIEF, now=T0 + 3, by=THIEF)
    assert state() == (3, 3, [THIEF, THIEF])
    assert "revocations" not in refresh(home, organization, T0 + 62)
    assert "revocations" in refresh(home, organization, T0 + 63)
    assert state() == (3, 63, [THIEF, THIEF])
    feed = revocations.load(home, organization)
    assert feed is not None
    first, second = feed.entries
    assert (first.reason, first.by, first.at) == ("theft", home.settings.organization, T0 + 1)
    assert (second.by, second.at) == (THIEF, T0 + 3)


def test_links_that_have_expired_leave_and_nothing_else_does(
    home: Home, organization: Wallet
) -> None:
    one, two = ("urn:uuid:00000000-0000-4000-8000-00000000000" + n for n in "12")
    revocations.revoke(home, organization, "link", one, now=T0)
    revocations.revoke(home, organization, "did", THIEF, now=T0)
    late = T0 + 30 * DAY
    kept, _ = revocations.revoke(home, organization, "link", two, now=late - 1)
    assert [entry.id for entry in kept.entries] == [one, THIEF, two]
    later, _ = revocations.revoke(home, organization, "sponsor", THIEF, now=late)
    assert [entry.id for entry in later.entries] == [THIEF, two, THIEF]


def test_full_feed_takes_no_more_and_says_so(
    home: Home, organization: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "MAX_ENTRIES", 1)
    revocations.revoke(home, organization, "did", THIEF, now=T0)
    again = refusal(lambda: revocations.revoke(home, organization, "did", THIEF, now=T0))
    more = refusal(lambda: revocations.revoke(home, organization, "sponsor", THIEF, now=T0))
    assert (again, more) == ("", "limit-items")


def entry_of(home: Home) -> Any:
    link = next(iter(home.links()))
    assert link.status is not None
    return link.id, link.status


def test_list_and_feed_both_say_so(home: Home, organization: Wallet, bot: Wallet) -> None:
    name, entry = entry_of(home)
    feed, listed = revocations.revoke(home, organization, "link", name, now=T0 + 1, entry=entry)
    assert name in feed.names("link")
    assert listed is not None
    assert listed.pair(entry.index, 1 << 24) == 2
    assert verdict(home, bot, T0 + 1) == "revoked"


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_write_that_fails_is_told_and_the_same_again_does_the_rest(
    home: Home, organization: Wallet, bot: Wallet, broken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, entry = entry_of(home)
    assert verdict(home, bot, T0) == "accepted"
    real, count = files.write, 0

    def failing(path: Path, data: bytes, **more: Any) -> None:
        nonlocal count
        count += 1
        if count == broken:
            raise OSError(28, "No space left on device", str(path))
        real(path, data, **more)

    def revoke() -> None:
        revocations.revoke(home, organization, "link", name, now=T0 + 1, entry=entry)

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", failing)
        with pytest.raises(OSError, match="No space"):
            revoke()
    assert verdict(home, bot, T0 + 1) == ("accepted" if broken == 1 else "revoked")
    revoke()
    listed = statuslists.load(home, 1)
    assert listed.pair(entry.index, 1 << 24) == 2
    assert verdict(home, bot, T0 + 1) == "revoked"


def test_bits_of_others_and_nonsense_are_refused_before_anything_is_written(
    home: Home, organization: Wallet
) -> None:
    before = revocations.raw(home)
    foreign = StatusEntry("https://other.example/status/1", 0)
    for code, kind, name, more in (
        ("not-found", "link", "urn:uuid:00000000-0000-4000-8000-000000000001", {"entry": foreign}),
        ("shape", "link", THIEF, {}), ("shape", "all", THIEF, {}),
        ("shape", "did", THIEF, {"reason": "x" * 257}), ("shape", "did", THIEF, {"by": "ana"}),
    ):  # fmt: skip
        given: Any = more
        call = lambda kind=kind, name=name, given=given: revocations.revoke(  # noqa: E731
            home, organization, kind, name, now=T0, **given
        )
        assert refusal(call) == code
    assert revocations.raw(home) == before


def test_damaged_or_foreign_feed_is_neither_used_nor_signed_again(
    home: Home, organization: Wallet
) -> None:
    path = home.path / "status" / "revocations.jwt"
    good = path.read_text()
    key = PrivateKey(b"\x09" * 32)
    foreign = issue_revocation_feed(
        key, url=home.settings.feed_url, authority=did.from_key(key.public), seq=9, entries=[],
        valid_from=T0, valid_until=T0 + 60,
    )  # fmt: skip
    for text in (good[:-9] + "AAAAAAAA\n", good[:40], "", str(foreign.secured.raw)):
        path.write_text(text)
        for call in (
            lambda: refresh(home, organization, T0 + 600),
            lambda: revocations.revoke(home, organization, "did", THIEF, now=T0),
        ):
            with pytest.raises(Error):
                call()
        assert path.read_text() == text


def test_lost_feed_begins_at_one_and_whoever_met_a_later_one_refuses_it(
    home: Home, organization: Wallet, bot: Wallet
) -> None:
    revocations.revoke(home, organization, "did", THIEF, now=T0)
    assert verdict(home, bot, T0) == "accepted"
    (home.path / "status" / "revocations.jwt").unlink()
    assert "feeds" not in gather(home, [bot.did]).json
    assert verdict(home, bot, T0) == "status-missing"
    assert "revocations" in refresh(home, organization, T0)
    assert verdict(home, bot, T0) == "status-rollback"

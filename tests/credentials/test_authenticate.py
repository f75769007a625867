"""Who holds a chain, without any act: phases 1 to 10, over a nonce that was asked for."""

from __future__ import annotations

import pytest

from delegant.credentials import Request, VerifiedChain, authenticate
from refusal import refusal
from world import World

ASKED = Request("auth.login", "urn:acme:login")
NONCE = "a-nonce-that-was-asked-for"


@pytest.mark.parametrize(
    ("signed", "nonce", "whose", "code"),
    [
        (ASKED, NONCE, "research", None),
        (Request("auth.login", "urn:acme:elsewhere"), NONCE, "research", "request-mismatch"),
        (ASKED, "another-nonce-than-was-asked", "research", "nonce"),
        (ASKED, None, "research", "nonce"),
        (ASKED, NONCE, "stranger", "holder-mismatch"),
    ],
)
def test_the_holder_answers_and_nobody_else(
    signed: Request, nonce: str | None, whose: str, code: str | None
) -> None:
    world = World()
    ana = world.human("ana")
    bot = world.agent("research", ana)
    world.agent("stranger", ana)
    link = world.delegate(ana, bot, ["db.read urn:acme:papers:**"])
    key = bot.key if whose == "research" else None
    shown = world.present([link], signed, nonce=nonce, key=key)
    if whose == "stranger":
        other = world.delegate(ana, world.parties["stranger"], ["db.read urn:acme:papers:**"])
        shown = type(shown)(shown.links, world.present([other], signed, nonce=nonce).invocation)

    def ask() -> VerifiedChain:
        return authenticate(
            shown, world.evidence(), world.trust(), ASKED, at=world.now, nonce=NONCE
        )

    if code is None:
        assert ask().actor == bot.did  # though no grant covers the request: nothing is done
    else:
        assert refusal(ask) == code

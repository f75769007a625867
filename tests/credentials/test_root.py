"""Who may stand at the root, which keys may sign, and what is remembered of it."""

from __future__ import annotations

import pytest

from delegant.credentials import (
    Error,
    Lease,
    Link,
    PrivateKey,
    PublicKey,
    Request,
    Seen,
    Undecided,
    canonical,
    did,
    verify,
)
from delegant.credentials.codec import b64u_encode
from world import LIST, PAPERS, Party, World

READ = [f"db.read {PAPERS}"]
ASKED = Request("db.read", "urn:acme:papers:1")


def said(world: World, links: list[Link], seen: Seen | None = None) -> str:
    """``accepted``, or the code of the refusal with the link at fault."""
    trust = world.trust() if seen is None else world.trust().with_seen(seen)
    try:
        verify(world.present(links, ASKED), world.evidence(), trust, ASKED, at=world.now)
    except Error as exc:
        return exc.code if exc.link is None else f"{exc.code} {exc.link}"
    return "accepted"


# --- an organisation is not a human ----------------------------------------------------------


def attested(world: World, party: Party) -> list[Link]:
    """The organisation calls somebody a human, who then delegates to an agent."""
    party.lease = Lease(LIST, 4000, 512)
    world.attest(party)
    return [world.delegate(party, world.agent("bot", party), READ)]


def test_organisation_cannot_attest_itself() -> None:
    twin, world = World(), World()
    assert said(twin, attested(twin, twin._party("ana"))) == "accepted"
    assert said(world, attested(world, world.org)) == "no-human-root"


def test_organisation_cannot_attest_another_organisation() -> None:
    world, other = World(), World(label="partner")
    anchors = [world.trust_json["anchors"][0], other.trust_json["anchors"][0]]
    links = attested(world, world.parties.setdefault("partner", other.org))
    shown = world.present(links, ASKED)
    yes = verify(shown, world.evidence(), world.trust(), ASKED, at=world.now)
    assert yes.sponsor == other.org.did  # a verifier that does not know the partner cannot tell
    with pytest.raises(Error) as refused:
        verify(shown, world.evidence(), world.trust(anchors=anchors), ASKED, at=world.now)
    assert refused.value.code == "no-human-root"


# --- a key says what it is for ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("use", "code"), [("sig", "accepted"), ("enc", "suite"), ("", "suite"), (None, "suite")]
)
def test_key_that_is_not_for_signing_signs_nothing(use: str | None, code: str) -> None:
    key = PrivateKey(b"\x61" * 32).public
    jwk = key.jwk | {"use": use}
    name = did.check(f"did:jwk:{b64u_encode(canonical(jwk))}")
    if code == "accepted":
        assert did.key_of(name) == PublicKey.from_jwk(jwk) == key
        return
    with pytest.raises(Undecided, match="not for signing") as refused:
        did.key_of(name)
    assert refused.value.code == code


# --- rollback of any human on the path -------------------------------------------------------


def test_older_credential_of_any_human_on_the_path_is_noticed() -> None:
    """Ben only answers for an agent of the chain; his newest revision is remembered too."""
    world = World()
    ana, ben = world.human("ana"), world.human("ben")
    bot = world.agent("bot", ben)
    older = ben.credential
    world.attest(ben, revision=2)
    links = [world.delegate(ana, bot, READ)]
    yes = verify(world.present(links, ASKED), world.evidence(), world.trust(), ASKED, at=world.now)
    assert yes.seen.revision == {ana.did: 1, ben.did: 2}
    assert said(world, links, yes.seen) == "accepted"
    ben.credential = older
    assert said(world, links) == "accepted"  # nobody remembers better
    assert said(world, links, yes.seen) == "sponsor-rollback 0"

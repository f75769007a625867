"""Who may have a name: the happy path, and every refusal beside its accepted twin."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ans.naming import NAME, URL, Naming, later
from delegant.ans import verify_answer
from delegant.ans.leaf import NameLeaf
from delegant.ans.signing import digest_of, sign
from delegant.credentials import (
    Conflict,
    Error,
    Evidence,
    Gone,
    NotFound,
    PrivateKey,
    Rejected,
    Undecided,
    did,
    digest,
)
from delegant.credentials.codec import JsonObject, canonical, parse_object
from delegant.credentials.invocation import Invocation
from world import Party


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    return Naming(tmp_path / "registry.db")


def refused(naming: Naming, code: str, http: int, body: bytes, token: str | None) -> Error:
    with pytest.raises(Error) as caught:
        naming.registry.submit(body, token, naming.now)
    assert (caught.value.code, caught.value.http_status) == (code, http)
    return caught.value


def accepted(naming: Naming, body: bytes, token: str) -> JsonObject:
    return naming.registry.submit(body, token, naming.now)


def test_a_registered_name_resolves_to_its_agent_and_sponsor(naming: Naming) -> None:
    receipt = naming.register()
    leaf = naming.logged(receipt).leaf
    assert isinstance(leaf, NameLeaf)
    assert (leaf.type, leaf.seq, leaf.agent) == ("register", 0, naming.bot.did)

    status, answer = naming.registry.resolve(NAME, naming.now)
    found = naming.believed(answer, NAME)
    assert status == 200
    assert (found.did, found.endpoints) == (naming.bot.did, {"mcp": URL})
    assert (found.sponsor, found.organization) == (naming.ana.did, naming.world.org.did)


def test_another_case_of_the_name_is_the_same_name(naming: Naming) -> None:
    naming.register()
    other = NAME.replace("PaperQuery", "PAPERQUERY")
    answer = naming.registry.resolve(other, naming.now)[1]
    assert naming.believed(answer, other).name == NAME
    with pytest.raises(Conflict, match="name-taken"):
        naming.register(name=other)


def test_the_names_of_an_agent_are_answered_one_by_one(naming: Naming) -> None:
    second = NAME.replace("PaperQuery", "Summary")
    naming.register()
    naming.register(name=second)
    found = naming.registry.by_agent(naming.bot.did, naming.now)
    assert {a["resolvedAgents"][0]["record"]["name"] for a in found} == {NAME, second}
    assert naming.registry.by_agent(naming.ana.did, naming.now) == []


# --- 422: no human -------------------------------------------------------------------------


def _stale_list(naming: Naming) -> Evidence:
    stale = naming.world.status_list(valid_from=naming.now - 3000)
    return naming.world.evidence(status_lists=[stale.secured.raw])


ORPHANS: dict[str, Any] = {
    "no evidence": lambda n: Evidence(),
    "no sponsor credential": lambda n: n.world.evidence(sponsors=[]),
    "no identity": lambda n: n.world.evidence(identities=[]),
    "no status list": lambda n: n.world.evidence(status_lists=[]),
    "a stale status list": _stale_list,
}


@pytest.mark.parametrize("case", ORPHANS)
def test_without_proof_of_a_live_human_it_is_an_orphan(naming: Naming, case: str) -> None:
    event = naming.event()
    body, token = naming.body(event, evidence=ORPHANS[case](naming))
    refused(naming, "orphan-agent", 422, body, token)
    assert accepted(naming, *naming.body(event))["leaf"]["seq"] == 0


def test_an_agent_whose_human_left_is_an_orphan(naming: Naming) -> None:
    assert naming.ana.lease is not None
    sent = naming.body(naming.event())
    naming.world.revoked.add(naming.ana.lease.start - 2)
    gone = refused(naming, "orphan-agent", 422, *naming.body(naming.event()))
    assert "sponsor-gone" in gone.detail
    naming.world.revoked.clear()
    assert accepted(naming, *sent)["leaf"]["seq"] == 0


def test_a_revoked_or_expired_identity_makes_an_orphan(naming: Naming) -> None:
    assert naming.bot.identity is not None
    assert naming.bot.identity.status is not None
    bit = naming.bot.identity.status.index
    naming.world.revoked.add(bit)
    assert "revoked" in refused(naming, "orphan-agent", 422, *naming.body(naming.event())).detail
    naming.world.revoked.clear()
    assert accepted(naming, *naming.body(naming.event()))["leaf"]["seq"] == 0


def test_an_expired_identity_makes_an_orphan(naming: Naming) -> None:
    brief = naming.agent("brief", valid_until=naming.now + 60)
    event = naming.event(bot=brief, record=naming.record(brief))
    body, token = naming.body(event, brief)
    naming.world.now += 60
    late = refused(naming, "orphan-agent", 422, body, token)
    assert "expired" in late.detail
    naming.world.now -= 1
    assert accepted(naming, body, token)["leaf"]["seq"] == 0


def test_a_human_of_nobody_we_trust_is_no_sponsor(naming: Naming) -> None:
    sent = naming.body(naming.event())
    rival = naming.world.status  # a real key, and no anchor of ours
    naming.world.attest(naming.ana, signer=rival, organization=rival.did)
    refused(naming, "orphan-agent", 422, *naming.body(naming.event()))
    assert accepted(naming, *sent)["leaf"]["seq"] == 0


def test_the_orphan_is_told_so_even_without_an_invocation(naming: Naming) -> None:
    body, token = naming.body(naming.event(), evidence=Evidence())
    refused(naming, "orphan-agent", 422, body, None)
    body, token = naming.body(naming.event())
    refused(naming, "holder-missing", 401, body, None)
    assert accepted(naming, body, token)["leaf"]["seq"] == 0


def test_a_record_states_the_sponsorship_of_the_evidence(naming: Naming) -> None:
    record = naming.record()
    other = naming.agent("other")
    assert other.identity is not None
    unsigned = {k: v for k, v in record.items() if k != "proof"}
    unsigned["sponsorship"] = {
        **record["sponsorship"],
        "identities": [{"id": other.identity.id, "digestMultibase": other.identity.secured.digest}],
    }
    forged = sign(unsigned, naming.bot.key, naming.bot.did, naming.now)
    refused(naming, "orphan-agent", 422, *naming.body(naming.event(record=forged)))
    assert accepted(naming, *naming.body(naming.event(record=record)))["leaf"]["seq"] == 0


def test_a_client_without_an_identity_cannot_make_a_record(naming: Naming) -> None:
    stranger = Party("stranger", naming.keeper.key, naming.keeper.did)
    with pytest.raises(Rejected, match="orphan-agent"):
        naming.record(stranger)
    assert naming.record()["agent"] == naming.bot.did


# --- 401: not the holder -------------------------------------------------------------------


def test_an_invocation_by_another_key_is_refused(naming: Naming) -> None:
    event = naming.event()
    links = naming.grant(naming.bot)
    body, token = naming.body(event, links=links)
    other = naming.agent("other")
    _, theirs = naming.body(event, other, links=naming.grant(other))
    refused(naming, "holder-mismatch", 401, body, theirs)
    assert accepted(naming, body, token)["leaf"]["seq"] == 0


def test_an_altered_invocation_is_refused(naming: Naming) -> None:
    body, token = naming.body(naming.event())
    head, payload, signature = token.split(".")
    flipped = "A" if signature[5] != "A" else "B"
    bad = f"{head}.{payload}.{signature[:5]}{flipped}{signature[6:]}"
    refused(naming, "holder-mismatch", 401, body, bad)
    assert accepted(naming, body, token)["leaf"]["seq"] == 0


def test_an_event_by_another_key_is_refused(naming: Naming) -> None:
    event = naming.event()
    unsigned = {k: v for k, v in event.items() if k != "proof"}
    thief = PrivateKey.generate()
    forged = sign(unsigned, thief, naming.bot.did, naming.now)
    with pytest.raises(Rejected) as caught:
        naming.send(forged)
    assert caught.value.code in ("ans-signature", "holder-mismatch")
    assert naming.registry.resolve(NAME, naming.now)[0] == 404
    assert naming.send(event)["leaf"]["seq"] == 0


def test_another_agents_chain_is_refused(naming: Naming) -> None:
    other = naming.agent("other")
    event = naming.event()
    body, token = naming.body(event, other, links=naming.grant(other))
    refused(naming, "holder-mismatch", 401, body, token)
    assert naming.send(event)["leaf"]["seq"] == 0


def test_an_invocation_for_another_event_is_refused(naming: Naming) -> None:
    links = naming.grant(naming.bot)
    body, token = naming.body(naming.event(), links=links)
    other = naming.event(name=NAME.replace("v1.0", "v2.0"))
    _, for_other = naming.body(other, links=links)
    refused(naming, "request-mismatch", 403, body, for_other)
    assert accepted(naming, body, token)["leaf"]["seq"] == 0


def test_an_event_for_another_registry_is_refused(naming: Naming) -> None:
    from delegant.ans import new_event

    elsewhere = new_event(
        naming.bot.key,
        naming.bot.did,
        naming.world.db.did,
        NAME,
        "register",
        at=naming.now,
        record=naming.record(),
    )
    refused(naming, "audience", 401, *naming.body(elsewhere))
    assert naming.register()["leaf"]["seq"] == 0


@pytest.mark.parametrize("late", [61, 4000])
def test_an_old_submission_is_refused(naming: Naming, late: int) -> None:
    body, token = naming.body(naming.event())
    with pytest.raises(Error) as caught:
        naming.registry.submit(body, token, naming.now + late)
    assert caught.value.code in ("invocation-expired", "orphan-agent")  # the list is old too
    assert naming.registry.submit(body, token, naming.now + 59)["leaf"]["seq"] == 0


# --- 403: no grant, not this provider ------------------------------------------------------


@pytest.mark.parametrize("allow", ["ans.renew", "ans.revoke", "db.read"])
def test_another_grant_does_not_register(naming: Naming, allow: str) -> None:
    event = naming.event()
    links = naming.grant(naming.bot, allow)
    refused(naming, "no-grant", 403, *naming.body(event, links=links))
    own = naming.grant(naming.bot, "ans.register")
    assert accepted(naming, *naming.body(event, links=own))["leaf"]["seq"] == 0


def test_a_provider_label_belongs_to_its_organisation(naming: Naming) -> None:
    naming.registry.bind_provider("Rival", naming.world.db.did, naming.now)
    for name in ("mcp://PaperQuery.Research.Rival.v1", "mcp://PaperQuery.Research.Nobody.v1"):
        refused(naming, "namespace", 403, *naming.body(naming.event(name=name)))
    assert naming.register()["leaf"]["seq"] == 0
    with pytest.raises(Conflict, match="name-taken"):
        naming.registry.bind_provider("acmelabs", naming.world.db.did, naming.now)
    naming.registry.bind_provider("AcmeLabs", naming.world.org.did, naming.now)  # again is no harm
    assert [p["label"] for p in naming.registry.providers()] == ["AcmeLabs", "Rival"]


# --- 409: taken, stale, replayed -----------------------------------------------------------


def test_a_live_name_is_taken(naming: Naming) -> None:
    naming.register()
    other = naming.agent("other")
    refused(naming, "name-taken", 409, *naming.body(naming.event("register", other), other))
    free = NAME.replace("v1.0", "v1.1")
    assert naming.register(other, free)["leaf"]["agent"] == other.did


def test_the_same_event_again_is_the_same_receipt(naming: Naming) -> None:
    body, token = naming.body(naming.event())
    first = accepted(naming, body, token)
    assert accepted(naming, body, token) == first
    assert naming.registry.submit(body, token, naming.now + 86_400) == first
    assert naming.open().submit(body, token, naming.now) == first


def test_an_event_that_differs_is_no_retry(naming: Naming) -> None:
    naming.register()
    naming.world.now += 1
    refused(naming, "name-taken", 409, *naming.body(naming.event()))


def test_a_stale_previous_is_refused(naming: Naming) -> None:
    first = naming.register()
    renewed = naming.send(naming.event("renew", receipt=first))
    assert (renewed["leaf"]["type"], renewed["leaf"]["seq"]) == ("renew", 1)
    naming.world.now += 1
    refused(naming, "stale-version", 409, *naming.body(naming.event("renew", receipt=first)))
    skipping = {**renewed, "leaf": {**renewed["leaf"], "seq": 4}}
    refused(naming, "stale-version", 409, *naming.body(naming.event("renew", receipt=skipping)))
    assert naming.send(naming.event("renew", receipt=renewed))["leaf"]["seq"] == 2


def test_a_used_invocation_is_refused(naming: Naming) -> None:
    body, token = naming.body(naming.event())
    used = Invocation.parse(Invocation.unpack(token))
    naming.registry.once(digest(canonical([used.aud, used.iss, used.jti])), used.exp, naming.now)
    refused(naming, "replay", 409, body, token)
    assert naming.registry.resolve(NAME, naming.now)[0] == 404  # nothing was half written
    event = parse_object(body, size=1 << 20)["event"]
    assert accepted(naming, *naming.body(event))["leaf"]["event"] == digest_of(event)


def test_sixty_four_threads_and_one_name(naming: Naming) -> None:
    agents = [naming.agent(f"racer-{number}") for number in range(64)]
    sent = []
    for racer in agents:
        links = [naming.world.delegate(naming.ana, racer, [f"ans.* {naming.did}"])]
        assert racer.identity is not None
        assert naming.ana.credential is not None
        own = Evidence(
            [naming.ana.credential.secured.raw],
            [racer.identity.secured.raw],
            [naming.world.status_list().secured.raw],
        )
        event = naming.event("register", racer)
        sent.append(naming.body(event, racer, links=links, evidence=own))

    def one(number: int) -> str:
        try:
            return str(accepted(naming, *sent[number])["leaf"]["agent"])
        except Conflict as exc:
            return exc.code

    with ThreadPoolExecutor(64) as pool:
        outcomes = list(pool.map(one, range(64)))
    winners = [outcome for outcome in outcomes if outcome != "name-taken"]
    answer = naming.registry.resolve(NAME, naming.now)[1]
    assert winners == [naming.believed(answer, NAME).did]


# --- lifecycle -----------------------------------------------------------------------------


def test_a_revoked_name_is_gone_for_good_and_says_why(naming: Naming) -> None:
    first = naming.register()
    last = naming.send(naming.event("revoke", receipt=first, reason="replaced by v2"))
    status, answer = naming.registry.resolve(NAME, naming.now)
    assert (status, answer["freshness"]["status"]) == (410, "revoked")
    with pytest.raises(Gone, match="replaced by v2"):
        naming.believed(answer, NAME)

    other = naming.agent("other")
    refused(naming, "ans-gone", 410, *naming.body(naming.event("register", other), other))
    refused(naming, "ans-gone", 410, *naming.body(naming.event("renew", receipt=last)))
    assert naming.register(other, NAME.replace("v1.0", "v2.0"))["leaf"]["seq"] == 0


def test_an_expired_name_waits_for_its_own_agent(naming: Naming) -> None:
    first = naming.send(naming.event(record=naming.record(seconds=3600)))
    later(naming, 3600)
    status, answer = naming.registry.resolve(NAME, naming.now)
    assert (status, answer["freshness"]["status"]) == (410, "expired")
    with pytest.raises(Gone, match="expired"):
        naming.believed(answer, NAME)

    other = naming.agent("other")
    refused(naming, "ans-gone", 410, *naming.body(naming.event("register", other), other))
    assert naming.send(naming.event("renew", receipt=first))["leaf"]["seq"] == 1
    assert naming.registry.resolve(NAME, naming.now)[0] == 200


def test_a_name_that_never_was_is_neither_renewed_nor_revoked(naming: Naming) -> None:
    elsewhere = naming.register()
    unknown = NAME.replace("v1.0", "v3.0")
    for kind in ("renew", "revoke"):
        event = naming.event(kind, name=unknown, receipt=elsewhere)
        refused(naming, "ans-not-found", 404, *naming.body(event))
    assert naming.send(naming.event("revoke", receipt=elsewhere))["leaf"]["type"] == "revoke"


def test_a_record_may_not_outlive_the_identity(naming: Naming) -> None:
    short = naming.agent("short", valid_until=naming.now + 7200)
    record = naming.record(short)
    unsigned = {k: v for k, v in record.items() if k != "proof"}
    too_long = sign(
        {**unsigned, "expires": "2027-01-01T00:00:00Z"}, short.key, short.did, naming.now
    )
    event = naming.event(bot=short, record=too_long)
    refused(naming, "ttl-too-long", 403, *naming.body(event, short))
    assert naming.send(naming.event(bot=short, record=record), short)["leaf"]["seq"] == 0


# --- negative answers, and bodies that are none --------------------------------------------


def test_that_there_is_no_such_name_is_signed(naming: Naming) -> None:
    status, answer = naming.registry.resolve(NAME, naming.now)
    assert status == 404
    with pytest.raises(NotFound, match="ans-not-found"):
        naming.believed(answer, NAME)
    other = replace(naming.trusted, id=did.check(naming.world.db.did))
    with pytest.raises(Rejected, match="ans-signature"):
        verify_answer(answer, other, NAME, at=naming.now)


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (b"", {"json"}),
        (b"[]", {"shape"}),
        (b"{}", {"shape"}),
        (b'{"event":{},"event":{},"links":[],"evidence":{}}', {"duplicate-member"}),
        (b'{"event":{},"links":[],"evidence":{}}', {"shape"}),
        (b'{"event":[],"links":{},"evidence":3}', {"shape"}),
        (b'{"event":{"version":2},"links":[],"evidence":{}}', {"unknown-version"}),
        (b'{"event":{"version":true},"links":[],"evidence":{}}', {"shape"}),
        (b"\xff\xfe{}", {"json", "encoding"}),
        (b"[" * 5000, {"json", "limit-depth"}),
        (b" " * (2 * 1024 * 1024 + 1), {"limit-size"}),
    ],
)
def test_a_body_that_is_none_is_refused_with_a_code(
    naming: Naming, body: bytes, codes: set[str]
) -> None:
    with pytest.raises(Error) as caught:
        naming.registry.submit(body, None, naming.now)
    assert caught.value.code in codes
    assert naming.register()["leaf"]["seq"] == 0


@pytest.mark.parametrize("member", ["version", "name", "agent", "endpoints", "ttl", "expires"])
def test_a_record_without_a_member_is_malformed(naming: Naming, member: str) -> None:
    record = {k: v for k, v in naming.record().items() if k not in (member, "proof")}
    signed = sign(record, naming.bot.key, naming.bot.did, naming.now)
    with pytest.raises(Error) as caught:
        naming.send(naming.event(record=signed))
    assert caught.value.code == "shape"
    assert naming.register()["leaf"]["seq"] == 0


def test_a_misconfigured_registry_accepts_nothing(naming: Naming) -> None:
    from delegant.ans.registry import Registry
    from delegant.ans.store import Store

    stranger = Registry(
        Store(naming.path), naming.did, naming.keeper.key, naming.logger, naming.checkpoint,
        naming.world.trust,
    )  # fmt: skip
    body, token = naming.body(naming.event())
    with pytest.raises((Rejected, Undecided)):
        stranger.submit(body, token, naming.now)
    assert accepted(naming, body, token)["leaf"]["seq"] == 0

"""Attestations: each refusal beside the nearest one that counts."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import (
    AgentAttestation,
    Error,
    Evidence,
    Request,
    StatusEntry,
    Trust,
    check_attestation,
    digest,
    issue_status_list,
    parse_agent_attestation,
    verify,
)
from delegant.credentials.attestation import ATTESTATION_HARD_SECONDS
from delegant.credentials.envelope import Form, unpack
from refusal import refusal
from world import LIST, T0, Party, World

SOX = "SOXComplianceCertified"
DAY = 86_400
FORMS: tuple[Form, ...] = ("di", "jwt")


@dataclass
class Scene:
    """An organisation accredited for one claim, and an agent it is claimed of."""

    world: World
    bot: Party

    def trust(self, *accredits: str, **anchor: Any) -> Trust:
        value = self.world.trust_json
        if accredits:
            value["anchors"][0]["accredits"] = list(accredits)
        value["anchors"][0] |= anchor
        return Trust.from_json(value)

    def judge(self, credential: AgentAttestation, trust: Trust | None = None, **more: Any) -> str:
        """The code it is refused with; nothing when it counts."""
        members: dict[str, Any] = {
            "at": self.world.now,
            "wanted": SOX,
            "subject": self.bot.did,
        }
        members |= more
        evidence = members.pop("evidence", None) or self.world.evidence()
        own = trust or self.trust(SOX)
        return refusal(lambda: check_attestation(credential, evidence, own, **members))


@pytest.fixture(params=FORMS)
def scene(request: pytest.FixtureRequest) -> Scene:
    world = World(form=request.param)
    return Scene(world, world.agent("bot", world.human("ana")))


def test_one_by_an_accredited_issuer_counts(scene: Scene) -> None:
    made = scene.world.attestation(
        scene.bot, capabilities=["tables.read"], scope="summaries", evidence=digest(b"report")
    )
    assert scene.judge(made) == ""
    again = parse_agent_attestation(unpack(made.secured.raw))
    assert (again.claim, again.scope) == (SOX, "summaries")
    assert again.capabilities == {"tables.read"}
    assert again.evidence == digest(b"report")
    seen = check_attestation(made, scene.world.evidence(), scene.trust(SOX), at=T0)
    assert seen.lists == {LIST: T0}


def test_without_accreditation_it_does_not(scene: Scene) -> None:
    made = scene.world.attestation(scene.bot)
    for trust in (scene.trust(), scene.trust("ISO42001"), scene.trust(SOX.lower())):
        assert scene.judge(made, trust) == "issuer-not-accredited"
    assert scene.judge(made, scene.trust("ISO42001", SOX)) == ""


def test_accreditation_for_one_claim_is_none_for_another(scene: Scene) -> None:
    other = scene.world.attestation(scene.bot, "ISO42001")
    assert scene.judge(other, wanted=None) == "issuer-not-accredited"
    assert scene.judge(other, scene.trust("ISO42001"), wanted=None) == ""


def test_what_was_not_asked_for_is_no_answer(scene: Scene) -> None:
    made = scene.world.attestation(scene.bot)
    assert scene.judge(made, wanted="ISO42001") == "not-attested"
    assert scene.judge(made, subject=scene.world.db.did) == "not-attested"
    assert scene.judge(made, subject=None) == ""


def test_a_stranger_and_an_agents_own_human_are_accredited_for_nothing(scene: Scene) -> None:
    for who in (scene.world.db, scene.world.parties["ana"]):
        made = scene.world.attestation(scene.bot, issuer=who.did, signer=who)
        assert scene.judge(made) == "issuer-not-accredited"


def test_nobody_attests_anything_about_themselves(scene: Scene) -> None:
    code = refusal(
        lambda: scene.world.attestation(scene.bot, issuer=scene.bot.did, signer=scene.bot)
    )
    assert code == "id-shared"


def test_signed_by_another_key_it_does_not_count() -> None:
    world = World()
    scene = Scene(world, world.agent("bot", world.human("ana")))
    org = "did:web:acme.example"
    keys = [world.org.key.public.multikey]
    trust = scene.trust(SOX, id=org, keys=keys)
    good = world.attestation(scene.bot, issuer=org)
    bad = world.attestation(scene.bot, issuer=org, signer=world.db)
    assert scene.judge(good, trust) == ""
    assert scene.judge(bad, trust) == "proof"
    assert refusal(lambda: world.attestation(scene.bot, signer=world.db)) == "did-key-mismatch"


def test_altered_it_does_not_count() -> None:
    world = World()
    scene = Scene(world, world.agent("bot", world.human("ana")))
    raw: Any = copy.deepcopy(world.attestation(scene.bot, capabilities=["a.read"]).secured.raw)
    raw["credentialSubject"]["attestation"]["capabilities"] = ["a.write"]
    assert scene.judge(parse_agent_attestation(unpack(raw))) == "proof"
    raw["credentialSubject"]["attestation"]["capabilities"] = ["a.read"]
    assert scene.judge(parse_agent_attestation(unpack(raw))) == ""


def test_its_time_is_kept_to_the_second(scene: Scene) -> None:
    made = scene.world.attestation(scene.bot, valid_from=T0, valid_until=T0 + DAY)
    scene.world.now = T0 - 30
    assert scene.judge(made) == ""
    scene.world.now = T0 - 31
    assert scene.judge(made) == "not-yet-valid"
    scene.world.now = T0 + DAY - 1
    assert scene.judge(made) == ""
    scene.world.now = T0 + DAY
    assert scene.judge(made) == "expired"


def test_it_lives_a_year_at_most(scene: Scene) -> None:
    def until(end: int) -> AgentAttestation:
        return scene.world.attestation(scene.bot, valid_until=T0 + end)

    assert scene.judge(until(ATTESTATION_HARD_SECONDS)) == ""
    assert refusal(lambda: until(ATTESTATION_HARD_SECONDS + 1)) == "ttl-too-long"


def test_revoked_or_suspended_it_does_not_count(scene: Scene) -> None:
    made = scene.world.attestation(scene.bot, status=StatusEntry(LIST, 40))
    assert scene.judge(made) == ""
    for bits, code in (({41}, "suspended"), ({40}, "revoked"), ({40, 41}, "revoked"), ({42}, "")):
        scene.world.revoked = bits
        assert scene.judge(made) == code


def test_an_old_list_proves_revoked_and_never_the_contrary(scene: Scene) -> None:
    made = scene.world.attestation(scene.bot, status=StatusEntry(LIST, 40))
    clear = scene.world.evidence()
    scene.world.revoked = {40}
    bad = scene.world.evidence()
    scene.world.now = T0 + 300
    assert scene.judge(made, evidence=clear) == ""
    scene.world.now = T0 + 301
    assert scene.judge(made, evidence=clear) == "status-stale"
    assert scene.judge(made, evidence=clear, sensitivity="low") == ""
    assert scene.judge(made, evidence=bad) == "revoked"


def test_a_list_is_needed_of_the_authority_it_names(scene: Scene) -> None:
    made = scene.world.attestation(scene.bot)
    assert scene.judge(made, evidence=Evidence()) == "status-missing"
    foreign = issue_status_list(
        scene.world.db.key, url=LIST, authority=scene.world.db.did, bits=bytes(16 * 1024),
        valid_from=T0, valid_until=T0 + 60,
    )  # fmt: skip
    assert scene.judge(made, evidence=Evidence(status_lists=[foreign.secured.raw])) == (
        "status-unknown"
    )
    beyond = scene.world.attestation(scene.bot, status=StatusEntry(LIST, 131_072))
    assert scene.judge(beyond) == "status-unknown"
    last = scene.world.attestation(scene.bot, status=StatusEntry(LIST, 131_070))
    assert scene.judge(last) == ""


def test_a_list_older_than_one_seen_is_refused(scene: Scene) -> None:
    made = scene.world.attestation(scene.bot)
    evidence = scene.world.evidence()
    own = scene.trust(SOX)
    scene.world.now = T0 + 60
    newer = check_attestation(made, scene.world.evidence(), own, at=T0 + 60)
    assert scene.judge(made, own, evidence=evidence) == ""
    assert scene.judge(made, own.with_seen(newer), evidence=evidence) == "status-rollback"
    assert scene.judge(made, own.with_seen(newer)) == ""


def test_the_authoritys_key_is_its_own(scene: Scene) -> None:
    made = scene.world.attestation(scene.bot, authority_key=scene.world.db.key.public)
    assert scene.judge(made) == "did-key-mismatch"
    assert scene.judge(scene.world.attestation(scene.bot)) == ""


def test_evidence_carries_them_by_agent(scene: Scene) -> None:
    first = scene.world.attestation(scene.bot)
    scene.world.now += 5
    second = scene.world.attestation(scene.bot, "ISO42001")
    evidence = Evidence(attestations=[first.secured.raw, second.secured.raw])
    again = Evidence.parse(evidence.to_bytes())
    assert [one.claim for one in again.attestations(scene.bot.did)] == ["ISO42001", SOX]
    assert again.attestations(scene.world.db.did) == []
    assert len(again.merged(evidence).json["attestations"]) == 2


def test_a_chain_neither_needs_nor_minds_them(scene: Scene) -> None:
    world = scene.world
    link = world.delegate(world.parties["ana"], scene.bot, ["db.read urn:acme:papers:**"])
    asked = Request("db.read", "urn:acme:papers:17")
    shown = world.present([link], asked).to_bytes()
    evidence = world.evidence().merged(
        Evidence(attestations=[world.attestation(scene.bot).secured.raw])
    )
    assert verify(shown, evidence, world.trust(), asked, at=T0).actor == scene.bot.did


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_whatever_the_block_is_only_errors_of_ours_come_out(block: Any) -> None:
    world = World()
    raw: Any = copy.deepcopy(world.attestation(world.agent("b", world.human("a"))).secured.raw)
    for name in ("type", "capabilities", "scope", "evidence", "status", "version"):
        changed = copy.deepcopy(raw)
        changed["credentialSubject"]["attestation"][name] = block
        try:
            parse_agent_attestation(unpack(changed))
        except Error:
            continue

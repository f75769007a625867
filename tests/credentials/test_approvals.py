"""Approvals: humans who must agree to this act, and what they sign for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from delegant.credentials import (
    Approval,
    ChainCache,
    Evidence,
    Presentation,
    PrivateKey,
    Request,
    Resolved,
    StatusEntry,
    Trust,
    Verdict,
    approve,
    canonical,
    decide,
    did,
    digest,
    explain,
    verify,
    verify_chain,
)
from delegant.credentials.approval import APPROVAL_TYPE, MAX_APPROVAL
from delegant.credentials.approved import in_time
from delegant.credentials.codec import b64u_decode, b64u_encode
from delegant.credentials.shape import LAST_SECOND
from delegant.credentials.verdict import Once
from delegant.schemas import validate
from refusal import refusal
from world import PAPERS, Party, World

READ = [f"db.read {PAPERS}"]
ASKED = Request("db.read", "urn:acme:papers:17", rows=3, amount={"unit": "EUR:2", "value": "600"})


def rule(*by: Party, threshold: int = 1, over: str | None = None) -> dict[str, Any]:
    """The constraint."""
    out: dict[str, Any] = {"threshold": threshold, "by": sorted(one.did for one in by)}
    return out if over is None else out | {"over": {"unit": "EUR:2", "value": over}}


@dataclass
class Scene:
    """Ana's agent reads, and one of Mia and Leo must approve it; Eve is nobody's approver."""

    threshold: int = 1
    over: str | None = None
    own: bool = False
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.mia, self.leo, self.eve = map(self.world.human, ("mia", "leo", "eve"))
        demand = {"approval": rule(self.mia, self.leo, threshold=self.threshold, over=self.over)}
        self.ana = self.world.human("ana", constraints=demand if self.own else None)
        self.bot = self.world.agent("bot", self.ana)
        self.links = [
            self.world.delegate(self.ana, self.bot, READ, constraints={} if self.own else demand)
        ]

    def by(self, who: Party, **more: Any) -> str:
        """An honest approval."""
        members: dict[str, Any] = {
            "human": who.did, "chain": self.links, "request": ASKED,
            "audience": self.world.db.did, "at": self.world.now,
        }  # fmt: skip
        return approve(who.key, **(members | more))

    def forged(self, who: Party, key: PrivateKey | None = None, **claims: Any) -> str:
        """An approval whose claims are anybody's; ``alg``, ``typ`` and ``kid`` are its header's."""
        header = {name: claims.pop(name) for name in ("alg", "typ", "kid") if name in claims}
        body = json.loads(b64u_decode(self.by(who).split(".")[1])) | claims
        head = {"alg": "EdDSA", "typ": APPROVAL_TYPE, "kid": did.vm_of(did.Did(who.did))} | header
        message = ".".join(b64u_encode(canonical(part)) for part in (head, body))
        return f"{message}.{b64u_encode((key or who.key).sign(message.encode()))}"

    def shown(self, *approvals: str, asked: Request = ASKED) -> Presentation:
        return self.world.present(self.links, asked, approvals=approvals)

    def says(
        self, *approvals: str, evidence: Evidence | None = None, trust: Trust | None = None
    ) -> Verdict:
        """The verdict over the bytes of a presentation with these."""
        found, trusted = evidence or self.world.evidence(), trust or self.world.trust()
        shown = self.shown(*approvals).to_bytes()
        return decide(shown, found, trusted, ASKED, at=self.world.now)


# --- enough, too few, and whose constraint it is ---------------------------------------------


def test_without_an_approval_it_waits_and_with_one_it_passes() -> None:
    scene = Scene()
    no = scene.says()
    assert (no.state, no.code, no.phase, no.link) == ("undecided", "approval-missing", 11, 0)
    assert (no.dimension, no.detail) == ("approval", "a human must approve this")
    yes = scene.says(scene.by(scene.mia))
    assert yes.state == "accepted"
    assert yes.authorization is not None
    assert [one.iss for one in yes.authorization.approvals] == [scene.mia.did]


def test_two_of_two_are_needed_where_two_are_demanded() -> None:
    scene = Scene(threshold=2)
    mia, leo = scene.by(scene.mia), scene.by(scene.leo)
    assert scene.says(mia).code == "approval-missing"
    assert scene.says(leo).code == "approval-missing"
    assert scene.says(mia, leo).state == "accepted"
    assert scene.says(leo, mia).state == "accepted"


def test_a_chain_that_demands_it_above_an_amount_demands_it_only_there() -> None:
    scene = Scene(over="600")
    assert scene.says().state == "accepted"
    scene = Scene(over="599")
    assert scene.says().code == "approval-missing"
    assert scene.says(scene.by(scene.mia)).state == "accepted"


def test_the_human_s_own_rights_may_demand_it() -> None:
    scene = Scene(own=True)
    no = scene.says()
    assert (no.code, no.link) == ("approval-missing", None)
    assert scene.says(scene.by(scene.leo)).state == "accepted"


def test_every_link_and_the_human_s_rights_count_for_themselves() -> None:
    world = World()
    mia, leo, zoe = map(world.human, ("mia", "leo", "zoe"))
    ana = world.human("ana", constraints={"approval": rule(zoe)})
    one, two = world.agent("one", ana), world.agent("two", ana)
    top = world.delegate(ana, one, READ, remaining=1, lease=8,
                         constraints={"approval": rule(mia, leo)})  # fmt: skip
    leaf = world.delegate(one, two, READ, above=(top,),
                          constraints={"approval": rule(mia, leo, threshold=2)})  # fmt: skip
    links = [top, leaf]

    def says(*who: Party) -> tuple[str | None, int | None]:
        given = [
            approve(p.key, human=p.did, chain=links, request=ASKED, audience=world.db.did,
                    at=world.now) for p in who
        ]  # fmt: skip
        shown = world.present(links, ASKED, approvals=given)
        said = decide(shown, world.evidence(), world.trust(), ASKED, at=world.now)
        return said.code, said.link

    assert says(zoe) == ("approval-missing", 0)
    assert says(zoe, mia) == ("approval-missing", 1)
    assert says(mia, leo) == ("approval-missing", None)
    assert says(mia, zoe, leo) == (None, None)


def test_the_sponsor_may_be_an_approver() -> None:
    world = World()
    ana = world.human("ana")
    bot = world.agent("bot", ana)
    links = [world.delegate(ana, bot, READ, constraints={"approval": rule(ana)})]
    token = approve(ana.key, human=ana.did, chain=links[0].digest, request=ASKED,
                    audience=world.db.did, at=world.now)  # fmt: skip
    shown = world.present(links, ASKED, approvals=[token])
    assert verify(shown, world.evidence(), world.trust(), ASKED, at=world.now).approvals


def test_where_nothing_demands_one_approvals_are_not_looked_at() -> None:
    scene = Scene(over="600")
    assert scene.says("a.b.c", scene.by(scene.eve)).state == "accepted"
    assert Scene().says("a.b.c").state == "malformed"
    yes = scene.says(scene.by(scene.mia)).authorization
    assert yes is not None
    assert yes.approvals == ()
    assert len([duty for duty in yes.obligations if isinstance(duty, Once)]) == 1


# --- a wrong one refuses ---------------------------------------------------------------------


def other(scene: Scene) -> str:
    return Request("db.read", "urn:acme:papers:18").digest


NOW = World().now
WRONG: dict[str, Callable[[Scene], str]] = {
    "another request": lambda s: s.forged(s.leo, request=other(s)),
    "another chain": lambda s: s.forged(s.leo, chain=digest(b"another")),
    "another verifier": lambda s: s.forged(s.leo, aud=s.world.org.did),
    "no approver": lambda s: s.by(s.eve),
    "the sponsor, unasked": lambda s: s.by(s.ana),
    "the agent": lambda s: s.by(s.bot),
    "over": lambda s: s.by(s.leo, at=NOW - 900),
    "from the future": lambda s: s.by(s.leo, at=NOW + 31),
    "too long": lambda s: s.forged(s.leo, exp=NOW + 901),
    "of no time": lambda s: s.forged(s.leo, exp=NOW),
    "ends before it begins": lambda s: s.forged(s.leo, iat=NOW + 20, exp=NOW + 10),
    "beyond all time": lambda s: s.forged(s.leo, iat=2**53 - 2, exp=2**53 - 1),
    "another's key": lambda s: s.forged(s.leo, s.eve.key),
    "another approver's key": lambda s: s.forged(s.leo, s.mia.key),
    "another's kid": lambda s: s.forged(s.leo, kid=did.vm_of(did.Did(s.mia.did))),
    "another's name": lambda s: s.forged(s.mia, s.mia.key, iss=s.leo.did),
    "the same again": lambda s: s.by(s.mia),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_one_refuses_even_beside_enough_right_ones(name: str) -> None:
    scene = Scene()
    right, wrong = scene.by(scene.mia), WRONG[name](scene)
    for shown in ((right, wrong), (wrong, right)):
        no = scene.says(*shown)
        assert (no.state, no.code, no.phase, no.link) == ("rejected", "approval", 11, None), no
        assert no.dimension == "approval"
    assert scene.says(right).state == "accepted"
    assert scene.says(right, scene.by(scene.leo)).state == "accepted"


@pytest.mark.parametrize("name", sorted(set(WRONG) - {"the same again"}))
def test_a_wrong_one_alone_is_not_too_few_but_wrong(name: str) -> None:
    scene = Scene()
    assert scene.says(WRONG[name](scene)).code == "approval"


def test_no_other_request_s_digest_will_do_whichever_is_greater() -> None:
    scene = Scene()
    others = [Request("db.read", f"urn:acme:papers:{number}").digest for number in range(20)]
    assert min(others) < ASKED.digest < max(others)
    for digest_ in (min(others), max(others)):
        assert scene.says(scene.forged(scene.mia, request=digest_)).code == "approval"
    for digest_ in (min(others), max(others)):
        assert scene.says(scene.forged(scene.mia, chain=digest_)).code == "approval"
    for who in (scene.mia, scene.leo, scene.eve, scene.ana, scene.bot, scene.world.org):
        assert scene.says(scene.forged(scene.mia, aud=who.did)).code == "approval"


def test_the_edges_of_its_time() -> None:
    scene = Scene()
    assert scene.says(scene.by(scene.mia, at=NOW - 899)).state == "accepted"
    assert scene.says(scene.by(scene.mia, at=NOW + 30)).state == "accepted"
    assert scene.says(scene.by(scene.mia, seconds=1)).state == "accepted"


@pytest.mark.parametrize(
    ("iat", "exp", "at", "code"),
    [
        (NOW, NOW + 900, NOW, ""),
        (NOW, NOW + 901, NOW, "approval"),
        (NOW, NOW, NOW, "approval"),
        (NOW, NOW + 1, NOW + 1, "approval"),
        (NOW + 30, NOW + 60, NOW, ""),
        (NOW + 31, NOW + 60, NOW, "approval"),
        (LAST_SECOND - 9, LAST_SECOND, LAST_SECOND - 5, ""),
        (LAST_SECOND - 9, LAST_SECOND + 1, LAST_SECOND - 5, "approval"),
    ],
)
def test_it_holds_from_its_first_to_before_its_last_second(
    iat: int, exp: int, at: int, code: str
) -> None:
    scene = Scene()
    found = Approval.parse(scene.by(scene.mia))._replace(iat=iat, exp=exp)
    assert refusal(lambda: in_time(found, at)) == code


def test_an_algorithm_that_nobody_takes_is_undecided() -> None:
    scene = Scene()
    no = scene.says(scene.forged(scene.mia, alg="ES256"))
    assert (no.state, no.code, no.dimension) == ("undecided", "suite", "approval")
    assert scene.says(scene.forged(scene.mia, alg="Ed25519")).state == "accepted"


@pytest.mark.parametrize("claims", [
    {"nonce": "n"}, {"sub": "x"}, {"jti": ""}, {"exp": "1"}, {"chain": "x"}, {"request": None},
    {"typ": "agent-invocation+jwt"}, {"typ": "vc+jwt"}, {"iss": "mia"}, {"aud": ["x"]},
])  # fmt: skip
def test_what_is_no_approval_is_malformed(claims: dict[str, Any]) -> None:
    scene = Scene()
    assert scene.says(scene.forged(scene.mia, **claims)).state == "malformed"


def test_an_invocation_is_no_approval_and_the_other_way_round() -> None:
    scene = Scene()
    shown = scene.shown()
    assert scene.says(str(shown.invocation)).state == "malformed"
    swapped = Presentation(shown.links, scene.by(scene.bot), (scene.by(scene.mia),))
    said = decide(swapped, scene.world.evidence(), scene.world.trust(), ASKED, at=NOW)
    assert said.state == "malformed"


def test_one_that_is_too_long_is_not_read() -> None:
    scene = Scene()
    assert scene.says(scene.forged(scene.mia, jti="j" * 128)).state == "accepted"
    assert MAX_APPROVAL == 8192
    assert refusal(lambda: Approval.parse("." * 8192)) == "encoding"
    assert refusal(lambda: Approval.parse("." * 8193)) == "limit-size"
    assert scene.says("." * 2 + "c" * 8191).code == "limit-size"


# --- who is one human, and who is an agent ---------------------------------------------------


def attested_agent(world: World, name: str, did_: str | None = None) -> Party:
    """A sponsor credential for what is an agent: the organisation was wrong about it."""
    agent = world.parties[name]
    human = world.human(f"{name}-as-human", human=did_ or agent.did)
    return Party(human.name, agent.key, did_ or agent.did)


@pytest.mark.parametrize("method", ["key", "jwk"])
@pytest.mark.parametrize("name", ["maker", "bot"])
def test_no_agent_of_the_path_approves_under_any_name(name: str, method: str) -> None:
    """Not even one whom the organisation attests as a human, nor under its other DID."""
    world = World()
    ana, mia = world.human("ana"), world.human("mia")
    maker = world.agent("maker", ana, block={"spawn": True})
    bot = world.agent("bot", maker)
    posing = attested_agent(world, name, did.from_key(world.parties[name].key.public, method))
    links = [world.delegate(ana, bot, READ, constraints={"approval": rule(posing, mia)})]
    trust = world.trust(anchors=[{**world.trust_json["anchors"][0],
                                  "subjects": ["did:key:**", "did:jwk:**"]}])  # fmt: skip

    def says(who: Party) -> str | None:
        token = approve(who.key, human=who.did, chain=links, request=ASKED, at=world.now,
                        audience=world.db.did)  # fmt: skip
        shown = world.present(links, ASKED, approvals=[token], key=bot.key)
        return decide(shown, world.evidence(), trust, ASKED, at=world.now).code

    assert maker.identity is not None
    assert says(posing) == "approval"
    assert says(mia) is None


def test_one_key_under_two_names_is_one_human() -> None:
    world = World()
    ana, mia, leo = map(world.human, ("ana", "mia", "leo"))
    again = attested_agent(world, "mia", did.from_key(mia.key.public, "jwk"))
    bot = world.agent("bot", ana)
    demand = rule(mia, again, leo, threshold=2)
    links = [world.delegate(ana, bot, READ, constraints={"approval": demand})]
    trust = world.trust(anchors=[{**world.trust_json["anchors"][0],
                                  "subjects": ["did:key:**", "did:jwk:**"]}])  # fmt: skip

    def says(*who: Party) -> str | None:
        tokens = [approve(p.key, human=p.did, chain=links, request=ASKED, at=world.now,
                          audience=world.db.did) for p in who]  # fmt: skip
        shown = world.present(links, ASKED, approvals=tokens)
        return decide(shown, world.evidence(), trust, ASKED, at=world.now).code

    assert says(mia, again) == "approval"
    assert says(mia, leo) is None
    assert says(again, leo) is None


# --- attested and alive, as the sponsor ------------------------------------------------------


def test_approver_is_attested_by_an_anchor_that_speaks_for_them() -> None:
    scene = Scene()
    token = scene.by(scene.mia)
    sponsors = [p.credential.secured.raw for p in scene.world.parties.values()
                if p.credential and p is not scene.mia]  # fmt: skip
    no = scene.says(token, evidence=scene.world.evidence(sponsors=sponsors))
    assert (no.code, no.phase, no.dimension, no.link) == ("no-human-root", 7, "approval", None)
    other_org = World("other")
    foreign = other_org.human("mia", human=scene.mia.did).credential
    assert foreign is not None
    no = scene.says(token, evidence=scene.world.evidence(sponsors=[*sponsors, foreign.secured.raw]))
    assert (no.code, no.dimension) == ("root-untrusted", "approval")
    anchor = scene.world.trust_json["anchors"][0] | {"subjects": [scene.ana.did]}
    no = scene.says(token, trust=scene.world.trust(anchors=[anchor]))
    assert (no.code, no.dimension) == ("root-not-authoritative", "approval")
    anchor = anchor | {"subjects": [scene.ana.did, scene.mia.did]}
    assert scene.says(token, trust=scene.world.trust(anchors=[anchor])).state == "accepted"


def test_a_partner_s_human_may_approve() -> None:
    scene = Scene()
    partner = World("partner")
    pat = partner.human("pat")
    links = [scene.world.delegate(scene.ana, scene.bot, READ,
                                  constraints={"approval": rule(pat)})]  # fmt: skip
    token = approve(pat.key, human=pat.did, chain=links, request=ASKED, at=NOW,
                    audience=scene.world.db.did)  # fmt: skip
    shown = scene.world.present(links, ASKED, approvals=[token])
    both = [scene.world.trust_json["anchors"][0] | {"subjects": [scene.ana.did]},
            partner.trust_json["anchors"][0] | {"subjects": [pat.did]}]  # fmt: skip
    trust = scene.world.trust(anchors=both)
    evidence = scene.world.evidence().merged(partner.evidence(status_lists=[]))
    said = decide(shown, evidence, trust, ASKED, at=NOW)
    assert said.code == "status-unknown", "the partner's list is the partner's to sign"
    evidence = evidence.merged(partner.evidence())
    yes = verify(shown, evidence, trust, ASKED, at=NOW)
    assert set(yes.revisions) == {scene.ana.did, pat.did}


def test_approver_s_credential_is_of_the_newest_revision_and_in_time() -> None:
    scene = Scene()
    token = scene.by(scene.mia)
    yes = scene.says(token).authorization
    assert yes is not None
    assert yes.revisions == {scene.ana.did: 1, scene.mia.did: 1}
    scene.world.attest(scene.mia, revision=2)
    assert scene.says(token).state == "accepted"
    seen = scene.says(token).authorization
    assert seen is not None
    trust = scene.world.trust().with_seen(seen.seen)
    scene.world.attest(scene.mia, revision=1)
    no = scene.says(token, trust=trust)
    assert (no.code, no.dimension) == ("sponsor-rollback", "approval")
    scene.world.attest(scene.mia, valid_from=NOW - 7200, valid_until=NOW)
    assert scene.says(token).code == "expired"
    scene.world.attest(scene.mia, valid_from=NOW + 31)
    assert scene.says(token).code == "not-yet-valid"


@pytest.mark.parametrize("bit", [0, 1])
def test_approver_who_is_gone_approves_nothing(bit: int) -> None:
    scene = Scene()
    token = scene.by(scene.mia)
    assert scene.mia.credential is not None
    assert scene.mia.credential.status is not None
    scene.world.revoked.add(scene.mia.credential.status.index + bit)
    assert scene.says(token).code == "sponsor-gone"
    assert scene.says(scene.by(scene.leo)).state == "accepted"


def test_approver_named_in_the_feed_approves_nothing() -> None:
    scene = Scene()
    token = scene.by(scene.mia)
    feed = scene.world.feed(scene.world.kills("sponsor", scene.mia.did))
    evidence = scene.world.evidence(feeds=[feed.secured.raw])
    assert scene.says(token, evidence=evidence).code == "sponsor-gone"
    assert scene.says(scene.by(scene.leo), evidence=evidence).state == "accepted"


def test_approver_whose_list_is_stale_is_not_known_to_be_alive() -> None:
    scene = Scene()
    elsewhere = "https://status.other.example/9"
    scene.world.attest(scene.mia, status=StatusEntry(elsewhere, 0))
    token = scene.by(scene.mia)
    assert scene.says(token).code == "status-missing"
    assert scene.says(scene.by(scene.leo)).state == "accepted"
    own = scene.world.status_list().secured.raw
    for age, code in ((301, "status-stale"), (300, None)):
        listed = scene.world.status_list(url=elsewhere, valid_from=NOW - age).secured.raw
        evidence = scene.world.evidence(status_lists=[own, listed])
        assert scene.says(token, evidence=evidence).code == code


def test_key_of_an_approver_by_web_name_is_the_pinned_one_and_may_be_retired() -> None:
    world = World()
    ana, mia = world.human("ana"), world.human("mia")
    mia.did = "did:web:acme.example:mia"
    world.attest(mia, human_key=mia.key.public)
    bot = world.agent("bot", ana)
    links = [world.delegate(ana, bot, READ, constraints={"approval": rule(mia)})]
    anchors = [{**world.trust_json["anchors"][0], "subjects": ["did:key:**", "did:web:**"]}]
    trust = world.trust(anchors=anchors)

    def says(key: PrivateKey, trust_: Any = trust) -> str | None:
        token = approve(key, human=mia.did, chain=links, request=ASKED, at=NOW,
                        audience=world.db.did)  # fmt: skip
        shown = world.present(links, ASKED, approvals=[token])
        return decide(shown, world.evidence(), trust_, ASKED, at=NOW).code

    assert says(mia.key) is None
    assert says(world.human("eve").key) == "approval"
    gone = Resolved(did.Did(mia.did), {}, NOW, NOW + 60, deactivated=True)
    assert says(mia.key, trust.with_documents([gone])) == "key-retired"
    world.attest(mia)
    assert says(mia.key) == "key-unresolved"


def test_human_pinned_directly_may_approve_with_any_key_of_theirs() -> None:
    scene = Scene()
    old, new = PrivateKey(b"\1" * 32), PrivateKey(b"\2" * 32)
    pia = Party("pia", new, "did:web:pia.example")
    links = [scene.world.delegate(scene.ana, scene.bot, READ,
                                  constraints={"approval": rule(pia)})]  # fmt: skip
    anchors = [*scene.world.trust_json["anchors"],
               {"id": pia.did, "keys": [old.public.multikey, new.public.multikey],
                "ceiling": scene.world.ceiling}]  # fmt: skip
    trust = scene.world.trust(anchors=anchors)

    def says(*keys: PrivateKey) -> str | None:
        tokens = [approve(key, human=pia.did, chain=links, request=ASKED, at=NOW,
                          audience=scene.world.db.did) for key in keys]  # fmt: skip
        shown = scene.world.present(links, ASKED, approvals=tokens)
        return decide(shown, scene.world.evidence(), trust, ASKED, at=NOW).code

    assert (says(old), says(new)) == (None, None)
    assert says(PrivateKey(b"\3" * 32)) == "approval"
    assert says(old, new) == "approval", "two keys of one human are one human"


def test_approvals_spend_the_budgets_of_signatures() -> None:
    scene = Scene()
    tokens = [scene.by(scene.mia), scene.by(scene.leo)]
    for name, most, code in (
        ("chainSignatures", 4, None),  # a link, the invocation, two approvals
        ("chainSignatures", 3, "limit-signatures"),
        ("evidenceSignatures", 7, None),  # an agent, three humans, the list as each one's
        ("evidenceSignatures", 6, "limit-signatures"),
    ):
        verifier = {"id": scene.world.db.did, "limits": {name: most}}
        assert scene.says(*tokens, trust=scene.world.trust(verifier=verifier)).code == code


# --- what comes of it ------------------------------------------------------------------------


def test_each_is_used_up_until_it_ends() -> None:
    scene = Scene()
    tokens = [scene.by(scene.mia), scene.by(scene.leo, seconds=100)]
    yes = scene.says(*tokens).authorization
    assert yes is not None
    invoked, mia, leo = [duty for duty in yes.obligations if isinstance(duty, Once)]
    assert invoked.until == NOW + 60
    assert (mia.until, leo.until) == (NOW + 900, NOW + 100)
    first = Approval.parse(tokens[0])
    named = [scene.world.db.did, scene.mia.did, first.jti]
    assert first.token == tokens[0]
    assert mia.key == first.once_key == digest(canonical(named))
    assert len({invoked.key, mia.key, leo.key}) == 3
    again = scene.says(*tokens).authorization
    assert again is not None
    assert {mia.key, leo.key} <= {getattr(duty, "key", "") for duty in again.obligations}


def test_explanation_tells_who_approved() -> None:
    scene = Scene(threshold=2)
    shown = scene.shown(scene.by(scene.mia), scene.by(scene.leo))
    told = explain(shown, scene.world.evidence(), scene.world.trust(), ASKED, at=NOW)
    texts = [(step.phase, step.link, step.text) for step in told.steps]
    for who in (scene.mia, scene.leo):
        assert (11, None, f"the human {who.did} approves") in texts
        assert (7, None, f"{scene.world.org.did} answers for the approver {who.did}") in texts
    assert (11, 0, "is approved as it demands") in texts
    assert [phase for phase, _, _ in texts] == sorted(phase for phase, _, _ in texts)


def test_answer_does_not_depend_on_what_is_remembered() -> None:
    scene = Scene()
    cache, evidence, trust = ChainCache(), scene.world.evidence(), scene.world.trust()
    good, bad = scene.by(scene.mia), scene.by(scene.eve)
    for _ in range(2):
        for tokens, code in (((good,), None), ((), "approval-missing"), ((good, bad), "approval")):
            shown = scene.shown(*tokens).to_bytes()
            assert decide(shown, evidence, trust, ASKED, at=NOW, cache=cache).code == code


def test_chain_alone_is_judged_without_them() -> None:
    scene = Scene()
    shown = scene.shown(scene.by(scene.eve))
    assert verify_chain(shown, scene.world.evidence(), scene.world.trust(), at=NOW).links


# --- making one ------------------------------------------------------------------------------


def test_approval_is_of_the_request_itself_and_fits_its_schema() -> None:
    scene = Scene()
    token = scene.by(scene.mia, seconds=60)
    body = json.loads(b64u_decode(token.split(".")[1]))
    assert validate("approval", body) == []
    assert body["request"] == ASKED.digest
    assert body["chain"] == scene.links[-1].digest
    assert (body["iat"], body["exp"]) == (NOW, NOW + 60)
    assert body["jti"] != json.loads(b64u_decode(scene.by(scene.mia).split(".")[1]))["jti"]
    assert scene.says(scene.by(scene.mia, chain=scene.links[-1].digest)).state == "accepted"
    presented = json.loads(scene.shown(token).to_bytes())
    assert validate("presentation", presented) == []
    assert presented["approvals"] == [token]


@pytest.mark.parametrize(("change", "code"), [
    ({"seconds": 901}, "ttl-too-long"), ({"seconds": 0}, "shape"), ({"seconds": True}, "shape"),
    ({"human": "mia"}, "shape"), ({"audience": "https://db"}, "shape"), ({"chain": "u"}, "shape"),
    ({"seconds": 900}, ""), ({"seconds": 1}, ""),
])  # fmt: skip
def test_what_would_not_be_accepted_is_not_made(change: dict[str, Any], code: str) -> None:
    scene = Scene()
    assert refusal(lambda: scene.by(scene.mia, **change)) == code


def test_nobody_approves_in_another_s_name() -> None:
    scene = Scene()
    assert refusal(lambda: scene.by(scene.mia, human=scene.leo.did)) == "did-key-mismatch"
    assert refusal(lambda: scene.by(scene.mia, human="did:web:leo.example")) == ""

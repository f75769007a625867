"""Approvals that the resource itself wants, and approvals that come apart from the presentation."""

from __future__ import annotations

from typing import Any

import pytest

from delegant.credentials import (
    Presentation,
    Request,
    Verdict,
    approve,
    canonical,
    decide,
    explain,
    verify,
)
from delegant.credentials.verdict import Once
from refusal import refusal
from world import PAPERS, Party, World

ASKED = Request("db.read", "urn:acme:papers:17", amount={"unit": "EUR:2", "value": "5"})


class Scene:
    """Ana's agent may read with nobody's approval, as far as the chain goes."""

    def __init__(self, **constraints: Any) -> None:
        self.world = World()
        self.mia, self.leo = self.world.human("mia"), self.world.human("leo")
        self.ana = self.world.human("ana")
        bot = self.world.agent("bot", self.ana)
        self.links = [
            self.world.delegate(self.ana, bot, [f"db.read {PAPERS}"], constraints=constraints)
        ]

    def by(self, who: Party, request: Request = ASKED) -> str:
        return approve(who.key, human=who.did, chain=self.links, request=request,
                       audience=self.world.db.did, at=self.world.now)  # fmt: skip

    def rule(self, *who: Party, threshold: int = 1, **more: Any) -> dict[str, Any]:
        return {"threshold": threshold, "by": [one.did for one in who], **more}

    def says(self, rule: Any, *tokens: str) -> Verdict:
        shown = self.world.present(self.links, ASKED, approvals=tokens).to_bytes()
        trust, evidence = self.world.trust(), self.world.evidence()
        said = decide(shown, evidence, trust, ASKED, at=self.world.now, approval=rule)
        told = explain(shown, evidence, trust, ASKED, at=self.world.now, approval=rule).verdict
        assert (told.code, told.link, told.detail) == (said.code, said.link, said.detail)
        return said


def test_the_resource_may_want_a_human_whom_no_link_names() -> None:
    scene = Scene()
    assert scene.says(None).state == "accepted"
    no = scene.says(scene.rule(scene.mia))
    assert (no.state, no.code, no.link) == ("undecided", "approval-missing", None)
    yes = scene.says(scene.rule(scene.mia), scene.by(scene.mia)).authorization
    assert yes is not None
    assert [one.iss for one in yes.approvals] == [scene.mia.did]
    assert len([one for one in yes.obligations if isinstance(one, Once)]) == 2
    assert scene.says(scene.rule(scene.mia), scene.by(scene.leo)).code == "approval"
    assert scene.says(None, scene.by(scene.leo)).state == "accepted", "nobody wants one"


def test_what_the_resource_wants_comes_on_top_of_what_the_chain_demands() -> None:
    scene = Scene(approval={"threshold": 1, "by": [World().human("mia").did]})
    rule = scene.rule(scene.leo)
    mia, leo = scene.by(scene.mia), scene.by(scene.leo)
    assert scene.says(rule).link == 0
    assert (scene.says(rule, mia).code, scene.says(rule, mia).link) == ("approval-missing", None)
    assert (scene.says(rule, leo).code, scene.says(rule, leo).link) == ("approval-missing", 0)
    assert scene.says(rule, mia, leo).state == "accepted"


def test_it_may_be_wanted_above_an_amount() -> None:
    scene = Scene()
    over = {"unit": "EUR:2", "value": "5"}
    assert scene.says(scene.rule(scene.mia, over=over)).state == "accepted"
    over = {"unit": "EUR:2", "value": "4"}
    assert scene.says(scene.rule(scene.mia, over=over)).code == "approval-missing"


def test_two_may_be_wanted() -> None:
    scene = Scene()
    rule = scene.rule(scene.mia, scene.leo, threshold=2)
    assert scene.says(rule, scene.by(scene.mia)).code == "approval-missing"
    assert scene.says(rule, scene.by(scene.leo), scene.by(scene.mia)).state == "accepted"


@pytest.mark.parametrize("rule", [
    {}, {"threshold": 1}, {"threshold": 0, "by": ["did:web:a"]}, {"threshold": 1, "by": []},
    {"threshold": 2, "by": ["did:web:a"]}, {"threshold": 1, "by": ["a"]},
    {"threshold": 1, "by": ["did:web:a"], "any": True},
])  # fmt: skip
def test_a_rule_that_is_none_lets_nothing_pass(rule: dict[str, Any]) -> None:
    assert Scene().says(rule).state == "malformed"


def test_what_was_wanted_is_part_of_what_the_answer_is_bound_to() -> None:
    scene = Scene()
    shown = scene.world.present(scene.links, ASKED, approvals=[scene.by(scene.mia)])
    trust, evidence, at = scene.world.trust(), scene.world.evidence(), scene.world.now
    digests = {
        verify(shown, evidence, trust, ASKED, at=at, approval=rule).inputs_digest
        for rule in (None, scene.rule(scene.mia), scene.rule(scene.mia, scene.leo))
    }
    assert len(digests) == 3


def test_approvals_may_come_apart_from_chain_and_invocation() -> None:
    scene = Scene(approval={"threshold": 1, "by": [World().human("mia").did]})
    whole = scene.world.present(scene.links, ASKED, approvals=[scene.by(scene.mia)])
    chain, token = canonical(whole.json["links"]), str(whole.invocation)
    for spelled in (chain, b" " + chain):
        shown = Presentation.of(spelled, token, whole.approvals)
        assert shown.json == whole.json
        trust, evidence = scene.world.trust(), scene.world.evidence()
        assert verify(shown, evidence, trust, ASKED, at=scene.world.now).approvals
    size = len(chain) + len(token) + len(whole.approvals[0])
    for most, code in ((size, ""), (size - 1, "limit-size")):
        told = refusal(lambda m=most: Presentation.of(chain, token, whole.approvals, size=m))
        assert told == code
    for wrong, code in ((["a.b"], "shape"), (["a.b.c"] * 65, "limit-items"), ([b"a"], "shape")):
        assert refusal(lambda w=wrong: Presentation.of(chain, token, w)) == code

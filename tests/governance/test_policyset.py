"""A policy set: who must have signed it, and that it only grows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from delegant import schemas
from delegant.credentials import Error, PrivateKey, canonical, jose
from delegant.governance.policies import CedarPolicy
from delegant.governance.policyset import PolicySet, PolicyTrust, sign
from governance.policing import ALL, KEYS, SIGNERS, T0, policy_set, trust
from refusal import refusal

ABSENT = object()


def written(path: Path, found: PolicySet) -> Path:
    path.write_bytes(canonical(found.json))
    return path


def test_what_enough_have_signed_is_loaded_and_says_who(tmp_path: Path) -> None:
    path = written(tmp_path / "set.json", policy_set(by="ab"))
    found = PolicySet.load(path, trust())
    assert found.approved == tuple(sorted([SIGNERS["a"], SIGNERS["b"]]))
    assert (found.id, found.revision, found.policies) == ("acme-db", 1, ALL)
    assert schemas.validate("policy-set", found.json) == []


@pytest.mark.parametrize(
    ("by", "threshold", "signers", "code"),
    [
        ("ab", 2, "ab", ""),
        ("abc", 2, "ab", ""),  # what others say does no harm
        ("a", 1, "ab", ""),
        ("", 1, "ab", "policy-unsigned"),
        ("a", 2, "ab", "policy-unsigned"),
        ("ac", 2, "ab", "policy-unsigned"),  # c is nobody here
        ("c", 1, "ab", "policy-unsigned"),
    ],
)
def test_so_many_of_the_resources_own_signers_must_sign(
    by: str, threshold: int, signers: str, code: str
) -> None:
    own = trust(threshold, signers)
    assert refusal(lambda: policy_set(by=by).verified(own)) == code


def test_one_signer_twice_is_one(tmp_path: Path) -> None:
    once = policy_set(by="a")
    again = jose.sign(
        once.signatures[0].jws.payload | {"iat": T0 + 1}, KEYS["a"], "policy-set+jwt",
        once.signatures[0].method,
    )  # fmt: skip
    both = PolicySet.from_json(once.json | {"signatures": [once.signatures[0].token, again]})
    assert refusal(lambda: both.verified(trust())) == "policy-unsigned"
    assert refusal(lambda: both.verified(trust(1))) == ""
    assert len(sign(once, KEYS["a"], SIGNERS["a"], T0 + 1).signatures) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"policies": ALL + " "},
        {"revision": 2},
        {"id": "acme-mail"},
        {"facts": {"context": {"sourceSegment": "Boolean"}}},
        {"facts": ABSENT},
    ],
)
def test_every_member_is_signed(change: dict[str, Any]) -> None:
    whole = policy_set()
    assert refusal(lambda: PolicySet.from_json(whole.json).verified(trust())) == ""
    other = {key: one for key, one in (whole.json | change).items() if one is not ABSENT}
    assert refusal(lambda: PolicySet.from_json(other).verified(trust())) == "policy-unsigned"


def test_a_set_of_another_name_is_not_followed_though_the_same_people_signed_it() -> None:
    mail = policy_set(id="acme-mail")
    assert refusal(lambda: mail.verified(trust(id="acme-mail"))) == ""
    assert refusal(lambda: mail.verified(trust())) == "policy-unsigned"


def test_a_signature_with_anothers_key_does_not_count() -> None:
    found = policy_set(by="a")
    forged = jose.sign(
        found.signatures[0].jws.payload, KEYS["c"], "policy-set+jwt",
        f"{SIGNERS['b']}#{SIGNERS['b'][8:]}",
    )  # fmt: skip
    both = PolicySet.from_json(found.json | {"signatures": [found.signatures[0].token, forged]})
    assert refusal(lambda: both.verified(trust())) == "policy-unsigned"
    assert refusal(lambda: sign(found, KEYS["c"], SIGNERS["b"], T0)) == "did-key-mismatch"


def test_a_token_of_another_type_is_no_signature() -> None:
    found = policy_set(by="a")
    other = jose.sign(
        found.signatures[0].jws.payload, KEYS["a"], "agent-approval+jwt",
        found.signatures[0].method,
    )  # fmt: skip
    assert refusal(lambda: PolicySet.from_json(found.json | {"signatures": [other]})) == (
        "policy-format"
    )


def test_a_revision_only_grows(tmp_path: Path) -> None:
    seen = tmp_path / "seen.json"

    def load(revision: int, text: str = ALL) -> str:
        path = written(tmp_path / "set.json", policy_set(text, revision=revision))
        return refusal(lambda: PolicySet.load(path, trust(), seen=seen))

    assert load(3) == ""
    assert load(3) == ""
    assert load(2) == "policy-rollback"
    assert load(3, ALL + ALL) == "policy-rollback"  # the same revision said other
    assert load(4, ALL + ALL) == ""
    assert load(3) == "policy-rollback"
    seen.write_text('{"acme-db": {"revision": "4"}}')
    assert load(5) == "policy-rollback"  # who cannot tell what was seen lets nothing by
    seen.write_text("{")
    assert load(5) != ""


def test_what_was_not_signed_enough_is_not_remembered(tmp_path: Path) -> None:
    seen = tmp_path / "seen.json"
    path = written(tmp_path / "set.json", policy_set(by="a", revision=9))
    assert refusal(lambda: PolicySet.load(path, trust(), seen=seen)) == "policy-unsigned"
    assert not seen.exists()


def test_an_unsigned_set_decides_nothing_in_production() -> None:
    draft = policy_set(by="")
    assert refusal(lambda: CedarPolicy(draft)) == "policy-unsigned"
    assert refusal(lambda: CedarPolicy(policy_set())) == "policy-unsigned"  # nobody looked
    assert refusal(lambda: CedarPolicy(draft, production=False)) == ""
    assert refusal(lambda: CedarPolicy(policy_set().verified(trust()))) == ""


def test_a_set_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    call = lambda: PolicySet.load(tmp_path / "none.json", trust())  # noqa: E731
    assert refusal(call) == "not-found"


FULL: dict[str, Any] = json.loads(canonical(policy_set().json))
RIGHT: tuple[dict[str, Any], ...] = (
    {}, {"facts": ABSENT}, {"signatures": ABSENT}, {"policies": "\t//\n" + ALL},
)  # fmt: skip
WRONG: tuple[dict[str, Any], ...] = (
    *({name: ABSENT} for name in FULL if name not in ("facts", "signatures")),
    *({name: None} for name in FULL),
    {"version": 2},
    {"revision": 0},
    {"revision": 1.5},
    {"revision": "1"},
    {"language": "rego"},
    {"policies": ""},
    {"policies": "permit (principal, action, resource); // \u202e"},
    {"policies": "permit (principal, action, resource);\r\n"},
    {"facts": {}},
    {"facts": {"subject": {"a": "String"}}},
    {"facts": {"context": {}}},
    {"facts": {"context": {"a": "Number"}}},
    {"facts": {"context": {"__entity": "String"}}},
    {"facts": {"context": {"a b": "String"}}},
    {"facts": {"context": {"1a": "String"}}},
    {"signatures": []},
    {"signatures": ["a.b"]},
    {"signatures": "a.b.c"},
    {"threshold": 1},
    {"signers": {}},
)


def changed(change: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in (FULL | change).items() if one is not ABSENT}


@pytest.mark.parametrize("change", RIGHT)
def test_this_is_right(change: dict[str, Any]) -> None:
    assert schemas.validate("policy-set", changed(change)) == []
    assert refusal(lambda: PolicySet.parse(json.dumps(changed(change)).encode())) == ""


@pytest.mark.parametrize("change", WRONG)
def test_this_is_wrong(change: dict[str, Any]) -> None:
    assert schemas.validate("policy-set", changed(change)) != []
    call = lambda: PolicySet.parse(json.dumps(changed(change)).encode())  # noqa: E731
    assert refusal(call) == "policy-format"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"id": "a", "id": "b"}', b"\xff"])
def test_what_is_no_document_is_no_set(data: bytes) -> None:
    assert refusal(lambda: PolicySet.parse(data)) == "policy-format"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"version": 2},
        {"threshold": 0},
        {"threshold": 3},
        {"threshold": True},
        {"signers": {}},
        {"signers": {"ana": KEYS["a"].public.multikey}},
        {"signers": {SIGNERS["a"]: KEYS["b"].public.multikey}},
        {"signers": {SIGNERS["a"]: "z6Mk"}},
        {"signers": {
            "did:web:a.example": KEYS["a"].public.multikey,
            "did:web:b.example": KEYS["a"].public.multikey,
        }},
        {"revision": 1},
    ],
)  # fmt: skip
def test_whom_a_resource_trusts_is_closed(change: dict[str, Any]) -> None:
    right = trust().json
    code = refusal(lambda: PolicyTrust.from_json(right | change))
    assert code == ("policy-format" if change else "")
    assert (schemas.validate("policy-trust", right | change) == []) == (not change) or (
        change.get("threshold") == 3 or "signers" in change
    )


def test_a_signer_of_did_web_signs_with_the_pinned_key() -> None:
    key, who = PrivateKey(bytes([9]) * 32), "did:web:acme.example:people:sec"
    own = PolicyTrust.from_json(
        {"version": 1, "id": "acme-db", "threshold": 1, "signers": {who: key.public.multikey}}
    )
    assert refusal(lambda: sign(policy_set(by=""), key, who, T0).verified(own)) == ""
    other = sign(policy_set(by=""), KEYS["c"], who, T0)
    with pytest.raises(Error, match="policy-unsigned"):
        other.verified(own)

"""Provider labels: whose they are, for ever, and no look-alike beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ans.naming import Naming
from delegant.ans.holder import provider_claim
from delegant.ans.leaf import ProviderLeaf
from delegant.ans.receipt import check_receipt
from delegant.ans.signing import sign
from delegant.credentials import PrivateKey, canonical
from delegant.credentials.codec import JsonObject
from refusal import refusal

WEB = "did:web:rival.example"
LABEL = "rival-example"


@pytest.fixture
def naming(tmp_path: Path, database: str | None) -> Naming:
    """``AcmeLabs`` is the organisation's."""
    return Naming(tmp_path / "registry.db", database=database)


def bound(naming: Naming, receipt: JsonObject) -> ProviderLeaf:
    leaf = check_receipt(receipt, naming.did, naming.log).leaf
    assert isinstance(leaf, ProviderLeaf)
    return leaf


def test_a_binding_is_logged(naming: Naming) -> None:
    rival = naming.world.db.did
    leaf = bound(naming, naming.registry.bind_provider("Rival", rival, naming.now))
    assert (leaf.type, leaf.provider, leaf.shown) == ("bind", "rival", "Rival")
    assert (leaf.organization, leaf.basis, leaf.time) == (rival, "operator", naming.now)
    listed = {one["label"]: one for one in naming.registry.providers()}
    assert listed["Rival"] == {"label": "Rival", "organization": rival, "basis": "operator"}


def test_binding_again_is_the_same_entry_and_to_another_a_conflict(naming: Naming) -> None:
    own, rival = naming.world.org.did, naming.world.db.did
    first = naming.registry.bind_provider("AcmeLabs", own, naming.now)
    size = naming.registry.log.head().size
    for shown in ("AcmeLabs", "acmelabs", "ACMELABS"):
        assert naming.registry.bind_provider(shown, own, naming.now) == first
        assert refusal(
            lambda s=shown: naming.registry.bind_provider(s, rival, naming.now)
        ) == "name-taken"  # fmt: skip
    assert naming.registry.log.head().size == size


@pytest.mark.parametrize("label", ["AcmeLab5", "AcmeLabs", "Acrnelabs", "acme1abs", "AcmeIabs"])
def test_what_looks_like_another_s_label_is_refused(naming: Naming, label: str) -> None:
    rival = naming.world.db.did
    told = refusal(lambda: naming.registry.bind_provider(label, rival, naming.now))
    expected = {"AcmeLab5": "", "AcmeLabs": "name-taken"}.get(label, "name-confusable")
    assert told == expected
    # Its owner may have it, and then nobody else may have either.
    assert naming.registry.bind_provider("Acrnelabs", naming.world.org.did, naming.now)


@pytest.mark.parametrize("label", ["", "v1", "xn--a", "a.b", "-a", "a b", "é", "a" * 64])
def test_what_is_no_label_is_refused(naming: Naming, label: str) -> None:
    rival = naming.world.db.did
    assert refusal(lambda: naming.registry.bind_provider(label, rival, naming.now)) == "ans-name"
    assert naming.registry.bind_provider("a" * 63, rival, naming.now)


def test_what_is_no_organisation_is_refused(naming: Naming) -> None:
    assert refusal(lambda: naming.registry.bind_provider("Rival", "rival", naming.now)) == "shape"


# --- by the domain --------------------------------------------------------------------------


def claim(naming: Naming, **changes: Any) -> tuple[bytes, PrivateKey]:
    key = changes.pop("key", naming.world._key("rival"))
    own: dict[str, Any] = {"organization": WEB, "registry": naming.did, "label": LABEL}
    made = provider_claim(key, **(own | changes | {"at": changes.get("at", naming.now)}))
    return canonical(made), key


def test_a_domain_claims_its_own_label(naming: Naming) -> None:
    data, key = claim(naming)
    other = PrivateKey.generate().public
    receipt = naming.registry.claim_provider(data, [other, key.public], naming.now)
    leaf = bound(naming, receipt)
    assert (leaf.provider, leaf.organization, leaf.basis) == (LABEL, WEB, "domain")
    assert naming.registry.claim_provider(data, [key.public], naming.now) == receipt


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another's label": ({"label": "acme-example"}, "namespace"),
    "half a label": ({"label": "rival"}, "namespace"),
    "another registry": ({"registry": "did:key:z6MkkFQHJBaxZHXp923QH1oTyL7MuHqfH8LVZyUiC9hyyqrw"},
                         "audience"),
    "no did:web": ({"organization": "did:key:z6MkkFQHJBaxZHXp923QH1oTyL7MuHqfH8LVZyUiC9hyyqrw"},
                   "namespace"),
    "a path below a domain": ({"organization": f"{WEB}:people"}, "ans-name"),
    "a port": ({"organization": f"{WEB}%3A8443"}, "ans-name"),
    "no label": ({"label": "v1"}, "ans-name"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_claim_of_anything_else_is_refused(naming: Naming, case: str) -> None:
    changes, code = REFUSED[case]
    data, key = claim(naming, **changes)
    assert refusal(lambda: naming.registry.claim_provider(data, [key.public], naming.now)) == code
    good, key = claim(naming)
    assert naming.registry.claim_provider(good, [key.public], naming.now)


def test_a_claim_needs_a_key_that_the_domain_lists(naming: Naming) -> None:
    data, key = claim(naming)
    other = PrivateKey.generate().public
    for keys in ([], [other]):
        assert refusal(
            lambda k=keys: naming.registry.claim_provider(data, k, naming.now)
        ) == "holder-mismatch"  # fmt: skip
    assert naming.registry.claim_provider(data, [key.public], naming.now)


@pytest.mark.parametrize("off", [-301, 301])
def test_a_claim_is_of_now(naming: Naming, off: int) -> None:
    data, key = claim(naming, at=naming.now + off)
    assert refusal(
        lambda: naming.registry.claim_provider(data, [key.public], naming.now)
    ) == "invocation-expired"  # fmt: skip
    near, key = claim(naming, at=naming.now + (300 if off > 0 else -300))
    assert naming.registry.claim_provider(near, [key.public], naming.now)


def test_a_claim_is_a_closed_object(naming: Naming) -> None:
    key = naming.world._key("rival")
    made = provider_claim(key, WEB, naming.did, LABEL, at=naming.now)
    bare = {k: v for k, v in made.items() if k != "proof"}
    for wrong, code in (
        (bare | {"extra": 1}, "unknown-member"), (bare | {"version": 2}, "unknown-version"),
        ({k: v for k, v in bare.items() if k != "at"}, "shape"),
    ):  # fmt: skip
        data = canonical(sign(wrong, key, WEB, naming.now))
        assert refusal(
            lambda d=data: naming.registry.claim_provider(d, [key.public], naming.now)
        ) == code  # fmt: skip
    assert refusal(lambda: naming.registry.claim_provider(b"[", [key.public], naming.now)) == "json"
    assert naming.registry.claim_provider(canonical(made), [key.public], naming.now)


def test_a_domain_whose_label_is_taken_or_looks_taken_is_refused(naming: Naming) -> None:
    naming.registry.bind_provider("rival-exarnple", naming.world.org.did, naming.now)
    data, key = claim(naming)
    assert refusal(
        lambda: naming.registry.claim_provider(data, [key.public], naming.now)
    ) == "name-confusable"  # fmt: skip
    naming.registry.bind_provider("r1val-example", naming.world.org.did, naming.now)


def test_a_domain_with_endless_names_below_it_does_not_fill_the_log(naming: Naming) -> None:
    def send(number: int) -> str:
        label = f"n{number}-{LABEL}"
        web = f"did:web:n{number}.{WEB.removeprefix('did:web:')}"
        data, key = claim(naming, label=label, organization=web)
        return refusal(lambda: naming.registry.claim_provider(data, [key.public], naming.now))

    kept = [number for number in range(60) if send(number) == ""]
    assert 10 <= len(kept) <= 21
    assert send(70) == "unavailable"
    assert send(kept[0]) == ""  # what is bound may be asked for again
    assert naming.registry.bind_provider("Later", naming.world.org.did, naming.now)

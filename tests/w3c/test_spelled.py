"""A signature over RDF fits other JSON that says the same: what is judged is not said otherwise."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from delegant.credentials.shape import format_time
from delegant.w3c import status
from delegant.w3c.issue import RESERVED
from refusal import refusal
from w3cworld import HOLDER, T0, V2, codes, credential, issued, presentation, shown, verified

CREDENTIALS = "https://www.w3.org/2018/credentials#"
STATUS = "https://www.w3.org/ns/credentials/status#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
DATE = "http://www.w3.org/2001/XMLSchema#dateTime"
LIST = "https://example.org/status/1"
NAME = "urn:uuid:5f4b1cf0-0000-4000-8000-000000000001"

Document = dict[str, Any]


def by_iri(one: Document) -> None:
    one[f"{CREDENTIALS}validUntil"] = {"@value": one.pop("validUntil"), "@type": DATE}
    one[f"{CREDENTIALS}credentialStatus"] = one.pop("credentialStatus")


def by_alias(one: Document) -> None:
    one["@context"] = [V2, {"end": {"@id": f"{CREDENTIALS}validUntil", "@type": DATE},
                            "state": {"@id": f"{CREDENTIALS}credentialStatus", "@type": "@id"}}]  # fmt: skip  # noqa: E501
    one |= {"end": one.pop("validUntil"), "state": one.pop("credentialStatus")}


def by_prefix(one: Document) -> None:
    one["@context"] = [V2, {"c": CREDENTIALS}]
    one["c:validUntil"] = {"@value": one.pop("validUntil"), "@type": DATE}
    one["c:credentialStatus"] = one.pop("credentialStatus")


def beside(one: Document) -> None:
    moved = {name: one.pop(name) for name in ("validUntil", "credentialStatus")}
    one["@included"] = [{"id": one["id"], "type": one["type"], **moved}]


def reversed_(one: Document) -> None:
    entry = one.pop("credentialStatus")
    entry["@reverse"] = {f"{CREDENTIALS}credentialStatus": {"id": one["id"]}}
    one["@included"] = [entry]
    del one["validUntil"]


def nested(one: Document) -> None:
    one["@nest"] = {name: one.pop(name) for name in ("validUntil", "credentialStatus")}


WAYS = [by_iri, by_alias, by_prefix, beside, reversed_, nested]


def taken_back(**members: Any) -> Document:
    """A credential that is over, and has a status."""
    entry = status.entry(LIST, 7, "revocation")
    return credential(
        id=NAME, validUntil=format_time(T0 - 1), credentialStatus=entry, **members
    )  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_no_other_spelling_hides_an_end_or_a_status(way: Callable[[Document], None]) -> None:
    made = issued(taken_back(), suite="eddsa-rdfc-2022")
    assert codes(verified(made)) == ["expired", "status-missing"]
    other = copy.deepcopy(made)
    way(other)
    assert codes(verified(other)) == ["json-ld"]


def test_one_of_several_statuses_is_not_hidden_either() -> None:
    both = [status.entry(LIST, 7, one) for one in ("revocation", "suspension")]
    both[1] |= {"id": f"{LIST}#other"}
    made = issued(credential(id=NAME, credentialStatus=both), suite="eddsa-rdfc-2022")
    assert codes(verified(made)) == ["status-missing"]
    hidden = {**made, "credentialStatus": both[1], f"{CREDENTIALS}credentialStatus": both[0]}
    assert codes(verified(hidden)) == ["json-ld"]


def test_no_member_of_an_entry_is_hidden() -> None:
    entry = status.entry(LIST, 7, "revocation") | {
        "statusSize": 1,
        "statusMessage": [{"status": f"0x{n}", "message": "so"} for n in (0, 1)],
    }
    made = issued(credential(credentialStatus=entry), suite="eddsa-rdfc-2022")
    assert codes(verified(made)) == ["status-missing"]
    other = copy.deepcopy(made)
    other["credentialStatus"][f"{STATUS}statusSize"] = other["credentialStatus"].pop("statusSize")
    assert codes(verified(other)) == ["json-ld"]


def test_nothing_judged_stands_in_another_node_of_that_name() -> None:
    about_itself = {"id": NAME, "validUntil": format_time(T0 - 1)}
    scoped = {"validUntil": {"@id": f"{CREDENTIALS}validUntil", "@type": DATE}}
    subject = about_itself | {"@context": scoped}
    assert refusal(lambda: issued(credential(id=NAME, credentialSubject=subject))) == "json-ld"
    plain = subject | {"id": "did:example:subject"}
    assert refusal(lambda: issued(credential(id=NAME, credentialSubject=plain))) == ""


@pytest.mark.parametrize("way", WAYS)
def test_a_presented_credential_hides_nothing(way: Callable[[Document], None]) -> None:
    own = taken_back(issuer=HOLDER.did)
    made = issued(presentation(own), by=HOLDER, suite="ecdsa-rdfc-2019")
    assert codes(shown(made)) == ["expired", "status-missing"]
    other = copy.deepcopy(made)
    way(other["verifiableCredential"][0])
    assert codes(shown(other)) == ["json-ld"]


@pytest.mark.parametrize("kind", sorted(RESERVED))
def test_a_kind_with_a_command_of_its_own_is_not_issued_under_any_spelling(kind: str) -> None:
    iri = f"{STATUS}{kind}"
    head, tail = kind[:3], kind[3:]
    prefix = {head: {"@id": f"{STATUS}{head}", "@prefix": True}}
    for document, code in (
        (credential(**{TYPE: {"@id": iri}}), "json-ld"),
        (credential(context=[V2, {"isa": {"@id": TYPE, "@type": "@id"}}], isa=iri), "json-ld"),
        (credential(context=[V2, {"kind": "@type"}], kind=iri), "json-ld"),
        (credential(context=[V2, prefix], type=["VerifiableCredential", f"{head}:{tail}"]),
         "chain-type"),
        (credential(context=[V2, {"kind": "@type"}],
                    credentialSubject={"id": "did:example:1", "kind": iri}), "chain-type"),
        (credential(context=[V2, prefix],
                    credentialSubject={"id": "did:example:1", "type": f"{head}:{tail}"}),
         "chain-type"),
    ):  # fmt: skip
        assert refusal(lambda d=document: issued(d, suite="eddsa-rdfc-2022")) == code
    other = {head: {"@id": f"{STATUS}Other{head}", "@prefix": True}}
    fine = credential(context=[V2, other], type=["VerifiableCredential", f"{head}:{tail}"])
    assert refusal(lambda: issued(fine, suite="eddsa-rdfc-2022")) == ""

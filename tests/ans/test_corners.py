"""What a record and a name may not do, each beside what they may."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from ans.naming import NAME, Naming
from delegant.ans.holder import new_event
from delegant.ans.signing import sign
from delegant.credentials import Error


@pytest.fixture
def naming(tmp_path: Path) -> Naming:
    """A registry in which nothing is registered."""
    return Naming(tmp_path / "registry.db")


def test_a_record_names_the_whole_ancestry_and_nobody_else(naming: Naming) -> None:
    record = copy.deepcopy(naming.record())
    record.pop("proof")
    invented = record["sponsorship"]["identities"][0] | {"id": naming.world.id("invented")}
    record["sponsorship"]["identities"].append(invented)
    forged = sign(record, naming.bot.key, naming.bot.did, naming.now)
    with pytest.raises(Error, match="orphan-agent"):
        naming.send(naming.event(record=forged))
    assert naming.register()["leaf"]["seq"] == 0


@pytest.mark.parametrize(
    "address",
    ["http://", "http://user:pw@h.example/", "https://\\evil", "ftp://h.example/", "https://h/ x"],
)
def test_an_endpoint_is_a_plain_url(naming: Naming, address: str) -> None:
    record = copy.deepcopy(naming.record())
    record.pop("proof")
    record["endpoints"] = {"mcp": address}
    signed = sign(record, naming.bot.key, naming.bot.did, naming.now)
    with pytest.raises(Error, match="shape"):
        naming.send(naming.event(record=signed))
    assert naming.register()["leaf"]["seq"] == 0


def test_a_name_one_has_revoked_is_gone_for_oneself_too(naming: Naming) -> None:
    receipt = naming.register()
    with pytest.raises(Error, match="name-taken"):
        naming.send(naming.event(reason="again"))
    revoke = new_event(
        naming.bot.key, naming.bot.did, naming.did, NAME, "revoke", at=naming.now, receipt=receipt
    )
    assert naming.send(revoke)["leaf"]["seq"] == 1
    with pytest.raises(Error, match="ans-gone"):
        naming.send(naming.event(reason="once more"))

"""What an agent shows a registry besides its identity: its attestations, while they last."""

from __future__ import annotations

from pathlib import Path

import pytest

from delegant.cli.naming import _Holder
from delegant.credentials import Error
from delegant.wallet import Home, Passphrases

from .conftest import Shell

DAY = 86_400


def claims(shell: Shell, *files: str) -> set[str]:
    """The claims that ``bot`` shows."""
    home = Home(shell.folder / "acme", Passphrases(shell.folder.parent / "passphrase"))
    holder = _Holder(home, "bot", [Path(name) for name in files])
    return {one.claim for one in holder.evidence().attestations(holder.did)}


def test_attestations_of_here_go_along_and_others_are_named(acme: Shell) -> None:
    assert claims(acme) == set()
    acme.ok("attest", "bot", "--claim", "SOXComplianceCertified")
    acme.ok("attest", "helper", "--claim", "OfAnother")
    assert claims(acme) == {"SOXComplianceCertified"}
    bot = acme.json("agent", "show", "bot")["did"]
    acme.ok("init", "--org", "auditor.example")
    elsewhere = ["--home", str(acme.folder / "auditor")]
    acme.ok("attest", bot, "--claim", "Audited", "-o", "audited.json", *elsewhere)
    assert claims(acme) == {"SOXComplianceCertified"}
    assert claims(acme, "audited.json") == {"SOXComplianceCertified", "Audited"}


def test_what_is_over_is_not_shown(acme: Shell) -> None:
    acme.ok("attest", "bot", "--claim", "Short", "--until", "1d")
    acme.ok("attest", "bot", "--claim", "Long", "--until", "60d")
    assert claims(acme) == {"Short", "Long"}
    acme.now += 2 * DAY
    acme.ok("agent", "list")
    assert claims(acme) == {"Long"}


def test_what_is_no_attestation_is_refused(acme: Shell) -> None:
    (acme.folder / "odd.json").write_text("{}")
    with pytest.raises(Error):
        claims(acme, "odd.json")

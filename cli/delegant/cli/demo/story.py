"""The story, told from beginning to end; true only if every expectation held."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from delegant.ans import Client, RegistryTrust, Resolution, new_event, new_record, submission
from delegant.credentials import Bundle, Request, present
from delegant.wallet import delegate, files, load_trust

from . import show
from .account import Account, audited
from .attempts import Outcome, allowed, attempt, misuse, revocations
from .offline import asked
from .stage import DATABASE, Stage, staged

__all__ = ["run"]

NAME = "mcp://PaperQuery.Research.AcmeLabs.v1.0"
NEED = "db.read:urn:acme:papers:attenuation"


@dataclass
class Found:
    """What the story found."""

    outcomes: list[Outcome] = field(default_factory=list)
    resolution: Resolution | None = None
    offline: str = ""
    account: Account | None = None

    @property
    def held(self) -> bool:
        """Whether every expectation held, and the record has each refusal as it was answered."""
        refused = [(one.code, one.link) for one in self.outcomes if one.code is not None]
        return (
            bool(self.outcomes)
            and all(outcome.expected for outcome in self.outcomes)
            and self.resolution is not None
            and self.offline == "accepted"
            and self.account is not None
            and not self.account.problem
            and self.account.refusals == refused
        )


def run(keep: Path | None, *, as_json: bool) -> bool:
    """Tell the story.

    Args:
        keep: a new folder to leave everything in; by default a temporary one.
        as_json: print one JSON object instead of the account.

    Returns:
        Whether every expectation held.
    """
    tell = show.Quiet() if as_json else show.Teller()
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=False)
        found = _told(keep, tell)
    else:
        with tempfile.TemporaryDirectory(prefix="delegant-demo-") as folder:
            found = _told(Path(folder), tell)
    if as_json:
        print(json.dumps(_json(found), indent=2, ensure_ascii=False))
    tell.end(found.held)
    return found.held


def _told(folder: Path, tell: show.Teller) -> Found:
    found = Found()
    with staged(folder) as stage:
        names = {wallet.did: name for name, wallet in stage.wallets.items()}
        tell.chain(stage.links, names)
        for part, title in ((allowed(), "allowed"), (misuse(), "misuse")):
            tell.part(title)
            for one in part:
                found.outcomes.append(attempt(stage, one))
                tell.attempt(found.outcomes[-1])
        found.resolution = resolve(stage)
        tell.resolution(found.resolution, stage.registry)
        write_bundle(stage)
        found.offline = verify_offline(stage)
        tell.offline(found.offline, stage.folder / "bundle.json")
        tell.part("revocation")
        for one in revocations():
            found.outcomes.append(attempt(stage, one))
            tell.attempt(found.outcomes[-1])
        written = [one.event for one in found.outcomes if one.event is not None]
        found.account = audited(stage, written[-1], names)  # formatter's draft: the whole chain
        tell.account(found.account)
    return found


def resolve(stage: Stage) -> Resolution:
    """Register dbquery under a name over HTTP, and resolve it as a stranger would."""
    home, now = stage.home, int(time.time())
    registry = home.settings.registry
    subprocess.run(
        [sys.executable, "-m", "delegant.cli.main", "ans", "provider", "add", "AcmeLabs",
         "--home", str(home.path), "--passphrase-file", str(stage.folder / "passphrase")],
        check=True, capture_output=True,
    )  # fmt: skip
    grant = {"actions": ["ans.*"], "resources": [registry]}
    link = delegate(home, stage.wallets["ana"], "dbquery", [grant], now=now).link
    key, agent, evidence = stage.key("dbquery"), stage.did("dbquery"), stage.evidence()
    record = new_record(
        key, agent, NAME, {"mcp": "https://agents.acme.example/papers"}, evidence, at=now
    )
    event = new_event(key, agent, registry, NAME, "register", at=now, record=record)
    body, invocation = submission(key, [link], evidence, event, registry, at=now)
    trust = RegistryTrust.from_trust(load_trust(home.path / "trust"), registry)
    with Client(stage.registry, trust) as client:
        client.submit(body, invocation)
        return client.resolve(NAME)


def write_bundle(stage: Stage) -> None:
    """Dbquery's next request as one file."""
    now, links = int(time.time()), stage.links[:3]
    action, _, resource = NEED.partition(":")
    wanted = Request(action, resource, rows=3)
    shown = present(links, stage.key("dbquery"), audience=DATABASE, request=wanted, at=now)
    bundle = Bundle(shown, wanted, stage.evidence())
    files.write(stage.folder / "bundle.json", bundle.to_bytes() + b"\n")


def verify_offline(stage: Stage) -> str:
    """`delegant verify` on the file, in a process that ends if a socket is asked for."""
    try:
        said = asked(
            "verify", str(stage.folder / "bundle.json"), "--trust", str(stage.folder / "db-trust"),
            "--need", NEED, "--offline", "--no-remember", "--json",
        )  # fmt: skip
    except ValueError as exc:
        return str(exc)
    return str(said["state"])


def _json(found: Found) -> Any:
    return {
        "held": found.held,
        "attempts": [
            {
                "title": outcome.attempt.title,
                "accepted": outcome.code is None,
                "code": outcome.code,
                "link": outcome.link,
                "expected": outcome.expected,
            }
            for outcome in found.outcomes
        ],
        "resolution": found.resolution and found.resolution.json,
        "offline": found.offline,
        "answers": found.account and found.account.answers,
        "record": found.account and found.account.json,
    }

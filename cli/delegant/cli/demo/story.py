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
from delegant.credentials import Authorization, Bundle, Request, present, verify
from delegant.credentials.codec import JsonObject
from delegant.wallet import delegate, files, load_trust

from . import show
from .attempts import Outcome, allowed, attempt, misuse, revocations
from .stage import DATABASE, Stage, staged

__all__ = ["run"]

NAME = "mcp://PaperQuery.Research.AcmeLabs.v1.0"
NEED = "db.read:urn:acme:papers:attenuation"


@dataclass
class Account:
    """What the story found."""

    outcomes: list[Outcome] = field(default_factory=list)
    resolution: Resolution | None = None
    offline: str = ""
    answers: JsonObject = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether every expectation held."""
        return (
            bool(self.outcomes)
            and all(outcome.expected for outcome in self.outcomes)
            and self.resolution is not None
            and self.offline == "accepted"
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
        account = _told(keep, tell)
    else:
        with tempfile.TemporaryDirectory(prefix="delegant-demo-") as folder:
            account = _told(Path(folder), tell)
    if as_json:
        print(json.dumps(_json(account), indent=2, ensure_ascii=False))
    tell.end(account.held)
    return account.held


def _told(folder: Path, tell: show.Teller) -> Account:
    account = Account()
    with staged(folder) as stage:
        names = {wallet.did: name for name, wallet in stage.wallets.items()}
        tell.chain(stage.links, names)
        for part, title in ((allowed(), "allowed"), (misuse(), "misuse")):
            tell.part(title)
            for one in part:
                account.outcomes.append(attempt(stage, one))
                tell.attempt(account.outcomes[-1])
        account.resolution = resolve(stage)
        tell.resolution(account.resolution, stage.registry)
        yes = write_bundle(stage)
        account.offline = verify_offline(stage)
        tell.offline(account.offline, stage.folder / "bundle.json")
        account.answers = four_answers(yes, names)
        tell.answers(account.answers)
        tell.part("revocation")
        for one in revocations():
            account.outcomes.append(attempt(stage, one))
            tell.attempt(account.outcomes[-1])
    return account


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


def write_bundle(stage: Stage) -> Authorization:
    """Dbquery's next request as one file, and the resource's own view of it."""
    now, links = int(time.time()), stage.links[:3]
    action, _, resource = NEED.partition(":")
    asked = Request(action, resource, rows=3)
    shown = present(links, stage.key("dbquery"), audience=DATABASE, request=asked, at=now)
    bundle = Bundle(shown, asked, stage.evidence())
    files.write(stage.folder / "bundle.json", bundle.to_bytes() + b"\n")
    trust = load_trust(stage.folder / "db-trust")
    return verify(bundle.presentation, bundle.evidence, trust, asked, at=now)


def verify_offline(stage: Stage) -> str:
    """`delegant verify` on the file, in a process that ends if a socket is asked for."""
    done = subprocess.run(
        [sys.executable, "-m", "delegant.cli.demo.offline", "verify",
         str(stage.folder / "bundle.json"), "--trust", str(stage.folder / "db-trust"),
         "--need", NEED, "--offline", "--no-remember", "--json"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        return f"exit {done.returncode}: {(done.stdout + done.stderr)[:300]}"
    return str(json.loads(done.stdout)["state"])


def four_answers(yes: Authorization, names: dict[str, str]) -> JsonObject:
    """Which agent, who authorised it, what was it allowed, how did it get that."""
    return {
        "whichAgent": {"name": names[yes.actor], "did": yes.actor},
        "authorisedBy": [{"name": names[did], "did": did} for did in yes.path[:-1]],
        "permissions": yes.effective.json,
        "howObtained": [
            {"from": names[link.issuer], "to": names[link.subject], "link": link.id,
             "digest": link.digest}
            for link in yes.links
        ],
    }  # fmt: skip


def _json(account: Account) -> Any:
    return {
        "held": account.held,
        "attempts": [
            {
                "title": outcome.attempt.title,
                "accepted": outcome.code is None,
                "code": outcome.code,
                "link": outcome.link,
                "expected": outcome.expected,
            }
            for outcome in account.outcomes
        ],
        "resolution": account.resolution and account.resolution.json,
        "offline": account.offline,
        "answers": account.answers,
    }

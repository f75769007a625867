"""The broker: it holds a mandate, or is the human who is present, and grants one task at a time.

    broker = Broker(home, home.open_wallet("agent", "broker"))
    link = broker.grant(Ask(bot.did, "T-17", grants, seconds=120))

It is asked, asks its policy, and signs one link below what it holds: never more than that, never
for longer than an hour, always bound to the task. When the task is over it closes the link.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from delegant.credentials import Evidence, Link, shape
from delegant.credentials.codec import JsonObject
from delegant.credentials.credential import GRANT_HARD_SECONDS
from delegant.credentials.envelope import unpack
from delegant.credentials.errors import Error, error
from delegant.credentials.verdict import Limit
from delegant.wallet import Home, Wallet, delegate, files, gather

from .closing import Closed, publish
from .deciding import ALLOW, Decision, Policy, answering

__all__ = ["GRANT_SECONDS", "Ask", "Broker", "complete", "records"]

GRANT_SECONDS: Final = 900
START: Final = "task.start"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a broker.

    Attributes:
        agent: the DID of whoever shall act.
        task: its id. initiation: human_request, schedule or agent_decision.
        grants: ``[{"actions": […], "resources": […]}]``. constraints: wire form, without ``task``.
        seconds: how long; by default what the broker grants at most.
        justification: for people and the policy, 1 to 256 characters, or empty.
        spawn: whether sub-agents may be made for it.
    """

    agent: str
    task: str
    grants: tuple[JsonObject, ...]
    constraints: Mapping[str, Any] = field(default_factory=dict)
    seconds: int | None = None
    initiation: str = "human_request"
    justification: str = ""
    spawn: bool = False

    @property
    def json(self) -> JsonObject:
        """What a policy and a record see."""
        return {
            "task": self.task, "initiation": self.initiation, "justification": self.justification,
            "agent": self.agent, "grants": list(self.grants), "constraints": dict(self.constraints),
            "seconds": self.seconds, "spawn": self.spawn,
        }  # fmt: skip


class Broker:
    """Grants tasks under what one wallet holds.

    Args:
        home: where links, identities and status bits are.
        holder: the open wallet of the agent with the mandate, or of the human who is present.
        organization: the organisation's wallet, to publish what was closed; without it a closed
            grant is refused here at once, and elsewhere when it expires.
        mandate: what an agent continues; by default its newest that covers what is asked.
        policy: asked before each grant.
        closed: shared with the enforcement points of this process.
        longest: seconds that a grant lives at most, up to an hour.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        home: Home,
        holder: Wallet,
        *,
        organization: Wallet | None = None,
        mandate: Link | None = None,
        policy: Policy | None = None,
        closed: Closed | None = None,
        longest: int = GRANT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not 0 < longest <= GRANT_HARD_SECONDS:
            raise error("ttl-too-long", f"a task grant lives at most {GRANT_HARD_SECONDS} s")
        self.home = home
        self.closed = Closed() if closed is None else closed
        self.clock = clock
        self._holder = holder
        self._organization = organization
        self._mandate = mandate
        self._policy = policy
        self._longest = longest

    @property
    def now(self) -> int:
        """Whole seconds since 1970."""
        return int(self.clock())

    def grant(self, ask: Ask) -> tuple[Link, ...]:
        """Decide, and sign one link for one task.

        Returns:
            The whole chain, root first.

        Raises:
            Rejected: ``ttl-too-long``, ``policy``, ``no-grant`` where nothing is held that covers
            it, ``scope-widened``, ``depth`` and what else `delegate` raises.
            Undecided: ``policy-deferred``, ``approval-missing``. Malformed: ``shape``.
            Unavailable: ``unavailable``.
        """
        if ask.seconds is not None and ask.seconds > self._longest:
            raise error("ttl-too-long", f"a task is granted {self._longest} s at most")
        if "task" in ask.constraints:
            raise error("shape", "the task is named once, beside the constraints")
        if ask.justification:
            shape.text(ask.justification, "justification")
        above = self._above(ask)
        decision, rules = self._decided(ask, above)
        made = delegate(
            self.home, self._holder, ask.agent, list(ask.grants), now=self.now,
            constraints=rules | {"task": {"id": ask.task, "initiation": ask.initiation}},
            seconds=ask.seconds or self._life(above), remaining=int(ask.spawn), spawn=ask.spawn,
            above=above,
        )  # fmt: skip
        _write(self.home, made.link, ask.json | {
            "version": 1, "link": made.link.id, "policy": list(decision.policy),
            "opened": shape.format_time(made.link.valid_from),
            "until": shape.format_time(made.link.valid_until),
        })  # fmt: skip
        return (*made.above, made.link)

    def close(self, link: Link, why: str = "the task is complete") -> None:
        """End a grant, with everything below it: here at once, then for everybody.

        Raises:
            Error: what failed on the way; here it is closed all the same.
        """
        self.closed.add(link, self.now)
        complete(self.home, self._organization, link, self.now, why)

    def evidence(self, people: Iterable[str]) -> Evidence:
        """What the home has about these humans and agents, now."""
        return gather(self.home, people)

    # --- inside ---------------------------------------------------------------------------------

    def _above(self, ask: Ask) -> Link | None:
        """What is continued: the holder's newest live mandate that covers all; None for a human."""
        if self._holder.kind == "human":
            return None
        now = self.now
        held = [self._mandate] if self._mandate is not None else list(self.home.links())
        live = [
            link
            for link in held
            if link.subject == self._holder.did
            and link.use == "mandate"
            and link.valid_from <= now < link.valid_until
            and all(
                link.authority.covers(action, resource)
                for one in ask.grants
                for action in one["actions"]
                for resource in one["resources"]
            )
        ]
        if not live:
            raise error("no-grant", f"{self._holder.name} holds no live mandate that covers this")
        return live[-1]

    def _life(self, above: Link | None) -> int:
        """By default as long as may be, and not beyond the mandate."""
        most = min(self._longest, GRANT_SECONDS)
        return most if above is None else min(most, above.valid_until - self.now)

    def _decided(self, ask: Ask, above: Link | None) -> tuple[Decision, JsonObject]:
        rules = dict(ask.constraints)
        if self._policy is None:
            return ALLOW, rules
        with answering("the policy"):
            decision = self._policy.decide(self._facts(ask, above))
        refused = decision.refusal()
        if refused is not None:
            raise refused
        if decision.effect == "step_up":
            raise error("approval-missing", f"{decision.policy[0]}: a human must open this task")
        if decision.effect == "modify":
            if decision.limits is None:
                raise error("unavailable", "the policy narrows, and does not say to what")
            held = {} if above is None else above.authority.json.get("constraints", {})
            rules |= _narrowed({**held, **rules}, decision.limits)
        return decision, rules

    def _facts(self, ask: Ask, above: Link | None) -> JsonObject:
        """As a resource's policy sees them; of the agent, what this home knows of it."""
        try:
            identity = unpack(self.home.subject(ask.agent).credential).document["credentialSubject"]
        except Error:
            identity = {}
        path = [] if above is None else [*(link.issuer for link in self.home.chain(above))]
        return {
            "agent": ask.agent,
            "sponsor": self._holder.did if above is None else above.sponsor,
            "organization": self.home.settings.organization,
            "path": [*path, self._holder.did],
            "depth": len(path) + 1,
            "grant": "" if above is None else above.id,
            "action": START,
            "resource": self.home.settings.organization,
            "request": ask.json,
            "time": shape.format_time(self.now),
            "identity": identity,
            "context": {},
        }


def complete(home: Home, organization: Wallet | None, link: Link, now: int, why: str) -> None:
    """Put on record that a grant is closed, and tell everybody.

    Args:
        organization: its open wallet; without it, nothing is published.

    Raises:
        Error: what `publish` raises.
    """
    path = _path(home, link)
    if path.is_file():
        told = files.read_object(path)
        if "closed" not in told:
            _write(home, link, told | {"closed": shape.format_time(now)})
    if organization is not None and now < link.valid_until:
        publish(home, organization, link, now, why)


def records(home: Home) -> list[JsonObject]:
    """Every task grant of a home, oldest first: what was asked, until when, when it was closed."""
    found = [files.read_object(path) for path in (home.path / "tasks").glob("*.json")]
    return sorted(found, key=lambda one: (str(one.get("opened")), str(one.get("link"))))


def _write(home: Home, link: Link, told: JsonObject) -> None:
    path = _path(home, link)
    files.make_folder(path.parent)
    files.write_json(path, told)


def _path(home: Home, link: Link) -> Path:
    return home.path / "tasks" / f"{link.id.removeprefix('urn:uuid:')}.json"


def _narrowed(rules: JsonObject, limits: Limit) -> JsonObject:
    """The constraints on results that both allow."""
    asked = Limit(
        rules.get("rows", {}).get("max"),
        rules.get("bytes", {}).get("max"),
        frozenset(rules["columns"]) if "columns" in rules else None,
    )
    both = asked.meet(limits)
    out: JsonObject = {}
    if both.rows is not None:
        out["rows"] = {"max": both.rows}
    if both.bytes is not None:
        out["bytes"] = {"max": both.bytes}
    if both.columns is not None:
        if not both.columns:
            raise error("policy", "the policy leaves no column of those that were asked for")
        out["columns"] = sorted(both.columns)
    return out

"""A process that acts through a ledger in many threads until it is killed, and says what it hears.

Usage: hammer.py FOLDER THREADS TOTAL, where TOTAL is what the acts may cost in all; the log is
made if there is none. First the keys of the budgets are said: ``budgets KEY …``. Each line on
standard input is one round: the numbers of the acts. A round is a forked child, whose pid is said
first; the calls are signed and verified before, so that the child does nothing but act. What is
done with an act follows from its number: see `Hammer.one`.

Lines on standard output, each written whole: ``pid P``, ``open SECONDS``, ``sent N``,
``ok N EVENT NUMBER``, ``done N NUMBER AMOUNT``, ``told N NUMBER``, ``no N CODE``, ``end``,
``ended``.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from delegant.credentials import Authorization, Error, Link, Presentation, Request
from delegant.credentials.errors import error
from delegant.governance.auditlog import AuditLog
from delegant.governance.ledger import Ledger
from governance.auditing import PASSPHRASE, TOPIC, Auditing

PAPERS = "db.read urn:acme:papers:**"
AMOUNT = 10
COST = 4


def _say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Hammer:
    """A resource whose log is closed, and who acts at it."""

    def __init__(self, auditing: Auditing, threads: int, total: int) -> None:
        auditing.log.close()
        self.auditing = auditing
        self.threads = threads
        self.links = siblings(auditing, total)
        self.evidence = auditing.world.evidence()
        self.signed: dict[int, tuple[Authorization, Request, Presentation]] = {}

    @property
    def keys(self) -> list[str]:
        """Of the budgets: each link has one, and all share the first."""
        return [self.links[0][0].digest, *(chain[-1].digest for chain in self.links)]

    def sign(self, number: int) -> None:
        """Present an act and verify it, once."""
        if number not in self.signed:
            request = Request("db.read", TOPIC, amount={"unit": "EUR:2", "value": str(AMOUNT)})
            self.signed[number] = self.auditing.asked(
                self.links[number % 2], request, evidence=self.evidence
            )

    def round(self, numbers: list[int]) -> None:
        """All that a child does, until it is killed."""
        began = time.monotonic()
        self.ledger = Ledger(AuditLog.open(self.auditing.folder, PASSPHRASE))
        _say("open", time.monotonic() - began)
        left, taking = iter(numbers), threading.Lock()

        def client() -> None:
            while True:
                with taking:
                    number = next(left, None)
                if number is None:
                    return
                self.one(number)

        threads = [threading.Thread(target=client) for _ in range(self.threads)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        _say("end")
        time.sleep(60)

    def one(self, number: int) -> None:
        """One act: settled for less, released, failed or left open; now and then a refusal."""
        now, ledger = self.auditing.now, self.ledger
        auth, request, shown = self.signed[number]
        _say("sent", number)
        try:
            if number % 8 == 7:
                told = error("no-grant", "no")
                _say("told", number, ledger.refuse(told, presentation=shown, at=now).number)
            permit = ledger.permit(
                auth, request, presentation=shown, evidence=self.evidence, at=now
            )
            _say("ok", number, permit.event, permit.number)
            if number % 4 == 0:
                _say("done", number, ledger.settle(permit, amount=COST, at=now), COST)
            elif number % 4 == 1:
                _say("done", number, ledger.release(permit, at=now), 0)
            elif number % 4 == 2:
                _say("done", number, ledger.fail(permit, "unavailable", at=now), AMOUNT)
        except Error as exc:
            _say("no", number, exc.code)


def siblings(auditing: Auditing, total: int) -> tuple[list[Link], list[Link]]:
    """Two chains whose upper link is the same, with a budget that both share."""
    rule = {"budget": auditing.budget(total)}
    top = auditing.link(constraints=rule, remaining=1, lease=16)
    chains = []
    for name in ("left", "right"):
        child = auditing.world.agent(name, auditing.ana)
        own = auditing.world.delegate(
            auditing.bot, child, [PAPERS], above=[top], constraints=rule,
            id=auditing.world.id(f"link/{name}"),
        )  # fmt: skip
        chains.append([top, own])
    return chains[0], chains[1]


def main() -> None:
    folder, threads, total = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    hammer = Hammer(Auditing(folder), threads, total)
    _say("budgets", *hammer.keys)
    for line in sys.stdin:
        numbers = [int(one) for one in line.split()]
        for number in numbers:
            hammer.sign(number)
        child = os.fork()
        if child == 0:
            hammer.round(numbers)
            os._exit(0)
        _say("pid", child)
        os.waitpid(child, 0)
        _say("ended")


if __name__ == "__main__":
    main()

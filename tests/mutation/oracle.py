"""What kills: the limbo cases asked in this process, then tests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

__all__ = ["TESTS", "Cases"]

_EDGE: Final = re.compile("limit|bound|exact|longest|shortest|largest|smallest|equal|widest")
HERE: Final = Path(__file__).resolve().parent
TESTS: Final = ("credentials", "properties", "vectors")
"""The folders of tests that are run where no case tells."""


class Cases:
    """The limbo cases, imported only when asked for: the core may be another by then."""

    def __init__(self) -> None:
        from delegant.cli.limbo import client
        from delegant.cli.limbo.cases import load

        every = load(HERE.parent / "limbo" / "cases")
        # Those at a limit first. Cases of one kind stand together, so walk with a stride.
        stride = 97
        edges = [case for case in every if _EDGE.search(case.id)]
        rest = [case for case in every if not _EDGE.search(case.id)]
        strode = [rest[i] for first in range(stride) for i in range(first, len(rest), stride)]
        self._cases = {case.id: case for case in [*edges, *strode]}
        self._answer: Any = client.answer

    @property
    def ids(self) -> list[str]:
        """All, in an order in which every kind comes early."""
        return list(self._cases)

    def ask(self, id_: str) -> None:
        """Let the core run one."""
        self._answer(self._cases[id_].question)

    def wrong(self, ids: Iterable[str]) -> str | None:
        """The first of these cases that gets another answer, or costs more signatures."""
        with _Counter() as counter:
            for id_ in ids:
                case = self._cases[id_]
                counter.count = 0
                try:
                    said = self._answer(case.question)
                except Exception:  # noqa: BLE001 - a stray exception is a wrong answer
                    return id_
                if (said.state, said.code, said.link) != (case.state, case.code, case.link):
                    return id_
                if case.most_signatures is not None and counter.count > case.most_signatures:
                    return id_
        return None


class _Counter:
    """Counts signature checks."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> _Counter:
        from delegant.credentials import PublicKey

        self._honest = PublicKey.verify

        counter = self

        def verify(self: PublicKey, signature: bytes, message: bytes) -> bool:
            counter.count += 1
            return counter._honest(self, signature, message)

        PublicKey.verify = verify  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        from delegant.credentials import PublicKey

        PublicKey.verify = self._honest  # type: ignore[method-assign]

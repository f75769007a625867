"""Right, right in part, or wrong: every answer against its case, and the report of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .cases import AnyCase
from .protocol import Answer
from .targets import Target

__all__ = ["Report", "Result", "judge", "outcome"]

LISTED: Final = 40
"""How many results that are not right a report for people lists."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case.

    ``outcome``: ``pass``; ``partial`` (the state is right, code or link is another); ``fail``;
    ``xfail`` (known to fail); ``xpass`` (said to fail, and passes: take it off the list);
    ``skip`` (it needs a feature the target lacks).
    """

    case: AnyCase
    answer: Answer | None
    outcome: str
    why: str = ""

    @property
    def json(self) -> dict[str, Any]:
        """For machines."""
        out: dict[str, Any] = {"id": self.case.id, "outcome": self.outcome}
        if self.why:
            out["why"] = self.why
        if self.answer is not None:
            out |= {"state": self.answer.state, "code": self.answer.code, "link": self.answer.link}
            if self.answer.ms is not None:
                out |= {
                    "chainSignatures": self.answer.chain,
                    "evidenceSignatures": self.answer.evidence,
                    "ms": round(self.answer.ms, 2),
                }
        return out


def outcome(case: AnyCase, said: Answer) -> tuple[str, str]:
    """Whether an answer is right, and what is wrong with it."""
    if said.state != case.state:
        if said.state == "none":
            return "fail", said.fault or "no answer"
        kind = "ACCEPTS WHAT MUST BE REFUSED" if said.state == "accepted" else "another state"
        return "fail", f"{kind}: {_told(said)}, not {_told(case)}"
    checks = (said.chain or 0) + (said.evidence or 0)
    if case.most_signatures is not None and checks > case.most_signatures:
        return "fail", f"{checks} signature checks, at most {case.most_signatures}"
    if case.most_ms is not None and said.ms is not None and said.ms > case.most_ms:
        return "fail", f"{said.ms:.0f} ms, at most {case.most_ms}"
    if (said.code, said.link) != (case.code, case.link):
        return "partial", f"{_told(said)}, not {_told(case)}"
    return "pass", ""


def _told(one: AnyCase | Answer) -> str:
    where = "" if one.link is None else f" at link {one.link}"
    return one.state + (f" {one.code}{where}" if one.code else "")


def judge(
    cases: Sequence[AnyCase],
    target: Target,
    xfails: frozenset[str] = frozenset(),
    without: frozenset[str] = frozenset(),
) -> Report:
    """Ask the target every case, and hold each refusal to its accepted twin.

    Args:
        cases: to be asked, in this order.
        target: whom to ask.
        xfails: the ids known to fail.
        without: features the target lacks; cases that need one are skipped.
    """
    answers = {case.id: target.answer(case) for case in cases if not case.features & without}
    results: list[Result] = []
    for case in cases:
        said = answers.get(case.id)
        if said is None:
            results.append(Result(case, None, "skip", ", ".join(sorted(case.features & without))))
            continue
        found, why = outcome(case, said)
        twin = answers.get(case.twin or "")
        if found != "fail" and twin is not None and twin.state != "accepted":
            found, why = "fail", f"right for nothing: its twin {case.twin} is {_told(twin)}"
        if case.id in xfails:
            found = "xpass" if found == "pass" else "xfail"
        results.append(Result(case, said, found, why))
    unknown = sorted(xfails - {case.id for case in cases})
    return Report(target.name, tuple(results), tuple(unknown))


@dataclass(frozen=True, slots=True)
class Report:
    """All results of one target. ``unknown`` are expected failures that are no case."""

    target: str
    results: tuple[Result, ...]
    unknown: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each outcome."""
        return Counter(result.outcome for result in self.results)

    @property
    def namespaces(self) -> dict[str, Counter[str]]:
        """The same, by namespace."""
        out: dict[str, Counter[str]] = {}
        for result in self.results:
            out.setdefault(result.case.namespace, Counter())[result.outcome] += 1
        return out

    @property
    def status(self) -> int:
        """0 all passed, 3 some only in part, 1 some failed."""
        if self.counts.get("fail") or self.counts.get("xpass"):
            return 1
        return 3 if self.counts.get("partial") else 0

    @property
    def json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "target": self.target,
            "total": len(self.results),
            "outcomes": dict(sorted(self.counts.items())),
            "namespaces": {
                name: {"total": counts.total(), **dict(sorted(counts.items()))}
                for name, counts in self.namespaces.items()
            },
            "results": [result.json for result in self.results],
            "unknownXfails": list(self.unknown),
        }

    @property
    def text(self) -> str:
        """For people: a line a namespace, what is not right, the sum."""
        lines = [f"{'':14}{'cases':>7}  outcome"]
        for name, counts in self.namespaces.items():
            lines.append(f"{name:14}{counts.total():7}  {_counted(counts)}")
        wrong = [r for r in self.results if r.outcome in ("fail", "partial", "xpass")]
        lines += [f"{r.outcome}: {r.case.id}: {r.why}" for r in wrong[:LISTED]]
        if len(wrong) > LISTED:
            lines.append(f"… and {len(wrong) - LISTED} more; --json has all")
        lines += [f"no such case: {one}" for one in self.unknown]
        timed = [r for r in self.results if r.answer is not None and r.answer.ms is not None]
        if timed:
            slow = max(timed, key=_ms)
            most = [max(getattr(r.answer, kind) for r in timed) for kind in ("chain", "evidence")]
            lines.append(
                f"at most {most[0]} signature checks for a chain, {most[1]} for evidence, "
                f"{_ms(slow):.1f} ms ({slow.case.id})"
            )
        lines.append(f"{len(self.results)} cases put to {self.target}: {_counted(self.counts)}")
        return "\n".join(lines)


def _ms(result: Result) -> float:
    return 0.0 if result.answer is None or result.answer.ms is None else result.answer.ms


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))

"""Resolving by name and by capability, beside nginx that serves the very bytes."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.measure import Figure

from .effort import Effort
from .homes import CAPABILITIES, Populated, capability_of, name_of, populated
from .load import Asked, Filled, Reply, ask, fill, get
from .processes import Running, delegant, nginx, program

__all__ = ["by_capability", "by_name", "path_of_name", "zipf"]

CONNECTIONS = 16
HEAD_BYTES = 600
"""An answer 304 is no longer; where the mean is, some were whole."""


def path_of_name(number: int) -> str:
    """What one asks for a name."""
    return "/v1/resolve?name=" + quote(name_of(number), safe="")


def zipf(size: int, draws: int, seed: int = 20261125) -> list[int]:
    """Numbers below ``size``, that of rank k drawn 1/k as often as the first; ranks shuffled."""
    lots = random.Random(seed)
    ranked = list(range(size))
    lots.shuffle(ranked)
    weights = list(accumulate(1 / rank for rank in range(1, size + 1)))
    return lots.choices(ranked, cum_weights=weights, k=draws)


class Files:
    """The bytes that the server answered, as files of nginx."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, number: int, reply: Reply) -> None:
        """One answer."""
        assert reply.status == 200
        (self.folder / f"{number}").write_bytes(reply.body)

    @staticmethod
    def path(number: int, asked: str) -> str:
        """What nginx is asked for it: as long a request as the server's own."""
        return f"/{number}?" + asked.partition("?")[2]


def by_name(effort: Effort) -> tuple[dict[str, Figure | None], dict[str, Any]]:
    """The rows hot, 304 and cold over one home."""
    home = populated(effort.names, effort.homes)
    draws = zipf(effort.names, effort.draws)
    hot = sorted(set(draws))
    known = set(hot)
    cold = [number for number in range(effort.names) if number not in known]
    random.Random(1).shuffle(cold)
    with _both(home) as (ours, theirs, files):
        first = ask(ours, [get(path_of_name(n)) for n in hot], CONNECTIONS, keep=1)
        _good(first)
        size = len(first.replies[0].body)
        for at, number in enumerate(hot):
            files.put(number, first.replies[at])
        paths = {
            "ours": [path_of_name(n) for n in draws],
            "nginx": [files.path(n, path_of_name(n)) for n in draws],
        }
        tags = _etags(theirs, [files.path(n, path_of_name(n)) for n in hot])
        their_tags = dict(zip(hot, tags, strict=True))
        rounds: dict[str, list[tuple[Filled | Asked, Filled]]] = {
            "hot": [], "304": [], "cold": [],
        }  # fmt: skip
        fill(theirs, paths["nginx"], 1)  # its open files
        for turn in range(effort.rounds):
            warm = ask(ours, [get(path_of_name(n)) for n in hot], CONNECTIONS, keep=1)
            _good(warm)
            mine = fill(ours, paths["ours"], effort.seconds, connections=CONNECTIONS)
            base = fill(theirs, paths["nginx"], effort.seconds, connections=CONNECTIONS)
            rounds["hot"].append((mine, base))
            warm = ask(ours, [get(path_of_name(n)) for n in hot], CONNECTIONS, keep=1)
            my_tags = {number: warm.replies[at].etag for at, number in enumerate(hot)}
            mine = fill(ours, _tagged(paths["ours"], draws, my_tags), effort.seconds)
            fresh = fill(theirs, _tagged(paths["nginx"], draws, their_tags), effort.seconds)
            rounds["304"].append((mine, fresh))
            part = cold[turn * effort.cold : (turn + 1) * effort.cold]
            asked = ask(ours, [get(path_of_name(n)) for n in part], CONNECTIONS)
            _good(asked)
            rounds["cold"].append((asked, base))
    figures: dict[str, Figure | None] = {
        f"resolve_{row}_vs_nginx": Figure.of([a.rate / b.rate for a, b in pairs])
        for row, pairs in rounds.items()
    }
    if (
        max(one.size for pair in rounds["304"] for one in pair if isinstance(one, Filled))
        > HEAD_BYTES
    ):
        figures["resolve_304_vs_nginx"] = None  # too slow to ask while the etags were good
    details = {
        "names": effort.names,
        "warm_seconds": round(warm.seconds, 1),
        "draws": len(draws),
        "names_drawn": len(hot),
        "body_bytes": size,
        "connections": CONNECTIONS,
    } | {row: _told(pairs) for row, pairs in rounds.items()}
    return figures, details


def by_capability(effort: Effort) -> tuple[dict[str, Figure | None], dict[str, Any]]:
    """The rows hot, cold and p99 for each size of home; the flat lines of the plot."""
    figures: dict[str, Figure | None] = {}
    details: dict[str, Any] = {"sizes": list(effort.sizes), "capabilities": CAPABILITIES}
    for size in effort.sizes:
        home = populated(size, effort.homes)
        figure, told = _capability(home, effort)
        details[str(size)] = told
        if size == effort.standard:
            figures = figure
    return figures, details


def _capability(home: Populated, effort: Effort) -> tuple[dict[str, Figure | None], dict[str, Any]]:
    asked = ["/v1/resolve?capability=" + quote(capability_of(n)) for n in range(CAPABILITIES)]
    names = [path_of_name(n) for n in range(min(home.size, effort.cold))]
    random.Random(2).shuffle(names)
    with _both(home) as (ours, theirs, files):
        # Every question is another one, so none is answered from what was kept.
        questions = _questions(effort.questions)
        single = ask(ours, [get(one) for one in questions], 1)
        _good(single)
        cold_name = ask(ours, [get(one) for one in names], CONNECTIONS)
        _good(cold_name)
        pairs: list[tuple[Filled | Asked, Filled]] = []
        for turn in range(effort.rounds):
            warm = ask(ours, [get(one) for one in asked], CONNECTIONS, keep=1)
            _good(warm)
            if turn == 0:
                found = [json.loads(warm.replies[at].body) for at in range(len(asked))]
                results = [len(one["resolvedAgents"]) for one in found]
                assert min(results) == min(10, home.size // CAPABILITIES)
                for at in range(len(asked)):
                    files.put(at, warm.replies[at])
            mine = fill(ours, asked, effort.seconds, connections=CONNECTIONS)
            served = [files.path(at, one) for at, one in enumerate(asked)]
            base = fill(theirs, served, effort.seconds, connections=CONNECTIONS)
            pairs.append((mine, base))
        resident = _resident(ours)
    ratio = Figure.of([a.rate / b.rate for a, b in pairs])
    alone = single.percentiles[98]
    full = max(a.p99_ms for a, _ in pairs if isinstance(a, Filled))
    worst = max(alone, full)
    told = {
        "results": max(results),
        "body_bytes": round(sum(len(one.body) for one in warm.replies.values()) / len(asked)),
        "hot": _told(pairs),
        "hot_vs_nginx": _figure(ratio),
        "cold_p50_ms": round(single.percentiles[49], 3),
        "cold_p99_ms": round(alone, 3),
        "cold_cpu_us": round(single.cpu_us, 1),
        "cold_per_s": round(single.rate, 1),
        "cold_questions": len(questions),
        "hot_p99_ms": round(full, 3),
        "name_cold_cpu_us": round(cold_name.cpu_us, 1),
        "name_cold_per_s": round(cold_name.rate, 1),
        "resident_mib": round(resident / 2**20, 1),
    }
    figures: dict[str, Figure | None] = {
        "resolve_capability_100k_vs_nginx": ratio,
        "resolve_capability_100k_p99_ms": Figure(worst, min(alone, full), worst),
    }
    return figures, told


def _questions(count: int) -> list[str]:
    """Different questions, all of them with the best ten of many as the answer."""
    out = []
    for number in range(count):
        what = quote(capability_of(number))
        bounds = quote(f">=1.{number // CAPABILITIES}.0")
        out.append(f"/v1/resolve?capability={what}&version={bounds}")
    return out


@contextmanager
def _both(home: Populated) -> Iterator[tuple[Running, Running, Files]]:
    """The server of a home, and nginx with room for what it answers, on one core."""
    for needed in ("nginx", "wrk"):
        program(needed)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="bench-files-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        ours = stack.enter_context(delegant(home.home, home.passphrase))
        theirs = stack.enter_context(nginx(folder))
        yield ours, theirs, Files(folder)


def _etags(server: Running, paths: Sequence[str]) -> list[str]:
    got = ask(server, [get(one) for one in paths], CONNECTIONS, keep=1)
    _good(got)
    return [got.replies[at].etag for at in range(len(paths))]


def _tagged(paths: Sequence[str], draws: Sequence[int], tags: dict[int, str]) -> list[str]:
    return [f"{path}\t{tags[number]}" for path, number in zip(paths, draws, strict=True)]


def _good(asked: Asked) -> None:
    assert set(asked.statuses) == {200}, asked.statuses


def _resident(server: Running) -> int:
    told = Path(f"/proc/{server.pid}/status").read_text()
    (line,) = (one for one in told.splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def _told(pairs: Sequence[tuple[Filled | Asked, Filled]]) -> dict[str, Any]:
    """All rounds of a row, and its ratios by throughput and by the processor's time."""
    return {
        "ratio": _figure(Figure.of([a.rate / b.rate for a, b in pairs])),
        "ratio_by_cpu": _figure(Figure.of([b.cpu_us / a.cpu_us for a, b in pairs])),
        "ours": [_shown(a) for a, _ in pairs],
        "nginx": [_shown(b) for _, b in pairs],
    }


def _shown(one: Filled | Asked) -> dict[str, float]:
    if isinstance(one, Filled):
        return {key: round(value, 3) for key, value in asdict(one).items()}
    return {
        "rate": round(one.rate, 1),
        "cpu_us": round(one.cpu_us, 1),
        "busy": round(one.cpu / one.seconds, 3),
        "load_busy": round(one.own / one.seconds, 3),
        "p50_ms": round(one.percentiles[49], 3),
        "p99_ms": round(one.percentiles[98], 3),
        "requests": len(one.took),
    }


def _figure(one: Figure) -> list[float]:
    return [round(one.value, 4), round(one.low, 4), round(one.high, 4)]

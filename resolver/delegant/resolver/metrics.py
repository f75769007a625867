"""What is counted, over all workers, in the text form that Prometheus reads.

Every worker writes cells of its own in memory that all share, so whichever of them is asked tells
of all, and a worker that dies takes no count with it. To count is to add to one cell.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric

__all__ = ["BATCHES", "CONTENT_TYPE", "COUNTS", "LIMITS", "ROUTES", "SECONDS", "Board", "Meter"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
ROUTES: Final = (
    "other", "refused", "/v1/agents", "/v1/agents/{agent}", "/v1/agents/{agent}/events",
    "/v1/agents/{agent}/health", "/v1/resolve", "/v1/records/{digest}", "/v1/events/{digest}",
    "/v1/names/{name:path}/history", "/v1/providers", "/v1/verify", "/v1/revocations",
    "/v1/evidence/{about}", "/v1/log/inclusion", "/v1/log/consistency", "/checkpoint",
    "/tile/{rest:path}", "/status/{number}", "/health", "/health/{part}", "/metrics",
    "/credentials/issue", "/{configuration}/credentials/issue", "/credentials/status",
    "/credentials/verify", "/presentations", "/presentations/verify", "/status-lists",
    "/status-lists/{number}", "/1.0/identifiers/{name:path}", "/{folder:path}/did.json",
    "/.well-known/did.json", "/openapi.json",
)  # fmt: skip
"""Templates of addresses that are counted each; all others together."""
STATUSES: Final = (
    0, 200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 406, 409, 410, 413, 414, 422, 429, 431,
    500, 501, 503,
)  # fmt: skip
"""0: the caller went before it was answered, or any other."""
SECONDS: Final = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
BATCHES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LIMITS: Final = (
    "rate", "concurrency", "connections", "bodies", "head-time", "body-time", "send-time",
    "head-size", "pipeline",
)  # fmt: skip
COUNTS: Final = {
    "kept": "Answers that were given again as they were kept.",
    "store_errors": "Requests that our own store or log could not answer.",
    "log_lines_dropped": "Lines of the access log that were not written.",
}
_ROUTE: Final = {name: number for number, name in enumerate(ROUTES)}
_STATUS: Final = {name: number for number, name in enumerate(STATUSES)}
_LIMIT: Final = {name: number for number, name in enumerate(LIMITS)}
_COUNT: Final = {name: number for number, name in enumerate(COUNTS)}
_N: Final = len(STATUSES)
_B: Final = len(SECONDS) + 2
"""Of a route: its buckets, what is beyond them, and the sum of seconds."""
_AT_SECONDS: Final = len(ROUTES) * _N
_AT_BATCHES: Final = _AT_SECONDS + len(ROUTES) * _B
_AT_LIMITS: Final = _AT_BATCHES + len(BATCHES) + 2
_AT_COUNTS: Final = _AT_LIMITS + len(LIMITS)
_AT_CONNECTIONS: Final = _AT_COUNTS + len(COUNTS)
_CELLS: Final = _AT_CONNECTIONS + 1


class Board:
    """The cells of all workers; made before they are forked, so that all of them have it.

    Args:
        workers: how many.
    """

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        self._cells = memoryview(mmap.mmap(-1, workers * _CELLS * 8)).cast("d")

    def slot(self, worker: int) -> memoryview[float]:
        """The cells of one worker."""
        return self._cells[worker * _CELLS : (worker + 1) * _CELLS]

    def sums(self) -> list[float]:
        """Each cell, over all workers."""
        slots = [self.slot(number).tolist() for number in range(self.workers)]
        return [sum(column) for column in zip(*slots, strict=True)]


class Meter:
    """What one worker counts.

    Args:
        board: of all of them.
        worker: which one this is.
        gauges: name, what it is and how to read it, for what is looked at when it is asked for;
            one that cannot be read is left out.
    """

    def __init__(
        self,
        board: Board | None = None,
        worker: int = 0,
        gauges: Sequence[tuple[str, str, Callable[[], float]]] = (),
    ) -> None:
        self._board = board or Board()
        self._cells = self._board.slot(worker)
        self._cells[_AT_CONNECTIONS] = 0  # its predecessor's are gone
        self.gauges = list(gauges)

    def request(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        cells, number = self._cells, _ROUTE.get(route, 0)
        cells[number * _N + _STATUS.get(status, 0)] += 1
        at = _AT_SECONDS + number * _B
        cells[at + bisect_left(SECONDS, seconds)] += 1
        cells[at + _B - 1] += seconds

    def batch(self, size: int) -> None:
        """So many changes were written together."""
        self._cells[_AT_BATCHES + bisect_left(BATCHES, size)] += 1
        self._cells[_AT_BATCHES + len(BATCHES) + 1] += size

    def limit(self, name: str) -> None:
        """A limit was hit."""
        self._cells[_AT_LIMITS + _LIMIT[name]] += 1

    def count(self, name: str, number: int = 1) -> None:
        """One more of `COUNTS`."""
        self._cells[_AT_COUNTS + _COUNT[name]] += number

    def connections(self, step: int) -> None:
        """A connection came (1) or went (-1)."""
        self._cells[_AT_CONNECTIONS] += step

    def text(self) -> bytes:
        """Everything, for Prometheus."""
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        """Everything, as prometheus-client has it."""
        cells = self._board.sums()
        requests = CounterMetricFamily(
            "delegant_requests", "Requests answered.", labels=["route", "status"]
        )
        seconds = HistogramMetricFamily(
            "delegant_request_seconds", "From the head of a request to its answer.",
            labels=["route"],
        )  # fmt: skip
        for route, number in _ROUTE.items():
            for status, place in _STATUS.items():
                if value := cells[number * _N + place]:
                    requests.add_metric([route, str(status)], value)
            at = _AT_SECONDS + number * _B
            if any(cells[at : at + _B - 1]):
                told = _buckets(SECONDS, cells[at : at + _B - 1])
                seconds.add_metric([route], told, cells[at + _B - 1])
        yield requests
        yield seconds
        registered = cells[_ROUTE["/v1/agents"] * _N + _STATUS[201]]
        yield CounterMetricFamily(
            "delegant_registrations", "Registrations acknowledged.", value=registered
        )
        at = _AT_BATCHES
        yield HistogramMetricFamily(
            "delegant_batch_size", "Changes that were written in one transaction.",
            buckets=_buckets(BATCHES, cells[at : at + len(BATCHES) + 1]),
            sum_value=cells[at + len(BATCHES) + 1],
        )  # fmt: skip
        limits = CounterMetricFamily(
            "delegant_limits", "Requests and connections that a limit ended.", labels=["limit"]
        )
        for name, place in _LIMIT.items():
            limits.add_metric([name], cells[_AT_LIMITS + place])
        yield limits
        for name, place in _COUNT.items():
            yield CounterMetricFamily(
                f"delegant_{name}", COUNTS[name], value=cells[_AT_COUNTS + place]
            )
        yield GaugeMetricFamily(
            "delegant_connections", "Connections that are open.", value=cells[_AT_CONNECTIONS]
        )
        yield GaugeMetricFamily(
            "delegant_workers", "Processes that serve.", value=self._board.workers
        )
        for name, about, read in self.gauges:
            try:
                yield GaugeMetricFamily(f"delegant_{name}", about, value=read())
            except Exception:  # noqa: BLE001, S112 - what cannot be read now is not told
                continue


def _buckets(bounds: Sequence[float], counts: Sequence[float]) -> list[tuple[str, float]]:
    """Prometheus counts what is at most a bound, so each with all below it."""
    out, total = [], 0.0
    for bound, value in zip((*map(str, map(float, bounds)), "+Inf"), counts, strict=True):
        total += value
        out.append((bound, total))
    return out

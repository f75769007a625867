"""The rows: what they are called, what they are, and what the design asks of them."""

from __future__ import annotations

from benchmarks.ans.rows import Row

__all__ = ["ROWS"]

ROWS = (
    Row("audit_append_per_s", "append, durable", "records/s", 0, least=5_000),
    Row("audit_append_vs_sqlite", "  of what bare SQLite inserts", "x"),
    Row("audit_append_threads_per_s", "  64 threads, each waits for its own", "records/s", 0),
    Row("audit_append_flat", "  by processor, last tenth of a log to its first", "x"),
    Row("trace_1e6_ms", "trace one event, in the store: half within", "ms", 1, most=50),
    Row("trace_1e6_p99_ms", "  99 of 100 within", "ms", 1),
    Row("trace_1e6_r", "  by processor", "r", 0),
    Row("trace_bundle_1e6_ms", "trace one event, in a bundle: half within", "ms", 1, most=50),
    Row("trace_bundle_1e6_p99_ms", "  99 of 100 within", "ms", 1),
    Row("permit_us_at_64", "a permit, 64 callers, by processor", "us", 0),
    Row("permit_r_at_64", "  the same", "r"),
    Row("permits_per_s_at_64", "  permits, durable", "/s", 0),
)

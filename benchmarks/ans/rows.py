"""The rows: what they are called, what they are, and what the design asks of them."""

from __future__ import annotations

from benchmarks.suite import Row

__all__ = ["ROWS", "Row"]

ROWS = (
    Row("resolve_hot_vs_nginx", "resolve by name, hot, by Zipf", "x", least=0.5),
    Row("resolve_cold_vs_nginx", "  never asked before, each once", "x", least=0.15),
    Row("resolve_304_vs_nginx", "  304, against nginx's 304", "x"),
    Row("resolve_capability_100k_vs_nginx", "resolve by capability, hot", "x", least=0.15),
    Row("resolve_capability_100k_p99_ms", "  p99, hot or cold", "ms", 1, most=20),
    Row("register_64_per_s", "register over HTTP, 64 clients", "/s", 0, least=2000),
    Row("register_64_p50_ms", "  half of them within", "ms", 1, most=40),
    Row("store_rows_per_s", "store and log alone", "rows/s", 0, least=15_000),
    Row("store_names_per_s", "  names whose rows they are", "names/s", 0),
    Row("answer_verify_r", "verify an answer offline", "r"),
)

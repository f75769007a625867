"""What every test shares: one reproducible hypothesis profile, and a PostgreSQL on demand."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from postgres import cluster, postgres

__all__ = ["cluster", "postgres"]

settings.register_profile(
    "delegant",
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("delegant")

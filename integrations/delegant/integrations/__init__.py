"""Doors for other frameworks: each puts an `EnforcementPoint` before what it guards.

`guard` is for any function; `delegant.integrations.fastapi` is for HTTP, and
`delegant.integrations.client` for whoever calls it.
"""

from .guard import calling, guard
from .results import counted

__all__ = ["calling", "counted", "guard"]

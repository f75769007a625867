"""What is kept of accepted submissions keeps nothing else alive."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from ans.naming import NAME, Naming


def test_no_trust_of_before_is_kept_alive(tmp_path: Path) -> None:
    naming = Naming(tmp_path / "registry.db")
    trusts = []
    made = naming.trust

    def watched() -> object:
        out = made()
        trusts.append(weakref.ref(out))
        return out

    naming.registry._trust = watched  # type: ignore[assignment]
    for number in range(8):
        naming.register(naming.agent(f"bot-{number}"), NAME.replace("v1.0", f"v{number + 1}"))
    gc.collect()
    assert len(trusts) >= 8
    assert sum(one() is not None for one in trusts) <= 1

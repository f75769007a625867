"""Published test vectors, read where they are: nothing of them is copied into this tree.

`$DELEGANT_VECTORS` names the folder; without it, `../shared/vectors` beside the repository.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
VECTORS = Path(os.environ.get("DELEGANT_VECTORS") or ROOT.parent / "shared" / "vectors")

needs_vectors = pytest.mark.skipif(
    not VECTORS.is_dir(), reason=f"no public vectors at {VECTORS} (set DELEGANT_VECTORS)"
)


def load(*parts: str) -> Any:
    """One vector file as JSON."""
    return json.loads(VECTORS.joinpath(*parts).read_bytes())


def names(*parts: str) -> list[str]:
    """The files of a vector folder; none where the folder is absent."""
    return sorted(path.name for path in VECTORS.joinpath(*parts).glob("*"))

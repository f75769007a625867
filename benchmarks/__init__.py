"""What the design promises about speed and size, measured: ``make bench``.

What is measured is set up by the tests' simulator, so its folder is on the path.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

"""What the tests in tests/e2e share is shared with these, too."""  # noqa: INP001 - tests

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests/e2e"))

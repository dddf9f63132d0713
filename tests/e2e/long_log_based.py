"""LOG_BASED through hundreds of random changes; `make test-log-based` runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from log_chaos import live

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("lossy", [False, True])
@pytest.mark.parametrize("method", ["LOG_BASED", "FULL_TABLE"])
def test_a_long_life(tmp_path: Path, method: str, lossy: bool, seed: int) -> None:
    live(f"sqlite:///{tmp_path}/inbox.db", seed, method=method, lossy=lossy, syncs=25)

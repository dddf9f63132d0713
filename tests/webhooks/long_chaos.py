"""The chaos of test_chaos.py at its full length: `make test-webhooks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import chaos

if TYPE_CHECKING:
    from pathlib import Path


def test_a_receiver_that_is_killed_ten_times(sqlite_url: str, tmp_path: Path) -> None:
    chaos.run(sqlite_url, tmp_path, deliveries=20_000, kills=10, receivers=1)


def test_two_receivers_that_are_killed_ten_times(postgres_url: str, tmp_path: Path) -> None:
    chaos.run(postgres_url, tmp_path, deliveries=20_000, kills=10, receivers=2)

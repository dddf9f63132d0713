from __future__ import annotations

from typing import TYPE_CHECKING

import chaos

if TYPE_CHECKING:
    from pathlib import Path


def test_a_receiver_that_is_killed_loses_nothing(sqlite_url: str, tmp_path: Path) -> None:
    chaos.run(sqlite_url, tmp_path, deliveries=320, kills=2, receivers=1)


def test_two_receivers_that_are_killed_lose_nothing(postgres_url: str, tmp_path: Path) -> None:
    chaos.run(postgres_url, tmp_path, deliveries=320, kills=2, receivers=2)

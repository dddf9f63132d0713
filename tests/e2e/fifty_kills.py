"""Fifty kills at random moments, on both kinds of ledger: `make test-kills`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from killing import kill

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", [1, 2])
def test_on_sqlite(seed: int, tmp_path: Path) -> None:
    kill(50, tmp_path, f"sqlite:///{tmp_path}/ledger.db", seed)


def test_on_postgresql(postgres: dict[str, str], tmp_path: Path) -> None:
    host = f"{postgres['PGHOST']}:{postgres['PGPORT']}"
    kill(50, tmp_path, f"postgresql+psycopg://postgres:any@{host}/postgres", 3)

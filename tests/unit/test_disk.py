"""`make disk`: what takes room, the largest first, and what it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "scripts/disk.py"


def disk(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROGRAM, folder], check=False, capture_output=True, text=True
    )


def test_each_part_is_counted_and_explained(tmp_path: Path) -> None:
    (tmp_path / "pluvo.duckdb").write_bytes(bytes(2_000_000))
    (tmp_path / "jsonl/deep").mkdir(parents=True)
    for name in ("users.jsonl", "deep/groups.jsonl"):
        (tmp_path / "jsonl" / name).write_bytes(bytes(1_500_000))
    (tmp_path / "notes").write_bytes(bytes(100_000))
    first, second, third, total = disk(tmp_path).stdout.splitlines()
    assert first.split(maxsplit=3)[:3] == ["3.0", "MB", "jsonl"]
    assert "PLUVO_KEEP_DAYS" in first
    assert second.split(maxsplit=3)[:3] == ["2.0", "MB", "pluvo.duckdb"]
    assert "back it up" in second
    assert third.split() == ["0.1", "MB", "notes"]
    assert total.split() == ["5.1", "MB", "in", str(tmp_path)]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = disk(tmp_path / "prod")
    assert done.returncode == 1
    assert f"There is no {tmp_path / 'prod'} yet." in done.stderr

"""A build beside the DuckDB file: who reads it is not in the way, and never sees half of one."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest
from conftest import INSTALLED, PACKAGE
from organization import Sync
from sync_log import log
from warehouses import DuckDB

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouses import Warehouse

FIRST = datetime(2025, 6, 1, 2, tzinfo=UTC)
LONG_AGO = time.time() - 31 * 86400


@pytest.fixture
def warehouse(new_warehouse: Callable[[str], Warehouse]) -> DuckDB:
    warehouse = new_warehouse("duckdb")
    assert isinstance(warehouse, DuckDB)
    return warehouse


def build(warehouse: DuckDB, *arguments: str, code: int = 0, **variables: str) -> str:
    done = subprocess.run(
        [
            *(INSTALLED.with_name("python"), PACKAGE / "build_beside.py"),
            *("--exclude-resource-type", "unit_test", "test"),
            *(arguments or ("--select", "+stg_pluvo__users")),
        ],
        cwd=PACKAGE,
        env=os.environ
        | warehouse.environment
        | {
            "DBT_PROFILES_DIR": str(PACKAGE),
            "DBT_TARGET_PATH": str(warehouse.path.parent / "dbt"),
            "DBT_LOG_PATH": str(warehouse.path.parent / "dbt"),
        }
        | variables,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def load(warehouse: DuckDB, day: int, name: str) -> list[Path]:
    """Load a user, as of a month ago by the times of the files, and return the files."""
    before = set(warehouse.files.iterdir())
    sync = Sync(FIRST + timedelta(days=day))
    sync.add("users", id=name)
    log(sync, "users", "WINDOW")
    warehouse.load(sync)
    found = sorted(set(warehouse.files.iterdir()) - before)
    for path in found:
        os.utime(path, (LONG_AGO, LONG_AGO))
    return found


def names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute("select id from stg_pluvo__users order by id").fetchall()
    return [name for (name,) in rows]


def readable(warehouse: DuckDB) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(warehouse.path, read_only=True)


def test_readers_neither_disturb_a_build_nor_are_disturbed(warehouse: DuckDB) -> None:
    """One story, since each build takes seconds."""
    building = warehouse.path.parent / "building"
    log_of_writes = warehouse.path.with_name("pluvo.duckdb.wal")
    first = load(warehouse, 1, "ann")
    build(warehouse, PLUVO_KEEP_DAYS="32")

    # A build that fails changes nothing.
    second = load(warehouse, 2, "bob")
    whole = second[-1].read_text()
    second[-1].write_text('{"id": "b')  # was cut off
    before = warehouse.path.read_bytes()
    said = build(warehouse, code=1)
    assert f"{warehouse.path} stays as it was; what was built is in {building}" in said
    assert warehouse.path.read_bytes() == before
    assert all(path.exists() for path in first + second)

    # A writer that crashes leaves behind what DuckDB writes into the file when it closes it.
    crash = f"""
import duckdb, os
connection = duckdb.connect({str(warehouse.path)!r})
connection.execute("update raw_pluvo__users set id = 'anna'")
os._exit(0)
"""
    subprocess.run([INSTALLED.with_name("python"), "-c", crash], check=True)
    assert log_of_writes.exists()

    second[-1].write_text(whole)
    os.utime(second[-1], (LONG_AGO, LONG_AGO))
    with readable(warehouse) as reader:
        assert names(reader) == ["anna"]
        said = build(warehouse)
        assert names(reader) == ["anna"], "what was there when it was opened"
    with readable(warehouse) as reader:
        assert names(reader) == ["anna", "bob"]
    assert not log_of_writes.exists()
    assert "4 of 4 files older than 30 days removed" in said
    assert not [path for path in first + second if path.exists()]
    assert [path.name for path in building.iterdir()] == ["lock"]


def test_what_cannot_be_built_is_said(warehouse: DuckDB) -> None:
    building = warehouse.path.parent / "building"
    building.mkdir()
    with (building / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Another build is under way" in build(warehouse, code=1)
    assert "PLUVO_KEEP_DAYS must be" in build(warehouse, code=1, PLUVO_KEEP_DAYS="0")
    with duckdb.connect(warehouse.path):  # for writing
        said = build(warehouse, code=1)
    assert "cannot be copied, to build beside it: IO Error: Could not set lock" in said
    assert "Traceback" not in said

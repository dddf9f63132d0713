"""The raw layer on DuckDB: each file is read once, and the models say what all files would say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest
from conftest import PACKAGE, Project
from organization import Row, Sync
from sync_log import log
from warehouses import DuckDB

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouses import Warehouse

STREAMS = ["users", "group_members", "portfolio_report", "issued_certificates"]
FIRST = datetime(2025, 6, 1, 2, tzinfo=UTC)
DAY = 86400


@pytest.fixture
def files(new_warehouse: Callable[[str], Warehouse]) -> DuckDB:
    """Return a warehouse of files that nothing was built from yet."""
    warehouse = new_warehouse("duckdb")
    assert isinstance(warehouse, DuckDB)
    return warehouse


def stage(project: Project, *arguments: str) -> dict[str, list[str]]:
    """Build the staging models and return their rows."""
    names = [f"stg_pluvo__{stream}" for stream in STREAMS]
    project.dbt("run", "--select", *(f"+{name}" for name in names), *arguments)
    return {
        name: sorted(map(repr, project.rows(f"select * from {name} order by all")))
        for name in names
    }


# ---------- merging ----------


class Organization:
    """Rows that come, change and go, and syncs that read some of them in every way there is."""

    def __init__(self, name: str | None, random: Random) -> None:
        self._owned = {} if name is None else {"organization": name}
        self._random = random
        self._rows: dict[str, dict[str, Row]] = {stream: {} for stream in STREAMS}

    def change(self, day: int) -> None:
        random = self._random
        for stream, rows in self._rows.items():
            for key in random.sample(sorted(rows), len(rows) // 5):
                del rows[key]
            for key in (str(random.randrange(30)) for _ in range(15)):
                rows[key] = _row(stream, key, day, random)

    def read(self, sync: Sync) -> None:
        for stream, present in self._rows.items():
            rows = list(present.values())
            how = self._random.choice(["full", "full", "window", "broken off", "killed", "none"])
            mode = "FULL"
            window: tuple[str | None, str | None] = (None, None)
            if how == "none":
                continue
            if how == "window" and stream in {"portfolio_report", "issued_certificates"}:
                first, last = f"{sync.started - timedelta(days=3):%F}", f"{sync.started:%F}"
                rows = [row for row in rows if first <= (row["completion_date"] or "") <= last]
                mode, window = "WINDOW", (first, last)
            if how in {"broken off", "killed"}:
                rows = rows[: len(rows) // 2]
            # A row that moves while it is read comes twice: the last one counts.
            for row in [*(row | _overtaken(stream) for row in rows[:3]), *rows]:
                sync.add(stream, **row | self._owned)
            if how != "killed":
                log(sync, stream, mode, window, complete=how != "broken off", **self._owned)


def _row(stream: str, key: str, day: int, random: Random) -> Row:
    if stream == "users":
        seen = f"2025-06-{day:02}T10:00:00+02:00"
        return {"id": key, "name": f"{key} on {day}", "last_login": seen}
    if stream == "group_members":
        return {"group_id": str(int(key) % 4), "user_id": key, "role": f"{day}"}
    completed = random.choice([None, f"2025-06-{random.randrange(1, day + 1):02}"])
    row: Row = {"id": f"{key} {completed}", "user_id": key, "title": "Privacy"}
    row |= {"completion_date": completed}
    return row | ({"progress": float(day)} if stream == "portfolio_report" else {})


def _overtaken(stream: str) -> Row:
    return {"role": "overtaken"} if stream == "group_members" else {"user_id": "overtaken"}


def test_merged_run_by_run_is_what_all_files_give(files: DuckDB, tmp_path: Path) -> None:
    random = Random(7)
    organizations = [Organization(name, random) for name in (None, "north", "south")]
    project = Project(PACKAGE, files, tmp_path)
    late = Sync(FIRST + timedelta(hours=3))
    seen = []
    for day in range(1, 6):
        # Of target-jsonl, too: some runs kept theirs, and only that target writes to a file twice.
        files.target = "target-jsonl" if day > 3 else "target-batch-files"
        for organization in organizations:
            organization.change(day)
        # On the fifth day, the files of the fourth, which were merged, are still being written to.
        sync = Sync(FIRST + timedelta(days=min(day, 4)))
        for organization in organizations:
            organization.read(late if day == 1 else sync)
        files.load(sync)
        if day == 3:
            files.load(late)  # files that are older than what was merged
        seen.append(stage(project))
        if day in {3, 5}:
            merged = files.path.rename(tmp_path / "merged.duckdb")
            assert seen[-1] == stage(project), f"from scratch on day {day}"
            merged.rename(files.path)
    assert all(len({repr(rows[name]) for rows in seen}) > 3 for name in seen[0])


def test_a_run_reads_only_what_is_new(files: DuckDB, tmp_path: Path) -> None:
    """What was merged is not read again: not even what it became, if size and time are the same."""
    project = Project(PACKAGE, files, tmp_path)

    def merged() -> int:
        return len(project.rows("select file from base_pluvo__merged_files"))

    for day in range(1, 4):
        before = set(files.files.iterdir())
        sync = Sync(FIRST + timedelta(days=day))
        for stream in STREAMS:
            sync.add(stream, **_row(stream, str(day), day, Random(1)))
            log(sync, stream, "WINDOW")
        files.load(sync)
        rows = stage(project)
        assert {name: len(found) for name, found in rows.items()} == dict.fromkeys(rows, day)
        assert merged() == len([*files.files.iterdir()])
        for path in set(files.files.iterdir()) - before:
            status = path.stat()
            path.write_text("!" * status.st_size)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_new_column_is_filled_from_the_files_that_are_there(
    files: DuckDB, tmp_path: Path
) -> None:
    """A later version of the project reads a column that an earlier one did not."""
    folder = shutil.copytree(PACKAGE, tmp_path / "dbt", ignore=shutil.ignore_patterns("target"))
    model = folder / "models/raw/raw_pluvo__users.sql"
    later = model.read_text()
    model.write_text(later.replace("        'email': 'text',\n", ""))
    assert model.read_text() != later
    project = Project(folder, files, tmp_path)
    for day, name in enumerate(["ann", "bob"]):
        row = {"id": name, "email": f"{name}@example.com"}
        files.load(Sync(FIRST + timedelta(days=day), {"users": [row]}))
    project.dbt("run", "--select", "+raw_pluvo__users")
    min(files.files.iterdir()).unlink()
    model.write_text(later)
    project.dbt("run", "--select", "+raw_pluvo__users")
    rows = project.rows("select id, email from raw_pluvo__users order by id")
    assert rows == [{"id": "ann", "email": None}, {"id": "bob", "email": "bob@example.com"}]


# ---------- pruning ----------


def prune(files: DuckDB, keep_days: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PACKAGE / "prune.py"), f"--keep-days={keep_days}"],
        env=os.environ | files.environment,
        check=False,
        capture_output=True,
        text=True,
    )


def user_file(files: DuckDB, name: str, day: int, *, days_old: int) -> Path:
    files.target = "target-jsonl"  # whose names are known, and which may write to a file again
    started = FIRST + timedelta(days=day)
    files.load(Sync(started, {"users": [{"id": name}]}))
    path = files.files / f"users-{started.astimezone():%Y%m%dT%H%M%S}.jsonl"
    moment = time.time() - days_old * DAY
    os.utime(path, (moment, moment))
    return path


def test_prune_removes_what_was_merged_and_nothing_else(files: DuckDB, tmp_path: Path) -> None:
    project = Project(PACKAGE, files, tmp_path)
    foreign = files.files / "notes-of-mine.jsonl"
    foreign.write_text("{}")
    os.utime(foreign, (0, 0))
    old = user_file(files, "old", 1, days_old=31)
    grew = user_file(files, "grew", 2, days_old=31)
    recent = user_file(files, "recent", 3, days_old=29)
    stage(project)
    with grew.open("a") as file:
        file.write(json.dumps({"id": "later"}) + "\n")
    os.utime(grew, ns=(old.stat().st_atime_ns, old.stat().st_mtime_ns))
    late = user_file(files, "late", 4, days_old=31)

    size = old.stat().st_size
    done = prune(files, "30")
    assert done.returncode == 0, done.stderr
    assert set(files.files.iterdir()) == {foreign, grew, recent, late}
    *_, last = done.stdout.splitlines()
    assert last == (
        f"1 of 4 files older than 30 days removed, which makes {size / 1e6:,.1f} MB of room."
    )
    assert done.stdout.count("kept ") == 3

    # What only the database holds now outlives even --full-refresh.
    rows = stage(project, "--full-refresh")["stg_pluvo__users"]
    assert len(rows) == len(["old", "grew", "later", "recent", "late"])
    assert prune(files, "30").stdout.count("removed users-") == 2
    assert set(files.files.iterdir()) == {foreign, recent}

    # Without its table, the stream cannot be made again, and dbt does not pretend that it can.
    with files._connection() as connection:
        connection.execute("drop table raw_pluvo__users cascade")
    with pytest.raises(AssertionError, match="The table raw_pluvo__users is gone, and so are 3 of"):
        stage(project)


@pytest.mark.parametrize("keep_days", ["0", "-1", "many"])
def test_prune_takes_a_number_of_days(files: DuckDB, keep_days: str) -> None:
    done = prune(files, keep_days)
    assert done.returncode == 2
    assert "--keep-days" in done.stderr


def test_prune_without_a_database_removes_nothing(files: DuckDB) -> None:
    path = user_file(files, "ann", 1, days_old=99)
    done = prune(files, "1")
    assert done.returncode == 1
    assert "no file was merged" in done.stderr
    files.path.write_text("not a database")
    done = prune(files, "1")
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
    files.path.unlink()
    assert files.rows("select 1 as one") == [{"one": 1}]
    done = prune(files, "1")
    assert done.returncode == 1
    assert "has 0 tables base_pluvo__merged_files" in done.stderr
    assert path.exists()

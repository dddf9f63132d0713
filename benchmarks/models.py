"""Measure the dbt models on DuckDB: `make bench-models`.

A first build of a large organization, then one build for each day on which a hundredth of its
results changed. The files are those that target-jsonl would write: of results, the tap reads a
window of days, of everything else all. The figures go to docs/scale.md; times are compared by CPU
time, which other programs disturb least. The exit code is 1 if a goal was missed.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb
import report
from measure import MEGABYTE, ROOT, Program, typical
from workloads import Goal, Work

if TYPE_CHECKING:
    from measure import Command, Run

SCALE = ROOT / "docs" / "scale.md"
DBT = ROOT / ".venv-tools" / "dbt" / "bin" / "dbt"
FIRST = datetime(2025, 6, 1, 2, tzinfo=UTC)
DAYS = 30
# Results of this many days; so a window of five days is a hundredth of them.
HISTORY = 500
WINDOW = 5
MEMORY = 4000  # megabytes

# Each is a SELECT with the number of users, the first and last number of a result, and the day.
STREAMS = {
    "users": """
        select
            'user ' || n as id, 'EMP-' || n as ref, 'Name ' || n as name,
            n || '@example.com' as email,
            false as archived, '["PARTICIPANT"]' as roles,
            timestamp '2025-06-01 08:00:00' + to_days($day) - to_days(n % 300) as last_login
        from range($users) as numbers (n)
    """,
    "groups": """
        select 'group ' || n as id, 'G-' || n as ref, 'Group ' || n as name
        from range($users // 100) as numbers (n)
    """,
    "group_members": """
        select 'group ' || n // 100 as group_id, 'user ' || n as user_id, 'PARTICIPANT' as role
        from range($users // 100 * 100) as numbers (n)
    """,
    "trainings": """
        select
            'training ' || n as id, 'Training ' || n as title, true as is_active, false as archived,
            '2 hours' as estimated_time_spent
        from range(200) as numbers (n)
    """,
    "group_trainings": """
        select 'group ' || g as group_id, 'training ' || (g + t) % 200 as training_id
        from range($users // 100) as groups (g), range(5) as trainings (t)
    """,
    "training_participants": """
        select 'training ' || n % 200 as training_id, 'user ' || n as user_id, 'PARTICIPANT' as role
        from range($users) as numbers (n)
    """,
    "issued_certificates": """
        select
            md5('certificate ' || n) as id, 'user ' || n % $users as user_id,
            'Certificate ' || n % 20 as title,
            date '2025-06-01' + cast(n // $per_day as integer) - $history as completion_date,
            completion_date + 365 as end_date
        from range($first, $last) as numbers (n)
        where n % 20 = 0
    """,
    "portfolio_report": """
        select
            md5('result ' || n) as id, 'TRAINING' as related_object_type,
            'user ' || n % $users as user_id, 'EMP-' || n % $users as user_ref,
            'Name ' || n % $users as user_name, n % $users || '@example.com' as user_email,
            'Training ' || n // $users * 7 % 200 as title, 100.0 as progress,
            hash(n, $day) % 100 / 10 as score,
            case
                when n % 20 > 0 then date '2025-06-01' + cast(n // $per_day as integer) - $history
            end as completion_date,
            0 as time_spent_days, hash(n) % 7200 as time_spent_seconds
        from range($first, $last) as numbers (n)
        -- A twentieth is in progress, which only a full read gives.
        where n % 20 > 0 or $first = 0
    """,
}


class Organization:
    """Writes the files of one sync after the other."""

    def __init__(self, results: int, files: Path) -> None:
        self.results = results
        self.users = results // 50
        self._per_day = results // HISTORY
        self._files = files

    def sync(self, day: int) -> None:
        """Write what the tap reads on a day; on day 0, everything."""
        started = FIRST + timedelta(days=day)
        # The day itself is not over on the first one.
        last = self.results + day * self._per_day
        first = last - WINDOW * self._per_day if day else 0
        numbers = {
            "users": self.users,
            "day": day,
            "first": first,
            "last": last,
            "per_day": self._per_day,
            "history": HISTORY + 1,
        }
        with duckdb.connect() as connection:
            for stream, query in STREAMS.items():
                used = {name: value for name, value in numbers.items() if f"${name}" in query}
                self._write(connection, stream, started, query, used)
            is_window = "stream in ('portfolio_report', 'issued_certificates')" if day else "false"
            log = f"""
                select
                    stream, '{started:%FT%T}Z' as started_at, true as complete,
                    if({is_window}, 'WINDOW', 'FULL') as mode,
                    if({is_window}, '{started - timedelta(days=WINDOW):%F}', null) as window_from,
                    if({is_window}, '{started:%F}', null) as window_to
                from unnest({list(STREAMS)}) as streams (stream)
            """
            self._write(connection, "sync_log", started, log, {})

    def _write(
        self,
        connection: duckdb.DuckDBPyConnection,
        stream: str,
        started: datetime,
        query: str,
        numbers: dict[str, int],
    ) -> None:
        path = self._files / f"{stream}-{started.astimezone():%Y%m%dT%H%M%S}.jsonl"
        connection.execute(f"copy ({query}) to '{path}' (format json)", numbers or None)


def main() -> int:
    """Build once, and then once for each day."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=int, default=5_000_000, metavar="N")
    parser.add_argument("--days", type=int, default=DAYS, metavar="N")
    options = parser.parse_args()
    facts = report.machine()
    with TemporaryDirectory() as folder:
        work = measure(Path(folder), options.results, options.days)
    text = report.models_page(work, facts)
    print(f"\n{text}")
    report.write(SCALE, text, report.MODELS)
    return 0 if all(goal.reached for goal in work.goals) else 1


def measure(folder: Path, results: int, days: int) -> Work:
    """Return the figures of all builds, and the goals."""
    (files := folder / "jsonl").mkdir()
    database = folder / "pluvo.duckdb"
    organization = Organization(results, files)
    environment = {
        "DBT_TARGET": "duckdb",
        "DBT_PROFILES_DIR": str(ROOT / "dbt"),
        "DBT_PROJECT_DIR": str(ROOT / "dbt"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "PLUVO_JSONL_DIR": str(files),
        "PLUVO_DUCKDB_PATH": str(database),
    }

    # The same for all: another value makes dbt parse the project anew, which no pipeline has to.
    today = f"pluvo_today: '{FIRST + timedelta(days=days):%F}'"

    def build(label: str) -> Run:
        # As the pipeline does it.
        command: Command = [DBT, "build", "--exclude-resource-type", "unit_test", "--vars", today]
        run = Program("dbt build", command, folder / "dbt", environment, to_stdout=False).run()
        size = database.stat().st_size / MEGABYTE
        shown = f"{run.wall:8.2f} s {run.cpu:8.2f} CPU s {run.peak:7.0f} MB"
        print(f"  {label:<16} {shown} {size:7.0f} MB on disk", flush=True)
        return run

    build("dbt's first start")
    nothing = build("without data")
    database.unlink()
    organization.sync(0)
    first = build("first build")
    daily = []
    sizes = []
    for day in range(1, days + 1):
        organization.sync(day)
        daily.append(build(f"day {day}"))
        sizes.append(database.stat().st_size)
    # One run is too easily disturbed to be compared with another one.
    early, late = typical(daily[1:4]), typical(daily[-3:])
    at_most = partial(Goal, at_most=True)
    return Work(
        f"{results:,} results, {organization.users:,} users, {days} days",
        {
            "build without data": nothing,
            "first build": first,
            "daily run (days 2 to 4)": early,
            "daily run (the last 3 days)": late,
        },
        [
            at_most("daily run / first build", early.cpu / first.cpu, 0.1),
            at_most("last daily runs / the first ones", late.cpu / early.cpu, 1.2),
            at_most("peak memory", max(run.peak for run in [first, *daily]), MEMORY, unit=" MB"),
            at_most("database on the last / the second day", sizes[-1] / sizes[1], 1.2),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())

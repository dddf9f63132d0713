"""Thirty days in the life of an organization: `make test-simulation`, since it takes minutes.

Each day people come, leave, complete and repeat; certificates are issued, corrected and revoked. In
the evening the tap reads that, or breaks off, a target loads what it wrote, and dbt runs. In the
end, the warehouse says of today what the organization says, and what a warehouse says that was
filled only then; and of the past what the organization's own log of changes says.
"""

from __future__ import annotations

import csv
import json
import os
import signal
from dataclasses import astuple
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

from conftest import PACKAGE, Project
from expected import KEYS, expected
from history_of_changes import Answer, Historian, History, Month, Rule, by_month
from life import CLOSED, Life
from pipeline import Broken, Pipeline
from support import DEFAULT_STREAMS, SCHEMAS

from pluvo_sandbox import ChangeLog, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from organization import Row
    from support import Result
    from warehouses import Warehouse

FIRST, LAST = date(2025, 5, 17), date(2025, 6, 15)
MONTHS = 12  # of the history, before that of the last day
# Older months stay as they were computed when they were part of the history.
FIRST_MONTH = LAST.replace(day=1, year=LAST.year - 1)

# The reports are read in full every seventh day, and in between what was completed lately.
SETTINGS = {"full_refresh_days": 7, "page_size": 20, "max_concurrency": 2}
FULL_DAYS = {FIRST, *(LAST - timedelta(weeks=n) for n in range(4))}

BROKEN = {
    date(2025, 5, 20): Broken({"users"}, ("500:paginatedUsers@2-999",)),
    # The week is over, but nothing is read. So the next day's read is full, and the last day's.
    date(2025, 5, 24): Broken(
        DEFAULT_STREAMS - {"certificates"}, signal=signal.SIGKILL, at_request=4
    ),
    date(2025, 5, 28): Broken({"portfolio_report"}, ("500:portfolioReport@6-999",)),
    date(2025, 5, 31): Broken(
        {"groups", "group_members", "issued_certificates", "portfolio_report"},
        ("500:paginatedGroups", "500:portfolioReport"),
    ),
    date(2025, 6, 4): Broken({"users"}, signal=signal.SIGTERM, at_request=30),
    date(2025, 6, 7): Broken(
        {"trainings", "users"}, ("reset:paginatedTrainings", "truncated:paginatedUsers@3-999")
    ),
    date(2025, 6, 11): Broken({"users"}, signal=signal.SIGKILL, at_request=30),
}

RULES = [
    Rule("everyone", "", "", "certificate", "EHBO-diploma", 24, date(2024, 9, 1), 30),
    Rule("group", "Verpleging & verzorging", "", "training", "GDPR / AVG", 6),
    Rule("group", 'Team "Noord", locatie 3', "", "certificate", "VCA, basis"),
    Rule("group", CLOSED[0], "", "certificate", "BHV-certificaat"),
    Rule("custom_field", "Contract", "Vast", "certificate", "Bewijs van deelname"),
]

SNAPSHOTS = ("--select", "+pluvo__snap_users", "+pluvo__snap_group_members")

# What depends on how the organization came to be as it is.
HISTORY = {
    "stg_pluvo__sync_log",
    "pluvo__int_memberships_monthly",
    "pluvo__int_requirement_checks",
    "pluvo__fct_compliance_monthly",
    "pluvo__rpt_compliance_monthly",
}
HISTORY_COLUMNS = {"_sdc_extracted_at", "required_since", "due_on"}
LOADED = ("base_", "raw_")  # models of what was loaded, also of what is gone


# ---------- the tap ----------


def evening_of(day: date) -> datetime:
    # A minute later each day, so that a week is over after seven days however slow the start is.
    return datetime.combine(day, time(20, (day - FIRST).days), UTC)


def complete_streams(result: Result) -> set[str]:
    return {stream for stream, row in result.sync_log.items() if row["complete"]}


# ---------- what dbt makes of it ----------


def new_project(warehouse: Warehouse, folder: Path) -> Project:
    project = Project(PACKAGE, warehouse, folder)
    header = (PACKAGE / "seeds/pluvo__requirements.csv").read_text().strip()
    (seeds := folder / "seeds").mkdir(parents=True)
    with (seeds / "pluvo__requirements.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(header.split(","))
        lines.writerows((*astuple(rule), "") for rule in RULES)
    project.environment["PLUVO_SEEDS"] = os.path.relpath(seeds, PACKAGE)
    return project


def build(project: Project, day: date, *more: str) -> None:
    project.dbt(
        *("build", "--exclude-resource-type", "test", "unit_test", *more),
        variables={"pluvo_today": day.isoformat()},
    )


def turn_back_the_clock(project: Project, day: date) -> None:
    """Put the simulated evening where dbt has written the machine's time into the snapshots."""
    evening = f"cast('{day} 20:30:00' as timestamp)"
    for table in ("pluvo__snap_users", "pluvo__snap_group_members"):
        for column in ("dbt_valid_from", "dbt_valid_to", "dbt_updated_at"):
            project.warehouse.execute(
                f"update {table} set {column} = {evening} where {column} > '{LAST} 23:59:59'"
            )


def rows_of(project: Project, model: str) -> list[str]:
    rows = project.rows(f"select * from {model}")
    kept = [{key: row[key] for key in row if key not in HISTORY_COLUMNS} for row in rows]
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in kept)


def staged(project: Project, stream: str) -> list[Row]:
    """Return the rows of a stream as staging has them, without what the models add."""
    rows = project.rows(f"select * from stg_pluvo__{stream}")
    columns = SCHEMAS[stream]["properties"]
    return in_order([{name: plain(row[name]) for name in columns} for row in rows])


def held(pluvo: Sandbox, stream: str) -> list[Row]:
    """Return the rows of a stream as the organization has them, each of its keys once."""
    columns = SCHEMAS[stream]["properties"]
    rows = {tuple(row[name] for name in KEYS[stream]): row for row in expected(pluvo.path, stream)}
    return in_order(
        [
            {name: plain(typed(row.get(name), schema)) for name, schema in columns.items()}
            for row in rows.values()
        ]
    )


def typed(value: Any, schema: dict[str, Any]) -> Any:
    if value is None:
        return None
    if schema.get("format") == "date-time":
        return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
    return date.fromisoformat(value) if schema.get("format") == "date" else value


def plain(value: Any) -> Any:
    return float(value) if type(value) in {int, Decimal} else value


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def history_of(project: Project) -> History:
    return {
        (row["month"], row["user_id"], row["required_title"]): Answer(
            row["is_compliant"], row["is_membership_known"]
        )
        for row in project.rows("select * from pluvo__fct_compliance_monthly")
        if row["month"] >= FIRST_MONTH
    }


def report_of(project: Project) -> dict[date, Month]:
    return {
        row["month"]: Month(
            row["people_required"], row["people_compliant"], row["is_membership_known"]
        )
        for row in project.rows("select * from pluvo__rpt_compliance_monthly")
        if row["month"] >= FIRST_MONTH
    }


# ---------- the thirty days ----------


def test_thirty_days(
    project: Project, new_warehouse: Callable[[str], Warehouse], tmp_path: Path
) -> None:
    lived = new_project(project.warehouse, tmp_path / "lived")
    read_on: dict[str, list[date]] = {stream: [] for stream in DEFAULT_STREAMS}
    with Sandbox(users=60, trainings=6, groups=6, portfolio=400, repeats=3, today=FIRST) as pluvo:
        log = ChangeLog(pluvo.database, FIRST)
        life = Life(pluvo, Random(7))
        pipeline = Pipeline(pluvo, lived.warehouse, tmp_path / "daily", **SETTINGS)
        for n in range((LAST - FIRST).days + 1):
            day = FIRST + timedelta(days=n)
            log.begin_day(day)
            life.pass_day(day)
            result = pipeline.run(evening_of(day), BROKEN.get(day))
            complete = complete_streams(result)
            assert (result.returncode == 0) is (day not in BROKEN), result.stderr
            if day in BROKEN:
                assert not complete & BROKEN[day].lacks, result.stderr
            else:
                assert complete == DEFAULT_STREAMS
                modes = {row["mode"] for row in result.sync_log.values()}
                assert modes == ({"FULL"} if day in FULL_DAYS else {"FULL", "WINDOW"})
            for stream in complete:
                read_on[stream].append(day)
            # On most days only what keeps the members, as all else is made anew each time.
            build(lived, day, *(() if day in FULL_DAYS else SNAPSHOTS))
            turn_back_the_clock(lived, day)
            if day in FULL_DAYS:
                differing = {s for s in DEFAULT_STREAMS if staged(lived, s) != held(pluvo, s)}
                assert differing == set(), day

        historian = Historian([*log], read_on, LAST)
        told = historian.history(RULES, MONTHS)
        assert history_of(lived) == told
        assert report_of(lived) == by_month(told)
        answers = {(answer.is_compliant, answer.is_known) for answer in told.values()}
        assert answers == set(product([True, False], repeat=2))

        fresh = new_project(new_warehouse(lived.warehouse.name), tmp_path / "fresh")
        Pipeline(pluvo, fresh.warehouse, tmp_path / "once").run(evening_of(LAST))
    build(fresh, LAST, "snapshot")
    results = fresh.artifact("run_results")["results"]
    names = [row["unique_id"] for row in results if row["unique_id"].startswith("model.")]
    models = {name.rpartition(".")[2] for name in names}
    assert models > HISTORY
    current = [model for model in models - HISTORY if not model.startswith(LOADED)]
    assert [model for model in current if rows_of(lived, model) != rows_of(fresh, model)] == []

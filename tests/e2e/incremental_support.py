"""States, days and completions for tests of incremental syncs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support import Result, Row

    from pluvo_sandbox import Sandbox

REPORT = "portfolio_report"
REPORTS = {"issued_certificates", REPORT}


def days_ago(number: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=number)).isoformat()


def hours_ago(number: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=number)).isoformat(timespec="seconds")


def marked(stream: str, **bookmark: str) -> dict[str, Any]:
    """Return a state that holds one bookmark."""
    key = "completion_date" if stream in REPORTS else "updated_at"
    return {"bookmarks": {stream: {"replication_key": key, **bookmark}}}


def complete_on(sandbox: Sandbox, *days: str | None) -> None:
    """Give the first user a training for each day, with the day as its title."""
    (user,) = sandbox.database.execute("SELECT min(id) FROM users").fetchone()
    for day in days:
        sandbox.insert_report_row(user, f"done {day}", completionDate=day, progress=100.0)


def titles(result: Result) -> set[str]:
    """Return the titles of what `complete_on` gave."""
    return {
        row["title"] for row in result.records.get(REPORT, []) if row["title"].startswith("done ")
    }


def between(rows: list[Row], start: str, end: str) -> list[Row]:
    """Return the rows completed from one day to another, both included."""
    return [
        row for row in rows if row["completion_date"] and start <= row["completion_date"] <= end
    ]

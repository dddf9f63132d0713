"""When a stream is read in full: for rows in progress, or because the catalog says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from expected import by_key, expected
from incremental_support import (
    REPORT,
    REPORTS,
    between,
    complete_on,
    days_ago,
    hours_ago,
    marked,
    titles,
)
from support import config, selecting, sync

if TYPE_CHECKING:
    from pluvo_sandbox import Sandbox


# ---------- the full read that finds rows in progress ----------


@pytest.mark.parametrize(
    ("interval", "age", "due"),
    [
        (1, 23.5, False),
        (1, 24.5, True),
        (7, 7 * 24 - 0.5, False),
        (7, 7 * 24 + 0.5, True),
        (0, 100_000, False),
        (0, None, False),
        (1, None, True),
        (3650, None, True),
    ],
)
def test_full_reads_come_round(
    interval: int, age: float | None, due: bool, changeable: Sandbox, only_report: Any
) -> None:
    complete_on(changeable, "2024-05-10", None)
    bookmark = {"replication_key_value": days_ago(1)}
    if age is not None:
        bookmark["full_read_at"] = hours_ago(age)
    settings = config(changeable, full_refresh_days=interval)
    result = sync(settings, catalog=only_report, state=marked(REPORT, **bookmark))
    assert titles(result) == ({"done 2024-05-10", "done None"} if due else set())
    assert ("reading everything, rows in progress included" in result.stderr) is due
    later = result.bookmark(REPORT)
    assert later["replication_key_value"] == days_ago(0)
    if due:
        assert by_key(REPORT, result.records[REPORT]) == expected(changeable.path, REPORT)
        assert later["full_read_at"] > hours_ago(1)
    else:
        assert later.get("full_read_at") == bookmark.get("full_read_at")


def test_without_full_reads_the_first_sync_still_reads_everything(
    changeable: Sandbox, only_report: Any
) -> None:
    result = sync(config(changeable, full_refresh_days=0), catalog=only_report)
    assert by_key(REPORT, result.records[REPORT]) == expected(changeable.path, REPORT)


def test_without_full_reads_a_start_date_reads_completions_only(
    changeable: Sandbox, only_report: Any
) -> None:
    settings = config(changeable, full_refresh_days=0, start_date="2024-05-10")
    result = sync(settings, catalog=only_report)
    wanted = between(expected(changeable.path, REPORT), "2024-05-10", days_ago(0))
    assert by_key(REPORT, result.records[REPORT]) == wanted


def test_a_result_that_was_entered_late_comes_with_the_next_full_read(
    changeable: Sandbox, only_report: Any
) -> None:
    first = sync(config(changeable), catalog=only_report)
    complete_on(changeable, days_ago(3), days_ago(300))
    second = sync(config(changeable), catalog=only_report, state=first.state)
    assert titles(second) == {f"done {days_ago(3)}"}
    due = json.loads(json.dumps(second.state))
    due["bookmarks"][REPORT]["full_read_at"] = hours_ago(25)
    third = sync(config(changeable), catalog=only_report, state=due)
    assert titles(third) == {f"done {days_ago(3)}", f"done {days_ago(300)}"}


# ---------- FULL_TABLE chosen in the catalog ----------


@pytest.mark.parametrize("stream", [REPORT, "issued_certificates", "offers", "portfolio_items"])
def test_full_table_reads_everything_every_time(
    stream: str, changeable: Sandbox, catalog: Any
) -> None:
    chosen = selecting(catalog, [stream], replication_method="FULL_TABLE")
    value = days_ago(0) if stream in REPORTS else hours_ago(0)
    state = marked(stream, replication_key_value=value)
    settings = config(changeable, start_date=days_ago(1), end_date=days_ago(0))
    for _ in range(2):
        result = sync(settings, catalog=chosen, state=state)
        assert by_key(stream, result.records[stream]) == expected(changeable.path, stream)
        state = result.state

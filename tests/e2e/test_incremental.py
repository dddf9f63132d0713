"""What a second sync of the report reads, and where the bookmarks stand."""

from __future__ import annotations

import re
from datetime import date, timedelta
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
from support import config, of_stream, queries, run_tap, selecting, sync

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from support import Row


def asked_days(sandbox: Sandbox) -> list[tuple[str | None, str | None]]:
    """Return the filters on days of completion that rows were asked for with, each once."""
    found = []
    for query in queries(sandbox):
        if "portfolioReport" in query and "edges" in query:
            start = re.search(r'completionDateFrom: "([0-9-]+)"', query)
            end = re.search(r'completionDateTo: "([0-9-]+)"', query)
            found.append((start and start[1], end and end[1]))
    return sorted(set(found), key=str)


# ---------- the report ----------


def test_the_first_sync_reads_everything_and_marks_today(
    changeable: Sandbox, only_report: Any
) -> None:
    before = hours_ago(0)
    result = sync(config(changeable), catalog=only_report)
    assert by_key(REPORT, result.records[REPORT]) == expected(changeable.path, REPORT)
    bookmark = result.bookmark(REPORT)
    assert bookmark["replication_key"] == "completion_date"
    assert bookmark["replication_key_value"] == days_ago(0)
    assert before <= bookmark["full_read_at"] <= hours_ago(0)


@pytest.mark.parametrize("lookback", [0, 7])
def test_the_second_sync_reads_the_look_back_only(
    lookback: int, changeable: Sandbox, only_report: Any
) -> None:
    settings = config(changeable, lookback_days=lookback)
    first = sync(settings, catalog=only_report)
    complete_on(changeable, days_ago(lookback), days_ago(lookback + 1), days_ago(0), None)
    second = sync(settings, catalog=only_report, state=first.state)
    assert titles(second) == {f"done {days_ago(lookback)}", f"done {days_ago(0)}"}
    wanted = between(expected(changeable.path, REPORT), days_ago(lookback), days_ago(0))
    assert by_key(REPORT, second.records[REPORT]) == wanted
    assert second.state == first.state


def test_a_third_sync_over_the_same_data_is_the_second_again(
    changeable: Sandbox, catalog: Any
) -> None:
    complete_on(changeable, days_ago(3))
    chosen = selecting(catalog, REPORTS | {"offers"})
    first = sync(config(changeable), catalog=chosen)
    second = sync(config(changeable), catalog=chosen, state=first.state)
    third = sync(config(changeable), catalog=chosen, state=second.state)
    assert second.records == third.records
    assert second.records[REPORT]
    assert third.state == second.state == first.state


def test_the_bookmark_is_inclusive(changeable: Sandbox, only_report: Any) -> None:
    complete_on(changeable, "2024-05-09", "2024-05-10", "2024-05-11")
    state = marked(REPORT, replication_key_value="2024-05-10", full_read_at=hours_ago(1))
    result = sync(config(changeable, lookback_days=0), catalog=only_report, state=state)
    assert titles(result) == {"done 2024-05-10", "done 2024-05-11"}
    wanted = between(expected(changeable.path, REPORT), "2024-05-10", days_ago(0))
    assert by_key(REPORT, result.records[REPORT]) == wanted
    assert result.bookmark(REPORT)["replication_key_value"] == days_ago(0)


def test_a_bookmark_may_have_a_time(changeable: Sandbox, only_report: Any) -> None:
    complete_on(changeable, "2024-05-09", "2024-05-10")
    state = marked(
        REPORT, replication_key_value="2024-05-10T23:00:00+00:00", full_read_at=hours_ago(1)
    )
    result = sync(config(changeable, lookback_days=0), catalog=only_report, state=state)
    assert titles(result) == {"done 2024-05-10"}


def test_start_date_is_inclusive_and_leaves_rows_in_progress(
    changeable: Sandbox, only_report: Any
) -> None:
    complete_on(changeable, "2024-05-09", "2024-05-10", None)
    result = sync(config(changeable, start_date="2024-05-10"), catalog=only_report)
    assert titles(result) == {"done 2024-05-10", "done None"}
    rows = expected(changeable.path, REPORT)
    wanted = [row for row in rows if (row["completion_date"] or "9999") >= "2024-05-10"]
    assert by_key(REPORT, result.records[REPORT]) == wanted


def test_start_date_does_not_hold_back_a_bookmark(changeable: Sandbox, only_report: Any) -> None:
    complete_on(changeable, "2024-05-10", "2024-07-10")
    state = marked(REPORT, replication_key_value="2024-07-01", full_read_at=hours_ago(1))
    settings = config(changeable, start_date="2024-01-01", lookback_days=0)
    assert titles(sync(settings, catalog=only_report, state=state)) == {"done 2024-07-10"}


def test_a_range_is_inclusive_on_both_sides(changeable: Sandbox, only_report: Any) -> None:
    complete_on(changeable, "2024-05-09", "2024-05-10", "2024-06-20", "2024-06-21", None)
    settings = config(changeable, start_date="2024-05-10", end_date="2024-06-20")
    result = sync(settings, catalog=only_report)
    assert titles(result) == {"done 2024-05-10", "done 2024-06-20"}
    wanted = between(expected(changeable.path, REPORT), "2024-05-10", "2024-06-20")
    assert by_key(REPORT, result.records[REPORT]) == wanted
    bookmark = result.bookmark(REPORT)
    assert bookmark["replication_key_value"] == "2024-06-20"
    assert "full_read_at" not in bookmark


def test_an_end_alone_reads_what_was_completed_up_to_it(
    changeable: Sandbox, only_report: Any
) -> None:
    complete_on(changeable, "2024-06-20", "2024-06-21", None)
    result = sync(config(changeable, end_date="2024-06-20"), catalog=only_report)
    wanted = between(expected(changeable.path, REPORT), "0001-01-01", "2024-06-20")
    assert by_key(REPORT, result.records[REPORT]) == wanted
    assert titles(result) == {"done 2024-06-20"}


def test_ranges_side_by_side_give_every_completion_once(
    changeable: Sandbox, only_report: Any
) -> None:
    complete_on(changeable, "2024-12-31", "2025-01-01")
    ranges = [
        ("2023-01-01", "2023-12-31"),
        ("2024-01-01", "2024-12-31"),
        ("2025-01-01", days_ago(0)),
    ]
    rows = []
    for start, end in ranges:
        settings = config(changeable, start_date=start, end_date=end)
        rows += sync(settings, catalog=only_report).records.get(REPORT, [])
    wanted = between(expected(changeable.path, REPORT), "2023-01-01", days_ago(0))
    assert by_key(REPORT, rows) == wanted


def test_dates_may_be_moments_and_count_in_utc(changeable: Sandbox, only_report: Any) -> None:
    complete_on(changeable, "2024-05-09", "2024-05-10", "2024-05-11", "2024-05-12")
    settings = config(
        changeable, start_date="2024-05-10T23:30:00-02:00", end_date="2024-05-12T01:00:00+02:00"
    )
    assert titles(sync(settings, catalog=only_report)) == {"done 2024-05-11"}


@pytest.mark.parametrize("types", [REPORT, "issued_certificates"])
def test_each_window_is_followed_by_a_checkpoint(
    types: str, changeable: Sandbox, catalog: Any
) -> None:
    settings = config(changeable, start_date="2024-01-01", end_date="2024-12-31", window_days=30)
    result = sync(settings, catalog=selecting(catalog, [types]))
    marks, since = [], "2024-01-01"
    emitted: list[Row] = []
    for message in result.messages:
        if message["type"] == "RECORD":
            emitted.append(message["record"])
        elif message["type"] == "STATE":
            mark = message["value"]["bookmarks"][types].get("replication_key_value")
            if mark is not None and mark not in marks:
                marks.append(mark)
                # Whatever the mark says is done has been written before it, and nothing beyond.
                wanted = between(expected(changeable.path, types), since, mark)
                assert by_key(types, emitted) == wanted
    first = date(2024, 1, 30)
    ends = [(first + timedelta(days=30 * n)).isoformat() for n in range(12)]
    assert marks == [*ends, "2024-12-31"]
    # Each window asks for a day more on both sides, since nobody says whether ends are inclusive.
    days = asked_days(changeable)
    assert days[0] == ("2023-12-31", "2024-01-31")
    assert days[1] == ("2024-01-30", "2024-03-01")
    assert days[-1] == ("2024-12-25", "2025-01-01")
    assert len(days) == 13


def test_the_last_window_is_open_and_marks_today(changeable: Sandbox, only_report: Any) -> None:
    state = marked(REPORT, replication_key_value=days_ago(20), full_read_at=hours_ago(1))
    settings = config(changeable, lookback_days=0, window_days=15)
    result = sync(settings, catalog=only_report, state=state)
    marks = [item["bookmarks"][REPORT]["replication_key_value"] for item in result.states]
    assert list(dict.fromkeys(marks)) == [days_ago(20), days_ago(6), days_ago(0)]
    assert asked_days(changeable) == [(days_ago(21), days_ago(5)), (days_ago(6), None)]


def test_a_range_into_the_future_marks_no_day_that_is_still_to_come(
    changeable: Sandbox, only_report: Any
) -> None:
    settings = config(changeable, start_date=days_ago(10), end_date=days_ago(-40))
    result = sync(settings, catalog=only_report)
    assert result.bookmark(REPORT)["replication_key_value"] == days_ago(0)


@pytest.mark.parametrize("value", ["2999-01-01", "2999-01-01T12:00:00+00:00"])
def test_a_bookmark_in_the_future_is_taken_as_now(
    value: str, changeable: Sandbox, only_report: Any
) -> None:
    complete_on(changeable, days_ago(3), days_ago(0), None)
    state = marked(REPORT, replication_key_value=value, full_read_at=hours_ago(1))
    result = sync(config(changeable), catalog=only_report, state=state)
    assert titles(result) == {f"done {days_ago(3)}", f"done {days_ago(0)}"}
    assert result.bookmark(REPORT)["replication_key_value"][:10] == days_ago(0)
    assert result.stderr.count("`replication_key_value` in the state lies in the future") == 1
    again = sync(config(changeable), catalog=only_report, state=result.state)
    assert "lies in the future" not in again.stderr


def test_a_full_read_in_the_future_is_taken_as_now(changeable: Sandbox, only_report: Any) -> None:
    complete_on(changeable, None)
    state = marked(REPORT, replication_key_value=days_ago(0), full_read_at=hours_ago(-9999))
    result = sync(config(changeable), catalog=only_report, state=state)
    assert result.stderr.count("`full_read_at` in the state lies in the future") == 1
    assert hours_ago(1) < result.bookmark(REPORT)["full_read_at"] <= hours_ago(0)
    later = marked(REPORT, replication_key_value=days_ago(0), full_read_at=hours_ago(25))
    assert titles(sync(config(changeable), catalog=only_report, state=later)) == {"done None"}


@pytest.mark.parametrize("full_refresh_days", [0, 1])
def test_rows_dated_in_the_future_leave_the_bookmark_behind(
    full_refresh_days: int, changeable: Sandbox, only_report: Any
) -> None:
    complete_on(changeable, "2999-01-01")
    settings = config(changeable, full_refresh_days=full_refresh_days)
    state = None
    for _ in range(2):
        result = sync(settings, catalog=only_report, state=state)
        assert titles(result) == {"done 2999-01-01"}
        state = result.state
        assert result.bookmark(REPORT)["replication_key_value"] == days_ago(0)


def test_a_start_in_the_future_reads_no_completions(changeable: Sandbox, only_report: Any) -> None:
    complete_on(changeable, days_ago(0), None)
    start = config(changeable, start_date=days_ago(-9))
    assert titles(sync(start, catalog=only_report)) == {"done None"}
    result = sync(start | {"full_refresh_days": 0}, catalog=only_report)
    assert REPORT not in result.records
    assert "`start_date` lies in the future, so nothing is read" in result.stderr


# ---------- ranges beside a daily state ----------


@pytest.mark.parametrize(
    ("bookmark", "after"),
    [
        (0, 0),  # the daily run is ahead
        (40, 5),  # the range joins it and goes on
        (10, 5),
        (99, 99),  # in between, nothing was read
    ],
)
def test_a_range_is_read_whole_whatever_the_bookmark(
    bookmark: int, after: int, changeable: Sandbox, only_report: Any
) -> None:
    complete_on(changeable, days_ago(41), days_ago(40), days_ago(20), days_ago(5), days_ago(4))
    state = marked(REPORT, replication_key_value=days_ago(bookmark), full_read_at=hours_ago(100))
    settings = config(changeable, start_date=days_ago(40), end_date=days_ago(5), window_days=10)
    result = sync(settings, catalog=only_report, state=state)
    assert titles(result) == {f"done {days_ago(number)}" for number in (40, 20, 5)}
    assert result.bookmark(REPORT)["replication_key_value"] == days_ago(after)
    assert result.bookmark(REPORT)["full_read_at"] == state["bookmarks"][REPORT]["full_read_at"]
    assert result.bookmark(REPORT)["range"] is None


def test_a_range_that_was_broken_off_goes_on(only_report: Any) -> None:
    daily = marked(REPORT, replication_key_value=days_ago(0), full_read_at=hours_ago(1))
    settings: dict[str, Any] = {
        "start_date": days_ago(100),
        "end_date": days_ago(10),
        "window_days": 10,
        "lookback_days": 0,
        "max_concurrency": 1,
        "max_retry_seconds": 0,
    }
    options: dict[str, Any] = {"users": 20, "trainings": 4, "portfolio": 300}
    with Sandbox(**options, faults=["500:portfolioReport@7-99"]) as broken:
        first = run_tap(config(broken, **settings), catalog=only_report, state=daily)
    assert first.returncode == 1
    mark = first.bookmark(REPORT)
    assert mark["replication_key_value"] == days_ago(0)
    assert days_ago(100) < mark["range"]["read_to"] < days_ago(10)
    with Sandbox(**options) as mended:
        second = sync(config(mended, **settings), catalog=only_report, state=first.state)
        wanted = between(expected(mended.path, REPORT), mark["range"]["read_to"], days_ago(10))
        assert by_key(REPORT, second.records[REPORT]) == wanted
        assert second.bookmark(REPORT)["range"] is None
        # Another range takes no notice of it.
        other = settings | {"start_date": days_ago(90)}
        third = sync(config(mended, **other), catalog=only_report, state=first.state)
        wanted = between(expected(mended.path, REPORT), days_ago(90), days_ago(10))
        assert by_key(REPORT, third.records[REPORT]) == wanted


# ---------- streams that fail ----------


def test_the_bookmark_of_a_stream_that_fails_stays_and_the_others_move(catalog: Any) -> None:
    chosen = selecting(catalog, {REPORT, "offers", "users"})
    of_stream(chosen, "offers")["replication_method"] = "INCREMENTAL"
    state = marked(REPORT, replication_key_value="2024-05-10", full_read_at=hours_ago(1))
    with Sandbox(users=20, trainings=4, portfolio=60, faults=["500:portfolioReport"]) as broken:
        result = run_tap(config(broken, max_retry_seconds=0), catalog=chosen, state=state)
        assert result.returncode == 1
        assert result.failed_streams() == {REPORT}
        assert f"stream {REPORT} failed: Pluvo failed to answer (HTTP 500)" in result.stderr
        assert result.state["bookmarks"][REPORT] == state["bookmarks"][REPORT]
        assert result.bookmark("offers")["replication_key_value"]
        assert len(result.records["users"]) == 20


def test_a_full_read_that_fails_half_way_is_not_remembered(catalog: Any) -> None:
    chosen = selecting(catalog, [REPORT])
    state = marked(REPORT, replication_key_value="2024-05-10", full_read_at=hours_ago(25))
    faults = ["500:portfolioReport@4-99"]
    with Sandbox(users=20, trainings=4, portfolio=300, faults=faults) as broken:
        settings = config(broken, max_retry_seconds=0, max_concurrency=1)
        result = run_tap(settings, catalog=chosen, state=state)
        assert result.returncode == 1
        assert result.records[REPORT]
        assert result.state["bookmarks"][REPORT] == state["bookmarks"][REPORT]


def test_windows_that_were_finished_before_a_failure_stay_finished(
    catalog: Any,
) -> None:
    chosen = selecting(catalog, [REPORT])
    state = marked(REPORT, replication_key_value=days_ago(300), full_read_at=hours_ago(1))
    faults = ["500:portfolioReport@6-99"]
    with Sandbox(users=20, trainings=4, portfolio=300, faults=faults) as broken:
        settings = config(broken, max_retry_seconds=0, max_concurrency=1, lookback_days=0)
        result = run_tap(settings, catalog=chosen, state=state)
        assert result.returncode == 1
        mark = result.bookmark(REPORT)["replication_key_value"]
        assert days_ago(300) < mark < days_ago(0)
        wanted = between(expected(broken.path, REPORT), days_ago(300), mark)
        found = [row["id"] for row in between(result.records[REPORT], days_ago(300), mark)]
        assert sorted(found) == [row["id"] for row in wanted]

    with Sandbox(users=20, trainings=4, portfolio=300) as mended:  # the same data once more
        settings = config(mended, lookback_days=0)
        again = sync(settings, catalog=chosen, state=result.state)
        wanted = between(expected(mended.path, REPORT), mark, days_ago(0))
        assert by_key(REPORT, again.records[REPORT]) == wanted

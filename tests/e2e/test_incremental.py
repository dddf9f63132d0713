"""What a second sync reads, and where the bookmarks stand."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from expected import by_key, expected
from support import config, queries, run_tap, selecting, sync

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Result, Row

REPORT = "portfolio_report"
REPORTS = {"issued_certificates", REPORT}


@pytest.fixture
def organization() -> Iterator[Sandbox]:
    """A sandbox that one test may change."""
    with Sandbox(users=20, trainings=4, groups=2, portfolio=150) as running:
        yield running


@pytest.fixture
def only_report(catalog: Any) -> Any:
    return selecting(catalog, [REPORT])


@pytest.fixture
def only_offers(catalog: Any) -> Any:
    return selecting(catalog, ["offers"])


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


def asked_days(sandbox: Sandbox) -> list[tuple[str | None, str | None]]:
    """Return the filters on days of completion that were sent, each once."""
    found = []
    for query in queries(sandbox):
        if "portfolioReport" in query:
            start = re.search(r'completionDateFrom: "([0-9-]+)"', query)
            end = re.search(r'completionDateTo: "([0-9-]+)"', query)
            found.append((start and start[1], end and end[1]))
    return sorted(set(found), key=str)


# ---------- the report ----------


def test_the_first_sync_reads_everything_and_marks_today(
    organization: Sandbox, only_report: Any
) -> None:
    before = hours_ago(0)
    result = sync(config(organization), catalog=only_report)
    assert by_key(REPORT, result.records[REPORT]) == expected(organization.path, REPORT)
    bookmark = result.bookmark(REPORT)
    assert bookmark["replication_key"] == "completion_date"
    assert bookmark["replication_key_value"] == days_ago(0)
    assert before <= bookmark["full_read_at"] <= hours_ago(0)


@pytest.mark.parametrize("lookback", [0, 7])
def test_the_second_sync_reads_the_look_back_only(
    lookback: int, organization: Sandbox, only_report: Any
) -> None:
    settings = config(organization, lookback_days=lookback)
    first = sync(settings, catalog=only_report)
    complete_on(organization, days_ago(lookback), days_ago(lookback + 1), days_ago(0), None)
    second = sync(settings, catalog=only_report, state=first.state)
    assert titles(second) == {f"done {days_ago(lookback)}", f"done {days_ago(0)}"}
    wanted = between(expected(organization.path, REPORT), days_ago(lookback), days_ago(0))
    assert by_key(REPORT, second.records[REPORT]) == wanted
    assert second.state == first.state


def test_a_third_sync_over_the_same_data_is_the_second_again(
    organization: Sandbox, catalog: Any
) -> None:
    complete_on(organization, days_ago(3))
    chosen = selecting(catalog, REPORTS | {"offers"})
    first = sync(config(organization), catalog=chosen)
    second = sync(config(organization), catalog=chosen, state=first.state)
    third = sync(config(organization), catalog=chosen, state=second.state)
    assert second.records == third.records
    assert second.records[REPORT]
    assert third.state == second.state == first.state


def test_the_bookmark_is_inclusive(organization: Sandbox, only_report: Any) -> None:
    complete_on(organization, "2024-05-09", "2024-05-10", "2024-05-11")
    state = marked(REPORT, replication_key_value="2024-05-10", full_read_at=hours_ago(1))
    result = sync(config(organization, lookback_days=0), catalog=only_report, state=state)
    assert titles(result) == {"done 2024-05-10", "done 2024-05-11"}
    wanted = between(expected(organization.path, REPORT), "2024-05-10", days_ago(0))
    assert by_key(REPORT, result.records[REPORT]) == wanted
    assert result.bookmark(REPORT)["replication_key_value"] == days_ago(0)


def test_a_bookmark_may_have_a_time(organization: Sandbox, only_report: Any) -> None:
    complete_on(organization, "2024-05-09", "2024-05-10")
    state = marked(
        REPORT, replication_key_value="2024-05-10T23:00:00+00:00", full_read_at=hours_ago(1)
    )
    result = sync(config(organization, lookback_days=0), catalog=only_report, state=state)
    assert titles(result) == {"done 2024-05-10"}


def test_start_date_is_inclusive_and_leaves_rows_in_progress(
    organization: Sandbox, only_report: Any
) -> None:
    complete_on(organization, "2024-05-09", "2024-05-10", None)
    result = sync(config(organization, start_date="2024-05-10"), catalog=only_report)
    assert titles(result) == {"done 2024-05-10", "done None"}
    rows = expected(organization.path, REPORT)
    wanted = [row for row in rows if (row["completion_date"] or "9999") >= "2024-05-10"]
    assert by_key(REPORT, result.records[REPORT]) == wanted


def test_start_date_does_not_hold_back_a_bookmark(organization: Sandbox, only_report: Any) -> None:
    complete_on(organization, "2024-05-10", "2024-07-10")
    state = marked(REPORT, replication_key_value="2024-07-01", full_read_at=hours_ago(1))
    settings = config(organization, start_date="2024-01-01", lookback_days=0)
    assert titles(sync(settings, catalog=only_report, state=state)) == {"done 2024-07-10"}


def test_a_range_is_inclusive_on_both_sides(organization: Sandbox, only_report: Any) -> None:
    complete_on(organization, "2024-05-09", "2024-05-10", "2024-06-20", "2024-06-21", None)
    settings = config(organization, start_date="2024-05-10", end_date="2024-06-20")
    result = sync(settings, catalog=only_report)
    assert titles(result) == {"done 2024-05-10", "done 2024-06-20"}
    wanted = between(expected(organization.path, REPORT), "2024-05-10", "2024-06-20")
    assert by_key(REPORT, result.records[REPORT]) == wanted
    bookmark = result.bookmark(REPORT)
    assert bookmark["replication_key_value"] == "2024-06-20"
    assert "full_read_at" not in bookmark


def test_an_end_alone_reads_what_was_completed_up_to_it(
    organization: Sandbox, only_report: Any
) -> None:
    complete_on(organization, "2024-06-20", "2024-06-21", None)
    result = sync(config(organization, end_date="2024-06-20"), catalog=only_report)
    wanted = between(expected(organization.path, REPORT), "0001-01-01", "2024-06-20")
    assert by_key(REPORT, result.records[REPORT]) == wanted
    assert titles(result) == {"done 2024-06-20"}


def test_ranges_side_by_side_give_every_completion_once(
    organization: Sandbox, only_report: Any
) -> None:
    complete_on(organization, "2024-12-31", "2025-01-01")
    ranges = [
        ("2023-01-01", "2023-12-31"),
        ("2024-01-01", "2024-12-31"),
        ("2025-01-01", days_ago(0)),
    ]
    rows = []
    for start, end in ranges:
        settings = config(organization, start_date=start, end_date=end)
        rows += sync(settings, catalog=only_report).records.get(REPORT, [])
    wanted = between(expected(organization.path, REPORT), "2023-01-01", days_ago(0))
    assert by_key(REPORT, rows) == wanted


def test_dates_may_be_moments_and_count_in_utc(organization: Sandbox, only_report: Any) -> None:
    complete_on(organization, "2024-05-09", "2024-05-10", "2024-05-11", "2024-05-12")
    settings = config(
        organization, start_date="2024-05-10T23:30:00-02:00", end_date="2024-05-12T01:00:00+02:00"
    )
    assert titles(sync(settings, catalog=only_report)) == {"done 2024-05-11"}


@pytest.mark.parametrize("types", [REPORT, "issued_certificates"])
def test_each_window_is_followed_by_a_checkpoint(
    types: str, organization: Sandbox, catalog: Any
) -> None:
    settings = config(organization, start_date="2024-01-01", end_date="2024-12-31", window_days=30)
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
                wanted = between(expected(organization.path, types), since, mark)
                assert by_key(types, emitted) == wanted
    first = date(2024, 1, 30)
    ends = [(first + timedelta(days=30 * n)).isoformat() for n in range(12)]
    assert marks == [*ends, "2024-12-31"]
    # Each window asks for a day more on both sides, since nobody says whether ends are inclusive.
    days = asked_days(organization)
    assert days[0] == ("2023-12-31", "2024-01-31")
    assert days[1] == ("2024-01-30", "2024-03-01")
    assert days[-1] == ("2024-12-25", "2025-01-01")
    assert len(days) == 13


def test_the_last_window_is_open_and_marks_today(organization: Sandbox, only_report: Any) -> None:
    state = marked(REPORT, replication_key_value=days_ago(20), full_read_at=hours_ago(1))
    settings = config(organization, lookback_days=0, window_days=15)
    result = sync(settings, catalog=only_report, state=state)
    marks = [item["bookmarks"][REPORT]["replication_key_value"] for item in result.states]
    assert list(dict.fromkeys(marks)) == [days_ago(20), days_ago(6), days_ago(0)]
    assert asked_days(organization) == [(days_ago(21), days_ago(5)), (days_ago(6), None)]


def test_a_range_into_the_future_marks_no_day_that_is_still_to_come(
    organization: Sandbox, only_report: Any
) -> None:
    settings = config(organization, start_date=days_ago(10), end_date=days_ago(-40))
    result = sync(settings, catalog=only_report)
    assert result.bookmark(REPORT)["replication_key_value"] == days_ago(0)


def test_a_bookmark_in_the_future_reads_nothing_and_stays(
    organization: Sandbox, only_report: Any
) -> None:
    complete_on(organization, days_ago(0), None)
    state = marked(REPORT, replication_key_value="2999-01-01", full_read_at=hours_ago(1000))
    result = sync(config(organization), catalog=only_report, state=state)
    assert REPORT not in result.records
    assert queries(organization) == []
    assert result.state == state
    assert "the bookmark lies in the future, so nothing is read" in result.stderr


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
    interval: int, age: float | None, due: bool, organization: Sandbox, only_report: Any
) -> None:
    complete_on(organization, "2024-05-10", None)
    bookmark = {"replication_key_value": days_ago(1)}
    if age is not None:
        bookmark["full_read_at"] = hours_ago(age)
    settings = config(organization, full_refresh_days=interval)
    result = sync(settings, catalog=only_report, state=marked(REPORT, **bookmark))
    assert titles(result) == ({"done 2024-05-10", "done None"} if due else set())
    assert ("reading everything, rows in progress included" in result.stderr) is due
    later = result.bookmark(REPORT)
    assert later["replication_key_value"] == days_ago(0)
    if due:
        assert by_key(REPORT, result.records[REPORT]) == expected(organization.path, REPORT)
        assert later["full_read_at"] > hours_ago(1)
    else:
        assert later.get("full_read_at") == bookmark.get("full_read_at")


def test_without_full_reads_the_first_sync_still_reads_everything(
    organization: Sandbox, only_report: Any
) -> None:
    result = sync(config(organization, full_refresh_days=0), catalog=only_report)
    assert by_key(REPORT, result.records[REPORT]) == expected(organization.path, REPORT)


def test_without_full_reads_a_start_date_reads_completions_only(
    organization: Sandbox, only_report: Any
) -> None:
    settings = config(organization, full_refresh_days=0, start_date="2024-05-10")
    result = sync(settings, catalog=only_report)
    wanted = between(expected(organization.path, REPORT), "2024-05-10", days_ago(0))
    assert by_key(REPORT, result.records[REPORT]) == wanted


def test_a_result_that_was_entered_late_comes_with_the_next_full_read(
    organization: Sandbox, only_report: Any
) -> None:
    first = sync(config(organization), catalog=only_report)
    complete_on(organization, days_ago(3), days_ago(300))
    second = sync(config(organization), catalog=only_report, state=first.state)
    assert titles(second) == {f"done {days_ago(3)}"}
    due = json.loads(json.dumps(second.state))
    due["bookmarks"][REPORT]["full_read_at"] = hours_ago(25)
    third = sync(config(organization), catalog=only_report, state=due)
    assert titles(third) == {f"done {days_ago(3)}", f"done {days_ago(300)}"}


# ---------- FULL_TABLE chosen in the catalog ----------


@pytest.mark.parametrize("stream", [REPORT, "issued_certificates", "offers", "portfolio_items"])
def test_full_table_reads_everything_every_time(
    stream: str, organization: Sandbox, catalog: Any
) -> None:
    chosen = selecting(catalog, [stream], replication_method="FULL_TABLE")
    value = days_ago(0) if stream in REPORTS else hours_ago(0)
    state = marked(stream, replication_key_value=value)
    settings = config(organization, start_date=days_ago(1), end_date=days_ago(0))
    for _ in range(2):
        result = sync(settings, catalog=chosen, state=state)
        assert by_key(stream, result.records[stream]) == expected(organization.path, stream)
        state = result.state


# ---------- streams whose date the API cannot filter by ----------


@pytest.fixture
def dated_offers(organization: Sandbox) -> Sandbox:
    """A sandbox whose offers were changed at known moments."""
    moments = ["2024-05-10T12:00:00+00:00", "2024-05-20T12:00:00.500000+00:00", None]
    ids = [row[0] for row in organization.database.execute("SELECT id FROM offers ORDER BY id")]
    for number, offer in enumerate(ids):
        organization.change(
            "offers", offer, isActive=True, archivedAt=None, updatedAt=moments[number % 3]
        )
    assert len(ids) >= 3
    return organization


MAY_10, MAY_20 = "2024-05-10T12:00:00+00:00", "2024-05-20T12:00:00.500000+00:00"


def moments(result: Result) -> set[str | None]:
    return {row["updated_at"] for row in result.records.get("offers", [])}


def test_offers_mark_their_latest_change(dated_offers: Sandbox, only_offers: Any) -> None:
    result = sync(config(dated_offers), catalog=only_offers)
    assert moments(result) == {MAY_10, MAY_20, None}
    assert result.bookmark("offers") == {
        "replication_key": "updated_at",
        "replication_key_value": MAY_20,
    }


@pytest.mark.parametrize(
    ("bookmark", "lookback", "wanted"),
    [
        (MAY_20, 0, {MAY_20, None}),
        (MAY_20, 10, {MAY_20, None}),  # half a second short of ten days
        (MAY_20, 11, {MAY_10, MAY_20, None}),
        ("2024-05-10T12:00:00.000001+00:00", 0, {MAY_20, None}),
        (MAY_10, 0, {MAY_10, MAY_20, None}),
        ("2024-06-01T00:00:00+00:00", 7, {None}),
        ("2999-01-01T00:00:00+00:00", 7, {None}),
    ],
)
def test_offers_come_from_the_bookmark_on(
    bookmark: str,
    lookback: int,
    wanted: set[str | None],
    dated_offers: Sandbox,
    only_offers: Any,
) -> None:
    state = marked("offers", replication_key_value=bookmark)
    result = sync(config(dated_offers, lookback_days=lookback), catalog=only_offers, state=state)
    assert moments(result) == wanted
    # The mark never goes back, also when only older rows came.
    assert result.bookmark("offers")["replication_key_value"] == max(bookmark, *_texts(wanted))


def _texts(values: set[str | None]) -> list[str]:
    return [value for value in values if value] or [""]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"start_date": "2024-05-10"}, {MAY_10, MAY_20, None}),
        ({"start_date": "2024-05-11"}, {MAY_20, None}),
        ({"end_date": "2024-05-20"}, {MAY_10, MAY_20, None}),
        ({"end_date": "2024-05-19"}, {MAY_10, None}),
        ({"start_date": "2024-05-11", "end_date": "2024-05-19"}, {None}),
    ],
)
def test_offers_keep_to_a_range(
    settings: dict[str, str], wanted: set[str | None], dated_offers: Sandbox, only_offers: Any
) -> None:
    result = sync(config(dated_offers, **settings), catalog=only_offers)
    assert moments(result) == wanted


def test_enrollments_are_read_in_full_unless_the_catalog_says_otherwise(
    organization: Sandbox, catalog: Any
) -> None:
    rows = expected(organization.path, "enrollments")
    default = selecting(catalog, ["enrollments"])
    first = sync(config(organization), catalog=default)
    second = sync(config(organization), catalog=default, state=first.state)
    assert by_key("enrollments", second.records["enrollments"]) == rows
    chosen = selecting(catalog, ["enrollments"], replication_method="INCREMENTAL")
    first = sync(config(organization), catalog=chosen)
    assert by_key("enrollments", first.records["enrollments"]) == rows
    latest = max(row["enrolled_at"] for row in rows)
    assert first.bookmark("enrollments")["replication_key_value"] == latest
    second = sync(config(organization, lookback_days=0), catalog=chosen, state=first.state)
    assert second.keys("enrollments", "enrolled_at") == [(latest,)]
    assert second.state == first.state


def test_portfolio_items_come_from_the_look_back_on(organization: Sandbox, catalog: Any) -> None:
    chosen = selecting(catalog, ["portfolio_items"])
    rows = expected(organization.path, "portfolio_items")
    first = sync(config(organization), catalog=chosen)
    assert by_key("portfolio_items", first.records["portfolio_items"]) == rows
    latest = max(row["updated_at"] for row in rows)
    assert first.bookmark("portfolio_items")["replication_key_value"] == latest
    settings = config(organization, lookback_days=2)
    second = sync(settings, catalog=chosen, state=first.state)
    since = (datetime.fromisoformat(latest) - timedelta(days=2)).isoformat()
    wanted = [row for row in rows if row["updated_at"] >= since]
    assert len(wanted) < len(rows)
    assert by_key("portfolio_items", second.records["portfolio_items"]) == wanted


# ---------- streams that fail ----------


def test_the_bookmark_of_a_stream_that_fails_stays_and_the_others_move(catalog: Any) -> None:
    chosen = selecting(catalog, {REPORT, "offers", "users"})
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

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluvo_client.reading.by_days import Days, asked_days
from tap_pluvo.windows import Window, windows

DAY = dt.timedelta(days=1)
DAYS = st.dates(dt.date(2015, 1, 1), dt.date(2035, 12, 31))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@given(DAYS, st.none() | DAYS, DAYS, st.integers(1, 400))
def test_windows_hold_each_day_once(
    since: dt.date, end: dt.date | None, today: dt.date, days: int
) -> None:
    found = windows(since, end, today, days)
    last = min(end or today, today)
    if since <= last:
        assert found[0].start == since
        assert found[-1].end == end
    for sooner, later in pairwise(found):
        assert sooner.end is not None
        assert later.start == sooner.end + DAY
        assert sooner.end - sooner.start == (days - 1) * DAY  # type: ignore[operator]
    for probe in {since, since + DAY, last, last - DAY, since + days * DAY}:
        if since <= probe <= last:
            assert sum(window.holds(probe.isoformat()) for window in found) == 1
    assert not [window for window in found if window.undated]


def test_windows_of_a_month() -> None:
    assert windows(day("2024-01-01"), day("2024-01-31"), day("2024-06-01"), 14) == [
        Window(day("2024-01-01"), day("2024-01-14"), undated=False),
        Window(day("2024-01-15"), day("2024-01-28"), undated=False),
        Window(day("2024-01-29"), day("2024-01-31"), undated=False),
    ]


def test_the_last_window_has_no_end_of_its_own() -> None:
    found = windows(day("2024-01-01"), None, day("2024-01-20"), 14)
    assert [window.end for window in found] == [day("2024-01-14"), None]
    assert found[-1].holds("2099-01-01")  # who knows what day it is over there


def test_a_window_that_ends_today_is_the_last() -> None:
    found = windows(day("2024-01-01"), None, day("2024-01-14"), 14)
    assert found == [Window(day("2024-01-01"), None, undated=False)]
    assert windows(day("2024-01-14"), None, day("2024-01-14"), 1) == [
        Window(day("2024-01-14"), None, undated=False)
    ]


def test_without_a_start_there_is_one_window() -> None:
    assert windows(None, day("2024-01-31"), day("2024-06-01"), 7) == [
        Window(None, day("2024-01-31"), undated=False)
    ]


@pytest.mark.parametrize(
    ("window", "held", "others"),
    [
        (
            Window(dt.date(2024, 1, 1), dt.date(2024, 1, 31), undated=False),
            ["2024-01-01", "2024-01-15", "2024-01-31", None],
            ["2023-12-31", "2024-02-01"],
        ),
        (Window(None, dt.date(2024, 1, 31), undated=False), ["0001-01-01"], ["2024-02-01"]),
        (Window(dt.date(2024, 1, 1), None, undated=False), ["9999-12-31"], ["2023-12-31"]),
        (Window(None, None, undated=True), ["0001-01-01", "9999-12-31", None], []),
    ],
)
def test_ends_belong_to_a_window(window: Window, held: list[str | None], others: list[str]) -> None:
    assert all(window.holds(probe) for probe in held)
    assert not any(window.holds(probe) for probe in others)


@given(DAYS, DAYS)
def test_a_day_more_is_asked_for_at_both_ends(first: dt.date, last: dt.date) -> None:
    """W19: so all rows come wherever the ends of the filter are exclusive."""
    asked = asked_days(Days(first, last))
    assert (asked.start, asked.end) == (first - DAY, last + DAY)
    assert Window(first, last, undated=False).asked == asked


def test_where_there_is_no_bound_none_is_asked_for() -> None:
    assert asked_days(Days(None, None)) == Days(None, None)

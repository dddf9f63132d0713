"""Where bookmarks move, and where they stay."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from in_process import Organization, running

from tap_pluvo.bookmark import Bookmark

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2024, 6, 15, 23, 59, 30, tzinfo=dt.UTC)


def bookmark(**state: Any) -> tuple[Bookmark, dict[str, Any]]:
    return Bookmark(state, "completion_date", NOW), state


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("2024-06-15", "2024-06-15"),
        ("2024-06-16", "2024-06-15"),
        ("2024-06-16T01:59:30+02:00", "2024-06-16T01:59:30+02:00"),  # this very moment
        ("2024-06-16T01:59:31+02:00", "2024-06-15T23:59:30+00:00"),
        ("2999-01-01T00:00:00Z", "2024-06-15T23:59:30+00:00"),
    ],
)
def test_the_future_is_taken_as_now(value: str, taken: str) -> None:
    found, state = bookmark(replication_key_value=value, full_read_at=value)
    assert found.value == state["replication_key_value"] == state["full_read_at"] == taken
    wrong = ["replication_key_value", "full_read_at"]
    assert found.clamped == ([] if value == taken else wrong)


@pytest.mark.parametrize(
    ("first", "value", "since", "after"),
    [
        (None, "2024-06-01", "2024-05-01", "2024-06-01"),
        ("2024-05-01", "2024-06-01", "2024-05-01", "2024-06-01"),
        ("2024-05-01", "2024-06-01", "2024-05-02", "2024-05-01"),  # a gap
        ("2024-05-01", "2024-06-01", None, "2024-06-01"),
        ("2024-06-02", "2024-06-01", "2024-05-01", "2024-06-02"),  # never back
        ("2024-05-01", "2999-01-01T00:00:00+00:00", None, "2024-06-15T23:59:30+00:00"),
    ],
)
def test_moves(first: str | None, value: str, since: str | None, after: str) -> None:
    found, _ = bookmark(**({"replication_key_value": first} if first else {}))
    found.advance(value, since)
    assert found.value == after


def test_moves_in_steps_join_each_other() -> None:
    found, _ = bookmark(replication_key_value="2024-05-01")
    found.advance("2024-05-10", "2024-04-01")
    found.advance("2024-05-20", "2024-04-01")
    assert found.value == "2024-05-20"


def test_a_range_is_remembered_until_its_end() -> None:
    start, end, middle = dt.date(2024, 1, 1), dt.date(2024, 3, 31), dt.date(2024, 2, 15)
    found, state = bookmark()
    assert found.range_read_to(start, end) is None
    found.note_range(start, end, str(middle))
    assert found.range_read_to(start, end) == middle
    assert found.range_read_to(None, end) is None
    assert found.range_read_to(start, dt.date(2024, 4, 1)) is None
    found.note_range(start, end, str(end))
    assert state == {"range": None}


@pytest.mark.parametrize("full_refresh_days", [0, 1])
def test_a_run_over_midnight_marks_the_day_on_which_it_began(
    full_refresh_days: int, tmp_path: Path
) -> None:
    began = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    pluvo = Organization(tmp_path, "documented", began.date())
    state = {"bookmarks": {"portfolio_report": {"replication_key_value": "2024-05-01"}}}
    with (
        pluvo.answering(),
        running(state=state, full_refresh_days=full_refresh_days) as (tap, collector),
    ):
        tap.session.started = began
        assert not [result.error for result in tap.run() if result.error]
        mark = collector.states()[-1]["bookmarks"]["portfolio_report"]
    pluvo.close()
    assert mark["replication_key_value"] == began.date().isoformat()

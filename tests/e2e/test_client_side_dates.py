"""Incremental syncs of streams whose date the API cannot filter by: the tap compares it itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from expected import by_key, expected
from incremental_support import hours_ago, marked
from support import config, selecting, sync

if TYPE_CHECKING:
    from support import Result

    from pluvo_sandbox import Sandbox


@pytest.fixture
def only_offers(catalog: Any) -> Any:
    return selecting(catalog, ["offers"], replication_method="INCREMENTAL")


@pytest.fixture
def dated_offers(changeable: Sandbox) -> Sandbox:
    """A sandbox whose offers were changed at known moments."""
    moments = ["2024-05-10T12:00:00+00:00", "2024-05-20T12:00:00.500000+00:00", None]
    ids = [row[0] for row in changeable.database.execute("SELECT id FROM offers ORDER BY id")]
    for number, offer in enumerate(ids):
        changeable.change(
            "offers", offer, isActive=True, archivedAt=None, updatedAt=moments[number % 3]
        )
    assert len(ids) >= 3
    return changeable


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
    # The mark never goes back, also when only older rows came, and is never in the future.
    mark = min(max(bookmark, *_texts(wanted)), hours_ago(0))
    assert hours_ago(0.1) < mark or result.bookmark("offers")["replication_key_value"] == mark
    assert result.bookmark("offers")["replication_key_value"] <= hours_ago(0)


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


def test_offers_of_the_future_leave_the_bookmark_behind(
    dated_offers: Sandbox, only_offers: Any
) -> None:
    (offer,) = dated_offers.database.execute("SELECT max(id) FROM offers").fetchone()
    future = "2999-01-01T00:00:00+00:00"
    dated_offers.change("offers", offer, updatedAt=future)
    state = None
    for _ in range(2):
        result = sync(config(dated_offers), catalog=only_offers, state=state)
        assert future in moments(result)
        state = result.state
        assert hours_ago(1) < result.bookmark("offers")["replication_key_value"] <= hours_ago(0)


@pytest.mark.parametrize(
    ("bookmark", "after"), [(MAY_20, MAY_20), (MAY_10, MAY_10), ("2024-05-01T00:00:00+00:00",) * 2]
)
def test_offers_of_a_range_come_whatever_the_bookmark(
    bookmark: str, after: str, dated_offers: Sandbox, only_offers: Any
) -> None:
    state = marked("offers", replication_key_value=bookmark)
    settings = config(dated_offers, start_date="2024-05-09", end_date="2024-05-19")
    result = sync(settings, catalog=only_offers, state=state)
    assert moments(result) == {MAY_10, None}
    assert result.bookmark("offers")["replication_key_value"] == after


@pytest.mark.parametrize("stream", ["enrollments", "offers", "portfolio_items"])
def test_everything_comes_each_time_unless_the_catalog_says_otherwise(
    stream: str, changeable: Sandbox, catalog: Any
) -> None:
    """What was deleted or closed shows in no date, only in that it no longer comes."""
    default = selecting(catalog, [stream])
    first = sync(config(changeable), catalog=default)
    assert by_key(stream, first.records[stream]) == expected(changeable.path, stream)
    changeable.delete(stream, first.records[stream][0]["id"])
    second = sync(config(changeable), catalog=default, state=first.state)
    rows = expected(changeable.path, stream)
    assert by_key(stream, second.records[stream]) == rows
    assert len(rows) == len(first.records[stream]) - 1


def test_enrollments_come_from_the_bookmark_on(changeable: Sandbox, catalog: Any) -> None:
    rows = expected(changeable.path, "enrollments")
    chosen = selecting(catalog, ["enrollments"], replication_method="INCREMENTAL")
    first = sync(config(changeable), catalog=chosen)
    assert by_key("enrollments", first.records["enrollments"]) == rows
    latest = max(row["enrolled_at"] for row in rows)
    assert first.bookmark("enrollments")["replication_key_value"] == latest
    second = sync(config(changeable, lookback_days=0), catalog=chosen, state=first.state)
    assert second.keys("enrollments", "enrolled_at") == [(latest,)]
    assert second.state == first.state


def test_portfolio_items_come_from_the_look_back_on(changeable: Sandbox, catalog: Any) -> None:
    chosen = selecting(catalog, ["portfolio_items"], replication_method="INCREMENTAL")
    rows = expected(changeable.path, "portfolio_items")
    first = sync(config(changeable), catalog=chosen)
    assert by_key("portfolio_items", first.records["portfolio_items"]) == rows
    latest = max(row["updated_at"] for row in rows)
    assert first.bookmark("portfolio_items")["replication_key_value"] == latest
    settings = config(changeable, lookback_days=2)
    second = sync(settings, catalog=chosen, state=first.state)
    since = (datetime.fromisoformat(latest) - timedelta(days=2)).isoformat()
    wanted = [row for row in rows if row["updated_at"] >= since]
    assert len(wanted) < len(rows)
    assert by_key("portfolio_items", second.records["portfolio_items"]) == wanted

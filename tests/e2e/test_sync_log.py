"""The stream `sync_log`: what the tap says that it read, compared with what it did read."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest
from drift_support import organization
from expected import KEYS, expected
from incremental_support import REPORT, REPORTS, between, days_ago, hours_ago, marked
from reliability_support import Watched
from support import (
    DEFAULT_STREAMS,
    SCHEMAS,
    SYNC_LOG,
    config,
    of_stream,
    queries,
    run_tap,
    selecting,
    sync,
)
from test_changed_fields import changed, into_nothing

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from support import Message, Result, Row

COUNTED = {"certificates", "groups", "trainings", "users", *REPORTS}  # rows that the API counts
NOTHING = {"window_from": None, "window_to": None, "complete": False}


def logging(catalog: Any, *streams: str, **metadata: Any) -> Any:
    """Return the catalog with these streams and the log selected."""
    return selecting(catalog, [*streams, SYNC_LOG], **metadata)


def midnight(day: str) -> str:
    return f"{day}T00:00:00+00:00"


def said(row: Row) -> Row:
    """Return what a row says of the stream as a whole."""
    return {name: row[name] for name in ("mode", "window_from", "window_to", "complete")}


def of(messages: list[Message], stream: str, kind: str) -> list[int]:
    """Return the places of a stream's messages."""
    return [
        place
        for place, item in enumerate(messages)
        if item.get("stream") == stream and item["type"] == kind
    ]


def check_order(result: Result) -> None:
    """Make sure that each row comes after its stream's last record, and before its last STATE.

    All records of a stream bear the moment that its row begins with.
    """
    messages = result.messages
    last = result.state["bookmarks"]
    places = of(messages, SYNC_LOG, "RECORD")
    assert of(messages, SYNC_LOG, "SCHEMA")[0] < min(places)
    for place in places:
        row = messages[place]["record"]
        records = of(messages, row["stream"], "RECORD")
        assert all(number < place for number in records)
        if row["complete"]:
            assert messages[place + 1]["type"] == "STATE"
        states = [item["value"] for item in messages[:place] if item["type"] == "STATE"]
        if bookmark := last.get(row["stream"]):
            assert bookmark not in [item["bookmarks"].get(row["stream"]) for item in states]
        for number in records:
            time = messages[number]["time_extracted"]
            assert time.replace("Z", "+00:00") == row["started_at"]
        assert row["started_at"] <= row["finished_at"]
        assert len(row["started_at"]) == len("2026-01-31T12:00:00.000000+00:00")
    assert messages[-1]["type"] == "STATE"


def test_each_stream_of_a_run_has_a_row(sandbox: Sandbox) -> None:
    result = sync(config(sandbox))
    assert result.sync_log.keys() == DEFAULT_STREAMS
    check_order(result)
    whole = {"mode": "FULL", "window_from": None, "window_to": None, "complete": True}
    for stream, row in result.sync_log.items():
        rows = len(expected(sandbox.path, stream))
        assert row.keys() == SCHEMAS[SYNC_LOG]["properties"].keys()
        assert row["rows"] == rows == len(result.records[stream])
        assert row["counted"] == (rows if stream in COUNTED else None)
        # Equal results on several pages are read twice, to be sure of them.
        assert row["repairs"] in ({0, 1} if stream in REPORTS else {0})
        assert said(row) == whole
    assert len({row["started_at"] for row in result.sync_log.values()}) == len(DEFAULT_STREAMS)


# ---------- ranges ----------


@pytest.mark.parametrize("stream", sorted(REPORTS))
def test_a_window_speaks_for_its_days(stream: str, changeable: Sandbox, catalog: Any) -> None:
    state = marked(stream, replication_key_value=days_ago(200), full_read_at=hours_ago(1))
    settings = config(changeable, window_days=30, lookback_days=5)
    result = sync(settings, catalog=logging(catalog, stream), state=state)
    row = result.sync_log[stream]
    assert said(row) == {
        "mode": "WINDOW",
        "window_from": midnight(days_ago(205)),
        "window_to": midnight(days_ago(0)),
        "complete": True,
    }
    assert row["counted"] is None
    check_range(result, stream, changeable)
    assert row["rows"] == len(result.records[stream])
    check_order(result)
    assert len({str(state) for state in result.states}) > 5  # of the checkpoints


def check_range(result: Result, stream: str, pluvo: Sandbox) -> None:
    """Make sure that all rows of a row's range came."""
    first, last = (result.sync_log[stream][name][:10] for name in ("window_from", "window_to"))
    wanted = {row["id"] for row in between(expected(pluvo.path, stream), first, last)}
    assert wanted
    assert wanted <= {row["id"] for row in result.records[stream]}


def test_a_report_that_fails_speaks_for_the_windows_before(
    changeable: Sandbox, catalog: Any
) -> None:
    catalog = logging(catalog, REPORT)
    settings = config(
        changeable,
        start_date=days_ago(400),
        full_refresh_days=0,
        window_days=30,
        max_concurrency=1,
        max_retry_seconds=0,
    )
    changeable.reset_log()
    sync(settings, catalog=catalog)
    middle = len(changeable.requests) // 2
    changeable.set_faults(f"500:portfolioReport@{middle}-9999")
    result = run_tap(settings, catalog=catalog)
    assert result.returncode == 1
    assert result.failed_streams() == {REPORT}
    row = result.sync_log[REPORT]
    reached = result.bookmark(REPORT)["replication_key_value"]
    assert said(row) == {
        "mode": "WINDOW",
        "window_from": midnight(days_ago(400)),
        "window_to": midnight(reached),
        "complete": False,
    }
    assert days_ago(400) < reached < days_ago(0)
    assert row["rows"] == len(result.records[REPORT])
    check_range(result, REPORT, changeable)
    assert result.messages[-1]["type"] == "STATE"


@pytest.mark.parametrize(
    ("settings", "first", "last"),
    [
        ({"start_date": days_ago(300), "end_date": days_ago(100)}, days_ago(300), days_ago(100)),
        ({"end_date": days_ago(100)}, None, days_ago(100)),
        ({"end_date": "2999-01-01"}, None, days_ago(0)),
    ],
)
def test_a_report_that_goes_by_dates_speaks_for_these(
    settings: dict[str, str], first: str | None, last: str, changeable: Sandbox, catalog: Any
) -> None:
    result = sync(config(changeable, **settings), catalog=logging(catalog, REPORT))
    row = result.sync_log[REPORT]
    assert said(row) == {
        "mode": "WINDOW",
        "window_from": first and midnight(first),
        "window_to": midnight(last),
        "complete": True,
    }
    wanted = between(expected(changeable.path, REPORT), first or "", last)
    assert {item["id"] for item in wanted} <= {item["id"] for item in result.records[REPORT]}


def test_a_full_read_from_a_date_on_speaks_for_rows_in_progress_too(
    changeable: Sandbox, catalog: Any
) -> None:
    first = days_ago(300)
    result = sync(config(changeable, start_date=first), catalog=logging(catalog, REPORT))
    row = result.sync_log[REPORT]
    assert said(row) == {
        "mode": "FULL",
        "window_from": midnight(first),
        "window_to": None,
        "complete": True,
    }
    wanted = {
        item["id"]
        for item in expected(changeable.path, REPORT)
        if not item["completion_date"] or item["completion_date"] >= first
    }
    assert {item["id"] for item in result.records[REPORT]} == wanted


def test_full_table_speaks_for_the_whole_report(changeable: Sandbox, catalog: Any) -> None:
    settings = config(changeable, start_date=days_ago(300), end_date=days_ago(100))
    chosen = logging(catalog, REPORT, "offers", replication_method="FULL_TABLE")
    result = sync(settings, catalog=chosen)
    for stream in (REPORT, "offers"):
        row = result.sync_log[stream]
        assert said(row) == NOTHING | {"mode": "FULL", "complete": True}
        assert row["rows"] == len(expected(changeable.path, stream))


@pytest.mark.parametrize(
    ("settings", "first", "last"),
    [
        ({"lookback_days": 5}, "2024-05-05T12:00:00+00:00", None),
        ({"lookback_days": 0, "start_date": "2024-06-01"}, midnight("2024-06-01"), None),
        (
            {"start_date": "2024-05-01", "end_date": "2024-05-20"},
            midnight("2024-05-01"),
            "2024-05-20T23:59:59.999999+00:00",
        ),
    ],
)
def test_a_stream_that_the_tap_filters_speaks_from_its_bookmark_on(
    settings: dict[str, Any],
    first: str,
    last: str | None,
    changeable: Sandbox,
    catalog: Any,
) -> None:
    moments = [None, "2024-05-01T12:00:00+00:00", "2024-05-20T12:00:00+00:00"]
    ids = changeable.database.execute("SELECT id FROM offers ORDER BY id").fetchall()
    for (offer,), moment in zip(ids, moments, strict=True):
        changeable.change("offers", offer, isActive=True, archivedAt=None, updatedAt=moment)
    state = marked("offers", replication_key_value="2024-05-10T12:00:00+00:00")
    chosen = logging(catalog, "offers", replication_method="INCREMENTAL")
    result = sync(config(changeable, **settings), catalog=chosen, state=state)
    row = result.sync_log["offers"]
    assert said(row) == {
        "mode": "FULL",
        "window_from": first,
        "window_to": last,
        "complete": True,
    }
    wanted = {
        item["id"]
        for item in expected(changeable.path, "offers")
        if not item["updated_at"] or first <= item["updated_at"] <= (last or "9999")
    }
    assert {item["id"] for item in result.records["offers"]} == wanted


# ---------- what did not come ----------


def test_a_stream_that_fails_has_a_row() -> None:
    with Sandbox(users=30, faults=["500:paginatedUsers@2-9999"]) as broken:
        result = run_tap(config(broken, page_size=10, max_concurrency=1, max_retry_seconds=0))
    assert result.returncode == 1
    assert result.failed_streams() >= {"users"}
    assert result.sync_log.keys() == DEFAULT_STREAMS
    check_order(result)
    for stream, row in result.sync_log.items():
        assert row["complete"] is (stream not in result.failed_streams())
        assert row["rows"] == len(result.records.get(stream, []))


def test_filters_leave_a_stream_incomplete(sandbox: Sandbox) -> None:
    result = sync(config(sandbox, filters={"users": {"archived": False}}))
    incomplete = {name for name, row in result.sync_log.items() if not row["complete"]}
    assert incomplete == {"users"}
    assert result.sync_log["users"]["rows"] == len(result.records["users"])


@pytest.mark.parametrize("users", ["__NULL__", {"__filter__": "not archived"}])
def test_stream_maps_that_keep_rows_back_leave_a_stream_incomplete(
    users: Any, sandbox: Sandbox
) -> None:
    result = sync(config(sandbox, stream_maps={"users": users}))
    incomplete = {name for name, row in result.sync_log.items() if not row["complete"]}
    assert incomplete == {"users"}
    assert result.sync_log["users"]["rows"] == len(result.records.get("users", []))


def test_a_stream_map_that_fails_for_a_row_leaves_the_number_of_those_before(
    changeable: Sandbox,
) -> None:
    ids = [row["id"] for row in sync(config(changeable)).records["users"]]
    maps = {"users": {"name": f"name if id != '{ids[7]}' else 1 / 0"}}
    result = run_tap(config(changeable, stream_maps=maps))
    assert result.failed_streams() == {"users"}
    row = result.sync_log["users"]
    assert (row["rows"], row["complete"]) == (7, False)
    assert len(result.records["users"]) == 7


def test_rows_that_are_given_again_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = "custom_field_values"
    changed(monkeypatch, "GroupConnection.count", into_nothing)  # after all values of users came
    with organization("documented") as pluvo:
        result = pluvo.sync(introspection="off")
        rows = result.keys(stream, *KEYS[stream])
        assert len(rows) > len(set(rows))
        row = result.sync_log[stream]
        assert row["rows"] == len(set(rows)) == len(expected(pluvo.path, stream))
        assert said(row) == NOTHING | {"mode": "FULL"}


def test_a_signal_leaves_the_row_of_a_stream_that_was_cut_off(catalog: Any) -> None:
    started: Future[int] = Future()
    with Watched(users=60, trainings=4, groups=4, portfolio=40) as pluvo:
        chosen = logging(catalog, "groups", "users")
        pluvo.before_request[5] = lambda _: os.kill(started.result(), signal.SIGTERM)
        run = pluvo.start(catalog=chosen, page_size=10, max_concurrency=1)
        started.set_result(run.pid)
        result = run.end()
    assert result.returncode == 128 + signal.SIGTERM
    check_order(result)
    complete = {stream: row["complete"] for stream, row in result.sync_log.items()}
    assert complete == {"groups": True, "users": False}
    assert 0 < result.sync_log["users"]["rows"] == len(result.records["users"]) < 60


# ---------- whoever wants it, or not ----------


def test_without_the_log_the_rest_is_the_same(sandbox: Sandbox, catalog: Any) -> None:
    result = sync(config(sandbox), catalog=selecting(catalog, DEFAULT_STREAMS))
    assert result.sync_log == {}
    assert not of(result.messages, SYNC_LOG, "SCHEMA")
    assert result.records.keys() == DEFAULT_STREAMS


def test_a_catalog_of_before_has_no_log(sandbox: Sandbox, catalog: Any) -> None:
    chosen = selecting(catalog, ["groups"])
    chosen["streams"].remove(of_stream(chosen, SYNC_LOG))
    result = sync(config(sandbox), catalog=chosen)
    assert {item.get("stream") for item in result.messages} == {"groups", None}


def test_the_log_alone_is_nothing_to_read(sandbox: Sandbox, catalog: Any) -> None:
    result = run_tap(config(sandbox), catalog=logging(catalog))
    assert result.returncode == 1
    assert "catalog: no stream is selected" in result.stderr
    assert queries(sandbox) == []


def test_the_test_of_the_connection_reads_no_log(sandbox: Sandbox, catalog: Any) -> None:
    result = sync(config(sandbox), "--test", catalog=logging(catalog, "groups"))
    assert "stream groups: one page read" in result.stdout
    assert SYNC_LOG not in result.stdout


def test_columns_can_be_left_out(sandbox: Sandbox, catalog: Any) -> None:
    chosen = selecting(catalog, {"groups": None, SYNC_LOG: ["complete"]})
    assert sync(config(sandbox), catalog=chosen).sync_log["groups"].keys() == {
        "stream",
        "started_at",
        "complete",
    }


def test_the_log_names_the_organization_where_the_others_do(sandbox: Sandbox) -> None:
    result = sync(config(sandbox, add_organization_column=True))
    assert {row["organization"] for row in result.sync_log.values()} == {
        result.records["users"][0]["organization"]
    }
    schema = next(item for item in result.messages if item.get("stream") == SYNC_LOG)
    assert schema["key_properties"] == ["stream", "started_at", "organization"]

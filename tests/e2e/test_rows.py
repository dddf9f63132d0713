"""Every row of every stream, compared with the sandbox's tables."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from expected import KEYS, SQL, by_key, expected
from jsonschema import Draft202012Validator
from support import ALL_STREAMS, DEFAULT_STREAMS, TAP, config, discover, queries, selecting, sync

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from support import Result

    from pluvo_sandbox.contract import Variant


def test_every_stream_has_its_expected_rows() -> None:
    assert SQL.keys() == ALL_STREAMS, "SQL in expected.py must say what each stream holds"


@pytest.mark.parametrize("stream", sorted(ALL_STREAMS))
def test_rows_are_those_of_the_organization(
    stream: str, everything: Result, sandbox: Sandbox
) -> None:
    rows = expected(sandbox.path, stream)
    assert rows
    assert by_key(stream, everything.records[stream]) == rows


def test_a_run_without_a_catalog_reads_the_default_streams(sandbox: Sandbox) -> None:
    result = sync(config(sandbox), tap=TAP)
    assert result.records.keys() == DEFAULT_STREAMS
    assert result.schemas.keys() == DEFAULT_STREAMS
    for stream, rows in result.records.items():
        assert by_key(stream, rows) == expected(sandbox.path, stream)


@pytest.mark.parametrize("stream", sorted(ALL_STREAMS))
def test_a_schema_comes_first_and_declares_every_column(stream: str, everything: Result) -> None:
    types = [item["type"] for item in everything.messages if item.get("stream") == stream]
    assert types[0] == "SCHEMA"
    schema = everything.schemas[stream]
    assert tuple(schema["key_properties"]) == KEYS[stream]
    columns = schema["schema"]["properties"].keys()
    assert all(row.keys() == columns for row in everything.records[stream])


@pytest.mark.parametrize("stream", sorted(ALL_STREAMS))
def test_values_fit_their_schema_and_are_flat(stream: str, everything: Result) -> None:
    schema = everything.schemas[stream]["schema"]
    validator = Draft202012Validator(schema)
    forms = {name: column.get("format") for name, column in schema["properties"].items()}
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in forms)
    for row in everything.records[stream]:
        assert [error.message for error in validator.iter_errors(row)] == []
        for name, value in row.items():
            assert not isinstance(value, dict | list)
            if value is None:
                assert name not in KEYS[stream]
            elif forms[name] == "date-time":
                assert datetime.fromisoformat(value).isoformat() == value
                assert value.endswith("+00:00")
            elif forms[name] == "date":
                assert date.fromisoformat(value).isoformat() == value


def test_without_introspection_the_documents_are_enough(sandbox: Sandbox) -> None:
    result = sync(config(sandbox, introspection="off"))
    assert result.records.keys() == DEFAULT_STREAMS
    for stream, rows in result.records.items():
        wanted = expected(sandbox.path, stream)
        if stream == "training_participants":  # the documented way does not give trainers
            wanted = [row for row in wanted if row["role"] == "PARTICIPANT"]
        assert by_key(stream, rows) == wanted


def test_an_organization_that_hides_its_schema_is_read_by_the_documents() -> None:
    with Sandbox(introspection=False, users=30, portfolio=60) as hiding:
        result = sync(config(hiding))
        assert "reading as documented" in result.stderr
        for stream, rows in result.records.items():
            wanted = expected(hiding.path, stream)
            if stream == "training_participants":
                wanted = [row for row in wanted if row["role"] == "PARTICIPANT"]
            assert by_key(stream, rows) == wanted


def test_an_organization_with_more_than_documented_gives_its_own_ids_and_types(
    rich: Sandbox,
) -> None:
    result = sync(config(rich))
    assert result.records.keys() == DEFAULT_STREAMS
    for stream in DEFAULT_STREAMS - {"issued_certificates", "portfolio_report"}:
        assert by_key(stream, result.records[stream]) == expected(rich.path, stream)
    found = rich.database.execute("SELECT id, relatedObjectType, title FROM report").fetchall()
    names = ("id", "related_object_type", "title")
    assert sorted(result.keys("portfolio_report", *names)) == sorted(found)
    assert {"TRAINING", "CERTIFICATE", "COURSE", "SCORM"} == {row[1] for row in found}
    assert sorted(result.keys("issued_certificates", "id", "title")) == sorted(
        (key, title) for key, kind, title in found if kind == "CERTIFICATE"
    )


def test_types_that_nobody_named_are_read_without_introspection(rich: Sandbox) -> None:
    result = sync(config(rich, introspection="off"))
    counts = rich.database.execute(
        "SELECT relatedObjectType, title, userId, completionDate FROM report"
    ).fetchall()
    columns = ("related_object_type", "title", "user_id", "completion_date")
    known = {"TRAINING", "CERTIFICATE"}
    wanted = [(kind if kind in known else None, *rest) for kind, *rest in counts]
    found = result.keys("portfolio_report", *columns)
    assert sorted(map(str, found)) == sorted(map(str, wanted))
    ids = result.keys("portfolio_report", "id")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("schema", ["documented", "rich"])
@pytest.mark.parametrize("settings", [{}, {"start_date": "2024-01-01", "full_refresh_days": 0}])
def test_types_that_the_live_schema_does_not_name_are_read_too(
    schema: Variant, settings: dict[str, Any]
) -> None:
    with Sandbox(users=20, portfolio=90, untyped=30, schema=schema) as pluvo:
        # Nothing but its type, and where there is one its id, tells this row from a typed one.
        user, title, day = pluvo.database.execute(
            "SELECT userId, title, completionDate FROM report"
            " WHERE relatedObjectType = 'TRAINING' AND completionDate > '2024-01-01'"
        ).fetchone()
        pluvo.insert_report_row(user, title, relatedObjectType=None, completionDate=day)
        result = sync(config(pluvo, page_size=7, **settings))
        rows = pluvo.database.execute(
            "SELECT id, relatedObjectType, title, userId, completionDate FROM report"
            + (" WHERE completionDate >= '2024-01-01'" if settings else "")
        ).fetchall()
    columns = ("id", "related_object_type", "title", "user_id", "completion_date")
    found = result.keys("portfolio_report", *columns)
    assert sum(kind is None for _, kind, *_ in found) > 1
    assert len({row[0] for row in found}) == len(found)
    own = 0 if schema == "rich" else 1  # without ids of its own, they are computed
    assert sorted(map(str, (row[own:] for row in found))) == sorted(
        map(str, (row[own:] for row in rows))
    )


def test_an_organization_that_lacks_what_old_pages_mention_gives_the_rest(lean: Sandbox) -> None:
    result = sync(config(lean))
    gone = {"enrollments", "offer_event_dates", "offer_events", "offers"}
    assert result.records.keys() == DEFAULT_STREAMS - gone
    for name in gone:
        assert f"stream {name} is left out: the organization's schema lacks" in result.stderr
    for stream, rows in result.records.items():
        columns = result.schemas[stream]["schema"]["properties"].keys()
        wanted = [
            {name: value for name, value in row.items() if name in columns}
            for row in expected(lean.path, stream)
        ]
        assert by_key(stream, rows) == wanted


@pytest.mark.parametrize("page_size", [1, 7, 49])
def test_rows_do_not_depend_on_the_page_size(page_size: int) -> None:
    with Sandbox(users=9 * page_size + 1, groups=3, trainings=4, portfolio=60) as sandbox:
        result = sync(config(sandbox, page_size=page_size))
        for stream in DEFAULT_STREAMS:
            found = result.records.get(stream, [])
            assert by_key(stream, found) == expected(sandbox.path, stream)


def test_lists_of_many_pages_inside_other_rows_are_read_to_their_end() -> None:
    with Sandbox(users=400, groups=14, trainings=3, portfolio=1500) as large:
        result = sync(config(large, max_concurrency=16))
        for stream in ("group_members", "training_participants", "custom_field_values"):
            assert by_key(stream, result.records[stream]) == expected(large.path, stream)
        sizes = Counter(result.keys("group_members", "group_id", "role"))
        assert max(sizes.values()) > 200
        assert {50, 51} <= {*sizes.values()}
        assert max(Counter(result.keys("training_participants", "training_id")).values()) > 100


def test_an_empty_organization_gives_schemas_and_no_rows() -> None:
    with Sandbox(users=0, trainings=0, groups=0, portfolio=0) as empty:
        result = sync(config(empty))
        assert result.schemas.keys() == DEFAULT_STREAMS
        counts = {stream: len(expected(empty.path, stream)) for stream in DEFAULT_STREAMS}
        found = {stream: len(result.records.get(stream, [])) for stream in DEFAULT_STREAMS}
        assert found == counts
        assert counts["users"] == counts["groups"] == counts["portfolio_report"] == 0


def test_results_are_told_apart_by_what_a_live_schema_has() -> None:
    """Without an id, but with the id of what a result is about: it becomes a part of the key."""
    sizes: dict[str, Any] = {"users": 30, "trainings": 6, "portfolio": 200}
    lacking: dict[str, Any] = {
        "faults": ["yesterday"],
        "yesterday_lacks": ["PortfolioReportNode.id"],
    }
    keys: list[set[str]] = []
    for options in ({}, {"schema": "rich"} | lacking):
        with Sandbox(**sizes, **options) as sandbox:
            result = sync(config(sandbox), catalog=selecting(discover({}), ["portfolio_report"]))
            ((results,),) = sandbox.database.execute("SELECT count(*) FROM report")
            asked = any("relatedObjectId" in query for query in queries(sandbox))
            assert asked is bool(options)
        rows = [row["id"] for row in result.records["portfolio_report"]]
        assert len(rows) == len({*rows}) == results
        keys.append({*rows})
    assert not keys[0] & keys[1]

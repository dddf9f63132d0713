"""What arrives in real targets, compared with the sandbox's tables."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from expected import KEYS, by_key, expected
from psycopg import sql
from psycopg.rows import dict_row
from support import ALL_STREAMS, DEFAULT_STREAMS, config, pipe, sync, tool

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Result, Row

POSTGRES = {"sqlalchemy_url": "postgresql+psycopg://", "use_copy": True}
ZONE = {"PGTZ": "UTC"}  # the target keeps moments without zone, in that of the session


@pytest.fixture(scope="module")
def jsonl(everything: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that target-jsonl filled."""
    folder = tmp_path_factory.mktemp("jsonl")
    settings = {"destination_path": str(folder), "do_timestamp_file": False}
    state = pipe(everything.stdout, tool("target-jsonl", "target-jsonl"), settings, folder)
    assert json.loads(state.splitlines()[-1]) == everything.state
    return folder


@pytest.mark.parametrize("stream", sorted(ALL_STREAMS))
def test_target_jsonl(stream: str, jsonl: Path, sandbox: Sandbox) -> None:
    lines = (jsonl / f"{stream}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert by_key(stream, rows) == expected(sandbox.path, stream)


@pytest.fixture(scope="module")
def csv_files(everything: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that target-csv filled."""
    folder = tmp_path_factory.mktemp("csv")
    settings = {"output_path": str(folder), "overwrite_behavior": "replace_file"}
    state = pipe(everything.stdout, tool("target-csv", "target-csv"), settings, folder)
    assert json.loads(state.splitlines()[-1]) == everything.state
    return folder


@pytest.mark.parametrize("stream", sorted(ALL_STREAMS))
def test_target_csv(stream: str, csv_files: Path, everything: Result, sandbox: Sandbox) -> None:
    with (csv_files / f"{stream}.csv").open(encoding="utf-8", newline="") as file:
        rows: list[Row] = list(csv.DictReader(file))
    moments = columns_with(everything, stream, "date-time")
    wanted = [
        {name: as_in_csv(value, moment=name in moments) for name, value in row.items()}
        for row in expected(sandbox.path, stream)
    ]
    assert by_key(stream, rows) == wanted


def as_in_csv(value: Any, *, moment: bool) -> str:
    """Return a value as the target writes it: moments with a blank between day and time."""
    if value is None:
        return ""
    return str(datetime.fromisoformat(value)) if moment else str(value)


def columns_with(run: Result, stream: str, form: str) -> set[str]:
    """Return the columns of a stream that have a format."""
    columns = run.schemas[stream]["schema"]["properties"]
    return {name for name, schema in columns.items() if schema.get("format") == form}


@pytest.fixture(scope="module")
def in_postgres(
    everything: Result,
    sandbox: Sandbox,
    postgres: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], list[Row]]:
    """A function that reads a table which target-postgres filled: in two runs, so rows repeat."""
    folder = tmp_path_factory.mktemp("postgres")
    settings = POSTGRES | {"default_target_schema": "rows"}
    target = tool("target-postgres", "target-postgres")
    again = sync(config(sandbox), state=everything.state)
    for run in (everything, again):
        state = pipe(run.stdout, target, settings, folder, postgres | ZONE)
        assert json.loads(state.splitlines()[-1]) == run.state

    def read(stream: str) -> list[Row]:
        with psycopg.connect(**connection(postgres), row_factory=dict_row) as client:
            query = sql.SQL("SELECT * FROM rows.{}").format(sql.Identifier(stream))
            rows = client.execute(query).fetchall()
        return [
            {name: value for name, value in row.items() if not name.startswith("_sdc_")}
            for row in rows
        ]

    return read


def connection(postgres: dict[str, str]) -> dict[str, Any]:
    return {
        "host": postgres["PGHOST"],
        "port": postgres["PGPORT"],
        "user": postgres["PGUSER"],
        "password": postgres["PGPASSWORD"],
        "dbname": postgres["PGDATABASE"],
    }


@pytest.mark.parametrize("stream", sorted(ALL_STREAMS))
def test_target_postgres(
    stream: str,
    in_postgres: Callable[[str], list[Row]],
    sandbox: Sandbox,
) -> None:
    found = [
        {name: as_written(value) for name, value in row.items()} for row in in_postgres(stream)
    ]
    assert by_key(stream, found) == expected(sandbox.path, stream)


def as_written(value: Any) -> Any:
    """Return a value of the database as the tap writes it; its moments have no zone."""
    match value:
        case datetime():
            return value.replace(tzinfo=UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case UUID():
            return str(value)
        case _:
            return value


def test_rows_that_are_gone_are_marked_after_a_complete_read(
    postgres: dict[str, str], tmp_path: Path
) -> None:
    settings = POSTGRES | {"default_target_schema": "versions", "hard_delete": True}
    target = tool("target-postgres", "target-postgres")
    with Sandbox(users=30, trainings=4, groups=3, portfolio=60) as organization:
        tap = config(organization, emit_activate_version_messages=True)
        first = sync(tap)
        pipe(first.stdout, target, settings, tmp_path, postgres | ZONE)
        (gone,) = organization.database.execute("SELECT min(id) FROM users").fetchone()
        organization.database.execute("DELETE FROM users WHERE id = ?", (gone,))
        second = sync(tap, state=first.state)
        pipe(second.stdout, target, settings, tmp_path, postgres | ZONE)
        with psycopg.connect(**connection(postgres)) as client:
            for stream in DEFAULT_STREAMS:
                columns = sql.SQL(", ").join(map(sql.Identifier, KEYS[stream]))
                table = sql.Identifier("versions", stream)
                query = sql.SQL("SELECT {} FROM {}").format(columns, table)
                found = [tuple(map(str, row)) for row in client.execute(query)]
                wanted = [
                    tuple(row[name] for name in KEYS[stream])
                    for row in expected(organization.path, stream)
                ]
                assert sorted(found) == sorted(wanted), stream

"""Every row in a warehouse can be matched to the run that gave it, by `sync_log`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest
from expected import KEYS
from psycopg import sql
from support import DEFAULT_STREAMS, TAP, config, in_batches, pipe, sync, tool

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support import Result

Match = tuple[tuple[str, ...], str | None]  # a row's key, and when its run began to read the stream


def organization() -> Sandbox:
    return Sandbox(users=12, trainings=4, groups=3, portfolio=60)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Result]]:
    """Runs over two organizations, and a later one that reads what is new of the first."""
    with organization() as one, organization() as other:

        def run(pluvo: Sandbox, state: Any = None, **settings: Any) -> Result:
            settings |= in_batches(tmp_path_factory.mktemp("files"))
            found = sync(config(pluvo, add_organization_column=True, **settings), state=state)
            assert found.messages  # read while the files are there
            return found

        first = run(one)
        yield [first, run(other), run(one, first.state, lookback_days=400)]


def key(stream: str) -> tuple[str, ...]:
    return (*KEYS[stream], "organization")


def given(run: Result, stream: str) -> list[Match]:
    """Return what a run gave of a stream, as it said itself."""
    began = run.sync_log[stream]["started_at"]
    return [(values, began) for values in run.keys(stream, *key(stream))]


@pytest.fixture(scope="module")
def files(
    runs: list[Result],
    database: psycopg.Connection[Any],  # noqa: ARG001 - filled before the files are moved
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The files that target-batch-files kept of these runs."""
    folder = tmp_path_factory.mktemp("jsonl")
    target = TAP.with_name("target-batch-files")
    for run in runs:
        pipe(run.stdout, target, {"destination_path": str(folder)}, folder)
    return folder


@pytest.mark.parametrize("stream", sorted(DEFAULT_STREAMS))
def test_in_duckdb(stream: str, runs: list[Result], files: Path) -> None:
    """By the moment that all rows of a stream and run bear."""

    def rows(name: str, *columns: str) -> str:
        types = ", ".join(f"{column}: 'VARCHAR'" for column in columns)
        return f"read_json('{files}/{name}-*.jsonl', columns = {{{types}}})"

    columns = ", ".join(f"raw.{name}" for name in key(stream))
    log = rows("sync_log", "stream", "started_at", "organization")
    query = (
        f"SELECT {columns}, log.started_at "
        f"FROM {rows(stream, '_sdc_extracted_at', *key(stream))} AS raw "
        f"LEFT JOIN {log} AS log ON log.stream = '{stream}' "
        "AND log.started_at::TIMESTAMPTZ = raw._sdc_extracted_at::TIMESTAMPTZ "
        "AND log.organization = raw.organization"
    )
    with duckdb.connect() as connection:
        found = connection.execute(query).fetchall()
    matches: list[Match] = [(tuple(row[:-1]), row[-1]) for row in found]
    assert sorted(matches) == sorted(match for run in runs for match in given(run, stream))


@pytest.fixture(scope="module")
def database(
    runs: list[Result], postgres: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg.Connection[Any]]:
    """The tables that target-postgres filled in these runs."""
    folder = tmp_path_factory.mktemp("postgres")
    settings = {
        "sqlalchemy_url": "postgresql+psycopg://",
        "use_copy": True,
        "default_target_schema": "runs",
    }
    target = tool("target-postgres", "target-postgres")
    first, second, again = runs
    as_records = "".join(f"{json.dumps(message)}\n" for message in second.messages)
    for messages in (first.stdout, as_records, again.stdout):
        pipe(messages, target, settings, folder, postgres | {"PGTZ": "UTC"})
    parts = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
    address: dict[str, Any] = {part: postgres[name] for part, name in parts.items()}
    with psycopg.connect(**address, password=postgres["PGPASSWORD"]) as client:
        yield client


@pytest.mark.parametrize("stream", sorted(DEFAULT_STREAMS))
def test_in_postgres(stream: str, runs: list[Result], database: psycopg.Connection[Any]) -> None:
    """By the moment that all rows of a stream and run bear. The last run that gave a row counts."""
    columns = sql.SQL(", ").join(sql.Identifier("raw", name) for name in key(stream))
    query = sql.SQL(
        "SELECT {}, to_char(sync_log.started_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00') "
        "FROM runs.{} AS raw LEFT JOIN runs.sync_log ON sync_log.stream = {} "
        "AND sync_log.started_at = raw._sdc_extracted_at "
        "AND sync_log.organization = raw.organization"
    ).format(columns, sql.Identifier(stream), sql.Literal(stream))
    found = database.execute(query).fetchall()
    matches: list[Match] = [(tuple(map(str, row[:-1])), row[-1]) for row in found]
    latest = dict(match for run in runs for match in given(run, stream))
    assert sorted(matches) == sorted(latest.items())


def test_the_runs_gave_some_rows_again_and_some_not(runs: list[Result]) -> None:
    first, _, again = (dict(given(run, "portfolio_report")) for run in runs)
    assert 0 < len(again.keys() & first.keys()) < len(first)

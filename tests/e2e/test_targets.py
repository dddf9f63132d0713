"""What arrives in real targets, compared with the sandbox's tables."""

from __future__ import annotations

import csv
import json
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from expected import KEYS, by_key, expected
from psycopg import sql
from psycopg.rows import dict_row
from support import (
    ALL_STREAMS,
    DEFAULT_STREAMS,
    FOREVER,
    OFFERED,
    REPOSITORY,
    SYNC_LOG,
    config,
    discover,
    environment,
    in_batches,
    pipe,
    selecting,
    sync,
    tool,
)

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Result, Row

# As in meltano.yml.
POSTGRES = {
    "sqlalchemy_url": "postgresql+psycopg://",
    "use_copy": True,
    "validate_records": False,
}
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
    settings = {
        "output_path": str(folder),
        "overwrite_behavior": "replace_file",
        "validate_records": False,
    }
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


def test_the_recipe_of_the_readme_keeps_every_row(sandbox: Sandbox, tmp_path: Path) -> None:
    """Also when it is run again, which target-csv answers by replacing its files."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (recipe,) = [block for block in readme.split("```")[1::2] if "target-csv" in block]
    for name in (".venv", ".venv-tools"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    variables = {f"TAP_PLUVO_{name.upper()}": str(value) for name, value in config(sandbox).items()}
    for _ in range(2):
        subprocess.run(
            ["sh", "-ec", recipe],
            check=True,
            cwd=tmp_path,
            env=environment(**variables),
            timeout=FOREVER,
        )
        for stream in DEFAULT_STREAMS:
            path = tmp_path / f"output/csv/{stream}.csv"
            with path.open(encoding="utf-8", newline="") as file:
                found = by_key(stream, list(csv.DictReader(file)))
            assert len(found) == len(expected(sandbox.path, stream)), stream
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".venv", ".venv-tools", "csv.json", "output"}, "no state to pass by mistake"


def as_in_csv(value: Any, *, moment: bool) -> str:
    """Return a value as the target writes it: moments with a blank between day and time."""
    if value is None:
        return ""
    return str(datetime.fromisoformat(value)) if moment else str(value)


def columns_with(run: Result, stream: str, form: str) -> set[str]:
    """Return the columns of a stream that have a format."""
    columns = run.schemas[stream]["schema"]["properties"]
    return {name for name, schema in columns.items() if schema.get("format") == form}


@pytest.fixture(scope="module", params=["records", "files"])
def in_postgres(
    request: pytest.FixtureRequest,
    everything: Result,
    sandbox: Sandbox,
    postgres: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], list[Row]]:
    """A function that reads a table which target-postgres filled: in two runs, so rows repeat."""
    folder = tmp_path_factory.mktemp("postgres")
    settings = POSTGRES | {"default_target_schema": request.param}
    target = tool("target-postgres", "target-postgres")
    if request.param == "files":
        catalog = selecting(discover(config(sandbox)), OFFERED)
        runs = [sync(config(sandbox, **in_batches(folder / "files")), catalog=catalog)]
    else:
        runs = [everything, sync(config(sandbox), state=everything.state)]
    for run in runs:
        state = pipe(run.stdout, target, settings, folder, postgres | ZONE)
        assert json.loads(state.splitlines()[-1]) == run.state

    def read(stream: str) -> list[Row]:
        with psycopg.connect(**connection(postgres), row_factory=dict_row) as client:
            table = sql.Identifier(request.param, stream)
            rows = client.execute(sql.SQL("SELECT * FROM {}").format(table)).fetchall()
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
        case _:
            return value


@pytest.mark.parametrize("by", ["records", "files"])
def test_rows_that_are_gone_are_deleted_after_a_complete_read_only(
    by: str, postgres: dict[str, str], catalog: Any, tmp_path: Path
) -> None:
    streams = {"group_members", "portfolio_report", "users"}
    schema = f"versions_{by}"
    settings = POSTGRES | {"default_target_schema": schema, "hard_delete": True}
    target = tool("target-postgres", "target-postgres")

    def keys_in_postgres(stream: str) -> set[tuple[str, ...]]:
        columns = sql.SQL(", ").join(map(sql.Identifier, KEYS[stream]))
        table = sql.Identifier(schema, stream)
        with psycopg.connect(**connection(postgres)) as client:
            rows = client.execute(sql.SQL("SELECT {} FROM {}").format(columns, table))
            return {tuple(map(str, row)) for row in rows}

    def keys_expected(stream: str) -> set[tuple[str, ...]]:
        rows = expected(organization.path, stream)
        return {tuple(row[name] for name in KEYS[stream]) for row in rows}

    with Sandbox(users=30, trainings=4, groups=3, portfolio=60) as organization:
        batches = in_batches(tmp_path / "files") if by == "files" else {}
        tap = config(organization, emit_activate_version_messages=True, **batches)
        chosen = selecting(catalog, streams)
        first = sync(tap, catalog=chosen)
        pipe(first.stdout, target, settings, tmp_path, postgres | ZONE)
        before = {stream: keys_expected(stream) for stream in streams}
        organization.database.execute(
            "DELETE FROM users WHERE id IN (SELECT userId FROM report WHERE endDate IS NOT NULL)"
        )
        after = {stream: keys_expected(stream) for stream in streams}
        assert all(after[stream] < before[stream] for stream in streams)

        second = sync(tap, catalog=chosen, state=first.state)
        pipe(second.stdout, target, settings, tmp_path, postgres | ZONE)
        assert keys_in_postgres("users") == after["users"]
        assert keys_in_postgres("group_members") == after["group_members"]
        # Within `full_refresh_days` the report is not read in full again.
        assert keys_in_postgres("portfolio_report") == before["portfolio_report"]

        pipe(sync(tap, catalog=chosen).stdout, target, settings, tmp_path, postgres | ZONE)
        for stream in streams:
            assert keys_in_postgres(stream) == after[stream]


def test_messages_about_versions_come_last_and_only_when_wanted(
    sandbox: Sandbox, everything: Result
) -> None:
    assert not [item for item in everything.messages if item["type"] == "ACTIVATE_VERSION"]
    result = sync(config(sandbox, emit_activate_version_messages=True))
    for stream in DEFAULT_STREAMS:
        kinds = [item["type"] for item in result.messages if item.get("stream") == stream]
        records = len(result.records[stream])
        assert kinds == ["SCHEMA", *["RECORD"] * records, "ACTIVATE_VERSION"]
    versions = {
        item.get("version")
        for item in result.messages
        if item["type"] == "RECORD" and item["stream"] != SYNC_LOG
    }
    assert len(versions) == 1
    assert None not in versions


def test_no_row_of_the_sync_log_is_ever_said_to_be_gone(sandbox: Sandbox) -> None:
    result = sync(config(sandbox, emit_activate_version_messages=True))
    ours = [item for item in result.messages if item.get("stream") == SYNC_LOG]
    assert {item["type"] for item in ours} == {"SCHEMA", "RECORD"}
    assert not [item for item in ours if "version" in item]

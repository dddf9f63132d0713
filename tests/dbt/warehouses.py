"""The two warehouses as the targets fill them, behind one face."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb
import psycopg
from organization import LACKING
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from organization import Row, Sync

ROOT = Path(__file__).parents[2]


class DuckDB:
    """Files as target-batch-files keeps them, or target-jsonl, and a database beside them."""

    name = "duckdb"
    target = "target-batch-files"

    def __init__(self, folder: Path) -> None:
        self.files = folder / "jsonl"
        self.files.mkdir(parents=True)
        self.path = folder / "pluvo.duckdb"
        self.environment = {"PLUVO_JSONL_DIR": str(self.files), "PLUVO_DUCKDB_PATH": str(self.path)}

    def load(self, sync: Sync) -> None:
        run = f"{sync.started.astimezone():%Y%m%dT%H%M%S}"  # the local time
        unique = uuid4().hex[:8]
        for stream, rows in sync.streams.items():
            if self.target == "target-jsonl":  # which drops the time of extraction
                with (self.files / f"{stream}-{run}.jsonl").open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(row) + "\n" for row in rows)
                continue
            extracted = {"_sdc_extracted_at": (sync.started + timedelta(seconds=1)).isoformat()}
            half = len(rows) // 2
            parts = rows[:half], rows[half:]  # a stream that has more than one file
            for number, part in enumerate(filter(None, parts), start=9):
                name = f"{stream}-{run}-{unique}-{number:06}.jsonl"
                lines = (json.dumps(row | extracted) + "\n" for row in part)
                (self.files / name).write_text("".join(lines), encoding="utf-8")

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(self.path) as connection:
            # Of another project that uses the package, this is the schema of its models.
            connection.execute("create schema if not exists main_pluvo")
            connection.execute("set search_path = 'main,main_pluvo'")
            yield connection

    def execute(self, statement: str) -> None:
        with self._connection() as connection:
            connection.execute(statement)

    def rows(self, query: str) -> list[Row]:
        with self._connection() as connection:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Postgres:
    """Tables as target-postgres writes them: typed, and one row for each key."""

    name = "postgres"
    schema = "pluvo"

    def __init__(self, server: dict[str, str]) -> None:
        database = f"pluvo_{uuid4().hex}"
        with psycopg.connect(_conninfo(server), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
        self.environment = server | {"PGDATABASE": database, "PGTZ": "UTC"}

    def _connection(self) -> psycopg.Connection[Any]:
        schemas = "analytics,analytics_pluvo"
        options = f"-c search_path={schemas} -c timezone=UTC"
        return psycopg.connect(_conninfo(self.environment), options=options)

    def load(self, sync: Sync) -> None:
        with self._connection() as connection:
            connection.execute(f"create schema if not exists {self.schema}")
            for stream, rows in sync.streams.items():
                self._upsert(connection, sync, stream, rows)

    def _upsert(
        self, connection: psycopg.Connection[Any], sync: Sync, stream: str, rows: list[Row]
    ) -> None:
        path = ROOT / "schemas" / f"{stream}.json"
        schema = json.loads(path.read_text())
        key = schema["x-key"]
        columns = [name for name in schema["properties"] if name not in LACKING.get(stream, ())]
        types = [f"{name} {_type(schema['properties'][name])}" for name in columns]
        if "organization" in rows[0]:
            key = ["organization", *key]
            columns.append("organization")
            types.append("organization text")
        table = f"{self.schema}.{stream}"
        connection.execute(
            f"create table if not exists {table} ({', '.join(types)},"
            " _sdc_extracted_at timestamp, _sdc_deleted_at timestamp,"
            f" _sdc_sequence bigint, _sdc_sync_started_at bigint, primary key ({', '.join(key)}))"
        )
        columns.append("_sdc_deleted_at")
        names = [*columns, "_sdc_extracted_at", "_sdc_sequence", "_sdc_sync_started_at"]
        moment = int(sync.started.timestamp() * 1000)
        # With their zone, as the target does it: stored is then the moment in the session's zone.
        marks = [
            "%s::timestamptz"
            if schema["properties"].get(name, {}).get("format") == "date-time"
            else "%s"
            for name in names
        ]
        query = (
            f"insert into {table} ({', '.join(names)}) values ({', '.join(marks)})"
            f" on conflict ({', '.join(key)}) do update"
            f" set {', '.join(f'{name} = excluded.{name}' for name in names)}"
        )
        values = [
            [
                *(row.get(name) for name in columns),
                sync.started.replace(tzinfo=None) + timedelta(seconds=1),
                moment,
                moment,
            ]
            for row in rows
        ]
        with connection.cursor() as cursor:
            cursor.executemany(query, values)

    def execute(self, statement: str) -> None:
        with self._connection() as connection:
            connection.execute(statement)

    def rows(self, query: str) -> list[Row]:
        with self._connection() as connection:
            cursor = connection.execute(query)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


Warehouse = DuckDB | Postgres


def _conninfo(environment: dict[str, str]) -> str:
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGDATABASE": "dbname"}
    parts = {word: environment[name] for name, word in names.items() if name in environment}
    parts["password"] = environment.get("PGPASSWORD", "")
    return psycopg.conninfo.make_conninfo(**parts)


def _type(column: dict[str, Any]) -> str:
    """Return the type that target-postgres gives a column."""
    (name,) = set(column["type"]) - {"null"}
    by_format = {"date": "date", "date-time": "timestamp"}
    by_type = {"string": "text", "integer": "bigint", "number": "numeric", "boolean": "boolean"}
    return by_format.get(column.get("format", ""), by_type[name])

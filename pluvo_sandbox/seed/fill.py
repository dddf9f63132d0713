"""Makes the tables of a database and fills them."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

from pluvo_sandbox.seed import custom_fields, offers, people, results, trainings
from pluvo_sandbox.seed.source import Source
from pluvo_sandbox.tables import INDEXES, TABLES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from pluvo_sandbox.seed.plan import Plan
    from pluvo_sandbox.seed.source import Row


def seed(connection: sqlite3.Connection, plan: Plan) -> None:
    """Make the tables in an empty database and fill them."""
    connection.executescript(f"PRAGMA foreign_keys = OFF; {TABLES}")
    connection.execute("BEGIN")
    source = Source(connection, plan)
    for part in (people, trainings, results, offers, custom_fields):
        for table, rows in part.tables(source):
            _insert(connection, table, rows)
    connection.execute("COMMIT")
    connection.executescript(f"{INDEXES} PRAGMA foreign_keys = ON; PRAGMA optimize;")
    connection.executemany(
        "INSERT INTO settings VALUES (?, ?)",
        ((name, json.dumps(value)) for name, value in plan.settings().items()),
    )


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[Row]) -> None:
    first = next(rows, None)
    if first is not None:
        marks = ", ".join("?" * len(first))
        connection.executemany(
            f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - our own table names
            chain([first], rows),
        )

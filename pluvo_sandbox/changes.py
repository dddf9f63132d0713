"""A log of what was changed in the data of a sandbox, kept by the database itself."""

# ruff: noqa: S608 - tables and columns are named by the program, not by its users

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import date

# What happens to a row: which of its states there are, before and after.
_EVENTS = {"INSERT": (False, True), "UPDATE": (True, True), "DELETE": (True, False)}


class Change(NamedTuple):
    """A row that was added, changed or removed.

    Attributes:
        day: the day on which it happened, such as 2025-01-31.
        table: where the row is.
        before: its columns as they were; None if it was added.
        after: its columns as they are from then on; None if it was removed.
    """

    day: str
    table: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ChangeLog:
    """Every change from here on, and first all rows that there are, as added.

    Triggers write it, so it has the changes of all connections, and rows that went with others. It
    is a table beside the others, of which the API knows nothing.
    """

    def __init__(self, database: sqlite3.Connection, today: date) -> None:
        self._database = database
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            "AND name NOT IN ('settings', 'outbox')"
        ).fetchall()
        # Without declared types, so that no converter of the connection meddles with the values.
        database.execute("CREATE TABLE change_day (day)")
        database.execute("CREATE TABLE changes (number INTEGER PRIMARY KEY, day, name, old, new)")
        database.execute("INSERT INTO change_day VALUES (?)", (str(today),))
        for (table,) in tables:
            self._follow(table)

    def begin_day(self, day: date) -> None:
        """Let changes from here on be of another day."""
        self._database.execute("UPDATE change_day SET day = ?", (str(day),))

    def __iter__(self) -> Iterator[Change]:
        """Give all changes, in the order in which they happened."""
        rows = self._database.execute("SELECT day, name, old, new FROM changes ORDER BY number")
        for day, table, old, new in rows:
            yield Change(day, table, old and json.loads(old), new and json.loads(new))

    def _follow(self, table: str) -> None:
        def state(row: str) -> str:
            return as_json(self._database, table, row)

        into = "INSERT INTO changes (day, name, old, new)"
        day = "(SELECT day FROM change_day)"
        self._database.execute(f"{into} SELECT {day}, '{table}', NULL, {state(table)} FROM {table}")
        for event, (had, has) in _EVENTS.items():
            old, new = state("OLD") if had else "NULL", state("NEW") if has else "NULL"
            self._database.execute(
                f"CREATE TRIGGER {table}_{event} AFTER {event} ON {table} "
                f"BEGIN {into} VALUES ({day}, '{table}', {old}, {new}); END"
            )


def as_json(database: sqlite3.Connection, table: str, row: str) -> str:
    """Return the SQL of a row as JSON: `row` is its name where it is used, such as OLD."""
    columns = [item[1] for item in database.execute(f"PRAGMA table_info({table})")]
    parts = (f"""'{name}', {row}."{name}\"""" for name in columns)
    return f"json_object({', '.join(parts)})"

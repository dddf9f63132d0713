"""The log of changes has all that happened to the data, on its day."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

from pluvo_sandbox import ChangeLog, Churn, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pluvo_sandbox import Change

Row = dict[str, Any]


def replayed(changes: Iterable[Change]) -> dict[str, list[Row]]:
    """Return the rows of all tables after some changes."""
    tables: dict[str, list[Row]] = {}
    for _, table, before, after in changes:
        rows = tables.setdefault(table, [])
        if before is not None:
            rows.remove(before)
        if after is not None:
            rows.append(after)
    return tables


def stored(sandbox: Sandbox) -> dict[str, list[Row]]:
    """Return the rows of all tables as they are in the file."""
    with closing(sqlite3.connect(sandbox.path)) as connection:
        connection.row_factory = sqlite3.Row
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]
            for (name,) in names
            if name not in {"settings", "changes", "change_day"}
        }


def in_any_order(tables: dict[str, list[Row]]) -> dict[str, list[str]]:
    return {name: sorted(map(json.dumps, rows)) for name, rows in tables.items() if rows}


def test_the_changes_make_the_data() -> None:
    with Sandbox(users=30, trainings=4, groups=3, portfolio=60) as sandbox:
        log = ChangeLog(sandbox.database, date(2025, 1, 1))
        assert in_any_order(replayed(log)) == in_any_order(stored(sandbox))
        log.begin_day(date(2025, 1, 2))
        churn = Churn()
        for number in range(1, 20):
            churn(sandbox, number)
        after = in_any_order(stored(sandbox))
        assert in_any_order(replayed(log)) == after
        before = [change for change in log if change.day == "2025-01-01"]
        assert in_any_order(replayed(before)) != after


def test_what_hangs_on_a_row_goes_with_it() -> None:
    with Sandbox(users=0, portfolio=0) as sandbox:
        user, group = sandbox.insert_user("Ann"), sandbox.insert_group("Care")
        log = ChangeLog(sandbox.database, date(2025, 1, 1))
        sandbox.insert_group_member(group, user)
        member = {"groupId": group, "userId": user}
        log.begin_day(date(2025, 1, 2))
        sandbox.rename_user(user, "Anna")
        sandbox.delete_user(user)
        happened = [
            (day, table, before and before.get("name"), after and after.get("name"))
            for day, table, before, after in log
            if table == "users"
        ]
        assert happened == [
            ("2025-01-01", "users", None, "Ann"),
            ("2025-01-02", "users", "Ann", "Anna"),
            ("2025-01-02", "users", "Anna", None),
        ]
        assert [change[:1] + change[2:] for change in log if change.table == "group_users"] == [
            ("2025-01-01", None, member),
            ("2025-01-02", member, None),
        ]

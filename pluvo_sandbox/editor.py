"""Changes to the data behind a sandbox: one row, or many at once."""

# ruff: noqa: S608 - tables and columns are named by the program, not by its users

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pluvo_sandbox.ids import new_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from random import Random

_MOMENT = "2025-01-01T00:00:00+00:00"

# What a new row has where nothing else is said: enough for every non-null field of the API.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "users": {
        "modelId": "0",
        "archived": False,
        "isActive": True,
        "roles": ["PARTICIPANT"],
        "profileImage": {"id": None, "url": None},
        "language": "NL",
        "hasPassword": False,
        "userVia": ["MANUAL"],
        "createdAt": _MOMENT,
        "updatedAt": _MOMENT,
    },
    "groups": {"maxUsers": 1000, "enableChat": False, "isEditable": True, "skills": []},
    "trainings": {
        "isActive": True,
        "archived": False,
        "modules": [],
        "rolesForCurrentUser": [],
        "allConditionsFulfilled": True,
        "conditions": [],
    },
    "training_users": {"role": "PARTICIPANT", "direct": True},
    "certificates": {},
    "report": {"relatedObjectType": "TRAINING", "progress": 0.0},
    "offers": {},
    "offer_events": {
        "enrolledCount": 0,
        "waitingList": False,
        "cancelled": False,
        "publish": True,
        "accessCourses": [],
        "accessExternalContents": [],
        "accessScorms": [],
        "accessVideos": [],
        "contentType": "TRAINING",
        "isActive": True,
    },
    "offer_event_dates": {},
    "enrollments": {},
    "portfolio_items": {"files": []},
    "extra_categories": {"archived": False},
    "choice_options": {},
    "files": {},
}


_NO_VALUE = -1


class Rows:
    """Changes rows of any table that has an `id`.

    Columns are given as keyword arguments, `id` among them.

    Attributes:
        database: the connection that changes are made through.
    """

    def __init__(self, connection: sqlite3.Connection, random: Random) -> None:
        self.database = connection
        self._random = random

    def insert(self, table: str, **columns: Any) -> str:
        """Add a row.

        Returns:
            The id of the new row.
        """
        row = {"id": new_id(self._random)} | _DEFAULTS[table] | columns
        names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
        self.database.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",
            [_stored(value) for value in row.values()],
        )
        return str(row["id"])

    def change(self, table: str, row_id: str, **columns: Any) -> None:
        """Give columns of a row other values."""
        changes = ", ".join(f"{name} = ?" for name in columns)
        self.database.execute(
            f"UPDATE {table} SET {changes} WHERE id = ?",
            [*(_stored(value) for value in columns.values()), row_id],
        )

    def delete(self, table: str, row_id: str) -> None:
        """Remove a row and whatever hangs on it: members, results, enrollments."""
        self.database.execute(f"DELETE FROM {table} WHERE id = ?", (row_id,))

    def insert_many(self, table: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Add rows at once: no reader sees some of them only.

        Returns:
            The ids of the new rows, in their order.
        """
        with self._at_once():
            return [self.insert(table, **row) for row in rows]

    def change_many(self, table: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Give columns of rows, by their id, other values at once."""
        with self._at_once():
            for row_id, columns in rows.items():
                self.change(table, row_id, **columns)

    def delete_many(self, table: str, row_ids: Iterable[str]) -> None:
        """Remove rows at once, with whatever hangs on them."""
        with self._at_once():
            for row_id in row_ids:
                self.delete(table, row_id)

    def swap(self, table: str, row_id: str, other_id: str, column: str) -> None:
        """Let two rows exchange the value of a column, such as the one that they are ordered by.

        Args:
            table: where the rows are.
            row_id: id of the one.
            other_id: id of the other.
            column: its name. `rowid` exchanges the places of rows that come as they were inserted.
        """
        select = f"SELECT {column} FROM {table} WHERE id = ?"
        update = f"UPDATE {table} SET {column} = ? WHERE id = ?"
        with self._at_once():
            self.database.execute("PRAGMA defer_foreign_keys = ON")
            ((value,),) = self.database.execute(select, (row_id,)).fetchall()
            ((other,),) = self.database.execute(select, (other_id,)).fetchall()
            # By way of a value that no row has, since the column may be unique.
            self.database.execute(update, (_NO_VALUE, row_id))
            self.database.execute(update, (value, other_id))
            self.database.execute(update, (other, _NO_VALUE if column == "id" else row_id))

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """Let all changes in the block happen in one transaction."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")


class Editor(Rows):
    """Changes what an organization has, in its own words.

    Methods that insert take further columns of the table as keyword arguments, `id` among them,
    and return the id of the new row.
    """

    def insert_user(self, name: str, **columns: Any) -> str:
        """Add a user; users come by name."""
        return self.insert("users", name=name, **columns)

    def rename_user(self, user_id: str, name: str) -> None:
        """Give a user another name, and so another place."""
        self.change("users", user_id, name=name)

    def rename_users(self, names: Mapping[str, str]) -> None:
        """Give many users, by id, other names at once, as a sync with an HR system does."""
        self.change_many("users", {user_id: {"name": name} for user_id, name in names.items()})

    def archive_user(self, user_id: str, archived: bool = True) -> None:
        """Move a user to the archive, or back."""
        self.change("users", user_id, archived=archived, isActive=not archived)

    def delete_user(self, user_id: str) -> None:
        """Remove a user for good."""
        self.delete("users", user_id)

    def insert_group(self, name: str, **columns: Any) -> str:
        """Add a group; groups come by name."""
        return self.insert("groups", name=name, **columns)

    def rename_group(self, group_id: str, name: str) -> None:
        """Give a group another name, and so another place."""
        self.change("groups", group_id, name=name)

    def delete_group(self, group_id: str) -> None:
        """Remove a group for good."""
        self.delete("groups", group_id)

    def insert_training(self, title: str, **columns: Any) -> str:
        """Add a training; trainings come by title."""
        return self.insert("trainings", title=title, **columns)

    def rename_training(self, training_id: str, title: str) -> None:
        """Give a training another title, and so another place."""
        self.change("trainings", training_id, title=title)

    def archive_training(self, training_id: str, archived: bool = True) -> None:
        """Move a training to the archive, or back."""
        self.change("trainings", training_id, archived=archived)

    def delete_training(self, training_id: str) -> None:
        """Remove a training for good."""
        self.delete("trainings", training_id)

    def insert_certificate(self, title: str, **columns: Any) -> str:
        """Add a certificate template; templates come by title."""
        return self.insert("certificates", title=title, **columns)

    def rename_certificate(self, certificate_id: str, title: str) -> None:
        """Give a certificate template another title, and so another place."""
        self.change("certificates", certificate_id, title=title)

    def delete_certificate(self, certificate_id: str) -> None:
        """Remove a certificate template for good."""
        self.delete("certificates", certificate_id)

    def insert_report_row(self, user_id: str, title: str, **columns: Any) -> str:
        """Add a row to the report; its rows come by `id`, so a new one may land anywhere."""
        return self.insert("report", userId=user_id, title=title, **columns)

    def insert_report_rows(self, user_ids: Iterable[str], title: str, **columns: Any) -> list[str]:
        """Add a row to the report for each of many users at once, as a bulk enrollment does.

        Returns:
            The ids of the new rows, in the order of the users.
        """
        rows = [{"userId": user_id, "title": title} | columns for user_id in user_ids]
        return self.insert_many("report", rows)

    def rename_report_row(self, row_id: str, title: str) -> None:
        """Give a row of the report another title; it keeps its place."""
        self.change("report", row_id, title=title)

    def complete_report_row(self, row_id: str, day: str) -> None:
        """Let a result be completed on a day, written as 2025-01-31, or move it to that day."""
        self.change("report", row_id, completionDate=day, progress=100.0)

    def withdraw_completion(self, row_id: str) -> None:
        """Let a result be in progress again: without completion date and score."""
        self.change("report", row_id, completionDate=None, progress=50.0, score=None)

    def delete_report_row(self, row_id: str) -> None:
        """Remove a row from the report."""
        self.delete("report", row_id)

    def insert_participant(self, training_id: str, user_id: str, **columns: Any) -> str:
        """Add a user to a training; who is in it already is in it twice, as at a second attempt."""
        return self.insert("training_users", trainingId=training_id, userId=user_id, **columns)

    def insert_group_member(self, group_id: str, user_id: str, *, manager: bool = False) -> None:
        """Add a user to a group; members come by the name of the user."""
        self.database.execute(
            f"INSERT OR IGNORE INTO {_members(manager)} VALUES (?, ?)",
            (group_id, user_id),
        )

    def delete_group_member(self, group_id: str, user_id: str, *, manager: bool = False) -> None:
        """Remove a user from a group."""
        self.database.execute(
            f"DELETE FROM {_members(manager)} WHERE groupId = ? AND userId = ?",
            (group_id, user_id),
        )


def _members(manager: bool) -> str:
    return "group_managers" if manager else "group_users"


def _stored(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value

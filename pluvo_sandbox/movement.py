"""Rows that come, go and change their names while someone reads."""

# ruff: noqa: S608 - tables and columns are named by the program, not by its users

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from pluvo_sandbox.seed import new_id

if TYPE_CHECKING:
    import sqlite3

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
    "certificates": {},
    "report": {"relatedObjectType": "TRAINING", "progress": 0.0},
}


class Editor:
    """Changes the data behind a sandbox.

    Methods that insert take further columns of the table as keyword arguments, `id` among them,
    and return the id of the new row.
    """

    def __init__(self, connection: sqlite3.Connection, random: Random) -> None:
        self.database = connection
        self._random = random

    def insert(self, table: str, **columns: Any) -> str:
        """Add a row."""
        row = {"id": new_id(self._random)} | _DEFAULTS[table] | columns
        names, marks = ", ".join(row), ", ".join("?" * len(row))
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

    def insert_user(self, name: str, **columns: Any) -> str:
        """Add a user; users come by name."""
        return self.insert("users", name=name, **columns)

    def rename_user(self, user_id: str, name: str) -> None:
        """Give a user another name, and so another place."""
        self.change("users", user_id, name=name)

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

    def rename_report_row(self, row_id: str, title: str) -> None:
        """Give a row of the report another title; it keeps its place."""
        self.change("report", row_id, title=title)

    def delete_report_row(self, row_id: str) -> None:
        """Remove a row from the report."""
        self.delete("report", row_id)

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


Movement = Callable[[Editor, int], None]


@dataclass
class Churn:
    """Movement without end: inserts, renames and deletes a row of every list.

    Attributes:
        every: before how many GraphQL requests it happens once.
        seed: another seed changes other rows.
    """

    every: int = 1
    seed: int = 1
    _random: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.seed}/churn")  # noqa: S311 - repeatable on purpose

    def __call__(self, editor: Editor, number: int) -> None:
        """Change the data before GraphQL request `number`, counted from 1."""
        if number % self.every:
            return
        for table, column in (
            ("users", "name"),
            ("groups", "name"),
            ("trainings", "title"),
            ("certificates", "title"),
        ):
            editor.insert(table, **{column: self._word()})
            editor.change(table, self._pick(editor, table), **{column: self._word()})
            editor.delete(table, self._pick(editor, table))
        group_id = self._pick(editor, "groups")
        editor.insert_group_member(group_id, self._pick(editor, "users"))
        user_id = self._pick(editor, "users")
        editor.insert_report_row(user_id, self._word(), completionDate="2025-01-01")
        editor.rename_report_row(self._pick(editor, "report"), self._word())
        editor.delete_report_row(self._pick(editor, "report"))
        for group_id, user_id in editor.database.execute(
            "SELECT groupId, userId FROM group_users LIMIT 1"
        ).fetchall():
            editor.delete_group_member(group_id, user_id)

    def _word(self) -> str:
        """Return a word that may stand anywhere in the order."""
        return chr(self._random.choice((33, 66, 77, 90, 105, 120, 1040, 20000))) + new_id(
            self._random
        )

    def _pick(self, editor: Editor, table: str) -> str:
        """Return the id of some row; there always is one, since inserts come first."""
        ((rows,),) = editor.database.execute(f"SELECT count(*) FROM {table}")
        ((row_id,),) = editor.database.execute(
            f"SELECT id FROM {table} ORDER BY id LIMIT 1 OFFSET ?",
            (self._random.randrange(rows),),
        )
        return str(row_id)

"""Rows that come, go and change their names while someone reads."""

# ruff: noqa: S608 - tables are named by the program, not by its users

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from pluvo_sandbox.editor import Editor
from pluvo_sandbox.ids import new_id

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

"""The events that changes of the data lead to, noted by the database itself.

Which events there are, and what each is about, is documented on the pages `webhooks-2` and
`webhooks-0b489`. Nothing is sent about what goes with something else: of a user who is deleted,
there is USER_DELETED alone, and no word on memberships and enrollments.
"""

# ruff: noqa: S608 - tables and columns are named by the program, not by its users

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_sandbox.changes import as_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_OF_ITSELF = {"INSERT": "CREATED", "UPDATE": "UPDATED", "DELETE": "DELETED"}
_ENROLLMENTS = {
    "INSERT": "OFFER_EVENT_ENROLLED",
    "UPDATE": "OFFER_EVENT_ENROLLMENT_STATUS_UPDATED",
    "DELETE": "OFFER_EVENT_UNENROLLED",
}
_OBJECTS = {"users": "USER", "groups": "GROUP", "trainings": "TRAINING"}

# Table -> whose row is said to have changed, by its event and the column that names it, and what
# else must still be there: what went with another row is not told.
_PARTS = {
    "group_users": [("groups", "GROUP_UPDATED", "groupId", "users", "userId")],
    "group_managers": [("groups", "GROUP_UPDATED", "groupId", "users", "userId")],
    "group_trainings": [("groups", "GROUP_UPDATED", "groupId", "trainings", "trainingId")],
    "training_users": [("trainings", "TRAINING_UPDATED", "trainingId", "users", "userId")],
    "extra_category_values": [
        ("users", "USER_UPDATED", "ownerId", "extra_categories", "categoryId"),
        ("groups", "GROUP_UPDATED", "ownerId", "extra_categories", "categoryId"),
    ],
}

# Which change of a row of the report leads to which event, and under which condition.
_CERTIFICATE = "NEW.relatedObjectType = 'CERTIFICATE'"
_FINISHED = "NEW.relatedObjectType = 'TRAINING' AND NEW.completionDate IS NOT NULL"
_RESULTS = (
    ("INSERT", "EVENT_CERTIFICATE_ACHIEVED", _CERTIFICATE),
    ("UPDATE", "EVENT_CERTIFICATE_STATUS_CHANGED", _CERTIFICATE),
    ("INSERT", "TRAINING_FINISHED", _FINISHED),
    ("UPDATE", "TRAINING_FINISHED", f"{_FINISHED} AND OLD.completionDate IS NULL"),
)


class Event(NamedTuple):
    """Something that happened.

    Attributes:
        number: its place among all of them.
        name: such as USER_UPDATED.
        table: of the row that it is about.
        row: the columns of that row after it, or before it was deleted.
    """

    number: int
    name: str
    table: str
    row: dict[str, Any]


class Outbox:
    """Every event from here on; a table beside the others, of which the API knows nothing."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def begin(self) -> None:
        """Let the database note what happens, and forget what it noted before."""
        self._database.execute("DROP TABLE IF EXISTS outbox")
        self._database.execute("CREATE TABLE outbox (number INTEGER PRIMARY KEY, event, name, row)")
        for table, kind in _OBJECTS.items():
            for change, what in _OF_ITSELF.items():
                self._note(table, change, f"{kind}_{what}")
        for table, parts in _PARTS.items():
            for change in _OF_ITSELF:
                for part in parts:
                    self._note_part(table, change, *part)
        for change, event in _ENROLLMENTS.items():
            self._note("enrollments", change, event, "users")
        for change, what in _OF_ITSELF.items():
            self._note("portfolio_items", change, f"PORTFOLIO_ITEM_{what}", "users")
        for change, event, condition in _RESULTS:
            self._note("report", change, event, condition=condition)

    def after(self, number: int) -> Iterator[Event]:
        """Give the events beyond a number, in the order in which they happened."""
        rows = self._database.execute(
            "SELECT number, event, name, row FROM outbox WHERE number > ? ORDER BY number",
            (number,),
        ).fetchall()
        for place, event, table, row in rows:
            yield Event(place, event, table, json.loads(row))

    def last(self) -> int:
        """Return the number of the newest event."""
        ((number,),) = self._database.execute("SELECT coalesce(max(number), 0) FROM outbox")
        return int(number)

    def _note(
        self, table: str, change: str, event: str, holder: str = "", condition: str = "TRUE"
    ) -> None:
        """Note an event about the changed row itself, unless it went with its `holder`."""
        row = "OLD" if change == "DELETE" else "NEW"
        if holder:
            condition += f" AND EXISTS (SELECT 1 FROM {holder} WHERE id = {row}.userId)"
        self._trigger(
            table,
            change,
            event,
            f"SELECT '{event}', '{table}', {as_json(self._database, table, row)}",
            condition,
        )

    def _note_part(  # noqa: PLR0913, PLR0917 - the members of a row of `_PARTS`
        self, table: str, change: str, owner: str, event: str, by: str, other: str, other_by: str
    ) -> None:
        """Note an event about the owner of the changed row, if it is there, as is the other one."""
        row = "OLD" if change == "DELETE" else "NEW"
        self._trigger(
            table,
            change,
            event,
            f"SELECT '{event}', '{owner}', {as_json(self._database, owner, 'o')} FROM {owner} o "
            f"WHERE o.id = {row}.{by}",
            f"EXISTS (SELECT 1 FROM {other} WHERE id = {row}.{other_by})",
        )

    def _trigger(self, table: str, change: str, event: str, rows: str, condition: str) -> None:
        name = f"outbox_{table}_{change}_{event}"
        self._database.execute(f"DROP TRIGGER IF EXISTS {name}")
        self._database.execute(
            f"CREATE TRIGGER {name} AFTER {change} ON {table} WHEN {condition} "
            f"BEGIN INSERT INTO outbox (event, name, row) {rows}; END"
        )

"""The bodies of webhooks, in the shapes of `webhooks-2`, older pages, and `common-recipes`.

Of EVENT_CERTIFICATE_STATUS_CHANGED, TRAINING_FINISHED, COURSE_FINISHED and PORTFOLIO_ITEM_*, no
payload could be read: they are taken to be like their neighbours.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

    from pluvo_sandbox.outbox import Event

Row = dict[str, Any]

_EXTRA_FIELDS = (
    "SELECT c.title, coalesce(v.stringValue, o.stringValue, v.booleanValue, v.datetimeValue) "
    "FROM extra_category_values v JOIN extra_categories c ON c.id = v.categoryId "
    "LEFT JOIN choice_options o ON o.id = v.choiceId WHERE v.ownerId = ? ORDER BY c.position"
)


class Payloads:
    """Makes the bodies of webhooks from events and what belongs to them."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def body(self, event: Event, sent: str) -> Row:
        """Return the body of an event that is sent at this moment."""
        make = getattr(self, f"_{event.table}")
        payload: Row = make(event.row) | {"event": event.name}
        if event.name != "EVENT_CERTIFICATE_ACHIEVED":  # which has none in `common-recipes`
            payload["sentDate"] = sent
        return payload

    def _users(self, row: Row) -> Row:
        return self._user(row) | {
            "afas_person_id": row["afasPersonId"],
            "afas_employee_id": row["afasEmployeeId"],
        }

    def _groups(self, row: Row) -> Row:
        return {
            "id": row["id"],
            "ref": row["ref"],
            "name": row["name"],
            "enableChat": bool(row["enableChat"]),
        }

    def _trainings(self, row: Row) -> Row:
        texts = ("id", "ref", "title", "subtitle", "introduction", "startDate", "endDate")
        flags = ("isActive", "showParticipants", "showSharedFiles", "enableChat")
        return (
            {name: row[name] for name in texts}
            | {name: bool(row[name]) for name in flags}
            | {"extraFields": self._extra_fields(row["id"])}
        )

    def _enrollments(self, row: Row) -> Row:
        event = self._row("offer_events", row["offerEventId"])
        return {
            "id": row["id"],
            "user": self._user(self._row("users", row["userId"])),
            "status": row["status"],
            "offer_event": {
                "id": row["offerEventId"],
                "ref": event.get("ref"),
                "title": event.get("title"),
                "price": event.get("price") or "0.00",
                "max_subscriptions": event.get("maxSubscriptions"),
                "cancelled": bool(event.get("cancelled")),
                "kind": event.get("type"),
            },
        }

    def _portfolio_items(self, row: Row) -> Row:
        return {
            "id": row["id"],
            "user": self._user(self._row("users", row["userId"])),
            "title": row["title"],
            "startDate": row["startDate"],
        }

    def _report(self, row: Row) -> Row:
        """A result or a certificate: `creationDate` and `expiryDate` are those of the recipe."""
        user = self._row("users", row["userId"])
        return {
            "user": {"id": row["userId"], "name": user.get("name"), "ref": user.get("ref")},
            "title": row["title"],
            "training": {"id": row["relatedObjectId"], "title": row["title"]},
            "creationDate": row["completionDate"],
            "expiryDate": row["endDate"],
        }

    def _user(self, row: Row) -> Row:
        return {
            **{name: row.get(name) for name in ("id", "name", "email", "ref")},
            "isActive": bool(row.get("isActive")),
            "extraFields": self._extra_fields(row.get("id")),
        }

    def _extra_fields(self, owner: str | None) -> Row:
        return dict(self._database.execute(_EXTRA_FIELDS, (owner,)).fetchall())

    def _row(self, table: str, row_id: str) -> Row:
        """Return a row as it is now; of one that is gone, its id is all that is known."""
        sql = f"SELECT * FROM {table} WHERE id = ?"  # noqa: S608 - one of our own tables
        with closing(self._database.execute(sql, (row_id,))) as found:
            row = found.fetchone()
            names = [column[0] for column in found.description]
        return dict(zip(names, row, strict=True)) if row else {"id": row_id}

"""What a tenant has: users, courses, certificates, and the events of their issue."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from contextlib import closing
from datetime import UTC, date, datetime
from random import Random
from typing import TYPE_CHECKING, Any

from pluvo_sandbox.seed import Plan, words
from pluvo_sandbox.seed.people import tables as people
from pluvo_sandbox.seed.source import Source, numbered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TABLES = """
CREATE TABLE users (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, email TEXT, name TEXT, externalCustomerId TEXT
);
CREATE TABLE resources (id TEXT PRIMARY KEY, type TEXT, title TEXT);
CREATE TABLE certificates (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, userId TEXT, resourceId TEXT, issuedAt TEXT,
    expirationDate TEXT, recertificationDate TEXT, sendEmail INTEGER, createdAt TEXT
);
CREATE TABLE progress (
    userId TEXT, resourceId TEXT, percent INTEGER, attempts INTEGER,
    PRIMARY KEY (userId, resourceId)
) WITHOUT ROWID;
CREATE TABLE activities (
    number INTEGER PRIMARY KEY, userId TEXT, resourceId TEXT, completionDate TEXT
);
"""
_NAMESPACE = uuid.UUID("6f1d4f0e-4c0a-4a86-9d3c-2f6f2a1c7b55")


class Store:
    """The data of a tenant, in a SQLite file; for the threads of one process."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.row_factory = sqlite3.Row

    def fill(self, users: int, seed: int) -> None:
        """Make the people of a Pluvo sandbox, and a course for each title of its certificates.

        A file that has them already is left alone.
        """
        if self.rows("SELECT 1 FROM sqlite_master WHERE name = 'users'"):
            return
        self._database.executescript(_TABLES)
        for title in (numbered(words.CERTIFICATES, n) for n in range(2 * len(words.CERTIFICATES))):
            self.add_resource(title)
        for email, name, ref in _people(users, seed):
            self.add_user(email, name, ref)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run a statement and return its rows."""
        with self._lock, closing(self._database.execute(query, values)) as cursor:
            return [dict(row) for row in cursor]

    def add_user(self, email: str | None, name: str, external_customer_id: str | None) -> str:
        """Add a user and return the id."""
        (count,) = self.rows("SELECT count(*) AS n FROM users")
        user_id = str(uuid.uuid5(_NAMESPACE, f"user {count['n']}"))
        self.rows(
            "INSERT INTO users (id, email, name, externalCustomerId) VALUES (?, ?, ?, ?)",
            (user_id, email, name, external_customer_id),
        )
        return user_id

    def add_resource(self, title: str, kind: str = "course") -> str:
        """Add a course or other resource, and return the id, which follows from its title."""
        resource_id = str(uuid.uuid5(_NAMESPACE, f"{kind} {title}"))
        values = (resource_id, kind, title)
        self.rows("INSERT OR IGNORE INTO resources VALUES (?, ?, ?)", values)
        return resource_id

    def find(self, table: str, row_id: str) -> dict[str, Any] | None:
        """Return a row by its id, or None."""
        found = self.rows(f"SELECT * FROM {table} WHERE id = ?", (row_id,))  # noqa: S608 - ours
        return found[0] if found else None

    def grant(self, user_id: str, resource_id: str, **columns: Any) -> str:
        """Add a certificate and return its id; its row is also the event of its issue."""
        certificate_id = str(uuid.uuid4())
        values = {
            "id": certificate_id,
            "userId": user_id,
            "resourceId": resource_id,
            "createdAt": datetime.now(UTC).isoformat(),
            **columns,
        }
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        self.rows(
            f"INSERT INTO certificates ({names}) VALUES ({marks})",  # noqa: S608 - our own names
            [*values.values()],
        )
        return certificate_id

    def reset_progress(self, user_id: str, resource_id: str) -> None:
        """Start a course anew for a user, who loses progress and attempts."""
        self.rows("REPLACE INTO progress VALUES (?, ?, 0, 0)", (user_id, resource_id))

    def certificates(self, user_id: str, resource_id: str) -> list[dict[str, Any]]:
        """Return what a user holds or held for a resource, in the order of its issue."""
        return self.rows(
            "SELECT * FROM certificates WHERE userId = ? AND resourceId = ? ORDER BY number",
            (user_id, resource_id),
        )


def _people(users: int, seed: int) -> Iterable[tuple[str | None, str, str | None]]:
    """Give e-mail, name and ref of the people in a Pluvo sandbox."""
    plan = Plan(
        users=users,
        trainings=0,
        groups=0,
        portfolio=0,
        seed=seed,
        today=date(2025, 1, 1),
        variant="documented",
    )
    with closing(sqlite3.connect(":memory:")) as nothing:
        rows = dict(people(Source(nothing, plan)))["users"]
        found = [(row[2], row[3], row[4]) for row in rows]
    Random(seed).shuffle(found)  # noqa: S311 - another order than Pluvo's, and repeatable
    return found

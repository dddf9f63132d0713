"""The ledger: intent before, outcome after."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import delete, insert, select, tuple_, update
from sqlalchemy.exc import DBAPIError

from pluvo_singer.ledger.entry import Claim, Entry
from pluvo_singer.ledger.errors import LedgerError
from pluvo_singer.ledger.locks import Locks
from pluvo_singer.ledger.opening import engine_of
from pluvo_singer.ledger.tables import DELAYS, ENTRIES, RECENT, entry_key, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine, Row

    from pluvo_singer.ledger.locks import Lock

KEPT = timedelta(days=30)  # for how long recent changes are
BATCH = 200  # rows in one statement


class Ledger:
    """What was begun and what came of it; for one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._locks = Locks(engine)
        self._run = secrets.token_hex(8)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the ledger at a SQLAlchemy URL; one that is not there yet is made.

        Raises:
            LedgerError: that cannot be, and why.
        """
        ledger = cls(engine_of(url))
        try:
            with ledger._locks.hold("tables"), ledger._transaction() as connection:
                prepare(connection)
        except BaseException:
            ledger.close()
            raise
        return ledger

    @staticmethod
    def key(*parts: str) -> str:
        """Return the key that stands for some parts, of which the first say where it happens."""
        return entry_key(*parts)

    @staticmethod
    def prefix(*parts: str) -> str:
        """Return what all keys begin with that have these parts and more."""
        return f"{entry_key(*parts)[:-1]}, "

    def close(self) -> None:
        """Close all connections."""
        self._locks.close()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @contextmanager
    def claim(
        self, key: str, detail: Mapping[str, Any], *, lock: str | None = None
    ) -> Iterator[Claim]:
        """Have a key to oneself inside the block, with the intent written down.

        Where several keys can be mistaken for each other on the other side, `lock` is a name that
        they share: of them, only one is claimed at a time.

        What the claim's `state` says is what was there before. A block that ends without `done`,
        `undecided` or `withdraw` leaves the intent to the next run.

        Raises:
            LedgerError: another run has held the key for ten minutes, or the database fails.
        """
        with self._locks.hold(lock or key) as held:
            now = datetime.now(UTC)
            with self._transaction() as connection:
                row = connection.execute(select(ENTRIES).where(ENTRIES.c.key == key)).first()
                marks = {"run": self._run, "claimed_at": now}
                if row is None:
                    values = {"key": key, "state": "intent", "detail": dict(detail), **marks}
                    connection.execute(insert(ENTRIES).values(values))
                elif row.state != "done":
                    connection.execute(update(ENTRIES).where(ENTRIES.c.key == key).values(marks))
            if row is None:
                yield Claim(key=key, state="new", detail=dict(detail), claimed_at=now, lock=held)
            else:
                yield Claim(**_values(row), lock=held)

    def amend(self, key: str, detail: Mapping[str, Any]) -> None:
        """Replace the detail of a claimed key, such as by what was found before it was sent."""
        self._change(key, detail=dict(detail))

    def done(self, key: str, outcome: Any = None) -> None:
        """Write down that a claimed key has happened, and what came of it (as JSON)."""
        self._change(key, state="done", outcome=outcome)

    def undecided(self, key: str, why: str) -> None:
        """Write down that nobody can tell whether a claimed key has happened."""
        self._change(key, state="undecided", outcome=why)

    def withdraw(self, key: str) -> None:
        """Forget a claimed key, of which it is certain that nothing has happened."""
        with self._transaction() as connection:
            connection.execute(delete(ENTRIES).where(ENTRIES.c.key == key))

    def intents(self) -> list[Entry]:
        """Return what earlier runs, or those that run beside this one, have not brought to an end.

        Oldest first; what they left undecided is among it.
        """
        query = (
            select(ENTRIES)
            .where(ENTRIES.c.state != "done", ENTRIES.c.run != self._run)
            .order_by(ENTRIES.c.claimed_at, ENTRIES.c.key)
        )
        with self._transaction() as connection:
            return [Entry(**_values(row)) for row in connection.execute(query)]

    def entries(self, prefix: str) -> list[Entry]:
        """Return what there is about the keys that begin with `prefix`, in their order."""
        query = (
            select(ENTRIES)
            .where(ENTRIES.c.key.startswith(prefix, autoescape=True))
            .order_by(ENTRIES.c.key)
        )
        with self._transaction() as connection:
            return [Entry(**_values(row)) for row in connection.execute(query)]

    def delay(self, place: str) -> float | None:
        """Return the longest delay in seconds that was noted for a place, or None if none was."""
        query = select(DELAYS.c.seconds).where(DELAYS.c.place == place)
        with self._transaction() as connection:
            return connection.execute(query).scalar_one_or_none()

    def note_delay(self, place: str, seconds: float) -> None:
        """Note a delay, such as after how many seconds a place did not show something yet."""
        known = self.delay(place)
        if known is None or seconds > known:
            with self._transaction() as connection:
                connection.execute(delete(DELAYS).where(DELAYS.c.place == place))
                connection.execute(insert(DELAYS).values(place=place, seconds=seconds))

    def lock(self, name: str) -> AbstractContextManager[Lock]:
        """Hold a lock of this name inside the block; wait for whoever holds it now.

        Raises:
            LedgerError: another process has held it for ten minutes, or the database fails.
        """
        return self._locks.hold(name)

    def recent_changes(self, organization: str, since: datetime) -> set[tuple[str, str]]:
        """Return kind and object of what was changed in an organization since a moment."""
        query = select(RECENT.c.kind, RECENT.c.object).where(
            RECENT.c.organization == organization, RECENT.c.at >= since
        )
        with self._transaction() as connection:
            return {(row.kind, row.object) for row in connection.execute(query)}

    def note_changes(self, organization: str, changes: Iterable[tuple[str, str]]) -> None:
        """Note kind and object of what is changed now; what is older than a month is forgotten."""
        now = datetime.now(UTC)
        rows = [
            {"organization": organization, "kind": kind, "object": what, "at": now}
            for kind, what in changes
        ]
        known = tuple_(RECENT.c.organization, RECENT.c.kind, RECENT.c.object)
        with self._transaction() as connection:
            connection.execute(delete(RECENT).where(RECENT.c.at < now - KEPT))
            for start in range(0, len(rows), BATCH):
                batch = rows[start : start + BATCH]
                names = [(row["organization"], row["kind"], row["object"]) for row in batch]
                connection.execute(delete(RECENT).where(known.in_(names)))
                connection.execute(insert(RECENT), batch)

    def _change(self, key: str, **values: Any) -> None:
        with self._transaction() as connection:
            change = update(ENTRIES).where(ENTRIES.c.key == key, ENTRIES.c.run == self._run)
            result = connection.execute(change.values(values))
            if result.rowcount != 1:
                msg = f"ledger: {key!r} is not claimed by this run"
                raise LedgerError(msg)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            kind = type(error.orig).__name__
            # Only what the database itself says: the rest of the message may show the password.
            msg = (
                f"ledger: its database cannot be used ({kind}): check the URL, that the server "
                "runs and lets you in, and that a file is a SQLite database"
            )
            raise LedgerError(msg) from error


def _values(row: Row[Any]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in ("key", "state", "detail", "outcome")}
    claimed: datetime = row.claimed_at  # of SQLite without time zone
    return values | {
        "claimed_at": claimed if claimed.tzinfo else claimed.replace(tzinfo=UTC),
    }

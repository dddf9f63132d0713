"""The inbox: events in the order in which they can be read, and how far consumers have read them.

A database holds it, SQLite or PostgreSQL. Each event has a sequence number. Numbers are given, and
become visible, one group of events after the other, also with several receivers: to add events is
to lock the one row of `pluvo_inbox` until they are committed. So whoever has read all events up to
a number will never find a new one below it, and numbers have no holes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, insert, select, update

from pluvo_webhooks.children import Children
from pluvo_webhooks.database import lock, open_database, shown, transaction
from pluvo_webhooks.delivery import in_utc
from pluvo_webhooks.errors import InboxError
from pluvo_webhooks.records import Consumer, InboxEvent, Status
from pluvo_webhooks.tables import consumers, events, pluvo_inbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import timedelta

    from sqlalchemy import Engine, ScalarSelect

    from pluvo_webhooks.delivery import Delivery

__all__ = ["Inbox", "InboxError", "InboxEvent"]

# Values in one statement; the databases' own limits are higher.
_AT_ONCE = 500


class Inbox:
    """The events that were received; safe to use from several threads and processes.

    Every method raises InboxError when the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name = shown(engine.url)

    @classmethod
    def open(cls, url: str, *, create: bool) -> Inbox:
        """Open an inbox.

        Args:
            url: of a database, `sqlite:///...` or `postgresql+psycopg://...`.
            create: whether to make an inbox of an empty or missing database.

        Raises:
            InboxError: there is no inbox, or it can't be used; in words.
        """
        return cls(open_database(url, create=create))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def add(self, deliveries: Sequence[Delivery]) -> int:
        """Keep events in one commit, in their order, each of them once.

        Returns:
            How many were new. When this returns, all are on disk.
        """
        with transaction(self._engine) as connection:
            return _add(connection, deliveries)

    def events_after(self, sequence: int, limit: int) -> list[InboxEvent]:
        """Return at most `limit` events beyond a sequence number, in order."""
        wanted = [events.c[name] for name in InboxEvent._fields]
        query = select(*wanted).where(events.c.sequence > sequence)
        with transaction(self._engine) as connection:
            rows = connection.execute(query.order_by(events.c.sequence).limit(limit))
            return [InboxEvent(*row) for row in rows]

    def last_sequence(self) -> int:
        """Return the highest number that was given; 0 before the first event."""
        with transaction(self._engine) as connection:
            return int(connection.execute(select(pluvo_inbox.c.last_sequence)).scalar_one())

    def purged_to(self) -> int:
        """Return the highest number whose event was purged; 0 if none was.

        Who has not read up to here has missed events.
        """
        with transaction(self._engine) as connection:
            return int(connection.execute(select(pluvo_inbox.c.purged_to)).scalar_one())

    def check_writable(self) -> None:
        """Write the time: SQLite would not write what is there already."""
        now = in_utc(datetime.now(UTC))
        with transaction(self._engine) as connection:
            connection.execute(update(pluvo_inbox).values(checked_at=now))

    def consumed(self, consumer: str, sequence: int) -> None:
        """Record that a consumer needs no event up to a number; also a lower one than before."""
        values = {"sequence": sequence, "recorded_at": in_utc(datetime.now(UTC))}
        with transaction(self._engine) as connection:
            lock(connection)
            known = update(consumers).where(consumers.c.name == consumer).values(values)
            if not connection.execute(known).rowcount:
                connection.execute(insert(consumers).values(name=consumer, **values))

    def purge(self, older_than: timedelta, *, unread: bool = False, dry_run: bool = False) -> int:
        """Delete events that were received longer ago, and read by every known consumer.

        Args:
            older_than: the least age.
            unread: delete also those that were not read, by some consumer or for want of any.
            dry_run: only count them.

        Returns:
            How many events were deleted, or would be.
        """
        old = events.c.received_at < in_utc(datetime.now(UTC) - older_than)
        if not unread:
            old &= events.c.sequence <= _read_by_all()
        with transaction(self._engine) as connection:
            lock(connection)
            found, highest = connection.execute(
                select(func.count(), func.max(events.c.sequence)).where(old)
            ).one()
            if found and not dry_run:
                connection.execute(
                    update(pluvo_inbox)
                    .values(purged_to=highest)
                    .where(pluvo_inbox.c.purged_to < highest)
                )
                connection.execute(delete(events).where(old))
            return int(found)

    def status(self) -> Status:
        """Count what is in the inbox."""
        unread = events.c.sequence > _read_by_all()
        with transaction(self._engine) as connection:
            count, last = connection.execute(
                select(func.count(), func.max(events.c.received_at)).select_from(events)
            ).one()
            unread_count, oldest = connection.execute(
                select(func.count(), func.min(events.c.received_at)).where(unread)
            ).one()
            given, purged = connection.execute(
                select(pluvo_inbox.c.last_sequence, pluvo_inbox.c.purged_to)
            ).one()
            types = connection.execute(
                select(events.c.event, func.count()).group_by(events.c.event)
            ).all()
            known = connection.execute(select(consumers).order_by(consumers.c.name)).all()
        return Status(
            events=count,
            unread=unread_count,
            oldest_unread=oldest,
            last_received=last,
            last_sequence=given,
            purged_to=purged,
            by_type={name or "": number for name, number in sorted(types, key=str)},
            consumers=[Consumer(*row) for row in known],
        )

    @property
    def children(self) -> Children:
        """Which children objects had when they were read last."""
        return Children(self._engine)


def _add(connection: Connection, deliveries: Iterable[Delivery]) -> int:
    last = lock(connection)
    new: dict[str, Delivery] = {}
    for delivery in deliveries:
        new.setdefault(delivery.delivery, delivery)
    for some in _chunks(list(new)):
        for known in connection.scalars(
            select(events.c.delivery).where(events.c.delivery.in_(some))
        ):
            del new[known]
    if new:
        rows = [
            {"sequence": sequence, **vars(delivery)}
            for sequence, delivery in enumerate(new.values(), last + 1)
        ]
        connection.execute(insert(events), rows)
        connection.execute(update(pluvo_inbox).values(last_sequence=last + len(rows)))
    return len(new)


def _read_by_all() -> ScalarSelect[int]:
    """Up to which number every consumer has read; 0 if there is none."""
    return select(func.coalesce(func.min(consumers.c.sequence), 0)).scalar_subquery()


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]

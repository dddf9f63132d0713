from __future__ import annotations

import stat
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
from webhook_support import FOREVER, user_updated

from pluvo_webhooks import inbox as inbox_module
from pluvo_webhooks.delivery import Delivery
from pluvo_webhooks.inbox import Inbox

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOW = datetime.now(UTC)
ALL = timedelta(0)


def delivered(*numbers: int, days_ago: int = 0) -> list[Delivery]:
    received = NOW - timedelta(days=days_ago, seconds=1)
    return [Delivery.parse(user_updated(number), received) for number in numbers]


def users(inbox: Inbox, after: int = 0, limit: int = 100) -> list[tuple[int, str | None]]:
    return [(event.sequence, event.object_id) for event in inbox.events_after(after, limit)]


def test_events_come_in_the_order_of_their_arrival(inbox: Inbox) -> None:
    assert inbox.add(delivered(3, 1)) == 2
    assert inbox.add(delivered(2)) == 1
    assert users(inbox) == [(1, "user-3"), (2, "user-1"), (3, "user-2")]
    assert users(inbox, after=1, limit=1) == [(2, "user-1")]
    assert users(inbox, after=3) == []
    assert inbox.last_sequence() == 3


def test_a_repeated_delivery_is_kept_once(inbox: Inbox) -> None:
    assert inbox.add(delivered(1, 1)) == 1
    assert inbox.add(delivered(2, 1)) == 1
    assert users(inbox) == [(1, "user-1"), (2, "user-2")]


def test_more_events_than_fit_into_one_statement(inbox: Inbox) -> None:
    assert inbox.add(delivered(*range(1200))) == 1200
    assert inbox.add(delivered(*range(1300))) == 100
    assert [sequence for sequence, _ in users(inbox, limit=2000)] == [*range(1, 1301)]


def test_an_inbox_is_found_again(url: str) -> None:
    first = Inbox.open(url, create=True)
    first.add(delivered(1))
    first.close()
    for create in (False, True):
        again = Inbox.open(url, create=create)
        assert users(again) == [(1, "user-1")]
        again.close()


def test_receivers_that_start_at_once_make_one_inbox(url: str) -> None:
    gate = threading.Barrier(6)
    opened: list[Inbox] = []

    def start() -> None:
        gate.wait(FOREVER)
        inbox = Inbox.open(url, create=True)
        opened.append(inbox)
        inbox.add(delivered(len(opened)))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(FOREVER)
    assert len(opened) == 6
    assert opened[0].last_sequence() == len(users(opened[5]))
    for inbox in opened:
        inbox.close()


def test_only_the_owner_can_read_the_files(sqlite_url: str, tmp_path: Path) -> None:
    inbox = Inbox.open(sqlite_url, create=True)
    inbox.add(delivered(1))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    inbox.close()
    assert modes == dict.fromkeys(("inbox.db", "inbox.db-wal", "inbox.db-shm"), 0o600)


def test_what_was_purged_is_gone_from_the_file(sqlite_url: str, tmp_path: Path) -> None:
    inbox = Inbox.open(sqlite_url, create=True)
    inbox.add([Delivery.parse(user_updated(1, name="Quentin"), NOW)])
    inbox.purge(ALL, unread=True)
    inbox.close()  # which empties the journal
    assert b"Quentin" not in (tmp_path / "inbox.db").read_bytes()


# A number that becomes visible late


def test_a_late_commit_is_not_skipped(
    postgres_url: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One receiver has its numbers and has not committed, when another one wants to."""
    slow, quick, reader = (Inbox.open(postgres_url, create=True) for _ in range(3))
    has_numbers, may_commit, quick_is_done = (threading.Event() for _ in range(3))
    add = inbox_module._add

    def add_slowly(connection: object, deliveries: list[Delivery]) -> int:
        count = add(connection, deliveries)  # type: ignore[arg-type]
        if deliveries[0].object_id == "user-1":
            has_numbers.set()
            assert may_commit.wait(FOREVER)
        return count

    monkeypatch.setattr(inbox_module, "_add", add_slowly)

    def add_quickly() -> None:
        quick.add(delivered(3))
        quick_is_done.set()

    first = threading.Thread(target=lambda: slow.add(delivered(1, 2)))
    second = threading.Thread(target=add_quickly)
    first.start()
    assert has_numbers.wait(FOREVER)
    second.start()
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not quick_is_done.is_set() and connection.execute(waiting).fetchone() == (0,):
            pass
    # Here a program reads, and goes on later from where it was.
    read = users(reader)
    may_commit.set()
    first.join(FOREVER)
    second.join(FOREVER)
    read += users(reader, after=read[-1][0] if read else 0)
    for inbox in (slow, quick, reader):
        inbox.close()
    assert read == [(1, "user-1"), (2, "user-2"), (3, "user-3")]


def test_a_number_is_never_given_twice(inbox: Inbox) -> None:
    inbox.add(delivered(1, 2))
    assert inbox.purge(ALL, unread=True) == 2
    inbox.add(delivered(3))
    assert users(inbox) == [(3, "user-3")]


# Consumers and purging


def test_only_what_every_consumer_has_read_is_purged(inbox: Inbox) -> None:
    inbox.add(delivered(1, 2, 3, 4))
    assert inbox.purge(ALL) == 0, "nobody has read any of them"
    inbox.consumed("tap", 3)
    inbox.consumed("other", 2)
    assert inbox.purge(ALL, dry_run=True) == 2
    assert len(users(inbox)) == 4
    assert inbox.purged_to() == 0
    assert inbox.purge(ALL) == 2
    assert inbox.purged_to() == 2
    assert users(inbox) == [(3, "user-3"), (4, "user-4")]
    inbox.consumed("other", 4)
    assert inbox.purge(ALL) == 1
    assert inbox.purged_to() == 3
    assert inbox.purge(ALL) == 0
    assert inbox.purged_to() == 3


def test_only_what_is_old_is_purged(inbox: Inbox) -> None:
    inbox.add(delivered(1, days_ago=31))
    inbox.add(delivered(2, days_ago=29))
    inbox.consumed("tap", 2)
    assert inbox.purge(timedelta(days=30)) == 1
    assert users(inbox) == [(2, "user-2")]
    assert inbox.purge(timedelta(days=30), unread=True) == 0


def test_a_consumer_that_starts_again_holds_the_purge_up(inbox: Inbox) -> None:
    inbox.add(delivered(1, 2))
    inbox.consumed("tap", 2)
    inbox.consumed("tap", 1)
    assert inbox.purge(ALL) == 1
    assert inbox.purge(ALL, unread=True) == 1
    assert inbox.purged_to() == 2


def test_status(inbox: Inbox) -> None:
    empty = inbox.status()
    assert (empty.events, empty.unread, empty.last_received, empty.by_type) == (0, 0, None, {})
    inbox.add(delivered(1, days_ago=2))
    inbox.add(delivered(2, days_ago=1))
    inbox.add([Delivery.parse(b'{"event": "GROUP_UPDATED"}', NOW), Delivery.parse(b"{}", NOW)])
    inbox.consumed("tap", 1)
    status = inbox.status()
    assert (status.events, status.unread) == (4, 3)
    assert status.oldest_unread is not None
    assert status.oldest_unread < str(status.last_received)
    assert status.by_type == {"USER_UPDATED": 2, "GROUP_UPDATED": 1, "": 1}
    assert [consumer[:2] for consumer in status.consumers] == [("tap", 1)]

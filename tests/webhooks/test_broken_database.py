"""A database that can't be written costs no event: the answer is 503, and the sender retries."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest
from webhook_support import Receiver, user_updated

from pluvo_webhooks.inbox import Inbox

if TYPE_CHECKING:
    from pathlib import Path


def numbers(url: str) -> list[str]:
    inbox = Inbox.open(url, create=False)
    try:
        return [str(event.object_id) for event in inbox.events_after(0, 10_000)]
    finally:
        inbox.close()


@pytest.mark.skipif(sys.platform != "linux", reason="sets a limit of another process")
def test_a_full_disk(sqlite_url: str, tmp_path: Path) -> None:
    """No file of the receiver may grow any more, which is what a full disk does."""
    with Receiver(sqlite_url, tmp_path / "log") as receiver:
        assert receiver.send(user_updated(0)) == 204
        _, hard = unlimited = resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE)
        room = (tmp_path / "inbox.db-wal").stat().st_size + 100_000
        resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (room, hard))
        answers = [receiver.send(user_updated(number, pad="x" * 3000)) for number in range(1, 12)]
        assert answers[0] == 204
        assert answers[-1] == 503

        resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (0, hard))
        assert receiver.ask("GET", "/readyz")[0] == 503
        assert receiver.ask("GET", "/healthz")[0] == 200
        acknowledged = [f"user-{number}" for number, code in enumerate(answers, 1) if code == 204]
        assert numbers(sqlite_url) == ["user-0", *acknowledged]

        resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, unlimited)
        retried = [receiver.send(user_updated(number, pad="x" * 3000)) for number in range(1, 12)]
        assert retried == [204] * 11
        assert receiver.ask("GET", "/readyz")[0] == 200
    assert sorted(numbers(sqlite_url)) == sorted(f"user-{number}" for number in range(12))
    said = (tmp_path / "log").read_text()
    assert "Answered a delivery with 503: the inbox sqlite:///" in said
    assert "user-" not in said


def test_a_database_that_goes_away_and_comes_back(
    postgres_url: str, server: str, tmp_path: Path
) -> None:
    name = postgres_url.rpartition("/")[2].encode()
    with (
        Receiver(postgres_url, tmp_path / "log") as receiver,
        psycopg.connect(f"{server}/postgres", autocommit=True) as connection,
    ):
        assert receiver.send(user_updated(1)) == 204
        connection.execute(b"ALTER DATABASE %b ALLOW_CONNECTIONS false" % name)
        connection.execute(
            b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%b'" % name
        )
        assert receiver.send(user_updated(2)) == 503
        assert receiver.ask("GET", "/readyz")[0] == 503
        connection.execute(b"ALTER DATABASE %b ALLOW_CONNECTIONS true" % name)
        assert receiver.send(user_updated(2)) == 204
        assert receiver.ask("GET", "/readyz")[0] == 200
    assert numbers(postgres_url) == ["user-1", "user-2"]
    assert "user-" not in (tmp_path / "log").read_text()

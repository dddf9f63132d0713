"""Locks that end with the process that holds them, however it ends.

A lock is an open transaction on a connection of its own. So nothing has to expire: the operating
system closes what a killed process had open. Of a machine that is gone, PostgreSQL finds out within
seconds, as it is told to look often.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from pluvo_singer.ledger.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK_TIMEOUT = 600  # seconds; another run holds a lock for as long as it retries a request
SUFFIX = "-lock"  # of the file beside a SQLite file that only serves to be locked

# The server asks a client that was silent for five seconds, and waits five for its answer.
_POSTGRESQL = (
    "SET LOCAL tcp_keepalives_idle = 5",
    "SET LOCAL tcp_keepalives_interval = 1",
    "SET LOCAL tcp_keepalives_count = 5",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)


class Lock:
    """A lock that is held."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_held(self) -> bool:
        """Ask the database whether the transaction is still there."""
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True


class Locks:
    """The locks of a ledger: one for each key, or for SQLite one for all of them."""

    def __init__(self, engine: Engine) -> None:
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._engine = _beside(engine) if self._is_sqlite else engine

    @contextmanager
    def hold(self, key: str) -> Iterator[Lock]:
        """Hold the lock of a key inside the block; wait for who holds it now.

        Raises:
            LedgerError: another process has held it for ten minutes, or the database fails.
        """
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(self._engine.connect())
                if self._is_sqlite:
                    _lock_file(connection)
                else:
                    _lock_key(connection, key)
            except DBAPIError as error:
                msg = (
                    "ledger: could not acquire the lock, since the database cannot be used or "
                    f"another run has held it for long ({type(error.orig).__name__}): check the "
                    "URL and that the server runs, and see whether another run hangs"
                )
                raise LedgerError(msg) from error
            try:
                yield Lock(connection)
            finally:
                with suppress(DBAPIError):  # a connection that is gone holds no lock
                    connection.rollback()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _lock_key(connection: Connection, key: str) -> None:
    for setting in (*_POSTGRESQL, f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'"):
        connection.execute(text(setting))
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
    connection.execute(lock, {"key": f"certificate_ledger {key}"})


def _lock_file(connection: Connection) -> None:
    """Lock a file; between two waits, of a second each, Python looks for signals."""
    for attempts_left in reversed(range(LOCK_TIMEOUT)):
        try:
            connection.execute(text("BEGIN IMMEDIATE"))
        except OperationalError as error:
            if not attempts_left or "locked" not in str(error.orig):
                raise
        else:
            return


def _beside(engine: Engine) -> Engine:
    """Return an engine for the file that is locked in place of a SQLite file.

    That one itself has to stay writable while the lock is held.
    """
    url = engine.url.set(database=f"{engine.url.database}{SUFFIX}")
    options = {"timeout": 1.0}
    return create_engine(
        url, poolclass=NullPool, connect_args=options, isolation_level="AUTOCOMMIT"
    )

"""Open the database of an inbox, or say why it can't be one."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    URL,
    Connection,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from pluvo_webhooks.errors import InboxError
from pluvo_webhooks.tables import SCHEMA_VERSION, metadata, pluvo_inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

_HOW = "write sqlite:////srv/pluvo/inbox.db or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
# How long to wait: in SQLite for other writers, in PostgreSQL for a server that does not answer.
_CONNECT_ARGS = {
    "sqlite": {"timeout": 10},  # seconds
    "postgresql": {"connect_timeout": 10, "tcp_user_timeout": 10_000},  # seconds; milliseconds
}
# Makes those who find the database empty create the tables one after the other.
_ONE_AT_A_TIME = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(7588601)",
}


def open_database(text: str, *, create: bool) -> Engine:
    """Return an engine for an inbox.

    Args:
        text: the URL of the database.
        create: whether to make an inbox of an empty or missing database.

    Raises:
        InboxError: there is no inbox, or it can't be used.
    """
    url = _check_url(text)
    name = shown(url)
    try:
        if url.get_backend_name() == "sqlite":
            _prepare_file(url, create=create)
        engine = _engine(url)
        try:
            _prepare_tables(engine, name, create=create)
        except BaseException:
            engine.dispose()
            raise
    except ModuleNotFoundError as error:
        msg = (
            "the driver psycopg is missing: install the extra, `pip install 'tap-pluvo[webhooks]'`"
        )
        raise InboxError(msg) from error
    except (OSError, SQLAlchemyError) as error:
        msg = f"the inbox {name} can't be opened: {cause(error)}"
        raise InboxError(msg) from error
    return engine


def shown(url: URL) -> str:
    """Return a URL without what may be secret in it."""
    return url.set(query={}).render_as_string(hide_password=True)


def cause(error: Exception) -> str:
    """Say what a driver says; its first line names no values of rows."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    origin = getattr(error, "orig", None) or error
    return str(origin).partition("\n")[0] or type(origin).__name__


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose changes are committed together at the end of the block.

    Raises:
        InboxError: the database failed.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        msg = f"the inbox {shown(engine.url)} failed: {cause(error)}"
        raise InboxError(msg) from error


def lock(connection: Connection) -> int:
    """Wait until no other program writes; until the commit, nobody else will.

    It is an update in both databases, so it has to come before anything that is read.

    Returns:
        The highest sequence number that was given.
    """
    column = pluvo_inbox.c.last_sequence
    same = update(pluvo_inbox).values(last_sequence=column).returning(column)
    return int(connection.execute(same).scalar_one())


def _check_url(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        msg = f"the inbox's address is no database URL: {_HOW}"
        raise InboxError(msg) from None  # whose message may hold a password
    if url.drivername in {"postgres", "postgresql"}:
        msg = (
            f"the inbox's URL names no driver: write postgresql+psycopg:// "
            f"instead of {url.drivername}://"
        )
        raise InboxError(msg)
    if url.drivername not in {"sqlite", "postgresql+psycopg"}:
        msg = f"an inbox can't be in {url.drivername}://: {_HOW}"
        raise InboxError(msg)
    if url.drivername == "sqlite" and url.database in {None, "", ":memory:"}:
        msg = f"the inbox's URL names no file: {_HOW}"
        raise InboxError(msg)
    return url


def _prepare_file(url: URL, *, create: bool) -> None:
    """Make a new file that only its owner can read, as must be its journals, which SQLite makes."""
    path = Path(url.database or "")
    if path.exists():
        return
    if not create:
        msg = f"there is no inbox {shown(url)}: start `pluvo-webhooks serve`, which makes it"
        raise InboxError(msg)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _engine(url: URL) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=not sqlite,
        connect_args=_CONNECT_ARGS[url.get_backend_name()],
    )
    if sqlite:
        event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")  # what was committed survives a loss of power
    cursor.execute("PRAGMA secure_delete = ON")  # what was purged is overwritten
    cursor.close()


def _prepare_tables(engine: Engine, name: str, *, create: bool) -> None:
    with engine.begin() as connection:
        if create:
            connection.exec_driver_sql(_ONE_AT_A_TIME[engine.dialect.name])
        _check_tables(connection, name, create=create)
    if create and engine.dialect.name == "sqlite":
        # The tap can read while events are added. Kept in the file; not allowed above.
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def _check_tables(connection: Connection, name: str, *, create: bool) -> None:
    tables = inspect(connection).get_table_names()
    if not tables and create:
        metadata.create_all(connection)
        connection.execute(
            insert(pluvo_inbox).values(version=SCHEMA_VERSION, last_sequence=0, purged_to=0)
        )
        return
    if not tables:
        msg = f"the database {name} is empty: start `pluvo-webhooks serve`, which makes the inbox"
        raise InboxError(msg)
    if pluvo_inbox.name not in tables:
        msg = f"the database {name} belongs to another program: give the inbox one of its own"
        raise InboxError(msg)
    version = connection.scalar(select(pluvo_inbox.c.version))
    if version != SCHEMA_VERSION:
        msg = (
            f"the inbox {name} has version {version} of the tables, this program knows "
            f"{SCHEMA_VERSION}: upgrade tap-pluvo"
        )
        raise InboxError(msg)

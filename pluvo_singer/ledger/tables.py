"""The tables of a ledger: made where there are none, and checked where there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    insert,
    inspect,
    select,
)

from pluvo_singer.ledger.errors import LedgerError

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION = 1

METADATA = MetaData()
ENTRIES = Table(
    "certificate_ledger",
    METADATA,
    Column("key", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("run", String, nullable=False),
    Column("claimed_at", DateTime(timezone=True), nullable=False),
    Column("outcome", JSON(none_as_null=True)),
)
# What was changed lately, of which there is a limit for each day.
RECENT = Table(
    "recent_changes",
    METADATA,
    Column("organization", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("object", String, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
)
VERSIONS = Table("certificate_ledger_version", METADATA, Column("version", Integer, nullable=False))


def prepare(connection: Connection) -> None:
    """Make the tables, unless they are there.

    Raises:
        LedgerError: the database is of another program, or of a newer version of this one.
    """
    found = set(inspect(connection).get_table_names())
    ours = set(METADATA.tables)
    if ours <= found:
        _check(connection)
        return
    # A file is one program's; a server's database may well hold the tables of others, too.
    if found & ours or (found and connection.dialect.name == "sqlite"):
        msg = (
            "ledger: the database is of another program: name a file or database of its own, or "
            "one that a ledger made"
        )
        raise LedgerError(msg)
    METADATA.create_all(connection)
    connection.execute(insert(VERSIONS).values(version=VERSION))


def _check(connection: Connection) -> None:
    columns = {column["name"] for column in inspect(connection).get_columns(ENTRIES.name)}
    version = connection.execute(select(VERSIONS.c.version)).scalar_one_or_none()
    if version is not None and version > VERSION:
        msg = (
            f"ledger: its database is of version {version}, and this program knows up to "
            f"{VERSION}: upgrade the program"
        )
        raise LedgerError(msg)
    if version != VERSION or not columns >= set(ENTRIES.c.keys()):
        msg = "ledger: its tables are not what a ledger makes: name another database"
        raise LedgerError(msg)

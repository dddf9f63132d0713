"""The tables of a ledger: made where there are none, and brought up to date where there are."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    inspect,
    select,
    update,
)

from pluvo_singer.ledger.errors import LedgerError
from pluvo_singer.values import folded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sqlalchemy import Connection

VERSION = 2

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
VERSIONS = Table("certificate_ledger_version", METADATA, Column("version", Integer, nullable=False))
# What was changed lately, of which there is a limit for each day.
RECENT = Table(
    "recent_changes",
    METADATA,
    Column("organization", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("object", String, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
)
# How long a place has taken, in seconds, until it showed what had happened there.
DELAYS = Table(
    "delays",
    METADATA,
    Column("place", String, primary_key=True),
    Column("seconds", Float, nullable=False),
)
_FIRST = {ENTRIES.name, VERSIONS.name}  # the tables of version 1


def entry_key(*parts: str) -> str:
    """Return the key that stands for some parts exactly, whatever is in them."""
    return json.dumps(parts, ensure_ascii=False)


def prepare(connection: Connection) -> None:
    """Make the tables, unless they are there, and bring those of an older version up to date.

    Raises:
        LedgerError: the database is of another program, or of a newer version of this one.
    """
    found = set(inspect(connection).get_table_names())
    if found >= _FIRST:
        _upgrade(connection)
        return
    # A file is one program's; a server's database may well hold the tables of others, too.
    if found & set(METADATA.tables) or (found and connection.dialect.name == "sqlite"):
        msg = (
            "ledger: the database is of another program: name a file or database of its own, or "
            "one that a ledger made"
        )
        raise LedgerError(msg)
    METADATA.create_all(connection)
    connection.execute(insert(VERSIONS).values(version=VERSION))


def _upgrade(connection: Connection) -> None:
    columns = {column["name"] for column in inspect(connection).get_columns(ENTRIES.name)}
    version = connection.execute(select(VERSIONS.c.version)).scalar_one_or_none()
    if version is not None and version > VERSION:
        msg = (
            f"ledger: its database is of version {version}, and this program knows up to "
            f"{VERSION}: upgrade the program"
        )
        raise LedgerError(msg)
    if version is None or not columns >= set(ENTRIES.c.keys()):
        msg = "ledger: its tables are not what a ledger makes: name another database"
        raise LedgerError(msg)
    METADATA.create_all(connection)
    if version < VERSION:
        _rename_keys(connection)
        connection.execute(update(VERSIONS).values(version=VERSION))


def _rename_keys(connection: Connection) -> None:
    """Give all entries the keys of this version; of two that are one now, a done one stays."""
    seen: set[str] = set()
    for row in sorted(connection.execute(select(ENTRIES)).all(), key=lambda row: row.state):
        new, this = _new_key(row.key, row.detail), ENTRIES.c.key == row.key
        detail = dict(row.detail)
        if row.state != "done":  # it may have been sent: version 1 did not note that
            claimed = row.claimed_at  # of SQLite without time zone
            zoned = claimed if claimed.tzinfo else claimed.replace(tzinfo=UTC)
            detail["sent_at"] = zoned.isoformat()
            that_day, *_, undated = detail.get("before", (0, 0))
            detail["before"] = [that_day, undated]
        connection.execute(
            delete(ENTRIES).where(this)
            if new in seen
            else update(ENTRIES).where(this).values(key=new, detail=detail)
        )
        seen.add(new)


def _new_key(old: str, detail: Mapping[str, Any]) -> str:
    """Return the key of an entry of version 1, which had texts apart by blanks.

    Of Pluvo they lacked scheme and port. An organization has https without a port; of a sandbox it
    is not known any more, so what was issued there is under an address that no run uses.
    """
    system, host, *_ = old.split(" ")
    loopback = re.match(r"localhost|127\.|\[?::1", host)
    address = f"{'http' if loopback else 'https'}://{host}"
    if system == "pluvo":
        title = folded(unicodedata.normalize("NFKC", detail["title"]))
        parts = [detail["user_id"], detail["day"], title, detail["template"]]
    else:
        parts = [detail["user_id"], detail["resource_id"], detail["issued_on"]]
    return entry_key(system, address, *parts)

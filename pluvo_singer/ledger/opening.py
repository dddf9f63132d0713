"""From a URL to a database that can be used, or to a sentence that says why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from pluvo_singer.ledger.errors import LedgerError

if TYPE_CHECKING:
    from sqlalchemy import Engine

_OWNER_ONLY = 0o600


def engine_of(url: str) -> Engine:
    """Return an engine for a URL; of SQLite, the file and its folder are made if need be.

    Raises:
        LedgerError: the URL is none, or there is no driver for it.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        msg = (
            "ledger: the URL cannot be read: write sqlite:///path/to/ledger.db or "
            "postgresql+psycopg://user:password@host/database"
        )
        raise LedgerError(msg) from error
    kind = parsed.get_backend_name()
    if kind not in {"sqlite", "postgresql"}:
        msg = f"ledger: databases of kind {kind!r} are not supported: use sqlite or postgresql"
        raise LedgerError(msg)
    if kind == "sqlite":
        if not parsed.database or parsed.database == ":memory:" or parsed.query:
            msg = "ledger: the URL names no file: write sqlite:///path/to/ledger.db"
            raise LedgerError(msg)
        _make_file(Path(parsed.database))
    options = {"timeout": 30.0} if kind == "sqlite" else {}
    try:
        return create_engine(parsed, connect_args=options, pool_pre_ping=True)
    except (NoSuchModuleError, ImportError) as error:
        name = getattr(error, "name", None)
        lacking = f"{name} is not installed" if name else "there is no such driver"
        msg = (
            f"ledger: no driver for {parsed.drivername} URLs, as {lacking}: install the package "
            "psycopg and write postgresql+psycopg://"
        )
        raise LedgerError(msg) from error


def _make_file(path: Path) -> None:
    """Make a file that its owner only may read, and its folder, unless they are there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(_OWNER_ONLY)
    except OSError as error:
        msg = f"ledger: the file {str(path)!r} cannot be written ({error.strerror})"
        raise LedgerError(msg) from error

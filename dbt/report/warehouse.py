"""Read the marts from the warehouse that dbt wrote them to."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

import os
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Row = dict[str, Any]

PROJECT = Path(__file__).parents[1]


@contextmanager
def open_warehouse(name: str) -> Iterator[Callable[[str], list[Row]]]:
    """Give a function that runs a query and returns its rows as dictionaries by column.

    Args:
        name: `duckdb` or `postgres`.

    Raises:
        SystemExit: There is no DuckDB database yet.
    """
    connect = {"duckdb": connect_duckdb, "postgres": connect_postgres}[name]
    with closing(connect()) as connection:

        def query(sql: str) -> list[Row]:
            cursor = connection.cursor()
            cursor.execute(sql)
            names = [column[0] for column in cursor.description]
            # Always in the same order, so the same data gives the same page on every warehouse.
            rows = sorted(cursor.fetchall(), key=lambda row: [str(value) for value in row])
            return [dict(zip(names, row, strict=True)) for row in rows]

        yield query


def connect_duckdb() -> Any:
    """Open the DuckDB database for reading."""
    import duckdb  # noqa: PLC0415 - only the driver of the chosen warehouse is needed

    path = Path(os.environ.get("PLUVO_DUCKDB_PATH") or PROJECT / "pluvo.duckdb")
    if not path.exists():
        message = (
            f"There is no {path} yet. What makes it: `make demo`, for a real organization"
            " `meltano --environment=prod run pluvo-to-duckdb`, or `dbt build`."
        )
        raise SystemExit(message)
    return duckdb.connect(path, read_only=True)


def connect_postgres() -> Any:
    """Connect to the PostgreSQL server given by libpq's variables."""
    import psycopg  # noqa: PLC0415 - only the driver of the chosen warehouse is needed

    schema = os.environ.get("PLUVO_DBT_SCHEMA", "analytics")
    return psycopg.connect(options=f"-c search_path={schema} -c default_transaction_read_only=on")

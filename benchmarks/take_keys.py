"""Write the keys of the users in a warehouse to FOLDER/users.csv, and empty the warehouse.

    python take_keys.py postgres|duckdb FOLDER

A process of its own: the one that measures needs no drivers.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import duckdb
import psycopg

SCHEMA = "bench"  # where the users are in PostgreSQL
TABLES = ("raw_pluvo__users", "stg_pluvo__users", "users")


def from_postgres() -> list[tuple[str]]:
    """Return the keys, and drop the tables."""
    with psycopg.connect() as warehouse:
        keys = warehouse.execute(f"SELECT id FROM {SCHEMA}.users").fetchall()
        warehouse.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    return keys


def from_duckdb(path: Path) -> list[tuple[str]]:
    """Return the keys."""
    with duckdb.connect(path) as warehouse:
        ((table,),) = warehouse.execute(
            "SELECT format('{}.{}', table_schema, table_name) FROM information_schema.tables "
            "WHERE list_contains(?, table_name)",
            [TABLES],
        ).fetchall()
        return warehouse.execute(f"SELECT id FROM {table}").fetchall()


def main() -> None:
    """Take the keys, and remove every other file in which users could be counted."""
    warehouse, folder = sys.argv[1], Path(sys.argv[2])
    keys = from_postgres() if warehouse == "postgres" else from_duckdb(folder / "warehouse.duckdb")
    for name in ("jsonl", "out", "dlt"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "users.csv").write_text("".join(f"{key}\n" for (key,) in keys), "utf-8")


if __name__ == "__main__":
    main()

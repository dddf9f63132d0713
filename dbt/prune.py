"""Remove files that dbt merged into DuckDB, to make room.

`build_beside.py` does so after each build, and `make prune` by hand.

A file goes if it was last written to more than a number of days ago, and is still what was merged,
by its size and time. All others stay. After that, the database is the only place of what they held.

The folder and the database are those of PLUVO_JSONL_DIR and PLUVO_DUCKDB_PATH.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import duckdb

HERE = Path(__file__).parent

OLD_FILES = """
    select
        found.filename,
        found.size,
        exists (
            select 1
            from {merged_files} as merged
            where
                merged.file = parse_filename(found.filename)
                and merged.bytes = found.size
                and merged.modified_at = found.last_modified at time zone 'UTC'
        ) as is_merged
    from read_blob($files) as found
    where found.last_modified < now() - to_days($keep_days)
    order by found.filename
"""


def main() -> None:
    """Remove files as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep-days", type=days, required=True, metavar="N")
    keep_days = parser.parse_args().keep_days
    folder = Path(os.environ.get("PLUVO_JSONL_DIR") or HERE.parent / "output")
    database = Path(os.environ.get("PLUVO_DUCKDB_PATH") or HERE / "pluvo.duckdb")
    if not database.exists():
        message = f"There is no {database}, so no file was merged: run dbt first."
        raise SystemExit(message)
    prune(database, folder, keep_days)


def prune(database: Path, folder: Path, keep_days: int) -> None:
    """Remove files that were merged into the database, and say which and how much room that makes.

    Raises:
        SystemExit: The database cannot be read, or says nothing about files.
    """
    found = old_files(database, folder, keep_days)
    room = 0
    for path, size, is_merged in found:
        if is_merged:
            path.unlink()
            room += size
            print(f"removed {path.name}")
        else:
            print(f"kept {path.name}: it was not merged, or was written to since: run dbt")
    removed = sum(is_merged for *_, is_merged in found)
    print(
        f"{removed} of {len(found)} files older than {keep_days} days removed,"
        f" which makes {room / 1e6:,.1f} MB of room."
    )


def days(text: str) -> int:
    """Return a number of days; a file of today may be written to at this moment."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def old_files(database: Path, folder: Path, keep_days: int) -> list[tuple[Path, int, bool]]:
    """Return the files that are old enough, their sizes, and whether they are as they were merged.

    Raises:
        SystemExit: The database cannot be read, or says nothing about files.
    """
    paths = [str(path) for path in folder.glob("*-*.jsonl")]
    try:
        with duckdb.connect(database, read_only=True) as connection:
            tables = connection.execute(
                'select format(\'"{}"."{}"\', table_schema, table_name)'
                " from information_schema.tables where table_name = 'base_pluvo__merged_files'"
            ).fetchall()
            if len(tables) != 1:
                message = f"{database} has {len(tables)} tables base_pluvo__merged_files, not one."
                raise SystemExit(message)
            if not paths:
                return []
            query = OLD_FILES.format(merged_files=tables[0][0])
            rows = connection.execute(query, {"files": paths, "keep_days": keep_days}).fetchall()
    except duckdb.Error as error:
        message = f"{database} cannot be read: {error}"
        raise SystemExit(message) from error
    return [(Path(name), size, is_merged) for name, size, is_merged in rows]


if __name__ == "__main__":
    main()

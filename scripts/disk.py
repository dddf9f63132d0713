"""Say what takes room in output/<environment>, and what may go: `make disk`."""

from __future__ import annotations

import sys
from pathlib import Path

PARTS = {
    "pluvo.duckdb": "the warehouse; the only copy of rows whose files were removed: back it up",
    "pluvo.duckdb.wal": "belongs to pluvo.duckdb: keep it",
    "state": "bookmarks; without them, the next run reads everything",
    "jsonl": "rows as they were read; merged files go by themselves after PLUVO_KEEP_DAYS days",
    "building": "a build that is under way, or failed; the next one replaces it",
    "csv": "the job pluvo-to-csv; the next run replaces it",
    "dbt": "dbt's log and what it compiled; may go",
    "logs": "what the last 31 daily runs said; may go",
    "metrics.prom": "the last run, for monitoring; the next one replaces it",
    "metrics.jsonl": "the same as JSON lines",
    "report.html": "the report page; `make report` replaces it",
    "to-do": "lists with names, of `make report`; may go",
}


def main(folder: Path) -> None:
    """Print each part of a folder, the largest first."""
    if not folder.is_dir():
        sys.exit(f"There is no {folder} yet.")
    sizes = {part.name: size(part) for part in folder.iterdir()}
    for name, number in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"{number / 1e6:>10,.1f} MB  {name:<16}  {PARTS.get(name, '')}".rstrip())
    print(f"{sum(sizes.values()) / 1e6:>10,.1f} MB  in {folder}")


def size(part: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    files = [part, *part.rglob("*")] if part.is_dir() else [part]
    return sum(path.lstat().st_size for path in files if not path.is_dir())


if __name__ == "__main__":
    main(Path(sys.argv[1]))

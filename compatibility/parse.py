"""Parse all SQL files of a folder in a dialect; exit with what cannot be parsed.

Runs where sqlglot is installed: python parse.py snowflake target/compiled
"""

from __future__ import annotations

import sys
from pathlib import Path

import sqlglot


def problems(dialect: str, folder: Path) -> list[str]:
    """Return what is wrong with which file."""
    found = []
    for file in sorted(folder.rglob("*.sql")):
        try:
            sqlglot.parse_one(file.read_text(encoding="utf-8"), dialect=dialect)
        except sqlglot.ParseError as error:
            found.append(f"{file.name}: {error}")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(problems(sys.argv[1], Path(sys.argv[2]))) or 0)

"""Render the report page, one HTML file that needs neither a server nor a network.

python dbt/report/render.py [--warehouse duckdb|postgres] [--output report.html] [--language en|nl]
                            [--field TITLE] [--organization NAME]

Beside it, in to-do/, it writes a list for each manager of who has to do what by when. Reads the
marts from where dbt's profiles.yml puts them: for DuckDB the file PLUVO_DUCKDB_PATH, for PostgreSQL
the server in the PG... variables and the schema PLUVO_DBT_SCHEMA.
"""

# ruff: noqa: INP001 - a script next to the project, not a package
from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from language import LANGUAGES, Language
from page import page
from to_do import write_to_do
from views import read, sql
from warehouse import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouse import Row


def main() -> None:
    """Read the marts, write the page and the to-do lists."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--warehouse", choices=["duckdb", "postgres"], default="duckdb")
    parser.add_argument("--output", type=Path, default=Path("report.html"))
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--field", default="", help="title or id of a custom field to filter by")
    parser.add_argument("--organization", help="which one, if there are several in the warehouse")
    options = parser.parse_args()
    language = Language(options.language)
    output: Path = options.output
    with open_warehouse(options.warehouse) as query:
        organization = choose_organization(query, options.organization)
        check_field(query, organization, options.field)
        html = page(read(query, organization, options.field), language, options.field)
        tasks = query(sql("to_do", organization=organization))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(html, encoding="utf-8")
    say(f"{output}: {len(html.encode()) / 1_000_000:.1f} MB")
    folder = output.parent / "to-do"
    say(f"{folder}: {write_to_do(folder, tasks, language)} lists, with names of people")


def choose_organization(query: Callable[[str], list[Row]], chosen: str | None) -> str:
    """Return the organization to report on; empty if the rows name none.

    Raises:
        SystemExit: It is not in the warehouse, or several are and none was chosen.
    """
    known = [row["organization"] for row in query(sql("organizations"))]
    if chosen is None and len(known) == 1:
        return str(known[0])
    if chosen in known:
        return str(chosen)
    names = ", ".join(name for name in known if name) or "none by name"
    message = f"Choose one with --organization; there are: {names}."
    raise SystemExit(message)


def check_field(query: Callable[[str], list[Row]], organization: str, field: str) -> None:
    """Check that some user has a value of the field to filter by.

    Raises:
        SystemExit: Nobody has one.
    """
    rows = query(sql("fields", organization=organization))
    if field and not any(field in row.values() for row in rows):
        names = ", ".join(sorted({row["field_title"] for row in rows if row["field_title"]}))
        message = f"No user has a custom field '{field}'; there are: {names or 'none'}."
        raise SystemExit(message)


def say(line: str) -> None:
    """Print a line."""
    print(line)  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()

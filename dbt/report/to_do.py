"""The to-do lists: a CSV file for each manager, the only place where names leave the warehouse."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

import csv
import re
from hashlib import sha256
from io import StringIO
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from language import Language
    from warehouse import Row

# Names the files of the last run, so that only those are ever removed.
OURS = ".files"
LONGEST_NAME = 60
# Columns whose values are words of the models.
CODED = ("task", "task_status", "is_overdue")


def write_to_do(folder: Path, rows: Sequence[Row], language: Language) -> int:
    """Write a file for each manager and remove those of former managers; return how many are there.

    Args:
        folder: Where to write them; anything else that is in there stays.
        rows: Of `pluvo__rpt_to_do`.
        language: Of the words in them.
    """
    words = language.words["to_do"]
    lists = {
        file_name(owner, name) if owner else f"{words['without_a_manager']}.csv": list(tasks)
        for (owner, name), tasks in groupby(sorted(rows, key=order), key=manager)
    }
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    ours = folder / OURS
    before = set(ours.read_text("utf-8").splitlines()) if ours.exists() else set()
    for name in before - set(lists):
        (folder / name).unlink(missing_ok=True)
    # First, so that a run which breaks off leaves no file that the next one does not know.
    write_private(ours, "".join(f"{name}\n" for name in lists))
    for name, tasks in lists.items():
        table = [list(words["columns"].values()), *(cells(row, language) for row in tasks)]
        write_private(folder / name, csv_text(table, language.words["csv_delimiter"]))
    return len(lists)


def manager(row: Row) -> tuple[str, str]:
    """Return the identifier and name of the manager; both are empty if there is none."""
    return row["manager_id"] or "", row["manager_name"] or ""


def order(row: Row) -> tuple[object, ...]:
    """Sort by manager, person, and by what is most urgent."""
    person = (row["user_name"] or "", row["user_id"])
    urgency = (not row["is_overdue"], str(row["due_on"] or "9999"), row["task"], row["title"] or "")
    return (*manager(row), *person, *urgency)


def file_name(manager_id: str, name: str) -> str:
    """Return a name that is safe on every system and that no other manager has."""
    words = "-".join(re.findall(r"\w+", name.lower()))[:LONGEST_NAME]
    return f"{words or 'manager'}-{sha256(manager_id.encode()).hexdigest()[:8]}.csv"


def cells(row: Row, language: Language) -> list[str]:
    """Return a row of the file, in the language of the reader."""
    words = language.words["to_do"]
    coded = {name: words["values"].get(str(row[name]).lower(), row[name]) for name in CODED}
    values = [(row | coded)[name] for name in words["columns"]]
    return [harmless("" if value is None else str(value)) for value in values]


def harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    formula = cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    return f"'{cell}" if formula or cell.startswith(("\t", "\r", "\n")) else cell


def csv_text(table: Iterable[Sequence[str]], delimiter: str) -> str:
    """Return a table as CSV; the mark at its start tells spreadsheets that it is UTF-8."""
    text = StringIO()
    csv.writer(text, delimiter=delimiter).writerows(table)
    return "\ufeff" + text.getvalue()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8", newline="")

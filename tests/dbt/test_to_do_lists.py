"""The to-do lists: one file for each manager, for nobody else's eyes."""

from __future__ import annotations

import csv
import stat
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from language import Language
from to_do import write_to_do

if TYPE_CHECKING:
    from pathlib import Path


def task(manager: str | None, name: str | None, user: str = "Ann", **more: Any) -> dict[str, Any]:
    return {
        "user_id": user,
        "user_ref": None,
        "user_name": user,
        "email": f"{user}@example.com",
        "task": "certificate",
        "title": "First aid",
        "task_status": "missing",
        "due_on": None,
        "is_overdue": True,
        "group_names": "Care",
        "manager_id": manager,
        "manager_name": name,
    } | more


def table(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def lists(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.csv"))


def test_each_manager_has_a_file(tmp_path: Path) -> None:
    """Also two of one name, one whose name is no name for a file, and the people who have none."""
    rows = [
        task("1", "Boss"),
        task(
            "2", "Boss", "Bob", due_on=date(2025, 6, 30), task_status="expiring", is_overdue=False
        ),
        task("3", "../A\n\\B: C"),
        task("4", None),
        task(None, None, "Zed"),
        task("1", "Boss", "Bob"),
    ]
    assert write_to_do(tmp_path, rows, Language("en")) == 5
    names = lists(tmp_path)
    assert [name.rpartition("-")[0] for name in names] == [
        "a-b-c",
        "boss",
        "boss",
        "manager",
        "without-a",
    ]
    heads = {tuple(table(tmp_path / name)[0]) for name in names}
    assert heads == {
        ("Name", "Reference", "E-mail", "Groups", "Task", "Title", "Status", "Due on", "Overdue")
    }
    boss, other = (table(tmp_path / name)[1:] for name in names[1:3])
    if len(boss) == 1:
        boss, other = other, boss
    assert [row[0] for row in boss] == ["Ann", "Bob"]
    assert other == [
        [
            "Bob",
            "",
            "Bob@example.com",
            "Care",
            "certificate",
            "First aid",
            "expiring",
            "2025-06-30",
            "no",
        ]
    ]
    assert [row[0] for row in table(tmp_path / "without-a-manager.csv")[1:]] == ["Zed"]


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "to-do"
    folder.mkdir(mode=0o755)
    open_to_all = folder / "without-a-manager.csv"
    open_to_all.touch(mode=0o644)
    write_to_do(folder, [task(None, None)], Language("en"))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert (stat.S_IMODE(folder.stat().st_mode), modes) == (0o700, {0o600})


def test_files_of_former_managers_go_and_nothing_else(tmp_path: Path) -> None:
    write_to_do(tmp_path, [task("1", "Boss"), task("2", "Left")], Language("en"))
    (tmp_path / "notes-00000000.csv").write_text("mine")
    write_to_do(tmp_path, [task("1", "Boss")], Language("en"))
    assert [name.partition("-")[0] for name in lists(tmp_path)] == ["boss", "notes"]
    # In another language, the file of those without a manager has another name.
    write_to_do(tmp_path, [task(None, None)], Language("en"))
    write_to_do(tmp_path, [task(None, None)], Language("nl"))
    assert lists(tmp_path) == ["notes-00000000.csv", "zonder-leidinggevende.csv"]


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+31", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "\n=1", "\uff1d1"],
)
def test_a_name_is_no_formula(name: str, tmp_path: Path) -> None:
    write_to_do(tmp_path, [task(None, None, name)], Language("en"))
    assert table(tmp_path / "without-a-manager.csv")[1][0] == f"'{name}"


def test_in_dutch(tmp_path: Path) -> None:
    """Split at semicolons, as spreadsheets in Dutch expect."""
    write_to_do(tmp_path, [task(None, None, user_name="Bob;-)")], Language("nl"))
    head, row = table(tmp_path / "zonder-leidinggevende.csv", ";")
    assert (head[0], head[-1]) == ("Naam", "Te laat")
    assert (row[0], row[6], row[-1]) == ("Bob;-)", "ontbreekt", "ja")

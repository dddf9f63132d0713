"""Rows that tie in the server's order, and results that come, go and swap places by the hundred.

Nothing is lost, and no result is made up: numbers of equal results included.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from support import config, queries, run_tap, selecting

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from support import Result

    from pluvo_sandbox.editor import Editor

CONTENT = ("userId", "title", "completionDate", "progress", "score")
COLUMNS = ("user_id", "title", "completion_date", "progress", "score")
DAYS = [str(date(2026, 1, 1) + timedelta(days=number)) for number in range(60)]
PAGES_OF_A_PLAIN_READ = 4 * 49  # 2,400 results in pages of 50, of each of two types and in all
TIMES = 8  # as many pages as a plain read has, at most


def results_of(sandbox: Sandbox) -> Counter[tuple[Any, ...]]:
    rows = sandbox.database.execute(f"SELECT {', '.join(CONTENT)} FROM report")
    return Counter(tuple(row) for row in rows)


def given_by(result: Result) -> Counter[tuple[Any, ...]]:
    """Return the results that a target with keys has in the end."""
    last = {row["id"]: row for row in result.records["portfolio_report"]}
    return Counter(tuple(row[name] for name in COLUMNS) for row in last.values())


def report_of(sandbox: Sandbox, catalog: Any, **settings: Any) -> Result:
    chosen = selecting(catalog, ["portfolio_report"])
    return run_tap(config(sandbox, introspection="off", **settings), catalog=chosen)


@pytest.mark.parametrize("ties", ["by-page", "random"])
@pytest.mark.parametrize("order", ["completion-date", "title"])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_results_of_the_same_day_are_all_read(
    concurrency: int, order: Any, ties: Any, catalog: Any
) -> None:
    options: dict[str, Any] = {"users": 300, "trainings": 20, "portfolio": 2400}
    with Sandbox(**options, ties=ties, report_order=order) as sandbox:
        for number, (row,) in enumerate(
            sandbox.database.execute("SELECT id FROM report ORDER BY id").fetchall()
        ):
            sandbox.change("report", row, completionDate=DAYS[number % 60])
        result = report_of(sandbox, catalog, max_concurrency=concurrency)
        assert result.returncode == 0, result.stderr
        assert given_by(result) == results_of(sandbox)
        assert len(queries(sandbox)) <= TIMES * PAGES_OF_A_PLAIN_READ


def test_results_in_progress_do_not_hinder_it(catalog: Any) -> None:
    options: dict[str, Any] = {"users": 300, "trainings": 20, "portfolio": 2400}
    with Sandbox(**options, ties="random", report_order="title") as sandbox:
        result = report_of(sandbox, catalog)
        assert result.returncode == 0, result.stderr
        assert given_by(result) == results_of(sandbox)


def test_equal_results_on_different_pages_cost_few_requests(catalog: Any) -> None:
    """Nothing moves: the looks at them share requests, and show many of them at once."""
    options: dict[str, Any] = {"users": 500, "trainings": 30, "portfolio": 2000}
    with Sandbox(**options) as sandbox:
        distinct = "SELECT DISTINCT userId, title, completionDate, relatedObjectType FROM report"
        assert len(sandbox.database.execute(distinct).fetchall()) < 1980
        result = report_of(sandbox, catalog)
        assert result.returncode == 0, result.stderr
        assert given_by(result) == results_of(sandbox)
        plain = sum(
            -(-(rows - 1) // 49)
            for (rows,) in sandbox.database.execute(
                "SELECT count(*) FROM report GROUP BY relatedObjectType"
            )
        )
        assert len(queries(sandbox)) <= 1.3 * plain + 3  # which find out about types


def insert_in_bulk(editor: Editor) -> None:
    """Give a training to 200 people, as an HR system does."""
    users = editor.database.execute("SELECT id FROM users LIMIT 200").fetchall()
    for (user,) in users:
        editor.insert_report_row(user, "A training for everyone")


def delete_in_bulk(editor: Editor) -> None:
    for (row,) in editor.database.execute("SELECT id FROM report LIMIT 200").fetchall():
        editor.delete_report_row(row)


def rename_in_bulk(editor: Editor) -> None:
    for (row,) in editor.database.execute("SELECT id FROM report LIMIT 200").fetchall():
        editor.rename_report_row(row, f"Zzz {row}")


def rename_people(editor: Editor) -> None:
    """Move results about, ordered by title and name, of which none comes, goes or changes."""
    users = editor.database.execute("SELECT id FROM users ORDER BY id LIMIT 200").fetchall()
    editor.rename_users({user: f"{number % 7} {user}" for number, (user,) in enumerate(users)})


@pytest.mark.parametrize(
    ("change", "order"),
    [
        *product((insert_in_bulk, delete_in_bulk, rename_in_bulk), ("id", "title")),
        (rename_people, "title"),
    ],
)
def test_a_bulk_change_neither_loses_nor_makes_up_results(
    change: Any, order: Any, catalog: Any
) -> None:
    def movement(editor: Editor, number: int) -> None:
        if number == 60:
            change(editor)

    options: dict[str, Any] = {"users": 400, "trainings": 20, "portfolio": 6200}
    with Sandbox(**options, report_order=order) as sandbox:
        before = results_of(sandbox)
        sandbox.movement = movement
        result = report_of(sandbox, catalog)
        after, given = results_of(sandbox), given_by(result)
        assert result.returncode == 0, result.stderr
        assert (before == after) is (change is rename_people)
        assert not (before & after) - given
        assert not given - (before | after)
        assert len(queries(sandbox)) <= TIMES * 6200 // 49


@pytest.mark.parametrize("distinct", [True, False])
def test_groups_that_share_members_give_each_result_once(distinct: bool, catalog: Any) -> None:
    """Some servers list, and count, the results of a member of two groups once for each."""
    options: dict[str, Any] = {"users": 60, "groups": 4, "trainings": 6, "portfolio": 400}
    with Sandbox(**options, distinct=distinct) as sandbox:
        query = "SELECT groupId FROM group_users GROUP BY groupId ORDER BY count(*) DESC LIMIT 2"
        groups = [row for (row,) in sandbox.database.execute(query)]
        (member,) = sandbox.database.execute(
            "SELECT userId FROM group_users WHERE groupId = ?", (groups[0],)
        ).fetchone()
        sandbox.insert_group_member(groups[1], member)
        filters = {"portfolio_report": {"user_group_ids": groups}}
        result = report_of(sandbox, catalog, filters=filters)
        assert result.returncode == 0, result.stderr
        columns = ", ".join(f"r.{name}" for name in CONTENT)
        wanted = sandbox.database.execute(
            f"SELECT {columns} FROM report r WHERE r.userId IN"
            " (SELECT userId FROM group_users WHERE groupId IN (?, ?))",
            groups,
        )
        assert given_by(result) == Counter(tuple(row) for row in wanted)

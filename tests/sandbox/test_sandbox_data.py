from __future__ import annotations

import json
import time
import unicodedata
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pluvo_sandbox import Sandbox
from pluvo_sandbox.database import Database
from pluvo_sandbox.sandbox import OtherDataError, prepare
from pluvo_sandbox.seed import Plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Api

TODAY = date(2025, 11, 21)
PLAN = Plan(
    users=80, trainings=6, groups=5, portfolio=300, seed=1, today=TODAY, variant="documented"
)


def contents(path: Path, plan: Plan) -> dict[str, list[Any]]:
    """Return all rows of all tables of a freshly seeded file."""
    prepare(path, plan)
    with closing(Database(str(path))) as database:
        names = database.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: database.connection.execute(f"SELECT * FROM {name}").fetchall()
            for (name,) in names.fetchall()
            if not name.startswith("sqlite_")
        }


def numbers(sandbox: Sandbox, sql: str) -> list[int]:
    return [number for (number,) in sandbox.database.execute(sql)]


def test_the_same_seed_gives_the_same_data(tmp_path: Path) -> None:
    assert contents(tmp_path / "one.db", PLAN) == contents(tmp_path / "two.db", PLAN)


def test_another_seed_gives_other_data(tmp_path: Path) -> None:
    one = contents(tmp_path / "one.db", PLAN)
    two = contents(tmp_path / "two.db", replace(PLAN, seed=2))
    for name in ("users", "groups", "trainings", "report", "training_users", "enrollments"):
        assert not {row[0] for row in one[name]} & {row[0] for row in two[name]}


def test_more_users_leave_the_ids_of_the_first_ones_alone(tmp_path: Path) -> None:
    one = contents(tmp_path / "one.db", PLAN)
    two = contents(tmp_path / "two.db", replace(PLAN, users=90))
    assert one["users"] == two["users"][:80]


def test_dates_move_with_the_day_they_are_counted_from(tmp_path: Path) -> None:
    one = contents(tmp_path / "one.db", PLAN)["report"]
    later = replace(PLAN, today=TODAY + timedelta(days=10))
    two = contents(tmp_path / "two.db", later)["report"]
    assert [row[:7] for row in one] == [row[:7] for row in two]
    days = [(old[7], new[7]) for old, new in zip(one, two, strict=True) if old[7]]
    assert days
    for old, new in days:
        assert date.fromisoformat(new) - date.fromisoformat(old) == timedelta(days=10)


@pytest.mark.parametrize("size", [0, 1, 2, 51])
def test_every_size_works(tmp_path: Path, size: int) -> None:
    rows = contents(tmp_path / "x.db", replace(PLAN, users=size, trainings=size, groups=size))
    assert len(rows["users"]) == len(rows["trainings"]) == len(rows["groups"]) == size
    assert len(rows["report"]) == (300 if size else 0)


def test_a_large_sandbox_is_made_fast(tmp_path: Path) -> None:
    """100,000 users and 1,000,000 rows in two minutes are promised; this is a fiftieth of that."""
    plan = replace(PLAN, users=2000, trainings=100, groups=50, portfolio=20_000)
    before = time.process_time()
    prepare(tmp_path / "large.db", plan)
    assert time.process_time() - before < 120 / 50


def test_names_come_in_several_alphabets_and_break_careless_code(sandbox: Sandbox) -> None:
    names = "".join(name for (name,) in sandbox.database.execute("SELECT name FROM users"))
    scripts = {unicodedata.name(letter).split()[0] for letter in names if letter.isalpha()}
    assert {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "CJK", "HIRAGANA", "HEBREW"} <= scripts
    assert set("\"',;\n\t\\<{%=") <= set(names)
    assert any(ord(letter) > 0xFFFF for letter in names)
    for table, column in (("groups", "name"), ("trainings", "title"), ("certificates", "title")):
        rows = sandbox.database.execute(f"SELECT {column} FROM {table}")
        assert set('",') <= set("".join(text for (text,) in rows))


@pytest.mark.parametrize(
    "condition",
    [
        "email IS NULL",
        "ref IS NULL",
        "archived AND archivedAt IS NOT NULL",
        "NOT archived AND archivedAt IS NULL",
        "lastLogin IS NULL AND NOT hasPassword",
        "roles LIKE '%MANAGER%'",
        "roles LIKE '%PLANNER%'",
        "archived AND id IN (SELECT userId FROM group_users)",
        "archived AND id IN (SELECT userId FROM report)",
        "id IN (SELECT userId FROM portfolio_items)",
        "id NOT IN (SELECT userId FROM group_users)",
        "lastLogin LIKE '%.%'",
    ],
)
def test_users_of_every_kind(sandbox: Sandbox, condition: str) -> None:
    assert numbers(sandbox, f"SELECT count(*) FROM users WHERE {condition}") > [0]


def test_refs_and_mails_are_unique(sandbox: Sandbox) -> None:
    for column in ("ref", "email"):
        sql = f"SELECT count({column}) - count(DISTINCT {column}) FROM users"
        assert numbers(sandbox, sql) == [0]


def test_groups_of_every_size() -> None:
    with Sandbox(users=1000, groups=13) as sandbox:
        sizes = numbers(
            sandbox,
            "SELECT count(userId) FROM groups LEFT JOIN group_users ON groupId = id GROUP BY id",
        )
        assert {0, 50, 51} <= set(sizes)
        assert len([size for size in sizes if 200 <= size < 700]) == 2
        assert numbers(sandbox, "SELECT count(*) FROM group_managers") > [0]


def test_certificates_are_given_twice_even_on_one_day(sandbox: Sandbox) -> None:
    sql = (
        "SELECT count(*) FROM report WHERE relatedObjectType = 'CERTIFICATE' GROUP BY userId, title"
    )
    assert max(numbers(sandbox, sql)) > 1
    assert max(numbers(sandbox, sql + ", completionDate")) > 1


@pytest.mark.parametrize(
    ("after", "up_to"), [(-1000, -1), (-1, 30), (30, 60), (60, 90), (90, 1000)]
)
def test_certificates_expire_in_every_range(sandbox: Sandbox, after: int, up_to: int) -> None:
    span = [(TODAY + timedelta(days=days)).isoformat() for days in (after, up_to)]
    sql = (
        "SELECT count(*) FROM report WHERE relatedObjectType = 'CERTIFICATE'"
        f" AND endDate > '{span[0]}' AND endDate <= '{span[1]}'"
    )
    assert numbers(sandbox, sql) > [0]


def test_certificates_without_expiry_and_rows_in_progress(sandbox: Sandbox) -> None:
    count = "SELECT count(*) FROM report WHERE relatedObjectType = "
    assert numbers(sandbox, count + "'CERTIFICATE' AND endDate IS NULL") > [0]
    assert numbers(sandbox, count + "'TRAINING' AND completionDate IS NULL") > [0]
    assert numbers(sandbox, count + "'TRAINING' AND completionDate IS NOT NULL") > [0]
    assert numbers(sandbox, count + "'CERTIFICATE' AND completionDate IS NULL") == [0]


def test_nothing_was_completed_after_today_and_it_goes_back_years(sandbox: Sandbox) -> None:
    first, last = sandbox.database.execute(
        "SELECT min(completionDate), max(completionDate) FROM report"
    ).fetchone()
    assert date.fromisoformat(last) <= TODAY
    assert TODAY - date.fromisoformat(first) > timedelta(days=1000)


def test_custom_fields_of_every_type(sandbox: Sandbox) -> None:
    rows = sandbox.database.execute(
        "SELECT categoryType, max(n), group_concat(DISTINCT __typename) FROM (SELECT *,"
        " count(*) AS n FROM extra_category_values JOIN extra_categories c ON c.id = categoryId"
        " GROUP BY ownerId, categoryId) GROUP BY 1"
    )
    assert {kind: (several > 1, shape) for kind, several, shape in rows} == {
        "TEXT": (False, "ExtraCategoryStringValue"),
        "NUMBER": (False, "ExtraCategoryStringValue"),
        "DATE": (False, "ExtraCategoryDatetimeValue"),
        "SELECT": (False, "ExtraCategoryChoiceValue"),
        "MULTISELECT": (True, "ExtraCategoryChoiceValue"),
        "BOOLEAN": (False, "ExtraCategoryBooleanValue"),
    }
    owners = "SELECT DISTINCT json_each.value FROM extra_categories, json_each(forModelTypes)"
    assert {kind for (kind,) in sandbox.database.execute(owners)} == {"USER", "GROUP", "TRAINING"}


def test_enrollments_of_every_status(sandbox: Sandbox) -> None:
    statuses = sandbox.database.execute("SELECT DISTINCT status FROM enrollments")
    assert {status for (status,) in statuses} == {"ENROLLED", "WAITLISTED", "CANCELLED", "DECLINED"}
    sql = (
        "SELECT count(*) FROM offer_events WHERE enrolledCount <> (SELECT count(*)"
        " FROM enrollments e WHERE e.offerEventId = offer_events.id AND status = 'ENROLLED')"
    )
    assert numbers(sandbox, sql) == [0]


def test_the_rich_schema_has_rows_beyond_the_contract(
    rich: Sandbox, connect: Callable[..., Api]
) -> None:
    fields = "id relatedObjectType attempts user { jobTitle createdAt isExternal }"
    rows = connect(rich).nodes("portfolioReport", fields)
    kinds = {row["relatedObjectType"] for row in rows}
    assert kinds == {"TRAINING", "CERTIFICATE", "COURSE", "SCORM"}
    assert len({row["id"] for row in rows}) == 900
    assert {row["user"]["isExternal"] for row in rows} == {True, False}


def test_other_schemas_have_no_rows_that_they_cannot_name(sandbox: Sandbox, lean: Sandbox) -> None:
    for known in (sandbox, lean):
        kinds = known.database.execute("SELECT DISTINCT relatedObjectType FROM report")
        assert {kind for (kind,) in kinds} == {"TRAINING", "CERTIFICATE"}
    assert numbers(lean, "SELECT count(*) FROM users WHERE roles LIKE '%PLANNER%'") == [0]
    assert numbers(lean, "SELECT count(*) FROM training_users WHERE role = 'MENTOR'") == [0]


def test_the_lean_schema_lacks_what_only_older_pages_mention(
    lean: Sandbox, connect: Callable[..., Api]
) -> None:
    api = connect(lean)
    for query in (
        "{ offers { id } }",
        "{ enrollments { id } }",
        "{ paginatedUsers { edges { node { modelId } } } }",
        "{ paginatedTrainings(active: true) { count } }",
        "{ paginatedUsers(userRoles: [PLANNER]) { count } }",
    ):
        assert len(api.errors(query)) == 1
    query = "{ __schema { types { name description } } }"
    types = api.data(query)["__schema"]["types"]
    assert "Enrollment" not in {kind["name"] for kind in types}
    assert "older pages only" not in json.dumps(types)


def test_introspection_can_be_switched_off(connect: Callable[..., Api], api: Api) -> None:
    query = "{ __schema { queryType { name } } }"
    assert api.data(query) == {"__schema": {"queryType": {"name": "Query"}}}
    with Sandbox(users=3, introspection=False) as sandbox:
        closed = connect(sandbox)
        assert "introspection is disabled" in closed.errors(query)[0]
        assert closed.errors('{ __type(name: "User") { name } }')
        assert closed.data("{ __typename }") == {"__typename": "Query"}


def test_a_file_keeps_its_data(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    before = contents(path, PLAN)
    with closing(Database(str(path))) as database:
        database.connection.execute("UPDATE users SET name = 'Changed'")
    after = contents(path, PLAN)
    assert after["users"] != before["users"]
    assert after["groups"] == before["groups"]


@pytest.mark.parametrize("change", [{"users": 81}, {"seed": 2}, {"variant": "rich"}])
def test_a_file_with_other_data_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "kept.db"
    prepare(path, PLAN)
    (name,) = change
    with pytest.raises(OtherDataError, match=f"made with {name} "):
        prepare(path, replace(PLAN, **change))


def test_a_file_that_is_no_sandbox_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("something else altogether, long enough to be no empty file" * 100)
    with pytest.raises(OtherDataError, match="not a sandbox database"):
        prepare(path, PLAN)
    assert path.read_text().startswith("something else")


def test_a_file_of_another_day_is_served_unless_a_day_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    prepare(path, PLAN)
    tomorrow = replace(PLAN, today=TODAY + timedelta(days=1))
    prepare(path, tomorrow, any_day=True)
    with pytest.raises(OtherDataError, match="made with today 2025-11-21"):
        prepare(path, tomorrow)


def test_an_interrupted_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    prepare(path, PLAN)
    with closing(Database(str(path))) as database:
        database.connection.execute("DELETE FROM settings")
    with pytest.raises(OtherDataError, match="interruption"):
        prepare(path, PLAN)

"""Filters and sorting of the lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pluvo_sandbox.roots import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api

    from pluvo_sandbox import Sandbox

USER_OF_GROUP = "{} IN (SELECT userId FROM group_users WHERE groupId = :group)"
IN_TRAINING = "id IN (SELECT trainingId FROM training_users WHERE userId = :user{})"
FOLLOWS = (
    "id IN (SELECT userId FROM training_users"
    " WHERE trainingId = :training AND role = 'PARTICIPANT')"
)
WITH_CHOICE = (
    "id IN (SELECT v.ownerId FROM extra_category_values v"
    " JOIN choice_options o ON o.id = v.choiceId JOIN extra_categories c ON c.id = v.categoryId"
    " WHERE c.title = 'Talen' AND o.stringValue IN ('English', '中文'))"
)


@pytest.mark.parametrize(
    ("field", "arguments", "condition"),
    [
        ("paginatedUsers", "", "NOT archived"),
        ("paginatedUsers", "archived: null", "NOT archived"),
        ("paginatedUsers", "archived: false", "NOT archived"),
        ("paginatedUsers", "archived: true", "archived"),
        ("paginatedUsers", 'q: "USER1"', "NOT archived AND email LIKE '%user1%'"),
        ("paginatedUsers", 'q: "ΕΛΈΝΗ"', "NOT archived AND name LIKE '%Ελένη%'"),
        ("paginatedUsers", 'q: "%"', "NOT archived AND instr(name, '%')"),
        ("paginatedUsers", "userRoles: [TRAINER]", "NOT archived AND roles LIKE '%TRAINER%'"),
        (
            "paginatedUsers",
            "userRoles: [TRAINER, MANAGER]",
            "NOT archived AND (roles LIKE '%TRAINER%' OR roles LIKE '%MANAGER%')",
        ),
        (
            "paginatedUsers",
            'groupIds: ["{group}"]',
            f"NOT archived AND {USER_OF_GROUP.format('id')}",
        ),
        ("paginatedUsers", "groupIds: []", "NOT archived"),
        (
            "paginatedUsers",
            'trainingIds: ["{training}"], archived: true',
            f"archived AND {FOLLOWS}",
        ),
        (
            "paginatedUsers",
            'extraCategories: [{{categoryId: "{field}", stringValues: ["English", "中文"]}}]',
            f"NOT archived AND {WITH_CHOICE}",
        ),
        (
            "paginatedUsers",
            'lastLogin_Gt: "2025-01-01T01:00:00+01:00"',
            "NOT archived AND lastLogin > '2025-01-01T00:00:00+00:00'",
        ),
        (
            "paginatedUsers",
            'lastLogin_Lt: "2025-01-01T00:00:00Z"',
            "NOT archived AND lastLogin < '2025-01-01T00:00:00+00:00'",
        ),
        ("paginatedGroups", 'q: "team"', "name LIKE '%team%'"),
        ("paginatedTrainings", "", "NOT archived"),
        ("paginatedTrainings", "archived: true", "archived"),
        ("paginatedTrainings", "active: false", "NOT archived AND NOT isActive"),
        ("paginatedTrainings", 'q: "ehbo"', "NOT archived AND title LIKE '%ehbo%'"),
        ("paginatedTrainings", 'userId: "{user}"', f"NOT archived AND {IN_TRAINING.format('')}"),
        (
            "paginatedTrainings",
            'userId: "{user}", trainingUserRoles: [TRAINER, MENTOR]',
            "NOT archived AND " + IN_TRAINING.format(" AND role <> 'PARTICIPANT'"),
        ),
    ],
)
def test_filters_of_lists_with_ids(
    api: Api, sandbox: Sandbox, field: str, arguments: str, condition: str
) -> None:
    database = sandbox.database
    known = {
        "group": "SELECT groupId FROM group_users GROUP BY 1 HAVING count(*) = 51",
        "training": "SELECT trainingId FROM training_users GROUP BY 1 ORDER BY count(*) DESC",
        "user": "SELECT userId FROM training_users WHERE role <> 'PARTICIPANT'",
        "field": "SELECT id FROM extra_categories WHERE title = 'Talen'",
    }
    known = {name: database.execute(sql).fetchone()[0] for name, sql in known.items()}
    table = CONNECTIONS[field].table
    sql = f"SELECT id FROM {table} WHERE {condition} ORDER BY {CONNECTIONS[field].order}, id"
    expected = [row_id for (row_id,) in database.execute(sql, known)]
    everything = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    assert 0 < len(expected) < everything
    assert api.data(
        f"{{ page: {field}({arguments.format_map(known) or 'first: 50'}) {{ count }} }}"
    )["page"] == {"count": len(expected)}
    given = f"first: 50, {arguments.format_map(known)}"
    page = api.data(f"{{ page: {field}({given}) {{ edges {{ node {{ id }} }} }} }}")["page"]
    assert [edge["node"]["id"] for edge in page["edges"]] == expected[:50]


@pytest.mark.parametrize("field", ["paginatedUsers", "paginatedGroups"])
def test_lists_can_be_sorted(api: Api, field: str) -> None:
    names = [node["name"] for node in api.nodes(field, "name")]
    assert names == sorted(names)
    down = [
        node["name"] for node in api.nodes(field, "name", sortBy="{field: NAME, direction: DESC}")
    ]
    assert down == sorted(names, reverse=True)


@pytest.mark.parametrize(
    ("arguments", "condition"),
    [
        ({}, "TRUE"),
        ({"relatedObjectTypes": "[CERTIFICATE]"}, "relatedObjectType = 'CERTIFICATE'"),
        (
            {"relatedObjectTypes": "[COURSE, TRAINING]"},
            "relatedObjectType IN ('COURSE', 'TRAINING')",
        ),
        ({"completionDateFrom": '"{day}"'}, "completionDate >= :day"),
        ({"completionDateTo": '"{day}"'}, "completionDate <= :day"),
        (
            {"completionDateFrom": '"{day}"', "completionDateTo": '"{day}"'},
            "completionDate = :day",
        ),
        (
            {"userGroupIds": '["{group}"]', "relatedObjectTypes": "[TRAINING]"},
            f"relatedObjectType = 'TRAINING' AND {USER_OF_GROUP.format('userId')}",
        ),
    ],
)
def test_filters_of_the_report(
    rich: Sandbox, connect: Callable[..., Api], arguments: dict[str, str], condition: str
) -> None:
    known = {
        "day": "SELECT completionDate FROM report WHERE completionDate IS NOT NULL ORDER BY id",
        "group": "SELECT groupId FROM group_users GROUP BY 1 HAVING count(*) = 51",
    }
    known = {name: rich.database.execute(sql).fetchone()[0] for name, sql in known.items()}
    sql = f"SELECT id FROM report WHERE {condition} ORDER BY id"
    expected = [row_id for (row_id,) in rich.database.execute(sql, known)]
    given = {name: value.format_map(known) for name, value in arguments.items()}
    found = [node["id"] for node in connect(rich).nodes("portfolioReport", "id", **given)]
    assert found == expected
    assert found

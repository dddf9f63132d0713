from __future__ import annotations

import sqlite3
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from pluvo_sandbox import Churn, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api

    from pluvo_sandbox import Editor


@pytest.fixture
def moving() -> Iterator[Sandbox]:
    with Sandbox(users=30, trainings=5, groups=4, portfolio=60, schema="rich") as running:
        yield running


@pytest.fixture
def reader(moving: Sandbox, connect: Callable[..., Api]) -> Api:
    return connect(moving)


def ids(api: Api, field: str, **arguments: Any) -> list[str]:
    return [node["id"] for node in api.nodes(field, "id", **arguments)]


@pytest.mark.parametrize(
    ("field", "kind", "name"),
    [
        ("paginatedUsers", "user", "name"),
        ("paginatedGroups", "group", "name"),
        ("paginatedTrainings", "training", "title"),
        ("certificates", "certificate", "title"),
    ],
)
def test_rows_are_inserted_renamed_and_deleted(
    moving: Sandbox, reader: Api, field: str, kind: str, name: str
) -> None:
    before = ids(reader, field)
    new = getattr(moving, f"insert_{kind}")("\0 the first")
    assert ids(reader, field) == [new, *before]
    getattr(moving, f"rename_{kind}")(new, "\U0010ffff the last")
    assert ids(reader, field) == [*before, new]
    nodes = reader.nodes(field, f"id {name}")
    assert nodes[-1] == {"id": new, name: "\U0010ffff the last"}
    getattr(moving, f"delete_{kind}")(new)
    assert ids(reader, field) == before


@pytest.mark.parametrize(
    ("field", "kind"), [("paginatedUsers", "user"), ("paginatedTrainings", "training")]
)
def test_rows_move_to_the_archive_and_back(
    moving: Sandbox, reader: Api, field: str, kind: str
) -> None:
    before = ids(reader, field)
    archive = getattr(moving, f"archive_{kind}")
    archive(before[1])
    assert ids(reader, field) == [before[0], *before[2:]]
    assert before[1] in ids(reader, field, archived="true")
    archive(before[1], archived=False)
    assert ids(reader, field) == before


def test_report_rows_land_where_their_id_says(moving: Sandbox, reader: Api) -> None:
    before = ids(reader, "portfolioReport")
    (user,) = reader.data("{ paginatedUsers(first: 1) { edges { node { id } } } }")[
        "paginatedUsers"
    ]["edges"]
    first = "00000000-0000-4000-8000-000000000000"
    given = moving.insert_report_row(
        user["node"]["id"], "New", id=first, completionDate="2025-02-03"
    )
    anywhere = moving.insert_report_row(user["node"]["id"], "Anywhere")
    after = ids(reader, "portfolioReport")
    assert after[0] == given == first
    assert after == sorted([*before, first, anywhere])
    moving.rename_report_row(first, "Newer")
    row = reader.nodes("portfolioReport", "id title completionDate user { id }")[0]
    assert row == {
        "id": first,
        "title": "Newer",
        "completionDate": "2025-02-03",
        "user": {"id": user["node"]["id"]},
    }
    moving.delete_report_row(first)
    moving.delete_report_row(anywhere)
    assert ids(reader, "portfolioReport") == before


@pytest.mark.parametrize(("field", "manager"), [("users", False), ("managers", True)])
def test_members_come_and_go(moving: Sandbox, reader: Api, field: str, *, manager: bool) -> None:
    group, user = moving.insert_group("G"), moving.insert_user("U")
    query = f'{{ group(id: "{group}") {{ {field} {{ count edges {{ node {{ name }} }} }} }} }}'
    assert reader.data(query)["group"][field]["count"] == 0
    moving.insert_group_member(group, user, manager=manager)
    moving.insert_group_member(group, user, manager=manager)
    assert reader.data(query)["group"][field] == {"count": 1, "edges": [{"node": {"name": "U"}}]}
    moving.delete_group_member(group, user, manager=manager)
    assert reader.data(query)["group"][field]["count"] == 0


def test_many_rows_come_change_and_go_at_once(moving: Sandbox, reader: Api) -> None:
    before = ids(reader, "portfolioReport")
    users = ids(reader, "paginatedUsers")
    new = moving.insert_report_rows(users * 10, "For all", completionDate="2025-02-03")
    assert len(new) == len(users) * 10
    assert set(ids(reader, "portfolioReport")) == {*before, *new}
    nodes = reader.nodes("portfolioReport", "id title completionDate user { id }")
    found = {node["id"]: node for node in nodes if node["title"] == "For all"}
    assert [found[row_id]["user"]["id"] for row_id in new] == users * 10
    assert {node["completionDate"] for node in found.values()} == {"2025-02-03"}
    moving.delete_many("report", new)
    assert ids(reader, "portfolioReport") == before


def test_a_change_of_many_rows_is_seen_whole_or_not_at_all(moving: Sandbox, reader: Api) -> None:
    before = ids(reader, "portfolioReport")
    (user,) = ids(reader, "paginatedUsers")[:1]
    with pytest.raises(sqlite3.IntegrityError):
        moving.insert_report_rows([user, "nobody"], "For all")
    assert ids(reader, "portfolioReport") == before


def test_many_users_are_renamed_at_once(moving: Sandbox, reader: Api) -> None:
    before = ids(reader, "paginatedUsers")
    moving.rename_users({user: f"{99 - n}" for n, user in enumerate(before)})
    assert ids(reader, "paginatedUsers") == before[::-1]


@pytest.mark.parametrize(
    ("table", "field", "column"),
    [("users", "paginatedUsers", "name"), ("report", "portfolioReport", "id")],
)
def test_two_rows_change_places(
    moving: Sandbox, reader: Api, table: str, field: str, column: str
) -> None:
    fields = "id name" if table == "users" else "title progress user { id }"
    other = {"users": "id", "report": "title"}[table]
    before = reader.nodes(field, fields)
    row_ids = ids(reader, field)
    moving.swap(table, row_ids[3], row_ids[20], column)
    after = reader.nodes(field, fields)
    assert before[3][other] != before[20][other]
    assert [after[3][other], after[20][other]] == [before[20][other], before[3][other]]
    assert after[:3] + after[4:20] + after[21:] == before[:3] + before[4:20] + before[21:]


def test_a_completion_is_moved_and_withdrawn(moving: Sandbox, reader: Api) -> None:
    def row() -> dict[str, Any]:
        nodes = reader.nodes("portfolioReport", "id completionDate progress score")
        return next(node for node in nodes if node["id"] == row_id)

    (row_id,) = moving.database.execute(
        "SELECT id FROM report WHERE completionDate IS NOT NULL AND score IS NOT NULL"
    ).fetchone()
    score = row()["score"]
    moving.complete_report_row(row_id, "2025-02-03")
    assert row() == {
        "id": row_id,
        "completionDate": "2025-02-03",
        "progress": 100.0,
        "score": score,
    }
    moving.withdraw_completion(row_id)
    assert row() == {"id": row_id, "completionDate": None, "progress": 50.0, "score": None}


def test_a_participant_can_be_in_a_training_twice(moving: Sandbox, reader: Api) -> None:
    training, user = moving.insert_training("T"), moving.insert_user("U")
    selection = "participants { count edges { node { user { id } } } }"
    query = f'{{ training(id: "{training}") {{ {selection} }} }}'
    first = moving.insert_participant(training, user)
    assert reader.data(query)["training"]["participants"]["count"] == 1
    assert moving.insert_participant(training, user) != first
    participants = reader.data(query)["training"]["participants"]
    assert participants == {"count": 2, "edges": [{"node": {"user": {"id": user}}}] * 2}


def test_what_hangs_on_a_row_goes_with_it(moving: Sandbox, reader: Api) -> None:
    (user_id,) = moving.database.execute("SELECT userId FROM report").fetchone()
    moving.delete_user(user_id)
    for table in ("report", "group_users", "training_users", "enrollments"):
        sql = f"SELECT count(*) FROM {table} WHERE userId = ?"
        assert moving.database.execute(sql, (user_id,)).fetchone() == (0,)
    reader.nodes("portfolioReport", "user { id }")


def test_a_new_row_answers_every_field(moving: Sandbox, reader: Api) -> None:
    user = moving.insert_user("N", email="n@example.com", roles=["MANAGER"], archived=False)
    fields = "modelId email language profileImage { url } roles userVia"
    found = reader.data(f'{{ user(id: "{user}") {{ {fields} }} }}')
    assert found["user"]["roles"] == ["MANAGER"]
    training = moving.insert_training("T")
    fields = "isActive archived allConditionsFulfilled conditions { type } modules { id }"
    assert reader.data(f'{{ training(id: "{training}") {{ {fields} }} }}')["training"]["isActive"]
    group = moving.insert_group("G")
    fields = "maxUsers enableChat isEditable trainings { id } extraCategoryValues { __typename }"
    assert reader.data(f'{{ group(id: "{group}") {{ {fields} }} }}')


def test_rows_change_right_before_the_nth_graphql_request(moving: Sandbox, reader: Api) -> None:
    made: list[str] = []

    def insert(editor: Editor) -> None:
        made.append(editor.insert_user("\0 first"))

    moving.before_request[3] = insert
    count = "{ paginatedUsers { count } }"
    before = reader.data(count)["paginatedUsers"]["count"]
    assert reader.token().status_code == 200  # token requests are not counted
    assert reader.data(count)["paginatedUsers"]["count"] == before
    assert not made
    assert reader.data(count)["paginatedUsers"]["count"] == before + 1
    assert len(made) == 1
    reader.data(count)
    assert len(made) == 1
    moving.reset_log()
    assert [reader.data(count)["paginatedUsers"]["count"] for _ in range(3)][-1] == before + 2


def test_a_position_cursor_skips_a_row_when_one_before_it_goes(
    moving: Sandbox, reader: Api
) -> None:
    """What the whole module is for: a naive reader loses a row."""
    everyone = ids(reader, "paginatedUsers")
    moving.reset_log()
    moving.before_request[2] = lambda editor: editor.delete_user(everyone[0])
    page = "{{ paginatedUsers({}) {{ edges {{ node {{ id }} }} pageInfo {{ endCursor }} }} }}"
    first = reader.data(page.format("first: 5"))["paginatedUsers"]
    after = first["pageInfo"]["endCursor"]
    second = reader.data(page.format(f'first: 5, after: "{after}"'))["paginatedUsers"]
    seen = [edge["node"]["id"] for edge in first["edges"] + second["edges"]]
    assert seen == everyone[:5] + everyone[6:11]


def test_churn_never_ends_and_is_repeatable(connect: Callable[..., Api]) -> None:
    query = "{ paginatedUsers { edges { node { id name } } } portfolioReport { count } }"

    def read() -> list[Any]:
        with Sandbox(users=20, trainings=4, groups=4, portfolio=30, movement=Churn()) as sandbox:
            api = connect(sandbox)
            return [api.data(query) for _ in range(30)]

    pages = read()
    assert all(one != other for one, other in pairwise(pages))

    def found(page: Any) -> set[str]:
        return {edge["node"]["name"] for edge in page["paginatedUsers"]["edges"]}

    assert found(pages[0]) - found(pages[-1])
    assert found(pages[-1]) - found(pages[0])
    seen = {edge["node"]["id"] for edge in pages[0]["paginatedUsers"]["edges"]}
    again = {edge["node"]["id"] for edge in pages[-1]["paginatedUsers"]["edges"]}
    assert seen & again
    assert read() == pages


def test_churn_happens_every_so_many_requests(connect: Callable[..., Api]) -> None:
    with Sandbox(users=20, movement=Churn(every=3)) as sandbox:
        api = connect(sandbox)
        pages = [api.data("{ paginatedUsers { edges { node { id } } } }") for _ in range(6)]
    assert pages[0] == pages[1] != pages[2] == pages[3] == pages[4] != pages[5]


def test_operations_can_be_limited_in_width(connect: Callable[..., Api]) -> None:
    with Sandbox(users=3, max_root_fields=2) as sandbox:
        api = connect(sandbox)
        field = "paginatedUsers { count }"
        assert len(api.data(f"{{ a: {field} b: {field} }}")) == 2
        refused = ["This operation asks for 3 root fields; 2 are allowed."]
        assert api.errors(f"{{ a: {field} b: {field} c: {field} }}") == refused
        hidden = f"{{ ...F ... {{ c: {field} }} }} fragment F on Query {{ a: {field} b: {field} }}"
        assert api.errors(hidden) == refused

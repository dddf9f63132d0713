"""What the sandbox answers to each query of the contract, and how it refuses documents."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    graphql_sync,
    print_schema,
)

from pluvo_sandbox.contract import read_contract
from pluvo_sandbox.database import Database
from pluvo_sandbox.resolvers import Context
from pluvo_sandbox.roots import CONNECTIONS, LISTS, OBJECTS, SCOPES
from pluvo_sandbox.schema import executable

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api
    from graphql import GraphQLField, GraphQLSchema

    from pluvo_sandbox import Sandbox


def queries(schema: GraphQLSchema) -> dict[str, GraphQLField]:
    assert schema.query_type is not None
    fields: dict[str, GraphQLField] = schema.query_type.fields
    return fields


CONTRACT = build_schema(read_contract())
ROOTS = sorted(queries(CONTRACT))


def everything(output: GraphQLOutputType, depth: int) -> str:
    """Select all that a type has, down to a depth; empty for a leaf and at the bottom."""
    kind = get_named_type(output)
    if isinstance(kind, GraphQLUnionType):
        parts = [f"... on {member.name} {everything(member, depth)}" for member in kind.types]
        return f"{{ __typename {' '.join(parts)} }}"
    if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        return ""
    parts = ["__typename"]
    for name, field in kind.fields.items():
        is_leaf = not hasattr(get_named_type(field.type), "fields") and not isinstance(
            get_named_type(field.type), GraphQLUnionType
        )
        if is_leaf or depth > 1:
            first = "(first: 2)" if "first" in field.args else ""
            parts.append(f"{name}{first} {everything(field.type, depth - 1)}")
    return f"{{ {' '.join(parts)} }}"


def key_of(sandbox: Sandbox, field: str) -> str:
    """Return arguments that find the first object that a field can show."""
    table = OBJECTS[field][0]
    if field == "enrollment":
        sql = "SELECT userId, offerEventId FROM enrollments"
        user_id, event_id = sandbox.database.execute(sql).fetchone()
        return f'(userId: "{user_id}", offerEventId: "{event_id}")'
    (row_id,) = sandbox.database.execute(f"SELECT id FROM {table}").fetchone()
    return f'(id: "{row_id}")'


@pytest.mark.parametrize("root", ROOTS)
def test_every_query_answers_with_every_field(api: Api, sandbox: Sandbox, root: str) -> None:
    arguments = key_of(sandbox, root) if root in OBJECTS else ""
    if root in CONNECTIONS:
        arguments = "(first: 10)"
    selection = everything(queries(CONTRACT)[root].type, 6 if root in CONNECTIONS else 4)
    assert api.data(f"{{ found: {root}{arguments} {selection} }}")["found"]


@pytest.mark.parametrize("root", sorted(queries(executable("lean"))))
def test_a_lean_schema_answers_all_that_it_has(
    lean: Sandbox, connect: Callable[..., Api], root: str
) -> None:
    schema = build_schema(print_schema(executable("lean")))
    arguments = key_of(lean, root) if root in OBJECTS else ""
    selection = everything(queries(schema)[root].type, 6)
    assert connect(lean).data(f"{{ found: {root}{arguments} {selection} }}")["found"]


def test_the_schema_served_is_the_contract() -> None:
    assert print_schema(executable("documented")) == print_schema(CONTRACT)


def test_objects_are_found_by_each_of_their_keys(api: Api, sandbox: Sandbox) -> None:
    sql = "SELECT id, ref, email FROM users WHERE ref NOT NULL AND email NOT NULL"
    user_id, ref, email = sandbox.database.execute(sql).fetchone()
    for given in (f'id: "{user_id}"', f'ref: "{ref}"', f'email: "{email}"'):
        assert api.data(f"{{ user({given}) {{ id }} }}") == {"user": {"id": user_id}}
    assert api.data(f'{{ user(id: "{user_id.upper()}") {{ id }} }}') == {"user": {"id": user_id}}
    assert api.data(f'{{ user(id: "{user_id.replace("-", "")}") {{ ref }} }}')["user"]["ref"] == ref


@pytest.mark.parametrize("field", sorted(OBJECTS))
def test_an_unknown_object_is_null_and_an_error(api: Api, field: str) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    given = f'(id: "{nobody}")'
    if field == "enrollment":
        given = f'(userId: "{nobody}", offerEventId: "{nobody}")'
    answer = api.post(f"{{ {field}{given} {{ id }} }}").json()
    assert answer["data"] == {field: None}
    (error,) = answer["errors"]
    assert error["message"] == f"{OBJECTS[field][1]} not found"
    assert error["path"] == [field]
    assert error["locations"] == [{"line": 1, "column": 3}]


def test_an_object_needs_a_key(api: Api) -> None:
    assert api.errors("{ user { id } }") == ["User: give one of id, ref, email"]


def test_lists_without_pages_hold_what_they_say(api: Api, sandbox: Sandbox) -> None:
    def rows(sql: str) -> list[dict[str, str]]:
        return [{"id": row_id} for (row_id,) in sandbox.database.execute(sql)]

    (group,) = rows("SELECT id FROM groups LIMIT 1")
    (user,) = rows("SELECT userId FROM enrollments LIMIT 1")
    (owner,) = rows("SELECT userId FROM portfolio_items LIMIT 1")
    found = api.data(
        f"""{{
            all: users {{ id }} active: users(active: true) {{ id }}
            groups {{ id }} mine: groups(groupVia: MEMBER) {{ id }}
            trainings {{ id }} veilig: trainings(query: "VEILIG") {{ id }}
            offers {{ id }}
            enrollments {{ id }} some: enrollments(userId: "{user["id"]}") {{ id }}
            portfolioItems {{ id }} theirs: portfolioItems(userId: "{owner["id"]}") {{ id }}
            fields: extraCategories(contentType: GROUP) {{ title }}
            group(id: "{group["id"]}") {{ userCount users {{ count }} }}
        }}"""
    )
    assert found["all"] == rows("SELECT id FROM users ORDER BY name, id")
    assert found["active"] == rows("SELECT id FROM users WHERE NOT archived ORDER BY name, id")
    assert found["groups"] == rows("SELECT id FROM groups ORDER BY name, id")
    assert found["mine"] == []
    assert found["trainings"] == rows(
        "SELECT id FROM trainings WHERE NOT archived ORDER BY title, id"
    )
    assert found["veilig"] == rows(
        "SELECT id FROM trainings WHERE NOT archived AND title LIKE '%veilig%' ORDER BY title, id"
    )
    assert found["offers"] == rows(
        "SELECT id FROM offers WHERE isActive AND archivedAt IS NULL ORDER BY title, id"
    )
    assert len(found["enrollments"]) > len(found["some"]) > 0
    assert len(found["portfolioItems"]) > len(found["theirs"]) > 0
    assert [field["title"] for field in found["fields"]] == ["Werklocatie", "Regio", "Verplicht"]
    assert found["group"]["userCount"] == found["group"]["users"]["count"]


def test_a_training_shows_the_progress_of_the_user_it_was_asked_for(
    api: Api, sandbox: Sandbox
) -> None:
    sql = (
        "SELECT userId, relatedObjectId, r.progress FROM report r JOIN trainings t"
        " ON t.id = relatedObjectId WHERE NOT t.archived GROUP BY 1, 2 HAVING count(*) = 1"
    )
    user_id, training_id, progress = sandbox.database.execute(sql).fetchone()
    fields = "id userData { progress }"
    found = api.nodes("paginatedTrainings", fields, userId=f'"{user_id}"')
    assert {"id": training_id, "userData": {"progress": progress}} in found
    assert all(node["userData"] is None for node in api.nodes("paginatedTrainings", fields))


def test_values_look_as_django_prints_them(api: Api) -> None:
    user = api.nodes("paginatedUsers", "invitedOn extraFields profileImage { url } roles")[0]
    assert user["invitedOn"].endswith("+00:00")
    assert isinstance(json.loads(user["extraFields"]), dict)
    event = api.data("{ offers { offerEvents { price } } }")["offers"][0]["offerEvents"][0]
    assert isinstance(event["price"], str)
    day = api.nodes("portfolioReport", "completionDate", relatedObjectTypes="[CERTIFICATE]")[0]
    assert len(day["completionDate"]) == len("2025-01-31")


@pytest.mark.parametrize("root", ROOTS)
def test_a_missing_scope_is_named(sandbox: Sandbox, connect: Callable[..., Api], root: str) -> None:
    needed = SCOPES[root]
    others = {"users.read", "groups.read", "trainings.read", "events.read"} - {needed}
    arguments = key_of(sandbox, root) if root in OBJECTS else ""
    selection = everything(queries(CONTRACT)[root].type, 1)
    query = f"{{ {root}{arguments} {selection} }}"
    assert connect(sandbox, " ".join(others)).errors(query) == [
        f"Insufficient scope: this operation requires {needed}"
    ]
    assert connect(sandbox, needed).data(query)


def test_all_roots_have_a_place() -> None:
    assert sorted([*CONNECTIONS, *LISTS, *OBJECTS]) == sorted(SCOPES) == ROOTS


def test_all_faults_of_a_query_come_at_once_with_http_200(api: Api) -> None:
    answer = api.post("{ paginatedUsers(frist: 1) { edges { node { id nam } } } group { x } }")
    assert answer.status_code == 200
    assert "data" not in answer.json()
    assert [error["message"] for error in answer.json()["errors"]] == [
        "Unknown argument 'frist' on field 'Query.paginatedUsers'. Did you mean 'first'?",
        "Cannot query field 'nam' on type 'User'. Did you mean 'name'?",
        "Cannot query field 'x' on type 'Group'.",
    ]
    assert "Syntax Error" in api.errors("{ paginatedUsers")[0]


def test_more_faults_than_graphql_core_usually_tells(api: Api) -> None:
    fields = " ".join(f"wrong{n}" for n in range(150))
    assert len(api.errors(f"{{ paginatedUsers {{ {fields} }} }}")) == 150


@pytest.mark.parametrize(
    ("declared", "value", "message"),
    [
        ("$v: UUID", "abc", "UUID cannot represent value: 'abc'"),
        ("$v: UUID", 7, "UUID cannot represent value: 7"),
        ("$v: Date", "2025-13-01", "Date cannot represent value: '2025-13-01'"),
        ("$v: DateTime", "yesterday", "DateTime cannot represent value: 'yesterday'"),
    ],
)
def test_a_bad_value_of_a_variable_is_named(
    api: Api, declared: str, value: Any, message: str
) -> None:
    use = {
        "$v: UUID": "user(id: $v) { id }",
        "$v: Date": "portfolioReport(completionDateTo: $v) { count }",
        "$v: DateTime": "paginatedUsers(lastLogin_Gt: $v) { count }",
    }[declared]
    (error,) = api.errors(f"query ({declared}) {{ {use} }}", v=value)
    assert "Variable '$v' got invalid value" in error
    assert message in error


def test_values_can_be_given_as_variables(api: Api) -> None:
    query = """
        query ($roles: [Role!], $sort: UserSortByInput, $after: DateTime) {
            paginatedUsers(userRoles: $roles, sortBy: $sort, lastLogin_Gt: $after) { count }
        }
    """
    some = {"roles": ["TRAINER"], "after": "2025-01-01", "sort": {"field": "NAME"}}
    written = '(userRoles: [TRAINER], lastLogin_Gt: "2025-01-01", sortBy: {field: NAME})'
    assert api.data(query, **some) == api.data(f"{{ paginatedUsers{written} {{ count }} }}")
    assert api.data(query, **some) != api.data(query)


def test_aliases_ask_several_things_at_once(api: Api, sandbox: Sandbox) -> None:
    users = "paginatedUsers(archived: {}) {{ count }}"
    found = api.data(f"{{ a: {users.format('false')} b: {users.format('true')} }}")
    assert found["a"]["count"] + found["b"]["count"] == sandbox.users


def test_related_rows_are_read_by_page_not_by_row(rich: Sandbox) -> None:
    statements: list[str] = []
    with closing(Database(str(rich.path))) as database:
        database.connection.set_trace_callback(statements.append)
        fields = "participantGroups { trainings { id } users { edges { node { id } } } } groupCount"
        query = f"{{ paginatedUsers {{ edges {{ node {{ {fields} }} }} }} }}"
        with database.snapshot():
            context = Context(database, frozenset(SCOPES.values()))
            result = graphql_sync(executable("rich"), query, context_value=context)
    assert result.data
    assert not result.errors
    assert len(statements) < 15

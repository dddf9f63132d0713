from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema, parse, validate
from hypothesis import given
from hypothesis import strategies as st

from pluvo_client.errors import Difference, ProtocolError
from pluvo_client.schema.columns import Column, additional_columns
from pluvo_client.schema.contract import Contract
from pluvo_client.schema.documents import snake_case
from pluvo_client.schema.selection import Selection
from tap_pluvo.stream_schema import stream_schema

LIVE = build_schema(
    """
    type Query { users: [User!] }
    type User {
      id: ID! ref: String name: String age: Int height: Decimal since: DateTime born: Date
      active: Boolean kind: Kind tags: [String!] boss: User address: Address badges: [Badge!]
      value: Value secret(key: String!): String plain(key: String): String
    }
    type Address { city: String street: Street }
    type Street { name: String }
    type Badge { id: ID! label: String }
    union Value = Text | Choice
    type Text { text: String owner: User }
    type Choice { choice: Badge owner: User }
    enum Kind { A B }
    scalar Decimal scalar DateTime scalar Date
    """
)


def column(name: str, field: str | None, kind: str = "string", form: str | None = None) -> Column:
    schema = {"type": [kind, "null"]} | ({} if form is None else {"format": form})
    if field is None:
        return Column(name, schema, None)
    definition: Any = parse(f"{{{field}}}").definitions[0]
    return Column(name, schema, definition.selection_set.selections)


def plan(*columns: Column, contract: Contract | None = None, node: str = "User") -> Selection:
    contract = contract or Contract(LIVE)
    kind = contract.named_type(node)
    assert kind is not None
    found = Selection(contract, kind, columns)
    if found.text and node == "User":
        document = parse(f"{{ users {{ {found.text} }} }}")
        assert validate(contract.schema, document) == []
    return found


# ---------- what is asked for ----------


@pytest.mark.parametrize(
    ("columns", "selection"),
    [
        ([column("ref", "ref")], "ref"),
        ([column("user_ref", "ref")], "user_ref: ref"),
        ([column("made", None)], ""),
        ([column("boss_id", "boss { id }")], "boss { boss_id: id }"),
        (
            [column("boss_id", "boss { id }"), column("boss_ref", "boss { ref }")],
            "boss { boss_id: id boss_ref: ref }",
        ),
        (
            [column("street", "address { street { name } }"), column("city", "address { city }")],
            "address { street { street: name } city }",
        ),
        ([column("badge_ids", "badges { id }")], "badge_ids: badges { id }"),
        ([column("badges", "badges { id label }")], "badges { id label }"),
        ([column("tags", "tags")], "tags"),
        ([column("type", "__typename")], "type: __typename"),
        ([column("a", "ref"), column("b", "ref")], "a: ref b: ref"),
    ],
)
def test_selection(columns: list[Column], selection: str) -> None:
    found = plan(*columns)
    assert found.text == selection
    assert found.lacking == []


def test_fields_of_union_members_are_fragments() -> None:
    found = plan(
        column("text", "... on Text { text }"),
        column("owner_id", "... on Text { owner { id } } ... on Choice { owner { id } }"),
        column("choice_id", "... on Choice { choice { id } }"),
        node="Value",
    )
    assert found.text == (
        "... on Text { text owner { owner_id: id } } "
        "... on Choice { owner { owner_id: id } choice { choice_id: id } }"
    )
    assert found.record({"text": "x", "owner": {"owner_id": "1"}}) == {
        "text": "x",
        "owner_id": "1",
        "choice_id": None,
    }
    assert found.record({"owner": {"owner_id": "2"}, "choice": {"choice_id": "c"}}) == {
        "text": None,
        "owner_id": "2",
        "choice_id": "c",
    }
    assert found.record({}) == {"text": None, "owner_id": None, "choice_id": None}


@pytest.mark.parametrize(
    "lacking",
    [
        column("email", "email"),
        column("boss_email", "boss { email }"),
        column("zip", "address { street { zip } }"),
        column("x", "nothing { id }"),
        column("boss", "boss"),
        column("name_id", "name { id }"),
        column("badge_names", "badges { name }"),
        column("value_x", "value { ... on Number { x } }"),
    ],
    ids=lambda column: column.name,
)
def test_what_the_organization_lacks_is_left_out_and_named(lacking: Column) -> None:
    found = plan(column("ref", "ref"), lacking)
    assert found.text == "ref"
    assert found.lacking == [lacking.name]
    assert found.record({"ref": "x"}) == {"ref": "x"}


def test_of_objects_in_a_list_what_is_there_is_asked_for() -> None:
    found = plan(column("badges", "badges { id name label }"))
    assert found.text == "badges { id label }"
    assert found.record({"badges": [{"id": "1", "label": None}]}) == {
        "badges": '[{"id":"1","label":null}]'
    }


def test_one_member_of_a_union_is_enough() -> None:
    found = plan(
        column("owner_id", "... on Text { owner { id } } ... on Number { owner { id } }"),
        node="Value",
    )
    assert found.text == "... on Text { owner { owner_id: id } }"
    assert found.lacking == []


def test_what_was_refused_is_lacking() -> None:
    contract = Contract(LIVE)
    contract.refuse([Difference("field", "User", "ref"), Difference("type", "", "Choice")])
    refs = plan(column("ref", "ref"), column("boss_ref", "boss { ref }"), contract=contract)
    assert refs.lacking == ["ref", "boss_ref"]
    choice = column("choice_id", "... on Choice { choice { id } }")
    assert plan(choice, contract=contract, node="Value").lacking == ["choice_id"]


def test_a_list_that_became_one_value_is_lacking_and_the_other_way_round() -> None:
    changed = build_schema(
        "type Query { x: User } type User { id: ID! name: [String] roles: String }"
    )
    columns = [column("id", "id"), column("name", "name"), column("roles", "roles")]
    found = Selection(Contract(changed), changed.type_map["User"], columns)
    assert found.text == "id"
    assert found.lacking == ["name", "roles"]


# ---------- what becomes of an answer ----------


@pytest.mark.parametrize(
    ("kind", "form", "field", "value", "found"),
    [
        ("string", None, "name", "Jan", "Jan"),
        ("string", None, "name", 5, "5"),
        ("string", None, "name", {"a": [1]}, '{"a":[1]}'),
        ("string", None, "tags", ["a", "b"], '["a","b"]'),
        ("string", None, "tags", [], "[]"),
        ("string", None, "kind", "A", "A"),
        ("integer", None, "age", 5, 5),
        ("integer", None, "age", 5.0, 5),
        ("integer", None, "age", "5", 5),
        ("number", None, "height", "1.80", 1.8),
        ("number", None, "height", 2, 2),
        ("boolean", None, "active", True, True),
        ("string", "date-time", "since", "2024-01-31T12:00:00Z", "2024-01-31T12:00:00+00:00"),
        ("string", "date", "born", "2024-01-31", "2024-01-31"),
        ("string", "date", "born", "2024-01-31T23:00:00-02:00", "2024-02-01"),
    ],
)
def test_values_fit_their_column(
    kind: str, form: str | None, field: str, value: Any, found: Any
) -> None:
    one = plan(column("x", field, kind, form))
    for _ in range(2):  # also when a row of that kind has been seen
        assert one.record({"x": value}) == {"x": found}
        assert one.record({"x": None}) == {"x": None}


@pytest.mark.parametrize(
    ("kind", "form", "value"),
    [
        ("integer", None, "many"),
        ("integer", None, True),
        ("integer", None, 1.5),
        ("number", None, {}),
        ("number", None, "much"),
        ("boolean", None, "yes"),
        ("boolean", None, 1),
        ("string", "date-time", "soon"),
        ("string", "date-time", "0001-01-01T00:00:00+05:00"),
        ("string", "date-time", 5),
        ("string", "date", "2025-03"),
        ("string", "date", False),
    ],
)
def test_values_that_do_not_fit_are_no_values(kind: str, form: str | None, value: Any) -> None:
    one = plan(column("x", "name", kind, form))
    one.record({"x": None})
    with pytest.raises(ProtocolError, match="column 'x' holds a value that does not fit") as raised:
        one.record({"x": value})
    if isinstance(value, str):
        assert value not in str(raised.value)


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "age": st.none() | st.integers(-(2**53), 2**53),
            "size": st.none() | st.integers(-1000, 1000) | st.floats(-1e9, 1e9),
            "name": st.none() | st.text() | st.integers(0, 9) | st.booleans(),
            "active": st.none() | st.booleans(),
        }
    ),
    max_size=12,
)


@given(ROWS)
def test_a_row_does_not_depend_on_the_rows_before_it(rows: list[dict[str, Any]]) -> None:
    columns = [
        column("age", "age", "integer"),
        column("size", "height", "number"),
        column("name", "name"),
        column("active", "active", "boolean"),
    ]
    together = plan(*columns)
    for values in rows:
        row = {item.name: values[item.name] for item in columns}  # in the order of the question
        assert together.record(dict(row)) == plan(*columns).record(dict(row))


def test_references_are_merged_in() -> None:
    one = plan(
        column("id", "id"), column("boss_id", "boss { id }"), column("boss_ref", "boss { ref }")
    )
    assert one.record({"id": "1", "boss": {"boss_id": "2", "boss_ref": None}}) == {
        "id": "1",
        "boss_id": "2",
        "boss_ref": None,
    }
    for _ in range(2):
        nobody = {"id": "1", "boss_id": None, "boss_ref": None}
        assert one.record({"id": "1", "boss": None}) == nobody


@pytest.mark.parametrize("wrong", ["text", ["list"], 5])
def test_references_that_are_no_objects_are_wrong(wrong: Any) -> None:
    with pytest.raises(ProtocolError, match="`boss` came as a"):
        plan(column("boss_id", "boss { id }")).record({"boss": wrong})


@pytest.mark.parametrize("columns", [[column("id", "id")], [column("boss_id", "boss { id }")]])
def test_rows_without_what_was_asked_for_are_wrong(columns: list[Column]) -> None:
    one = plan(*columns, column("since", "since", form="date-time"))
    with pytest.raises(ProtocolError, match="a row came without its"):
        one.record({"since": None})


@pytest.mark.parametrize("wrong", [[None], ["x"], "x", [{"id": 1}, None]])
def test_lists_of_something_else_than_objects_are_wrong(wrong: Any) -> None:
    with pytest.raises(ProtocolError, match="column 'badge_ids'"):
        plan(column("badge_ids", "badges { id }")).record({"badge_ids": wrong})


# ---------- columns that only an organization has ----------


def test_additional_columns() -> None:
    contract = Contract(LIVE)
    known = [column("id", "id"), column("given_name", "name"), column("boss_id", "boss { id }")]
    kind = contract.named_type("User")
    assert kind is not None
    found = {item.name: item.schema for item in additional_columns(contract, kind, known)}
    assert found.keys() == {"active", "age", "born", "height", "kind", "plain", "ref", "since"}
    assert found["age"]["type"] == ["integer", "null"]
    assert found["height"]["type"] == ["number", "null"]
    assert found["active"]["type"] == ["boolean", "null"]
    assert found["since"]["format"] == "date-time"
    assert found["born"]["format"] == "date"
    assert found["kind"]["type"] == found["ref"]["type"] == ["string", "null"]
    assert all("organization's own" in schema["description"] for schema in found.values())


def test_additional_columns_take_nobodys_name() -> None:
    contract = Contract(build_schema("type Query { u: U } type U { id: ID lastLogin: Int }"))
    kind = contract.named_type("U")
    assert kind is not None
    known = [column("id", "id"), column("last_login", "seen")]
    assert additional_columns(contract, kind, known) == []
    contract.refuse([Difference("field", "U", "lastLogin")])
    assert additional_columns(contract, kind, [column("id", "id")]) == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("lastLogin", "last_login"),
        ("id", "id"),
        ("extraFieldsProfile", "extra_fields_profile"),
        ("lastLogin_Gt", "last_login_gt"),
        ("s3Url", "s3_url"),
    ],
)
def test_snake_case(name: str, found: str) -> None:
    assert snake_case(name) == found


def test_the_contract_of_a_stream() -> None:
    found = stream_schema("portfolio_report")
    assert found.key == ("id",)
    assert found.replication_key == "completion_date"
    assert found.columns["id"].selection is None
    assert "x-field" not in found.columns["title"].schema
    assert stream_schema("users").replication_key is None

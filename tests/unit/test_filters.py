from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema, parse, parse_value, validate, value_from_ast_untyped
from hypothesis import given
from hypothesis import strategies as st

from pluvo_client.errors import ConfigurationError
from pluvo_client.schema.contract import Contract, documented_schema
from pluvo_client.schema.documents import Enum, call, literal
from tap_pluvo.filters import parse_filters
from tap_pluvo.streams import STREAMS

ROOTS = {stream.name: stream.root_field() if stream.takes_filters else None for stream in STREAMS}
CHOICES = {
    "certificates": {"none"},
    "custom_field_values": {"none"},
    "custom_fields": {"none"},
    "enrollments": {"none"},
    "group_members": {"q"},
    "group_trainings": {"q"},
    "groups": {"q"},
    "issued_certificates": {"user_group_ids"},
    "offer_event_dates": {"none"},
    "offer_events": {"none"},
    "offers": {"none"},
    "portfolio_items": {"none"},
    "portfolio_report": {"user_group_ids"},
    "training_participants": {"active", "archived", "q", "training_user_roles"},
    "trainings": {"active", "archived", "q", "training_user_roles"},
    "users": {
        "archived",
        "extra_categories",
        "group_ids",
        "last_login_gt",
        "last_login_lt",
        "q",
        "training_ids",
        "user_roles",
    },
}


def parsed(filters: dict[str, dict[str, Any]], contract: Contract | None = None) -> Any:
    return parse_filters(filters, ROOTS, contract or Contract())


@pytest.mark.parametrize("stream", [stream.name for stream in STREAMS])
def test_a_stream_says_what_it_can_be_filtered_by(stream: str) -> None:
    with pytest.raises(ConfigurationError, match=f"`filters.{stream}`") as raised:
        parsed({stream: {"nothing_like_it": 1}})
    choices = str(raised.value).partition("(this stream has: ")[2].rstrip(")")
    assert {*choices.split(", ")} == CHOICES[stream]


def test_nothing_is_no_filter() -> None:
    assert parsed({}) == {}
    assert parsed({"users": {}, "certificates": {}}) == {"users": {}, "certificates": {}}


def test_arguments_get_the_names_and_kinds_of_the_api() -> None:
    found = parsed(
        {
            "users": {
                "archived": False,
                "user_roles": ["MANAGER", "TRAINER"],
                "group_ids": ["one", "two"],
                "last_login_gt": "2024-01-01T00:00:00Z",
                "extra_categories": [{"category_id": "c", "string_values": ["Noord"]}],
                "q": 'say "hi"',
            }
        }
    )["users"]
    assert found == {
        "archived": False,
        "userRoles": ["MANAGER", "TRAINER"],
        "groupIds": ["one", "two"],
        "lastLogin_Gt": "2024-01-01T00:00:00Z",
        "extraCategories": [{"categoryId": "c", "stringValues": ["Noord"]}],
        "q": 'say "hi"',
    }
    text = call("paginatedUsers", found)
    assert "userRoles: [MANAGER, TRAINER]" in text
    assert r'q: "say \"hi\""' in text
    assert validate(documented_schema(), parse(f"{{ {text} {{ count }} }}")) == []


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ({"userz": {}}, "there is no stream 'userz': did you mean `users`?"),
        ({"nothing": {}}, "there is no stream 'nothing'"),
        ({"users": {"role": []}}, "there is no filter 'role'"),
        ({"users": {"groupIds": []}}, "there is no filter 'groupIds': did you mean `group_ids`?"),
        ({"users": {"first": 5}}, "there is no filter 'first'"),
        ({"users": {"sort_by": {}}}, "there is no filter 'sort_by'"),
        ({"trainings": {"user_id": "x"}}, "there is no filter 'user_id'"),
        ({"users": {"archived": "no"}}, "`filters.users.archived` must be a Boolean"),
        ({"users": {"archived": 0}}, "`filters.users.archived` must be a Boolean"),
        ({"users": {"q": 5}}, "`filters.users.q` must be a String"),
        ({"users": {"group_ids": "one"}}, "`filters.users.group_ids` must be a list"),
        ({"users": {"group_ids": [1]}}, "`filters.users.group_ids` must be a UUID"),
        ({"users": {"user_roles": [1]}}, "`filters.users.user_roles` must be a name such as"),
        ({"users": {"user_roles": ["A B"]}}, "must be a name such as MANAGER"),
        ({"users": {"user_roles": ["é"]}}, "must be a name such as MANAGER"),
        ({"users": {"user_roles": ["M]) { x }"]}}, "must be a name such as MANAGER"),
        ({"users": {"extra_categories": [5]}}, "must be an object with category_id, string_values"),
        (
            {"users": {"extra_categories": [{"id": "x"}]}},
            "`filters.users.extra_categories` must be an object with category_id",
        ),
        (
            {"users": {"extra_categories": [{"category_id": 5}]}},
            "`filters.users.extra_categories.category_id` must be a UUID",
        ),
    ],
)
def test_what_cannot_be(filters: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parsed(filters)
    assert "setting `filters" in str(raised.value)
    assert reason in str(raised.value)


def test_members_of_enums_are_left_to_the_organization() -> None:
    (role,) = parsed({"users": {"user_roles": ["COACH"]}})["users"]["userRoles"]
    assert isinstance(role, Enum)


def test_the_organizations_own_arguments_can_be_used() -> None:
    live = Contract(
        build_schema(
            "type Query { paginatedUsers(first: Int, isExternal: Boolean!, level: Int): Users }"
            "type Users { count: Int }"
        )
    )
    assert parsed({"users": {"is_external": True, "level": 3}}, live) == {
        "users": {"isExternal": True, "level": 3}
    }
    with pytest.raises(ConfigurationError, match="there is no filter 'archived'"):
        parsed({"users": {"archived": True}}, live)
    with pytest.raises(ConfigurationError, match="this stream has: none"):
        parsed({"groups": {"q": "x"}}, live)


@given(st.text())
def test_no_text_gets_out_of_its_quotes(text: str) -> None:
    found = parsed({"users": {"q": text, "group_ids": [text]}})["users"]
    document = f"{{ {call('paginatedUsers', found)} {{ count }} }}"
    assert validate(documented_schema(), parse(document)) == []


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_literals_are_read_back_as_they_were(value: Any) -> None:
    assert value_from_ast_untyped(parse_value(literal(value))) == value


def test_arguments_that_are_not_given_are_left_out() -> None:
    assert call("users", {"first": 5, "after": None}) == "users(first: 5)"
    assert call("users", {"after": None}) == "users"
    assert call("users", {"archived": False, "offset": 0}) == "users(archived: false, offset: 0)"

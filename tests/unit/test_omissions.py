"""What an answer leaves out without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_http import data
from graphql import build_schema

from pluvo_client.errors import Difference, ProtocolError, SchemaDifferenceError
from pluvo_client.schema.contract import documented_schema
from pluvo_client.schema.omissions import omitted

if TYPE_CHECKING:
    from fake_http import Api

SCHEMA = build_schema(
    """
    type Query { users: [User] team: Team }
    type User { id: ID name: String boss: User value: [Value] }
    type Team { id: ID }
    union Value = Text | Choice
    type Text { text: String }
    type Choice { choice: String }
    """
)
DOCUMENT = (
    "query TapPluvo { r0: users { id login: name boss { boss_id: id } "
    "value { kind: __typename ... on Text { text } ... on Choice { choice } } } }"
)
WHOLE = {"id": "1", "login": "a", "boss": {"boss_id": "2"}, "value": []}


def without(*names: str, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in WHOLE.items() if name not in names} | changes


@pytest.mark.parametrize(
    ("users", "lacking"),
    [
        ([WHOLE], []),
        ([without("login"), without("login")], ["User.name"]),
        ([without("login"), WHOLE], []),  # one has it, so the schema does
        ([without("login", "boss")], ["User.name", "User.boss"]),
        ([without(boss={}), without(boss=None)], ["User.id"]),
        ([without(boss=None)], []),
        ([without(value=[{"kind": "Text"}, {"kind": "Choice", "choice": "x"}])], ["Text.text"]),
        ([without(value=[{"kind": "Other"}])], []),
        ([], []),
        (None, []),
        ("broken", []),
        ([None, 5, "x"], []),
    ],
)
def test_what_every_object_lacks_is_missing(users: Any, lacking: list[str]) -> None:
    wanted = [Difference("field", *item.split(".")) for item in lacking]
    assert omitted(DOCUMENT, {"r0": users}, SCHEMA) == wanted


def test_a_root_field_may_be_missing() -> None:
    assert omitted(DOCUMENT, {}, SCHEMA) == [Difference("field", "Query", "users")]


# ---------- in a request ----------

QUERY = "{ paginatedUsers(first: 2) { edges { node { id lastLogin } } } }"


def page(*nodes: dict[str, Any]) -> Any:
    return data(paginatedUsers={"edges": [{"node": node} for node in nodes]})


def refuse(found: Any) -> Any:
    for edge in found["paginatedUsers"]["edges"]:
        if "lastLogin" not in edge["node"]:
            message = "a row came without its 'lastLogin'"
            raise ProtocolError(message)
        del edge["node"]["id"]  # as records are made in place
    return found


def test_what_two_answers_leave_out_is_missing(api: Api) -> None:
    api.answers += [page({"id": "1"}), page({"id": "1"})]
    with pytest.raises(SchemaDifferenceError) as raised:
        api.client().execute(QUERY, refuse, schema=documented_schema())
    assert raised.value.differences == (Difference("field", "User", "lastLogin"),)
    assert len(api.operations) == 2


def test_what_one_answer_leaves_out_may_be_an_accident(api: Api) -> None:
    api.answers += [page({"id": "1"}), page({"id": "1", "lastLogin": None})]
    found = api.client().execute(QUERY, refuse, schema=documented_schema())
    assert found == {"paginatedUsers": {"edges": [{"node": {"lastLogin": None}}]}}


def test_what_some_rows_leave_out_is_half_an_answer(api: Api) -> None:
    half = [page({"id": "1", "lastLogin": None}, {"id": "2"}) for _ in range(4)]
    api.answers += half
    with pytest.raises(ProtocolError, match="gave up after 4 tries"):
        api.client().execute(QUERY, refuse, schema=documented_schema())

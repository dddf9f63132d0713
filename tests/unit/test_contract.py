from __future__ import annotations

from typing import Any, cast

import pytest
from graphql import (
    GraphQLObjectType,
    build_schema,
    graphql_sync,
    introspection_from_schema,
    parse,
    validate,
)

from pluvo_client.errors import (
    Difference,
    ProtocolError,
)
from pluvo_client.schema.contract import (
    INTROSPECTION_QUERY,
    Contract,
    documented_schema,
    live_schema,
)
from pluvo_client.schema.refusals import refused

# Nothing is called as in the documents but the root field and the fields.
LIVE = build_schema(
    """
    type Query { paginatedUsers(first: Int, userRoles: [RoleEnum]): PersonConnection }
    type PersonConnection { edges: [PersonEdge!]! count: Int }
    type PersonEdge { node: Person! }
    type Person { id: ID! email: String groups: [String] address: Address }
    type Address { city: String }
    enum RoleEnum { MANAGER }
    """
)
DOCUMENT = (
    "query TapPluvo { r0: paginatedUsers(archived: false, userRoles: [BOSS], first: 50) "
    "{ count edges { node { id lastLogin ... on Address { __typename } } } } }"
)


def at(text: str) -> list[dict[str, int]]:
    """Return the location of a part of the document, as errors give it."""
    return [{"line": 1, "column": DOCUMENT.index(text) + 1}]


def error(message: str, place: str | None = None) -> dict[str, Any]:
    return {"message": message} | ({} if place is None else {"locations": at(place)})


# ---------- what is there ----------


def test_the_documents_are_the_default() -> None:
    contract = Contract()
    assert not contract.is_live
    assert contract.schema is documented_schema()
    assert contract.accepts("paginatedUsers", "offset")
    assert not contract.accepts("certificates", "offset")


def test_types_are_found_by_walking() -> None:
    contract = Contract(LIVE)
    assert contract.is_live
    found = contract.type_at("paginatedUsers.edges.node")
    assert isinstance(found, GraphQLObjectType)
    assert found.name == "Person"
    assert contract.type_at("paginatedUsers.edges.node.email.domain") is None
    assert contract.type_at("paginatedUsers.nodes") is None
    assert contract.type_at("paginatedGroups") is None
    assert contract.root("paginatedGroups") is None
    assert contract.named_type("User") is None
    assert contract.named_type("Address") is not None


def test_arguments() -> None:
    contract = Contract(LIVE)
    assert contract.accepts("paginatedUsers", "first")
    assert not contract.accepts("paginatedUsers", "offset")
    assert not contract.accepts("paginatedGroups", "first")
    assert not contract.accepts("paginatedUsers.edges", "first")
    assert Contract().accepts("paginatedGroups.edges.node.users", "after")
    assert not Contract().accepts("paginatedGroups.edges.node.users", "offset")


def test_values_of_an_enum() -> None:
    assert Contract(LIVE).values("paginatedUsers", "userRoles") == ["MANAGER"]
    assert Contract(LIVE).values("paginatedUsers", "first") == []
    assert Contract(LIVE).values("portfolioReport", "relatedObjectTypes") == []
    assert Contract().values("portfolioReport", "relatedObjectTypes") == ["TRAINING", "CERTIFICATE"]
    assert Contract().values("extraCategories", "contentType")[:2] == ["USER", "GROUP"]


# ---------- what was refused ----------


def test_what_was_refused_is_gone() -> None:
    contract = Contract()
    refused = [
        Difference("field", "User", "lastLogin"),
        Difference("argument", "Query", "paginatedUsers(archived)"),
        Difference("value", "ContentType", "VIDEO"),
        Difference("type", "", "ExtraCategoryDatetimeValue"),
        Difference("field", "Query", "offers"),
    ]
    assert contract.refuse(refused) == refused
    assert contract.type_at("paginatedUsers.edges.node.lastLogin") is None
    assert contract.type_at("paginatedUsers.edges.node.email") is not None
    assert not contract.accepts("paginatedUsers", "archived")
    assert contract.accepts("paginatedTrainings", "archived")
    assert "VIDEO" not in contract.values("extraCategories", "contentType")
    assert contract.named_type("ExtraCategoryDatetimeValue") is None
    assert contract.root("offers") is None


def test_only_news_are_news() -> None:
    contract = Contract()
    one, other = Difference("field", "User", "ref"), Difference("field", "User", "name")
    assert contract.refuse([one]) == [one]
    assert contract.refuse([one, other]) == [other]
    assert contract.refuse([one, other]) == []


# ---------- what errors say ----------


@pytest.mark.parametrize(
    ("found", "message", "place"),
    [
        # graphql-core 3
        (
            Difference("field", "User", "lastLogin"),
            "Cannot query field 'lastLogin' on type 'Person'. Did you mean 'login'?",
            "lastLogin",
        ),
        (
            Difference("argument", "Query", "paginatedUsers(archived)"),
            "Unknown argument 'archived' on field 'Query.paginatedUsers'.",
            "archived: false",
        ),
        (
            Difference("value", "Role", "BOSS"),
            "Value 'BOSS' does not exist in 'RoleEnum' enum. Did you mean the enum value 'B'?",
            "BOSS",
        ),
        (Difference("type", "", "Address"), "Unknown type 'Address'.", "id"),
        (
            Difference("field", "User", "lastLogin"),
            "Field 'lastLogin' of type 'Login' must have a selection of subfields.",
            "lastLogin",
        ),
        (
            Difference("field", "UserEdge", "node"),
            "Field 'node' must not have a selection since type 'Int' has no subfields.",
            "node {",
        ),
        # graphql-core 2, as graphene 2 has it
        (
            Difference("field", "User", "lastLogin"),
            'Cannot query field "lastLogin" on type "Person". Did you mean "login"?',
            "lastLogin",
        ),
        (
            Difference("argument", "Query", "paginatedUsers(archived)"),
            'Unknown argument "archived" on field "paginatedUsers" of type "Query".',
            "archived: false",
        ),
        (
            Difference("value", "Role", "BOSS"),
            """Argument "userRoles" has invalid value [BOSS].
In element #0: Expected type "RoleEnum", found BOSS.""",
            "[BOSS]",
        ),
        (Difference("type", "", "Address"), 'Unknown type "Address".', "id"),
        (
            Difference("field", "User", "lastLogin"),
            'Field "lastLogin" of type "Login" must have a sub selection.',
            "lastLogin",
        ),
        (
            Difference("field", "UserEdge", "node"),
            'Field "node" of type "Int" must not have a sub selection.',
            "node {",
        ),
    ],
)
def test_errors_are_said_in_the_names_of_the_documents(
    found: Difference, message: str, place: str
) -> None:
    assert refused([error(message, place)], DOCUMENT, documented_schema()) == [found]


def test_without_a_place_the_names_of_the_error_are_taken() -> None:
    message = "Cannot query field 'lastLogin' on type 'User'."
    for entry in (
        {"message": message},
        {"message": message, "locations": []},
        {"message": message, "locations": [{"line": "x"}]},
        {"message": message, "locations": None},
        {"message": message, "locations": [{"line": 99, "column": 1}]},
    ):
        assert refused([entry], DOCUMENT, documented_schema()) == [
            Difference("field", "User", "lastLogin")
        ]


def test_without_a_place_names_that_nobody_knows_are_not_repeated() -> None:
    message = "Cannot query field 'lastLogin' on type 'Jan'."
    (found,) = refused([{"message": message}], DOCUMENT, documented_schema())
    assert str(found) == "field lastLogin"
    message = "Cannot query field 'jan' on type 'User'."
    assert not refused([{"message": message}], DOCUMENT, documented_schema())


@pytest.mark.parametrize(
    "message",
    [
        "Unknown argument 'archived' on field 'Query.paginatedUsers'.",
        'Unknown argument "archived" on field "paginatedUsers" of type "Query".',
    ],
)
def test_without_a_place_an_argument_is_known_by_the_field_of_the_error(message: str) -> None:
    wanted = Difference("argument", "Query", "paginatedUsers(archived)")
    assert refused([{"message": message}], DOCUMENT, documented_schema()) == [wanted]


@pytest.mark.parametrize(
    "message",
    [
        "User not found",
        "Insufficient scope: this operation requires users.read",
        "Variable '$first' is never used.",
        "Internal server error",
        "",
        # What was not sent is not repeated.
        "Unknown type 'Jan'.",
    ],
)
def test_other_errors_are_no_differences(message: str) -> None:
    assert refused([error(message, "lastLogin"), {}], DOCUMENT, documented_schema()) == []


def test_all_errors_of_an_answer_count() -> None:
    errors = [
        error("Cannot query field 'lastLogin' on type 'Person'.", "lastLogin"),
        error("Unknown argument 'archived' on field 'Query.paginatedUsers'.", "archived: false"),
        error("Something else"),
    ]
    assert len(refused(errors, DOCUMENT, documented_schema())) == 2


def test_a_server_without_what_is_documented_is_understood() -> None:
    """Here the messages come from graphql-core itself."""
    errors = [item.formatted for item in validate(LIVE, parse(DOCUMENT))]
    assert {*refused(cast("Any", errors), DOCUMENT, documented_schema())} == {
        Difference("field", "User", "lastLogin"),
        Difference("argument", "Query", "paginatedUsers(archived)"),
        Difference("value", "Role", "BOSS"),
    }


# ---------- the organization's own schema ----------


def test_introspection() -> None:
    answer = graphql_sync(LIVE, INTROSPECTION_QUERY).data
    assert answer is not None
    found = Contract(live_schema(answer))
    assert found.type_at("paginatedUsers.edges.node.address.city") is not None


@pytest.mark.parametrize(
    "answer", [{}, {"__schema": None}, {"__schema": {}}, {"__schema": {"types": [{}]}}]
)
def test_introspection_that_is_not_whole(answer: Any) -> None:
    with pytest.raises(ProtocolError, match="not a whole schema"):
        live_schema(answer)


def test_half_of_a_schema_is_not_whole() -> None:
    answer: Any = introspection_from_schema(LIVE)
    answer["__schema"]["types"] = answer["__schema"]["types"][:2]
    with pytest.raises(ProtocolError, match="not a whole schema"):
        live_schema(answer)

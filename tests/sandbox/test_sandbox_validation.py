"""A server that does not validate documents, as Django projects with rules of their own have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from pluvo_sandbox import Sandbox
from pluvo_sandbox.contract import Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api

USER = "paginatedUsers(first: 1) { edges { node {"


@pytest.fixture(scope="module", params=get_args(Variant))
def schema(request: pytest.FixtureRequest) -> Variant:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module", params=[True, False], ids=["introspection", "no introspection"])
def careless(request: pytest.FixtureRequest, schema: Variant) -> Iterator[Sandbox]:
    introspection: bool = request.param
    with Sandbox(
        users=12, portfolio=90, schema=schema, introspection=introspection, validation=False
    ) as running:
        yield running


@pytest.fixture
def client(careless: Sandbox, connect: Callable[..., Api]) -> Api:
    return connect(careless)


def first_user(api: Api, fields: str) -> dict[str, object]:
    data = api.data(f"{{ {USER} {fields} }} }} }} }}")
    found: dict[str, object] = data["paginatedUsers"]["edges"][0]["node"]
    return found


def test_unknown_fields_are_left_out(client: Api) -> None:
    usual = first_user(client, "id name")
    assert set(usual) == {"id", "name"}
    assert first_user(client, "id nope name other { x { y } }") == usual
    assert first_user(client, "nope") == {}


def test_unknown_root_fields_are_left_out(client: Api) -> None:
    assert client.data("{ nothing(first: 1) { edges { node { id } } } }") == {}
    assert set(client.data("{ nothing { x } certificates { count } }")) == {"certificates"}


def test_fragments_on_unknown_types_are_left_out(client: Api) -> None:
    usual = first_user(client, "id")
    assert first_user(client, "id ... on Nobody { name }") == usual
    query = f"{{ {USER} ...F }} }} }} }} fragment F on Nobody {{ name }}"
    assert client.data(query)["paginatedUsers"]["edges"][0]["node"] == {}


def test_unknown_arguments_are_ignored(client: Api) -> None:
    everyone = client.data("{ paginatedUsers { count } }")
    assert client.data('{ paginatedUsers(like: {name: ["A"]}) { count } }') == everyone
    query = "query ($like: Pattern!) { paginatedUsers(like: $like) { count } }"
    assert client.data(query, like="A") == everyone


@pytest.mark.parametrize("value", ["[UPLOAD]", "[TRAINING, UPLOAD]", "UPLOAD"])
def test_arguments_with_unknown_enum_values_are_ignored(client: Api, value: str) -> None:
    count = f"{{ portfolioReport(relatedObjectTypes: {value}) {{ count }} }}"
    assert client.data(count) == client.data("{ portfolioReport { count } }")


def test_variables_with_unknown_enum_values_are_ignored(client: Api) -> None:
    query = """
        query ($types: [PortfolioReportRelatedObjectType!], $roles: [Role]) {
            portfolioReport(relatedObjectTypes: $types) { count }
            paginatedUsers(userRoles: $roles) { count }
        }
    """
    everything = client.data(query)
    assert client.data(query, types=["UPLOAD"]) == everything
    assert client.data(query, types=["UPLOAD"], roles=["TRAINER"]) != everything


def test_what_the_schema_knows_works_as_usual(client: Api) -> None:
    assert client.data("{ portfolioReport(relatedObjectTypes: [TRAINING]) { count } }") != (
        client.data("{ portfolioReport { count } }")
    )
    assert client.errors("{ users { id }") == [
        "Syntax Error: Expected Name, found <EOF>.",
    ]
    assert "not found" in client.errors(f'{{ user(id: "{"0" * 32}") {{ id }} }}')[0]


def test_introspection_can_be_off_all_the_same(client: Api, careless: Sandbox) -> None:
    query = '{ __type(name: "User") { name } }'
    if careless.introspection:
        assert client.data(query) == {"__type": {"name": "User"}}
    else:
        assert "introspection is disabled" in client.errors(query)[0]


def test_what_only_other_variants_have_is_left_out(client: Api, careless: Sandbox) -> None:
    fields = {"documented": set(), "lean": {"modelId"}, "rich": set()}[careless.schema]
    fields |= set() if careless.schema == "rich" else {"jobTitle"}
    assert {"id", "modelId", "jobTitle"} - set(first_user(client, "id modelId jobTitle")) == fields

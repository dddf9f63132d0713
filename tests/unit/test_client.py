"""The client as other programs use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_http import CONFIG, answer, data, errors
from graphql import build_schema, introspection_from_schema
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from pluvo_client import PluvoClient
from pluvo_client.errors import (
    ConfigurationError,
    IncompleteError,
    NotFoundError,
    PluvoError,
    QueryError,
    SchemaDifferenceError,
    TransientError,
    UnavailableError,
)
from pluvo_client.schema.contract import INTROSPECTION_QUERY, documented_schema
from pluvo_client.settings import ClientSettings
from pluvo_client.transport.http import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_http import Api

MUTATION = 'mutation { archiveUser(id: "1") { user { id } } }'


def client_of(api: Api, **config: Any) -> PluvoClient:
    settings = ClientSettings.from_config(
        CONFIG | {"max_concurrency": 1, "introspection": "off"} | config
    )
    return PluvoClient(settings, transport=Transport(settings, clock=api.clock, pool=api))


@pytest.fixture
def client(api: Api) -> Iterator[PluvoClient]:
    with client_of(api) as found:
        yield found


def page(*rows: dict[str, Any], count: int | None = None) -> dict[str, Any]:
    return {
        "count": len(rows) if count is None else count,
        "pageInfo": {"hasNextPage": False},
        "edges": [{"node": row} for row in rows],
    }


# ---------- settings ----------


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match="`organisation` is unknown: did you mean"):
        PluvoClient(organisation="academy", client_id="me", client_secret="never-shown")


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match="`client_secret` is missing"):
        PluvoClient(organization="academy", client_id="me")


# ---------- operations ----------


def test_the_data_of_an_operation(api: Api, client: PluvoClient) -> None:
    api.answers += [data(user={"id": "1"})]
    assert client.execute('{ user(ref: "a") { id } }') == {"user": {"id": "1"}}


@pytest.mark.parametrize(
    "failure",
    [answer(b"", 500), answer(b"", 503), errors("Deadlock"), ReadTimeoutError(None, "/", "slow")],  # type: ignore[arg-type]  # no pool is needed
    ids=["500", "503", "errors", "timeout"],
)
def test_a_mutation_that_may_have_had_its_effect_is_not_repeated(
    failure: Any, api: Api, client: PluvoClient
) -> None:
    api.answers += [failure, data()]
    with pytest.raises((TransientError, QueryError)):
        client.execute(MUTATION)
    assert len(api.operations) == 1


@pytest.mark.parametrize(
    "failure",
    [
        answer(b"", 429),
        answer({}, 401),
        errors("Insufficient scope: this operation requires users.write"),
        NewConnectionError(None, "refused"),  # type: ignore[arg-type]  # no connection is needed
    ],
    ids=["429", "401", "scope", "unconnected"],
)
def test_a_mutation_that_had_no_effect_is_repeated(
    failure: Any, api: Api, client: PluvoClient
) -> None:
    api.answers += [failure, data(archiveUser=None)]
    assert client.execute(MUTATION) == {"archiveUser": None}


def changes(count: int) -> list[str]:
    return [
        f'updateUser(ref: "{number}", user: {{}}) {{ user {{ id }} }}' for number in range(count)
    ]


def test_mutations_travel_together_and_fail_apart(api: Api, client: PluvoClient) -> None:
    found = {"m0": {"user": {"id": "0"}}, "m1": None, "m2": {"user": {"id": "2"}}}
    gone = {"message": "User not found", "path": ["m1"]}
    api.answers += [answer({"data": found, "errors": [gone]})]
    first, second, third = client.change(changes(3))
    assert (first, third) == ({"user": {"id": "0"}}, {"user": {"id": "2"}})
    assert isinstance(second, NotFoundError)
    assert len(api.operations) == 1
    assert api.operations[0].query.startswith('mutation TapPluvo { m0: updateUser(ref: "0"')


def test_a_request_that_fails_as_a_whole_is_divided(api: Api, client: PluvoClient) -> None:
    api.answers += [errors("This operation asks for 2 root fields; 1 are allowed.")]
    api.answers += [data(m0={"user": {"id": "0"}}), data(m0={"user": {"id": "1"}})]
    assert [*client.change(changes(2))] == [{"user": {"id": "0"}}, {"user": {"id": "1"}}]


def test_a_mutation_of_unknown_effect_is_told_and_not_repeated(
    api: Api, client: PluvoClient
) -> None:
    api.answers += [answer(b"", 502), data(m0={"user": {"id": "1"}})]
    first, second = client.change(changes(2), repeatable=False)
    assert isinstance(first, TransientError)
    assert second == {"user": {"id": "1"}}
    assert len(api.operations) == 2


def test_a_mutation_that_may_be_repeated_is(api: Api, client: PluvoClient) -> None:
    api.answers += [answer(b"", 502), data(m0={"user": {"id": "1"}})]
    assert [*client.change(changes(1))] == [{"user": {"id": "1"}}]


# ---------- reading ----------


def test_archived_objects_come_too(api: Api, client: PluvoClient) -> None:
    halves = page({"id": "1"}), page({"id": "2"})
    one = {"count": 1}
    api.answers += [data(r0=one, r1=halves[0], r2=halves[1], r3=one, r4={"count": 2})]
    assert [*client.read("paginatedUsers", "id")] == [{"id": "1"}, {"id": "2"}]
    assert "archived: false" in api.operations[0].query
    assert "archived: true" in api.operations[0].query


def test_arguments_are_passed_on(api: Api, client: PluvoClient) -> None:
    api.answers += [data(r0=page({"id": "1", "name": "A"}))]
    users = client.read("paginatedUsers", "id name", archived=False, q="a")
    assert [*users] == [{"id": "1", "name": "A"}]
    assert 'paginatedUsers(archived: false, q: "a", first: 50)' in api.operations[0].query


def test_objects_without_an_id_have_another_key(api: Api, client: PluvoClient) -> None:
    api.answers += [data(r0=page({"title": "a"}, {"title": "b"}))]
    rows = client.read("portfolioReport", "title", key="title")
    assert [row["title"] for row in rows] == ["a", "b"]


def test_plain_lists_are_read_too(api: Api, client: PluvoClient) -> None:
    api.answers += [data(r0=[{"id": "1"}, {"id": "2"}])]
    assert [*client.read("offers", "id")] == [{"id": "1"}, {"id": "2"}]


def test_fewer_objects_than_counted_are_an_error(api: Api) -> None:
    api.answers += [data(r0=page({"id": "1"}, count=2)) for _ in range(2)]
    with client_of(api, max_repair_passes=1) as client:
        users = client.read("paginatedUsers", "id", archived=False)
        with pytest.raises(IncompleteError, match="reports 2 rows, but only 1 were found"):
            list(users)


def test_what_reading_adds_by_itself_is_done_without(api: Api, client: PluvoClient) -> None:
    refusal = "Unknown argument 'archived' on field 'Query.paginatedUsers'."
    # Both halves in one request, then one of them alone, twice.
    api.answers += [*(errors(refusal) for _ in range(3)), data(r0=page({"id": "1"}))]
    assert [*client.read("paginatedUsers", "id")] == [{"id": "1"}]


def test_what_the_caller_asks_for_and_the_api_lacks_is_an_error(
    api: Api, client: PluvoClient
) -> None:
    api.answers += [errors("Cannot query field 'shoeSize' on type 'User'.") for _ in range(2)]
    with pytest.raises(SchemaDifferenceError, match=r"lacks field User\.shoeSize"):
        list(client.read("paginatedUsers", "id shoeSize", archived=False))


def test_a_root_field_that_nobody_knows_is_an_error(client: PluvoClient) -> None:
    with pytest.raises(UnavailableError, match="lacks `paginatedShoes`"):
        list(client.read("paginatedShoes", "id"))


def test_a_row_without_what_was_asked_for_is_an_error(api: Api) -> None:
    api.answers += [data(r0=page({"id": "1", "name": "A"}, {"id": "2"})) for _ in range(4)]
    with client_of(api) as client, pytest.raises(PluvoError, match="came without its 'name'"):
        list(client.read("paginatedUsers", "id name", archived=False))


# ---------- the organization's own schema ----------


def test_introspection_that_is_refused_leaves_the_documents(api: Api) -> None:
    api.answers += [errors("GraphQL introspection is not allowed")]
    with client_of(api, introspection="auto") as client:
        assert not client.contract.is_live
    assert api.operations[0].query == INTROSPECTION_QUERY


def broken(**schema: Any) -> Any:
    """Return an introspection answer that is changed in its outermost members."""
    return data(__schema=introspection_from_schema(documented_schema())["__schema"] | schema)


def with_default(value: str) -> dict[str, Any]:
    """Return a query type as introspection shows it, with a default value of an argument."""
    number = {"kind": "SCALAR", "name": "Int"}
    argument = {"name": "first", "type": number, "defaultValue": value}
    field = {"name": "a", "args": [argument], "type": number}
    return {"kind": "OBJECT", "name": "Query", "fields": [field], "interfaces": []}


def test_introspection_that_lacks_something_is_asked_for_again(api: Api) -> None:
    lean = build_schema("type Query { certificates: String }")
    half = data(**introspection_from_schema(lean))
    api.answers += [half, broken()]
    with client_of(api, introspection="auto") as client:
        assert client.contract.is_live
        assert client.contract.has("paginatedUsers")
    assert len(api.operations) == 2
    api.answers += [data(**introspection_from_schema(lean)) for _ in range(2)]
    with client_of(api, introspection="auto") as client:
        assert client.contract.is_live
        assert not client.contract.has("paginatedUsers")
    assert len(api.operations) == 4


@pytest.mark.parametrize(
    "answers",
    [
        [answer(b"<html>Forbidden</html>", 403, "text/html") for _ in range(4)],
        [answer(b"<html>Not found</html>", 404, "text/html")],
        [errors("Query complexity of 9999 exceeds the limit of 1000") for _ in range(4)],
        [errors("Not allowed") for _ in range(4)],
        [errors("This needs the scope schema.read") for _ in range(2)],
        [broken(queryType=None) for _ in range(4)],
        [broken(types=[{"kind": "OBJECT", "name": "not a name"}]) for _ in range(4)],
        [broken(types=[with_default("{{")]) for _ in range(4)],
        [answer(b'{"data": {"__schema": ' * 9) for _ in range(4)],
        [answer(b"", 500)],
    ],
)
def test_nothing_about_introspection_ends_a_run(
    answers: list[Any], api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    api.answers += [*answers, data(__typename="Query")]
    limit = 0 if answers[0].status == 500 else 60
    with client_of(api, introspection="auto", max_retry_seconds=limit) as client:
        assert not client.contract.is_live
    assert caplog.text.count("the organization's schema cannot be seen: ") == 1


def test_an_organization_that_answers_nothing_is_an_error(api: Api) -> None:
    api.answers += [answer(b"", 500), answer(b"", 500)]
    with (
        client_of(api, introspection="auto", max_retry_seconds=0) as client,
        pytest.raises(TransientError),
    ):
        _ = client.contract


@pytest.mark.parametrize(
    ("reply", "validates"),
    [
        (errors("Cannot query field 'tapPluvoProbe' on type 'Query'."), True),
        (data(__typename="Query"), False),
        (data(), False),
    ],
)
def test_a_server_that_ignores_what_it_does_not_know_is_found_out(
    reply: Any, validates: bool, api: Api, client: PluvoClient
) -> None:
    api.answers += [reply]
    assert client.probes.validates is validates

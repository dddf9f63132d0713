from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from graphql import GraphQLError
from hypothesis import given, settings
from hypothesis import strategies as st

from pluvo_sandbox import Sandbox
from pluvo_sandbox.connections import cursor_at, window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api


@pytest.fixture
def sandbox(rich: Sandbox) -> Sandbox:
    """The one whose report rows have an id."""
    return rich


PAGE = """{
  edges { cursor node { id } }
  count
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}"""


LIMIT = "Requesting 51 records on the `{}` connection exceeds the `{}` limit of 50 records."


def page(api: Api, field: str, arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = api.data(f"{{ page: {field}({arguments}) {PAGE} }}")["page"]
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in found["edges"]]


def test_cursors_are_positions_as_in_graphene_django() -> None:
    assert cursor_at(49) == "YXJyYXljb25uZWN0aW9uOjQ5"
    assert cursor_at(0) == b64encode(b"arrayconnection:0").decode()


@pytest.mark.parametrize("field", ["paginatedUsers", "paginatedGroups", "paginatedTrainings"])
def test_pages_follow_each_other(api: Api, field: str) -> None:
    first = page(api, field, "first: 4")
    second = page(api, field, f'first: 4, after: "{first["pageInfo"]["endCursor"]}"')
    together = page(api, field, "first: 8")
    assert ids(first) + ids(second) == ids(together)
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": cursor_at(0),
        "endCursor": cursor_at(3),
    }
    assert [edge["cursor"] for edge in second["edges"]] == [cursor_at(n) for n in range(4, 8)]


def test_count_is_the_number_of_all_rows(api: Api, sandbox: Sandbox) -> None:
    ((rows,),) = sandbox.database.execute("SELECT count(*) FROM report")
    assert page(api, "portfolioReport", "first: 1")["count"] == rows == 900


def test_without_first_a_page_is_as_long_as_allowed(api: Api) -> None:
    assert ids(page(api, "portfolioReport", "offset: 0")) == ids(
        page(api, "portfolioReport", "first: 50")
    )
    assert len(ids(page(api, "portfolioReport", "first: 50"))) == 50


def test_more_than_50_at_once_are_refused(api: Api) -> None:
    assert api.errors("{ portfolioReport(first: 51) { count } }") == [
        LIMIT.format("portfolioReport", "first")
    ]
    assert api.errors("{ certificates(last: 51) { count } }") == [
        LIMIT.format("certificates", "last")
    ]
    assert api.errors("{ paginatedGroups { edges { node { users(first: 51) { count } } } } }")
    assert api.errors("{ paginatedUsers(first: -1) { count } }") == [
        "Argument 'first' must be a non-negative integer."
    ]


def test_offset_n_equals_after_the_row_at_n_minus_1(api: Api) -> None:
    by_offset = page(api, "portfolioReport", "first: 7, offset: 20")
    by_cursor = page(api, "portfolioReport", f'first: 7, after: "{cursor_at(19)}"')
    assert by_offset == by_cursor
    assert by_offset["pageInfo"]["startCursor"] == cursor_at(20)


def test_offset_is_added_to_after(api: Api) -> None:
    both = page(api, "portfolioReport", f'first: 7, offset: 5, after: "{cursor_at(14)}"')
    assert both == page(api, "portfolioReport", "first: 7, offset: 20")


def test_the_last_page_says_so(api: Api) -> None:
    last = page(api, "portfolioReport", "first: 50, offset: 880")
    assert (len(ids(last)), last["pageInfo"]["hasNextPage"]) == (20, False)
    exact = page(api, "portfolioReport", "first: 20, offset: 880")
    assert (len(ids(exact)), exact["pageInfo"]["hasNextPage"]) == (20, False)
    beyond = page(api, "portfolioReport", "first: 20, offset: 5000")
    assert (ids(beyond), beyond["count"]) == ([], 900)
    assert beyond["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


def test_a_cursor_that_cannot_be_read_counts_as_none(api: Api) -> None:
    start = page(api, "portfolioReport", "first: 3")
    for cursor in ("nonsense", b64encode(b"other:4").decode(), b64encode(b"\xff").decode()):
        assert page(api, "portfolioReport", f'first: 3, after: "{cursor}"') == start


def test_certificates_page_backwards_and_know_no_offset(api: Api) -> None:
    everything = ids(page(api, "certificates", "first: 50"))
    last = page(api, "certificates", "last: 2")
    assert ids(last) == everything[-2:]
    assert last["pageInfo"]["hasPreviousPage"] is True
    assert last["pageInfo"]["hasNextPage"] is False
    before = page(api, "certificates", f'last: 3, before: "{last["pageInfo"]["startCursor"]}"')
    assert ids(before) == everything[-5:-2]
    assert api.errors("{ certificates(offset: 1) { count } }") == [
        "Unknown argument 'offset' on field 'Query.certificates'."
    ]


def test_connections_in_connections_page_too(api: Api, sandbox: Sandbox) -> None:
    members = dict(
        sandbox.database.execute("SELECT groupId, count(*) FROM group_users GROUP BY 1").fetchall()
    )
    assert max(members.values()) > 50
    for group_id, size in members.items():
        after, seen = "null", []
        while after:
            query = f'{{ group(id: "{group_id}") {{ users(first: 50, after: {after}) {PAGE} }} }}'
            users = api.data(query)["group"]["users"]
            assert users["count"] == size
            seen += ids(users)
            more = users["pageInfo"]["hasNextPage"]
            after = f'"{users["pageInfo"]["endCursor"]}"' if more else ""
        assert len(seen) == len(set(seen)) == size


def test_nested_pages_of_many_rows_are_those_of_each_row(api: Api) -> None:
    fields = "id participants(first: 2, after: %s) { count edges { node { id user { name } } } }"
    nested = fields % f'"{cursor_at(1)}"'
    together = api.nodes("paginatedTrainings", nested)
    for training in together:
        query = f'{{ training(id: "{training["id"]}") {{ {nested} }} }}'
        assert api.data(query)["training"] == training
    assert any(training["participants"]["edges"] for training in together)


SIZES = st.none() | st.integers(0, 50)
PLACES = st.none() | st.integers(0, 80)


@settings(deadline=None)
@given(length=st.integers(0, 80), first=SIZES, offset=PLACES, after=PLACES)
def test_a_forward_page_is_a_slice(
    length: int, first: int | None, offset: int | None, after: int | None
) -> None:
    rows = list(range(length))
    cursor = None if after is None else cursor_at(after)
    found = window("x", length, {"first": first, "offset": offset, "after": cursor})
    rest = rows[(0 if after is None else after + 1) :][offset or 0 :]
    expected = rest[: 50 if first is None else first]
    assert rows[found.start : found.stop] == expected
    assert found.has_next == (len(rest) > len(expected))


@settings(deadline=None)
@given(length=st.integers(0, 80), last=st.integers(0, 50), after=PLACES, before=PLACES)
def test_a_backward_page_is_a_slice(
    length: int, last: int, after: int | None, before: int | None
) -> None:
    rows = list(range(length))
    cursors = {
        "after": None if after is None else cursor_at(after),
        "before": None if before is None else cursor_at(before),
    }
    found = window("x", length, {"last": last} | cursors)
    rest = [
        row for row in rows if (after is None or row > after) and (before is None or row < before)
    ]
    expected = rest[len(rest) - min(last, len(rest)) :]
    assert rows[found.start : found.stop] == expected
    assert found.has_previous == (len(rest) > len(expected))


def test_offset_and_before_exclude_each_other() -> None:
    with pytest.raises(GraphQLError, match="`before` value at the same time as an `offset`"):
        window("x", 9, {"offset": 1, "before": cursor_at(3)})


# ---------- servers that page otherwise ----------


@pytest.fixture(scope="module")
def capped() -> Iterator[Sandbox]:
    with Sandbox(users=130, groups=4, portfolio=90, page_cap=20, ignore_offset=True) as running:
        yield running


@pytest.fixture
def capped_api(capped: Sandbox, connect: Callable[..., Api]) -> Api:
    return connect(capped)


@pytest.mark.parametrize("arguments", ["first: 50", "first: 20", "offset: 0"])
def test_pages_can_be_capped(capped_api: Api, arguments: str) -> None:
    found = page(capped_api, "paginatedUsers", arguments)
    assert len(found["edges"]) == 20
    assert found["count"] > 100
    assert found["pageInfo"]["hasNextPage"] is True
    assert found["pageInfo"]["endCursor"] == found["edges"][-1]["cursor"] == cursor_at(19)


def test_capped_pages_follow_each_other(capped: Sandbox, capped_api: Api) -> None:
    everyone = capped.database.execute("SELECT id FROM users WHERE NOT archived ORDER BY name, id")
    found = capped_api.nodes("paginatedUsers", "id")
    assert [node["id"] for node in found] == [user_id for (user_id,) in everyone]


@pytest.mark.parametrize(("cap", "size"), [(3, 3), (20, 4)])
def test_capped_pages_can_be_read_backwards(
    capped_api: Api, monkeypatch: pytest.MonkeyPatch, cap: int, size: int
) -> None:
    monkeypatch.setattr(capped_api.sandbox, "page_cap", cap)
    last = page(capped_api, "certificates", "last: 4")
    assert len(last["edges"]) == size
    assert last["edges"][-1]["cursor"] == cursor_at(last["count"] - 1)
    assert last["pageInfo"]["hasPreviousPage"] is True


def test_fewer_rows_than_the_cap_are_given_as_usual(capped_api: Api) -> None:
    assert len(page(capped_api, "paginatedUsers", "first: 7")["edges"]) == 7
    whole = page(capped_api, "paginatedGroups", "first: 50")
    assert len(whole["edges"]) == 4
    assert whole["pageInfo"]["hasNextPage"] is False


def test_nested_connections_are_capped_too(capped_api: Api) -> None:
    query = f"{{ paginatedGroups {{ edges {{ node {{ users(first: 50) {PAGE} }} }} }} }}"
    groups = capped_api.data(query)["paginatedGroups"]["edges"]
    sizes = {(len(g["node"]["users"]["edges"]), g["node"]["users"]["count"]) for g in groups}
    assert (20, 50) in sizes
    assert all(shown == min(20, count) for shown, count in sizes)


def test_more_than_50_at_once_are_refused_with_a_cap_too(capped_api: Api) -> None:
    assert capped_api.errors("{ portfolioReport(first: 51) { count } }") == [
        LIMIT.format("portfolioReport", "first")
    ]


def test_offset_can_be_without_effect(capped_api: Api) -> None:
    first = page(capped_api, "paginatedUsers", "first: 5")
    assert page(capped_api, "paginatedUsers", "first: 5, offset: 5") == first
    after = f'first: 5, after: "{first["pageInfo"]["endCursor"]}"'
    second = page(capped_api, "paginatedUsers", after)
    assert page(capped_api, "paginatedUsers", f"{after}, offset: 5") == second
    assert not set(ids(first)) & set(ids(second))

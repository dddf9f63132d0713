"""Several root fields in a request, and objects that are gone by the time they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_http import answer, data

from pluvo_client.errors import QueryError
from pluvo_client.reading.connection import Connection
from pluvo_client.reading.fetcher import Fetcher, Vanished
from pluvo_client.reading.root_fields import ListField, PageField
from pluvo_client.schema.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_http import Api

MEMBERS = Connection("users", {}, "user_id: id", by_offset=False, counted=False)


@pytest.fixture
def fetcher(api: Api) -> Iterator[Fetcher]:
    found = Fetcher(api.client(), Contract(), workers=1, root_fields_per_request=5, read_ahead=0)
    yield found
    found.close()


def members(group: str) -> PageField:
    """Return the question for a later page of a group's members."""
    return PageField(MEMBERS.inside(f'group(id: "{group}")'), 50, "cursor")


def page(*users: str) -> Any:
    edges = [{"cursor": user, "node": {"user_id": user}} for user in users]
    return {"users": {"pageInfo": {"hasNextPage": False}, "edges": edges}}


def failing(message: str, *path: str | int, **fields: Any) -> Any:
    """Return an answer with an error, and what else it holds."""
    return answer({"data": fields or None, "errors": [{"message": message, "path": [*path]}]})


def keys(result: Any) -> Any:
    return result if isinstance(result, Vanished) else [row["user_id"] for row in result.records]


def test_a_group_that_was_deleted_has_no_more_members(api: Api, fetcher: Fetcher) -> None:
    gone = [failing("Group not found", "r0", r0=None) for _ in range(2)]
    api.answers += [failing("Group not found", "r1", r0=page("a"), r1=None), data(r0=page("a"))]
    api.answers += gone
    found = [keys(item) for item in fetcher.ask_many([members("1"), members("2")])]
    assert found[0] == ["a"]
    assert isinstance(found[1], Vanished)
    assert len(api.operations) == 4


def test_a_replica_that_lags_behind_takes_no_members_away(api: Api, fetcher: Fetcher) -> None:
    late = failing("Group not found", "r0", r0=None)
    api.answers += [late, data(r0=page("a", "b"))]
    assert [keys(item) for item in fetcher.ask_many([members("1")])] == [["a", "b"]]


@pytest.mark.parametrize(
    "other",
    [
        ("Group not found", "r0", "users"),
        ("User not found", "r0", "users", "edges", 3, "node"),
        ("Organization not found", "r0"),
        ("Membership matching query does not exist.", "r0"),
        ("Group not found",),
    ],
)
def test_an_error_about_something_else_takes_no_members_away(
    other: tuple[Any, ...], api: Api, fetcher: Fetcher
) -> None:
    api.answers += [*(failing(*other, r0=None) for _ in range(3)), data(r0=page("a"))]
    assert [keys(item) for item in fetcher.ask_many([members("1")])] == [["a"]]
    api.answers += [failing(*other, r0=None) for _ in range(4)]
    with pytest.raises(QueryError, match=r"not found|does not exist"):
        list(fetcher.ask_many([members("1")]))


def test_what_is_about_no_object_never_vanishes(api: Api, fetcher: Fetcher) -> None:
    offers = ListField("offers", {}, "id", lambda node: node)
    api.answers += [failing("Offer not found", "r0", r0=None) for _ in range(4)]
    with pytest.raises(QueryError, match="not found"):
        list(fetcher.ask_many([offers]))

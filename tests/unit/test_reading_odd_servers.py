"""Lists of servers that take an argument and do something else, or nothing, with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from list_server import (
    COMING_AND_GOING,
    MOVES,
    NAMES,
    PAGE,
    List,
    Server,
    happenings,
    plan_of,
    read,
    rows_of,
)

from pluvo_client.errors import Difference, IncompleteError, SchemaDifferenceError
from pluvo_client.reading.connection import Connection
from pluvo_client.reading.list_reader import ListReader
from pluvo_client.reading.root_fields import AnythingField, PageField


class CappedList(List):
    """Gives at most three rows in a page, whatever is asked for."""

    def answer(self, field: PageField) -> Any:
        capped = PageField(field.connection, min(field.first, 3), field.position)
        return super().answer(capped)


@pytest.mark.parametrize("by_offset", [True, False])
@pytest.mark.parametrize("concurrency", [1, 4, 16])
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 13, 40])
def test_pages_that_are_smaller_than_asked_for_are_read_completely(
    size: int, concurrency: int, by_offset: bool
) -> None:
    source = CappedList(NAMES[:size], {})
    server = Server(concurrency, {"a": source})
    reader = ListReader(plan_of(server), [Connection("a", {}, "id", by_offset=by_offset)])
    assert [node["id"] for node, _ in rows_of(reader)] == NAMES[:size]
    assert source.requests == max(1, -(-(size - 1) // 2))
    assert server.said == (
        ["`a`: the server returned 3 rows per page instead of 5"] if size > 3 else []
    )


@given(happenings(COMING_AND_GOING | MOVES, most=2), st.sampled_from([1, 4]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_smaller_pages_lose_nothing_while_rows_move(
    changes: dict[int, list[tuple[Any, ...]]], concurrency: int, by_offset: bool
) -> None:
    source = CappedList(NAMES, changes)
    try:
        rows = read({"a": source}, concurrency=concurrency, by_offset=by_offset)
    except IncompleteError:
        return  # said so: nothing is hidden
    assert {row for row, times in source.survivors.items() if times} <= set(rows)


class StuckList(List):
    """Takes `offset` and does nothing with it."""

    def answer(self, field: PageField) -> Any:
        position = field.position if isinstance(field.position, str) else None
        return super().answer(PageField(field.connection, field.first, position))


class StuckServer(Server):
    def _answer(self, field: Any) -> Any:
        return True if isinstance(field, AnythingField) else super()._answer(field)


@pytest.mark.parametrize("concurrency", [1, 4, 16])
@pytest.mark.parametrize("size", [6, 9, 10, 40])
def test_an_offset_without_effect_is_noticed(size: int, concurrency: int) -> None:
    server = StuckServer(concurrency, {"paginatedUsers": StuckList(NAMES[:size], {})})
    reader = ListReader(plan_of(server), [Connection("paginatedUsers", {}, "id")])
    with pytest.raises(SchemaDifferenceError) as raised:
        list(rows_of(reader))
    assert raised.value.differences == (Difference("argument", "Query", "paginatedUsers(offset)"),)


def test_rows_that_move_to_the_seam_are_no_sign_of_an_offset_without_effect() -> None:
    source = List(NAMES, {2: [("move", 0, PAGE - 1)]})
    assert set(read({"a": source}, concurrency=1)) == set(NAMES)


@pytest.mark.parametrize("size", [1, 3, 20])
def test_an_argument_without_effect_is_noticed(size: int) -> None:
    rows = NAMES[:size]
    connections = [
        Connection("paginatedUsers", {"userRoles": role}, "id") for role in ("ADMIN", "USER")
    ]
    server = Server(4, {"paginatedUsers": List(rows, {})})
    with pytest.raises(SchemaDifferenceError) as raised:
        list(rows_of(ListReader(plan_of(server), connections)))
    assert raised.value.differences == (
        Difference("argument", "Query", "paginatedUsers(userRoles)"),
    )


@pytest.mark.parametrize("size", [1, 3, 20])
def test_halves_that_are_equal_are_read_once(size: int) -> None:
    connections = [Connection("paginatedUsers", {"archived": half}, "id") for half in (False, True)]
    server = Server(4, {"paginatedUsers": List(NAMES[:size], {})})
    rows = [node["id"] for node, _ in rows_of(ListReader(plan_of(server), connections))]
    assert sorted(rows) == sorted(NAMES[:size])
    assert server.said == [
        "`paginatedUsers` gives the same rows whatever `archived` is: reading them once"
    ]


def test_two_empty_lists_are_no_sign_of_an_argument_without_effect() -> None:
    assert read({"a": List([], {}), "b": List([], {})}) == []

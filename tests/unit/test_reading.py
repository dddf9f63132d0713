"""The reader against lists whose rows come, go and move between two requests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
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

from pluvo_client.errors import IncompleteError, ProtocolError
from pluvo_client.reading.connection import Connection
from pluvo_client.reading.list_reader import ListReader
from pluvo_client.reading.nested import read_nested
from pluvo_client.reading.root_fields import PageField
from pluvo_client.reading.row_collector import numbered as numbered_rows


@pytest.mark.parametrize("by_offset", [True, False])
@pytest.mark.parametrize("concurrency", [1, 4, 16])
@pytest.mark.parametrize("size", [0, 1, 4, 5, 6, 9, 10, 13, 40])
def test_unmoved_list_is_read_once_in_order(size: int, concurrency: int, by_offset: bool) -> None:
    source = List(NAMES[:size], {})
    assert read({"a": source}, concurrency=concurrency, by_offset=by_offset) == NAMES[:size]
    assert source.requests == max(1, -(-(size - 1) // (PAGE - 1)))


@given(
    happenings(COMING_AND_GOING) | happenings(COMING_AND_GOING | MOVES, most=2),
    st.sampled_from([1, 4, 16]),
    st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_rows_that_stay_are_all_read_while_others_come_and_go(
    changes: dict[int, list[tuple[Any, ...]]], concurrency: int, by_offset: bool
) -> None:
    """The limit is a move, an insertion and a deletion between two requests: if they cancel each
    other out, nothing is left to see.
    """
    source = List(NAMES, changes)
    try:
        rows = read({"a": source}, concurrency=concurrency, by_offset=by_offset)
    except IncompleteError:
        return  # said so: nothing is hidden
    stayed = {row for row, times in source.survivors.items() if times}
    assert stayed <= set(rows)
    assert len(rows) == len(set(rows))


@given(happenings(MOVES, most=2), st.sampled_from([1, 4, 16]), st.booleans())
@example({2: [("move", 30, 0)]}, 1, True)
@settings(max_examples=400, deadline=None)
def test_rows_that_move_are_read(
    changes: dict[int, list[tuple[Any, ...]]], concurrency: int, by_offset: bool
) -> None:
    source = List(NAMES, changes)
    rows = read({"a": source}, concurrency=concurrency, by_offset=by_offset)
    assert set(NAMES) == set(rows)


def test_no_more_is_read_ahead_than_keeps_the_workers_busy() -> None:
    names = [f"row {number:04}" for number in range(1000)]
    source = List(names, {})
    reader = ListReader(plan_of(Server(4, {"a": source})), [Connection("a", {}, "id")])
    asked = [source.requests for _ in rows_of(reader)]
    pages = [row // (PAGE - 1) for row in range(len(names))]
    assert all(ahead <= page + 2 + 2 * 4 for ahead, page in zip(asked, pages, strict=True))


def test_without_the_overlap_a_deletion_loses_a_row() -> None:
    """What the reader is for: plain paging by position misses a row that was there throughout."""
    source = List(NAMES, {2: [("delete", 0)]})
    plain = []
    for offset in range(0, len(NAMES), PAGE):
        field = PageField(Connection("a", {}, "id"), PAGE, offset or None)
        plain += [node["id"] for node in source.answer(field).records]
    assert set(NAMES[1:]) - set(plain) == {NAMES[PAGE]}
    assert set(NAMES) == set(read({"a": List(NAMES, {2: [("delete", 0)]})}))


def test_a_row_that_changes_to_the_part_that_was_read_already_is_found() -> None:
    """Between the two halves: unarchived after the active users were read."""
    active, archived = List(NAMES[:20], {}), List(NAMES[20:], {})

    def unarchive() -> None:
        if active.requests == 5 and archived.rows[-1] == NAMES[-1]:
            active.rows.append(archived.rows.pop())

    original = active.change

    def change() -> None:
        original()
        unarchive()

    active.change = change  # type: ignore[method-assign]
    rows = read({"active": active, "archived": archived}, concurrency=1)
    assert set(rows) == set(NAMES)


def test_a_count_that_stays_too_high_fails() -> None:
    source = List(NAMES, {})
    source.lie = 1
    with pytest.raises(IncompleteError, match="reports 41 rows, but only 40"):
        read({"a": source})


def test_a_list_that_never_holds_still_is_read_and_said_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    changes = {number: [("move", 39, 0)] for number in range(1, 200)}
    rows = read({"a": List(NAMES, changes)}, passes=7)
    assert set(rows) == set(NAMES)
    assert "`a` changed during the sync; all rows that existed throughout were read" in caplog.text


def test_repair_gives_only_what_was_not_given() -> None:
    rows = read({"a": List(NAMES, {3: [("move", 39, 0)]})}, concurrency=1)
    assert sorted(rows) == NAMES


def test_rows_of_equal_key_are_numbered() -> None:
    twins = ["x", "x", "y", "x", "z", "z", "x"]
    plan = plan_of(Server(2, {"a": List(twins, {})}), repeats=True)
    reader = ListReader(plan, [Connection("a", {}, "id")])
    rows = {(node["id"], number) for node, number in rows_of(reader)}
    assert sorted(rows) == [*(("x", n) for n in range(4)), ("y", 0), ("z", 0), ("z", 1)]


def test_where_rows_move_the_numbers_of_equal_rows_do_not_depend_on_their_order() -> None:
    def numbered(scores: list[int]) -> set[tuple[int, int]]:
        rows = numbered_rows([{"score": score} for score in scores])
        return {(record["score"], number) for record, number in rows}

    assert numbered([7, 5, 9]) == numbered([9, 7, 5]) == {(5, 0), (7, 1), (9, 2)}


@given(st.lists(happenings(COMING_AND_GOING), min_size=3, max_size=3))
@settings(max_examples=200, deadline=None)
def test_small_connections_are_drained_side_by_side(
    changes: list[dict[int, list[tuple[Any, ...]]]],
) -> None:
    lists = {
        name: List(NAMES[: 9 * (index + 1)], change)
        for index, (name, change) in enumerate(zip("abc", changes, strict=True))
    }
    plan = plan_of(Server(4, lists))
    nested = [Connection(name, {}, "id", by_offset=False) for name in lists]
    first = lists["a"].answer(PageField(nested[0], PAGE, None))
    drained: list[set[str]] = [set(), set(), set()]
    pages = read_nested(plan, [(nested[0], first), (nested[1], None), (nested[2], None)])
    try:
        for place, nodes in pages:
            drained[place] |= {node["id"] for node in nodes}
    except IncompleteError:
        return
    for source, found in zip(lists.values(), drained, strict=True):
        assert {row for row, times in source.survivors.items() if times} <= found


def page_answer(**changes: Any) -> dict[str, Any]:
    edges = [{"node": {"id": str(number)}, "cursor": str(number)} for number in range(PAGE)]
    return {"count": 40, "pageInfo": {"hasNextPage": True}, "edges": edges} | changes


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "without edges"),
        ([], "without edges"),
        (page_answer(edges=None), "without edges"),
        (page_answer(edges=[{"node": None}] * PAGE), "empty node"),
        (page_answer(edges=[None] * PAGE), "empty node"),
        (page_answer(edges=[]), "gave 0 of 5 rows although more follow"),
        (page_answer(edges=page_answer()["edges"][:1]), "gave 1 of 5 rows although more follow"),
        (page_answer(pageInfo=None), "does not say whether another page follows"),
        (page_answer(pageInfo={"hasNextPage": None}), "does not say whether"),
        (page_answer(count="many"), "count that is not a number of rows"),
        (page_answer(count=-1), "count that is not a number of rows"),
    ],
)
@pytest.mark.parametrize("by_offset", [True, False])
def test_answers_that_cannot_be_are_refused(answer: Any, message: str, by_offset: bool) -> None:
    field = PageField(Connection("a", {}, "id", by_offset=by_offset), PAGE, None)
    with pytest.raises(ProtocolError, match=message):
        field.parse(answer)


def test_a_cursor_that_does_not_move_is_refused() -> None:
    edges = [{"node": {"id": str(number)}, "cursor": "7"} for number in range(PAGE)]
    field = PageField(Connection("a", {}, "id", by_offset=False), PAGE, "7")
    with pytest.raises(ProtocolError, match="cursor that does not move"):
        field.parse(page_answer(edges=edges))

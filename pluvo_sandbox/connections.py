"""Relay connections with positional cursors, paged the way graphene-django pages them."""

from __future__ import annotations

from base64 import b64decode, b64encode
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import GraphQLError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pluvo_sandbox.behaviour import Counts

MAX_PAGE_SIZE = 50
CACHED_REQUESTS = 20  # after which counts that are cached are made anew
COUNT_CAP = 100  # the highest count of a server that caps them
ESTIMATE_ERROR = 0.05  # how far counts that are estimated may be off
_PREFIX = "arrayconnection:"


class Window(NamedTuple):
    """Which rows of an ordered list one page shows.

    Attributes:
        start: position of the first row on the page.
        stop: position behind the last one.
        has_next: whether rows follow.
        has_previous: whether rows precede; only pages asked for by `last` say so.
    """

    start: int
    stop: int
    has_next: bool
    has_previous: bool


def cursor_at(position: int) -> str:
    """Return the cursor of the row at `position`, counted from 0."""
    return b64encode(f"{_PREFIX}{position}".encode()).decode()


def position_of(cursor: str | None, default: int) -> int:
    """Return the position that `cursor` names; `default` when it names none.

    Like graphene-django, which behaves as if none was given when it can't read a cursor.
    """
    try:
        prefix, _, position = b64decode(cursor or "").decode().partition(":")
        return int(position) if prefix + ":" == _PREFIX else default
    except ValueError:
        return default


def window(
    field: str, length: int, arguments: Mapping[str, Any], page_cap: int | None = None
) -> Window:
    """Find the page of a list that the arguments of a connection ask for.

    Args:
        field: name of the connection, for messages.
        length: number of rows in the list.
        arguments: `first`, `after`, `last`, `before`, `offset`, each absent or None or given.
        page_cap: the most rows on a page, whatever the arguments say; None for no cap.

    Raises:
        GraphQLError: a size is negative or above the limit, or `offset` comes with `before`.
    """
    first, last = (_size(field, name, arguments.get(name)) for name in ("first", "last"))
    after = position_of(arguments.get("after"), -1)
    offset, before = arguments.get("offset"), arguments.get("before")
    if offset is not None and before is not None:
        message = (
            "You can't provide a `before` value at the same time as an `offset` value to properly "
            f"paginate the `{field}` connection."
        )
        raise GraphQLError(message)
    if first is None and last is None:
        first = MAX_PAGE_SIZE
    if page_cap is not None:
        first, last = (None if size is None else min(size, page_cap) for size in (first, last))

    lower = min(max(after + 1 + (offset or 0), 0), length)
    upper = min(max(position_of(before, length), lower), length)
    start, stop = lower, upper
    if first is not None:
        stop = min(stop, start + first)
    if last is not None:
        start = max(start, stop - last)
    return Window(
        start, stop, first is not None and stop < upper, last is not None and start > lower
    )


def _size(field: str, name: str, size: int | None) -> int | None:
    if size is None:
        return None
    if size < 0:
        message = f"Argument '{name}' must be a non-negative integer."
        raise GraphQLError(message)
    if size > MAX_PAGE_SIZE:
        message = (
            f"Requesting {size} records on the `{field}` connection exceeds the `{name}` limit of "
            f"{MAX_PAGE_SIZE} records."
        )
        raise GraphQLError(message)
    return size


class Counter:
    """Counts as a server gives them: exact, or not.

    `seed`: another one gives other estimates.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._cached: dict[Any, tuple[int, int]] = {}

    def count(self, counts: Counts, name: Any, rows: int, number: int) -> int:
        """Return what a list is said to have.

        Args:
            counts: how they are made.
            name: that of the list, with its arguments.
            rows: how many it has.
            number: of the request, counted from 1.
        """
        if counts == "capped":
            return min(rows, COUNT_CAP)
        if counts == "estimated":
            random = Random(f"{self._seed}/{name}")  # noqa: S311 - repeatable on purpose
            return rows + round(rows * random.uniform(-ESTIMATE_ERROR, ESTIMATE_ERROR))
        if counts == "cached":
            made, cached = self._cached.get(name, (0, rows))
            if not made or not made <= number < made + CACHED_REQUESTS:
                made, cached = number, rows
            self._cached[name] = made, cached
            return cached
        return rows


def connection(nodes: Sequence[Any], page: Window, count: int) -> dict[str, Any]:
    """Dress the nodes of one page as a connection.

    Args:
        nodes: what stands at the positions of `page`, in order.
        page: where the nodes stand in the whole list.
        count: number of rows in the whole list.
    """
    edges = [
        {"node": node, "cursor": cursor_at(position)}
        for position, node in enumerate(nodes, page.start)
    ]
    return {
        "edges": edges,
        "count": count,
        "pageInfo": {
            "hasNextPage": page.has_next,
            "hasPreviousPage": page.has_previous,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }

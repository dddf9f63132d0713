"""Closer looks at rows of equal key: are they still where they were read?"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Look(NamedTuple):
    """A page of `rows` rows, at an offset in a connection; `place` is that in all connections."""

    connection: int
    offset: int
    place: int
    rows: int


def looks_at(
    places: Iterable[int], starts: Sequence[int], page_rows: Sequence[int], end: int
) -> Iterator[Look]:
    """Give looks that show all of the places, which come in order: as few pages as there can be.

    `starts` are the places at which connections begin, `end` the one behind the last of them;
    `page_rows` is how many rows their pages have.
    """
    seen = 0  # up to this place
    for place in places:
        if place < seen:
            continue
        behind = bisect_right(starts, place)
        index = behind - 1
        seen = min(place + page_rows[index], [*starts, end][behind])
        yield Look(index, place - starts[index], place, seen - place)

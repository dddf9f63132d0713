"""Closer looks at rows of equal key: are they still where they were read?"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FEWEST_ROWS = 2  # that a page can have


class Look(NamedTuple):
    """A page of `rows` rows, at an offset in a connection, and where it has `key`."""

    key: str
    connection: int
    offset: int
    rows: int
    places: Sequence[int]

    def shows(self, keys: Sequence[str]) -> bool:
        """Tell whether a page with these keys has `key` where it should be."""
        return all(keys[place : place + 1] == [self.key] for place in self.places)


def looks_at(
    key: str, places: Sequence[int], starts: Sequence[int], page_rows: Sequence[int]
) -> Iterator[Look]:
    """Give the looks at all places of a key: one, if they fit on a page, else one at each.

    `starts` are the places at which connections begin, `page_rows` how many rows their pages have.
    """
    index = bisect_right(starts, places[0]) - 1
    offset = places[0] - starts[index]
    if places[-1] - places[0] < page_rows[index]:
        yield Look(key, index, offset, page_rows[index], [at - places[0] for at in places])
        return
    for place in places:
        index = bisect_right(starts, place) - 1
        yield Look(key, index, place - starts[index], FEWEST_ROWS, [0])

"""The order of rows that tie: that have the same value in what their list is ordered by."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array

    from pluvo_sandbox.connections import Window


def shuffled(keys: array[int], ranks: array[int], page: Window, salt: str) -> list[int]:
    """Return the keys that a page shows when rows that tie come in an arbitrary order.

    Like a database that sorts by a column which is not unique: a page holds no row twice, but the
    next page may have the rows in another order, and so miss rows and repeat others.

    Args:
        keys: of all rows of the list, in order.
        ranks: for each of the keys the place of its value in the order, equal for rows that tie.
        page: which positions are shown.
        salt: another one gives another order.
    """
    shown: list[int] = []
    position = page.start
    while position < page.stop:
        rank = ranks[position]
        first, end = bisect_left(ranks, rank), bisect_right(ranks, rank)
        tied = list(keys[first:end])
        Random(f"{salt}/{rank}").shuffle(tied)  # noqa: S311 - repeatable on purpose
        shown += tied[position - first : page.stop - first]
        position = end
    return shown

"""Overlapping pages put together to a list, even where rows before them came or went.

Positions shift when rows come and go between two requests (cursors of this API are most likely
positions too). So each page begins with the last row of the page before it. Where that seam fits,
reading goes on. Rows that were inserted before the seam only repeat. Rows that vanished before it
moved others to the left, over the seam: then the stitcher steps back until a page joins, and gives
what was jumped over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pluvo_client.reading.connection import Page, Position
    from pluvo_client.schema.selection import Record


class PageStitcher:
    """One pass over one connection; it asks for nothing, but says what to ask for.

    `next_position` is the position to read next, and `add_page` takes the page that was read there.
    `moved` tells whether rows came or went meanwhile, `count` is the last count that was seen.
    """

    def __init__(self, key: Callable[[Record], str]) -> None:
        self._key = key
        self._previous: list[str] = []
        self._starts: list[Position] = []
        self._unjoined: list[tuple[Page, list[str]]] = []
        self.next_position: Position = None
        self.done = False
        self.moved = False
        self.count: int | None = None

    def add_page(self, page: Page) -> list[tuple[str, Record]]:
        """Take the page at `next_position` and return its new rows with their keys, in order.

        None are returned while the page does not join the one before it; `next_position` then is
        that of an earlier page, whose rows come first.
        """
        if self.count is not None and page.total != self.count:
            self.moved = True
        self.count = page.total
        if not self._unjoined:
            self._starts.append(self.next_position)
        self._unjoined.append((page, [self._key(record) for record in page.records]))
        seam = self._seam(self._unjoined[-1][1])
        back = len(self._starts) - 1 - len(self._unjoined)
        if seam is None and back >= 0:
            self.next_position = self._starts[back]
            return []
        frontier = self._unjoined[0][0]
        rows: list[tuple[str, Record]] = []
        while self._unjoined:
            joined, keys = self._unjoined.pop()
            start = self._seam(keys) or 0
            rows += zip(keys[start:], joined.records[start:], strict=True)
            self._previous = keys or self._previous
        self.done = not frontier.has_next
        self.next_position = frontier.resume
        return rows

    def _seam(self, keys: list[str]) -> int | None:
        """Return where the new rows of a page begin, or None if it does not join what is known."""
        if not self._previous:
            return 0
        if keys and keys[0] == self._previous[-1]:
            return 1
        self.moved = True
        places = {key: place for place, key in enumerate(keys)}
        return next((places[key] + 1 for key in reversed(self._previous) if key in places), None)

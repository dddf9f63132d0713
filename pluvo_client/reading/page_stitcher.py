"""Overlapping pages put together to a list, even where rows before them came or went.

Positions shift when rows come and go between two requests (cursors of this API are most likely
positions too). So each page begins with the last row of the page before it. Where that seam fits,
reading goes on. Rows that were inserted before the seam only repeat. Rows that vanished before it
moved others to the left, over the seam: then the stitcher steps back until a page joins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from pluvo_client.reading.connection import Page, Position
    from pluvo_client.schema.selection import Record


class Piece(NamedTuple):
    """A page in its place: all its rows with their keys, in order.

    `start` is the place of the first row behind the seam. `exact` says that the piece joins the one
    before it: it begins with that one's last row.
    """

    keys: list[str]
    records: list[Record]
    start: int
    exact: bool


class PageStitcher:
    """One pass over one connection; it asks for nothing, but says what to ask for.

    `next_position` is the position to read next, and `add_page` takes the page that was read there.
    `moved` tells whether a seam did not fit, or the count changed; `count` is the last one seen.
    `known` tells whether a row of a key was read in this pass before.
    """

    def __init__(self, key: Callable[[Record], str], known: Callable[[str], bool]) -> None:
        self._key = key
        self._known = known
        self._previous: list[str] = []
        self._starts: list[Position] = []
        self._unjoined: list[tuple[Page, list[str]]] = []
        self.next_position: Position = None
        self.done = False
        self.moved = False
        self.count: int | None = None

    def add_page(self, page: Page) -> list[Piece]:
        """Take the page at `next_position` and return it in its place.

        Nothing is returned while it does not join the one before it; `next_position` then is that
        of an earlier page, which comes first.
        """
        self.moved |= bool(self._starts) and page.total != self.count
        self.count = page.total
        if not self._unjoined:
            self._starts.append(self.next_position)
        keys = [self._key(record) for record in page.records]
        self._unjoined.append((page, keys))
        back = len(self._starts) - 1 - len(self._unjoined)
        if back >= 0 and not self._joins(keys):
            self.moved = True
            self.next_position = self._starts[back]
            return []
        frontier = self._unjoined[0][0]
        pieces = []
        while self._unjoined:
            joined, keys = self._unjoined.pop()
            exact = bool(keys) and keys[:1] == self._previous[-1:]
            self.moved |= bool(self._previous) and not exact
            pieces.append(Piece(keys, joined.records, self._start(keys), exact))
            self._previous = keys or self._previous
        self.done = not frontier.has_next
        self.next_position = frontier.resume
        return pieces

    def _joins(self, keys: list[str]) -> bool:
        """Tell whether no row can have slid over the seam between the last piece and a page."""
        if not self._previous or keys[:1] == self._previous[-1:]:
            return True
        # Rows that came again were pushed to the right, by others that came before them.
        return bool(keys) and (self._known(keys[0]) or not set(keys).isdisjoint(self._previous))

    def _start(self, keys: list[str]) -> int:
        """Return the place of the first row of a page that the piece before does not have.

        They share nothing, as far as it shows, if the last row of that piece is not on the page:
        where another one is, it may be a different row of the same key.
        """
        last = self._previous[-1:]
        if keys[:1] == last:
            return min(1, len(keys))
        return max((place + 1 for place, key in enumerate(keys) if [key] == last), default=0)

"""One pass over connections that are counted together, with pages prefetched in order."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pluvo_client.errors import ProtocolError, QueryError, SchemaDifferenceError
from pluvo_client.reading.circle import CircleWatch
from pluvo_client.reading.closer_look import looks_at
from pluvo_client.reading.connection import ARCHIVED
from pluvo_client.reading.evidence import total
from pluvo_client.reading.fetcher import Vanished
from pluvo_client.reading.page_stitcher import PageStitcher
from pluvo_client.reading.root_fields import AnythingField, CountField, PageField

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pluvo_client.errors import Difference
    from pluvo_client.reading.connection import Connection, Page, Position
    from pluvo_client.reading.fetcher import PendingResults
    from pluvo_client.reading.ledger import Ledger, Row
    from pluvo_client.reading.read_plan import ReadPlan

BEYOND_ANY_END = 1_000_000_000  # an offset at which no list has rows


class ReadPass:
    """One pass over all connections of a reader.

    `counts` are the connections' own, all from one moment at the start (None: not known). `moved`
    tells whether rows came, went or moved meanwhile, `rows` how many rows came in all, without
    those that neighbouring pages share.
    """

    def __init__(
        self,
        plan: ReadPlan,
        connections: Sequence[Connection],
        first_pages: Sequence[Page],
        page_rows: Sequence[int],
    ) -> None:
        """Begin with the first pages; `page_rows` is how many rows full ones of each have."""
        self._plan = plan
        self._connections = connections
        self._fetcher = plan.fetcher
        self._page_rows = page_rows
        self._first_pages = dict(enumerate(first_pages))
        self._first_keys = [[plan.key(record) for record in page.records] for page in first_pages]
        self._stitchers: list[PageStitcher] = []
        self._planned = self._plan_pages()
        self._prefetched: dict[tuple[int, Position], PendingResults[Page]] = {}
        self._offset_works: set[int] = set()
        self._paged = any(page.has_next for page in first_pages)
        self.counts = [page.total for page in first_pages]
        self.rows = 0
        self._starts: list[int] = []  # the places, in all of them, at which connections begin
        self._check_parts_differ()

    @property
    def moved(self) -> bool:
        """Whether rows came, went or moved while they were read."""
        return any(stitcher.moved for stitcher in self._stitchers)

    def pages(self, ledger: Ledger) -> Iterator[list[Row]]:
        """Give the rows that `ledger` has not given yet, a page at a time."""
        self._stitchers = [PageStitcher(self._plan.key, ledger.known) for _ in self._connections]
        self._prefetch()
        for index, stitcher in enumerate(self._stitchers):
            circle = CircleWatch(self._connections[index].field)
            self._starts.append(self.rows)
            while not stitcher.done:
                self._fetcher.check_stopped()
                before = ledger.found
                for piece in stitcher.add_page(self._page(index, stitcher.next_position)):
                    if rows := ledger.take(piece):
                        yield rows
                    self.rows += len(piece.keys) - piece.exact
                if self._plan.sample:
                    break
                # Equal rows may fill page after page, as many as the list counts.
                equal = self._plan.repeats and self.rows - self._starts[-1] <= (stitcher.count or 0)
                circle.note(news=ledger.found > before or equal)
            self._forget(index)

    def look_closer(self, ledger: Ledger) -> None:
        """Find out whether rows of equal key that came on several pages are in their places still.

        It is left to another pass where pages cannot be asked for by their place.
        """
        if self.moved or not all(connection.by_offset for connection in self._connections):
            return
        if not (places := ledger.places_of_spread_rows()):
            return
        looks = list(looks_at(places, self._starts, self._page_rows, self.rows))
        pages = self._fetcher.ask_many(
            PageField(self._connections[look.connection], look.rows, look.offset) for look in looks
        )
        for look, page in zip(looks, pages, strict=True):
            if isinstance(page, Vanished):  # a root field does not
                return
            keys = [self._plan.key(record) for record in page.records]
            stitcher = self._stitchers[look.connection]
            stitcher.moved |= page.total != stitcher.count or len(keys) != look.rows
            stitcher.moved |= not ledger.stood(keys, look.place)
        if not self.moved:
            ledger.note_in_place()

    def counted(self) -> int | None:
        """Return how many rows the connections have by their own counts, asked for once more.

        Where several connections were read one after the other, a row may have moved behind the
        reader's back from one that was still to be read to one that was read already.
        """
        several = len(self._connections) > 1 and self._paged
        if several and not self.moved and all(item.counted for item in self._connections):
            counts = self._fetcher.ask(
                *(CountField(connection) for connection in self._connections)
            ).get()
            for stitcher, count in zip(self._stitchers, counts, strict=True):
                if isinstance(count, int) and count != stitcher.count:
                    stitcher.moved = True
                    stitcher.count = count
        return total([stitcher.count for stitcher in self._stitchers])

    def close(self) -> None:
        """Cancel what is under way."""
        for pending in self._prefetched.values():
            pending.cancel()
        self._prefetched.clear()

    # Pages

    def _plan_pages(self) -> Iterator[tuple[int, Position]]:
        """Give the positions of all pages after the first ones, as far as counts foretell them."""
        for index, page in list(self._first_pages.items()):
            if self._connections[index].by_offset and page.total is not None and page.has_next:
                start, step = len(page.records) - 1, self._page_rows[index] - 1
                for offset in range(start, page.total - 1, step):
                    yield index, offset

    def _prefetch(self) -> None:
        """Keep as many pages under way as keep the workers busy while rows are emitted.

        They are asked for several at once, since each time this thread and the workers get into
        each other's way.
        """
        if len(self._prefetched) > self._fetcher.read_ahead:
            return
        while len(self._prefetched) < 2 * self._fetcher.read_ahead:
            planned = next(self._planned, None)
            if planned is None:
                return
            self._prefetched[planned] = self._ask(*planned)

    def _ask(self, index: int, position: Position) -> PendingResults[Page]:
        return self._fetcher.ask(PageField(self._connections[index], self._plan.first, position))

    def _page(self, index: int, position: Position) -> Page:
        """Return a page that was foretold, else ask for it; each page is used once.

        Raises:
            SchemaDifferenceError: `offset` has no effect.
        """
        if position is None and index in self._first_pages:
            return self._first_pages.pop(index)
        pending = self._prefetched.pop((index, position), None) or self._ask(index, position)
        self._prefetch()
        try:
            (page,) = pending.get()
        except ProtocolError:
            self._check_offset(index, position)
            raise
        if page.records and self._plan.key(page.records[0]) == self._first_keys[index][0]:
            self._check_offset(index, position)
        return page

    def _forget(self, index: int) -> None:
        """Drop pages that were foretold but are not there any more."""
        for planned in [item for item in self._prefetched if item[0] == index]:
            self._prefetched.pop(planned).cancel()

    # Arguments without effect

    def _check_offset(self, index: int, position: Position) -> None:
        """Find out whether `offset` has an effect, where a later page looks like the first one."""
        connection = self._connections[index]
        if not position or not connection.by_offset or index in self._offset_works:
            return
        with contextlib.suppress(QueryError):  # who complains about an offset does look at it
            beyond = {**connection.arguments, "offset": BEYOND_ANY_END}
            (ignored,) = self._fetcher.ask(AnythingField(connection.field, beyond)).get()
            if ignored:
                raise SchemaDifferenceError([self._argument(connection, "offset")])
        self._offset_works.add(index)

    def _check_parts_differ(self) -> None:
        """Notice an argument without effect: it should tell connections apart, but they are equal.

        Halves may be equal for a while, and hold different rows in the end.

        Raises:
            SchemaDifferenceError: two connections begin with the same rows, and have as many.
        """
        for index, connection in enumerate(self._connections[1:], 1):
            if (
                self._first_keys[index]
                and self._first_keys[index] == self._first_keys[0]
                and self.counts[index] == self.counts[0]
            ):
                arguments = self._connections[0].arguments
                equal = [
                    self._argument(connection, name)
                    for name, value in connection.arguments.items()
                    if arguments.get(name) != value and name != ARCHIVED
                ]
                if equal:
                    raise SchemaDifferenceError(equal)

    def _argument(self, connection: Connection, name: str) -> Difference:
        return self._fetcher.contract.root_argument(connection.field, name)

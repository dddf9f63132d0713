"""One pass over the connections of a list, and what it notices of their movements.

Positions shift when rows come and go between two requests (cursors of this API are most likely
positions, too). So each page begins with the last row of the page before it: the *seam*. Where that
row is found again, and how the count has changed, tells what happened in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pluvo_client.errors import ProtocolError
from pluvo_client.outcome import total
from pluvo_client.reading.read_plan import Step
from pluvo_client.reading.root_fields import CountField, PageField

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from pluvo_client.reading.connection import Connection, Page
    from pluvo_client.reading.read_plan import ReadPlan
    from pluvo_client.reading.row_collector import RowCollector

IDLE_PAGE_LIMIT = 10  # pages in a row, beyond those that brought rows, that may bring none


class ReadPass:
    """One pass over the connections of a list; `page_rows` is how many rows full pages have.

    Attributes:
        counts: rows of each connection by its own count, all from one moment at the start.
        latest: the newest of these counts.
        starts: places, in all connections, at which each begins.
        only_grew: whether rows only came, or moved from the unread part to the read one.
        grew_at_front: whether rows only came to the read part of the list.
        repeated: rows that came behind a seam although they had come before.
        seams: pages that follow another one.
        events: rows that came, went or moved, as far as seams and counts tell.
        torn: seams whose row was not found again, although the count did not fall.
        falls: rows that went from the read part of the list, as far as counts tell.
        arrivals: rows that came to the unread part of the list, and so were seen.
        crossings: rows that may have moved from the unread part of the list to the read one.
    """

    def __init__(
        self,
        plan: ReadPlan,
        connections: Sequence[Connection],
        first_pages: Sequence[Page],
        page_rows: Sequence[int],
    ) -> None:
        self._plan = plan
        self._connections = connections
        self._first_pages = first_pages
        self.page_rows = page_rows
        self.counts = [page.total for page in first_pages]
        self.latest = [*self.counts]
        self.starts: list[int] = []
        self.only_grew = self.grew_at_front = True
        self.seams = self.torn = self.events = self.repeated = 0
        self.falls = self.arrivals = self.crossings = 0

    @property
    def counted(self) -> int | None:
        """Rows of all connections by their newest counts, or None if one is not known."""
        return total(self.latest)

    def read(
        self, collector: RowCollector, is_enough: Callable[[], bool]
    ) -> Generator[Step, list[Any], None]:
        """Yield a step for each page, until there are no more, or until it is enough."""
        for index in range(len(self._connections)):
            self.starts.append(len(collector.order))
            yield from self._read_connection(index, collector, is_enough)
            if is_enough():
                return

    def _read_connection(
        self, index: int, collector: RowCollector, is_enough: Callable[[], bool]
    ) -> Generator[Step, list[Any], None]:
        connection, page = self._connections[index], self._first_pages[index]
        planned = self._planned(index)
        guard = LoopGuard(connection.field)
        last: str | None = None
        while True:
            found, keys = collector.found, self._plan.keys(page)
            start = self._note_seam(index, page.total, keys, last, collector)
            rows = collector.take(keys, page.records, start)
            # Equal rows may fill page after page, as many as the list counts.
            equal = self._plan.repeats and len(collector.order) <= (self.counted or 0)
            guard.note(news=collector.found > found or equal)
            self.repeated = len(collector.order) - collector.found
            if not page.has_next or self._plan.sample or is_enough():
                yield Step(rows)
                return
            last = keys[-1] if keys else last
            field = PageField(connection, self._plan.first, page.resume)
            (page,) = yield Step(rows, [field], planned=planned)
            planned = None

    def _planned(self, index: int) -> Iterator[PageField] | None:
        """Return the pages after the first one, as far as its count foretells them."""
        connection, page = self._connections[index], self._first_pages[index]
        if not (connection.by_offset and page.has_next and page.total):
            return None
        assert isinstance(page.resume, int)  # noqa: S101 - by_offset says so
        offsets = range(page.resume, page.total - 1, self.page_rows[index] - 1)
        return (PageField(connection, self._plan.first, offset) for offset in offsets)

    def _note_seam(
        self,
        index: int,
        count: int | None,
        keys: Sequence[str],
        last: str | None,
        collector: RowCollector,
    ) -> int:
        """Note what a page shows of movements; return the place of its first row behind the seam.

        `last` is the key of the last row of the page before; a row of this key further on may be
        another one, if there are several.
        """
        growth = self.note_count(index, count)
        if last is None:
            return 0
        self.seams += 1
        shift = keys.index(last) if last in keys else None
        if shift and collector.has_copies(last):
            shift = None
        self.events += max(abs(growth), 1 if shift is None else shift)
        self.only_grew &= growth >= 0 and shift is not None
        self.grew_at_front &= shift == growth and growth >= 0
        if shift is None:
            self.torn += growth >= 0
            self.falls += max(-growth, 0)
            self.arrivals += max(growth, 0)
            self.crossings += self._plan.first if growth >= 0 else 0
            return 0
        self.arrivals += max(growth - shift, 0)
        self.crossings += max(shift - growth, 0)
        return shift + 1

    def note_count(self, index: int, count: int | None) -> int:
        """Note a newer count of a connection; return by how many rows it has grown."""
        before, self.latest[index] = self.latest[index], count
        return 0 if count is None or before is None else count - before

    def recount(self) -> Generator[Step, list[Any], None]:
        """Ask for all counts once more.

        Where several connections were read one after the other, a row may have moved behind the
        reader's back from one that was still to be read to one that was read already.
        """
        several = len(self._connections) > 1 and any(page.has_next for page in self._first_pages)
        if several and all(item.counted for item in self._connections):
            counts = yield Step(fields=[CountField(item) for item in self._connections])
            self.note_counts(counts)

    def note_event(self) -> None:
        """Note that rows moved in a way that nothing else shows."""
        self.events += 1
        self.only_grew = self.grew_at_front = False

    def note_counts(self, counts: Sequence[int | None]) -> None:
        """Note newer counts of the connections, as far as there are any."""
        for index, count in enumerate(counts):
            growth = self.note_count(index, count)
            self.events += abs(growth)
            self.falls += max(-growth, 0)
            self.only_grew &= growth >= 0
            self.grew_at_front &= growth == 0

    def note_next(self, counted: int | None) -> None:
        """Note how many rows there are by all counts when the next pass begins."""
        if counted is not None and self.counted is not None and counted < self.counted:
            self.falls += self.counted - counted
            self.events += self.counted - counted
            self.only_grew = self.grew_at_front = False


class LoopGuard:
    """Sees to it that the pages of a connection, whose name is `field`, come to an end."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._useful = self._idle = 0

    def note(self, *, news: bool) -> None:
        """Note a page, and whether it brought anything that this pass had not seen.

        Raises:
            ProtocolError: too many pages in a row brought nothing.
        """
        self._useful += news
        self._idle = 0 if news else self._idle + 1
        if self._idle > self._useful + IDLE_PAGE_LIMIT:
            msg = (
                f"`{self._field}` gives the same rows again and again, and does not come to an end"
            )
            raise ProtocolError(msg)

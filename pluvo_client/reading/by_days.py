"""A list read by the days of its rows, where it cannot be read by its places.

An answer with all rows of some days is one consistent view of them. A row that stays keeps its day
(of rows without a key, one with another day is another row). So whatever comes, goes, moves or
ties, each row that stayed is in an answer, as often as it is there.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from pluvo_client.reading.fetcher import Vanished
from pluvo_client.reading.page_stitcher import Piece
from pluvo_client.reading.root_fields import CountField, PageField

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Generator, Iterator, Sequence

    from pluvo_client.reading.connection import Connection, Page
    from pluvo_client.reading.ledger import Ledger, Row
    from pluvo_client.reading.read_plan import ReadPlan
    from pluvo_client.schema.selection import Record

DAY = dt.timedelta(days=1)
FILL = 0.7  # how much of a page the rows that are known of are to fill: there may be more
LONG_AGO = dt.date(1900, 1, 1)


class Days(NamedTuple):
    """Days, from `start` to `end`, both inclusive; None: without bound."""

    start: dt.date | None
    end: dt.date | None

    def hold(self, day: dt.date) -> bool:
        """Tell whether `day` is among them."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def split(self, known: Counter[dt.date]) -> list[Days]:
        """Return two halves, with about as many of the known rows in each."""
        inner = sorted(day for day in known.elements() if self.hold(day))
        middle = inner[len(inner) // 2]
        if middle == self.start:
            middle += DAY
        return [Days(self.start, middle - DAY), Days(middle, self.end)]


def asked_days(days: Days) -> Days:
    """Return the days to ask the API for, so that it gives all rows of some days.

    Whether the ends of its filter are inclusive, and in which zone a day is one, is not documented
    (page `common-recipes`): a day more is asked for on both sides. Rows of these are left out by
    whoever asked.
    """
    return Days(days.start and days.start - DAY, days.end and days.end + DAY)


class DayFilter(NamedTuple):
    """How a list is asked for by days.

    `days` are those of the list as a whole; `undated` tells whether it also has rows of no day.
    `connections` gives the connections of some days, `day` the day of a record.
    """

    days: Days
    undated: bool
    connections: Callable[[Days], Sequence[Connection]]
    day: Callable[[Record], dt.date | None]


class DayReader:
    """Reads a list by days; `known` is how many rows of each day were seen before.

    A day with more rows than a page is `crowded`: it is left to be read by its places.
    """

    def __init__(self, plan: ReadPlan, by_day: DayFilter, known: Counter[dt.date]) -> None:
        self._plan = plan
        self._by_day = by_day
        self._known = known
        self.crowded: list[Connection] = []

    def can_read(self) -> bool:
        """Tell whether the API's filter means the days that its rows show.

        It does not where the filter's ends are exclusive, or where its days are those of another
        time zone.
        """
        if not self._known:
            return False
        ((day, _),) = self._known.most_common(1)
        connections = self._by_day.connections(Days(day, day))
        fields = (PageField(connection, self._plan.first, None) for connection in connections)
        pages = self._plan.fetcher.ask(*fields).get()
        shown = {self._by_day.day(record) for page in pages for record in page.records}
        return shown == {day}

    def undated(self, connections: Sequence[Connection]) -> int | None:
        """Return how many rows of `connections`, the whole list, have no day; None: not known."""
        dated = self._by_day.connections(Days(LONG_AGO, None))
        fields = [CountField(connection) for connection in (*connections, *dated)]
        counts = self._plan.fetcher.ask(*fields).get()
        whole, parts = counts[: len(connections)], counts[len(connections) :]
        if None in counts:
            return None
        return sum(count or 0 for count in whole) - sum(count or 0 for count in parts)

    def pages(self, ledger: Ledger) -> Generator[list[Row], None, bool]:
        """Give the rows that `ledger` has not given yet; return whether all days were read."""
        due = self._first_ranges()
        while due:
            asked = [(days, index) for days, indexes in due for index in indexes]
            due = []
            for (days, index), (connection, page) in zip(asked, self._pages(asked), strict=True):
                shown = [self._by_day.day(record) for record in page.records]
                if not all(day and days.hold(day) for day in shown):
                    return False
                keys = [self._plan.key(record) for record in page.records]
                piece = Piece(keys, page.records, len(keys), exact=False)
                if rows := ledger.take(piece, again=True):
                    yield rows
                if not page.has_next:
                    continue
                if days.start == days.end:
                    self.crowded.append(connection)
                    continue
                self._known.update(day for day in shown if day and not self._known[day])
                due += [(half, [index]) for half in days.split(self._known)]
        return True

    def _first_ranges(self) -> list[tuple[Days, list[int]]]:
        """Return ranges of days whose rows, as far as they are known, fit on a page."""
        room = self._plan.first * FILL
        starts, rows = [self._by_day.days.start], 0
        for day in sorted(day for day in self._known if self._by_day.days.hold(day)):
            if rows and rows + self._known[day] > room:
                starts.append(day)
                rows = 0
            rows += self._known[day]
        ends = [start - DAY for start in starts[1:] if start]
        ranges = map(Days, starts, [*ends, self._by_day.days.end])
        indexes = range(len(self._by_day.connections(self._by_day.days)))
        return [(days, [*indexes]) for days in ranges]

    def _pages(self, asked: Sequence[tuple[Days, int]]) -> Iterator[tuple[Connection, Page]]:
        connections = [self._by_day.connections(days)[index] for days, index in asked]
        fields = (PageField(connection, self._plan.first, None) for connection in connections)
        answers = self._plan.fetcher.ask_many(fields, together=1)
        for connection, page in zip(connections, answers, strict=True):
            if not isinstance(page, Vanished):  # a root field does not
                yield connection, page

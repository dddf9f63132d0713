"""A list read by the days of its rows, where it cannot be read by its places.

An answer with all rows of some days is one consistent view of them. A row that stays keeps its day
(of rows without a key, one with another day is another row). So whatever comes, goes, moves or
ties, each row that stayed is in an answer, as often as it is there.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_client.errors import IncompleteError
from pluvo_client.reading.read_plan import Step
from pluvo_client.reading.root_fields import CountField, PageField

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Generator, Sequence

    from pluvo_client.outcome import ListOutcome
    from pluvo_client.reading.connection import Connection
    from pluvo_client.reading.read_plan import ReadPlan
    from pluvo_client.reading.row_collector import RowCollector
    from pluvo_client.schema.selection import Record

DAY = dt.timedelta(days=1)
FILL = 0.7  # how much of a page the rows that are known of are to fill: there may be more
FIRST_DAY = dt.date(1900, 1, 1)  # no row is older
RANGES_PER_STEP = 100
# Whether the ends of the API's filter are inclusive, whether they mean a midnight, and in which
# zone a day is one, is not documented (page `common-recipes`). What is asked for with a day more on
# both sides holds the range in any case.
MARGINS = (0, 1)  # days


class Days(NamedTuple):
    """Days, from `start` to `end`, both inclusive; None: without bound."""

    start: dt.date | None
    end: dt.date | None

    def hold(self, day: dt.date | None) -> bool:
        """Tell whether `day` is among them."""
        return (
            day is not None
            and (self.start is None or self.start <= day)
            and (self.end is None or day <= self.end)
        )

    def widened(self, margin: int) -> Days:
        """Return them with so many days more on both sides."""
        more = margin * DAY
        return Days(self.start and self.start - more, self.end and self.end + more)

    def split(self, known: Counter[dt.date]) -> list[Days]:
        """Return two halves, with about as many of the known rows in each; none if that fails."""
        inner = sorted(day for day in known if self.hold(day))
        if self.start == self.end or not inner:
            return []
        half, rows = sum(known[day] for day in inner) / 2, 0
        for middle in inner:
            rows += known[middle]
            if rows > half:
                break
        if middle == self.start:
            middle += DAY
        return [Days(self.start, middle - DAY), Days(middle, self.end)]


def asked_days(days: Days) -> Days:
    """Return the days to ask the API for, so that it gives all rows of some days.

    Rows of the days beyond are left out by whoever asked; see `MARGINS`.
    """
    return days.widened(1)


class DayFilter(NamedTuple):
    """How a list is asked for by days.

    Attributes:
        days: those of the list as a whole.
        undated: whether it also has rows without a day.
        connections: gives the connections of some days.
        day: gives the day of a record.
    """

    days: Days
    undated: bool
    connections: Callable[[Days], Sequence[Connection]]
    day: Callable[[Record], dt.date | None]


class DatedPart(NamedTuple):
    """How many rows of a list have a day, by its own count, and how many have none."""

    dated: int
    undated: int


def count_parts(
    by_day: DayFilter, connections: Sequence[Connection]
) -> Generator[Step, list[Any], DatedPart | None]:
    """Ask how many rows of `connections`, the whole list, have a day; None: not known."""
    span = Days(FIRST_DAY, None) if by_day.undated else by_day.days
    dated = by_day.connections(span)
    counts = yield Step(fields=[CountField(item) for item in (*connections, *dated)])
    if None in counts:
        return None
    whole, part = sum(counts[: len(connections)]), sum(counts[len(connections) :])
    return DatedPart(part, whole - part)


class DayReader:
    """Reads all rows that have a day; `read_list` gives the steps that read one by its places."""

    def __init__(
        self,
        plan: ReadPlan,
        by_day: DayFilter,
        collector: RowCollector,
        read_list: Callable[[Connection], Generator[Step, list[Any], ListOutcome]],
    ) -> None:
        self._plan = plan
        self._by_day = by_day
        self._collector = collector
        self._read_list = read_list
        self.indistinguishable = 0  # rows of days with more rows than a page

    def steps(
        self, connections: Sequence[Connection]
    ) -> Generator[Step, list[Any], DatedPart | None]:
        """Yield steps; return how many rows `connections`, the whole list, have, if all are proven.

        They are if as many were found as the API counts.
        """
        for margin in MARGINS:
            rows = yield from self._read_ranges(margin)
            parts = yield from count_parts(self._by_day, connections)
            if parts is not None and parts.dated == rows:
                return parts
        return None

    def _read_ranges(self, margin: int) -> Generator[Step, list[Any], int]:
        """Read ranges of days that fit on a page each; return how many rows they have."""
        plan, by_day, collector = self._plan, self._by_day, self._collector
        kinds = range(len(by_day.connections(by_day.days)))
        due = [(days, kind) for days in self._first_ranges() for kind in kinds]
        rows = 0
        while due:
            asked, due = due[:RANGES_PER_STEP], due[RANGES_PER_STEP:]
            lists = [by_day.connections(days.widened(margin))[kind] for days, kind in asked]
            fields = [PageField(item, plan.first, None) for item in lists]
            pages = yield Step(fields=fields, at_once=False)
            for (days, kind), connection, page in zip(asked, lists, pages, strict=True):
                yield Step(collector.take_view(plan.keys(page), page.records))
                if not page.has_next:
                    rows += sum(days.hold(by_day.day(record)) for record in page.records)
                elif halves := days.split(collector.days):
                    due += [(half, kind) for half in halves]
                else:  # a day with more rows than a page
                    rows += yield from self._read_day(connection, days)
        return rows

    def _read_day(self, connection: Connection, days: Days) -> Generator[Step, list[Any], int]:
        """Read the rows of a day by their places; return how many were found."""
        found = set[tuple[str, int]]()
        steps = self._read_list(connection)
        step = next(steps)
        while True:
            rows = [(self._plan.key(record), record, number) for record, number in step.rows]
            found.update(
                (key, number) for key, record, number in rows if days.hold(self._by_day.day(record))
            )
            answers = yield step._replace(rows=self._collector.take_numbered(rows), planned=None)
            try:
                step = steps.send(answers)
            except StopIteration as end:
                outcome: ListOutcome = end.value
                self.indistinguishable += outcome.indistinguishable
                return len(found)
            except IncompleteError:
                return len(found)

    def _first_ranges(self) -> list[Days]:
        """Return ranges of days whose rows, as far as they are known, fit on a page."""
        span, known = self._by_day.days, self._collector.days
        room = self._plan.first * FILL
        starts, rows = [span.start], 0
        for day in sorted(day for day in known if span.hold(day)):
            if rows and rows + known[day] > room:
                starts.append(day)
                rows = 0
            rows += known[day]
        ends = [start - DAY for start in starts[1:] if start]
        return [*map(Days, starts, [*ends, span.end])]

"""Connections read completely, in parallel and in order, even while their rows move or tie.

A list is read once. If every seam of its pages fitted and as many rows were found as it counts,
that is all. Otherwise it is read again, with other page boundaries, and only what was never given
is given, until one of two things shows that nothing can be missing: a pass in which all fits, or
as many rows that were read both before and after some moment as the list counted then.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from typing import TYPE_CHECKING

from pluvo_client.reading.by_days import DayReader
from pluvo_client.reading.connection import ARCHIVED
from pluvo_client.reading.evidence import Evidence, total
from pluvo_client.reading.ledger import Ledger
from pluvo_client.reading.read_pass import ReadPass
from pluvo_client.reading.read_plan import FEWEST_ROWS
from pluvo_client.reading.root_fields import PageField

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from pluvo_client.reading.by_days import DayFilter
    from pluvo_client.reading.connection import Connection, Page
    from pluvo_client.reading.fetcher import PendingResults
    from pluvo_client.reading.key_set import KeySet
    from pluvo_client.reading.ledger import Row
    from pluvo_client.reading.read_plan import ReadPlan

logger = logging.getLogger("pluvo_client")


class ConnectionReader:
    """Reads connections that are counted together; iterate to get their rows, a page at a time.

    The first pages are asked for at once, so that a reader can be under way before its turn. With
    `by_day`, the list can be asked for by days; rows in `given` were given before.
    `whole` is the connection of which these are the halves: if it counts more rows than both, it is
    read as well. `expected` is how many rows there are by their own count, once the first pages are
    there; `repairs` counts the passes beyond the first.
    """

    def __init__(
        self,
        plan: ReadPlan,
        connections: Sequence[Connection],
        by_day: DayFilter | None = None,
        given: KeySet | None = None,
        whole: Connection | None = None,
    ) -> None:
        self._plan = plan
        self._connections = connections
        self._whole = None if plan.sample else whole
        self._by_day = by_day
        self._ledger = Ledger(repeats=plan.repeats, given=given)
        self._first_pages: PendingResults[Page] | None = self._ask_first_pages(0)
        self._page_rows: list[int] = []
        self._rows_of_days = Counter[dt.date]()
        self.repairs = 0
        self.expected: int | None = None

    def __iter__(self) -> Iterator[list[Row]]:
        yield from self._read()
        if self._whole:
            self._plan.fetcher.say_once(
                f"`{self._name}` has rows for which `{ARCHIVED}` is neither true nor false: "
                "reading it without that argument, too"
            )
            rest = ConnectionReader(self._plan, [self._whole], given=self._ledger.given)
            yield from rest
            self.repairs += rest.repairs
            self.expected = rest.expected

    def _read(self) -> Iterator[list[Row]]:
        """Give the rows of the connections."""
        ledger = self._ledger
        evidence = Evidence(self._name, ledger)
        moved = False
        for number in range(1 + self._plan.max_repair_passes):
            if number:
                self.repairs += 1
                why = "changed while it was read" if moved else "shows fewer rows than it counts"
                logger.info("`%s` %s: re-reading", self._name, why)
            read = self._begin(number)
            self.expected = total(read.counts)
            ledger.begin_pass(moved=moved)
            try:
                yield from self._noting_days(read.pages(ledger))
                if not self._plan.sample:
                    read.look_closer(ledger)
            finally:
                read.close()
            if self._plan.sample:
                return
            counted = read.counted()
            moved |= read.moved
            if evidence.shows_all(read, counted):
                if evidence.spread_is_real:
                    yield ledger.take_spread()
                return
            if moved and (yield from self._read_by_days(ledger)):
                return
            if evidence.is_exhausted:
                break
        evidence.conclude()

    def _noting_days(self, pages: Iterator[list[Row]]) -> Iterator[list[Row]]:
        """Give pages, and note how many rows each day has."""
        for rows in pages:
            if self._by_day:
                days = map(self._by_day.day, (record for record, _ in rows))
                self._rows_of_days.update(day for day in days if day)
            yield rows

    def _read_by_days(self, ledger: Ledger) -> Generator[list[Row], None, bool]:
        """Give what was never given; return whether that is all, as the answers themselves show."""
        by_day, self._by_day = self._by_day, None  # once is enough
        if by_day is None:
            return False
        days = DayReader(self._plan, by_day, self._rows_of_days)
        if not days.can_read() or (by_day.undated and days.undated(self._connections) != 0):
            return False
        logger.info("`%s` is read by days", self._name)
        if not (yield from days.pages(ledger)):
            return False
        for connection in days.crowded:
            # Which of their equal rows were given is not known, so all are given once more.
            for rows in ConnectionReader(self._plan, [connection]):
                ledger.again += sum(
                    not ledger.given.add(self._plan.key(record), number) for record, number in rows
                )
                yield rows
        return True

    def _begin(self, number: int) -> ReadPass:
        """Begin with the pass `number`, counted from 0."""
        pages = (self._first_pages or self._ask_first_pages(number)).get()
        if self._whole and not number:
            *pages, whole = pages
            if (whole.total or 0) <= (total([page.total for page in pages]) or 0):
                self._whole = None  # there is nothing beside its halves
        if not number:
            self._first_pages = None
            self._page_rows = [
                len(page.records) if page.has_next else self._plan.first for page in pages
            ]
            for connection, page in zip(self._connections, pages, strict=True):
                self._plan.note_page_size(connection, page, self._plan.first)
            if self._halves_are_equal(pages):
                self._plan.fetcher.say_once(
                    f"`{self._name}` gives the same rows whatever `{ARCHIVED}` is: reading them "
                    "once"
                )
                self._connections, pages = self._connections[1:], pages[1:]
                self._page_rows = self._page_rows[1:]
        return ReadPass(self._plan, self._connections, pages, self._page_rows)

    def _halves_are_equal(self, pages: Sequence[Page]) -> bool:
        """Tell whether archived rows and the others are the same: the second half has all.

        The argument has no effect, or means "archived ones, too" and there are none.
        """
        if len(pages) != 2 or any(ARCHIVED not in item.arguments for item in self._connections):  # noqa: PLR2004
            return False
        one, other = ([self._plan.key(record) for record in page.records] for page in pages)
        known = not pages[1].has_next or pages[1].total is not None
        return bool(one) and one == other and known and pages[0].total == pages[1].total

    @property
    def again(self) -> int:
        """How many rows were given once more: that they were others could not be ruled out."""
        return self._ledger.again

    @property
    def _name(self) -> str:
        return self._connections[0].field

    def _ask_first_pages(self, number: int) -> PendingResults[Page]:
        first = self._plan.first_of_pass(number)
        fields = [PageField(item, first, None) for item in self._connections]
        if self._whole and not number:
            fields.append(PageField(self._whole, FEWEST_ROWS, None))  # for its count
        return self._plan.fetcher.ask(*fields)

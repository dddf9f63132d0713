"""How a list is read: pass by pass, until the evidence shows that no row can be missing.

A reading asks for nothing by itself: it yields steps and is sent the answers. So one list can be
read with its pages prefetched (`list_reader`), and many small ones side by side (`nested`).
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_client.reading.by_days import DayReader, count_parts
from pluvo_client.reading.evidence import Evidence
from pluvo_client.reading.read_pass import ReadPass
from pluvo_client.reading.read_plan import Step
from pluvo_client.reading.root_fields import CountField, PageField
from pluvo_client.reading.row_collector import RowCollector

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from pluvo_client.outcome import ListOutcome
    from pluvo_client.reading.by_days import DayFilter
    from pluvo_client.reading.connection import Connection, Page
    from pluvo_client.reading.key_set import KeySet
    from pluvo_client.reading.read_plan import ReadPlan

logger = logging.getLogger("pluvo_client")

WINDOWS_PER_STEP = 100


class ListReading:
    """The reading of one list: of connections that are counted together."""

    def __init__(
        self,
        plan: ReadPlan,
        connections: Sequence[Connection],
        *,
        by_day: DayFilter | None = None,
        emitted: KeySet | None = None,
    ) -> None:
        self._plan = plan
        self._connections = connections
        self._by_day = by_day
        self._collector = RowCollector(
            repeats=plan.repeats,
            former=plan.former,
            day=by_day.day if by_day else None,
            emitted=emitted,
        )
        self._evidence = Evidence(connections[0].field, self._collector)
        self._has_dated = False  # whether all rows that have a day are known to be read

    def steps(self) -> Generator[Step, list[Any], ListOutcome]:
        """Yield steps, and return what the reading was worth.

        Raises:
            IncompleteError: nothing proves that all rows were read.
        """
        evidence, page_rows = self._evidence, list[int]()
        for number in range(1 + self._plan.max_repair_passes):
            if number:
                self._say_why()
            answers = yield Step(fields=first_fields(self._plan, self._connections, number))
            before, pages, behind = parse_first(self._connections, answers)
            page_rows = page_rows or [
                page.size if page.has_next else self._plan.first for page in pages
            ]
            read = ReadPass(self._plan, self._connections, pages, page_rows)
            if before and before != read.counts[1:]:
                read.note_event()
            read.note_counts(behind)
            if (yield from self._proves_all(read)):
                return evidence.conclude()
            if evidence.is_exhausted:
                break
        if self._by_day and not self._has_dated and (yield from self._is_read_by_days()):
            return evidence.conclude()
        raise evidence.incomplete()

    def _proves_all(self, read: ReadPass) -> Generator[Step, list[Any], bool]:
        """Read a pass; return whether all rows are known to have been read by then."""
        collector, evidence = self._collector, self._evidence
        collector.begin_pass(moved=evidence.moved)
        evidence.begin_pass(read)
        yield from read.read(collector, evidence.is_repaired)
        if self._plan.sample:
            return True
        yield from read.recount()
        if evidence.accounts_for_all_now():
            return True
        if evidence.is_whole() or (yield from self._stands_in_place(read)):
            yield Step(collector.take_split())
            return True
        collector.end_pass()
        if evidence.proves_all():
            return True
        return bool(self._by_day and evidence.is_unordered) and (yield from self._is_read_by_days())

    def _stands_in_place(self, read: ReadPass) -> Generator[Step, list[Any], bool]:
        """Tell whether split rows are found again in their places, looked at all together."""
        collector, by_offset = self._collector, all(item.by_offset for item in self._connections)
        if read.events or not by_offset or not (places := collector.places_of_split_rows()):
            return False
        windows = [*windows_around(places, read.starts, read.page_rows, len(collector.order))]
        for number in range(0, len(windows), WINDOWS_PER_STEP):
            asked = windows[number : number + WINDOWS_PER_STEP]
            fields = [PageField(self._connections[w.connection], w.rows, w.offset) for w in asked]
            pages = yield Step(fields=fields, at_once=False)
            for window, page in zip(asked, pages, strict=True):
                stood = collector.stood_at(self._plan.keys(page), window.place)
                if (
                    page.total != read.latest[window.connection]
                    or page.size != window.rows
                    or not stood
                ):
                    read.events += 1
                    return False
        return self._evidence.is_whole(in_place=True)

    def _is_read_by_days(self) -> Generator[Step, list[Any], bool]:
        """Read what has a day by its day, once; tell whether all rows have been read by then."""
        by_day = self._by_day
        assert by_day is not None  # noqa: S101 - the caller has asked
        if self._has_dated:
            parts = yield from count_parts(by_day, self._connections)
        else:
            logger.info("`%s` is read by days", self._connections[0].field)
            reader = DayReader(self._plan, by_day, self._collector, self._steps_of)
            parts = yield from reader.steps(self._connections)
            self._has_dated = parts is not None
            self._evidence.indistinguishable += reader.indistinguishable
            if parts is None:
                self._by_day = None
        return self._evidence.proves_undated(parts)

    def _steps_of(self, connection: Connection) -> Generator[Step, list[Any], ListOutcome]:
        """Return the steps that read another list in the same way."""
        return ListReading(self._plan, [connection]).steps()

    def _say_why(self) -> None:
        why = (
            "changed during the sync"
            if self._evidence.moved
            else "returned fewer rows than its count"
        )
        logger.info("`%s` %s; reading it again", self._connections[0].field, why)


def first_fields(
    plan: ReadPlan, connections: Sequence[Connection], number: int = 0
) -> list[PageField | CountField]:
    """Return what the pass `number`, counted from 0, begins with, all in one request.

    A row may move from one connection to another between two fields of a request, too. So counts
    are asked for around the pages: before those of all connections but the first one, and once more
    behind those of all but the last one.
    """
    first = plan.first_of_pass(number)
    counts = [] if plan.sample else [CountField(item) for item in connections if item.counted]
    return [*counts[1:], *(PageField(item, first, None) for item in connections), *counts[:-1]]


def parse_first(
    connections: Sequence[Connection], answers: Sequence[Any]
) -> tuple[list[int | None], list[Page], list[int | None]]:
    """Return counts before, pages, and counts behind them, of the answers to `first_fields`."""
    before = (len(answers) - len(connections)) // 2
    behind = before + len(connections)
    return [*answers[:before]], [*answers[before:behind]], [*answers[behind:]]


class Window(NamedTuple):
    """A page of `rows` rows at an `offset` of a connection; `place` is that in all of them."""

    connection: int
    offset: int
    place: int
    rows: int


def windows_around(
    places: Iterable[int], starts: Sequence[int], page_rows: Sequence[int], end: int
) -> Iterator[Window]:
    """Yield windows that show all of the places, which come in order: as few as there can be.

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
        yield Window(index, place - starts[index], place, seen - place)

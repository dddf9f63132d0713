"""A list read with its pages prefetched, and emitted in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pluvo_client.errors import ProtocolError
from pluvo_client.outcome import ListOutcome, total
from pluvo_client.reading.connection import ARCHIVED
from pluvo_client.reading.key_set import KeySet
from pluvo_client.reading.list_reading import ListReading, first_fields, parse_first
from pluvo_client.reading.root_fields import CountField, PageField
from pluvo_client.reading.server_checks import OffsetCheck, check_arguments, halves_are_equal

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from pluvo_client.reading.by_days import DayFilter
    from pluvo_client.reading.connection import Connection, Page, Position
    from pluvo_client.reading.fetcher import PendingResults
    from pluvo_client.reading.read_plan import ReadPlan, Step
    from pluvo_client.reading.row_collector import Row


class ListReader:
    """Reads a list: connections that are counted together.

    The first pages are asked for at once, so that a reader can be under way before its turn. With
    `by_day`, the list can be asked for by days; rows in `emitted` were emitted before. `whole` is
    the connection of which these are the halves: if it counts more rows than both, it is read, too.
    `expected` is how many rows there are by their own count, once the first pages are there.
    """

    def __init__(
        self,
        plan: ReadPlan,
        connections: Sequence[Connection],
        *,
        by_day: DayFilter | None = None,
        emitted: KeySet | None = None,
        whole: Connection | None = None,
    ) -> None:
        self._plan = plan
        self._connections = connections
        self._by_day = by_day
        self._whole = whole if whole and whole.counted and not plan.sample else None
        self._emitted = KeySet() if emitted is None and self._whole else emitted
        fields = first_fields(plan, connections)
        more = [CountField(self._whole)] if self._whole else []
        self._first_answers = plan.fetcher.ask(*fields, *more)
        self.expected: int | None = None

    def read(self) -> Generator[list[Row], None, ListOutcome]:
        """Yield the rows, a page at a time, and return what the reading was worth.

        Raises:
            IncompleteError: nothing proves that all rows were read.
            SchemaDifferenceError: an argument has no effect.
        """
        plan, connections = self._plan, self._connections
        answers: list[Any] = self._first_answers.get()
        whole = answers.pop() if self._whole else None
        _, pages, _ = parse_first(connections, answers)
        for connection, page in zip(connections, pages, strict=True):
            plan.note_page_size(connection, page, plan.first)
        name = connections[0].field
        if halves_are_equal(plan, connections, pages):
            plan.fetcher.say_once(
                f"`{name}` gives the same rows whatever `{ARCHIVED}` is: reading them once"
            )
            connections, pages, answers = connections[1:], pages[1:], pages[1:]
        check_arguments(plan, connections, pages)
        self.expected = total([page.total for page in pages])
        outcome = yield from self._read(connections, pages, answers)
        if self._whole is None or (whole or 0) <= (self.expected or 0):
            return outcome
        plan.fetcher.say_once(
            f"`{name}` has rows for which `{ARCHIVED}` is neither true nor false: reading it "
            "without that argument, too"
        )
        rest = yield from ListReader(plan, [self._whole], emitted=self._emitted).read()
        return rest._replace(repairs=outcome.repairs + rest.repairs)

    def _read(
        self, connections: Sequence[Connection], pages: Sequence[Page], answers: list[Any]
    ) -> Generator[list[Row], None, ListOutcome]:
        """Yield the rows of the connections, whose first pages are there."""
        reading = ListReading(
            self._plan, connections, by_day=self._by_day, emitted=self._emitted
        ).steps()
        next(reading)  # asks for the first answers
        prefetcher = _Prefetcher(self._plan, pages)
        try:
            while True:
                try:
                    step = reading.send(answers)
                except StopIteration as end:
                    outcome: ListOutcome = end.value
                    return outcome
                prefetcher.plan(step.planned)
                if step.rows:
                    yield [*step.rows]
                self._plan.fetcher.check_stopped()
                answers = prefetcher.answers(step)
        finally:
            prefetcher.cancel()


class _Prefetcher:
    """Asks for what steps want, and for what they will want, so that the workers are kept busy."""

    def __init__(self, plan: ReadPlan, first_pages: Sequence[Page]) -> None:
        self._plan = plan
        self._fetcher = plan.fetcher
        self._offset = OffsetCheck(plan, first_pages)
        self._planned: Iterator[PageField] = iter(())
        self._pending: dict[tuple[int, Position], PendingResults[Page]] = {}

    def plan(self, planned: Iterator[PageField] | None) -> None:
        """Take what will be asked for from now on, if that is news, and ask for some of it.

        Pages are asked for several at once, since each time this thread and the workers get into
        each other's way.
        """
        if planned is not None:
            self.cancel()
            self._planned = planned
        if len(self._pending) > self._fetcher.read_ahead:
            return
        while len(self._pending) < 2 * self._fetcher.read_ahead:
            if (field := next(self._planned, None)) is None:
                return
            self._pending[_place(field)] = self._fetcher.ask(field)

    def answers(self, step: Step) -> list[Any]:
        """Return the answers that a step wants.

        Raises:
            SchemaDifferenceError: `offset` has no effect.
        """
        if step.at_once and len(step.fields) == 1 and isinstance(step.fields[0], PageField):
            return [self._page(step.fields[0])]
        if step.at_once:
            return self._fetcher.ask(*step.fields).get() if step.fields else []
        return [*self._fetcher.ask_many(step.fields)]

    def _page(self, field: PageField) -> Page:
        pending = self._pending.pop(_place(field), None) or self._fetcher.ask(field)
        self.plan(None)
        try:
            (page,) = pending.get()
        except ProtocolError:
            self._offset.check(field)
            raise
        self._offset.check(field, page)
        return page

    def cancel(self) -> None:
        """Do without what is under way."""
        for pending in self._pending.values():
            pending.cancel()
        self._pending.clear()
        self._planned = iter(())


def _place(field: PageField) -> tuple[int, Position]:
    return id(field.connection), field.position

"""Many small connections (the members of each group) read side by side, several in a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluvo_client.reading.circle import CircleWatch
from pluvo_client.reading.evidence import Evidence
from pluvo_client.reading.fetcher import Vanished
from pluvo_client.reading.ledger import Ledger
from pluvo_client.reading.page_stitcher import PageStitcher
from pluvo_client.reading.root_fields import PageField

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pluvo_client.reading.connection import Connection, Page
    from pluvo_client.reading.read_plan import ReadPlan
    from pluvo_client.schema.selection import Record


def read_nested(
    plan: ReadPlan, connections: Sequence[tuple[Connection, Page | None]]
) -> Iterator[tuple[int, list[Record]]]:
    """Read connections to their end; those that have a first page already, from there.

    Gives the records as they come, page by page: the place of their connection among
    `connections`, and the records. An object that vanished meanwhile has no more of them.

    Raises:
        IncompleteError: a connection has rows that may not have been read.
    """
    if plan.sample:
        yield from ((place, page.records) for place, (_, page) in enumerate(connections) if page)
        return
    readings = [
        _Reading(plan, place, connection, page)
        for place, (connection, page) in enumerate(connections)
    ]
    unfinished = readings
    for number in range(1 + plan.max_repair_passes):
        for reading in unfinished:
            reading.begin_pass(number)
        running = unfinished
        while running:
            pages = plan.fetcher.ask_many(
                [reading.field() for reading in running if reading.first_page is None]
            )
            for reading in running:
                if records := reading.add(reading.first_page or next(pages)):
                    yield reading.place, records
            running = [reading for reading in running if not reading.stitcher.done]
        unfinished = [reading for reading in unfinished if not reading.is_settled()]
        if not unfinished:
            break
    for reading in unfinished:
        reading.evidence.conclude()


class _Reading:
    """The connection at a `place`: what was read of it, and what is to be asked for next.

    `counts`, `moved` and `rows` are those of the pass under way, as `Evidence` takes them.
    """

    def __init__(
        self, plan: ReadPlan, place: int, connection: Connection, first_page: Page | None
    ) -> None:
        self.place = place
        self._plan = plan
        self._connection = connection
        self._ledger = Ledger(repeats=plan.repeats)
        self._pass = 0
        self._gone = False
        self.first_page = first_page
        self.evidence = Evidence(connection.field, self._ledger)
        self.counts: list[int | None] = []
        self.rows = 0

    def begin_pass(self, number: int) -> None:
        """Begin with the pass `number`, counted from 0."""
        self._pass = number
        self._ledger.begin_pass()
        self.stitcher = PageStitcher(self._plan.key, self._ledger.known)
        self.counts, self.rows = [], 0
        self._circle = CircleWatch(self._connection.field)

    def field(self) -> PageField:
        """Return what to ask for next."""
        begins = self.stitcher.next_position is None and not self.counts
        first = self._plan.first_of_pass(self._pass) if begins else self._plan.first
        return PageField(self._connection, first, self.stitcher.next_position)

    def add(self, page: Page | Vanished) -> list[Record]:
        """Take what was asked for, and return the records that are new."""
        self.first_page = None
        if isinstance(page, Vanished):
            self._gone = self.stitcher.done = True
            return []
        if not self.counts:
            self.counts = [page.total]
            if not self._pass:
                self._plan.note_page_size(self._connection, page, self._plan.first)
        before = self._ledger.found
        records: list[Record] = []
        for piece in self.stitcher.add_page(page):
            self.rows += len(piece.keys) - piece.exact
            records += [record for record, _ in self._ledger.take(piece)]
        self._circle.note(news=self._ledger.found > before)
        return records

    @property
    def moved(self) -> bool:
        """Whether rows came, went or moved during the pass."""
        return self.stitcher.moved

    def is_settled(self) -> bool:
        """Tell whether the pass that has just ended was the last one that is needed."""
        if self._gone:
            return True
        return self.evidence.shows_all(self, self.stitcher.count)

"""Connections read completely, in parallel and in order, even while their rows move.

`ConnectionReader` reads connections that are counted together (a row may move from one to the
other), with the next pages prefetched by position. If anything moved, or fewer distinct rows were
found than counted, it reads again and gives only what it has not given yet.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluvo_client.errors import (
    IncompleteError,
    ProtocolError,
    QueryError,
    SchemaDifferenceError,
)
from pluvo_client.reading.key_set import KeySet
from pluvo_client.reading.page_stitcher import PageStitcher
from pluvo_client.reading.root_fields import AnythingField, CountField, PageField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pluvo_client.errors import Difference
    from pluvo_client.reading.connection import Connection, Page, Position
    from pluvo_client.reading.fetcher import Fetcher, PendingResults
    from pluvo_client.schema.selection import Record

Row = tuple["Record", int]  # the number tells rows of equal key apart (else 0)

logger = logging.getLogger("pluvo_client")

BEYOND_ANY_END = 1_000_000_000  # an offset at which no list has rows


@dataclass(frozen=True)
class ReadPlan:
    """How connections are read.

    `key` gives the key of a record. With `repeats`, records of equal key are different rows (the
    report has no key of its own); they are told apart by a running number. `sample` reads the first
    pages only.
    """

    fetcher: Fetcher
    page_size: int
    max_repair_passes: int
    key: Callable[[Record], str]
    repeats: bool = False
    sample: bool = False

    @property
    def first(self) -> int:
        """Rows to ask for in a request; at least two, since neighbouring pages share one."""
        return max(2, self.page_size)


def check_complete(name: str, found: int, counted: int | None) -> None:
    """Decide what to say of a connection that did not hold still to the end.

    Raises:
        IncompleteError: fewer rows were found than counted.
    """
    if counted is not None and found < counted:
        msg = (
            f"`{name}` reports {counted} rows, but only {found} were found, even after re-reading: "
            "run the sync again, or raise `max_repair_passes`"
        )
        raise IncompleteError(msg)
    logger.warning(
        "`%s` kept changing while it was read; every row that was there throughout has been read "
        "(%d rows)",
        name,
        found,
    )


def note_page_size(plan: ReadPlan, connection: Connection, page: Page) -> None:
    """Say once that a server gives smaller pages than it is asked for; that loses nothing."""
    if page.has_next and len(page.records) < plan.first:
        plan.fetcher.say_once(
            f"`{connection.field}` gives {len(page.records)} rows where {plan.first} were asked "
            "for: reading pages of that size"
        )


class ConnectionReader:
    """Reads connections that are counted together; iterate to get their rows, a page at a time.

    The first pages are asked for at once, so that a reader can be under way before its turn.
    `expected` is how many rows there are by their own count, once the first pages are there;
    `repairs` counts the passes beyond the first.
    """

    def __init__(self, plan: ReadPlan, connections: Sequence[Connection]) -> None:
        self._plan = plan
        self._connections = connections
        self._keys = KeySet()
        self._first_pages: PendingResults[Page] | None = self._ask_first_pages()
        self.repairs = 0
        self.expected: int | None = None

    def __iter__(self) -> Iterator[list[Row]]:
        counted: int | None = None
        for attempt in range(1 + self._plan.max_repair_passes):
            if attempt:
                self.repairs += 1
                logger.info("`%s` changed while it was read: re-reading", self._name)
            pending = self._first_pages or self._ask_first_pages()
            self._first_pages = None
            read = _Pass(self._plan, self._connections, pending.get())
            self.expected = read.expected
            try:
                yield from read.pages(self._keys, repair=bool(attempt))
            finally:
                read.close()
            if self._plan.sample:
                return
            counted = read.counted()
            if not read.moved and read.found >= (counted or 0):
                return
        check_complete(self._name, len(self._keys), counted)

    @property
    def _name(self) -> str:
        return self._connections[0].field

    def _ask_first_pages(self) -> PendingResults[Page]:
        return self._plan.fetcher.ask(
            *(PageField(item, self._plan.first, None) for item in self._connections)
        )


class _Pass:
    """One pass over all connections of a reader, with pages prefetched in order."""

    def __init__(
        self, plan: ReadPlan, connections: Sequence[Connection], first_pages: Sequence[Page]
    ) -> None:
        self._plan = plan
        self._connections = connections
        self._fetcher = plan.fetcher
        self._first_pages = dict(enumerate(first_pages))
        self._first_keys = [[plan.key(record) for record in page.records] for page in first_pages]
        self._stitchers = [PageStitcher(plan.key) for _ in connections]
        self._planned = self._plan_pages()
        self._prefetched: dict[tuple[int, Position], PendingResults[Page]] = {}
        self._offset_works: set[int] = set()
        self.found = 0
        self._paged = any(page.has_next for page in first_pages)
        counts = [page.total for page in first_pages]
        self.expected = None if None in counts else sum(count or 0 for count in counts)
        self._check_parts_differ(counts)
        for connection, page in zip(connections, first_pages, strict=True):
            note_page_size(plan, connection, page)

    @property
    def moved(self) -> bool:
        """Whether rows came, went or moved while they were read."""
        return any(stitcher.moved for stitcher in self._stitchers)

    def pages(self, given: KeySet, *, repair: bool) -> Iterator[list[Row]]:
        """Give the rows whose keys are not in `given` yet, and add them."""
        seen = KeySet() if repair else given
        repeats = self._plan.repeats
        self._prefetch()
        for index, stitcher in enumerate(self._stitchers):
            while not stitcher.done:
                self._fetcher.check_stopped()
                page = self._page(index, stitcher.next_position)
                rows: list[Row] = []
                for key, record in stitcher.add_page(page):
                    number = 0
                    new = seen.add(key)
                    while repeats and not new:
                        number += 1
                        new = seen.add(key, number)
                    if new and (not repair or given.add(key, number)):
                        rows.append((record, number))
                if rows:
                    yield rows
                if self._plan.sample:
                    break
            self._forget(index)
        self.found = len(seen)

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
        known = [stitcher.count for stitcher in self._stitchers]
        return None if None in known else sum(count or 0 for count in known)

    def close(self) -> None:
        """Cancel what is under way."""
        for pending in self._prefetched.values():
            pending.cancel()
        self._prefetched.clear()

    # Pages

    def _plan_pages(self) -> Iterator[tuple[int, Position]]:
        """Give the positions of all pages after the first ones, as far as counts foretell them.

        Pages are as large as the first one, also where the server gives less than was asked for.
        """
        for index, page in list(self._first_pages.items()):
            if self._connections[index].by_offset and page.total is not None and page.has_next:
                step = len(page.records) - 1
                for offset in range(step, page.total - 1, step):
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

    def _check_parts_differ(self, counts: Sequence[int | None]) -> None:
        """Notice an argument without effect: it should tell connections apart, but they are equal.

        Raises:
            SchemaDifferenceError: two connections begin with the same rows, and have as many.
        """
        for index, connection in enumerate(self._connections[1:], 1):
            if (
                self._first_keys[index]
                and self._first_keys[index] == self._first_keys[0]
                and counts[index] == counts[0]
            ):
                arguments = self._connections[0].arguments
                raise SchemaDifferenceError(
                    [
                        self._argument(connection, name)
                        for name, value in connection.arguments.items()
                        if arguments.get(name) != value
                    ]
                )

    def _argument(self, connection: Connection, name: str) -> Difference:
        return self._fetcher.contract.root_argument(connection.field, name)

"""Read Relay connections completely, in parallel and in order, also while their rows move.

Positions shift when rows come and go between two requests (cursors of this API are most likely
positions too). So each page begins with the last row of the page before it:

1. `Sweep` reads one connection once. Where the seam of two pages fits, it goes on. Rows that were
   inserted before the seam only repeat. Rows that vanished before it moved others to the left, over
   the seam: then it steps back until a page joins, and gives what was jumped over.
2. `Reading` runs the sweeps of connections that are counted together (a row may move from one to
   the other), with the next pages prefetched by position. If anything moved, or fewer distinct rows
   were found than counted, it reads again and gives only what it has not given yet.
3. `drain` runs many small sweeps (the members of each group) side by side, several in a request.

`Sweep` does no input or output: it says which position it wants and is fed the page.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_pluvo.errors import IncompleteError, ProtocolError
from tap_pluvo.fetching import Vanished
from tap_pluvo.query import call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_pluvo.fetching import Answers, Fetcher

Node = dict[str, Any]
Position = int | str | None  # an offset, or the cursor after which a page begins (None: the start)

logger = logging.getLogger("tap-pluvo.connection")


class Page(NamedTuple):
    """One page: nodes in order, the total of the whole connection, and where to go on.

    `resume` is the position of a page that begins with this page's last row.
    """

    nodes: list[Node]
    total: int | None
    has_next: bool
    resume: Position


@dataclass(frozen=True)
class Connection:
    """A connection to read: a root field, or a field of the object that `parent` gives.

    `by_offset` tells how it is paged, `counted` whether the API gives its count, `shape` makes a
    record of a node.
    """

    field: str
    arguments: Mapping[str, Any]
    selection: str
    by_offset: bool = True
    counted: bool = True
    parent: str | None = None
    shape: Callable[[Node], Node] = lambda node: node

    def inside(self, parent: str) -> Connection:
        """Return the same connection as a field of the object that `parent` gives."""
        return replace(self, parent=parent)

    def body(self, first: int, position: Position) -> str:
        """Return the field with arguments and selection, as it stands in its parent."""
        paging = {"offset": position or None} if self.by_offset else {"after": position}
        edges = "node" if self.by_offset else "cursor node"
        return (
            call(self.field, {**self.arguments, "first": first, **paging})
            + (" { count" if self.counted else " {")
            + f" pageInfo {{ hasNextPage }} edges {{ {edges} {{ {self.selection} }} }} }}"
        )

    def page(self, answer: Any, first: int, position: Position) -> Page:
        """Return the page that an answer holds.

        Raises:
            ProtocolError: the answer is not what Relay promises.
        """
        where = f"`{self.field}`"
        if not isinstance(answer, dict) or not isinstance(answer.get("edges"), list):
            msg = f"{where} came without edges"
            raise ProtocolError(msg)
        edges = answer["edges"]
        nodes = [edge.get("node") if isinstance(edge, dict) else None for edge in edges]
        if not all(isinstance(node, dict) for node in nodes):
            msg = f"{where} came with an empty node"
            raise ProtocolError(msg)
        records = [self.shape(node) for node in nodes if node is not None]
        info = answer.get("pageInfo")
        has_next = info.get("hasNextPage") if isinstance(info, dict) else None
        if not isinstance(has_next, bool):
            msg = f"{where} does not say whether another page follows"
            raise ProtocolError(msg)
        if has_next and len(nodes) < first:
            msg = (
                f"{where} gave {len(nodes)} of {first} rows although more follow; if that is a "
                "limit of your organization, set `page_size` to it"
            )
            raise ProtocolError(msg)
        if len(nodes) > first:
            msg = f"{where} gave {len(nodes)} rows where {first} were asked for"
            raise ProtocolError(msg)
        count = answer.get("count") if self.counted else None
        if count is not None and (not isinstance(count, int) or count < 0):
            msg = f"{where} came with a count that is no number"
            raise ProtocolError(msg)
        if self.by_offset:
            assert not isinstance(position, str)  # noqa: S101 - by_offset says so
            end = (position or 0) + len(nodes)
            if nodes and count is not None and end + has_next > count:
                msg = f"{where} gave more rows than the {count} that it counts"
                raise ProtocolError(msg)
            return Page(records, count, has_next, end - 1)
        cursors = [edge.get("cursor") for edge in edges[-2:]]
        resume = cursors[0] if cursors else None
        if has_next and (not isinstance(resume, str) or resume == position):
            msg = f"{where} gave a cursor that does not move"
            raise ProtocolError(msg)
        return Page(records, count, has_next, resume)


@dataclass(frozen=True)
class PageQuestion:
    """The question for one page of a connection."""

    connection: Connection
    first: int
    position: Position

    @property
    def may_vanish(self) -> bool:
        """Whether the object that holds the connection may be gone by now."""
        return self.connection.parent is not None

    @property
    def text(self) -> str:
        """The root field: the connection itself, or its parent with the connection inside."""
        body = self.connection.body(self.first, self.position)
        parent = self.connection.parent
        return body if parent is None else f"{parent} {{ {body} }}"

    def read(self, answer: Any) -> Page:
        """Return the page that the answer holds."""
        if self.connection.parent is not None:
            if not isinstance(answer, dict):
                msg = f"the parent of `{self.connection.field}` came empty"
                raise ProtocolError(msg)
            answer = answer.get(self.connection.field)
        return self.connection.page(answer, self.first, self.position)


@dataclass(frozen=True)
class CountQuestion:
    """The question for the count of a connection."""

    connection: Connection
    may_vanish = False

    @property
    def text(self) -> str:
        """The root field, with the smallest page that can be asked for."""
        arguments = {**self.connection.arguments, "first": 1}
        return f"{call(self.connection.field, arguments)} {{ count }}"

    def read(self, answer: Any) -> int | None:
        """Return the count."""
        count = answer.get("count") if isinstance(answer, dict) else None
        if count is not None and not isinstance(count, int):
            msg = f"`{self.connection.field}` came with a count that is no number"
            raise ProtocolError(msg)
        return count


class Sweep:
    """One pass over one connection: `wanted` is the position to read next, `feed` takes the page.

    `moved` tells whether rows came or went meanwhile, `count` is the last count that was seen.
    """

    def __init__(self, key: Callable[[Node], str]) -> None:
        self._key = key
        self._previous: list[str] = []
        self._starts: list[Position] = []
        self._unjoined: list[tuple[Page, list[str]]] = []
        self.wanted: Position = None
        self.done = False
        self.moved = False
        self.count: int | None = None

    def feed(self, page: Page) -> list[tuple[str, Node]]:
        """Take the page at `wanted` and return its new rows with their keys, in order.

        None are returned while the page does not join the one before it; `wanted` then is the
        position of an earlier page, whose rows come first.
        """
        if self.count is not None and page.total != self.count:
            self.moved = True
        self.count = page.total
        if not self._unjoined:
            self._starts.append(self.wanted)
        self._unjoined.append((page, [self._key(node) for node in page.nodes]))
        seam = self._seam(self._unjoined[-1][1])
        back = len(self._starts) - 1 - len(self._unjoined)
        if seam is None and back >= 0:
            self.wanted = self._starts[back]
            return []
        frontier = self._unjoined[0][0]
        rows: list[tuple[str, Node]] = []
        while self._unjoined:
            fed, keys = self._unjoined.pop()
            start = self._seam(keys) or 0
            rows += zip(keys[start:], fed.nodes[start:], strict=True)
            self._previous = keys or self._previous
        self.done = not frontier.has_next
        self.wanted = frontier.resume
        return rows

    def _seam(self, keys: list[str]) -> int | None:
        """Return where the new rows of a page begin, or None if it does not join what is known."""
        if not self._previous:
            return 0
        if keys and keys[0] == self._previous[-1]:
            return 1
        self.moved = True
        places = {key: place for place, key in enumerate(keys)}
        return next((places[key] + 1 for key in reversed(self._previous) if key in places), None)


class Keys:
    """The keys of the rows given so far: 15 bytes each, which Python stores in 48.

    Two of a million keys are the same by chance with a probability below 10^-24.
    """

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._digests)

    def add(self, key: str, number: int = 0) -> bool:
        """Add the `number`th row of this key; False if it was there already."""
        text = f"{key}\0{number}" if number else key
        digest = blake2b(text.encode(), digest_size=15).digest()
        before = len(self._digests)
        self._digests.add(digest)
        return len(self._digests) != before


@dataclass(frozen=True)
class Reader:
    """How the connections of a stream are read.

    `key` gives the key of a node. With `repeats`, rows of equal key are different rows (the report
    has no key of its own); they are told apart by a running number.
    """

    fetcher: Fetcher
    page_size: int
    max_repair_passes: int
    key: Callable[[Node], str]
    repeats: bool = False

    @property
    def first(self) -> int:
        """Rows asked for in a request; at least two, since neighbours share one."""
        return max(2, self.page_size)

    def drain(self, pages: Sequence[tuple[Connection, Page | None]]) -> list[list[Node]]:
        """Read many small connections to their end, those that have a first page from there.

        Returns the nodes of each, in order. An object that vanished meanwhile has no more rows.

        Raises:
            IncompleteError: a connection has fewer rows than it counts.
        """
        results: list[list[Node]] = [[] for _ in pages]
        kept = [Keys() for _ in pages]
        firsts = {index: page for index, (_, page) in enumerate(pages) if page is not None}
        todo = list(range(len(pages)))
        for _ in range(1 + self.max_repair_passes):
            sweeps = {index: Sweep(self.key) for index in todo}
            found = {index: Keys() for index in todo}
            running = list(todo)
            while running:
                answers = self.fetcher.ask_many(
                    [
                        PageQuestion(pages[index][0], self.first, sweeps[index].wanted)
                        for index in running
                        if index not in firsts
                    ]
                )
                for index in running:
                    page = firsts.pop(index, None) or next(answers)
                    if isinstance(page, Vanished):
                        sweeps[index].done = True
                        sweeps[index].count = None
                        continue
                    for key, node in sweeps[index].feed(page):
                        found[index].add(key)
                        if kept[index].add(key):
                            results[index].append(node)
                running = [index for index in running if not sweeps[index].done]
            todo = [
                index
                for index in todo
                if sweeps[index].moved or len(found[index]) < (sweeps[index].count or 0)
            ]
            if not todo:
                break
        for index in todo:
            _judge(pages[index][0].field, len(kept[index]), sweeps[index].count)
        return results


def _judge(name: str, found: int, counted: int | None) -> None:
    """Decide what to say of a connection that did not hold still to the end.

    Raises:
        IncompleteError: fewer rows were found than counted.
    """
    if counted is not None and found < counted:
        msg = (
            f"`{name}` has {counted} rows by its own count, but only {found} were found, also "
            "when it was read again: run the sync again, or raise `max_repair_passes`"
        )
        raise IncompleteError(msg)
    logger.warning(
        "`%s` changed all the time while it was read; every row that was there throughout "
        "has been read (%d rows)",
        name,
        found,
    )


class Reading:
    """Connections that are counted together, read completely; iterate to get the rows.

    The first pages are asked for at once, so that a reading can be under way before its turn.
    Rows are (node, number): the number tells rows of equal key apart (else 0).
    """

    def __init__(self, reader: Reader, connections: Sequence[Connection]) -> None:
        self._reader = reader
        self._connections = connections
        self._keys = Keys()
        self._firsts: Answers[Page] | None = self._ask_firsts()
        self.repairs = 0
        self.expected: int | None = None

    def _ask_firsts(self) -> Answers[Page]:
        return self._reader.fetcher.ask(
            *(PageQuestion(item, self._reader.first, None) for item in self._connections)
        )

    def __iter__(self) -> Iterator[tuple[Node, int]]:
        counted: int | None = None
        for attempt in range(1 + self._reader.max_repair_passes):
            if attempt:
                self.repairs += 1
                logger.info(
                    "`%s` changed while it was read: reading it again", self._connections[0].field
                )
            pass_ = _Pass(self._reader, self._connections, self._firsts or self._ask_firsts())
            self._firsts = None
            self.expected = pass_.expected
            try:
                yield from pass_.rows(self._keys, repair=bool(attempt))
            finally:
                pass_.close()
            counted = pass_.counted()
            if not pass_.moved and pass_.found >= (counted or 0):
                return
        _judge(self._connections[0].field, len(self._keys), counted)


class _Pass:
    """One pass over all connections of a reading, with pages prefetched in order."""

    def __init__(
        self, reader: Reader, connections: Sequence[Connection], firsts: Answers[Page]
    ) -> None:
        self._reader = reader
        self._connections = connections
        self._fetcher = reader.fetcher
        self._first_pages = dict(enumerate(firsts.all()))
        self._sweeps = [Sweep(reader.key) for _ in connections]
        self._planned = self._plan()
        self._prefetched: dict[tuple[int, Position], Answers[Page]] = {}
        self.found = 0
        self._paged = any(page.has_next for page in self._first_pages.values())
        counts = [page.total for page in self._first_pages.values()]
        self.expected = None if None in counts else sum(count or 0 for count in counts)

    @property
    def moved(self) -> bool:
        return any(sweep.moved for sweep in self._sweeps)

    def _plan(self) -> Iterator[tuple[int, Position]]:
        """Give the positions of all pages after the first ones, as far as counts foretell them."""
        step = self._reader.first - 1
        for index, page in list(self._first_pages.items()):
            if self._connections[index].by_offset and page.total is not None and page.has_next:
                for offset in range(step, page.total - 1, step):
                    yield index, offset

    def _prefetch(self) -> None:
        """Keep as many pages under way as keep the workers busy while rows are emitted.

        They are asked for several at once, since each time this thread and the workers get into
        each other's way.
        """
        if len(self._prefetched) > self._fetcher.concurrency:
            return
        while len(self._prefetched) < 2 * self._fetcher.concurrency:
            planned = next(self._planned, None)
            if planned is None:
                return
            self._prefetched[planned] = self._ask(*planned)

    def _ask(self, index: int, position: Position) -> Answers[Page]:
        return self._fetcher.ask(
            PageQuestion(self._connections[index], self._reader.first, position)
        )

    def _page(self, index: int, position: Position) -> Page:
        """Return a page that was foretold, else ask for it; each page is used once."""
        if position is None and index in self._first_pages:
            return self._first_pages.pop(index)
        answers = self._prefetched.pop((index, position), None) or self._ask(index, position)
        self._prefetch()
        return answers.all()[0]

    def rows(self, given: Keys, *, repair: bool) -> Iterator[tuple[Node, int]]:
        """Give the rows whose keys are not in `given` yet, and add them."""
        seen = Keys() if repair else given
        repeats = self._reader.repeats
        self._prefetch()
        for index, sweep in enumerate(self._sweeps):
            while not sweep.done:
                self._fetcher.check_stopped()
                for key, node in sweep.feed(self._page(index, sweep.wanted)):
                    number = 0
                    new = seen.add(key)
                    while repeats and not new:
                        number += 1
                        new = seen.add(key, number)
                    if new and (not repair or given.add(key, number)):
                        yield node, number
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
                *(CountQuestion(connection) for connection in self._connections)
            ).get()
            for sweep, count in zip(self._sweeps, counts, strict=True):
                if isinstance(count, int) and count != sweep.count:
                    sweep.moved = True
                    sweep.count = count
        known = [sweep.count for sweep in self._sweeps]
        return None if None in known else sum(count or 0 for count in known)

    def _forget(self, index: int) -> None:
        """Drop pages that were foretold but are not there any more."""
        for planned in [item for item in self._prefetched if item[0] == index]:
            self._prefetched.pop(planned).cancel()

    def close(self) -> None:
        """Cancel what is under way."""
        for answers in self._prefetched.values():
            answers.cancel()
        self._prefetched.clear()

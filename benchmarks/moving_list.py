"""A list in memory that changes while it is read, and a fetcher that asks for its pages.

The list knows nothing of who reads it. It is asked as the API is: a page by its offset, a count,
the rows of some days of completion. An answer is about one moment. What changes after it was made
is not in it, also where it was prefetched.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_client.reading.root_fields import CountField, PageField
from pluvo_client.schema.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

TODAY = dt.date(2026, 3, 2)
ROOT_FIELDS = 20  # root fields that travel in one request, at most


@dataclass(slots=True, eq=False)
class Row:
    """A result or a user; `part` is the connection that lists it."""

    id: int
    name: str
    title: str = ""
    day: dt.date | None = None
    part: str = ""
    place: int = 0  # among all rows, in no order


class Order(NamedTuple):
    """What a list is ordered by; rows of equal `rank` tie unless `unique` tells them apart."""

    rank: Callable[[Row], Any]
    unique: bool = True

    def value(self, row: Row) -> Any:
        """Return the value that rows are kept in order by."""
        return (self.rank(row), row.id)


ORDERS = {
    "newest first": lambda row: -row.id,
    "by title": lambda row: (row.title, row.name),
    "by day": lambda row: (row.day is None, row.day or TODAY),
    "by name": lambda row: row.name,
    "by title alone": lambda row: row.title,
    "by id": lambda row: row.id,
}


class MovingList:
    """Rows in order, by parts that are listed one by one and counted together.

    `key` is what a reader can tell rows apart by. `stayed` are the rows that were there from the
    start and have kept their key; `most` is how many rows of a key there were at once.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        order: Order,
        key: Callable[[Row], str],
        changes: Sequence[str],
        random: Random,
    ) -> None:
        self.random = random
        self._order = order
        self._key = key
        self._changes = changes
        self._rows: list[Row] = []
        self._parts: dict[str, list[Row]] = defaultdict(list)
        self._days: dict[str, dict[dt.date, list[Row]]] = defaultdict(lambda: defaultdict(list))
        self._asked: dict[Any, list[Row]] = {}  # the days that were asked for last, and their rows
        self._now = Counter[str]()
        self.most = Counter[str]()
        for row in rows:
            self._parts[row.part].append(row)
            self._note(row)
        for part in self._parts.values():
            part.sort(key=order.value)
        self.stayed = set(self._rows)
        self._next_id = len(self._rows)
        self._salt = random.random()

    @property
    def parts(self) -> dict[str, int]:
        """How many rows each part has now."""
        return {part: len(rows) for part, rows in sorted(self._parts.items())}

    # Changes

    def change(self) -> None:
        """Let one thing happen."""
        self._asked.clear()
        getattr(self, f"_{self.random.choice(self._changes)}")()

    def _insert(self) -> None:
        like = self.random.choice(self._rows)
        name = f"{self.random.getrandbits(32):08x} {self._next_id}"
        day = None if like.day is None else TODAY
        self._add(Row(self._next_id, name, like.title, day, like.part))
        self._next_id += 1

    def _delete(self) -> None:
        self._remove(self.random.choice(self._rows))

    def _rename(self) -> None:
        row = self.random.choice(self._rows)
        self._move(row, name=f"{self.random.getrandbits(32):08x} {row.id}")

    def _complete(self) -> None:
        """Complete a result that is in progress."""
        while (row := self.random.choice(self._rows)).day is not None:
            pass
        self._move(row, day=TODAY)

    def _archive(self) -> None:
        row = self.random.choice(self._rows)
        self._move(row, part="false" if row.part == "true" else "true")

    def _move(self, row: Row, **values: Any) -> None:
        key, stayed = self._key(row), row in self.stayed
        self._remove(row)
        for name, value in values.items():
            setattr(row, name, value)
        self._add(row)
        if stayed and self._key(row) == key:
            self.stayed.add(row)

    def _add(self, row: Row) -> None:
        insort(self._parts[row.part], row, key=self._order.value)
        self._note(row)

    def _note(self, row: Row) -> None:
        row.place = len(self._rows)
        self._rows.append(row)
        if row.day is not None:
            self._days[row.part][row.day].append(row)
        key = self._key(row)
        self._now[key] += 1
        self.most[key] = max(self.most[key], self._now[key])

    def _remove(self, row: Row) -> None:
        part = self._parts[row.part]
        del part[bisect_left(part, self._order.value(row), key=self._order.value)]
        last = self._rows.pop()
        if last is not row:
            self._rows[row.place], last.place = last, row.place
        if row.day is not None:
            self._days[row.part][row.day].remove(row)
        self._now[self._key(row)] -= 1
        self.stayed.discard(row)

    # What is asked

    def count(self, arguments: Mapping[str, Any]) -> int:
        """Return how many rows there are of what the arguments ask for."""
        part, start, end = _asked(arguments)
        if start is None and end is None:
            return len(self._parts[part])
        return sum(len(rows) for day, rows in self._days[part].items() if _holds(start, end, day))

    def nodes(self, arguments: Mapping[str, Any], offset: int, first: int) -> list[dict[str, Any]]:
        """Return the rows of a page of what the arguments ask for, as they are now."""
        shown = self._page(arguments, offset, first)
        return [
            {"key": self._key(row), "day": row.day, "former": self._key(replace(row, day=None))}
            for row in shown
        ]

    def _page(self, arguments: Mapping[str, Any], offset: int, first: int) -> list[Row]:
        part, start, end = _asked(arguments)
        rows = self._parts[part]
        if start is not None or end is not None:
            rows = self._of_days(part, start, end)
        if self._order.unique:
            return rows[offset : offset + first]
        return self._page_of_ties(rows, offset, first)

    def _of_days(self, part: str, start: dt.date | None, end: dt.date | None) -> list[Row]:
        asked = (part, start, end)
        if asked not in self._asked:
            days = self._days[part].items()
            rows = [row for day, some in days if _holds(start, end, day) for row in some]
            self._asked = {asked: sorted(rows, key=self._order.value)}
        return self._asked[asked]

    def _page_of_ties(self, rows: list[Row], offset: int, first: int) -> list[Row]:
        """Return a page of rows that tie: each page has an order of its own, always the same."""
        shown: list[Row] = []
        stop = min(offset + first, len(rows))
        while (place := offset + len(shown)) < stop:
            rank = self._order.rank(rows[place])
            begin = bisect_left(rows, rank, key=self._order.rank)
            end = bisect_right(rows, rank, key=self._order.rank)
            tied = rows[begin:end]
            Random(f"{self._salt}/{offset}/{first}/{rank}").shuffle(tied)
            shown += tied[place - begin : stop - begin]
        return shown

    # What became of it

    def wrong(self, emitted: Counter[str], told: int = 0) -> int:
        """Return how many rows are missing or never were.

        Of rows that nothing tells apart, `told` may be missing, but none that differs from others.
        """
        invented = (emitted - self.most).total()
        missing = Counter(map(self._key, self.stayed)) - emitted
        equal = sum(rows for key, rows in missing.items() if emitted[key])
        return invented + missing.total() - min(equal, told)


def _asked(arguments: Mapping[str, Any]) -> tuple[str, dt.date | None, dt.date | None]:
    return arguments.get("part", ""), arguments.get("start"), arguments.get("end")


def _holds(start: dt.date | None, end: dt.date | None, day: dt.date) -> bool:
    return (start is None or start <= day) and (end is None or day <= end)


class Fetcher:
    """Asks for root fields of a list, in the place of the client's own fetcher.

    `every` is after how many requests the list changes, on average; 0: never. If it is 1, the list
    changes exactly once before each request, and never while one is answered. As many requests are
    in flight as may be read ahead: they are answered in the order in which they were asked, each as
    the list is when it is asked, or else, with `jumbled`, in any order, when one is waited for.
    """

    def __init__(
        self, rows: MovingList, every: int, read_ahead: int, *, jumbled: bool = False
    ) -> None:
        self.contract = Contract()
        self.read_ahead = read_ahead
        self.requests = 0
        self._rows = rows
        self._every = every
        self._jumbled = jumbled
        self._queue: list[Answers] = []

    def ask(self, *fields: Any) -> Answers:
        """Ask for root fields in one request."""
        asked = Answers(self, fields)
        self._queue.append(asked)
        if not self._jumbled:
            self.answer_next()
        return asked

    def ask_many(self, fields: Iterable[Any], *, together: int | None = None) -> Iterator[Any]:
        """Ask for as many at once as the client does, and give the answers in order."""
        source = iter(fields)
        waiting: deque[Answers] = deque()
        while True:
            while len(waiting) <= self.read_ahead and (
                bundle := list(islice(source, together or ROOT_FIELDS))
            ):
                waiting.append(self.ask(*bundle))
            if not waiting:
                return
            yield from waiting.popleft().get()

    def check_stopped(self) -> None:
        """Go on."""

    def say_once(self, sentence: str) -> None:
        """Say nothing."""

    def answer_next(self) -> None:
        """Answer one of the requests that are in flight."""
        in_flight = min(len(self._queue), self.read_ahead)
        asked = self._queue.pop(self._rows.random.randrange(in_flight))
        self.requests += 1
        if self._every == 1 or (self._every and self._rows.random.random() < 1 / self._every):
            self._rows.change()
        asked.answers = [self._answer(item) for item in asked.fields]

    def forget(self, asked: Answers) -> None:
        """Do not send a request, if it is not in flight."""
        if asked in self._queue[self.read_ahead :]:
            self._queue.remove(asked)

    def _answer(self, asked: Any) -> Any:
        if not isinstance(asked, PageField | CountField):
            return False  # nothing lies beyond the end of the list
        arguments = asked.connection.arguments
        count = self._rows.count(arguments)
        if isinstance(asked, CountField):
            return count
        offset = int(asked.position or 0)
        nodes = self._rows.nodes(arguments, offset, asked.first)
        return asked.parse(
            {
                "count": count,
                "pageInfo": {"hasNextPage": offset + asked.first < count},
                "edges": [{"node": node} for node in nodes],
            }
        )


class Answers:
    """The answers to a request, once they are there."""

    def __init__(self, fetcher: Fetcher, fields: Sequence[Any]) -> None:
        self.fields = fields
        self.answers: list[Any] | None = None
        self._fetcher = fetcher

    def get(self) -> list[Any]:
        """Wait for them, and return them."""
        while self.answers is None:
            self._fetcher.answer_next()
        return self.answers

    get_or_vanished = get  # nothing vanishes here

    def cancel(self) -> None:
        """Do without them."""
        self._fetcher.forget(self)

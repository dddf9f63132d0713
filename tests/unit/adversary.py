"""A list, and an adversary who changes it between any two requests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from pluvo_client.reading.by_days import DayFilter, Days
from pluvo_client.reading.connection import Connection
from pluvo_client.reading.list_reader import ListReader
from pluvo_client.reading.read_plan import ReadPlan
from pluvo_client.reading.root_fields import AnythingField, CountField, PageField
from pluvo_client.schema.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PAGE = 10
TIES = ("none", "by page", "random")
DATED = 0.7  # of the ranks of a list with results in progress are days

# Two changes between the same two requests: the one that loses a row, which moves back from what is
# still to be read to what was read, together with one that hides the shift of the pages or the
# change of the count; and those that hide each other.
PAIRS = [
    # Not with "complete on": a row that comes again with another key cannot be told from a new one.
    *(("move back", other) for other in ("insert read", "insert unread", "delete read",
                                         "delete unread", "move back", "move on",
                                         "complete back")),
    *(("insert read", other) for other in ("delete read", "delete unread", "complete back")),
    *(("insert unread", other) for other in ("delete read", "complete back", "complete on")),
    *(("delete unread", other) for other in ("complete back", "complete on")),
    ("complete back", "complete on"),
]  # fmt: skip


@dataclass(eq=False)
class Row:
    """A row: what the list is ordered by, its id, and what it shows where there is no id.

    `part` is the connection that lists it, where there are two.
    """

    rank: int
    id: int
    label: str
    part: int = 0


@dataclass
class Server:
    """One list, and what an adversary does to it before each request."""

    random: Random
    rows: list[Row]
    ties: str
    labels: int  # how many different labels there are; ids are labels of their own
    with_id: bool
    counted: bool
    ranks: int
    eagerness: float  # how often the adversary acts before a request
    bulk: int  # how many rows it touches at most
    kinds: tuple[str, ...] = ("insert", "delete", "move", "swap")
    mixed: bool = False  # whether it does several kinds of things at once
    paired: bool = False  # whether it makes two changes at once that hide each other
    in_progress: bool = False  # whether rows of the highest ranks have no day
    parts: int = 1  # connections that list the rows, counted together
    read_ahead: int = 1
    jumbled: bool = False  # whether requests in flight are answered in any order
    requests: int = 0
    contract: Contract = field(default_factory=Contract)

    def __post_init__(self) -> None:
        for row in self.rows:
            row.part = row.id % self.parts
        self.queue: list[Results] = []
        self.read_up_to = (0, 0)  # part and place behind the page that was answered last
        self.next_id = len(self.rows)
        self.stayed = {row.id for row in self.rows}
        self.most = Counter[str]()
        self.note()

    def key(self, row: Row) -> str:
        return str(row.id) if self.with_id else row.label

    def node(self, row: Row) -> dict[str, Any]:
        return {"key": self.key(row), "id": row.id}

    def note(self) -> None:
        """Remember how many rows of a key there were at once."""
        for key, times in Counter(map(self.key, self.rows)).items():
            self.most[key] = max(self.most[key], times)

    def act(self) -> None:
        """Change the list, if the adversary feels like it."""
        self.requests += 1
        if self.random.random() < self.eagerness:
            self.change()
            self.note()

    def change(self) -> None:
        """Change some rows."""
        if self.paired:
            for kind in self.random.choice(PAIRS):
                self.act_on(kind)
            return
        chosen = self.random.choice(self.kinds)
        for _ in range(self.random.randint(1, self.bulk)):
            kind = self.random.choice(self.kinds) if self.mixed else chosen
            if kind == "insert":
                label = f"new {self.next_id}"
                rank = self.random.randrange(self.ranks)
                part = self.random.randrange(self.parts) if self.parts > 1 else 0
                self.rows.insert(self.random.randint(0, len(self.rows)),
                                 Row(rank, self.next_id, label, part))  # fmt: skip
                self.next_id += 1
            elif kind == "delete" and self.rows:
                row = self.rows.pop(self.random.randrange(len(self.rows)))
                self.stayed.discard(row.id)
            elif kind == "move" and self.rows:
                row = self.rows.pop(self.random.randrange(len(self.rows)))
                row.rank = self.random.randrange(self.ranks)
                if self.parts > 1:
                    row.part = self.random.randrange(self.parts)
                self.rows.insert(self.random.randint(0, len(self.rows)), row)
            elif kind == "swap" and self.rows:
                one, other = (self.random.randrange(len(self.rows)) for _ in range(2))
                self.rows[one], self.rows[other] = self.rows[other], self.rows[one]
                (self.rows[one].rank, self.rows[other].rank) = (
                    self.rows[other].rank,
                    self.rows[one].rank,
                )

    def act_on(self, kind: str) -> None:
        """Make a change where it matters: before or behind the place that was read last."""
        part, place = self.read_up_to
        rows = self.rows if self.ties == "none" else sorted(self.rows, key=lambda row: row.rank)
        last = [row for row in rows if row.part == part][:place]
        read = [row for row in rows if row.part < part] + last
        seen = {row.id for row in read}
        unread = [row for row in rows if row.id not in seen]
        change, _, where = kind.partition(" ")
        if change == "insert":
            row = Row(self.random.randrange(self.ranks), self.next_id, f"new {self.next_id}")
            self.next_id += 1
            self.put(row, read if where == "read" else unread)
        elif change == "delete":
            if some := read if where == "read" else unread:
                row = self.random.choice(some)
                self.rows.remove(row)
                self.stayed.discard(row.id)
        else:
            source, target = (unread, read) if where == "back" else (read, unread)
            if change == "complete":
                source = [row for row in source if self.is_in_progress(row)]
            if source:
                self.rows.remove(row := self.random.choice(source))
                self.put(row, target)
                if change == "complete":
                    row.rank = self.random.randrange(int(DATED * self.ranks))

    def is_in_progress(self, row: Row) -> bool:
        return self.in_progress and row.rank >= int(DATED * self.ranks)

    def put(self, row: Row, others: list[Row]) -> None:
        """Put a row before one of some others, in the order of the list."""
        others = [other for other in others if other is not row]
        if not others:
            self.rows.append(row)
            return
        other = self.random.choice(others)
        row.part = other.part
        if self.ties != "none":
            row.rank = other.rank
        self.rows.insert(self.rows.index(other), row)

    def ordered(self, position: int, first: int) -> list[Row]:
        """Return all rows in the order of this request."""
        if self.ties == "none":
            return self.rows
        salt = f"{position}/{first}" if self.ties == "by page" else str(self.requests)
        shuffled = Random(salt)
        return sorted(self.rows, key=lambda row: (row.rank, shuffled.random()))

    def listed(self, rows: list[Row], arguments: Mapping[str, Any]) -> list[Row]:
        """Return the rows that the arguments of a list choose."""
        if self.parts == 1:
            assert not arguments
            return rows
        return [row for row in rows if row.part == arguments["part"]]

    def answer(self, asked: PageField | CountField) -> Any:
        arguments = asked.connection.arguments
        count = len(self.listed(self.rows, arguments))
        if isinstance(asked, CountField):
            return count
        start = asked.position or 0
        if isinstance(start, str):
            start = int(start) + 1
        rows = self.listed(self.ordered(start, asked.first), arguments)
        shown = rows[start : start + asked.first]
        self.read_up_to = (arguments.get("part", 0), start + len(shown))
        return asked.parse(
            {
                "count": count if self.counted else None,
                "pageInfo": {"hasNextPage": start + asked.first < count},
                "edges": [
                    {"node": self.node(row), "cursor": str(start + place)}
                    for place, row in enumerate(shown)
                ],
            }
        )

    # As a fetcher

    def ask(self, *fields: Any) -> Results:
        asked = Results(self, fields)
        self.queue.append(asked)
        if not self.jumbled:
            self.answer_next()
        return asked

    def ask_many(self, fields: Iterable[Any], **_: Any) -> Iterator[Any]:
        for item in fields:
            yield from self.ask(item).get()

    def answer_next(self) -> None:
        """Answer one of the requests that are in flight."""
        in_flight = min(len(self.queue), self.read_ahead)
        asked = self.queue.pop(self.random.randrange(in_flight) if self.jumbled else 0)
        self.act()
        asked.results = [
            False if isinstance(item, AnythingField) else self.answer(item) for item in asked.fields
        ]

    def check_stopped(self) -> None:
        pass

    def say_once(self, sentence: str) -> None:
        pass


@dataclass(eq=False)
class Results:
    server: Server
    fields: tuple[Any, ...]
    results: list[Any] | None = None

    def get(self) -> list[Any]:
        while self.results is None:
            self.server.answer_next()
        return self.results

    get_or_vanished = get  # nothing vanishes here

    def cancel(self) -> None:
        if self in self.server.queue:
            self.server.queue.remove(self)


class DatedServer(Server):
    """A list whose rows have days, by which it is ordered and can be asked for."""

    first_day = date(2026, 1, 1)

    def day(self, row: Row) -> date | None:
        if self.is_in_progress(row):
            return None
        return self.first_day + timedelta(days=row.rank)

    @override
    def key(self, row: Row) -> str:
        """Return what tells rows apart: a row with another day is another row."""
        return f"{row.label} {self.day(row)}"

    @override
    def node(self, row: Row) -> dict[str, Any]:
        day = self.day(row)
        former = f"{row.label} None" if day else None
        return {**super().node(row), "day": day, "former": former}

    @override
    def change(self) -> None:
        days = {row.id: self.day(row) for row in self.rows}
        super().change()
        for row in self.rows:
            if row.id in days and days[row.id] != self.day(row):
                self.stayed.discard(row.id)
                if days[row.id] is None:
                    continue  # completed: nothing else of it has changed
                row.label = f"moved {self.requests} {row.id}"  # a key does not come back

    @override
    def listed(self, rows: list[Row], arguments: Mapping[str, Any]) -> list[Row]:
        days = Days(arguments.get("start"), arguments.get("end"))
        if days == Days(None, None):
            return rows
        return [row for row in rows if (day := self.day(row)) and days.hold(day)]


def connection_of(days: Days) -> list[Connection]:
    """Return the list of a dated server, of some days."""
    arguments = {name: day for name, day in days._asdict().items() if day}
    return [Connection("a", arguments, "id")]


def server_of(seed: int, kind: type[Server] = Server, **options: Any) -> Server:
    """Return a server and an adversary drawn by `seed`, except for `options`."""
    random = Random(seed)
    size = random.choice([3, 12, 40, 120])
    drawn: dict[str, Any] = {
        "ties": random.choice(TIES),
        "labels": random.choice([20, 1000]),
        "with_id": True,
        "counted": True,
        "ranks": random.choice([3, 10, 30, 1000]),
        "eagerness": random.choice([0, 0.05, 0.2, 0.6]),
        "bulk": random.choice([1, 2, 5, 60]),
        "read_ahead": random.choice([1, 8]),
    }
    drawn |= options
    rows = [
        Row(random.randrange(drawn["ranks"]), number, f"label {random.randrange(drawn['labels'])}")
        for number in range(size)
    ]
    return kind(random, rows, **drawn)


def read(server: Server, page: int = PAGE, *, by_offset: bool | None = None) -> Counter[str]:
    """Return how often each key was emitted, each time with another number.

    Rows that nothing tells apart, of which the reader tells how many there are, are among them.
    """
    fetcher: Any = server
    plan = ReadPlan(
        fetcher,
        page,
        7,
        lambda record: record["key"],
        repeats=not server.with_id,
        former=(lambda record: record["former"]) if isinstance(server, DatedServer) else None,
    )
    if by_offset is None:
        by_offset = server.random.random() < 0.5
    emitted: set[tuple[str, int]] = set()
    by_day = None
    if isinstance(server, DatedServer):
        by_day = DayFilter(Days(None, None), True, connection_of, lambda record: record["day"])
    parts: list[dict[str, Any]] = [{"part": part} for part in range(server.parts)]
    connections = [
        Connection("a", part if len(parts) > 1 else {}, "id", by_offset=by_offset) for part in parts
    ]
    reading = ListReader(plan, connections, by_day=by_day).read()
    try:
        while True:
            for record, number in next(reading):
                assert server.with_id is False or (record["key"], number) not in emitted
                emitted.add((record["key"], number))
    except StopIteration as end:
        told = end.value.indistinguishable
    found = Counter(key for key, _ in emitted)
    equal = Counter({key: rows for key, rows in missing(server, found).items() if found[key]})
    return found + equal if equal.total() <= told else found


def missing(server: Server, given: Counter[str]) -> Counter[str]:
    """Return the rows that were there throughout and were not given."""
    stayed = Counter(server.key(row) for row in server.rows if row.id in server.stayed)
    return stayed - given

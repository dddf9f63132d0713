"""The promise, against an adversary: what ends well holds every row that was there throughout.

Between any two requests rows are inserted, deleted, moved, renamed or swapped, many at a time; rows
that tie come in another order for each page, or at each request; lists are paged by offset or by
cursor. Rows have an id, or none: then there are as many of a key as were there at one moment.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from pluvo_client.errors import IncompleteError, ProtocolError
from pluvo_client.reading.by_days import DayFilter, Days
from pluvo_client.reading.connection import Connection
from pluvo_client.reading.connection_reader import ConnectionReader
from pluvo_client.reading.nested import read_nested
from pluvo_client.reading.read_plan import ReadPlan
from pluvo_client.reading.root_fields import AnythingField, CountField, PageField
from pluvo_client.schema.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import FrameType

PAGE = 10
TIES = ("none", "by page", "random")


@dataclass
class Row:
    """A row: what the list is ordered by, its id, and what it shows where there is no id."""

    rank: int
    id: int
    label: str


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
    read_ahead: int = 1
    requests: int = 0
    contract: Contract = field(default_factory=Contract)

    def __post_init__(self) -> None:
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
        if self.random.random() >= self.eagerness:
            return
        chosen = self.random.choice(self.kinds)
        for _ in range(self.random.randint(1, self.bulk)):
            kind = self.random.choice(self.kinds) if self.mixed else chosen
            if kind == "insert":
                label = f"new {self.next_id}"
                rank = self.random.randrange(self.ranks)
                self.rows.insert(self.random.randint(0, len(self.rows)),
                                 Row(rank, self.next_id, label))  # fmt: skip
                self.next_id += 1
            elif kind == "delete" and self.rows:
                row = self.rows.pop(self.random.randrange(len(self.rows)))
                self.stayed.discard(row.id)
            elif kind == "move" and self.rows:
                row = self.rows.pop(self.random.randrange(len(self.rows)))
                row.rank = self.random.randrange(self.ranks)
                self.rows.insert(self.random.randint(0, len(self.rows)), row)
            elif kind == "swap" and self.rows:
                one, other = (self.random.randrange(len(self.rows)) for _ in range(2))
                self.rows[one], self.rows[other] = self.rows[other], self.rows[one]
                (self.rows[one].rank, self.rows[other].rank) = (
                    self.rows[other].rank,
                    self.rows[one].rank,
                )
        self.note()

    def ordered(self, position: int, first: int) -> list[Row]:
        """Return all rows in the order of this request."""
        if self.ties == "none":
            return self.rows
        salt = f"{position}/{first}" if self.ties == "by page" else str(self.requests)
        shuffled = Random(salt)
        return sorted(self.rows, key=lambda row: (row.rank, shuffled.random()))

    def listed(self, rows: list[Row], arguments: Mapping[str, Any]) -> list[Row]:
        """Return the rows that the arguments of a list choose."""
        assert not arguments
        return rows

    def answer(self, asked: PageField | CountField) -> Any:
        self.act()
        arguments = asked.connection.arguments
        count = len(self.listed(self.rows, arguments))
        if isinstance(asked, CountField):
            return count
        start = asked.position or 0
        if isinstance(start, str):
            start = int(start) + 1
        rows = self.listed(self.ordered(start, asked.first), arguments)
        shown = rows[start : start + asked.first]
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
        return Results(
            [False if isinstance(item, AnythingField) else self.answer(item) for item in fields]
        )

    def ask_many(self, fields: Iterable[Any], **_: Any) -> Iterator[Any]:
        for item in fields:
            yield from self.ask(item).get()

    def check_stopped(self) -> None:
        pass

    def say_once(self, sentence: str) -> None:
        pass


@dataclass
class Results:
    results: list[Any]

    def get(self) -> list[Any]:
        return self.results

    def cancel(self) -> None:
        pass


class DatedServer(Server):
    """A list whose rows have days, by which it is ordered and can be asked for."""

    first_day = date(2026, 1, 1)

    def day(self, row: Row) -> date:
        return self.first_day + timedelta(days=row.rank)

    @override
    def key(self, row: Row) -> str:
        """Return what tells rows apart: a row with another day is another row."""
        return f"{row.label} {row.rank}"

    @override
    def node(self, row: Row) -> dict[str, Any]:
        return {**super().node(row), "day": self.day(row)}

    @override
    def act(self) -> None:
        days = {row.id: row.rank for row in self.rows}
        super().act()
        for row in self.rows:
            if days.get(row.id) != row.rank:
                self.stayed.discard(row.id)
                row.label = f"moved {self.requests} {row.id}"  # a key does not come back
        self.note()

    @override
    def listed(self, rows: list[Row], arguments: Mapping[str, Any]) -> list[Row]:
        days = Days(arguments.get("start"), arguments.get("end"))
        return [row for row in rows if days.hold(self.day(row))]


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
    """Return how often each key was given, each time with another number."""
    fetcher: Any = server
    plan = ReadPlan(fetcher, page, 7, lambda record: record["key"], repeats=not server.with_id)
    if by_offset is None:
        by_offset = server.random.random() < 0.5
    given: set[tuple[str, int]] = set()
    by_day = None
    if isinstance(server, DatedServer):
        by_day = DayFilter(Days(None, None), True, connection_of, lambda record: record["day"])
    connections = [Connection("a", {}, "id", by_offset=by_offset)]
    for rows in ConnectionReader(plan, connections, by_day):
        for record, number in rows:
            assert server.with_id is False or (record["key"], number) not in given
            given.add((record["key"], number))
    return Counter(key for key, _ in given)


def missing(server: Server, given: Counter[str]) -> Counter[str]:
    """Return the rows that were there throughout and were not given."""
    stayed = Counter(server.key(row) for row in server.rows if row.id in server.stayed)
    return stayed - given


SEEDS = range(1600)
BLOCK = 200


@pytest.mark.parametrize(
    ("kind", "with_id"), [(Server, True), (Server, False), (DatedServer, False)]
)
@pytest.mark.parametrize("block", range(len(SEEDS) // BLOCK))
def test_what_ends_well_has_every_row_that_stayed_and_none_that_never_was(
    block: int, kind: type[Server], *, with_id: bool
) -> None:
    ended_well = 0
    for seed in SEEDS[block * BLOCK : (block + 1) * BLOCK]:
        options = {"kinds": ("insert", "delete")} if kind is DatedServer else {}
        server = server_of(seed, kind, with_id=with_id, **options)
        try:
            given = read(server)
        except IncompleteError:
            continue  # said so: nothing is hidden
        ended_well += 1
        assert not given - server.most, seed
        assert not missing(server, given), seed
    assert ended_well > BLOCK / 2  # and it does not fail whenever something is odd


def test_changes_that_cancel_each_other_out_are_all_that_can_hide() -> None:
    """The limit: changes of several kinds between two requests, after which pages still join.

    Where the day is a part of the key, a row that gets another day is one deleted and one inserted.
    """
    wrong = ended_well = 0
    for seed in range(2000):
        options: dict[str, Any] = (
            {"kind": DatedServer, "with_id": False} if seed % 2 else {"mixed": True}
        )
        server = server_of(seed, **options)
        try:
            given = read(server)
        except IncompleteError:
            continue
        ended_well += 1
        wrong += bool(given - server.most or missing(server, given))
    assert wrong <= ended_well / 500


@pytest.mark.parametrize("seed", range(100))
def test_a_list_that_holds_still_and_has_no_ties_is_read_once(seed: int) -> None:
    server = server_of(seed, eagerness=0, ties="none", with_id=True)
    given = read(server)
    assert sum(given.values()) == len(server.rows)
    assert server.requests == max(1, -(-(len(server.rows) - 1) // (PAGE - 1)))


@pytest.mark.parametrize("ties", ["by page", "random"])
def test_people_who_share_a_name_are_all_read(ties: str) -> None:
    """1,500 people of whom 150 share 40 names, ordered by name; no row comes or goes."""
    ended_well = 0
    for seed in range(20):
        random = Random(seed)
        shared = random.sample(range(1390), 40)
        rows = [Row(number, number, "") for number in range(1390) if number not in shared]
        rows += [Row(random.choice(shared), 2000 + number, "") for number in range(150)]
        server = server_of(seed, ties=ties, with_id=True, eagerness=0)
        server.rows = rows
        server.stayed = {row.id for row in rows}
        server.note()
        try:
            given = read(server, page=50)
        except IncompleteError:
            continue
        ended_well += 1
        assert not missing(server, given)
        assert server.requests <= 8 * -(-len(rows) // 49)
    assert ended_well >= 18


@pytest.mark.parametrize("ties", ["by page", "random"])
def test_results_of_the_same_days_are_all_read(ties: str) -> None:
    """2,400 results on 60 days, ordered by day; no row comes or goes, and none has a key."""
    ended_well = 0
    for seed in range(20):
        server = server_of(seed, DatedServer, ties=ties, with_id=False, eagerness=0)
        server.rows = [
            Row(number % 60, number, f"label {server.random.randrange(500)}")
            for number in range(2400)
        ]
        server.stayed = {row.id for row in server.rows}
        server.note()
        given = read(server, page=50, by_offset=True)
        ended_well += given == Counter(map(server.key, server.rows))
        assert server.requests <= 8 * -(-2400 // 49)
    assert ended_well == 20


@pytest.mark.parametrize(
    ("equal", "passes"),
    [
        ("side by side on one page", 1),
        ("side by side over many pages", 2),
        ("far apart", 1),
        ("on neighbouring pages", 1),
    ],
)
def test_equal_rows_are_as_many_as_there_are(equal: str, passes: int) -> None:
    labels = [f"label {number}" for number in range(100)]
    for place in {
        "side by side on one page": [3, 4],
        "side by side over many pages": [*range(20, 65)],
        "far apart": [2, 90],
        "on neighbouring pages": [6, 12],
    }[equal]:
        labels[place] = "equal"
    server = server_of(1, ties="none", with_id=False, eagerness=0)
    server.rows = [Row(0, number, label) for number, label in enumerate(labels)]
    server.note()
    assert read(server, by_offset=True) == Counter(labels)
    assert server.requests // (len(labels) // (PAGE - 1)) == passes


def test_equal_rows_cost_no_more_than_others() -> None:
    """Many results of people who are gone, say: they fill page after page."""
    calls = []
    for size in (1000, 2000):
        server = server_of(1, ties="none", with_id=False, eagerness=0)
        server.rows = [Row(0, number, "equal") for number in range(size)]
        server.note()
        with counting_calls() as counted:
            assert read(server, by_offset=True) == Counter(row.label for row in server.rows)
        calls.append(counted.total())
    assert calls[1] < 2.1 * calls[0]


@contextmanager
def counting_calls() -> Iterator[Counter[str]]:
    """Count the calls of functions of the client: time that no other process lengthens."""
    counted = Counter[str]()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if frame.f_globals["__name__"].startswith("pluvo_client."):
            counted[event] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield counted
    finally:
        sys.setprofile(before)


def test_a_list_that_holds_a_row_twice_is_read_and_said_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    server = server_of(1, ties="none", with_id=True, eagerness=0)
    server.rows = [Row(0, number % 90, "") for number in range(100)]
    assert len(read(server)) == 90
    assert "lists rows more than once: 100 rows, of which 90 are different" in caplog.text


def test_a_list_without_end_is_an_error() -> None:
    class Endless(Server):
        """Gives its last rows again and again, and always says that more follow."""

        @override
        def answer(self, asked: PageField | CountField) -> Any:
            assert isinstance(asked, PageField)
            self.requests += 1
            start = int(asked.position or 0) % len(self.rows)
            shown = (self.rows + self.rows)[start : start + asked.first]
            return asked.parse(
                {
                    "count": None,
                    "pageInfo": {"hasNextPage": True},
                    "edges": [{"node": {"key": str(row.id)}} for row in shown],
                }
            )

    endless = Endless(Random(1), [Row(0, number, "") for number in range(35)], "none", 20,
                      with_id=True, counted=True, ranks=1, eagerness=0, bulk=1)  # fmt: skip
    with pytest.raises(ProtocolError, match="does not come to an end"):
        read(endless, by_offset=True)
    fetcher: Any = endless
    plan = ReadPlan(fetcher, PAGE, 7, lambda record: str(record["key"]), repeats=False)
    with pytest.raises(ProtocolError, match="does not come to an end"):
        list(read_nested(plan, [(Connection("a", {}, "id"), None)]))

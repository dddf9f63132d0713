"""The promise, against an adversary: what ends well holds every row that was there throughout.

Between any two requests rows are inserted, deleted, moved, renamed and swapped, up to hundreds at a
time; rows that tie come in another order for each page, or at each request; lists are paged by
offset or by cursor, with a count and without, with an id and without.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pluvo_client.reading.connection import Connection
from pluvo_client.reading.connection_reader import ConnectionReader
from pluvo_client.reading.read_plan import ReadPlan
from pluvo_client.reading.root_fields import AnythingField, PageField
from pluvo_client.schema.contract import Contract

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

    def note(self) -> None:
        """Remember how many rows of a key there were at once."""
        for key, times in Counter(map(self.key, self.rows)).items():
            self.most[key] = max(self.most[key], times)

    def act(self) -> None:
        """Change the list, if the adversary feels like it."""
        self.requests += 1
        if self.random.random() >= self.eagerness:
            return
        for _ in range(self.random.randint(1, self.bulk)):
            kind = self.random.choice(self.kinds)
            if kind == "insert":
                label = f"label {self.random.randrange(self.labels)}"
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

    def answer(self, asked: PageField) -> Any:
        self.act()
        start = asked.position or 0
        if isinstance(start, str):
            start = int(start) + 1
        shown = self.ordered(start, asked.first)[start : start + asked.first]
        return asked.parse(
            {
                "count": len(self.rows) if self.counted else None,
                "pageInfo": {"hasNextPage": start + asked.first < len(self.rows)},
                "edges": [
                    {"node": {"key": self.key(row), "id": row.id}, "cursor": str(start + place)}
                    for place, row in enumerate(shown)
                ],
            }
        )

    # As a fetcher

    def ask(self, *fields: Any) -> Results:
        return Results(
            [False if isinstance(item, AnythingField) else self.answer(item) for item in fields]
        )

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


def server_of(seed: int, **options: Any) -> Server:
    """Return a server and an adversary drawn by `seed`, but for `options`."""
    random = Random(seed)
    size = random.choice([3, 12, 40, 120])
    drawn: dict[str, Any] = {
        "ties": random.choice(TIES),
        "labels": random.choice([2, 20, 1000]),
        "with_id": random.random() < 0.5,
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
    return Server(random, rows, **drawn)


def read(server: Server, passes: int = 7) -> Counter[str]:
    """Return how often each key was given, each time with another number."""
    plan: Any = ReadPlan(
        server,
        PAGE,
        passes,
        lambda record: record["key"],
        repeats=not server.with_id,  # type: ignore[arg-type]  # as far as it is used
    )
    by_offset = server.random.random() < 0.5
    given: set[tuple[str, int]] = set()
    for rows in ConnectionReader(plan, [Connection("a", {}, "id", by_offset=by_offset)]):
        for record, number in rows:
            assert (record["key"], number) not in given
            given.add((record["key"], number))
    return Counter(key for key, _ in given)


def missing(server: Server, given: Counter[str]) -> Counter[str]:
    """Return the rows that were there throughout and were not given."""
    stayed = Counter(server.key(row) for row in server.rows if row.id in server.stayed)
    return stayed - given

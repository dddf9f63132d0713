"""Measure how lists that change while they are read end: `make bench-reading`.

There is no server: lists in memory (`moving_list.py`) are read by the client's own reader, and its
requests are counted. The same seed gives the same list, the same changes and the same figures, on
every machine. They go into docs/performance.md; the exit code is 1 if a goal was missed, or a row.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import os
import sqlite3
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any, NamedTuple

import report
from moving_list import ORDERS, TODAY, Fetcher, MovingList, Order, Row

from pluvo_client.errors import IncompleteError
from pluvo_client.reading.by_days import DayFilter, Days
from pluvo_client.reading.connection import Connection
from pluvo_client.reading.list_reader import ListReader
from pluvo_client.reading.read_plan import ReadPlan

DOCUMENT = Path(__file__).parents[1] / "docs/performance.md"
PAGE = 50  # rows: the most that the API gives, and the tap's default
# The default of `max_concurrency` and the most, answered in their order; and in any order.
CONCURRENCIES = {"4": (4, False), "16": (16, False), "16, jumbled": (16, True)}
REPAIRS = 7  # the default of `max_repair_passes`
IN_PROGRESS = 0.3  # of the results
DAYS = 600  # on which results were completed
WINDOW = Days(TODAY - dt.timedelta(DAYS), TODAY)
QUICK = 20  # times fewer rows


@dataclass(frozen=True)
class Situation:
    """A list, what happens to it, and what is to be reached.

    `changes` are drawn with equal chances, once in `every` requests; `multiple` is how many times
    the requests of one plain read it may take, and `well` how many of 100 reads are to end well.
    `equal` rows are equal to others in all that is selected; of a `window`, all have a day.
    """

    name: str
    rows: int
    order: str
    kind: str = "results"
    every: int = 0
    changes: tuple[str, ...] = ()
    ties: bool = False
    equal: int = 0
    window: bool = False
    seeds: int = 4
    multiple: float | None = None
    well: int = 100

    @property
    def what(self) -> str:
        """Return the situation in words."""
        pace = f", one change in {self.every} requests" if self.every > 1 else ""
        return f"{self.name}, {self.rows:,} {self.kind} {self.order}{pace}"


INSERT = ("insert",)
COMPLETE = (*("complete",) * 7, *INSERT * 3)
EVERYTHING = {
    "results": ("insert", "delete", "rename", "complete"),
    "users": ("insert", "delete", "rename", "archive"),
}
BETWEEN_ANY_TWO = "insert, delete, rename, complete: one between any two requests"
LISTS = {"results": "by title", "users": "by name"}

SITUATIONS = [
    *(
        Situation("only new ones", 10_000, "newest first", "results", every, INSERT, multiple=1.1)
        for every in (200, 70, 10)
    ),
    *(
        Situation("only new ones", rows, order, kind, every, INSERT, seeds=seeds, multiple=2.1)
        for kind, order in LISTS.items()
        for rows, seeds in ((10_000, 6), (60_000, 2))
        for every in (200, 70, 30, 10)
    ),
    *(
        Situation(
            "70% completed, 30% new", 60_000, order, "results", 30, COMPLETE, seeds=2, multiple=2.2
        )
        for order in ("by title", "by day", "newest first")
    ),
    *(
        Situation(
            BETWEEN_ANY_TWO, 60_000, order, kind, 1, EVERYTHING[kind], seeds=10, multiple=4, well=95
        )
        for kind, order in LISTS.items()
    ),
    *(
        Situation(
            f"nothing moves, rows that tie come in any order, {what}",
            12_000,
            order,
            ties=True,
            window=window,
            well=100 if window else 0,
        )
        for order in ("by day", "by title alone")
        for what, window in (("30% in progress", False), ("a range of days", True))
    ),
    Situation(
        "nothing moves, 61 rows are equal to others, rows that tie come in any order",
        2400,
        "by day",
        ties=True,
        equal=61,
        seeds=8,
    ),
    Situation("nothing moves", 60_000, "by name", "users", seeds=1, multiple=1),
    Situation("nothing moves, the demo's report", 8000, "by id", seeds=1, multiple=189 / 164),
]


class Read(NamedTuple):
    """How one read ended: requests as a multiple of a plain read's, and wrong rows."""

    well: bool
    multiple: float
    wrong: int


def rows_of(situation: Situation) -> list[Row]:
    """Return the rows that a list begins with: always the same."""
    random = Random(situation.what)
    if situation.kind == "users":
        return [
            Row(number, _name(random), part="true" if number % 10 == 0 else "false")
            for number in range(situation.rows)
        ]
    if situation.order == "by id":
        return demo_report(situation.rows)
    people = [_name(random) for _ in range(situation.rows // 20)]
    rows = [
        Row(
            number,
            f"{people[number // 20]} {number}",
            f"Training {random.randrange(40):02}",
            None
            if random.random() < IN_PROGRESS and not situation.window
            else TODAY - dt.timedelta(random.randrange(DAYS)),
        )
        for number in range(situation.rows)
    ]
    if situation.equal:
        in_progress = [row for row in rows if row.day is None]
        for row, twin in zip(in_progress[: situation.equal], in_progress[::-1], strict=False):
            row.name, row.title = twin.name, twin.title
    return rows


def _name(random: Random) -> str:
    return f"{random.getrandbits(32):08x}"


def demo_report(rows: int) -> list[Row]:
    """Return the report that `make demo` reads, which has equal rows, by its two types."""
    from pluvo_sandbox.seed import Plan, seed  # noqa: PLC0415 - nothing else needs it

    plan = Plan(
        users=500,
        trainings=30,
        groups=12,
        portfolio=rows,
        seed=1,
        today=TODAY,
        variant="documented",
    )
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        seed(database, plan)
        found = database.execute(
            "SELECT userId, title, completionDate, relatedObjectType FROM report ORDER BY id"
        ).fetchall()
    return [
        Row(number, user, title, day and dt.date.fromisoformat(day), kind)
        for number, (user, title, day, kind) in enumerate(found)
    ]


def measure(situation: Situation, at_once: str, number: int) -> Read:
    """Read a list once; `number` is the seed of what happens to it."""
    of_users = situation.kind == "users"
    rows = MovingList(
        rows_of(situation),
        Order(ORDERS[situation.order], unique=not situation.ties),
        (lambda row: str(row.id))
        if of_users
        else (lambda row: f"{row.part} {row.name} {row.title} {row.day}"),
        situation.changes,
        Random(f"{situation.what} {number}"),
    )
    plain = sum(-(-(size - 1) // (PAGE - 1)) for size in rows.parts.values())
    concurrency, jumbled = CONCURRENCIES[at_once]
    fetcher = Fetcher(rows, situation.every, concurrency, jumbled=jumbled)
    try:
        emitted, told = read(fetcher, [*rows.parts], situation)
    except IncompleteError:
        return Read(False, fetcher.requests / plain, 0)
    return Read(True, fetcher.requests / plain, rows.wrong(emitted, told))


def read(fetcher: Any, parts: list[str], situation: Situation) -> tuple[Counter[str], int]:
    """Read a list as the tap reads users (with ids) or results.

    Return the keys of what was emitted, and how many rows the reader said that nothing tells apart.
    """
    results = situation.kind == "results"

    def former(record: dict[str, Any]) -> str | None:
        return record["former"] if record["day"] else None

    plan = ReadPlan(
        fetcher,
        PAGE,
        REPAIRS,
        lambda record: record["key"],
        repeats=results,
        former=former if results else None,
    )

    def connections(days: Days) -> list[Connection]:
        asked = {name: day for name, day in days._asdict().items() if day}
        return [Connection("list", {"part": part} | asked, "id") for part in parts]

    asked = WINDOW if situation.window else Days(None, None)
    by_day = None
    if results:
        by_day = DayFilter(asked, not situation.window, connections, lambda record: record["day"])
    emitted: set[tuple[str, int]] = set()
    reading = ListReader(plan, connections(asked), by_day=by_day).read()
    try:
        while True:
            emitted.update((record["key"], number) for record, number in next(reading))
    except StopIteration as end:
        told: int = end.value.indistinguishable
        return Counter(key for key, _ in emitted), told


def table(found: dict[tuple[Situation, str], list[Read]]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "| situation | at once | ends well | requests | at most | to reach | wrong rows | |",
        "| --- | --: | --: | --: | --: | --: | --: | --- |",
    ]
    for (situation, at_once), reads in found.items():
        cells = [
            situation.what,
            at_once,
            f"{sum(read.well for read in reads)} of {len(reads)}",
            f"{mean(read.multiple for read in reads):.2f}x",
            f"{max(read.multiple for read in reads):.2f}x",
            f"{situation.multiple:.2f}x" if situation.multiple else "",
            str(sum(read.wrong for read in reads)),
            _mark(situation, reads),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _mark(situation: Situation, reads: list[Read]) -> str:
    if not reached(situation, reads):
        return "**missed**"
    return "reached" if situation.well else ""


def reached(situation: Situation, reads: list[Read]) -> bool:
    """Tell whether enough reads ended well, cheaply enough, and no row is wrong."""
    well = sum(read.well for read in reads) * 100 >= situation.well * len(reads)
    cost = round(mean(read.multiple for read in reads), 2)
    cheap = situation.multiple is None or cost <= situation.multiple
    return well and cheap and not any(read.wrong for read in reads)


def main() -> int:
    """Read all lists, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small lists, one seed; only printed")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="situations with this in their name"
    )
    options = parser.parse_args()
    situations = [item for item in SITUATIONS if options.only in item.what]
    if options.quick:
        situations = [replace(item, rows=item.rows // QUICK, seeds=1) for item in situations]
    logging.disable()  # of the reader, which says what it sees of each list
    started = time.monotonic()
    works = [
        (situation, at_once, number)
        for situation in situations
        for at_once in CONCURRENCIES
        for number in range(situation.seeds)
    ]
    found: dict[tuple[Situation, str], list[Read]] = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        reads = pool.map(measure, *zip(*works, strict=True))
        for (situation, at_once, _), done in zip(works, reads, strict=True):
            found.setdefault((situation, at_once), []).append(done)
    text = table(found)
    print(f"{text}\n\n{time.monotonic() - started:.0f} seconds")
    if not options.quick and not options.only:
        report.write(DOCUMENT, text, report.READING)
    return 0 if all(reached(situation, reads) for (situation, _), reads in found.items()) else 1


if __name__ == "__main__":
    sys.exit(main())

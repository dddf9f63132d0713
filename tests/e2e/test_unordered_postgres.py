"""A real PostgreSQL that sorts by a column without a unique last key, and on which nothing moves.

Rows that tie come as its plan leaves them: with a low `LIMIT` and `OFFSET` it keeps the best rows
in a heap, with high ones it sorts all, and with several workers it merges what each has sorted. So
the same row may stand on two pages or on none. What is read is compared with what is there.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from functools import lru_cache
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pluvo_client.errors import IncompleteError
from pluvo_client.reading.by_days import DayFilter, Days
from pluvo_client.reading.connection import Connection
from pluvo_client.reading.list_reader import ListReader
from pluvo_client.reading.read_plan import ReadPlan
from pluvo_client.reading.root_fields import CountField, PageField
from pluvo_client.schema.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

USERS, TITLES, DAYS = 600, 20, 400
FIRST_DAY = dt.date(2025, 1, 1)
IN_PROGRESS = 0.3
PAGE = 50
SEVERAL_WORKERS = (
    b"SET min_parallel_table_scan_size = 0",
    b"SET parallel_setup_cost = 0",
    b"SET parallel_tuple_cost = 0",
    b"SET max_parallel_workers_per_gather = 4",
)

_OF_DAYS = b""" FROM report
    WHERE (%(start)s::date IS NULL OR day >= %(start)s)
      AND (%(end)s::date IS NULL OR day <= %(end)s)"""
COUNT = b"SELECT count(*)" + _OF_DAYS
SELECT = b"SELECT name, title, day" + _OF_DAYS
ORDERS = {"day": b" ORDER BY day", "title": b" ORDER BY title", "newest day": b" ORDER BY day DESC"}


class Results:
    """Answers that are there already."""

    def __init__(self, answers: list[Any]) -> None:
        self._answers = answers

    def get(self) -> list[Any]:
        return self._answers

    get_or_vanished = get  # nothing vanishes here

    def cancel(self) -> None:
        pass


class Table:
    """The table as a fetcher that asks for its pages, ordered by one column."""

    read_ahead = 4

    def __init__(self, connection: psycopg.Connection, order: str) -> None:
        self.contract = Contract()
        self.requests = 0
        self._connection = connection
        self._order = order

    def ask(self, *fields: Any) -> Results:
        self.requests += 1
        return Results([self._answer(item) for item in fields])

    def ask_many(self, fields: Iterable[Any], **_: Any) -> Iterator[Any]:
        for item in fields:
            yield from self.ask(item).get()

    def check_stopped(self) -> None:
        pass

    def say_once(self, sentence: str) -> None:
        pass

    def _answer(self, asked: Any) -> Any:
        if not isinstance(asked, PageField | CountField):
            return False  # nothing lies beyond the end
        days = Days(asked.connection.arguments.get("start"), asked.connection.arguments.get("end"))
        count = self._count(days)
        if isinstance(asked, CountField):
            return count
        offset = int(asked.position or 0)
        found = self._connection.execute(
            SELECT + ORDERS[self._order] + b" LIMIT %(first)s OFFSET %(offset)s",
            {**days._asdict(), "first": asked.first, "offset": offset},
        )
        nodes = [{"key": f"{name} {title} {day}", "day": day} for name, title, day in found]
        return asked.parse(
            {
                "count": count,
                "pageInfo": {"hasNextPage": offset + asked.first < count},
                "edges": [{"node": node} for node in nodes],
            }
        )

    @lru_cache  # noqa: B019 - nothing moves
    def _count(self, days: Days) -> int:
        ((count,),) = self._connection.execute(COUNT, days._asdict()).fetchall()
        return int(count)


@pytest.fixture(scope="module")
def database(postgres: dict[str, str]) -> Iterator[psycopg.Connection]:
    address = f"host={postgres['PGHOST']} port={postgres['PGPORT']} user={postgres['PGUSER']}"
    random = Random(1)
    rows = [
        (
            f"Person {user:03}",
            f"Training {title:02}",
            None
            if random.random() < IN_PROGRESS
            else FIRST_DAY + dt.timedelta(random.randrange(DAYS)),
        )
        for user, title in product(range(USERS), range(TITLES))
    ]
    random.shuffle(rows)
    with psycopg.connect(
        f"{address} dbname={postgres['PGDATABASE']}",
        autocommit=True,
        cursor_factory=psycopg.ClientCursor,  # values stand in the statement, as with Django
    ) as connection:
        connection.execute("CREATE TABLE report (name text, title text, day date)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO report VALUES (%s, %s, %s)", rows)
        connection.execute("ANALYZE report")
        yield connection
        connection.execute("DROP TABLE report")


EVERYTHING = Days(None, None)
A_WINDOW = Days(FIRST_DAY, FIRST_DAY + dt.timedelta(DAYS))


class Reading:
    """What reading the table gives: `rows`, and whether it ended well."""

    def __init__(
        self, database: psycopg.Connection, order: str, days: Days, *, filtered: bool
    ) -> None:
        table: Any = Table(database, order)

        def connections(some: Days) -> list[Connection]:
            asked = {name: day for name, day in some._asdict().items() if day}
            return [Connection("a", asked, "id")]

        by_day = None
        if filtered:
            by_day = DayFilter(days, days == EVERYTHING, connections, lambda record: record["day"])
        plan = ReadPlan(table, PAGE, 7, lambda record: record["key"], repeats=True)
        rows: set[tuple[str, int]] = set()
        self.ends_well = True
        try:
            for page in ListReader(plan, connections(days), by_day=by_day).read():
                rows.update((record["key"], number) for record, number in page)
        except IncompleteError:
            self.ends_well = False
        self.rows = Counter(key for key, _ in rows)
        self.there = self._rows(database, days)
        self.dated = self._rows(database, A_WINDOW)
        plain = -(-(self.there.total() - 1) // (PAGE - 1))
        end = "ends well" if self.ends_well else "fails by name"
        sys.stdout.write(
            f"by {order}: {end}, {self.rows.total():,} of {self.there.total():,} rows, "
            f"{table.requests / plain:.2f}x the requests\n"
        )

    @staticmethod
    def _rows(database: psycopg.Connection, days: Days) -> Counter[str]:
        found = database.execute(SELECT, days._asdict())
        return Counter(f"{name} {title} {day}" for name, title, day in found)


@pytest.mark.parametrize("order", ORDERS)
def test_completions_of_a_range_of_days_are_all_read(
    database: psycopg.Connection, order: str
) -> None:
    reading = Reading(database, order, A_WINDOW, filtered=True)
    assert reading.ends_well
    assert reading.rows == reading.there


def test_completions_are_all_read_where_several_workers_sort(database: psycopg.Connection) -> None:
    for setting in SEVERAL_WORKERS:
        database.execute(setting)
    try:
        reading = Reading(database, "title", A_WINDOW, filtered=True)
    finally:
        database.execute(b"RESET ALL")
    assert reading.ends_well
    assert reading.rows == reading.there


def test_with_rows_in_progress_all_are_read_by_day(database: psycopg.Connection) -> None:
    """They stand together at the end of the list, where all rows are sorted."""
    reading = Reading(database, "day", EVERYTHING, filtered=True)
    assert reading.ends_well
    assert reading.rows == reading.there


@pytest.mark.parametrize("order", ["title", "newest day"])
def test_with_rows_in_progress_all_others_are_read(
    database: psycopg.Connection, order: str
) -> None:
    """No filter asks for those in progress: some of them may never be on a page."""
    reading = Reading(database, order, EVERYTHING, filtered=True)
    assert not reading.rows - reading.there
    assert not reading.dated - reading.rows
    assert reading.ends_well == (reading.rows == reading.there)


@pytest.mark.parametrize("order", ORDERS)
def test_without_a_filter_what_ends_well_is_complete(
    database: psycopg.Connection, order: str
) -> None:
    reading = Reading(database, order, EVERYTHING, filtered=False)
    assert not reading.rows - reading.there
    assert not reading.ends_well or reading.rows == reading.there

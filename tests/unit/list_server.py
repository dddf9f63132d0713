"""A server whose lists change between two requests, and the reader set up to read them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from pluvo_client.reading.connection import Connection
from pluvo_client.reading.list_reader import ListReader
from pluvo_client.reading.read_plan import ReadPlan
from pluvo_client.reading.root_fields import AnythingField, CountField, PageField
from pluvo_client.schema.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = 5


class List:
    """A connection on the server: rows by position, and what happens before the nth request."""

    def __init__(self, rows: Iterable[str], changes: dict[int, list[tuple[Any, ...]]]) -> None:
        self.rows = list(rows)
        self.survivors = Counter(self.rows)
        self.changes = changes
        self.requests = 0
        self.lie = 0

    def change(self) -> None:
        self.requests += 1
        for kind, place, *more in self.changes.get(self.requests, ()):
            if kind == "insert":
                self.rows.insert(place % (len(self.rows) + 1), f"new {self.requests} {place}")
            elif self.rows:
                row = self.rows.pop(place % len(self.rows))
                if kind == "move":
                    self.rows.insert(more[0] % (len(self.rows) + 1), row)
                else:
                    self.survivors[row] = 0

    def answer(self, field: PageField) -> Any:
        self.change()
        start = field.position or 0
        if isinstance(start, str):
            start = int(start) + 1
        stop = start + field.first
        return field.parse(
            {
                "count": len(self.rows) + self.lie,
                "pageInfo": {"hasNextPage": stop < len(self.rows)},
                "edges": [
                    {"node": {"id": row}, "cursor": str(start + place)}
                    for place, row in enumerate(self.rows[start:stop])
                ],
            }
        )


class Results:
    def __init__(self, given: list[Any]) -> None:
        self.given = given

    def get(self) -> list[Any]:
        return self.given

    get_or_vanished = get

    def cancel(self) -> None:
        pass


class Server:
    """Answers at once, in the order of asking; prefetched pages are soon stale."""

    contract = Contract()

    def __init__(self, concurrency: int, lists: dict[str, List]) -> None:
        self.read_ahead = concurrency
        self.said: list[str] = []
        self.lists = lists

    def ask(self, *fields: Any) -> Results:
        return Results([self._answer(field) for field in fields])

    def _answer(self, field: Any) -> Any:
        if isinstance(field, AnythingField):
            self.lists[field.field].change()
            return False  # no list has rows beyond its end
        source = self.lists[field.connection.field]
        if isinstance(field, PageField):
            return source.answer(field)
        assert isinstance(field, CountField)
        source.change()
        return len(source.rows) + source.lie

    def ask_many(self, fields: Iterable[Any]) -> Iterator[Any]:
        for field in fields:
            yield from self.ask(field).get()

    def check_stopped(self) -> None:
        pass

    def say_once(self, sentence: str) -> None:
        self.said.append(sentence)


def read(
    lists: dict[str, List], *, concurrency: int = 4, by_offset: bool = True, passes: int = 7
) -> list[str]:
    plan = plan_of(Server(concurrency, lists), passes)
    connections = [Connection(name, {"name": name}, "id", by_offset=by_offset) for name in lists]
    return [node["id"] for node, _ in rows_of(ListReader(plan, connections))]


def plan_of(server: Server, passes: int = 7, *, repeats: bool = False) -> ReadPlan:
    return ReadPlan(server, PAGE, passes, lambda node: node["id"], repeats=repeats)  # type: ignore[arg-type]


def rows_of(reader: ListReader) -> Iterator[tuple[dict[str, Any], int]]:
    for rows in reader.read():
        yield from rows


NAMES = [f"row {number:02}" for number in range(40)]
PLACE = st.integers(0, 60)
COMING_AND_GOING = st.one_of(
    st.tuples(st.just("insert"), PLACE), st.tuples(st.just("delete"), PLACE)
)
MOVES = st.tuples(st.just("move"), PLACE, PLACE)


def happenings(change: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.integers(1, 30), st.lists(change, min_size=1, max_size=most))

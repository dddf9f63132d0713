"""The promise, against an adversary: what ends well holds every row that was there throughout.

Between any two requests rows are inserted, deleted, moved, renamed or swapped, many at a time; rows
that tie come in another order for each page, or at each request; lists are paged by offset or by
cursor. Rows have an id, or none: then there are as many of a key as were there at one moment.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from adversary import PAGE, DatedServer, Row, Server, missing, read, server_of
from typing_extensions import override

from pluvo_client.errors import IncompleteError, ProtocolError
from pluvo_client.reading.connection import Connection
from pluvo_client.reading.nested import read_nested
from pluvo_client.reading.read_plan import ReadPlan
from pluvo_client.reading.root_fields import CountField, PageField

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


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


def test_looks_at_rows_with_twins_show_as_many_of_them_as_fit_on_a_page() -> None:
    """Each of 200 rows has a twin 300 places further: looks cost no more pages than the list."""
    labels = [f"label {number % 300 % 200}" if number % 300 < 200 else f"label {number}"
              for number in range(600)]  # fmt: skip
    server = server_of(1, ties="none", with_id=False, eagerness=0)
    server.rows = [Row(0, number, label) for number, label in enumerate(labels)]
    server.note()
    assert read(server, by_offset=True) == Counter(labels)
    pages = -(-599 // (PAGE - 1))
    assert server.requests == pages + 400 // PAGE


def test_rows_that_two_looks_show_swapped_are_not_taken_for_more() -> None:
    """One row, seen twice since it has swapped places with another: the look shows the other."""

    class Swapping(Server):
        @override
        def act(self) -> None:
            self.requests += 1
            if self.requests == 3:
                self.rows[2], self.rows[90] = self.rows[90], self.rows[2]

    server = Swapping(Random(1), [Row(0, n, f"label {n}") for n in range(100)], "none", 1,
                      with_id=False, counted=True, ranks=1, eagerness=0, bulk=1)  # fmt: skip
    assert read(server, by_offset=True) == Counter(f"label {n}" for n in range(100))


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

"""Two changes between the same two requests, made to hide each other; and what a night costs.

A row is lost where it moves from the part that is still to be read to the part that was read. That
alone shows: pages shift, or the count changes. So the adversary adds a second change that takes the
trace away, of each kind. `SEEDS` in the environment is how many lists of each kind are read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from adversary import DatedServer, Row, Server, missing, read, server_of
from typing_extensions import override

from pluvo_client.errors import IncompleteError

SEEDS = int(os.environ.get("SEEDS", "2000"))
BLOCK = 200
BLOCKS = max(1, SEEDS // BLOCK // 2)  # for each of two tests
BENCHMARK = Path(__file__).parents[2] / "benchmarks/reading.py"

# Kind of list -> its server, and what is not drawn.
LISTS: dict[str, tuple[type[Server], dict[str, Any]]] = {
    "with ids": (Server, {"with_id": True}),
    "with ids, in two halves": (Server, {"with_id": True, "parts": 2}),
    "without ids": (Server, {"with_id": False}),
    "without ids, dated": (DatedServer, {"with_id": False}),
    "without ids, dated or in progress": (DatedServer, {"with_id": False, "in_progress": True}),
}


def wrong_rows(seed: int, kind: str, **options: Any) -> dict[str, Any] | None:
    """Return the rows that a list which ended well lacks or invented; None: it did not end well."""
    server_class, fixed = LISTS[kind]
    server = server_of(seed, server_class, **fixed, **options)
    try:
        given = read(server)
    except IncompleteError:
        return None  # said so: nothing is hidden
    wrong = {"missing": missing(server, given), "invented": given - server.most}
    return {what: rows for what, rows in wrong.items() if rows}


def read_all(block: int, kind: str, **options: Any) -> dict[int, dict[str, Any] | None]:
    """Read the lists of a block: a quarter for each concurrency and order of answers."""
    return {
        seed: wrong_rows(
            seed, kind, read_ahead=(4, 16)[seed % 2], jumbled=bool(seed // 2 % 2), **options
        )
        for seed in range(block * BLOCK, (block + 1) * BLOCK)
    }


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_two_changes_that_hide_each_other_leave_a_trace(block: int, kind: str) -> None:
    # Now and then: where pair follows on pair, four changes may hide each other.
    found = read_all(block, kind, paired=True, ties="none", eagerness=0.1)
    assert not {seed: wrong for seed, wrong in found.items() if wrong}
    assert sum(wrong is not None for wrong in found.values()) > BLOCK / 2


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_changes_of_one_kind_leave_a_trace(block: int, kind: str) -> None:
    """As many as there may be at once; rows that tie may come in any order.

    Not those in progress: where they tie, equal ones may be missed (docs: What is not promised).
    """
    kinds = ("insert", "delete") if LISTS[kind][0] is DatedServer else Server.kinds
    ties = {"ties": "none"} if LISTS[kind][1].get("in_progress") else {}
    found = read_all(block, kind, kinds=kinds, **ties)
    assert not {seed: wrong for seed, wrong in found.items() if wrong}
    assert sum(wrong is not None for wrong in found.values()) > BLOCK / 2


@pytest.mark.parametrize("kind", LISTS)
def test_where_rows_tie_as_well_hardly_a_row_is_lost(kind: str) -> None:
    """The limit: two such changes, and rows that happen to tie over the seam that they move."""
    found = [
        wrong
        for block in range(-(-BLOCKS // 4))
        for wrong in read_all(block, kind, paired=True, ties="by page").values()
    ]
    assert sum(map(bool, found)) <= len(found) / 200


def test_what_nights_cost_is_measured_and_no_row_is_wrong() -> None:
    """`make bench-reading`, with small lists; goals may be missed there, as they are so small."""
    done = subprocess.run(
        [sys.executable, BENCHMARK, "--quick"], capture_output=True, text=True, check=False
    )
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines()[2:] if "|" in line]
    assert {wrong.strip() for *_, wrong, _ in rows} == {"0"}, done.stdout + done.stderr
    assert len({situation for situation, *_ in rows}) == len(rows) / 3


# How the list is ordered -> how often all of it may be read, at most, when rows only come.
ONLY_NEW = {"newest first": 1.1, "in any other order": 2.1}


@pytest.mark.parametrize("kind", ["with ids", "without ids"])
@pytest.mark.parametrize("every", [10, 30, 200])
@pytest.mark.parametrize("order", ONLY_NEW)
def test_a_night_with_nothing_but_new_rows_ends_well(order: str, every: int, kind: str) -> None:
    newest_first = order == "newest first"
    for seed in range(10):
        server = ordinary_server(seed, kind, newest_first=newest_first, every=every)
        plain = -(-(len(server.rows) - 1) // 49)
        given = read(server, page=50, by_offset=True)
        assert not missing(server, given)
        assert not given - server.most
        assert server.requests <= ONLY_NEW[order] * plain + 2


class OrdinaryServer(Server):
    """A list to which rows are added now and then, in front or anywhere."""

    newest_first = False

    @override
    def change(self) -> None:
        place = 0 if self.newest_first else self.random.randint(0, len(self.rows))
        self.rows.insert(place, Row(0, self.next_id, f"new {self.next_id}"))
        self.next_id += 1


def ordinary_server(seed: int, kind: str, *, newest_first: bool, every: int) -> OrdinaryServer:
    rows = [Row(0, number, f"label {number}") for number in range(5000)]
    server = OrdinaryServer(
        Random(seed), rows, "none", 1, LISTS[kind][1]["with_id"],
        counted=True, ranks=1, eagerness=1 / every, bulk=1, read_ahead=(4, 16)[seed % 2],
    )  # fmt: skip
    server.newest_first = newest_first
    return server

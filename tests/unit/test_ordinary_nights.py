"""Two changes between the same two requests, made to hide each other; and what a night costs.

A row is lost where it moves from the part that is still to be read to the part that was read. That
alone shows: pages shift, or the count changes. So the adversary adds a second change that takes the
trace away, of each kind. `SEEDS` in the environment is how many lists are read, of each kind.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from adversary import DatedServer, Server, missing, read, server_of

from pluvo_client.errors import IncompleteError

SEEDS = int(os.environ.get("SEEDS", "2000"))
BLOCK = 200
BENCHMARK = Path(__file__).parents[2] / "benchmarks/reading.py"

# Kind of list -> its server, and what is not drawn.
LISTS: dict[str, tuple[type[Server], dict[str, Any]]] = {
    "with ids": (Server, {"with_id": True}),
    "with ids, in two halves": (Server, {"with_id": True, "parts": 2}),
    "without ids": (Server, {"with_id": False}),
    "without ids, dated": (DatedServer, {"with_id": False}),
    "without ids, dated or in progress": (DatedServer, {"with_id": False, "in_progress": True}),
}
ORDERS_OF_ANSWERS = {"in order": False, "jumbled": True}


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


@pytest.mark.parametrize("concurrency", [4, 16])
@pytest.mark.parametrize("answers", ORDERS_OF_ANSWERS)
@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("block", range(-(-SEEDS // BLOCK // 4)))
def test_two_changes_that_hide_each_other_leave_a_trace(
    block: int, kind: str, answers: str, concurrency: int
) -> None:
    """`SEEDS` lists of each kind: a quarter for each concurrency and order of answers."""
    jumbled = ORDERS_OF_ANSWERS[answers]
    # Where rows tie, their order is one more thing that changes between two requests.
    options = {"paired": True, "read_ahead": concurrency, "jumbled": jumbled, "ties": "none"}
    found = {
        seed: wrong_rows(seed, kind, **options)
        for seed in range(block * BLOCK, (block + 1) * BLOCK)
    }
    assert not {seed: wrong for seed, wrong in found.items() if wrong}
    assert sum(wrong is not None for wrong in found.values()) > BLOCK / 4

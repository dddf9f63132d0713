"""The order of rows is of no account."""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from documents import effects
from driver import run
from hr_files import draw_file
from pluvo_in_memory import Faults, Organization
from scenario import memory_folder, rejected_rows
from test_sequences import SEQUENCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from accounts import State
    from driver import Rows
    from pluvo_in_memory import Behaviour

_PARTS = 10


def _outcome(rows: Rows, state: State, behaviour: Behaviour, settings: dict[str, Any]) -> Any:
    """Return what a run did, in a form without an order."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        found = run(rows, Organization(state.copy(), behaviour, Faults()), Path(folder), settings)
    sent = Counter(effect for text in found.mutations for effect in effects(text))
    return sent, rejected_rows(found), str(found.error), sorted(map(repr, found.after.accounts))


def _permuted(rows: Rows, rng: Random) -> Iterator[Rows]:
    """Yield the rows in all orders of the users, and with each in some order of the others."""
    for some in itertools.permutations(rows.get("users", ())):
        file = {name: rng.sample(other, len(other)) for name, other in rows.items()}
        yield file | {"users": list(some)}


def _shuffled(rows: Rows, rng: Random) -> Iterator[Rows]:
    """Yield the rows in some orders, and the streams as well."""
    for _ in range(3):
        names = rng.sample(list(rows), len(rows))
        yield {name: rng.sample(rows[name], len(rows[name])) for name in names}


def _check(seed: int, most: int, *, permuted: bool) -> None:
    rng = Random(seed)
    state, behaviour, settings, rows = draw_file(rng, most)
    expected = _outcome(rows, state, behaviour, settings)
    orders: Iterable[Rows] = (_permuted if permuted else _shuffled)(rows, rng)
    for other in orders:
        found = _outcome(other, state, behaviour, settings)
        assert found == expected, (seed, most, rows, other, state, settings)


@pytest.mark.parametrize("part", range(_PARTS))
def test_small_files_in_all_orders(part: int) -> None:
    for seed in range(part, SEQUENCES // 20, _PARTS):
        _check(seed, 3 if seed % 8 else 4, permuted=True)
    _check(part, 5, permuted=part < max(2, SEQUENCES // 3000))


@pytest.mark.parametrize("part", range(_PARTS))
def test_large_files_in_some_orders(part: int) -> None:
    for seed in range(part, SEQUENCES // 30, _PARTS):
        _check(seed, 60 if seed % 5 == 0 else 12, permuted=False)

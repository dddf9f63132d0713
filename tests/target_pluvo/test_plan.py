"""A dry run changes nothing, and a run with its plan does that plan or nothing at all."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from documents import effects
from driver import run
from hr_files import draw_file
from invariants import nothing_personal_is_logged, what_stops_has_not_begun
from pluvo_in_memory import Faults, Organization
from scenario import memory_folder
from test_sequences import SEQUENCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts import State
    from driver import Rows, Run
    from pluvo_in_memory import Behaviour

_PARTS = 10


class _Night:
    """An organization and a file of one night, to be tried in several ways."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = Random(seed)
        self.state: State
        self._behaviour: Behaviour
        self.state, self._behaviour, self._settings, self.rows = draw_file(self.rng, 12)
        self._folder = folder

    def run(self, rows: Rows, state: State, **settings: Any) -> Run:
        organization = Organization(state.copy(), self._behaviour, Faults())
        found = run(rows, organization, self._folder, self._settings | settings)
        nothing_personal_is_logged(found)
        what_stops_has_not_begun(found)
        return found

    def digest(self) -> str:
        """Return the digest that ends the plan."""
        return (self._folder / "plan.txt").read_text("utf-8").split()[-1]

    def shuffled(self) -> Rows:
        return {name: self.rng.sample(rows, len(rows)) for name, rows in self.rows.items()}


@pytest.fixture(params=range(_PARTS))
def nights(request: pytest.FixtureRequest) -> Iterator[Iterator[_Night]]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        yield (
            _Night(seed, Path(tempfile.mkdtemp(dir=folder)))
            for seed in range(request.param, SEQUENCES // 30, _PARTS)
        )


def _effects(found: Run) -> Counter[str]:
    return Counter(effect for text in found.mutations for effect in effects(text))


def test_a_dry_run_changes_nothing(nights: Iterator[_Night]) -> None:
    for night in nights:
        found = night.run(night.rows, night.state, dry_run=True)
        assert not found.mutations
        assert found.before == found.after
        assert not found.states
        assert night.digest()


def test_an_approved_plan_is_what_is_done(nights: Iterator[_Night]) -> None:
    for night in nights:
        night.run(night.rows, night.state, dry_run=True)
        approved = night.digest()
        found = night.run(night.shuffled(), night.state, approved_plan=approved)
        expected = night.run(night.rows, night.state)
        assert _effects(found) == _effects(expected)
        assert str(found.error) == str(expected.error)


def test_another_plan_is_refused(nights: Iterator[_Night]) -> None:
    for night in nights:
        night.run(night.rows, night.state, dry_run=True)
        approved = night.digest()
        state = night.state.copy()
        for account in state.accounts:
            account.name = f"{account.name} Renskeland"
        changed = night.run(night.rows, state)
        if changed.stopped or _effects(changed) == _effects(night.run(night.rows, night.state)):
            continue  # the plan has not changed
        found = night.run(night.rows, state, approved_plan=approved)
        assert found.stopped
        assert not found.mutations

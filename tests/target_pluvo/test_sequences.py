"""Sequences of runs over drawn organizations with dirty HR files, faults and kills.

`SEQUENCES=30000` draws ten times as many as usual; `SEED=123` plays the sequence of one seed.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest
from all_invariants import AFTER_A_RUN, AFTER_A_SEQUENCE, kinds_of
from hr_files import draw
from invariants import changed_accounts

if TYPE_CHECKING:
    from scenario import Scenario

SEQUENCES = int(os.environ.get("SEQUENCES", "2000"))
_PARTS = 20
_ONLY = os.environ.get("SEED")


def broken(scenario: Scenario) -> dict[str, AssertionError]:
    """Return by name the invariants that do not hold."""
    found: dict[str, AssertionError] = {}
    runs = scenario.play()
    for run in runs:
        for after_a_run in AFTER_A_RUN:
            try:
                after_a_run(run)
            except AssertionError as error:
                found.setdefault(after_a_run.__name__, error)
    for after_all in AFTER_A_SEQUENCE:
        try:
            after_all(runs)
        except AssertionError as error:
            found.setdefault(after_all.__name__, error)
    return found


def breaks(name: str, scenario: Scenario) -> bool:
    """Tell whether an invariant does not hold."""
    return name in broken(scenario)


@pytest.mark.parametrize("part", range(_PARTS) if _ONLY is None else [0])
def test_whatever_comes_nobody_is_harmed(part: int) -> None:
    seeds = range(part, SEQUENCES, _PARTS) if _ONLY is None else [int(_ONLY)]
    for seed in seeds:
        scenario = draw(Random(seed))
        if found := broken(scenario):
            name = min(found)
            smallest = scenario.smallest(partial(breaks, name))
            why = broken(smallest)[name]
            pytest.fail(f"SEED={seed}: {', '.join(found)}\n\n{name}:\n{smallest}\n\n{why}")


def test_what_is_drawn_has_everything_in_it() -> None:
    """Of what never happens in the sequences, nothing is shown."""
    seen: Counter[str] = Counter()
    for seed in range(400):
        for run in draw(Random(seed)).play():
            seen["killed"] += run.killed
            seen["stopped at a limit"] += run.stopped
            seen["lost"] += not run.finished and not run.killed and not run.stopped
            seen["rejected, and the others done"] += bool(run.rejects and run.mutations)
            seen["invited"] += len(run.invitations)
            seen["joined"] += len(run.after.members - run.before.members)
            seen["removed"] += len(run.before.members - run.after.members)
            seen["made"] += len(run.after.accounts) - len(run.before.accounts)
            for old, new in changed_accounts(run):
                seen["renamed"] += old.name != new.name
                seen["custom field"] += old.values != new.values
                seen["adopted"] += old.ref is None and new.ref is not None
                seen.update(kinds_of(old, new))
    expected = {"archived", "restored", "renumbered", "address", "role", "adopted", "removed"}
    expected |= {"killed", "stopped at a limit", "lost", "invited", "joined", "made", "renamed"}
    expected |= {"custom field", "rejected, and the others done"}
    assert {what for what in expected if seen[what] < 3} == set(), seen

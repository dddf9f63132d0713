"""Sequences of runs: an organization, how it behaves, and the files that come one after another."""

from __future__ import annotations

import copy
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver import run
from pluvo_in_memory import Behaviour, Faults, Organization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accounts import Account, State
    from driver import Rows, Run


@dataclass(frozen=True)
class Edit:
    """What somebody does by hand in Pluvo: sets a field of an account, if it is there."""

    user_id: str
    field: str
    value: Any


@dataclass(frozen=True)
class Step:
    """A file, what is done by hand before it comes, and what goes wrong while it is used.

    Without `rows`, it is the file of the step before.
    """

    rows: Rows | None
    faults: Faults = field(default_factory=Faults)
    edits: tuple[Edit, ...] = ()
    made: tuple[Account, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A sequence of runs over one organization, with one ledger."""

    state: State
    behaviour: Behaviour
    settings: dict[str, Any]
    steps: tuple[Step, ...]

    def play(self) -> list[Run]:
        """Return what the runs did."""
        state = self.state.copy()
        runs: list[Run] = []
        rows: Rows = {}
        with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
            for step in self.steps:
                rows = rows if step.rows is None else step.rows
                runs.append(self._play(step, rows, state, Path(folder)))
        return runs

    def _play(self, step: Step, rows: Rows, state: State, folder: Path) -> Run:
        accounts = state.by_id()
        for edit in step.edits:
            if edit.user_id in accounts:
                setattr(accounts[edit.user_id], edit.field, edit.value)
        state.accounts += [copy.deepcopy(made) for made in step.made if made.id not in accounts]
        organization = Organization(state, self.behaviour, step.faults)
        return run(rows, organization, folder, self.settings)

    # Smaller ones

    def smaller(self) -> Iterator[Scenario]:
        """Yield scenarios that lack a part of this one."""
        for number in range(len(self.steps)):
            yield replace(self, steps=self.steps[:number] + self.steps[number + 1 :])
        for number, account in enumerate(self.state.accounts):
            state = self.state.copy()
            del state.accounts[number]
            state.members = {item for item in state.members if item[3] != account.id}
            yield replace(self, state=state)
        for member in sorted(self.state.members):
            state = self.state.copy()
            state.members.discard(member)
            yield replace(self, state=state)
        for number, step in enumerate(self.steps):
            for less in _smaller_step(step):
                yield replace(self, steps=(*self.steps[:number], less, *self.steps[number + 1 :]))
        for name in self.settings:
            yield replace(self, settings={k: v for k, v in self.settings.items() if k != name})
        if self.behaviour != Behaviour():
            yield replace(self, behaviour=Behaviour())

    def smallest(self, fails: Callable[[Scenario], bool]) -> Scenario:
        """Return a scenario that still fails, of which no part can be left out."""
        found = self
        while (less := next((item for item in found.smaller() if fails(item)), None)) is not None:
            found = less
        return found

    def __str__(self) -> str:
        lines = [f"settings: {self.settings}", f"{self.behaviour}"]
        lines += [f"account: {account}" for account in self.state.accounts]
        lines += [f"member: {member}" for member in sorted(self.state.members)]
        for number, step in enumerate(self.steps, 1):
            lines.append(f"run {number}: {step.faults if step.faults.any else 'no faults'}")
            lines += [f"  by hand: {edit}" for edit in (*step.edits, *step.made)]
            lines += ["  the same file"] if step.rows is None else []
            lines += [
                f"  {stream}: {row!a}" for stream, rows in (step.rows or {}).items() for row in rows
            ]
        return "\n".join(lines)


def _smaller_step(step: Step) -> Iterator[Step]:
    if step.faults.any:
        yield replace(step, faults=Faults())
    if step.edits or step.made:
        yield replace(step, edits=(), made=())
    file = step.rows or {}
    for stream, rows in file.items():
        yield replace(step, rows={k: v for k, v in file.items() if k != stream})
        for number in range(len(rows)):
            yield replace(step, rows={**file, stream: rows[:number] + rows[number + 1 :]})
    for stream, rows in file.items():
        for number, row in enumerate(rows):
            for column in row:
                if column.endswith("_ref"):  # rows of memberships must have these
                    continue
                less = {name: value for name, value in row.items() if name != column}
                some = [*rows[:number], less, *rows[number + 1 :]]
                yield replace(step, rows={**file, stream: some})


def memory_folder() -> str | None:
    """Return a folder in memory, where there is one: each sequence has a ledger of its own."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def rejected_rows(found: Run) -> Counter[tuple[str, str]]:
    """Return the rejected rows of a run by their content."""
    return Counter(
        (stream, repr(sorted(found.rows[stream][place].items())))
        for stream in found.rows
        for place in found.rejected(stream)
    )

"""What is to be changed, and what becomes of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pluvo_singer.rows import Rejection
from pluvo_singer.values import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pluvo_singer.rows import Row

Kind = Literal[
    "created", "adopted", "renumbered", "updated", "archived", "restored", "removed", "undecided"
]
# What is limited, which one change can be several of; each has a limit in `target_pluvo.limits`.
Limited = Literal["archived", "restored", "removed", "renumbered", "address", "role"]


@dataclass(eq=False)
class Change:
    """One change.

    Args:
        stream: of which it is.
        rows: that ask for it; none where something is removed for lack of a row.
        kind: what it counts as.
        about: what a log may show of it: no name and no address.
        who: the ref of what is changed, or in angle brackets the address.
        values: by field, what it is now and what it is to be.
        limits: by kind of limit, what is changed, known by something that stays the same.
    """

    stream: str
    rows: Sequence[Row]
    kind: Kind
    about: str
    who: str = ""
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    limits: Mapping[Limited, str] = field(default_factory=dict)
    done: bool = False
    reason: str | None = None

    def reject(self, reason: str) -> None:
        """Note why it could not be made."""
        self.done, self.reason = False, reason

    @property
    def line(self) -> str:
        """What a log may show."""
        row = f" row {self.rows[0].number}" if self.rows else ""
        return f"{self.stream}{row}: {self.kind} {self.about}"

    def in_words(self) -> str:
        """Return what a person reads who is to approve it, the same for any order of rows."""
        made = self.kind == "created"
        values = [
            f"{name}: {_shown(new)}" if made else f"{name}: {_shown(old)} -> {_shown(new)}"
            for name, (old, new) in sorted(self.values.items())
        ]
        return "; ".join([f"{self.stream} {self.who}: {self.kind}", *(values or [self.about])])


def _shown(value: Any) -> str:
    if value in (None, ""):
        return "nothing"
    listed = sorted(value) if isinstance(value, frozenset) else value
    return json.dumps(listed, ensure_ascii=False, default=str)


@dataclass(eq=False)
class Job:
    """A mutation and the changes that it makes.

    `text` gives the mutation with its selection right before it is sent, or raises `RejectedError`;
    `apply_result` looks through the answer, and may reject changes. `parts` are smaller jobs, to be
    tried where this one fails as a whole.
    """

    changes: Sequence[Change]
    text: Callable[[], str]
    apply_result: Callable[[Any], None]
    parts: Callable[[], list[Job]] = list


@dataclass
class Results:
    """What became of the rows of a stream.

    `undecided` are rows of which nobody knows yet whether they were done. `members` counts those of
    the groups or trainings that the data is in charge of.
    """

    unchanged: list[Row] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    undecided: list[Row] = field(default_factory=list)
    members: int = 0

    def mark_unchanged(self, rows: Iterable[Row]) -> None:
        """Note rows that need no change."""
        self.unchanged += rows

    def reject(self, rows: Iterable[Row], reason: str | RejectedError) -> None:
        """Note rows that cannot be written."""
        column = reason.column if isinstance(reason, RejectedError) else None
        self.rejected += [Rejection(row, str(reason), column) for row in rows]

    def collect_rejected(self) -> None:
        """Move changes that could not be made to the rejected rows."""
        for change in self.changes:
            if change.reason is not None:
                rows: Sequence[Row | None] = change.rows or [None]
                self.rejected += [Rejection(row, change.reason) for row in rows]
        self.changes = [change for change in self.changes if change.reason is None]

    def numbers(self) -> Counter[str]:
        """Return how many rows or changes had which outcome."""
        kinds = Counter[str](change.kind for change in self.changes if change.done)
        kinds["unchanged"] += len(self.unchanged)
        kinds["rejected"] += len(self.rejected)
        kinds["undecided"] += len(self.undecided)
        return kinds

    @property
    def unfinished(self) -> list[Row]:
        """The rows of which it is not certain that they are in Pluvo."""
        open_rows = [row for change in self.changes if not change.done for row in change.rows]
        rejected = [found.row for found in self.rejected if found.row is not None]
        return open_rows + rejected + self.undecided

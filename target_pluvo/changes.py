"""What is to be changed, and what becomes of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_pluvo.rows import RejectedError, Row

Kind = Literal["created", "updated", "archived", "removed"]
KINDS: tuple[Kind, ...] = ("created", "updated", "archived", "removed")


@dataclass(eq=False)
class Change:
    """One change: of which stream and rows, of what kind, and what a dry run prints of it.

    `rows` are empty where it is for lack of a row that something is removed. `values` is what only
    those may see who may see people's data. `done` says that it was made, `reason` why it was not.
    """

    stream: str
    rows: Sequence[Row]
    kind: Kind
    about: str
    values: str = ""
    done: bool = False
    reason: str | None = None

    def reject(self, reason: str) -> None:
        """Note why it could not be made."""
        self.done, self.reason = False, reason


@dataclass(eq=False)
class Job:
    """A mutation and the changes that it makes.

    `text` gives the mutation with its selection right before it is sent, or raises `RejectedError`;
    `settle` looks through the answer, and may reject changes. `parts` are smaller jobs, to be tried
    where this one fails as a whole.
    """

    changes: Sequence[Change]
    text: Callable[[], str]
    settle: Callable[[Any], None]
    parts: Callable[[], list[Job]] = list


@dataclass
class Results:
    """What became of the rows of a stream."""

    unchanged: list[Row] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    rejected: list[tuple[Row | None, str]] = field(default_factory=list)

    def keep(self, rows: Iterable[Row]) -> None:
        """Note rows that need no change."""
        self.unchanged += rows

    def reject(self, rows: Iterable[Row], reason: str | RejectedError) -> None:
        """Note rows that cannot be written."""
        self.rejected += [(row, str(reason)) for row in rows]

    def settle(self) -> None:
        """Take changes that were rejected for what they are."""
        for change in self.changes:
            if change.reason is not None:
                rows: Sequence[Row | None] = change.rows or [None]
                self.rejected += [(row, change.reason) for row in rows]
        self.changes = [change for change in self.changes if change.reason is None]

    def numbers(self) -> dict[str, int]:
        """Return how many rows or changes had which outcome."""
        kinds = Counter(change.kind for change in self.changes if change.done)
        return {
            **{kind: kinds[kind] for kind in KINDS},
            "unchanged": len(self.unchanged),
            "rejected": len(self.rejected),
        }

    @property
    def unfinished(self) -> list[Row]:
        """The rows of which it is not certain that they are in Pluvo."""
        open_rows = [row for change in self.changes if not change.done for row in change.rows]
        return open_rows + [row for row, _ in self.rejected if row is not None]

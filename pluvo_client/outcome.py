"""What reading a list was worth."""

from __future__ import annotations

from typing import NamedTuple

from typing_extensions import override


class ListOutcome(NamedTuple):
    """How a list was read.

    Attributes:
        rows: different rows that were emitted.
        counted: rows by the list's own count, or None if the API gives none.
        repairs: passes beyond the first.
        indistinguishable: rows that the list counts and that nothing tells from others.
    """

    rows: int = 0
    counted: int | None = None
    repairs: int = 0
    indistinguishable: int = 0

    @override
    def __add__(self, other: object) -> ListOutcome:
        """Return the outcome of two lists together."""
        if not isinstance(other, ListOutcome):
            return NotImplemented
        counts = (self.counted, other.counted)
        return ListOutcome(
            self.rows + other.rows,
            total(counts),
            self.repairs + other.repairs,
            self.indistinguishable + other.indistinguishable,
        )


def total(counts: tuple[int | None, ...] | list[int | None]) -> int | None:
    """Return the sum of counts, or None if one is not known."""
    return None if None in counts else sum(count or 0 for count in counts)

"""What the passes over a list show: that all of it was read, or that it cannot be known."""

from __future__ import annotations

import logging
from math import prod
from typing import TYPE_CHECKING, Protocol

from pluvo_client.errors import IncompleteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_client.reading.ledger import Ledger

logger = logging.getLogger("pluvo_client")

USELESS_PASSES = 2  # in a row, after which further ones are not worth their requests
FEWEST_PASSES = 3  # that tell how many rows one of them misses, or that rows do come twice
MIRACLE = 0.0001  # rows that all passes may be expected to have missed


class Pass(Protocol):
    """A pass over a list that has ended.

    `counts` are those of the connections that are counted together, all from one moment at its
    start; `rows` is how many rows came, without those that neighbouring pages share.
    """

    counts: list[int | None]
    rows: int

    @property
    def moved(self) -> bool:
        """Whether rows came, went or moved meanwhile."""


class Evidence:
    """Judges each pass over a list by the list's own counts; `name` is that of its connection.

    `spread_is_real` tells whether the equal rows that came on more pages than one are as many.
    """

    def __init__(self, name: str, ledger: Ledger) -> None:
        self._name = name
        self._ledger = ledger
        self._counts: list[int | None] = []  # at the start of each pass
        self._counted: int | None = None  # the last one
        self._best = 0  # rows that were there at one moment, as far as passes show it
        self._useless = 0
        self._before: tuple[int, int] = (-1, -1)
        self.spread_is_real = False
        self._quiet: tuple[int, int] | None = None  # how many rows the last quiet pass found
        self._alike = 0  # quiet passes in a row that found as many
        self._repeated = set[bytes]()  # rows that came more than once in all of them

    def shows_all(self, read: Pass, counted: int | None) -> bool:
        """Tell whether every row that was there throughout has been read.

        `counted` is how many rows there are at the end of the pass by the list's own count.
        """
        self._counts.append(total(read.counts))
        self._counted = counted
        if read.moved:
            self._quiet = None
        elif self._is_whole(read):
            return True
        if self._shows_by_passes():
            self._warn()
            return True
        now = (len(self._ledger), self._best)
        self._useless = 0 if now > self._before else self._useless + 1
        self._before = max(now, self._before)
        return False

    @property
    def is_exhausted(self) -> bool:
        """Whether further passes are not worth their requests."""
        return self._useless >= USELESS_PASSES

    def conclude(self) -> None:
        """Decide what to say of a list of which nothing shows that all of it was read.

        Raises:
            IncompleteError: rows may be missing.
        """
        counted, given = self._counted, len(self._ledger)
        if counted is None:
            self._warn()
            return
        if given < counted:
            msg = (
                f"`{self._name}` reports {counted} rows, but only {given} were found, even after "
                "re-reading: run the sync again, or raise `max_repair_passes`"
            )
        else:
            msg = (
                f"`{self._name}` kept changing while it was read: {given} rows were found, but "
                f"nothing shows that all of its {counted} rows are among them: run the sync again "
                "at a quieter time, or raise `max_repair_passes`"
            )
        raise IncompleteError(msg)

    def _is_whole(self, read: Pass) -> bool:
        """Tell whether a pass in which nothing moved found all that is counted."""
        found, given = self._ledger.found, len(self._ledger)
        equal_rows = self._ledger.equal_rows
        spread = equal_rows.beyond_pages if equal_rows else 0
        if not spread if self._counted is None else found >= self._counted:
            return True
        if self._counted not in {None, read.rows}:
            return False
        if equal_rows:  # on more pages than one: in place, or in the same order in two passes
            in_place = equal_rows.are_in_place and found + spread == read.rows
            in_order = in_place or (equal_rows.shows_the_same_order() and given <= read.rows)
            self.spread_is_real = in_order
            return in_order
        return self._holds_rows_twice(found, given, read)

    def _holds_rows_twice(self, found: int, given: int, read: Pass) -> bool:
        """Tell whether a list holds, and counts, rows more than once.

        Then each pass in which nothing moved finds as many, and the same ones come again.
        """
        if (found, read.rows) == self._quiet:
            self._alike += 1
            self._repeated &= self._ledger.repeated
        else:
            self._quiet, self._alike = (found, read.rows), 1
            self._repeated = self._ledger.repeated
        same = self._alike >= FEWEST_PASSES and len(self._repeated) >= min(read.rows - found, 1)
        if same and found == given:
            logger.info(
                "`%s` lists rows more than once: %d rows, of which %d are different",
                self._name,
                read.rows,
                found,
            )
        return same and found == given

    def _shows_by_passes(self) -> bool:
        """Tell whether the passes together show it, though none of them does by itself."""
        return self._was_there_at_once() or self._could_hardly_miss()

    def _was_there_at_once(self) -> bool:
        """Tell whether, between two passes, all rows were there that the list counted then."""
        for boundary, counted in enumerate(self._counts):
            if not boundary or counted is None:
                continue
            survivors = self._ledger.survivors(boundary)
            self._best = max(self._best, survivors)
            if survivors >= counted:
                return True
        return False

    def _could_hardly_miss(self) -> bool:
        """Tell whether it would be a miracle if all passes had missed the same row.

        How many rows a pass misses shows in those that the passes around it have read.
        """
        passes, rows = len(self._counts), len(self._ledger)
        if passes < FEWEST_PASSES or rows < (self._counted or 0) or self._ledger.is_doubtful:
            return False
        # No more rows than the shortest list had can have been there throughout.
        stayed = min(rows, *(count or rows for count in self._counts))
        missed = [self._ledger.missed(number) + 1 for number in range(2, passes)]
        # Of the first and the last pass nothing is known, but that they are as good as the others.
        chance: float = prod(missed) * max(missed) ** 2 / max(stayed, 1) ** passes
        return stayed * chance < MIRACLE

    def _warn(self) -> None:
        logger.warning(
            "`%s` kept changing while it was read; every row that was there throughout has been "
            "read (%d rows)",
            self._name,
            len(self._ledger),
        )


def total(counts: Sequence[int | None]) -> int | None:
    """Return the sum of counts; None where one is not known."""
    return None if None in counts else sum(count or 0 for count in counts)

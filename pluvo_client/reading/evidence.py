"""What the passes over a list prove: that every row that was there throughout has been read.

Each kind of evidence, its proof and what it assumes are told in docs/explanation/completeness.md.
"""

from __future__ import annotations

import logging
from math import prod
from typing import TYPE_CHECKING

from pluvo_client.errors import IncompleteError
from pluvo_client.outcome import ListOutcome, total

if TYPE_CHECKING:
    from pluvo_client.reading.by_days import DatedPart
    from pluvo_client.reading.read_pass import ReadPass
    from pluvo_client.reading.row_collector import RowCollector

logger = logging.getLogger("pluvo_client")

MIN_TORN = 3  # seams of a pass
MIN_TORN_PART = 0.25  # of its seams: movement alone hardly tears as many
MAX_IDLE_PASSES = 3  # in a row, after which further ones are not worth their requests
MIN_PASSES_TO_ESTIMATE = 3
MAX_MISS_PROBABILITY = 0.0001  # expected rows that all passes have missed
# Rows are accounted for only where events are rare among them: so rare that two of them between the
# same two requests, which may hide each other, do not concern the same row in two passes.
MIN_ROWS_PER_EVENT = 100
MIN_ROWS_TO_ACCOUNT = 1000  # a shorter list is soon read once more
MIN_ROWS_PER_PAIR_OF_CROSSINGS = 15


class Evidence:
    """Judges the passes over a list by the list's own counts; `name` is that of its connection."""

    def __init__(self, name: str, collector: RowCollector) -> None:
        self._name = name
        self._collector = collector
        self._passes: list[ReadPass] = []
        self._idle_passes = 0
        self._best = (-1, -1)
        self._known = self._known_before = 0  # rows, before the newest page and before its pass
        self._at_front = True  # whether each page of the pass has brought new rows
        self.indistinguishable = 0

    def begin_pass(self, read: ReadPass) -> None:
        """Begin with another pass."""
        if self._passes:
            self._passes[-1].note_next(total(read.counts))
        self._passes.append(read)
        self._known = self._known_before = len(self._collector)
        self._at_front = True

    @property
    def moved(self) -> bool:
        """Whether rows came, went or moved in any pass."""
        return any(read.events for read in self._passes)

    @property
    def is_unordered(self) -> bool:
        """Whether rows seem to tie: pages did not join, many of them or without a row that came."""
        least = 0 if self._counts_stayed else MIN_TORN_PART
        return len(self._passes) > 1 and all(
            read.torn >= max(MIN_TORN, read.seams * least) for read in self._passes
        )

    @property
    def counted(self) -> int | None:
        """How many rows there were when the newest pass began, by the list's own count."""
        return total(self._passes[-1].counts)

    def conclude(self) -> ListOutcome:
        """Return what the reading was worth; say so where all was read, and that was not plain."""
        if self.moved:
            logger.info(
                "`%s` changed during the sync; all rows that existed throughout were read "
                "(%d rows)",
                self._name,
                len(self._collector),
            )
        return self._outcome()

    def _outcome(self) -> ListOutcome:
        return ListOutcome(
            len(self._collector), self.counted, len(self._passes) - 1, self.indistinguishable
        )

    # The kinds of evidence

    def is_whole(self, *, in_place: bool = False) -> bool:
        """Tell whether the newest pass by itself has read all rows: in it, nothing moved.

        `in_place`: rows that are split were found again in their places.
        """
        read, collector = self._passes[-1], self._collector
        if read.events:
            return False
        rows, counted = len(collector.order), read.counted
        if not collector.split_rows() and collector.found >= (rows if counted is None else counted):
            return True
        same = len(self._passes) > 1 and collector.order == collector.order_before
        real = (in_place or same) and collector.waits_for_split_rows() and counted in {None, rows}
        if real and not self._collector.repeats:
            logger.info(
                "`%s` lists rows more than once: %d rows, of which %d are different",
                self._name,
                rows,
                collector.found,
            )
        return real

    def is_repaired(self) -> bool:
        """Tell whether a pass after the first one can end here.

        It can if all that is counted is known, or if rows only come at the front and the front has
        been read again: what has come since is best looked for there, once more.
        """
        if len(self._passes) == 1:
            return False
        news, self._known = len(self._collector) - self._known, len(self._collector)
        at_front, self._at_front = self._at_front, self._at_front and news > 0
        if self._known < MIN_ROWS_TO_ACCOUNT:
            return False
        # New rows were on the first page, and on all others but this one.
        came = at_front and not news and self._known > self._known_before
        front = came and all(read.grew_at_front for read in self._passes)
        return (front and not self._collector.split_rows_since(0)) or self.accounts_for_all_now()

    def accounts_for_all_now(self) -> bool:
        """Tell whether as many rows are known as there are at this moment: they only came."""
        counted = self._passes[-1].counted
        if counted is None or len(self._collector) < counted or not self._events_are_rare():
            return False
        only_came = all(read.only_grew and not read.repeated for read in self._passes)
        return only_came and len(self._collector) - self._collector.completed() >= counted

    def proves_all(self) -> bool:
        """Tell whether the passes together show it, though none of them does by itself."""
        collector = self._collector
        best = len(collector)
        for boundary in range(1, len(self._passes)):
            counted = total(self._passes[boundary].counts)
            if counted is None:
                continue
            known = self._known_at(boundary)
            best = max(best, known)
            split = collector.split_rows_since(boundary) if self._events_are_rare() else 0
            if known + split >= counted:
                self.indistinguishable = max(counted - known, split)
                return True
        if self._can_hardly_have_missed(len(collector), self.counted):
            return True
        now = (len(collector), best)
        self._idle_passes = 0 if now > self._best else self._idle_passes + 1
        self._best = max(now, self._best)
        return False

    def _known_at(self, boundary: int) -> int:
        """Return how many of the rows that were there at the end of some passes are known.

        Those that were seen before and after were there. Those that were seen on one side only
        were there as well, but for as many as went before, or came after, by the counts.
        """
        sides = self._collector.sides(boundary)
        before, after = self._passes[boundary - 1], self._passes[boundary]
        rows = len(self._collector)
        pairs = before.crossings * after.crossings
        if not self._events_are_rare() or pairs * MIN_ROWS_PER_PAIR_OF_CROSSINGS > rows:
            return sides.both
        only_before = sides.only_before - sides.completed
        went = min(only_before, sum(read.falls for read in self._passes[:boundary]))
        came = min(sides.only_after, sum(read.arrivals for read in self._passes[boundary:]))
        return sides.both + only_before - went + sides.only_after - came

    def _events_are_rare(self) -> bool:
        most, rows = max(read.events for read in self._passes), len(self._collector)
        return rows >= max(most * MIN_ROWS_PER_EVENT, MIN_ROWS_TO_ACCOUNT)

    def proves_undated(self, parts: DatedPart | None) -> bool:
        """Tell whether all rows without a day were read, once those with one were.

        `parts` is how many there are of each by the list's own counts, after the newest pass.
        """
        undated = self._collector.undated
        if parts is None:
            return False
        if len(undated) == parts.undated and self._counts_stayed:
            # One may have gone and another come without a trace: of equal ones, that is told.
            self.indistinguishable = max(self.indistinguishable, self._collector.ever_split_rows())
            return True
        return self._can_hardly_have_missed(len(undated), parts.undated, undated)

    @property
    def _counts_stayed(self) -> bool:
        """Whether no count has ever changed."""
        return all(read.counts == read.latest == self._passes[0].counts for read in self._passes)

    def _can_hardly_have_missed(
        self, rows: int, counted: int | None, among: set[bytes] | None = None
    ) -> bool:
        """Tell whether it would be a miracle if all passes had missed the same row.

        How many rows a pass misses shows in those that the passes around it have read. Rows that
        are counted and not known are those that passes have split.
        """
        passes, collector = len(self._passes), self._collector
        unknown = max(0, (counted or 0) - rows)
        if passes < MIN_PASSES_TO_ESTIMATE or unknown > collector.mostly_split_rows():
            return False
        missed = [collector.missed(number, among) for number in range(2, passes)]
        if self.is_unordered:
            # Rows that tie are missed more often than others, so these are looked at on their own.
            at_risk = max(map(len, missed))
            chance = (
                at_risk
                * (sum(map(len, missed)) / max(1, len(set().union(*missed))) / len(missed))
                ** passes
            )
        else:
            # No more rows than the shortest list had can have been there throughout. Of the first
            # and the last pass nothing is known, but that they are as good as the others.
            stayed = min([rows, *filter(None, (total(read.counts) for read in self._passes))])
            most = [len(rows_missed) + 1 for rows_missed in missed]
            chance = stayed * prod(most) * max(most) ** 2 / max(stayed, 1) ** passes
        if chance >= MAX_MISS_PROBABILITY:
            return False
        self.indistinguishable = max(unknown, collector.ever_split_rows())
        return True

    # Where nothing proves it

    @property
    def is_exhausted(self) -> bool:
        """Whether further passes are not worth their requests."""
        return self._idle_passes >= MAX_IDLE_PASSES

    def incomplete(self) -> IncompleteError:
        """Return the error for a list of which nothing proves that all of it was read."""
        counted, rows = self._passes[-1].counted, len(self._collector)
        if counted is not None and rows < counted:
            msg = (
                f"`{self._name}` reports {counted} rows, but only {rows} were found, even after "
                "re-reading: run the sync again, or raise `max_repair_passes`"
            )
        else:
            msg = (
                f"`{self._name}` kept changing while it was read: {rows} rows were found, but "
                "nothing shows that all of its rows are among them: run the sync again at a "
                "quieter time, or raise `max_repair_passes`"
            )
        return IncompleteError(msg, self._outcome())

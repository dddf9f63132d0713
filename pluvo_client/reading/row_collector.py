"""Which rows of a list were seen, in which pass, and which are still to be emitted."""

from __future__ import annotations

import datetime as dt
from array import array
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pluvo_client.reading.key_set import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pluvo_client.reading.key_set import KeySet
    from pluvo_client.schema.selection import Record

Row = tuple["Record", int]  # the number tells rows of equal key apart (else 0)

_content = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode


class Sides(NamedTuple):
    """How many rows were seen on both sides of a moment, or on one side only.

    `completed` are rows that were seen before with the key that another one had after it.
    """

    both: int
    only_before: int
    only_after: int
    completed: int


class RowCollector:
    """Decides which rows of a page are to be emitted, and notes what each pass has seen.

    With `repeats`, rows of equal key are different rows, told apart by a running number. There are
    as many as one page shows at once. Those that came on several pages are *split*: they may be one
    row that moved, so they wait until it is known that the list held still. `former` gives the key
    that a row had before it was completed. Rows in `emitted` were emitted by another reader.

    Attributes:
        found: different rows that this pass has seen.
        order: hashes of its keys, by place; `order_before` those of the pass before.
        days: rows of each day, where rows have a `day`.
        undated: those without one.
    """

    def __init__(
        self,
        *,
        repeats: bool,
        former: Callable[[Record], str | None] | None = None,
        day: Callable[[Record], dt.date | None] | None = None,
        emitted: KeySet | None = None,
    ) -> None:
        self.repeats = repeats
        self._former = former
        self._day = day
        self._emitted = emitted
        self._seen = set[bytes]()
        self._first = 0  # rows that the first pass has seen
        self._later: dict[bytes, int] = {}  # rows of later passes: a bit for each pass
        self._formers: dict[bytes, bytes] = {}  # of rows that are new in a later pass
        self._bit = 0  # of this pass
        self._moved = False
        self.found = 0
        self.order = array("q")
        self.order_before = self.order
        self.days = Counter[dt.date]()
        self.undated = set[bytes]()
        # Of keys that came more than once:
        self._at_once: dict[str, int] = {}  # on one page, in any pass
        self._copies: dict[str, int] = {}  # by their places in this pass
        self._waiting: dict[str, list[Record]] = {}  # rows of this pass that were not emitted
        self._splits: list[dict[str, int]] = []  # what each pass has split

    def __len__(self) -> int:
        """Return how many different rows were seen."""
        return len(self._seen)

    def begin_pass(self, *, moved: bool) -> None:
        """Begin with another pass over the list; `moved`: rows moved in an earlier one."""
        self._moved = moved
        if self._bit == 1:
            self._first = len(self._seen)
        self._bit = self._bit << 1 or 1
        self.found = 0
        self.order_before, self.order = self.order, array("q")
        self._copies, self._waiting = {}, {}

    def end_pass(self) -> None:
        """Note which keys the pass has split."""
        self._splits.append(self.split())

    def take(self, keys: Sequence[str], records: Sequence[Record], start: int) -> list[Row]:
        """Return the rows of a page that are to be emitted now.

        Those before `start` were on the page before as well.
        """
        self.order.extend(map(hash, keys[start:]))
        if not self.repeats:
            return [
                (record, 0)
                for key, record in zip(keys, records, strict=True)
                if self._see(digest(key), record)
            ]
        together: dict[str, list[Record]] = {}
        for key, record in zip(keys, records, strict=True):
            together.setdefault(key, []).append(record)
        rows: list[Row] = []
        for key, group in together.items():
            row = digest(key)
            came_before = self._came_before(row)
            behind = group[keys[:start].count(key) if came_before else 0 :]
            if len(group) == 1 and not (came_before or key in self._at_once):
                if self._see(row, group[0]):
                    rows.append((group[0], 0))
            elif behind or len(group) > 1:  # else it is the row that neighbouring pages share
                before = self._copies.get(key, 1) if came_before else 0
                rows += self._take_copies(key, group, behind, before)
        return rows

    def _take_copies(
        self, key: str, group: list[Record], behind: list[Record], before: int
    ) -> list[Row]:
        """Take rows of a key that comes more than once, of which there were some `before`."""
        self._copies[key] = before + len(behind)
        self._at_once[key] = max(len(group), self._at_once.get(key, 1))
        waiting = self._waiting.setdefault(key, [])
        waiting += behind
        new = [n for n in range(len(group)) if self._see(digest(key, n), group[0])]
        if self._moved:
            # Which of them were emitted is not known, so all are, in an order that does not change;
            # but not where some more were: these would take the place of others.
            return [] if digest(key, len(group)) in self._seen else numbered(group)
        if self._bit == 1:
            return [(waiting.pop(0) if waiting else group[n], n) for n in new]
        return [(waiting[n], n) for n in new if n < len(waiting)]

    def take_view(self, keys: Sequence[str], records: Sequence[Record]) -> list[Row]:
        """Return the rows to emit of a page that shows all rows of its keys at once."""
        together: dict[str, list[Record]] = {}
        for key, record in zip(keys, records, strict=True):
            together.setdefault(key, []).append(record)
        rows: list[Row] = []
        for key, group in together.items():
            if len(group) > 1:
                self._at_once[key] = max(len(group), self._at_once.get(key, 1))
            if sum(self._see(digest(key, n), group[0]) for n in range(len(group))):
                rows += numbered(group)
        return rows

    def take_numbered(self, rows: Sequence[tuple[str, Record, int]]) -> list[Row]:
        """Return those of numbered rows, with their keys, that were never emitted."""
        return [
            (record, number)
            for key, record, number in rows
            if self._see(digest(key, number), record)
        ]

    def take_split(self) -> list[Row]:
        """Return the rows that are split, once it is known that the list held still."""
        rows: list[Row] = []
        for key, copies in self.split().items():
            waiting = self._waiting[key]
            found = (
                numbered(waiting)
                if self._moved
                else [*zip(waiting, range(copies - len(waiting), copies), strict=True)]
            )
            rows += [row for row in found if self._see(digest(key, row[1]), row[0]) or self._moved]
        return rows

    # Rows that are equal

    def has_copies(self, key: str) -> bool:
        """Tell whether a key came more than once."""
        return key in self._at_once

    def split(self) -> dict[str, int]:
        """Return how many rows keys have by place of which no page has shown as many at once."""
        return {key: n for key, n in self._copies.items() if n > self._at_once[key]}

    def split_rows(self) -> int:
        """Return how many rows there are by place that no page has shown at once."""
        return sum(n - self._at_once[key] for key, n in self.split().items())

    def split_rows_since(self, boundary: int) -> int:
        """Return how many such rows each pass has shown after the first `boundary` ones."""
        first, *others = self._splits[boundary:]
        copies = {
            key: min([n, *(other.get(key, 0) for other in others)]) for key, n in first.items()
        }
        return sum(max(0, n - self._at_once[key]) for key, n in copies.items())

    def ever_split_rows(self) -> int:
        """Return how many such rows there may be at most: those that any pass has shown."""
        most: dict[str, int] = {}
        for split in self._splits:
            for key, rows in split.items():
                most[key] = max(rows, most.get(key, 0))
        return sum(max(0, rows - self._at_once[key]) for key, rows in most.items())

    def mostly_split_rows(self) -> int:
        """Return how many keys at least half of the passes have split."""
        times = Counter(key for split in self._splits for key in split)
        return sum(2 * n >= len(self._splits) for n in times.values())

    def waits_for_split_rows(self) -> bool:
        """Tell whether all split rows are at hand, so that they can be emitted."""
        return all(
            len(self._waiting[key]) == (n - self._at_once[key] if self._bit == 1 else n)
            for key, n in self.split().items()
        )

    def places_of_split_rows(self) -> list[int]:
        """Return where split rows stand in the list, in order.

        Those of a key of whom a page shows several are no evidence that the list holds still: its
        pages join wherever such rows meet. So with one of them, there are no places to look at.
        """
        split = self.split()
        if any(self._at_once[key] > 1 for key in split):
            return []
        hashes = set(map(hash, split))
        return [place for place, key in enumerate(self.order) if key in hashes]

    def stood_at(self, keys: Sequence[str], place: int) -> bool:
        """Tell whether this pass has read these keys, in this order, from a place on."""
        return self.order[place : place + len(keys)] == array("q", map(hash, keys))

    # What the passes show together

    def sides(self, boundary: int) -> Sides:
        """Return on which sides of the end of the first `boundary` passes rows were seen."""
        before = (1 << boundary) - 1
        both = only_after = later_before = 0
        for seen in self._later.values():
            if seen & before:
                both += 1 if seen >> boundary else 0
                later_before += 1 - (seen & 1)
            else:
                only_after += 1
        first = self._first if self._bit > 1 else len(self._seen)
        completed = sum(
            1
            for row, former in self._formers.items()
            if not self._later[row] & before and self._only_before(former, boundary)
        )
        return Sides(both, first + later_before - both, only_after, completed)

    def _only_before(self, row: bytes, boundary: int) -> bool:
        return row in self._seen and not self._later.get(row, 1) >> boundary

    def completed(self) -> int:
        """Return how many rows were seen with the key that they had before, too."""
        return sum(1 for former in self._formers.values() if former in self._seen)

    def missed(self, number: int, among: set[bytes] | None = None) -> set[bytes]:
        """Return the rows that the pass `number`, counted from 1, has missed for sure.

        They were seen before that pass and after it, so they were there all the while.
        """
        bit = 1 << (number - 1)
        return {
            row
            for row, seen in self._later.items()
            if seen & (bit - 1)
            and seen >> number
            and not seen & bit
            and (among is None or row in among)
        }

    def _came_before(self, row: bytes) -> bool:
        """Tell whether this pass has seen a row."""
        if self._bit == 1:
            return row in self._seen
        return bool(self._later.get(row, 0) & self._bit)

    def _see(self, row: bytes, record: Record) -> bool:
        """Note a row; return whether it was never emitted."""
        before = len(self._seen)
        self._seen.add(row)
        new = len(self._seen) != before
        if self._bit == 1:
            self.found += new
        else:
            seen = self._later.get(row, 0 if new else 1)
            self.found += not seen & self._bit
            self._later[row] = seen | self._bit
            if new and self._former and (former := self._former(record)) is not None:
                self._formers[row] = digest(former)
        if new and self._day:
            if (day := self._day(record)) is None:
                self.undated.add(row)
            else:
                self.days[day] += 1
        return new if self._emitted is None else self._emitted.add_digest(row)


def numbered(records: list[Record]) -> list[Row]:
    """Return rows of one key with numbers, in the order of what they hold."""
    if len(records) > 1:
        records = sorted(records, key=_content)
    return [(record, number) for number, record in enumerate(records)]

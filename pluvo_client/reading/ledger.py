"""Which rows were read, and in which pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluvo_client.reading.equal_rows import EqualRows, numbered
from pluvo_client.reading.key_set import KeySet, digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_client.reading.page_stitcher import Piece
    from pluvo_client.schema.selection import Record

Row = tuple["Record", int]  # the number tells rows of equal key apart (else 0)


class Ledger:
    """Decides which rows of a piece are new, and what the passes over a list prove together.

    `found` is how many distinct rows this pass has read; `repeated` are those that came more than
    once, also as the row that neighbouring pages share. With `repeats`, rows of equal key are
    different rows, and `equal_rows` says what is known of them. They are numbered from 0 in their
    order in the list or, where rows move or tie, in the order of what they hold, so that a number
    does not depend on how the list was read. `again` is how many were given once more. Rows in
    `given` were given before.
    """

    def __init__(self, *, repeats: bool, given: KeySet | None = None) -> None:
        self.equal_rows = EqualRows() if repeats else None
        self.found = 0
        self.repeated = set[bytes]()
        self.again = 0
        self.given = KeySet() if given is None else given
        self._read = self.given if given is None else KeySet()
        self._pass = 0
        self._moved = False
        self._owed: set[tuple[str, int]] = set()
        self._in_pass = self._read
        self._passes: dict[bytes, int] = {}  # from the second pass on: a bit for each pass

    def __len__(self) -> int:
        """Return how many rows were read so far."""
        return len(self._read)

    def begin_pass(self, *, moved: bool = False) -> None:
        """Begin with another pass over the whole list; `moved`: rows moved in an earlier one."""
        self._pass += 1
        self._moved = moved
        self.found = 0
        self.repeated = set()
        if self.equal_rows:
            self.equal_rows.begin_pass()
        if self._pass > 1:
            self._in_pass = KeySet()

    def known(self, key: str) -> bool:
        """Tell whether this pass has read a row of this key."""
        return key in self._in_pass

    def take(self, piece: Piece, *, again: bool = False) -> list[Row]:
        """Return the rows of a piece that were never given.

        Where rows moved, and where they are read `again`, those are given once more whose key came
        more than once: what was given may have been another row, and gone.
        """
        if self.equal_rows is None:
            return [
                (record, 0)
                for key, record in zip(piece.keys, piece.records, strict=True)
                if self._add(digest(key))
            ]
        rows: list[Row] = []
        again |= self._moved
        for key, (records, place) in self.equal_rows.add(piece, self.known).items():
            noted = [self._add(digest(key, number)) for number in range(len(records))]
            if again:
                if any(noted) or self._may_be_others(key, len(records)):
                    rows += numbered(records, by_content=True)
                    self.again += len(noted) - sum(noted)
                continue
            for number, is_new in enumerate(noted):
                if is_new or (key, number) in self._owed:
                    rows += self._at_place(key, records, number, place)
        return rows

    def _at_place(self, key: str, records: list[Record], number: int, place: int) -> list[Row]:
        """Return the `number`th row of a key, if it is among `records`, which begin at `place`.

        A page may show that there is such a row while it stands on an earlier one: it is owed.
        """
        if 0 <= number - place < len(records):
            self._owed.discard((key, number))
            return [(records[number - place], number)]
        self._owed.add((key, number))
        return []

    def _may_be_others(self, key: str, rows: int) -> bool:
        """Tell whether rows of this key that were given, no more than these, may be gone."""
        assert self.equal_rows is not None  # noqa: S101 - the caller has asked
        return self.equal_rows.came_repeatedly(key) and not self.given.has(key, rows)

    def places_of_spread_rows(self) -> list[int]:
        """Return where rows stand that are spread over pages, if a look there can tell more.

        It cannot where it is not known which of the rows were given.
        """
        if self.equal_rows is None:
            return []
        several = any(self.given.has(key, 1) for key in self.equal_rows.spread)
        known = self.equal_rows.holds_all if self._pass > 1 else not several
        return self.equal_rows.places() if known else []

    def stood(self, keys: Sequence[str], place: int) -> bool:
        """Tell whether this pass has read these keys, in this order, from a place on."""
        return self.equal_rows is not None and self.equal_rows.stood(keys, place)

    def note_in_place(self) -> None:
        """Note that rows that are spread over pages are where they were read."""
        if self.equal_rows:
            self.equal_rows.are_in_place = True

    def take_spread(self) -> list[Row]:
        """Return the rows that are spread over pages, once they are known to be real.

        Where nothing moved, the first one of each was given when it came. Otherwise it is not known
        which one that was, and all are given once more.
        """
        assert self.equal_rows is not None  # noqa: S101 - no others are spread
        if self._pass == 1:
            found = self.equal_rows.later_rows()
            return [
                (record, number)
                for key, rows in found
                for record, number in rows
                if self._is_due(key, number)
            ]
        known = not self._moved and self.equal_rows.shows_the_same_order()
        rows: list[Row] = []
        for key, records in self.equal_rows.held_rows():
            for record, number in numbered(records, by_content=not known):
                new = self._is_due(key, number)
                if new or not known:
                    rows.append((record, number))
                    self.again += not new
        return rows

    def _is_due(self, key: str, number: int) -> bool:
        """Tell whether a row that is about to be given never was, although it may be noted."""
        return self.given.add(key, number) or (key, number) in self._owed

    @property
    def is_doubtful(self) -> bool:
        """Whether two passes have spread rows that were never given."""
        return self.equal_rows is not None and any(
            not self.given.has(key, rows - 1) for key, rows in self.equal_rows.doubtful()
        )

    def _add(self, row: bytes) -> bool:
        """Note a row; return whether it was never given."""
        read = self._read.add_digest(row)
        new = read if self.given is self._read else self.given.add_digest(row)
        in_pass = read if self._pass == 1 else self._in_pass.add_digest(row)
        if in_pass:
            self.found += 1
        else:
            self.repeated.add(row)
        if self._pass == 1:
            return new
        earlier = 0 if read else 1  # what the first pass has read has no entry of its own
        self._passes[row] = self._passes.get(row, earlier) | 1 << (self._pass - 1)
        return new

    def survivors(self, boundary: int) -> int:
        """Return how many rows were read both in the first `boundary` passes and later.

        They were all there in between, whatever came, went or moved. If they are as many as the
        list had rows then, they are the list, and nothing that stayed can be missing.
        """
        before = (1 << boundary) - 1
        return sum(1 for seen in self._passes.values() if seen & before and seen >> boundary)

    def missed(self, number: int) -> int:
        """Return how many rows the pass `number`, counted from 1, has missed for sure.

        They were read before that pass and after it, so they were there all the while.
        """
        bit = 1 << (number - 1)
        return sum(
            1
            for seen in self._passes.values()
            if seen & (bit - 1) and seen >> number and not seen & bit
        )

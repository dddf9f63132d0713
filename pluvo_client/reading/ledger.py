"""Which rows were read, and in which pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluvo_client.reading.equal_rows import EqualRows, in_order
from pluvo_client.reading.key_set import KeySet, digest

if TYPE_CHECKING:
    from pluvo_client.reading.page_stitcher import Piece
    from pluvo_client.schema.selection import Record

Row = tuple["Record", int]  # the number tells rows of equal key apart (else 0)


class Ledger:
    """Decides which rows of a piece are new, and what the passes over a list prove together.

    `found` is how many distinct rows this pass has read. With `repeats`, rows of equal key are
    different rows, and `equal_rows` says what is known of them. They are numbered from 0 in the
    order of what they hold, so that a number does not depend on how the list was read. A row that
    was given when it was alone is given once more when it turns out to have a twin. Rows in `given`
    were given before.
    """

    def __init__(self, *, repeats: bool, given: KeySet | None = None) -> None:
        self.equal_rows = EqualRows() if repeats else None
        self.found = 0
        self.given = KeySet() if given is None else given
        self._read = self.given if given is None else KeySet()
        self._pass = 0
        self._in_pass = self._read
        self._passes: dict[bytes, int] = {}  # from the second pass on: a bit for each pass

    def __len__(self) -> int:
        """Return how many rows were read so far."""
        return len(self._read)

    def begin_pass(self) -> None:
        """Begin with another pass over the whole list."""
        self._pass += 1
        self.found = 0
        if self.equal_rows:
            self.equal_rows.begin_pass()
        if self._pass > 1:
            self._in_pass = KeySet()

    def known(self, key: str) -> bool:
        """Tell whether this pass has read a row of this key."""
        return key in self._in_pass

    def take(self, piece: Piece) -> list[Row]:
        """Return the rows of a piece that were never given."""
        if self.equal_rows is None:
            return [
                (record, 0)
                for key, record in zip(piece.keys, piece.records, strict=True)
                if self._add(digest(key))
            ]
        rows: list[Row] = []
        for key, records in self.equal_rows.add(piece, self.known).items():
            # All of them are noted, whether the first one is new or not.
            if any([self._add(digest(key, number)) for number in range(len(records))]):  # noqa: C419
                rows += ((record, number) for number, record in enumerate(in_order(records)))
        return rows

    def places_of_spread_rows(self) -> dict[str, list[int]]:
        """Return where rows stand that are spread over pages, if a look there can tell more.

        It cannot where several rows of a key were given already: nobody knows which ones.
        """
        if self.equal_rows is None or any(self.given.has(key, 1) for key in self.equal_rows.spread):
            return {}
        return self.equal_rows.places()

    def note_in_place(self) -> None:
        """Note that rows that are spread over pages are where they were read."""
        if self.equal_rows:
            self.equal_rows.are_in_place = True

    def take_spread(self) -> list[Row]:
        """Return the rows that are spread over pages, once they are known to be real.

        They are numbered by their places, as the first one is given already; where several are,
        all are given once more.
        """
        assert self.equal_rows is not None  # noqa: S101 - no others are spread
        rows: list[Row] = []
        for key, records in self.equal_rows.spread_rows():
            several = self.given.has(key, 1)
            numbered = enumerate(in_order(records) if several else records)
            rows += [
                (record, number)
                for number, record in numbered
                if self.given.add(key, number) or several
            ]
        return rows

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
        if self._pass == 1:
            self.found += read
            return new
        self.found += self._in_pass.add_digest(row)
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

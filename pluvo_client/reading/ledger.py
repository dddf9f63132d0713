"""Which rows were read, and in which pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluvo_client.reading.key_set import KeySet, digest

if TYPE_CHECKING:
    from pluvo_client.reading.page_stitcher import Piece
    from pluvo_client.schema.selection import Record

Row = tuple["Record", int]  # the number tells rows of equal key apart (else 0)


class Ledger:
    """Decides which rows of a piece are new, and what the passes over a list prove together.

    `found` is how many distinct rows this pass has read. With `repeats`, rows of equal key are
    different rows: the first one that a pass meets is number 0, the next one number 1.
    """

    def __init__(self, *, repeats: bool) -> None:
        self.repeats = repeats
        self.found = 0
        self._given = KeySet()
        self._pass = 0
        self._in_pass = self._given
        self._times: dict[str, int] = {}  # how often keys came in this pass, if more than once
        self._passes: dict[bytes, int] = {}  # from the second pass on: a bit for each pass

    def __len__(self) -> int:
        """Return how many rows were given so far."""
        return len(self._given)

    def begin_pass(self) -> None:
        """Begin with another pass over the whole list."""
        self._pass += 1
        self.found = 0
        self._times = {}
        if self._pass > 1:
            self._in_pass = KeySet()

    def known(self, key: str) -> bool:
        """Tell whether this pass has read a row of this key."""
        return key in self._in_pass

    def take(self, piece: Piece) -> list[Row]:
        """Return the rows of a piece that were never given."""
        if self.repeats:
            return self._take_numbered(piece)
        return [
            (record, 0)
            for key, record in zip(piece.keys, piece.records, strict=True)
            if self._add(digest(key))
        ]

    def _take_numbered(self, piece: Piece) -> list[Row]:
        """Number the rows behind the seam by how often their key came in this pass."""
        rows: list[Row] = []
        for key, record in zip(
            piece.keys[piece.start :], piece.records[piece.start :], strict=True
        ):
            number = self._times.get(key, 1) if self.known(key) else 0
            if number:
                self._times[key] = number + 1
            if self._add(digest(key, number)):
                rows.append((record, number))
        return rows

    def _add(self, row: bytes) -> bool:
        """Note a row; return whether it was never given."""
        new = self._given.add_digest(row)
        if self._pass == 1:
            self.found += new
            return new
        self.found += self._in_pass.add_digest(row)
        earlier = 0 if new else 1  # what the first pass has read has no entry of its own
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

"""Which rows were read, in which pass, and how many equal ones there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluvo_client.reading.key_set import KeySet, digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_client.reading.page_stitcher import Piece
    from pluvo_client.schema.selection import Record

Row = tuple["Record", int]  # the number tells rows of equal key apart (else 0)


class Ledger:
    """Decides which rows of a piece are new, and what the passes over a list prove together.

    `found` is how many distinct rows this pass has read.
    """

    def __init__(self, *, repeats: bool) -> None:
        self._given = KeySet()
        self._numbers = _Numbers() if repeats else None
        self._pass = 0
        self._in_pass = self._given
        self._passes: dict[bytes, int] = {}  # from the second pass on: a bit for each pass
        self.found = 0

    def __len__(self) -> int:
        """Return how many rows were given so far."""
        return len(self._given)

    @property
    def doubtful(self) -> bool:
        """Whether this pass met equal rows that no other pass has confirmed."""
        return bool(self._numbers and self._numbers.held)

    def begin_pass(self) -> None:
        """Begin with another pass over the whole list."""
        self._pass += 1
        self.found = 0
        if self._pass > 1:
            self._in_pass = KeySet()
        if self._numbers:
            self._numbers.begin_pass()

    def begin_list(self) -> None:
        """Begin with another one of the lists that a pass reads."""
        if self._numbers:
            self._numbers.begin_segment()

    def known(self, key: str) -> bool:
        """Tell whether this pass has read a row of this key."""
        return key in self._in_pass

    def take(self, piece: Piece) -> list[Row]:
        """Return the rows of a piece that were never given."""
        if self._numbers is None:
            return [
                (record, 0)
                for key, record in zip(piece.keys, piece.records, strict=True)
                if self._add(digest(key))
            ]
        return [
            (record, number)
            for key, record, number in self._numbers.of(piece)
            if self._add(digest(key, number))
        ]

    def end_pass(self, *, quiet: bool) -> list[Row]:
        """Return the rows that this pass confirms; `quiet` says that nothing moved meanwhile."""
        if self._numbers is None or not quiet:
            return []
        return [
            (record, number)
            for key, record, number in self._numbers.confirm()
            if self._add(digest(key, number))
        ]

    def survivors(self, boundary: int) -> int:
        """Return how many rows were read both in the first `boundary` passes and later.

        They were all there in between, whatever came, went or moved. If they are as many as the
        list had rows then, they are the list, and nothing that stayed can be missing.
        """
        before = (1 << boundary) - 1
        return sum(1 for seen in self._passes.values() if seen & before and seen >> boundary)

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


Numbered = tuple[str, "Record", int]


class _Numbers:
    """Numbers rows that have no key of their own, so that no row is made up.

    There are as many equal rows as one page shows. Those that lie on several pages may be one row
    that changed its place, or that came on two pages: they are `held` back, and count when two
    passes have met as many in which nothing moved.
    """

    def __init__(self) -> None:
        self.held: list[Numbered] = []
        self._confirmed: dict[str, int] = {}  # how many of a key two such passes have met
        self._quiet: dict[str, int] | None = None  # how many of a key the last such pass has met
        self._seen = KeySet()  # since the last seam that did not fit
        self._tally: dict[str, int] = {}  # likewise, of keys that were seen more than once
        self._met: dict[str, int] = {}  # the same for the pass

    def begin_pass(self) -> None:
        self.held = []
        self.begin_segment()
        self._met = {}

    def begin_segment(self) -> None:
        for key, times in self._tally.items():
            self._met[key] = max(times, self._met.get(key, 0))
        self._seen = KeySet()
        self._tally = {}

    def of(self, piece: Piece) -> Iterator[Numbered]:
        """Give the rows of a piece with their numbers, without those that are held back."""
        if not piece.exact:
            self.begin_segment()
        on_page: dict[str, int] = {}
        for place, (key, record) in enumerate(zip(piece.keys, piece.records, strict=True)):
            beside = on_page.get(key, 0)
            on_page[key] = beside + 1
            if place == 0 and piece.exact:
                continue  # the last row of the piece before
            if self._seen.add(key):
                yield key, record, beside
                continue
            apart = self._tally.get(key, 1)
            self._tally[key] = apart + 1
            if beside < apart < self._confirmed.get(key, 0):
                yield key, record, apart
                continue
            yield key, record, beside
            if apart > beside:
                self.held.append((key, record, apart))

    def confirm(self) -> list[Numbered]:
        """Return the rows that are held back and that this pass, where nothing moved, confirms."""
        self.begin_segment()
        earlier, self._quiet = self._quiet, self._met
        if earlier is None:
            return []
        for key, times in self._met.items():
            self._confirmed[key] = min(times, earlier.get(key, 1))
        confirmed = [item for item in self.held if item[2] < self._confirmed.get(item[0], 0)]
        self.held = [item for item in self.held if item[2] >= self._confirmed.get(item[0], 0)]
        return confirmed

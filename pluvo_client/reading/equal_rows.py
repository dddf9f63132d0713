"""Rows without a key of their own that are alike: how many there are of each."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pluvo_client.reading.page_stitcher import Piece
    from pluvo_client.schema.selection import Record

_content = msgspec.json.Encoder(order="deterministic").encode


class EqualRows:
    """What the passes over a list show of rows that have the same key.

    There are as many as one page shows at once. If a key comes on several pages, it may be the same
    row that has moved, or that the server, which orders rows that tie anew for each page, shows in
    place of another one. So rows that are `spread` over pages count only if they are in their
    places still when these are looked at together (see `ReadPass.look_closer`), or if the next
    pass, with other page boundaries, shows the same order of all rows.

    `by_place` is how many rows keys have in this pass that came more than once, by their places in
    a list that holds still. `are_in_place` tells whether those that are spread were looked at.
    """

    def __init__(self) -> None:
        self.by_place: Counter[str] = Counter()
        self.are_in_place = False
        self._keys = array("q")  # hashes of the keys in this pass, by place
        self._keys_before = self._keys  # those of the pass before
        self._at_once: dict[str, int] = {}  # rows on one page, of keys that came more than once
        self._later: dict[str, list[Record]] = {}  # rows of keys that came on an earlier page
        self._suspected: dict[str, tuple[int, int]] = {}  # spread in how many passes, rows
        self._held: dict[str, list[Record]] = {}  # rows of keys that the pass before has spread
        self._repeated: set[str] = set()  # keys that came more than once in earlier passes

    def begin_pass(self) -> None:
        """Begin with another pass over the whole list."""
        self._suspected = self._suspects()
        self._held = {key: [] for key in self.spread}
        self._repeated |= self._at_once.keys()
        self._keys_before, self._keys = self._keys, array("q")
        self.by_place, self._at_once, self._later = Counter(), {}, {}
        self.are_in_place = False

    def add(
        self, piece: Piece, known: Callable[[str], bool]
    ) -> dict[str, tuple[list[Record], int]]:
        """Note a piece; return its records by their keys, and which one of its key is the first.

        `known` tells whether this pass has read a key before.
        """
        self._keys.extend(map(hash, piece.keys[piece.start :]))
        together: dict[str, tuple[list[Record], int]] = {}
        for key, record in zip(piece.keys, piece.records, strict=True):
            if key in together:
                together[key][0].append(record)
            else:
                together[key] = ([record], 0)
        for key, (records, _) in together.items():
            if (came_before := known(key)) or len(records) > 1:
                in_seam = piece.keys[: piece.start].count(key)
                before = self.by_place.get(key, 1) if came_before else 0
                together[key] = (records, max(0, before - in_seam))
                self._note_repeated(key, records, before, in_seam)
            elif key in self._held:
                self._held[key].extend(records)
        return together

    def _note_repeated(self, key: str, records: list[Record], before: int, in_seam: int) -> None:
        """Note records of a key of which there were some `before`; the first ones are the seam."""
        self._at_once[key] = max(len(records), self._at_once.get(key, 1))
        if behind_seam := records[in_seam:]:
            self.by_place[key] = before + len(behind_seam)
            if before:
                self._later.setdefault(key, []).extend(behind_seam)
            if key in self._held:
                self._held[key].extend(behind_seam)

    def shows_the_same_order(self) -> bool:
        """Tell whether this pass has shown all rows in the same order as the one before."""
        return self._keys == self._keys_before

    def came_repeatedly(self, key: str) -> bool:
        """Tell whether a key came more than once in any pass."""
        return key in self._repeated or key in self._at_once

    @property
    def spread(self) -> dict[str, int]:
        """Those of `by_place` of whom no page of this pass has shown as many."""
        return {key: rows for key, rows in self.by_place.items() if rows > self._at_once[key]}

    def places(self) -> dict[str, list[int]]:
        """Return where the rows that are spread stand in the list.

        Those of a key of whom a page shows several are no evidence that the list holds still: its
        pages join wherever such rows meet. So with one of them, there are no places to look at.
        """
        spread = self.spread
        if any(self._at_once[key] > 1 for key in spread):
            return {}
        keys = {hash(key): key for key in spread}
        places: dict[str, list[int]] = {key: [] for key in spread}
        for place, found in enumerate(self._keys):
            if found in keys:
                places[keys[found]].append(place)
        return places

    @property
    def beyond_pages(self) -> int:
        """How many rows there are by their places that no page has shown at once."""
        return sum(rows - self._at_once[key] for key, rows in self.spread.items())

    @property
    def holds_all(self) -> bool:
        """Whether all rows that are spread are held, as the pass before had spread them, too."""
        return self.spread.keys() <= self._held.keys()

    def later_rows(self) -> Iterable[tuple[str, list[tuple[Record, int]]]]:
        """Give the rows of each key that is spread, but for the first one, with their numbers."""
        for key in self.spread:
            yield key, [(record, number) for number, record in enumerate(self._later[key], 1)]

    def held_rows(self) -> Iterable[tuple[str, list[Record]]]:
        """Give all rows of each key that is spread in this pass and was in the one before."""
        return ((key, self._held[key]) for key in self.spread if key in self._held)

    def doubtful(self) -> Iterable[tuple[str, int]]:
        """Give keys that two passes have spread, and how many rows of each there may be."""
        return ((key, rows) for key, (passes, rows) in self._suspects().items() if passes > 1)

    def _suspects(self) -> dict[str, tuple[int, int]]:
        suspects = dict(self._suspected)
        for key, rows in self.spread.items():
            passes, most = suspects.get(key, (0, 0))
            suspects[key] = (passes + 1, max(most, rows))
        return suspects


def numbered(records: list[Record], *, by_content: bool) -> list[tuple[Record, int]]:
    """Return rows of one key with numbers: in their order, or in that of what they hold."""
    if by_content and len(records) > 1:
        records = sorted(records, key=_content)
    return [(record, number) for number, record in enumerate(records)]

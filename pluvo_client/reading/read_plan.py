"""How connections are read, and what is said of servers that read them in their own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pluvo_client.reading.connection import Connection, Page
    from pluvo_client.reading.fetcher import Fetcher
    from pluvo_client.schema.selection import Record

FEWEST_ROWS = 2  # in a page, since neighbouring pages share one
_GOLDEN = 0.618  # steps of this part of a page come back to no boundary that was there before


@dataclass(frozen=True)
class ReadPlan:
    """How connections are read.

    `key` gives the key of a record. With `repeats`, records of equal key are different rows (the
    report has no key of its own); they are told apart by a running number. `max_repair_passes` is
    how often a list is read again at most. `sample` reads the first pages only.
    """

    fetcher: Fetcher
    page_size: int
    max_repair_passes: int
    key: Callable[[Record], str]
    repeats: bool = False
    sample: bool = False

    @property
    def first(self) -> int:
        """Rows to ask for in a request."""
        return max(FEWEST_ROWS, self.page_size)

    def first_of_pass(self, number: int) -> int:
        """Return the rows to ask for in the first page of the pass `number`, counted from 0.

        Each pass has page boundaries of its own: where the order of rows that tie depends on the
        page that is asked for, the same boundaries would miss the same rows.
        """
        step = number * _GOLDEN % 1
        return FEWEST_ROWS + int((self.first - 1) * step) if number else self.first

    def note_page_size(self, connection: Connection, page: Page, wanted: int) -> None:
        """Say once that a server gives smaller pages than it is asked for; that loses nothing."""
        if page.has_next and len(page.records) < wanted:
            self.fetcher.say_once(
                f"`{connection.field}` gives {len(page.records)} rows where {wanted} were asked "
                "for: reading pages of that size"
            )

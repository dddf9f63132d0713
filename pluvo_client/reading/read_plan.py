"""How lists are read, and what a reading asks for next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pluvo_client.reading.connection import Connection, Page
    from pluvo_client.reading.fetcher import Fetcher
    from pluvo_client.reading.root_fields import PageField, RootField
    from pluvo_client.reading.row_collector import Row
    from pluvo_client.schema.selection import Record

MIN_PAGE_SIZE = 2  # rows, since neighbouring pages share one
_GOLDEN = 0.618  # steps of this part of a page come back to no boundary that was there before


@dataclass(frozen=True)
class ReadPlan:
    """How connections are read.

    Attributes:
        fetcher: where pages are asked for.
        page_size: rows to a page.
        max_repair_passes: how often a list is read again at most.
        key: gives the key of a record.
        repeats: records of equal key are different rows (the report has no key of its own); they
            are told apart by a running number.
        former: gives the key that a record had before it was completed, if it has been.
        sample: whether to read the first pages only.
    """

    fetcher: Fetcher
    page_size: int
    max_repair_passes: int
    key: Callable[[Record], str]
    repeats: bool = False
    former: Callable[[Record], str | None] | None = None
    sample: bool = False

    @property
    def first(self) -> int:
        """Rows to ask for in a request."""
        return max(MIN_PAGE_SIZE, self.page_size)

    def first_of_pass(self, number: int) -> int:
        """Return the rows to ask for in the first page of the pass `number`, counted from 0.

        Each pass has page boundaries of its own: where the order of rows that tie depends on the
        page that is asked for, the same boundaries would miss the same rows.
        """
        step = number * _GOLDEN % 1
        return MIN_PAGE_SIZE + int((self.first - 1) * step) if number else self.first

    def keys(self, page: Page) -> list[str]:
        """Return the keys of a page's rows."""
        return [self.key(record) for record in page.records]

    def note_page_size(self, connection: Connection, page: Page, wanted: int) -> None:
        """Say once that a server gives smaller pages than it is asked for; that loses nothing."""
        if page.has_next and len(page.records) < wanted:
            self.fetcher.say_once(
                f"`{connection.field}`: the server returned {len(page.records)} rows per page "
                f"instead of {wanted}"
            )


class Step(NamedTuple):
    """What a reading gives, and what it asks for next.

    Attributes:
        rows: to be emitted.
        fields: whose answers the reading is to be sent, in their order.
        at_once: whether they are asked for in one request, and so about one moment.
        planned: what it will ask for later, one field in each step, as far as that is known.
    """

    rows: Sequence[Row] = ()
    fields: Sequence[RootField[Any]] = ()
    at_once: bool = True
    planned: Iterator[PageField] | None = None

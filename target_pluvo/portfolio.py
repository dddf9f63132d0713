"""Which certificates people have: asked before one is issued, and after it may have been."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pluvo_client.errors import UnavailableError
from pluvo_client.reading.by_days import Days, asked_days
from pluvo_client.reading.root_fields import ListField
from pluvo_client.schema.documents import Enum
from pluvo_singer.values import RejectedError, folded, moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pluvo_client import PluvoClient
    from pluvo_client.schema.selection import Record


class PortfolioEntry(NamedTuple):
    """How a certificate appears in a portfolio; two of one title, user and day look alike."""

    user_id: str
    title: str
    day: str


def read_title(title: str) -> str:
    """Return a title as people read it, which is how titles are compared."""
    return folded(unicodedata.normalize("NFKC", title))


class Portfolio:
    """The portfolios of users: their items, or where only newer pages hold, the report.

    Raises:
        UnavailableError: the organization has neither.
    """

    def __init__(self, client: PluvoClient) -> None:
        self._client = client
        self._by_items = client.contract.has("portfolioItems.startDate")
        if not (self._by_items or client.contract.has("portfolioReport")):
            msg = "the organization's schema lacks `portfolioItems` and `portfolioReport`"
            raise UnavailableError(msg)

    def count(self, wanted: Collection[PortfolioEntry]) -> Counter[PortfolioEntry]:
        """Return how often the portfolios show some entries now."""
        if not wanted:
            return Counter()
        found = (
            self._items({entry.user_id for entry in wanted})
            if self._by_items
            else self._report(dt.date.fromisoformat(entry.day) for entry in wanted)
        )
        return Counter(entry for entry in found if entry in wanted)

    def _items(self, users: Iterable[str]) -> Iterator[PortfolioEntry]:
        def of(user_id: str) -> ListField[PortfolioEntry | None]:
            return ListField(
                *("portfolioItems", {"userId": user_id}, "title startDate"),
                lambda item: _entry(user_id, item["title"], item["startDate"]),
            )

        for items in self._client.lists(of(user_id) for user_id in users):
            yield from (entry for entry in items if entry is not None)

    def _report(self, days: Iterable[dt.date]) -> Iterator[PortfolioEntry]:
        days = sorted(days)
        first, last = asked_days(Days(days[0], days[-1]))
        given = {"completionDateFrom": str(first), "completionDateTo": str(last)}
        plan = self._client.plan(lambda row: json.dumps(row, sort_keys=True), repeats=True)
        reader = self._client.reader(
            *("portfolioReport", "user { id } title completionDate"),
            {"relatedObjectTypes": [Enum("CERTIFICATE")], **given},
            plan,
            _row,
        )
        for rows in reader.read():
            for row, _ in rows:
                entry = _entry(row["user_id"], row["title"], row["completionDate"])
                if entry is not None:
                    yield entry


def _row(node: Record) -> Record:
    user = node.get("user")
    shown = {name: node.get(name) for name in ("title", "completionDate")}
    return shown | {"user_id": user["id"] if isinstance(user, dict) else None}


def _entry(user_id: str | None, title: str | None, day: str | None) -> PortfolioEntry | None:
    if user_id is None or title is None or day is None:
        return None
    try:
        issued = moment(day, "startDate").date()
    except RejectedError:
        return None
    return PortfolioEntry(user_id, read_title(title), issued.isoformat())

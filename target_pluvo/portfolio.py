"""Which certificates people have: asked before one is issued, and after it may have been."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pluvo_client.errors import UnavailableError
from pluvo_client.reading.root_fields import ListField
from pluvo_client.schema.documents import Enum
from pluvo_singer.values import RejectedError, moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pluvo_client import PluvoClient
    from pluvo_client.schema.selection import Record


class Shown(NamedTuple):
    """How a certificate appears in a portfolio; two of one kind, user and day look alike."""

    user_id: str
    title: str
    day: str


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

    def shown(self, marks: Collection[Shown]) -> Counter[Shown]:
        """Return what the portfolios of some users show of some days, and how often."""
        if not marks:
            return Counter()
        if self._by_items:
            return Counter(self._items({mark.user_id for mark in marks}))
        return Counter(self._report(mark.day for mark in marks))

    def number(self, mark: Shown) -> int:
        """Return how often a portfolio shows a certificate now."""
        found = self._items([mark.user_id]) if self._by_items else self._report([mark.day])
        return Counter(found)[mark]

    def _items(self, users: Iterable[str]) -> Iterator[Shown]:
        def of(user_id: str) -> ListField[Shown | None]:
            return ListField(
                *("portfolioItems", {"userId": user_id}, "title startDate"),
                lambda item: _mark(user_id, item["title"], item["startDate"]),
            )

        for items in self._client.lists(of(user_id) for user_id in users):
            yield from (mark for mark in items if mark is not None)

    def _report(self, days: Iterable[str]) -> Iterator[Shown]:
        days = sorted(days)
        given = {"completionDateFrom": days[0], "completionDateTo": days[-1]}
        plan = self._client.plan(lambda row: json.dumps(row, sort_keys=True), repeats=True)
        reader = self._client.reader(
            *("portfolioReport", "user { id } title completionDate"),
            {"relatedObjectTypes": [Enum("CERTIFICATE")], **given},
            plan,
            _row,
        )
        for rows in reader:
            for row, _ in rows:
                mark = _mark(row["user_id"], row["title"], row["completionDate"])
                if mark is not None:
                    yield mark


def _row(node: Record) -> Record:
    user = node.get("user")
    shown = {name: node.get(name) for name in ("title", "completionDate")}
    return shown | {"user_id": user["id"] if isinstance(user, dict) else None}


def _mark(user_id: str | None, title: str | None, day: str | None) -> Shown | None:
    if user_id is None or title is None or day is None:
        return None
    try:
        return Shown(user_id, title, moment(day, "startDate").date().isoformat())
    except RejectedError:
        return None

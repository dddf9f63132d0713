"""The days whose results webhooks say have changed, of which an incremental read may know nothing.

The report can be asked for by day and not by user, so all results of such a day are read again.
"""

from __future__ import annotations

import datetime as dt
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from tap_pluvo.bookmark import LogBookmark
from tap_pluvo.report_keys import day_of
from tap_pluvo.windows import DAY, Window

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from pluvo_webhooks.inbox import InboxEvent
    from tap_pluvo.event_log import EventLog

_ABOUT_RESULTS = {
    *("EVENT_CERTIFICATE_ACHIEVED", "EVENT_CERTIFICATE_STATUS_CHANGED"),
    *("PORTFOLIO_ITEM_CREATED", "PORTFOLIO_ITEM_UPDATED", "PORTFOLIO_ITEM_DELETED"),
    *("TRAINING_FINISHED", "COURSE_FINISHED"),
}
# Where a payload may say which day it is about; only the first of them is documented.
_DAYS = ("creationDate", "completionDate", "startDate", "sentDate")


class ToldDays:
    """What webhooks told of results since a stream was read last."""

    def __init__(self, log: EventLog, stream: str, state: dict[str, Any]) -> None:
        self._log = log
        self._bookmark = LogBookmark(state)
        log.consumed(stream, self._bookmark.sequence)

    @property
    def missed(self) -> bool:
        """Whether some of it is not known any more."""
        return self._log.misses_after(self._bookmark.sequence) is not None

    def windows(self, first: dt.date | None, before: dt.date | None) -> list[Window]:
        """Return the days from `first` on and `before` another one; neighbours are one window."""
        events = chain.from_iterable(self._log.after(self._bookmark.sequence))
        days = (_day(event) for event in events if event.event in _ABOUT_RESULTS)
        return _joined(
            day for day in days if before and day < before and (first is None or first <= day)
        )

    def note_read(self) -> None:
        """Note that all that was told is read."""
        self._bookmark.advance(self._log.last)


def _day(event: InboxEvent) -> dt.date:
    payload = msgspec.json.decode(event.payload)
    values = (payload.get(name) for name in _DAYS)
    days = (day_of(value) for value in values if isinstance(value, str))
    return next(filter(None, days), dt.date.fromisoformat(event.received_at[:10]))


def _joined(days: Iterable[dt.date]) -> list[Window]:
    found: list[Window] = []
    for day in sorted(set(days)):
        if found and found[-1].end == day - DAY:
            found[-1] = found[-1]._replace(end=day)
        else:
            found.append(Window(day, day, undated=False))
    return found

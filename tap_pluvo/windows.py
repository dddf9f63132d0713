"""Windows of days, in which completions are read."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from pluvo_client.reading.by_days import Days, asked_days

DAY = dt.timedelta(days=1)


class Window(NamedTuple):
    """Days of completion, both inclusive; None: without bound.

    `undated` tells whether rows in progress belong to it too.
    """

    start: dt.date | None
    end: dt.date | None
    undated: bool

    def holds(self, day: str | None) -> bool:
        """Tell whether a row completed on `day` (ISO 8601) belongs to the window."""
        if day is None:
            return True
        after = self.start is None or self.start.isoformat() <= day
        return after and (self.end is None or day <= self.end.isoformat())

    def misses(self, day: str | None) -> bool:
        """Tell whether a row lies so far outside that the API cannot have looked at `arguments`."""
        if day is None:
            return False
        margin = 2 * DAY  # the one that is asked for, and one for another time zone
        wider = Window(
            self.start and self.start - margin, self.end and self.end + margin, self.undated
        )
        return not wider.holds(day)

    @property
    def asked(self) -> tuple[dt.date | None, dt.date | None]:
        """The days that the API is asked for."""
        if self.undated:
            return None, None
        return asked_days(Days(self.start, self.end))


EVERYTHING = Window(None, None, undated=True)


def windows(since: dt.date | None, end: dt.date | None, today: dt.date, days: int) -> list[Window]:
    """Return the windows from `since` to `end`, or to `today`; what lies beyond is in the last."""
    last = min(end or today, today)
    if since is None:
        return [Window(None, end, undated=False)]
    found = []
    while since <= last:
        stop = since + dt.timedelta(days=days - 1)
        found.append(Window(since, stop if stop < last else end, undated=False))
        since = stop + DAY
    return found

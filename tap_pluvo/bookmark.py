"""Up to where a stream has been read: its part of the state."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pluvo_client.schema.values import moment
from tap_pluvo.inputs import STATE_MOMENTS, STATE_OBJECTS, STATE_RANGE, STATE_SEQUENCE


class Bookmark:
    """A cursor over the state of one stream, which is inclusive and never moves back.

    It is moved when everything before it was emitted, so a run that starts from it loses nothing.
    It never moves past `now`, when the run began, whatever dates the rows have; a state that lies
    beyond is taken as `now`, and `clamped` names its members.
    """

    def __init__(
        self, state: dict[str, Any], replication_key: str | None, now: dt.datetime
    ) -> None:
        self._state = state
        self._replication_key = replication_key
        self._now = now.isoformat(timespec="seconds")
        self.clamped = [name for name in STATE_MOMENTS if self._clamp(name, now)]
        self._first = self.value

    def _clamp(self, name: str, now: dt.datetime) -> bool:
        value = self._state.get(name)
        if not isinstance(value, str) or dt.datetime.fromisoformat(moment(value)) <= now:
            return False
        is_day = len(value) == len("2024-01-31")
        self._state[name] = self._now[:10] if is_day else self._now
        return True

    @property
    def value(self) -> str | None:
        """The replication key up to which an earlier run has read."""
        value = self._state.get("replication_key_value")
        return value if isinstance(value, str) else None

    def advance(self, value: str, since: str | None = None) -> None:
        """Move to `value`, never back; what lies before it, from `since` on, has been emitted.

        Where the bookmark was before `since` when the run began, it stays: in between, nothing was
        read. None: everything was.
        """
        if since and self._first and since > self._first:
            return
        value = min(value, self._now)
        if self.value is None or value > self.value:
            self._state["replication_key"] = self._replication_key
            self._state["replication_key_value"] = value

    @property
    def full_read_at(self) -> dt.datetime | None:
        """When everything was read the last time."""
        value = self._state.get("full_read_at")
        return None if value is None else dt.datetime.fromisoformat(moment(value))

    def note_full_read(self, at: dt.datetime) -> None:
        """Note that everything was read, by a run that began `at` this time."""
        self._state["full_read_at"] = at.isoformat(timespec="seconds")

    # A range that a backfill reads, whatever the bookmark

    def range_read_to(self, start: dt.date | None, end: dt.date) -> dt.date | None:
        """Return the day up to which an earlier run has read the same range; None: none did."""
        found = self._state.get(STATE_RANGE) or {}
        if (found.get("start"), found.get("end")) != (start and str(start), str(end)):
            return None
        return dt.date.fromisoformat(found["read_to"])

    def note_range(self, start: dt.date | None, end: dt.date, read_to: str) -> None:
        """Note that a range was read up to a day, or to its end, which leaves nothing to note."""
        done = read_to >= str(end)
        self._state[STATE_RANGE] = (
            None if done else {"start": start and str(start), "end": str(end), "read_to": read_to}
        )


class LogBookmark:
    """Up to which event of the log of webhooks a stream has been read: a part of its state."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._state = state

    @property
    def sequence(self) -> int:
        """The last event that counts as read; 0 before the first."""
        return self._state.get(STATE_SEQUENCE) or 0

    @property
    def full_read_at(self) -> dt.datetime | None:
        """When everything was read the last time, if events were noted then."""
        value = self._state.get("full_read_at")
        if value is None or self._state.get(STATE_SEQUENCE) is None:
            return None
        return dt.datetime.fromisoformat(moment(value))

    @property
    def objects(self) -> int:
        """How many objects that full read went through."""
        return self._state.get(STATE_OBJECTS) or 0

    def advance(self, sequence: int) -> None:
        """Note that what events up to this one are about was emitted."""
        self._state[STATE_SEQUENCE] = sequence

    def note_full_read(self, at: dt.datetime, objects: int) -> None:
        """Note that everything was read, by a run that began `at` this time."""
        self._state["full_read_at"] = at.isoformat(timespec="seconds")
        self._state[STATE_OBJECTS] = objects

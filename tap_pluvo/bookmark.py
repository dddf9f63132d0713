"""Up to where a stream has been read: its part of the state."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pluvo_client.schema.values import moment


class Bookmark:
    """A cursor over the state of one stream, which is inclusive and never moves back.

    It is moved when everything before it was emitted, so a run that starts from it loses nothing.
    """

    def __init__(self, state: dict[str, Any], replication_key: str | None) -> None:
        self._state = state
        self._replication_key = replication_key

    @property
    def value(self) -> str | None:
        """The replication key up to which an earlier run has read."""
        value = self._state.get("replication_key_value")
        return value if isinstance(value, str) else None

    def advance(self, value: str) -> None:
        """Move to `value`, never back; what lies before it has been emitted."""
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

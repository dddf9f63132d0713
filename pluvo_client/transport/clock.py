"""Time, in the one place where it is read and waited for, so that tests can bring their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading


class Clock:
    """The clock of this machine; seconds throughout."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow, for measuring intervals."""
        return time.monotonic()

    def time(self) -> float:
        """Return the seconds since 1970 by the calendar."""
        return time.time()

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Wait for `condition`, which the caller holds, at most `seconds` (None: no limit)."""
        condition.wait(seconds)

"""How fast requests may start: one policy for all workers.

At most `most` requests run at once, and their starts keep the distance that `per_second` or the
API's refusals ask for. A refusal stops every worker for as long as the API says; after it the pace
is four fifths of what went well before, and each success adds a little. So a limit that nobody
documented is found within a few refusals and hardly ever hit again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CUT = 0.8  # what a refusal leaves of the pace
GROWTH = 1.004  # what a success makes of it: 56 successes make up for one refusal
SLOWEST = 0.2  # requests a second
MEMORY = 64  # successes over which the first pace is measured


class StoppedError(BaseException):
    """The run is ending: no request may start. Not an `Exception`, so that nothing retries it."""


class Pace:
    """Lets requests start, at most `most` at once and `per_second` a second (None: no ceiling)."""

    def __init__(self, most: int, per_second: float | None) -> None:
        self._condition = threading.Condition()
        self._most = most
        self._ceiling = per_second
        self._rate = per_second
        self._running = 0
        self._next_start = 0.0
        self._paused_until = 0.0
        self._successes: deque[float] = deque(maxlen=MEMORY)
        self._stopped = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until one more request may run, and count it as running inside the block.

        Raises:
            StoppedError: `stop` was called.
        """
        with self._condition:
            while not self._stopped:
                wait = max(self._next_start, self._paused_until) - time.monotonic()
                if self._running < self._most and wait <= 0:
                    break
                self._condition.wait(wait if self._running < self._most else None)
            if self._stopped:
                raise StoppedError
            self._running += 1
            if self._rate:
                self._next_start = max(self._next_start, time.monotonic()) + 1 / self._rate
        try:
            yield
        finally:
            with self._condition:
                self._running -= 1
                self._condition.notify_all()

    def succeeded(self) -> None:
        """Note a success: a pace that refusals cut grows back slowly."""
        with self._condition:
            self._successes.append(time.monotonic())
            if self._rate and self._rate != self._ceiling:
                self._rate *= GROWTH
                if self._ceiling:
                    self._rate = min(self._rate, self._ceiling)

    def refused(self, wait: float) -> None:
        """Note that the API refused for its load: all wait `wait` seconds, then go slower."""
        with self._condition:
            now = time.monotonic()
            known = self._rate or self._measured(now)
            if known and now >= self._paused_until:  # of refusals in a burst, the first one counts
                self._rate = max(SLOWEST, CUT * known)
                if self._ceiling:
                    self._rate = min(self._rate, self._ceiling)
            self._paused_until = max(self._paused_until, now + wait)

    def pause(self, seconds: float) -> None:
        """Wait `seconds`, or until `stop` is called."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopped, timeout=seconds)
            if self._stopped:
                raise StoppedError

    def stop(self) -> None:
        """Let no further request start."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def _measured(self, now: float) -> float | None:
        """Return the successes a second of the recent past; None where nothing went well."""
        recent = [moment for moment in self._successes if now - moment <= 2]  # noqa: PLR2004
        return max(1.0, len(recent) / max(now - recent[0], 0.5)) if recent else None

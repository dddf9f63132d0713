"""How fast requests may start: one policy for all workers.

At most `max_in_flight` requests run at once, and their starts keep the distance that `per_second`
or the API's throttling asks for. A throttled request stops every worker for as long as the API
says; after that the rate is four fifths of what went well before, and each success adds a little.
So a limit that nobody documented is found within a few refusals and hardly ever hit again. An API
that is down for a while says nothing about a limit: afterwards the rate is what it was.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pluvo_client.transport.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

CUT = 0.8  # what a refusal leaves of the rate
GROWTH = 1.004  # what a success makes of it: 56 successes make up for one refusal
SLOWEST = 0.2  # requests a second
MEMORY = 64  # successes over which the first rate is measured
RECENT = 2.0  # seconds of those successes that count


class StoppedError(BaseException):
    """The run is ending: no request may start. Not an `Exception`, so that nothing retries it."""


class RateLimiter:
    """Lets requests start, at most `per_second` a second (None: no ceiling).

    After a pause, up to `burst` of them may start at once (the generic cell rate algorithm).
    """

    def __init__(
        self,
        max_in_flight: int,
        per_second: float | None,
        clock: Clock | None = None,
        burst: int = 1,
    ) -> None:
        self._clock = clock or Clock()
        self._condition = threading.Condition()
        self._max_in_flight = max_in_flight
        self._ceiling = per_second
        self._rate = per_second
        self._burst = burst
        self._in_flight = 0
        self._next_start = 0.0
        self._paused_until = 0.0
        self._successes: deque[float] = deque(maxlen=MEMORY)
        self._stopped = False

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait until one more request may run, and count it as in flight inside the block.

        Raises:
            StoppedError: `stop` was called.
        """
        with self._condition:
            while not self._stopped:
                wait = max(self._next_start, self._paused_until) - self._clock.monotonic()
                if self._in_flight < self._max_in_flight and wait <= 0:
                    break
                free = self._in_flight < self._max_in_flight
                self._clock.wait(self._condition, wait if free else None)
            if self._stopped:
                raise StoppedError
            self._in_flight += 1
            if self._rate:
                earliest = self._clock.monotonic() - (self._burst - 1) / self._rate
                self._next_start = max(self._next_start, earliest) + 1 / self._rate
        try:
            yield
        finally:
            with self._condition:
                self._in_flight -= 1
                self._condition.notify_all()

    def succeeded(self) -> None:
        """Note a success: a rate that throttling cut grows back slowly."""
        with self._condition:
            self._successes.append(self._clock.monotonic())
            if self._rate and self._rate != self._ceiling:
                self._rate *= GROWTH
                if self._ceiling:
                    self._rate = min(self._rate, self._ceiling)

    def throttled(self, wait: float) -> None:
        """Note that the API throttled a request: all wait `wait` seconds, then go slower."""
        with self._condition:
            now = self._clock.monotonic()
            known = self._rate or self._measured(now)
            if known and now >= self._paused_until:  # of a burst of refusals, the first one counts
                self._rate = max(SLOWEST, CUT * known)
                if self._ceiling:
                    self._rate = min(self._rate, self._ceiling)
            self._paused_until = max(self._paused_until, now + wait)

    def hold(self, wait: float) -> None:
        """Note that the API is down: all wait `wait` seconds, then go on as before."""
        with self._condition:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + wait)

    def pause(self, seconds: float) -> None:
        """Wait `seconds`.

        Raises:
            StoppedError: `stop` was called, before or meanwhile.
        """
        with self._condition:
            end = self._clock.monotonic() + seconds
            while not self._stopped and (left := end - self._clock.monotonic()) > 0:
                self._clock.wait(self._condition, left)
            if self._stopped:
                raise StoppedError

    def stop(self) -> None:
        """Let no further request start."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def _measured(self, now: float) -> float | None:
        """Return the successes a second of the recent past; None where nothing went well."""
        recent = [moment for moment in self._successes if now - moment <= RECENT]
        return max(1.0, len(recent) / max(now - recent[0], 0.5)) if recent else None

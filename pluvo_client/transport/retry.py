"""Retrying: when an error is followed by another attempt, and when patience ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

import backoff

from pluvo_client.errors import OutageError, RetriableError, ThrottledError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from pluvo_client.transport.clock import Clock
    from pluvo_client.transport.rate_limiter import RateLimiter

T = TypeVar("T")

LONGEST_WAIT = 60.0  # seconds between two attempts, where the API does not name its own
ATTEMPTS_WHEN_DOWN = 4  # once another request was given up, until one succeeds


class Retry:
    """Tries again what may pass; `count` is how often that was.

    Attempts end after `max_seconds`, or the number that the error allows; there are few where the
    API was given up and has not come back, so that each stream of a run does not wait for it anew.
    """

    def __init__(self, clock: Clock, max_seconds: float, logger: logging.Logger) -> None:
        self.count = 0
        self._clock = clock
        self._max_seconds = max_seconds
        self._logger = logger
        self._down = False  # nothing has succeeded since patience with a request came to its end
        self._lock = threading.Lock()

    def __call__(
        self,
        attempt: Callable[[], T],
        limiter: RateLimiter,
        *,
        divisible: bool = False,
        repeatable: bool = True,
    ) -> T:
        """Return what `attempt` returns; a `RetriableError` that it raises starts another one.

        What is `divisible` into smaller requests is not tried again as it is where its content may
        be at fault: the caller divides it. What is not `repeatable` is tried again only where the
        API has certainly not acted on it.

        Raises:
            PluvoError: what the last attempt raised.
        """
        waits = backoff.expo(base=2, factor=0.5, max_value=LONGEST_WAIT)
        next(waits)  # the generator's first value only starts it
        started = self._clock.monotonic()
        attempts = 0
        while True:
            attempts += 1
            try:
                result = attempt()
            except RetriableError as error:
                if error.given_up:  # in a request that this attempt made on its way
                    raise
                if not repeatable and not error.unprocessed:
                    raise
                wait = backoff.full_jitter(next(waits)) if error.wait is None else error.wait
                elapsed = self._clock.monotonic() - started
                limit = 1 if divisible and error.by_content else error.attempts
                if limit is None and self._down:
                    limit = ATTEMPTS_WHEN_DOWN
                if (limit and attempts >= limit) or elapsed + wait > self._max_seconds:
                    self._down |= not limit
                    tries = "1 try" if attempts == 1 else f"{attempts} tries"
                    asked = (
                        f"; it asks to wait {wait:,.0f} s, and `max_retry_seconds` is "
                        f"{self._max_seconds:g} s"
                        if error.wait and wait > self._max_seconds
                        else ""
                    )
                    error.args = (f"{error} (gave up after {tries} in {elapsed:.0f} s{asked})",)
                    error.given_up = True
                    raise
                self._wait(error, wait, limiter)
            else:
                self._down = False
                limiter.succeeded()
                return result

    def _wait(self, error: RetriableError, seconds: float, limiter: RateLimiter) -> None:
        self._logger.warning("%s; trying again in %.1f s", error, seconds)
        with self._lock:
            self.count += 1
        if isinstance(error, ThrottledError):
            limiter.throttled(seconds)
        elif isinstance(error, OutageError):
            limiter.hold(seconds)
        else:
            limiter.pause(seconds)

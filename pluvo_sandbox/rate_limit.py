"""A limit on requests for each unit of time."""

from __future__ import annotations

import time

_SECONDS = {"s": 1, "m": 60, "h": 3600}


class RateLimit:
    """A bucket that holds `requests` and fills up again within `seconds`."""

    def __init__(self, requests: int, seconds: float) -> None:
        self._size = requests
        self._per_second = requests / seconds
        self._left = float(requests)
        self._seen = time.monotonic()

    @classmethod
    def parse(cls, text: str) -> RateLimit:
        """Read a limit such as `10/s`, `100/m` or `1000/h`.

        Raises:
            ValueError: the text is not a rate.
        """
        number, _, unit = text.partition("/")
        if not number.isdecimal() or not int(number) or unit not in _SECONDS:
            message = f"{text!r} is not a rate; write it as 10/s, 100/m or 1000/h"
            raise ValueError(message)
        return cls(int(number), _SECONDS[unit])

    @property
    def left(self) -> int:
        """How many requests are in the bucket."""
        return int(self._left)

    def wait(self) -> float:
        """Take one request out of the bucket.

        Returns:
            0, or the seconds after which the next one will be there.
        """
        now = time.monotonic()
        self._left = min(self._size, self._left + (now - self._seen) * self._per_second)
        self._seen = now
        if self._left < 1:
            return (1 - self._left) / self._per_second
        self._left -= 1
        return 0

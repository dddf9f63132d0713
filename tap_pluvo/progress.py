"""Progress that people can read: a line every few seconds, and one table at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Sequence

    from pluvo_client.outcome import ListOutcome
    from pluvo_client.reading.list_reader import ListReader
    from pluvo_client.schema.selection import Record

INTERVAL = 5.0  # seconds between two lines


class Result(NamedTuple):
    """How one stream went.

    Attributes:
        error: why it failed, or None.
        incomplete: why not all of it is known to have been read, where that is allowed, or None.
    """

    stream: str
    rows: int = 0
    requests: int = 0
    seconds: float = 0.0
    repairs: int = 0
    retries: int = 0
    error: str | None = None
    incomplete: str | None = None


@dataclass
class Progress:
    """How far a stream is: rows emitted, passes that were repeated, and what is being read.

    `again` is how many of the rows the reading under way has emitted once more, `indistinguishable`
    how many rows there are that nothing tells from others.
    `window` is from when to when (moments in ISO 8601; None: no bound) every row has been given,
    where only those of some dates are; `withheld` tells whether `stream_maps` kept rows back.
    """

    stream: str
    rows: int = 0
    repairs: int = 0
    again: int = 0
    indistinguishable: int = 0
    reader: ListReader | None = None
    window: tuple[str | None, str | None] | None = None
    withheld: bool = False
    _first: int = 0  # the row that the reading that is under way began with
    _most: int = 0  # rows of the fullest reading before

    def note(self, outcome: ListOutcome, emitted: int) -> None:
        """Note how a list was read, of which so many rows were emitted, some perhaps twice."""
        self.repairs += outcome.repairs
        self.again += max(0, emitted - outcome.rows)
        self.indistinguishable += outcome.indistinguishable

    def begin_again(self) -> None:
        """Begin a reading that gives once more what the one before gave."""
        self._most, self._first, self.again = self.distinct, self.rows, 0
        self.indistinguishable = 0
        self.window = None

    @property
    def distinct(self) -> int:
        """How many rows were emitted, not counting again those that were given once more."""
        return max(self._most, self.rows - self._first - self.again)

    @property
    def expected(self) -> int | None:
        """How many rows what is being read has by its own count."""
        return self.reader.expected if self.reader else None


def with_progress(
    progress: Progress, pages: Iterable[Sequence[Record]], logger: logging.Logger
) -> Iterator[Record]:
    """Give the records of `pages` one by one, and log now and then how far the stream is."""
    started = told = time.monotonic()
    for records in pages:
        yield from records
        if (now := time.monotonic()) - told >= INTERVAL:
            told = now
            logger.info("%s", line(progress, now - started))


def line(progress: Progress, seconds: float) -> str:
    """Return a sentence such as `users: 500 of 2,000 rows (25%), 100 rows/s, about 15 s left`."""
    rows, expected = progress.rows, progress.expected
    rate = rows / seconds if seconds else 0.0
    if not expected or rows > expected or not rate:
        return f"{progress.stream}: {rows:,} rows, {rate:,.0f} rows/s"
    left = (expected - rows) / rate
    return (
        f"{progress.stream}: {rows:,} of {expected:,} rows ({rows / expected:.0%}), "
        f"{rate:,.0f} rows/s, about {left:,.0f} s left"
    )


def log_summary(logger: logging.Logger, results: list[Result]) -> None:
    """Log the closing table, and last what failed."""
    width = max([6, *(len(result.stream) for result in results)])
    logger.info(
        "%s",
        f"{'stream':<{width}} {'rows':>11} {'requests':>9} {'seconds':>8} "
        f"{'repairs':>8} {'retries':>8}",
    )
    for result in results:
        logger.info(
            "%s",
            f"{result.stream:<{width}} {result.rows:>11,} {result.requests:>9,} "
            f"{result.seconds:>8.1f} {result.repairs:>8,} {result.retries:>8,}"
            + ("  FAILED" if result.error else "  INCOMPLETE" if result.incomplete else ""),
        )
    for result in results:
        if result.incomplete:
            logger.warning("stream %s is incomplete: %s", result.stream, result.incomplete)
        if result.error:
            logger.error("stream %s failed: %s", result.stream, result.error)

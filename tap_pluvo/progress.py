"""Progress that people can read: a line every few seconds, and one table at the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator

    from tap_pluvo.query import Record
    from tap_pluvo.stream import PluvoStream

INTERVAL = 5.0  # seconds between two lines
EVERY = 256  # rows between two looks at the clock


class Result(NamedTuple):
    """How one stream went; `error` is None if all was well."""

    stream: str
    rows: int
    requests: int
    seconds: float
    repairs: int
    retries: int
    error: str | None


def watched(stream: PluvoStream, records: Iterable[Record]) -> Iterator[Record]:
    """Give `records` while telling now and then how far the stream is."""
    started = told = time.monotonic()
    for number, record in enumerate(records, 1):
        yield record
        stream.emitted = number
        if number % EVERY == 0 and (now := time.monotonic()) - told >= INTERVAL:
            told = now
            stream.logger.info("%s", line(stream.name, number, stream.expected, now - started))


def line(name: str, rows: int, expected: int | None, seconds: float) -> str:
    """Return a sentence such as `users: 500 of 2,000 rows (25%), 100 rows/s, about 15 s left`."""
    pace = rows / seconds if seconds else 0.0
    if not expected or rows > expected or not pace:
        return f"{name}: {rows:,} rows, {pace:,.0f} rows/s"
    left = (expected - rows) / pace
    return (
        f"{name}: {rows:,} of {expected:,} rows ({rows / expected:.0%}), "
        f"{pace:,.0f} rows/s, about {left:,.0f} s left"
    )


def summary(logger: logging.Logger, results: list[Result]) -> None:
    """Log the closing table, and what failed last."""
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
            + ("  FAILED" if result.error else ""),
        )
    for result in results:
        if result.error:
            logger.error("stream %s failed: %s", result.stream, result.error)

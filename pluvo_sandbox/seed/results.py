"""What people have reached: the portfolio report, participants, portfolio items."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING

from pluvo_sandbox.ids import new_id
from pluvo_sandbox.seed import words
from pluvo_sandbox.seed.source import YEARS_BACK, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from pluvo_sandbox.seed.source import Row, Source


def tables(source: Source) -> Iterator[tuple[str, Iterator[Row]]]:
    """Give the rows of each table."""
    yield "report", _report(source)
    yield "training_users", _training_users(source)
    yield "portfolio_items", _portfolio_items(source)


def _report(source: Source) -> Iterator[Row]:
    random = source.random("report")
    others = [name for name in source.report_types if name not in {"TRAINING", "CERTIFICATE"}]
    rows = _results(source, random, others)
    for _ in range(source.plan.portfolio if source.user_ids and source.training_ids else 0):
        yield new_id(random), *next(rows)
    yield from _untyped(source)


def _untyped(source: Source) -> Iterator[Row]:
    random = source.random("report.untyped")
    for n in range(source.plan.untyped if source.user_ids else 0):
        user_id = random.choice(source.user_ids)
        day = source.completed(-random.randrange(YEARS_BACK)) if n % 4 else None
        yield new_id(random), user_id, None, None, f"Upload {n}", 100.0, None, day, None, None, 0


def _results(source: Source, random: Random, others: Sequence[str]) -> Iterator[Row]:
    """Give the results of one user in one training after the other, without end."""
    user_ids, training_ids = source.user_ids, source.training_ids
    for n in count():
        user_id = user_ids[int(random.random() * len(user_ids))]
        t = int(random.random() * len(training_ids))
        title = source.training_titles[t]
        done = n % 3 != 0
        yield (
            *(user_id, "TRAINING", training_ids[t], title),
            100.0 if done else float(random.randrange(0, 100, 5)),
            round(random.uniform(40, 100), 2) if done and n % 5 else None,
            source.completed(-random.randrange(YEARS_BACK)) if done else None,
            None,
            f'{{"days": {random.randrange(3)}, "seconds": {random.randrange(86400)}}}',
            n % 4,
        )
        if n % 3 == 1:
            yield from _issued(source, random, n // 3, user_id)
        if others and n % 8 == 0:
            kind = others[n // 8 % len(others)]
            day = source.completed(-random.randrange(YEARS_BACK)) if n % 16 else None
            yield user_id, kind, None, f"{kind.title()} {t}", 50.0, None, day, None, None, 1


def _issued(source: Source, random: Random, n: int, user_id: str) -> Iterator[Row]:
    """Give a certificate, which some users get twice, even on one day."""
    c = int(random.random() * len(source.certificate_ids))
    title = source.title(words.CERTIFICATES, c)
    validity = 365 if n % 2 else 730
    # Never expires; has expired; expires within 30, 60, 90 days; is good for longer.
    ranges = (None, (-YEARS_BACK + 730, 0), (0, 31), (31, 61), (61, 91), (91, validity))
    span = ranges[n % 6]
    expires = None if span is None else random.randrange(*span)
    issued = -random.randrange(YEARS_BACK) if expires is None else expires - validity
    row = (user_id, "CERTIFICATE", source.certificate_ids[c], title, 100.0, None)

    def dated(days: int) -> Row:
        end = None if expires is None else source.day(expires + days)
        return *row, source.completed(issued + days), end, None, 0

    yield dated(0)
    if n % 7 == 0:
        yield dated(0)
    if n % 5 == 0:
        yield dated(-validity)


def _training_users(source: Source) -> Iterator[Row]:
    """Make participants of all who have a result, and add trainers."""
    random = source.random("training_users")
    pairs = source.connection.execute(
        "SELECT DISTINCT relatedObjectId, userId FROM report WHERE relatedObjectType = ?"
        " ORDER BY 1, 2",
        ("TRAINING",),
    )
    for n, (training_id, user_id) in enumerate(pairs):
        yield new_id(random), training_id, user_id, "PARTICIPANT", True
        if n < source.plan.repeats:
            yield new_id(random), training_id, user_id, "PARTICIPANT", True
    for n, training_id in enumerate(source.training_ids):
        for m, user_id in enumerate(
            random.sample(source.user_ids, min(n % 4, len(source.user_ids)))
        ):
            role = "MENTOR" if m == 1 and "MENTOR" in source.training_roles else "TRAINER"
            yield new_id(random), training_id, user_id, role, True


def _portfolio_items(source: Source) -> Iterator[Row]:
    random = source.random("portfolio_items")
    for n, user_id in enumerate(source.user_ids[::5]):
        for m in range(n % 4):
            made = source.moment(random, YEARS_BACK, 10)
            item_id = new_id(random)
            yield (
                *(item_id, user_id, numbered(words.ITEMS, n + m)),
                None if n % 2 else 'Behaald bij "Acme, B.V."',
                *(made, source.moment(random, 0, -500) if n % 3 else None),
                json.dumps([f"https://files.pluvo.co/{item_id}.pdf"] * (m % 3)),
                *(made, source.moment(random, 10)),
            )

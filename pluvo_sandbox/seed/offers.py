"""Offers, their events, and who takes part in these."""

# ruff: noqa: PLR2004 - "one in nine" is said best by the nine itself

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
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
    random = source.random("offers")
    rows: dict[str, list[Row]] = defaultdict(list)
    for n, offer_id in enumerate(source.offer_ids):
        archived = source.moment(random, 200) if n % 5 == 4 else None
        made = source.moment(random, YEARS_BACK, 200)
        title = numbered(words.OFFERS, n)
        rows["offers"].append(
            (
                *(offer_id, None if n % 4 == 3 else f"OF-{n:03}", title),
                *("Voor wie wil, en kan." if n % 2 else None, n % 6 != 5, archived, made),
                source.moment(random, 200),
            )
        )
        for m in range((2, 0, 1, 4)[n % 4]):
            for table, more in _event(source, random, (offer_id, title, n, m)):
                rows[table] += more
    for table, found in rows.items():
        yield table, iter(found)


def _event(
    source: Source, random: Random, place: tuple[str, str, int, int]
) -> Iterator[tuple[str, list[Row]]]:
    """Give the rows of one event, by table.

    Args:
        source: what rows are drawn from.
        random: the generator of all offers.
        place: id, title and number of the offer, and the number of the event in it.
    """
    offer_id, title, n, m = place
    event_id = new_id(random)
    places = random.randrange(5, 30)
    enrolled = list(_enrollments(source, random, event_id, places, n + m))
    taken = sum(1 for row in enrolled if row[3] == "ENROLLED")
    start = random.randrange(-700, 200)
    training = _pick(random, source.training_ids)
    course = [{"id": new_id(random), "title": "Basiscursus"}] * (m % 2)
    video = [{"id": new_id(random), "title": "Welkom"}] * (m % 3 == 2)
    event = (
        *(event_id, offer_id, None if m % 2 else f"EV-{n:03}-{m}"),
        None if m == 3 else f"{title} #{m + 1}",
        source.event_types[(n + m) % len(source.event_types)],
        *(places, 3, taken, places - taken),
        *(m % 2 == 0, source.moment(random, -start + 15, -start + 14)),
        *(f"{random.randrange(500)}.{m % 2 * 5}0", m == 2, n % 7 != 6),
        *(json.dumps(course), "[]", "[]", json.dumps(video)),
        *(_pick(random, source.certificate_ids), 55.5 if m % 2 else None),
        *(training, "TRAINING", True, places, f"{title} #{m + 1}"),
    )
    trainers = random.sample(source.user_ids, min(m, len(source.user_ids)))
    yield "offer_events", [event]
    yield "enrollments", enrolled
    yield "offer_event_trainings", [(event_id, training)] if training else []
    yield "offer_event_trainers", [(event_id, user_id) for user_id in trainers]
    yield "offer_event_dates", list(_dates(source, random, event_id, start, (1, 3, 0)[m % 3]))


def _dates(source: Source, random: Random, event_id: str, start: int, number: int) -> Iterator[Row]:
    for week in range(number):
        begin = source.midnight + timedelta(days=start + 7 * week, hours=9, minutes=30)
        moments = (begin.isoformat(), (begin + timedelta(hours=4)).isoformat())
        yield new_id(random), event_id, *moments, *moments


def _enrollments(
    source: Source, random: Random, event_id: str, places: int, n: int
) -> Iterator[Row]:
    statuses = ("ENROLLED", "ENROLLED", "CANCELLED", "WAITLISTED", "ENROLLED", "DECLINED")
    most = min(places, len(source.user_ids))
    for m, user_id in enumerate(random.sample(source.user_ids, most)):
        status = statuses[(n + m) % len(statuses)]
        yield new_id(random), user_id, event_id, status, source.moment(random, 700)


def _pick(random: Random, ids: Sequence[str]) -> str | None:
    return random.choice(ids) if ids else None

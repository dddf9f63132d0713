"""Trainings, the groups that follow them, and templates of certificates."""

# ruff: noqa: PLR2004 - "one in nine" is said best by the nine itself

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pluvo_sandbox.ids import new_id
from pluvo_sandbox.seed import words
from pluvo_sandbox.seed.source import YEARS_BACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_sandbox.seed.source import Row, Source


def tables(source: Source) -> Iterator[tuple[str, Iterator[Row]]]:
    """Give the rows of each table."""
    yield "trainings", _trainings(source)
    yield "group_trainings", _group_trainings(source)
    yield "certificates", _certificates(source)


def _trainings(source: Source) -> Iterator[Row]:
    random = source.random("trainings")
    for n, (training_id, title) in enumerate(
        zip(source.training_ids, source.training_titles, strict=True)
    ):
        archived = n % 6 == 4
        image = json.dumps({"id": training_id, "url": f"https://files.pluvo.co/{training_id}.png"})
        start = random.randrange(-YEARS_BACK, 60)
        modules = [
            {"id": new_id(random), "title": f"{m + 1}. {random.choice(words.MODULES)}"}
            for m in range(n % 5)
        ]
        item = json.dumps({"id": new_id(random), "title": title}) if n % 3 else None
        condition = {"type": "AbsoluteDateCondition", "date": source.moment(random, 300)}
        yield (
            *(training_id, title, None if n % 4 == 1 else "Kort & bondig"),
            *('Wat je leert: "alles",\nen meer.', None if n % 5 == 2 else f"TR-{n:04}"),
            *(n % 10 != 7, archived, image if n % 2 else None, image if n % 2 else None),
            *(source.day(start), source.day(start + 90) if n % 3 else None),
            *(f"{n % 8 + 1} uur", n % 2 == 0, n % 3 == 0, n % 4 == 0, item),
            *(json.dumps(modules), "[]", n % 4 != 3, json.dumps([condition] * (n % 4 == 3))),
            *(None, None, source.moment(random, YEARS_BACK), source.moment(random, 100)),
            n % 5 == 0,
        )


def _group_trainings(source: Source) -> Iterator[Row]:
    random = source.random("group_trainings")
    for n, group_id in enumerate(source.group_ids):
        for training_id in random.sample(source.training_ids, min(n % 7, len(source.training_ids))):
            yield group_id, training_id


def _certificates(source: Source) -> Iterator[Row]:
    for n, certificate_id in enumerate(source.certificate_ids):
        title = source.title(words.CERTIFICATES, n)
        language = source.languages[n % len(source.languages)]
        yield certificate_id, None if n % 5 == 4 else f"Sjabloon {n:03}", title, language

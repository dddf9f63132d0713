"""Custom fields (`extraCategories` in the API): fields, choices, values."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

from pluvo_sandbox.ids import new_id
from pluvo_sandbox.seed import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from pluvo_sandbox.seed.source import Row, Source


def tables(source: Source) -> Iterator[tuple[str, Iterator[Row]]]:
    """Give the rows of each table."""
    random = source.random("extra_categories")
    categories: list[Row] = []
    options: list[Row] = []
    values: list[Row] = []
    for position, (title, kind, owners, choices) in enumerate(words.CATEGORIES):
        category_id = new_id(random)
        field = [{"key": f"field{position}", "label": title, "type": kind}]
        categories.append(
            (
                *(category_id, title, kind if kind in source.category_types else None),
                *(json.dumps(owners), json.dumps(field, ensure_ascii=False), position),
                *(f"CF-{position:02}", False),
            )
        )
        choice_ids = [new_id(random) for _ in choices]
        options += [
            (choice_id, category_id, f"OPT-{m}" if m % 2 else None, text, words.COLORS[m % 4])
            for m, (choice_id, text) in enumerate(zip(choice_ids, choices, strict=True))
        ]
        ids = {"USER": source.user_ids, "GROUP": source.group_ids, "TRAINING": source.training_ids}
        for n, owner_id in enumerate(chain.from_iterable(ids[owner] for owner in owners)):
            if (n + position) % 3:
                values += [
                    (owner_id, category_id, *value)
                    for value in _values(source, random, kind, n, choice_ids)
                ]
    yield "extra_categories", iter(categories)
    yield "choice_options", iter(options)
    yield "extra_category_values", iter(values)


def _values(
    source: Source, random: Random, kind: str, n: int, choice_ids: Sequence[str]
) -> Iterator[Row]:
    """Give what one owner has in one field: type, then text, choice, boolean, moment."""
    if kind == "TEXT":
        yield "ExtraCategoryStringValue", random.choice(words.TEXTS), None, None, None
    elif kind == "NUMBER":
        yield "ExtraCategoryStringValue", f"{random.randrange(1000) / 4:g}", None, None, None
    elif kind == "BOOLEAN":
        yield "ExtraCategoryBooleanValue", None, None, n % 2 == 0, None
    elif kind == "DATE":
        yield "ExtraCategoryDatetimeValue", None, None, None, source.moment(random, 9000)
    else:
        several = 1 + n % 3 if kind == "MULTISELECT" else 1
        for choice_id in random.sample(choice_ids, several):
            yield "ExtraCategoryChoiceValue", None, choice_id, None, None

"""A chart of the report page, and what all charts share: colours, labels, months."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from views import View

# From good to bad; colour-blind readers can tell them apart.
HELD, EXPIRING, EXPIRED, MISSING = "#2a9d8f", "#e9c46a", "#e76f51", "#c3c9d1"
BLUE, LIGHT_BLUE, PALE = "#2f6f9f", "#a9cbe3", "#e3e7ec"
PALETTE = ["#2f6f9f", "#e9c46a", "#2a9d8f", "#e76f51", "#8e6c8a", "#a9cbe3", "#6b7785"]
LONGEST_LABEL = 34

Trace = dict[str, Any]


@dataclass
class Chart:
    """A question, and what Plotly draws to answer it.

    A trace has a part that is always the same, in `traces`, and one for each view that differs, in
    `views`. What is not in `views` has nothing to show.
    """

    name: str
    traces: list[Trace]
    # The heading of the first column of its table, which holds the categories.
    categories: str
    layout: dict[str, Any] = field(default_factory=dict)
    height: int = 400
    row_height: int = 0
    wide: bool = False
    note: str = ""
    # What only this chart lets choose.
    choices: list[str] = field(default_factory=list)
    views: dict[tuple[View, int | None], list[Trace]] = field(default_factory=dict)


def label(text: str) -> str:
    """Return a text as a label: one short line without markup."""
    line = " ".join(text.split())
    line = line if len(line) <= LONGEST_LABEL else line[: LONGEST_LABEL - 1] + "…"
    return escape(line, quote=False)


def unique_labels(texts: Iterable[str]) -> list[str]:
    """Return distinct labels: bars with the same label would be drawn as one."""
    seen: Counter[str] = Counter()
    labels = []
    for text in texts:
        name = label(text)
        seen[name] += 1
        labels.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return labels


def months(today: date, first: int, number: int) -> list[date]:
    """Return the first days of so many months, the first one counted from the month of today."""
    start = today.year * 12 + today.month - 1 + first
    return [
        today.replace(year=n // 12, month=n % 12 + 1, day=1) for n in range(start, start + number)
    ]

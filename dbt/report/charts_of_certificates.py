"""Charts of what people must hold, held, and hold no longer."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from chart import (
    EXPIRED,
    EXPIRING,
    HELD,
    LIGHT_BLUE,
    MISSING,
    PALETTE,
    Chart,
    label,
    months,
    unique_labels,
)
from views import View

if TYPE_CHECKING:
    from language import Language
    from views import Report

PARTS = {
    "held": HELD,
    "expiring": EXPIRING,
    "in_grace": LIGHT_BLUE,
    "expired": EXPIRED,
    "missing": MISSING,
}
MONTHS = 12


def compliance(report: Report, language: Language) -> Chart:
    """How many meet the requirements, by group; a list chooses the requirement."""
    words = language.words["compliance"]
    titles = sorted({row["title"] for row in report.rows("compliance", View())})
    labels = dict(zip(report.groups, unique_labels(report.groups.values()), strict=True))
    chart = Chart(
        "compliance",
        [
            {
                "type": "bar",
                "orientation": "h",
                "name": words[part],
                "marker": {"color": colour},
                "hovertemplate": "%{y}<br>%{fullData.name}: %{customdata} (%{x:.0f}%)"
                "<extra></extra>",
            }
            for part, colour in PARTS.items()
        ],
        words["group"],
        layout={
            "barmode": "stack",
            "barnorm": "percent",
            "xaxis": {"ticksuffix": "%", "range": [0, 100]},
        },
        height=110,
        row_height=26,
        wide=True,
        choices=[words["all"], *unique_labels(titles)],
    )
    for view in report.views:
        # From bottom to top.
        groups = [view.group] if view.group else list(report.groups)[::-1]
        counts: dict[int | None, Counter[tuple[str, str]]] = {}
        for group in groups:
            for row in report.rows("compliance", View(group, view.value)):
                for choice in (None, titles.index(row["title"])):
                    counts.setdefault(choice, Counter())[group, row["requirement_status"]] += row[
                        "people"
                    ]
        for choice, count in counts.items():
            shown = [group for group in groups if any(count[group, part] for part in PARTS)]
            chart.views[view, choice] = [
                {
                    "y": [labels[group] for group in shown],
                    "x": (numbers := [count[group, part] for group in shown]),
                    "customdata": numbers,
                }
                for part in PARTS
            ]
    return chart


def history(report: Report, language: Language) -> Chart:
    """How the share of people who hold all that they must developed."""
    words = language.words["history"]
    days = months(report.day, 1 - MONTHS, MONTHS)
    line = {
        "type": "scatter",
        "x": [language.month(day) for day in days],
        "mode": "lines+markers",
        "connectgaps": False,
        "hovertemplate": "%{x}: %{text}<extra></extra>",
    }
    chart = Chart(
        "history",
        [
            line | {"name": words["known"], "line": {"color": HELD, "width": 3}},
            line | {"name": words["unknown"], "line": {"color": HELD, "width": 3, "dash": "dot"}},
        ],
        words["month"],
        layout={
            "xaxis": {"type": "category", "tickangle": -45},
            "yaxis": {"tickformat": ".0%", "range": [0, 1.05]},
        },
        wide=True,
    )
    for view in report.views:
        rows = report.rows("history", view)
        shares = {
            row["month"]: int(row["people_compliant"]) / row["people_required"] for row in rows
        }
        known = {row["month"] for row in rows if row["is_known"]}
        unknown = set(shares) - known
        # The dashed line goes on to the first month that is known.
        joints = {day for before, day in pairwise(days) if before in unknown and day in known}
        if shares:
            chart.views[view, None] = [
                {
                    "y": [shares[day] if day in line else None for day in days],
                    "text": [language.share(shares[day]) if day in told else "" for day in days],
                }
                for line, told in ((known, known), (unknown | joints, unknown))
            ]
    return chart


def ending(report: Report, language: Language) -> Chart:
    """How many certificates expire in each of the next months."""
    words = language.words["ending"]
    days = months(report.day, 0, MONTHS)
    everywhere = Counter[str]()
    for row in report.rows("certificates", View()):
        if row["month"] in days:
            everywhere[row["title"] or language.words["untitled"]] += row["ending"]
    ranked = [
        title
        for title, number in sorted(everywhere.items(), key=lambda it: (-it[1], it[0]))
        if number
    ]
    kept = ranked[: len(PALETTE) - 1]
    names = [*map(label, kept), *([words["others"]] if len(ranked) > len(kept) else [])]
    chart = Chart(
        "ending",
        [
            {
                "type": "bar",
                "name": name,
                "x": [language.month(day) for day in days],
                "marker": {"color": colour},
                "hovertemplate": f"{name}<br>%{{x}}: %{{y}}<extra></extra>",
            }
            for name, colour in zip(names, PALETTE, strict=False)
        ],
        words["month"],
        layout={"barmode": "stack", "xaxis": {"type": "category", "tickangle": -45}},
    )
    for view in report.views:
        count = Counter[tuple[int, object]]()
        for row in report.rows("certificates", view):
            title = row["title"] or language.words["untitled"]
            count[kept.index(title) if title in kept else len(kept), row["month"]] += row["ending"]
        if any(count[n, day] for n in range(len(names)) for day in days):
            chart.views[view, None] = [
                {"y": [count[n, day] for day in days]} for n in range(len(names))
            ]
    return chart

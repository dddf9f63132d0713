"""Charts of how far people have come with what they should take."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

from typing import TYPE_CHECKING

from chart import BLUE, LIGHT_BLUE, PALE, Chart, unique_labels
from views import View

if TYPE_CHECKING:
    from language import Language
    from views import Report

MOST_TRAININGS = 15
STEPS = {"assigned": PALE, "started": LIGHT_BLUE, "completed": BLUE}


def progress(report: Report, language: Language) -> Chart:
    """How many members completed the trainings assigned to their group."""
    words = language.words["progress"]
    cells = {
        (view, row["training_id"]): row
        for view in report.views
        for row in report.rows("assignments", view)
        if row["is_assigned_to_group"]
    }
    groups_with = {
        training: sum((View(group), training) in cells for group in report.groups)
        for training in report.trainings
    }
    ranked = [training for training, number in ranking(groups_with) if number]
    trainings = ranked[:MOST_TRAININGS]
    labels = dict(zip(report.groups, unique_labels(report.groups.values()), strict=True))
    chart = Chart(
        "progress",
        [
            {
                "type": "heatmap",
                "x": unique_labels(title(report, language, training) for training in trainings),
                "texttemplate": "%{text}",
                "hovertemplate": "%{y}<br>%{x}<br>%{customdata}<extra></extra>",
                "hoverongaps": False,
                "zmin": 0,
                "zmax": 1,
                "xgap": 2,
                "ygap": 2,
                "colorscale": [[0, "#eef2f6"], [1, BLUE]],
                "colorbar": {"tickformat": ".0%", "thickness": 12, "outlinewidth": 0},
            }
        ],
        words["group"],
        layout={
            "xaxis": {"tickangle": -35, "showgrid": False},
            "yaxis": {"showgrid": False},
        },
        height=240,
        row_height=26,
        wide=True,
        note=shown(language, len(ranked)),
    )
    for view in report.views:
        groups = [
            group
            for group in ([view.group] if view.group else list(report.groups)[::-1])
            if any((View(group, view.value), training) in cells for training in trainings)
        ]
        rows = [
            [cells.get((View(group, view.value), training)) for training in trainings]
            for group in groups
        ]
        if rows:
            chart.views[view, None] = [
                {
                    "y": [labels[group] for group in groups],
                    "z": [
                        [row and round(row["completed"] / row["assigned"], 4) for row in line]
                        for line in rows
                    ],
                    "text": [
                        [
                            language.share(row["completed"] / row["assigned"]) if row else ""
                            for row in line
                        ]
                        for line in rows
                    ],
                    "customdata": [
                        [words["cell"].format(**row) if row else "" for row in line]
                        for line in rows
                    ],
                }
            ]
    return chart


def funnel(report: Report, language: Language) -> Chart:
    """How many of those who should take a training started and completed it."""
    words = language.words["funnel"]
    assigned = {row["training_id"]: row["assigned"] for row in report.rows("assignments", View())}
    # From bottom to top.
    trainings = [training for training, _ in ranking(assigned)][:MOST_TRAININGS][::-1]
    chart = Chart(
        "funnel",
        [
            {
                "type": "bar",
                "orientation": "h",
                "name": words[step],
                "y": unique_labels(title(report, language, training) for training in trainings),
                "marker": {"color": colour},
                "hovertemplate": f"%{{y}}<br>{words[step]}: %{{x}}<extra></extra>",
            }
            for step, colour in STEPS.items()
        ],
        words["training"],
        layout={"barmode": "overlay"},
        height=110,
        row_height=24,
        note=shown(language, len(assigned)),
    )
    for view in report.views:
        rows = {row["training_id"]: row for row in report.rows("assignments", view)}
        if any(training in rows for training in trainings):
            chart.views[view, None] = [
                {"x": [rows[training][step] if training in rows else 0 for training in trainings]}
                for step in STEPS
            ]
    return chart


def ranking(numbers: dict[str, int]) -> list[tuple[str, int]]:
    """Return what has a number, the largest first."""
    return sorted(numbers.items(), key=lambda item: (-item[1], item[0]))


def title(report: Report, language: Language, training: str) -> str:
    """Return the title of a training."""
    return report.trainings[training] or str(language.words["untitled"])


def shown(language: Language, total: int) -> str:
    """Say when only some trainings are shown."""
    words: str = language.words["largest"]
    return words.format(most=MOST_TRAININGS, total=total) if total > MOST_TRAININGS else ""

"""Charts of when people signed in, and of what they did."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from chart import EXPIRED, EXPIRING, HELD, LIGHT_BLUE, MISSING, Chart, months
from views import View, login_days

if TYPE_CHECKING:
    from language import Language
    from views import Report
    from warehouse import Row

MONTHS = 24
RECENT_DAYS = 30


def logins(report: Report, language: Language) -> Chart:
    """How long ago people signed in; everyone from `inactive_days` on counts as inactive."""
    words = language.words["logins"]
    inactive_days = report.overview["inactive_days"]
    ends = login_days(inactive_days)
    starts = [0, *(end + 1 for end in ends)]
    names = [
        *(
            words["step"].format(start=start, end=end)
            for start, end in zip(starts, ends, strict=False)
        ),
        *(words[name] for name in ("longer", "never", "invited")),
    ]
    recent = [HELD if end <= RECENT_DAYS else EXPIRING for end in ends if end < inactive_days]
    colours = [*recent, *[EXPIRED] * (len(ends) + 1 - len(recent)), MISSING, LIGHT_BLUE]
    chart = Chart(
        "logins",
        [
            {
                "type": "bar",
                "name": words["people"],
                "x": names,
                "marker": {"color": colours},
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": "%{x}: %{y}<extra></extra>",
            }
        ],
        words["days"],
    )

    def step(row: Row) -> int:
        if not row["has_login"]:
            return len(ends) + (2 if row["is_just_invited"] else 1)
        return len(ends) if row["step"] is None else ends.index(row["step"])

    # If the organization's API does not return last logins, none of the bars is true.
    if any(row["has_login"] for row in report.rows("people", View())):
        for view in report.views:
            count = Counter[int]()
            for row in report.rows("people", view):
                count[step(row)] += row["people"]
            numbers = [count[n] for n in range(len(names))]
            chart.views[view, None] = [{"y": numbers, "text": [*map(language.number, numbers)]}]
    return chart


def activity(report: Report, language: Language) -> Chart:
    """Completions and certificates issued, month by month."""
    words = language.words["activity"]
    days = months(report.day, 1 - MONTHS, MONTHS)
    names = [language.month(day) for day in days]
    chart = Chart(
        "activity",
        [
            {
                "type": "bar",
                "name": words["completed"],
                "x": names,
                "marker": {"color": LIGHT_BLUE},
                "hovertemplate": "%{x}: %{y}<extra></extra>",
            },
            {
                "type": "scatter",
                "name": words["issued"],
                "x": names,
                "mode": "lines+markers",
                "line": {"color": EXPIRED, "width": 2},
                "hovertemplate": "%{x}: %{y}<extra></extra>",
            },
        ],
        words["month"],
        layout={"xaxis": {"type": "category", "tickangle": -45}},
    )
    for view in report.views:
        rows = {row["month"]: row for row in report.rows("activity", view)}
        if any(day in rows for day in days):
            chart.views[view, None] = [
                {"y": [rows[day][column] if day in rows else 0 for day in days]}
                for column in ("completed", "issued")
            ]
    return chart

"""What the page shows: counts of people, never people, for each choice of its filters."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from warehouse import Row

QUERIES = Path(__file__).with_name("queries")
COUNTS = (
    "people",
    "people_compliant",
    "compliance",
    "history",
    "certificates",
    "activity",
    "assignments",
)
# So many groups and values of the field can be chosen.
MOST_CHOICES = 25
# A value of the field and a group that together are fewer people would tell about each of them.
FEWEST_PEOPLE = 5


class View(NamedTuple):
    """A choice of the filters; None is all."""

    group: str | None = None
    value: str | None = None


@dataclass
class Report:
    """What the charts are made from."""

    overview: Row
    # Names of groups, the largest one first, and titles of trainings, by identifier.
    groups: dict[str, str] = field(default_factory=dict)
    trainings: dict[str, str] = field(default_factory=dict)
    values: list[str] = field(default_factory=list)
    counts: dict[str, dict[View, list[Row]]] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The day that the page is for."""
        day: date = self.overview["reported_on"]
        return day

    @property
    def views(self) -> list[View]:
        """All views that the page has."""
        return list(self.counts["people"]) or [View()]

    def rows(self, name: str, view: View) -> list[Row]:
        """Return what a query counted in a view."""
        return self.counts[name].get(view, [])

    def total(self, name: str, column: str, view: View) -> int:
        """Return the sum of a column in a view."""
        return sum(int(row[column]) for row in self.rows(name, view))


def read(query: Callable[[str], list[Row]], organization: str, field_title: str) -> Report:
    """Read everything from the marts; the field is empty if there is no filter by one."""
    (overview,) = query(sql("overview", organization=organization))
    report = Report(overview)
    chosen = {"organization": organization, "field": field_title, "most": str(MOST_CHOICES)}
    views = sql("views", **chosen)
    days = login_days(overview["inactive_days"])
    steps = "\n".join(f"when users.days_since_login <= {day} then {day}" for day in days)
    details = chosen | {"inactive_days": str(overview["inactive_days"]), "steps": steps}
    for name in COUNTS:
        counts: defaultdict[View, list[Row]] = defaultdict(list)
        for row in query(views + sql(name, **details)):
            counts[View(row["group_id"], row["field_value"])].append(row)
        report.counts[name] = dict(counts)
    people = report.counts["people"]
    for view in list(people):
        if view.value is not None and report.total("people", "people", view) < FEWEST_PEOPLE:
            del people[view]
    report.counts.setdefault("history", {})
    groups = sorted(query(sql("groups", **chosen)), key=lambda row: -row["participants"])
    report.groups = {
        row["group_id"]: row["name"] for row in groups if View(row["group_id"]) in people
    }
    titles = query(sql("trainings", **chosen))
    report.trainings = {row["training_id"]: row["title"] for row in titles}
    report.values = sorted(view.value for view in people if view.value and not view.group)
    if View(None, "") in people:
        report.values.append("")
    return report


def sql(name: str, **texts: str) -> str:
    """Return a query, with texts in the place of $names."""
    quoted = {key: text.replace("'", "''") for key, text in texts.items()}
    return Template((QUERIES / f"{name}.sql").read_text("utf-8")).substitute(quoted)


def login_days(inactive_days: int) -> list[int]:
    """Return the last days of the steps since a login: one ends before people count as inactive."""
    return sorted({day for day in (7, 30, inactive_days - 1, 365) if day > 0})

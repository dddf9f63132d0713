"""The key figures of the report page: of everyone, those of `pluvo__rpt_overview`."""

# ruff: noqa: INP001 - next to a script, not in a package
from __future__ import annotations

from typing import TYPE_CHECKING

from views import View

if TYPE_CHECKING:
    from language import Language
    from views import Report
    from warehouse import Row


def count(report: Report, view: View) -> Row:
    """Return the figures of a view, named as the columns of `pluvo__rpt_overview`."""

    def total(name: str, column: str) -> int:
        return report.total(name, column, view)

    return {
        "people": total("people", "people"),
        "people_required": total("people_compliant", "people_required"),
        "people_compliant": total("people_compliant", "people_compliant"),
        "required": total("compliance", "people"),
        "held": total("compliance", "held"),
        "certificates_expiring": total("certificates", "expiring"),
        "certificates_expired": total("certificates", "expired"),
        "assignments_overdue": total("assignments", "overdue"),
        "inactive_users": total("people", "inactive_users"),
    }


def captions(report: Report, language: Language) -> list[str]:
    """Return what the figures mean."""
    words = language.words["figures"]
    days = {"expiring": "expiring_days", "inactive": "inactive_days"}
    return [
        words[name].format(days=report.overview.get(days.get(name, "")))
        for name in ("people", "compliant", "held", "expiring", "expired", "overdue", "inactive")
    ]


def figures(report: Report, language: Language, view: View) -> list[str]:
    """Return the figures of a view as they are shown."""
    counted = report.overview if view == View() else count(report, view)

    def share(part: str, whole: str) -> str:
        none: str = language.words["figures"]["none"]
        return language.share(counted[part] / counted[whole]) if counted[whole] else none

    return [
        language.number(counted["people"]),
        share("people_compliant", "people_required"),
        share("held", "required"),
        language.number(counted["certificates_expiring"]),
        language.number(counted["certificates_expired"]),
        language.number(counted["assignments_overdue"]),
        language.number(counted["inactive_users"]),
    ]

"""What a sandbox is filled with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    from pluvo_sandbox.contract import Variant


@dataclass(frozen=True)
class Plan:
    """What to fill a sandbox with.

    Attributes:
        users: number of users, archived ones included.
        trainings: number of trainings, archived ones included.
        groups: number of groups.
        portfolio: number of rows of the portfolio report.
        seed: another seed gives other data.
        today: the day that all dates are counted from: nothing is completed after it, and
            certificates have expired before it or will expire after it.
        variant: the schema; rows only hold what it has names for.
        names: number of different names of users, groups, trainings and certificates; None for no
            limit.
        days: number of different days on which results are completed; None for no limit.
        untyped: number of further rows of the report, of a type that the API does not name.
        repeats: number of participants who are in one training twice, as at a second attempt.
    """

    users: int
    trainings: int
    groups: int
    portfolio: int
    seed: int
    today: date
    variant: Variant
    names: int | None = None
    days: int | None = None
    untyped: int = 0
    repeats: int = 0

    def settings(self) -> dict[str, Any]:
        """Return the plan in the form in which the database keeps it."""
        return asdict(self) | {"today": self.today.isoformat()}

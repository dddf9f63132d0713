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
    """

    users: int
    trainings: int
    groups: int
    portfolio: int
    seed: int
    today: date
    variant: Variant

    def settings(self) -> dict[str, Any]:
        """Return the plan in the form in which the database keeps it."""
        return asdict(self) | {"today": self.today.isoformat()}

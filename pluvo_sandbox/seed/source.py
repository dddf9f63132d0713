"""What the rows of all tables are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from pluvo_sandbox.ids import new_id
from pluvo_sandbox.schema import enum_values, executable
from pluvo_sandbox.seed import words

if TYPE_CHECKING:
    import sqlite3

    from pluvo_sandbox.seed.plan import Plan

Row = Sequence[Any]

YEARS_BACK = 3 * 365  # days


class Source:
    """The ids, titles and random numbers of one plan.

    Each table draws from a generator of its own, so that the size of one does not change another.
    """

    def __init__(self, connection: sqlite3.Connection, plan: Plan) -> None:
        self.connection = connection
        self.plan = plan
        self.midnight = datetime.combine(plan.today, time(), UTC)
        schema = executable(plan.variant)
        self.languages = enum_values(schema, "Language")
        self.roles = set(enum_values(schema, "Role"))
        self.training_roles = set(enum_values(schema, "TrainingRole"))
        self.report_types = enum_values(schema, "PortfolioReportRelatedObjectType")
        self.category_types = set(enum_values(schema, "ExtraCategoryType"))
        self.event_types = enum_values(schema, "OfferEventType")
        self.user_ids = self._ids("users", plan.users)
        self.group_ids = self._ids("groups", plan.groups)
        self.training_ids = self._ids("trainings", plan.trainings)
        self.training_titles = [self.title(words.TRAININGS, n) for n in range(plan.trainings)]
        self.offer_ids = self._ids("offers", 2 + plan.trainings // 4)
        self.certificate_ids = self._ids("certificates", 3 + plan.trainings // 2)

    def title(self, titles: Sequence[str], n: int) -> str:
        """Return the title of the n-th row of a table; rows share it if the plan says so."""
        return numbered(titles, n % self.plan.names if self.plan.names else n)

    def random(self, name: str) -> Random:
        """Return the generator of random numbers that has this name."""
        return Random(f"{self.plan.seed}/{name}")  # noqa: S311 - repeatable on purpose

    def _ids(self, name: str, number: int) -> list[str]:
        random = self.random(f"{name}.id")
        return [new_id(random) for _ in range(number)]

    def moment(self, random: Random, days_ago: int, days_to: int = 0) -> str:
        """Return a moment between `days_ago` and `days_to` days ago; every third one has micros."""
        seconds = random.randrange(days_to * 86400 + 1, max(days_ago, days_to + 1) * 86400)
        micros = random.randrange(1_000_000) if random.random() < 1 / 3 else 0
        return (self.midnight - timedelta(seconds=seconds, microseconds=micros)).isoformat()

    def day(self, days_from_today: int) -> str:
        """Return a date, counted from the plan's own day."""
        return (self.plan.today + timedelta(days=days_from_today)).isoformat()

    def completed(self, days_from_today: int) -> str:
        """Return the date of a completion; many share it if the plan says so."""
        days = self.plan.days
        return self.day(-(-days_from_today % days) if days else days_from_today)


def numbered(titles: Sequence[str], n: int) -> str:
    """Return the n-th title; when they are used up they come again with a number."""
    rounds, place = divmod(n, len(titles))
    return f"{titles[place]} {rounds + 1}" if rounds else titles[place]

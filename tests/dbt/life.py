"""What happens in an organization in a day: the same things for the same random numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

    from pluvo_sandbox import Sandbox

CLOSED = "Ομάδα Αθήνας", date(2025, 6, 3)  # a group that is given up, and when


class Life:
    """The life of an organization, day by day."""

    def __init__(self, pluvo: Sandbox, random: Random) -> None:
        self.pluvo = pluvo
        self.random = random

    def pass_day(self, day: date) -> None:
        """Let a day pass."""
        active = self.some(12, "id FROM users WHERE NOT archived")
        self.people(day, *active[:3])
        self.members(day, active[3:])
        self.results(day, active[3:])
        self.certificates(day)
        self.offers_and_trainings(day)

    def some(self, number: int, what: str) -> list[Any]:
        """Return rows of a query, or ids, if it has only these."""
        rows = sorted(self.pluvo.database.execute(f"SELECT {what}").fetchall())
        chosen = self.random.sample(rows, number)
        return [row if len(row) > 1 else row[0] for row in chosen]

    def people(self, day: date, left: str, deleted: str, renamed: str) -> None:
        pluvo, now = self.pluvo, moment(day)
        self.newcomer = pluvo.insert_user(f"Came on {day}", invitedOn=now)
        pluvo.rename_user(renamed, f"Renamed on {day}")
        pluvo.change("users", renamed, roles=["PARTICIPANT", "TRAINER"], lastLogin=now)
        if day.day % 3 == 0:
            pluvo.change("users", left, archived=True, isActive=False, archivedAt=now)
        if day.day % 4 == 0:
            pluvo.delete_user(deleted)

    def members(self, day: date, users: list[str]) -> None:
        for group, user in self.some(3, "groupId, userId FROM group_users"):
            self.pluvo.delete_group_member(group, user)
        groups = self.some(2, "id FROM groups")
        for group, user in product(groups, [self.newcomer, users[0]]):
            self.pluvo.insert_group_member(group, user)
        name, closes = CLOSED
        if day == closes:
            (group,) = self.some(1, f"id FROM groups WHERE name = '{name}'")
            self.pluvo.delete_group(group)

    def results(self, day: date, users: list[str]) -> None:
        """Let people begin, complete and repeat; some of it is entered weeks later."""
        pluvo = self.pluvo
        for user in users[:5]:
            self.obtain(user, "TRAINING", "trainings", self.late(day))
        (training, title), *_ = self.some(1, "id, title FROM trainings")
        pluvo.insert_report_row(users[5], title, relatedObjectId=training)
        of_trainings = "id FROM report WHERE relatedObjectType = 'TRAINING' AND completionDate"
        given_up, *completed = self.some(3, f"{of_trainings} IS NULL")
        pluvo.delete_report_row(given_up)
        for result in completed:
            pluvo.complete_report_row(result, str(day))
        (withdrawn,) = self.some(1, f"{of_trainings} IS NOT NULL")
        pluvo.withdraw_completion(withdrawn)
        for user in users[6:]:
            obtained = self.late(day)
            days = self.random.choice([None, 30, 365])
            ends = None if days is None else str(obtained + timedelta(days))
            self.obtain(user, "CERTIFICATE", "certificates", obtained, endDate=ends)

    def obtain(self, user: str, kind: str, table: str, day: date, **more: Any) -> None:
        ((of, title),) = self.some(1, f"id, title FROM {table}")
        self.pluvo.insert_report_row(
            user,
            title,
            relatedObjectType=kind,
            relatedObjectId=of,
            progress=100.0,
            completionDate=str(day),
            **more,
        )

    def late(self, day: date) -> date:
        return day - timedelta(days=self.random.choice([0, 0, 0, 2, 20]))

    def certificates(self, day: date) -> None:
        pluvo, random = self.pluvo, self.random
        what = "id FROM report WHERE relatedObjectType = 'CERTIFICATE'"
        revoked, corrected, moved = self.some(3, what)
        pluvo.delete_report_row(revoked)
        ends, issued = (day - timedelta(days=random.randrange(-40, 40)) for _ in range(2))
        pluvo.change("report", corrected, endDate=str(ends))
        pluvo.change("report", moved, completionDate=str(min(issued, day)))

    def offers_and_trainings(self, day: date) -> None:
        pluvo = self.pluvo
        if day.day % 5 == 0:
            (renamed, title), (archived, _) = self.some(2, "id, title FROM trainings")
            pluvo.rename_training(renamed, f"{title}!")
            pluvo.archive_training(archived)
            pluvo.insert_training(f"New on {day}")
            (offer,) = self.some(1, "id FROM offers")
            pluvo.change("offers", offer, archivedAt=moment(day))
            (enrolled,) = self.some(1, "id FROM enrollments")
            pluvo.change("enrollments", enrolled, status="CANCELLED")


def moment(day: date) -> str:
    return datetime.combine(day, time(8), UTC).isoformat()

"""What may happen in an organization: anything that the streams read by webhooks can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from pluvo_sandbox import Sandbox


class Changes:
    """Changes an organization at random; the same random numbers change the same."""

    def __init__(self, pluvo: Sandbox, random: Random) -> None:
        self.pluvo = pluvo
        self.random = random
        self.number = 0
        self.kinds: list[Callable[[], Any]] = [
            self.new_user,
            self.new_group,
            self.new_training,
            self.rename,
            self.new_ref,
            self.archive,
            self.delete,
            self.join_group,
            self.leave_group,
            self.assign_training,
            self.unassign_training,
            self.take_part,
            self.leave_training,
            self.enroll,
            self.change_enrollment,
            self.unenroll,
            self.set_field,
            self.clear_field,
        ]

    def happen(self, times: int) -> None:
        for _ in range(times):
            self.number += 1
            self.random.choice(self.kinds)()

    def some(self, table: str, columns: str = "id") -> tuple[Any, ...]:
        """Return some row; tables keep enough of them."""
        rows = sorted(self.pluvo.database.execute(f"SELECT {columns} FROM {table}").fetchall())
        return tuple(self.random.choice(rows)) if rows else ("",) * (columns.count(",") + 1)

    def run(self, sql: str, *values: Any) -> None:
        self.pluvo.database.execute(sql, values)

    def new_user(self) -> None:
        self.pluvo.insert_user(f"New {self.number}", ref=f"n{self.number}")

    def new_group(self) -> None:
        self.pluvo.insert_group(f"Group {self.number}")

    def new_training(self) -> None:
        self.pluvo.insert_training(f"Training {self.number}")

    def rename(self) -> None:
        table = self.random.choice(["users", "groups", "trainings"])
        column = "title" if table == "trainings" else "name"
        self.pluvo.change(table, *self.some(table), **{column: f"Renamed {self.number}"})

    def new_ref(self) -> None:
        table = self.random.choice(["users", "groups", "trainings"])
        self.pluvo.change(table, *self.some(table), ref=f"ref {self.number}")

    def archive(self) -> None:
        self.pluvo.archive_user(self.some("users")[0], self.random.random() < 0.7)
        self.pluvo.archive_training(self.some("trainings")[0], self.random.random() < 0.7)

    def delete(self) -> None:
        table = self.random.choice(["users", "users", "groups", "trainings"])
        self.pluvo.delete(table, *self.some(table))

    def join_group(self) -> None:
        manager = self.random.random() < 0.3
        self.pluvo.insert_group_member(*self.some("groups"), *self.some("users"), manager=manager)

    def leave_group(self) -> None:
        manager = self.random.random() < 0.3
        table = "group_managers" if manager else "group_users"
        self.pluvo.delete_group_member(*self.some(table, "groupId, userId"), manager=manager)

    def assign_training(self) -> None:
        self.run(
            "INSERT OR IGNORE INTO group_trainings VALUES (?, ?)",
            *self.some("groups"),
            *self.some("trainings"),
        )

    def unassign_training(self) -> None:
        pair = self.some("group_trainings", "groupId, trainingId")
        self.run("DELETE FROM group_trainings WHERE groupId = ? AND trainingId = ?", *pair)

    def take_part(self) -> None:
        role = self.random.choice(["PARTICIPANT", "TRAINER"])
        self.pluvo.insert_participant(*self.some("trainings"), *self.some("users"), role=role)

    def leave_training(self) -> None:
        self.pluvo.delete("training_users", *self.some("training_users"))

    def enroll(self) -> None:
        self.run(
            "INSERT INTO enrollments VALUES (?, ?, ?, 'ENROLLED', '2025-01-01T00:00:00+00:00')",
            f"e{self.number}",
            *self.some("users"),
            *self.some("offer_events"),
        )

    def change_enrollment(self) -> None:
        self.pluvo.change("enrollments", *self.some("enrollments"), status="CANCELLED")

    def unenroll(self) -> None:
        self.pluvo.delete("enrollments", *self.some("enrollments"))

    def set_field(self) -> None:
        owner = self.some(self.random.choice(["users", "groups"]))
        category = self.some("extra_categories WHERE categoryType = 'TEXT'")
        self.run(
            "INSERT INTO extra_category_values (ownerId, categoryId, __typename, stringValue) "
            "VALUES (?, ?, 'ExtraCategoryStringValue', ?)",
            *owner,
            *category,
            f"value {self.number}",
        )

    def clear_field(self) -> None:
        rowid = self.some("extra_category_values", "rowid")
        self.run("DELETE FROM extra_category_values WHERE rowid = ?", *rowid)

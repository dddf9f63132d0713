"""Trainings that users are in because of something else: a group, or an enrollment."""

# ruff: noqa: S608 - SQL is put together from texts of this package; values are parameters

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pluvo_sandbox.database import Node
    from pluvo_sandbox.mutations.writer import Writer

# The trainings that a user is in through a group, or through an event that gives access to them.
_LINKED = (
    "SELECT t.trainingId FROM group_users u JOIN group_trainings t USING (groupId)"
    " WHERE u.userId = :user"
    " UNION SELECT t.trainingId FROM enrollments e"
    " JOIN offer_event_trainings t USING (offerEventId)"
    " WHERE e.userId = :user AND e.status = 'ENROLLED'"
)


def grant(write: Writer, trainings: str, owner: Node, user_id: str) -> None:
    """Make a user a participant of the trainings that come with a group or an event.

    Args:
        write: what rows are changed by.
        trainings: a query for the ids of trainings, which takes the id of the owner.
        owner: the group or event.
        user_id: whom it is about.
    """
    for (training_id,) in write.database.execute(
        f"SELECT trainingId FROM ({trainings}) WHERE trainingId NOT IN"
        " (SELECT trainingId FROM training_users WHERE userId = ? AND role = 'PARTICIPANT')",
        (owner["id"], user_id),
    ).fetchall():
        write.insert("training_users", trainingId=training_id, userId=user_id, direct=False)


def withdraw(write: Writer, user_id: str) -> None:
    """End what a user is in only because of a group or an event that is no more."""
    write.database.execute(
        "DELETE FROM training_users WHERE userId = :user AND NOT direct"
        f" AND trainingId NOT IN ({_LINKED})",
        {"user": user_id},
    )


def is_linked(write: Writer, training_id: str, user_id: str) -> bool:
    """Tell whether a group or an enrollment keeps a user in a training."""
    rows = write.database.execute(
        f"SELECT 1 FROM ({_LINKED}) WHERE trainingId = :training",
        {"user": user_id, "training": training_id},
    )
    return rows.fetchone() is not None

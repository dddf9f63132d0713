"""Mutations of trainings and who is in them (`learning-journeys-2`, `training-participants`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluvo_sandbox.mutations.access import is_linked
from pluvo_sandbox.mutations.writer import check, filled, new_ref, now, outcome, picked

if TYPE_CHECKING:
    from pluvo_sandbox.database import Node
    from pluvo_sandbox.mutations.writer import Given, Payload, Writer

_PLAIN = ("title", "isActive", "ref", "subtitle", "showParticipants", "enableChat")


def create_training(write: Writer, given: Given) -> Payload:
    """Make a training."""
    values = given["training"]
    start, end = (_day(values.get(name)) for name in ("startDate", "endDate"))
    wrong = filled(values, "title") | write.unique("trainings", picked(values, "ref"))
    if start and end and end < start:
        wrong["endDate"] = "The end must not be before the start."
    check(wrong)
    training_id = write.insert(
        "trainings",
        **({"ref": new_ref(), "createdAt": now(), "updatedAt": now()} | picked(values, *_PLAIN)),
        startDate=start,
        endDate=end,
    )
    return {"training": write.find("trainings", id=training_id)}


def update_training(write: Writer, given: Given) -> Payload:
    """Change a training."""
    training = write.find("trainings", id=given.get("id"), ref=given.get("ref"))
    values = given["training"]
    check(filled(values, "title") if "title" in values else {})
    columns = picked(values, "title", "isActive", "archived")
    write.change("trainings", training["id"], updatedAt=now(), **columns)
    return {"training": write.find("trainings", id=training["id"])}


def add_users_to_training(write: Writer, given: Given) -> Payload:
    """Give users a role in a training."""
    training = _training(write, given)
    role = given.get("role") or "PARTICIPANT"
    chosen = write.chosen(given)
    already = [user for user in chosen.users if _ties(write, training, user, role)]
    added = [user for user in chosen.users if user not in already]
    for user in added:
        write.insert("training_users", trainingId=training["id"], userId=user["id"], role=role)
    for user in already:
        write.run(
            "UPDATE training_users SET direct = TRUE WHERE trainingId = ? AND userId = ?"
            " AND role = ?",
            *(training["id"], user["id"], role),
        )
    return outcome("added", added) | outcome("alreadyAdded", already) | chosen.failed()


def remove_users_from_training(write: Writer, given: Given) -> Payload:
    """Take users out of a training, unless a group or an enrollment keeps them in it."""
    training = _training(write, given)
    role = given.get("role")
    chosen = write.chosen(given)
    linked, removed, already = [], [], []
    for user in chosen.users:
        if not _ties(write, training, user, role):
            already.append(user)
        elif role in {None, "PARTICIPANT"} and is_linked(write, training["id"], user["id"]):
            linked.append(user)
        else:
            removed.append(user)
            write.run(
                "DELETE FROM training_users WHERE trainingId = ? AND userId = ?"
                " AND role = coalesce(?, role)",
                *(training["id"], user["id"], role),
            )
    via = outcome("x", linked)
    return (
        outcome("removed", removed)
        | outcome("alreadyRemoved", already)
        | {"idsLinkedViaObject": via["xIds"], "refsLinkedViaObject": via["xRefs"]}
        | chosen.failed()
    )


def _ties(write: Writer, training: Node, user: Node, role: str | None) -> bool:
    """Tell whether a user has a role, or any, in a training."""
    rows = write.database.execute(
        "SELECT 1 FROM training_users WHERE trainingId = ? AND userId = ?"
        " AND role = coalesce(?, role)",
        (training["id"], user["id"], role),
    )
    return rows.fetchone() is not None


def _training(write: Writer, given: Given) -> Node:
    return write.find("trainings", id=given.get("trainingId"), ref=given.get("trainingRef"))


def _day(moment: str | None) -> str | None:
    return moment and moment[:10]

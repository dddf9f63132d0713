"""Mutations of groups and their members (pages `groups-2`, `group-user-manager-2`)."""

# ruff: noqa: S608 - tables are named by the program, not by its users

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import GraphQLError

from pluvo_sandbox.mutations.access import grant, withdraw
from pluvo_sandbox.mutations.writer import bulk, check, filled, new_ref, outcome, picked

if TYPE_CHECKING:
    from collections.abc import Callable

    from pluvo_sandbox.database import Node
    from pluvo_sandbox.mutations.writer import Given, Payload, Writer

_PLAIN = ("name", "maxUsers", "enableChat", "isEditable")


def create_group(write: Writer, given: Given) -> Payload:
    """Make a group."""
    values = given["group"]
    check(filled(values, "name") | write.unique("groups", picked(values, "ref")))
    group_id = write.insert("groups", **({"ref": new_ref()} | picked(values, "ref", *_PLAIN)))
    return {"group": write.find("groups", id=group_id)}


def update_group(write: Writer, given: Given) -> Payload:
    """Change a group."""
    group = write.find("groups", id=given.get("id"), ref=given.get("ref"))
    values = given["group"]
    check(filled(values, "name") if "name" in values else {})
    if columns := picked(values, *_PLAIN):
        write.change("groups", group["id"], **columns)
    return {"group": write.find("groups", id=group["id"])}


def delete_group(write: Writer, given: Given) -> Payload:
    """Remove a group for good."""
    _delete(write, write.find("groups", id=given["id"]))
    return {"ok": True}


def delete_groups(write: Writer, given: Given) -> Payload:
    """Remove groups for good."""
    ids = given.get("ids") or []
    groups = write.find_all("groups", "id", ids)
    for group in groups:
        _delete(write, group)
    gone = {group["id"] for group in groups}
    return {"bulkDelete": bulk(gone, (group_id for group_id in ids if group_id not in gone))}


def _delete(write: Writer, group: Node) -> None:
    for (user_id,) in write.database.execute(
        "SELECT userId FROM group_users WHERE groupId = ?", (group["id"],)
    ).fetchall():
        leave(write, "group_users", group, user_id)
    write.delete("groups", group["id"])


def add_users_to_group(write: Writer, given: Given) -> Payload:
    """Make users members of a group."""
    group = _group(write, given)
    chosen = write.chosen(given)
    added = [user for user in chosen.users if join(write, "group_users", group, user["id"])]
    already = [user for user in chosen.users if user not in added]
    return outcome("added", added) | outcome("alreadyAdded", already) | chosen.failed()


def remove_users_from_group(write: Writer, given: Given) -> Payload:
    """Remove members from a group."""
    group = _group(write, given)
    chosen = write.chosen(given)
    removed = [user for user in chosen.users if leave(write, "group_users", group, user["id"])]
    already = [user for user in chosen.users if user not in removed]
    return outcome("removed", removed) | outcome("alreadyRemoved", already) | chosen.failed()


def join(write: Writer, link: str, group: Node, user_id: str) -> bool:
    """Tie a user to a group, and tell whether that is new.

    Raises:
        GraphQLError: the group has as many members as it may have.
    """
    new = write.run(f"INSERT OR IGNORE INTO {link} VALUES (?, ?)", group["id"], user_id) > 0
    if new and link == "group_users":
        ((size,),) = write.database.execute(
            "SELECT count(*) FROM group_users WHERE groupId = ?", (group["id"],)
        )
        if size > group["maxUsers"]:
            message = f"maxUsers: The group has the maximum of {group['maxUsers']} users."
            raise GraphQLError(message)
        grant(write, "SELECT trainingId FROM group_trainings WHERE groupId = ?", group, user_id)
    return new


def leave(write: Writer, link: str, group: Node, user_id: str) -> bool:
    """Untie a user from a group, and tell whether there was a tie."""
    sql = f"DELETE FROM {link} WHERE groupId = ? AND userId = ?"
    gone = write.run(sql, group["id"], user_id) > 0
    if gone and link == "group_users":
        withdraw(write, user_id)
    return gone


def _group(write: Writer, given: Given) -> Node:
    return write.find("groups", id=given.get("groupId"), ref=given.get("groupRef"))


def add_managers_to_group(write: Writer, given: Given) -> Payload:
    """Make users managers of a group."""
    return _managers(join, write, given)


def remove_managers_from_group(write: Writer, given: Given) -> Payload:
    """Let users no longer be managers of a group."""
    return _managers(leave, write, given)


def _managers(
    change: Callable[[Writer, str, Node, str], bool], write: Writer, given: Given
) -> Payload:
    """Change the managers of a group; the payload has ids only."""
    group = _group(write, given)
    chosen = write.chosen(given)
    for user in chosen.users:
        change(write, "group_managers", group, user["id"])
    return {"response": bulk((user["id"] for user in chosen.users), chosen.failed_ids)}

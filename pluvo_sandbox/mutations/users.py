"""Mutations of users (pages `users-2`, `common-recipes`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pluvo_sandbox.mutations.groups import join, leave
from pluvo_sandbox.mutations.writer import bulk, check, filled, new_ref, now, picked

if TYPE_CHECKING:
    from pluvo_sandbox.database import Node
    from pluvo_sandbox.mutations.writer import Given, Payload, Writer

_PLAIN = ("name", "email", "ref", "roles", "language", "afasEmployeeId")
_KEYS = ("email", "ref")


def create_user(write: Writer, given: Given) -> Payload:
    """Make a user."""
    user_id = _create(write, given["user"], given.get("sendInvite"))
    return {"user": write.find("users", id=user_id), "created": True}


def update_user(write: Writer, given: Given) -> Payload:
    """Change a user."""
    user = write.find("users", id=given.get("id"), ref=given.get("ref"))
    _update(write, user, given["user"])
    return {"user": write.find("users", id=user["id"])}


def update_or_create_user(write: Writer, given: Given) -> Payload:
    """Change the user with an e-mail address or ref, or make one who has them."""
    keys = picked(given, *_KEYS)
    found = write.found("users", email=keys.get("email"), ref=keys.get("ref"))
    if found is None:
        values = keys | given["user"]
        user_id = _create(write, values, given.get("sendInvite"))
        _archive(write, user_id, _archived(values))
    else:
        user_id = found["id"]
        _update(write, found, given["user"])
    return {"user": write.find("users", id=user_id), "created": found is None}


def archive_users(write: Writer, given: Given) -> Payload:
    """Move users to the archive, or back."""
    chosen = write.chosen({"userIds": given.get("ids")})
    for user in chosen.users:
        _archive(write, user["id"], given.get("archive") is not False)
    return {"response": bulk((user["id"] for user in chosen.users), chosen.failed_ids)}


def _create(write: Writer, values: Given, send_invite: bool | None) -> str:
    wrong = filled(values, "name") | _wrong(values)
    check(wrong | write.unique("users", picked(values, *_KEYS)))
    columns = {"ref": new_ref(), "createdAt": now(), "updatedAt": now()}
    if send_invite is not False:
        columns["invitedOn"] = now()
    user_id = write.insert("users", **(columns | picked(values, *_PLAIN)))
    _join(write, user_id, values)
    return user_id


def _update(write: Writer, user: Node, values: Given) -> None:
    wrong = _wrong(values) | ({} if "name" not in values else filled(values, "name"))
    check(wrong | write.unique("users", picked(values, *_KEYS), user["id"]))
    columns = picked(values, *_PLAIN)
    if values.get("profileImage"):
        image = write.find("files", id=values["profileImage"])
        columns["profileImage"] = {"id": image["id"], "url": image["url"]}
    write.change("users", user["id"], updatedAt=now(), **columns)
    _archive(write, user["id"], _archived(values))
    _join(write, user["id"], values)


def _wrong(values: Given) -> dict[str, str]:
    email = values.get("email")
    if email is not None and "@" not in email:
        return {"email": "Enter a valid email address."}
    return {}


def _archived(values: Given) -> bool | None:
    """Return whether a user is to be archived; None: as it is."""
    if values.get("archived") is not None:
        return bool(values["archived"])
    active = values.get("isActive")
    return None if active is None else not active


def _archive(write: Writer, user_id: str, archived: bool | None) -> None:
    if archived is not None:
        moment: Any = now() if archived else None
        write.change("users", user_id, archived=archived, isActive=not archived, archivedAt=moment)


def _join(write: Writer, user_id: str, values: Given) -> None:
    for name, link in (
        ("addParticipantGroups", "group_users"),
        ("addManagerGroups", "group_managers"),
    ):
        for group_id in values.get(name) or ():
            join(write, link, write.find("groups", id=group_id), user_id)
    for group_id in values.get("removeParticipantGroups") or ():
        leave(write, "group_users", write.find("groups", id=group_id), user_id)

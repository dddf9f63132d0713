"""The stream `group_members`: participants and managers of groups."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from pluvo_client.errors import UnavailableError
from pluvo_client.schema.documents import call
from target_pluvo.streams.memberships import Memberships, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pluvo_singer.rows import Row
    from target_pluvo.remote_state import Directory

# By role: the field of a user that gives the groups, and the word in the names of mutations.
_ROLES = {
    "PARTICIPANT": ("participantGroups", "Users"),
    "MANAGER": ("managerGroups", "Managers"),
}


class GroupMembers(Memberships):
    """Users in groups (page `group-user-manager-2`).

    Who is in which group travels with the users themselves, so it costs no request of its own.
    """

    name = "group_members"
    keys = (("group_ref",), ("user_ref",))
    reads = ("groups.read", "users.read")
    writes = ("groups.write",)
    owner: ClassVar = "group"

    @property
    @override
    def owners(self) -> Directory:
        return self.state.groups

    @override
    def roles(self) -> list[str]:
        return list(_ROLES)

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        super().prepare(rows)
        for role in {self.role_of(row) for row in rows} & _ROLES.keys():
            field, word = _ROLES[role]
            for verb in ("add{}ToGroup", "remove{}FromGroup")[: 1 + self.mirrors]:
                self.state.require_mutation(verb.format(word), "groupId", "userIds")
            if not self.state.has("paginatedUsers", field):
                msg = f"the organization's schema lacks `{field}` of users"
                raise UnavailableError(msg)
            self.state.select_fields("users", f"{field} {{ id }}")

    @override
    def managed(self, named: Sequence[Place]) -> list[Place]:
        patterns = self.settings.managed_groups
        if patterns is None:
            return list(named)
        roles = {place.role for place in named}
        return [
            Place(group, role)
            for group in self.owners.by_id.values()
            for role in roles
            if group.ref and any(fnmatchcase(group.ref, pattern) for pattern in patterns)
        ]

    @override
    def members(self, places: Sequence[Place]) -> dict[Place, set[str]]:
        by_id = {(place.owner.id, place.role): place for place in places}
        found: dict[Place, set[str]] = {place: set() for place in places}
        for user_id, user in self.state.users.by_id.items():
            for role, (field, _) in _ROLES.items():
                for group in user.node.get(field) or ():
                    if place := by_id.get((group["id"], role)):
                        found[place].add(user_id)
        return found

    @override
    def mutation(self, place: Place, ids: list[str], *, adds: bool, invites: bool) -> str:
        word = _ROLES[place.role][1]
        name = f"add{word}ToGroup" if adds else f"remove{word}FromGroup"
        field = call(name, {"groupId": place.owner.known_id, "userIds": ids})
        return f"{field} {{ {'failedIds' if word == 'Users' else 'response { failedIds }'} }}"

    @override
    def failed(self, answer: Any) -> dict[str, str]:
        outcome = answer.get("response", answer) or {}
        return dict.fromkeys(outcome.get("failedIds") or (), "Pluvo failed to do it for this user")

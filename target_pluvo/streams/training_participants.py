"""The stream `training_participants`: participants, trainers and mentors of trainings."""

from __future__ import annotations

from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from pluvo_client.reading.connection import Connection
from pluvo_client.reading.nested import read_nested
from pluvo_client.schema.documents import Enum, call
from target_pluvo.streams.memberships import KEPT_BY_GROUP, PARTICIPANT, Memberships, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pluvo_singer.rows import Row
    from target_pluvo.remote_state import Directory, Entity

_NODE = "paginatedTrainings.edges.node"
_CONNECTIONS = {"participants": PARTICIPANT, "trainers": "TRAINER"}


class TrainingParticipants(Memberships):
    """Users in trainings (page `training-participants`)."""

    name = "training_participants"
    keys = (("training_ref",), ("user_ref",))
    reads = ("trainings.read", "users.read")
    writes = ("trainings.write",)
    owner: ClassVar = "training"

    @property
    @override
    def owners(self) -> Directory:
        return self.state.trainings

    @override
    def roles(self) -> list[str]:
        return self.state.names("addUsersToTraining", "role") or [PARTICIPANT]

    @override
    def prepare(self, rows: Sequence[Row]) -> None:
        self.state.require_mutation("addUsersToTraining", "trainingId", "userIds")
        super().prepare(rows)
        if self.state.has("paginatedUsers", "participantGroups"):
            self.state.select_fields("users", "participantGroups { id }")
        if self.mirrors:
            self.state.require_mutation("removeUsersFromTraining", "trainingId", "userIds", "role")

    @override
    def members(self, places: Sequence[Place]) -> dict[Place, set[str]]:
        by_id = {(place.owner.id, place.role): place for place in places}
        found: dict[Place, set[str]] = {place: set() for place in places}
        trainings = list(dict.fromkeys(place.owner.known_id for place in places))
        for training_id, role, user_id in self._read_members(trainings):
            if place := by_id.get((training_id, role)):
                found[place].add(user_id)
        return found

    def _read_members(self, trainings: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        """Give training, role and user of all who are in some trainings.

        The shape of `Training.participants` is only assumed in the documents. Without the live
        schema to confirm it, the documented way gives participants only.
        """
        contract = self.state.contract
        if contract.is_live and contract.has(f"{_NODE}.participants.edges.node.user.id"):
            yield from self._read_nested(trainings)
            return
        plan = self.client.plan(itemgetter("id"))
        for training_id in trainings:
            given = {"trainingIds": [training_id]}
            for rows in self.client.reader("paginatedUsers", "id", given, plan).read():
                for user, _ in rows:
                    yield training_id, PARTICIPANT, user["id"]

    def _read_nested(self, trainings: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        has = self.state.contract.has
        places: list[tuple[str, str]] = []
        connections: list[tuple[Connection, None]] = []
        for field, role in _CONNECTIONS.items():
            if not has(f"{_NODE}.{field}.edges.node.user.id"):
                continue
            shown = "role" if has(f"{_NODE}.{field}.edges.node.role") else ""
            nested = Connection(
                *(field, {}, f"id user {{ id }} {shown}"),
                by_offset=False,
                counted=has(f"{_NODE}.{field}.count"),
            )
            for training_id in trainings:
                places.append((training_id, role))
                connections.append((nested.inside(call("training", {"id": training_id})), None))
        for number, records in read_nested(self.client.plan(itemgetter("id")), connections):
            training_id, role = places[number]
            for record in records:
                member = record.get("user")
                if isinstance(member, dict):
                    yield training_id, record.get("role") or role, member["id"]

    @override
    def linked(self, place: Place, ids: set[str]) -> dict[str, set[str]]:
        """Return who is in a training through groups: only leaving them ends that."""
        if place.role != PARTICIPANT or not ids:
            return {}
        groups = self._groups_of.get(place.owner.known_id, set())
        found = {user_id: self._groups_with(user_id) & groups for user_id in ids}
        return {user_id: through for user_id, through in found.items() if through}

    def _groups_with(self, user_id: str) -> set[str]:
        user = self.state.users.by_id[user_id]
        return {group["id"] for group in user.node.get("participantGroups") or ()}

    @cached_property
    def _groups_of(self) -> dict[str, set[str]]:
        """The ids of the groups that each training is assigned to."""
        found: dict[str, set[str]] = {}
        if self.state.has("paginatedGroups", "trainings"):
            for group in self.client.read("paginatedGroups", "id trainings { id }"):
                for training in group["trainings"] or ():
                    found.setdefault(training["id"], set()).add(group["id"])
        return found

    @override
    def invites(self, user: Entity) -> bool:
        return self.settings.send_training_invites and not user.archived

    @override
    def mutation(self, place: Place, ids: list[str], *, adds: bool, invites: bool) -> str:
        given: dict[str, Any] = {"trainingId": place.owner.known_id, "userIds": ids}
        given["role"] = Enum(place.role)
        if adds:
            given["sendInvites"] = invites
            return f"{call('addUsersToTraining', given)} {{ failedIds }}"
        return f"{call('removeUsersFromTraining', given)} {{ failedIds idsLinkedViaObject }}"

    @override
    def failed(self, answer: Any) -> dict[str, str]:
        failed = dict.fromkeys(answer.get("failedIds") or (), "Pluvo failed to do it for this user")
        return failed | dict.fromkeys(answer.get("idsLinkedViaObject") or (), KEPT_BY_GROUP)

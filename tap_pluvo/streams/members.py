"""Streams whose rows are what belongs to each group or training."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from pluvo_client.errors import UnavailableError
from pluvo_client.reading.answers import items
from pluvo_client.reading.nested import read_nested
from pluvo_client.schema.columns import response_keys
from pluvo_client.schema.documents import call
from pluvo_client.schema.selection import complete, identifier, member
from tap_pluvo.log_based import LogBasedStream, Member
from tap_pluvo.stream import NO_ID, prefetch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_client.reading.connection import Connection, Page
    from pluvo_client.reading.list_reader import ListReader
    from pluvo_client.reading.read_plan import ReadPlan
    from pluvo_client.schema.contract import Contract
    from pluvo_client.schema.selection import Record


class MemberStream(LogBasedStream):
    """A stream whose rows are the nodes of connections inside the nodes of a root connection.

    `roles` maps each nested connection to the role of its nodes; `owner` is the field that gives
    one outer node by its id, and the prefix of the columns for its id and ref.
    """

    offers_live_fields = False
    roles: ClassVar[dict[str, str]]
    owner: ClassVar[str]
    member = Member("user", "user_id", {"user_ref": "ref"})

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give the members of each owner; the first ones travel with the owners themselves."""
        selection = self.select()
        outer = self.node.rsplit(".", 3)[0]
        plan = self.client.plan(itemgetter("user_id"))
        nested = {
            field: self.nested(f"{outer}.{field}", selection)
            for field in self.roles
            if self.contract.has(f"{outer}.{field}")
        }

        def with_first_pages(node: Record) -> Record:
            pages = {
                field: connection.page(member(node, field), plan.first, None)
                for field, connection in nested.items()
            }
            key = identifier(node, "id", f"{self.owner}_id")
            return {"id": key, "ref": member(node, "ref") if ref else None} | pages

        ref = self.ref_of(outer, f"{self.owner}_ref")
        bodies = " ".join(connection.body(plan.first, None) for connection in nested.values())
        for owners in self.nodes(self.root, f"id{ref} {bodies}", with_first_pages, self.filters()):
            yield from self._members(owners, nested, plan)

    def _members(
        self, owners: list[Record], nested: dict[str, Connection], plan: ReadPlan
    ) -> Iterator[list[Record]]:
        """Give the members of a page of owners, whose further pages are read side by side."""
        connections: list[tuple[Connection, Page | None]] = []
        labels: list[Record] = []
        for owner in owners:
            parent = call(self.owner, {"id": owner["id"]})
            for field, connection in nested.items():
                connections.append((connection.inside(parent), owner[field]))
                labels.append(self.label(owner, self.roles[field]))
        for place, records in read_nested(plan, connections):
            yield [labels[place] | record for record in records]

    def label(self, owner: Record, role: str) -> Record:
        """Return the columns that say whose member a row is, and as what."""
        return {
            f"{self.owner}_id": owner["id"],
            f"{self.owner}_ref": owner.get("ref"),
            "role": role,
        }


class GroupMembers(MemberStream):
    """Participants and managers of groups (page `groups-2`)."""

    name = "group_members"
    node = "paginatedGroups.edges.node.users.edges.node"
    scopes = ("groups.read",)
    roles: ClassVar = {"users": "PARTICIPANT", "managers": "MANAGER"}
    owner = "group"
    kinds = ("group",)
    parent = "group_id"


class TrainingParticipants(MemberStream):
    """Participants and trainers of trainings (pages `learning-journeys-2`, `users-2`).

    The shape of `Training.participants` is only assumed in the documents. Without the live schema
    to confirm it, the documented way is taken: `paginatedUsers(trainingIds:)` for each training,
    which gives participants only.
    """

    name = "training_participants"
    node = "paginatedTrainings.edges.node.participants.edges.node"
    scopes = ("trainings.read", "users.read")
    roles: ClassVar = {"participants": "PARTICIPANT", "trainers": "TRAINER"}
    owner = "training"
    kinds = ("training",)
    parent = "training_id"

    @override
    @classmethod
    def unavailable(cls, contract: Contract) -> str | None:
        """Return why neither way is there, or None."""
        if not cls._by_training(contract):
            return super().unavailable(contract)
        for path, argument in (("paginatedTrainings", "first"), ("paginatedUsers", "trainingIds")):
            if not contract.accepts(path, argument):
                return f"the organization's schema lacks `{path}({argument}:)`"
        return None

    @classmethod
    def _by_training(cls, contract: Contract) -> bool:
        return not contract.is_live or super().unavailable(contract) is not None

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give the participants in the way that the organization has."""
        if self._by_training(self.contract):
            return self._read_by_training()
        return super().read()

    def _read_by_training(self) -> Iterator[list[Record]]:
        if not self.client.probes.heeds("paginatedUsers", "trainingIds", [NO_ID]):
            self.contract.refuse([self.contract.root_argument("paginatedUsers", "trainingIds")])
        if reason := self.unavailable(self.contract):
            raise UnavailableError(reason)
        for label, reader in prefetch(self._readers(), self.client.fetcher.read_ahead):
            for rows in self.rows(reader):
                yield [label | user for user, _ in rows]

    def _readers(self) -> Iterator[tuple[Record, ListReader]]:
        """Give a reader of each training's users, with the columns that say which training."""
        names = {column.name for column in self.selected_columns()}
        selection = "user_id: id" + (" user_ref: ref" if "user_ref" in names else "")
        user = complete(response_keys(selection), ["user_id"])
        plan = self.client.plan(itemgetter("user_id"))
        ref = self.ref_of("paginatedTrainings.edges.node", "training_ref")
        for trainings in self.nodes(self.root, f"id{ref}", None, self.filters()):
            for training in trainings:
                reader = self.client.reader(
                    "paginatedUsers", selection, {"trainingIds": [training["id"]]}, plan, user
                )
                yield self.label(training, "PARTICIPANT"), reader


class GroupTrainings(LogBasedStream):
    """Trainings assigned to groups (page `groups-2`)."""

    name = "group_trainings"
    node = "paginatedGroups.edges.node.trainings"
    scopes = ("groups.read",)
    offers_live_fields = False
    kinds = ("group",)
    parent = "group_id"
    member = Member("training", "training_id", {"training_ref": "ref", "training_title": "title"})

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give the trainings of each group, which travel with the group."""
        selection = self.select()
        ref = self.ref_of("paginatedGroups.edges.node", "group_ref")

        def with_trainings(group: Record) -> Record:
            label: Record = {"group_id": identifier(group, "id", "group_id")}
            label["group_ref"] = member(group, "ref") if ref else None
            trainings = items("trainings", member(group, "trainings"))
            return {
                "id": label["group_id"],
                "trainings": [label | selection.record(training) for training in trainings],
            }

        outer = f"id{ref} trainings {{ {selection.text} }}"
        for groups in self.nodes(self.root, outer, with_trainings, self.filters()):
            yield [row for group in groups for row in group["trainings"]]

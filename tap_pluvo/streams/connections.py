"""Streams whose rows are the nodes of one root connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_pluvo.log_based import LogBasedStream
from tap_pluvo.stream import PluvoStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_client.schema.selection import Record
    from pluvo_webhooks.children import KnownChild
    from tap_pluvo.event_log import EventLog


class ConnectionStream(PluvoStream):
    """A stream whose rows are the nodes of one root connection."""

    @property
    @override
    def counted(self) -> int | None:
        """The count of the connection, whose nodes are the rows."""
        return self.progress.expected

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give the nodes."""
        selection = self.select()
        return self.nodes(self.root, selection.text, selection.record, self.filters())


class Users(LogBasedStream, ConnectionStream):
    """Users, active and archived (page `users-2`)."""

    name = "users"
    node = "paginatedUsers.edges.node"
    scopes = ("users.read",)
    kinds = ("user",)

    @override
    def also_changed(self, log: EventLog, sequence: int) -> dict[str, set[str]]:
        """Return who joined or left a group, which only the group's event says: `group_count`."""
        return {"user": {child.member_id for child in _memberships(log, sequence)}}


class Groups(LogBasedStream, ConnectionStream):
    """Groups (page `groups-2`)."""

    name = "groups"
    node = "paginatedGroups.edges.node"
    scopes = ("groups.read",)
    kinds = ("group",)

    @override
    def also_changed(self, log: EventLog, sequence: int) -> dict[str, set[str]]:
        """Return the groups of deleted users, of which only USER_DELETED tells: `user_count`."""
        return {"group": {child.parent_id for child in _memberships(log, sequence)}}


class Trainings(LogBasedStream, ConnectionStream):
    """Trainings, active and archived (page `learning-journeys-2`)."""

    name = "trainings"
    node = "paginatedTrainings.edges.node"
    scopes = ("trainings.read",)
    kinds = ("training",)


class Certificates(ConnectionStream):
    """Certificate templates (page `certificate-2`)."""

    name = "certificates"
    node = "certificates.edges.node"
    scopes = ("trainings.read",)


def _memberships(log: EventLog, sequence: int) -> list[KnownChild]:
    """Return the memberships that came or ended after an event.

    The stream `group_members` knows them, which is read before these, and LOG_BASED, too.
    """
    with log.in_words():
        return log.children.touched_after("group_members", sequence)

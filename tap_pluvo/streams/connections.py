"""Streams whose rows are the nodes of one root connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_pluvo.stream import PluvoStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_client.schema.selection import Record


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


class Users(ConnectionStream):
    """Users, active and archived (page `users-2`)."""

    name = "users"
    node = "paginatedUsers.edges.node"
    scopes = ("users.read",)


class Groups(ConnectionStream):
    """Groups (page `groups-2`)."""

    name = "groups"
    node = "paginatedGroups.edges.node"
    scopes = ("groups.read",)


class Trainings(ConnectionStream):
    """Trainings, active and archived (page `learning-journeys-2`)."""

    name = "trainings"
    node = "paginatedTrainings.edges.node"
    scopes = ("trainings.read",)


class Certificates(ConnectionStream):
    """Certificate templates (page `certificate-2`)."""

    name = "certificates"
    node = "certificates.edges.node"
    scopes = ("trainings.read",)

"""Streams that are asked for user by user, since no list of all is documented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from pluvo_client.reading.root_fields import ListField
from tap_pluvo.stream import NO_ID, ClientSideIncrementalStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_client.schema.selection import Record


class PerUserStream(ClientSideIncrementalStream):
    """A stream that is asked for user by user."""

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give the rows of each user, a few users in a request."""
        selection = self.select()
        if self.client.probes.heeds(self.root, "userId", NO_ID):
            fields = (
                ListField(
                    self.root,
                    {"userId": user["id"]},
                    selection.text,
                    selection.record,
                    about="user",
                )
                for users in self.nodes("paginatedUsers", "id")
                for user in users
            )
            return self.since_bookmark(self.client.lists(fields))
        # A server that ignores the argument gives everyone's rows at once.
        whole = ListField(self.root, {}, selection.text, selection.record)
        return self.since_bookmark(self.client.lists([whole]))


class Enrollments(PerUserStream):
    """Enrollments in offer events (page `enrollments`, older than the others).

    A change of status does not show in `enrolled_at` either.
    """

    name = "enrollments"
    node = "enrollments"
    scopes = ("events.read", "users.read")


class PortfolioItems(PerUserStream):
    """Portfolio items (page `portfolioitems`, older than the others)."""

    name = "portfolio_items"
    node = "portfolioItems"
    scopes = ("trainings.read", "users.read")

"""Streams that are asked for user by user, since no list of all is documented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from typing_extensions import override

from pluvo_client.reading.root_fields import ListField
from tap_pluvo.log_based import LogBasedStream
from tap_pluvo.stream import NO_ID, ClientSideIncrementalStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_client.schema.selection import Record
    from pluvo_webhooks.inbox import InboxEvent


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


class Enrollments(LogBasedStream, PerUserStream):
    """Enrollments in offer events (page `enrollments`, older than the others).

    A change of status does not show in `enrolled_at` either.
    """

    name = "enrollments"
    node = "enrollments"
    scopes = ("events.read", "users.read")
    kinds = ("user",)
    parent = "user_id"

    @override
    def concerned(self, event: InboxEvent) -> tuple[str, str | None] | None:
        """Return the user of an enrollment, or who was deleted."""
        if event.object_type == "enrollment":
            user = msgspec.json.decode(event.payload).get("user")
            user_id = user.get("id") if isinstance(user, dict) else None
            return "user", user_id if isinstance(user_id, str) else None
        return ("user", event.object_id) if event.event == "USER_DELETED" else None


class PortfolioItems(PerUserStream):
    """Portfolio items (page `portfolioitems`, older than the others)."""

    name = "portfolio_items"
    node = "portfolioItems"
    scopes = ("trainings.read", "users.read")

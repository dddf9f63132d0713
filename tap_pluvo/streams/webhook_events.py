"""The stream `webhook_events`: the webhooks that were received, as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_pluvo.catalog_stream import INCREMENTAL
from tap_pluvo.inputs import EVENTS
from tap_pluvo.stream import PluvoStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_client.schema.contract import Contract
    from pluvo_client.schema.selection import Record


class WebhookEvents(PluvoStream):
    """Events, which are only ever added; read from the inbox of webhooks, not from the API."""

    name = EVENTS
    node = ""
    scopes = ()
    takes_filters = False
    offers_live_fields = False
    default_method = INCREMENTAL
    looks_at_all = False
    reads_all = False  # what was purged is still true

    @override
    @classmethod
    def unavailable(cls, contract: Contract) -> str | None:
        """Return None: it needs nothing of the API."""
        return None

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give the events beyond the bookmark."""
        log, state = self.session.event_log, self.stream_state
        since = (state.get("replication_key_value") or 0) if self.incremental else 0
        if since:
            log.consumed(self.name, since)
        names = [column.name for column in self.selected_columns()]
        for events in log.after(since):
            yield [{name: getattr(event, name) for name in names} for event in events]
        state["replication_key"] = self.replication_key
        state["replication_key_value"] = log.last

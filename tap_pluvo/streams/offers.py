"""Offers, their events, and the dates of those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from pluvo_client.reading.answers import items
from pluvo_client.reading.root_fields import ListField
from pluvo_client.schema.selection import identifier, member
from tap_pluvo.stream import ClientSideIncrementalStream, PluvoStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluvo_client.schema.selection import Record


class Offers(ClientSideIncrementalStream):
    """Offers (page `offer`, older than the others)."""

    name = "offers"
    node = "offers"
    scopes = ("events.read",)

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give the offers that changed since the bookmark."""
        selection = self.select()
        offers = ListField(self.root, {}, selection.text, selection.record)
        return self.since_bookmark(self.client.lists([offers]))


class OfferEvents(PluvoStream):
    """Events of the offers (page `offerevent-date-2`)."""

    name = "offer_events"
    node = "offers.offerEvents"
    scopes = ("events.read",)

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give the events of each offer."""
        selection = self.select()

        def events(offer: Record) -> list[Record]:
            label = {"offer_id": identifier(offer, "id", "offer_id")}
            return [label | selection.record(event) for event in _items(offer, "offerEvents")]

        outer = f"id offerEvents {{ {selection.text} }}"
        for offers in self.client.lists([ListField(self.root, {}, outer, events)]):
            yield from offers


class OfferEventDates(PluvoStream):
    """Dates of the offer events (page `offerevent-date-2`)."""

    name = "offer_event_dates"
    node = "offers.offerEvents.dates"
    scopes = ("events.read",)

    @override
    def read(self) -> Iterator[list[Record]]:
        """Give the dates of each event."""
        selection = self.select()

        def dates(offer: Record) -> list[Record]:
            return [
                {"offer_event_id": identifier(event, "id", "offer_event_id")}
                | selection.record(date)
                for event in _items(offer, "offerEvents")
                for date in _items(event, "dates")
            ]

        outer = f"offerEvents {{ id dates {{ {selection.text} }} }}"
        for offers in self.client.lists([ListField(self.root, {}, outer, dates)]):
            yield from offers


def _items(node: Record, name: str) -> list[Record]:
    """Return a list of an object; null stands for an empty one."""
    return items(name, member(node, name) or [])

"""The lists of servers that differ from the documents, or where these leave the matter open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pluvo_sandbox.behaviour import Behaviour, ReportOrder
    from pluvo_sandbox.roots import Listing

_REPORT_ORDERS: dict[ReportOrder, str] = {
    "id": "id",
    "insertion": "report.rowid",
    "completion-date": "completionDate IS NULL, completionDate",
    "title": "title, (SELECT name FROM users WHERE users.id = report.userId)",
}


def varied(listing: Listing, behaviour: Behaviour) -> Listing:
    """Return a list of the documented API as the behaviour says that it is served."""
    if listing.table == "report":
        listing = listing._replace(order=_REPORT_ORDERS[behaviour.report_order])
    if "archived" in listing.filters and behaviour.archived != "only":
        filters = dict(listing.filters)
        if behaviour.archived == "too":
            filters["archived"] = "(NOT archived OR :archived)"
        elif behaviour.archived == "ignored":
            del filters["archived"]
        else:
            listing = listing._replace(defaults={})
        listing = listing._replace(filters=filters)
    return listing._replace(distinct=behaviour.distinct)

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
_AT_MIDNIGHT = "report.rowid % 2 = 0"  # which results were completed then; only their day is shown
_NOW = "(julianday('now') - 2440587.5) * 86400.0"  # seconds since 1970


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
    if listing.table == "report" and behaviour.day_filter != "inclusive":
        before = "completionDate < :completionDateTo"
        if behaviour.day_filter == "midnight":
            before = f"({before} OR ({_AT_MIDNIGHT} AND completionDate = :completionDateTo))"
        filters = dict(listing.filters) | {"completionDateTo": before}
        if behaviour.day_filter == "exclusive":
            filters["completionDateFrom"] = "completionDate > :completionDateFrom"
        listing = listing._replace(filters=filters)
    if listing.table in {"report", "portfolio_items"} and behaviour.portfolio_lag:
        late = f"SELECT id FROM late_rows WHERE shows > {_NOW}"  # noqa: S608 - a text of ours
        shows = f"{listing.table}.id NOT IN ({late})"
        listing = listing._replace(always=f"{listing.always} AND {shows}")
    return listing._replace(distinct=behaviour.distinct)

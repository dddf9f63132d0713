"""Mutations of portfolio items, and certificates, which become such items (`certificate-2`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pluvo_sandbox.mutations.writer import bulk, check, filled, now, picked

if TYPE_CHECKING:
    from pluvo_sandbox.mutations.writer import Given, Payload, Writer

_STORE = "https://files.pluvo.co"


def create_portfolio_item(write: Writer, given: Given) -> Payload:
    """Add an item to a user's portfolio."""
    values = given["input"]
    check(filled(values, "userId", "title"))
    user = write.find("users", id=values["userId"])
    item_id = _insert(
        write,
        userId=user["id"],
        startDate=values.get("startDate") or now(),
        **picked(values, "title", "description", "endDate", "files"),
    )
    return {"portfolioItem": write.find("portfolio_items", id=item_id)}


def update_portfolio_item(write: Writer, given: Given) -> Payload:
    """Change an item."""
    item = write.find("portfolio_items", id=given["id"])
    description = given["input"].get("description")
    write.change("portfolio_items", item["id"], description=description, updatedAt=now())
    return {"portfolioItem": write.find("portfolio_items", id=item["id"])}


def delete_portfolio_item(write: Writer, given: Given) -> Payload:
    """Remove an item for good."""
    write.delete("portfolio_items", write.find("portfolio_items", id=given["id"])["id"])
    return {"success": True}


def generate_certificate(write: Writer, given: Given) -> Payload:
    """Issue a certificate, once more to whoever has it already: an item and a row of the report."""
    certificate = write.find("certificates", id=given["id"])
    if given.get("trainingId"):
        write.find("trainings", id=given["trainingId"])
    title = given.get("title") or certificate["title"] or certificate["name"]
    check({} if title else {"title": "This field is required."})
    moment = given.get("issueDate") or now()
    chosen = write.chosen(given)
    for user in chosen.users:
        item = _insert(
            write,
            userId=user["id"],
            title=title,
            startDate=moment,
            files=[f"{_STORE}/certificates/{user['id']}/{certificate['id']}.pdf"],
        )
        row = write.insert(
            "report",
            userId=user["id"],
            relatedObjectType="CERTIFICATE",
            relatedObjectId=certificate["id"],
            title=title,
            progress=100.0,
            completionDate=moment[:10],
        )
        shows = time.time() + write.portfolio_lag
        for late in (item, row):
            write.run("INSERT INTO late_rows VALUES (?, ?)", late, shows)
    return {"bulkGenerate": bulk((user["id"] for user in chosen.users), chosen.failed_ids)}


def no_word() -> Payload:
    """Return an answer that says nothing of anybody."""
    return {"bulkGenerate": bulk((), ())}


def _insert(write: Writer, **columns: object) -> str:
    return write.insert("portfolio_items", createdAt=now(), updatedAt=now(), **columns)

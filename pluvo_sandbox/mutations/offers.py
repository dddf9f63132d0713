"""Mutations of offers, their events and enrollments (pages `offerevent-date-2`, `enrollments`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import GraphQLError

from pluvo_sandbox.mutations.access import grant, withdraw
from pluvo_sandbox.mutations.writer import bulk, check, filled, new_ref, now, picked

if TYPE_CHECKING:
    from pluvo_sandbox.database import Node
    from pluvo_sandbox.mutations.writer import Given, Payload, Writer

_ACCESS = "SELECT trainingId FROM offer_event_trainings WHERE offerEventId = ?"


def create_offer(write: Writer, given: Given) -> Payload:
    """Make an offer."""
    values = given["offer"]
    check(filled(values, "title"))
    columns = {"ref": new_ref(), "isActive": True, "createdAt": now(), "updatedAt": now()}
    offer_id = write.insert(
        "offers", **(columns | picked(values, "title", "description", "isActive"))
    )
    return {"offer": write.find("offers", id=offer_id)}


def update_offer(write: Writer, given: Given) -> Payload:
    """Change an offer."""
    offer, values = write.find("offers", id=given["id"]), given["offer"]
    if values.get("imageId"):
        write.find("files", id=values["imageId"])
    columns = picked(values, "title", "isActive")
    write.change("offers", offer["id"], updatedAt=now(), **columns)
    return {"offer": write.find("offers", id=offer["id"])}


def archive_offers(write: Writer, given: Given) -> Payload:
    """Move offers to the archive, or back."""
    found = [offer["id"] for offer in write.find_all("offers", "id", given["ids"])]
    for offer_id in found:
        write.change("offers", offer_id, archivedAt=now() if given["archive"] else None)
    return {"response": bulk(found, (item for item in given["ids"] if item not in found))}


def create_offer_event(write: Writer, given: Given) -> Payload:
    """Make an event of an offer, with its sessions."""
    offer = write.find("offers", id=given.get("offerId"), ref=given.get("offerRef"))
    values = given["offerEvent"]
    check(filled(values, "type") | write.unique("offer_events", picked(values, "ref")))
    trainings = [write.find("trainings", id=item) for item in values.get("accessTrainings") or ()]
    places = values.get("maxSubscriptions")
    event_id = write.insert(
        "offer_events",
        **({"ref": new_ref()} | picked(values, "ref", "title", "type", "maxSubscriptions")),
        offerId=offer["id"],
        spotsAvailable=places,
        maxParticipants=places,
        contentTitle=values.get("title"),
    )
    for training in trainings:
        write.run("INSERT INTO offer_event_trainings VALUES (?, ?)", event_id, training["id"])
    for date in values.get("dates") or ():
        _insert_date(write, event_id, date.get("startDate"), date.get("endDate"))
    return {"offerEvent": write.find("offer_events", id=event_id)}


def update_offer_event(write: Writer, given: Given) -> Payload:
    """Change an event."""
    event = write.find("offer_events", id=given.get("id"), ref=given.get("ref"))
    columns = picked(given["offerEvent"], "title", "maxSubscriptions")
    if "maxSubscriptions" in columns:
        columns["spotsAvailable"] = columns["maxSubscriptions"] - (event["enrolledCount"] or 0)
    if columns:
        write.change("offer_events", event["id"], **columns)
    return {"offerEvent": write.find("offer_events", id=event["id"])}


def delete_offer_event(write: Writer, given: Given) -> Payload:
    """Remove an event, with its sessions and enrollments."""
    event = write.find("offer_events", id=given.get("id"))
    users = write.find_all("enrollments", "offerEventId", [event["id"]])
    write.delete("offer_events", event["id"])
    for enrollment in users:
        withdraw(write, enrollment["userId"])
    return {"ok": True}


def create_offer_event_date(write: Writer, given: Given) -> Payload:
    """Add a session to an event."""
    values = given.get("offerEventDate") or {}
    check(filled(values, "offerEventId", "start"))
    event = write.find("offer_events", id=values["offerEventId"])
    date_id = _insert_date(write, event["id"], values["start"], values.get("end"))
    return {"offerEventDate": write.find_all("offer_event_dates", "id", [date_id])[0]}


def archive_offer_events(write: Writer, given: Given) -> Payload:
    """Take events out of use, or back."""
    ids = given.get("ids") or []
    found = [event["id"] for event in write.find_all("offer_events", "id", ids)]
    for event_id in found:
        write.change("offer_events", event_id, isActive=given.get("archive") is False)
    return {"response": bulk(found, (item for item in ids if item not in found))}


def create_offer_event_enrollments(write: Writer, given: Given) -> list[Payload]:
    """Enroll users in an event: all of them, or none."""
    event = write.find("offer_events", ref=given.get("offerEventRef"))
    chosen = write.chosen(given)
    check({"userRefs": "User not found"} if chosen.failed_refs else {})
    return [_enroll(write, event, user["id"]) | {"user": user} for user in chosen.users]


def enroll_user_in_offer_event(write: Writer, given: Given) -> Payload:
    """Enroll one user in an event."""
    values = given["enrollment"]
    check(filled(values, "userId", "offerEventId"))
    user = write.find("users", id=values["userId"])
    event = write.find("offer_events", id=values["offerEventId"])
    return {"enrollment": _enroll(write, event, user["id"], values.get("status"))}


def unenroll_user_from_offer_event(write: Writer, given: Given) -> Payload:
    """End a user's enrollment in an event."""
    user, event = given["userId"], given["offerEventId"]
    enrolled = write.found("enrollments", userId=user, offerEventId=event)
    if enrolled is None:
        message = "Enrollment not found"
        raise GraphQLError(message)
    write.delete("enrollments", enrolled["id"])
    _count(write, event)
    withdraw(write, user)
    return {"success": True}


def _enroll(write: Writer, event: Node, user_id: str, status: str | None = None) -> Node:
    """Return a user's enrollment in an event; one who takes part already stays as he is."""
    found = write.found("enrollments", userId=user_id, offerEventId=event["id"])
    if found is not None and found["status"] in {"ENROLLED", "WAITLISTED"}:
        return found
    event = write.find("offer_events", id=event["id"])
    if status is None:
        full = event["spotsAvailable"] is not None and event["spotsAvailable"] <= 0
        if full and not event["waitingList"]:
            check({"offerEventRef": "The event is full."})
        status = "WAITLISTED" if full else "ENROLLED"
    if found is None:
        enrollment_id = write.insert(
            "enrollments",
            userId=user_id,
            offerEventId=event["id"],
            status=status,
            enrolledAt=now(),
        )
    else:
        enrollment_id = found["id"]
        write.change("enrollments", enrollment_id, status=status, enrolledAt=now())
    _count(write, event["id"])
    if status == "ENROLLED":
        grant(write, _ACCESS, event, user_id)
    return write.find_all("enrollments", "id", [enrollment_id])[0]


def _count(write: Writer, event_id: str) -> None:
    write.run(
        "UPDATE offer_events SET enrolledCount = taken, spotsAvailable = maxSubscriptions - taken"
        " FROM (SELECT count(*) AS taken FROM enrollments"
        " WHERE offerEventId = ?1 AND status = 'ENROLLED') WHERE id = ?1",
        event_id,
    )


def _insert_date(write: Writer, event_id: str, start: str | None, end: str | None) -> str:
    check({} if start else {"startDate": "This field is required."})
    return write.insert(
        "offer_event_dates",
        offerEventId=event_id,
        startDate=start,
        endDate=end,
        start=start,
        end=end,
    )

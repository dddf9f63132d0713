"""Records in the form in which the API gives them."""

from __future__ import annotations

from typing import Any, Literal

# Which fields an event has is not documented. `published` is what a tenant shows of its own events;
# a client has to do with each of the others, too.
EventShape = Literal["published", "flat", "nested", "content", "anonymous"]


def user(row: dict[str, Any]) -> dict[str, Any]:
    """Return a user."""
    first, _, last = row["name"].partition(" ")
    return {
        "id": row["id"],
        "email": row["email"],
        "firstName": first,
        "lastName": last,
        "name": row["name"],
        "roleKey": "student",
        "client": None,
        "externalCustomerId": row["externalCustomerId"],
        "lastActiveAt": None,
        **dict.fromkeys(("createdAt", "updatedAt"), "2025-01-01T00:00:00Z"),
    }


def certificate(
    row: dict[str, Any], resource: dict[str, Any], holder: dict[str, Any]
) -> dict[str, Any]:
    """Return a certificate as `certify` answers it."""
    nothing = dict.fromkeys(
        [
            *("asset", "expirationDays", "recertificationInstructions", "recertificationActionUrl"),
            *("recertificationActionText", "recertificationAfterDays", "userCustomField"),
            *("userCustomFieldSlug", "userCustomFieldValue", "customCss", "assetLibraryId"),
        ]
    )
    template = {
        "id": resource["id"],
        "resource": resource["id"],
        "resourceType": resource["type"],
        "title": resource["title"],
        "supplementalAssets": [],
        "labels": [],
        "expirationDate": row["expirationDate"],
        "recertificationAction": "resetProgress",
        "recertificationAutoReset": False,
        "isExpired": False,
    }
    return {"id": row["id"], "certificateTemplate": nothing | template, "user": user(holder)}


def event(row: dict[str, Any], holder: dict[str, Any], shape: EventShape) -> dict[str, Any]:
    """Return the event of a certificate's issue."""
    found = {"id": f"event-{row['number']}", "timestamp": row["createdAt"]}
    match shape:
        case "published":
            names = user(holder)
            detail = {name: names[name] for name in ("id", "firstName", "lastName", "client")}
            detail |= dict.fromkeys(("sfContactId", "sfAccountId", "ref1", "ref2", "ref3"))
            return found | {
                "source": "learner",
                "type": "courseCertificate",
                "event": "courseCertificate",
                "companyId": "sandbox",
                "user": holder["email"],
                "notifiableId": row["resourceId"],
                "title": row["title"],
                "userDetail": detail | {"externalCustomerId": holder["externalCustomerId"]},
            }
        case "nested":
            return found | {
                "user": {"id": row["userId"]},
                "courseId": row["resourceId"],
                "issuedAt": row["issuedAt"],
            }
        case "content":
            return found | {"userId": row["userId"], "contentId": row["resourceId"]}
        case "anonymous":
            return found
        case "flat":
            return found | {
                "userId": row["userId"],
                "resourceId": row["resourceId"],
                "issuedAt": row["issuedAt"],
            }

"""What a request's body must be: errors by field, as a 422 names them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

RESOURCE_TYPES = {"course", "learningPath", "microCourse", "webinar"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENTS = ("expirationDate", "issuedAt", "recertificationDate")
RECERTIFY = {"userId", "resourceType", "resourceId"}  # all that it takes
CERTIFY = {*RECERTIFY, "sendEmail", *_MOMENTS}


def errors_of(
    body: dict[str, Any], user_id: str, known: Collection[str] = CERTIFY
) -> list[dict[str, str]]:
    """Return what is wrong with a certification, field by field."""
    wrong: dict[str, str] = dict.fromkeys(sorted(body.keys() - set(known)), "is not known")
    for name in ("userId", "resourceId"):
        if not isinstance(body.get(name), str) or not UUID.fullmatch(body[name]):
            wrong[name] = "must be a UUID"
    if "userId" not in wrong and body["userId"] != user_id:
        wrong["userId"] = "must be the user of the path"
    if body.get("resourceType") not in RESOURCE_TYPES:
        wrong["resourceType"] = f"must be one of {', '.join(sorted(RESOURCE_TYPES))}"
    if not isinstance(body.get("sendEmail", False), bool):
        wrong["sendEmail"] = "must be a boolean"
    for name in _MOMENTS:
        if body.get(name) is not None and not _is_moment(body[name]):
            wrong[name] = "must be an ISO 8601 timestamp"
    return [{"field": name, "message": f"{name} {text}"} for name, text in wrong.items()]


def _is_moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False

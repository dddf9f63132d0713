"""The endpoints that a bridge of certificates needs, and what their answers hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_thought_industries.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_thought_industries.certificate import Certificate
    from target_thought_industries.http import Http

PREFIX = "/incoming/v2"
PER_PAGE = 100
READS = 3  # of the users, while they change so that pages do not fit together
CERTIFY, RECERTIFY = "certify", "recertify"
_RESOURCE_FIELDS = ("resourceId", "courseId", "contentId")


class Api:
    """A tenant's users, certificates and events."""

    def __init__(self, http: Http, *, send_email: bool) -> None:
        self._http = http
        self._send_email = send_email

    def users(self) -> list[dict[str, Any]]:
        """Return all users.

        Raises:
            ApiError: they cannot be read, or not completely.
        """
        for _ in range(READS):
            found: dict[str, dict[str, Any]] = {}
            total = 0
            for page in self._user_pages():
                found |= {user["id"]: user for user in _list(page, "users")}
                total = page["pageInfo"].get("total", len(found))
            if len(found) >= total:
                return [*found.values()]
        msg = f"the list of users has {len(found)} of the {total} users that it counts"
        raise ApiError(msg)

    def _user_pages(self) -> Iterator[dict[str, Any]]:
        number = 0
        more = True
        while more:
            number += 1
            query = {"page": number, "perPage": PER_PAGE}
            page = _part(self._http.get(f"{PREFIX}/users", query), "APIUsers")
            yield page
            more = bool(page["pageInfo"].get("hasMore")) and bool(_list(page, "users"))

    def events(self, user_id: str, resource_id: str) -> list[dict[str, Any]]:
        """Return the events of a user's certificates for a resource.

        Raises:
            ApiError: they cannot be read, or do not say whose they are.
        """
        query: dict[str, Any] = {"userId": user_id}
        found = []
        while True:
            answer = self._http.get(f"{PREFIX}/events/courseCertificate", query)
            page = _part(answer, "APIEvents")
            found += _list(page, "events")
            cursor = page["pageInfo"].get("cursor")
            if not page["pageInfo"].get("hasMore"):
                return [event for event in found if _is_of(event, user_id, resource_id)]
            if not cursor or cursor == query.get("cursor"):
                msg = "the list of events does not lead on to its next page"
                raise ApiError(msg)
            query["cursor"] = cursor

    def issue(self, certificate: Certificate, call: str) -> str | None:
        """Certify or recertify a user, and return the certificate's id, if the answer has one."""
        body = certificate.body() | {"sendEmail": self._send_email}
        answer = self._http.post(f"{PREFIX}/users/{certificate.user_id}/{call}", body)
        granted = answer.get("APICertifyUser")
        return granted.get("id") if isinstance(granted, dict) else None


def _part(answer: dict[str, Any], name: str) -> dict[str, Any]:
    part = answer.get(name)
    if not isinstance(part, dict) or not isinstance(part.get("pageInfo"), dict):
        msg = f"the answer lacks `{name}` with its `pageInfo`"
        raise ApiError(msg)
    return part


def _list(page: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = page.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        msg = f"the answer lacks the list `{name}`"
        raise ApiError(msg)
    return rows


def _is_of(event: dict[str, Any], user_id: str, resource_id: str) -> bool:
    """Tell whether an event is of a user and a resource; its fields are not documented.

    Raises:
        ApiError: it does not say of whom, or of what, it is.
    """
    user = event.get("user")
    owner = event.get("userId") or (user.get("id") if isinstance(user, dict) else None)
    resources = {event[name] for name in _RESOURCE_FIELDS if event.get(name)}
    if not owner or not resources:
        msg = "an event of the type courseCertificate does not name its user or its resource"
        raise ApiError(msg)
    return bool(owner == user_id and resource_id in resources)

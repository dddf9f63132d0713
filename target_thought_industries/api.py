"""The endpoints that a bridge of certificates needs, and what their answers hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_singer.values import RejectedError, moment
from target_thought_industries.errors import ApiError, UncertainError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_thought_industries.certificate import Certificate
    from target_thought_industries.http import Http

PREFIX = "/incoming/v2"
PER_PAGE = 100
READS = 3  # of the users, while they change so that pages do not fit together
NOBODY = "00000000-0000-0000-0000-000000000000"  # whom no event can be about
_RESOURCES = ("notifiableId", "resourceId", "courseId", "contentId")


class Shown(NamedTuple):
    """The events of a user's certificates for a resource, compared with one day of issue.

    Most events do not say the day of issue: `undated` counts these.
    """

    that_day: int
    undated: int


class Api:
    """A tenant's users, certificates and events."""

    def __init__(self, http: Http, *, send_email: bool) -> None:
        self._http = http
        self._send_email = send_email
        self._honours_filters: bool | None = None

    def users(self) -> list[dict[str, Any]]:
        """Return all users.

        Raises:
            ApiError: they cannot be read, or not completely.
        """
        for _ in range(READS):
            found: dict[str, dict[str, Any]] = {}
            total = 0
            for page in self._user_pages():
                found |= {str(user["id"]): user for user in _list(page, "users") if "id" in user}
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

    def shown(self, certificate: Certificate) -> Shown:
        """Return what the events show of a certificate.

        An event that names neither user nor resource is about those that were asked for, on a
        server that honours the filters: of one that does not, it proves nothing.

        Raises:
            ApiError: they cannot be read.
        """
        owner, resource = certificate.user_id, certificate.resource_id
        events = self._events(owner, resource)
        fits = [_names(event, owner, resource) for event in events]
        if None in fits and (False in fits or not self._filters()):
            fits = [found is True for found in fits]
        days = [
            _day(event.get("issuedAt"))
            for event, found in zip(events, fits, strict=True)
            if found is not False
        ]
        return Shown(days.count(certificate.issued_on), days.count(None))

    def _filters(self) -> bool:
        """Tell whether the server honours the filters of its events: of nobody there are none."""
        if self._honours_filters is None:
            self._honours_filters = not self._events(NOBODY, NOBODY)
        return self._honours_filters

    def _events(self, user_id: str, resource_id: str) -> list[dict[str, Any]]:
        query: dict[str, Any] = {"userId": user_id, "notifiableId": resource_id}
        found = []
        while True:
            answer = self._http.get(f"{PREFIX}/events/courseCertificate", query)
            page = _part(answer, "APIEvents")
            found += _list(page, "events")
            cursor = page["pageInfo"].get("cursor")
            if not page["pageInfo"].get("hasMore"):
                return found
            if not cursor or cursor == query.get("cursor"):
                msg = "the list of events does not lead on to its next page"
                raise ApiError(msg)
            query["cursor"] = cursor

    def certify(self, certificate: Certificate) -> str:
        """Certify a user, and return the certificate's id.

        Raises:
            UncertainError: nobody knows whether it was done; so where the answer lacks the id.
            ApiError: it was not done.
        """
        body = certificate.certification() | {"sendEmail": self._send_email}
        answer = self._http.post(f"{PREFIX}/users/{certificate.user_id}/certify", body)
        granted = answer.get("APICertifyUser")
        found = granted.get("id") if isinstance(granted, dict) else None
        if not found:
            msg = "the answer does not have the certificate"
            raise UncertainError(msg)
        return str(found)

    def record_activity(self, certificate: Certificate) -> None:
        """Record a course as done elsewhere; the answer has no body."""
        self._http.post(f"{PREFIX}/courseExternalActivity", certificate.external_activity())


def _part(answer: dict[str, Any], name: str) -> dict[str, Any]:
    part = answer.get(name)
    if not isinstance(part, dict) or not isinstance(part.get("pageInfo"), dict):
        msg = f"the answer lacks `{name}` with its `pageInfo`"
        raise ApiError(msg)
    return part


def _list(page: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = page.get(name)
    if not isinstance(rows, list):
        msg = f"the answer lacks the list `{name}`"
        raise ApiError(msg)
    return [row for row in rows if isinstance(row, dict)]


def _names(event: dict[str, Any], user_id: str, resource_id: str) -> bool | None:
    """Tell whether an event names a user and a resource; None if it does not name both.

    Tenants publish `userDetail` and `notifiableId`; other fields are guesses.
    """
    owners = [
        event.get("userId"),
        *(
            part.get("id")
            for name in ("userDetail", "user")
            if isinstance(part := event.get(name), dict)
        ),
    ]
    fits = [_is_among(user_id, owners), _is_among(resource_id, map(event.get, _RESOURCES))]
    if False in fits:
        return False
    return None if None in fits else True


def _is_among(wanted: str, found: Iterator[Any] | Sequence[Any]) -> bool | None:
    named = [str(value).lower() for value in found if value]
    return wanted.lower() in named if named else None


def _day(value: Any) -> str | None:
    if value is None:
        return None
    try:
        return moment(value, "issuedAt").date().isoformat()
    except RejectedError:
        return None

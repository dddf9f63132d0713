"""The endpoints of a tenant, as an ASGI application."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pluvo_sandbox.bodies import BODIES
from pluvo_sandbox.faults import Fault
from pluvo_sandbox.rate_limit import RateLimit
from pluvo_sandbox.thought_industries import answers
from pluvo_sandbox.thought_industries.validation import CERTIFY, RECERTIFY, errors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from starlette.requests import Request

    from pluvo_sandbox.server import Connection
    from pluvo_sandbox.thought_industries.answers import EventShape
    from pluvo_sandbox.thought_industries.store import Store

PREFIX = "/incoming/v2"
PER_PAGE, MOST_PER_PAGE = 25, 100
EVENTS_A_MINUTE = 100


@dataclass(kw_only=True)
class Settings:
    """How a tenant behaves, apart from its data.

    Attributes:
        api_key: what opens it.
        per_minute: requests a minute; 0 for no limit.
        burst: how many may come at once.
        event_shape: which fields an event has, since no page says it.
        grants_show: after how many seconds a manual grant shows among the events; None: never.
        ignore_filters: whether events of all users and courses come, whatever was asked for.
        ignore_per_page: whether users come 25 to a page, whatever was asked for.
        external_activity: whether the tenant has the feature externalActivity.
        refuse_duplicates: whether a second certificate of a user, resource and day is a conflict.
        faults: what goes wrong, as `Fault.parse` reads it. The places are `users`, `certify`,
            `recertify`, `activity` and `events`.
    """

    api_key: str
    per_minute: int
    burst: int
    event_shape: EventShape
    grants_show: float | None
    ignore_filters: bool
    ignore_per_page: bool
    external_activity: bool
    refuse_duplicates: bool
    faults: Sequence[str]


@dataclass
class Served:
    """A request that was served: its place, path, query, body and status (None: broken off)."""

    place: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    status: int | None = None


class Service:
    """Serves one tenant."""

    def __init__(self, store: Store, settings: Settings, log: list[Served]) -> None:
        self.faults = list(map(Fault.parse, settings.faults))
        self._store = store
        self._settings = settings
        self._log = log
        self._limits: dict[str, RateLimit] = {}
        if settings.per_minute:
            for place, per_minute in (("", settings.per_minute), ("events", EVENTS_A_MINUTE)):
                seconds = 60 * settings.burst / per_minute
                self._limits[place] = RateLimit(settings.burst, seconds)
        self.app = Starlette(
            routes=[
                self._route("users", "/users", self._users, "GET"),
                self._route("certify", "/users/{id}/certify", self._certify, "POST"),
                self._route("recertify", "/users/{id}/recertify", self._recertify, "POST"),
                self._route("activity", "/courseExternalActivity", self._activity, "POST"),
                self._route("events", "/events/courseCertificate", self._events, "GET"),
            ]
        )

    def _route(
        self, place: str, path: str, answer: Callable[[Request, Served], Response], method: str
    ) -> Route:
        async def serve(request: Request) -> Response:
            body: Any = {}
            with suppress(ValueError):
                body = json.loads(await request.body() or b"{}")
            body = body if isinstance(body, dict) else {}
            served = Served(place, request.url.path, dict(request.query_params), body)
            return await self._serve(request, served, answer)

        return Route(PREFIX + path, serve, methods=[method])

    async def _serve(
        self, request: Request, served: Served, answer: Callable[[Request, Served], Response]
    ) -> Response:
        faults = [fault for fault in self.faults if fault.hits({served.place})]
        response = self._limited(request, served, faults, answer)
        served.status = response.status_code
        self._log.append(served)
        connection: Connection = request.scope["connection"]
        kinds = {fault.kind for fault in faults}
        delay = sum(fault.value for fault in faults if fault.kind == "slow")
        if delay:
            await connection.wait(delay)
        if "refused" in kinds:
            connection.refuse(sum(fault.value for fault in faults if fault.kind == "refused"))
        if kinds & {"refused", "reset"}:
            served.status = None
            await connection.reset()
        if "truncated" in kinds:
            half = bytes(response.body)[: len(response.body) // 2]
            return Response(half, response.status_code, media_type="application/json")
        for fault in faults:
            if fault.kind in BODIES:
                served.status = None if fault.kind == "reset-body" else served.status
                return BODIES[fault.kind](response, connection, fault.value)
        return response

    def _limited(
        self,
        request: Request,
        served: Served,
        faults: Sequence[Fault],
        answer: Callable[[Request, Served], Response],
    ) -> Response:
        """Answer within the limits; headers say what is left of them."""
        limit = self._limits.get(served.place) or self._limits.get("")
        wait = limit.wait() if limit else 0
        if wait:
            response = refusal(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests.")
            response.headers["Retry-After"] = str(math.ceil(wait))
        else:
            response = self._faulty(request, served, faults, answer)
        if limit:
            response.headers["X-RateLimit-Limit"] = str(self._settings.per_minute)
            response.headers["X-RateLimit-Remaining"] = str(limit.left)
            response.headers["X-RateLimit-Reset"] = str(math.ceil(time.time() + (wait or 1)))
        return response

    def _faulty(
        self,
        request: Request,
        served: Served,
        faults: Sequence[Fault],
        answer: Callable[[Request, Served], Response],
    ) -> Response:
        early, late = (
            [made for fault in faults if (made := fault.answer(late=late)) is not None]
            for late in (False, True)
        )
        if early:
            return early[0]
        response = self._authorized(request, served, answer)
        return late[0] if late else response

    def _authorized(
        self, request: Request, served: Served, answer: Callable[[Request, Served], Response]
    ) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self._settings.api_key}":
            return refusal(HTTPStatus.UNAUTHORIZED, "The API key is not valid.")
        return answer(request, served)

    # The endpoints

    def _users(self, _request: Request, served: Served) -> Response:
        size = PER_PAGE if self._settings.ignore_per_page else _number(served, "perPage", PER_PAGE)
        page, size = _number(served, "page", 1), min(size, MOST_PER_PAGE)
        rows = self._store.rows("SELECT * FROM users ORDER BY number")
        part = rows[(page - 1) * size : page * size]
        info = {"perPage": size, "currentPage": page, "total": len(rows)}
        info["hasMore"] = page * size < len(rows)
        return _data("APIUsers", {"users": [*map(answers.user, part)], "pageInfo": info})

    def _events(self, _request: Request, served: Served) -> Response:
        rows = self._store.rows(
            "SELECT c.*, r.title FROM certificates c JOIN resources r ON r.id = c.resourceId"
            " ORDER BY number DESC"
        )
        start, end = served.query.get("startDate", ""), served.query.get("endDate", "9999")
        rows = [row for row in rows if start <= row["createdAt"] <= end and self._shows(row)]
        for argument, column in (("userId", "userId"), ("notifiableId", "resourceId")):
            wanted = served.query.get(argument)
            if wanted and not self._settings.ignore_filters:
                rows = [row for row in rows if row[column] == wanted]
        first, size = _number(served, "cursor", 0), PER_PAGE
        part = rows[first : first + size]
        more = first + size < len(rows)
        cursor = str(first + size) if more else None
        info = {"perPage": size, "cursor": cursor, "total": len(rows), "hasMore": more}
        events = [
            answers.event(
                row, self._store.find("users", row["userId"]) or {}, self._settings.event_shape
            )
            for row in part
        ]
        return _data("APIEvents", {"events": events, "pageInfo": info})

    def _shows(self, row: dict[str, Any]) -> bool:
        """Tell whether a grant is among the events yet."""
        if self._settings.grants_show is None:
            return False
        age = datetime.now(UTC) - datetime.fromisoformat(row["createdAt"])
        return age.total_seconds() >= self._settings.grants_show

    def _certify(self, request: Request, served: Served) -> Response:
        user, resource, refused = self._checked(request, served)
        if refused or user is None or resource is None:
            return refused or refusal(HTTPStatus.NOT_FOUND, "Not found.")
        held = self._store.certificates(user["id"], resource["id"])
        issued = _columns(served.body)
        days = {row["issuedAt"][:10] for row in held}
        if self._settings.refuse_duplicates and issued["issuedAt"][:10] in days:
            return refusal(HTTPStatus.CONFLICT, "The user holds this certificate already.")
        granted = self._store.grant(user["id"], resource["id"], **issued)
        row = self._store.find("certificates", granted) or {}
        return _data("APICertifyUser", answers.certificate(row, resource, user))

    def _recertify(self, request: Request, served: Served) -> Response:
        """Start a course anew, as the action "Reset Progress" of the vendor's support page does."""
        user, resource, refused = self._checked(request, served, RECERTIFY)
        if refused or user is None or resource is None:
            return refused or refusal(HTTPStatus.NOT_FOUND, "Not found.")
        if not self._store.certificates(user["id"], resource["id"]):
            return refusal(HTTPStatus.NOT_FOUND, "The user holds no such certificate.")
        self._store.reset_progress(user["id"], resource["id"])
        return _data("APIRecertifyUser", True)

    def _activity(self, _request: Request, served: Served) -> Response:
        """Record a course as done elsewhere; a tenant without the feature does not have it."""
        if not self._settings.external_activity:
            return refusal(HTTPStatus.FORBIDDEN, "The feature externalActivity is not enabled.")
        body = served.body
        user = self._store.find("users", str(body.get("userId")))
        course = self._store.find("resources", str(body.get("courseId")))
        if user is None or course is None or not body.get("completionDate"):
            return refusal(HTTPStatus.NOT_FOUND, "There is no such user or course.")
        self._store.rows(
            "INSERT INTO activities (userId, resourceId, completionDate) VALUES (?, ?, ?)",
            (user["id"], course["id"], body["completionDate"]),
        )
        return Response()

    def _checked(
        self, request: Request, served: Served, known: Collection[str] = CERTIFY
    ) -> tuple[dict[str, Any] | None, dict[str, Any] | None, Response | None]:
        """Return user and resource of a certification, or why there is none."""
        user_id = request.path_params["id"]
        user = self._store.find("users", user_id)
        if user is None:
            return None, None, refusal(HTTPStatus.NOT_FOUND, "There is no such user.")
        if errors := errors_of(served.body, user_id, known):
            unprocessable = JSONResponse({"errors": errors}, HTTPStatus.UNPROCESSABLE_ENTITY)
            return None, None, unprocessable
        resource = self._store.find("resources", served.body["resourceId"])
        if resource is None or resource["type"] != served.body["resourceType"]:
            return None, None, refusal(HTTPStatus.NOT_FOUND, "There is no such resource.")
        return user, resource, None


def refusal(status: int, message: str) -> Response:
    """Return an answer that says what is wrong."""
    return JSONResponse({"errors": [{"message": message}]}, status)


def _data(name: str, value: Any) -> Response:
    return JSONResponse({"data": {name: value}})


def _columns(body: dict[str, Any]) -> dict[str, Any]:
    names = ("issuedAt", "expirationDate", "recertificationDate", "sendEmail")
    columns = {name: body.get(name) for name in names}
    columns["issuedAt"] = columns["issuedAt"] or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    columns["sendEmail"] = bool(columns["sendEmail"])
    return columns


def _number(served: Served, name: str, default: int) -> int:
    text = served.query.get(name, "")
    return int(text) if text.isdecimal() else default

"""The endpoints of a tenant, as an ASGI application."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pluvo_sandbox.bodies import BODIES
from pluvo_sandbox.faults import Fault
from pluvo_sandbox.rate_limit import RateLimit
from pluvo_sandbox.thought_industries import answers
from pluvo_sandbox.thought_industries.validation import errors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
        refuse_duplicates: whether a second certificate of a user, resource and day is a conflict.
        faults: what goes wrong, as `Fault.parse` reads it. The places are `users`, `certify`,
            `recertify` and `events`.
    """

    api_key: str
    per_minute: int
    burst: int
    event_shape: EventShape
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
        page, size = _number(served, "page", 1), min(_number(served, "perPage", PER_PAGE), 100)
        rows = self._store.rows("SELECT * FROM users ORDER BY number")
        part = rows[(page - 1) * size : page * size]
        info = {"perPage": size, "currentPage": page, "total": len(rows)}
        info["hasMore"] = page * size < len(rows)
        return _data("APIUsers", {"users": [*map(answers.user, part)], "pageInfo": info})

    def _events(self, _request: Request, served: Served) -> Response:
        rows = self._store.rows("SELECT * FROM certificates ORDER BY number DESC")
        if user_id := served.query.get("userId"):
            rows = [row for row in rows if row["userId"] == user_id]
        start, end = served.query.get("startDate", ""), served.query.get("endDate", "9999")
        rows = [row for row in rows if start <= row["createdAt"] <= end]
        first, size = _number(served, "cursor", 0), min(_number(served, "perPage", PER_PAGE), 100)
        part = rows[first : first + size]
        more = first + size < len(rows)
        cursor = str(first + size) if more else None
        info = {"perPage": size, "cursor": cursor, "total": len(rows), "hasMore": more}
        events = [answers.event(row, self._settings.event_shape) for row in part]
        return _data("APIEvents", {"events": events, "pageInfo": info})

    def _certify(self, request: Request, served: Served) -> Response:
        user, resource, refused = self._checked(request, served)
        if refused or user is None or resource is None:
            return refused or refusal(HTTPStatus.NOT_FOUND, "Not found.")
        held = self._store.certificates(user["id"], resource["id"])
        issued = _columns(served.body)
        days = {row["issuedAt"][:10] for row in held}
        if self._settings.refuse_duplicates and issued["issuedAt"][:10] in days:
            return refusal(HTTPStatus.CONFLICT, "The user holds this certificate already.")
        granted = self._store.grant(user["id"], resource["id"], renewal=False, **issued)
        row = self._store.find("certificates", granted) or {}
        return _data("APICertifyUser", answers.certificate(row, resource, user))

    def _recertify(self, request: Request, served: Served) -> Response:
        user, resource, refused = self._checked(request, served)
        if refused or user is None or resource is None:
            return refused or refusal(HTTPStatus.NOT_FOUND, "Not found.")
        if not self._store.certificates(user["id"], resource["id"]):
            return refusal(HTTPStatus.NOT_FOUND, "The user holds no such certificate.")
        self._store.grant(user["id"], resource["id"], renewal=True, **_columns(served.body))
        return _data("APIRecertifyUser", True)

    def _checked(
        self, request: Request, served: Served
    ) -> tuple[dict[str, Any] | None, dict[str, Any] | None, Response | None]:
        """Return user and resource of a certification, or why there is none."""
        user_id = request.path_params["id"]
        user = self._store.find("users", user_id)
        if user is None:
            return None, None, refusal(HTTPStatus.NOT_FOUND, "There is no such user.")
        if errors := errors_of(served.body, user_id):
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

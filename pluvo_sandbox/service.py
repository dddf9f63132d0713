"""The two endpoints of a Pluvo organization, as an ASGI application."""

from __future__ import annotations

import json
import logging
import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ariadne import graphql_sync
from ariadne.utils import unwrap_graphql_error
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from typing_extensions import override

from pluvo_sandbox.bodies import BODIES
from pluvo_sandbox.connections import Counter
from pluvo_sandbox.documents import (
    at_most,
    broken_own_rules,
    broken_rules,
    field_names,
    is_mutation,
    parsed,
    without_unreadable,
)
from pluvo_sandbox.faults import TOKEN, Fault
from pluvo_sandbox.oauth import Client, OAuth
from pluvo_sandbox.rate_limit import RateLimit
from pluvo_sandbox.resolvers import Context
from pluvo_sandbox.schema import executable, lenient, yesterday
from pluvo_sandbox.uploads import operation_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableSequence, Sequence

    from graphql import DocumentNode, GraphQLSchema
    from starlette.requests import Request

    from pluvo_sandbox.behaviour import Behaviour
    from pluvo_sandbox.database import Database
    from pluvo_sandbox.server import Connection

TOKEN_PATH = "/oauth/token/"  # noqa: S105 - a path
GRAPHQL_PATH = "/graphql/"


@dataclass
class LoggedRequest:
    """A request that was served.

    Attributes:
        path: `/oauth/token/` or `/graphql/`, or one of them without its last slash.
        status: HTTP status of the answer; None if the connection was broken off instead.
        query: text of the GraphQL document.
        operation: name of the GraphQL operation.
        variables: variables of the GraphQL operation.
        scopes: scopes that a token request named.
        headers: headers of the request, in lower case, without the token.
    """

    path: str
    status: int | None
    query: str | None
    operation: str | None
    variables: dict[str, Any]
    scopes: tuple[str, ...]
    headers: dict[str, str]


class Service:
    """Serves one database.

    Attributes:
        app: the ASGI application.
        log: receives every request served.
        faults: what goes wrong.
        before: called with the number of each GraphQL request, from 1, before it is looked at.
    """

    def __init__(
        self, database: Database, behaviour: Behaviour, log: MutableSequence[LoggedRequest]
    ) -> None:
        self.log = log
        self.faults = list(map(Fault.parse, behaviour.faults))
        self.before: Callable[[int], None] = lambda _number: None
        self._number = 0
        self._database = database
        self._counter = Counter(behaviour.seed)
        self._behaviour = behaviour
        client = Client(behaviour.client_id, behaviour.client_secret, tuple(behaviour.scopes))
        self._oauth = OAuth(client, behaviour.token_ttl)
        self._limit = RateLimit.parse(behaviour.rate_limit) if behaviour.rate_limit else None
        self._rules = [at_most(behaviour.max_root_fields)] if behaviour.max_root_fields else None
        if behaviour.yesterday_lacks:
            self._schema({"yesterday"})  # so that a path that leads nowhere is known at once
        self.app = Starlette(
            routes=[
                Route(TOKEN_PATH, self._serve, methods=["POST"]),
                Route(GRAPHQL_PATH, self._serve, methods=["POST"]),
                Route(TOKEN_PATH.rstrip("/"), self._add_slash, methods=["GET", "POST"]),
                Route(GRAPHQL_PATH.rstrip("/"), self._add_slash, methods=["GET", "POST"]),
            ]
        )

    def count_anew(self) -> None:
        """Let the next GraphQL request be the first one again."""
        self._number = 0

    async def _serve(self, request: Request) -> Response:
        body = await request.body()
        logged = _logged(request, body)
        names = {TOKEN} if logged.path == TOKEN_PATH else field_names(logged.query)
        faults = [fault for fault in self.faults if fault.hits(names)]
        if logged.path == GRAPHQL_PATH:
            self._number += 1
            self.before(self._number)
        response = self._answer(request, body, faults)
        logged.status = response.status_code
        self.log.append(logged)

        connection: Connection = request.scope["connection"]
        kinds = {fault.kind for fault in faults}
        delay = self._behaviour.latency / 1000 + _value(faults, "slow")
        if delay:
            await connection.wait(delay)
        if "refused" in kinds:
            connection.refuse(_value(faults, "refused"))
        if kinds & {"refused", "reset"}:
            logged.status = None
            await connection.reset()
        if "reset-body" in kinds:
            logged.status = None
        for fault in faults:
            if fault.kind in BODIES:
                return BODIES[fault.kind](response, connection, fault.value)
        return response

    async def _add_slash(self, request: Request) -> Response:
        """Redirect as Django does, which loses the body of a POST in most clients."""
        logged = _logged(request, await request.body())
        logged.status = 301
        self.log.append(logged)
        return RedirectResponse(request.url.path + "/", logged.status)

    def _answer(self, request: Request, body: bytes, faults: Sequence[Fault]) -> Response:
        wait = self._limit.wait() if self._limit else 0
        if wait:
            return _refusal(429, "Too many requests.", {"Retry-After": str(math.ceil(wait))})
        kinds = {fault.kind for fault in faults}
        if "revoked" in kinds:
            self._oauth.revoke_all()
        if "expired" in kinds:
            self._oauth.expire_all()
        for fault in faults:
            answer = fault.answer()
            if answer is not None:
                return answer
        is_token = request.url.path == TOKEN_PATH
        response = self._token(request, body) if is_token else self._graphql(request, body, faults)
        for fault in faults:
            answer = fault.answer(late=True)
            if answer is not None:
                return answer
        if "truncated" in kinds:
            half = bytes(response.body)[: len(response.body) // 2]
            return Response(half, response.status_code, media_type="application/json")
        return response

    def _token(self, request: Request, body: bytes) -> Response:
        text = body.decode("utf-8", "replace")
        headers, answer, status = self._oauth.token(request.url.path, request.headers, text)
        return Response(answer, status, headers)

    def _graphql(self, request: Request, body: bytes, faults: Sequence[Fault]) -> Response:
        grant = self._oauth.grant(request.url.path, request.headers)
        if grant is None:
            return _refusal(
                401,
                "Authentication credentials were not provided, are unknown or have expired.",
                {"WWW-Authenticate": 'Bearer realm="pluvo", error="invalid_token"'},
            )
        try:
            data = operation_of(request.headers.get("Content-Type", ""), body)
        except ValueError:
            return _refusal(400, "The body of a request must be a JSON object.")
        schema = self._schema({fault.kind for fault in faults})
        context = Context(
            self._database, grant.scopes, faults, self._behaviour, self._number, self._counter
        )
        writes = isinstance(data, dict) and is_mutation(data.get("query"))
        with self._database.snapshot(writes=writes):
            _, result = graphql_sync(
                schema,
                data,
                context_value=context,
                query_parser=lambda _context, data: self._parse(schema, data),
                query_validator=broken_rules if self._behaviour.validation else broken_own_rules,
                validation_rules=self._rules,
                introspection=self._behaviour.introspection,
                logger=_LOGGER,
            )
        return _json(result)

    def _schema(self, kinds: Collection[str]) -> GraphQLSchema:
        variant = self._behaviour.schema
        if "yesterday" in kinds:
            return yesterday(variant, tuple(self._behaviour.yesterday_lacks))
        return lenient(variant) if "null-next" in kinds else executable(variant)

    def _parse(self, schema: GraphQLSchema, data: Mapping[str, Any]) -> DocumentNode:
        document = parsed(data["query"])
        if self._behaviour.validation:
            return document
        return without_unreadable(schema, document, data.get("variables") or {})


def _value(faults: Sequence[Fault], kind: str) -> float:
    return sum(fault.value for fault in faults if fault.kind == kind)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(content, status, headers, "application/json")


def _refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return _json({"errors": [{"message": message}]}, status, headers)


def _logged(request: Request, body: bytes) -> LoggedRequest:
    data: Any = {}
    scopes: list[str] = []
    if request.url.path == TOKEN_PATH:
        form = parse_qs(body.decode("utf-8", "replace"))
        scopes = form.get("scope", [""])[0].split()
    else:
        with suppress(ValueError):
            data = operation_of(request.headers.get("Content-Type", ""), body)
    if not isinstance(data, dict):
        data = {}
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    query = data.get("query")
    return LoggedRequest(
        path=request.url.path,
        status=None,
        query=query if isinstance(query, str) else None,
        operation=data.get("operationName"),
        variables=data.get("variables") or {},
        scopes=tuple(scopes),
        headers=headers,
    )


class _Unexpected(logging.Filter):
    """Keeps the errors that a client is told about out of the log: they are its own."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        return not isinstance(unwrap_graphql_error(record.msg), GraphQLError | None)  # type: ignore[arg-type]


_LOGGER = logging.getLogger("pluvo_sandbox.graphql")
_LOGGER.addFilter(_Unexpected())

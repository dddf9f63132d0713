"""The two endpoints of a Pluvo organization, as an ASGI application."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ariadne import graphql_sync
from ariadne.utils import unwrap_graphql_error
from graphql import DocumentNode, GraphQLError, GraphQLSchema, parse, validate
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pluvo_sandbox.oauth import Client, OAuth
from pluvo_sandbox.resolvers import Context
from pluvo_sandbox.schema import Variant, executable

if TYPE_CHECKING:
    from collections.abc import MutableSequence

    from starlette.requests import Request

    from pluvo_sandbox.database import Database

TOKEN_PATH = "/oauth/token/"  # noqa: S105 - a path
GRAPHQL_PATH = "/graphql/"


@dataclass(frozen=True)
class Behaviour:
    """How the service behaves, apart from its data.

    Attributes:
        client: who may ask for tokens.
        token_ttl: seconds that a token is valid.
        variant: the schema.
        introspection: whether the schema may be asked for.
        latency: milliseconds that each answer is held back.
        rate_limit: requests and the seconds in which as many are allowed; None for no limit.
    """

    client: Client
    token_ttl: int = 86400
    variant: Variant = "documented"
    introspection: bool = True
    latency: float = 0
    rate_limit: tuple[int, float] | None = None


@dataclass
class LoggedRequest:
    """A request that was served.

    Attributes:
        path: `/oauth/token/` or `/graphql/`, or whatever else was asked for.
        status: HTTP status of the answer.
        query: text of the GraphQL document.
        operation: name of the GraphQL operation.
        variables: variables of the GraphQL operation.
        scopes: scopes that a token request named.
        headers: headers of the request, in lower case, without the token.
    """

    path: str
    status: int
    query: str | None
    operation: str | None
    variables: dict[str, Any]
    scopes: tuple[str, ...]
    headers: dict[str, str]


class RateLimit:
    """A bucket that holds `requests` and fills up again within `seconds`."""

    def __init__(self, requests: int, seconds: float) -> None:
        self._size = requests
        self._per_second = requests / seconds
        self._left = float(requests)
        self._seen = time.monotonic()

    def wait(self) -> float:
        """Take one request out of the bucket.

        Returns:
            0, or the seconds after which the next one will be there.
        """
        now = time.monotonic()
        self._left = min(self._size, self._left + (now - self._seen) * self._per_second)
        self._seen = now
        if self._left < 1:
            return (1 - self._left) / self._per_second
        self._left -= 1
        return 0


class Service:
    """Serves one database.

    Attributes:
        app: the ASGI application.
        log: receives every request served.
    """

    def __init__(
        self, database: Database, behaviour: Behaviour, log: MutableSequence[LoggedRequest]
    ) -> None:
        self.log = log
        self.oauth = OAuth(behaviour.client, behaviour.token_ttl)
        self._database = database
        self._behaviour = behaviour
        self._schema = executable(behaviour.variant)
        self._limit = RateLimit(*behaviour.rate_limit) if behaviour.rate_limit else None
        self.app = Starlette(
            routes=[
                Route(TOKEN_PATH, self._serve, methods=["POST"]),
                Route(GRAPHQL_PATH, self._serve, methods=["POST"]),
                Route(TOKEN_PATH.rstrip("/"), _add_slash, methods=["GET", "POST"]),
                Route(GRAPHQL_PATH.rstrip("/"), _add_slash, methods=["GET", "POST"]),
            ]
        )

    async def _serve(self, request: Request) -> Response:
        body = await request.body()
        response = self._answer(request, body)
        self.log.append(_logged(request, body, response.status_code))
        if self._behaviour.latency:
            await asyncio.sleep(self._behaviour.latency / 1000)
        return response

    def _answer(self, request: Request, body: bytes) -> Response:
        wait = self._limit.wait() if self._limit else 0
        if wait:
            return _refusal(429, "Too many requests.", {"Retry-After": str(math.ceil(wait))})
        if request.url.path == TOKEN_PATH:
            return self._token(request, body)
        return self._graphql(request, body)

    def _token(self, request: Request, body: bytes) -> Response:
        text = body.decode("utf-8", "replace")
        headers, answer, status = self.oauth.token(request.url.path, request.headers, text)
        return Response(answer, status, headers)

    def _graphql(self, request: Request, body: bytes) -> Response:
        grant = self.oauth.grant(request.url.path, request.headers)
        if grant is None:
            return _refusal(
                401,
                "Authentication credentials were not provided, are unknown or have expired.",
                {"WWW-Authenticate": 'Bearer realm="pluvo", error="invalid_token"'},
            )
        try:
            data = json.loads(body)
        except ValueError:
            return _refusal(400, "The body of a request must be a JSON object.")
        with self._database.snapshot():
            _, result = graphql_sync(
                self._schema,
                data,
                context_value=Context(self._database, grant.scopes),
                query_parser=lambda _context, data: _parsed(data["query"]),
                query_validator=_validated,
                introspection=self._behaviour.introspection,
                logger=_LOGGER,
            )
        return _json(result)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(content, status, headers, "application/json")


def _refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return _json({"errors": [{"message": message}]}, status, headers)


async def _add_slash(request: Request) -> Response:
    """Redirect as Django does, which loses the body of a POST in most clients."""
    return RedirectResponse(request.url.path + "/", 301)


def _logged(request: Request, body: bytes, status: int) -> LoggedRequest:
    data: Any = {}
    scopes: list[str] = []
    if request.url.path == TOKEN_PATH:
        form = parse_qs(body.decode("utf-8", "replace"))
        scopes = form.get("scope", [""])[0].split()
    else:
        with suppress(ValueError):
            data = json.loads(body)
    if not isinstance(data, dict):
        data = {}
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    return LoggedRequest(
        path=request.url.path,
        status=status,
        query=data.get("query"),
        operation=data.get("operationName"),
        variables=data.get("variables") or {},
        scopes=tuple(scopes),
        headers=headers,
    )


# A client sends few different queries, each of them many times.
@lru_cache(maxsize=256)
def _parsed(query: str) -> DocumentNode:
    return parse(query)


@lru_cache(maxsize=256)
def _faults(schema: GraphQLSchema, document: DocumentNode, rules: Any) -> list[GraphQLError]:
    # All of them in one answer: graphql-core stops at 100 unless it is told otherwise.
    return validate(schema, document, rules, max_errors=sys.maxsize)


def _validated(
    schema: GraphQLSchema, document_ast: DocumentNode, rules: Any = None, *_args: Any, **_more: Any
) -> list[GraphQLError]:
    return _faults(schema, document_ast, rules)


class _Unexpected(logging.Filter):
    """Keeps the errors that a client is told about out of the log: they are its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not isinstance(unwrap_graphql_error(record.msg), GraphQLError | None)  # type: ignore[arg-type]


_LOGGER = logging.getLogger("pluvo_sandbox.graphql")
_LOGGER.addFilter(_Unexpected())

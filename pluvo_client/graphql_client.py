"""One GraphQL operation, a query or a mutation: its data, or an error that says what is wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pluvo_client.api_errors import api_error
from pluvo_client.errors import (
    OmissionError,
    ProtocolError,
    SchemaDifferenceError,
    ScopeError,
    ScopeLearnedError,
    TokenRejectedError,
)
from pluvo_client.schema.omissions import omitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLSchema

    from pluvo_client.transport.authentication import Authenticator
    from pluvo_client.transport.http import Response, Transport

Data = dict[str, Any]
T = TypeVar("T")

PATH = "/graphql/"  # page `introduction-2`


class GraphQLClient:
    """Sends operations; safe for use by several threads."""

    def __init__(self, transport: Transport, authenticator: Authenticator) -> None:
        self.transport = transport
        self.authenticator = authenticator

    def execute(
        self,
        document: str,
        parse: Callable[[Data], T],
        *,
        schema: GraphQLSchema | None = None,
        divisible: bool = False,
        repeatable: bool = True,
    ) -> T:
        """Send `document`, a query or a mutation, and return what `parse` makes of its data.

        What is not `repeatable` is sent again only where the API has certainly not acted on it.
        The data is an object with the document's response keys. `parse` may raise a `ProtocolError`
        for data that cannot be right: the operation is then sent again, unless it is `divisible`
        into smaller ones, which show better what is wrong. With a `schema`, what it has and the API
        lacks is told apart from other errors.

        Raises:
            AuthenticationError: the organization rejects the token or the client.
            ScopeError: the token lacks a scope, and cannot get it.
            SchemaDifferenceError: the API lacks something that the document names.
            IntrospectionRefusedError: the organization does not show its schema.
            NotFoundError: an object is gone.
            QueryError: other GraphQL errors, even after retries.
            ProtocolError: the answer is not GraphQL, or `parse` refused it, even after retries.
            TransientError: no usable answer within `max_retry_seconds`.
        """
        body = msgspec.json.encode({"query": document})

        def attempt() -> T:
            token = self.authenticator.token()
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            response = self.transport.post(PATH, body, headers)
            try:
                data = _data(response, document, schema)
            except TokenRejectedError:
                self.authenticator.reject(token)
                raise
            except ScopeError as error:
                if self.authenticator.learn(error.scopes, token):
                    raise ScopeLearnedError(str(error)) from error
                raise
            try:
                return parse(data)
            except ProtocolError as error:
                # What does not fit may be what a server that does not validate left out. `parse`
                # may have changed the data, so they are decoded anew.
                data = _data(response, document, schema)
                if schema is not None and (differences := omitted(document, data, schema)):
                    raise OmissionError(str(error), differences) from error
                raise

        try:
            return self.transport.retry(attempt, divisible=divisible, repeatable=repeatable)
        except OmissionError as error:
            if divisible:
                raise
            raise SchemaDifferenceError(error.differences) from error


def _data(response: Response, document: str, schema: GraphQLSchema | None) -> Data:
    """Return the data of a response, or raise what the response means."""
    status = response.status
    if status == HTTPStatus.UNAUTHORIZED:
        msg = f"the API rejects the token (HTTP {status})"
        raise TokenRejectedError(msg)
    try:
        answer = response.json()
    except ValueError as error:
        msg = f"{response.url} did not return GraphQL ({response.content_type}, not valid JSON)"
        raise ProtocolError(msg) from error
    if not isinstance(answer, dict):
        msg = f"{response.url} returned JSON that is not a GraphQL answer"
        raise ProtocolError(msg)
    if errors := answer.get("errors"):
        raise api_error(errors, document, schema)
    data = answer.get("data")
    if status != HTTPStatus.OK or not isinstance(data, dict):
        msg = f"{response.url} answered HTTP {status} without data and without errors"
        raise ProtocolError(msg)
    return data

"""One GraphQL operation, a query or a mutation: its data, or an error that says what is wrong."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from pluvo_client.api_errors import api_error, failed_parts
from pluvo_client.errors import (
    ClaimError,
    NotFoundError,
    PluvoError,
    ProtocolError,
    QueryError,
    SchemaDifferenceError,
    ScopeError,
    ScopeLearnedError,
    TokenRejectedError,
    TransientError,
)
from pluvo_client.schema.answered import AnsweredDocuments
from pluvo_client.schema.contract import documented_schema, knows
from pluvo_client.schema.omissions import omitted

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from graphql import GraphQLSchema

    from pluvo_client.errors import Difference
    from pluvo_client.transport.authentication import Authenticator
    from pluvo_client.transport.http import Response, Transport

Data = dict[str, Any]
T = TypeVar("T")

logger = logging.getLogger("pluvo_client")

PATH = "/graphql/"  # page `introduction-2`
PATIENCE = 0.5  # seconds until a claim is checked: another server may answer, or a replica catch up
CLAIMS = 4  # answers, each with a claim of its own, before nothing is believed any more
DOUBTS = 2  # answers that may reject a token by a mere code before it is renewed


class GraphQLClient:
    """Sends operations; safe for use by several threads."""

    def __init__(self, transport: Transport, authenticator: Authenticator) -> None:
        self.transport = transport
        self.authenticator = authenticator
        self.answered = AnsweredDocuments()

    def execute(  # noqa: PLR0913 - all that makes one operation differ from another
        self,
        document: str,
        parse: Callable[[Data], T],
        *,
        schema: GraphQLSchema | None = None,
        divisible: bool = False,
        repeatable: bool = True,
        believed: bool = False,
        by_part: bool = False,
        about: str | None = None,
    ) -> T:
        """Send `document`, a query or a mutation, and return what `parse` makes of its data.

        What is not `repeatable` is sent again only where the API has certainly not acted on it.
        The data is an object with the document's response keys. `parse` may raise a `ProtocolError`
        for data that cannot be right: the operation is then sent again, unless it is `divisible`
        into smaller ones, which show better what is wrong. With a `schema`, what it has and the API
        lacks is told apart from other errors. `about` is the kind of the one object, such as
        `group`, that may turn out to be gone; None: any. `by_part`, an error of a single root field
        is no failure: it stands in the data in the place of what failed.

        What an answer claims of the organization (a schema without something, an object that is
        gone) counts when a later answer claims it, too, unless the operation is `divisible`, or a
        single answer is to be `believed`. What was answered with before in this run is not believed
        to be missing at all.

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
        operation = _Operation(
            *(self, document, parse, schema),
            repeatable=repeatable,
            by_part=by_part,
            about=about,
        )
        claims: set[Hashable] = set()
        for _ in range(CLAIMS):
            try:
                return self.transport.retry(
                    operation.attempt, divisible=divisible, repeatable=repeatable
                )
            except ClaimError as error:
                if divisible or believed or error.claims <= claims:
                    raise
                claims |= error.claims
                logger.info("%s, says one answer: asking again in %g s", error, PATIENCE)
            self.pause()
        msg = "the API's answers contradict each other: its servers differ; run again later"
        raise QueryError(msg)

    def pause(self) -> None:
        """Wait until another answer may tell more than one that has just come."""
        self.transport.limiter.pause(PATIENCE)


class _Operation(Generic[T]):
    """An operation under way, with what its earlier attempts have shown."""

    def __init__(  # noqa: PLR0913 - see `GraphQLClient.execute`
        self,
        client: GraphQLClient,
        document: str,
        parse: Callable[[Data], T],
        schema: GraphQLSchema | None,
        *,
        repeatable: bool,
        by_part: bool,
        about: str | None,
    ) -> None:
        self._client = client
        self._document = document
        self._body = msgspec.json.encode({"query": document})
        self._parse = parse
        self._schema = schema
        self._repeatable = repeatable
        self._by_part = by_part
        self._about = about
        self._doubts = 0

    def attempt(self) -> T:
        """Send the operation once and return its result."""
        token = self._client.authenticator.token()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        response = self._client.transport.post(PATH, self._body, headers)
        try:
            data = self._data(response)
        except PluvoError as error:
            self._refused(error, token)
            raise
        try:
            result = self._parse(data)
        except ProtocolError as error:
            # What does not fit may be what a server that does not validate left out. `parse` may
            # have changed the data, so they are decoded anew.
            data = _data(response, _answer(response), self._document, self._schema)
            if self._schema and (differences := omitted(self._document, data, self._schema)):
                raise SchemaDifferenceError(differences) from error
            raise
        if self._schema is not None:
            self._client.answered.add(self._document)
        return result

    def _data(self, response: Response) -> Data:
        """Return the data of a response, or raise what the response means."""
        transport = self._client.transport
        try:
            answer = _answer(response)
        except ProtocolError as error:
            if transport.is_confirmed and "json" not in response.content_type:
                raise TransientError(str(error)) from error
            raise
        transport.is_confirmed = True
        return _data(response, answer, self._document, self._schema, by_part=self._by_part)

    def _refused(self, error: PluvoError, token: str) -> None:
        """Do what an error calls for; raise another one where it is not what it says."""
        match error:
            case TokenRejectedError():
                if error.doubtful and self._repeatable and self._doubts < DOUBTS:
                    self._doubts += 1
                    raise TransientError(str(error)) from error
                error.attempts = TokenRejectedError.attempts + self._doubts
                self._client.authenticator.reject(token)
            case ScopeError() if self._client.authenticator.learn(error.scopes, token):
                msg = f"the token lacks {', '.join(sorted(error.scopes))}, which is requested now"
                raise ScopeLearnedError(msg) from error
            case NotFoundError() if self._about not in {None, error.kind}:
                raise QueryError(str(error)) from error
            case SchemaDifferenceError() if self._had_before(error.differences):
                msg = f"{error}, which it had before in this run: its servers differ"
                raise TransientError(msg) from error

    def _had_before(self, differences: Iterable[Difference]) -> bool:
        """Tell whether the organization's own schema, or an earlier answer, had what lacks now."""
        if self._schema is None:
            return False
        if self._schema is not documented_schema():
            return any(knows(self._schema, item) for item in differences)
        return self._client.answered.any_used(differences, self._schema)


def _answer(response: Response) -> Data:
    """Return the GraphQL answer that a response holds.

    Raises:
        TokenRejectedError: the status says so.
        ProtocolError: it holds none.
    """
    if response.status == HTTPStatus.UNAUTHORIZED:
        msg = f"the API rejects the token (HTTP {response.status})"
        raise TokenRejectedError(msg)
    try:
        answer = response.json()
    except ValueError as error:
        msg = f"{response.url} did not return GraphQL ({response.content_type}, not valid JSON)"
        raise ProtocolError(msg) from error
    if not isinstance(answer, dict):
        msg = f"{response.url} returned JSON that is not a GraphQL answer"
        raise ProtocolError(msg)
    return answer


def _data(
    response: Response,
    answer: Data,
    document: str,
    schema: GraphQLSchema | None,
    *,
    by_part: bool = False,
) -> Data:
    """Return the data of a GraphQL answer, or raise what it means."""
    data = answer.get("data")
    if errors := answer.get("errors"):
        if by_part and isinstance(data, dict) and (parts := failed_parts(errors, data, document)):
            return data | parts
        raise api_error(errors, document, schema)
    if response.status != HTTPStatus.OK or not isinstance(data, dict):
        msg = f"{response.url} answered HTTP {response.status} without data and without errors"
        raise ProtocolError(msg)
    return data

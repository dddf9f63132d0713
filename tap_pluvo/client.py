"""Send one GraphQL operation and return its data, or raise an error that says what is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tap_pluvo.auth import Authenticator
from tap_pluvo.errors import (
    AuthenticationError,
    IntrospectionRefusedError,
    NotFoundError,
    PluvoError,
    ProtocolError,
    QueryError,
    RetriableError,
    SchemaDifferenceError,
    ScopeError,
)
from tap_pluvo.settings import SCOPES
from tap_pluvo.transport import Answer, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_pluvo.contract import Contract
    from tap_pluvo.settings import Settings

Data = dict[str, Any]

PATH = "/graphql/"

_MISSING = re.compile(r"not found|does not exist|matching query", re.IGNORECASE)
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|[0-9a-f]{8}-[0-9a-f-]{27}", re.IGNORECASE)
_QUOTED = re.compile(r"(?<!\w)(['\"])(.*?)\1(?!\w)", re.DOTALL)
_LONGEST = 300  # characters of an API message that are shown


class TokenRejectedError(RetriableError, AuthenticationError):
    """The API refuses a token; a new one may be accepted."""

    attempts = 3
    wait = 0.0


class Client:
    """The API, as one operation at a time; safe for use by several threads.

    `contract`, once known, tells which GraphQL errors mean that the organization's schema lacks
    something.
    """

    def __init__(self, settings: Settings, needs: Mapping[str, Sequence[str]]) -> None:
        self.transport = Transport(settings)
        self.auth = Authenticator(self.transport, settings, needs)
        self.contract: Contract | None = None

    def execute(
        self,
        document: str,
        check: Callable[[Data], None] | None = None,
        *,
        divisible: bool = False,
    ) -> Data:
        """Send `document` and return its data: an object with the document's response keys.

        `check` may raise a `ProtocolError` for data that cannot be; the request is then sent again,
        unless it is `divisible` into smaller ones, which tell better what is wrong.

        Raises:
            AuthenticationError: token or client are refused.
            ScopeError: the token lacks a scope.
            SchemaDifferenceError: the schema lacks something that the document names.
            IntrospectionRefusedError: the organization does not show its schema.
            NotFoundError: an object is gone.
            QueryError: other GraphQL errors, also when the request is sent again.
            ProtocolError: the answer is no GraphQL, or `check` refused it, each time.
            TransientError: no usable answer within `max_retry_seconds`.
        """
        body = msgspec.json.encode({"query": document})
        token = ""

        def prepare() -> tuple[bytes, dict[str, str]]:
            nonlocal token
            token = self.auth.token()
            return body, {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

        def read(response: Answer) -> Data:
            try:
                data = self._data(response, document)
                if check is not None:
                    check(data)
            except TokenRejectedError:
                self.auth.reject(token)
                raise
            return data

        return self.transport.call(PATH, prepare, read, divisible=divisible)

    def _data(self, response: Answer, document: str) -> Data:
        """Return the data of an answer, or raise what the answer means."""
        status = response.status
        if status == 401:  # noqa: PLR2004
            msg = "the API refuses the token (HTTP 401)"
            raise TokenRejectedError(msg)
        try:
            answer = response.json()
        except ValueError as error:
            kind = response.content_type
            msg = (
                f"{response.url} answered with something else than GraphQL ({kind}, no valid JSON)"
            )
            raise ProtocolError(msg) from error
        if not isinstance(answer, dict):
            msg = f"{response.url} answered with JSON that is no GraphQL answer"
            raise ProtocolError(msg)
        if errors := answer.get("errors"):
            raise self._error(errors, document)
        data = answer.get("data")
        if status != 200 or not isinstance(data, dict):  # noqa: PLR2004
            msg = f"{response.url} answered HTTP {status} without data and without errors"
            raise ProtocolError(msg)
        return data

    def _error(self, errors: Any, document: str) -> PluvoError:
        """Return the exception that a list of GraphQL errors stands for."""
        entries = errors if isinstance(errors, list) else [errors]
        messages = [
            str(entry.get("message", "")) if isinstance(entry, dict) else str(entry)
            for entry in entries
        ]
        shown = _impersonal("; ".join(dict.fromkeys(messages)), document)
        for entry in entries:
            extensions = entry.get("extensions") if isinstance(entry, dict) else None
            code = extensions.get("code") if isinstance(extensions, dict) else None
            if isinstance(code, str) and "auth" in code.lower():
                return TokenRejectedError(f"the API refuses the token ({code[:40]})")
        if self.contract is not None:
            found = self.contract.differences(
                [entry for entry in entries if isinstance(entry, dict)], document
            )
            if found:
                return SchemaDifferenceError(found)
        for message in messages:
            lacking = [scope for scope in SCOPES if scope in message]
            if lacking or "scope" in message.lower():
                named = ", ".join(lacking) or "a scope"
                return ScopeError(
                    f"the token lacks {named} (the API says: {shown!r}): ask Pluvo to grant it to "
                    "this client, or deselect the stream"
                )
        if any("introspection" in message.lower() or "__schema" in message for message in messages):
            return IntrospectionRefusedError(f"the API does not show its schema: {shown!r}")
        missing = all(_MISSING.search(message) for message in messages)
        kind = NotFoundError if missing else QueryError
        return kind(f"the API answered with errors: {shown!r}")


def _impersonal(message: str, document: str) -> str:
    """Return what the API says without addresses, ids, and quotes of what was not in `document`."""
    unquoted = _QUOTED.sub(lambda found: found[0] if found[2] in document else "…", message)
    return _PERSONAL.sub("…", unquoted)[:_LONGEST]

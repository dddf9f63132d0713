"""What the GraphQL errors of an answer mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pluvo_client.errors import (
    IntrospectionRefusedError,
    NotFoundError,
    PluvoError,
    QueryError,
    SchemaDifferenceError,
    ScopeError,
    TokenRejectedError,
)
from pluvo_client.schema.refusals import refused

if TYPE_CHECKING:
    from graphql import GraphQLSchema

_GONE = re.compile(r"not found|does not exist|matching query", re.IGNORECASE)
_SCOPE = re.compile(r"\b[a-z][a-z_]*\.(?:read|write)\b")  # as they are written on `introduction-2`
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|[0-9a-f]{8}-[0-9a-f-]{27}", re.IGNORECASE)
_QUOTED = re.compile(r"(?<!\w)(['\"])(.*?)\1(?!\w)", re.DOTALL)
_LONGEST = 300  # characters of an API message that are shown
_LONGEST_CODE = 40


def api_error(errors: Any, document: str, schema: GraphQLSchema | None) -> PluvoError:
    """Return the error that the member `errors` of an answer to `document` stands for.

    With a `schema`, refusals of something that it has are `SchemaDifferenceError`s.
    """
    entries = errors if isinstance(errors, list) else [errors]
    objects = [entry for entry in entries if isinstance(entry, dict)]
    messages = [
        str(entry.get("message", "")) if isinstance(entry, dict) else str(entry)
        for entry in entries
    ]
    shown = _impersonal("; ".join(dict.fromkeys(messages)), document)
    for entry in objects:
        extensions = entry.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        if isinstance(code, str) and "auth" in code.lower():
            return TokenRejectedError(f"the API rejects the token ({code[:_LONGEST_CODE]})")
    if schema is not None and (differences := refused(objects, document, schema)):
        return SchemaDifferenceError(differences)
    for message in messages:
        scopes = dict.fromkeys(_SCOPE.findall(message))
        if scopes or "scope" in message.lower():
            return ScopeError(
                f"the token lacks {', '.join(scopes) or 'a scope'} (the API says: {shown!r}): ask "
                "Pluvo to grant it to this client, or deselect the stream",
                scopes,
            )
    if any("introspection" in message.lower() or "__schema" in message for message in messages):
        return IntrospectionRefusedError(f"the API does not show its schema: {shown!r}")
    gone = all(_GONE.search(message) for message in messages)
    kind = NotFoundError if gone else QueryError
    return kind(f"the API answered with errors: {shown!r}")


def _impersonal(message: str, document: str) -> str:
    """Return what the API says without addresses, ids, and quotes of what was not in `document`."""
    unquoted = _QUOTED.sub(lambda found: found[0] if found[2] in document else "…", message)
    return _PERSONAL.sub("…", unquoted)[:_LONGEST]

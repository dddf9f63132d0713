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
from pluvo_client.redaction import redacted, redacted_name
from pluvo_client.schema.refusals import refused

if TYPE_CHECKING:
    from graphql import GraphQLSchema

_GONE = re.compile(r"not found|does not exist|matching query", re.IGNORECASE)
_SCOPE = re.compile(r"\b[a-z][a-z_]*\.(?:read|write)\b")  # as they are written on `introduction-2`


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
    shown = redacted("; ".join(dict.fromkeys(messages)), document)
    for entry in objects:
        extensions = entry.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        if isinstance(code, str) and "auth" in code.lower():
            return TokenRejectedError(f"the API rejects the token ({redacted_name(code)})")
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

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
    ThrottledError,
    TokenRejectedError,
)
from pluvo_client.redaction import redacted, redacted_name
from pluvo_client.schema.refusals import refused

if TYPE_CHECKING:
    from graphql import GraphQLSchema

# How Django, and APIs built on it, say that there is no such object; page `introduction-2` has
# "User not found".
_GONE = re.compile(
    r"No (?P<other>\w+) matches the given query\W*"
    r"|(?P<kind>\w+)(?: matching query| with [^.]{1,80})?"
    r" (?:(?:was |is |could |can ?)?not (?:be )?found|does not exist)\W*",
    re.IGNORECASE,
)
# As they are written on `introduction-2`; the longest there has 22 characters.
_SCOPE = re.compile(r"\b[a-z][a-z_]{0,39}\.(?:read|write)\b")
# Page `Request-data` has `AuthenticationError`; other servers, `UNAUTHENTICATED`.
_REJECTED = re.compile(r"auth(?!or(?!i[sz]))", re.IGNORECASE)  # but nothing about an author
_THROTTLED = re.compile(r"throttl|rate.?limit|too.?many.?requests", re.IGNORECASE)
_NEEDED = re.compile(r"scope|require|need|permission|grant", re.IGNORECASE)


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
        if isinstance(code, str) and _THROTTLED.search(code):
            return ThrottledError(f"Pluvo is throttling requests ({redacted_name(code)})", None)
        if isinstance(code, str) and _REJECTED.search(code):
            return TokenRejectedError(
                f"the API rejects the token ({redacted_name(code)})",
                doubtful="token" not in str(entry.get("message", "")).lower(),
            )
    if schema is not None and (differences := refused(objects, document, schema)):
        return SchemaDifferenceError(differences)
    for message in messages:
        scopes = dict.fromkeys(_SCOPE.findall(message))
        if scopes and _NEEDED.search(message):
            return ScopeError(
                f"the token lacks {', '.join(scopes)} (the API says: {shown!r}): ask Pluvo to "
                "grant it to this client, or deselect the stream",
                scopes,
            )
    if "__schema" in document and any(
        "introspection" in message.lower() or "__schema" in message for message in messages
    ):
        return IntrospectionRefusedError(f"the API does not show its schema: {shown!r}")
    said = f"the API answered with errors: {shown!r}"
    kinds = {_gone(entry) for entry in entries}
    kind = kinds.pop()
    return QueryError(said) if kinds or kind is None else NotFoundError(said, kind)


def failed_parts(errors: Any, data: dict[str, Any], document: str) -> dict[str, PluvoError]:
    """Return the errors of single root fields by response key, if there are no others.

    A token or a scope that lacks is of the whole operation.
    """
    entries: list[Any] = errors if isinstance(errors, list) else [errors]
    found: dict[str, list[Any]] = {}
    for entry in entries:
        path = entry.get("path") if isinstance(entry, dict) else None
        key = path[0] if isinstance(path, list) and path else None
        if not isinstance(key, str) or key not in data:
            return {}
        found.setdefault(key, []).append(entry)
    parts = {key: api_error(group, document, None) for key, group in found.items()}
    whole = any(isinstance(part, ScopeError | TokenRejectedError) for part in parts.values())
    return {} if whole else parts


def _gone(entry: Any) -> str | None:
    """Return the kind of the object that a root field was about and that is not there, or None.

    An error about something inside of an object says nothing about the object: its path is longer.
    """
    path = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(path, list) or len(path) != 1:
        return None
    found = _GONE.fullmatch(str(entry.get("message", "")))
    return (found["kind"] or found["other"]).lower() if found else None

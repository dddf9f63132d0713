"""Parts of GraphQL documents as text."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from graphql import GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse

if TYPE_CHECKING:
    from collections.abc import Mapping


class Enum(str):
    """A value that stands in a document without quotes."""

    __slots__ = ()


def literal(value: Any) -> str:
    """Return a value as it stands in a document.

    Arguments are written out instead of sent as variables: variables need the names of types,
    several of which are not documented.
    """
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return json.dumps(value)


def call(name: str, arguments: Mapping[str, Any]) -> str:
    """Return a field with its arguments, without those that are None."""
    given = [f"{key}: {literal(item)}" for key, item in arguments.items() if item is not None]
    return f"{name}({', '.join(given)})" if given else name


def is_mutation(document: str) -> bool:
    """Tell whether a document changes data; one that cannot be parsed is the API's to judge."""
    try:
        definitions = parse(document).definitions
    except GraphQLSyntaxError:
        return False
    return any(
        isinstance(item, OperationDefinitionNode) and item.operation is OperationType.MUTATION
        for item in definitions
    )


def snake_case(name: str) -> str:
    """Return `lastLogin` as `last_login`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()

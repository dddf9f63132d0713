"""The setting `filters`: the documented arguments of a stream's root field, in snake_case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
)

from pluvo_client.errors import ConfigurationError, did_you_mean
from pluvo_client.schema.documents import Enum, snake_case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import GraphQLInputType

    from pluvo_client.schema.contract import Contract

# Arguments that the tap sets by itself, or whose meaning is order instead of choice.
_OWN = {
    *("first", "last", "after", "before", "offset", "sortBy"),
    *("relatedObjectTypes", "completionDateFrom", "completionDateTo"),
    *("contentType", "userId", "groupVia"),
}


def parse_filters(
    filters: Mapping[str, Mapping[str, Any]],
    roots: Mapping[str, str | None],
    contract: Contract,
) -> dict[str, dict[str, Any]]:
    """Return the filters of each stream as API arguments.

    `roots` gives the root field whose arguments each stream takes; None: it takes none.

    Raises:
        ConfigurationError: a stream, an argument or a value is not one of the API.
    """
    parsed: dict[str, dict[str, Any]] = {}
    for stream, arguments in filters.items():
        if stream not in roots:
            msg = f"setting `filters`: there is no stream {stream!r}{did_you_mean(stream, roots)}"
            raise ConfigurationError(msg)
        parsed[stream] = _arguments(stream, roots[stream], arguments, contract)
    return parsed


def filter_names(root: str | None, contract: Contract) -> dict[str, tuple[str, GraphQLInputType]]:
    """Return the filters that a root field offers: by name, the API's argument and its type."""
    field = contract.root(root) if root else None
    return {
        snake_case(argument): (argument, definition.type)
        for argument, definition in (field.args if field else {}).items()
        if argument not in _OWN
    }


def _arguments(
    stream: str, root: str | None, arguments: Mapping[str, Any], contract: Contract
) -> dict[str, Any]:
    known = filter_names(root, contract)
    parsed = {}
    for name, value in arguments.items():
        if name not in known:
            msg = (
                f"setting `filters.{stream}`: there is no filter {name!r}"
                f"{did_you_mean(name, known)} (this stream has: {', '.join(known) or 'none'})"
            )
            raise ConfigurationError(msg)
        argument, kind = known[name]
        parsed[argument] = _value(f"filters.{stream}.{name}", value, kind)
    return parsed


def _value(setting: str, value: Any, kind: GraphQLInputType) -> Any:
    """Return a value as the API takes it; members of enums are the API's to judge."""
    if isinstance(kind, GraphQLNonNull):
        return _value(setting, value, kind.of_type)
    if isinstance(kind, GraphQLList):
        if not isinstance(value, list):
            msg = f"setting `{setting}` must be a list"
            raise ConfigurationError(msg)
        return [_value(setting, item, kind.of_type) for item in value]
    if isinstance(kind, GraphQLInputObjectType):
        fields = {snake_case(name): (name, field.type) for name, field in kind.fields.items()}
        if not isinstance(value, dict) or set(value) - set(fields):
            msg = f"setting `{setting}` must be an object with {', '.join(fields)}"
            raise ConfigurationError(msg)
        return {
            fields[name][0]: _value(f"{setting}.{name}", item, fields[name][1])
            for name, item in value.items()
        }
    if isinstance(kind, GraphQLEnumType):
        if not isinstance(value, str) or not (value.isascii() and value.isidentifier()):
            msg = f"setting `{setting}` must be a name such as {next(iter(kind.values))}"
            raise ConfigurationError(msg)
        return Enum(value)
    scalar = str(kind)
    wanted: type = {"Boolean": bool, "Int": int, "Float": float}.get(scalar, str)
    if type(value) is not wanted:
        msg = f"setting `{setting}` must be a {scalar}"
        raise ConfigurationError(msg)
    return value

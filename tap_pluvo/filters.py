"""The setting `filters`: the documented arguments of a stream's root field, in snake_case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
)

from tap_pluvo.errors import ConfigurationError, hint
from tap_pluvo.query import Enum, snake_case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphql import GraphQLInputType

    from tap_pluvo.contract import Contract
    from tap_pluvo.stream import PluvoStream

# Arguments that the tap sets by itself, or whose meaning is order instead of choice.
_OWN = {
    *("first", "last", "after", "before", "offset", "sortBy"),
    *("relatedObjectTypes", "completionDateFrom", "completionDateTo"),
    *("contentType", "userId", "groupVia"),
}


def parse_filters(
    filters: Mapping[str, Mapping[str, Any]],
    streams: Sequence[type[PluvoStream]],
    contract: Contract,
) -> dict[str, dict[str, Any]]:
    """Return the filters of each stream as API arguments.

    Raises:
        ConfigurationError: a stream, an argument or a value is not one of the API.
    """
    by_name = {stream.name: stream for stream in streams}
    parsed: dict[str, dict[str, Any]] = {}
    for name, arguments in filters.items():
        if name not in by_name:
            msg = f"setting `filters`: there is no stream {name!r}{hint(name, by_name)}"
            raise ConfigurationError(msg)
        parsed[name] = _arguments(name, by_name[name], arguments, contract)
    return parsed


def _arguments(
    name: str, stream: type[PluvoStream], arguments: Mapping[str, Any], contract: Contract
) -> dict[str, Any]:
    root = stream.node.split(".", 1)[0]
    field = contract.root(root)
    known = {
        snake_case(argument): (argument, definition.type)
        for argument, definition in (field.args if field else {}).items()
        if argument not in _OWN
    }
    if not stream.takes_filters:
        known = {}
    parsed = {}
    for argument, value in arguments.items():
        if argument not in known:
            choices = ", ".join(known) or "none"
            msg = (
                f"setting `filters.{name}`: there is no filter {argument!r}"
                f"{hint(argument, known)} (this stream has: {choices})"
            )
            raise ConfigurationError(msg)
        api_name, kind = known[argument]
        parsed[api_name] = _value(f"filters.{name}.{argument}", value, kind)
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

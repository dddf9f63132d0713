"""Columns: what a flat record has, and the GraphQL selection that each is read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import (
    FieldNode,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
    parse,
)

from pluvo_client.schema.documents import snake_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphql import GraphQLNamedType, SelectionNode

    from pluvo_client.schema.contract import Contract

# JSON Schema of the columns that a live schema adds; all other scalars are given as text.
_COLUMN_TYPES: dict[str, dict[str, Any]] = {
    "Int": {"type": ["integer", "null"]},
    "Float": {"type": ["number", "null"]},
    "Decimal": {"type": ["number", "null"]},
    "Boolean": {"type": ["boolean", "null"]},
    "DateTime": {"type": ["string", "null"], "format": "date-time"},
    "Date": {"type": ["string", "null"], "format": "date"},
}


class Column(NamedTuple):
    """A column: its name, its JSON Schema, and the selection it is read from (None: computed)."""

    name: str
    schema: Mapping[str, Any]
    selection: tuple[SelectionNode, ...] | None


def parse_selection(text: str | None) -> tuple[SelectionNode, ...] | None:
    """Return the parts of a selection such as `user { id }`; None for none."""
    if text is None:
        return None
    definition = parse("{" + text + "}").definitions[0]
    return definition.selection_set.selections  # type: ignore[attr-defined,no-any-return]


def response_keys(selection: str) -> list[str]:
    """Return the keys that every object of a selection has."""
    return [
        item.alias.value if item.alias else item.name.value
        for item in parse_selection(selection) or ()
        if isinstance(item, FieldNode)
    ]


def additional_columns(
    contract: Contract, node: GraphQLNamedType, columns: Iterable[Column]
) -> list[Column]:
    """Return columns for the plain fields of a live type that no column reads."""
    known = list(columns)
    read = {
        item.name.value
        for column in known
        for item in column.selection or ()
        if isinstance(item, FieldNode)
    }
    names = {column.name for column in known}
    found = []
    for name, item in sorted(getattr(node, "fields", {}).items()):
        kind: Any = get_nullable_type(item.type)
        if (
            not is_leaf_type(kind)
            or name in read
            or snake_case(name) in names
            or contract.field(node, name) is None
            or any(is_required_argument(argument) for argument in item.args.values())
        ):
            continue
        schema = _COLUMN_TYPES.get(kind.name, {"type": ["string", "null"]}) | {
            "description": f"Field `{name}` of the organization's own schema.",
        }
        found.append(Column(snake_case(name), schema, parse_selection(name)))
    return found

"""From the columns that are selected to the smallest GraphQL selection that gives them.

A column's `x-field` in `schemas/<stream>.json` is itself a GraphQL selection, `lastLogin` or
`user { id }`. The server does the renaming (`last_login: lastLogin`), so a node is a record as it
arrives, but for the objects that have to be merged in and the values that have to be converted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from graphql import (
    FieldNode,
    InlineFragmentNode,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    parse,
)

from tap_pluvo import values
from tap_pluvo.contract import documented_field
from tap_pluvo.errors import ProtocolError
from tap_pluvo.resources import read_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graphql import GraphQLField, GraphQLNamedType, SelectionNode

    from tap_pluvo.contract import Contract

Record = dict[str, Any]

# JSON Schema of the columns that a live schema adds; all other scalars are given as text.
_COLUMN_TYPES: dict[str, dict[str, Any]] = {
    "Int": {"type": ["integer", "null"]},
    "Float": {"type": ["number", "null"]},
    "Decimal": {"type": ["number", "null"]},
    "Boolean": {"type": ["boolean", "null"]},
    "DateTime": {"type": ["string", "null"], "format": "date-time"},
    "Date": {"type": ["string", "null"], "format": "date"},
}


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


class Column(NamedTuple):
    """A column: its name, its JSON Schema, and the selection it is read from (None: computed)."""

    name: str
    schema: Mapping[str, Any]
    selection: tuple[SelectionNode, ...] | None


class StreamSchema(NamedTuple):
    """What `schemas/<stream>.json` says: the key, the replication key and the columns."""

    description: str
    key: tuple[str, ...]
    replication_key: str | None
    columns: Mapping[str, Column]


@cache
def stream_schema(stream: str) -> StreamSchema:
    """Return the contract of a stream's output."""
    document = msgspec.json.decode(read_schema(f"{stream}.json"))
    columns = {
        name: Column(
            name,
            {key: item for key, item in schema.items() if key != "x-field"},
            _selection(schema.get("x-field")),
        )
        for name, schema in document["properties"].items()
    }
    return StreamSchema(
        document["description"],
        tuple(document["x-key"]),
        document.get("x-replication-key"),
        columns,
    )


def _selection(text: str | None) -> tuple[SelectionNode, ...] | None:
    if text is None:
        return None
    definition = parse("{" + text + "}").definitions[0]
    return definition.selection_set.selections  # type: ignore[attr-defined,no-any-return]


def snake_case(name: str) -> str:
    """Return `lastLogin` as `last_login`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


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
        found.append(Column(snake_case(name), schema, _selection(name)))
    return found


@dataclass
class _Found:
    """Where a column's selection leads in the API: its leaf types, and whether they are listed."""

    leaves: set[str] = field(default_factory=set)
    listed: bool = False
    members: int = 0


class Plan:
    """How the columns of a stream are asked for, and how a node becomes a record.

    `selection` is the text between the braces of the node; `lacking` names the columns that the API
    cannot give.
    """

    def __init__(
        self, contract: Contract, node: GraphQLNamedType, columns: Sequence[Column]
    ) -> None:
        self._contract = contract
        self._merged: dict[str, dict[str, None]] = {}
        self._conversions: list[tuple[str, Callable[[Any], Any]]] = []
        self._by_type: list[tuple[str, Callable[[Any], Any]]] = []
        self._seen_types: set[tuple[type, ...]] = set()
        self.lacking: list[str] = []
        tree: dict[str, Any] = {}
        for column in columns:
            if column.selection is None:
                continue
            found = _Found()
            branch: dict[str, Any] = {}
            if not self._place(node, column.selection, column.name, branch, found):
                self.lacking.append(column.name)
                continue
            _merge(tree, branch)
            self._convert(column, found)
        self.selection = _render(tree)
        fragments = any(head.startswith("...") for head in tree)
        self._blank = (
            dict.fromkeys([*(item.name for item in columns if item.selection), *self._merged])
            if fragments
            else None
        )

    def _place(
        self,
        owner: GraphQLNamedType,
        selection: Iterable[SelectionNode],
        alias: str,
        tree: dict[str, Any],
        found: _Found,
    ) -> bool:
        """Put a column's selection into `tree`; False where the API lacks a part of it."""
        placed = []
        for item in selection:
            if isinstance(item, InlineFragmentNode):
                condition = item.type_condition
                assert condition is not None  # noqa: S101 - the schema files always name it
                kind = self._contract.named_type(condition.name.value)
                branch = tree.setdefault(f"... on {condition.name.value}", {})
                placed.append(
                    kind is not None
                    and self._place(kind, item.selection_set.selections, alias, branch, found)
                )
                if not placed[-1]:
                    del tree[f"... on {condition.name.value}"]
            elif isinstance(item, FieldNode):
                placed.append(self._place_field(owner, item, alias, tree, found))
        return any(placed)

    def _place_field(  # noqa: PLR0911 - one way out for each way in which a field can differ
        self,
        owner: GraphQLNamedType,
        item: FieldNode,
        alias: str,
        tree: dict[str, Any],
        found: _Found,
    ) -> bool:
        name = item.name.value
        head = name if name == alias else f"{alias}: {name}"
        if name == "__typename":
            tree[head] = None
            found.leaves.add("String")
            return True
        definition = self._contract.field(owner, name)
        if definition is None:
            return False
        kind = get_named_type(definition.type)
        listed = _is_listed(definition)
        if listed != _is_listed(documented_field(owner.name, name) or definition):
            return False  # it has turned from one value into several, or the other way round
        if item.selection_set is None:
            if not is_leaf_type(kind):
                return False
            tree[head] = None
            found.leaves.add("String" if is_enum_type(kind) else kind.name)
            found.listed |= listed
            return True
        if is_leaf_type(kind):
            return False
        selections = item.selection_set.selections
        if listed:
            members = [
                part.name.value
                for part in selections
                if isinstance(part, FieldNode) and self._contract.field(kind, part.name.value)
            ]
            tree[head] = dict.fromkeys(members)
            found.listed = True
            found.members = len(members)
            return bool(members)
        branch: dict[str, Any] = {}
        if not self._place(kind, selections, alias, branch, found):
            return False
        tree[name] = branch
        self._merged.setdefault(name, {})[alias] = None
        return True

    def _convert(self, column: Column, found: _Found) -> None:
        """Note the conversion of a column, unless its values need none.

        Formats depend on each value, all else on the value's type alone: `record` converts these
        for the first row of each combination of types, and others of that combination need nothing.
        """
        if found.listed:
            convert = values.json_members if found.members == 1 else values.json_text
            self._conversions.append((column.name, convert))
            return
        simple = "format" not in column.schema or column.schema["format"] == "uuid"
        target = self._by_type if simple else self._conversions
        target.append((column.name, values.converter(column.schema)))

    def record(self, node: Record) -> Record:
        """Make a record of a node, in place where that is possible.

        Raises:
            ProtocolError: a value does not fit its column.
        """
        record = node if self._blank is None else self._blank | node
        try:
            for name, blank in self._merged.items():
                record.update(_one(name, record.pop(name)) or blank)
            self._convert_values(record, self._conversions)
            types = (*map(type, record.values()),)
            if types not in self._seen_types and not self._convert_values(record, self._by_type):
                self._seen_types.add(types)
        except KeyError as error:
            msg = f"a row came without its {error}, which was asked for"
            raise ProtocolError(msg) from None
        return record

    @staticmethod
    def _convert_values(
        record: Record, conversions: Iterable[tuple[str, Callable[[Any], Any]]]
    ) -> bool:
        """Convert values in place; tell whether any was another one before.

        Raises:
            ProtocolError: a value does not fit its column.
        """
        changed = False
        for name, convert in conversions:
            value = record[name]
            if value is None:
                continue
            try:
                converted = convert(value)
            except (ValueError, TypeError, OverflowError):
                msg = (
                    f"column {name!r} holds a value that does not fit it "
                    f"(a {type(value).__name__}): deselect the column, and tell the tap's "
                    "developers what your organization's schema says of it"
                )
                raise ProtocolError(msg) from None
            if converted is not value:
                record[name] = converted
                changed = True
        return changed


def _one(name: str, value: Any) -> Record | None:
    """Return what a reference to one object came as.

    Raises:
        ProtocolError: it is neither an object nor null.
    """
    if value is None or isinstance(value, dict):
        return value
    msg = f"`{name}` came as a {type(value).__name__}, not as one object"
    raise ProtocolError(msg)


def _is_listed(definition: GraphQLField) -> bool:
    kind: Any = definition.type
    return is_list_type(get_nullable_type(kind))


def _merge(tree: dict[str, Any], branch: Mapping[str, Any]) -> None:
    for head, children in branch.items():
        if children is not None and tree.get(head) is not None:
            _merge(tree[head], children)
        else:
            tree[head] = children


def _render(tree: Mapping[str, Any]) -> str:
    return " ".join(
        head if children is None else f"{head} {{ {_render(children)} }}"
        for head, children in tree.items()
    )

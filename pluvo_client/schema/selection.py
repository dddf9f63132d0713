"""From columns to the smallest GraphQL selection that gives them, and from a node to a record.

A column's selection, `lastLogin` or `user { id }`, is part of a GraphQL document. The server does
the renaming (`last_login: lastLogin`), so a node is a record as it arrives, except for the objects
that have to be merged in and the values that have to be converted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    InlineFragmentNode,
    get_named_type,
    is_enum_type,
    is_leaf_type,
)

from pluvo_client.errors import ProtocolError
from pluvo_client.schema import values
from pluvo_client.schema.contract import documented_field, is_listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graphql import GraphQLNamedType, SelectionNode

    from pluvo_client.schema.columns import Column
    from pluvo_client.schema.contract import Contract

Record = dict[str, Any]
Convert = tuple[str, "Callable[[Any], Any]"]  # a column's name, and the conversion of its values


@dataclass
class _Found:
    """Where a column's selection leads in the API: its leaf types, and whether they are listed."""

    leaves: set[str] = field(default_factory=set)
    listed: bool = False
    members: int = 0


class Selection:
    """How columns are asked for, and how a node becomes a record.

    `text` stands between the braces of the node; `lacking` names the columns that the API cannot
    give.
    """

    def __init__(
        self, contract: Contract, node: GraphQLNamedType, columns: Sequence[Column]
    ) -> None:
        self._contract = contract
        self._merged: dict[str, dict[str, None]] = {}
        self._conversions: list[Convert] = []
        self._by_type: list[Convert] = []
        self._seen_types: set[tuple[type, ...]] = set()
        self._keys: list[str] = []
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
            self._add_conversion(column, found)
        self.text = _render(tree)
        fragments = any(head.startswith("...") for head in tree)
        if not fragments:  # else a column may be of another type of node
            self._keys = [
                column.name
                for column in columns
                if column.selection and "null" not in column.schema["type"]
            ]
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
        listed = is_listed(definition)
        if listed != is_listed(documented_field(owner.name, name) or definition):
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

    def _add_conversion(self, column: Column, found: _Found) -> None:
        """Note the conversion of a column, unless its values need none.

        Formats depend on each value, all else on the value's type alone: `record` converts these
        for the first row of each combination of types, and others of that combination need nothing.
        """
        if found.listed:
            convert = values.json_members if found.members == 1 else values.json_text
            self._conversions.append((column.name, convert))
            return
        target = self._conversions if "format" in column.schema else self._by_type
        target.append((column.name, values.converter(column.schema)))

    def record(self, node: Record) -> Record:
        """Make a record of a node, in place where that is possible.

        Raises:
            ProtocolError: a value does not fit its column, or is missing, or a key is null.
        """
        record = node if self._blank is None else self._blank | node
        try:
            for name, blank in self._merged.items():
                record.update(_one(name, record.pop(name)) or blank)
            _convert(record, self._conversions)
            types = (*map(type, record.values()),)
            if types not in self._seen_types:
                for name in self._keys:
                    identifier(record, name)
                if not _convert(record, self._by_type):
                    self._seen_types.add(types)
        except KeyError as error:
            raise missing(error.args[0]) from None
        return record


def complete(names: Iterable[str], keys: Iterable[str] = ()) -> Callable[[Record], Record]:
    """Return what gives a node as it is, once it is sure that all of `names` are there.

    Those that are `keys` are given as text.
    """
    wanted = frozenset(names)

    def record(node: Record) -> Record:
        if lacking := wanted - node.keys():
            raise missing(min(lacking))
        for name in keys:
            node[name] = identifier(node, name)
        return node

    return record


def member(node: Record, name: str) -> Any:
    """Return what an object has under `name`.

    Raises:
        ProtocolError: it came without.
    """
    try:
        return node[name]
    except KeyError:
        raise missing(name) from None


def identifier(node: Record, name: str = "id", column: str | None = None) -> str:
    """Return the key that an object has under `name`, as text; `column` is what it becomes.

    Raises:
        ProtocolError: it came without, or it is null.
    """
    value = member(node, name)
    if value is None:
        msg = f"the API gave a row without its key: column {column or name!r} is null"
        raise ProtocolError(msg)
    return values.text(value)


def missing(name: str) -> ProtocolError:
    """Return the error for a row without something that was asked for."""
    return ProtocolError(f"a row came without its {name!r}, which was asked for")


def _convert(record: Record, conversions: Iterable[Convert]) -> bool:
    """Convert values in place; return whether any value changed.

    Raises:
        ProtocolError: a value does not fit its column.
        KeyError: a column is missing.
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
                f"column {name!r} holds a value that does not fit it (a {type(value).__name__}): "
                "deselect the column, and tell the tap's developers what your organization's "
                "schema says about it"
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

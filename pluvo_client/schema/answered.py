"""What the API has answered with in this run: proof that its schema has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graphql import (
    ArgumentNode,
    EnumValueNode,
    FieldNode,
    NamedTypeNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    visit,
)

from pluvo_client.errors import Difference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphql import GraphQLSchema, Node

_VALUES = re.compile(r'"(?:[^"\\]|\\.)*"|\b\d+\b')  # what differs from page to page


class AnsweredDocuments:
    """The documents that a server which validates has answered; safe for use by several threads."""

    def __init__(self) -> None:
        self._shapes: set[str] = set()

    def add(self, document: str) -> None:
        """Note that `document` was answered with data."""
        self._shapes.add(_VALUES.sub("0", document))

    def any_used(self, differences: Iterable[Difference], schema: GraphQLSchema) -> bool:
        """Tell whether any of `differences`, in the type names of `schema`, was answered with."""
        wanted = set(differences)
        return any(wanted & _used(shape, schema) for shape in list(self._shapes))


def _used(document: str, schema: GraphQLSchema) -> set[Difference]:
    """Return the fields, arguments, enum values and types that a document names."""
    info = TypeInfo(schema)
    collector = _Collector(info)
    visit(parse(document), TypeInfoVisitor(info, collector))
    return collector.used


class _Collector(Visitor):
    """Collects what a document names, in the form in which a refusal would name it."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self._field = ""
        self.used: set[Difference] = set()

    def enter(self, node: Node, *_: Any) -> None:
        parent = self._info.get_parent_type()
        owner = parent.name if parent else ""
        if isinstance(node, FieldNode):
            self._field = node.name.value
            self.used.add(Difference("field", owner, self._field))
        elif isinstance(node, ArgumentNode):
            self.used.add(Difference("argument", owner, f"{self._field}({node.name.value})"))
        elif isinstance(node, EnumValueNode):
            kind = self._info.get_input_type()
            self.used.add(
                Difference("value", get_named_type(kind).name if kind else "", node.value)
            )
        elif isinstance(node, NamedTypeNode):
            self.used.add(Difference("type", "", node.name.value))

"""What GraphQL errors say that the API lacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    Source,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_location,
    get_named_type,
    parse,
    visit,
)

from pluvo_client.errors import Difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphql import GraphQLSchema, Node

# How GraphQL servers of the Python family (graphql-core 2 and 3) word what a schema lacks.
_REFUSALS = {
    "field": re.compile(
        r"Cannot query field ['\"](?P<name>\w+)['\"] on type ['\"](?P<owner>\w+)"
        # There, but no longer a plain value, or no longer an object:
        r"|^Field ['\"](?P<changed>\w+)['\"] (?:of type|must not have)"
    ),
    "argument": re.compile(
        r"^Unknown argument ['\"](?P<name>\w+)['\"]"
        r" on field ['\"](?:(?P<owner>\w+)\.)?(?P<field>\w+)"
        r"(?:['\"] of type ['\"](?P<of>\w+))?"
    ),
    "value": re.compile(
        r"Value ['\"](?P<name>\w+)['\"] does not exist in ['\"](?P<owner>\w+)['\"] enum"
        r"|Expected type ['\"](?P<expected>\w+)['\"], found (?P<found>[A-Za-z_]\w*)"
    ),
    "type": re.compile(r"^Unknown type ['\"](?P<name>\w+)['\"]"),
}
_NAME = re.compile(r"\w+")


def refused(
    errors: Sequence[Mapping[str, Any]], document: str, schema: GraphQLSchema
) -> list[Difference]:
    """Return what GraphQL errors say that the API lacks, in the type names of `schema`.

    An error uses the API's name of a type, which `schema` may call otherwise; where the error
    stands in `document` tells which one is meant. Names that are neither sent nor in `schema` are
    not repeated.
    """
    return [
        difference
        for error in errors
        if (difference := _difference(error, document, schema)) is not None
    ]


def _difference(
    error: Mapping[str, Any], document: str, schema: GraphQLSchema
) -> Difference | None:
    message = str(error.get("message", ""))
    for kind, pattern in _REFUSALS.items():
        if found := pattern.search(message):
            groups = found.groupdict()
            name = groups.get("name") or groups.get("changed") or groups.get("found") or ""
            owner = groups.get("owner") or groups.get("expected") or groups.get("of") or ""
            place = _place(error, document, schema)
            if kind == "value":
                owner = (place and place.enum) or owner
            elif kind in {"field", "argument"}:
                named = (owner, groups.get("field") or name)
                owner, field = (place and place.found) or named
                name = f"{field}({name})" if kind == "argument" else field
            # A name that was not sent may be anything, even a value of a record.
            if not set(_NAME.findall(name)) <= set(_NAME.findall(document)):
                return None
            return Difference(kind, owner if owner in schema.type_map else "", name)
    return None


def _place(error: Mapping[str, Any], document: str, schema: GraphQLSchema) -> _Finder | None:
    """Find what an error's location points into, in the type names of `schema`."""
    try:
        location = error["locations"][0]
        wanted = (int(location["line"]), int(location["column"]))
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    info = TypeInfo(schema)
    finder = _Finder(info, Source(document), wanted)
    visit(parse(document), TypeInfoVisitor(info, finder))
    return finder


class _Finder(Visitor):
    """Finds the field that a line and column of a document point to, or into the arguments of.

    `found` is its type and name, `enum` what a value there should be one of.
    """

    def __init__(self, info: TypeInfo, source: Source, wanted: tuple[int, int]) -> None:
        super().__init__()
        self._info = info
        self._source = source
        self._wanted = wanted
        self._field: tuple[str, str] | None = None
        self.found: tuple[str, str] | None = None
        self.enum: str | None = None

    def enter(self, node: Node, *_: Any) -> None:
        if isinstance(node, FieldNode):
            parent = self._info.get_parent_type()
            self._field = (parent.name, node.name.value) if parent else None
        if node.loc is not None and self.found is None:
            location = get_location(self._source, node.loc.start)
            if (location.line, location.column) == self._wanted:
                self.found = self._field
                kind = self._info.get_input_type()
                self.enum = get_named_type(kind).name if kind else None

"""What the API has: the documented schema, or the organization's own where it lets us see it.

Three sources, in order of trust: what the API has refused in this run ("Cannot query field ..."),
the live schema (introspection), the documents (`schemas/pluvo.graphql`). Types are found by walking
from a root field, since some of their names are only assumed in the documents.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    Source,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    build_schema,
    get_introspection_query,
    get_location,
    get_named_type,
    parse,
    visit,
)

from tap_pluvo.errors import Difference, IntrospectionRefusedError, PluvoError
from tap_pluvo.resources import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphql import Node

    from tap_pluvo.client import Client

# How GraphQL servers of the Python family (graphql-core 2 and 3) word what a schema lacks.
_REFUSALS = {
    "field": re.compile(
        r"Cannot query field ['\"](?P<name>\w+)['\"] on type ['\"](?P<owner>\w+)"
        # There, but no longer a plain value, or no longer an object:
        r"|^Field ['\"](?P<changed>\w+)['\"] (?:of type|must not have)"
    ),
    "argument": re.compile(r"^Unknown argument ['\"](?P<name>\w+)['\"] on field"),
    "value": re.compile(
        r"Value ['\"](?P<name>\w+)['\"] does not exist in ['\"](?P<owner>\w+)['\"] enum"
        r"|Expected type ['\"](?P<expected>\w+)['\"], found (?P<found>[A-Za-z_]\w*)"
    ),
    "type": re.compile(r"^Unknown type ['\"](?P<name>\w+)['\"]"),
}


@cache
def documented_schema() -> GraphQLSchema:
    """Return the schema of the documents."""
    return build_schema(read_schema("pluvo.graphql"), assume_valid=True)


def documented_field(owner: str, name: str) -> GraphQLField | None:
    """Return a field as the documents have it, or None where they do not know it."""
    fields: Mapping[str, GraphQLField] = getattr(
        documented_schema().type_map.get(owner), "fields", {}
    )
    return fields.get(name)


def live_schema(client: Client) -> GraphQLSchema | None:
    """Return the organization's schema, or None where it does not allow introspection.

    Raises:
        PluvoError: the API cannot be reached, refuses the client, or fails to say.
    """
    try:
        data = client.execute(get_introspection_query(descriptions=False))
    except IntrospectionRefusedError:
        return None
    try:
        return build_client_schema(data)  # type: ignore[arg-type]  # checked by the call itself
    except (TypeError, ValueError, KeyError) as error:
        msg = (
            "the organization's schema cannot be understood (its introspection answer is not a "
            "whole one): set `introspection` to `off`"
        )
        raise PluvoError(msg) from error


class Contract:
    """The API's schema as the tap may use it; `is_live` tells whether the organization gave it."""

    def __init__(self, live: GraphQLSchema | None = None) -> None:
        self.schema = live or documented_schema()
        self.is_live = live is not None
        self._refused: set[Difference] = set()

    def field(self, owner: GraphQLNamedType, name: str) -> GraphQLField | None:
        """Return the field `name` of a type, or None where the API lacks it."""
        if not isinstance(owner, GraphQLObjectType | GraphQLInterfaceType):
            return None
        if Difference("field", owner.name, name) in self._refused:
            return None
        found: GraphQLField | None = owner.fields.get(name)
        return found

    def root(self, name: str) -> GraphQLField | None:
        """Return the root field `name` of queries, or None where the API lacks it."""
        assert self.schema.query_type is not None  # noqa: S101 - no schema is valid without one
        return self.field(self.schema.query_type, name)

    def type_at(self, path: str) -> GraphQLNamedType | None:
        """Return the type that a dotted path of fields leads to, from the query type on.

        `paginatedUsers.edges.node` leads to what is `User` in the documents. None: a step lacks.
        """
        current: GraphQLNamedType | None = self.schema.query_type
        for name in path.split("."):
            field = self.field(current, name) if current else None
            if field is None:
                return None
            current = get_named_type(field.type)
        return current

    def named_type(self, name: str) -> GraphQLNamedType | None:
        """Return the type called `name`, or None where the API lacks it."""
        if Difference("type", "", name) in self._refused:
            return None
        return self.schema.type_map.get(name)

    def accepts(self, path: str, argument: str) -> bool:
        """Tell whether the field at the end of `path` takes `argument`."""
        *parents, name = path.split(".")
        owner = self.type_at(".".join(parents)) if parents else self.schema.query_type
        field = self.field(owner, name) if owner else None
        if owner is None or field is None or argument not in field.args:
            return False
        return Difference("argument", owner.name, f"{name}({argument})") not in self._refused

    def values(self, path: str, argument: str) -> list[str]:
        """Return the members of the enum that an argument takes, in the schema's order."""
        *_, name = path.split(".")
        field = self.root(name)
        if field is None or not self.accepts(path, argument):
            return []
        enum = get_named_type(field.args[argument].type)
        if not isinstance(enum, GraphQLEnumType):
            return []
        return [
            value
            for value in enum.values
            if Difference("value", enum.name, value) not in self._refused
        ]

    def refuse(self, differences: Iterable[Difference]) -> list[Difference]:
        """Do without `differences` from now on; return those that are news."""
        news = [item for item in differences if item not in self._refused]
        self._refused.update(news)
        return news

    def differences(self, errors: Sequence[Mapping[str, Any]], document: str) -> list[Difference]:
        """Return what GraphQL errors say that the API lacks, in the names of this schema.

        An error names the API's type, which may be called otherwise here; where it stands in
        `document` tells which one is meant.
        """
        return [
            difference
            for error in errors
            if (difference := self._difference(error, document)) is not None
        ]

    def _difference(self, error: Mapping[str, Any], document: str) -> Difference | None:
        message = str(error.get("message", ""))
        for kind, pattern in _REFUSALS.items():
            if found := pattern.search(message):
                groups = found.groupdict()
                name = groups.get("name") or groups.get("changed") or groups.get("found") or ""
                owner = groups.get("owner") or groups.get("expected") or ""
                place = self._place(error, document)
                if kind == "value":
                    owner = (place and place.enum) or owner
                elif kind in {"field", "argument"}:
                    owner, field = (place and place.found) or (owner, name)
                    name = f"{field}({name})" if kind == "argument" else field
                return Difference(kind, owner, name)
        return None

    def _place(self, error: Mapping[str, Any], document: str) -> _Finder | None:
        """Find what an error's location points into, in the names of this schema."""
        try:
            location = error["locations"][0]
            wanted = (int(location["line"]), int(location["column"]))
        except (KeyError, IndexError, TypeError, ValueError):
            return None
        info = TypeInfo(self.schema)
        finder = _Finder(info, Source(document), wanted)
        visit(parse(document), TypeInfoVisitor(info, finder))
        return finder


class _Finder(Visitor):
    """Finds the field that a line and column of a document point to, or into the arguments of.

    `found` is its type and name, `enum` what a value there should be a member of.
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

"""What the API has: the documented schema, or the organization's own where it lets us see it.

Three sources, in order of trust: what the API has refused in this run ("Cannot query field ..."),
the live schema (introspection), the documents (`schemas/pluvo.graphql`). Types are found by walking
from a root field, since some of their names are only assumed in the documents.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from pluvo_client.errors import Difference, ProtocolError
from pluvo_client.schema.files import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INTROSPECTION_QUERY = get_introspection_query(descriptions=False)
_NO_SCHEMA = "the introspection answer is not a whole schema"


@cache
def documented_schema() -> GraphQLSchema:
    """Return the schema of the documents."""
    return build_schema(read_schema("pluvo.graphql"), assume_valid=True)


def documented_field(owner: str, name: str) -> GraphQLField | None:
    """Return a field as documented, or None where the documents do not know it."""
    fields: Mapping[str, GraphQLField] = getattr(
        documented_schema().type_map.get(owner), "fields", {}
    )
    return fields.get(name)


def live_schema(introspection: Mapping[str, Any]) -> GraphQLSchema:
    """Return the organization's schema from its answer to `INTROSPECTION_QUERY`.

    Raises:
        ProtocolError: the answer is not a whole schema.
    """
    try:
        schema = build_client_schema(introspection)  # type: ignore[arg-type]  # checked by the call
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError, GraphQLError) as error:
        raise ProtocolError(_NO_SCHEMA) from error
    if schema.query_type is None:
        raise ProtocolError(_NO_SCHEMA)
    return schema


def knows(schema: GraphQLSchema, item: Difference) -> bool:
    """Tell whether a schema has what a difference says is missing."""
    if item.kind == "type":
        return item.name in schema.type_map
    owner = schema.type_map.get(item.owner)
    if item.kind == "value":
        return isinstance(owner, GraphQLEnumType) and item.name in owner.values
    name, _, argument = item.name.rstrip(")").partition("(")
    field = getattr(owner, "fields", {}).get(name)
    return field is not None and (not argument or argument in field.args)


def is_listed(field: GraphQLField) -> bool:
    """Tell whether a field gives a list."""
    kind: Any = field.type
    return is_list_type(get_nullable_type(kind))


class Contract:
    """The API's schema as a program may use it.

    `is_live` tells whether the organization gave it.
    """

    def __init__(self, live: GraphQLSchema | None = None) -> None:
        self.schema = live or documented_schema()
        self.is_live = live is not None
        self._refused: set[Difference] = set()

    @property
    def refused(self) -> frozenset[Difference]:
        """What the API has refused in this run."""
        return frozenset(self._refused)

    def field(self, owner: GraphQLNamedType, name: str) -> GraphQLField | None:
        """Return the field `name` of a type, or None where the API lacks it."""
        if not isinstance(owner, GraphQLObjectType | GraphQLInterfaceType):
            return None
        if Difference("field", owner.name, name) in self._refused:
            return None
        found: GraphQLField | None = owner.fields.get(name)
        return found

    def mutation(self, name: str) -> GraphQLField | None:
        """Return the mutation `name`, or None where the API lacks it."""
        owner = self.schema.mutation_type
        return self.field(owner, name) if owner else None

    def root(self, name: str) -> GraphQLField | None:
        """Return the root field `name` of queries, or None where the API lacks it."""
        assert self.schema.query_type is not None  # noqa: S101 - no schema is valid without one
        return self.field(self.schema.query_type, name)

    def type_at(self, path: str) -> GraphQLNamedType | None:
        """Return the type that a dotted path of fields leads to, from the query type on.

        `paginatedUsers.edges.node` leads to what the documents call `User`. None: a step is
        missing.
        """
        current: GraphQLNamedType | None = self.schema.query_type
        for name in path.split("."):
            field = self.field(current, name) if current else None
            if field is None:
                return None
            current = get_named_type(field.type)
        return current

    def has(self, path: str) -> bool:
        """Tell whether the API has the field at the end of a dotted path."""
        return self.type_at(path) is not None

    def named_type(self, name: str) -> GraphQLNamedType | None:
        """Return the type called `name`, or None where the API lacks it."""
        if Difference("type", "", name) in self._refused:
            return None
        return self.schema.type_map.get(name)

    def accepts(self, path: str, argument: str) -> bool:
        """Tell whether the field at the end of a dotted path takes `argument`."""
        *parents, name = path.split(".")
        owner = self.type_at(".".join(parents)) if parents else self.schema.query_type
        field = self.field(owner, name) if owner else None
        if owner is None or field is None or argument not in field.args:
            return False
        return Difference("argument", owner.name, f"{name}({argument})") not in self._refused

    def root_argument(self, root: str, argument: str) -> Difference:
        """Return the difference that an argument of a root field is where the API lacks it."""
        assert self.schema.query_type is not None  # noqa: S101 - no schema is valid without one
        return Difference("argument", self.schema.query_type.name, f"{root}({argument})")

    def values(self, root: str, argument: str) -> list[str]:
        """Return the values of the enum that an argument takes, in the schema's order."""
        field = self.root(root)
        if field is None or not self.accepts(root, argument):
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
        """Do without `differences` from now on; return those that are new."""
        new = [item for item in differences if item not in self._refused]
        self._refused.update(new)
        return new

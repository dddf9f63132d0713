"""The contract made executable, and the variants of it that organizations may have."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from ariadne import ScalarType, SchemaBindable
from graphql import (
    REMOVE,
    DocumentNode,
    GraphQLError,
    GraphQLObjectType,
    NamedTypeNode,
    Node,
    Visitor,
    build_schema,
    get_nullable_type,
    parse,
    print_ast,
    visit,
)
from graphql.language import TypeDefinitionNode
from typing_extensions import override

from pluvo_sandbox.contract import read_contract
from pluvo_sandbox.mutations import MUTATIONS
from pluvo_sandbox.resolvers import FIELDS, QUERIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphql import GraphQLSchema

    from pluvo_sandbox.contract import Variant

_OLD = "; older pages only]"
_BEFORE: dict[Variant, Variant] = {"rich": "documented", "documented": "lean", "lean": "lean"}
_BUILT_IN = {"Int", "Float", "String", "Boolean", "ID"}


@lru_cache
def executable(variant: Variant) -> GraphQLSchema:
    """Return a schema that answers queries from the database in its context.

    Args:
        variant: `documented` is the contract as it stands; `lean` lacks what only older pages
            mention; `rich` has fields and enum values beyond the contract.
    """
    sdl = read_contract()
    if variant == "lean":
        sdl = print_ast(_without_old(parse(sdl)))
    if variant == "rich":
        sdl += files("pluvo_sandbox").joinpath("rich.graphql").read_text(encoding="utf-8")
    # Ariadne's make_executable_schema breaks enums in variables with graphql-core 3.2.14.
    schema = build_schema(sdl)
    for bindable in (_Resolvers(), *_scalars()):
        bindable.bind_to_schema(schema)
    return schema


@lru_cache
def lenient(variant: Variant) -> GraphQLSchema:
    """Return a schema that lets `hasNextPage` be null."""
    schema = executable.__wrapped__(variant)
    field = cast("GraphQLObjectType", schema.type_map["PageInfo"]).fields["hasNextPage"]
    field.type = get_nullable_type(field.type)
    return schema


@lru_cache
def yesterday(variant: Variant, lacks: tuple[str, ...] = ()) -> GraphQLSchema:
    """Return the schema that an organization had before its server was updated.

    It lacks fields and arguments. Enums keep their values, since there are rows that have them.

    Args:
        variant: the schema after the update.
        lacks: paths such as `User.name` and `Query.paginatedUsers.archived`. If there are none, it
            lacks what `variant` has beyond `documented`, or `documented` beyond `lean`.

    Raises:
        ValueError: a path leads nowhere.
    """
    schema = executable.__wrapped__(variant)
    for path in lacks or _added(schema, executable(_BEFORE[variant])):
        members = schema.type_map
        *owners, name = path.split(".")
        for owner in owners:
            found = members.get(owner)
            members = getattr(found, "fields", None) or getattr(found, "args", None) or {}
        if not owners or name not in members:
            message = f"the schema {variant!r} has no field or argument {path!r}"
            raise ValueError(message)
        del members[name]
    return schema


def _added(schema: GraphQLSchema, before: GraphQLSchema) -> Iterator[str]:
    """Give the paths of fields and arguments that types of both schemas have only in the first."""
    for kind in list(schema.type_map.values()):
        old = before.get_type(kind.name)
        if isinstance(kind, GraphQLObjectType) and isinstance(old, GraphQLObjectType):
            for name, field in list(kind.fields.items()):
                if name not in old.fields:
                    yield f"{kind.name}.{name}"
                else:
                    for argument in list(field.args):
                        if argument not in old.fields[name].args:
                            yield f"{kind.name}.{name}.{argument}"


def enum_values(schema: GraphQLSchema, name: str) -> tuple[str, ...]:
    """Return the names of an enum's values; none if the schema lacks the enum."""
    return tuple(getattr(schema.get_type(name), "values", ()))


class _Resolvers(SchemaBindable):
    """Ties resolvers to the fields that this variant of the schema has."""

    @override
    def bind_to_schema(self, schema: GraphQLSchema) -> None:
        for kind in schema.type_map.values():
            if isinstance(kind, GraphQLObjectType):
                for name, field in kind.fields.items():
                    if kind is schema.query_type:
                        field.resolve = QUERIES[name]
                    elif kind is schema.mutation_type:
                        field.resolve = MUTATIONS[name]
                    elif (kind.name, name) in FIELDS:
                        field.resolve = FIELDS[kind.name, name]


def _scalars() -> list[ScalarType]:
    return [
        ScalarType("UUID", value_parser=_parser("UUID", lambda text: str(UUID(text)))),
        ScalarType(
            "Date", value_parser=_parser("Date", lambda text: date.fromisoformat(text).isoformat())
        ),
        ScalarType("DateTime", value_parser=_parser("DateTime", _moment)),
    ]


def _parser(name: str, read: Callable[[str], str]) -> Callable[[Any], str]:
    def parse_value(value: Any) -> str:
        try:
            return read(value)
        except (AttributeError, TypeError, ValueError) as error:
            message = f"{name} cannot represent value: {value!r}"
            raise GraphQLError(message) from error

    return parse_value


def _moment(text: str) -> str:
    """Bring a moment into the form of the database; without a time zone it is taken as UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _without_old(document: DocumentNode) -> DocumentNode:
    """Leave out what only older pages mention, and whatever can't stand without it."""
    before, document = document, visit(document, _Remover(_is_old))
    while document is not before:
        known = _BUILT_IN | {
            definition.name.value
            for definition in document.definitions
            if isinstance(definition, TypeDefinitionNode)
        }
        orphans = _Remover(partial(_is_orphan, known))
        before, document = document, visit(document, orphans)
    return document


class _Remover(Visitor):
    """Removes the nodes of a document for which a test holds."""

    def __init__(self, test: Callable[[Node], bool]) -> None:
        super().__init__()
        self._test = test

    def enter(self, node: Node, *_args: Any) -> Any:
        return REMOVE if self._test(node) else None


def _is_old(node: Node) -> bool:
    description = getattr(node, "description", None)
    return description is not None and description.value.endswith(_OLD)


def _is_orphan(known: set[str], node: Node) -> bool:
    """Tell whether a definition refers to a type that is gone, or has no members left."""
    kind = getattr(node, "type", None)
    while kind is not None and not isinstance(kind, NamedTypeNode):
        kind = kind.type
    if kind is not None and node.kind in {"field_definition", "input_value_definition"}:
        return kind.name.value not in known
    members = [getattr(node, name, None) for name in ("fields", "values", "types")]
    return isinstance(node, TypeDefinitionNode) and () in members

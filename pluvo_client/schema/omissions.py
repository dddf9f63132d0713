"""What an answer leaves out without a word: how a server that does not validate lacks something.

Django projects that give graphene-django's view their own validation rules, for instance to switch
introspection off, replace the standard ones by them. Such a server leaves fields that it does not
know out of its answer, and ignores arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    get_named_type,
    parse,
)

from pluvo_client.errors import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graphql import GraphQLNamedType, GraphQLSchema, SelectionSetNode


def omitted(document: str, data: Mapping[str, Any], schema: GraphQLSchema) -> list[Difference]:
    """Return the fields of a query that every object of an answer lacks.

    A field that some objects have is not missing from the schema; neither is one whose parent never
    came. Types are named as in `schema`.
    """
    operation = parse(document).definitions[0]
    if not isinstance(operation, OperationDefinitionNode) or schema.query_type is None:
        return []
    return list(_omitted(operation.selection_set, [dict(data)], schema.query_type, schema))


def _omitted(
    selection: SelectionSetNode,
    objects: Sequence[Mapping[str, Any]],
    owner: GraphQLNamedType,
    schema: GraphQLSchema,
) -> Iterator[Difference]:
    if not objects:
        return
    for item in selection.selections:
        if isinstance(item, InlineFragmentNode):
            yield from _omitted_of_type(item, selection, objects, schema)
        elif isinstance(item, FieldNode):
            key = item.alias.value if item.alias else item.name.value
            values = [found[key] for found in objects if key in found]
            if not values:
                yield Difference("field", owner.name, item.name.value)
            elif item.selection_set is not None:
                definition = getattr(owner, "fields", {}).get(item.name.value)
                if definition is not None:
                    kind = get_named_type(definition.type)
                    yield from _omitted(item.selection_set, list(_objects(values)), kind, schema)


def _omitted_of_type(
    fragment: InlineFragmentNode,
    selection: SelectionSetNode,
    objects: Sequence[Mapping[str, Any]],
    schema: GraphQLSchema,
) -> Iterator[Difference]:
    """Look into a fragment, as far as the objects say that they are of its type."""
    name = fragment.type_condition.name.value if fragment.type_condition else ""
    kind = schema.type_map.get(name)
    tags = [
        item.alias.value if item.alias else item.name.value
        for item in selection.selections
        if isinstance(item, FieldNode) and item.name.value == "__typename"
    ]
    if kind is not None and tags:
        of_type = [found for found in objects if found.get(tags[0]) == name]
        yield from _omitted(fragment.selection_set, of_type, kind, schema)


def _objects(values: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    for value in values:
        if isinstance(value, dict):
            yield value
        elif isinstance(value, list):
            yield from _objects(value)

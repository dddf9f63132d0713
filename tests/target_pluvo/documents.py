"""GraphQL documents as the made-up Pluvo reads them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from graphql import DocumentNode, FieldNode, InlineFragmentNode, parse, validate
from graphql.execution.values import get_argument_values

from pluvo_client.schema.contract import documented_schema

if TYPE_CHECKING:
    from graphql import SelectionSetNode

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


def checked(document: str) -> DocumentNode:
    """Parse a document; those that differ in texts only are validated once."""
    _validate(_TEXT.sub('""', document))
    return parse(document, no_location=True)


@cache
def _validate(document: str) -> None:
    errors = validate(documented_schema(), parse(document))
    assert not errors, (document, errors)


def only_field(document: DocumentNode) -> FieldNode:
    """Return the one root field of a document."""
    (operation,) = document.definitions
    (field,) = operation.selection_set.selections  # type: ignore[attr-defined]
    assert isinstance(field, FieldNode)
    return field


def arguments(field: FieldNode, kind: str) -> dict[str, Any]:
    """Return the arguments of a root field, with the defaults of the schema."""
    owner = getattr(documented_schema(), f"{kind}_type")
    return get_argument_values(owner.fields[field.name.value], field)


def projected(node: Any, selected: SelectionSetNode | None) -> Any:
    """Return of an object what a selection asks for."""
    if selected is None or node is None:
        return node
    if isinstance(node, list):
        return [projected(item, selected) for item in node]
    found: dict[str, Any] = {}
    for part in selected.selections:
        if isinstance(part, InlineFragmentNode):
            assert part.type_condition is not None
            if part.type_condition.name.value == node["__typename"]:
                found |= projected(node, part.selection_set)
        else:
            assert isinstance(part, FieldNode)
            name = part.name.value
            found[part.alias.value if part.alias else name] = projected(
                node[name], part.selection_set
            )
    return found


def effects(text: str) -> list[str]:
    """Return what a mutation asks for, user by user, whatever the order of its parts."""
    field = only_field(parse(f"mutation {{ {text} }}", no_location=True))
    given = arguments(field, "mutation")
    name = field.name.value
    if "userIds" in given:
        users = given.pop("userIds")
        return [f"{name} {_sorted(given)} {user}" for user in users]
    return [f"{name} {_sorted(given)}"]


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return [(name, _sorted(item)) for name, item in sorted(value.items())]
    return sorted(map(str, map(_sorted, value))) if isinstance(value, list) else value

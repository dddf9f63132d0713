"""How an organization's schema differs from the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLEnumType, get_named_type, is_abstract_type

if TYPE_CHECKING:
    from graphql import GraphQLSchema


def differences(documented: GraphQLSchema, live: GraphQLSchema) -> list[str]:
    """Return what `live` lacks and adds, such as `lacks User.archivedAt`.

    Only what queries lead to is compared; a type that is missing as a whole is said once.
    """
    ours, theirs = _items(documented), _items(live)
    return [
        f"{word} {item}"
        for word, items, others in (("lacks", ours, theirs), ("adds", theirs, ours))
        for item in sorted(items - others)
        if "." not in item or item.split(".")[0] in others
    ]


def _items(schema: GraphQLSchema) -> set[str]:
    """Return the types that queries lead to, their fields, arguments and enum values."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting: list[Any] = [schema.query_type]
    while waiting:
        kind = waiting.pop()
        if kind.name in seen or kind.name.startswith("__"):
            continue
        seen.add(kind.name)
        found.add(kind.name)
        if isinstance(kind, GraphQLEnumType):
            found.update(f"{kind.name}.{value}" for value in kind.values)
        if is_abstract_type(kind):
            waiting += schema.get_possible_types(kind)
        for name, field in getattr(kind, "fields", {}).items():
            found.add(f"{kind.name}.{name}")
            waiting.append(get_named_type(field.type))
            for argument, definition in getattr(field, "args", {}).items():
                found.add(f"{kind.name}.{name}({argument}:)")
                waiting.append(get_named_type(definition.type))
    return found

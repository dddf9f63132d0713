"""Columns of rows as fields of the inputs that mutations take."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from graphql import GraphQLEnumType

from pluvo_client.schema.documents import Enum, snake_case
from target_pluvo.rows import RejectedError, boolean, integer, moment, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphql import GraphQLNamedType

    from target_pluvo.live import Live
    from target_pluvo.rows import Row

LISTS = {"roles"}  # inputs whose value is a list of an enum's names

# By the name of a scalar, how a value is read; all others are texts.
_READ: dict[str, Callable[[str, Any], Any]] = {
    "Boolean": boolean,
    "Int": integer,
    "DateTime": moment,
    "Date": lambda column, value: moment(column, value).date(),
}


class Columns:
    """The columns of a stream whose rows are objects: users, groups, trainings.

    `inputs` are the mutations and arguments that take them. A column is named as the field, in
    snake_case; one that no input takes is no column.
    """

    def __init__(self, live: Live, root: str, inputs: Iterable[tuple[str, str]]) -> None:
        self._of = {mutation: live.fields(mutation, argument) for mutation, argument in inputs}
        self._types: dict[str, GraphQLNamedType] = {}
        for fields in self._of.values():
            self._types |= fields
        self.readable = {name for name in self._types if live.has(root, name)}
        self._fields = {snake_case(name): name for name in self._types}

    def takes(self, mutation: str, name: str) -> bool:
        """Tell whether the input of a mutation has a field."""
        return name in self._of[mutation]

    def values(self, row: Row) -> dict[str, Any]:
        """Return the fields that a row gives, with their values.

        Raises:
            RejectedError: a value cannot be that of its field.
        """
        return {
            self._fields[column]: self._value(column, value)
            for column, value in row.columns().items()
            if column in self._fields and (not isinstance(value, str) or value.strip())
        }

    def names(self, field: str) -> list[str]:
        """Return the names that a field may have as its value, if it is one of an enum."""
        kind = self._types.get(field)
        return list(kind.values) if isinstance(kind, GraphQLEnumType) else []

    def _value(self, column: str, value: Any) -> Any:
        field = self._fields[column]
        kind = self._types[field]
        if field in LISTS:
            return [Enum(word) for word in dict.fromkeys(words(value))]
        if isinstance(kind, GraphQLEnumType):
            word = str(value).strip().upper()
            if word not in kind.values:
                msg = f"`{column}` is none of {', '.join(kind.values)}"
                raise RejectedError(msg)
            return Enum(word)
        read = _READ.get(kind.name)
        return read(column, value) if read else str(value)

    def differing(self, wanted: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields whose value is not that of the live object, as far as it shows them."""
        return {
            name: value
            for name, value in wanted.items()
            if name in self.readable and not _same(name, value, node.get(name))
        }

    def readable_of(self, mutation: str) -> set[str]:
        """Return the fields of a mutation's input that a live object shows."""
        return self.readable & set(self._of[mutation])


def literal_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as they stand in a document."""
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in values.items()
    }


def _same(name: str, wanted: Any, found: Any) -> bool:
    if isinstance(wanted, list):
        return isinstance(found, list) and set(wanted) == set(found)
    if isinstance(wanted, dt.date) and isinstance(found, str):
        live = moment(name, found)
        day = wanted.date() if isinstance(wanted, dt.datetime) else wanted
        # A date may be given as its midnight, and the other way round.
        whole = len(found) > len("2026-01-31") and isinstance(wanted, dt.datetime)
        return live == wanted if whole else live.date() == day
    if name == "email" and isinstance(found, str):
        return bool(wanted.lower() == found.lower())
    return bool(wanted == found)

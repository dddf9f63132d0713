"""Columns of rows as fields of the inputs that mutations take."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from graphql import GraphQLEnumType

from pluvo_client.schema.documents import Enum, snake_case
from pluvo_singer.values import (
    RejectedError,
    boolean,
    clean,
    integer,
    key,
    moment,
    parse_names,
)
from target_pluvo.remote_state import read_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphql import GraphQLNamedType

    from target_pluvo.remote_state import RemoteState

LISTS = {"roles"}  # inputs whose value is a list of an enum's names
KEYS = {"ref", "email"}  # inputs by which something is found

# By the name of a scalar, how a value is read; all others are texts.
_READ: dict[str, Callable[[Any, str], Any]] = {
    "Boolean": boolean,
    "Int": integer,
    "DateTime": moment,
    "Date": lambda value, column: moment(value, column).date(),
}


class Columns:
    """The columns of a stream whose rows are objects: users, groups, trainings.

    `inputs` are the mutations and arguments that take them. A column is named as the field, in
    snake_case; one that no input takes is no column.
    """

    def __init__(self, state: RemoteState, root: str, inputs: Iterable[tuple[str, str]]) -> None:
        self._of = {mutation: state.fields(mutation, argument) for mutation, argument in inputs}
        self._types: dict[str, GraphQLNamedType] = {}
        for fields in self._of.values():
            self._types |= fields
        self.readable = {name for name in self._types if state.has(root, name)}
        self._fields = {snake_case(name): name for name in self._types}

    @property
    def names(self) -> set[str]:
        """The columns."""
        return set(self._fields)

    def accepts(self, mutation: str, name: str) -> bool:
        """Tell whether the input of a mutation has a field."""
        return name in self._of[mutation]

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that a row gives, with their values, by the columns that have one.

        Raises:
            RejectedError: a value cannot be that of its field.
        """
        found = {
            self._fields[column]: self._value(column, value)
            for column, value in given.items()
            if column in self._fields
        }
        return {name: value for name, value in found.items() if value is not None}

    def _value(self, column: str, value: Any) -> Any:
        field = self._fields[column]
        kind = self._types[field]
        if isinstance(kind, GraphQLEnumType):
            names = parse_names(value) if field in LISTS else [str(value).upper()]
            if not set(names) <= set(kind.values):
                msg = f"`{column}` is none of {', '.join(kind.values)}"
                raise RejectedError(msg, column)
            found = [Enum(name) for name in dict.fromkeys(names)]
            return found if field in LISTS else found[0]
        if field in KEYS:
            return key(value, column)
        if read := _READ.get(kind.name):
            return read(value, column)
        if isinstance(value, dict | list):
            msg = f"`{column}` is not a text"
            raise RejectedError(msg, column)
        return str(value)

    def differing(self, wanted: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields whose value is not that of the live object, as far as it shows them."""
        return {
            name: value
            for name, value in wanted.items()
            if name in self.readable and not _same(name, value, node.get(name))
        }


def literal_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as they stand in a document."""
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in values.items()
    }


def _same(name: str, wanted: Any, found: Any) -> bool:
    """Tell whether a value is what the live object has, read in the same way."""
    if isinstance(wanted, list):
        return isinstance(found, list) and set(wanted) == set(found)
    if isinstance(wanted, dt.date) and isinstance(found, str):
        live = moment(found, name)
        day = wanted.date() if isinstance(wanted, dt.datetime) else wanted
        # A date may be given as its midnight, and the other way round.
        whole = len(found) > len("2026-01-31") and isinstance(wanted, dt.datetime)
        return live == wanted if whole else live.date() == day
    if name in KEYS:
        live_key = read_key(found) or ""
        return bool(
            wanted.casefold() == live_key.casefold() if name == "email" else wanted == live_key
        )
    try:
        return bool(wanted == clean(found, name))
    except RejectedError:
        return False

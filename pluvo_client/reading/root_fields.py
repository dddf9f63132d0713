"""What can be asked of the API: root fields of a query, and how their answers are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pluvo_client.errors import NotFoundError, ProtocolError
from pluvo_client.reading.answers import count_of, items
from pluvo_client.schema.documents import call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pluvo_client.reading.connection import Connection, Page, Position
    from pluvo_client.schema.selection import Record

A_co = TypeVar("A_co", covariant=True)


class RootField(Protocol[A_co]):
    """A root field of a query, and how its answer is read."""

    @property
    def about(self) -> str:
        """The kind of object, such as `group`, that it is about and that may be gone, or ""."""

    @property
    def text(self) -> str:
        """The field with its arguments and selection."""

    def parse(self, answer: Any) -> A_co:
        """Return what the answer says.

        Raises:
            ProtocolError: the answer cannot be right; the field is asked for again.
        """


@dataclass(frozen=True)
class PageField:
    """One page of a connection: `first` rows from `position` on."""

    connection: Connection
    first: int
    position: Position

    @property
    def about(self) -> str:
        """The kind of the object that holds the connection, and may be gone by now."""
        return (self.connection.parent or "").partition("(")[0].lower()

    @property
    def text(self) -> str:
        """The connection itself, or its parent with the connection inside."""
        body = self.connection.body(self.first, self.position)
        parent = self.connection.parent
        return body if parent is None else f"{parent} {{ {body} }}"

    def parse(self, answer: Any) -> Page:
        """Return the page."""
        if self.connection.parent is not None:
            if not isinstance(answer, dict):
                msg = f"the parent of `{self.connection.field}` came empty"
                raise ProtocolError(msg)
            answer = answer.get(self.connection.field)
        return self.connection.page(answer, self.first, self.position)


@dataclass(frozen=True)
class CountField:
    """The count of a connection, with the smallest page that can be asked for."""

    connection: Connection
    about = ""

    @property
    def text(self) -> str:
        """The root field."""
        arguments = {**self.connection.arguments, "first": 1}
        return f"{call(self.connection.field, arguments)} {{ count }}"

    def parse(self, answer: Any) -> int | None:
        """Return the count; None where the API gives null."""
        return count_of(self.connection.field, answer)


@dataclass(frozen=True)
class ListField(Generic[A_co]):
    """A list that has no pages: `field` with its selection.

    `record` makes a record, or whatever else is wanted, of each item.
    """

    field: str
    arguments: Mapping[str, Any]
    selection: str
    record: Callable[[Record], A_co]
    about: str = ""

    @property
    def text(self) -> str:
        """The root field."""
        return f"{call(self.field, self.arguments)} {{ {self.selection} }}"

    def parse(self, answer: Any) -> list[A_co]:
        """Return what `record` makes of the items.

        Raises:
            ProtocolError: the answer is not a list of objects.
        """
        return [self.record(item) for item in items(self.field, answer)]


@dataclass(frozen=True)
class ObjectField:
    """The object of a root field `field` that has an id, as a list of one.

    `record` makes a record of the node.
    """

    field: str
    object_id: str
    selection: str
    record: Callable[[Record], Record]

    @property
    def about(self) -> str:
        """The kind of object, which may be gone."""
        return self.field

    @property
    def text(self) -> str:
        """The root field."""
        return f"{call(self.field, {'id': self.object_id})} {{ {self.selection} }}"

    def parse(self, answer: Any) -> list[Record]:
        """Return the record.

        Raises:
            NotFoundError: the API has no such object.
        """
        if answer is None:
            msg = f"the API has no {self.field} of this id"
            raise NotFoundError(msg, self.field)
        return [self.record(*items(self.field, [answer]))]


@dataclass(frozen=True)
class AnythingField:
    """Whether a root field, a connection or a list, gives anything at all."""

    field: str
    arguments: Mapping[str, Any]
    is_list: bool = False
    about = ""

    @property
    def text(self) -> str:
        """The root field, with the least that can be asked for."""
        if self.is_list:
            return f"{call(self.field, self.arguments)} {{ __typename }}"
        return f"{call(self.field, {**self.arguments, 'first': 1})} {{ edges {{ cursor }} }}"

    def parse(self, answer: Any) -> bool:
        """Return whether it does."""
        edges = answer.get("edges") if isinstance(answer, dict) else None
        return bool(items(self.field, answer if self.is_list else edges))

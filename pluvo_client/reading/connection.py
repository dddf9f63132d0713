"""Relay connections: how a page is asked for, and what an answer must be to be one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from pluvo_client.errors import ProtocolError
from pluvo_client.reading.answers import count_of
from pluvo_client.schema.documents import call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pluvo_client.schema.selection import Record

ARCHIVED = "archived"  # the argument by which a list is asked for in two halves
Position = int | str | None  # an offset, or the cursor after which a page begins (None: the start)


class Page(NamedTuple):
    """One page of a connection.

    Attributes:
        records: in order.
        total: rows of the whole connection by its own count, or None if the API gives none.
        has_next: whether another page follows.
        resume: the position of a page that begins with this page's last row.
    """

    records: list[Record]
    total: int | None
    has_next: bool
    resume: Position

    @property
    def size(self) -> int:
        """How many rows it has."""
        return len(self.records)


def as_it_is(node: Record) -> Record:
    """Return a node that needs nothing to be a record."""
    return node


@dataclass(frozen=True)
class Connection:
    """A connection to read: a root field, or a field of the object that `parent` gives.

    `by_offset` says how it is paged, `counted` whether the API gives its count; `record` makes a
    record of a node.
    """

    field: str
    arguments: Mapping[str, Any]
    selection: str
    by_offset: bool = True
    counted: bool = True
    parent: str | None = None
    record: Callable[[Record], Record] = as_it_is

    def inside(self, parent: str) -> Connection:
        """Return the same connection as a field of the object that `parent` gives."""
        return replace(self, parent=parent)

    def body(self, first: int, position: Position) -> str:
        """Return the field with arguments and selection, as it stands in its parent."""
        paging = {"offset": position or None} if self.by_offset else {"after": position}
        edges = "node" if self.by_offset else "cursor node"
        return (
            call(self.field, {**self.arguments, "first": first, **paging})
            + (" { count" if self.counted else " {")
            + f" pageInfo {{ hasNextPage }} edges {{ {edges} {{ {self.selection} }} }} }}"
        )

    def page(self, answer: Any, first: int, position: Position) -> Page:
        """Return the page that an answer holds; the server may give less than `first` rows.

        Raises:
            ProtocolError: the answer is not what Relay promises.
        """
        where = f"`{self.field}`"
        if not isinstance(answer, dict) or not isinstance(answer.get("edges"), list):
            msg = f"{where} came without edges"
            raise ProtocolError(msg)
        edges = answer["edges"]
        nodes = [edge.get("node") if isinstance(edge, dict) else None for edge in edges]
        if not all(isinstance(node, dict) for node in nodes):
            msg = f"{where} came with an empty node"
            raise ProtocolError(msg)
        records = [self.record(node) for node in nodes if node is not None]
        info = answer.get("pageInfo")
        has_next = info.get("hasNextPage") if isinstance(info, dict) else None
        if not isinstance(has_next, bool):
            msg = f"{where} does not say whether another page follows"
            raise ProtocolError(msg)
        if has_next and len(nodes) < min(first, 2):  # two, as neighbouring pages share a row
            msg = f"{where} gave {len(nodes)} of {first} rows although more follow"
            raise ProtocolError(msg)
        if len(nodes) > first:
            msg = f"{where} gave {len(nodes)} rows where {first} were asked for"
            raise ProtocolError(msg)
        total = count_of(self.field, answer) if self.counted else None
        resume = (
            self._resume_offset(len(nodes), total, has_next, position)
            if self.by_offset
            else self._resume_cursor(edges, has_next, position)
        )
        return Page(records, total, has_next, resume)

    def _resume_offset(
        self, rows: int, total: int | None, has_next: bool, position: Position
    ) -> int:
        assert not isinstance(position, str)  # noqa: S101 - by_offset says so
        end = (position or 0) + rows
        if rows and total is not None and end + has_next > total:
            msg = f"`{self.field}` gave more rows than the {total} that it counts"
            raise ProtocolError(msg)
        return end - 1

    def _resume_cursor(
        self, edges: list[dict[str, Any]], has_next: bool, position: Position
    ) -> str | None:
        cursors = [edge.get("cursor") for edge in edges[-2:]]
        resume = cursors[0] if cursors else None
        if has_next and (not isinstance(resume, str) or resume == position):
            msg = f"`{self.field}` gave a cursor that does not move"
            raise ProtocolError(msg)
        return resume

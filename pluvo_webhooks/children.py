"""Which children objects had when the tap read them, such as the members of a group.

What ended is kept as well, with the sequence number up to which events were read when that was
noticed: a reader whose bookmark is before it has yet to be told, for instance since its target
failed after the tap had read. Once events up to there were purged, nobody asks any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update

from pluvo_webhooks.database import lock, transaction
from pluvo_webhooks.tables import children

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine

Place = tuple[str, str]  # a parent, and the key of one of its children

_AT_ONCE = 500  # values in one statement; the databases' own limits are higher
_PLACE = (
    children.c.stream == bindparam("_stream"),
    children.c.parent_id == bindparam("_parent"),
    children.c.key == bindparam("_key"),
)


class Child(NamedTuple):
    """A child of an object.

    Attributes:
        key: what tells it from others, as text that only its reader understands.
        member_id: the object that it ties to its parent, such as a user; "" if there is none.
        digest: of what the row says of that object.
    """

    key: str
    member_id: str = ""
    digest: str = ""


class KnownChild(NamedTuple):
    """A child as it was read last.

    Attributes:
        parent_id: the object that has it.
        key: as it was given.
        member_id: as it was given.
        digest: as it was given.
        touched: up to which event the reader knew the log that found it, or that it was not as
            before, or had ended.
        ended: whether it is gone.
    """

    parent_id: str
    key: str
    member_id: str
    digest: str
    touched: int
    ended: bool


class Children:
    """The children of the objects of each stream; every method raises InboxError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, stream: str, parent_ids: Iterable[str]) -> list[KnownChild]:
        """Return the children that objects have and had."""
        return self._found(stream, children.c.parent_id, parent_ids)

    def with_members(self, stream: str, member_ids: Iterable[str]) -> list[KnownChild]:
        """Return the children that tie, or tied, some objects to their parents."""
        return self._found(stream, children.c.member_id, member_ids)

    def touched_after(self, stream: str, sequence: int) -> list[KnownChild]:
        """Return the children that came, changed or ended in reads that knew more than that."""
        return self._select(stream, children.c.touched > sequence)

    def note(
        self, stream: str, found: Iterable[tuple[str, Child]], sequence: int, reading: int
    ) -> None:
        """Record some of the children that a full read finds; `sweep` ends it.

        Args:
            stream: of the children.
            found: children, each after the object that has it.
            sequence: of the last event that was known when the read began.
            reading: a number that no other full read has.
        """
        now = {(parent, child.key): child for parent, child in found}
        with transaction(self._engine) as connection:
            lock(connection)
            known = _known(connection, stream, {parent for parent, _ in now})
            _put(connection, stream, _changed(now, known, sequence), known, ended=False)
            if now:
                connection.execute(
                    update(children).values(seen=reading).where(*_PLACE), _places(stream, now)
                )

    def sweep(self, stream: str, sequence: int, reading: int) -> None:
        """Record that children which a full read has not found have ended."""
        with transaction(self._engine) as connection:
            connection.execute(
                update(children)
                .values(ended=True, touched=sequence)
                .where(
                    children.c.stream == stream,
                    children.c.ended.is_(False),
                    children.c.seen != reading,
                )
            )

    def replace(self, stream: str, found: Mapping[str, Iterable[Child]], sequence: int) -> None:
        """Record all children that objects have now; others of theirs have ended.

        Args:
            stream: of the children.
            found: the children of each object.
            sequence: of the last event that was known when they were read.
        """
        now = {(parent, child.key): child for parent, given in found.items() for child in given}
        with transaction(self._engine) as connection:
            lock(connection)
            known = _known(connection, stream, found)
            ended = [
                (place, Child(*child[1:4]), sequence)
                for place, child in known.items()
                if place not in now and not child.ended
            ]
            _put(connection, stream, _changed(now, known, sequence), known, ended=False)
            _put(connection, stream, ended, known, ended=True)

    def end(self, stream: str, gone: Iterable[KnownChild], sequence: int) -> None:
        """Record that children have ended."""
        with transaction(self._engine) as connection:
            lock(connection)
            places = [
                ((child.parent_id, child.key), Child(*child[1:4]), sequence) for child in gone
            ]
            _put(connection, stream, places, {place for place, _, _ in places}, ended=True)

    def forget_ended(self, stream: str, sequence: int) -> None:
        """Forget children that had ended by this event."""
        with transaction(self._engine) as connection:
            connection.execute(
                delete(children).where(
                    children.c.stream == stream,
                    children.c.ended.is_(True),
                    children.c.touched <= sequence,
                )
            )

    def _found(
        self, stream: str, column: ColumnElement[str], values: Iterable[str]
    ) -> list[KnownChild]:
        return [
            child
            for some in _chunks(list(values))
            for child in self._select(stream, column.in_(some))
        ]

    def _select(self, stream: str, condition: ColumnElement[bool]) -> list[KnownChild]:
        with transaction(self._engine) as connection:
            return _rows(connection, stream, condition)


def _rows(connection: Connection, stream: str, condition: ColumnElement[bool]) -> list[KnownChild]:
    columns = [children.c[name] for name in KnownChild._fields]
    rows = connection.execute(select(*columns).where(children.c.stream == stream, condition))
    return [KnownChild(*row) for row in rows]


def _known(connection: Connection, stream: str, parents: Iterable[str]) -> dict[Place, KnownChild]:
    return {
        (child.parent_id, child.key): child
        for some in _chunks(list(parents))
        for child in _rows(connection, stream, children.c.parent_id.in_(some))
    }


def _changed(
    now: Mapping[Place, Child], known: Mapping[Place, KnownChild], sequence: int
) -> list[tuple[Place, Child, int]]:
    """Return the children that are new or not as they were, each with what touched it.

    One that is not as it was is touched, too: a reader that has not been told of it, since its
    target failed or since another reader noticed it, has to read it again.
    """
    return [
        (place, child, sequence)
        for place, child in now.items()
        if (before := known.get(place)) is None or before.ended or before[2:4] != child[1:]
    ]


def _places(stream: str, places: Iterable[Place]) -> list[dict[str, str]]:
    """Return the values of `_PLACE`, so that one statement serves all places."""
    return [{"_stream": stream, "_parent": parent, "_key": key} for parent, key in places]


def _put(
    connection: Connection,
    stream: str,
    placed: Sequence[tuple[Place, Child, int]],
    known: Iterable[Place],
    *,
    ended: bool,
) -> None:
    """Write children anew."""
    there = set(known)
    if before := [place for place, _, _ in placed if place in there]:
        connection.execute(delete(children).where(*_PLACE), _places(stream, before))
    rows = [
        {"stream": stream, "parent_id": place[0], "touched": touched, "ended": ended, "seen": 0}
        | child._asdict()
        for place, child, touched in placed
    ]
    if rows:
        connection.execute(insert(children), rows)


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]

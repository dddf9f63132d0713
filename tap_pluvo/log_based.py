"""Streams that can be read by what webhooks say has changed: replication method LOG_BASED.

An event says only *that* something changed: the object that it is about is asked for, and given as
it is now. What is gone is given with its key and `_sdc_deleted_at`. Everything is read in the first
run, every `reconcile_days`, and whenever events may be missing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from typing_extensions import override

from pluvo_client.errors import UnavailableError
from pluvo_client.reading.root_fields import ObjectField
from pluvo_client.schema.columns import response_keys
from pluvo_client.schema.selection import complete
from tap_pluvo.bookmark import LogBookmark
from tap_pluvo.inputs import DELETED_AT, LOG_BASED
from tap_pluvo.stream import PluvoStream
from tap_pluvo.stream_schema import stream_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pluvo_client.schema.selection import Record
    from pluvo_webhooks.children import Child, KnownChild
    from pluvo_webhooks.inbox import InboxEvent
    from tap_pluvo.event_log import EventLog

    Ids = dict[str, set[str]]  # of objects, by their kind

# What events call a kind of object, and so does the API's root field for one -> that for a list.
LISTS = {"user": "paginatedUsers", "group": "paginatedGroups", "training": "paginatedTrainings"}
_KINDS = {field: kind for kind, field in LISTS.items()}

FEW = 500  # objects that are asked for one by one, whatever a full read may cost
_BUFFER = 5000  # children that are recorded together


class Member(NamedTuple):
    """The object that a child ties to its parent, such as the user who is a group's member.

    Attributes:
        kind: of object.
        column: of the child that names it.
        copies: columns of the child that repeat the object's own fields, and those fields.
    """

    kind: str
    column: str
    copies: Mapping[str, str]


class LogBasedStream(PluvoStream):
    """A stream of objects, or of the children of objects, that events can be about.

    `kinds` are those of the objects; `parent` is the column that names the object whose child a
    row is (None: the row is the object itself); `member` is what else a child is about.
    """

    replicates_by_log = True
    kinds: ClassVar[tuple[str, ...]]
    parent: ClassVar[str | None] = None
    member: ClassVar[Member | None] = None

    _ids: Ids | None = None  # of the objects to be asked for; None: all
    _objects = 0  # that a full read went through

    @property
    @override
    def reads_all(self) -> bool:
        """Whether this run is to give every row."""
        return self.looks_at_all and super().reads_all

    @property
    @override
    def looks_at_all(self) -> bool:
        """Whether this run goes through all rows."""
        return self._ids is None

    @property
    @override
    def reads_changes(self) -> bool:
        """Whether this run reads what events are about, and nothing else."""
        return self._ids is not None

    @property
    @override
    def key_sources(self) -> tuple[str, ...]:
        """The columns that computed keys are made of, and the one that names the parent."""
        sources = super().key_sources
        if self.parent is None or self.replication_method != LOG_BASED:
            return sources
        return (*sources, self.parent)

    @override
    def given(self) -> Iterator[Sequence[Record]]:
        """Give what `read` gives: all of it, or of what changed; and what is gone."""
        if self.replication_method != LOG_BASED or self.session.sample:
            yield from self.read()
            return
        log, bookmark = self.session.event_log, LogBookmark(self.stream_state)
        log.consumed(self.name, bookmark.sequence)  # the target has it, since the state came back
        self._ids = None
        reason, ids = self._what_changed(log, bookmark)
        if reason:
            self.logger.info("%s: reading everything, since %s", self.name, reason)
            self._objects = 0
            for records in self._read_all(log):
                yield [record | {DELETED_AT: None} for record in records]
            bookmark.note_full_read(self.session.started, self._objects)
        else:
            self._ids = ids
            for records in self._read_changes(log, bookmark.sequence, ids):
                yield [{DELETED_AT: None} | record for record in records]
        bookmark.advance(log.last)

    def _what_changed(self, log: EventLog, bookmark: LogBookmark) -> tuple[str | None, Ids]:
        """Return why a full read is due, or else the ids of what changed."""
        if (last := bookmark.full_read_at) is None:
            return "this is the first time", {}
        if self.session.started - last >= dt.timedelta(days=self.settings.reconcile_days):
            return f"the last time was {last.date()}", {}
        if reason := log.misses_after(bookmark.sequence):
            return reason, {}
        ids: Ids = defaultdict(set)
        for event in chain.from_iterable(log.after(bookmark.sequence)):
            concerned = self.concerned(event)
            if concerned is None:
                continue
            kind, object_id = concerned
            if object_id is None:
                return f"event {event.sequence} does not say which {kind} it is about", {}
            ids[kind].add(object_id)
        for kind, more in self.also_changed(log, bookmark.sequence).items():
            ids[kind] |= more
        number = sum(map(len, ids.values()))
        settings = self.settings.client
        requests = number / settings.operations_per_request
        if number > FEW and requests > bookmark.objects / settings.page_size:
            return f"{number:,} objects changed, and that is less work", {}
        return None, ids

    def concerned(self, event: InboxEvent) -> tuple[str, str | None] | None:
        """Return kind and id of the object that is to be asked for; None: none is."""
        kinds = [*self.kinds, *([self.member.kind] if self.member else [])]
        kind = event.object_type
        return None if kind is None or kind not in kinds else (kind, event.object_id)

    def also_changed(self, log: EventLog, sequence: int) -> Ids:  # noqa: ARG002 - of those that do
        """Return objects that changed with others, of which alone there may be events."""
        return {}

    # Full reads

    def _read_all(self, log: EventLog) -> Iterator[Sequence[Record]]:
        """Give everything, and record the children that there are."""
        if self.parent is None:
            yield from self.read()
            return
        reading = time.time_ns()
        found: list[tuple[str, Child]] = []
        with log.in_words():
            log.children.forget_ended(self.name, log.purged_to)
        for records in self.read():
            yield records
            found += [(record[self.parent], self._child(record)) for record in records]
            if len(found) >= _BUFFER:
                self._note(log, found, reading)
        self._note(log, found, reading)
        with log.in_words():
            log.children.sweep(self.name, log.last, reading)

    def _note(self, log: EventLog, found: list[tuple[str, Child]], reading: int) -> None:
        with log.in_words():
            log.children.note(self.name, found, log.last, reading)
        found.clear()

    # Reads of changes

    def _read_changes(self, log: EventLog, since: int, ids: Ids) -> Iterator[Sequence[Record]]:
        """Give the objects of these ids, or their children, as they are, and what is gone."""
        members = ids.pop(self.member.kind, set()) if self.member else set()
        ended = self._ended_with(log, since, members, ids) if members else []
        if any(ids.values()):
            yield from self._read_parents(log, since, ids)
        if ended:
            yield [self._gone(child.key) for child in ended]

    def _read_parents(self, log: EventLog, since: int, ids: Ids) -> Iterator[Sequence[Record]]:
        asked = set[str]().union(*ids.values())
        found: dict[str, list[Child]] = {parent: [] for parent in asked}
        for records in self.read():
            yield records
            for record in records:
                parent = record[self.parent or "id"]
                found.setdefault(parent, []).append(self._child(record))
        if self.parent is None:
            yield [self._gone(json.dumps([one])) for one in sorted(asked) if not found[one]]
            return
        with log.in_words():
            log.children.replace(self.name, found, log.last)
            known = log.children.of(self.name, asked)
        yield [self._gone(child.key) for child in known if child.ended and child.touched > since]

    def _ended_with(
        self, log: EventLog, since: int, members: set[str], ids: Ids
    ) -> list[KnownChild]:
        """Return the children that ended with their member, and add the parents of others to `ids`.

        Those parents are read again: what their children repeat of the member is no longer so.
        """
        with log.in_words():
            known = log.children.with_members(self.name, members)
        there = [child for child in known if not child.ended]
        now = self._digests({child.member_id for child in there})
        gone = [child for child in there if now[child.member_id] is None]
        (kind,) = self.kinds
        ids[kind] |= {
            child.parent_id
            for child in there
            if now[child.member_id] is not None
            and (now[child.member_id] != child.digest or child.touched > since)
        }
        with log.in_words():
            log.children.end(self.name, gone, log.last)
        ended = gone + [child for child in known if child.ended and child.touched > since]
        return [child for child in ended if child.parent_id not in ids[kind]]

    def _digests(self, ids: Iterable[str]) -> dict[str, str | None]:
        """Return what the rows of members are to repeat of them; None: they are gone."""
        assert self.member is not None  # noqa: S101 - only asked for where there is one
        kind, _, copies = self.member
        names = [copies[column] for column in self._copied()]
        fields = " ".join(["id", *names])
        cache = self.session.looked_up.setdefault((kind, fields), {})
        wanted = set(ids)
        for found in self._one_by_one(kind, sorted(wanted - cache.keys()), fields):
            for node in found:
                cache[node["id"]] = _digest(node[name] for name in names)
        return {one: cache.setdefault(one, None) for one in wanted}

    def _copied(self) -> list[str]:
        """Return the selected columns that repeat something of the member."""
        if self.member is None:
            return []
        node = f"{LISTS[self.member.kind]}.edges.node"
        wanted = {column.name for column in self.selected_columns()}
        return [
            column
            for column, field in self.member.copies.items()
            if column in wanted and self.contract.has(f"{node}.{field}")
        ]

    @override
    def nodes(
        self,
        field: str,
        selection: str,
        record: Callable[[Record], Record] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> Iterator[list[Record]]:
        """Give the nodes of a root connection: all, or those of changed objects."""
        if self._ids is not None:
            ids = self._ids.get(_KINDS[field], ())
            yield from self._one_by_one(_KINDS[field], sorted(ids), selection, record)
            return
        for found in super().nodes(field, selection, record, arguments):
            self._objects += len(found)
            yield found

    def _one_by_one(
        self,
        kind: str,
        ids: Iterable[str],
        selection: str,
        record: Callable[[Record], Record] | None = None,
    ) -> Iterator[list[Record]]:
        """Give objects by their ids, several in a request; those that are gone are left out."""
        if not self.contract.accepts(kind, "id"):
            msg = f"it cannot be read LOG_BASED: the organization's schema lacks `{kind}(id:)`"
            raise UnavailableError(msg)
        record = record or complete(response_keys(selection), ["id"])
        return self.client.lists(ObjectField(kind, one, selection, record) for one in ids)

    # Rows

    def _child(self, record: Record) -> Child:
        from pluvo_webhooks.children import Child  # noqa: PLC0415 - an extra, see `EventLog.open`

        key = json.dumps([record[name] for name in stream_schema(self.name).key])
        if self.member is None:
            return Child(key)
        copies = _digest(record[column] for column in self._copied())
        return Child(key, record[self.member.column], copies)

    def _gone(self, key: str) -> Record:
        """Return the row that says that the one of this key is gone."""
        blank = dict.fromkeys(column.name for column in self.selected_columns())
        values = zip(stream_schema(self.name).key, json.loads(key), strict=True)
        return blank | dict(values) | {DELETED_AT: self.session.started.isoformat()}


def _digest(values: Iterable[Any]) -> str:
    """Return a short text that is another one for other values, and shows none of them."""
    return hashlib.sha256(json.dumps([*values]).encode()).hexdigest()[:16]

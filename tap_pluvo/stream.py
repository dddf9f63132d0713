"""What all streams share: reading, and going on where the API turns out to lack something.

The SDK's `Stream` writes the messages; `get_records`, its documented extension point, is where our
own reading stands.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import deque
from functools import cached_property
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar, TypeVar

from typing_extensions import override

from pluvo_client.errors import (
    ConfigurationError,
    IncompleteError,
    SchemaDifferenceError,
    UnavailableError,
)
from pluvo_client.reading.connection import Connection
from pluvo_client.schema.columns import response_keys
from pluvo_client.schema.documents import literal
from pluvo_client.schema.selection import Selection, complete
from pluvo_client.schema.values import moment
from tap_pluvo.bookmark import Bookmark
from tap_pluvo.catalog_stream import FULL_TABLE, CatalogStream
from tap_pluvo.progress import with_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from singer_sdk import Tap
    from singer_sdk.helpers import types

    from pluvo_client.client import PluvoClient
    from pluvo_client.errors import Difference
    from pluvo_client.reading.list_reader import ListReader
    from pluvo_client.reading.row_collector import Row
    from pluvo_client.schema.selection import Record
    from tap_pluvo.session import Session
    from tap_pluvo.settings import Settings

T = TypeVar("T")

NO_ID = "00000000-0000-0000-0000-000000000000"  # an id that no object has


class PluvoStream(CatalogStream):
    """A stream of the Pluvo API.

    Beside what `CatalogStream` asks for, subclasses declare the `scopes` that reading is believed
    to need, and `read`.
    """

    scopes: ClassVar[tuple[str, ...]]
    takes_filters: ClassVar[bool] = True

    def __init__(self, tap: Tap, session: Session) -> None:
        super().__init__(tap, session)
        self.when_read: Callable[[], None] = lambda: None  # called when all rows were emitted
        self.left_out = False
        self._replanned = False  # after it had given rows
        self._said: set[str] = set()

    def read(self) -> Iterator[Sequence[Record]]:
        """Give the stream's records, a page at a time."""
        raise NotImplementedError

    def given(self) -> Iterator[Sequence[Record]]:
        """Give what this run is to emit of the records."""
        return self.read()

    @override
    def get_records(self, context: types.Context | None) -> Iterable[Record]:
        """Give the stream's records.

        Raises:
            PluvoError: they could not be read completely.
        """
        self.client.authenticator.require(self.scopes)
        return with_progress(self.progress, self._finished(self._read_adapting()), self.logger)

    @property
    def read_everything(self) -> bool:
        """Whether the read that has just ended gave every row that the stream has."""
        return self.reads_all and self.kept_plan

    @property
    def kept_plan(self) -> bool:
        """Whether what was asked for is known to give every row, from the first to the last.

        It is not where a filter is set, or where arguments or enum values, which choose rows, were
        refused in this run.
        """
        refused = any(item.kind in {"argument", "value"} for item in self.contract.refused)
        return not (self._replanned or refused or self.filters())

    @property
    def counted(self) -> int | None:
        """How many rows the stream has by the server's own count; None: it gives none of these."""
        return None

    # What `read` builds on

    @property
    def client(self) -> PluvoClient:
        """The organization."""
        return self.session.client

    @property
    def settings(self) -> Settings:
        """What to read."""
        return self.session.settings

    @property
    def root(self) -> str:
        """The root field that the stream is read from."""
        return self.root_field()

    @cached_property
    def bookmark(self) -> Bookmark:
        """Up to where earlier runs, and this one, have read."""
        found = Bookmark(self.stream_state, self.replication_key, self.session.started)
        for name in found.clamped:
            self.say_once(
                f"`{name}` in the state lies in the future: it is taken as now; if rows may be "
                "missing, start the stream anew"
            )
        return found

    def filters(self) -> dict[str, Any]:
        """Return the API arguments that the setting `filters` gives for this stream."""
        return self.session.filters.get(self.name, {})

    def select(self) -> Selection:
        """Return how the selected columns are asked for; say once what the API lacks.

        Raises:
            UnavailableError: the API lacks a key, or all of the stream.
        """
        kind = self.contract.type_at(self.node)
        if (reason := self.unavailable(self.contract)) or kind is None:
            raise UnavailableError(reason)
        selection = Selection(self.contract, kind, self.selected_columns())
        for name in self.lacking_columns(selection):
            self.say_once(f"the organization's schema lacks the column {name}: it stays empty")
        return selection

    def ref_of(self, path: str, column: str) -> str:
        """Return the selection of an outer object's `ref`, if its column is wanted."""
        wanted = any(item.name == column for item in self.selected_columns())
        return " ref" if wanted and self.contract.has(f"{path}.ref") else ""

    def nodes(
        self,
        field: str,
        selection: str,
        record: Callable[[Record], Record] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> Iterator[list[Record]]:
        """Give all nodes of a root connection, whose `id` is their key, a page at a time."""
        plan = self.client.plan(itemgetter("id"))
        record = record or complete(response_keys(selection), ["id"])
        for rows in self.rows(self.client.reader(field, selection, arguments or {}, plan, record)):
            yield [node for node, _ in rows]

    def rows(self, reader: ListReader) -> Iterator[list[Row]]:
        """Give the rows of a reader, a page at a time, and note how it goes."""
        self.progress.reader = reader
        reading, emitted = reader.read(), 0
        try:
            while True:
                rows = next(reading)
                emitted += len(rows)
                yield rows
        except StopIteration as end:
            self.progress.note(end.value, emitted)
        except IncompleteError as error:
            if error.outcome is not None:
                self.progress.note(error.outcome, emitted)
            raise

    def nested(self, path: str, selection: Selection) -> Connection:
        """Return a connection inside other nodes; such ones are paged by cursors only."""
        return Connection(
            path.rsplit(".", 1)[-1],
            {},
            selection.text,
            by_offset=False,
            counted=self.contract.has(f"{path}.count"),
            record=selection.record,
        )

    def say_once(self, sentence: str) -> None:
        """Log a warning, unless it was logged before."""
        if sentence not in self._said:
            self._said.add(sentence)
            self.logger.warning("%s: %s", self.name, sentence)

    # Between `read` and the SDK

    def _read_adapting(self) -> Iterator[Sequence[Record]]:
        """Give the records, again from the start where the API turned out to lack something.

        What it lacks shows in the answer to the first request of a kind, so hardly anything is
        read twice; what is, is given twice, as "at least once" allows.
        """
        while True:
            try:
                yield from self.given()
            except SchemaDifferenceError as error:
                new = self.contract.refuse(error.differences)
                if not new:
                    raise
                if lost := [item for item in new if self._is_filter(item)]:
                    msg = (
                        f"setting `filters`: the organization's schema lacks "
                        f"{', '.join(map(str, lost))}"
                    )
                    raise ConfigurationError(msg) from error
                self.logger.info("%s: %s; going on without", self.name, error)
                self._replanned |= self.progress.rows > 0
                self.progress.begin_again()
            except UnavailableError as error:
                if self.session.chosen or self.progress.rows:
                    raise
                # Nobody asked for this stream by name, so it is left out as at discovery.
                self.left_out = True
                self.say_once(f"left out: {error}")
                return
            else:
                if equal := self.progress.indistinguishable:
                    self.say_once(
                        f"up to {equal:,} rows that are equal to others may not have been emitted: "
                        "nothing in the report tells how many there are"
                    )
                self.when_read()
                return

    def _finished(self, pages: Iterable[Sequence[Record]]) -> Iterable[Sequence[Record]]:
        """Add the organization, and drop columns that were needed but are not selected."""
        hidden = [name for name in self.columns if not self.mask[("properties", name)]]
        organization = self.session.organization
        label = {} if organization is None else {"organization": organization}
        if not hidden and not label:
            return pages
        return (
            [
                {name: value for name, value in record.items() if name not in hidden} | label
                for record in records
            ]
            for records in pages
        )

    def _is_filter(self, item: Difference) -> bool:
        given = self.filters()
        if item.kind == "value":
            return item.name in re.findall(r"\w+", literal([*given.values()]))
        return any(item.name.endswith(f"({argument})") for argument in given)


class ClientSideIncrementalStream(PluvoStream):
    """A stream whose date the API cannot filter by: everything is read, whatever is to be emitted.

    So everything is emitted, unless the catalog chooses INCREMENTAL: what was deleted shows in no
    date.
    """

    default_method = FULL_TABLE

    def since_bookmark(self, pages: Iterable[Sequence[Record]]) -> Iterator[list[Record]]:
        """Give the records from the bookmark on, and move the bookmark when all were given."""
        key = self.replication_key
        if not self.incremental or key is None:
            for records in pages:
                yield list(records)
            return
        settings = self.settings
        since = settings.start_date.isoformat() if settings.start_date else ""
        until = settings.end_date.isoformat() if settings.end_date else "9999-12-31"
        if self.bookmark.value and not settings.end_date:  # a range is read whatever the bookmark
            start = dt.datetime.fromisoformat(self.bookmark.value)
            since = max(since, (start - dt.timedelta(days=settings.lookback_days)).isoformat())
        latest = ""
        for records in pages:
            new = [
                record
                for record in records
                if (value := record.get(key)) is None or (since <= value and value[:10] <= until)
            ]
            yield new
            latest = max([latest, *(record[key] for record in new if record.get(key))])
        if latest:
            self.bookmark.advance(latest, since)
        end = f"{until}T23:59:59.999999+00:00" if settings.end_date else None
        self.progress.window = (moment(since) if since else None, end)


def prefetch(readers: Iterable[T], number: int) -> Iterator[T]:
    """Give readers in order, with `number` more of them made, and so under way, already."""
    source = iter(readers)
    started = deque(islice(source, number))
    for reader in chain(source, [None] * number):
        if reader is not None:
            started.append(reader)
        if started:
            yield started.popleft()

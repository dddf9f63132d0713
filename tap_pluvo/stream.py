"""What all streams share: columns and selection, reading, bookmarks.

The SDK's `Stream` writes the messages; its documented extension point `get_records` is where our
own reading stands. Two of the SDK's habits are replaced, each where it is overridden below:
bookmarks follow finished windows instead of single records, and ACTIVATE_VERSION comes last.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import deque
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk.metrics import Counter
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.catalog import Metadata, StreamMetadata

from tap_pluvo.connection import Connection, Reader, Reading
from tap_pluvo.errors import (
    ConfigurationError,
    ProtocolError,
    SchemaDifferenceError,
    UnavailableError,
)
from tap_pluvo.fetching import Vanished
from tap_pluvo.progress import watched
from tap_pluvo.query import Column, Plan, additional_columns, call, literal, stream_schema
from tap_pluvo.settings import organization_label

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from singer_sdk.helpers import types
    from singer_sdk.singerlib import Catalog, MetadataMapping, SelectionMask

    from tap_pluvo.contract import Contract
    from tap_pluvo.errors import Difference
    from tap_pluvo.fetching import Fetcher, Question
    from tap_pluvo.query import Record
    from tap_pluvo.settings import Settings
    from tap_pluvo.tap import TapPluvo

FULL_TABLE = "FULL_TABLE"
INCREMENTAL = "INCREMENTAL"

ORGANIZATION = Column(
    "organization",
    {"type": ["string"], "description": "The organization that the row is from."},
    selection=None,
)

OWNERS_AT_ONCE = 50  # groups or trainings whose members are drained side by side
COUNTED_AT_ONCE = 100  # records


@dataclass(frozen=True)
class ListQuestion:
    """The question for a list that has no pages: `field` with its selection."""

    field: str
    arguments: Mapping[str, Any]
    selection: str
    may_vanish: bool = False

    @property
    def text(self) -> str:
        """The root field."""
        return f"{call(self.field, self.arguments)} {{ {self.selection} }}"

    def read(self, answer: Any) -> list[Record]:
        """Return the items.

        Raises:
            ProtocolError: the answer is no list of objects.
        """
        return items(self.field, answer)


def items(field: str, answer: Any) -> list[Record]:
    """Return a list of objects as it is.

    Raises:
        ProtocolError: the answer is no list of objects.
    """
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        msg = f"`{field}` came without its list, or with an empty item in it"
        raise ProtocolError(msg)
    return answer


class _RecordCounter(Counter):
    """Logs a metric of the SDK every minute or so."""

    def _ready_to_log(self) -> bool:
        return self.value % COUNTED_AT_ONCE == 0 and super()._ready_to_log()


class PluvoStream(Stream):
    """A stream of the Pluvo API.

    Subclasses declare `name`, `node` (the dotted path of API fields to the type whose fields the
    columns are, beginning with a root field), `scopes`, and `read`.
    """

    name: str  # of the class already, not only of its objects
    node: ClassVar[str]
    scopes: ClassVar[tuple[str, ...]]
    default_method: ClassVar[str | None] = None
    needs: ClassVar[tuple[str, ...]] = ()  # columns without which the stream cannot be
    takes_filters: ClassVar[bool] = True
    a_page_is_enough = False  # whether this run only checks what it can read
    widens: ClassVar[bool] = True  # offer fields that only the organization's schema has

    _tap: TapPluvo

    def __init__(self, tap: TapPluvo) -> None:
        """Take the stream's contract from its schema file and from the organization's schema."""
        contract = stream_schema(self.name)
        kind = tap.contract.type_at(self.node)
        extra = (
            additional_columns(tap.contract, kind, contract.columns.values())
            if self.widens and tap.contract.is_live and kind is not None
            else []
        )
        self.columns = {**contract.columns, **{column.name: column for column in extra}}
        self.key = contract.key
        self._organization: str | None = None
        if tap.config.get("add_organization_column"):
            self._organization = organization_label(tap.config)
            self.columns["organization"] = ORGANIZATION
            self.key = (*contract.key, "organization")
        self._extra = frozenset(column.name for column in extra)
        self._unsaid: set[str] = set()
        self.emitted = 0
        self._under_way: Reading | None = None
        self.repairs = 0
        self.left_out = False
        super().__init__(
            tap,
            schema={
                "type": "object",
                "properties": {name: dict(column.schema) for name, column in self.columns.items()},
                "required": list(self.key),
            },
        )
        self.primary_keys = self.key
        self.replication_key = contract.replication_key
        self.forced_replication_method = self.default_method

    # What the organization has

    @classmethod
    def unavailable(cls, contract: Contract) -> str | None:
        """Return why the organization cannot give this stream, or None if it can."""
        kind = contract.type_at(cls.node)
        if kind is None:
            return f"the organization's schema lacks `{cls.node}`"
        schema = stream_schema(cls.name)
        names = (*schema.key, *cls.needs, *filter(None, [schema.replication_key]))
        lacking = Plan(contract, kind, [schema.columns[name] for name in names]).lacking
        if lacking:
            return f"the organization's schema cannot give its key {', '.join(lacking)}"
        return None

    @property
    def contract(self) -> Contract:
        """What the API has."""
        return self._tap.contract

    @property
    def settings(self) -> Settings:
        """The tap's settings."""
        return self._tap.settings

    @property
    def fetcher(self) -> Fetcher:
        """Where questions are asked."""
        return self._tap.fetcher

    @property
    def root(self) -> str:
        """The root field that the stream is read from."""
        return self.node.split(".", 1)[0]

    @property
    def made_of(self) -> tuple[str, ...]:
        """The columns that computed ones are made of, selected or not."""
        return self.needs

    def has(self, path: str) -> bool:
        """Tell whether the API has the field at the end of a dotted path."""
        return self.contract.type_at(path) is not None

    # Catalog

    @property
    def metadata(self) -> MetadataMapping:
        """Catalog metadata: keys are automatic, what the API lacks is unsupported."""
        if self._metadata is None:
            metadata = super().metadata
            if () not in metadata:  # a stream of which nothing is said is selected, and its columns
                metadata[()] = StreamMetadata(selected=True)
            kind = self.contract.type_at(self.node)
            columns = list(self.columns.values())
            lacking = Plan(self.contract, kind, columns).lacking if kind else []
            automatic = {*self.primary_keys, *filter(None, [self.replication_key])}
            for name in self.columns:
                entry = metadata[("properties", name)]
                if name in automatic:
                    entry.inclusion = Metadata.InclusionType.AUTOMATIC
                elif name in lacking and self._tap_input_catalog is None:
                    entry.inclusion = Metadata.InclusionType.UNSUPPORTED
                elif name in self._extra and entry.selected is None:
                    entry.selected_by_default = False
            self._metadata = metadata
        return self._metadata

    @property
    def mask(self) -> SelectionMask:
        """What is selected; a column that an older catalog does not know is not."""
        if self._mask is None:
            self._mask = super().mask
            known = {*self.effective_schema["properties"], *self.primary_keys}
            self._mask.update({("properties", name): False for name in {*self.columns} - known})
        return self._mask

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take selection and replication method from a catalog; the keys stay our own.

        Raises:
            ConfigurationError: the catalog asks for a replication that the stream cannot do.
        """
        replication_key = self.replication_key
        super().apply_catalog(catalog)
        self.primary_keys = self.key
        if self.replication_key not in {None, replication_key}:
            msg = (
                f"catalog: stream {self.name} cannot be replicated by {self.replication_key!r}: "
                f"use {replication_key or 'FULL_TABLE'}"
            )
            raise ConfigurationError(msg)
        self.replication_key = replication_key
        methods = {FULL_TABLE, INCREMENTAL} if replication_key else {FULL_TABLE}
        if self.forced_replication_method not in {None, *methods}:
            msg = (
                f"catalog: stream {self.name} cannot be replicated "
                f"{self.forced_replication_method}: use {' or '.join(sorted(methods))}"
            )
            raise ConfigurationError(msg)

    def selected_columns(self) -> list[Column]:
        """Return the columns that the catalog selects, the keys, and what they are made of."""
        forced = {*self.primary_keys, *self.made_of}
        if self.replication_key:
            forced.add(self.replication_key)
        return [
            column
            for name, column in self.columns.items()
            if name in forced or self.mask[("properties", name)]
        ]

    def plan(self) -> Plan:
        """Return how the selected columns are asked for; say once what the API lacks.

        Raises:
            UnavailableError: the API lacks a key, or all of the stream.
        """
        kind = self.contract.type_at(self.node)
        if (reason := self.unavailable(self.contract)) or kind is None:
            raise UnavailableError(reason)
        plan = Plan(self.contract, kind, self.selected_columns())
        gone = [
            path[1]
            for path, chosen in self.mask.items()
            if len(path) == 2 and chosen and path[1] not in self.columns  # noqa: PLR2004
        ]
        lacking = plan.lacking
        if self._tap.input_catalog is None:
            lacking = Plan(self.contract, kind, list(self.columns.values())).lacking
        for name in [*lacking, *gone]:
            self._say_once(f"the organization's schema lacks the column {name}: it stays empty")
        return plan

    def ref_of(self, path: str, column: str) -> str:
        """Return the selection of an outer object's `ref`, if its column is wanted."""
        wanted = any(item.name == column for item in self.selected_columns())
        return " ref" if wanted and self.has(f"{path}.ref") else ""

    @property
    def expected(self) -> int | None:
        """How many rows the reading under way has by its own count."""
        return self._under_way.expected if self._under_way else None

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._unsaid:
            self._unsaid.add(sentence)
            self.logger.warning("%s: %s", self.name, sentence)

    # Reading

    def read(self) -> Iterable[Record]:
        """Give the stream's records."""
        raise NotImplementedError

    def get_records(self, context: types.Context | None) -> Iterable[Record]:  # noqa: ARG002
        """Give the stream's records.

        Raises:
            PluvoError: they could not be read completely.
        """
        self.fetcher.client.auth.require(self.scopes)
        try:
            yield from watched(self, self._finished(self._adapting()))
        finally:
            self._tap.flush()

    def _adapting(self) -> Iterator[Record]:
        """Give the records, again from the start where the API turned out to lack something.

        What it lacks shows in the answer to the first request of a kind, so hardly anything is
        read twice; what is, is given twice, as "at least once" allows.
        """
        while True:
            try:
                yield from self.read()
            except SchemaDifferenceError as error:
                news = self.contract.refuse(error.differences)
                if not news:
                    raise
                if lost := [item for item in news if self._is_filter(item)]:
                    msg = (
                        f"setting `filters`: the organization's schema lacks "
                        f"{', '.join(map(str, lost))}"
                    )
                    raise ConfigurationError(msg) from error
                self.logger.info("%s: %s; going on without", self.name, error)
                continue
            except UnavailableError as error:
                if self._tap.input_catalog is not None:
                    raise
                # Nobody asked for this stream by name, so it is left out as at discovery.
                self.left_out = True
                self._say_once(f"left out: {error}")
            return

    def _finished(self, records: Iterable[Record]) -> Iterable[Record]:
        """Add the organization, and drop columns that were needed but are not selected."""
        hidden = [name for name in self.columns if not self.mask[("properties", name)]]
        label = {} if self._organization is None else {"organization": self._organization}
        if not hidden and not label:
            return records
        return (
            {name: value for name, value in record.items() if name not in hidden} | label
            for record in records
        )

    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """Give the messages of a record.

        The SDK would look up the selection of each value and conform its type. `Plan` has asked for
        selected columns only and made their values fit, so both would cost time for nothing.
        """
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=dt.datetime.now(dt.UTC),
                )

    def _process_record(self, *_: object, **__: object) -> None:
        """Do nothing: no stream has children or contexts in the SDK's sense."""

    def get_record_counter(self, **options: Any) -> Counter:
        """Return a counter that does not look at the clock for each record."""
        counter = super().get_record_counter(**options)
        return _RecordCounter(counter.metric, counter.tags, counter.log_interval)

    def _is_filter(self, item: Difference) -> bool:
        given = self.filters()
        if item.kind == "value":
            return item.name in re.findall(r"\w+", literal([*given.values()]))
        return any(item.name.endswith(f"({argument})") for argument in given)

    def filters(self) -> dict[str, Any]:
        """Return the API arguments that the setting `filters` gives for this stream."""
        return self._tap.filters.get(self.name, {})

    def reader(self, key: Callable[[Record], str], *, repeats: bool = False) -> Reader:
        """Return how this run reads connections."""
        return Reader(
            self.fetcher,
            self.settings.page_size,
            self.settings.max_repair_passes,
            key,
            repeats=repeats,
        )

    def connection(
        self,
        field: str,
        selection: str,
        arguments: Mapping[str, Any] | None = None,
        shape: Callable[[Record], Record] | None = None,
    ) -> Connection:
        """Return a root connection, paged in the best way that the API has."""
        return Connection(
            field,
            arguments or {},
            selection,
            by_offset=self.contract.accepts(field, "offset"),
            counted=self.has(f"{field}.count"),
            shape=shape or _unchanged,
        )

    def halves(self, field: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the arguments with which everything is read: archived objects, and the others.

        What the API gives when `archived` is left out is not documented.
        """
        if "archived" in arguments or not self.contract.accepts(field, "archived"):
            return [dict(arguments)]
        return [{**arguments, "archived": archived} for archived in (False, True)]

    def nodes(
        self,
        field: str,
        selection: str,
        shape: Callable[[Record], Record] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> Iterator[Record]:
        """Give all nodes of a root connection, whose `id` is their key."""
        connections = [
            self.connection(field, selection, half, shape)
            for half in self.halves(field, arguments or {})
        ]
        for node, _ in self.rows(Reading(self.reader(itemgetter("id")), connections)):
            yield node

    def rows(self, reading: Reading) -> Iterator[tuple[Record, int]]:
        """Give the rows of a reading and note how it goes."""
        self._under_way = reading
        yield from reading
        self.repairs += reading.repairs

    def nested(self, path: str, plan: Plan) -> Connection:
        """Return a connection inside other nodes; such ones are paged by cursors only."""
        return Connection(
            path.rsplit(".", 1)[-1],
            {},
            plan.selection,
            by_offset=False,
            counted=self.has(f"{path}.count"),
            shape=plan.record,
        )

    def lists(self, questions: Iterable[Question[list[Record]]]) -> Iterator[Record]:
        """Give the items of lists that have no pages."""
        for answer in self.fetcher.ask_many(questions):
            if not isinstance(answer, Vanished):
                yield from answer

    # Bookmarks

    @property
    def incremental(self) -> bool:
        """Whether this run reads only what is new."""
        return self.replication_method == INCREMENTAL

    @property
    def bookmark(self) -> str | None:
        """The replication key up to which an earlier run has read."""
        value = self.stream_state.get("replication_key_value")
        return value if isinstance(value, str) else None

    def advance(self, value: str) -> None:
        """Move the bookmark to `value`, never back; what lies before it has been emitted."""
        state = self.stream_state
        if self.bookmark is None or value > self.bookmark:
            state["replication_key"] = self.replication_key
            state["replication_key_value"] = value

    def checkpoint(self) -> None:
        """Write a STATE message now."""
        self.state_manager.is_flushed = False
        self._write_state_message()

    def _increment_stream_state(
        self, latest_record: Record, *, context: types.Context | None = None
    ) -> None:
        """Leave the bookmark: records come in no order, so only `advance` knows where it stands."""

    def _write_starting_replication_value(self, context: types.Context | None) -> None:
        """Write nothing: where a run starts is decided by `read`, by bookmark and settings."""

    def get_replication_key_signpost(self, context: types.Context | None = None) -> None:
        """Give none: `advance` never moves past what was read."""

    @property
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK would write the message before the records.

        A run that is then aborted would have told the target to delete them. The tap writes it
        after a stream that was read completely.
        """
        return False

    @property
    def read_everything(self) -> bool:
        """Whether the read that has just ended gave every row that the stream has."""
        return not self.incremental


class IncrementalOnOurSide(PluvoStream):
    """A stream whose date the API cannot filter by: everything is read, what is new is emitted."""

    def fresh(self, records: Iterable[Record]) -> Iterator[Record]:
        """Give the records from the bookmark on, and move the bookmark when all were given."""
        key = self.replication_key
        if not self.incremental or key is None:
            yield from records
            return
        settings = self.settings
        since = settings.start_date.isoformat() if settings.start_date else ""
        until = settings.end_date.isoformat() if settings.end_date else "9999"
        if self.bookmark:
            start = dt.datetime.fromisoformat(self.bookmark)
            since = max(since, (start - dt.timedelta(days=settings.lookback_days)).isoformat())
        latest = ""
        for record in records:
            value = record.get(key)
            if value is None:
                yield record
            elif since <= value and value[:10] <= until:
                latest = max(latest, value)
                yield record
        if latest:
            self.advance(latest)


def _unchanged(node: Record) -> Record:
    return node


def side_by_side(owners: Iterable[Record]) -> Iterator[list[Record]]:
    """Give owners in lists of a few dozen, whose members are read together."""
    source = iter(owners)
    while batch := list(islice(source, OWNERS_AT_ONCE)):
        yield batch


def ahead(readings: Iterable[Reading], number: int) -> Iterator[Reading]:
    """Give readings in order, with `number` more of them under way already."""
    source = iter(readings)
    started = deque(islice(source, number))
    for reading in chain(source, [None] * number):
        if reading is not None:
            started.append(reading)
        if started:
            yield started.popleft()

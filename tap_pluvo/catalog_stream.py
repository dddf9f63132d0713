"""What a stream has, and what a catalog selects of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from singer_sdk.singerlib import Schema
from singer_sdk.singerlib.catalog import Metadata, StreamMetadata
from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from pluvo_client.schema.columns import Column, additional_columns
from pluvo_client.schema.selection import Selection
from tap_pluvo.inputs import DELETED_AT, LOG_BASED, is_selected
from tap_pluvo.progress import Progress
from tap_pluvo.sdk_stream import SdkStream
from tap_pluvo.stream_schema import stream_schema

if TYPE_CHECKING:
    from singer_sdk import Tap
    from singer_sdk.singerlib import Catalog, CatalogEntry, MetadataMapping, SelectionMask

    from pluvo_client.schema.contract import Contract
    from tap_pluvo.session import Session

FULL_TABLE = "FULL_TABLE"
INCREMENTAL = "INCREMENTAL"

ORGANIZATION = Column(
    "organization",
    {"type": ["string"], "description": "The organization that the row is from."},
    selection=None,
)


class CatalogStream(SdkStream):
    """A stream's columns, keys and selection.

    Subclasses declare `name`, and `node`: the dotted path of API fields, from a root field on, to
    the type whose fields the columns are.
    """

    name: str  # of the class already, not only of its objects
    node: ClassVar[str]
    default_method: ClassVar[str | None] = None
    required_columns: ClassVar[tuple[str, ...]] = ()  # without which the stream cannot be
    replicates_by_log: ClassVar[bool] = False
    offers_live_fields: ClassVar[bool] = True  # further fields that only the live schema has

    @override
    def __init_subclass__(cls) -> None:
        """Take from the contract what the SDK wants to know of the class."""
        super().__init_subclass__()
        if "name" in vars(cls):
            cls.selected_by_default = stream_schema(cls.name).selected_by_default

    def __init__(self, tap: Tap, session: Session) -> None:
        """Take the contract of the output from its schema file and from the live schema."""
        self.session = session
        self.extracted_at = session.started
        self.progress = Progress(self.name)
        self.contract: Contract = session.contract
        schema = stream_schema(self.name)
        kind = self.contract.type_at(self.node)
        extra = (
            additional_columns(self.contract, kind, schema.columns.values())
            if self.offers_live_fields and self.contract.is_live and kind is not None
            else []
        )
        self.columns = {**schema.columns, **{column.name: column for column in extra}}
        self.key = schema.key
        if session.organization is not None:
            self.columns["organization"] = ORGANIZATION
            self.key = (*schema.key, "organization")
        self._extra = frozenset(column.name for column in extra)
        super().__init__(
            tap,
            schema={
                "type": "object",
                "properties": {name: dict(column.schema) for name, column in self.columns.items()},
                "required": list(self.key),
            },
        )
        self.primary_keys = self.key
        self.replication_key = schema.replication_key
        self.forced_replication_method = self.default_method

    @classmethod
    def root_field(cls) -> str:
        """Return the root field that the stream is read from."""
        return cls.node.split(".", 1)[0]

    @classmethod
    def unavailable(cls, contract: Contract) -> str | None:
        """Return why the organization cannot give this stream, or None if it can."""
        kind = contract.type_at(cls.node)
        if kind is None:
            return f"the organization's schema lacks `{cls.node}`"
        schema = stream_schema(cls.name)
        names = (*schema.key, *cls.required_columns, *filter(None, [schema.replication_key]))
        lacking = Selection(contract, kind, [schema.columns[name] for name in names]).lacking
        if lacking:
            return f"the organization's schema cannot give its key {', '.join(lacking)}"
        return None

    @property
    def key_sources(self) -> tuple[str, ...]:
        """The columns that computed keys are made of, selected or not."""
        return self.required_columns

    @property
    @override
    def metadata(self) -> MetadataMapping:
        """Catalog metadata: keys are automatic, what the API lacks is unsupported."""
        if self._metadata is None:
            metadata = super().metadata
            if () not in metadata:  # a stream the catalog does not describe is selected as a whole
                metadata[()] = StreamMetadata(selected=True)
            lacking = self._lacking()
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
    @override
    def mask(self) -> SelectionMask:
        """What is selected; a column that an older catalog does not know is not."""
        if self._mask is None:
            self._mask = super().mask
            known = {*self.effective_schema["properties"], *self.primary_keys}
            self._mask.update({("properties", name): False for name in {*self.columns} - known})
        return self._mask

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take selection and replication method from a catalog; the keys stay our own.

        Raises:
            ConfigurationError: the catalog is another tap's, or asks for a replication that the
                stream cannot do.
        """
        replication_key = self.replication_key
        super().apply_catalog(catalog)
        self._check_entry(catalog)
        self.primary_keys = self.key
        if self.replication_key not in {None, replication_key}:
            msg = (
                f"catalog: stream {self.name} cannot be replicated by {self.replication_key!r}: "
                f"use {replication_key or FULL_TABLE}"
            )
            raise ConfigurationError(msg)
        self.replication_key = replication_key
        methods = {FULL_TABLE}
        if replication_key:
            methods.add(INCREMENTAL)
        if self.replicates_by_log:
            methods.add(LOG_BASED)
        if self.forced_replication_method not in {None, *methods}:
            msg = (
                f"catalog: stream {self.name} cannot be replicated "
                f"{self.forced_replication_method}: use {' or '.join(sorted(methods))}"
            )
            raise ConfigurationError(msg)
        entry = catalog.get_stream(self.name)
        if self.replication_method == LOG_BASED and entry is not None and is_selected(entry):
            self._check_log(entry)

    def _check_log(self, entry: CatalogEntry) -> None:
        """Let an entry have the column that says what is gone; refuse what makes it unknowable."""
        if not self.config.get("webhook_inbox"):
            msg = (
                f"catalog: stream {self.name} cannot be replicated {LOG_BASED} without webhooks: "
                f"set `webhook_inbox`, or use {FULL_TABLE}"
            )
            raise ConfigurationError(msg)
        if (self.config.get("filters") or {}).get(self.name):
            msg = (
                f"setting `filters.{self.name}`: a stream that is replicated {LOG_BASED} has no "
                f"filters, since webhooks know none: remove them, or use {FULL_TABLE}"
            )
            raise ConfigurationError(msg)
        assert entry.schema.properties is not None  # noqa: S101 - `read_catalog` has seen to it
        entry.schema.properties[DELETED_AT] = Schema.from_dict(
            {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "When the tap noticed that the row is gone; null: it is there.",
            }
        )
        entry.metadata[("properties", DELETED_AT)] = Metadata(
            inclusion=Metadata.InclusionType.AUTOMATIC
        )

    def _check_entry(self, catalog: Catalog) -> None:
        """Refuse a selected entry that says of our records what does not hold."""
        entry = catalog.get_stream(self.name)
        if entry is None or not is_selected(entry):
            return
        wrong = []
        if self.primary_keys and set(self.primary_keys) != set(self.key):
            wrong.append(f"its key is {', '.join(self.key)}")
        given = entry.schema.to_dict()["properties"]
        for name, column in self.columns.items():
            types, ours = given.get(name, {}).get("type"), column.schema["type"]
            if types and not set(ours) <= {*([types] if isinstance(types, str) else types), "null"}:
                wrong.append(f"its column {name} is of type {ours[0]}")
        if wrong:
            msg = (
                f"catalog: stream {self.name} is another one here: {'; '.join(wrong)}. Write a new "
                "catalog with `tap-pluvo --discover`"
            )
            raise ConfigurationError(msg)

    @property
    def incremental(self) -> bool:
        """Whether this run reads only what is new."""
        return self.replication_method == INCREMENTAL

    @property
    def reads_all(self) -> bool:
        """Whether this run is to give every row, whatever its date."""
        return not self.incremental

    @property
    def reads_changes(self) -> bool:
        """Whether this run reads what webhooks say has changed, and nothing else."""
        return False

    @property
    def looks_at_all(self) -> bool:
        """Whether this run is to go through all rows, also those that it does not give."""
        return True

    def selected_columns(self) -> list[Column]:
        """Return the columns that the catalog selects, the keys, and what those are made of."""
        forced = {*self.primary_keys, *self.key_sources}
        if self.replication_key:
            forced.add(self.replication_key)
        return [
            column
            for name, column in self.columns.items()
            if name in forced or self.mask[("properties", name)]
        ]

    def lacking_columns(self, selection: Selection) -> list[str]:
        """Return the columns that stay empty, since the organization's schema lacks them.

        With a catalog, those that it selects, also of an older schema; else all.
        """
        if not self.session.chosen:
            return self._lacking()
        gone = [
            path[-1]
            for path, selected in self.mask.items()
            if path and selected and path[-1] not in self.columns
        ]
        return [*selection.lacking, *gone]

    def _lacking(self) -> list[str]:
        """Return all columns that the organization's schema lacks, selected or not."""
        kind = self.contract.type_at(self.node)
        return Selection(self.contract, kind, list(self.columns.values())).lacking if kind else []

"""The SDK's stream, and what this tap does in another way.

Each override says why. Which of the SDK's private names are used is pinned by
`tests/unit/test_sdk_names.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk import Stream
from singer_sdk.exceptions import MappingError
from singer_sdk.singerlib import RecordMessage
from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from pluvo_singer.stream_maps import failed_map
from tap_pluvo.inputs import DELETED_AT
from tap_pluvo.stream_maps import lost_delete

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Generator, Iterable, Mapping
    from typing import Any

    from singer_sdk.helpers import types
    from singer_sdk.helpers._batch import BatchConfig

    from tap_pluvo.progress import Progress


class SdkStream(Stream):
    """A stream whose bookmark follows what was read, and whose records need no conforming."""

    progress: Progress
    extracted_at: dt.datetime  # of all records of the run, which are known by it

    @override
    def _generate_record_messages(
        self, record: types.Record
    ) -> Generator[RecordMessage, None, None]:
        """Give the messages of a record.

        The SDK would look up the selection of each value and conform its type. Only selected
        columns were asked for, and their values were made to fit, so both would cost time for
        nothing.

        Raises:
            ConfigurationError: a stream map fails for this record.
        """
        emitted = False
        for stream_map in self.stream_maps:
            try:
                mapped = stream_map.transform(record)
            except MappingError:
                raise
            except Exception as error:  # whatever an expression of the user may raise
                raise ConfigurationError(str(failed_map(error, self.name, record))) from error
            if mapped is not None:
                if record.get(DELETED_AT) and not mapped.get(DELETED_AT):
                    raise lost_delete(self.name, DELETED_AT)
                emitted = True
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=self.extracted_at,
                )
        if emitted:
            self.progress.rows += 1
        else:
            self.progress.withheld = True

    @override
    def generate_child_contexts(
        self, record: types.Record, context: types.Context | None
    ) -> Iterable[types.Context | None]:
        """Give none: no stream has children in the SDK's sense."""
        return ()

    @override
    def _increment_stream_state(
        self, latest_record: types.Record, *, context: types.Context | None = None
    ) -> None:
        """Leave the bookmark: records come in no order, so `Bookmark.advance` alone moves it."""

    @override
    def _write_starting_replication_value(self, context: types.Context | None) -> None:
        """Write nothing: where a run starts is decided by `read`, by bookmark and settings."""

    @override
    def get_replication_key_signpost(self, context: types.Context | None = None) -> None:
        """Give none: the bookmark never moves past what was read."""

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK would write the message before the records.

        A run that is then aborted would have told the target to delete them. The tap writes it
        after a stream that was read completely.
        """
        return False

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> BatchConfig | None:
        """Give none: BATCH messages are made of the records, by the writer."""

    def write_checkpoint(self) -> None:
        """Write a STATE message now."""
        self.state_manager.is_flushed = False
        self._write_state_message()

    def begin_version(self, version: int) -> None:
        """Let the records that follow carry `version`."""
        self._stream_version = version

    def activate_version(self, version: int) -> None:
        """Tell the target that rows that did not come with `version` are gone."""
        self._write_activate_version_message(version)

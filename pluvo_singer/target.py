"""What a target of this project takes from the SDK: messages in, all rows kept, a state out.

Nothing is done before the last row has come, so a run can look at everything before it writes.
"""

from __future__ import annotations

import math
import sys
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.exceptions import InvalidInputLine, MissingKeyPropertiesError
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper import RemoveRecordTransform
from singer_sdk.sinks import Sink
from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from pluvo_client.settings import problems
from pluvo_singer.messages import MessageReader
from pluvo_singer.rows import Incoming
from pluvo_singer.stream_maps import columns_that_came, failed_map, unknown_name
from pluvo_singer.values import RejectedError, clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.mapper import StreamMap
    from singer_sdk.sinks.core import BaseJSONSchemaValidator

    from pluvo_singer.rows import Row


class RowSink(Sink):
    """Checks the columns of a stream; its rows are kept by the target."""

    def __init__(self, target: RowTarget, stream_name: str, *arguments: Any, **names: Any) -> None:
        super().__init__(target, stream_name, *arguments, **names)
        self._required = target.required_columns(stream_name)

    @override
    def setup(self) -> None:
        """Check that the columns are there without which no row of the stream can be used.

        Raises:
            ConfigurationError: one is not.
        """
        super().setup()
        columns = self.schema["properties"]
        missing = [
            " or ".join(f"`{name}`" for name in names)
            for names in self._required
            if not any(name in columns for name in names)
        ]
        if missing:
            msg = (
                f"stream {self.stream_name} lacks the column {' and '.join(missing)}: select it in "
                f"the tap, or make it with a stream map. {columns_that_came(columns)} Nothing was "
                "written"
            )
            raise ConfigurationError(msg)

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        """Leave it to the target: the SDK's validator would show values in the log."""
        return None

    @override
    def process_record(self, record: dict[str, Any], context: Mapping[str, Any]) -> None:
        """Do nothing: the target keeps the rows itself."""

    @override
    def process_batch(self, context: Mapping[str, Any]) -> None:
        """Do nothing: all rows are used together at the end."""


class DroppedSink(RowSink):
    """Stands for a stream that a stream map drops."""

    @override
    def setup(self) -> None:
        """Check nothing."""


class RowTarget(Target):
    """Keeps all rows until the last one has come; `finish` is what a target does with them.

    `succeeded` says whether everything was done.
    """

    package_name = "tap-pluvo"
    default_sink_class = RowSink
    message_reader_class = MessageReader
    # Nothing is written, and no state said, before the last row has come.
    _MAX_RECORD_AGE_IN_MINUTES = math.inf

    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    # The streams that can be written, each with the columns that it must have.
    streams: ClassVar[Mapping[str, Sequence[Sequence[str]]]]

    def __init__(self, **options: Any) -> None:
        self.succeeded = False
        self._incoming = Incoming()
        super().__init__(**options)

    @abstractmethod
    def check_settings(self) -> None:
        """Check the settings against each other.

        Raises:
            ConfigurationError: something is wrong.
        """

    @abstractmethod
    def finish(self, incoming: Incoming) -> Sequence[Row] | None:
        """Do what the rows ask for, set `succeeded`, and return the rows that are not done.

        None if no state is to be written, however it went.
        """

    def required_columns(self, stream: str) -> Sequence[Sequence[str]]:
        """Return the columns that a stream must have; of several in one place, one is enough."""
        return self.streams.get(stream, ())

    @override
    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the settings of stream maps, and none that has no effect here."""
        super(Target, cls).append_builtin_config(config_jsonschema)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, in words that name setting and remedy and show no secret.

        Raises:
            ConfigurationError: something is wrong.
        """
        self.append_builtin_config(self.config_jsonschema)
        if wrong := problems(self._config, self.config_jsonschema, self.name):
            raise ConfigurationError("\n".join(wrong))
        self.check_settings()
        return []

    # What comes in

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """Return the class of a stream's sink.

        Raises:
            ConfigurationError: the stream cannot be written.
        """
        maps = [item for found in self.mapper.stream_maps.values() for item in found]
        dropped = {item.stream_alias for item in maps if isinstance(item, RemoveRecordTransform)}
        kept = {item.stream_alias for item in maps if not isinstance(item, RemoveRecordTransform)}
        if stream_name in dropped - kept:
            return DroppedSink
        if stream_name not in self.streams:
            msg = (
                f"unsupported stream {stream_name}; supported: {', '.join(self.streams)}. Deselect "
                "it in the tap, drop it with the stream map null, or rename it with `__alias__`. "
                "Nothing was written"
            )
            raise ConfigurationError(msg)
        return RowSink

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """Keep the rows that the stream maps make of a record; one that fails costs its row."""
        self._assert_line_requires(message_dict, requires={"stream", "record"})
        stream, record = message_dict["stream"], message_dict["record"]
        if stream not in self.mapper.stream_maps:
            self._assert_sink_exists(stream)
        if not isinstance(record, dict):
            msg = "a line of the input is not a Singer message: its record is not an object"
            raise InvalidInputLine(msg)
        line = getattr(self.message_reader, "line", 0)
        for stream_map in self.mapper.stream_maps[stream]:
            if isinstance(stream_map, RemoveRecordTransform):
                continue
            if _is_blank(record):
                self._incoming.pass_over(stream_map.stream_alias)
                continue
            try:
                mapped = self._mapped(stream_map, record)
            except RejectedError as error:
                self._incoming.reject(stream_map.stream_alias, line, record, error)
            else:
                if mapped is not None:
                    _check_key(stream_map, mapped)
                    self.get_sink(stream_map.stream_alias).record_counter_metric.increment()
                    self._incoming.add(stream_map.stream_alias, line, mapped)

    def _mapped(self, stream_map: StreamMap, record: dict[str, Any]) -> dict[str, Any] | None:
        """Return what a stream map makes of a record, or None if it filters it out."""
        try:
            cleaned = {name: clean(value, name) for name, value in record.items()}
        except RecursionError:
            msg = "the row is nested too deeply"
            raise RejectedError(msg) from None
        try:
            return stream_map.transform(cleaned)
        except Exception as error:  # an expression may fail with any error
            name, columns = unknown_name(error), stream_map.raw_schema["properties"]
            if name and name not in columns:
                msg = (
                    f"setting `stream_maps.{stream_map.stream_alias}` names `{name}`, which is no "
                    f"column of the stream. {columns_that_came(columns, name)} Nothing was written"
                )
                raise ConfigurationError(msg) from error
            raise failed_map(error, stream_map.stream_alias, cleaned) from error

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Keep a state: it is written when all rows before it are done."""
        self._assert_line_requires(message_dict, requires={"value"})
        self._incoming.states.append((self._incoming.count, message_dict["value"]))

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Do nothing: nobody is removed because a full read did not have them."""

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        """Refuse files of records, whose rows no stream map would see.

        Raises:
            ConfigurationError: always.
        """
        msg = (
            f"stream {message_dict.get('stream')} comes as BATCH messages, which this target does "
            "not take: let the tap send RECORD messages (of tap-pluvo, without `batch_config`)"
        )
        raise ConfigurationError(msg)

    # What is done with it

    @override
    def process_endofpipe(self) -> None:
        """Use all rows, and write the last state before which every row is done."""
        for sink in (*self._sinks_to_clear, *self._sinks_active.values()):
            sink.clean_up()
        unfinished = self.finish(self._incoming)
        state = None if unfinished is None else self._incoming.last_state(unfinished)
        if state is not None:
            self._write_state_message(state)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End between two requests: what is done is done, and the next run sees it."""
        self.logger.warning("stopped by signal %d: run again to do the rest", signum)
        sys.exit(128 + signum)


def _is_blank(record: Mapping[str, Any]) -> bool:
    """Tell whether a record says nothing at all, as the last lines of a spreadsheet do."""
    return not any(
        value.strip() if isinstance(value, str) else value is not None for value in record.values()
    )


def _check_key(stream_map: StreamMap, record: Mapping[str, Any]) -> None:
    """Check that a record has the properties of its key; what they hold is the row's matter.

    Raises:
        MissingKeyPropertiesError: one is missing, so the tap does not keep to its own schema.
    """
    missing = set(stream_map.transformed_key_properties or ()) - record.keys()
    if missing:
        msg = f"a row lacks a column of its key ({', '.join(sorted(missing))})"
        raise MissingKeyPropertiesError(msg)

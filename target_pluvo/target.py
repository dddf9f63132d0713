"""The target: its settings, its sinks, and what it takes from the SDK."""

from __future__ import annotations

import json
import math
import sys
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.exceptions import InvalidInputLine
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.io_base import SingerReader
from singer_sdk.mapper import RemoveRecordTransform
from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from pluvo_client.settings import problems
from target_pluvo.rows import Row
from target_pluvo.run import Run
from target_pluvo.settings import PROGRAM, SCHEMA, Settings
from target_pluvo.sink import DroppedSink, PluvoSink, no_such_stream
from target_pluvo.streams import STREAMS

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.sinks import Sink


class Reader(SingerReader):
    """Reads messages; the SDK's own reader logs a line that is no JSON, values and all."""

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Return the message on a line.

        Raises:
            InvalidInputLine: it is none.
        """
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            msg = "a line of the input is not a Singer message"
            raise InvalidInputLine(msg)
        return found


class TargetPluvo(Target):
    """Singer target for Pluvo, a learning management system: users, groups, certificates."""

    name = PROGRAM
    package_name = "tap-pluvo"
    # A copy, since the SDK adds settings of its own to it.
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(SCHEMA)
    default_sink_class = PluvoSink
    message_reader_class = Reader
    # Nothing is written, and no state said, before the last row has come.
    _MAX_RECORD_AGE_IN_MINUTES = math.inf

    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **options: Any) -> None:
        self._rows: dict[str, list[Row]] = {}
        self._number = 0
        self._states: list[tuple[int, Any]] = []  # each with the number of rows before it
        self._run: Run | None = None
        super().__init__(**options)

    @override
    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the settings of stream maps, and none that this target does not heed."""
        super(Target, cls).append_builtin_config(config_jsonschema)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, in words that name setting and remedy and show no secret.

        Raises:
            ConfigurationError: something is wrong.
        """
        self.append_builtin_config(self.config_jsonschema)
        if wrong := problems(self._config, self.config_jsonschema, PROGRAM):
            raise ConfigurationError("\n".join(wrong))
        Settings.from_config(self._config)
        return []

    # What comes in

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """Return the class of a stream's sink.

        Raises:
            ConfigurationError: the stream is none that can be written.
        """
        maps = [item for found in self.mapper.stream_maps.values() for item in found]
        dropped = {item.stream_alias for item in maps if isinstance(item, RemoveRecordTransform)}
        kept = {item.stream_alias for item in maps if not isinstance(item, RemoveRecordTransform)}
        if stream_name in dropped - kept:
            return DroppedSink
        if stream_name not in STREAMS:
            raise no_such_stream(stream_name)
        return PluvoSink

    def keep(self, stream: str, record: dict[str, Any]) -> None:
        """Keep a row until all have come."""
        self._number += 1
        rows = self._rows.setdefault(stream, [])
        rows.append(Row(self._number, len(rows) + 1, record))

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Keep a state: it is said when all rows before it are in Pluvo."""
        self._assert_line_requires(message_dict, requires={"value"})
        self._states.append((self._number, message_dict["value"]))

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

    @property
    def succeeded(self) -> bool:
        """Whether every row is in Pluvo, or could be in a dry run."""
        return self._run is not None and self._run.succeeded

    @override
    def process_endofpipe(self) -> None:
        """Write everything, and say the last state before which every row is in Pluvo."""
        for sink in (*self._sinks_to_clear, *self._sinks_active.values()):
            sink.clean_up()
        self._run = Run(Settings.from_config(self._config), self._rows)
        self._run()
        first_open = min((row.place for row in self._run.unfinished), default=math.inf)
        states = [state for number, state in self._states if number < first_open]
        if states and not self._config.get("dry_run"):
            self._write_state_message(states[-1])

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End the run between two requests: what is done is done, and the next run sees it."""
        if self._run is not None:
            self._run.stop()
        self.logger.warning("ending on a signal: run again to do the rest")
        sys.exit(128 + signum)

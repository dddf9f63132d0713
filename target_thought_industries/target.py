"""The target and its sinks, on the SDK's classes."""

from __future__ import annotations

import json
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.exceptions import InvalidInputLine
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.io_base import SingerReader
from singer_sdk.sinks import BatchSink
from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from pluvo_client.settings import problems
from target_thought_industries.run import STREAM, Run
from target_thought_industries.settings import EMAIL, PROGRAM, SCHEMA, Settings

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.sinks import Sink

_NEEDED = ("title", "completion_date")


class Reader(SingerReader):
    """Reads messages; the SDK's own reader logs a line that is no JSON, values and all."""

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Return a message.

        Raises:
            InvalidInputLine: the line is none.
        """
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            msg = "a line of the input is no Singer message: give this target what a tap writes"
            raise InvalidInputLine(msg)
        return message


class ThoughtIndustriesSink(BatchSink):
    """Collects rows until they are to be written, and leaves judging them to the run."""

    target: TargetThoughtIndustries

    def __init__(self, target: TargetThoughtIndustries, *arguments: Any, **options: Any) -> None:
        super().__init__(target, *arguments, **options)
        self.target = target

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        """Let every row come as it is: a wrong one is rejected alone, and shown in no log."""
        return record


class CertificateSink(ThoughtIndustriesSink):
    """The stream `issued_certificates`."""

    @override
    def setup(self) -> None:
        """Check the columns before anything is written.

        Raises:
            ConfigurationError: one is missing.
        """
        by_email = self.target.settings.match_users_by == EMAIL
        needed = (*_NEEDED, "user_email" if by_email else "user_ref")
        if lacking := [name for name in needed if name not in self.schema["properties"]]:
            msg = (
                f"stream {STREAM}: the column {', '.join(lacking)} is missing: select it in the "
                "tap, or choose another `match_users_by`"
            )
            raise ConfigurationError(msg)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Issue the certificates of a batch."""
        if self.target.unknown_streams:
            for row in context.get("records", ()):
                reason = "nothing is issued, since a stream came that is not known"
                self.target.run.reject(self.stream_name, reason, row)
        else:
            self.target.run.take(context.get("records", ()))


class UnknownSink(ThoughtIndustriesSink):
    """A stream that is not known: its rows are rejected."""

    @override
    def setup(self) -> None:
        """Say so, once."""
        self.target.refuse(self.stream_name)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Reject the rows of a batch."""
        for row in context.get("records", ()):
            self.target.run.reject(self.stream_name, "its stream is not known", row)


class TargetThoughtIndustries(Target):
    """Singer target for Thought Industries: issues the certificates that Pluvo's users earned."""

    name = PROGRAM
    package_name = "tap-pluvo"
    config_jsonschema = SCHEMA
    message_reader_class = Reader
    capabilities: ClassVar = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    max_parallelism = 1  # the ledger serves one thread

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.unknown_streams: set[str] = set()

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked."""
        return Settings.from_config(self.config)

    @cached_property
    def run(self) -> Run:
        """What the rows of this run are given to."""
        return Run(self.settings)

    @property
    def failed(self) -> bool:
        """Whether something that came was not done."""
        return bool(self.unknown_streams) or self.run.failed

    def refuse(self, stream: str) -> None:
        """Refuse a stream, and with it all that is not written yet."""
        if stream not in self.unknown_streams:
            self.unknown_streams.add(stream)
            self.logger.error(
                "the stream %s is not known, so nothing is issued: this target takes %s; deselect "
                "others in the tap, or rename a stream with `stream_maps`",
                stream,
                STREAM,
            )

    def close(self) -> None:
        """Say what was done, and close what the run has opened."""
        if "run" in vars(self):
            for line in self.run.summary():
                self.logger.info("%s", line)
            self.run.close()

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """Return the sink of a stream."""
        return CertificateSink if stream_name == STREAM else UnknownSink

    @override
    def process_endofpipe(self) -> None:
        """Write what came last, after what earlier runs have left."""
        if not self.unknown_streams:
            self.run.finish_earlier()
        super().process_endofpipe()

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Pass a state on only if all before it is done."""
        if not self.failed:
            super()._write_state_message(state)

    @override
    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings, but for those that mean nothing here."""
        super().append_builtin_config(config_jsonschema)
        for name in ("add_record_metadata", "load_method"):
            config_jsonschema["properties"].pop(name, None)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings.

        Raises:
            ConfigurationError: something is wrong.
        """
        self.append_builtin_config(self.config_jsonschema)
        wrong = problems(self._config, self.config_jsonschema, PROGRAM)
        if wrong and raise_errors:
            raise ConfigurationError("\n".join(wrong))
        if raise_errors:
            _ = self.settings
        return wrong

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End now: what is under way is in the ledger, and the next run asks what became of it."""
        self.logger.info("stopped by signal %d", signum)
        sys.exit(128 + signum)

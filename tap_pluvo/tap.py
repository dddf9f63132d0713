"""The tap: its settings, its streams, and what it takes from the SDK.

What knows GraphQL is imported where it is needed, so that `--version` and `--about` start at once.
"""

from __future__ import annotations

import os
import signal
import threading
from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from pluvo_client.errors import ConfigurationError
from pluvo_client.settings import problems
from tap_pluvo.inputs import LOG_BASED, STATE_OWNER, check_state, is_selected
from tap_pluvo.settings import SCHEMA
from tap_pluvo.writer import ChunkWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from tap_pluvo.catalog_stream import CatalogStream
    from tap_pluvo.session import Session
    from tap_pluvo.stream import PluvoStream
    from tap_pluvo.streams.sync_log import SyncLog


class TapPluvo(Tap):
    """Singer tap for Pluvo, a learning management system: users, progress, certificates."""

    name = "tap-pluvo"
    package_name = "tap-pluvo"
    # A copy, since the SDK adds settings of its own to it.
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(SCHEMA)
    message_writer_class = ChunkWriter

    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.DISCOVER,
        TapCapabilities.STATE,
        TapCapabilities.TEST,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.BATCH,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *, sample: bool = False, **options: Any) -> None:
        """Take what the SDK's `Tap` takes; `sample` reads one page of each stream."""
        self._sample = sample
        self.stopped_by: int | None = None  # the signal that ends the run, if one came
        self.missing: dict[str, str] = {}  # streams that the organization lacks, each with why
        super().__init__(**options)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, in words that name setting and remedy and show no secret.

        Raises:
            ConfigurationError: something is wrong. Discovery alone may do without credentials.
        """
        self.append_builtin_config(self.config_jsonschema)
        wrong = problems(self._config, self.config_jsonschema)
        if wrong:
            raise ConfigurationError("\n".join(wrong))
        if raise_errors or self._config.get("client_id") or self._config.get("client_secret"):
            from tap_pluvo.settings import Settings

            Settings.from_config(self._config)
        return wrong

    @cached_property
    def session(self) -> Session:
        """What the streams share."""
        from tap_pluvo.session import Session

        scope_users: dict[str, list[str]] = {}
        for stream in self.wanted_streams():
            for scope in stream.scopes:
                scope_users.setdefault(scope, []).append(stream.name)
        return Session(
            self.config,
            scope_users=scope_users,
            filter_roots={
                stream.name: stream.root_field() if stream.takes_filters else None
                for stream in all_streams()
            },
            chosen=self.input_catalog is not None,
            sample=self._sample,
        )

    # Streams

    def wanted_streams(self) -> list[type[PluvoStream]]:
        """Return the streams that the catalog selects, or those that are on by default."""
        if self.input_catalog is None:
            return [stream for stream in all_streams() if stream.selected_by_default]
        return [
            stream
            for stream in all_streams()
            if (entry := self.input_catalog.get_stream(stream.name)) is not None
            and is_selected(entry)
        ]

    @override
    def discover_streams(self) -> Sequence[CatalogStream]:
        """Return the streams that the organization has, and those that are not read from it."""
        from tap_pluvo.streams.sync_log import SyncLog
        from tap_pluvo.streams.webhook_events import WebhookEvents

        found: list[CatalogStream] = [SyncLog(self, self.session)]
        if self.config.get("webhook_inbox"):
            found.append(WebhookEvents(self, self.session))
        elif self.input_catalog is not None and self.input_catalog.get_stream(WebhookEvents.name):
            self.missing[WebhookEvents.name] = "it needs the setting `webhook_inbox`"
        wanted = self.wanted_streams()
        for stream in all_streams():
            reason = stream.unavailable(self.session.contract)
            if reason is None:
                found.append(stream(self, self.session))
            else:
                self.missing[stream.name] = reason
                if stream in wanted and self.input_catalog is None:
                    self.logger.warning("stream %s is left out: %s", stream.name, reason)
        return found

    def streams_to_read(self) -> list[PluvoStream]:
        """Return the streams that the organization has and that are selected."""
        from tap_pluvo.stream import PluvoStream

        found = [stream for stream in self.streams.values() if isinstance(stream, PluvoStream)]
        return [stream for stream in found if stream.selected]

    @property
    def sync_log(self) -> SyncLog:
        """The stream that says what was read of the others."""
        return cast("SyncLog", self.streams["sync_log"])

    @override
    def setup_mapper(self) -> None:
        """Make the stream maps; with a catalog, those of the streams that it selects.

        The SDK makes those of all, and refuses one whose stream has no selected key.

        Raises:
            ConfigurationError: a map is of no stream, or leaves out no column.
        """
        if maps := self.config.get("stream_maps"):
            from tap_pluvo.stream_maps import check_maps

            columns = {name: stream.schema["properties"] for name, stream in self.streams.items()}
            check_maps(maps, dict.fromkeys(self.missing, ()) | columns)
        if any(entry.replication_method == LOG_BASED for entry in self.catalog.streams):
            _ = self.streams  # which add a column to their entries
        super(Tap, self).setup_mapper()
        chosen = [
            entry
            for entry in self.catalog.streams
            if self.input_catalog is None or is_selected(entry)
        ]
        self.mapper.register_raw_streams_from_catalog(
            Catalog((entry.tap_stream_id, entry) for entry in chosen)
        )

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take the bookmarks of an earlier run.

        Raises:
            ConfigurationError: the state is not one of this tap.
        """
        check_state(state)
        super().load_state(state)
        if STATE_OWNER in state:
            cast("dict[str, Any]", self.state)[STATE_OWNER] = state[STATE_OWNER]

    # What is written

    def begin_batches(self) -> None:
        """Write records to files from now on, if the setting `batch_config` says so.

        Raises:
            ConfigurationError: its folder cannot be used.
        """
        config = self.config.get("batch_config")
        if config and isinstance(self.message_writer, ChunkWriter):
            from tap_pluvo.batches import BatchFiles

            self.message_writer.batches = BatchFiles.begin(config)

    def flush(self) -> None:
        """Write the records that are held back."""
        if isinstance(self.message_writer, ChunkWriter):
            self.message_writer.flush()

    # The end of a run

    def leave(self, code: int) -> None:
        """End the process, but never within a line of the output."""
        if isinstance(self.message_writer, ChunkWriter):
            self.message_writer.leave(code)
        else:
            os._exit(code)

    def close(self) -> None:
        """End the workers and the connections."""
        self.session.close()

    @override
    def _setup_signal_handlers(self) -> None:
        """Let a terminal that is closed end the run as SIGTERM does, except under `nohup`."""
        super()._setup_signal_handlers()
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        ):
            signal.signal(signal.SIGHUP, self._handle_termination)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End the run between two records.

        The SDK would exit at once with code 0, in the middle of a message if need be.
        """
        if self.stopped_by is not None or not self.session.stop():
            self.leave(128 + signum)
            return
        self.stopped_by = signum
        self.logger.warning(
            "%s: ending; the next run continues from the last state", signal.Signals(signum).name
        )


def all_streams() -> tuple[type[PluvoStream], ...]:
    """Return the classes of all streams that are read from the organization."""
    from tap_pluvo.streams import STREAMS

    return STREAMS

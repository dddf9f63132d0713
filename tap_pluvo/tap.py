"""The tap: settings, the list of streams, and one run over them.

What knows GraphQL is imported where it is needed, so that `--version` and `--about` start at once.
"""

from __future__ import annotations

import logging
import os
import signal
import time
import traceback
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import Tap
from singer_sdk.exceptions import MappingError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import ActivateVersionMessage, Catalog, StateMessage

from tap_pluvo.client import Client
from tap_pluvo.errors import ConfigurationError, PluvoError
from tap_pluvo.fetching import Fetcher
from tap_pluvo.inputs import check_state, json_object, read_catalog
from tap_pluvo.progress import Result, summary
from tap_pluvo.settings import SCHEMA, Settings, check, from_environment, from_meltano
from tap_pluvo.writer import ChunkWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import IO

    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.singerlib import CatalogEntry

    from tap_pluvo.contract import Contract
    from tap_pluvo.stream import PluvoStream


CHECKING = "tap_pluvo.checking"  # marks a run with `--test`


class TapPluvo(Tap):
    """Singer tap for Pluvo, a learning management system: users, progress, certificates."""

    name = "tap-pluvo"
    package_name = "tap-pluvo"
    # A copy, since the SDK adds settings of its own to it.
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(SCHEMA)
    message_writer_class = ChunkWriter

    # BATCH is not offered: the SDK's batch files ignore deselection and stream maps.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.DISCOVER,
        TapCapabilities.STATE,
        TapCapabilities.TEST,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    _fetcher: Fetcher | None = None
    _signal: int | None = None

    # Settings and connection

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, in words that name setting and remedy and show no secret.

        Raises:
            ConfigurationError: something is wrong. Discovery alone may do without credentials.
        """
        self.append_builtin_config(self.config_jsonschema)
        problems = check(self._config, self.config_jsonschema)
        if problems:
            raise ConfigurationError("\n".join(problems))
        if raise_errors or self.has_credentials:
            _ = self.settings
        return problems

    @property
    def has_credentials(self) -> bool:
        """Whether the organization can be asked; else the documents are all there is."""
        return bool(self.config.get("client_id") or self.config.get("client_secret"))

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked."""
        return Settings.from_config(self.config)

    @cached_property
    def client(self) -> Client:
        """The API."""
        needs: dict[str, list[str]] = {}
        for stream in self.wanted_streams():
            for scope in stream.scopes:
                needs.setdefault(scope, []).append(stream.name)
        return Client(self.settings, needs)

    @cached_property
    def fetcher(self) -> Fetcher:
        """Where questions are asked."""
        self._fetcher = Fetcher(
            self.client,
            max_concurrency=self.settings.max_concurrency,
            operations_per_request=self.settings.operations_per_request,
        )
        return self._fetcher

    @cached_property
    def contract(self) -> Contract:
        """What the API has: by the organization's own schema where it can be seen."""
        from tap_pluvo.contract import Contract, live_schema

        if not self.has_credentials:
            return Contract()
        live = live_schema(self.client) if self.settings.introspection else None
        if live is None:
            self.logger.info("going by the documents: the organization's schema is not asked for")
        self.client.contract = Contract(live)
        return self.client.contract

    @cached_property
    def filters(self) -> dict[str, dict[str, Any]]:
        """The setting `filters`, as API arguments by stream."""
        from tap_pluvo.filters import parse_filters

        return parse_filters(self.config.get("filters") or {}, all_streams(), self.contract)

    def setup_mapper(self) -> None:
        """Make the stream maps; with a catalog, those of the streams that it selects.

        The SDK makes those of all, and refuses one whose stream has no selected key.

        Raises:
            ConfigurationError: a map is of no stream, or leaves out no column.
        """
        if maps := self.config.get("stream_maps"):
            from tap_pluvo.maps import check_maps

            columns = {name: stream.schema["properties"] for name, stream in self.streams.items()}
            check_maps(maps, dict.fromkeys(self.missing, ()) | columns)
        super(Tap, self).setup_mapper()
        chosen = [
            entry
            for entry in self.catalog.streams
            if self.input_catalog is None or _is_selected(entry)
        ]
        self.mapper.register_raw_streams_from_catalog(
            Catalog((entry.tap_stream_id, entry) for entry in chosen)
        )

    def flush(self) -> None:
        """Write the records that are held back."""
        if isinstance(self.message_writer, ChunkWriter):
            self.message_writer.flush()

    def close(self) -> None:
        """End the workers and the connections."""
        if self._fetcher is not None:
            self._fetcher.close()

    # Streams

    def wanted_streams(self) -> list[type[PluvoStream]]:
        """Return the streams that the catalog selects, or those that are on by default."""
        if self.input_catalog is None:
            return [stream for stream in all_streams() if stream.selected_by_default]
        return [
            stream
            for stream in all_streams()
            if (entry := self.input_catalog.get_stream(stream.name)) is not None
            and _is_selected(entry)
        ]

    def discover_streams(self) -> Sequence[PluvoStream]:
        """Return the streams that the organization has."""
        found = []
        self.missing: dict[str, str] = {}
        wanted = self.wanted_streams()
        for stream in all_streams():
            reason = stream.unavailable(self.contract)
            if reason is None:
                found.append(stream(self))
            else:
                self.missing[stream.name] = reason
                if stream in wanted and self.input_catalog is None:
                    self.logger.warning("stream %s is left out: %s", stream.name, reason)
        return found

    # One run

    def run(self) -> list[Result]:
        """Sync all selected streams, end the workers, and return how each stream went.

        The SDK's `sync_all` ends at the first error, and streams that come later would never run;
        here a stream that fails does not stop the others.
        """
        _ = self.filters
        self._reset_state_progress_markers()
        if self.state:
            self.state_writer.write_state(self.state)
        results = []
        for name, reason in self._unknown_selections():
            results.append(Result(name, 0, 0, 0.0, 0, 0, reason))
        try:
            for stream in self.streams.values():
                if stream.selected:
                    result = self._run_stream(stream)  # type: ignore[arg-type]  # all are ours
                    if result is not None:
                        results.append(result)
        finally:
            # Once more, since some targets pass a state on only if it is the last they are told.
            if self.state:
                self.write_message(StateMessage(value=self.state))
        self.close()  # first, since workers of a stream that failed may still have words to say
        summary(self.logger, results)
        return results

    def _unknown_selections(self) -> list[tuple[str, str]]:
        """Return the streams that the catalog selects and that are not there, each with why."""
        if self.input_catalog is None:
            return []
        return [
            (entry.tap_stream_id, self.missing.get(entry.tap_stream_id, "there is no such stream"))
            for entry in self.input_catalog.streams
            if entry.tap_stream_id not in self.streams and _is_selected(entry)
        ]

    def _run_stream(self, stream: PluvoStream) -> Result | None:
        transport = self.client.transport
        requests, retries = transport.requests, transport.retries
        started = time.monotonic()
        activate = bool(self.config.get("emit_activate_version_messages"))
        if activate:
            stream._stream_version = self.initialized_at  # noqa: SLF001 - the SDK has no other way
        error = None
        try:
            stream.sync()
            stream.finalize_state_progress_markers()
            if stream.left_out:
                return None
            if activate and stream.read_everything and not stream.filters():
                self._activate(stream)
        except PluvoError as reason:
            error = str(reason)
        except MappingError as reason:
            error = f"setting `stream_maps`: {reason}"
        except OSError:
            raise  # of the target's end of the pipe: nothing more can be written
        except Exception as reason:  # noqa: BLE001 - the other streams go on, whatever it is
            error = _defect(reason)
        return Result(
            stream.name,
            stream.emitted,
            transport.requests - requests,
            time.monotonic() - started,
            stream.repairs,
            transport.retries - retries,
            error,
        )

    def _activate(self, stream: PluvoStream) -> None:
        """Tell the target that rows which did not come with this run are gone."""
        for stream_map in stream.stream_maps:
            if stream.selected:
                self.write_message(
                    ActivateVersionMessage(
                        stream=stream_map.stream_alias, version=self.initialized_at
                    )
                )

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End the run between two records.

        The SDK would exit at once with code 0, in the middle of a message if need be.
        """
        if self._fetcher is None or self._signal is not None:
            os._exit(128 + signum)
        self._signal = signum
        self.logger.warning(
            "%s: ending; the next run goes on from the last state", signal.Signals(signum).name
        )
        self._fetcher.stop()

    @property
    def stopped_by(self) -> int | None:
        """The signal that ends the run, if one came."""
        return self._signal

    # Command line

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the configuration from files and, for `ENV`, from the environment.

        Raises:
            ConfigurationError: a file is missing or holds no JSON object.
        """
        found = super().cb_config(ctx, param, ("ENV",) if "ENV" in value else ())
        for path in value:
            if path != "ENV":  # not read by the SDK, which makes a Decimal of 0.5
                found.config |= json_object("config", path)
        if found.parse_env:
            cls.append_builtin_config(cls.config_jsonschema)
            found.config |= from_environment(os.environ, cls.config_jsonschema)
            found.parse_env = False
        found.config = from_meltano(found.config, cls.config_jsonschema)
        return found

    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Check settings, address, token, scopes, schema and a page of each selected stream."""
        if value != "all":
            super().cb_test(ctx, param, value)
            return
        ctx.meta[CHECKING] = True  # `invoke` knows the catalog, too

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Run the tap as the command line asks."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        tap = cls(
            config=config.config if config else {},
            state=json_object("state", state),
            catalog=read_catalog(catalog),
        )
        context = click.get_current_context()
        if CHECKING in context.meta:
            from tap_pluvo.checkup import check_up

            try:
                healthy = check_up(tap)
            finally:
                tap.close()
            context.exit(0 if healthy else 1)
        try:
            results = tap.run()
        except BrokenPipeError:
            cls.logger.error("the target has closed the pipe: see what it says")  # noqa: TRY400
            _leave(1)
        except BaseException:
            if tap.stopped_by is None:
                raise
            _leave(128 + tap.stopped_by)
        if any(result.error for result in results):
            context.exit(1)

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the bookmarks of an earlier run.

        Raises:
            ConfigurationError: the state is not one of this tap.
        """
        check_state(state)
        super().load_state(state)


def all_streams() -> tuple[type[PluvoStream], ...]:
    """Return the classes of all streams."""
    from tap_pluvo.streams import STREAMS

    return STREAMS


def _is_selected(entry: CatalogEntry) -> bool:
    return entry.metadata.resolve_selection().get((), True)


def _defect(error: Exception) -> str:
    """Return where an error came up that nobody foresaw; its own words may hold personal values."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).parent == Path(__file__).parent]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "the SDK"
    return (
        f"unexpected {type(error).__name__} in {place}: this is a defect of the tap; please report "
        "it with this line and the tap's version"
    )


def _leave(code: int) -> None:
    """End the process now: workers may still wait for answers that nobody needs."""
    logging.shutdown()
    os._exit(code)


def main() -> None:
    """Run the command line; a user's mistake ends in a sentence, not in a traceback."""
    try:
        TapPluvo.cli()
    except (PluvoError, MappingError) as error:
        for sentence in str(error).splitlines():
            about = "setting `stream_maps`: " if isinstance(error, MappingError) else ""
            TapPluvo.logger.critical("%s%s", about, sentence)
        _leave(1)

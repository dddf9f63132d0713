"""One run over all selected streams."""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.exceptions import MappingError
from singer_sdk.singerlib import StateMessage

from pluvo_client.errors import (
    ConfigurationError,
    IncompleteError,
    PluvoError,
    did_you_mean,
)
from tap_pluvo.inputs import claim_state, is_selected
from tap_pluvo.metrics import measured
from tap_pluvo.progress import Result, log_summary
from tap_pluvo.tap import all_streams

if TYPE_CHECKING:
    from tap_pluvo.stream import PluvoStream
    from tap_pluvo.tap import TapPluvo


def run(tap: TapPluvo) -> list[Result]:
    """Sync all selected streams, end the workers, and return how each stream went.

    The SDK's `sync_all` ends at the first error, and streams that come later would never run; here
    a stream that fails does not stop the others.

    Raises:
        ConfigurationError: the setting `filters`, `allow_incomplete` or `batch_config`, the state
            or the selection is wrong; nothing was read.
    """
    _ = tap.session.filters
    _check_allowed(tap)
    if tap.session.settings.webhook_inbox:
        _ = tap.session.event_log
    claim_state(cast("dict[str, Any]", tap.state), tap.session.settings.client.host)
    unknown = _unknown_selections(tap)
    if not (unknown or tap.streams_to_read()):
        msg = "catalog: no stream is selected, so there is nothing to read: select one"
        raise ConfigurationError(msg)
    tap.begin_batches()
    tap._reset_state_progress_markers()  # noqa: SLF001 - as the SDK's `sync_all` does
    if "bookmarks" in tap.state:
        tap.state_writer.write_state(tap.state)
    results = [Result(name, error=reason) for name, reason in unknown]
    tap.sync_log.begin()
    with measured(tap, results):
        try:
            for stream in tap.streams_to_read():
                result = _run_stream(tap, stream)
                if result is not None:
                    results.append(result)
        finally:
            # Once more, since some targets pass a state on only if it is the last they are told.
            if "bookmarks" in tap.state:
                tap.write_message(StateMessage(value=tap.state))
            tap.flush()
    tap.close()  # first, since workers of a stream that failed may still have words to say
    log_summary(tap.logger, results)
    return results


def _unknown_selections(tap: TapPluvo) -> list[tuple[str, str]]:
    """Return the streams that the catalog selects and that are not there, each with why."""
    if tap.input_catalog is None:
        return []
    return [
        (entry.tap_stream_id, tap.missing.get(entry.tap_stream_id, "there is no such stream"))
        for entry in tap.input_catalog.streams
        if entry.tap_stream_id not in tap.streams and is_selected(entry)
    ]


def _check_allowed(tap: TapPluvo) -> None:
    """Refuse names in the setting `allow_incomplete` that no stream has."""
    names = {stream.name for stream in all_streams()}
    for name in sorted(tap.session.settings.allow_incomplete - names):
        msg = f"setting `allow_incomplete`: there is no stream {name!r}{did_you_mean(name, names)}"
        raise ConfigurationError(msg)


def _run_stream(tap: TapPluvo, stream: PluvoStream) -> Result | None:
    """Sync one stream and return how it went; None if the organization turned out to lack it."""
    transport = tap.session.client.transport
    requests, retries = transport.requests, transport.retries
    started = time.monotonic()
    activate = tap.session.settings.emit_activate_version_messages
    if activate:
        stream.begin_version(tap.initialized_at)
    error = incomplete = None
    try:
        with tap.sync_log.following(stream):
            stream.sync()
            stream.finalize_state_progress_markers()
        if stream.left_out:
            return None
        if activate and stream.read_everything:
            stream.activate_version(tap.initialized_at)
    except IncompleteError as reason:
        if stream.name in tap.session.settings.allow_incomplete:
            incomplete = str(reason)
        else:
            error = str(reason)
    except PluvoError as reason:
        error = str(reason)
    except MappingError as reason:
        error = f"setting `stream_maps`: {reason}"
    except OSError:
        raise  # from the target's end of the pipe: nothing more can be written
    except Exception as reason:  # noqa: BLE001 - the other streams go on, whatever it is
        error = _defect(reason)
    return Result(
        stream.name,
        stream.progress.rows,
        transport.requests - requests,
        time.monotonic() - started,
        stream.progress.repairs,
        transport.retries - retries,
        error,
        incomplete,
    )


def _defect(error: Exception) -> str:
    """Return where an error came up that nobody foresaw; its own words may hold personal values."""
    packages = {"tap_pluvo", "pluvo_client"}
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if packages.intersection(Path(frame.filename).parts)]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "the SDK"
    return (
        f"unexpected {type(error).__name__} in {place}: this is a defect of the tap; please report "
        "it with this line and the tap's version"
    )

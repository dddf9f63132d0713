"""The fast way to write messages writes what the SDK's own way writes."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.io_base import SingerWriter
from support import ALL_STREAMS, config, discover, of_stream, selecting, without_time

from tap_pluvo.stream import PluvoStream
from tap_pluvo.sync_run import run
from tap_pluvo.tap import TapPluvo

if TYPE_CHECKING:
    from support import Message

    from pluvo_sandbox import Sandbox


class Tap(TapPluvo):
    """The tap, which leaves this process's signals alone."""

    def _setup_signal_handlers(self) -> None:
        pass


class TapThatWritesAsTheSdkDoes(Tap):
    message_writer_class = SingerWriter  # type: ignore[assignment]  # the SDK takes any writer


def messages(
    tap_class: type[Tap], monkeypatch: pytest.MonkeyPatch, **options: Any
) -> list[Message]:
    """Run a tap in this process and return what it wrote."""
    written = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="utf-8"))
        tap = tap_class(**options)
        try:
            results = run(tap)
        finally:
            tap.close()
            sys.stdout.flush()
        text = written.getvalue().decode()
    assert not [result.error for result in results if result.error]
    found = without_time([json.loads(line) for line in text.splitlines()])
    for message in found:
        if message["type"] == "STATE":
            for bookmark in message["value"]["bookmarks"].values():
                bookmark.pop("full_read_at", None)
    return found


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"start_date": "2025-01-01", "full_refresh_days": 0},
        {"emit_activate_version_messages": True},
        {"stream_maps": {"users": {"email": "md5(email) if email else None", "name": None}}},
        {"add_organization_column": True},
    ],
    ids=lambda settings: next(iter(settings), "defaults"),
)
def test_messages_are_the_same(
    settings: dict[str, Any], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = selecting(discover(config(sandbox, **settings)), ALL_STREAMS)
    _compare(config(sandbox, **settings), catalog, monkeypatch)


def test_columns_that_only_an_organization_has_are_the_same(
    rich: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = discover(config(rich))
    every = {name: [*of_stream(catalog, name)["schema"]["properties"]] for name in ALL_STREAMS}
    found = _compare(config(rich), selecting(catalog, every), monkeypatch)
    rows = [item["record"] for item in found if item.get("stream") == "users" and "record" in item]
    assert {"created_at", "job_title", "is_external"} <= rows[0].keys()


def _compare(
    settings: dict[str, Any], catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> list[Message]:
    options = {"config": settings, "catalog": catalog}
    ours = messages(Tap, monkeypatch, **options)
    assert TypeConformanceLevel.RECURSIVE == Stream.TYPE_CONFORMANCE_LEVEL
    sdks_own = Stream._generate_record_messages
    with monkeypatch.context() as patch:
        patch.setattr(PluvoStream, "TYPE_CONFORMANCE_LEVEL", Stream.TYPE_CONFORMANCE_LEVEL)
        patch.setattr(PluvoStream, "_generate_record_messages", sdks_own)
        theirs = messages(TapThatWritesAsTheSdkDoes, monkeypatch, **options)
    assert {item["stream"] for item in ours if item["type"] == "RECORD"} == ALL_STREAMS

    def rest(items: list[Message]) -> list[Message]:
        """Without the version, which is the time at which a run began."""
        return [{k: v for k, v in item.items() if k != "version"} for item in items]

    assert rest(ours) == rest(theirs)
    return ours

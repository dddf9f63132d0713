from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

from singer_sdk.singerlib import RecordMessage, StateMessage

from tap_pluvo.writer import CHUNK, ChunkWriter

if TYPE_CHECKING:
    import pytest


class Interrupted(io.BytesIO):
    """Takes a part of what it is given, as a pipe does when a signal comes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, data: memoryview) -> int:  # type: ignore[override]
        self.writes += 1
        return super().write(data[:100])


def test_what_is_written_in_parts_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    output = Interrupted()
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=output))
    writer = ChunkWriter()
    for number in range(50):
        writer.write_message(RecordMessage(stream="users", record={"id": number}))
    assert not output.writes
    writer.write_message(StateMessage(value={}))
    assert output.writes > 1
    messages = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [item["record"]["id"] for item in messages[:-1]] == list(range(50))
    assert messages[-1] == {"type": "STATE", "value": {}}


def test_records_are_written_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.BytesIO()
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=output))
    writer = ChunkWriter()
    writer.write_message(RecordMessage(stream="users", record={"name": "x" * (CHUNK // 2)}))
    assert not output.getvalue()
    writer.write_message(RecordMessage(stream="users", record={"name": "x" * CHUNK}))
    assert output.getvalue().count(b"\n") == 2

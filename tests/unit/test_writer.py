from __future__ import annotations

import errno
import io
import json
from types import SimpleNamespace

import pytest
from singer_sdk.singerlib import RecordMessage, StateMessage

from tap_pluvo.writer import CHUNK, ChunkWriter


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


class Full(io.BytesIO):
    """A disk that is full for a while."""

    full = True

    def write(self, data: memoryview) -> int:  # type: ignore[override]
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_no_state_follows_records_that_were_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    output = Full()
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=output))
    writer = ChunkWriter()
    writer.write_message(RecordMessage(stream="users", record={"id": 1}))
    with pytest.raises(OSError, match="No space left"):
        writer.flush()
    output.full = False
    with pytest.raises(OSError, match="No space left"):
        writer.write_message(StateMessage(value={}))
    assert not output.getvalue()


class LeaveError(BaseException):
    """Stands for the end of the process."""


def test_a_signal_within_a_write_ends_the_process_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[int] = []

    def leave(code: int) -> None:
        left.append(code)
        raise LeaveError

    monkeypatch.setattr("os._exit", leave)
    writer = ChunkWriter()

    class Signalled(Interrupted):
        def write(self, data: memoryview) -> int:  # type: ignore[override]
            if self.writes == 1:
                writer.leave(130)
            return super().write(data)

    output = Signalled()
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=output))
    with pytest.raises(LeaveError):
        writer.write_message(StateMessage(value={"text": "x" * 1000}))
    assert left == [130]
    assert output.getvalue().endswith(b"\n")
    with pytest.raises(LeaveError):
        writer.leave(143)
    assert left == [130, 143]

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from singer_sdk.singerlib import RecordMessage, StateMessage

from tap_pluvo import batches
from tap_pluvo.batches import BatchFiles
from tap_pluvo.writer import ChunkWriter

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = dt.datetime(2025, 6, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


@pytest.fixture
def start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[], tuple[ChunkWriter, io.BytesIO]]:
    """A function that gives a writer with files, and its output."""

    def made() -> tuple[ChunkWriter, io.BytesIO]:
        output = io.BytesIO()
        monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=output))
        writer = ChunkWriter()
        writer.batches = BatchFiles(tmp_path, "none")
        return writer, output

    return made


def record(number: int, stream: str = "users") -> RecordMessage:
    row = {"id": number, "name": "x" * 50}
    return RecordMessage(stream=stream, record=row, time_extracted=NOW, version=7)


def test_no_file_is_much_larger_than_the_limit_and_none_is_announced_late(
    start: Callable[[], tuple[ChunkWriter, io.BytesIO]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "FILE_BYTES", 1000)
    writer, output = start()
    for number in range(200):
        writer.write_message(record(number, "users" if number % 3 else "groups"))
        announced = output.getvalue().count(b'"BATCH"')
        assert announced >= number * 50 // 1000 - 2
    writer.write_message(StateMessage(value={}))
    *messages, last = map(json.loads, output.getvalue().splitlines())
    assert last["type"] == "STATE"
    found: dict[str, list[int]] = {"users": [], "groups": []}
    for message in messages:
        (address,) = message["manifest"]
        lines = Path(urlsplit(address).path).read_text("utf-8").splitlines(keepends=True)
        assert sum(map(len, lines[:-1])) < 1000
        found[message["stream"]] += [json.loads(line)["id"] for line in lines]
    assert found["groups"] == [number for number in range(200) if not number % 3]
    assert found["users"] == [number for number in range(200) if number % 3]


def test_a_row_bears_what_a_target_would_take_from_its_message(
    start: Callable[[], tuple[ChunkWriter, io.BytesIO]], tmp_path: Path
) -> None:
    writer, _ = start()
    writer.write_message(record(1))
    writer.flush()
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text("utf-8")) == {
        **record(1).record,
        "_sdc_extracted_at": "2025-06-01T02:03:04.000005Z",
        "_sdc_table_version": 7,
    }


def test_no_state_follows_rows_that_no_file_could_take(
    start: Callable[[], tuple[ChunkWriter, io.BytesIO]], tmp_path: Path
) -> None:
    writer, output = start()
    writer.write_message(record(1))
    tmp_path.rmdir()
    with pytest.raises(FileNotFoundError):
        writer.write_message(StateMessage(value={"bookmarks": {}}))
    tmp_path.mkdir()
    with pytest.raises(FileNotFoundError):
        writer.write_message(StateMessage(value={"bookmarks": {}}))
    with pytest.raises(FileNotFoundError):
        writer.flush()
    assert not output.getvalue()

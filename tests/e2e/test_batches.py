"""Records in files: what BATCH messages name is what RECORD messages would have said."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from reliability_support import comparable
from support import TAP, config, in_batches, manifest, pipe, run_tap, selecting, sync

if TYPE_CHECKING:
    from pathlib import Path

    from support import Result

    from pluvo_sandbox import Sandbox

TARGET = TAP.with_name("target-batch-files")
MAPS: dict[str, Any] = {
    "users": {"email": "md5(email) if email else None", "name": None, "__filter__": "not archived"},
    "people": {"__source__": "users", "__else__": None, "id": "id", "city": "language"},
    "groups": {"__alias__": "teams"},
    "trainings": None,
}


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_files_hold_what_records_say(
    compression: str, everything: Result, sandbox: Sandbox, catalog: Any, tmp_path: Path
) -> None:
    names = [stream["tap_stream_id"] for stream in catalog["streams"]]
    folder = tmp_path / "not there yet"
    batches = in_batches(folder, compression=compression)
    result = sync(config(sandbox, **batches), catalog=selecting(catalog, names))
    assert '"RECORD"' not in result.stdout
    assert comparable(result) == comparable(everything)
    files = manifest(*map(json.loads, result.stdout.splitlines()))
    assert {*folder.iterdir()} == {*files}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    for message in result.messages:
        if message["type"] == "RECORD" and message["stream"] != "sync_log":
            began = result.sync_log[message["stream"]]["started_at"]
            assert message["time_extracted"] == began.replace("+00:00", "Z")


def test_selection_stream_maps_and_versions_hold(
    sandbox: Sandbox, catalog: Any, tmp_path: Path
) -> None:
    columns = {"users": ["id", "email", "archived", "language", "name"], "groups": ["id", "name"]}
    chosen = selecting(catalog, columns | {"trainings": None, "sync_log": None})
    settings = {"stream_maps": MAPS, "emit_activate_version_messages": True}
    records, batches = (
        sync(config(sandbox, **settings, **more), catalog=chosen)
        for more in ({}, in_batches(tmp_path))
    )
    assert records.records.keys() == {"users", "people", "teams"}
    found = [
        [message | {"version": message.get("version") and 1} for message in comparable(run)]
        for run in (records, batches)
    ]
    assert found[0] == found[1]


def test_a_folder_that_another_run_writes_to_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    theirs = tmp_path / "tap-pluvo-1-000001.jsonl"
    theirs.touch()
    lock = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    result = run_tap(config(sandbox, **in_batches(tmp_path)))
    os.close(lock)
    assert result.returncode == 1
    assert f"another run is writing to {tmp_path}" in result.stderr.splitlines()[-1]
    assert not result.stdout
    assert theirs.exists()


@pytest.mark.parametrize(
    ("root", "said"),
    [
        ("s3://bucket/folder", "must be a folder on this machine"),
        ("file://elsewhere/folder", "must be a folder on this machine"),
        ("/dev/null", "/dev/null: File exists"),
    ],
)
def test_a_folder_that_is_none_is_refused(root: str, said: str, sandbox: Sandbox) -> None:
    result = run_tap(config(sandbox, batch_config={"storage": {"root": root}}))
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert "setting `batch_config.storage.root`" in last
    assert said in last


# ---------- the target that keeps the files ----------


def test_the_target_moves_the_files_and_passes_on_the_states(
    everything: Result, sandbox: Sandbox, catalog: Any, tmp_path: Path
) -> None:
    names = [stream["tap_stream_id"] for stream in catalog["streams"]]
    folder, landed = tmp_path / "batch", tmp_path / "with a blank" / "jsonl"
    result = sync(config(sandbox, **in_batches(folder)), catalog=selecting(catalog, names))
    wanted = {path.read_bytes() for path in folder.iterdir()}
    said = result.states  # while the files are still there
    states = pipe(result.stdout, TARGET, {"destination_path": str(landed)}, tmp_path)
    assert [*map(json.loads, states.splitlines())] == said
    assert not [*folder.iterdir()]
    assert {path.read_bytes() for path in landed.iterdir()} == wanted
    assert {path.stat().st_mode & 0o777 for path in landed.iterdir()} == {0o600}
    for stream, rows in everything.records.items():
        files = sorted(landed.glob(f"{stream}-*.jsonl"))
        found = [
            json.loads(line) for path in files for line in path.read_text("utf-8").splitlines()
        ]
        assert len(found) == len(rows), stream


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"type": "RECORD", "stream": "users", "record": {}}, "set the tap's `batch_config`"),
        (
            {"type": "BATCH", "stream": "a", "encoding": {"compression": "gzip"}, "manifest": []},
            "set `batch_config.encoding.compression` to none",
        ),
        (
            {"type": "BATCH", "stream": "a", "encoding": {}, "manifest": ["file:///not/there"]},
            "No such file",
        ),
    ],
)
def test_the_target_refuses_what_it_cannot_take(line: Any, said: str, tmp_path: Path) -> None:
    settings = tmp_path / "target.json"
    settings.write_text(json.dumps({"destination_path": str(tmp_path / "landed")}))
    done = subprocess.run(
        [TARGET, "--config", settings],
        check=False,
        input=json.dumps(line) + '\n{"type": "STATE", "value": {}}\n',
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout

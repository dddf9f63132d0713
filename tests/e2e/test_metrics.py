"""The setting `metrics_file`: what a run leaves behind for those who watch."""

from __future__ import annotations

import json
import os
import re
import signal
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest
from reliability_support import Watched
from support import selecting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERIES = re.compile(r'(\w+)\{organization="127\.0\.0\.1"(?:,stream="(\w+)")?\} ([\d.e+]+)')
STREAMS = ["groups", "users"]

Metrics = dict[tuple[str, str | None], float]


@pytest.fixture
def pluvo() -> Iterator[Watched]:
    with Watched(users=60, trainings=4, groups=4, portfolio=40) as running:
        yield running


@pytest.fixture
def chosen(catalog: Any) -> Any:
    return selecting(catalog, STREAMS)


def exposed(text: str) -> Metrics:
    """Read Prometheus' format: each series after the help and type of its metric."""
    found: Metrics = {}
    for line in text.splitlines():
        if line.startswith("#"):
            mark, kind, name, about = line.split(" ", 3)
            assert mark == "#"
            assert kind in {"HELP", "TYPE"}
            assert about == "gauge" or kind == "HELP"
            continue
        series = SERIES.fullmatch(line)
        assert series, line
        assert series[1] == name
        found[series[1], series[2]] = float(series[3])
    return found


def measured(path: Path, pluvo: Watched) -> Metrics:
    """Return what both files say, which is the same, and nothing of people or secrets."""
    prometheus, lines = (
        path.with_name(f"{path.name}.{ending}").read_text("utf-8") for ending in ("prom", "jsonl")
    )
    assert not pluvo.leaks(prometheus + lines)
    assert {item.name for item in path.parent.iterdir()} == {"pluvo.prom", "pluvo.jsonl"}
    found = exposed(prometheus)
    again = {
        (f"tap_pluvo_{name}", record["stream"]): float(value)
        for record in map(json.loads, lines.splitlines())
        for name, value in record.items()
        if isinstance(value, int | float)
    }
    assert found == again
    return found


def test_a_run_that_read_everything(pluvo: Watched, chosen: Any, tmp_path: Path) -> None:
    path = tmp_path / "new/pluvo"
    result = pluvo.sync(catalog=chosen, metrics_file=str(path))
    found = measured(path, pluvo)
    for stream in STREAMS:
        table = re.search(rf" {stream} +([\d,]+) +([\d,]+) ", result.stderr)
        assert table
        assert found["tap_pluvo_rows", stream] == len(result.records[stream]) == int(table[1])
        assert found["tap_pluvo_requests", stream] == int(table[2]) > 0
        assert found["tap_pluvo_retries", stream] == found["tap_pluvo_repairs", stream] == 0
        assert found["tap_pluvo_complete", stream] == 1
    assert found["tap_pluvo_run_complete", None] == 1
    seconds = sum(found["tap_pluvo_seconds", stream] for stream in STREAMS)
    rounding = 0.0005 * (len(STREAMS) + 1)  # each of the figures is in whole milliseconds
    assert seconds <= found["tap_pluvo_run_seconds", None] + rounding
    ended = found["tap_pluvo_run_timestamp_seconds", None]
    assert found["tap_pluvo_complete_run_timestamp_seconds", None] == ended


def test_what_was_last_complete_outlives_runs_that_are_not(
    pluvo: Watched, chosen: Any, tmp_path: Path
) -> None:
    path = tmp_path / "pluvo"
    options: dict[str, Any] = {"catalog": chosen, "metrics_file": str(path), "max_concurrency": 1}

    def run_cut_off() -> Metrics:
        started: Future[int] = Future()
        nth = len(pluvo.requests) + 5
        pluvo.before_request[nth] = lambda _: os.kill(started.result(), signal.SIGTERM)
        run = pluvo.start(page_size=10, **options)
        started.set_result(run.pid)
        assert run.end().returncode == 128 + signal.SIGTERM
        return measured(path, pluvo)

    name = ("tap_pluvo_complete_run_timestamp_seconds", None)
    never = run_cut_off()
    assert never[name] == never["tap_pluvo_run_complete", None] == 0
    assert never["tap_pluvo_run_timestamp_seconds", None] > 0

    pluvo.sync(**options)
    complete = measured(path, pluvo)[name]
    assert complete > never["tap_pluvo_run_timestamp_seconds", None]

    with Watched(users=5, groups=2, faults=["500:paginatedGroups"]) as broken:
        assert broken.run(**options | {"max_retry_seconds": 1}).returncode == 1
        failed = measured(path, broken)
    assert failed["tap_pluvo_complete", "groups"] == 0
    assert failed["tap_pluvo_complete", "users"] == 1
    assert failed["tap_pluvo_retries", "groups"] > 0
    assert failed["tap_pluvo_run_complete", None] == 0
    assert failed[name] == complete < failed["tap_pluvo_run_timestamp_seconds", None]

    assert run_cut_off()[name] == complete

    lines = tmp_path / "pluvo.jsonl"
    lines.write_text(lines.read_text().replace("127.0.0.1", "north.example"))
    assert run_cut_off()[name] == 0, "it was another organization's"


def test_a_file_that_cannot_be_written_fails_no_run(
    pluvo: Watched, chosen: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    result = pluvo.sync(catalog=chosen, metrics_file=str(tmp_path / "file/pluvo"))
    assert "metrics_file: " in result.stderr
    assert "cannot be written: File exists" in result.stderr
    assert len(result.records["users"]) == 60

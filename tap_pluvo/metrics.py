"""The last run in numbers: a file for Prometheus, and the same as JSON lines.

They name the organization's host and streams, and nothing that was read.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_pluvo.progress import Result
    from tap_pluvo.tap import TapPluvo

OF_STREAM = {
    "rows": "Records that the last run wrote.",
    "requests": "Requests that the last run sent.",
    "retries": "Requests that the last run sent again.",
    "repairs": "Lists that the last run read again, since they had changed.",
    "seconds": "How long the last run took.",
    "complete": "Whether the last run read all that it was to read (1) or not (0).",
}
OF_RUN = {
    "run_seconds": "How long the last run took.",
    "run_complete": "Whether the last run read all streams completely (1) or not (0).",
    "run_timestamp_seconds": "When the last run ended.",
    "complete_run_timestamp_seconds": "When a run last read all streams completely (0: never).",
}


@contextmanager
def measured(tap: TapPluvo, results: Sequence[Result]) -> Iterator[None]:
    """Write what the results say when a run ends, however it ends."""
    path = tap.session.settings.metrics_file
    began = time.time()
    ended = False
    try:
        yield
        ended = True
    finally:
        if path is not None:
            try:
                _write(Path(path), tap, results, began, ended=ended)
            except OSError as error:  # who watches sees that the files are old
                tap.logger.warning("metrics_file: %s cannot be written: %s", path, error.strerror)


def _write(
    path: Path, tap: TapPluvo, results: Sequence[Result], began: float, *, ended: bool
) -> None:
    organization = tap.session.settings.client.host
    streams = [_of_stream(result) for result in results]
    now = time.time()
    complete = ended and all(stream["complete"] for stream in streams)
    lines = path.with_name(f"{path.name}.jsonl")
    run: dict[str, Any] = {
        "stream": None,  # as it speaks for all of them
        "run_seconds": round(now - began, 3),
        "run_complete": complete,
        "run_timestamp_seconds": round(now, 3),
        "complete_run_timestamp_seconds": round(now, 3)
        if complete
        else _last_complete(lines, organization),
        "run_at": dt.datetime.fromtimestamp(now, dt.UTC).isoformat(timespec="seconds"),
        "tap_version": tap.plugin_version,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(
        lines,
        "".join(
            json.dumps({"organization": organization} | item) + "\n" for item in (*streams, run)
        ),
    )
    _replace(path.with_name(f"{path.name}.prom"), _exposition(organization, streams, run))


def _of_stream(result: Result) -> dict[str, Any]:
    return {
        "stream": result.stream,
        "rows": result.rows,
        "requests": result.requests,
        "retries": result.retries,
        "repairs": result.repairs,
        "seconds": round(result.seconds, 3),
        "complete": result.error is None and result.incomplete is None,
    }


def _last_complete(lines: Path, organization: str) -> float:
    """Return when the organization was last read completely, as an earlier run noted; 0: never."""
    try:
        run = json.loads(lines.read_text(encoding="utf-8").splitlines()[-1])
        noted = run["complete_run_timestamp_seconds"]
        return float(noted) if run["organization"] == organization else 0.0
    except (FileNotFoundError, ValueError, LookupError, TypeError):  # no file, or not ours
        return 0.0


def _exposition(organization: str, streams: list[dict[str, Any]], run: dict[str, Any]) -> str:
    """Return Prometheus' text format. A host and names of streams need no escapes."""
    lines = []
    for name, about in OF_STREAM.items():
        lines += [f"# HELP tap_pluvo_{name} {about}", f"# TYPE tap_pluvo_{name} gauge"]
        lines += [
            f'tap_pluvo_{name}{{organization="{organization}",stream="{stream["stream"]}"}} '
            f"{float(stream[name]):.15g}"
            for stream in streams
        ]
    for name, about in OF_RUN.items():
        lines += [f"# HELP tap_pluvo_{name} {about}", f"# TYPE tap_pluvo_{name} gauge"]
        lines.append(f'tap_pluvo_{name}{{organization="{organization}"}} {float(run[name]):.15g}')
    return "\n".join(lines) + "\n"


def _replace(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)

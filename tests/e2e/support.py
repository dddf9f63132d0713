"""Run the tap as its users do: as a process that is given files and writes messages."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pluvo_sandbox import Sandbox

Row = dict[str, Any]
Message = dict[str, Any]

REPOSITORY = Path(__file__).parents[2]
TAP = Path(sys.executable).with_name("tap-pluvo")
TOOLS = REPOSITORY / ".venv-tools"  # made by `make setup`, as targets share no environment with us
FOREVER = 120  # seconds after which a process that hangs is ended, and its test fails

SCHEMAS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (REPOSITORY / "schemas").glob("*.json")
}
SYNC_LOG = "sync_log"  # the stream that says what was read of the others
EVENTS = "webhook_events"  # offered where there is an inbox of webhooks
ALL_STREAMS = set(SCHEMAS) - {SYNC_LOG, EVENTS}  # that are read from Pluvo
OFFERED = ALL_STREAMS | {SYNC_LOG}  # in a catalog
DEFAULT_STREAMS = {name for name in ALL_STREAMS if SCHEMAS[name].get("x-selected-by-default", True)}


@dataclass(frozen=True)
class Result:
    """What a run of the tap left behind."""

    returncode: int
    stdout: str
    stderr: str

    @cached_property
    def messages(self) -> list[Message]:
        """The messages; those in the files of a BATCH message, in its place."""
        lines = map(json.loads, self.stdout.splitlines())
        return [message for line in lines for message in unbatched(line)]

    @cached_property
    def records(self) -> dict[str, list[Row]]:
        """The records of each stream that was read and sent any, in their order."""
        found: dict[str, list[Row]] = {}
        for message in self.messages:
            if message["type"] == "RECORD" and message["stream"] != SYNC_LOG:
                found.setdefault(message["stream"], []).append(message["record"])
        return found

    @cached_property
    def sync_log(self) -> dict[str, Row]:
        """The row of each stream in `sync_log`."""
        rows = [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == SYNC_LOG
        ]
        found = {row["stream"]: row for row in rows}
        assert len(found) == len(rows)
        return found

    @cached_property
    def schemas(self) -> dict[str, Message]:
        """The schema of each stream that was read."""
        return {
            item["stream"]: item
            for item in self.messages
            if item["type"] == "SCHEMA" and item["stream"] != SYNC_LOG
        }

    @cached_property
    def states(self) -> list[Any]:
        return [item["value"] for item in self.messages if item["type"] == "STATE"]

    @property
    def state(self) -> Any:
        return self.states[-1]

    @property
    def catalog(self) -> Any:
        return json.loads(self.stdout)

    def bookmark(self, stream: str) -> dict[str, Any]:
        """The last bookmark of a stream."""
        found: dict[str, Any] = self.state["bookmarks"][stream]
        return found

    def keys(self, stream: str, *columns: str) -> list[Any]:
        """The values of some columns in each record of a stream."""
        return [tuple(row[name] for name in columns) for row in self.records.get(stream, [])]

    def failed_streams(self) -> set[str]:
        """The streams that the last lines of the log call failed."""
        return {
            line.split("stream ", 1)[1].split(" failed:", 1)[0]
            for line in self.stderr.splitlines()
            if "| ERROR " in line and " failed: " in line
        }


def unbatched(message: Message) -> Iterator[Message]:
    """Give the RECORD messages that a BATCH message stands for; any other one as it is."""
    if message["type"] != "BATCH":
        yield message
        return
    assert message["encoding"]["format"] == "jsonl"
    for path in manifest(message):
        content = path.read_bytes()
        if message["encoding"]["compression"] == "gzip":
            content = gzip.decompress(content)
        for line in content.splitlines():
            row = json.loads(line)
            extracted, version = row.pop("_sdc_extracted_at"), row.pop("_sdc_table_version", None)
            found = {"type": "RECORD", "stream": message["stream"], "record": row}
            if version is not None:
                found["version"] = version
            yield found | {"time_extracted": extracted}


def manifest(*messages: Message) -> list[Path]:
    """Return the files that BATCH messages name."""
    addresses = [name for item in messages if item["type"] == "BATCH" for name in item["manifest"]]
    return [Path(unquote(urlsplit(address).path)) for address in addresses]


def in_batches(folder: Path, **encoding: str) -> dict[str, Any]:
    """Return the setting that lets records go to files in a folder."""
    return {"batch_config": {"encoding": encoding, "storage": {"root": folder.as_uri()}}}


def config(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    """Return settings that lead to a sandbox."""
    return {
        "api_url": sandbox.url,
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "max_retry_seconds": 5,
        **settings,
    }


def environment(**variables: str) -> dict[str, str]:
    """Return this process's variables without those that the tap would read, and some more."""
    return {k: v for k, v in os.environ.items() if not k.startswith("TAP_PLUVO_")} | variables


def write(folder: Path, name: str, content: Any) -> str:
    """Write a file: text as it is, all else as JSON."""
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def run_tap(  # noqa: PLR0913 - all that a user can give
    settings: Mapping[str, Any] | str | None,
    *arguments: str,
    catalog: Any = None,
    state: Any = None,
    variables: Mapping[str, str] | None = None,
    tap: Path | None = None,
    cwd: Path | None = None,
) -> Result:
    """Run the tap to its end. Settings, catalog and state may be text, to be written as it is.

    The process is forked from one that has imported the tap already, unless `tap` names a command.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = []
        for option, content in (("config", settings), ("catalog", catalog), ("state", state)):
            if content is not None:
                options += [f"--{option}", write(folder, f"{option}.json", content)]
        options += arguments
        inherited = environment(**(variables or {}))
        if tap is None:
            return _launched(folder, options, inherited, cwd or folder)
        done = subprocess.run(
            [tap, *options],
            check=False,
            capture_output=True,
            encoding="utf-8",
            env=inherited,
            cwd=cwd or folder,
            stdin=subprocess.DEVNULL,
            timeout=FOREVER,
        )
    return Result(done.returncode, done.stdout, done.stderr)


def _launched(folder: Path, options: list[str], variables: Mapping[str, str], cwd: Path) -> Result:
    from reliability_support import launcher  # noqa: PLC0415 - which imports from here

    job = {"arguments": options, "variables": variables, "folder": str(cwd)}
    outputs = folder / "stdout", folder / "stderr"
    with outputs[0].open("wb") as stdout, outputs[1].open("wb") as stderr:
        path = Path(write(folder, "job.json", job))
        launcher().start(path, stdout.fileno(), stderr.fileno())
        code = launcher().wait()
    return Result(code, *(path.read_text(encoding="utf-8") for path in outputs))


def sync(settings: Mapping[str, Any], *arguments: str, **files: Any) -> Result:
    """Run the tap and make sure that all went well."""
    result = run_tap(settings, *arguments, **files)
    assert result.returncode == 0, result.stderr
    return result


def discover(settings: Mapping[str, Any]) -> Any:
    """Return the catalog that discovery writes."""
    return sync(settings, "--discover").catalog


def selecting(
    catalog: Any,
    streams: Iterable[str] | Mapping[str, Iterable[str] | None],
    **metadata: Any,
) -> Any:
    """Return the catalog with nothing but some streams selected.

    A mapping gives the columns of each stream to select (None: those selected by default); other
    keyword arguments are set on each selected stream, in both places where Meltano sets them.
    """
    wanted = streams if isinstance(streams, dict) else dict.fromkeys(streams)
    catalog = json.loads(json.dumps(catalog))
    for stream in catalog["streams"]:
        name = stream["tap_stream_id"]
        columns = wanted.get(name)
        if name in wanted:
            stream.update(metadata)
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = name in wanted
                if name in wanted:
                    entry["metadata"] |= {
                        key.replace("_", "-"): value for key, value in metadata.items()
                    }
            elif columns is not None:
                entry["metadata"]["selected"] = entry["breadcrumb"][1] in columns
    return catalog


def of_stream(catalog: Any, name: str) -> Any:
    """Return a stream's entry in a catalog."""
    return next(item for item in catalog["streams"] if item["tap_stream_id"] == name)


def metadata_of(catalog: Any, stream: str, column: str | None = None) -> Any:
    """Return the metadata of a stream or of one of its columns."""
    breadcrumb = [] if column is None else ["properties", column]
    entries = of_stream(catalog, stream)["metadata"]
    return next(item["metadata"] for item in entries if item["breadcrumb"] == breadcrumb)


def queries(sandbox: Sandbox) -> list[str]:
    """Return the documents that a sandbox was sent, without those that ask for the schema."""
    return [
        request.query
        for request in sandbox.requests
        if request.query is not None and "__schema" not in request.query
    ]


def tool(package: str, program: str) -> Path:
    """Return a program that has an environment of its own."""
    path = TOOLS / package / "bin" / program
    assert path.is_file(), f"{path} is missing: run `make setup`"
    return path


def pipe(
    messages: str,
    target: Path,
    settings: Mapping[str, Any],
    folder: Path,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Give messages to a target and return what it writes to its standard output."""
    done = subprocess.run(
        [str(target), "--config", write(folder, "target.json", settings)],
        check=False,
        input=messages,
        capture_output=True,
        encoding="utf-8",
        env=environment(**(variables or {})),
        cwd=folder,
        timeout=FOREVER,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_time(messages: Sequence[Message]) -> list[Message]:
    """Return messages without the time at which they were made."""
    return [{k: v for k, v in item.items() if k != "time_extracted"} for item in messages]


def today() -> str:
    return datetime.now(UTC).date().isoformat()

"""Run target-pluvo as its users do, with messages made from rows."""

from __future__ import annotations

import json
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reliability_support import launcher
from support import config, environment, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pluvo_sandbox import Sandbox

Row = dict[str, Any]

KEYS = {
    "users": ["ref"],
    "groups": ["ref"],
    "group_members": ["group_ref", "user_ref"],
    "trainings": ["ref"],
    "training_participants": ["training_ref", "user_ref"],
    "enrollments": ["offer_event_ref", "user_ref"],
    "certificates_to_issue": ["certificate_id", "user_ref", "issue_date"],
}
_TABLE = re.compile(
    r"\| stream +(?P<columns>[a-z]+(?: +[a-z]+)+)\n(?P<rows>(?:.*\| \w+(?: +\d+)+\n)+)"
)


@dataclass(frozen=True)
class Written:
    """What a run of the target left behind."""

    returncode: int
    stdout: str
    stderr: str
    rejects: list[Row]

    @property
    def states(self) -> list[Any]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def table(self) -> dict[str, dict[str, int]]:
        """The closing table, without zeros."""
        found = _TABLE.search(self.stderr)
        if found is None:
            return {}
        rows = [line.rpartition("| ")[2].split() for line in found["rows"].splitlines()]
        return {
            stream: {
                name: int(number)
                for name, number in zip(found["columns"].split(), numbers, strict=True)
                if int(number)
            }
            for stream, *numbers in rows
        }


class Target:
    """The target, with a sandbox to write to and a folder for its files."""

    def __init__(self, sandbox: Sandbox, folder: Path, **settings: Any) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.settings = settings
        self.rejects = folder / "target-pluvo-rejects.jsonl"
        self._runs = 0

    def start(self, messages: str, **settings: Any) -> int:
        """Start a run and return its process id."""
        return self._start(write(self.folder, f"{self._runs + 1}.singer", messages), **settings)

    def _start(self, path: str, **settings: Any) -> int:
        self._runs += 1
        name = str(self._runs)
        job = {
            "program": "target-pluvo",
            "arguments": [
                *("--config", self.write_config(name, **settings)),
                *("--input", path),
            ],
            "variables": environment(),
            "folder": str(self.folder),
        }
        job_path = Path(write(self.folder, f"{name}.job.json", job))
        self._outputs = [self.folder / f"{name}.{part}" for part in ("stdout", "stderr")]
        descriptors = [os.open(path, os.O_CREAT | os.O_WRONLY) for path in self._outputs]
        pid = launcher().start(job_path, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        return pid

    def write_config(self, name: str, **settings: Any) -> str:
        """Write the settings that lead to the sandbox, and return the path."""
        found = config(self.sandbox, **self.settings | settings)
        return write(self.folder, f"{name}.config.json", found)

    def end(self) -> Written:
        """Wait for the end of the run."""
        code = launcher().wait()
        stdout, stderr = (path.read_text("utf-8") for path in self._outputs)
        assert "Traceback" not in stderr, stderr
        lines = self.rejects.read_text("utf-8").splitlines() if self.rejects.exists() else []
        return Written(code, stdout, stderr, [json.loads(line) for line in lines])

    def run(self, messages: str, **settings: Any) -> Written:
        """Run the target to its end."""
        self.start(messages, **settings)
        return self.end()

    def run_file(self, path: str, **settings: Any) -> Written:
        """Run the target over a file of messages."""
        self._start(path, **settings)
        return self.end()

    def write(self, *parts: Mapping[str, Iterable[Row]], **settings: Any) -> Written:
        """Run the target over rows by stream, and make sure that all went well."""
        written = self.run(singer(*parts), **settings)
        assert written.returncode == 0, written.stderr
        assert not written.rejects
        return written

    def kill(self, pid: int) -> None:
        """Kill a run."""
        os.kill(pid, signal.SIGKILL)
        launcher().wait()

    def mutations(self) -> list[str]:
        """Return the mutations that the sandbox was sent."""
        return [
            request.query
            for request in self.sandbox.requests
            if request.query is not None and request.query.startswith("mutation")
        ]


def singer(*parts: Mapping[str, Iterable[Row]], state: bool = True) -> str:
    """Return rows by stream as messages; after each part comes a state with its number."""
    lines: list[Row] = []
    for number, part in enumerate(parts, 1):
        for stream, rows in part.items():
            rows = list(rows)  # noqa: PLW2901 - they are gone through twice
            columns = dict.fromkeys(name for row in rows for name in row)
            schema = {"type": "object", "properties": {name: {} for name in columns}}
            keys = [name for name in KEYS.get(stream, []) if all(name in row for row in rows)]
            lines.append(
                {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": keys}
            )
            lines += [{"type": "RECORD", "stream": stream, "record": row} for row in rows]
        if state:
            lines.append({"type": "STATE", "value": {"part": number}})
    return "".join(json.dumps(line) + "\n" for line in lines)

"""Run a program from start to exit; measure its cost and check that it did the whole job."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bench_server import BenchServer, Load

# The last digits of an id are the user's number, see data.py. JSON names it; in CSV it starts the
# line.
ID = re.compile(rb'(?:"id": ?"|^)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-([0-9a-f]{12})')
ROOT = Path(__file__).parents[1]
MEGABYTE = 1e6
LAUNCH = Path(__file__).with_name("launch.py")

Command = list[str | Path]  # a program and its arguments


class FailedError(Exception):
    """A program failed, or did not do the whole job."""


@dataclass(frozen=True)
class Run:
    """One run of a program: the whole process, including start-up."""

    wall: float  # seconds
    cpu: float  # seconds, user and system
    peak: float  # megabytes
    rows: int = 0
    requests: int = 0
    server_cpu: float = 0.0  # seconds


@dataclass
class Program:
    """A command that reads users into `output`: its standard output, or a file or folder.

    `fetch` copies what went elsewhere into `output`; it is not measured.
    """

    name: str
    command: Command
    output: Path
    environment: Mapping[str, str]
    to_stdout: bool = True
    exact: bool = True  # whether each user comes exactly `copies` times
    copies: int = 1
    fetch: Callable[[Path], None] | None = None

    def run(self, server: BenchServer | None = None, load: Load | None = None) -> Run:
        """Run it; with a load, count the users in its output.

        Raises:
            FailedError: it failed, or users are missing or duplicated.
        """
        before = server.counters() if server else None
        log = self.output.with_name(f"{self.output.name}.log")
        sink = self.output if self.to_stdout else log
        with sink.open("wb") as out, log.open("ab") as err:
            code, run = measured(
                self.command, stdout=out, stderr=err, env={**os.environ, **self.environment}
            )
        if code:
            tail = log.read_text("utf-8", "replace")[-2000:]
            msg = f"{self.name} failed with exit code {code}:\n{tail}"
            raise FailedError(msg)
        if server is None or load is None or before is None:
            return run
        after = server.counters()
        if self.fetch:
            self.fetch(self.output)
        return Run(
            run.wall,
            run.cpu,
            run.peak,
            self._count(load.rows),
            after.requests[str(load)] - before.requests[str(load)],
            after.cpu - before.cpu,
        )

    def _count(self, expected: int) -> int:
        """Count the users in the output line by line, without loading all of it."""
        files = [self.output]
        if self.output.is_dir():
            files = [*self.output.rglob("*.jsonl"), *self.output.rglob("*.csv")]
        bits = bytearray()
        distinct = total = 0
        for path in files:
            with path.open("rb") as lines:
                for line in lines:
                    for digits in ID.findall(line):
                        number = int(digits, 16)
                        if number >= len(bits):
                            bits.extend(bytes(number + 1 - len(bits)))
                        total += 1
                        distinct += not bits[number]
                        bits[number] = 1
        if distinct != expected or (self.exact and total != expected * self.copies):
            msg = f"{self.name} gave {distinct} distinct users of {expected} ({total} in all)"
            raise FailedError(msg)
        return distinct * self.copies


def measured(command: Command, **options: Any) -> tuple[int, Run]:
    """Run a command, with options of `subprocess.run`; return its exit code and what it cost."""
    with NamedTemporaryFile() as cost:
        launch: Command = [sys.executable, "-S", LAUNCH, cost.name, *command]
        code = subprocess.run(launch, check=False, **{"cwd": ROOT, **options}).returncode
        found = json.load(cost)
    return code, Run(found["wall"], found["cpu"], found["peak"] / MEGABYTE)


def typical(runs: Iterable[Run]) -> Run:
    """Return the median of each figure over several runs."""
    found = [asdict(run) for run in runs]
    figures: dict[str, Any] = {name: median(run[name] for run in found) for name in found[0]}
    return Run(**figures)

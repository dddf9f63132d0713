"""The tap and a target as processes, run one after the other, with a state between the runs."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support import FOREVER, Result, config, environment, tool, write
from warehouses import DuckDB

if TYPE_CHECKING:
    from datetime import datetime
    from signal import Signals

    from warehouses import Warehouse

    from pluvo_sandbox import Sandbox

TAP = Path(__file__).with_name("tap_on_day.py")

TO_POSTGRES = {
    "sqlalchemy_url": "postgresql+psycopg://",
    "use_copy": True,
    "default_target_schema": "pluvo",
}


@dataclass
class Broken:
    """How a run breaks off, and which streams it does not read completely.

    By faults of the sandbox, or by a signal before a GraphQL request.
    """

    lacks: set[str]
    faults: tuple[str, ...] = ()
    signal: Signals | None = None
    at_request: int = 0


class Pipeline:
    """From a sandbox into a warehouse; `settings` are those of the tap."""

    def __init__(self, pluvo: Sandbox, warehouse: Warehouse, folder: Path, **settings: Any) -> None:
        self.pluvo = pluvo
        self.warehouse = warehouse
        self.folder = folder
        self.settings = settings
        self.state = ""
        (folder / "files").mkdir(parents=True)

    def run(self, now: datetime, broken: Broken | None = None) -> Result:
        """Load what the sandbox has, with the tap's clock at `now`; return what the tap did."""
        started: Future[int] = Future()
        self.pluvo.reset_log()
        self.pluvo.set_faults(*(broken.faults if broken else ()))
        if broken and (number := broken.signal):
            kill = {broken.at_request: lambda _: os.kill(started.result(), number)}
            self.pluvo.before_request |= kill
        command = [sys.executable, str(TAP), now.isoformat()]
        settings = config(self.pluvo, max_retry_seconds=0, **self.settings)
        command += ["--config", write(self.folder, "config.json", settings)]
        if self.state:
            command += ["--state", write(self.folder, "state.json", self.state)]
        messages, said = self.folder / "messages", self.folder / "said"
        with messages.open("wb") as stdout, said.open("wb") as stderr:
            tap = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environment())
            started.set_result(tap.pid)
            code = tap.wait(FOREVER)
        self.pluvo.before_request.clear()
        if isinstance(self.warehouse, DuckDB):
            self._to_files(messages, self.warehouse.files, now)
        else:
            self._load("target-postgres", messages, TO_POSTGRES)
        whole, _, _ = messages.read_text().rpartition("\n")  # the last line may be cut off
        return Result(code, whole, said.read_text())

    def _to_files(self, messages: Path, folder: Path, now: datetime) -> None:
        files = self.folder / "files"
        settings = {"destination_path": str(files), "do_timestamp_file": True}
        self._load("target-jsonl", messages, settings)
        # The target names them by the machine's clock, in its local time.
        for file in files.iterdir():
            stream, _, _ = file.name.partition("-")
            file.rename(folder / f"{stream}-{now.astimezone():%Y%m%dT%H%M%S}.jsonl")

    def _load(self, target: str, messages: Path, settings: dict[str, Any]) -> None:
        """Run a target, and keep the state that it writes when it has stored what came before."""
        with messages.open("rb") as stdin:
            done = subprocess.run(
                [tool(target, target), "--config", write(self.folder, "target.json", settings)],
                check=False,
                stdin=stdin,
                capture_output=True,
                encoding="utf-8",
                env=environment(**self.warehouse.environment),
                timeout=FOREVER,
            )
        is_whole = messages.read_bytes().endswith(b"\n")
        assert done.returncode == 0 or not is_whole, done.stderr
        *_, self.state = (self.state, *done.stdout.splitlines())

"""The demo: a made-up organization, loaded into DuckDB twice with Meltano, and the result.

`make demo` sets up what this needs. Everything is kept in output/sandbox/, so the next demo goes on
with the same organization.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pluvo_sandbox.database import Database
from pluvo_sandbox.editor import Editor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "output/sandbox"
ORGANIZATION = FOLDER / "organization.db"
FIRST_RUN = FOLDER / "first-run.json"
DATABASE = FOLDER / "pluvo.duckdb"
MELTANO = ".venv-tools/meltano/bin/meltano"
SIZE = {"users": 500, "trainings": 30, "groups": 12, "portfolio": 8000}
FINISHERS = 25
STARTING = 60
LOG_LINES = 30

STREAM = re.compile(r"tap-pluvo-batch +([a-z_]+) +([\d,]+) +([\d,]+) +[\d.]+ +[\d,]+ +[\d,]+\s*$")
READING = re.compile(r"Beginning sync of '(\w+)'")
BUILDING = re.compile(r"(\d+) of (\d+) (?:OK|PASS|WARN)")
DONE = re.compile(r"Done\. PASS=(\d+) WARN=(\d+) .* NO-OP=(\d+) TOTAL=(\d+)")

WHAT_NEXT = f"""\
`make report` turns it into a page of charts.

To load a real organization into output/prod/pluvo.duckdb, set your credentials and run this:

  export TAP_PLUVO_ORGANIZATION=my-academy    # of my-academy.pluvo.com; or TAP_PLUVO_API_URL
  export TAP_PLUVO_CLIENT_ID=... TAP_PLUVO_CLIENT_SECRET=...
  {MELTANO} --environment=prod run pluvo-to-duckdb

Other jobs: pluvo-to-postgres (set PGHOST, PGUSER, ...) and pluvo-to-csv."""


class FailedError(Exception):
    """A step failed; the message says all there is to know."""


@dataclass
class Run:
    """What one run of the pipeline read: rows and requests of each stream."""

    streams: dict[str, tuple[int, int]] = field(default_factory=dict)
    dbt: str = ""

    @property
    def rows(self) -> int:
        """Rows of all streams."""
        return sum(rows for rows, _ in self.streams.values())

    @property
    def requests(self) -> int:
        """Requests of all streams."""
        return sum(requests for _, requests in self.streams.values())


def main() -> None:
    """Run the demo."""
    say("tap-pluvo: from a learning management system to tables, all on this machine", "")
    dotenv = ROOT / ".env"
    if dotenv.exists() and "TAP_PLUVO_ORGANIZATION" in dotenv.read_text(encoding="utf-8"):
        message = ".env names a real organization, and Meltano would read it: move the file aside"
        raise FailedError(message)
    if not FIRST_RUN.exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
    steps = Steps()
    with contextlib.ExitStack() as stack:
        with steps.next("Start the sandbox, a made-up organization on a free port"):
            variables = stack.enter_context(sandbox())
        people = ", ".join(f"{number:,} {what}" for what, number in SIZE.items())
        say(f"   {variables['TAP_PLUVO_API_URL']}: {people.replace('portfolio', 'results')}", "")
        if FIRST_RUN.exists():
            streams = json.loads(FIRST_RUN.read_text(encoding="utf-8"))
            first = Run({name: tuple(numbers) for name, numbers in streams.items()})
        else:
            with steps.next("Read all of it: meltano run pluvo-to-duckdb"):
                first = pipeline(variables, FOLDER / "first-run.log")
            FIRST_RUN.write_text(json.dumps(first.streams), encoding="utf-8")
            say(f"   {first.rows:,} rows in {first.requests:,} requests; {first.dbt}", "")
        finished = finish_trainings()
        with steps.next(f"{finished} people finish a training: the same command again"):
            second = pipeline(variables, FOLDER / "latest-run.log")
        say(f"   {second.rows:,} rows in {second.requests:,} requests; {second.dbt}", "")
        with steps.next("Stop the sandbox"):
            stack.close()
    say("")
    show_database()
    compare(first, second)
    say(WHAT_NEXT)


class Steps:
    """Numbered steps, each with the seconds it took."""

    def __init__(self) -> None:
        self._number = 0

    @contextmanager
    def next(self, title: str) -> Iterator[None]:
        """Announce a step, and print how long it took."""
        self._number += 1
        say(f"{self._number}. {title}")
        started = time.monotonic()
        yield
        status("")
        say(f"   {time.monotonic() - started:.1f} s")


@contextmanager
def sandbox() -> Iterator[dict[str, str]]:
    """Serve the organization; yield the environment variables that point the tap to it."""
    ready = FOLDER / "ready.json"
    ready.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("pluvo-sandbox")), "serve", "--port=0"]
    command += [f"--{what}={number}" for what, number in SIZE.items()]
    command += [f"--db={ORGANIZATION}", f"--ready-file={ready}"]
    with (FOLDER / "sandbox.log").open("wb") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + STARTING
        while not ready.exists():
            if server.poll() is not None or time.monotonic() > deadline:
                raise FailedError(tail(FOLDER / "sandbox.log"))
            time.sleep(0.05)
        told = json.loads(ready.read_text(encoding="utf-8"))
        yield {
            "TAP_PLUVO_API_URL": told["url"],
            "TAP_PLUVO_CLIENT_ID": told["client_id"],
            "TAP_PLUVO_CLIENT_SECRET": told["client_secret"],
        }
    finally:
        server.terminate()
        server.wait()


def pipeline(variables: dict[str, str], log: Path) -> Run:
    """Run the job and return what it read; its output goes to a file."""
    run = Run()
    # Ignore whatever this shell may have set for a real organization.
    ours = ("TAP_PLUVO_", "TARGET_", "MELTANO_", "DBT_", "PLUVO_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    process = subprocess.Popen(
        [ROOT / MELTANO, "--environment=sandbox", "run", "pluvo-to-duckdb"],
        cwd=ROOT,
        env=environment | variables | {"DBT_USE_COLORS": "false"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    with process, log.open("w", encoding="utf-8") as file:
        for line in process.stdout or ():
            file.write(line)
            if found := READING.search(line):
                status(f"reading {found[1]}")
            elif found := BUILDING.search(line):
                status(f"dbt: {found[1]} of {found[2]}")
            elif found := STREAM.search(line):
                rows, requests = (int(number.replace(",", "")) for number in found.group(2, 3))
                run.streams[found[1]] = (rows, requests)
            elif found := DONE.search(line):
                passed, warned, nothing, total = map(int, found.groups())  # to do for a page
                models = f"{total - nothing} models and tests"
                run.dbt = f"dbt: {models}, {passed} passed, {warned} warned"
    if process.returncode:
        raise FailedError(tail(log))
    return run


def tail(log: Path) -> str:
    """Return the end of a log, and where to find the rest."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join([*lines, "", f"This failed; the whole log is in {log.relative_to(ROOT)}"])


def finish_trainings() -> int:
    """Let some people finish a training today; return how many did."""
    with closing(Database(str(ORGANIZATION))) as database:
        editor = Editor(database.connection, random.Random(1))  # noqa: S311 - a demo
        rows = editor.database.execute(
            "SELECT id FROM report WHERE relatedObjectType = 'TRAINING' AND completionDate IS NULL "
            "AND progress BETWEEN 1 AND 99 ORDER BY id LIMIT ?",
            (FINISHERS,),
        ).fetchall()
        for (row_id,) in rows:
            today = datetime.now(UTC).date().isoformat()
            editor.change("report", row_id, progress=100.0, completionDate=today)
    return len(rows)


def show_database() -> None:
    """Show what an analyst will find."""
    with duckdb.connect(str(DATABASE), read_only=True) as database:
        say(f"What is in {DATABASE.relative_to(ROOT)}", "")
        names = database.sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' "
            "AND regexp_matches(table_name, '^pluvo__(dim|fct|bridge|rpt)_') ORDER BY table_name"
        ).fetchall()
        counts = [(name, database.table(name).shape[0]) for (name,) in names]
        table(("Table", "Rows"), counts)
        certificates = database.sql("""
            SELECT
                certificate_status,
                count(*),
                count(*) / sum(count(*)) OVER (),
                min(expires_on),
                max(expires_on)
            FROM pluvo__fct_certificates
            WHERE NOT is_superseded
            GROUP BY certificate_status
            ORDER BY count(*) DESC
        """).fetchall()
        table(
            ("Certificates", "Number", "Share", "", "First expiry", "Last expiry"),
            [(what, n, share, bar(share), *days) for what, n, share, *days in certificates],
        )
        groups = database.sql("""
            SELECT
                group_name,
                max(members),
                count(*),
                sum(started)::INTEGER,
                sum(completed)::INTEGER,
                sum(completed) / sum(members)
            FROM pluvo__rpt_group_progress
            GROUP BY group_id, group_name
            HAVING sum(members) > 0
            ORDER BY sum(members) DESC
            LIMIT 3
        """).fetchall()
        table(
            ("Group", "Members", "Trainings", "Started", "Completed", "Share", ""),
            [(*row, bar(row[-1])) for row in groups],
        )


def compare(first: Run, second: Run) -> None:
    """Show what the second run did not have to re-read."""
    names = sorted(first.streams | second.streams)
    rows = [
        (name, *first.streams.get(name, (0, 0)), *second.streams.get(name, (0, 0)))
        for name in names
    ]
    rows.append(("all", first.rows, first.requests, second.rows, second.requests))
    table(("Stream", "Rows, first run", "Requests", "Rows, this run", "Requests"), rows)
    if second.rows < first.rows:
        say(
            f"This run read {second.rows / first.rows:.0%} of the rows of the first one, with "
            f"{second.requests / first.requests:.0%} of its requests. Results and",
            "certificates are read from a week before the bookmark (setting `lookback_days`); the",
            "API has no way to ask the other lists for changes only.",
            "",
        )
    else:
        say(
            "This run read all results again, as the first run of each day does: those in",
            "progress cannot be read alone (setting `full_refresh_days`). The next one reads less.",
            "",
        )


def table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table: text on the left, numbers on the right."""
    cells = [[text(value) for value in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(titles, *cells, strict=True)]
    right = [isinstance(value, int | float) for value in (rows[0] if rows else titles)]
    for row in (titles, ["-" * size for size in widths], *cells):
        padded = [
            " " * (size - width(cell)) + cell if to_right else cell + " " * (size - width(cell))
            for cell, size, to_right in zip(row, widths, right, strict=True)
        ]
        say(("   " + "  ".join(padded)).rstrip())
    say("")


def text(value: Any) -> str:
    """Format a value for reading: shares as percentages, thousands separated, on one line."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0%}"
    return f"{value:,}" if isinstance(value, int) else " ".join(str(value).split())


def width(cell: str) -> int:
    """Return how many terminal columns a text takes."""
    return sum(
        2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in cell
        if unicodedata.category(letter) not in {"Mn", "Me", "Cf"}
    )


def bar(share: float) -> str:
    """Draw a share as a bar."""
    length = 20
    filled = round(share * length)
    return "#" * filled + "." * (length - filled)


def say(*lines: str) -> None:
    """Print lines at once."""
    for line in lines:
        print(line, flush=True)


def status(line: str) -> None:
    """Show progress on a line that the next one replaces; on terminals only."""
    if sys.stdout.isatty():
        print(f"\r\033[K   {line}" if line else "\r\033[K", end="", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("\nStopped."))  # and the sandbox with it
    try:
        main()
    except FailedError as error:
        status("")
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nStopped.")

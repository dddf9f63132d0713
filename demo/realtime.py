"""Real time: somebody is renamed and somebody deleted, and the warehouse knows it seconds later.

`make demo-realtime` sets up what this needs. A sandbox sends its webhooks to the receiver, the tap
reads what they are about (LOG_BASED), and dbt merges it into DuckDB; all on this machine, from
scratch, in output/realtime/.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pluvo_sandbox.behaviour import WEBHOOK_SECRET
from pluvo_sandbox.database import Database
from pluvo_sandbox.editor import Editor
from pluvo_webhooks.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
DBT = ROOT / ".venv-tools/dbt/bin/dbt"
FOLDER = ROOT / "output/realtime"
ORGANIZATION = FOLDER / "organization.db"
DATABASE = FOLDER / "pluvo.duckdb"
INBOX = f"sqlite:///{FOLDER}/inbox.db"
USERS = 500
STREAMS = ("users", "groups", "group_members")
PATIENCE = 60  # seconds for a webhook to arrive

Command = list[str | Path]  # a program and its arguments


class FailedError(Exception):
    """A step failed; the message says all there is to know."""


def main() -> None:
    """Run the demo."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with ExitStack() as stack:
        say("1. Start the receiver of webhooks, and a sandbox that sends them")
        secret = {"PLUVO_WEBHOOKS_SECRET": WEBHOOK_SECRET, "PLUVO_WEBHOOKS_INBOX": INBOX}
        hooks = stack.enter_context(
            server(["pluvo-webhooks", "serve", "--port=0"], secret, "receiver.log")
        )
        options = [f"--users={USERS}", f"--db={ORGANIZATION}", f"--webhook={hooks['url']}"]
        told = stack.enter_context(
            server(["pluvo-sandbox", "serve", "--port=0", *options], {}, "sandbox.log")
        )
        database = stack.enter_context(closing(Database(str(ORGANIZATION))))
        editor = Editor(database.connection, random.Random(1))  # noqa: S311 - a demo
        inbox = stack.enter_context(closing(Inbox.open(INBOX, create=False)))
        pipeline = Pipeline(told)
        say(f"2. Read all of it once: {', '.join(STREAMS)}")
        pipeline.run()
        say(f"   {pipeline.rows:,} rows", "")

        renamed, deleted = rows("SELECT id, name FROM stg_pluvo__users ORDER BY id LIMIT 2")
        say(f"3. {renamed[1]} is renamed, and {deleted[1]} deleted, in Pluvo")
        known, began = inbox.last_sequence(), time.monotonic()
        editor.rename_user(renamed[0], "Robin Newname")
        editor.delete_user(deleted[0])
        while inbox.last_sequence() < known + 2:
            if time.monotonic() > began + PATIENCE:
                message = f"no webhook came; see {FOLDER.relative_to(ROOT)}/receiver.log"
                raise FailedError(message)
            time.sleep(0.01)
        arrived = time.monotonic()
        say(f"   {arrived - began:5.2f} s  the webhooks are in the inbox")
        pipeline.read()
        read = time.monotonic()
        say(f"   {read - arrived:5.2f} s  the tap has read {pipeline.rows} rows")
        pipeline.build()
        built = time.monotonic()
        say(f"   {built - read:5.2f} s  dbt has merged them", "")
        found = dict(rows("SELECT id, name FROM stg_pluvo__users"))
        if found[renamed[0]] != "Robin Newname" or deleted[0] in found:
            message = "the warehouse does not have what has changed"
            raise FailedError(message)
        say(f"   {renamed[1]} is {found[renamed[0]]} in the warehouse, {deleted[1]} is gone:")
        say(f"   {built - began:.1f} s from the change to the row, in a table of {len(found)}.")


@contextmanager
def server(command: Sequence[str], variables: dict[str, str], log: str) -> Iterator[dict[str, Any]]:
    """Run a program that says where it serves as JSON; give what it says."""
    program, *options = command
    with (FOLDER / log).open("wb") as errors:
        process = subprocess.Popen(
            [BIN / program, *options],
            env=environment(variables),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
                return
        raise FailedError((FOLDER / log).read_text(encoding="utf-8", errors="replace"))
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


class Pipeline:
    """The tap, the target for files, and dbt."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.rows = 0
        self._state: Any = None
        self._config = write(
            "config",
            {
                "api_url": told["url"],
                "client_id": told["client_id"],
                "client_secret": told["client_secret"],
                "webhook_inbox": INBOX,
                "batch_config": {"storage": {"root": (FOLDER / "batch").as_uri()}},
            },
        )
        self._target = write("target", {"destination_path": str(FOLDER / "jsonl")})
        catalog = json.loads(call([BIN / "tap-pluvo", "--config", self._config, "--discover"]))
        for stream in catalog["streams"]:
            name = stream["tap_stream_id"]
            root = next(item for item in stream["metadata"] if not item["breadcrumb"])
            root["metadata"]["selected"] = name in {*STREAMS, "sync_log"}
            if name in STREAMS:
                root["metadata"]["replication-method"] = "LOG_BASED"
        self._catalog = write("catalog", catalog)

    def run(self) -> None:
        """Read, and build the models."""
        self.read()
        self.build()

    def read(self) -> None:
        """Let the tap read what is due, and the target keep it."""
        command: Command = [BIN / "tap-pluvo", "--config", self._config]
        command += ["--catalog", self._catalog]
        if self._state:
            command += ["--state", write("state", self._state)]
        messages = call(command)
        self.rows = sum(
            len(Path(name.removeprefix("file://")).read_bytes().splitlines())
            for line in messages.splitlines()
            if (message := json.loads(line))["type"] == "BATCH" and message["stream"] in STREAMS
            for name in message["manifest"]
        )
        states = call([BIN / "target-batch-files", "--config", self._target], messages)
        self._state = json.loads(states.splitlines()[-1])

    def build(self) -> None:
        """Let dbt merge what is new."""
        models = [f"+stg_pluvo__{name}" for name in STREAMS]
        folders: Command = ["--project-dir", ROOT / "dbt", "--profiles-dir", ROOT / "dbt"]
        folders += ["--target-path", FOLDER / "dbt", "--log-path", FOLDER / "dbt"]
        call([DBT, "run", "--target", "duckdb", *folders, "--select", *models])


def call(command: Sequence[str | Path], given: str = "") -> str:
    """Run a program and return what it writes."""
    variables = {"PLUVO_JSONL_DIR": f"{FOLDER}/jsonl", "PLUVO_DUCKDB_PATH": str(DATABASE)}
    done = subprocess.run(
        command,
        env=environment(variables),
        input=given,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    if done.returncode:
        message = f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
        raise FailedError(message)
    return done.stdout


def environment(variables: dict[str, str]) -> dict[str, str]:
    """Return some variables, beside those of this shell that are of no real organization."""
    ours = ("TAP_PLUVO_", "PLUVO_", "DBT_")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)} | variables


def write(name: str, content: Any) -> str:
    """Write a file of the demo and return its path."""
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def rows(query: str) -> list[Any]:
    """Return the rows of a query of the warehouse."""
    with duckdb.connect(str(DATABASE), read_only=True) as database:
        return database.sql(query).fetchall()


def say(*lines: str) -> None:
    """Print lines at once."""
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("\nStopped."))  # and the servers with it
    try:
        main()
    except FailedError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nStopped.")

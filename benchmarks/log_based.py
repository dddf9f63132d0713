"""Measure LOG_BASED: what it costs to read ten users who changed among 100,000.

`make bench-webhooks` runs it, as a part of all that is measured of webhooks. A sandbox sends its
webhooks to a receiver; the tap reads all streams once, and from then on what changed. It takes
turns with the same run in which nothing had changed, which is its start-up: token, schema, inbox.
The figures go into docs/real-time.md; the exit code is 1 if a goal was missed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import report
from measure import Command, FailedError, Run, measured, typical
from workloads import Goal, Work

from pluvo_sandbox import Sandbox
from pluvo_sandbox.behaviour import WEBHOOK_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs/real-time.md"
BIN = Path(sys.executable).parent
USERS = 100_000
CHANGED = 10
ROUNDS = 5
# By the log, `enrollments` has nothing to read here; its first full read is one request per few
# users, so that is left out, and its bookmark is that of the others.
UNREAD = "enrollments"
STREAMS = (
    *("custom_field_values", "group_members", "group_trainings", "groups"),
    *("training_participants", "trainings", "users"),
)


class Bench:
    """A sandbox, its inbox, and a tap that has read everything."""

    def __init__(self, pluvo: Sandbox, folder: Path, inbox: str) -> None:
        self.pluvo = pluvo
        self.folder = folder
        self.settings = {
            "api_url": pluvo.url,
            "client_id": pluvo.client_id,
            "client_secret": pluvo.client_secret,
            "webhook_inbox": inbox,
        }
        self.catalog = self.tap("--discover")[1]
        self.state: dict[str, Any] = {}
        self.number = 0
        print(f"  reading {USERS:,} users for the first time", flush=True)
        self.run(STREAMS)
        self.state["bookmarks"][UNREAD] = dict(self.state["bookmarks"]["users"])

    def run(self, streams: Sequence[str], **settings: Any) -> Run:
        """Read what changed since the last run."""
        for stream in self.catalog["streams"]:
            chosen = stream["tap_stream_id"] in streams
            root = next(item for item in stream["metadata"] if not item["breadcrumb"])
            root["metadata"]["selected"] = chosen
            if chosen:
                stream["replication_method"] = "LOG_BASED"
        self.pluvo.settle_webhooks()
        self.pluvo.reset_log()
        files = ["--catalog", self.file("catalog", self.catalog)]
        if self.state:
            files += ["--state", self.file("state", self.state)]
        run, messages = self.tap(*files, **settings)
        states = [item["value"] for item in messages if item["type"] == "STATE"]
        self.state |= states[-1]
        records = [item["record"] for item in messages if item["type"] == "RECORD"]
        requests = [item for item in self.pluvo.requests if item.query]
        asked = [item for item in requests if "__schema" not in (item.query or "")]
        return Run(run.wall, run.cpu, run.peak, len(records), len(asked))

    def tap(self, *options: str, **settings: Any) -> tuple[Run, Any]:
        """Run the tap; return what it cost, and what it wrote."""
        config = self.file("config", self.settings | settings)
        output = self.folder / "output"
        command: Command = [BIN / "tap-pluvo", "--config", config, *options]
        with output.open("wb") as out, (self.folder / "log").open("wb") as log:
            code, run = measured(command, stdout=out, stderr=log, cwd=self.folder)
        if code:
            raise FailedError((self.folder / "log").read_text("utf-8")[-2000:])
        text = output.read_text("utf-8")
        found = json.loads(text) if "--discover" in options else map(json.loads, text.splitlines())
        return run, found if isinstance(found, dict) else list(found)

    def file(self, name: str, content: Any) -> str:
        """Write a file and return its path."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content), "utf-8")
        return str(path)

    def change(self) -> None:
        """Give ten users another name."""
        self.number += 1
        users = self.pluvo.database.execute(
            "SELECT id FROM users ORDER BY id LIMIT ? OFFSET ?", (CHANGED, self.number * 100)
        ).fetchall()
        self.pluvo.rename_users({user: f"Renamed {self.number}" for (user,) in users})

    def compare(self, title: str, streams: Sequence[str], **settings: Any) -> Work:
        """Let runs with and without changes take turns."""
        nothing, changed = [], []
        self.run(streams, **settings)  # what changed before, which not all of them have read
        for _ in range(ROUNDS):
            nothing.append(self.run(streams, **settings))
            self.change()
            changed.append(self.run(streams, **settings))
            if changed[-1].rows < CHANGED or nothing[-1].rows:
                msg = f"{changed[-1].rows} rows of {CHANGED} users, and {nothing[-1].rows} of none"
                raise FailedError(msg)
        before, after = typical(nothing), typical(changed)
        print(f"  {title}: {after.requests} requests, {after.wall - before.wall:.2f} s", flush=True)
        return Work(
            title,
            {"nothing had changed": before, f"{CHANGED} users had changed": after},
            [
                Goal("requests beside token and schema", after.requests, 3, True, ""),
                Goal("over start-up", after.wall - before.wall, 1, True, " s"),
            ],
        )


@contextmanager
def receiver(inbox: str) -> Iterator[str]:
    """Give the URL of a receiver that keeps webhooks in an inbox."""
    secret = {"PLUVO_WEBHOOKS_SECRET": WEBHOOK_SECRET, "PLUVO_WEBHOOKS_INBOX": inbox}
    command: Command = [BIN / "pluvo-webhooks", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | secret) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def main() -> int:
    """Compare, and write the figures."""
    facts = report.machine()
    with TemporaryDirectory() as name:
        inbox = f"sqlite:///{name}/inbox.db"
        with (
            receiver(inbox) as url,
            Sandbox(users=USERS, groups=200, trainings=50, portfolio=0, webhooks=[url]) as pluvo,
        ):
            bench = Bench(pluvo, Path(name), inbox)
            works = [
                bench.compare("`users`, default settings", ["users"]),
                bench.compare(
                    "all eight streams, `operations_per_request` 10",
                    [*STREAMS, UNREAD],
                    operations_per_request=10,
                ),
            ]
    text = report.works_page(works, facts)
    print(f"\n{text}")
    report.write(DOCUMENT, text, report.LOG_BASED)
    return 0 if all(goal.reached for work in works for goal in work.goals) else 1


if __name__ == "__main__":
    sys.exit(main())

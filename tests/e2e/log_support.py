"""The whole loop: a sandbox that sends webhooks, the receiver that keeps them, and the tap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support import FOREVER, SCHEMAS, Result, config, discover, metadata_of, selecting, sync

from pluvo_sandbox.behaviour import WEBHOOK_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from support import Row

    from pluvo_sandbox import Sandbox

PROGRAM = Path(sys.executable).with_name("pluvo-webhooks")
LOG_STREAMS = (
    "custom_field_values",
    "enrollments",
    "group_members",
    "group_trainings",
    "groups",
    "training_participants",
    "trainings",
    "users",
)
Tables = dict[str, dict[tuple[Any, ...], "Row"]]  # rows by key


@contextmanager
def receiver(inbox: str) -> Iterator[str]:
    """Give the URL of a receiver that keeps webhooks in an inbox."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PLUVO_")}
    environment |= {"PLUVO_WEBHOOKS_SECRET": WEBHOOK_SECRET, "PLUVO_WEBHOOKS_INBOX": inbox}
    command = [str(PROGRAM), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
            process.wait(FOREVER)


@dataclass
class Loop:
    """An organization whose webhooks are kept, and what a target has of it.

    Attributes:
        pluvo: the organization.
        inbox: URL of the inbox.
        method: by which the streams are replicated.
        streams: those that are read.
        state: of the last run that the target has stored.
        tables: what the target has.
    """

    pluvo: Sandbox
    inbox: str
    method: str = "LOG_BASED"
    streams: Iterable[str] = LOG_STREAMS
    state: Any = None
    tables: Tables = field(default_factory=dict)
    catalog: Any = None

    def settings(self, **settings: Any) -> dict[str, Any]:
        return config(self.pluvo, webhook_inbox=self.inbox, **settings)

    def read(self, **settings: Any) -> Result:
        """Sync once all that has happened so far has arrived; the target stores nothing yet."""
        self.pluvo.settle_webhooks()
        if self.catalog is None:
            catalog = discover(self.settings())
            self.catalog = selecting(catalog, self.streams, replication_method=self.method)
            metadata_of(self.catalog, "sync_log")["selected"] = True
        return sync(self.settings(**settings), catalog=self.catalog, state=self.state)

    def sync(self, **settings: Any) -> Result:
        """Sync, and let the target store what comes."""
        result = self.read(**settings)
        self.store(result)
        return result

    def store(self, result: Result) -> None:
        """Store what a run gave, as a warehouse does with these models."""
        self.tables = replayed(self.tables, result)
        self.state = result.state

    def store_without_state(self, result: Result, random: Random) -> None:
        """Store some of what a run gave, as a target that fails does."""
        lines = result.stdout.splitlines(keepends=True)
        kept = "".join(lines[: random.randrange(len(lines))])
        self.tables = replayed(self.tables, Result(0, kept, ""))


def key_of(stream: str, row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in SCHEMAS[stream]["x-key"])


def replayed(tables: Tables, result: Result) -> Tables:
    """Return what a target has after a run: rows by key; what a full read did not give is gone."""
    tables = {stream: dict(rows) for stream, rows in tables.items()}
    for stream, read in result.sync_log.items():
        if read["mode"] == "FULL" and read["complete"]:
            tables[stream] = {}
    for stream, records in result.records.items():
        rows = tables.setdefault(stream, {})
        for record in records:
            row = dict(record)
            if row.pop("_sdc_deleted_at", None):
                rows.pop(key_of(stream, row), None)
            else:
                rows[key_of(stream, row)] = row
    return tables


def truth(pluvo: Sandbox, streams: Iterable[str] = LOG_STREAMS) -> Tables:
    """Return what the organization has, by a full read without any webhooks."""
    settings = config(pluvo)
    catalog = selecting(discover(settings), streams, replication_method="FULL_TABLE")
    result = sync(settings, catalog=catalog)
    return {
        stream: {key_of(stream, row): row for row in result.records.get(stream, [])}
        for stream in streams
    }

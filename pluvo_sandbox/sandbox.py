"""A sandbox inside a Python program: a context manager around a server in a thread."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Self

from pluvo_sandbox.behaviour import Behaviour
from pluvo_sandbox.database import Database
from pluvo_sandbox.editor import Editor
from pluvo_sandbox.faults import Fault
from pluvo_sandbox.outbox import Outbox
from pluvo_sandbox.seed import Plan, seed
from pluvo_sandbox.server import Server, listen, url_of
from pluvo_sandbox.service import LoggedRequest, Service
from pluvo_sandbox.webhooks import sending

if TYPE_CHECKING:
    from collections.abc import Callable

    from pluvo_sandbox.movement import Movement

_STARTING = 30  # seconds


class OtherDataError(Exception):
    """A database file holds data made with other options."""


def prepare(path: Path, plan: Plan, *, any_day: bool = False) -> None:
    """Fill a database file, unless it holds the data of this plan already.

    Args:
        path: the file; it may be absent or empty.
        plan: what it is to hold.
        any_day: whether dates in an older file may be counted from another day.

    Raises:
        OtherDataError: the file holds something else.
    """
    if not path.exists() or path.stat().st_size == 0:
        with closing(Database(str(path))) as database:
            seed(database.connection, plan)
        return
    try:
        with closing(Database(str(path))) as database:
            rows = database.connection.execute("SELECT name, value FROM settings")
            found = {name: value for name, value in rows if not (any_day and name == "today")}
    except sqlite3.DatabaseError as error:
        message = f"{path} is not a sandbox database"
        raise OtherDataError(message) from error
    wanted = plan.settings()
    other = [f"{name} {value}" for name, value in found.items() if value != wanted[name]]
    if other or not found:
        message = f"{path} was made with {', '.join(other) or 'an interruption'}; use another file"
        raise OtherDataError(message)


@dataclass(kw_only=True)
class Sandbox(Behaviour, Editor):
    """A Pluvo organization on a free port of this machine, for the length of a `with` block.

    Its options are those of `Behaviour` and these:

    Attributes:
        users: number of users, archived ones included.
        trainings: number of trainings, archived ones included.
        groups: number of groups.
        portfolio: number of rows of the portfolio report.
        names: number of different names of users, groups, trainings and certificates; None for no
            limit.
        days: number of different days on which results are completed; None for no limit.
        untyped: number of further rows of the report, of a type that the API does not name.
        repeats: number of participants who are in one training twice.
        today: the day that all dates are counted from; the current one (UTC) by default.
        before_request: by the number of a GraphQL request, counted from 1, a function that changes
            the data right before it.
        movement: a function that changes the data before every GraphQL request; it is given an
            editor and the number of the request. `Churn()` is one.
        requests: what was served so far.
        url: where it is served.
        path: the SQLite file.
        database: a connection to that file for the calling thread.
    """

    users: int = 120
    trainings: int = 8
    groups: int = 6
    portfolio: int = 500
    names: int | None = None
    days: int | None = None
    untyped: int = 0
    repeats: int = 0
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    before_request: dict[int, Callable[[Editor], None]] = field(default_factory=dict)
    movement: Movement | None = None
    requests: list[LoggedRequest] = field(default_factory=list, init=False, repr=False)
    url: str = field(default="", init=False)
    path: Path = field(default=Path(), init=False)
    database: sqlite3.Connection = field(init=False, repr=False)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pluvo-sandbox-"))
            self.path = Path(folder) / "sandbox.db"
            prepare(
                self.path,
                Plan(
                    users=self.users,
                    trainings=self.trainings,
                    groups=self.groups,
                    portfolio=self.portfolio,
                    names=self.names,
                    days=self.days,
                    untyped=self.untyped,
                    repeats=self.repeats,
                    seed=self.seed,
                    today=self.today,
                    variant=self.schema,
                ),
            )
            database = stack.enter_context(closing(Database(str(self.path))))
            Editor.__init__(self, database.connection, _random("sandbox"))
            self._webhooks = stack.enter_context(sending(database, str(self.path), self))
            served = stack.enter_context(closing(Database(str(self.path))))
            self._service = Service(served, self, self.requests)
            self._service.before = partial(self._move, Editor(served.connection, _random("served")))
            listener = stack.enter_context(closing(listen("127.0.0.1", 0)))
            self.url = url_of(listener, tls=self.tls is not None)
            ready = threading.Event()
            server = Server(self._service.app, ready.set, self.tls, self.broken_handshakes)
            thread = threading.Thread(
                target=server.run, args=([listener],), name="pluvo-sandbox", daemon=True
            )
            thread.start()
            if not ready.wait(_STARTING):
                message = "the sandbox did not start; its thread printed the reason"
                raise RuntimeError(message)
            stack.callback(thread.join)
            stack.callback(server.stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def reset_log(self) -> None:
        """Forget the requests served so far, and count them from 1 again."""
        self.requests.clear()
        self._service.count_anew()

    def settle_webhooks(self) -> None:
        """Wait until all that has happened so far was sent, or will not be."""
        for sender in self._webhooks:
            sender.settle(Outbox(self.database))

    def set_faults(self, *faults: str) -> None:
        """Let these go wrong from now on, and nothing else; they count requests from now."""
        self._service.faults = list(map(Fault.parse, faults))

    def _move(self, editor: Editor, number: int) -> None:
        if number in self.before_request:
            self.before_request[number](editor)
        if self.movement:
            self.movement(editor, number)


def _random(name: str) -> Random:
    return Random(name)  # noqa: S311 - repeatable on purpose

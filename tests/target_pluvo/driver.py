"""Runs target-pluvo in this process over rows, with a made-up Pluvo in place of the client."""

from __future__ import annotations

import io
import json
import logging
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from pluvo_in_memory import KilledError, Organization

from pluvo_client.errors import ConfigurationError, PluvoError
from pluvo_client.schema.contract import Contract
from target_pluvo.target import TargetPluvo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from accounts import State
    from pluvo_in_memory import Faults, Invitation

    from pluvo_client.settings import ClientSettings

SECRET = "hush-hush-hush"
KEYS = {
    "users": (),
    "group_members": ("group_ref", "user_ref"),
    "training_participants": ("training_ref", "user_ref"),
}
COLUMNS = {
    "users": ("ref", "email", "name", "archived", "roles"),
    "group_members": ("group_ref", "user_ref", "role"),
    "training_participants": ("training_ref", "user_ref", "role"),
}

Rows = dict[str, list[dict[str, Any]]]


class Reader(NamedTuple):
    """A list that is read in one piece."""

    rows: list[tuple[dict[str, Any], None]]

    def read(self) -> Iterator[list[tuple[dict[str, Any], None]]]:
        yield self.rows


class _Target(TargetPluvo):
    """The target, which leaves this process's signals alone."""

    def _setup_signal_handlers(self) -> None:
        pass


class _Authenticator:
    def require(self, scopes: Mapping[str, Sequence[str]]) -> None:
        assert all(scopes.values())


class _Client:
    """Stands in place of `PluvoClient`."""

    def __init__(self, organization: Organization, settings: ClientSettings) -> None:
        self.settings = settings
        self.contract = Contract(None)
        self.authenticator = _Authenticator()
        self._organization = organization

    def read(self, field: str, selection: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        yield from self._organization.read(field, selection, arguments)

    def plan(self, key: Callable[[Any], str]) -> Callable[[Any], str]:
        return key

    def reader(self, field: str, selection: str, arguments: dict[str, Any], _plan: Any) -> Reader:
        nodes = self._organization.read(field, selection, arguments)
        return Reader([(node, None) for node in nodes])

    def change(self, texts: Iterable[str], *, repeatable: bool = True) -> Iterator[Any]:
        yield from self._organization.change(texts, repeatable=repeatable)

    def execute(self, document: str) -> dict[str, Any]:
        return self._organization.look_up(document)

    def stop(self) -> None:
        """Nothing is under way here."""

    def close(self) -> None:
        """Nothing is open here."""


@dataclass
class Run:
    """A run of the target: what was there before and after it, and what it left behind."""

    rows: Rows
    settings: dict[str, Any]
    faults: Faults
    before: State
    after: State
    mutations: list[str]
    invitations: list[Invitation]
    killed: bool
    error: PluvoError | None
    succeeded: bool
    rejects: list[dict[str, Any]]
    states: list[Any]
    log: str
    lines: dict[str, list[int]] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return not self.killed and self.error is None

    @property
    def stopped(self) -> bool:
        """Whether the run has refused to begin."""
        return isinstance(self.error, ConfigurationError)

    def rejected(self, stream: str) -> set[int]:
        """Return the places of the rejected rows of a stream, counted from 0."""
        found = [line for line in self.rejects if line["stream"] == stream]
        return {line["row"] - 1 for line in found if line["row"] is not None}


def messages(rows: Rows) -> tuple[str, dict[str, list[int]]]:
    """Return rows as Singer messages, and on which line each row of a stream stands."""
    lines: list[dict[str, Any]] = []
    numbers: dict[str, list[int]] = {}
    for stream, some in rows.items():
        columns = dict.fromkeys([*COLUMNS[stream], *(name for row in some for name in row)])
        properties: dict[str, Any] = {name: {} for name in columns}
        schema = {"type": "object", "properties": properties}
        keys = KEYS[stream]
        lines.append({"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": keys})
        for row in some:
            lines.append({"type": "RECORD", "stream": stream, "record": row})
            numbers.setdefault(stream, []).append(len(lines))
        lines.append({"type": "STATE", "value": {"after": stream}})
    return "".join(f"{json.dumps(line)}\n" for line in lines), numbers


def run(rows: Rows, organization: Organization, folder: Path, settings: dict[str, Any]) -> Run:
    """Run the target over rows; what the organization holds is changed."""
    text, lines = messages(rows)
    found = run_messages(text, organization, folder, settings)
    found.rows, found.lines = rows, lines
    return found


def run_messages(
    text: str, organization: Organization, folder: Path, settings: dict[str, Any]
) -> Run:
    """Run the target over Singer messages."""
    before = organization.state.copy()
    config = {
        "api_url": "http://127.0.0.1:9",
        "client_id": "me",
        "client_secret": SECRET,
        "ledger": f"sqlite:///{folder / 'ledger.db'}",
        "rejects": str(folder / "rejects.jsonl"),
        "plan": str(folder / "plan.txt"),
        **settings,
    }
    error: PluvoError | None = None
    killed = succeeded = False
    with _captured() as (log, stdout), _in_place_of_the_client(organization):
        try:
            target = _Target(config=config)
            target.listen(io.StringIO(text))
            succeeded = target.succeeded
        except PluvoError as caught:
            error = caught
        except KilledError:
            killed = True
    return Run(
        rows={},
        settings=settings,
        faults=organization.faults,
        before=before,
        after=organization.state.copy(),
        mutations=organization.mutations,
        invitations=organization.invitations,
        killed=killed,
        error=error,
        succeeded=succeeded,
        rejects=[] if killed else _read_rejects(folder / "rejects.jsonl"),
        states=[json.loads(line) for line in stdout.getvalue().splitlines()],
        log=f"{log.getvalue()}\n{error or ''}",
    )


def _read_rejects(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def _in_place_of_the_client(organization: Organization) -> Any:
    """Return a patch of the one place where the target makes its client."""

    def make(settings: ClientSettings, **_: Any) -> _Client:
        return _Client(organization, settings)

    return patch("target_pluvo.run.PluvoClient", make)


@contextmanager
def _captured() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Keep what is logged, and what is written to standard output and standard error."""
    log, stdout = io.StringIO(), io.StringIO()
    root, own = logging.getLogger(), logging.getLogger("target-pluvo")
    before = root.handlers, root.level, own.level
    root.handlers = [logging.StreamHandler(log)]  # and none of pytest's, which would keep it all
    root.setLevel(logging.INFO)
    own.setLevel(logging.INFO)
    try:
        with redirect_stdout(stdout), redirect_stderr(log):
            yield log, stdout
    finally:
        root.handlers = before[0]
        root.setLevel(before[1])
        own.setLevel(before[2])

"""Many short runs of the tap against a sandbox, with a look at everything that they print."""

from __future__ import annotations

import atexit
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from support import FOREVER, SYNC_LOG, Result, config, environment, without_time, write

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from io import BufferedReader

    from support import Message

LAUNCHER = Path(__file__).with_name("launcher.py")


class Launcher:
    """A process that has imported the tap and runs it as often as it is asked to."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(LAUNCHER), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._channel.settimeout(FOREVER)
        self._answers = self._channel.makefile("rb")

    def start(self, job: Path, stdout: int, stderr: int) -> int:
        """Start a run and return its process id."""
        socket.send_fds(self._channel, [os.fsencode(job)], [stdout, stderr])
        return int(self._answers.readline())

    def wait(self) -> int:
        """Wait for the end of the run and return its exit code: of a signal, its number below 0."""
        self._channel.sendall(b"?")
        return int(self._answers.readline())

    def close(self) -> None:
        self._answers.close()
        self._channel.close()
        self._process.wait(FOREVER)


@cache
def launcher() -> Launcher:
    """Return the one launcher of this process, which ends with it."""
    found = Launcher()
    atexit.register(found.close)
    return found


class Watched(Sandbox):
    """A sandbox that the tap is run against, and that knows what nobody else may learn of it."""

    def __enter__(self) -> Self:
        super().__enter__()
        self._folder = self.path.parent
        self.tokens: set[str] = set()
        validator = self._service._oauth._validator
        save = validator.save_bearer_token

        def save_bearer_token(token: Any, *rest: Any, **more: Any) -> None:
            self.tokens.add(token["access_token"])
            save(token, *rest, **more)

        validator.save_bearer_token = save_bearer_token  # type: ignore[method-assign]
        users = self.database.execute("SELECT id, ref, email, name FROM users").fetchall()
        self.personal = {value for user in users for value in user if value} - {"NULL"}
        return self

    def run(self, *arguments: str, **options: Any) -> Result:
        """Run the tap to its end."""
        return self.start(*arguments, **options).end()

    def sync(self, *arguments: str, **options: Any) -> Result:
        """Run the tap to its end and make sure that all went well."""
        result = self.run(*arguments, **options)
        assert result.returncode == 0, result.stderr
        return result

    def start(
        self,
        *arguments: str,
        catalog: Any = None,
        state: Any = None,
        variables: dict[str, str] | None = None,
        **settings: Any,
    ) -> Run:
        """Start the tap; settings are added to those that lead here."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        command = []
        files = {"config": config(self, **settings), "catalog": catalog, "state": state}
        for option, content in files.items():
            if content is not None:
                command += [f"--{option}", write(folder, f"{option}.json", content)]
        job = {
            "arguments": [*command, *arguments],
            # Of the log, the most talkative level.
            "variables": environment(**{"TAP_PLUVO_LOGLEVEL": "DEBUG"} | (variables or {})),
            "folder": str(folder),
        }
        ours, theirs = os.pipe()
        errors = folder / "stderr"
        with errors.open("wb") as file:
            path = Path(write(folder, "job.json", job))
            pid = launcher().start(path, theirs, file.fileno())
        os.close(theirs)
        return Run(self, pid, os.fdopen(ours, "rb"), errors)

    def leaks(self, text: str) -> set[str]:
        """Return what of secrets, tokens and personal values stands in a text."""
        hidden = {self.client_secret, *self.tokens, *self.personal}
        return {secret for secret in hidden if secret in text}


@dataclass
class Run:
    """A run under way; `stdout` is its output as it comes."""

    sandbox: Watched
    pid: int
    stdout: BufferedReader
    errors: Path

    def end(self, read: bytes = b"") -> Result:
        """Wait for the end and return what there was, `read` being what was read before."""
        return self._ended(read + self.stdout.read())

    def leave(self, read: bytes = b"") -> Result:
        """Read no further, as a target that dies, and wait for the end."""
        return self._ended(read)

    def _ended(self, output: bytes) -> Result:
        self.stdout.close()
        code = launcher().wait()
        whole, _, _ = output.rpartition(b"\n")  # who is killed may end within a line
        result = Result(code, whole.decode(), self.errors.read_text("utf-8"))
        discreet(self.sandbox, result)
        return result


def discreet(sandbox: Watched, result: Result) -> None:
    """Make sure that a run told nothing that it should not, and kept its tracebacks to itself."""
    states = [line for line in result.stdout.splitlines() if line.startswith('{"type":"STATE"')]
    told = [line for line in [*result.stderr.splitlines(), *states] if sandbox.leaks(line)]
    assert not told
    assert not sandbox.leaks(result.stderr)  # of values that go over several lines, too
    assert "Traceback" not in result.stderr, result.stderr


def like(message: str) -> re.Pattern[str]:
    """Return the pattern of a message in which `…` stands for anything."""
    return re.compile(".*?".join(map(re.escape, message.split("…"))))


def comparable(result: Result) -> list[Message]:
    """Return a run's messages without what depends on the time at which it ran.

    Records between two other messages are sorted: members of groups come as their pages do, and
    equal results when it is known how many they are.
    """
    found: list[Message] = []
    timeless = map(_timeless, without_time(result.messages))
    for is_record, group in groupby(timeless, lambda message: message["type"] == "RECORD"):
        messages = [*group]
        found += sorted(messages, key=json.dumps) if is_record else messages
    return found


def _timeless(message: Message) -> Message:
    if message.get("stream") == SYNC_LOG and message["type"] == "RECORD":
        times = {"started_at", "finished_at", "window_to"}
        row = {name: value for name, value in message["record"].items() if name not in times}
        return message | {"record": row}
    if message["type"] != "STATE":
        return message
    message = json.loads(json.dumps(message))
    for bookmark in message["value"]["bookmarks"].values():
        if "full_read_at" in bookmark:
            bookmark["full_read_at"] = "now"
    return message

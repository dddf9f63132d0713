"""Measure the receiver of webhooks: `make bench-webhooks`.

It takes turns with the same server whose handler does nothing. 64 connections each deliver one
webhook after the other; every body is another event, and is signed. How many the inbox then holds
is counted. The figures go into docs/real-time.md; the exit code is 1 if a goal was missed.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections import defaultdict
from hashlib import sha1
from hmac import digest
from pathlib import Path
from tempfile import TemporaryDirectory

import report
from launch import RSS_UNIT
from measure import MEGABYTE, Command, FailedError, Run, typical
from workloads import Goal, Work

from pluvo_webhooks.inbox import Inbox

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs/real-time.md"
NOTHING: Command = [sys.executable, HERE / "nothing_server.py"]
RECEIVER: Command = [Path(sys.executable).with_name("pluvo-webhooks"), "serve", "--port", "0"]
SECRET = "bench"
CONNECTIONS = 64
DELIVERIES = 20_000
ROUNDS = 5
LEAST = 0.3


def main() -> int:
    """Compare, and write the figures."""
    facts = report.machine()
    runs: dict[str, list[Run]] = defaultdict(list)
    turns: list[tuple[str, Command]] = [
        ("a handler that does nothing", NOTHING),
        ("pluvo-webhooks, SQLite", RECEIVER),
    ]
    for number in range(ROUNDS):
        for label, command in turns:
            run = measure(command, number)
            runs[label].append(run)
            print(f"  {label:<30} {run.rows / run.wall:8,.0f} deliveries/s", flush=True)
    found = {label: typical(some) for label, some in runs.items()}
    nothing, ours = found.values()
    goal = Goal(
        "of the deliveries/s of a handler that does nothing", nothing.wall / ours.wall, LEAST
    )
    title = f"{DELIVERIES:,} deliveries over {CONNECTIONS} connections, kept in SQLite"
    text = report.models_page(Work(title, found, [goal]), facts)
    print(f"\n{text}")
    report.write(DOCUMENT, text, report.WEBHOOKS)
    return 0 if goal.reached else 1


def measure(command: Command, number: int) -> Run:
    """Start a server, deliver everything, stop it; the figures are the server's, from the start.

    Raises:
        FailedError: not every event is in the inbox.
    """
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/inbox.db"
        environment = {"PLUVO_WEBHOOKS_SECRET": SECRET, "PLUVO_WEBHOOKS_INBOX": url}
        server = subprocess.Popen(
            command, stdout=subprocess.PIPE, env={**os.environ, **environment}, text=True
        )
        assert server.stdout is not None
        port = int(json.loads(server.stdout.readline())["url"].rstrip("/").rpartition(":")[2])
        requests = [request(number, event) for event in range(DELIVERIES)]
        started = time.monotonic()
        deliver(port, requests)
        wall = time.monotonic() - started
        server.terminate()
        _, _, usage = os.wait4(server.pid, 0)
        server.returncode = 0
        server.stdout.close()
        if command is not NOTHING:
            inbox = Inbox.open(url, create=False)
            kept = inbox.status().events
            inbox.close()
            if kept != DELIVERIES:
                msg = f"the inbox holds {kept} events of {DELIVERIES}"
                raise FailedError(msg)
    cpu = usage.ru_utime + usage.ru_stime
    return Run(wall, cpu, usage.ru_maxrss * RSS_UNIT / MEGABYTE, rows=DELIVERIES)


def request(run: int, event: int) -> bytes:
    """Return a signed webhook, as in the documentation."""
    body = json.dumps(
        {
            "id": f"{run:08x}-0000-4000-8000-{event:012x}",
            "ref": f"employee-{event}",
            "event": "USER_UPDATED",
            "name": f"Name {event}",
            "email": f"user{event}@example.com",
            "isActive": True,
            "extraFields": {"Department": "Sales", "Location": "Utrecht"},
            "sentDate": "2026-03-01T10:00:00.000Z",
        }
    ).encode()
    salt = f"salt-{event}"
    key = sha1((salt + SECRET).encode()).digest()
    signature = b64encode(digest(key, body, "sha1")).decode()
    head = (
        "POST / HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"X-Signature: {signature}\r\nX-Signature-Salt: {salt}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def deliver(port: int, requests: list[bytes]) -> None:
    """Send each request when a connection has its answer to the one before.

    Raises:
        FailedError: an answer was not 204.
    """
    waiting = iter(requests)
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(next(waiting))
            selector.register(connection, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                connection = key.fileobj  # type: ignore[assignment]
                answer = connection.recv(4096)
                if not (answer.startswith(b"HTTP/1.1 204") and answer.endswith(b"\r\n\r\n")):
                    msg = f"the server answered {answer[:80]!r}"
                    raise FailedError(msg)
                if following := next(waiting, None):
                    connection.sendall(following)
                else:
                    selector.unregister(connection)
                    connection.close()


if __name__ == "__main__":
    sys.exit(main())

"""The client side of the bench server: its ports, its counters and its own ceiling."""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.request import urlopen

from data import SELECTION

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = Path(__file__).parent
PAGE = (
    "query Bench { r0: paginatedUsers(archived: false, first: 50, offset: %d) "
    f"{{ count pageInfo {{ hasNextPage }} edges {{ node {{ {SELECTION} }} }} }} }}"
)


class Load(NamedTuple):
    """A size and a latency that the server offers."""

    rows: int
    latency: float = 0.0

    def __str__(self) -> str:
        return f"{self.rows}:{self.latency:g}"


class Counters(NamedTuple):
    """What the server has done so far."""

    cpu: float
    requests: dict[str, int]


class BenchServer:
    """The server, running for the length of a `with` block."""

    def __init__(self, loads: Iterable[Load]) -> None:
        self._loads = sorted(set(loads))

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "server.py", *map(str, self._loads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._ports: dict[str, int] = json.loads(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def url(self, load: Load) -> str:
        """Return the address of the API with this size and latency."""
        return f"http://127.0.0.1:{self._ports[str(load)]}"

    def counters(self) -> Counters:
        """Return the counters, with requests by size and latency."""
        port = next(iter(self._ports.values()))
        with urlopen(f"http://127.0.0.1:{port}/stats") as response:
            found = json.load(response)
        return Counters(
            found["cpu"], {load: found["requests"][str(port)] for load, port in self._ports.items()}
        )

    def ceiling(self, load: Load, in_flight: int = 16, seconds: float = 3.0) -> dict[str, float]:
        """Return how many pages per second bare sockets get, and what a page costs the server."""
        before = self.counters()
        received = pages = 0
        started = time.monotonic()
        with selectors.DefaultSelector() as selector:
            for number in range(in_flight):
                client = _Client(self._ports[str(load)], 49 * (number + 1))
                selector.register(client.socket, selectors.EVENT_READ, client)
            while (now := time.monotonic()) < started + seconds:
                for key, _ in selector.select(1):
                    size = key.data.receive()
                    received += size
                    pages += bool(size)
            elapsed = now - started
            for key in list(selector.get_map().values()):
                key.data.socket.close()
        cpu = self.counters().cpu - before.cpu
        return {
            "pages_per_second": pages / elapsed,
            "rows_per_second": 50 * pages / elapsed,
            "megabytes_per_second": received / elapsed / 1e6,
            "server_microseconds_per_page": 1e6 * cpu / pages,
            "server_cpu_share": cpu / elapsed,
        }


class _Client:
    """Requests the same page repeatedly, and only counts the bytes."""

    def __init__(self, port: int, offset: int) -> None:
        body = json.dumps({"query": PAGE % offset}).encode()
        self._request = b"POST /graphql/ HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (
            len(body),
            body,
        )
        self._size = self._missing = 0
        self._buffer = bytearray(1 << 20)
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(self._request)

    def receive(self) -> int:
        """Receive what has arrived; return the size of the response once it is complete."""
        received = self.socket.recv_into(self._buffer)
        if not self._missing:
            head, _, _ = bytes(self._buffer[:200]).partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            self._size = self._missing = len(head) + 4 + length
        self._missing -= received
        if self._missing:
            return 0
        self.socket.sendall(self._request)
        return self._size

"""The bench server: prepared pages of users over HTTP/1.1, each answered in one write.

    python server.py 20000:0.1 1000000:0

Each argument is a number of rows and a latency in seconds, and gets its own port; the ports are
printed as a JSON object. Requests are searched for the few things that matter instead of being
parsed; latencies run in parallel, one timer per request. `GET /stats` returns the number of
requests that each port has answered, and the CPU time that the process has used.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
import time
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from data import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable

ARCHIVED = 20  # one in this many users is archived
BUFFER = 1 << 20  # bytes
SEPARATOR = b"\r\n\r\n"

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
FIELD = re.compile(rb"(?:(\w+): )?paginatedUsers\(([^)]*)\) \{ (count \})?")
FIRST = re.compile(rb'first"?: *(\d+)')
OFFSET = re.compile(rb"offset: (\d+)")
AFTER = re.compile(rb'after"?: \\?"([\w+/=-]+)')

TOKEN = json.dumps(
    {"access_token": "bench", "token_type": "Bearer", "expires_in": 86400, "scope": "users.read"}
).encode()
NO_INTROSPECTION = b'{"errors": [{"message": "Introspection is disabled"}], "data": null}'


class Users:
    """The users of one port: some active ones, then some archived ones."""

    def __init__(self, total: int, active: Rows, archived: Rows) -> None:
        self.archived = total // ARCHIVED
        self.active = total - self.archived
        self._active_rows = active
        self._archived_rows = archived

    def total(self, arguments: bytes) -> int:
        """Return how many users match the arguments of a root field."""
        if b"archived: false" in arguments:
            return self.active
        return self.archived if b"archived: true" in arguments else self.active + self.archived

    def edges(self, arguments: bytes, start: int, stop: int) -> Iterable[bytes | memoryview]:
        """Return the edges of a page, in one or two pieces."""
        if b"archived: true" in arguments:
            return [self._archived_rows.page(start, stop)]
        pieces = [
            self._active_rows.page(start, min(stop, self.active)),
            self._archived_rows.page(max(start - self.active, 0), stop - self.active),
        ]
        return [piece for piece in pieces if piece]


class Port:
    """The answers of one port, and their number."""

    def __init__(self, users: Users, latency: float) -> None:
        self.latency = latency
        self.requests = 0
        self._users = users

    def answer(self, head: bytes, body: bytes) -> bytes:
        """Return the whole HTTP response to a request."""
        self.requests += 1
        if head.startswith(b"POST /oauth/token/"):
            parts: list[bytes | memoryview] = [TOKEN]
        elif b"__schema" in body:
            parts = [NO_INTROSPECTION]
        else:
            parts = self._data(body)
        length = sum(map(len, parts))
        return b"".join(
            (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % length,
                *parts,
            )
        )

    def _data(self, body: bytes) -> list[bytes | memoryview]:
        parts: list[bytes | memoryview] = [b'{"data":{']
        wants_cursor = b"endCursor" in body
        for number, (alias, arguments, only_count) in enumerate(FIELD.findall(body)):
            total = self._users.total(arguments)
            parts.append(b'%s"%s":' % (b"," if number else b"", alias or b"paginatedUsers"))
            if only_count:
                parts.append(b'{"count":%d}' % total)
                continue
            paging = body if b"$" in arguments else arguments
            start = _start(paging)
            first = FIRST.search(paging)
            stop = min(start + (int(first[1]) if first else 50), total)
            cursor = b""
            if wants_cursor:
                last = b'"%s"' % b64encode(b"arrayconnection:%d" % (stop - 1))
                cursor = b',"endCursor":%s' % (last if start < stop else b"null")
            has_next = b"true" if stop < total else b"false"
            parts.append(
                b'{"count":%d,"pageInfo":{"hasNextPage":%s%s},"edges":[' % (total, has_next, cursor)
            )
            for piece_number, piece in enumerate(self._users.edges(arguments, start, stop)):
                parts += (b",", piece) if piece_number else (piece,)
            parts.append(b"]}")
        parts.append(b"}}")
        return parts


def _start(paging: bytes) -> int:
    if offset := OFFSET.search(paging):
        return int(offset[1])
    if after := AFTER.search(paging):
        return int(b64decode(after[1]).rpartition(b":")[2]) + 1
    return 0


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, port: Port, stats: dict[int, Port]) -> None:
        self._port = port
        self._stats = stats
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; its buffer holds a whole page, so one write sends it."""
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        """Answer each complete request after the port's latency."""
        self._received += data
        while (end := self._received.find(SEPARATOR)) >= 0:
            length = LENGTH.search(self._received, 0, end)
            stop = end + len(SEPARATOR) + (int(length[1]) if length else 0)
            if len(self._received) < stop:
                return
            head = self._received[:end]
            body = self._received[end + len(SEPARATOR) : stop]
            self._received = self._received[stop:]
            if head.startswith(b"GET /stats"):
                self._transport.write(_stats(self._stats))
                continue
            answer = self._port.answer(head, body)
            if self._port.latency:
                self._loop.call_later(self._port.latency, self._transport.write, answer)
            else:
                self._transport.write(answer)


def _stats(ports: dict[int, Port]) -> bytes:
    body = json.dumps(
        {
            "cpu": time.process_time(),
            "requests": {number: port.requests for number, port in ports.items()},
        }
    ).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def serve(wanted: list[str]) -> None:
    """Open a port for each `rows:latency` and serve until the process ends."""
    sizes = [int(item.partition(":")[0]) for item in wanted]
    most = max(sizes)
    active = Rows(most - most // ARCHIVED)
    archived = Rows(most // ARCHIVED, first_number=most - most // ARCHIVED, archived=True)
    loop = asyncio.get_running_loop()
    ports: dict[int, Port] = {}
    opened: dict[str, int] = {}
    for item, size in zip(wanted, sizes, strict=True):
        port = Port(Users(size, active, archived), float(item.partition(":")[2]))

        def connect(port: Port = port) -> Connection:
            return Connection(port, ports)

        server = await loop.create_server(connect, "127.0.0.1", 0)
        number = server.sockets[0].getsockname()[1]
        ports[number] = port
        opened[item] = number
    print(json.dumps(opened), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # ends with the process that started this


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))

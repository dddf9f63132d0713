"""HTTP connections that call the operating system as seldom as they can.

Python's own write head and body one after the other and read an answer in parts of 8 kB. Each call
lets another thread run, and this one then waits for its turn: with several workers that costs more
than decoding the page.
"""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection

if TYPE_CHECKING:
    import socket

    from urllib3 import HTTPConnectionPool

READ_SIZE = 1 << 17  # bytes; a page of 50 users has 43 kB
TRUSTED = 1.0  # seconds after which it is looked whether the other side has closed a connection


class _Response(http.client.HTTPResponse):
    """Reads in large parts."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = sock.makefile("rb", READ_SIZE)  # type: ignore[assignment]  # it can be read


class _Connection(HTTPConnection):
    """Writes each request at once."""

    response_class = _Response
    _parts: list[bytes] | None = None
    _used = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether it can be used again; one that was just used need not be looked at."""
        just_used = time.monotonic() - self._used < TRUSTED
        return (just_used and self.sock is not None) or super().is_connected

    def request(self, *arguments: Any, **options: Any) -> None:
        self._used = time.monotonic()
        self._parts = []
        try:
            super().request(*arguments, **options)
            whole = b"".join(self._parts)
        finally:
            self._parts = None
        self.send(whole)

    def send(self, data: Any) -> None:
        if self._parts is None:
            super().send(data)
        else:
            self._parts.append(data)


def quicken(pool: HTTPConnectionPool) -> None:
    """Let a pool make such connections, of whatever kind its own are (TLS, proxies)."""
    kind = type("Connection", (_Connection, pool.ConnectionCls), {})
    pool.ConnectionCls = kind

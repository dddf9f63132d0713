"""HTTP connections that make as few system calls as they can.

Python writes the head and the body of a request one after the other and reads an answer in parts
of 8 kB. Each call lets another thread run, and this one then waits for its turn: with several
workers that costs more than decoding the page. Where Python or urllib3 turn out to work in another
way than these classes expect, their own behaviour is kept.
"""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, Any

from typing_extensions import override
from urllib3.connection import HTTPConnection

if TYPE_CHECKING:
    import socket

    from urllib3 import HTTPConnectionPool

READ_SIZE = 1 << 17  # bytes; a page of 50 users has 43 kB
CHECK_AFTER_IDLE = 1.0  # seconds without use after which a connection is checked


class _Response(http.client.HTTPResponse):
    """Reads in large parts."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        if isinstance(self.fp, io.BufferedReader):
            self.fp.close()
            self.fp = sock.makefile("rb", READ_SIZE)  # type: ignore[assignment]  # it can be read


class _Connection(HTTPConnection):
    """Writes each request at once."""

    response_class = _Response
    _parts: list[bytes] | None = None
    _last_used = 0.0

    @property
    @override
    def is_connected(self) -> bool:
        """Whether it can be used again; right after its last use that need not be checked."""
        just_used = time.monotonic() - self._last_used < CHECK_AFTER_IDLE
        return (just_used and self.sock is not None) or super().is_connected

    @override
    def request(self, *arguments: Any, **options: Any) -> None:
        self._last_used = time.monotonic()
        self._parts = []
        try:
            super().request(*arguments, **options)
            whole = b"".join(self._parts)
        finally:
            self._parts = None
        if whole:
            self.send(whole)

    @override
    def send(self, data: Any) -> None:
        if self._parts is None:
            super().send(data)
        else:
            self._parts.append(data)


def use_few_system_calls(pool: HTTPConnectionPool) -> None:
    """Let a pool make such connections, of whatever kind its own are (TLS, proxies)."""
    base = pool.ConnectionCls
    if isinstance(base, type) and issubclass(base, HTTPConnection):
        pool.ConnectionCls = type("Connection", (_Connection, base), {})

"""HTTP connections that make as few system calls as they can, and whose answers have limits.

Python writes the head and the body of a request one after the other and reads an answer in parts
of 8 kB. Each call lets another thread run, and this one then waits for its turn: with several
workers that costs more than decoding the page. Where Python or urllib3 turn out to work in another
way than these classes expect, their own behaviour is kept.

The timeout of a socket limits each wait; it does not end an answer that comes a byte at a time. So
time and bytes are checked whenever a part arrives, of the head as well as of the body.
"""

from __future__ import annotations

import http.client
import io
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import override
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    import socket

    from urllib3 import HTTPConnectionPool

READ_SIZE = 1 << 17  # bytes; a page of 50 users has 43 kB
CHECK_AFTER_IDLE = 1.0  # seconds without use after which a connection is checked


class Limits(NamedTuple):
    """What an answer may take at most: seconds since its request, and bytes on the way."""

    seconds: float
    size: int


class AnswerTooSlowError(HTTPError):
    """An answer takes longer than its limit."""


class AnswerTooLargeError(HTTPError):
    """An answer has more bytes than its limit."""


class _LimitedReader(io.RawIOBase):
    """Reads one answer from a connection, as long as it keeps within its limits."""

    def __init__(self, source: socket.SocketIO, limits: Limits) -> None:
        self._source = source
        self._left = limits.size
        self._end = time.monotonic() + limits.seconds

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        """Read what has arrived.

        Raises:
            AnswerTooSlowError: too much time has passed.
            AnswerTooLargeError: too much has arrived.
        """
        count = self._source.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise AnswerTooLargeError
        if time.monotonic() > self._end:
            raise AnswerTooSlowError
        return count

    @override
    def close(self) -> None:
        self._source.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Reads in large parts, within limits."""

    def __init__(
        self, sock: socket.socket, *arguments: Any, limits: Limits, **options: Any
    ) -> None:
        super().__init__(sock, *arguments, **options)
        if isinstance(self.fp, io.BufferedReader):
            self.fp.close()
            reader = _LimitedReader(sock.makefile("rb", 0), limits)
            self.fp = io.BufferedReader(reader, READ_SIZE)


class _Connection(HTTPConnection):
    """Writes each request at once."""

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


def use_own_connections(pool: HTTPConnectionPool, limits: Limits) -> None:
    """Let a pool make such connections, of whatever kind its own are (TLS, proxies)."""
    base = pool.ConnectionCls
    if isinstance(base, type) and issubclass(base, HTTPConnection):
        response = staticmethod(partial(_Response, limits=limits))
        pool.ConnectionCls = type("Connection", (_Connection, base), {"response_class": response})

"""Answers whose bodies break off, take too long, never end, or unpack to a huge size."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

from starlette.responses import Response
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Receive, Scope, Send

    from pluvo_sandbox.server import Connection

_CHUNK = 1 << 16  # bytes
_MEBIBYTE = 1 << 20


class Body(Response):
    """An answer whose body is sent in a way of its own.

    Args:
        response: the answer as it is meant.
        connection: what it is sent by.
        value: seconds or a number, as the kind of the fault takes it.
    """

    def __init__(self, response: Response, connection: Connection, value: float) -> None:
        super().__init__(response.body, response.status_code, dict(response.headers))
        self.connection = connection
        self.value = value

    @override
    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the answer."""
        self.connection.is_expendable = True
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)
        async for part in self.parts():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        self.connection.is_expendable = False

    async def parts(self) -> AsyncIterator[bytes]:
        """Give the body part by part."""
        yield bytes(self.body)


class Interrupted(Body):
    """The connection is reset when half of the body is sent."""

    @override
    async def parts(self) -> AsyncIterator[bytes]:
        """Give the first half."""
        yield bytes(self.body)[: len(self.body) // 2]
        await self.connection.reset()


class Trickling(Body):
    """The body comes byte by byte, one every `value` seconds."""

    @override
    async def parts(self) -> AsyncIterator[bytes]:
        """Give single bytes."""
        for byte in bytes(self.body):
            yield bytes([byte])
            await self.connection.wait(self.value)


class Endless(Body):
    """The body goes on until the client is gone: 64 KiB every `value` seconds."""

    def __init__(self, response: Response, connection: Connection, value: float) -> None:
        super().__init__(response, connection, value)
        del self.headers["Content-Length"]

    @override
    async def parts(self) -> AsyncIterator[bytes]:
        """Give the start of a JSON document, and spaces without end."""
        yield b'{"data": '
        while not self.connection.gone.is_set():
            yield b" " * _CHUNK
            await (self.connection.wait(self.value) if self.value else asyncio.sleep(0))


class Packed(Body):
    """The body is packed by gzip, and followed by `value` MiB of spaces."""

    def __init__(self, response: Response, connection: Connection, value: float) -> None:
        super().__init__(response, connection, value)
        # A gzip file may have several members, so that the spaces need packing but once.
        spaces = gzip.compress(b" " * _MEBIBYTE)
        self.body = gzip.compress(bytes(response.body)) + spaces * int(value)
        self.headers["Content-Encoding"] = "gzip"
        self.headers["Content-Length"] = str(len(self.body))


# By kind of fault.
BODIES: dict[str, Callable[[Response, Connection, float], Body]] = {
    "reset-body": Interrupted,
    "trickle": Trickling,
    "endless": Endless,
    "gzip": Packed,
}

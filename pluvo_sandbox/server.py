"""HTTP: uvicorn, on a socket of ours, with each answer in one write."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def url_of(listener: socket.socket) -> str:
    """Return the URL that leads to a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """Tells when it is ready, and stops at once when asked to, from any thread."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=cast("type[asyncio.Protocol]", partial(_Protocol, self)),
                ws="none",
                lifespan="off",
                log_level="warning",
                access_log=False,
                # Connections that clients keep open must not hold up the end of a test.
                timeout_graceful_shutdown=1,
                timeout_keep_alive=60,
            )
        )
        self._on_ready = on_ready
        self._reopening: asyncio.TimerHandle | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._on_ready()

    async def main_loop(self) -> None:
        """Wait for the end; once a second the date in the answers' headers is renewed."""
        while not await self.on_tick(0):
            try:
                await asyncio.wait_for(self._stopped.wait(), 1)
            except TimeoutError:
                continue

    def refuse(self, seconds: float) -> None:
        """Stop listening for a while; connections that are open stay so."""
        if self._reopening is None:
            (listening,) = self.servers
            address = listening.sockets[0].getsockname()[:2]
            listening.close()
            self._reopening = self._loop.call_later(
                seconds, lambda: self._loop.create_task(self._reopen(*address))
            )

    async def _reopen(self, host: str, port: int) -> None:
        self._reopening = None
        await super().startup([listen(host, port)])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything."""
        if self._reopening is not None:
            self._reopening.cancel()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop because of a signal."""
        super().handle_exit(sig, frame)
        self._loop.call_soon_threadsafe(self._stopped.set)

    def stop(self) -> None:
        """Make `run` return."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._stopped.set)


class Connection:
    """What a request may do to the connection it came by; stands in its scope as `connection`."""

    def __init__(self, transport: asyncio.Transport, server: Server) -> None:
        self.refuse = server.refuse
        self.gone = asyncio.Event()
        self._transport = transport

    async def wait(self, seconds: float) -> None:
        """Wait, unless the client goes away or the server stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), seconds)

    async def reset(self) -> None:
        """Break the connection off with a TCP reset, after what was written so far."""
        await asyncio.sleep(0)
        linger = struct.pack("ii", 1, 0)
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, linger
        )
        self._transport.abort()
        await self.gone.wait()


class _Protocol(H11Protocol):
    """Joins the writes of one answer into one packet, and lets requests reach their connection."""

    def __init__(self, server: Server, **options: Any) -> None:
        super().__init__(**options)
        self._server = server

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._connection = Connection(transport, self._server)
        super().connection_made(cast("asyncio.Transport", _Gathering(transport)))
        app = self.app

        async def with_connection(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "connection": self._connection}, receive, send)

        self.app = with_connection

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._connection.gone.set()

    def shutdown(self) -> None:
        super().shutdown()
        self._connection.gone.set()


class _Gathering:
    """A transport that holds what is written back until the event loop's next round."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._held:
            asyncio.get_running_loop().call_soon(self._flush)
        self._held += data

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(bytes(self._held))
        self._held.clear()

"""HTTP: uvicorn, on a socket of ours, with each answer in one write."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def url_of(listener: socket.socket, *, tls: bool) -> str:
    """Return the URL that leads to a listening socket."""
    host, port = listener.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{'https' if tls else 'http'}://{address}"


class Server(uvicorn.Server):
    """Tells when it is ready, and stops at once when asked to, from any thread.

    Args:
        app: the application.
        on_ready: called when requests are served.
        tls: PEM file with a private key and its certificate; None for plain HTTP.
        broken_handshakes: how many connections, from the first on, are broken off in the middle of
            the TLS handshake.
    """

    def __init__(
        self,
        app: ASGIApp,
        on_ready: Callable[[], None],
        tls: Path | None = None,
        broken_handshakes: int = 0,
    ) -> None:
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
                ssl_certfile=tls,
            )
        )
        self._on_ready = on_ready
        self._broken_handshakes = broken_handshakes
        self._not_serving: asyncio.Task[None] | None = None

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        if self._broken_handshakes:
            self.servers = []
            self._not_serving = asyncio.create_task(self._break_handshakes(sockets or []))
        else:
            await super().startup(sockets)
        self._on_ready()

    async def _break_handshakes(self, sockets: list[socket.socket]) -> None:
        """Break the first connections off, and serve those that follow."""
        loop = asyncio.get_running_loop()
        (listener,) = sockets
        listener.setblocking(False)
        for _ in range(self._broken_handshakes):
            connection, _address = await loop.sock_accept(listener)
            with connection, suppress(ConnectionError):
                # Not before the client has said hello: it is the handshake that breaks.
                await loop.sock_recv(connection, 1)
        await super().startup(sockets)

    @override
    async def main_loop(self) -> None:
        """Look five times as often as usual whether to stop: tests stop many servers."""
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            await asyncio.sleep(0.02)

    def refuse(self, seconds: float) -> None:
        """Refuse new connections for a while; those that are open stay so."""
        if self._not_serving is None or self._not_serving.done():
            self._not_serving = asyncio.get_running_loop().create_task(self._refuse(seconds))

    async def _refuse(self, seconds: float) -> None:
        (listening,) = self.servers
        address = listening.sockets[0].getsockname()
        # A connection whose accepting has begun is served: of a closed server it would hang.
        asyncio.get_running_loop().remove_reader(listening.sockets[0])
        await asyncio.sleep(0)
        listening.close()
        # Bound, so that nobody else takes the port, but not listening.
        deaf = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        try:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            deaf.bind(address)
            await asyncio.sleep(seconds)
        except BaseException:
            deaf.close()
            raise
        await super().startup([deaf])

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything."""
        if self._not_serving is not None:
            self._not_serving.cancel()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Make `run` return."""
        self.should_exit = True


class Connection:
    """What a request may do to the connection it came by; stands in its scope as `connection`.

    Attributes:
        gone: set when the client is gone or the server stops.
        refuse: refuses new connections for some seconds.
        is_expendable: whether the connection is broken off when the server stops, whatever is still
            to be sent.
    """

    def __init__(self, transport: asyncio.Transport, server: Server) -> None:
        self.refuse = server.refuse
        self.gone = asyncio.Event()
        self.is_expendable = False
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

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._connection = Connection(transport, self._server)
        super().connection_made(cast("asyncio.Transport", _Gathering(transport)))
        app = self.app

        async def with_connection(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "connection": self._connection}, receive, send)

        self.app = with_connection

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._connection.gone.set()

    @override
    def shutdown(self) -> None:
        super().shutdown()
        if self._connection.is_expendable:
            self.transport.abort()
        else:
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

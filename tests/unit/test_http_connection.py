"""Connections that make few system calls, and what they do where they do not fit."""

from __future__ import annotations

import io
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

from pluvo_client.transport import http_connection
from pluvo_client.transport.http_connection import Limits, use_own_connections

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
LIMITS = Limits(seconds=60, size=1_000_000)


class Server:
    """Answers every request; `parts` are what each `recv` of a request's bytes gave."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            while part := connection.recv(1 << 16):
                self.parts.append(part)
                if part.endswith(b"question"):
                    connection.sendall(ANSWER)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def pool(server: Server) -> Iterator[HTTPConnectionPool]:
    with HTTPConnectionPool("127.0.0.1", server.port) as found:
        use_own_connections(found, LIMITS)
        yield found


def ask(pool: HTTPConnectionPool) -> bytes:
    return pool.urlopen("POST", "/", b"question", retries=False).data


def test_a_request_is_one_write(pool: HTTPConnectionPool, server: Server) -> None:
    assert [ask(pool), ask(pool)] == [b"hello", b"hello"]
    assert len(server.parts) == 2
    assert all(part.startswith(b"POST / ") for part in server.parts)


def test_an_answer_is_read_in_large_parts(
    pool: HTTPConnectionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    readinto = socket.SocketIO.readinto

    def noted(self: socket.SocketIO, buffer: bytearray) -> int | None:
        sizes.append(len(buffer))
        return readinto(self, buffer)

    monkeypatch.setattr(socket.SocketIO, "readinto", noted)
    assert ask(pool) == b"hello"
    assert sizes[0] == http_connection.READ_SIZE


class OtherFile:
    """Stands for a socket of which Python makes something other than a buffered reader."""

    def __init__(self) -> None:
        self.file = io.BytesIO(ANSWER)

    def makefile(self, *_: object) -> io.BytesIO:
        return self.file


def test_where_python_reads_in_another_way_its_own_is_kept() -> None:
    sock: Any = OtherFile()
    response = http_connection._Response(sock, method="POST", limits=LIMITS)
    assert response.fp is sock.file
    response.begin()
    assert response.read() == b"hello"


def test_where_urllib3_sends_in_another_way_nothing_is_added() -> None:
    sent: list[bytes] = []

    class OtherConnection(HTTPConnection):
        """Stands for a release of urllib3 that sends a request without `send`."""

        @override
        def request(self, *_: Any, **__: Any) -> None:
            sent.append(b"request")

        @override
        def send(self, data: Any) -> None:
            sent.append(data)

    pool = HTTPConnectionPool("127.0.0.1")
    pool.ConnectionCls = OtherConnection
    use_own_connections(pool, LIMITS)
    pool.ConnectionCls("127.0.0.1").request("POST", "/")
    assert sent == [b"request"]


def test_connections_of_another_kind_are_left_alone() -> None:
    class Other:
        pass

    pool = HTTPConnectionPool("127.0.0.1")
    pool.ConnectionCls = Other  # type: ignore[assignment]  # what this test is about
    use_own_connections(pool, LIMITS)
    assert pool.ConnectionCls is Other  # type: ignore[comparison-overlap]  # see above

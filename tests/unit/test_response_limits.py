"""Answers that never end, come a byte at a time, or are far larger when unpacked."""

from __future__ import annotations

import gzip
import json
import socketserver
import threading
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from pluvo_client.errors import TooLargeError, TransientError
from pluvo_client.settings import ClientSettings
from pluvo_client.transport.http import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MB = 1_000_000
SLOW = {"max_response_seconds": 0.2}
SMALL = {"max_response_mb": 1}


@contextmanager
def serving(answer: Callable[[], Iterable[bytes]]) -> Iterator[list[str]]:
    """Serve the parts of an answer on every connection; yield a list that begins with the address.

    A part that is empty is a wait of 10 ms.
    """
    closing = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # who has enough hangs up
                while self.request.recv(1 << 16):
                    for part in answer():
                        self.request.sendall(part)
                        if not part and closing.wait(0.01):
                            return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield [f"http://127.0.0.1:{server.server_address[1]}"]
        closing.set()
        server.shutdown()
        thread.join()


def transport(url: str, **config: Any) -> Transport:
    known = {"api_url": url, "client_id": "me", "client_secret": "never-shown"}
    return Transport(ClientSettings.from_config(known | config))


def endless(*, head: bytes = b"", part: bytes, trickle: bool) -> Iterator[bytes]:
    yield OK + head
    while True:
        yield part
        if trickle:
            yield b""


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"X-Slow: ", b"x"),
        (b"\r\n", b"x"),
        (b"Content-Length: 100000\r\n\r\n", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED, b"0"),  # the length of a part
    ],
    ids=["head", "until-closed", "with-length", "chunked", "chunk-length"],
)
def test_an_answer_that_trickles_has_an_end(head: bytes, part: bytes) -> None:
    with serving(lambda: endless(head=head, part=part, trickle=True)) as (url,):
        slow = transport(url, **SLOW)
        with pytest.raises(TransientError, match=r"did not finish its answer within 0\.2 s"):
            slow.post("/graphql/", b"{}", {})
        slow.close()


def empty_blocks() -> bytes:
    """Return a part of a stream that unpacks to nothing, however often it comes."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.flush(zlib.Z_FULL_FLUSH) * 10_000


DEFLATED = b"Content-Encoding: deflate\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"\r\n", b"x" * 60_000),
        (CHUNKED, b"ea60\r\n" + b"x" * 60_000 + b"\r\n"),
        (b"Content-Length: 100000000000\r\n\r\n", b"x" * 60_000),
        (DEFLATED, empty_blocks()),
    ],
    ids=["until-closed", "chunked", "with-length", "nothing-packed"],
)
def test_an_answer_without_an_end_is_cut_off(head: bytes, part: bytes) -> None:
    with serving(lambda: endless(head=head, part=part, trickle=False)) as (url,):
        small = transport(url, **SMALL)
        with pytest.raises(TooLargeError, match=r"more than 1 MB: .* raise `max_response_mb`"):
            small.post("/graphql/", b"{}", {})
        small.close()


def whole(body: bytes, encoding: str) -> list[bytes]:
    return [
        OK + f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    ]


@pytest.mark.parametrize("packings", [1, 2])
def test_what_is_packed_is_not_unpacked_beyond_the_limit(
    packings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = bytes(50 * MB)
    for _ in range(packings):
        body = gzip.compress(body)
    unpacked = []
    decompressobj = zlib.decompressobj

    class Noted:
        def __init__(self, *arguments: Any) -> None:
            self._packer = decompressobj(*arguments)

        def decompress(self, *arguments: Any, **options: Any) -> bytes:
            found = self._packer.decompress(*arguments, **options)
            unpacked.append(len(found))
            return found

        def __getattr__(self, name: str) -> Any:
            return getattr(self._packer, name)

    monkeypatch.setattr(zlib, "decompressobj", Noted)
    with serving(lambda: whole(body, ", ".join(["gzip"] * packings))) as (url,):
        small = transport(url, **SMALL)
        with pytest.raises(TooLargeError):
            small.post("/graphql/", b"{}", {})
        small.close()
    assert unpacked
    assert sum(unpacked) < 3 * MB


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_within_the_limit_is_read_whole(packed: bool) -> None:
    body = json.dumps({"data": "x" * (MB - 12)}).encode()
    assert len(body) == MB
    sent = gzip.compress(body) if packed else body
    with serving(lambda: whole(sent, "gzip" if packed else "identity")) as (url,):
        large = transport(url, max_response_mb=2)
        for _ in range(2):
            assert large.post("/graphql/", b"{}", {}).body == body
        large.close()
        exact = transport(url, **SMALL)
        if packed:  # with its head, the other one has more
            assert exact.post("/graphql/", b"{}", {}).body == body
        else:
            with pytest.raises(TooLargeError):
                exact.post("/graphql/", b"{}", {})
        exact.close()

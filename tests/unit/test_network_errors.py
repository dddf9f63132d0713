"""What may pass in a network, and what is said of the rest; with errors as Python raises them."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from fake_http import FakeClock

from pluvo_client.errors import TransientError, UnreachableError
from pluvo_client.settings import ClientSettings
from pluvo_client.transport.http import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def ask(url: str, clock: FakeClock, **config: Any) -> bytes:
    known = {"api_url": url, "client_id": "me", "client_secret": "never-shown"}
    transport = Transport(ClientSettings.from_config(known | config), clock=clock)
    try:
        return transport.retry(lambda: transport.post("/", b"{}", {})).body
    finally:
        transport.close()


@contextmanager
def serving(handle: Callable[[socket.socket, int], None]) -> Iterator[int]:
    """Handle one connection after the other, with its number from 0, and yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        number = 0
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    handle(connection, number)
                number += 1

    thread = threading.Thread(target=work)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


# ---------- names ----------


def failing(code: int, times: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let names fail to be resolved some times; return a list that notes each attempt."""
    resolve = socket.getaddrinfo
    asked: list[str] = []

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        asked.append(str(host))
        if len(asked) <= times:
            raise socket.gaierror(code, "Temporary failure in name resolution")
        return resolve("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("code", [socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_SYSTEM])
def test_a_name_server_that_is_down_is_waited_for(
    code: int, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handle(connection: socket.socket, _number: int) -> None:
        connection.recv(1 << 16)
        connection.sendall(ANSWER)

    with serving(handle) as port:
        asked = failing(code, 6, monkeypatch)
        assert ask(f"http://localhost:{port}", clock) == b"{}"
    assert asked == ["localhost"] * 7
    assert clock.now > 0


def test_a_name_server_that_stays_down_is_named(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(socket.EAI_AGAIN, 1000, monkeypatch)
    with pytest.raises(TransientError, match="localhost:9 cannot be resolved at the mo") as raised:
        ask("http://localhost:9", clock)
    assert raised.value.unprocessed
    assert clock.now > 200


def test_a_name_that_does_not_exist_gets_a_second_chance_only(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = failing(socket.EAI_NONAME, 1000, monkeypatch)
    with pytest.raises(UnreachableError, match="does not exist: check the setting `organization`"):
        ask("http://localhost:9", clock)
    assert len(asked) == 2


# ---------- TLS ----------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


def encrypted(
    certificate: trustme.LeafCert, broken: Callable[[socket.socket], object], times: int
) -> Callable[[socket.socket, int], None]:
    """Return what breaks some handshakes off, and answers after that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    def handle(connection: socket.socket, number: int) -> None:
        if number < times:
            broken(connection)
            return
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.recv(1 << 16)
            inside.sendall(ANSWER)

    return handle


def hang_up(connection: socket.socket) -> None:
    connection.recv(1 << 16)


def reset(connection: socket.socket) -> None:
    connection.recv(1)  # what is left unread makes it a reset


def speak_http(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")


def alert(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    connection.sendall(bytes([21, 3, 3, 0, 2, 2, 80]))  # fatal: internal error


BREAKS = [hang_up, reset, speak_http, alert]


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.__name__)
def test_a_handshake_that_breaks_off_is_tried_again(
    broken: Callable[[socket.socket], object], authority: trustme.CA, bundle: str, clock: FakeClock
) -> None:
    with serving(encrypted(authority.issue_cert("127.0.0.1"), broken, 5)) as port:
        assert ask(f"https://127.0.0.1:{port}", clock, ca_bundle=bundle) == b"{}"
    assert clock.now > 0


@pytest.mark.parametrize("broken", [hang_up, speak_http, alert], ids=lambda found: found.__name__)
def test_handshakes_that_all_break_off_are_named(
    broken: Callable[[socket.socket], object], authority: trustme.CA, bundle: str, clock: FakeClock
) -> None:
    phrase = r"the encrypted connection to https://127\.0\.0\.1:\d+ failed \([A-Z0-9_]+\)"
    with (
        serving(encrypted(authority.issue_cert("127.0.0.1"), broken, 1000)) as port,
        pytest.raises(TransientError, match=phrase),
    ):
        ask(f"https://127.0.0.1:{port}", clock, ca_bundle=bundle, max_retry_seconds=20)


YEAR = dt.timedelta(days=365)
NOW = dt.datetime.now(tz=dt.UTC)


@pytest.mark.parametrize(
    ("certificate", "phrase"),
    [
        (lambda ca: ca.issue_cert("127.0.0.1", not_after=NOW - YEAR), "it has expired: tell Pluvo"),
        (lambda ca: ca.issue_cert("127.0.0.2"), "it is for another host: check the setting"),
        (lambda ca: ca.issue_cert("pluvo.example.com"), "it is for another host: check the set"),
        (
            lambda _: trustme.CA().issue_cert("127.0.0.1"),
            "its authority is unknown: if your organization has its own",
        ),
    ],
    ids=["expired", "address", "host", "authority"],
)
def test_a_certificate_that_is_not_trusted_is_final_and_says_why(
    certificate: Callable[[trustme.CA], trustme.LeafCert],
    phrase: str,
    authority: trustme.CA,
    bundle: str,
    clock: FakeClock,
) -> None:
    with serving(encrypted(certificate(authority), hang_up, 0)) as port:
        with pytest.raises(UnreachableError, match=f"is not trusted, since {phrase}") as raised:
            ask(f"https://127.0.0.1:{port}", clock, ca_bundle=bundle)
        assert "gave up after 2 tries" in str(raised.value)


def test_a_certificate_that_vouches_for_itself(
    bundle: str, clock: FakeClock, tmp_path: Path
) -> None:
    own = trustme.CA()  # its certificate is signed by itself
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.cert_pem.write_to_path(tmp_path / "own.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem", tmp_path / "key.pem")

    def handle(connection: socket.socket, _number: int) -> None:
        context.wrap_socket(connection, server_side=True).close()

    with (
        serving(handle) as port,
        pytest.raises(UnreachableError, match="since it is self-signed: if your organization"),
    ):
        ask(f"https://127.0.0.1:{port}", clock, ca_bundle=bundle)

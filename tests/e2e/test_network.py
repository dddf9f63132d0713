"""The network between the tap and Pluvo: certificates, proxies, and what lies around at home."""

from __future__ import annotations

import datetime as dt
import socket
import socketserver
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme
from reliability_support import Watched, comparable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def pluvo() -> Iterator[Watched]:
    with Watched(users=12, trainings=2, groups=2, portfolio=20) as running:
        yield running


@pytest.fixture(autouse=True)
def _as_new(pluvo: Watched) -> None:
    pluvo.reset_log()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file with the certificate of an authority that nobody else knows."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file with the certificate of another authority."""
    path = tmp_path_factory.mktemp("stranger") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return str(path)


def join(one: socket.socket, other: socket.socket) -> None:
    """Pass everything between two connections until one ends."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=pump, args=(other, one))
    thread.start()
    pump(one, other)
    thread.join()


@contextmanager
def serving(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """Handle each connection to a free port in a thread of its own, and yield the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # who is refused hangs up
                handle(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = False

    with Server((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@contextmanager
def encrypted(pluvo: Watched, certificate: trustme.LeafCert) -> Iterator[str]:
    """Serve a sandbox over TLS, and yield its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    behind = urlsplit(pluvo.url)

    def handle(connection: socket.socket) -> None:
        with (
            context.wrap_socket(connection, server_side=True) as outside,
            socket.create_connection((behind.hostname, behind.port)) as inside,
        ):
            join(outside, inside)

    with serving(handle) as port:
        yield f"https://{HOST}:{port}"


@pytest.fixture(scope="module")
def address(pluvo: Watched, authority: trustme.CA) -> Iterator[str]:
    with encrypted(pluvo, authority.issue_cert(HOST)) as url:
        yield url


NOT_TRUSTED = "is not trusted, since its authority is unknown: if your organization has its own"


@pytest.mark.parametrize("way", ["ca_bundle", "REQUESTS_CA_BUNDLE", "both"])
def test_an_own_authority_can_be_named(
    way: str, address: str, pluvo: Watched, bundle: str, stranger: str
) -> None:
    settings = {} if way == "REQUESTS_CA_BUNDLE" else {"ca_bundle": bundle}
    other = {"both": stranger, "REQUESTS_CA_BUNDLE": bundle}  # the setting wins
    variables = {"REQUESTS_CA_BUNDLE": other[way]} if way in other else {}
    result = pluvo.sync(api_url=address, variables=variables, **settings)
    assert comparable(result) == comparable(pluvo.sync())


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""},
        {"PYTHONHTTPSVERIFY": "0"},
        {"TAP_PLUVO_CA_BUNDLE": ""},
    ],
)
def test_an_unknown_authority_is_not_trusted_and_nothing_is_sent(
    variables: dict[str, str], address: str, pluvo: Watched
) -> None:
    result = pluvo.run("--config=ENV", api_url=address, variables=variables)
    check_that_nothing_was_sent(result.returncode, result.stderr, pluvo, NOT_TRUSTED)


def test_the_authority_of_another_organization_is_not_trusted(
    address: str, pluvo: Watched, bundle: str, stranger: str
) -> None:
    result = pluvo.run(
        api_url=address, ca_bundle=stranger, variables={"REQUESTS_CA_BUNDLE": bundle}
    )
    check_that_nothing_was_sent(result.returncode, result.stderr, pluvo, NOT_TRUSTED)


@pytest.mark.parametrize(
    ("wrong", "reason"), [("host", "it is for another host"), ("time", "it has expired")]
)
def test_a_certificate_of_another_host_or_time_is_not_trusted(
    wrong: str, reason: str, pluvo: Watched, authority: trustme.CA, bundle: str
) -> None:
    certificate = (
        authority.issue_cert("pluvo.example.com")
        if wrong == "host"
        else authority.issue_cert(HOST, not_after=dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    )
    with encrypted(pluvo, certificate) as url:
        result = pluvo.run(api_url=url, ca_bundle=bundle)
    check_that_nothing_was_sent(
        result.returncode, result.stderr, pluvo, f"is not trusted, since {reason}"
    )


@pytest.mark.parametrize("setting", ["verify", "verify_ssl", "ssl_verify", "insecure"])
def test_verification_cannot_be_switched_off(setting: str, address: str, pluvo: Watched) -> None:
    result = pluvo.run(api_url=address, **{setting: False})
    sentence = f"setting `{setting}` is unknown"
    check_that_nothing_was_sent(result.returncode, result.stderr, pluvo, sentence)


def check_that_nothing_was_sent(code: int, log: str, pluvo: Watched, sentence: str) -> None:
    assert code == 1
    assert sentence in log
    assert not pluvo.requests


@pytest.mark.parametrize("way", ["ca_bundle", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_without_certificates_is_named(
    content: str | None, way: str, address: str, pluvo: Watched, tmp_path: Path
) -> None:
    path = tmp_path / "own-ca.pem"
    if content is not None:
        path.write_text(content)
    settings = {"ca_bundle": str(path)} if way == "ca_bundle" else {}
    variables = {} if settings else {way: str(path)}
    result = pluvo.run(api_url=address, variables=variables, **settings)
    check_that_nothing_was_sent(result.returncode, result.stderr, pluvo, "own-ca.pem")
    assert way in result.stderr


# ---------- proxies ----------


@contextmanager
def proxy() -> Iterator[tuple[str, list[bytes]]]:
    """Serve a proxy; yield its address, and all that it can read of what passes."""
    heard: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (data := connection.recv(1 << 16)):
                return
            head += data
        heard.append(head)
        method, target, _ = head.split(b" ", 2)
        place = urlsplit(target.decode() if method != b"CONNECT" else f"//{target.decode()}")
        with socket.create_connection((place.hostname, place.port)) as inside:
            if method == b"CONNECT":
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                inside.sendall(head)
            join(connection, inside)

    with serving(handle) as port:
        yield f"http://{HOST}:{port}", heard


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_is_used_and_reads_nothing(
    name: str, address: str, pluvo: Watched, bundle: str
) -> None:
    with proxy() as (url, heard):
        result = pluvo.sync(api_url=address, ca_bundle=bundle, variables={name: url})
        assert comparable(result) == comparable(pluvo.sync())
    place = address.removeprefix("https://").encode()
    assert heard
    assert all(head.startswith(b"CONNECT " + place + b" ") for head in heard)
    assert not pluvo.leaks(b"".join(heard).decode())
    assert b"Authorization" not in b"".join(heard)


@pytest.mark.parametrize("exception", [HOST, "example.com, 127.0.0.0/8", "*"])
def test_hosts_that_need_no_proxy_get_none(
    exception: str, address: str, pluvo: Watched, bundle: str
) -> None:
    with proxy() as (url, heard):
        variables = {"HTTPS_PROXY": url, "NO_PROXY": exception}
        pluvo.sync(api_url=address, ca_bundle=bundle, variables=variables)
    assert not heard


def test_a_proxy_that_is_down_is_named(address: str, pluvo: Watched, bundle: str) -> None:
    with socket.socket() as deaf:  # bound, but it does not listen
        deaf.bind((HOST, 0))
        variables = {"HTTPS_PROXY": f"http://{HOST}:{deaf.getsockname()[1]}"}
        result = pluvo.run(
            api_url=address, ca_bundle=bundle, variables=variables, max_retry_seconds=0
        )
    sentence = f"the proxy on the way to {address} failed: check the environment variable"
    check_that_nothing_was_sent(result.returncode, result.stderr, pluvo, sentence)


@pytest.mark.parametrize(
    "wrong", ["socks5://127.0.0.1:9", "ftp://127.0.0.1:9", "http://[::1", "http://", "http://a:b:c"]
)
def test_a_proxy_that_cannot_be_one_is_refused(wrong: str, address: str, pluvo: Watched) -> None:
    result = pluvo.run(api_url=address, variables={"HTTPS_PROXY": wrong})
    sentence = "environment variable HTTPS_PROXY: the proxy's address cannot be used"
    check_that_nothing_was_sent(result.returncode, result.stderr, pluvo, sentence)


def test_what_is_not_encrypted_goes_through_no_proxy(pluvo: Watched) -> None:
    with proxy() as (url, heard):
        variables = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), url)
        pluvo.sync(variables=variables)
    assert not heard


# ---------- what lies around at home ----------


@pytest.mark.parametrize("entry", [f"machine {HOST}", "default"])
def test_a_netrc_does_not_replace_the_token(
    entry: str, pluvo: Watched, tmp_path: Path, address: str, bundle: str
) -> None:
    path = tmp_path / ".netrc"
    path.write_text(f"{entry} login somebody password else\n")
    path.chmod(0o600)
    for variables in ({"HOME": str(tmp_path)}, {"NETRC": str(path)}):
        result = pluvo.sync(variables=variables)
        assert comparable(result) == comparable(pluvo.sync())
        pluvo.sync(variables=variables, api_url=address, ca_bundle=bundle)

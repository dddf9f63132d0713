"""The receiver behind nginx, as docs/how-to/webhooks.md sets it up: `make test-webhooks`.

nginx is found on PATH, or named by the variable NGINX.
"""

from __future__ import annotations

import http.client
import os
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme
from webhook_support import FOREVER, Receiver, free_port, signed, user_updated

from pluvo_webhooks.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONFIGURATION = Path(__file__).parents[2] / "orchestrate/nginx/pluvo-webhooks.conf"
MAIN = """\
daemon off;
user root;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/pluvo-webhooks.conf;
}}
"""


class Proxy:
    """nginx, and clients that trust it."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self._port = port
        self._trust = trust

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> int:
        connection = http.client.HTTPSConnection(
            "localhost", self._port, timeout=FOREVER, context=self._trust
        )
        try:
            connection.request(method, path, body, headers or {})
            with connection.getresponse() as response:
                return response.status
        finally:
            connection.close()


@pytest.fixture
def behind(sqlite_url: str, tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(sqlite_url, tmp_path / "log") as running:
        yield running


@pytest.fixture
def proxy(behind: Receiver, tmp_path: Path) -> Iterator[Proxy]:
    nginx = os.environ.get("NGINX") or shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert nginx, "install nginx, such as Debian's package nginx-light"
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "fullchain.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "privkey.pem")
    port = free_port()
    text = CONFIGURATION.read_text()
    for ours, here in (
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("hooks.example.com;", "localhost;"),
        ("/etc/letsencrypt/live/hooks.example.com", str(tmp_path)),
        ("127.0.0.1:8780", f"127.0.0.1:{behind.port}"),
    ):
        assert ours in text
        text = text.replace(ours, here)
    (tmp_path / "pluvo-webhooks.conf").write_text(text)
    (tmp_path / "nginx.conf").write_text(MAIN.format(folder=tmp_path))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    command = [nginx, "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
    with subprocess.Popen(command) as process:
        proxy = Proxy(port, trust)
        while process.poll() is None:
            try:
                proxy.ask("GET", "/")
            except ConnectionRefusedError:
                continue
            break
        assert process.poll() is None
        yield proxy
        process.terminate()


def test_a_webhook_comes_through_and_nothing_else(behind: Receiver, proxy: Proxy) -> None:
    body = user_updated(1, name="Zoë")
    assert proxy.ask("POST", "/pluvo", body, signed(body)) == 204
    large = user_updated(2, pad="x" * 900_000)
    assert proxy.ask("POST", "/pluvo", large, signed(large)) == 204
    assert proxy.ask("POST", "/pluvo", body, signed(body, "another")) == 401
    assert proxy.ask("POST", "/pluvo", b" " * 2**21, signed(b"")) == 413
    for path in ("/", "/metrics", "/readyz", "/healthz", "/pluvo/metrics"):
        assert proxy.ask("GET", path) == 404
    inbox = Inbox.open(behind.inbox, create=False)
    assert [event.object_id for event in inbox.events_after(0, 10)] == ["user-1", "user-2"]
    inbox.close()


def test_while_the_receiver_is_down_pluvo_is_told_to_retry(
    behind: Receiver, proxy: Proxy, tmp_path: Path
) -> None:
    body = user_updated(1)
    behind.kill()
    assert proxy.ask("POST", "/pluvo", body, signed(body)) == 502
    behind.start()
    assert proxy.ask("POST", "/pluvo", body, signed(body)) == 204
    assert not [*(tmp_path / "body").iterdir()], "bodies are kept in memory"

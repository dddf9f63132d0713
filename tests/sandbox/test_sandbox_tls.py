"""HTTPS, and handshakes that break off."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import requests
import trustme
from test_sandbox_cli import serving

from pluvo_sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    """The certificate that clients trust."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def pem(authority: trustme.CA, tmp_path: Path) -> Path:
    """Key and certificate of the server."""
    path = tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    return path


def token(url: str, bundle: str | None = None) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }
    return requests.post(f"{url}/oauth/token/", data=form, verify=bundle or True, timeout=10)


def test_the_api_is_served_over_https(pem: Path, bundle: str) -> None:
    with Sandbox(users=3, tls=pem) as sandbox:
        assert sandbox.url.startswith("https://127.0.0.1:")
        assert token(sandbox.url, bundle).json()["access_token"]
        with pytest.raises(requests.exceptions.SSLError, match="certificate verify failed"):
            token(sandbox.url)
        with pytest.raises(requests.ConnectionError):
            token(sandbox.url.replace("https", "http"))


def test_faults_work_over_https(pem: Path, bundle: str) -> None:
    faults = ["reset:token@1", "refused=0.05:token@2", "503:token@3"]
    with Sandbox(users=3, tls=pem, faults=faults) as sandbox:
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                token(sandbox.url, bundle)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with suppress(requests.ConnectionError):
                assert token(sandbox.url, bundle).status_code == 503
                break
        assert token(sandbox.url, bundle).status_code == 200


def test_the_first_handshakes_break_off(pem: Path, bundle: str) -> None:
    with Sandbox(users=3, tls=pem, broken_handshakes=2) as sandbox:
        for _ in range(2):
            with pytest.raises(requests.ConnectionError, match=r"(?i)eof|reset|aborted"):
                token(sandbox.url, bundle)
        for _ in range(2):
            assert token(sandbox.url, bundle).status_code == 200
        assert [request.status for request in sandbox.requests] == [200, 200]


def test_a_server_stops_although_handshakes_are_still_to_be_broken(pem: Path) -> None:
    with Sandbox(users=3, tls=pem, broken_handshakes=5) as sandbox:
        assert sandbox.url


def test_switches_for_tls_reach_the_server(pem: Path, bundle: str) -> None:
    with serving("--tls", str(pem), "--broken-handshakes", "1") as (_, ready, _):
        assert ready["url"].startswith("https://")
        with pytest.raises(requests.ConnectionError):
            token(ready["url"], bundle)
        assert token(ready["url"], bundle).status_code == 200

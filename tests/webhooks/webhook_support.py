"""The receiver as a process, and webhooks as Pluvo sends them."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from django.utils.crypto import get_random_string, salted_hmac

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = Path(sys.executable).with_name("pluvo-webhooks")
SECRET = "the-webhook-key"
FOREVER = 60  # seconds; only a test that hangs meets it


def signed(body: bytes, secret: str = SECRET, *, url_safe: bool = False) -> dict[str, str]:
    """Return the headers of a webhook."""
    salt = get_random_string(12)
    digest = salted_hmac(salt, body, secret).digest()
    signature = base64.b64encode(digest).decode()
    if url_safe:
        signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return {
        "Content-Type": "application/json",
        "X-Signature": signature,
        "X-Signature-Salt": salt,
    }


def user_updated(number: int, sent: str = "2026-03-01T10:00:00Z", **fields: Any) -> bytes:
    """Return the body of an event."""
    event = {"id": f"user-{number}", "ref": f"ref-{number}", "event": "USER_UPDATED"}
    return json.dumps({**event, "sentDate": sent, **fields}).encode()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def command(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `pluvo-webhooks` to its end."""
    return subprocess.run(
        [PROGRAM, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**clean_environment(), **(environment or {})},
        timeout=FOREVER,
    )


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PLUVO_")}


class Receiver:
    """`pluvo-webhooks serve`, on a port that it keeps over restarts."""

    def __init__(self, inbox: str, log: Path, *arguments: str, **variables: str) -> None:
        self.port = free_port()
        self.inbox = inbox
        self.log = log
        self._command = [str(PROGRAM), "serve", "--port", str(self.port), *arguments]
        self._environment = {
            **clean_environment(),
            "PLUVO_WEBHOOKS_SECRET": SECRET,
            "PLUVO_WEBHOOKS_INBOX": inbox,
            **variables,
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        """Return when it listens."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=log, env=self._environment
            )
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, self.log.read_text()
        path = urlsplit(json.loads(line)["url"]).path
        assert json.loads(line)["url"] == f"http://127.0.0.1:{self.port}{path}"

    def kill(self) -> None:
        """End it as a loss of power would."""
        self._process.kill()
        self._wait()

    def stop(self) -> int:
        """End it as systemd would; return the exit code."""
        self._process.terminate()
        return self._wait()

    def _wait(self) -> int:
        code = self._process.wait(FOREVER)
        assert self._process.stdout
        self._process.stdout.close()
        return code

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=FOREVER)

    def send(self, body: bytes, headers: Mapping[str, str] | None = None) -> int:
        """Deliver a webhook, by default a signed one; return the status."""
        return self.ask("POST", "/", body, signed(body) if headers is None else headers)[0]

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            with connection.getresponse() as response:
                return response.status, response.read().decode()
        finally:
            connection.close()

"""What nobody may learn: the client secret, tokens, and anything about a person.

Every run of these tests, and of those for faults, restarts, drift and surroundings, is looked
through for them at the log level DEBUG, by `reliability_support.discreet`.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reliability_support import Watched, discreet
from starlette.responses import JSONResponse
from support import TAP, Result, run_tap

import pluvo_sandbox.faults

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "n0b0dy-may-read-th1s"
PROCESSES = Path("/proc")


@pytest.fixture(scope="module")
def pluvo() -> Iterator[Watched]:
    with Watched(users=30, trainings=4, groups=3, portfolio=80, client_secret=SECRET) as running:
        yield running


@pytest.fixture(autouse=True)
def _as_new(pluvo: Watched) -> None:
    pluvo.set_faults()
    pluvo.reset_log()
    pluvo.before_request.clear()


def test_the_watch_would_notice(pluvo: Watched) -> None:
    result = pluvo.sync()
    assert "| DEBUG " in result.stderr
    assert pluvo.tokens
    assert len(pluvo.personal) > 100
    users = [tuple(map(str, row)) for row in result.keys("users", "id", "name", "email", "ref")]
    for secret in (SECRET, *pluvo.tokens, *users[0]):
        with pytest.raises(AssertionError):
            discreet(pluvo, Result(0, "", f"2026 | INFO | {secret}!"))
    state = json.dumps({"type": "STATE", "value": users[0]}, separators=(",", ":"))
    with pytest.raises(AssertionError):
        discreet(pluvo, Result(0, state, ""))


@pytest.mark.parametrize("option", ["--about", "--about --format=json", "--discover", "--test"])
def test_what_is_not_a_sync_tells_nothing_either(option: str, pluvo: Watched) -> None:
    result = pluvo.sync(*option.split())
    assert result.stdout
    assert not pluvo.leaks(result.stdout + result.stderr)


@pytest.mark.parametrize(
    "settings",
    [
        {"client_id": ""},
        {"client_id": SECRET, "page_size": "many"},
        {"client_secret": [SECRET]},
        {"client_secret": {"value": SECRET}},
        {"client_secret": SECRET, "client_secrett": SECRET},
        {"client_secret": SECRET, "api_url": "http://pluvo.example.com"},
        {"api_url": f"https://me:{SECRET}@pluvo.example.com"},
        {"api_url": f"https://pluvo.example.com/?client_secret={SECRET}"},
        {"api_url": f"https://pluvo.example.com/{SECRET}"},
    ],
)
def test_a_wrong_setting_is_refused_without_the_secret(
    settings: dict[str, Any], pluvo: Watched
) -> None:
    result = pluvo.run(**settings)
    assert result.returncode == 1
    assert "| CRITICAL | " in result.stderr
    assert not result.stdout


def test_a_wrong_secret_is_refused_without_it(pluvo: Watched) -> None:
    result = pluvo.run(client_secret=f"{SECRET}?")
    assert result.returncode == 1
    assert "the organization rejects the client" in result.stderr


def messages_about(pluvo: Watched) -> list[str]:
    """Return what a server may say of a user."""
    user = pluvo.database.execute("SELECT id, ref, email, name FROM users LIMIT 1").fetchone()
    key, ref, email, name = user
    return [
        f"User {email} may not be read",
        f"User matching {key} is broken",
        f'Int cannot represent non-integer value: "{name}"',
        f"Cannot return a value for {{'ref': '{ref}', 'name': {name!r}}}",
        f'Expected type UUID, found "{ref}"; {email.upper()}',
    ]


@pytest.mark.parametrize("number", range(5))
def test_what_the_api_says_of_a_person_is_not_repeated(
    number: int, pluvo: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = messages_about(pluvo)[number]
    answer = {"data": None, "errors": [{"message": message}]}
    monkeypatch.setitem(
        pluvo_sandbox.faults._ANSWERS, "no-data", lambda _value: JSONResponse(answer)
    )
    pluvo.set_faults("no-data:paginatedUsers")
    result = pluvo.run(max_retry_seconds=0)
    assert "users" in result.failed_streams()
    assert "the API answered with errors: " in result.stderr
    assert pluvo.leaks(message.lower() + message)
    assert message.split()[0] in result.stderr


def test_values_that_do_not_fit_are_not_shown(pluvo: Watched) -> None:
    (user, before) = pluvo.database.execute("SELECT id, lastLogin FROM users LIMIT 1").fetchone()
    (name,) = pluvo.database.execute("SELECT name FROM users WHERE id = ?", (user,)).fetchone()
    pluvo.change("users", user, lastLogin=name)
    try:
        result = pluvo.run(max_retry_seconds=0)
    finally:
        pluvo.change("users", user, lastLogin=before)
    assert result.failed_streams() == {"users"}
    assert "column 'last_login' holds a value that does not fit it" in result.stderr


@pytest.mark.skipif(not PROCESSES.is_dir(), reason="there is no /proc to look into")
def test_process_arguments_hold_no_secret(pluvo: Watched) -> None:
    found: set[str] = set()

    def look(_editor: object) -> None:
        for arguments in PROCESSES.glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # a process that has ended meanwhile
                found.add(arguments.read_text("utf-8", "replace"))

    pluvo.before_request[4] = look
    settings = {
        "api_url": pluvo.url,
        "client_id": pluvo.client_id,
        "client_secret": SECRET,
    }
    result = run_tap(settings, tap=TAP)
    assert result.returncode == 0
    assert any("tap-pluvo" in arguments for arguments in found)
    assert not [arguments for arguments in found if pluvo.leaks(arguments)]


@contextlib.contextmanager
def redirecting(status: int, target: str, after: str) -> Iterator[str]:
    """Serve a token, but redirect the requests whose path begins with `after`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"access_token": "a-token-for-one-host-only"}).encode()
            if self.path.startswith(after):
                body = b""
                self.send_response(status)
                self.send_header("Location", target + self.path)
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/oauth/token/", "/graphql/"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_secret_and_token_do_not_follow_a_redirect(status: int, path: str, pluvo: Watched) -> None:
    with redirecting(status, pluvo.url, path) as url:
        result = pluvo.run(api_url=url)
    assert result.returncode == 1
    assert f"redirects (HTTP {status}), which is not followed" in result.stderr
    assert not pluvo.requests
    assert "a-token-for-one-host-only" not in result.stderr + result.stdout

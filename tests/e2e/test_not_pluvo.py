"""Something other than Pluvo answers at the address that the tap was given."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from support import run_tap
from wrong_input_support import CLIENT_REMEDY, HOST_REMEDY, SECRET, TOKEN, check

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Answers:
    """What a small web server says: status, content type, body and further headers, by path."""

    token: tuple[int, str, str] = (200, "application/json", json.dumps({"access_token": TOKEN}))
    graphql: tuple[int, str, str] = (200, "application/json", '{"data": {}}')
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def serving(answers: Answers) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            is_token = self.path.startswith("/oauth/")
            status, kind, body = answers.token if is_token else answers.graphql
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body.encode())))
            for name, value in answers.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


HTML = "<!doctype html><title>Welcome</title>"
NO_TOKEN = json.dumps({"token_type": "Bearer"})


@pytest.mark.parametrize(
    ("answers", "phrases"),
    [
        pytest.param(
            Answers(token=(200, "text/html", HTML)),
            ["/oauth/token/ did not return a token", HOST_REMEDY],
            id="page instead of a token",
        ),
        pytest.param(
            Answers(token=(404, "text/html", HTML)),
            ["/oauth/token/ answered HTTP 404", HOST_REMEDY],
            id="no such page",
        ),
        pytest.param(
            Answers(token=(403, "text/html", HTML)),
            ["did not return a token (HTTP 403, no JSON object)", CLIENT_REMEDY],
            id="forbidden",
        ),
        pytest.param(
            Answers(token=(200, "application/json", NO_TOKEN)),
            ["/oauth/token/ did not return a token (no `access_token`)"],
            id="no token",
        ),
        pytest.param(
            Answers(token=(200, "application/json", '{"error": "invalid_client"}')),
            ["rejects the client", CLIENT_REMEDY],
            id="error with status 200",
        ),
        pytest.param(
            Answers(token=(301, "text/html", HTML), headers={"Location": "https://example.com/"}),
            ["redirects (HTTP 301)", HOST_REMEDY],
            id="redirect of the token",
        ),
        pytest.param(
            Answers(graphql=(302, "text/html", HTML), headers={"Location": "https://example.com/"}),
            ["redirects (HTTP 302)", "not followed with a token", HOST_REMEDY],
            id="redirect",
        ),
        pytest.param(
            Answers(graphql=(200, "text/html", HTML)),
            ["/graphql/ did not return GraphQL (text/html, not valid JSON)"],
            id="page instead of GraphQL",
        ),
        pytest.param(
            Answers(graphql=(200, "application/json", "[1, 2]")),
            ["/graphql/ returned JSON that is not a GraphQL answer"],
            id="other JSON",
        ),
        pytest.param(
            Answers(graphql=(200, "application/json", "{}")),
            ["/graphql/ answered HTTP 200 without data and without errors"],
            id="nothing",
        ),
        pytest.param(
            Answers(graphql=(200, "application/json", '{"data": {"__schema": {}}}')),
            ["/graphql/ did not answer the smallest query"],
            id="half a schema",
        ),
        pytest.param(
            Answers(graphql=(401, "application/json", '{"errors": [{"message": "no"}]}')),
            ["the API rejects the token (HTTP 401)"],
            id="token refused",
        ),
        pytest.param(
            Answers(graphql=(404, "text/html", HTML)),
            ["/graphql/ answered HTTP 404", HOST_REMEDY],
            id="no GraphQL there",
        ),
        pytest.param(
            Answers(graphql=(503, "text/html", HTML)),
            ["Pluvo is temporarily unavailable (HTTP 503)", "gave up after"],
            id="down",
        ),
    ],
)
def test_something_else_than_pluvo_answers(answers: Answers, phrases: list[str]) -> None:
    with serving(answers) as url:
        settings = {"api_url": url, "client_id": "me", "client_secret": SECRET}
        check(run_tap(settings | {"max_retry_seconds": 0}), *phrases)
